//! C1–C4: where to dial, and what is said until frames flow.

use agent_gateway_machine::{
    Attach, Config, ConfigError, DialFailureKind, EventKind, Execute, Millis, Renewal, State,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, ServerUrl};
use serde_json::json;

use crate::rules::stage::*;

fn config(gateway: &str) -> Config {
    Config::new(Some(GatewayUrl::parse(gateway).expect("a gateway's URL")))
}

#[test]
fn c1_the_socket_url_is_made_of_any_base_url() {
    let urls = [
        ("https://gateway.example", "wss://gateway.example/ws"),
        ("wss://gateway.example/", "wss://gateway.example/ws"),
        (
            "https://gateway.example/a/b//",
            "wss://gateway.example/a/b/ws",
        ),
        ("http://localhost:8787", "ws://localhost:8787/ws"),
        ("ws://127.0.0.1:1/x", "ws://127.0.0.1:1/x/ws"),
    ];
    for (base, url) in urls {
        let mut stage = Stage::configured(config(base)).executed();
        let reply = stage.start_reply();
        let lines = stage.reply("start_run", reply);
        assert!(lines.contains(&format!("open_connection dial#1 {url}?operationId=op_1")));
    }
}

#[test]
fn c1_the_operation_is_percent_encoded() {
    let mut stage = Stage::idle();
    let mut attach = Attach::new("op/ü 1&x".into(), None);
    attach.token = Some(stage.token());
    assert_eq!(
        stage.attach(attach),
        [
            "topic_status_changed running",
            "open_connection dial#1 wss://gateway.example/ws?operationId=op%2F%C3%BC%201%26x",
            "status_changed connecting"
        ]
    );
}

#[test]
fn c1_anything_else_is_refused_before_the_first_dial() {
    for base in ["", "gateway.example", "ftp://gateway.example", "https://"] {
        assert!(GatewayUrl::parse(base).is_err(), "{base}");
    }
    for elsewhere in ["ws://gateway.example", "ws://gateway.localhost"] {
        let insecure = State::new(config(elsewhere), 1);
        let refused = ConfigError::InsecureGateway(elsewhere.into());
        assert_eq!(
            insecure.map(|_| ()).map_err(|error| error.to_string()),
            Err(refused.to_string())
        );
    }
    let mut allowed = config("ws://gateway.example");
    allowed.allow_insecure = true;
    assert!(State::new(allowed, 1).is_ok());
}

#[test]
fn c1_without_a_gateway_nothing_begins() {
    let mut stage = Stage::configured(Config::new(None));
    let lines = stage.execute(Execute::new(ExecAgent::default()));
    assert_eq!(lines, ["run_ended start_failed"]);
    assert!(stage.state().is_settled());
}

#[test]
fn c2_a_dial_and_an_auth_that_take_too_long_are_failed_attempts() {
    let mut stage = Stage::dialing();
    assert_eq!(stage.wait(14_999), [""; 0]);
    assert_eq!(
        stage.wait(1),
        [
            "close_connection dial#1 1000",
            "status_changed reconnecting",
            "reconnect_scheduled in 781 ms: the gateway did not open the socket in time"
        ]
    );
    stage.wait_for_dial();
    stage.open();
    assert_eq!(stage.wait(9_999), [""; 0]);
    let lines = stage.wait(1);
    assert_eq!(lines[0], "close_connection dial#2 1000");
    assert!(lines[2].ends_with("the gateway did not answer auth in time"));
}

#[test]
fn c2_what_stands_before_a_gateway_that_was_reached_once_ends_no_run() {
    for kind in [DialFailureKind::TlsIdentity, DialFailureKind::Http(404)] {
        let mut stage = Stage::connected();
        stage.cut();
        stage.wait_for_dial();
        let lines = stage.fail_dial(kind);
        assert!(lines[0].starts_with("reconnect_scheduled"), "{lines:?}");
    }
}

#[test]
fn c2_some_dial_failures_are_over_at_once_and_the_others_are_failed_attempts() {
    use DialFailureKind::{Http, Protocol, Tls, TlsIdentity, Unreachable};
    for kind in [
        TlsIdentity,
        Http(400),
        Http(401),
        Http(403),
        Http(404),
        Http(499),
    ] {
        let mut stage = Stage::dialing();
        assert_eq!(
            stage.fail_dial(kind),
            [
                "status_changed disconnected",
                "run_ended connection_lost",
                "topic_status_changed active",
                "request#2 ▶ ask_status op_1"
            ]
        );
    }
    for kind in [
        Unreachable,
        Tls,
        Protocol,
        Http(408),
        Http(429),
        Http(500),
        Http(302),
    ] {
        let mut stage = Stage::dialing();
        assert_eq!(
            stage.fail_dial(kind),
            [
                "status_changed reconnecting",
                "reconnect_scheduled in 781 ms: no"
            ]
        );
    }
}

#[test]
fn c2_limits_at_their_least_do_not_spin() {
    let mut stage = Stage::with(|limits| {
        limits.dial_deadline = Millis(1);
        limits.authentication_deadline = Millis(1);
        limits.heartbeat_interval = Millis(1);
        limits.silent_beats = 1;
        limits.silence_margin = Millis(0);
        limits.sleep_threshold = Millis(0);
        limits.probe_deadline = Millis(1);
        limits.backoff_first = Millis(1);
        limits.backoff_cap = Millis(1);
        limits.seam_quiet = Millis(1);
        limits.resume_answer = Millis(1);
        limits.inquiry_interval = Millis(1);
        limits.unknown_interval = Millis(1);
    })
    .executed()
    .started()
    .authenticated();
    stage.wait(50);
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c3_auth_is_the_first_frame_and_nothing_else_goes_out_before_auth_success() {
    let mut stage = Stage::dialing();
    stage.feed(EventKind::Interrupt);
    assert_eq!(stage.sent(), [json!(null); 0]);
    assert_eq!(
        stage.open(),
        ["dial#1 ▶ auth token#1", "status_changed authenticating"]
    );
    assert_eq!(
        stage.sent(),
        [json!({ "type": "auth", "token": "token#1" })]
    );
    assert_eq!(
        stage.feed(EventKind::Interrupt),
        ["ignored: not authenticated"]
    );
    assert_eq!(stage.wait(9_999), [""; 0]);
}

#[test]
fn c3_what_comes_before_auth_success_is_ignored() {
    let mut stage = Stage::dialing().opened();
    for frame in [
        &chunk(1),
        &resume_complete("running"),
        &session_complete(1),
        HEARTBEAT_ACK,
    ] {
        assert_eq!(stage.wire(frame), ["ignored: before auth_success"]);
    }
    stage.wire(AUTH_SUCCESS);
    assert_eq!(stage.wire(AUTH_SUCCESS), ["ignored: authenticated already"]);
    assert_eq!(stage.wire(&chunk(1)), [handed(1)]);
}

#[test]
fn c3_an_api_key_says_its_type_and_its_server() {
    let mut config = config("wss://gateway.example");
    config.server = ServerUrl::parse("https://lobe.example").ok();
    let mut stage = Stage::configured(config);
    let key = stage.api_key();
    stage.execute(Execute {
        token: Some(key),
        renewal: Renewal::Never,
        ..execute()
    });
    let stage = stage.started().opened();
    let auth = json!({
        "type": "auth", "token": "token#1", "tokenType": "apiKey",
        "serverUrl": "https://lobe.example"
    });
    assert_eq!(stage.sent(), [auth]);
}

#[test]
fn c4_auth_success_resumes_and_then_sends_what_waits() {
    let mut stage = Stage::dialing().opened();
    assert_eq!(
        stage.wire(AUTH_SUCCESS),
        [
            "status_changed connected",
            "dial#1 ▶ resume from the beginning"
        ]
    );
    let resume = json!({ "type": "resume", "lastEventId": "", "wantStatus": true });
    assert_eq!(stage.sent(), [resume]);
    let mut stage = stage.resumed();
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.cut();
    stage.answer("call_1", "done");
    stage.wait_for_dial();
    stage.open();
    assert_eq!(
        stage.wire(AUTH_SUCCESS),
        [
            "status_changed connected",
            "dial#2 ▶ resume after 1",
            "dial#2 ▶ tool_result call_1 \"done\""
        ]
    );
}

#[test]
fn d6_auth_never_answered_is_a_failed_attempt_and_no_result_goes_out_before_auth() {
    let mut stage = Stage::streamed(0);
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.cut();
    stage.wait_for_dial();
    stage.open();
    assert_eq!(stage.answer("call_1", "done"), [""; 0]);
    let lines = stage.wait(10_000);
    assert_eq!(lines[0], "close_connection dial#2 1000");
    stage.wait_for_dial();
    stage.open();
    assert_eq!(
        stage.wire(AUTH_SUCCESS)[2],
        "dial#3 ▶ tool_result call_1 \"done\""
    );
}
