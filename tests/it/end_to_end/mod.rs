//! The scripts over real sockets: `Client` against the embedded gateway, TCP, HTTP and WebSockets between them.
//!
//! Each plays in real time. What it expects must come, no invariant may be broken, and replaying the recording must give
//! the effects that were seen live, byte for byte.

mod fault_proxy;
mod faults;
mod foreign;
mod leftovers;
mod player;
mod unread;
mod unsent;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_sim::script::{Script, find};
use tokio::net::TcpListener;

use player::play;

/// A server on loopback, with or without a script.
async fn serve(script: Option<&Script>) -> EmbeddedServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    EmbeddedServer::start(listener, script).await.unwrap()
}

async fn check(name: &str) {
    let text = find(name)
        .unwrap_or_else(|| panic!("there is no script {name}"))
        .text;
    let script = Script::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
    let server = serve(Some(&script)).await;
    let played = play(&script, &server).await;
    server.shutdown().await;
    let failures = played.failures(&script.expect);
    assert!(
        failures.is_empty(),
        "{name}:\n{}\n{}",
        failures.join("\n"),
        played.trace()
    );
}

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            check(stringify!($name)).await;
        })*
    };
}

scripts! {
    good_run
    tool_call
    auth_refused
    token_refreshed
    refresh_refused
    stop_before_reply
    stop_mid_stream
    cut_and_resumed
    demo
}
