use agent_gateway_machine::{
    Effect, Effects, Event, EventKind, Notification, Reply, State, Timestamp,
};
use agent_gateway_protocol::{ClientFrame, EventType, ServerFrame, ToolCallId};

use super::Observation;

/// One step as an invariant sees it: what was observed, and what sorts of things are in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) event: &'a Event,
    pub(super) effects: &'a Effects,
    pub(super) state: &'a State,
    pub(super) sorts: Sorts,
    /// What the clock read before, and what it reads now: never less, but where a woken state has a new clock.
    pub(super) before: Timestamp,
    pub(super) now: Timestamp,
}

/// What can be in a step. An invariant says which of these can move it; the steps without are none of its business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// The user wants something.
    Command,
    /// A frame came, or a part of one, or something that is none.
    Frame,
    /// `auth_success` came.
    AuthSuccess,
    /// A frame or a reply that may say how the run stands on the server, or that it is over.
    Standing,
    /// A dial came to something, or a socket has gone.
    Dial,
    /// A request was answered.
    Reply,
    /// The alarm rang.
    Ring,
    /// The network came or went.
    Network,
    /// A stored state is woken: sockets, requests and tokens are gone.
    Restored,
    /// A socket is opened or closed.
    Socket,
    /// A frame is sent.
    Sent,
    /// It is a tool's result.
    ResultSent,
    /// A request is sent or cancelled.
    Request,
    /// The alarm is set.
    Alarm,
    /// An event is handed on.
    HandedOn,
    /// It is an end, or an error.
    EndHandedOn,
    /// The end is told.
    Ended,
    /// The connection's status is told, or when it is tried again.
    StatusTold,
    /// A tool call, or what became of an answer, is told.
    AnswerTold,
    /// Anything else is told.
    Told,
    /// The machine says that the event changed nothing.
    Ignored,
    /// The run is settled after it.
    Settled,
}

/// Some of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sorts(u32);

impl<'a> Step<'a> {
    pub(super) fn new(observation: &Observation<'a>, before: Timestamp) -> Self {
        let Observation {
            event,
            effects,
            state,
        } = *observation;
        let mut sorts = Sorts::of_event(&event.kind);
        for effect in effects {
            sorts = sorts.and(Sorts::of_effect(effect));
        }
        if state.is_settled() {
            sorts = sorts.with(Sort::Settled);
        }
        let now = match event.kind {
            EventKind::Restored { .. } => event.at,
            _ => event.at.max(before),
        };
        Self {
            event,
            effects,
            state,
            sorts,
            before,
            now,
        }
    }

    /// The tool call whose answer the machine took from the caller in this step.
    pub(super) fn answered(&self) -> Option<&'a ToolCallId> {
        answered(self.event, self.effects)
    }

    #[inline]
    pub(super) fn has(&self, sort: Sort) -> bool {
        self.sorts.meet(Sorts::of(&[sort]))
    }
}

/// The tool call whose answer the machine took from the caller.
pub(crate) fn answered<'a>(event: &'a Event, effects: &Effects) -> Option<&'a ToolCallId> {
    let EventKind::AnswerTool { call, .. } = &event.kind else {
        return None;
    };
    let refuses = |effect: &Effect| {
        matches!(
            effect,
            Effect::Notify(Notification::AnswerRefused { .. }) | Effect::Ignored(_)
        )
    };
    (!effects.iter().any(refuses)).then_some(call)
}

impl Sorts {
    /// Every one: for what has to look at every step.
    pub(super) const ALL: Self = Self(u32::MAX);

    pub(super) const fn of(sorts: &[Sort]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < sorts.len() {
            bits |= 1 << sorts[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// Whether any is one of the others.
    pub(super) const fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    const fn with(self, sort: Sort) -> Self {
        Self(self.0 | 1 << sort as u32)
    }

    const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    fn of_effect(effect: &Effect) -> Self {
        match effect {
            Effect::OpenConnection { .. } | Effect::CloseConnection { .. } => {
                Self::of(&[Sort::Socket])
            }
            Effect::SendFrame { frame, .. } => match frame {
                ClientFrame::ToolResult(_) => Self::of(&[Sort::Sent, Sort::ResultSent]),
                _ => Self::of(&[Sort::Sent]),
            },
            Effect::SendRequest { .. } | Effect::CancelRequest { .. } => Self::of(&[Sort::Request]),
            Effect::SetAlarm(_) => Self::of(&[Sort::Alarm]),
            Effect::Notify(notification) => Self::of_notification(notification),
            Effect::Ignored(_) => Self::of(&[Sort::Ignored]),
        }
    }

    fn of_notification(notification: &Notification) -> Self {
        match notification {
            Notification::EventReceived(received) => match received.event.kind {
                EventType::AgentRuntimeEnd | EventType::Error => {
                    Self::of(&[Sort::HandedOn, Sort::EndHandedOn])
                }
                _ => Self::of(&[Sort::HandedOn]),
            },
            Notification::RunEnded { .. } => Self::of(&[Sort::Ended]),
            Notification::StatusChanged(_) | Notification::ReconnectScheduled { .. } => {
                Self::of(&[Sort::StatusTold])
            }
            Notification::ToolRequested { .. }
            | Notification::ToolSettled { .. }
            | Notification::AnswerWithdrawn { .. }
            | Notification::AnswerUndeliverable { .. } => Self::of(&[Sort::AnswerTold]),
            _ => Self::of(&[Sort::Told]),
        }
    }

    fn of_event(event: &EventKind) -> Self {
        match event {
            EventKind::Execute(_)
            | EventKind::Attach(_)
            | EventKind::Stop
            | EventKind::Detach
            | EventKind::Supersede { .. }
            | EventKind::Interrupt
            | EventKind::AnswerTool { .. }
            | EventKind::AnswerConfirmation { .. }
            | EventKind::AnswerInput { .. }
            | EventKind::ReadingPaused
            | EventKind::ReadingResumed => Self::of(&[Sort::Command]),
            EventKind::FrameReceived { frame, .. } => Self::of_frame(frame),
            EventKind::FrameArriving { .. } | EventKind::FrameRejected { .. } => {
                Self::of(&[Sort::Frame])
            }
            EventKind::ConnectionOpened { .. }
            | EventKind::DialFailed { .. }
            | EventKind::ConnectionClosed { .. } => Self::of(&[Sort::Dial]),
            EventKind::ReplyReceived { reply, .. } => match reply {
                Reply::Status(_) | Reply::Failed(_) => Self::of(&[Sort::Reply, Sort::Standing]),
                _ => Self::of(&[Sort::Reply]),
            },
            EventKind::AlarmRang => Self::of(&[Sort::Ring]),
            EventKind::NetworkChanged(_) => Self::of(&[Sort::Network]),
            EventKind::Restored { .. } => Self::of(&[Sort::Restored]),
        }
    }

    fn of_frame(frame: &ServerFrame) -> Self {
        match frame {
            ServerFrame::AuthSuccess => Self::of(&[Sort::Frame, Sort::AuthSuccess]),
            ServerFrame::AgentEvent(frame) => match frame.event.kind {
                EventType::AgentRuntimeEnd | EventType::Error => {
                    Self::of(&[Sort::Frame, Sort::Standing])
                }
                _ => Self::of(&[Sort::Frame]),
            },
            ServerFrame::SessionComplete(_)
            | ServerFrame::StatusChange(_)
            | ServerFrame::ResumeComplete(_) => Self::of(&[Sort::Frame, Sort::Standing]),
            _ => Self::of(&[Sort::Frame]),
        }
    }
}
