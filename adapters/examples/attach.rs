//! A run that outlives the programs which watch it: the first one crashes, and the second goes on from the bookmark that it
//! stored; that one goes away in good order, and the third carries on its state. Nothing is missed and nothing seen twice. It
//! needs no server: the embedded gateway plays one.
//!
//! `cargo run -p agent-gateway-adapters --example attach`

use std::error::Error;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Bookmark, Client, Credential, ExecAgent, Notification, Run, State};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = EmbeddedServer::playing("good_run").await?;
    let stored = first_program(&server).await?;
    println!("crashed, and left {} bytes", stored.len());
    let stored = second_program(&server, &stored).await?;
    println!("went away with {} bytes", stored.len());
    third_program(&server, &stored).await
}

/// Starts a run, stores after each event how far it has come, and crashes.
async fn first_program(server: &EmbeddedServer) -> Result<String, Box<dyn Error>> {
    let mut run = client(server)?.execute(ExecAgent::inbox("Hello")).await?;
    follow(&mut run, 2).await;
    let bookmark = run.bookmark().ok_or("the run was not started")?;
    Ok(serde_json::to_string(bookmark)?)
}

/// Goes on behind the bookmark, and takes the run along as plain data, without a token in it.
async fn second_program(server: &EmbeddedServer, stored: &str) -> Result<String, Box<dyn Error>> {
    let bookmark: Bookmark = serde_json::from_str(stored)?;
    let mut run = client(server)?.attach(bookmark).await?;
    follow(&mut run, 1).await;
    let (unread, state) = run.into_state().await;
    // What had come but was not read yet is past for the state.
    unread.iter().for_each(show);
    let state = state.ok_or("the run is over already")?;
    Ok(serde_json::to_string(&state)?)
}

/// Carries the run on to its end.
async fn third_program(server: &EmbeddedServer, stored: &str) -> Result<(), Box<dyn Error>> {
    let state: State = serde_json::from_str(stored)?;
    let mut run = client(server)?.restore(state).await?;
    println!("came back behind event {}", run.cursor());
    follow(&mut run, usize::MAX).await;
    Ok(())
}

/// Reads events until so many were there, or the end.
async fn follow(run: &mut Run, mut events: usize) {
    while events > 0 {
        let Some(notification) = run.next().await else {
            return;
        };
        show(&notification);
        events -= usize::from(matches!(notification, Notification::EventReceived(_)));
    }
}

fn show(notification: &Notification) {
    match notification {
        Notification::EventReceived(received) => {
            println!("{} {}", received.cursor, received.event.kind);
        }
        Notification::RunEnded { outcome, .. } => println!("{outcome}"),
        _ => {}
    }
}

fn client(server: &EmbeddedServer) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()?)
}
