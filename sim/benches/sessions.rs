//! How many sessions a thread plays in a second: connect, 20 events, one cut with resume, end, every invariant checked.

use agent_gateway_sim::script::Script;
use agent_gateway_sim::world::World;

fn main() {
    divan::main();
}

fn session() -> Script {
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

#[divan::bench(threads = [1, 2])]
fn sessions(bencher: divan::Bencher<'_, '_>) {
    let script = session();
    bencher
        .counter(divan::counter::ItemsCount::new(1_usize))
        .bench(|| {
            let world = World::new(&script, 1).unwrap_or_else(|error| panic!("{error}"));
            let played = world.play(&mut ());
            assert_eq!(played.receipt.delivered, 20);
            assert_eq!(played.receipt.reconnects, 1);
            assert!(played.violation.is_none());
        });
}
