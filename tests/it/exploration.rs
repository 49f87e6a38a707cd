//! The exploration bites: a machine broken on purpose is found out, by a shortest history, and `agw sim` repeats it.
//!
//! `docs/check.md` has the table that this prints (`cargo test -p agent-gateway-tests exploration -- --nocapture`).

use agent_gateway_machine::Mutation;
use agent_gateway_sim::explore::{Budget, FaultKind, Found, Wish, explore, machine};
use agent_gateway_sim::script::Script;
use agent_gateway_sim::world::World;

/// The part of the budgets in which a mutation shows, kept small so that this test is quick.
fn part(mutation: Mutation) -> Budget {
    use FaultKind::{Cut, Delay, Expiry, Silence, Stray};
    let faults: &[FaultKind] = match mutation {
        Mutation::CursorMovedEarly
        | Mutation::EndLatchedTwice
        | Mutation::SeamRemoved
        | Mutation::StopForgetsLateId
        | Mutation::MarkerClearedBlindly => &[],
        Mutation::OutboxDroppedOnReconnect => &[Cut],
        Mutation::SilenceUnnoticed => &[Silence],
        Mutation::BackoffResetOnOpen => &[Cut, Cut],
        Mutation::RefreshNotJoined => &[Expiry, Expiry],
        Mutation::RefreshUnfenced => &[Expiry, Delay, Stray],
    };
    Budget::small().only(0).with_faults(faults)
}

fn find(budget: &Budget, mutation: Option<Mutation>) -> Option<Found> {
    let mut machine = machine();
    if let Some(mutation) = mutation {
        machine = machine.broken_by(mutation);
    }
    let mut observers = [(), ()];
    let report = explore(budget, &machine, &mut observers, &mut |_| Wish::GoOn);
    assert!(report.explored.is_closed || report.found.is_some());
    report.found
}

#[test]
fn exploration_finds_each_mutation_by_a_shortest_history_that_a_script_repeats() {
    for mutation in Mutation::ALL {
        let found = find(&part(mutation), Some(mutation))
            .unwrap_or_else(|| panic!("{mutation:?} was not found"));
        let steps = found.actions.len();
        let told = found.script.history.len();
        println!("| {mutation:?} | {steps} | {told} | {} |", found.violation);
        let text = found.script.to_text();
        let script = Script::parse("found.json", &text).expect("what is written can be read");
        assert_eq!(script, found.script);
        let world = World::new(&script, script.seed).expect("its limits are valid");
        let played = world.broken_by(mutation).play(&mut ());
        let failures = played.failures(&script.expect);
        assert!(
            !failures.is_empty(),
            "{mutation:?}: its script shows nothing\n{text}"
        );
    }
}

#[test]
fn exploration_without_a_fault_closes_and_finds_nothing() {
    let found = find(&Budget::small().only(0).with_faults(&[]), None);
    assert!(found.is_none(), "{found:?}");
}
