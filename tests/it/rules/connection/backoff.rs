//! C6, C7, C15: how a lost socket is tried again.

use agent_gateway_machine::{DialFailureKind, Network};

use crate::rules::stage::*;

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
    let waited = stage.wait_for_dial();
    assert!(waited >= 8_000, "the delay goes on: {waited}");
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
