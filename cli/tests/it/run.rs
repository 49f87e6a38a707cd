//! `agw run`: a whole run through real sockets, shown, recorded, stopped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

#[cfg(unix)]
use crate::program::until;
use crate::program::{Live, agw, fed, run};

fn path(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(name).to_str().unwrap().to_owned()
}

fn script(name: &str, text: &str) -> String {
    let path = path(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A run that streams a word and then nothing, until it is stopped.
#[cfg(unix)]
fn endless(name: &str, api: &str) -> String {
    script(
        name,
        &format!(
            r#"{{
  "about": "A run that does not end by itself.",
  "gateway": {{ "steps": [
    {{ "when": "resumed", "do": {{ "event": {{ "type": "stream_chunk", "data": {{ "chunkType": "text", "content": "word" }} }} }} }}
  ] }},
  "api": {api}
}}"#
        ),
    )
}

fn lines(stdout: &str) -> Vec<Value> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn without_a_server_the_gateway_inside_shows_a_whole_run() {
    let left = run(&["run", "Say hello, then read notes.txt"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(left.stderr, "");
    for part in [
        "── step 1 · demo-1",
        "Say hello, then read notes.txt",
        "⚙ lobe-local-system/readFile {\"path\":\"notes.txt\"}",
        "✓ lobe-local-system/readFile",
        "Buy oat milk.",
        "── step 2",
        "── completed · 2 steps · 1 tool call · 598 tokens (513 in, 85 out)",
    ] {
        assert!(
            left.stdout.contains(part),
            "no `{part}` in:\n{}",
            left.stdout
        );
    }
    assert!(!left.stdout.contains('\u{1b}'), "colours off a terminal");
}

#[test]
fn s11_json_is_one_object_a_line_and_the_last_is_the_end() {
    let record = path("demo.jsonl");
    let _ = std::fs::remove_file(&record);
    let left = run(&["run", "--json", "--record", &record, "hi"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let lines = lines(&left.stdout);
    let known = [
        "status",
        "event",
        "gap",
        "tool_requested",
        "tool_answered",
        "warning",
        "ended",
    ];
    assert!(kinds(&lines).iter().all(|kind| known.contains(kind)));
    assert_eq!(
        kinds(&lines)
            .iter()
            .filter(|kind| **kind == "tool_requested")
            .count(),
        1
    );
    assert_eq!(
        kinds(&lines)
            .iter()
            .filter(|kind| **kind == "tool_answered")
            .count(),
        1
    );
    let events = kinds(&lines)
        .iter()
        .filter(|kind| **kind == "event")
        .count();
    let last = lines.last().unwrap();
    assert_eq!(last["kind"], "ended");
    assert_eq!(last["outcome"], "completed");
    assert_eq!(last["receipt"]["delivered"], events);

    // I15, I17: what was recorded replays to the same end, and holds no secret.
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(
        !recorded.contains("agw-client-"),
        "a token is in the recording"
    );
    let replayed = run(&["replay", "--json", &record]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(replayed.stdout.contains("\"completed\""));
    let shown = run(&["replay", &record]);
    assert!(
        shown.stdout.contains("run_ended completed"),
        "{}",
        shown.stdout
    );
}

#[test]
fn t7_confirmations_are_answered_as_the_command_line_says() {
    for (option, approved) in [("--approve", true), ("--deny", false)] {
        let record = path(&format!("confirmed{option}.jsonl"));
        let _ = std::fs::remove_file(&record);
        let script = ["--script", "confirmation"];
        let said = [
            &["run", option, "--record", &record],
            &script[..],
            &["Hello"],
        ]
        .concat();
        let left = run(&said);
        assert_eq!(left.code, Some(0), "{}", left.stderr);
        assert!(left.stdout.contains(option), "{}", left.stdout);
        let recorded = std::fs::read_to_string(&record).unwrap();
        let answer =
            format!(r#"{{"answer_confirmation":{{"call":"call_1","approved":{approved}}}}}"#);
        assert!(recorded.contains(&answer), "no {answer}");
    }
    assert_eq!(run(&["run", "--approve", "--deny", "Hello"]).code, Some(2));
}

#[test]
fn t7_a_confirmation_that_is_left_to_others_is_told_at_once() {
    let mut live = Live::start(agw(&["run", "--script", "confirmation", "Hello"]));
    let line = live.line_with("asks whether it may run");
    assert!(
        line.contains("--approve") && line.contains("waits"),
        "{line}"
    );
}

#[test]
fn the_prompt_and_a_recording_are_read_from_standard_input() {
    let record = path("standard_input.jsonl");
    let _ = std::fs::remove_file(&record);
    let left = fed(
        &["run", "--record", &record, "-"],
        b"one\ntwo \"\xc3\xbc\"\r\n",
    );
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let recording = std::fs::read(&record).unwrap();
    let text = String::from_utf8(recording.clone()).unwrap();
    assert!(text.contains(r#""prompt":"one\ntwo \"ü\"""#));
    let replayed = fed(&["replay", "-"], &recording);
    assert_eq!((replayed.code, &*replayed.stderr), (Some(0), ""));
    assert_eq!(replayed.stdout, run(&["replay", &record]).stdout);
    fed(&["replay", "-", "--step"], &recording).complains(2, &["--step"]);
}

#[test]
fn a_program_answers_a_tool_call() {
    let left = run(&["run", "--json", "--tool", "readFile=cat", "hi"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let lines = lines(&left.stdout);
    let answered = lines
        .iter()
        .find(|line| line["kind"] == "tool_answered")
        .unwrap();
    assert_eq!(answered["success"], true);
    assert_eq!(answered["content"], "{\"path\":\"notes.txt\"}");
}

#[test]
fn t3_an_output_too_large_for_an_answer_is_answered_for() {
    // Each is six bytes on the wire.
    let tool = "readFile=head -c 3000000 /dev/zero";
    let left = run(&["run", "--json", "--tool", tool, "hi"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let lines = lines(&left.stdout);
    let answered = |line: &&Value| line["kind"] == "tool_answered";
    let last = lines.iter().rfind(answered).unwrap();
    assert_eq!(last["success"], false);
    let message = last["error"]["message"].as_str().unwrap();
    assert!(message.contains("too large"), "{message}");
}

#[test]
fn a_script_plays_and_its_failure_is_the_runs() {
    let script = script(
        "failing.json",
        r#"{
  "about": "The model fails.",
  "gateway": { "steps": [
    { "when": "resumed", "do": { "event": { "type": "error", "data": { "error": "Rate limit reached", "errorType": "RateLimitExceeded", "phase": "llm_execution" } } } }
  ] }
}"#,
    );
    let left = run(&["run", "--script", &script, "hi"]);
    left.complains(1, &["Rate limit reached"]);
    assert!(
        left.stdout.contains("✗ Rate limit reached"),
        "{}",
        left.stdout
    );
}

#[test]
fn a_script_is_played_inside_whatever_the_environment_says() {
    let script = script(
        "inside.json",
        r#"{
  "about": "An answer and its end.",
  "gateway": { "steps": [
    { "when": "resumed", "do": { "event": { "type": "stream_chunk", "data": { "chunkType": "text", "content": "inside" } } } },
    { "do": { "end": { "reason": "done" } } }
  ] }
}"#,
    );
    let output = agw(&["run", "--script", &script, "hi"])
        .env("LOBEHUB_SERVER", crate::stub::nobody())
        .output();
    let left = crate::program::Left::from(output.unwrap());
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stdout.contains("inside"), "{}", left.stdout);
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let mut child = agw(&["run", "hi"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_script_of_the_library_is_played_by_its_name() {
    let left = run(&["run", "--script", "good_run", "hi"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stdout.contains("── completed"), "{}", left.stdout);
    run(&["run", "--script", "bad_run", "hi"]).complains(2, &["bad_run", "library"]);
}

#[test]
fn a_script_that_is_none_is_refused_with_its_place() {
    let broken = script("not.json", "{\n  \"about\": oops\n}");
    for command in [
        ["run", "hi", "--script", &broken].as_slice(),
        &["serve", &broken],
    ] {
        run(command).complains(2, &["not.json:2:"]);
    }
    let unknown = script(
        "unknown.json",
        "{\n  \"about\": \"x\",\n  \"gateway\": { \"stepz\": [] }\n}",
    );
    for command in [
        ["run", "hi", "--script", &unknown].as_slice(),
        &["serve", &unknown],
    ] {
        run(command).complains(2, &["unknown.json:3:", "gateway", "stepz"]);
    }
    run(&["serve", "no/such/script.json"]).complains(2, &["no/such/script.json"]);
}

#[cfg(unix)]
#[test]
fn r5_ctrl_c_stops_the_run_on_the_server() {
    let script = endless("endless.json", "{}");
    let mut live = Live::start(agw(&["run", "--json", "--script", &script, "hi"]));
    live.line_with("stream_chunk");
    live.signal("INT");
    let left = live.left();
    assert_eq!(left.code, Some(130), "{}", left.stderr);
    let last = lines(&left.stdout).pop().unwrap();
    assert_eq!(last["outcome"], "interrupted", "{}", left.stdout);
    assert!(left.stderr.contains("stopping;"), "{}", left.stderr);
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let script = endless(
        "deaf.json",
        r#"{ "calls": { "interrupt_task": [{ "answer": "never" }] } }"#,
    );
    let mut live = Live::start(agw(&["run", "--json", "--script", &script, "hi"]));
    live.line_with("stream_chunk");
    live.signal("INT");
    live.complaint_with("stopping;");
    live.signal("INT");
    let left = live.left();
    assert_eq!(left.code, Some(130), "{}", left.stderr);
    assert!(!left.stdout.contains("\"ended\""), "{}", left.stdout);
}

/// More than a pipe holds, so that writing it would wait for its reader.
#[cfg(unix)]
#[test]
fn a_reader_that_reads_no_more_keeps_no_signal_from_being_heard() {
    let text = "x".repeat(20_000);
    let more = format!(r#", {{ "do": {{ "text": "{text}" }} }}"#).repeat(10);
    let script = script(
        "unread.json",
        &format!(
            r#"{{
  "about": "More than anybody reads.",
  "gateway": {{ "steps": [ {{ "when": "resumed", "do": {{ "text": "first" }} }}{more}, {{ "do": {{ "text": "the very end" }} }} ] }}
}}"#
        ),
    );
    let record = path("unread.jsonl");
    let _ = std::fs::remove_file(&record);
    let mut command = agw(&["run", "--json", "--script", &script, "--record", &record]);
    command.arg("hi");
    let mut live = Live::start(command);
    until(|| {
        let recorded = std::fs::read_to_string(&record);
        recorded.is_ok_and(|recorded| recorded.contains("the very end"))
    });
    live.signal("INT");
    live.complaint_with("stopping;");
    live.signal("INT");
    // Nobody reads on before it has left.
    assert_eq!(live.code(), Some(130));
}

#[cfg(unix)]
#[test]
fn r5_sigterm_stops_the_run_and_leaves() {
    let script = endless("terminated.json", "{}");
    let mut live = Live::start(agw(&["run", "--json", "--script", &script, "hi"]));
    live.line_with("stream_chunk");
    live.signal("TERM");
    let left = live.left();
    assert_eq!(left.code, Some(130), "{}", left.stderr);
    assert!(left.stdout.contains("\"stopping\"") || left.stdout.contains("\"interrupted\""));
}

/// What `kill` is for, without a dependency.
#[cfg(unix)]
pub(crate) fn kill(process: u32, signal: &str) {
    let status = Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}
