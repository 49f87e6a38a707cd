use alloc::{boxed::Box, vec::Vec};

use agent_gateway_protocol::{RawJson, ToolCallId};
use serde::{Deserialize, Serialize};

use super::Passage;

/// One step of a run: at most one answer of the model, and the calls it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// The server's number of it, from 0, where told.
    pub index: Option<u32>,
    /// Its name, in a graph run.
    pub label: Option<Box<str>>,
    /// The model that answers.
    pub model: Option<Box<str>>,
    /// Who runs the model.
    pub provider: Option<Box<str>>,
    /// What the model thinks.
    pub reasoning: Passage,
    /// What the model says.
    pub text: Passage,
    /// The calls it asks for, in its order.
    pub calls: Vec<ToolCallId>,
    /// Where the answer is taken from.
    pub grounding: Option<RawJson>,
    /// Pictures, each as it came.
    pub images: Vec<RawJson>,
    /// Those of the calls that had not begun when they were last looked at, in the same order. A list of calls may drop
    /// them, and only them: the others are not looked at again, however many lists come.
    pub(super) asked: Vec<ToolCallId>,
    /// Whether the model has begun to answer.
    pub(super) answering: bool,
}

impl Step {
    pub(super) fn new(index: Option<u32>) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

    /// Whether nothing of it has been seen yet.
    pub(super) fn is_untouched(&self) -> bool {
        !self.answering
            && self.text.is_empty()
            && self.reasoning.is_empty()
            && self.calls.is_empty()
            && self.images.is_empty()
    }

    /// Drops these calls, which are in its order, in one pass over what was asked for since the first of them.
    pub(super) fn drop_calls(&mut self, dropped: &[ToolCallId]) {
        let first = dropped.first();
        let Some(from) = self.calls.iter().rposition(|call| Some(call) == first) else {
            return;
        };
        let mut dropped = dropped.iter().peekable();
        let tail = self.calls.split_off(from).into_iter();
        self.calls
            .extend(tail.filter(|call| dropped.next_if_eq(&call).is_none()));
    }

    /// Forgets the partial answer: the model is asked again.
    pub(super) fn discard_answer(&mut self) {
        self.reasoning = Passage::default();
        self.text = Passage::default();
        self.grounding = None;
        self.images.clear();
        self.answering = false;
    }
}
