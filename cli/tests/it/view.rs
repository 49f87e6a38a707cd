//! `agw view`: a session made one page. What the page does is looked at in a browser, by `cli/tests/browser`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{fed, run};

/// A folder of one test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("view_{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn recorded(folder: &Path) -> String {
    let recording = text(&folder.join("session.jsonl"));
    let left = run(&[
        "sim",
        "tool_call",
        "--trace",
        "none",
        "--record",
        &recording,
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    recording
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_page_is_written_next_to_the_recording_and_replaced_aloud() {
    let folder = folder("next");
    let recording = recorded(&folder);
    let left = run(&["view", &recording]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stdout.starts_with("wrote "), "{}", left.stdout);
    assert!(
        left.stdout.contains("session.html: 13 steps"),
        "{}",
        left.stdout
    );
    let page = fs::read_to_string(folder.join("session.html")).unwrap();
    assert!(page.contains("call_A2") && page.ends_with("</html>\n"));
    let left = run(&["view", &recording]);
    assert!(left.stdout.starts_with("replaced "), "{}", left.stdout);
}

#[test]
fn what_is_no_page_of_ours_is_not_replaced_unless_named() {
    let folder = folder("foreign");
    let recording = recorded(&folder);
    let page = folder.join("session.html");
    fs::write(&page, "<p>mine</p>").unwrap();
    run(&["view", &recording]).complains(2, &["session.html", "--output"]);
    assert_eq!(fs::read_to_string(&page).unwrap(), "<p>mine</p>");
    run(&["view", &recording, "-o", &recording]).complains(2, &["session.jsonl"]);
    let left = run(&["view", &recording, "-o", &text(&page)]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stdout.starts_with("replaced "), "{}", left.stdout);
}

#[test]
fn a_trace_comes_through_a_pipe() {
    let trace = run(&["sim", "good_run", "--trace", "json"]).stdout;
    let left = fed(&["view", "-"], trace.as_bytes());
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(
        left.stdout.starts_with("<!doctype html>"),
        "{}",
        left.stdout
    );
    fed(&["view", "-"], b"").complains(2, &["standard input:1:1: it is empty"]);
}

#[test]
fn a_recording_torn_in_the_middle_of_a_character_is_shown_up_to_there() {
    let folder = folder("torn");
    let recording = recorded(&folder);
    let mut bytes = fs::read(&recording).unwrap();
    let last = bytes.len() - 9;
    bytes.truncate(last);
    bytes.push(0xc3);
    fs::write(&recording, bytes).unwrap();
    let left = run(&["view", &recording]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(
        left.stdout.contains("session.html: 12 steps"),
        "{}",
        left.stdout
    );
}

#[test]
fn what_cannot_be_shown_is_named_in_one_sentence() {
    let folder = folder("bad");
    run(&["view", "no/such/file"]).complains(2, &["no/such/file"]);
    let bad = folder.join("bad.jsonl");
    fs::write(&bad, "{\"version\":1,\n").unwrap();
    run(&["view", &text(&bad)]).complains(2, &["bad.jsonl:1:"]);
    fs::write(&bad, "{\"hello\":1}\n").unwrap();
    run(&["view", &text(&bad)]).complains(2, &["bad.jsonl:1:"]);
    fs::write(&bad, b"{}\n{}\n\"\xff\"\n").unwrap();
    run(&["view", &text(&bad)]).complains(2, &["bad.jsonl:3:2: ", "UTF-8"]);
    let recording = recorded(&folder);
    let nowhere = text(&folder.join("no/such/page.html"));
    run(&["view", &recording, "-o", &nowhere]).complains(2, &["page.html"]);
}
