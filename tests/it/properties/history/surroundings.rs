//! The clock, the store, the network and the caller.

use agent_gateway_machine::{EventKind, Network, State, ToolAnswer};
use agent_gateway_sim::invariant::Violation;

use super::{History, call};

impl History {
    /// The alarm, on time, early, late, or for no reason at all.
    pub(super) fn ring(&mut self, argument: u32) -> Result<(), Violation> {
        match (argument % 16, self.alarm) {
            (0..=11, Some(alarm)) => self.now = self.now.max(alarm.as_millis()),
            (12..=13, Some(alarm)) => {
                self.now = self.now.max(alarm.as_millis()) + u64::from(argument % 300_000);
            }
            (14, Some(_)) => self.now += u64::from(argument % 100),
            _ => {}
        }
        self.happen(EventKind::AlarmRang)
    }

    pub(super) fn advance(&mut self, millis: u64) -> Result<(), Violation> {
        self.now += millis;
        match self.alarm {
            Some(alarm) if alarm.as_millis() <= self.now => self.happen(EventKind::AlarmRang),
            _ => Ok(()),
        }
    }

    pub(super) fn jump(&mut self, argument: u32) -> Result<(), Violation> {
        if argument & 1 == 0 {
            self.now += u64::from(argument) * 1_000;
        } else {
            // A clock that goes back counts as one that stands still.
            self.now = self.now.saturating_sub(u64::from(argument % 10_000));
        }
        self.happen(EventKind::AlarmRang)
    }

    pub(super) fn answer_tool(&mut self, argument: u32) -> Result<(), Violation> {
        self.happen(EventKind::AnswerTool {
            call: call(argument),
            answer: ToolAnswer::success(format!("answer {argument}")).into(),
        })
    }

    /// The state is stored, and woken by other hands with another clock.
    pub(super) fn restore(&mut self, argument: u32) -> Result<(), Violation> {
        let state = self
            .state
            .take()
            .expect("between two steps there is a state");
        let stored = serde_json::to_string(&state).expect("a state can be written");
        let woken: State = serde_json::from_str(&stored).expect("and read");
        assert_eq!(woken, state, "a stored state comes back equal");
        self.state = Some(woken);
        self.now = u64::from(argument % 1_000_000);
        self.dial = None;
        self.requests.clear();
        self.alarm = None;
        self.paused = false;
        self.offline = false;
        let token = self.grant_sometimes(argument >> 3);
        self.happen(EventKind::Restored { token })
    }

    pub(super) fn pause(&mut self) -> Result<(), Violation> {
        self.paused = !self.paused;
        self.happen(if self.paused {
            EventKind::ReadingPaused
        } else {
            EventKind::ReadingResumed
        })
    }

    pub(super) fn change_network(&mut self) -> Result<(), Violation> {
        self.offline = !self.offline;
        self.happen(EventKind::NetworkChanged(if self.offline {
            Network::Offline
        } else {
            Network::Online
        }))
    }
}
