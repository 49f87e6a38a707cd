use serde::{Deserialize, Serialize};

use super::heartbeat::Connected;
use crate::canonical::Canon;
use crate::context::Context;
use crate::fences::DialId;
use crate::timers::{Timer, TimerSet};

/// Where one attempt after the other stands. Which timer runs follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Link {
    /// No socket, and no attempt due by itself: a token is wanted first.
    #[default]
    Idle,
    /// No socket; `Timer::Backoff` says when the next attempt starts.
    BackingOff,
    /// No socket; `Timer::NotBefore` says when the same token is tried again (S7).
    AwaitingNotBefore,
    /// `Timer::Dial` runs.
    Dialing { dial: DialId },
    /// `Timer::Authentication` runs.
    Authenticating { dial: DialId },
    /// Its own timers run.
    Connected(Connected),
}

impl Link {
    /// The dial whose facts count now (C13).
    pub(super) fn current(&self) -> Option<DialId> {
        match self {
            Self::Idle | Self::BackingOff | Self::AwaitingNotBefore => None,
            Self::Dialing { dial } | Self::Authenticating { dial } => Some(*dial),
            Self::Connected(connected) => Some(connected.dial),
        }
    }

    pub(super) fn connected(&self) -> Option<&Connected> {
        if let Self::Connected(connected) = self {
            return Some(connected);
        }
        None
    }

    pub(super) fn connected_mut(&mut self) -> Option<&mut Connected> {
        if let Self::Connected(connected) = self {
            return Some(connected);
        }
        None
    }

    pub(super) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        match self {
            Self::Idle | Self::BackingOff | Self::AwaitingNotBefore => {}
            Self::Dialing { dial } | Self::Authenticating { dial } => canon.dial(dial),
            Self::Connected(connected) => connected.canonicalize(canon),
        }
    }

    /// Which timers it implies. With `probes`, a probe is out, and its bound stands for that on silence (C5).
    pub(super) fn expects(&self, probes: bool) -> TimerSet {
        match self {
            Self::Idle => TimerSet::default(),
            Self::Dialing { .. } => const { TimerSet::of(&[Timer::Dial]) },
            Self::Authenticating { .. } => const { TimerSet::of(&[Timer::Authentication]) },
            Self::BackingOff => const { TimerSet::of(&[Timer::Backoff]) },
            Self::AwaitingNotBefore => const { TimerSet::of(&[Timer::NotBefore]) },
            Self::Connected(_) if probes => {
                const { TimerSet::of(&[Timer::Heartbeat, Timer::Probe]) }
            }
            Self::Connected(_) => const { TimerSet::of(&[Timer::Heartbeat, Timer::Silence]) },
        }
    }
}

/// No timer of any link runs any more.
pub(super) fn clear_timers(context: &mut Context<'_>) {
    for timer in [
        Timer::Dial,
        Timer::Authentication,
        Timer::Heartbeat,
        Timer::Silence,
        Timer::Probe,
        Timer::Backoff,
        Timer::NotBefore,
    ] {
        context.disarm(timer);
    }
}
