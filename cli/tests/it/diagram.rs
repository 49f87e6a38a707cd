//! `agw diagram`: the states of a run.

use std::fs;

use crate::program::run;

#[test]
fn a_run_is_drawn_as_mermaid_text() {
    let left = run(&["diagram"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(
        left.stdout.starts_with("stateDiagram-v2\n"),
        "{}",
        left.stdout
    );
    let first = "\n    idle --> starting : execute (R1)\n";
    assert!(left.stdout.contains(first), "{}", left.stdout);
    assert_eq!(run(&["diagram"]).stdout, left.stdout, "always the same");
}

#[test]
fn a_file_that_ends_in_svg_becomes_a_picture() {
    let path = format!("{}/connection.svg", env!("CARGO_TARGET_TMPDIR"));
    let left = run(&["diagram", "--of", "connection", "-o", &path]);
    assert_eq!((left.code, &*left.stdout), (Some(0), ""), "{}", left.stderr);
    let picture = fs::read_to_string(&path).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains(">reconnecting</text>"));
    let mermaid = [
        "diagram",
        "--of",
        "connection",
        "--format",
        "mermaid",
        "-o",
        &path,
    ];
    assert_eq!(run(&mermaid).code, Some(0));
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("authenticating --> connected : auth_success (C4"),
        "{text}"
    );
}

#[test]
fn loops_are_told_when_asked_for() {
    let left = run(&["diagram", "--of", "session", "--loops"]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(
        left.stdout.contains("note right of probed"),
        "{}",
        left.stdout
    );
}

#[test]
fn what_cannot_be_drawn_or_written_is_a_usage_error() {
    let left = run(&["diagram", "--of", "weather"]);
    assert_eq!(left.code, Some(2));
    assert!(left.stderr.contains("connection"), "{}", left.stderr);
    run(&["diagram", "-o", "no/such/folder/run.svg"]).complains(2, &["no/such/folder/run.svg"]);
}
