//! Random sessions, each judged from all sides: a few for every run of the tests. `.ci/run` plays 20,000 others by
//! `agw campaign`.

use agent_gateway_machine::recording::Recording;
use agent_gateway_sim::campaign::{
    Campaign, Coverage, Progress, check_recording, judge, random_script, shrink,
};
use agent_gateway_sim::script::{Script, find};
use agent_gateway_sim::trace::Trace;
use agent_gateway_sim::world::World;

/// `CAMPAIGN_SESSIONS=100000 cargo test -p agent-gateway-sim --test campaign` plays more of them.
#[test]
fn random_sessions_break_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let sessions = number("CAMPAIGN_SESSIONS").unwrap_or(2_000);
    let seed = number("CAMPAIGN_SEED").unwrap_or(2);
    let campaign = Campaign {
        most_failures: usize::try_from(number("CAMPAIGN_FAILURES").unwrap_or(1)).unwrap_or(1),
        ..Campaign::new(seed, sessions)
    };
    let report = campaign.run(2, &Progress::default());
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|(script_seed, failure)| {
            let finding = shrink(&random_script(*script_seed), failure, |script| {
                judge(script, &mut Coverage::default()).err()
            });
            format!(
                "campaign seed {seed}, script seed {script_seed}: {failure}\nshrunk in {} tries to\n{}",
                finding.tries,
                finding.script.to_text()
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(report.coverage.sessions, sessions);
}

fn recording_of(name: &str) -> Recording {
    let script = Script::parse(name, find(name).expect("it is in the library").text).unwrap();
    let mut trace = Trace::default();
    let world = World::new(&script, script.seed).unwrap();
    let header = world.play(&mut trace).header;
    let steps = trace.steps;
    Recording { header, steps }
}

#[test]
fn i15_a_recording_that_replays_otherwise_is_told() {
    let mut recording = recording_of("good_run");
    assert_eq!(check_recording(&recording), Ok(()));
    let third = recording.steps.remove(3);
    let failure = check_recording(&recording).unwrap_err();
    assert_eq!(failure.invariant, "I15", "{failure}, without {third:?}");
}

#[test]
fn i17_a_token_in_a_recording_is_told() {
    let mut recording = recording_of("good_run");
    let event = recording.steps[0].event.clone();
    let text = serde_json::to_string(&event).unwrap();
    let told = text.replace("prompt\":\"", "prompt\":\"eyJhbGciOiJSUzI1NiJ9 ");
    assert_ne!(told, text);
    recording.steps[0].event = serde_json::from_str(&told).unwrap();
    let failure = check_recording(&recording).unwrap_err();
    assert_eq!(failure.invariant, "I17", "{failure}");
}
