//! `agw campaign`: random sessions from a seed.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::program::run;
#[cfg(unix)]
use crate::program::{Live, agw};

fn path(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(name).to_str().unwrap().to_owned()
}

/// The summary of a campaign of so many runs.
fn summary(arguments: &[&str]) -> Value {
    let left = run(&[&["campaign", "--json"], arguments].concat());
    assert_eq!(left.code, Some(0), "{}{}", left.stdout, left.stderr);
    let line = left.stdout.lines().last().unwrap();
    let summary: Value = serde_json::from_str(line).unwrap();
    assert_eq!(summary["kind"], "summary");
    summary
}

#[test]
fn a_campaign_says_what_was_seen_and_what_never_was() {
    let left = run(&["campaign", "--runs", "300", "--threads", "1"]);
    assert_eq!(left.code, Some(0), "{}{}", left.stdout, left.stderr);
    for part in [
        "outcomes ",
        "completed ",
        "rules ",
        "  never: ",
        "events by phase",
        "frame_received",
        "✓ 300 runs, 0 failed",
        "seed 1",
    ] {
        assert!(
            left.stdout.contains(part),
            "no `{part}` in:\n{}",
            left.stdout
        );
    }
    assert!(
        left.stderr.starts_with("agw: playing 300 runs"),
        "{}",
        left.stderr
    );
}

#[test]
fn i15_the_same_seed_shows_the_same_on_any_number_of_threads() {
    let mut one = summary(&["--runs", "200", "--seed", "9", "--threads", "1"]);
    let mut three = summary(&["--runs", "200", "--seed", "9", "--threads", "3"]);
    for summary in [&mut one, &mut three] {
        summary["took_ms"].take();
    }
    assert_eq!(one, three);
    assert_eq!(one["sessions"], 200);
    let other = summary(&["--runs", "200", "--seed", "10"]);
    assert_ne!(one["events"], other["events"]);
}

#[test]
fn the_shards_of_a_campaign_are_the_whole_of_it() {
    let number = |summary: &Value, name: &str| summary[name].as_u64().unwrap();
    let whole = summary(&["--runs", "100"]);
    let parts: Vec<Value> = ["1/3", "2/3", "3/3"]
        .map(|shard| summary(&["--runs", "100", "--shard", shard]))
        .into();
    let sessions: Vec<u64> = parts.iter().map(|part| number(part, "sessions")).collect();
    assert_eq!(sessions, [34, 33, 33]);
    let events: u64 = parts.iter().map(|part| number(part, "events")).sum();
    assert_eq!(events, number(&whole, "events"));
    assert_eq!(parts[1]["shard"], "2/3");
}

#[test]
fn a_campaign_ends_when_its_time_is_over() {
    let summary = summary(&["--time", "300ms"]);
    assert!(summary["sessions"].as_u64().unwrap() > 0);
    assert_eq!(summary["interrupted"], false);
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    for arguments in [
        ["--shard", "0/3"],
        ["--shard", "4/3"],
        ["--shard", "1"],
        ["--time", "5"],
        ["--time", "5d"],
        ["--runs", "0"],
        ["--threads", "0"],
        ["--threads", "100000"],
        ["--failures", "0"],
        ["--sed", "1"],
    ] {
        let left = run(&[&["campaign"][..], &arguments].concat());
        assert_eq!(left.code, Some(2), "{arguments:?}");
        assert!(left.stderr.contains(arguments[0]), "{}", left.stderr);
        assert_eq!(left.stdout, "");
    }
    let file = path("no_folder");
    fs::write(&file, "").unwrap();
    run(&["campaign", "--out", &file]).complains(2, &[&file, "not a folder"]);
}

/// Not when something is found, which may be after hours.
#[test]
fn a_folder_that_cannot_be_made_is_told_before_anything_is_played() {
    let file = path("in_the_way");
    fs::write(&file, "").unwrap();
    let folder = format!("{file}/findings");
    run(&["campaign", "--runs", "1", "--out", &folder]).complains(2, &[&folder]);
    let folder = path("findings_of_none");
    let left = run(&["campaign", "--runs", "1", "--out", &folder]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(!fs::exists(&folder).unwrap(), "nothing was found");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_campaign_with_what_was_seen_so_far() {
    let mut live = Live::start(agw(&["campaign", "--time", "1h", "--json"]));
    live.complaint_with("playing runs from seed 1");
    live.signal("INT");
    let left = live.left();
    assert_eq!(left.code, Some(130), "{}", left.stderr);
    let summary: Value = serde_json::from_str(left.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["interrupted"], true);
}

/// A campaign's finding is a script that says so: whoever plays it sees it fail, and where it says so.
#[test]
fn i16_a_fair_script_whose_run_never_ends_fails() {
    let script = path("never_ends.json");
    let text = r#"{
  "about": "The server says a word and no more.",
  "gateway": { "steps": [{ "do": { "text": "1 " } }] },
  "expect": {
    "fair": true
  }
}"#;
    fs::write(&script, text).unwrap();
    let left = run(&["sim", &script, "--trace", "none"]);
    assert_eq!(left.code, Some(1), "{}{}", left.stdout, left.stderr);
    let place = format!("{script}:5:13: I16: ");
    assert!(left.stdout.contains(&place), "{}", left.stdout);
}
