//! Every script of the library, played in virtual time: what it expects comes, no invariant is broken, it shows the rules
//! it says it shows, and its trace is the golden one. Read a changed trace as a person would, then accept it with
//! `cargo insta accept`.

use agent_gateway_machine::{Rule, Rules};
use agent_gateway_sim::script::{LIBRARY, LibraryScript, Script};
use agent_gateway_sim::trace::Trace;
use agent_gateway_sim::world::World;

/// What came of a script.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    failures: Vec<String>,
    trace: String,
    /// The rules it says it shows.
    claimed: Vec<String>,
    /// The rules that decided its steps.
    cited: Rules,
}

fn play(script: &LibraryScript) -> Shown {
    let name = script.name;
    let script = Script::parse(name, script.text).unwrap_or_else(|error| panic!("{error}"));
    let mut trace = Trace::default();
    let world = World::new(&script, script.seed).unwrap_or_else(|error| panic!("{error}"));
    let unmet = world.play(&mut trace).failures(&script.expect).into_iter();
    let rules = trace.steps.iter().map(|step| step.effects.rules());
    Shown {
        failures: unmet.map(|unmet| format!("{name}: {unmet}")).collect(),
        trace: format!("{}\n{}", script.about, trace.to_text()),
        claimed: script.rules,
        cited: rules.fold(Rules::default(), Rules::union),
    }
}

#[test]
fn every_script_of_the_library_has_its_golden_trace() {
    let mut failures = Vec::new();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for script in LIBRARY {
            let shown = play(script);
            failures.extend(shown.failures);
            insta::assert_snapshot!(script.name, shown.trace);
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A rule that no step can decide (R10, T5), an invariant or a defect is for the expectations to show.
#[test]
fn every_script_of_the_library_shows_the_rules_it_says_it_shows() {
    let mut unshown = Vec::new();
    for script in LIBRARY {
        let shown = play(script);
        let claimed = Rule::ALL.into_iter().filter(|rule| {
            let mut claimed = shown.claimed.iter();
            claimed.any(|claimed| claimed == rule.id())
        });
        let missing = claimed.filter(|rule| !shown.cited.contains(*rule));
        unshown.extend(missing.map(|rule| format!("{}: {rule}", script.name)));
    }
    assert!(unshown.is_empty(), "no step cites {}", unshown.join(", "));
}

#[test]
fn every_rule_that_a_step_can_decide_is_what_some_script_of_the_library_is_about() {
    let mut shown = Rules::default();
    for script in LIBRARY {
        let Shown { claimed, cited, .. } = play(script);
        let named = Rule::ALL
            .into_iter()
            .filter(|rule| cited.contains(*rule) && claimed.iter().any(|name| name == rule.id()));
        shown = shown.union(named.collect());
    }
    let missing: Rules = Rule::ALL
        .into_iter()
        .filter(|rule| !shown.contains(*rule))
        .collect();
    assert!(missing.is_empty(), "nothing shows {missing}");
}

#[test]
fn i15_the_same_script_and_seed_give_the_same_bytes() {
    for script in LIBRARY {
        assert_eq!(play(script), play(script));
    }
}
