//! C1–C7, C12–C15: one socket at a time, for one operation.

use agent_gateway_machine::{
    Attach, Close, Config, ConfigError, DialFailureKind, DialId, Event, EventKind, Execute,
    FrameProblem, Millis, Network, Renewal, Rule, State, Timer, Timestamp,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, ServerFrame, ServerUrl};
use serde_json::json;

use super::stage::*;

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
    let insecure = State::new(config("ws://gateway.example"), 1);
    let refused = ConfigError::InsecureGateway("ws://gateway.example".into());
    assert_eq!(
        insecure.map(|_| ()).map_err(|error| error.to_string()),
        Err(refused.to_string())
    );
    let mut allowed = config("ws://gateway.example");
    allowed.allow_insecure = true;
    assert!(State::new(allowed, 1).is_ok());
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
fn c5_heartbeats_go_out_every_thirty_seconds() {
    let mut stage = Stage::connected();
    for _ in 0..5 {
        assert_eq!(
            stage
                .wait(30_000)
                .iter()
                .filter(|line| line.ends_with("heartbeat"))
                .count(),
            1
        );
        assert_eq!(stage.wire(HEARTBEAT_ACK), [""; 0]);
    }
}

#[test]
fn c5_silence_past_three_beats_and_a_margin_is_a_redial() {
    let mut stage = Stage::connected();
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(
        stage.wait(1),
        [
            "close_connection dial#1 1000",
            "status_changed reconnecting",
            "reconnect_scheduled in 781 ms: the gateway has gone silent"
        ]
    );
}

#[test]
fn c5_any_frame_is_a_sign_of_life() {
    let frames = [
        HEARTBEAT_ACK.to_owned(),
        chunk(1),
        r#"{"type":"unheard_of"}"#.to_owned(),
        resume_complete("running"),
    ];
    for frame in frames {
        let mut stage = Stage::connected();
        stage.wait(99_000);
        stage.wire(&frame);
        stage.wait(99_999);
        assert_eq!(stage.connection(), "connected", "{frame}");
        stage.wait(1);
        assert_eq!(stage.connection(), "reconnecting", "{frame}");
    }
    let mut stage = Stage::connected();
    stage.wait(99_000);
    stage.reject(FrameProblem::Binary);
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
}

#[test]
fn c5_a_frame_that_is_arriving_is_a_sign_of_life() {
    let mut stage = Stage::connected();
    let lines = stage.arriving_for(300);
    assert_eq!(lines, vec!["dial#1 ▶ heartbeat"; 10]);
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_frame_that_is_arriving_answers_a_probe() {
    let mut stage = Stage::connected();
    stage.sleep(120_001);
    stage.status("running");
    stage.wait(9_999);
    assert_eq!(stage.arriving(), [""; 0]);
    stage.wait(90_000);
    assert_eq!(stage.connection(), "connected");
}

/// Answers to `auth` are short: what is arriving before them is none.
#[test]
fn c5_before_auth_success_a_frame_that_is_arriving_is_no_sign_of_life() {
    let mut stage = Stage::dialing().opened();
    stage.wait(9_999);
    assert_eq!(stage.arriving(), ["ignored: before auth_success"]);
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
    assert_eq!(stage.arriving(), ["ignored: dial#1 is not current"]);
}

#[test]
fn c5_a_beat_that_rings_late_probes_and_drops_what_does_not_answer() {
    let mut stage = Stage::connected();
    let lines = stage.sleep(120_001);
    assert_eq!(lines, ["request#2 ▶ ask_status op_1", "dial#1 ▶ heartbeat"]);
    stage.status("running");
    assert_eq!(stage.alarm(), Some((130_001, Timer::Probe)));
    let lines = stage.wait(10_000);
    assert_eq!(lines[0], "close_connection dial#1 1000");
    assert!(lines[2].ends_with("the gateway did not answer a probe"));
}

#[test]
fn c5_a_probe_that_is_answered_at_once_keeps_the_connection() {
    let mut stage = Stage::connected();
    stage.sleep(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    stage.status("running");
    assert_eq!(stage.wait(10_000), [""; 0]);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wait(30_000)[0], "dial#1 ▶ heartbeat");
}

#[test]
fn c5_what_came_before_the_probe_is_no_answer_to_it() {
    let mut stage = Stage::connected();
    stage.pass(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    stage.ring();
    stage.wait(10_000);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_second_sleep_after_the_answer_probes_again() {
    let mut stage = Stage::connected();
    stage.sleep(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    let lines = stage.sleep(3_600_000);
    assert!(lines.contains(&"dial#1 ▶ heartbeat".to_owned()));
    stage.wait(9_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_while_reading_is_paused_the_clocks_stand_still_and_beats_go_on() {
    let mut stage = Stage::connected();
    stage.wait(90_000);
    stage.pause();
    let lines = stage.wait(3_600_000);
    assert_eq!(lines, vec!["dial#1 ▶ heartbeat"; 120]);
    stage.resume_reading();
    stage.wait(9_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_pause_stops_the_clocks_of_dial_and_auth_too() {
    let mut stage = Stage::dialing();
    stage.pause();
    assert_eq!(stage.wait(600_000), [""; 0]);
    stage.open();
    assert_eq!(stage.wait(600_000), [""; 0]);
    assert_eq!(stage.resume_reading(), [""; 0]);
    assert_eq!(stage.resume_reading(), ["ignored: no change"]);
    assert_eq!(stage.wait(9_999), [""; 0]);
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
}

#[test]
fn c5_what_comes_during_a_pause_is_not_heard_ahead_of_time() {
    let mut stage = Stage::dialing();
    stage.pause();
    stage.wait(600_000);
    let mut stage = stage.authenticated().resumed();
    stage.resume_reading();
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
}

/// How long each attempt waits: the steps double, with jitter below, up to the cap.
#[test]
fn c6_backoff_doubles_with_jitter_up_to_its_cap() {
    let mut stage = Stage::connected();
    stage.cut();
    let mut step: u64 = 1_000;
    for _ in 0..12 {
        let waited = stage.wait_for_dial();
        assert!((step / 2..=step).contains(&waited), "{waited} of {step}");
        stage.fail_dial(DialFailureKind::Unreachable);
        step = (step * 2).min(30_000);
    }
}

#[test]
fn c6_the_same_seed_gives_the_same_delays() {
    let delays = || {
        let mut stage = Stage::connected();
        stage.cut();
        (0..8)
            .map(|_| {
                let waited = stage.wait_for_dial();
                stage.fail_dial(DialFailureKind::Unreachable);
                waited
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(delays(), delays());
}

#[test]
fn c6_progress_resets_and_a_socket_that_merely_opened_does_not() {
    let waited_after = |frames: &[String], stay: u64| {
        let mut stage = Stage::connected();
        for _ in 0..4 {
            stage.cut();
            stage.wait_for_dial();
            stage.open();
            stage.wire(AUTH_SUCCESS);
        }
        for frame in frames {
            stage.wire(frame);
        }
        stage.wait(stay);
        stage.cut();
        stage.wait_for_dial()
    };
    assert!((8_000..=16_000).contains(&waited_after(&[], 0)));
    assert!((8_000..=16_000).contains(&waited_after(&[resume_complete("running")], 9_999)));
    assert!((500..=1_000).contains(&waited_after(&[chunk(1)], 0)));
    assert!((500..=1_000).contains(&waited_after(&[], 10_000)));
}

#[test]
fn c6_five_failed_attempts_before_the_first_auth_success_and_no_bound_after_it() {
    let mut stage = Stage::dialing();
    for _ in 0..4 {
        stage.fail_dial(DialFailureKind::Unreachable);
        stage.wait_for_dial();
    }
    stage.fail_dial(DialFailureKind::Unreachable);
    assert_eq!(stage.outcome(), Some("connection_lost"));
    let mut stage = Stage::connected();
    stage.cut();
    for _ in 0..100 {
        stage.wait_for_dial();
        stage.fail_dial(DialFailureKind::Unreachable);
    }
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c6_the_later_budget_counts_from_the_first_auth_success() {
    let mut stage = Stage::with(|limits| limits.later_attempts = Some(2))
        .executed()
        .started();
    for _ in 0..4 {
        stage.fail_dial(DialFailureKind::Unreachable);
        stage.wait_for_dial();
    }
    let mut stage = stage.authenticated();
    stage.cut();
    assert_eq!(stage.outcome(), None);
    stage.wait_for_dial();
    stage.fail_dial(DialFailureKind::Unreachable);
    assert_eq!(stage.outcome(), Some("connection_lost"));
}

#[test]
fn c7_a_close_without_a_terminal_is_a_visible_reconnect_clean_or_not() {
    for code in [1000, 1001, 1005, 1006, 1011, 1012, 1013, 3000, 4321] {
        let mut stage = Stage::connected();
        let lines = stage.close(code);
        assert_eq!(lines[0], "status_changed reconnecting");
        assert!(lines[1].starts_with("reconnect_scheduled in "), "{code}");
    }
    let mut stage = Stage::connected();
    assert_eq!(stage.cut()[1], "reconnect_scheduled in 781 ms: cut");
}

#[test]
fn c7_a_violation_reconnects_once_and_is_then_over() {
    let violations = [1002, 1003, 1007, 1008, 1009].map(|code| Close::Closed {
        code: Some(agent_gateway_protocol::CloseCode(code)),
        reason: "".into(),
    });
    let too_big = Close::Violation {
        text: "too big".into(),
    };
    for close in violations.into_iter().chain([too_big]) {
        let mut stage = Stage::connected();
        stage.end_socket(close.clone());
        assert_eq!(stage.connection(), "reconnecting");
        stage.wait_for_dial();
        let mut stage = stage.authenticated();
        let lines = stage.end_socket(close);
        assert_eq!(
            lines[..2],
            [
                "status_changed disconnected",
                "run_ended protocol_violation"
            ]
        );
    }
}

#[test]
fn c12_what_is_no_frame_is_one_counted_warning_of_its_sort() {
    let mut stage = Stage::connected();
    let warning = "warning_raised ";
    assert_eq!(
        stage.reject(FrameProblem::Malformed),
        [format!("{warning}Malformed")]
    );
    assert_eq!(stage.reject(FrameProblem::Malformed), [""; 0]);
    assert_eq!(
        stage.reject(FrameProblem::Binary),
        [format!("{warning}Binary")]
    );
    let unknown = r#"{"type":"from_the_future","id":"1","x":1}"#;
    assert_eq!(
        stage.wire(unknown),
        [format!("{warning}unknown frame from_the_future")]
    );
    assert_eq!(stage.wire(r#"{"type":"another"}"#), [""; 0]);
    assert_eq!(stage.state().receipt().warnings, 5);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
}

#[test]
fn c12_unknown_events_are_handed_on_raw_and_missing_members_do_no_harm() {
    let mut stage = Stage::connected();
    assert_eq!(
        stage.wire(&event(1, "from_the_future", json!({ "x": [1] }))),
        ["event_received from_the_future {\"x\":[1]} at 1"]
    );
    let bare = r#"{"type":"agent_event","id":"2","event":{"type":"agent_runtime_init"}}"#;
    assert_eq!(stage.wire(bare), ["event_received agent_runtime_init at 2"]);
    let strange = event(3, "tool_execute", json!("not an object"));
    assert_eq!(
        stage.wire(&strange),
        ["event_received tool_execute \"not an object\" at 3"]
    );
    let null = event(4, "tool_end", json!(null));
    assert_eq!(stage.wire(&null), ["event_received tool_end at 4"]);
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c13_answers_to_anything_not_current_change_nothing() {
    let mut stage = Stage::streamed(1).redialled();
    let before = stage.state().cursor().cloned();
    assert_eq!(
        stage.wire_on(1, &end(2, "done")),
        ["ignored: dial#1 is not current"]
    );
    assert_eq!(stage.state().cursor().cloned(), before);
    let dial = DialId(1);
    let close = Close::Lost {
        text: "late".into(),
    };
    let stale = ["ignored: dial#1 is not current"];
    assert_eq!(
        stage.feed(EventKind::ConnectionClosed { dial, close }),
        stale
    );
    assert_eq!(stage.feed(EventKind::ConnectionOpened { dial }), stale);
    assert_eq!(stage.open(), ["ignored: dial#2 is open already"]);
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["ignored: request#1 is not outstanding"]
    );
    assert_eq!(stage.connection(), "connected");
}

#[test]
fn c13_an_answer_of_the_wrong_kind_counts_as_none() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    let lines = stage.reply("refresh_token", agent_gateway_machine::Reply::MarkerCleared);
    assert_eq!(
        lines[0],
        "ignored: not the kind of reply request#2 asked for"
    );
    assert!(lines[1].starts_with("refresh_delayed for "));
}

#[test]
fn c14_after_a_jump_every_due_timer_fires_once_and_there_is_one_attempt() {
    let mut stage = Stage::streamed(1);
    stage.wire(&tool_execute(2, "call_1", 60_000));
    stage.cut();
    let lines = stage.sleep(7 * 24 * 3_600_000);
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("tool_timed_out call_1"), 1);
    assert_eq!(count("ask_status"), 1);
    assert_eq!(count("refresh_token"), 1, "the token has aged (S10)");
    assert_eq!(count("open_connection"), 0);
    assert_eq!(
        stage
            .issue()
            .iter()
            .filter(|line| line.contains("open_connection"))
            .count(),
        1
    );
}

#[test]
fn c14_a_reading_earlier_than_the_latest_counts_as_the_latest() {
    let mut stage = Stage::connected();
    stage.wait(20_000);
    stage.ring();
    let call = |at| {
        let frame = ServerFrame::decode(&tool_execute(1, "call_1", 60_000)).expect("a frame");
        let dial = DialId(1);
        Event::new(
            Timestamp::from_millis(at),
            EventKind::FrameReceived { dial, frame },
        )
    };
    let mut set_back = stage.clone();
    stage.feed_event(call(20_000));
    set_back.feed_event(call(2_000));
    assert_eq!(set_back.state(), stage.state());
    assert!(set_back.effects.rules().contains(Rule::C14));
    assert!(!stage.effects.rules().contains(Rule::C14));
}

#[test]
fn c15_network_is_back_skips_the_backoff_at_most_once_a_second() {
    let mut stage = Stage::connected();
    stage.cut();
    assert_eq!(stage.network(Network::Online), ["ignored: no change"]);
    stage.network(Network::Offline);
    let lines = stage.network(Network::Online);
    assert!(lines[0].starts_with("open_connection dial#2"));
    stage.fail_dial(DialFailureKind::Unreachable);
    stage.network(Network::Offline);
    stage.wait(300);
    assert_eq!(stage.network(Network::Online), [""; 0]);
    assert_eq!(stage.wait_for_dial(), 700);
}

#[test]
fn c15_a_wait_that_has_begun_when_the_network_goes_is_as_long_as_it_gets() {
    let mut stage = Stage::connected();
    stage.cut();
    let lines = stage.network(Network::Offline);
    assert_eq!(
        lines,
        ["reconnect_scheduled in 30000 ms: the network is gone"]
    );
    assert_eq!(stage.wait_for_dial(), 30_000);
}

#[test]
fn c15_a_pause_between_two_tries_for_a_token_is_as_long_as_it_gets_when_the_network_goes() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", unreachable());
    let lines = stage.network(Network::Offline);
    assert_eq!(lines, ["refresh_delayed for 30000 ms: refused"]);
    stage.wait(29_999);
    let lines = stage.wait(1);
    let last = lines.last().expect("a request");
    assert!(last.ends_with("refresh_token of tpc_1"), "{lines:?}");
}

#[test]
fn c15_while_the_network_is_gone_dials_go_at_the_cap_and_spend_no_budget() {
    let mut stage = Stage::dialing();
    stage.network(Network::Offline);
    for _ in 0..20 {
        let lines = stage.fail_dial(DialFailureKind::Unreachable);
        assert_eq!(
            lines.last().map(String::as_str),
            Some("reconnect_scheduled in 30000 ms: no")
        );
        assert_eq!(stage.wait_for_dial(), 30_000);
    }
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c15_a_woken_state_has_a_network_as_far_as_it_knows() {
    let mut stage = Stage::connected();
    stage.network(Network::Offline);
    let token = stage.token();
    stage.restore(5, Some(token));
    let lines = stage.fail_dial(DialFailureKind::Unreachable);
    assert_eq!(lines, ["reconnect_scheduled in 781 ms: no"]);
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

#[test]
fn d7_a_socket_that_opens_and_closes_again_and_again_backs_off_and_is_given_up() {
    let mut stage = Stage::dialing();
    let mut delays = Vec::new();
    for _ in 0..4 {
        stage.open();
        stage.close(1000);
        delays.push(stage.wait_for_dial());
    }
    for (delay, step) in delays.iter().zip([1_000, 2_000, 4_000, 8_000]) {
        assert!((step / 2..=step).contains(delay), "{delays:?}");
    }
    stage.open();
    stage.close(1000);
    assert_eq!(stage.outcome(), Some("connection_lost"));
}

#[test]
fn c1_without_a_gateway_nothing_begins() {
    let mut stage = Stage::configured(Config::new(None));
    let lines = stage.execute(Execute::new(ExecAgent::default()));
    assert_eq!(lines, ["run_ended start_failed"]);
    assert!(stage.state().is_settled());
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
