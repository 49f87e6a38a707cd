//! Strategies for [proptest](https://docs.rs/proptest): random sessions that shrink, for the tests of whoever builds on
//! this client. Behind the feature `proptest`.
//!
//! The scripts are those of the [campaigns](crate::campaign): the server says the texts 1, 2, 3, …, faults happen, then
//! there are none, and the run ends. Play each in a [`World`](crate::world::World), and look on as an
//! [`Spectator`](crate::world::Spectator) at what a caller is told; or take part in it as a [`Caller`](crate::world::Caller).
//!
//! ```
//! use agent_gateway_machine::{Effect, Notification};
//! use agent_gateway_sim::invariant::Observation;
//! use agent_gateway_sim::strategy::scripts;
//! use agent_gateway_sim::world::{Spectator, World};
//! use proptest::test_runner::{Config, TestRunner};
//!
//! /// A caller's own logic: here, a light that is on while a run is going.
//! #[derive(Default)]
//! struct Light {
//!     is_on: bool,
//! }
//!
//! impl Spectator for Light {
//!     fn observe(&mut self, step: &Observation<'_>) {
//!         for effect in step.effects {
//!             match effect {
//!                 Effect::Notify(Notification::RunStarted(_)) => self.is_on = true,
//!                 Effect::Notify(Notification::RunEnded { .. }) => self.is_on = false,
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//!
//! let mut runner = TestRunner::new(Config::with_cases(64));
//! runner.run(&scripts(), |script| {
//!     let mut light = Light::default();
//!     let world = World::new(&script, script.seed).expect("the limits are valid");
//!     world.play(&mut light);
//!     proptest::prop_assert!(!light.is_on, "the run is over");
//!     Ok(())
//! })?;
//! # Ok::<(), proptest::test_runner::TestError<agent_gateway_sim::script::Script>>(())
//! ```

use proptest::prelude::any;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::campaign::{Shrinking, calm_script, random_script};
use crate::script::Script;

/// Random sessions, most of them with faults. The one that a failing test prints is a script for `agw sim`.
#[must_use]
pub fn scripts() -> Scripts {
    Scripts { is_calm: false }
}

/// Random sessions without any fault: of the server, the API, the network or the clock. The user may still stop or leave.
#[must_use]
pub fn calm_scripts() -> Scripts {
    Scripts { is_calm: true }
}

/// The strategy of [`scripts`] and [`calm_scripts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scripts {
    is_calm: bool,
}

impl Strategy for Scripts {
    type Tree = ScriptTree;
    type Value = Script;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = any::<u64>().new_tree(runner)?.current();
        let script = if self.is_calm {
            calm_script(seed)
        } else {
            random_script(seed)
        };
        Ok(ScriptTree(Shrinking::new(script)))
    }
}

/// A script, and the simpler ones it may become: without a step, a fault or an answer of the API, or with shorter waits.
#[derive(Clone, Debug)]
pub struct ScriptTree(Shrinking);

impl ValueTree for ScriptTree {
    type Value = Script;

    fn current(&self) -> Script {
        self.0.current().clone()
    }

    fn simplify(&mut self) -> bool {
        self.0.keep()
    }

    fn complicate(&mut self) -> bool {
        self.0.discard()
    }
}

#[cfg(test)]
mod tests {
    use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

    use super::*;
    use crate::script::NetworkAct;

    fn runner() -> TestRunner {
        TestRunner::new(Config {
            cases: 2_000,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            max_shrink_iters: 10_000,
            ..Config::default()
        })
    }

    #[test]
    fn a_script_shrinks_to_what_makes_it_fail() {
        let cuts = |script: &Script| {
            let acts = script.network.steps.iter();
            acts.filter(|step| step.act == NetworkAct::Cut).count()
        };
        let outcome = runner().run(&scripts(), |script| {
            proptest::prop_assert!(cuts(&script) < 2);
            Ok(())
        });
        let Err(TestError::Fail(_, script)) = outcome else {
            panic!("no script with two cuts: {outcome:?}");
        };
        assert_eq!((cuts(&script), script.network.steps.len()), (2, 2));
        assert_eq!(
            (script.gateway.steps.len(), script.user.steps.len()),
            (1, 1)
        );
        assert!(script.clock.is_empty() && script.api.calls.is_empty());
    }

    #[test]
    fn calm_scripts_have_no_fault() {
        let outcome = runner().run(&calm_scripts(), |script| {
            proptest::prop_assert!(script.network.steps.is_empty());
            proptest::prop_assert!(script.clock.is_empty() && script.api.calls.is_empty());
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
