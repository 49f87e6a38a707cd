use std::collections::BTreeMap;

use agent_gateway_machine::{
    AnswerId, DialId, Effect, Effects, Event, EventKind, Notification, RequestId,
};
use agent_gateway_protocol::{AgentEvent, ClientFrame, Payload, ServerFrame, ToolCallId};
use serde::Serialize;

/// One effect of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Which step, from 0.
    pub step: usize,
    /// Which of its effects, from 0.
    pub effect: usize,
}

/// An effect, and the step whose event came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What was done.
    pub cause: Place,
    /// The step of the event that answers it.
    pub step: usize,
    /// In what way.
    pub tie: Tie,
}

/// What ties an event to an effect before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// The dial came to a socket, or to nothing; or that socket is gone.
    Dial,
    /// We closed the socket.
    Close,
    /// The gateway answers a frame.
    Frame,
    /// The API answers a request.
    Reply,
    /// The alarm rang.
    Alarm,
    /// The caller answers what it was asked.
    Answer,
}

/// Finds the effect that each event answers, by what it brings back.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) found: Vec<Link>,
    dials: BTreeMap<DialId, Place>,
    closes: BTreeMap<DialId, Place>,
    /// The last frame of each sort on the current socket that has not been answered.
    frames: BTreeMap<Sent, Place>,
    requests: BTreeMap<RequestId, Place>,
    questions: BTreeMap<AnswerId, Place>,
    alarm: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Auth,
    Resume,
    Heartbeat,
    ToolResult(ToolCallId),
}

impl Links {
    /// Takes note of a step. An event is looked at before its own effects: nothing answers what came after it.
    pub(super) fn observe(&mut self, step: usize, event: &Event, effects: &Effects) {
        if let Some((cause, tie)) = self.cause_of(&event.kind) {
            self.found.push(Link { cause, step, tie });
        }
        for (effect, what) in effects.iter().enumerate() {
            self.remember(Place { step, effect }, what);
        }
    }

    fn cause_of(&mut self, kind: &EventKind) -> Option<(Place, Tie)> {
        match kind {
            EventKind::ConnectionOpened { dial } | EventKind::DialFailed { dial, .. } => {
                Some((*self.dials.get(dial)?, Tie::Dial))
            }
            EventKind::ConnectionClosed { dial, .. } => match self.closes.get(dial) {
                Some(close) => Some((*close, Tie::Close)),
                None => Some((*self.dials.get(dial)?, Tie::Dial)),
            },
            EventKind::FrameReceived { frame, .. } => {
                Some((self.frames.remove(&answered(frame)?)?, Tie::Frame))
            }
            EventKind::ReplyReceived { request, .. } => {
                Some((self.requests.remove(request)?, Tie::Reply))
            }
            EventKind::AlarmRang => Some((self.alarm.take()?, Tie::Alarm)),
            EventKind::AnswerTool { call, .. } => self.question(AnswerId::Tool(call.clone())),
            EventKind::AnswerConfirmation { call, .. } => {
                self.question(AnswerId::Confirmation(call.clone()))
            }
            EventKind::AnswerInput { request, .. } => {
                self.question(AnswerId::Input(request.clone()))
            }
            EventKind::Execute(_)
            | EventKind::Attach(_)
            | EventKind::Stop
            | EventKind::Detach
            | EventKind::Supersede { .. }
            | EventKind::Interrupt
            | EventKind::FrameArriving { .. }
            | EventKind::FrameRejected { .. }
            | EventKind::NetworkChanged(_)
            | EventKind::ReadingPaused
            | EventKind::ReadingResumed
            | EventKind::Restored { .. } => None,
        }
    }

    fn question(&self, answer: AnswerId) -> Option<(Place, Tie)> {
        Some((*self.questions.get(&answer)?, Tie::Answer))
    }

    fn remember(&mut self, place: Place, effect: &Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => {
                self.frames.clear();
                self.dials.insert(*dial, place);
            }
            Effect::CloseConnection { dial, .. } => {
                self.closes.insert(*dial, place);
            }
            Effect::SendFrame { frame, .. } => {
                if let Some(sent) = sent(frame) {
                    self.frames.insert(sent, place);
                }
            }
            Effect::SendRequest { request, .. } => {
                self.requests.insert(*request, place);
            }
            Effect::CancelRequest { .. } | Effect::Ignored(_) => {}
            Effect::SetAlarm(alarm) => self.alarm = alarm.map(|_| place),
            Effect::Notify(notification) => {
                if let Some(question) = question(notification) {
                    self.questions.insert(question, place);
                }
            }
        }
    }
}

fn sent(frame: &ClientFrame<agent_gateway_machine::TokenId>) -> Option<Sent> {
    match frame {
        ClientFrame::Auth(_) => Some(Sent::Auth),
        ClientFrame::Resume(_) => Some(Sent::Resume),
        ClientFrame::Heartbeat => Some(Sent::Heartbeat),
        ClientFrame::ToolResult(result) => Some(Sent::ToolResult(result.tool_call_id.clone())),
        ClientFrame::ToolConfirmation(_)
        | ClientFrame::UserInput(_)
        | ClientFrame::Interrupt
        | ClientFrame::Unknown(_) => None,
    }
}

/// The sort of frame that this one answers.
fn answered(frame: &ServerFrame) -> Option<Sent> {
    match frame {
        ServerFrame::AuthSuccess | ServerFrame::AuthFailed(_) | ServerFrame::AuthExpired => {
            Some(Sent::Auth)
        }
        ServerFrame::HeartbeatAck => Some(Sent::Heartbeat),
        ServerFrame::ResumeComplete(_) => Some(Sent::Resume),
        ServerFrame::AgentEvent(frame) => settled(&frame.event).map(Sent::ToolResult),
        ServerFrame::SessionComplete(_)
        | ServerFrame::StatusChange(_)
        | ServerFrame::ToolConfirmationRequest(_)
        | ServerFrame::InputRequest(_)
        | ServerFrame::Unknown(_) => None,
    }
}

fn settled(event: &AgentEvent) -> Option<ToolCallId> {
    match event.payload() {
        Payload::ToolEnd(end) => end.tool_call_id(),
        _ => None,
    }
}

fn question(notification: &Notification) -> Option<AnswerId> {
    match notification {
        Notification::ToolRequested { call, .. } => Some(AnswerId::Tool(call.tool_call_id.clone())),
        Notification::ConfirmationRequested(request) => {
            Some(AnswerId::Confirmation(request.tool_call_id.clone()))
        }
        Notification::InputRequested(request) => Some(AnswerId::Input(request.request_id.clone())),
        _ => None,
    }
}
