//! S1–S14: one operation's stream, its end, its token.

mod defects;
mod inquiry;
mod leaving;
mod noted;
mod refresh;
mod terminal;
mod token;
mod unexplained;

use agent_gateway_machine::{DialFailureKind, Millis, TokenGrant};

use super::stage::*;

const SETTLES: &str = "settle_marker of tpc_1 for op_1";

fn foreign(id: u64, kind: &str, data: serde_json::Value) -> String {
    event_of("op_2", id, kind, data)
}

fn ends_with(lines: &[String], outcome: &str) -> bool {
    lines.contains(&format!("run_ended {outcome}"))
}

fn dials(lines: &[String]) -> usize {
    let dials = lines
        .iter()
        .filter(|line| line.starts_with("open_connection"));
    dials.count()
}

fn lifetime(seconds: u64, token: TokenGrant) -> TokenGrant {
    TokenGrant {
        lifetime: Some(Millis::seconds(seconds)),
        ..token
    }
}

/// The socket is lost and no other can be had until the server has been asked.
fn cut_and_asked_while_away(stage: &mut Stage) {
    stage.cut();
    for _ in 0..1_000 {
        let lines = stage.wait(100);
        if dials(&lines) > 0 {
            stage.fail_dial(DialFailureKind::Unreachable);
        }
        if questions(&lines) > 0 {
            return;
        }
    }
    panic!("nobody asks");
}

/// Time passes until the server is asked how the run stands.
fn wait_for_question(stage: &mut Stage) {
    let asks = |stage: &mut Stage| questions(&stage.wait(100)) > 0;
    assert!((0..1_000).any(|_| asks(stage)), "nobody asks");
}

/// How often the server is asked how the run stands.
fn questions(lines: &[String]) -> usize {
    let asked = lines
        .iter()
        .filter(|line| line.ends_with("ask_status op_1"));
    asked.count()
}
