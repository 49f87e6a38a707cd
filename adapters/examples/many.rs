//! Many runs at once in one client, with what a dashboard would show of them meanwhile. It needs no server: the embedded
//! gateway plays one.
//!
//! `cargo run -p agent-gateway-adapters --example many -- 50`

use std::collections::BTreeMap;
use std::error::Error;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, Credential, ExecAgent, RunHandle};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(Ok(20), |text| text.parse())?;
    let server = EmbeddedServer::playing("good_run").await?;
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()?;
    let (mut runs, mut handles) = (JoinSet::new(), Vec::new());
    for number in 0..count {
        let input = ExecAgent::inbox(format!("Question {number}"));
        let mut run = client.execute(input).await?;
        handles.push(run.handle());
        runs.spawn(async move {
            let outcome = run.outcome().await;
            run.settled().await;
            outcome.map(|(outcome, _)| outcome)
        });
    }
    let mut outcomes = BTreeMap::<String, usize>::new();
    while let Some(outcome) = runs.join_next().await {
        *outcomes.entry(outcome??.to_string()).or_default() += 1;
        let over: usize = outcomes.values().sum();
        println!("{over} of {count} are over; {}", totals(&handles));
    }
    for (outcome, runs) in outcomes {
        println!("{runs} × {outcome}");
    }
    Ok(())
}

/// The receipts of all runs in one, as they stand at this moment.
fn totals(handles: &[RunHandle]) -> String {
    let receipts = handles.iter().map(|handle| handle.snapshot().receipt);
    let (events, reconnects) = receipts.fold((0, 0), |(events, reconnects), receipt| {
        (events + receipt.delivered, reconnects + receipt.reconnects)
    });
    format!("{events} events, {reconnects} reconnects")
}
