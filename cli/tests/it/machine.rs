//! `agw machine`, as another program drives it.

use std::io::Write;
use std::process::Stdio;

use crate::program::agw;

fn session(arguments: &[&str], lines: &str) -> Vec<serde_json::Value> {
    let mut child = agw(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
    answers.collect()
}

const ATTACH: &str = r#"{"at":0,"kind":{"attach":{"operation":"op_1","topic":null,"thread":null,"agent":null,"cursor":{"epoch":0,"id":null,"digest":null},"token":{"id":0,"kind":"jwt","lifetime":300000},"renewal":"never","executes_tools":false}}}
"#;

#[test]
fn an_attach_is_answered_with_a_dial() {
    let answers = session(&["machine", "--gateway", "http://127.0.0.1:8787"], ATTACH);
    assert_eq!(answers[0]["operation"], "op_1");
    assert_eq!(answers[0]["phase"], "streaming");
    let effects = answers[0]["effects"].to_string();
    assert!(
        effects.contains("ws://127.0.0.1:8787/ws?operationId=op_1"),
        "{effects}"
    );
}

#[test]
fn a_bad_line_gets_an_error_object_and_changes_nothing() {
    let with = session(&["machine"], &format!("{{\n[]\n{ATTACH}"));
    assert!(
        with[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("line 1, column 1: ")
    );
    assert!(with[1]["error"].as_str().unwrap().starts_with("line 2, "));
    assert_eq!(with[2..], session(&["machine"], ATTACH)[..]);
}

#[test]
fn the_documented_session_is_what_happens() {
    let document = include_str!("../../../docs/machine.md");
    let lines = |mark: &str| -> Vec<&str> {
        let lines = document.lines().filter_map(|line| line.strip_prefix(mark));
        lines.collect()
    };
    let sent = lines("> ").join("\n");
    let answers = session(&["machine", "--gateway", "http://127.0.0.1:8787"], &sent);
    let expected: Vec<serde_json::Value> = lines("< ")
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers, expected);
}
