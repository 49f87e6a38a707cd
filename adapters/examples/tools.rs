//! Tools executed by this program, against the embedded gateway, so that it runs without a server.
//!
//! `cargo run -p agent-gateway-adapters --example tools`

use std::error::Error;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Client, Credential, ExecAgent, Notification, ToolAnswer, ToolExecute, Workbench,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = EmbeddedServer::playing("demo").await?;
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::AccessToken(server.client_token().clone()))
        .build()?;
    let mut run = client.execute(ExecAgent::inbox("Read notes.txt")).await?;
    // It carries the calls out beside the stream, and gives up those that nobody wants any more.
    let mut workbench = Workbench::new(execute);
    while let Some(notification) = workbench.next(&mut run).await {
        match notification {
            Notification::ToolRequested { call, .. } => println!("{} begins", call.tool_call_id),
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

/// Dropped where it waits when its call is given up.
async fn execute(call: ToolExecute) -> ToolAnswer {
    match &*call.api_name {
        "readFile" => ToolAnswer::success("buy milk"),
        other => ToolAnswer::failure("executor_not_found", &format!("there is no {other} here")),
    }
}
