//! Testing one's own client logic: a chat view is fed what a caller is told in thousands of random sessions, with cuts,
//! expired tokens, restarts and sleeping hosts, none of which need a network.
//!
//! `cargo run -p agent-gateway-sim --features proptest --example own_client`
//!
//! The first view holds. The second has a mistake that is easily made: it takes every `agent_runtime_end` for the end,
//! also that of a run that only waits for an asynchronous tool, or of another run mirrored onto the same stream. The
//! session that shows it is shrunk to a few lines and printed with its trace, ready for a snapshot test.

use agent_gateway_machine::{Effect, Notification};
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::{EventType, Payload};
use agent_gateway_sim::invariant::Observation;
use agent_gateway_sim::script::Script;
use agent_gateway_sim::strategy::scripts;
use agent_gateway_sim::trace::Trace;
use agent_gateway_sim::world::{Spectator, World};
use proptest::prop_assert;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

/// The logic under test: what a chat window shows of a run.
#[derive(Default)]
struct ChatView {
    text: String,
    is_done: bool,
    /// Whether it is the one with the mistake.
    is_hasty: bool,
    /// What a user would call a bug.
    complaint: Option<&'static str>,
}

impl ChatView {
    fn hear(&mut self, notification: &Notification) {
        match notification {
            Notification::EventReceived(received) => {
                if let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload()
                    && received.own
                {
                    if self.is_done {
                        self.complaint = Some("text came after the view was done");
                    }
                    self.text
                        .push_str(chunk.content.as_deref().unwrap_or_default());
                }
                if self.is_hasty && received.event.kind == EventType::AgentRuntimeEnd {
                    self.is_done = true;
                }
            }
            Notification::RunEnded { .. } => self.is_done = true,
            _ => {}
        }
    }
}

impl Spectator for ChatView {
    fn observe(&mut self, step: &Observation<'_>) {
        for effect in step.effects {
            if let Effect::Notify(notification) = effect {
                self.hear(notification);
            }
        }
    }
}

/// One session: what must hold of the view whatever happens.
fn check(script: &Script, is_hasty: bool) -> Result<(), TestCaseError> {
    let world = World::new(script, script.seed)?;
    let mut view = ChatView {
        is_hasty,
        ..ChatView::default()
    };
    world.play(&mut view);
    prop_assert!(view.complaint.is_none(), "{:?}", view.complaint);
    prop_assert!(view.is_done, "the run is over, and the view still spins");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config.clone());
    runner.run(&scripts(), |script| check(&script, false))?;
    println!("The view holds in {} random sessions.\n", config.cases);

    let outcome = TestRunner::new(config).run(&scripts(), |script| check(&script, true));
    let Err(TestError::Fail(why, script)) = outcome else {
        return Err("the mistake was not found".into());
    };
    println!("The hasty view does not: {why}\n\n{}", script.to_text());
    let mut trace = Trace::default();
    World::new(&script, script.seed)?.play(&mut trace);
    println!("{}", trace.to_text());
    Ok(())
}
