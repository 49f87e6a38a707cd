//! A chat with an agent, in about thirty lines. It needs no server: the embedded gateway plays one.
//!
//! `cargo run -p agent-gateway-adapters --example chat -- "Hello"`, with the name of another script of its behind, if you like

use std::error::Error;
use std::io::{self, Write};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::machine::transcript::{Change, Edit, Transcript};
use agent_gateway_adapters::{Client, Credential, ExecAgent, Notification};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let prompt = arguments.next().unwrap_or("Hello".into());
    let server = EmbeddedServer::playing(&arguments.next().unwrap_or("good_run".into())).await?;
    let client = Client::builder()
        .server(server.server_url().clone()) // or ServerUrl::parse("https://app.lobehub.com")?
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()?;
    let mut run = client.execute(ExecAgent::inbox(prompt)).await?;
    let mut transcript = Transcript::default();
    while let Some(notification) = run.next().await {
        // Events of other runs are mirrored onto the stream, and are not this chat's.
        if let Notification::EventReceived(received) = notification
            && received.own
        {
            for change in transcript.apply(&received.event) {
                match change {
                    Change::Text(Edit::Appended(text)) => print!("{text}"),
                    // What was printed of this answer is void.
                    Change::Text(Edit::Replaced(text)) => print!("\n{text}"),
                    Change::StepBegan => println!(),
                    _ => {}
                }
            }
            io::stdout().flush()?;
        }
    }
    let (outcome, receipt) = run.outcome().await?;
    println!("\n{outcome}, after {} events", receipt.delivered);
    run.settled().await;
    Ok(())
}
