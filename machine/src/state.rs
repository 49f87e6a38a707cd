//! The state of one run.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use agent_gateway_protocol::{OperationId, TopicId};

use crate::config::{Config, ConfigError};
use crate::cursor::Cursor;
use crate::notification::ConnectionStatus;
use crate::outcome::Outcome;
use crate::receipt::Receipt;

/// One run, plain data: it can be stored at any moment and carried on elsewhere with `EventKind::Restored`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(pub(crate) Box<Core>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Core {
    config: Config,
    seed: u64,
}

impl State {
    /// A run that has not begun.
    ///
    /// # Errors
    /// What the config cannot be.
    pub fn new(config: Config, seed: u64) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self(Box::new(Core { config, seed })))
    }

    /// The connection's status.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        ConnectionStatus::Disconnected
    }

    /// The run's operation, once known.
    #[must_use]
    pub fn operation(&self) -> Option<&OperationId> {
        None
    }

    /// The run's topic, once known.
    #[must_use]
    pub fn topic(&self) -> Option<&TopicId> {
        None
    }

    /// How the run ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        None
    }

    /// What has happened so far.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        Receipt::default()
    }

    /// The last frame passed in order.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        None
    }

    /// Whether the run is over and nothing of it is outstanding (I3).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        false
    }

    /// What this state is doing, in one word: `idle`, `starting`, `attaching`, `streaming`, `settling` or `ended`.
    #[must_use]
    pub fn phase(&self) -> &'static str {
        "idle"
    }
}
