//! The properties bite: a machine broken on purpose is found out, in every way it can be broken here.

use agent_gateway_machine::{Mutation, State};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::faithful::Session;
use super::history::Beginning;
use super::{STEPS, live_in};

/// Rounds in which a mutation must be found; each is one history of every sort. Most take a handful.
const ROUNDS: usize = 10_000;

#[test]
fn every_mutation_is_caught() {
    for mutation in Mutation::ALL {
        match catch(mutation) {
            Some((round, what)) => println!("{mutation:?}: round {round}: {what}"),
            None => panic!("{mutation:?} was not found in {ROUNDS} rounds"),
        }
    }
}

/// In which round a mutation is found, and how it shows.
fn catch(mutation: Mutation) -> Option<(usize, String)> {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    });
    let strategy = vec(any::<u32>(), 1..=STEPS);
    (1..=ROUNDS).find_map(|round| {
        let words = strategy.new_tree(&mut runner).ok()?.current();
        let in_history = |beginning| live_in(&mut None, beginning, &words, Some(mutation)).err();
        let with_faithful_gateway = || {
            let violation = Session::live_in(broken_state(mutation), &words).err();
            violation.map(|violation| violation.to_string())
        };
        let found = in_history(Beginning::Execute)
            .or_else(|| in_history(Beginning::Attach))
            .or_else(with_faithful_gateway);
        found.map(|what| (round, what))
    })
}

fn broken_state(mutation: Mutation) -> State {
    State::new(Session::config(), 1)
        .expect("the config is valid")
        .broken_by(mutation)
}
