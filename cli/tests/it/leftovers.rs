//! However the program leaves, the programs of its tools leave with it, and those that they have started.

use std::path::Path;
use std::process::Command;

use crate::program::{Live, agw, until};

/// A tool that starts a program of its own, tells of both, and never ends by itself.
const TOOL: &str = r#"act=sh -c 'sleep 1000 & echo $$ $! > "$0.new" && mv "$0.new" "$0" && wait' "#;

/// A session that asks for the tool and waits for its result.
const SCRIPT: &str = r#"{
  "about": "A tool that never answers.",
  "gateway": { "steps": [
    { "when": "resumed", "do": { "tool_execute": { "call": "call_1", "tool": "demo/act", "arguments": {}, "timeout": 600000 } } },
    { "when": "tool_result", "do": { "end": { "reason": "done" } } }
  ] }
}"#;

/// The program, waiting for its tool; and the numbers of the tool and of what the tool started.
struct Waiting {
    live: Live,
    family: Vec<u32>,
}

impl Waiting {
    fn start(test: &str, arguments: impl FnOnce(&str) -> Vec<String>) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let script = folder.join(format!("{test}.json"));
        std::fs::write(&script, SCRIPT).unwrap();
        let told = folder.join(format!("{test}.family"));
        let _ = std::fs::remove_file(&told);
        let tool = format!("{TOOL}'{}'", told.display());
        let mut arguments = arguments(script.to_str().unwrap());
        arguments.extend(["--tool".into(), tool, "--json".into(), "hi".into()]);
        let mut command = agw(&["run"]);
        command.args(arguments);
        let mut live = Live::start(command);
        live.line_with("tool_requested");
        let mut family = Vec::new();
        until(|| {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            family = text
                .split_whitespace()
                .map(|id| id.parse().unwrap())
                .collect();
            family.len() == 2
        });
        Self { live, family }
    }

    fn embedded(test: &str) -> Self {
        Self::start(test, |script| vec!["--script".into(), script.into()])
    }

    /// Waits for its end, and that nobody of the family outlives it.
    fn leaves(self) -> i32 {
        let left = self.live.left();
        for process in self.family {
            until(|| !is_alive(process));
        }
        left.code.expect("it left by itself")
    }
}

/// Whether there is such a process, other than as a corpse that nobody has buried.
fn is_alive(process: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The first bit is the first signal, which is this one.
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

#[test]
fn after_ctrl_c_no_tool_is_left() {
    let waiting = Waiting::embedded("interrupted-tool");
    waiting.live.signal("INT");
    assert_eq!(waiting.leaves(), 130);
}

#[test]
fn after_a_second_ctrl_c_no_tool_is_left() {
    let mut waiting = Waiting::embedded("left-tool");
    waiting.live.signal("INT");
    waiting.live.complaint_with("stopping;");
    waiting.live.signal("INT");
    assert_eq!(waiting.leaves(), 130);
}

#[test]
fn after_sigterm_no_tool_is_left() {
    let waiting = Waiting::embedded("terminated-tool");
    waiting.live.signal("TERM");
    assert_eq!(waiting.leaves(), 130);
}

/// Whatever its output is: a terminal that is closed takes the program with it, and its tools.
#[test]
fn after_a_hangup_no_tool_is_left() {
    if is_hangup_ignored() {
        return println!("skipped: under nohup a hangup is not for us, nor for what we start");
    }
    let waiting = Waiting::embedded("hung-up-tool");
    waiting.live.signal("HUP");
    assert_eq!(waiting.leaves(), 130);
}

/// The server is gone for good: the run is not given up for that (C6), but whoever watches it can leave.
#[test]
fn after_the_server_has_vanished_no_tool_is_left() {
    let mut serve = None;
    let mut waiting = Waiting::start("vanished-server", |script| {
        let mut live = Live::start(agw(&["serve", script]));
        let line = live.line_with("clientToken");
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let api = said["api"].as_str().unwrap().to_owned();
        let key = said["clientToken"].as_str().unwrap().to_owned();
        serve = Some(live);
        vec!["--server".into(), api, "--api-key".into(), key]
    });
    serve.unwrap().signal("KILL");
    waiting.live.line_with("reconnecting");
    waiting.live.signal("INT");
    waiting.live.complaint_with("stopping;");
    waiting.live.signal("TERM");
    assert_eq!(waiting.leaves(), 130);
}

/// A reader that leaves ends the program by an error of its output.
#[test]
fn after_its_reader_has_left_no_tool_is_left() {
    let mut waiting = Waiting::embedded("unread-tool");
    waiting.live.stop_reading();
    waiting.live.signal("INT");
    assert_eq!(waiting.leaves(), 130);
}

/// The machine answers in its place, and the run goes on.
#[test]
fn a_call_that_is_given_up_leaves_no_tool_either() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let script = folder.join("deadline-tool.json");
    let quick = SCRIPT.replace("600000", "1500");
    std::fs::write(&script, quick).unwrap();
    let told = folder.join("deadline-tool.family");
    let _ = std::fs::remove_file(&told);
    let tool = format!("{TOOL}'{}'", told.display());
    let arguments = [
        "run",
        "--script",
        script.to_str().unwrap(),
        "--tool",
        &tool,
        "hi",
    ];
    let left = crate::program::run(&arguments);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let text = std::fs::read_to_string(&told).unwrap();
    for process in text.split_whitespace() {
        until(|| !is_alive(process.parse().unwrap()));
    }
}
