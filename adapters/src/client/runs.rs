//! The live runs of one client: the registry's word is carried to the runs it concerns.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent_gateway_machine::registry::{Directive, Registry, RegistryEvent, RunId, register};
use agent_gateway_machine::{ConnectionStatus, EventKind, Notification};
use agent_gateway_protocol::{GatewayUrl, OperationId};

use super::repositories::TakenAlong;
use crate::driver::{Mailbox, RunCommand};

/// Locked when a run begins or ends and when it starts, connects or claims its topic; never for an event.
#[derive(Default)]
pub(crate) struct Runs {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    registry: Registry,
    mailboxes: BTreeMap<RunId, Arc<Mailbox>>,
}

/// What the registry says to a run that is to begin.
pub(super) enum Admission {
    Begin(RunId),
    /// Another one has this operation (R7).
    Owned(OperationId),
    /// New runs go another way (G3).
    Off,
}

impl Runs {
    /// Asks for a run to begin (R7, G1), with what it was told of the gateway and of whether that is for new runs (G3): in
    /// one go, so that another run's word does not come between. The mailbox is where it can be reached.
    pub(super) fn admit(
        &self,
        gateway: Option<GatewayUrl>,
        new_runs: bool,
        event: RegistryEvent,
        mailbox: &Arc<Mailbox>,
    ) -> Admission {
        let mut inner = self.lock();
        inner.tell(RegistryEvent::ServerConfigured { gateway });
        inner.tell(RegistryEvent::GatewayModeSwitched { on: new_runs });
        let operation = match &event {
            RegistryEvent::Attach(attach) => Some(attach.operation.clone()),
            _ => None,
        };
        let begun = inner.tell(event).into_iter().find_map(|directive| {
            let Directive::Begin { run, .. } = directive else {
                return None;
            };
            Some(run)
        });
        match (begun, operation) {
            (Some(run), _) => {
                inner.mailboxes.insert(run, mailbox.clone());
                Admission::Begin(run)
            }
            (None, Some(operation)) => Admission::Owned(operation),
            (None, None) => Admission::Off,
        }
    }

    /// Asks something of the run of an operation; unknown ones do nothing (G2).
    pub(super) fn ask(&self, event: RegistryEvent) {
        let mut inner = self.lock();
        inner.perform(event);
    }

    pub(super) fn status(&self, operation: &OperationId) -> Option<ConnectionStatus> {
        self.lock().registry.status(operation)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here can panic halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, event: RegistryEvent) -> Vec<Directive> {
        let (registry, directives) = register(mem::take(&mut self.registry), event);
        self.registry = registry;
        directives
    }

    fn perform(&mut self, event: RegistryEvent) {
        for directive in self.tell(event) {
            if let Directive::Tell { run, command } = directive {
                self.command(run, command);
            }
        }
    }

    fn command(&self, run: RunId, command: EventKind) {
        if let Some(mailbox) = self.mailboxes.get(&run) {
            mailbox.command(RunCommand::tell(command));
        }
    }
}

/// What one run has among the others: its operation, and its topic (R7, R8). Given up by its driver, by its caller, or by a
/// word of the registry that the run is to leave, whichever is first, so it is free before the driver's next turn.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(super) runs: Arc<Runs>,
    pub(super) run: RunId,
}

impl Claim {
    pub(crate) fn give_up(&self) {
        let mut inner = self.runs.lock();
        inner.perform(RegistryEvent::Left { run: self.run });
        let mailbox = inner.mailboxes.remove(&self.run);
        drop((inner, mailbox));
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.run)
    }
}

/// One run's place among the others. Given up with the run's driver.
pub(crate) struct Place {
    pub(super) claim: Claim,
    /// Told once the run has made its topic (R4).
    pub(super) repositories: Option<TakenAlong>,
}

impl Place {
    /// Hands in what the run tells its caller, where the others are concerned; what it makes of them is asked at once.
    pub(crate) fn notified(&mut self, notification: &Notification) {
        if matches!(notification, Notification::TopicCreated { .. })
            && let Some(repositories) = self.repositories.take()
        {
            repositories.consume();
        }
        let concerns_others = matches!(
            notification,
            Notification::StatusChanged(_)
                | Notification::RunStarted(_)
                | Notification::TopicStatusChanged { .. }
                | Notification::RunEnded { .. }
        );
        if concerns_others {
            self.claim.runs.lock().perform(RegistryEvent::Notified {
                run: self.claim.run,
                notification: notification.clone(),
            });
        }
    }

    /// The run owns nothing any more.
    pub(crate) fn give_up(&self) {
        self.claim.give_up();
    }
}

impl Drop for Place {
    /// However the driver ended.
    fn drop(&mut self) {
        self.give_up();
    }
}
