use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use super::{EndReason, EventType, Payload};
use crate::{
    FrameError, JsonError, Object, OperationId, RawJson,
    json::{JsonSlice, ObjectWriter, Others, Scanner, ToJson, match_key},
};

/// One agent event: its envelope, and its `data` as raw JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AgentEvent {
    /// The event's `type`.
    pub kind: EventType,
    /// The step it belongs to, from 0.
    pub step_index: Option<u32>,
    /// The operation it belongs to; absent means the one the stream was opened for (S1).
    pub operation_id: Option<OperationId>,
    /// When the server made it, in ms since 1970.
    pub timestamp: Option<u64>,
    /// What happened, in the shape its type says. See [`payload`](Self::payload).
    pub data: Option<RawJson>,
    /// Members of the envelope not named here, or of another shape than expected.
    pub extra: Option<Box<Object>>,
}

impl AgentEvent {
    /// An event without step and time.
    pub fn new(
        kind: EventType,
        operation_id: impl Into<Option<OperationId>>,
        data: impl Into<Option<RawJson>>,
    ) -> Self {
        Self {
            kind,
            step_index: None,
            operation_id: operation_id.into(),
            timestamp: None,
            data: data.into(),
            extra: None,
        }
    }

    /// Reads an event that stands alone.
    ///
    /// # Errors
    /// The text is not JSON, no object, or has no `type`.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let mut scanner = Scanner::new(text);
        let mut draft = EventDraft::default();
        let is_object = draft
            .scan(&mut scanner)
            .and_then(|is_object| scanner.end().map(|()| is_object));
        if !is_object.map_err(|error| FrameError::shown(error, text))? {
            return Err(FrameError::NotAnObject);
        }
        draft.build().ok_or(FrameError::NoType)
    }

    /// Reads what happened. It never fails: what does not fit its type is [`Payload::Unknown`]. Missing or null data is
    /// read as `{}`.
    pub fn payload(&self) -> Payload {
        Payload::read(&self.kind, self.data.as_ref())
    }

    /// Why the run is over, if this is an `agent_runtime_end` that says so: [`payload`](Self::payload)'s reason, without
    /// reading all that may come with it.
    pub fn end_reason(&self) -> Option<EndReason> {
        if self.kind != EventType::AgentRuntimeEnd {
            return None;
        }
        self.data.as_ref()?.as_slice().member("reason")?.read()
    }

    /// Whether the event belongs to a sub-thread (S1): its data has a `subagent`.
    pub fn is_subagent(&self) -> bool {
        self.data
            .as_ref()
            .and_then(|data| data.as_slice().member("subagent"))
            .is_some_and(|subagent| !subagent.is_null())
    }

    /// Appends the event as wire JSON.
    pub fn write_json(&self, out: &mut String) {
        ToJson::write_json(self, out);
    }

    /// About how many bytes the event holds.
    pub fn size(&self) -> usize {
        let unknown = if let EventType::Unknown(kind) = &self.kind {
            kind.len()
        } else {
            0
        };
        unknown
            + self.operation_id.as_ref().map_or(0, |id| id.as_str().len())
            + self.data.as_ref().map_or(0, RawJson::len)
            + self.extra.as_ref().map_or(0, |extra| extra.size())
    }
}

impl ToJson for AgentEvent {
    fn write_json(&self, out: &mut String) {
        let mut writer = ObjectWriter::new(out);
        writer.member("type", &self.kind);
        writer.optional("stepIndex", self.step_index.as_ref());
        writer.optional("operationId", self.operation_id.as_ref());
        writer.optional("data", self.data.as_ref());
        writer.optional("timestamp", self.timestamp.as_ref());
        if let Some(extra) = &self.extra {
            extra.write_members(&mut writer);
        }
        writer.finish();
    }
}

/// An event's members as they were found: `type` comes last in what LobeHub sends.
#[derive(Default)]
pub(crate) struct EventDraft<'a> {
    kind: Option<JsonSlice<'a>>,
    step_index: Option<JsonSlice<'a>>,
    operation_id: Option<JsonSlice<'a>>,
    timestamp: Option<JsonSlice<'a>>,
    data: Option<JsonSlice<'a>>,
    others: Others<'a>,
}

impl<'a> EventDraft<'a> {
    /// Passes one value and fills the draft with it; `false` if it is no object.
    pub(crate) fn scan(&mut self, passed: &mut Scanner<'a>) -> Result<bool, JsonError> {
        *self = Self::default();
        // A copy, which need not stand in memory.
        let mut scanner = *passed;
        let is_object = scanner.peek() == Some(b'{');
        if is_object {
            let mut first = true;
            while scanner.member(&mut first)? {
                let place = match_key!(scanner, {
                    "data" => &mut self.data,
                    "operationId" => &mut self.operation_id,
                    "stepIndex" => &mut self.step_index,
                    "timestamp" => &mut self.timestamp,
                    "type" => &mut self.kind,
                    other => {
                        let value = scanner.value()?;
                        self.others.push(other, value);
                        continue;
                    }
                });
                *place = Some(scanner.value()?);
            }
        } else {
            scanner.value()?;
        }
        *passed = scanner;
        Ok(is_object)
    }

    /// The event; `None` if it has no `type`, or too many members to split.
    #[inline]
    pub(crate) fn build(&mut self) -> Option<AgentEvent> {
        let kind = self.kind?.read()?;
        let step_index = self.others.read_or_push("stepIndex", self.step_index);
        let operation_id = self.others.read_or_push("operationId", self.operation_id);
        let timestamp = self.others.read_or_push("timestamp", self.timestamp);
        let extra = if self.others.is_empty() {
            None
        } else {
            Some(Box::new(self.others.keep()?))
        };
        Some(AgentEvent {
            kind,
            step_index,
            operation_id,
            timestamp,
            data: self.data.map(JsonSlice::to_raw),
            extra,
        })
    }
}
