//! The alarm contract: one alarm, told last and only when it changes; a ring is always answered, and early, late and
//! needless ones do no harm. The stage checks the needless ring after every step of every test.

use agent_gateway_machine::{Alarm, Effect, Event, EventKind, State, Timer, Timestamp};

use super::stage::*;

fn alarms(stage: &Stage) -> Vec<Option<(u64, Timer)>> {
    let alarms = stage.effects.iter().filter_map(|effect| match effect {
        Effect::SetAlarm(alarm) => Some(alarm.map(|alarm| (alarm.at.as_millis(), alarm.timer))),
        _ => None,
    });
    alarms.collect()
}

#[test]
fn alarm_is_the_last_effect_and_names_the_earliest_deadline() {
    let mut stage = Stage::idle();
    stage.execute(execute());
    let at = Timestamp::from_millis(120_000);
    let timer = Timer::StartDeadline;
    let last = stage.effects.iter().last().cloned();
    assert_eq!(last, Some(Effect::SetAlarm(Some(Alarm { at, timer }))));
    let stage = stage.started();
    assert_eq!(alarms(&stage), [Some((15_000, Timer::Dial))]);
}

#[test]
fn alarm_is_told_again_only_when_it_changes() {
    let mut stage = Stage::connected();
    for id in 1..100 {
        stage.wire(&chunk(id));
        assert_eq!(
            stage.effects.len(),
            1,
            "a chunk is handed on, and nothing else"
        );
    }
}

#[test]
fn alarm_rung_early_is_only_told_again() {
    let mut stage = Stage::dialing();
    stage.pass(14_999);
    assert_eq!(stage.ring(), [""; 0]);
    assert_eq!(alarms(&stage), [Some((15_000, Timer::Dial))]);
}

#[test]
fn alarm_rung_late_fires_what_was_due() {
    let mut stage = Stage::dialing();
    let lines = stage.sleep(1_000_000);
    assert_eq!(lines[0], "close_connection dial#1 1000");
    assert!(
        stage
            .alarm()
            .is_some_and(|(at, timer)| at > 1_000_000 && timer == Timer::Backoff)
    );
}

#[test]
fn alarm_rung_with_nothing_to_wait_for_is_harmless() {
    let mut stage = Stage::idle();
    assert_eq!(stage.ring(), [""; 0]);
    stage.detach();
    assert_eq!(stage.ring(), [""; 0]);
    assert_eq!(alarms(&stage), [None]);
}

#[test]
fn alarm_is_unset_once_the_run_has_settled() {
    let mut stage = Stage::connected();
    stage.detach();
    assert_eq!(alarms(&stage), [None]);
    assert_eq!(stage.alarm(), None);
}

#[test]
fn alarm_time_only_grows_and_an_earlier_reading_counts_as_the_latest() {
    let mut stage = Stage::dialing();
    stage.pass(10_000);
    stage.wire_on(9, HEARTBEAT_ACK);
    stage.feed_event(Event::new(Timestamp::ZERO, EventKind::Stop));
    let interrupt = stage.alarm();
    assert_eq!(interrupt, Some((15_000, Timer::Dial)));
    stage.wait(5_000);
    assert!(
        stage
            .wait(5_000)
            .iter()
            .any(|line| line == "stop_failed no answer")
    );
}

#[test]
fn alarm_at_the_far_end_of_time_ends_nothing_early() {
    let mut stage = Stage::connected();
    stage.pass(u64::MAX);
    stage.pause();
    stage.feed_event(Event::new(Timestamp::ZERO, EventKind::ReadingResumed));
    stage.ring();
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c5_a_connected_state_without_its_clocks_is_refused() {
    let mut probed = Stage::connected();
    probed.sleep(200_000);
    let states = [
        (Stage::connected(), Timer::Heartbeat),
        (Stage::connected(), Timer::Silence),
        (probed, Timer::Probe),
    ];
    for (stage, timer) in states {
        assert_eq!(stage.state().check(), Ok(()));
        let mut stored = serde_json::to_value(stage.state()).expect("a state can be written");
        stored["kit"]["timers"]["deadlines"][timer as usize] = serde_json::Value::Null;
        let error = serde_json::from_value::<State>(stored).expect_err("it is damaged");
        assert!(
            error.to_string().contains("does not run"),
            "{timer:?}: {error}"
        );
    }
}

#[test]
fn c5_a_connected_state_with_a_probe_beside_its_clocks_is_refused() {
    let stage = Stage::connected();
    let mut stored = serde_json::to_value(stage.state()).expect("a state can be written");
    stored["kit"]["timers"]["deadlines"][Timer::Probe as usize] = 10_000.into();
    let error = serde_json::from_value::<State>(stored).expect_err("it is damaged");
    assert!(error.to_string().contains("runs while"), "{error}");
}
