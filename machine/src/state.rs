//! The state of one run.

use alloc::boxed::Box;
use alloc::sync::Arc;

use agent_gateway_protocol::{OperationId, TopicId};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::bookmark::Bookmark;
use crate::config::{Config, ConfigError};
use crate::context::{Kit, Told};
use crate::cursor::Cursor;
use crate::effect::{Alarm, Effect};
use crate::effects::Effects;
use crate::event::Network;
use crate::notification::ConnectionStatus;
use crate::outbox::Outbox;
use crate::outcome::Outcome;
use crate::receipt::Receipt;
use crate::run::Phase;
use crate::session::SessionStatus;
use crate::time::Timestamp;
use crate::version::Version;

/// One run, plain data, in a thin box.
///
/// It can be stored at any moment, mid-anything, and carried on elsewhere: load it, then feed it
/// [`Restored`](crate::EventKind::Restored) first. It holds no token. Store it as JSON, or in another format that describes
/// itself: its ids are numbers or texts. Stored, it names the version of its form: one that
/// this program does not know is refused with both numbers, and so is one that no run can be in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct State(pub(crate) Box<Core>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Core {
    version: Version,
    pub(crate) kit: Kit,
    pub(crate) phase: Phase,
}

impl<'de> Deserialize<'de> for State {
    /// What was stored may come from anywhere: it is as good as what a machine made, or it is refused (C1, I14).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = Self(Box::new(Core::deserialize(deserializer)?));
        state.check_stored().map_err(de::Error::custom)?;
        Ok(state)
    }
}

impl State {
    /// A run that has not begun. `seed` is that of its jitter: give each run another one. The config is shared by the
    /// state's clones, and may be by many runs.
    ///
    /// # Errors
    /// What the config cannot be.
    pub fn new(config: impl Into<Arc<Config>>, seed: u64) -> Result<Self, ConfigError> {
        let config = config.into();
        config.validate()?;
        Ok(Self(Box::new(Core {
            version: Version,
            kit: Kit::new(config, seed),
            phase: Phase::Idle,
        })))
    }

    /// The same run in a machine broken on purpose, for tests of tests.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn broken_by(mut self, mutation: crate::mutation::Mutation) -> Self {
        self.0.kit.mutation = Some(mutation);
        self
    }

    /// The connection's status.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.0.kit.published
    }

    /// What this run is doing, in one word: `idle`, `starting`, `attaching`, `streaming`, `settling` or `ended`.
    #[must_use]
    pub fn phase(&self) -> &'static str {
        match &self.0.phase {
            Phase::Idle => "idle",
            Phase::Starting(_) => "starting",
            Phase::Attaching(_) => "attaching",
            Phase::Streaming(_) => "streaming",
            Phase::Settling(_) => "settling",
            Phase::Ended(_) => "ended",
        }
    }

    /// How the session stands, while there is one: attaching or streaming.
    #[must_use]
    pub fn session(&self) -> Option<SessionStatus> {
        match &self.0.phase {
            Phase::Attaching(attaching) => Some(attaching.live.session_status()),
            Phase::Streaming(live) => Some(live.session_status()),
            Phase::Idle | Phase::Starting(_) | Phase::Settling(_) | Phase::Ended(_) => None,
        }
    }

    /// The run's operation, once known.
    #[must_use]
    pub fn operation(&self) -> Option<&OperationId> {
        match &self.0.phase {
            Phase::Idle => None,
            Phase::Starting(starting) => starting.started().map(|started| &started.operation),
            Phase::Attaching(attaching) => Some(&attaching.live.identity.operation),
            Phase::Streaming(live) => Some(&live.identity.operation),
            Phase::Settling(settling) => settling.ended().operation(),
            Phase::Ended(ended) => ended.operation(),
        }
    }

    /// The run's topic, once known.
    #[must_use]
    pub fn topic(&self) -> Option<&TopicId> {
        match &self.0.phase {
            Phase::Idle => None,
            Phase::Starting(starting) => starting.started()?.topic.as_ref(),
            Phase::Attaching(attaching) => attaching.live.identity.topic.as_ref(),
            Phase::Streaming(live) => live.identity.topic.as_ref(),
            Phase::Settling(settling) => settling.ended().topic(),
            Phase::Ended(ended) => ended.topic(),
        }
    }

    /// How the run ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.0.phase {
            Phase::Idle | Phase::Starting(_) | Phase::Attaching(_) | Phase::Streaming(_) => None,
            Phase::Settling(settling) => Some(&settling.ended().outcome),
            Phase::Ended(ended) => Some(&ended.outcome),
        }
    }

    /// The last frame passed in order, once there is a stream (C10).
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        match &self.0.phase {
            Phase::Idle | Phase::Starting(_) => None,
            Phase::Attaching(attaching) => Some(attaching.live.session.sequence.cursor()),
            Phase::Streaming(live) => Some(live.session.sequence.cursor()),
            Phase::Settling(settling) => Some(&settling.ended().cursor),
            Phase::Ended(ended) => Some(&ended.cursor),
        }
    }

    /// How far a caller has come that has dealt with everything it was told, once there is a stream.
    #[must_use]
    pub fn bookmark(&self) -> Option<Bookmark> {
        let (identity, outbox) = match &self.0.phase {
            Phase::Idle | Phase::Starting(_) => return None,
            Phase::Attaching(attaching) => (&attaching.live.identity, Some(&attaching.live.outbox)),
            Phase::Streaming(live) => (&live.identity, Some(&live.outbox)),
            Phase::Settling(settling) => (settling.ended().identity.as_ref()?, None),
            Phase::Ended(ended) => (ended.identity.as_ref()?, None),
        };
        Some(Bookmark {
            operation: identity.operation.clone(),
            topic: identity.topic.clone(),
            thread: identity.thread.clone(),
            cursor: self.cursor()?.clone(),
            executes_tools: outbox.is_some_and(Outbox::executes),
            open_calls: outbox.map(Outbox::open_calls).unwrap_or_default(),
        })
    }

    /// What has happened so far.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.0.kit.receipt
    }

    /// The config this run keeps to.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.kit.config
    }

    /// The alarm the hands were last told to keep.
    #[must_use]
    pub fn alarm(&self) -> Option<Alarm> {
        match self.0.kit.told {
            Told::Known(alarm) => alarm,
            Told::Nothing => None,
        }
    }

    /// Whether the run is over and nothing of it is outstanding: no socket, no request, no alarm (I3).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.0.phase, Phase::Ended(_))
    }
}

impl Core {
    /// A stored state was woken: its hands, and their clock, are new ones, and have been told nothing.
    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.kit.clock.carry_over(at);
        self.kit.told = Told::Nothing;
        // What the old host's network was like says nothing of the new one's.
        self.kit.network = Network::default();
        let now = self.kit.clock.now();
        self.kit.timers.resume(now);
    }

    /// The last effect of a list: when to ring next, if that is not what the hands know already.
    pub(crate) fn tell_alarm(&mut self, effects: &mut Effects) {
        let kit = &mut self.kit;
        if !kit.timers.take_changed() && kit.told != Told::Nothing {
            return;
        }
        let alarm = kit.timers.earliest().map(|(at, timer)| Alarm {
            at: kit.clock.outside(at),
            timer,
        });
        if kit.told != Told::Known(alarm) {
            kit.told = Told::Known(alarm);
            effects.push(Effect::SetAlarm(alarm));
        }
    }
}
