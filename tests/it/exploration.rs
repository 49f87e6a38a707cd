//! The exploration bites: a machine broken on purpose is found out, by a shortest history, and `agw sim` repeats it.
//!
//! `docs/check.md` has the table that this prints (`cargo test -p agent-gateway-tests exploration -- --nocapture`).

use agent_gateway_machine::Mutation;
use agent_gateway_sim::explore::{Budget, Coverage, FaultKind, Found, Wish, explore, machine};
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
        Mutation::OutboxDroppedOnReconnect | Mutation::AnswerForgotten => &[Cut],
        Mutation::SilenceUnnoticed => &[Silence],
        Mutation::BackoffResetOnOpen => &[Cut, Cut],
        Mutation::RefreshNotJoined => &[Expiry, Expiry],
        Mutation::RefreshUnfenced => &[Expiry, Delay, Stray],
        Mutation::AnswerGivenUp | Mutation::OverlapNotAsked => {
            unreachable!("no budget has what it takes")
        }
    };
    Budget::small().only(0).with_faults(faults)
}

fn find(budget: &Budget, mutation: Option<Mutation>) -> Option<Found> {
    let mut machine = machine();
    if let Some(mutation) = mutation {
        machine = machine.broken_by(mutation);
    }
    let mut surveyors = [(), ()];
    let report = explore(budget, &machine, &mut surveyors, &mut |_| Wish::GoOn);
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

/// Three faults at once: the large budget has them everywhere, and takes hours.
#[test]
fn exploration_of_a_forgotten_wait_that_nobody_explains_finds_nothing() {
    use FaultKind::{Hibernation, Request};
    let faults = [Hibernation, Request, Request];
    let suspended = Budget::large().only(6).with_faults(&faults);
    assert_eq!(
        suspended.beginnings().collect::<Vec<_>>(),
        ["execute a run that waits for an asynchronous tool, and goes on"]
    );
    assert!(find(&suspended, None).is_none());
}

/// A rule that stops firing, in the machine or for want of a way there in the model, shows here; so does one that is
/// reached at last: then it comes off the list.
#[test]
fn exploration_of_the_small_budget_sees_every_rule_at_work_but_these() {
    let mut surveyors = [Coverage::default(), Coverage::default()];
    let report = explore(&Budget::small(), &machine(), &mut surveyors, &mut |_| {
        Wish::GoOn
    });
    assert!(report.found.is_none(), "{:?}", report.found);
    assert!(report.explored.is_closed);
    let missing: Vec<_> = Coverage::of_all(&surveyors).missing().collect();
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let known = [
        "C12", "C15", "S1", "S4", "S9b", "S13", "R4", "R9", "T4", "T7",
    ];
    assert_eq!(missing, known);
}
