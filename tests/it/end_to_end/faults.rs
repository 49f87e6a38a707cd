//! Sessions through a proxy that cuts connections at any byte: nothing may be lost, doubled or out of order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_gateway_machine::Outcome;
use agent_gateway_protocol::GatewayUrl;
use agent_gateway_sim::script::Script;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::player::play_through;
use super::serve;

/// Sessions, each with a seed of its own; they run at the same time.
const SESSIONS: u64 = 500;

/// Pieces of text in one session.
const PIECES: usize = 60;

/// Cut connections of one session; the next one is left alone.
const CUTS: u64 = 4;

/// A run that types steadily, with timers scaled down so that a redial takes milliseconds.
fn script() -> Script {
    let pieces: Vec<String> = (0..PIECES)
        .map(|piece| format!(r#"{{ "after": 5, "do": {{ "text": "{piece} " }} }}"#))
        .collect();
    let text = format!(
        r#"{{
            "about": "Types steadily while connections are cut.",
            "limits": {{ "backoff_first": 20, "backoff_cap": 40, "first_attempts": 100, "seam_quiet": 500 }},
            "gateway": {{ "steps": [{}, {{ "after": 20, "do": {{ "end": {{ "reason": "done" }} }} }}] }}
        }}"#,
        pieces.join(",")
    );
    Script::parse("faults", &text).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_sessions_cut_at_any_byte_hand_on_every_event_once() {
    let script = Arc::new(script());
    let wanted: String = (0..PIECES).map(|piece| format!("{piece} ")).collect();
    let server = Arc::new(serve(Some(&script)).await);
    let mut sessions = JoinSet::new();
    for seed in 1..=SESSIONS {
        let (script, server, wanted) = (script.clone(), server.clone(), wanted.clone());
        sessions.spawn(async move {
            let upstream = server.server_url().as_str().replace("http://", "");
            let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}", proxy.local_addr().unwrap());
            let gateway = GatewayUrl::parse(&url).unwrap();
            let cuts = Arc::new(AtomicU64::new(0));
            let proxying = tokio::spawn(forward(proxy, upstream, seed, cuts.clone()));
            let played = play_through(&script, &server, Some(gateway)).await;
            proxying.abort();
            let context = || format!("seed {seed}\n{}", played.trace());
            assert_eq!(played.outcome, Outcome::Completed, "{}", context());
            assert_eq!(played.text, wanted, "{}", context());
            assert_eq!(played.receipt.gaps, 0, "{}", context());
            cuts.load(Ordering::Relaxed)
        });
    }
    let mut cuts = 0;
    while let Some(session) = sessions.join_next().await {
        cuts += session.unwrap();
    }
    assert!(
        cuts >= SESSIONS,
        "only {cuts} connections were cut: the proxy is too kind"
    );
}

/// Forwards connections; what comes from upstream is cut after a number of bytes that the seed says.
async fn forward(proxy: TcpListener, upstream: String, seed: u64, cuts: Arc<AtomicU64>) {
    for connection in 0.. {
        let (near, _) = proxy.accept().await.unwrap();
        let far = TcpStream::connect(&upstream).await.unwrap();
        let (mut near_read, mut near_write) = near.into_split();
        let (mut far_read, mut far_write) = far.into_split();
        let up = async { tokio::io::copy(&mut near_read, &mut far_write).await };
        let mut left = if connection < CUTS {
            mix(seed * 1_000 + connection) % 4_000
        } else {
            u64::MAX
        };
        let down = async {
            let mut bytes = [0; 512];
            loop {
                let count = far_read.read(&mut bytes).await.unwrap_or_default() as u64;
                let passed = count.min(left);
                let cut = near_write
                    .write_all(&bytes[..passed as usize])
                    .await
                    .is_err();
                left -= passed;
                if left == 0 {
                    cuts.fetch_add(1, Ordering::Relaxed);
                }
                if cut || count == 0 || left == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            _ = up => {}
            () = down => {}
        }
    }
}

/// SplitMix64: well spread numbers from a seed.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
