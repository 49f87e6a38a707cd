//! What a run looks like on standard output: for people, or one JSON object a line for programs.

mod human;
mod json;
mod line;
mod plain;
mod question;
mod sentence;

use std::io::{self, Write};

use agent_gateway_machine::{Millis, Notification, ToolAnswer};
use agent_gateway_protocol::ToolCallId;

pub(crate) use plain::{escaped, plain, write_json};
pub(crate) use sentence::span;

use crate::question::Question;
use human::Human;
use json::Json;

/// One of the two ways to show a run.
pub(crate) enum Renderer<W> {
    /// For people.
    Human(Box<Human<W>>),
    /// For programs.
    Json(Json<W>),
}

impl<W: Write> Renderer<W> {
    /// For people. Styled with ANSI sequences: `output` takes them out where they do not belong. `approves`: what
    /// confirmations are answered with, if that is done here.
    pub(crate) fn human(output: W, approves: Option<bool>) -> Self {
        Self::Human(Box::new(Human::new(output, approves)))
    }

    /// For programs.
    pub(crate) fn json(output: W, approves: Option<bool>) -> Self {
        Self::Json(Json::new(output, approves))
    }

    /// Shows one notification; `elapsed` is the time since the run was asked for.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub(crate) fn show(&mut self, notification: &Notification, elapsed: Millis) -> io::Result<()> {
        match self {
            Self::Human(human) => human.show(notification, elapsed),
            Self::Json(json) => json.show(notification),
        }
    }

    /// Asks the person at the terminal; nobody, where the output is for programs.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub(crate) fn ask(&mut self, question: &Question) -> io::Result<()> {
        match self {
            Self::Human(human) => human.ask(question),
            Self::Json(_) => Ok(()),
        }
    }

    /// The person at the terminal has typed a line.
    pub(crate) fn typed(&mut self) {
        if let Self::Human(human) = self {
            human.typed();
        }
    }

    /// Tells the person at the terminal something about their answer.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub(crate) fn remark(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Human(human) => human.remark(text),
            Self::Json(_) => Ok(()),
        }
    }

    /// Shows that a call was answered here, after `took`.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub(crate) fn tool_answered(
        &mut self,
        call: &ToolCallId,
        answer: &ToolAnswer,
        took: Millis,
    ) -> io::Result<()> {
        match self {
            // A person is shown the server's word on it, which follows.
            Self::Human(_) => Ok(()),
            Self::Json(json) => json.tool_answered(call, answer, Some(took)),
        }
    }
}
