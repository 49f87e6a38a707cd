//! `agw run` with a person at a terminal: a pseudo-terminal, on which the test types and reads.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::agw;

/// The person's side of a terminal, and the program at the other.
struct Terminal {
    screen: File,
    /// All that was shown.
    shown: String,
    /// Up to where it has been waited for.
    seen: usize,
    /// Held, so that the terminal is there before the program and after it.
    device: File,
}

impl Terminal {
    fn new() -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let mut options = File::options();
        options.read(true).write(true);
        Self {
            screen: screen.into(),
            shown: String::new(),
            seen: 0,
            // The terminal of whoever runs the tests stays theirs: a leader of a session is none of them.
            device: options.open(name.to_str().unwrap()).unwrap(),
        }
    }

    /// Starts the program, with this as its terminal.
    fn start(&self, arguments: &[&str]) -> Child {
        let program = agw(arguments);
        let mut command = Command::new("setsid");
        command.args(["--ctty", program.get_program().to_str().unwrap()]);
        command.args(program.get_args()).env_clear();
        let side = || Stdio::from(self.device.try_clone().unwrap());
        command.stdin(side()).stdout(side()).stderr(side());
        command.env("TERM", "xterm").spawn().unwrap()
    }

    fn type_in(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until this is shown, behind what was waited for before.
    #[track_caller]
    fn wait_for(&mut self, part: &str) {
        loop {
            if let Some(place) = self.shown[self.seen..].find(part) {
                self.seen += place + part.len();
                return;
            }
            let mut bytes = [0; 4096];
            let count = self.screen.read(&mut bytes).unwrap();
            self.shown += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    /// The code that the program leaves with. What it still shows is little enough not to be read.
    fn left(mut self, mut program: Child) -> (Option<i32>, String) {
        let code = program.wait().unwrap().code();
        self.type_in("that is all\n");
        self.wait_for("that is all");
        (code, self.shown)
    }
}

fn path(name: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.join(name).to_str().unwrap().to_owned()
}

fn recording(name: &str) -> String {
    let path = path(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn script(name: &str, steps: &str) -> String {
    let path = path(name);
    let text = format!(r#"{{ "about": "Asks.", "gateway": {{ "steps": [ {steps} ] }} }}"#);
    std::fs::write(&path, text).unwrap();
    path
}

/// `answer` is what a person has typed at the question of the script `confirmation`.
#[track_caller]
fn recorded_answer(name: &str, typed: &[&str], answer: &str) -> String {
    let record = recording(name);
    let mut terminal = Terminal::new();
    let arguments = ["run", "--script", "confirmation", "--record", &record, "Hi"];
    let program = terminal.start(&arguments);
    for line in typed {
        terminal.wait_for("rm -rf target (call_1)");
        terminal.wait_for("May it run? [y/n]");
        terminal.type_in(line);
    }
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(recorded.contains(answer), "no {answer}");
    shown
}

const APPROVED: &str = r#"{"answer_confirmation":{"call":"call_1","approved":true}}"#;
const DENIED: &str = r#"{"answer_confirmation":{"call":"call_1","approved":false}}"#;

#[test]
fn t7_on_a_terminal_the_person_says_whether_a_tool_may_run() {
    recorded_answer("terminal_yes.jsonl", &["y\n"], APPROVED);
    recorded_answer("terminal_no.jsonl", &["N\n"], DENIED);
    let shown = recorded_answer("terminal_nonsense.jsonl", &["perhaps\n", "no\n"], DENIED);
    assert!(shown.contains("y lets it run"), "{shown}");
}

#[test]
fn t7_on_a_terminal_the_person_types_what_is_asked_for() {
    let record = recording("terminal_input.jsonl");
    let mut terminal = Terminal::new();
    let script = ["run", "--script", "input_requested", "--record", &record];
    let program = terminal.start(&[&script[..], &["Hi"]].concat());
    terminal.wait_for("? Which branch?");
    terminal.wait_for("Your answer:");
    terminal.type_in("dev ü\n");
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
    let recorded = std::fs::read_to_string(&record).unwrap();
    let answer = r#"{"answer_input":{"request":"input_1","content":"dev ü"}}"#;
    assert!(recorded.contains(answer), "no {answer}");
}

/// Nobody means a question that they have not seen.
#[test]
fn t7_what_was_typed_before_a_question_does_not_answer_it() {
    let record = recording("terminal_ahead.jsonl");
    let mut terminal = Terminal::new();
    terminal.type_in("y\ny");
    terminal.wait_for("y\r\ny");
    let arguments = ["run", "--script", "confirmation", "--record", &record, "Hi"];
    let program = terminal.start(&arguments);
    terminal.wait_for("[y/n]");
    terminal.type_in("n\n");
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(recorded.contains(DENIED) && !recorded.contains(APPROVED));
}

#[test]
fn t7_what_is_streamed_meanwhile_is_shown_and_the_question_again() {
    let script = script(
        "streamed_meanwhile.json",
        r#"{ "when": "resumed", "do": { "request_confirmation": { "id": "call_1", "prompt": "rm -rf target" } } },
    { "after": 100, "do": { "text": "meanwhile" } },
    { "when": "confirmation", "do": { "text": "done" } },
    { "do": { "end": { "reason": "done" } } }"#,
    );
    let mut terminal = Terminal::new();
    let program = terminal.start(&["run", "--script", &script, "Hi"]);
    for part in ["[y/n]", "meanwhile", "rm -rf target", "[y/n]"] {
        terminal.wait_for(part);
    }
    terminal.type_in("y\n");
    terminal.wait_for("done");
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn t6_a_question_is_withdrawn_at_the_end_of_the_run() {
    let script = script(
        "withdrawn_question.json",
        r#"{ "when": "resumed", "do": { "request_confirmation": { "id": "call_1", "prompt": "rm -rf target" } } },
    { "after": 100, "do": { "end": { "reason": "done" } } }"#,
    );
    let mut terminal = Terminal::new();
    let program = terminal.start(&["run", "--script", &script, "Hi"]);
    terminal.wait_for("[y/n]");
    terminal.wait_for("confirmation of call_1 is not wanted any more");
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn t7_ctrl_d_leaves_a_question_to_others_and_ctrl_c_stops_the_run_all_the_same() {
    let record = recording("terminal_left.jsonl");
    let mut terminal = Terminal::new();
    let arguments = ["run", "--script", "confirmation", "--record", &record, "Hi"];
    let program = terminal.start(&arguments);
    terminal.wait_for("[y/n]");
    terminal.type_in("\u{4}");
    terminal.wait_for("left to other clients");
    terminal.type_in("\u{3}");
    terminal.wait_for("stopping; Ctrl-C again leaves at once");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(130), "{shown}");
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(!recorded.contains("answer_confirmation"));
}

#[test]
fn r5_ctrl_c_at_a_question_stops_the_run() {
    let mut terminal = Terminal::new();
    let program = terminal.start(&["run", "--script", "confirmation", "Hi"]);
    terminal.wait_for("[y/n]");
    terminal.type_in("\u{3}");
    terminal.wait_for("stopping; Ctrl-C again leaves at once");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(130), "{shown}");
}

/// What the command line says needs no question, and a program that reads the lines is asked nothing.
#[test]
fn t7_nobody_is_asked_what_the_command_line_answers_nor_with_json() {
    let mut terminal = Terminal::new();
    let program = terminal.start(&["run", "--approve", "--script", "confirmation", "Hi"]);
    terminal.wait_for("completed");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("[y/n]"), "{shown}");

    let mut terminal = Terminal::new();
    let program = terminal.start(&["run", "--json", "--script", "confirmation", "Hi"]);
    terminal.wait_for("not with --json");
    terminal.type_in("\u{3}");
    let (code, shown) = terminal.left(program);
    assert_eq!(code, Some(130), "{shown}");
    assert!(!shown.contains("[y/n]"), "{shown}");
}
