//! Tools executed by this program, against the embedded gateway, so that it runs without a server.
//!
//! `cargo run -p agent-gateway-adapters --example tools`

use std::error::Error;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, Credential, ExecAgent, Execute, Notification, ToolAnswer};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = EmbeddedServer::playing("demo").await?;
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::AccessToken(server.client_token().clone()))
        .build()?;
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: "Read notes.txt".into(),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await?;
    while let Some(notification) = run.next().await {
        match notification {
            // Beside the stream: what follows must not wait for a tool.
            Notification::ToolRequested { call, deadline_in } => {
                let handle = run.handle();
                tokio::spawn(async move {
                    let working = execute(&call.api_name);
                    let answer = match timeout(deadline_in.into(), working).await {
                        Ok(answer) => answer,
                        Err(_) => ToolAnswer::failure("client_executor_timeout", "too slow"),
                    };
                    // Refused if the machine has answered in our place.
                    if let Err(refused) = handle.answer_tool(call.tool_call_id, answer).await {
                        eprintln!("{refused}");
                    }
                });
            }
            Notification::ToolSettled { call } => println!("{call} is settled"),
            Notification::AnswerWithdrawn { answer } => println!("{answer} is not wanted any more"),
            Notification::RunEnded { outcome, .. } => println!("{outcome}"),
            _ => {}
        }
    }
    run.settled().await;
    server.shutdown().await;
    Ok(())
}

async fn execute(tool: &str) -> ToolAnswer {
    match tool {
        "readFile" => ToolAnswer::success("buy milk"),
        other => ToolAnswer::failure("executor_not_found", &format!("there is no {other} here")),
    }
}
