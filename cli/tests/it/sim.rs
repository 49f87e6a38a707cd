//! `agw sim` and `agw replay`: sessions in virtual time.

use std::path::{Path, PathBuf};

use crate::program::run;

fn path(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(name).to_str().unwrap().to_owned()
}

fn library() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/scripts");
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_session_is_a_timeline_that_a_person_can_read() {
    let left = run(&["sim", "good_run"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    for part in [
        "── good_run",
        "user     execute",
        "→ open_connection",
        "✓ good_run seed",
        "completed after 1.4 s",
    ] {
        assert!(
            left.stdout.contains(part),
            "no `{part}` in:\n{}",
            left.stdout
        );
    }
}

#[test]
fn i15_the_same_script_and_seed_give_the_same_bytes() {
    let script = ["sim", "cut_and_resumed", "--seed", "7", "--trace", "json"];
    let left = run(&script);
    assert_eq!(left.stdout, run(&script).stdout);
    let last = left.stdout.lines().last().unwrap();
    let verdict: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(verdict["script"], "cut_and_resumed");
    assert_eq!(verdict["seed"], 7);
    assert_eq!(verdict["failures"], serde_json::json!([]));
}

#[test]
fn a_folder_and_a_pattern_name_all_scripts_in_them() {
    let left = run(&["sim", &library(), "--trace", "none"]);
    assert_eq!(left.code, Some(0), "{}{}", left.stdout, left.stderr);
    assert!(left.stdout.contains("✓ demo"), "{}", left.stdout);
    let pattern = format!("{}/stop_*.json", library());
    let left = run(&["sim", &pattern, "--trace", "none"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let stops = left.stdout.matches("✓ stop_").count();
    assert!(stops > 1, "{}", left.stdout);
    let sum = format!("{stops} of {stops} as expected\n");
    assert!(left.stdout.ends_with(&sum), "{}", left.stdout);
}

#[test]
fn an_expectation_that_does_not_come_is_named_and_fails() {
    let script = path("expects_more.json");
    std::fs::write(
        &script,
        r#"{
  "about": "Nothing happens on the server, yet an end is expected at once.",
  "user": { "steps": [{ "do": { "execute": "hi" } }, { "after": 1000, "do": "stop" }] },
  "expect": { "outcome": "completed" }
}"#,
    )
    .unwrap();
    let left = run(&["sim", &script, "--trace", "none"]);
    assert_eq!(left.code, Some(1), "{}", left.stderr);
    assert!(left.stdout.contains("✗ expects_more"), "{}", left.stdout);
    assert!(
        left.stdout.contains("outcome: expected completed"),
        "{}",
        left.stdout
    );
}

#[test]
fn a_bad_script_among_good_ones_stops_all_of_them() {
    let bad = path("bad_among_good.json");
    std::fs::write(&bad, "{ \"about\": \"x\", \"clock\": 7 }").unwrap();
    let left = run(&["sim", "good_run", &bad]);
    left.complains(2, &["bad_among_good.json:1:", "clock"]);
    assert_eq!(left.stdout, "");
    run(&["sim", "no_such_script"]).complains(2, &["no_such_script"]);
}

#[test]
fn a_simulated_run_is_recorded_as_a_real_one_and_replays() {
    let recording = path("simulated.jsonl");
    let left = run(&[
        "sim",
        "tool_call",
        "--trace",
        "json",
        "--record",
        &recording,
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let replayed = run(&["replay", &recording, "--json"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let simulated: Vec<_> = left.stdout.lines().map(value).collect();
    let replayed: Vec<_> = replayed.stdout.lines().map(value).collect();
    assert_eq!(
        simulated.len(),
        replayed.len() + 1,
        "the last line is the verdict"
    );
    for (simulated, replayed) in simulated.iter().zip(&replayed) {
        assert_eq!(simulated["effects"], replayed["effects"]);
    }
    let text = run(&["replay", &recording, "--until", "2"]).stdout;
    assert!(text.contains("request#1"), "{text}");
    run(&["sim", "good_run", "tool_call", "--record", &recording]).complains(2, &["--record", "2"]);
}
