//! What is logged of a whole run over real sockets: documented names, ids and URLs; no token and no text.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, Credential, Notification, Outcome, ToolAnswer};
use agent_gateway_sim::script::Script;
use tokio::net::TcpListener;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::double::execute;

/// A run with everything in it whose text must not be logged: a prompt, an answer, a tool's arguments and content, an
/// expired token, a frame that is none, a cut.
const SCRIPT: &str = r#"{
  "about": "Everything that could be logged.",
  "limits": { "backoff_first": 10, "backoff_cap": 20 },
  "gateway": { "steps": [
    { "when": "resumed", "do": { "event": { "type": "stream_chunk", "data": { "chunkType": "text", "content": "xyzzy-answer" } } } },
    { "do": { "send_text": "xyzzy-malformed" } },
    { "do": { "tool_execute": { "call": "call_1", "tool": "demo/act", "arguments": { "path": "xyzzy-arguments" }, "timeout": 30000 } } },
    { "when": "tool_result", "do": { "tool_end": { "call": "call_1", "tool": "demo/act" } } },
    { "do": "expire" },
    { "when": "resumed", "do": "drop" },
    { "when": "resumed", "do": { "end": { "reason": "done", "detail": "xyzzy-detail" } } }
  ] }
}"#;

/// What `lib.rs` names: spans and events of a run.
const DOCUMENTED: [&str; 14] = [
    "dial_started",
    "connection_opened",
    "dial_failed",
    "connection_closed",
    "connection_dropped",
    "request_sent",
    "reply_received",
    "request_cancelled",
    "command",
    "reading_paused",
    "reading_resumed",
    "ignored",
    "frame_rejected",
    "frame_sent",
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The log of one whole run at this level, and the tokens that were about.
async fn logged(level: LevelFilter) -> (String, Vec<String>) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // While there is but one subscriber, whoever first comes by an event is asked whether it is wanted at all, and that may
    // be another test's thread, which has none.
    let _another = Dispatch::new(Registry::default());
    // Of this thread alone, where all the tasks of this test run.
    let logging = tracing::subscriber::set_default(subscriber);
    let script = Script::parse("logged", SCRIPT).unwrap_or_else(|error| panic!("{error}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = EmbeddedServer::start(listener, Some(&script))
        .await
        .unwrap();
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .limits(script.limits.clone())
        .build()
        .unwrap();
    let mut start = execute();
    Arc::make_mut(&mut start.input).prompt = "xyzzy-prompt".into();
    let mut run = client.execute(start).await.unwrap();
    while let Some(notification) = run.next().await {
        if let Notification::ToolRequested { call, .. } = notification {
            let answer = ToolAnswer::success("xyzzy-content");
            run.answer_tool(call.tool_call_id, answer).await.unwrap();
        }
    }
    let (outcome, receipt) = run.outcome().await.unwrap();
    assert_eq!(outcome, Outcome::Completed);
    assert!(
        receipt.refreshes > 0 && receipt.reconnects > 0,
        "{receipt:?}"
    );
    run.settled().await;
    let tokens = [server.client_token(), server.service_token()];
    let tokens = tokens.map(|token| token.expose().to_owned());
    server.shutdown().await;
    drop(logging);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text, tokens.into())
}

#[tokio::test]
async fn i17_no_token_is_logged_at_any_level_and_no_text_either() {
    let (log, tokens) = logged(LevelFilter::TRACE).await;
    assert!(log.contains("frame_sent"), "{log}");
    for token in tokens {
        assert!(!log.contains(&token), "{log}");
    }
    // The tokens of runs are JWTs.
    assert!(!log.contains("eyJ"), "{log}");
    assert!(!log.contains("xyzzy"), "{log}");
}

#[tokio::test]
async fn the_log_of_a_run_has_the_documented_names() {
    let (log, _) = logged(LevelFilter::TRACE).await;
    let ours = log
        .lines()
        .filter_map(|line| {
            line.split_once(" agent_gateway_adapters::")?
                .1
                .split_once(": ")
        })
        .map(|(_, message)| message.split([' ', '=']).next().unwrap().to_owned());
    let unknown: BTreeSet<String> = ours
        .filter(|name| name != "event" && !name.starts_with("embedded_"))
        .filter(|name| !DOCUMENTED.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}\n{log}");
    assert!(log.contains("run{run="), "{log}");
    let documented = include_str!("../../src/lib.rs");
    for name in DOCUMENTED {
        assert!(documented.contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test]
async fn nothing_is_logged_above_debug_when_all_goes_well() {
    let (log, _) = logged(LevelFilter::INFO).await;
    assert_eq!(log, "");
}
