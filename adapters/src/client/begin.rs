//! How a run begins: admitted among the client's others, then driven by a task of its own.

use std::sync::Arc;

use agent_gateway_machine::recording::Header;
use agent_gateway_machine::registry::RegistryEvent;
use agent_gateway_machine::{Bookmark, Config, EventKind, State};
use tracing::info_span;

use super::repositories::TakenAlong;
use super::runs::{Admission, Claim, Place};
use super::{Client, ClientError, RestoreError};
use crate::driver::{Driver, Mailbox, RunCommand, Task};
use crate::observer::Observer;
use crate::random::random;
use crate::run::Run;
use crate::vault::Vault;

impl Client {
    /// A state, and what watches it from its beginning.
    pub(super) fn prepare(&self, config: Config) -> Result<(State, Watchers), ClientError> {
        let seed = self.shared.seed.unwrap_or_else(random);
        let state = State::new(config.clone(), seed)?;
        let header = Header::new(config, seed);
        let observers = self.shared.watches.iter().map(|watch| watch());
        let observers = observers.collect::<Result<_, _>>();
        let observers = observers.map_err(ClientError::Observer)?;
        Ok((state, Watchers { header, observers }))
    }

    pub(super) fn begin(&self, begin: Begin) -> Result<Run, RestoreError> {
        let shared = &self.shared;
        let mailbox = Arc::new(Mailbox::new(shared.queue));
        let gateway = begin.state.config().gateway.clone();
        let admission = shared
            .runs
            .admit(gateway, begin.off.is_none(), begin.event, &mailbox);
        let admitted = match admission {
            Admission::Begin(run) => Ok(run),
            Admission::Owned(operation) => Err(ClientError::Owned(operation)),
            Admission::Off => Err(begin.off.unwrap_or(ClientError::NoGateway)),
        };
        let run = match admitted {
            Ok(run) => run,
            Err(why) => {
                let state = Box::new(begin.state);
                return Err(RestoreError { why, state });
            }
        };
        let claim = Claim {
            runs: shared.runs.clone(),
            run,
        };
        let place = Place {
            claim: claim.clone(),
            repositories: begin.repositories,
        };
        let span = info_span!("run", %run, command = begin.command.name());
        mailbox.command(RunCommand::tell(begin.command));
        let ended = begin.state.outcome().cloned();
        let ended = ended.map(|outcome| (outcome, begin.state.receipt()));
        let driver = Driver::new(
            begin.state,
            shared.hands.clone(),
            begin.vault,
            mailbox.clone(),
            begin.watchers.map(Watchers::begin).unwrap_or_default(),
            place,
        );
        tokio::spawn(Task::new(driver, span));
        Ok(Run::new(mailbox, begin.bookmark, ended, claim))
    }
}

/// Those who watch a run. They are told that it begins once it does: a run that is refused leaves nothing behind.
pub(super) struct Watchers {
    header: Header,
    observers: Vec<Box<dyn Observer>>,
}

impl Watchers {
    fn begin(mut self) -> Vec<Box<dyn Observer>> {
        for observer in &mut self.observers {
            observer.began(&self.header);
        }
        self.observers
    }
}

/// Everything one run begins with.
pub(super) struct Begin {
    pub(super) state: State,
    pub(super) vault: Arc<Vault>,
    pub(super) watchers: Option<Watchers>,
    /// What keeps new runs from the gateway (G3).
    pub(super) off: Option<ClientError>,
    pub(super) event: RegistryEvent,
    pub(super) command: EventKind,
    pub(super) bookmark: Option<Bookmark>,
    pub(super) repositories: Option<TakenAlong>,
}
