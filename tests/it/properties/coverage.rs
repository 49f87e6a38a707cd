//! What random histories reach: a property that never sees a state says nothing about it.

use std::collections::BTreeSet;

use agent_gateway_machine::recording::Step;
use agent_gateway_machine::{Effect, Notification, Rule, Rules, Timer};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::STEPS;
use super::history::{Beginning, History};

/// Enough to reach the rarest thing below several times.
const HISTORIES: usize = 20_000;

#[derive(Default)]
struct Reached {
    outcomes: BTreeSet<&'static str>,
    notifications: BTreeSet<&'static str>,
    calls: BTreeSet<&'static str>,
    ignored: BTreeSet<String>,
    timers: BTreeSet<Timer>,
    rules: Rules,
}

#[test]
fn random_histories_reach_every_outcome_notification_call_reason_and_rule() {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    });
    let strategy = vec(any::<u32>(), 1..=STEPS);
    let mut reached = Reached::default();
    for index in 0..HISTORIES {
        let words = strategy
            .new_tree(&mut runner)
            .expect("words can be made")
            .current();
        let beginning = if index % 2 == 0 {
            Beginning::Execute
        } else {
            Beginning::Attach
        };
        reached.live(beginning, &words);
    }
    assert_eq!(reached.outcomes, set(&OUTCOMES));
    assert_eq!(reached.notifications, set(&NOTIFICATIONS));
    assert_eq!(reached.calls, set(&CALLS));
    let ignored: BTreeSet<&str> = reached.ignored.iter().map(String::as_str).collect();
    assert_eq!(ignored, set(&IGNORED));
    assert_eq!(reached.timers, BTreeSet::from(Timer::ALL));
    assert_eq!(reached.rules, Rule::ALL.into_iter().collect());
}

impl Reached {
    fn live(&mut self, beginning: Beginning, words: &[u32]) {
        let mut history = History::begin(beginning, words[0], None).expect("invariants hold");
        for word in &words[1..] {
            history.act(*word).expect("invariants hold");
        }
        for Step { effects, .. } in &history.recording().steps {
            self.rules = self.rules.union(effects.rules());
            for effect in effects {
                self.note(effect);
            }
        }
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::Notify(notification) => {
                self.notifications.insert(notification.name());
                if let Notification::RunEnded { outcome, .. } = notification {
                    self.outcomes.insert(outcome.name());
                }
            }
            Effect::SendRequest { call, .. } => {
                self.calls.insert(call.name());
            }
            Effect::Ignored(why) => {
                let name = format!("{why:?}");
                let name = name.split('(').next().unwrap_or_default();
                self.ignored.insert(name.to_owned());
            }
            Effect::SetAlarm(Some(alarm)) => {
                self.timers.insert(alarm.timer);
            }
            _ => {}
        }
    }
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

/// Every outcome there is.
const OUTCOMES: [&str; 17] = [
    "attach_refused",
    "auth_lost",
    "completed",
    "connection_lost",
    "detached",
    "ended_unknown",
    "failed",
    "interrupted",
    "interrupted_unconfirmed",
    "parked",
    "protocol_violation",
    "refresh_failed",
    "start_failed",
    "start_unknown",
    "stopped",
    "stopped_server_unknown",
    "superseded",
];

/// Every notification there is.
const NOTIFICATIONS: [&str; 22] = [
    "answer_refused",
    "answer_undeliverable",
    "answer_withdrawn",
    "confirmation_requested",
    "event_received",
    "gap_found",
    "input_requested",
    "parent_retired",
    "reconnect_scheduled",
    "refresh_delayed",
    "run_ended",
    "run_started",
    "status_changed",
    "stop_accepted",
    "stop_failed",
    "token_refreshed",
    "tool_requested",
    "tool_settled",
    "tool_timed_out",
    "topic_created",
    "topic_status_changed",
    "warning_raised",
];

/// Every request there is.
const CALLS: [&str; 9] = [
    "ask_status",
    "clear_marker",
    "fetch_messages",
    "interrupt_run",
    "mint_token",
    "read_marker",
    "refresh_token",
    "settle_marker",
    "start_run",
];

/// Every reason for ignoring an event.
const IGNORED: [&str; 14] = [
    "AlreadyAuthenticated",
    "AlreadyBegun",
    "AlreadyEnded",
    "AlreadyOpen",
    "AlreadyStopping",
    "BeforeAuthentication",
    "Echo",
    "NoChange",
    "NotAuthenticated",
    "NotBegun",
    "StaleDial",
    "StaleRequest",
    "Suspended",
    "UnexpectedReply",
];
