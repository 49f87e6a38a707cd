//! `agw serve`: a gateway for any client, driven here by hand-written HTTP and by `agw run` as its client.

use std::process::Command;

use serde_json::{Value, json};

#[cfg(unix)]
use crate::program::until;
use crate::program::{Live, agw, run};
use crate::stub::request;

/// A server that is up, and what it announced.
struct Serving {
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "held, and sent signals on Unix only")
    )]
    live: Live,
    announcement: Value,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut live = Live::start(agw(&[&["serve"], arguments].concat()));
        let line = live.line_with("");
        let announcement = serde_json::from_str(&line).unwrap();
        Self { live, announcement }
    }

    fn text(&self, key: &str) -> &str {
        self.announcement[key].as_str().unwrap()
    }

    /// A command that has this server.
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = agw(arguments);
        command
            .env("LOBEHUB_SERVER", self.text("api"))
            .env("LOBEHUB_CLI_API_KEY", self.text("clientToken"));
        command
    }

    /// Calls the gateway's own HTTP as LobeHub's server does.
    fn push(&self, path: &str, body: &Value) -> (u16, String) {
        self.call("POST", path, &body.to_string())
    }

    fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let authorization = format!("Bearer {}", self.text("serviceToken"));
        request(
            self.text("gateway"),
            method,
            &format!("/api/operations/{path}"),
            &[
                ("authorization", &authorization),
                ("content-type", "application/json"),
            ],
            body,
        )
    }
}

#[test]
fn the_announcement_says_all_that_a_client_needs() {
    let serving = Serving::start(&[]);
    for key in ["api", "gateway"] {
        assert!(serving.text(key).starts_with("http://127.0.0.1:"), "{key}");
    }
    for key in ["serviceToken", "clientToken"] {
        assert!(serving.text(key).len() > 20, "{key}");
    }
    let (status, body) = request(serving.text("gateway"), "GET", "/health", &[], "");
    assert_eq!((status, &*body), (200, "OK"));
}

#[test]
fn a_script_of_the_library_is_served_by_its_name() {
    let serving = Serving::start(&["good_run"]);
    let output = serving.client(&["run", "hi"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    run(&["serve", "bad_run"]).complains(2, &["bad_run", "library"]);
}

#[test]
fn without_the_service_token_nothing_can_be_pushed() {
    let serving = Serving::start(&[]);
    let (status, _) = request(
        serving.text("gateway"),
        "POST",
        "/api/operations/push-event",
        &[("content-type", "application/json")],
        "{}",
    );
    assert_eq!(status, 401);
}

#[test]
fn what_is_pushed_to_an_operation_is_streamed_to_its_client() {
    let serving = Serving::start(&[]);
    let mut client = Live::start(serving.client(&["run", "--json", "hi"]));
    let started: Value = serde_json::from_str(&client.line_with("\"started\"")).unwrap();
    let operation = &started["operation"];
    let event = |kind: &str, data: Value| json!({ "type": kind, "stepIndex": 0, "operationId": operation, "data": data });
    let text = event(
        "stream_chunk",
        json!({ "chunkType": "text", "content": "pushed" }),
    );
    let (status, _) = serving.push(
        "push-event",
        &json!({ "operationId": operation, "event": text }),
    );
    assert_eq!(status, 200);
    client.line_with("pushed");
    let end = event("agent_runtime_end", json!({ "reason": "done" }));
    let (status, _) = serving.push(
        "push-events",
        &json!({ "operationId": operation, "events": [end] }),
    );
    assert_eq!(status, 200);
    let left = client.left();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let last: Value = serde_json::from_str(left.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["outcome"], "completed");
    assert_eq!(last["receipt"]["delivered"], 2);
}

#[test]
fn r7_a_second_client_attaches_to_a_run_and_sees_it_from_its_beginning() {
    let serving = Serving::start(&[]);
    let mut client = Live::start(serving.client(&["run", "--json", "hi"]));
    let started: Value = serde_json::from_str(&client.line_with("\"started\"")).unwrap();
    let operation = started["operation"].as_str().unwrap();
    let topic = started["topic"].as_str().unwrap();
    let push = |kind: &str, data: Value| {
        let event = json!({ "type": kind, "stepIndex": 0, "operationId": operation, "data": data });
        let body = json!({ "operationId": operation, "event": event });
        assert_eq!(serving.push("push-event", &body).0, 200);
    };
    push(
        "stream_chunk",
        json!({ "chunkType": "text", "content": "first" }),
    );
    client.line_with("first");

    let mut watcher = Live::start(serving.client(&["attach", operation, "--topic", topic]));
    let mut late = Live::start(serving.client(&[
        "attach", "--json", operation, "--topic", topic, "--after", "1",
    ]));
    late.line_with("\"connected\"");
    watcher.line_with("── step 1");
    push(
        "stream_chunk",
        json!({ "chunkType": "text", "content": " second\n" }),
    );
    push("agent_runtime_end", json!({ "reason": "done" }));

    for (left, parts) in [
        (client.left(), ["first", "second"]),
        (watcher.left(), ["first second", "── completed"]),
        (late.left(), ["second", "\"completed\""]),
    ] {
        assert_eq!(left.code, Some(0), "{}", left.stderr);
        for part in parts {
            assert!(left.stdout.contains(part), "no `{part}` in {}", left.stdout);
        }
    }
}

#[cfg(unix)]
#[test]
fn r5_a_reader_that_leaves_stops_the_run_on_the_server() {
    let serving = Serving::start(&[]);
    let mut client = Live::start(serving.client(&["run", "--json", "hi"]));
    let started: Value = serde_json::from_str(&client.line_with("\"started\"")).unwrap();
    let operation = started["operation"].as_str().unwrap();
    client.line_with("\"connected\"");
    client.stop_reading();
    let event =
        json!({ "type": "step_start", "stepIndex": 0, "operationId": operation, "data": {} });
    let body = json!({ "operationId": operation, "event": event });
    assert_eq!(serving.push("push-event", &body).0, 200);
    let left = client.left();
    assert_eq!((left.code, left.stderr.as_str()), (Some(130), ""));
    // The server has taken the stop; it has its own time to carry it out.
    let status = || {
        serving
            .call("GET", &format!("status?operationId={operation}"), "")
            .1
    };
    until(|| status().contains("\"interrupted\""));
}

#[cfg(unix)]
#[test]
fn r7_a_watcher_that_leaves_leaves_the_run_going_and_does_not_say_completed() {
    let serving = Serving::start(&[]);
    let mut client = Live::start(serving.client(&["run", "--json", "hi"]));
    let started: Value = serde_json::from_str(&client.line_with("\"started\"")).unwrap();
    let operation = started["operation"].as_str().unwrap();
    let topic = started["topic"].as_str().unwrap();
    let mut watcher =
        Live::start(serving.client(&["attach", "--json", operation, "--topic", topic]));
    watcher.line_with("\"connected\"");
    watcher.signal("INT");
    let left = watcher.left();
    assert_eq!(left.code, Some(130), "{}", left.stderr);
    assert!(left.stderr.contains("the run goes on"), "{}", left.stderr);
    let (_, status) = serving.call("GET", &format!("status?operationId={operation}"), "");
    assert!(status.contains("\"running\""), "{status}");
}

#[test]
fn r7_attach_needs_a_server() {
    crate::program::run(&["attach", "op_1"]).complains(2, &["attach", "--server"]);
}

#[test]
fn a_wrong_key_is_not_accepted() {
    let serving = Serving::start(&[]);
    let left = crate::program::run(&[
        "run",
        "hi",
        "--server",
        serving.text("api"),
        "--api-key",
        "sk-lh-wrong",
    ]);
    left.complains(3, &[serving.text("api"), "401"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_frees_its_port() {
    let serving = Serving::start(&[]);
    let address = serving
        .text("gateway")
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    serving.live.signal("INT");
    let left = serving.live.left();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    std::net::TcpListener::bind(address).unwrap();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    crate::program::run(&["serve", "--listen", &address]).complains(2, &[&address, "listen"]);
}
