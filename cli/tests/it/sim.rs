//! `agw sim` and `agw replay`: sessions in virtual time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{fed, run};

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
    fs::write(
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

/// What is around the first difference, one beside the other.
#[test]
fn events_that_are_not_those_expected_are_shown_side_by_side() {
    let script = path("other_events.json");
    let text = r#"{
  "about": "A word too many is expected.",
  "gateway": { "steps": [{ "when": "resumed", "do": { "text": "a" } }, { "do": { "end": { "reason": "done" } } }] },
  "expect": { "events": ["stream_chunk", "stream_chunk", "agent_runtime_end"] }
}"#;
    fs::write(&script, text).unwrap();
    let left = run(&["sim", &script, "--trace", "none"]);
    assert_eq!(left.code, Some(1), "{}", left.stderr);
    for part in [
        "other_events.json:4:25: expect.events: 3 were expected and 2 came",
        "2 stream_chunk      ≠ agent_runtime_end\n",
    ] {
        assert!(left.stdout.contains(part), "{}", left.stdout);
    }
}

#[test]
fn a_session_that_does_not_end_is_told_with_the_bound_it_met() {
    let script = path("no_end.json");
    let text = r#"{ "about": "The server takes hours.", "gateway": { "steps": [{ "when": "resumed", "after": 20000000, "do": "nothing" }] } }"#;
    fs::write(&script, text).unwrap();
    let failed = |arguments: &[&str], words: &[&str]| {
        let left = run(&[&["sim", &script, "--trace", "none"], arguments].concat());
        assert_eq!(left.code, Some(1), "{}", left.stderr);
        for word in words {
            assert!(left.stdout.contains(word), "no {word}: {}", left.stdout);
        }
    };
    failed(&[], &["does not end", "14400000 ms", "--longest"]);
    failed(&["--longest", "90s"], &["90000 ms", "--longest"]);
    let most = ["--most-events", "1"];
    failed(&most, &["more than 1 event by", "--most-events"]);
}

/// Some editors begin a file with it.
#[test]
fn a_mark_of_the_encoding_at_the_beginning_of_a_file_is_passed_over() {
    let with_mark = |name: &str, text: &str| {
        let path = path(name);
        fs::write(&path, format!("\u{feff}{text}")).unwrap();
        path
    };
    let good = fs::read_to_string(format!("{}/good_run.json", library())).unwrap();
    let script = with_mark("marked_script.json", &good);
    let left = run(&["sim", &script, "--trace", "none"]);
    assert_eq!(left.code, Some(0), "{}{}", left.stdout, left.stderr);

    let recording = path("unmarked.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    let recorded = fs::read_to_string(&recording).unwrap();
    let marked = with_mark("marked.jsonl", &recorded);
    let left = run(&["replay", &marked]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(left.stdout, run(&["replay", &recording]).stdout);
    let left = run(&["view", &marked, "-o", "-"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let left = fed(&["machine"], format!("\u{feff}{recorded}").as_bytes());
    assert_eq!(left.stdout, fed(&["machine"], recorded.as_bytes()).stdout);
    assert!(!left.stdout.contains("refused"), "{}", left.stdout);
}

#[test]
fn a_bad_script_among_good_ones_stops_all_of_them() {
    let bad = path("bad_among_good.json");
    fs::write(&bad, "{ \"about\": \"x\", \"clock\": 7 }").unwrap();
    let left = run(&["sim", "good_run", &bad]);
    left.complains(2, &["bad_among_good.json:1:", "clock"]);
    assert_eq!(left.stdout, "");
    run(&["sim", "no_such_script"]).complains(2, &["no_such_script"]);
}

#[test]
fn what_was_most_likely_meant_is_named() {
    run(&["sim", "god_run"]).complains(2, &["god_run", "did you mean `good_run`?"]);
    let script = path("mistyped.json");
    let refused = |text: &str, words: &[&str]| {
        fs::write(&script, text).unwrap();
        run(&["sim", &script]).complains(2, &[&["mistyped.json:1:"], words].concat());
    };
    refused(
        r#"{"about": "x", "gateway": {"step": []}}"#,
        &["gateway.step", "did you mean `steps`?"],
    );
    refused(
        r#"{"about": "x", "expect": {"server_status": "runing"}}"#,
        &["expect.server_status", "did you mean `running`?"],
    );
    refused(
        r#"{"about": "x", "expect": {"order": ["send_frame.auht"]}}"#,
        &["expect.order[0]", "did you mean `send_frame.auth`?"],
    );
    let recording = path("mistyped.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    let left = run(&["replay", &recording, "--until", "run_endd"]);
    assert_eq!(left.code, Some(2));
    assert!(left.stderr.contains("did you mean `run_ended`?"));
}

#[test]
fn a_script_a_recording_and_a_trace_are_told_apart() {
    let recording = path("told_apart.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    run(&["sim", &recording]).complains(2, &["told_apart.jsonl", "recording", "`agw replay`"]);
    let script = format!("{}/good_run.json", library());
    run(&["replay", &script]).complains(2, &["good_run.json", "script", "`agw sim`"]);
    let trace = path("told_apart.trace");
    let left = run(&["sim", "good_run", "--trace", "json"]);
    fs::write(&trace, left.stdout).unwrap();
    run(&["replay", &trace]).complains(2, &["told_apart.trace", "trace", "`agw view`"]);
}

#[test]
fn a_script_may_come_from_standard_input() {
    let script = fs::read(format!("{}/good_run.json", library())).unwrap();
    let left = fed(&["sim", "-", "--trace", "none"], &script);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stdout.contains("✓ standard input seed 1"));
    fed(&["sim", "-"], b"{\n  \"abut\": 1}").complains(2, &["standard input:2:", "`about`"]);
}

#[test]
fn a_folder_without_a_script_is_named_as_one() {
    let folder = path("no_scripts");
    fs::create_dir_all(&folder).unwrap();
    run(&["sim", &folder]).complains(2, &["no_scripts", "folder"]);
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
    run(&["sim", "good_run", "tool_call", "--record", &recording]).complains(2, &["--record", "2"]);
}

#[test]
fn a_replay_stops_at_a_number_a_time_or_a_name() {
    let recording = path("until.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    let replay = |until: &str| run(&["replay", &recording, "--until", until]);
    assert_eq!(replay("2").stdout.matches(" = ").count(), 2);
    let started = replay("run_started").stdout;
    let shown = ["→ notify run_started", "→ run_started"];
    assert!(
        shown.iter().any(|shown| started.contains(shown)),
        "{started}"
    );
    assert!(!started.contains("run_ended"), "{started}");
    let (early, whole) = (replay("100ms").stdout, replay("1h").stdout);
    assert!(!early.is_empty() && whole.starts_with(&early) && whole.len() > early.len());
    let never = replay("gap_found");
    assert_eq!(never.code, Some(0));
    assert!(
        never.stderr.contains("ends before --until gap_found"),
        "{}",
        never.stderr
    );
    let left = replay("party");
    assert_eq!(left.code, Some(2));
    assert!(left.stderr.contains("run_ended"), "{}", left.stderr);
}

#[test]
fn another_answer_than_the_recorded_one_is_told_first_and_fails() {
    let recording = path("changed.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    let text = fs::read_to_string(&recording).unwrap();
    assert!(text.contains("\"want_status\":true"));
    fs::write(
        &recording,
        text.replace("\"want_status\":true", "\"want_status\":false"),
    )
    .unwrap();
    let line = text
        .lines()
        .position(|line| line.contains("want_status"))
        .unwrap()
        + 1;

    let left = run(&["replay", &recording]);
    assert_eq!(left.code, Some(1), "{}", left.stderr);
    let first = left.stderr.lines().next().unwrap();
    let place = format!("changed.jsonl:{line}: event {} of ", line - 1);
    assert!(
        first.starts_with("agw: ") && first.contains(&place),
        "{first}"
    );
    let marked = |mark: &str| {
        let line = left
            .stderr
            .lines()
            .find(|line| line.trim_start().starts_with(mark));
        line.unwrap_or_else(|| panic!("no {mark} in {}", left.stderr))
    };
    assert!(
        marked("- ").contains("\"want_status\":false"),
        "{}",
        left.stderr
    );
    assert!(
        marked("+ ").contains("\"want_status\":true"),
        "{}",
        left.stderr
    );

    let left = run(&["replay", &recording, "--json"]);
    assert_eq!(left.code, Some(1));
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let lines: Vec<_> = left.stdout.lines().map(value).collect();
    let differing: Vec<_> = lines
        .iter()
        .filter(|line| line.get("recorded").is_some())
        .collect();
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0]["number"], line - 1);
}

#[test]
fn a_recording_torn_in_its_last_line_is_replayed_up_to_there() {
    let recording = path("torn.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    let text = fs::read_to_string(&recording).unwrap();
    let lines = text.lines().count();
    fs::write(&recording, &text[..text.len() - 9]).unwrap();
    let left = run(&["replay", &recording]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let warning = format!("agw: warning: {recording}:{lines}: ");
    assert!(left.stderr.starts_with(&warning), "{}", left.stderr);
    assert_eq!(left.stdout.matches(" = ").count(), lines - 2);
}

#[test]
fn a_replay_step_by_step_needs_a_person() {
    let recording = path("steps.jsonl");
    run(&["sim", "good_run", "--record", &recording]);
    run(&["replay", &recording, "--step"]).complains(2, &["--step", "terminal"]);
}
