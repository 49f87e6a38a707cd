//! Campaigns bite: a machine broken on purpose is found out within the number of sessions that `docs/campaign.md` states,
//! and the session that shows it becomes a small one.

use agent_gateway_machine::Mutation;
use agent_gateway_sim::campaign::{
    Campaign, Coverage, Failure, check, judge_in, random_script, shrink,
};
use agent_gateway_sim::script::Script;
use agent_gateway_sim::world::World;

const DOCUMENT: &str = include_str!("../../docs/campaign.md");

/// Steps of the server, the user, the network and the clock that a shrunk session has at most.
const SMALL: usize = 8;

#[test]
fn every_mutation_is_found_within_the_documented_number_of_sessions() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL.into_iter().chain(Mutation::OF_CAMPAIGNS) {
        let name = serde_json::to_value(mutation).unwrap();
        let name = name.as_str().unwrap();
        let bound = documented_bound(name);
        let campaign = Campaign::new(1, bound);
        let found = (0..bound).find_map(|number| {
            let script = random_script(campaign.script_seed(number));
            Some((number, fails(&script, mutation)?, script))
        });
        let Some((number, failure, script)) = found else {
            missed.push(format!("{name} was not found in {bound} sessions"));
            continue;
        };
        let finding = shrink(&script, &failure, |script| fails(script, mutation));
        let script = &finding.script;
        let steps = script.gateway.steps.len()
            + script.user.steps.len()
            + script.network.steps.len()
            + script.clock.len();
        println!(
            "{name}: session {}, {failure}; {steps} steps are left",
            number + 1
        );
        assert!(steps <= SMALL, "{name} is left with\n{}", script.to_text());
        let failure = fails(script, mutation);
        assert_eq!(
            failure,
            Some(finding.failure),
            "{name} is repeated by its script"
        );
    }
    assert_eq!(missed, [""; 0]);
}

/// The invariants see it too, on the machine. Here only what came to the gateway is looked at.
#[test]
fn i12_an_answer_given_in_time_that_never_comes_to_the_gateway_is_missed_there() {
    let script = r#"{
        "about": "the tool answers while there is no socket",
        "gateway": { "steps": [
            { "when": "resumed", "after": 100, "do": { "tool_execute": { "call": "call_1", "tool": "fs/read" } } },
            { "after": 50, "do": "drop" },
            { "after": 60000, "do": { "end": { "reason": "done" } } }
        ] },
        "user": {
            "steps": [{ "do": { "execute": "go" } }],
            "tools": { "read": { "content": "done", "after": 100 } }
        }
    }"#;
    let script = Script::parse("lost_answer.json", script).unwrap();
    let world = || World::new(&script, script.seed).unwrap();
    assert_eq!(check(&script, &world().play(&mut ())), Ok(()));
    let forgets = world().broken_by(Mutation::AnswerForgotten);
    let failure = check(&script, &forgets.play(&mut ())).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "I12: call_1 was answered in time, and no result came"
    );
}

fn fails(script: &Script, mutation: Mutation) -> Option<Failure> {
    let world = World::new(script, script.seed).unwrap();
    judge_in(world.broken_by(mutation), script, &mut Coverage::default()).err()
}

/// The number in the second column of the mutation's row.
fn documented_bound(name: &str) -> u64 {
    let row = format!("| `{name}` |");
    let row = DOCUMENT.lines().find_map(|line| line.strip_prefix(&row));
    let row = row.unwrap_or_else(|| panic!("docs/campaign.md says nothing of {name}"));
    let bound = row.split('|').next().unwrap().trim();
    bound.parse().unwrap()
}
