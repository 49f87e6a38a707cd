//! Every script of the library, played in virtual time: what it expects comes, no invariant is broken, and its trace is
//! the golden one. Read a changed trace as a person would, then accept it with `cargo insta accept`.

use agent_gateway_sim::script::{LIBRARY, Script};
use agent_gateway_sim::trace::Trace;
use agent_gateway_sim::world::{Unmet, World};

fn play(name: &str, text: &str) -> (Vec<Unmet>, String) {
    let script = Script::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
    let mut trace = Trace::default();
    let world = World::new(&script, script.seed).unwrap_or_else(|error| panic!("{error}"));
    let played = world.play(&mut trace);
    let failures = played.failures(&script.expect);
    (failures, format!("{}\n{}", script.about, trace.to_text()))
}

#[test]
fn every_script_of_the_library_has_its_golden_trace() {
    let mut failures = Vec::new();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for script in LIBRARY {
            let (failed, trace) = play(script.name, script.text);
            let failed = failed
                .into_iter()
                .map(|failure| format!("{}: {failure}", script.name));
            failures.extend(failed);
            insta::assert_snapshot!(script.name, trace);
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn i15_the_same_script_and_seed_give_the_same_bytes() {
    for script in LIBRARY {
        assert_eq!(
            play(script.name, script.text),
            play(script.name, script.text)
        );
    }
}
