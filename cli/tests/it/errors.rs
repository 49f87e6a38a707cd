//! Each mistake and each refusal: one sentence that names the thing and the place, and the right code.

use std::fs;
use std::path::PathBuf;

use crate::program::{agw, fed, run};
use crate::stub::{answering, nobody};

const HTML: &str = "<!DOCTYPE html><html><body>Bad gateway</body></html>";

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(path(name));
    fs::write(&path, text).unwrap();
    path
}

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn c1_a_wrong_url_scheme_is_named_with_its_option() {
    run(&["run", "hi", "--server", "ftp://lobe.example"]).complains(2, &["--server", "ftp"]);
    run(&[
        "run",
        "hi",
        "--server",
        "http://127.0.0.1:1",
        "--gateway",
        "mailto:me",
    ])
    .complains(2, &["--gateway", "mailto"]);
}

#[test]
fn c1_a_wrong_url_in_the_environment_is_named_with_its_variable() {
    let output = agw(&["run", "hi"])
        .env("LOBEHUB_SERVER", "lobe.example")
        .output();
    crate::program::Left::from(output.unwrap()).complains(2, &["LOBEHUB_SERVER", "lobe.example"]);
}

#[test]
fn c1_a_credential_never_goes_in_the_clear_to_another_machine() {
    let left = run(&[
        "run",
        "hi",
        "--server",
        "http://lobe.example",
        "--api-key",
        "sk-lh-secret",
    ]);
    left.complains(2, &["http://lobe.example", "https"]);
    assert!(!left.stderr.contains("sk-lh-secret"));
}

#[test]
fn i13_a_ca_file_without_end_is_read_no_further_than_it_may_be_long() {
    let endless = file("endless.pem", "");
    let opened = fs::File::options().write(true).open(&endless).unwrap();
    opened.set_len(3 << 30).unwrap();
    let endless = endless.to_str().unwrap();
    let server = ["run", "hi", "--server", "https://127.0.0.1:1"];
    run(&[&server[..], &["--ca-file", endless]].concat()).complains(2, &[endless, "16 MiB"]);
    fs::remove_file(endless).unwrap();
}

#[test]
fn a_prompt_that_cannot_be_read_is_told_in_one_sentence() {
    let refused = |bytes: &[u8], words: &[&str]| {
        fed(&["run", "-"], bytes).complains(2, &[&["standard input"], words].concat());
    };
    refused(b"", &["no prompt"]);
    refused(b"\n", &["no prompt"]);
    refused(b"one\ntwo \xff", &["standard input:2:5", "UTF-8"]);
    refused(&vec![b'x'; (4 << 20) + 1], &["4 MiB"]);
}

#[test]
fn a_credential_without_a_server_is_a_mistake() {
    run(&["run", "hi", "--token", "secret"]).complains(2, &["--token", "--server"]);
}

#[test]
fn an_unreachable_server_is_named() {
    let server = nobody();
    run(&["run", "hi", "--server", &server]).complains(4, &[&server]);
    run(&["run", "hi", "--server", &server, "--gateway", &server]).complains(4, &[&server]);
}

#[test]
fn a_401_says_that_we_are_not_accepted() {
    let body = r#"{"error":{"json":{"message":"UNAUTHORIZED","code":-32001,"data":{"code":"UNAUTHORIZED","httpStatus":401,"path":"aiAgent.execAgent"}}}}"#;
    let server = answering("401 Unauthorized", "application/json", body);
    let left = run(&[
        "run",
        "hi",
        "--server",
        &server,
        "--gateway",
        &server,
        "--api-key",
        "sk-lh-secret",
    ]);
    left.complains(3, &[&server, "aiAgent.execAgent", "UNAUTHORIZED", "401"]);
    assert!(!left.stderr.contains("sk-lh-secret"));
    run(&["run", "hi", "--server", &server]).complains(3, &[&server, "UNAUTHORIZED"]);
}

#[test]
fn an_html_page_is_quoted_in_part() {
    let server = answering("502 Bad Gateway", "text/html", HTML);
    run(&["run", "hi", "--server", &server]).complains(1, &[&server, "502", "<!DOCTYPE html>"]);
    let left = run(&["run", "hi", "--server", &server, "--gateway", &server]);
    assert!(left.stderr.contains("<!DOCTYPE html>"), "{}", left.stderr);
}

#[test]
fn r1_a_soft_failure_is_a_failure_though_its_status_is_200() {
    let body = r#"{"result":{"data":{"json":{"success":false,"status":"error","error":"No model is configured","operationId":"op_1"}}}}"#;
    let server = answering("200 OK", "application/json", body);
    let left = run(&["run", "hi", "--server", &server, "--gateway", &server]);
    left.complains(1, &[&server, "No model is configured"]);
}

#[test]
fn r1_a_failed_start_is_the_last_line_of_json_too() {
    let body = r#"{"result":{"data":{"json":{"success":false,"error":"No model"}}}}"#;
    let server = answering("200 OK", "application/json", body);
    let left = run(&[
        "run",
        "--json",
        "hi",
        "--server",
        &server,
        "--gateway",
        &server,
    ]);
    let last: serde_json::Value =
        serde_json::from_str(left.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["kind"], "ended");
    assert_eq!(last["outcome"], "start_failed");
    assert_eq!(last["receipt"]["delivered"], 0);
}

#[test]
fn nothing_to_say_is_no_prompt() {
    for prompt in ["", " "] {
        run(&["run", prompt]).complains(2, &["the prompt is empty"]);
    }
}

#[test]
fn a_project_that_is_no_folder_is_refused() {
    run(&["run", "hi", "--project", "no/such/folder"])
        .complains(2, &["no/such/folder: not a folder"]);
}

#[test]
fn attach_says_what_it_needs_to_get_in() {
    let server = nobody();
    run(&["attach", "op_1", "--server", &server]).complains(2, &["--topic", "--api-key"]);
}

/// Not in the words of Rust's own parsers.
#[test]
fn a_bad_number_is_told_what_it_may_be() {
    for (arguments, words) in [
        (["campaign", "--runs", "0"], "a whole number, 1 or more"),
        (["campaign", "--failures", "x"], "a whole number, 1 or more"),
        (["check", "--memory", "0"], "a whole number, 1 or more"),
        (
            ["campaign", "--seed", "x"],
            "a seed is a whole number from 0",
        ),
        (
            ["machine", "--seed", "1.5"],
            "a seed is a whole number from 0",
        ),
    ] {
        let left = run(&arguments);
        assert_eq!(left.code, Some(2), "{arguments:?}");
        assert!(left.stderr.contains(words), "{}", left.stderr);
    }
}

#[test]
fn standard_input_is_called_so() {
    for command in ["replay", "view", "sim"] {
        fed(&[command, "-"], b"").complains(2, &["standard input:1:1: "]);
    }
}

#[test]
fn a_mistyped_option_is_a_usage_error() {
    let left = run(&["run", "hi", "--sever", "x"]);
    assert_eq!(left.code, Some(2));
    assert!(left.stderr.contains("--sever"), "{}", left.stderr);
}

#[test]
fn a_bad_tool_is_a_usage_error() {
    let left = run(&["run", "hi", "--tool", "cat"]);
    assert_eq!(left.code, Some(2));
    assert!(left.stderr.contains("NAME=COMMAND"), "{}", left.stderr);
}

/// Before anything is started: each call of it would only fail.
#[test]
fn a_tool_whose_program_is_not_there_is_a_usage_error() {
    for program in ["./no-such-program", "no-such-program"] {
        let tool = format!("readFile={program} --flag");
        run(&["run", "hi", "--tool", &tool]).complains(2, &["--tool readFile", program]);
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let server = ["--server", "https://127.0.0.1:1", "--ca-file"];
    let with = |path| [["run", "hi"].as_slice(), &server, &[path]].concat();
    run(&with("no/such/ca.pem")).complains(2, &["no/such/ca.pem"]);
    let path = file("empty.pem", "nothing");
    run(&with(path.to_str().unwrap())).complains(2, &["empty.pem", "no PEM certificate"]);
}

#[test]
fn a_plain_401_says_that_we_are_not_accepted() {
    let server = answering("401 Unauthorized", "text/html", "<h1>Who are you?</h1>");
    let left = run(&[
        "run",
        "--json",
        "hi",
        "--server",
        &server,
        "--gateway",
        &server,
    ]);
    left.complains(3, &[&server, "401", "Who are you?"]);
    assert!(
        left.stdout.contains(r#""outcome":"auth_lost""#),
        "{}",
        left.stdout
    );
    run(&["run", "hi", "--server", &server]).complains(3, &[&server, "401"]);
}

#[test]
fn r1_input_that_the_server_refuses_is_told_in_a_sentence() {
    let issues = r#"[{\"code\":\"custom\",\"path\":[\"prompt\"],\"message\":\"Required\"}]"#;
    let body = format!(
        r#"{{"error":{{"json":{{"message":"{issues}","code":-32600,"data":{{"code":"BAD_REQUEST","httpStatus":400,"path":"aiAgent.execAgent"}}}}}}}}"#
    );
    let server = answering("400 Bad Request", "application/json", &body);
    run(&["run", "hi", "--server", &server, "--gateway", &server])
        .complains(1, &["aiAgent.execAgent: prompt: Required (HTTP 400)"]);
}

#[test]
fn what_a_server_says_in_an_error_does_nothing_to_a_terminal() {
    let said = r"boom\u001b[2J\u001b]0;pwned\u0007\u0008";
    let body = format!(
        r#"{{"error":{{"json":{{"message":"{said}","code":-32603,"data":{{"code":"INTERNAL_SERVER_ERROR","httpStatus":500,"path":"aiAgent.execAgent"}}}}}}}}"#
    );
    let server = answering("500 Internal Server Error", "application/json", &body);
    let left = run(&["run", "hi", "--server", &server, "--gateway", &server]);
    let shown = "boom\u{fffd}[2J\u{fffd}]0;pwned\u{fffd}\u{fffd}";
    assert!(left.stderr.contains(shown), "{:?}", left.stderr);
}

#[test]
fn a_recording_that_cannot_be_read_is_named_with_the_place() {
    let refused = |name: &str, text: &str, words: &[&str]| {
        let path = file(name, text);
        let left = run(&["replay", path.to_str().unwrap()]);
        left.complains(2, words);
        assert_eq!(left.stdout, "", "nothing is half replayed");
    };
    run(&["replay", "no/such/file"]).complains(2, &["no/such/file"]);
    refused("empty.jsonl", "", &["empty.jsonl:1:1: ", "empty"]);
    let no_recording = ["broken.jsonl:1:", "no recording"];
    refused("broken.jsonl", "{\"version\":3,\n", &no_recording);
    let newer = ["newer.jsonl:1:1: ", "version 99", "version 3"];
    refused("newer.jsonl", "{\"version\":99}\n", &newer);
    let script = format!("{}/../sim/scripts/demo.json", env!("CARGO_MANIFEST_DIR"));
    run(&["replay", &script]).complains(2, &["demo.json", "no recording"]);

    let whole = path("whole.jsonl");
    run(&["sim", "good_run", "--record", &whole]);
    let text = fs::read_to_string(&whole).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "{\"event\":{\"at\":-5,\"kind\":\"stop\"},\"effects\":[]}";
    let bad = ["bad_line.jsonl:4:17: ", "-5"];
    refused("bad_line.jsonl", &lines.join("\n"), &bad);

    let capped = text.replacen("\"backoff_cap\":30000", "\"backoff_cap\":1", 1);
    let bad = ["capped.jsonl:1: ", "config", "backoff_first"];
    refused("capped.jsonl", &capped, &bad);
}

#[test]
fn a_record_file_that_cannot_be_made_is_named() {
    let server = nobody();
    run(&[
        "run",
        "hi",
        "--server",
        &server,
        "--record",
        "no/such/folder/file",
    ])
    .complains(2, &["no/such/folder/file"]);
}

/// A run cannot be had again, and what else is in its place is the user's.
#[test]
fn a_file_that_holds_something_is_not_recorded_over() {
    let precious = file("precious.txt", "years of work\n");
    let name = precious.to_str().unwrap();
    let words = [
        "precious.txt is there already",
        "another file with --record",
    ];
    run(&["run", "hi", "--record", name]).complains(2, &words);
    run(&["attach", "op_1", "--server", &nobody(), "--record", name]).complains(2, &words);
    run(&["sim", "good_run", "--record", name])
        .complains(2, &[&words[..], &["no recording"]].concat());
    run(&["check", "--budget", "small", "--script", name]).complains(
        2,
        &[
            "precious.txt is there already",
            "another file with --script",
        ],
    );
    assert_eq!(fs::read_to_string(&precious).unwrap(), "years of work\n");

    let recording = file("recorded_once.jsonl", "");
    let name = recording.to_str().unwrap();
    assert_eq!(run(&["run", "hi", "--record", name]).code, Some(0));
    let recorded = fs::read_to_string(&recording).unwrap();
    run(&["run", "hi", "--record", name]).complains(2, &["recorded_once.jsonl is there already"]);
    assert_eq!(fs::read_to_string(&recording).unwrap(), recorded);
    // A script is played again to be recorded again.
    assert_eq!(run(&["sim", "good_run", "--record", name]).code, Some(0));
    assert_ne!(fs::read_to_string(&recording).unwrap(), recorded);
}

/// The run is not ended for it, but nobody must believe in a recording that is not there.
#[cfg(target_os = "linux")]
#[test]
fn a_recording_that_cannot_be_written_is_told_when_the_run_is_over() {
    let left = run(&["run", "hi", "--record", "/dev/full"]);
    assert!(left.stdout.contains("── completed"), "{}", left.stdout);
    left.complains(2, &["/dev/full", "No space left"]);
}

#[test]
fn help_teaches_and_shows_no_secret() {
    let output = agw(&["run", "--help"])
        .env("LOBEHUB_JWT", "jwt-secret")
        .env("LOBEHUB_CLI_API_KEY", "key-secret")
        .output();
    let left = crate::program::Left::from(output.unwrap());
    assert_eq!(left.code, Some(0));
    for word in ["Examples:", "LOBEHUB_JWT", "AGENT_GATEWAY_URL", "Ctrl-C"] {
        assert!(left.stdout.contains(word), "{word}");
    }
    assert!(!left.stdout.contains("secret"));
}
