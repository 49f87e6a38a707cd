use std::num::NonZero;
use std::thread;

use agent_gateway_machine::{Config, State};

use super::Collector;
use crate::explore::{self, Budget, Wish};
use crate::invariant::Observation;
use crate::script::{LIBRARY, Script};
use crate::world::{Spectator, World};

/// Collects from everything that may happen within [`Budget::drawn`], and, for what is in no budget, from every script
/// of the library.
#[must_use]
pub fn collect() -> Collector {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut surveyors = vec![Collector::default(); threads];
    let machine = explore::machine();
    explore::explore(&Budget::drawn(), &machine, &mut surveyors, &mut |_| {
        Wish::GoOn
    });
    let mut collector = Collector::default();
    for surveyor in &surveyors {
        collector.add(surveyor);
    }
    for script in LIBRARY {
        if let Ok(script) = Script::parse(script.name, script.text) {
            follow(&script, &mut collector);
        }
    }
    collector
}

impl explore::Surveyor for Collector {
    fn observe(&mut self, before: &State, step: &Observation<'_>) {
        Self::observe(self, before, step.event, step.effects, step.state);
    }
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

impl Spectator for Follower<'_> {
    fn observe(&mut self, step: &Observation<'_>) {
        self.collector
            .observe(&self.before, step.event, step.effects, step.state);
        self.before.clone_from(step.state);
    }
}
