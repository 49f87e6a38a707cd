//! A chat with an agent, in a few lines.
//!
//! `LOBEHUB_API_KEY=sk-lh-… cargo run -p agent-gateway-adapters --example chat -- https://lobehub.example "Hello"`

use std::error::Error;
use std::io::{self, Write};

use agent_gateway_adapters::{Client, Credential, Execute, Notification};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::{Payload, ServerUrl, Token};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments
        .next()
        .ok_or("the first argument is the server's URL")?;
    let prompt = arguments
        .next()
        .ok_or("the second argument is the prompt")?;
    let key = std::env::var("LOBEHUB_API_KEY")?;
    let client = Client::builder()
        .server(ServerUrl::parse(&server)?)
        .credential(Credential::ApiKey(Token::new(key)))
        .build()?;
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: prompt.into(),
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
    let (outcome, receipt) = run.outcome().await;
    println!("\n{outcome}, after {} events", receipt.delivered);
    run.settled().await;
    Ok(())
}
