use std::collections::VecDeque;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::event::EndReason;
use agent_gateway_protocol::frame::Resume;
use agent_gateway_protocol::{
    AgentEvent, EventId, EventType, InputRequestId, OperationStatus, Payload, ServerFrame,
    ToolCallId, UserId,
};
use litemap::LiteMap;

use crate::deadline::earlier;

use super::{GatewayConfig, ResumeStyle, Ticket};

/// One operation: its sequence, its buffer, its status.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// Its owner, once initialized.
    pub(super) user: Option<UserId>,
    /// The status, once initialized or ended.
    pub(super) status: Option<OperationStatus>,
    /// The number of the last frame.
    pub(super) sequence: u64,
    /// The latest numbered frames, oldest first.
    pub(super) buffer: VecDeque<(u64, ServerFrame)>,
    /// When it is forgotten: some time after its end.
    pub(super) forgotten_at: Option<Timestamp>,
    /// When the watchdog bites; `None` once it has, or when there is nothing to watch.
    pub(super) watchdog: Option<Timestamp>,
    /// Prompts that wait for the user.
    pub(super) prompts: LiteMap<Prompt, Waiting>,
}

/// What a prompt is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prompt {
    Confirmation(ToolCallId),
    Input(InputRequestId),
}

/// What a terminal event says; `None`: it is none. Its data is JSON, to be read only once.
pub(crate) fn end_in(event: &AgentEvent) -> Option<Payload> {
    (event.kind == EventType::AgentRuntimeEnd).then(|| event.payload())
}

/// A call of the server that waits for the user.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) deadline: Timestamp,
}

impl Operation {
    pub(super) fn new() -> Self {
        Self {
            user: None,
            status: None,
            sequence: 0,
            buffer: VecDeque::with_capacity(32),
            forgotten_at: None,
            watchdog: None,
            prompts: LiteMap::new(),
        }
    }

    /// Gives the next number to a frame and keeps it for replay.
    pub(super) fn number(
        &mut self,
        config: &GatewayConfig,
        frame: impl FnOnce(EventId) -> ServerFrame,
    ) -> ServerFrame {
        self.sequence += 1;
        let frame = frame(EventId::Number(self.sequence));
        self.buffer.push_back((self.sequence, frame.clone()));
        if self.buffer.len() > config.buffer_limit {
            self.keep(config.buffer_kept);
        }
        frame
    }

    /// Drops all but the latest frames.
    pub(super) fn keep(&mut self, count: usize) {
        let surplus = self.buffer.len().saturating_sub(count);
        self.buffer.drain(..surplus);
    }

    /// The frames to replay.
    pub(super) fn replay(
        &self,
        resume: &Resume,
        style: ResumeStyle,
    ) -> impl Iterator<Item = &ServerFrame> {
        let from = match (style, &resume.last_event_id) {
            (_, None) => 0,
            (ResumeStyle::ByNumber, Some(id)) => {
                let since = id.number().unwrap_or(0);
                self.buffer.partition_point(|(number, _)| *number <= since)
            }
            (ResumeStyle::ById, Some(id)) => self.place_of(id).map_or(0, |place| place + 1),
            (ResumeStyle::ByIdInclusive, Some(id)) => self.place_of(id).unwrap_or(0),
        };
        self.buffer.range(from..).map(|(_, frame)| frame)
    }

    /// Whether what follows the frame named by `resume` is not all here any more.
    pub(super) fn has_gap(&self, resume: &Resume) -> bool {
        let since = resume.last_event_id.as_ref().and_then(EventId::number);
        let since = since.unwrap_or(0);
        match self.buffer.front() {
            Some((first, _)) => *first > since + 1,
            None => self.sequence > since,
        }
    }

    fn place_of(&self, id: &EventId) -> Option<usize> {
        self.buffer
            .iter()
            .position(|(_, frame)| frame.id() == Some(id))
    }

    /// The status that an end brings, with the text for `session_complete`.
    pub(super) fn status_of(end: &Payload) -> (OperationStatus, Box<str>) {
        let Payload::AgentRuntimeEnd(end) = end else {
            return (OperationStatus::Completed, Box::default());
        };
        let status = match end.reason {
            Some(EndReason::Error) => OperationStatus::Error,
            Some(EndReason::Interrupted) => OperationStatus::Interrupted,
            _ => OperationStatus::Completed,
        };
        (status, end.reason_detail.clone().unwrap_or_default())
    }

    /// Takes a status, and with it the clocks that follow from it.
    pub(super) fn become_status(
        &mut self,
        status: OperationStatus,
        now: Timestamp,
        config: &GatewayConfig,
    ) {
        if status.is_terminal() {
            self.forgotten_at = Some(now.plus(config.forgotten_after));
            self.watchdog = None;
        } else {
            self.forgotten_at = None;
        }
        self.status = Some(status);
    }

    /// Something was pushed: the watchdog starts over, with more patience while the run is at work.
    pub(super) fn touch(&mut self, kind: &EventType, now: Timestamp, config: &GatewayConfig) {
        if self.status.is_none()
            || self
                .status
                .as_ref()
                .is_some_and(OperationStatus::is_terminal)
        {
            return;
        }
        let patience = match kind {
            EventType::StreamStart
            | EventType::StreamChunk
            | EventType::ToolStart
            | EventType::StepStart => config.busy_watchdog,
            _ => config.idle_watchdog,
        };
        self.rearm(now, patience);
    }

    pub(super) fn rearm(&mut self, now: Timestamp, patience: Millis) {
        self.watchdog = Some(now.plus(patience));
    }

    /// The earliest moment at which something is due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let prompts = self.prompts.values().map(|waiting| waiting.deadline);
        earlier(prompts.min(), earlier(self.forgotten_at, self.watchdog))
    }
}
