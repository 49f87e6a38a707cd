//! Sessions through a proxy that does what networks do: nothing may be lost, doubled or out of order, no invariant broken,
//! and each recording replays to the effects that were seen.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use agent_gateway_machine::Outcome;
use agent_gateway_protocol::GatewayUrl;
use agent_gateway_sim::script::Script;
use tokio::task::JoinSet;

use super::fault_proxy::{Fault, FaultProxy, Strikes};
use super::player::play_through;
use super::serve;

/// Sessions, each with a seed of its own; they run at the same time.
const SESSIONS: u64 = 500;

/// Pieces of text before the tool call of one session, and as many after it.
const PIECES: usize = 30;

/// Connections of one session that go wrong; the next one is left alone.
const FAULTS: u64 = 4;

/// A run that types steadily and has a tool called, with timers scaled down: a redial takes milliseconds, and a peer that
/// is silent for a second is dead.
fn script() -> Script {
    let pieces: Vec<String> = (0..PIECES)
        .map(|piece| format!(r#"{{ "after": 5, "do": {{ "text": "{piece} " }} }}"#))
        .collect();
    let pieces = pieces.join(",");
    let text = format!(
        r#"{{
            "about": "Types steadily and has a tool called, while connections go wrong.",
            "limits": {{
                "backoff_first": 20, "backoff_cap": 40, "first_attempts": 10000, "seam_quiet": 500,
                "dial_deadline": 1000, "authentication_deadline": 1000, "heartbeat_interval": 200,
                "silent_beats": 3, "silence_margin": 400, "probe_deadline": 1000
            }},
            "gateway": {{ "steps": [
                {pieces},
                {{ "do": {{ "tool_execute": {{ "call": "call_1", "tool": "demo/act", "arguments": {{}}, "timeout": 600000 }} }} }},
                {{ "when": "tool_result", "do": {{ "tool_end": {{ "call": "call_1", "tool": "demo/act" }} }} }},
                {{ "do": {{ "text": "{{tool_result}} " }} }},
                {pieces},
                {{ "after": 20, "do": {{ "end": {{ "reason": "done" }} }} }}
            ] }},
            "user": {{
                "steps": [{{ "do": {{ "execute": "Hello" }} }}],
                "tools": {{ "act": {{ "content": "content", "after": 5 }} }}
            }}
        }}"#
    );
    Script::parse("faults", &text).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_sessions_on_a_bad_network_hand_on_every_event_once() {
    let first: u64 = std::env::var("AGW_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("AGW_SEED={first}");
    let script = Arc::new(script());
    let pieces: String = (0..PIECES).map(|piece| format!("{piece} ")).collect();
    let wanted = format!("{pieces}content {pieces}");
    let server = Arc::new(serve(Some(&script)).await);
    let strikes = Arc::new(Strikes::default());
    let mut sessions = JoinSet::new();
    for seed in first..first + SESSIONS {
        let (script, server) = (script.clone(), server.clone());
        let (wanted, strikes) = (wanted.clone(), strikes.clone());
        sessions.spawn(async move {
            let upstream = server.server_url().as_str().replace("http://", "");
            let proxy = FaultProxy::start(upstream, seed, FAULTS, strikes).await;
            let gateway = GatewayUrl::parse(&proxy.url()).unwrap();
            // Checks the invariants and the recording.
            let played = play_through(&script, &server, Some(gateway)).await;
            let context = || format!("AGW_SEED={seed}\n{}", played.trace());
            assert_eq!(played.outcome, Outcome::Completed, "{}", context());
            assert_eq!(played.text, wanted, "{}", context());
            assert_eq!(played.receipt.gaps, 0, "{}", context());
            assert_eq!(played.tool_requests(), 1, "{}", context());
        });
    }
    while let Some(session) = sessions.join_next().await {
        session.unwrap();
    }
    let struck = strikes
        .each_ref()
        .map(|count| count.load(Ordering::Relaxed));
    for (fault, count) in Fault::ALL.iter().zip(struck) {
        // How often each comes to strike depends on how busy the machine is; that it does must not.
        assert!(
            count >= SESSIONS / 100,
            "{fault:?} struck {count} times: the proxy is too kind"
        );
    }
    println!("struck: {:?} {struck:?}", Fault::ALL);
}
