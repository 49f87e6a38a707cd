//! A chat with an agent, in about thirty lines. It needs no server: the embedded gateway plays one.
//!
//! `cargo run -p agent-gateway-adapters --example chat -- "Hello"`

use std::error::Error;
use std::io::{self, Write};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Chunk, Client, Credential, ExecAgent, Execute, Notification, Payload,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = EmbeddedServer::playing("good_run").await?;
    let client = Client::builder()
        .server(server.server_url().clone()) // or ServerUrl::parse("https://app.lobehub.com")?
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()?;
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: std::env::args().nth(1).unwrap_or("Hello".into()).into(),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await?;
    while let Some(notification) = run.next().await {
        if let Notification::EventReceived(received) = notification
            && let Payload::StreamChunk(Chunk::Text(text)) = received.event.payload()
        {
            print!("{}", text.content.unwrap_or_default());
            io::stdout().flush()?;
        }
    }
    let (outcome, receipt) = run.outcome().await?;
    println!("\n{outcome}, after {} events", receipt.delivered);
    run.settled().await;
    Ok(())
}
