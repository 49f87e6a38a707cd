//! Repositories that wait for the next new topic (R4).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent_gateway_protocol::RawJson;
use agent_gateway_protocol::api::{AppContext, ExecAgent, TopicMetadata};

/// The repositories chosen for a topic that does not exist yet. They go out with every run that is to make one, and are
/// gone once such a topic exists.
#[derive(Clone, Default)]
pub(super) struct PendingRepositories {
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    repositories: Vec<Box<str>>,
    /// Counts the choices: a topic consumes only the choice that it was made with.
    choice: u64,
}

/// What one run took along.
pub(crate) struct TakenAlong {
    pending: PendingRepositories,
    choice: u64,
}

impl PendingRepositories {
    /// Chooses anew.
    pub(super) fn choose(&self, repositories: Vec<Box<str>>) {
        let mut waiting = self.lock();
        waiting.repositories = repositories;
        waiting.choice += 1;
    }

    pub(super) fn waiting(&self) -> Vec<Box<str>> {
        self.lock().repositories.clone()
    }

    /// Puts them into the input of a run that is to make a topic, unless it says itself what the topic is made with.
    pub(super) fn go_along(&self, input: &mut ExecAgent) -> Option<TakenAlong> {
        let waiting = self.lock();
        let first = waiting.repositories.first()?.clone();
        let context = input.app_context.get_or_insert_with(AppContext::default);
        if context.topic_id.is_some() || context.initial_topic_metadata.is_some() {
            return None;
        }
        let texts = waiting.repositories.iter();
        context.initial_topic_metadata = Some(TopicMetadata {
            repos: Some(texts.map(|text| RawJson::from_text(text)).collect()),
            working_directory: Some(first),
            ..TopicMetadata::default()
        });
        Some(TakenAlong {
            pending: self.clone(),
            choice: waiting.choice,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TakenAlong {
    /// The topic exists.
    pub(super) fn consume(self) {
        let mut waiting = self.pending.lock();
        if waiting.choice == self.choice {
            waiting.repositories.clear();
        }
    }
}
