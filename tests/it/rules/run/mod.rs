//! R1–R10: exec, stop, stream, end.

mod attach;
mod settling;
mod start;
mod stop;

use agent_gateway_machine::Execute;
use agent_gateway_protocol::api::ExecAgent;

use super::stage::*;

/// A run without a topic of its own: the server makes one.
fn new_topic() -> Stage {
    let mut stage = Stage::idle();
    stage.execute(Execute::new(ExecAgent {
        prompt: "hi".into(),
        ..ExecAgent::default()
    }));
    stage
}

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.contains(what))
}

fn settles(lines: &[String]) -> bool {
    has(lines, "settle_marker of tpc_1 for op_1")
}
