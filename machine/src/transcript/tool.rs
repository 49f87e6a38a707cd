use alloc::boxed::Box;

use agent_gateway_protocol::event::{ToolCalling, ToolExecute};
use agent_gateway_protocol::{MessageId, RawJson, ToolCallId};
use serde::{Deserialize, Serialize};

/// One tool call, from the model's asking for it to its result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tool {
    /// The call.
    pub call: ToolCallId,
    /// The tool; empty while unknown.
    pub identifier: Box<str>,
    /// What it is to do; empty while unknown.
    pub api_name: Box<str>,
    /// Its arguments, JSON as the model wrote it; possibly incomplete while it streams.
    pub arguments: Box<str>,
    /// Whether the client runs it.
    pub by_client: bool,
    /// The row of its result, once known.
    pub row: Option<MessageId>,
    /// How far it is.
    pub stage: ToolStage,
    /// What the model reads of it, once known.
    pub content: Option<Box<str>>,
    /// Why it failed, in words, where told.
    pub error: Option<Box<str>>,
    /// What it remembers.
    pub state: Option<RawJson>,
    /// How long it took, in ms, where told.
    pub execution_time: Option<u64>,
    /// The number of the last snapshot of `state` applied.
    pub(super) sequence: Option<u64>,
}

/// How far a tool call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolStage {
    /// The model asks for it.
    Asked,
    /// A person must decide, or answer a question, first.
    Waiting,
    /// It runs.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed. A failed tool is not a failed run.
    Failed,
    /// It was given up.
    Aborted,
}

impl ToolStage {
    /// Whether the call is over.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Aborted)
    }
}

impl Tool {
    pub(super) fn new(call: ToolCallId) -> Self {
        Self {
            call,
            identifier: Box::default(),
            api_name: Box::default(),
            arguments: Box::default(),
            by_client: false,
            row: None,
            stage: ToolStage::Asked,
            content: None,
            error: None,
            state: None,
            execution_time: None,
            sequence: None,
        }
    }

    /// `identifier/apiName`, or as much of it as is known.
    #[must_use]
    pub fn name(&self) -> Box<str> {
        match (&*self.identifier, &*self.api_name) {
            ("", "") => self.call.as_str().into(),
            ("", name) | (name, "") => name.into(),
            (identifier, api_name) => alloc::format!("{identifier}/{api_name}").into(),
        }
    }

    /// Takes over what a list of calls says of it. A row once known stays, though later lists leave it out.
    pub(super) fn describe(&mut self, calling: &ToolCalling) {
        let take = |known: &mut Box<str>, told: &Option<Box<str>>| {
            if let Some(told) = told {
                known.clone_from(told);
            }
        };
        take(&mut self.identifier, &calling.identifier);
        take(&mut self.api_name, &calling.api_name);
        take(&mut self.arguments, &calling.arguments);
        self.by_client |= calling.executor.as_deref() == Some("client");
        if calling.result_msg_id.is_some() {
            self.row.clone_from(&calling.result_msg_id);
        }
    }

    /// Takes over what the server's order to the client says of it.
    pub(super) fn describe_execution(&mut self, execute: &ToolExecute) {
        self.identifier.clone_from(&execute.identifier);
        self.api_name.clone_from(&execute.api_name);
        self.arguments.clone_from(&execute.arguments);
        self.by_client = true;
    }
}
