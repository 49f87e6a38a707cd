use alloc::collections::BTreeMap;

use agent_gateway_protocol::{OperationId, TopicId};
use serde::{Deserialize, Serialize};

use super::RunId;
use crate::notification::ConnectionStatus;

/// The live runs, found by name, operation and topic. There may be thousands, and each that starts looks for others like
/// it: no search goes through them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<RunId, Entry>", into = "BTreeMap<RunId, Entry>")]
pub(super) struct Runs {
    entries: BTreeMap<RunId, Entry>,
    by_operation: Index<OperationId>,
    by_topic: Index<TopicId>,
}

/// What is known of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Entry {
    operation: Option<OperationId>,
    /// The topic it has claimed: it streams there.
    topic: Option<TopicId>,
    status: ConnectionStatus,
}

/// Whose a thing is.
type Index<K> = BTreeMap<K, RunId>;

impl Runs {
    pub(super) fn insert(&mut self, run: RunId, operation: Option<OperationId>) {
        self.entries.insert(run, Entry::default());
        if let Some(operation) = operation {
            self.set_operation(run, operation);
        }
    }

    pub(super) fn remove(&mut self, run: RunId) {
        let Some(entry) = self.entries.remove(&run) else {
            return;
        };
        if let Some(operation) = &entry.operation {
            give_up(&mut self.by_operation, operation, run);
        }
        if let Some(topic) = &entry.topic {
            give_up(&mut self.by_topic, topic, run);
        }
    }

    pub(super) fn contains(&self, run: RunId) -> bool {
        self.entries.contains_key(&run)
    }

    pub(super) fn status(&self, run: RunId) -> Option<ConnectionStatus> {
        self.entries.get(&run).map(|entry| entry.status)
    }

    pub(super) fn operation(&self, run: RunId) -> Option<&OperationId> {
        self.entries.get(&run)?.operation.as_ref()
    }

    pub(super) fn set_status(&mut self, run: RunId, status: ConnectionStatus) {
        if let Some(entry) = self.entries.get_mut(&run) {
            entry.status = status;
        }
    }

    pub(super) fn set_operation(&mut self, run: RunId, operation: OperationId) {
        if let Some(entry) = self.entries.get_mut(&run) {
            take(&mut self.by_operation, &mut entry.operation, operation, run);
        }
    }

    pub(super) fn set_topic(&mut self, run: RunId, topic: TopicId) {
        if let Some(entry) = self.entries.get_mut(&run) {
            take(&mut self.by_topic, &mut entry.topic, topic, run);
        }
    }

    /// The one that has an operation.
    pub(super) fn of_operation(&self, operation: &OperationId) -> Option<RunId> {
        self.by_operation.get(operation).copied()
    }

    /// The one that has claimed a topic.
    pub(super) fn on_topic(&self, topic: &TopicId) -> Option<RunId> {
        self.by_topic.get(topic).copied()
    }
}

impl From<BTreeMap<RunId, Entry>> for Runs {
    fn from(entries: BTreeMap<RunId, Entry>) -> Self {
        let mut runs = Self::default();
        for (run, entry) in entries {
            runs.insert(run, entry.operation);
            runs.set_status(run, entry.status);
            if let Some(topic) = entry.topic {
                runs.set_topic(run, topic);
            }
        }
        runs
    }
}

impl From<Runs> for BTreeMap<RunId, Entry> {
    fn from(runs: Runs) -> Self {
        runs.entries
    }
}

/// What `run` had is not its own any more, and `wanted` is, whoever had it.
fn take<K: Clone + Ord>(index: &mut Index<K>, held: &mut Option<K>, wanted: K, run: RunId) {
    if let Some(before) = held.replace(wanted.clone()) {
        give_up(index, &before, run);
    }
    index.insert(wanted, run);
}

/// Unless another run has taken it.
fn give_up<K: Ord>(index: &mut Index<K>, held: &K, run: RunId) {
    if index.get(held) == Some(&run) {
        index.remove(held);
    }
}
