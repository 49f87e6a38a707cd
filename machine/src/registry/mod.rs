//! Many runs: who owns an operation, who has a topic (G1–G3, R7, R8). A second small pure function.
//!
//! ```text
//! register(Registry, RegistryEvent) -> (Registry, Vec<Directive>)
//! ```
//!
//! It holds no [`State`](crate::State): the hands keep one for each [`RunId`], ask here before they begin one, and
//! hand in what each notifies. A [`Directive`] is performed at once, before the rest of the effects in which the
//! notification came: so an old connection goes before a new one opens (G1).
//!
//! A run that leaves, or is told to, has nothing from that moment on: its operation is free for another one at once (S12),
//! and what it still tells until its hands have let go concerns no other run. So no operation and no topic has two runs.

mod runs;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use agent_gateway_protocol::{GatewayUrl, OperationId, TopicId};
use serde::{Deserialize, Serialize};

use crate::event::{Attach, EventKind, Execute};
use crate::notification::{ConnectionStatus, Notification, TopicStatus};
use crate::outcome::AttachRefusal;
use runs::Runs;

/// Names one run in the registry. Counts up, never reused: the larger one was started later (R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "run#{}", self.0)
    }
}

/// The live runs of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Registry {
    runs: Runs,
    minted: u64,
    gateway: Option<GatewayUrl>,
    switched_on: bool,
}

/// What the registry is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryEvent {
    /// What the server says of its gateway (G3).
    ServerConfigured {
        /// Its gateway's URL, if it has one.
        gateway: Option<GatewayUrl>,
    },
    /// The user's switch (G3).
    GatewayModeSwitched {
        /// On or off.
        on: bool,
    },
    /// The caller wants a new run.
    Execute(Box<Execute>),
    /// The caller wants to watch a run.
    Attach(Box<Attach>),
    /// The caller leaves an operation, which is free at once (S12); unknown ones do nothing (G2).
    Disconnect {
        /// Which.
        operation: OperationId,
    },
    /// A run was left by its caller, who has told it so himself: what it had is free (S12). One that is not live does nothing.
    Left {
        /// Which.
        run: RunId,
    },
    /// The caller interrupts an operation; unknown ones do nothing (G2).
    Interrupt {
        /// Which.
        operation: OperationId,
    },
    /// A run told its caller something.
    Notified {
        /// Which run.
        run: RunId,
        /// What it told.
        notification: Notification,
    },
}

/// What the hands must do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directive {
    /// Make a state for this run and give it this command.
    Begin {
        /// Its name.
        run: RunId,
        /// `Execute` or `Attach`.
        command: EventKind,
    },
    /// Give this run this command. One that is to leave is not live any more.
    Tell {
        /// Which run.
        run: RunId,
        /// `Detach`, `Interrupt` or `Supersede`.
        command: EventKind,
    },
    /// Do not begin it (R7).
    RefuseAttach(AttachRefusal),
    /// Gateway mode is off: this run is to go another way (G3).
    RefuseExecute,
}

/// What `event` makes of the registry, and what to do about it.
#[must_use]
pub fn register(mut registry: Registry, event: RegistryEvent) -> (Registry, Vec<Directive>) {
    let directives = match event {
        RegistryEvent::ServerConfigured { gateway } => {
            registry.gateway = gateway;
            Vec::new()
        }
        RegistryEvent::GatewayModeSwitched { on } => {
            registry.switched_on = on;
            Vec::new()
        }
        RegistryEvent::Execute(execute) => registry.execute(execute),
        RegistryEvent::Attach(attach) => registry.attach(attach),
        RegistryEvent::Disconnect { operation } => registry.disconnect(&operation),
        RegistryEvent::Left { run } => {
            registry.runs.remove(run);
            Vec::new()
        }
        RegistryEvent::Interrupt { operation } => registry.interrupt(&operation),
        RegistryEvent::Notified { run, notification } => registry.on_notified(run, &notification),
    };
    (registry, directives)
}

impl Registry {
    /// Whether new runs go over the gateway: the server gives a URL, and the user's switch is on (G3).
    #[must_use]
    pub fn gateway_mode(&self) -> bool {
        self.gateway.is_some() && self.switched_on
    }

    /// The connection's status of an operation; `None` if no live run has it (G2).
    #[must_use]
    pub fn status(&self, operation: &OperationId) -> Option<ConnectionStatus> {
        self.runs.status(self.owner(operation)?)
    }

    /// The live run that has an operation.
    #[must_use]
    pub fn owner(&self, operation: &OperationId) -> Option<RunId> {
        self.runs.of_operation(operation)
    }

    fn execute(&mut self, execute: Box<Execute>) -> Vec<Directive> {
        if !self.gateway_mode() {
            return Vec::from([Directive::RefuseExecute]);
        }
        let run = self.mint(None);
        Vec::from([Directive::Begin {
            run,
            command: EventKind::Execute(execute),
        }])
    }

    /// R7: refused while any live run owns the operation, connected or not.
    fn attach(&mut self, attach: Box<Attach>) -> Vec<Directive> {
        if self.owner(&attach.operation).is_some() {
            return Vec::from([Directive::RefuseAttach(AttachRefusal::Owned)]);
        }
        let run = self.mint(Some(attach.operation.clone()));
        Vec::from([Directive::Begin {
            run,
            command: EventKind::Attach(attach),
        }])
    }

    fn disconnect(&mut self, operation: &OperationId) -> Vec<Directive> {
        let owner = self.owner(operation);
        let left = owner.map(|run| self.leave(run, EventKind::Detach));
        left.into_iter().collect()
    }

    fn interrupt(&self, operation: &OperationId) -> Vec<Directive> {
        let command = EventKind::Interrupt;
        let owner = self.owner(operation);
        let told = owner.map(|run| Directive::Tell { run, command });
        told.into_iter().collect()
    }

    fn on_notified(&mut self, run: RunId, notification: &Notification) -> Vec<Directive> {
        if !self.runs.contains(run) {
            return Vec::new();
        }
        if let Notification::StatusChanged(status) = notification {
            self.runs.set_status(run, *status);
        }
        if let Notification::RunEnded { .. } = notification {
            self.runs.remove(run);
        }
        if let Notification::RunStarted(started) = notification {
            return self.own(run, &started.operation);
        }
        if let Notification::TopicStatusChanged {
            topic: Some(topic),
            status: TopicStatus::Running,
        } = notification
        {
            return self.claim(run, topic);
        }
        Vec::new()
    }

    /// G1: whoever had the operation before is left.
    fn own(&mut self, run: RunId, operation: &OperationId) -> Vec<Directive> {
        let before = self.owner(operation).filter(|other| *other != run);
        self.runs.set_operation(run, operation.clone());
        let superseded = before.map(|other| self.supersede(other, run));
        superseded.into_iter().collect()
    }

    /// R8: the run started later has the topic; the other one is left.
    fn claim(&mut self, run: RunId, topic: &TopicId) -> Vec<Directive> {
        let other = self.runs.on_topic(topic).filter(|other| *other != run);
        if let Some(newer) = other.filter(|other| *other > run) {
            return Vec::from([self.supersede(run, newer)]);
        }
        self.runs.set_topic(run, topic.clone());
        let superseded = other.map(|older| self.supersede(older, run));
        superseded.into_iter().collect()
    }

    /// `run` is left to the one that has what it had.
    fn supersede(&mut self, run: RunId, by: RunId) -> Directive {
        let by = self.runs.operation(by).cloned();
        self.leave(run, EventKind::Supersede { by })
    }

    /// Tells a run to leave, and takes it for gone.
    fn leave(&mut self, run: RunId, command: EventKind) -> Directive {
        self.runs.remove(run);
        Directive::Tell { run, command }
    }

    fn mint(&mut self, operation: Option<OperationId>) -> RunId {
        self.minted += 1;
        let run = RunId(self.minted);
        self.runs.insert(run, operation);
        run
    }
}
