//! A program that goes away in the middle of a run and comes back: the run is stored as plain data, and carried on from it
//! with nothing missed and nothing seen twice. It needs no server: the embedded gateway plays one.
//!
//! `cargo run -p agent-gateway-adapters --example attach`

use std::error::Error;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Attach, Client, Credential, Cursor, ExecAgent, Execute, Notification, Run, State,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = EmbeddedServer::playing("good_run").await?;
    // What is left of the first program: a file's worth of JSON, without a token in it.
    let stored = first_program(&server).await?;
    println!("stored {} bytes, and went away", stored.len());

    // The second has a client of its own. The state says all there is to know, the place in the stream included.
    let state: State = serde_json::from_str(&stored)?;
    let (operation, topic) = (state.operation().cloned(), state.topic().cloned());
    let mut run = client(&server)?.restore(state).await?;
    println!("came back behind event {}", run.cursor());
    follow(&mut run, usize::MAX).await;

    // Whoever stored no more than ids can watch as well: from the beginning, or from a cursor.
    let mut attach = Attach::new(operation.ok_or("the run was not started")?, topic);
    attach.cursor = Cursor::start();
    let mut run = client(&server)?.attach(attach).await?;
    let (outcome, _) = run.outcome().await?;
    println!("later: {outcome}");
    Ok(())
}

/// Starts a run, reads three events of it, and goes away with it.
async fn first_program(server: &EmbeddedServer) -> Result<String, Box<dyn Error>> {
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: "Hello".into(),
        ..ExecAgent::default()
    };
    let mut run = client(server)?.execute(Execute::new(input)).await?;
    follow(&mut run, 3).await;
    let (unread, state) = run.into_state().await.ok_or("the run is over already")?;
    // What had come but was not read yet is past for the state.
    unread.iter().for_each(show);
    Ok(serde_json::to_string(&state)?)
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
