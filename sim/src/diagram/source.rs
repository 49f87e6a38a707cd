use agent_gateway_machine::{Config, State};

use super::Collector;
use crate::campaign::{Campaign, random_script};
use crate::invariant::Observation;
use crate::script::{LIBRARY, Script};
use crate::world::{Observer, World};

/// Random sessions beside the scripts of the library, always the same ones.
const SESSIONS: u64 = 4_000;

/// Collects from every script of the library, and from a fixed campaign of random sessions.
#[must_use]
pub fn collect() -> Collector {
    let mut collector = Collector::default();
    for script in LIBRARY {
        if let Ok(script) = Script::parse(script.name, script.text) {
            follow(&script, &mut collector);
        }
    }
    let campaign = Campaign::new(1, SESSIONS);
    for number in 0..SESSIONS {
        follow(&random_script(campaign.script_seed(number)), &mut collector);
    }
    collector
}

fn follow(script: &Script, collector: &mut Collector) {
    let (Ok(world), Ok(before)) = (
        World::new(script, script.seed),
        State::new(Config::new(None), script.seed),
    ) else {
        return;
    };
    world.play(&mut Follower { collector, before });
}

/// The state before is the one after the step before.
struct Follower<'a> {
    collector: &'a mut Collector,
    before: State,
}

impl Observer for Follower<'_> {
    fn observe(&mut self, step: &Observation<'_>) {
        self.collector
            .observe(&self.before, step.event, step.effects, step.state);
        self.before.clone_from(step.state);
    }
}
