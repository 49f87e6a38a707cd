//! The session that is measured: connect, 20 events, one cut with resume, the end.

use agent_gateway_sim::script::Script;
use agent_gateway_sim::world::{Played, Rehearsal};

/// Its script: ten texts, a cut, nine texts after the resume, and the end.
pub(crate) fn script() -> Script {
    let text = r#"{ "do": { "text": "twelve bytes" } },"#;
    let script = format!(
        r#"{{ "about": "the measured session", "gateway": {{ "steps": [
            {{ "when": "resumed", "do": "nothing" }}, {first}
            {{ "do": "drop" }}, {second}
            {{ "when": "resumed", "do": {{ "end": {{ "reason": "done" }} }} }}
        ] }}, "user": {{ "steps": [ {{ "do": {{ "execute_in_topic": "go" }} }} ] }} }}"#,
        first = text.repeat(10),
        second = text.repeat(9),
    );
    Script::parse("session", &script).unwrap_or_else(|error| panic!("{error}"))
}

/// Plays it once, and looks whether all came as it should; every invariant has watched.
pub(crate) fn play(rehearsal: &Rehearsal<'_>, seed: u64) {
    let world = rehearsal
        .world(seed)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_well(&world.play(&mut ()));
}

fn assert_well(played: &Played) {
    assert_eq!(played.receipt.delivered, 20);
    assert_eq!(played.receipt.reconnects, 1);
    assert!(played.violation.is_none() && played.bugs.is_empty() && played.is_settled);
}
