use agent_gateway_machine::EventKind;

/// Who brings an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever asked for the run.
    User,
    /// The gateway, over its socket.
    Gateway,
    /// The server's API, over HTTP.
    Api,
    /// The one alarm.
    Clock,
    /// The program that carries the effects out.
    Host,
}

impl Who {
    pub(crate) fn brings(kind: &EventKind) -> Self {
        match kind {
            EventKind::Execute(_)
            | EventKind::Attach(_)
            | EventKind::Stop
            | EventKind::Detach
            | EventKind::Supersede { .. }
            | EventKind::Interrupt
            | EventKind::AnswerTool { .. }
            | EventKind::AnswerConfirmation { .. }
            | EventKind::AnswerInput { .. } => Self::User,
            EventKind::ConnectionOpened { .. }
            | EventKind::DialFailed { .. }
            | EventKind::FrameArriving { .. }
            | EventKind::FrameReceived { .. }
            | EventKind::FrameRejected { .. }
            | EventKind::ConnectionClosed { .. } => Self::Gateway,
            EventKind::ReplyReceived { .. } => Self::Api,
            EventKind::AlarmRang => Self::Clock,
            EventKind::NetworkChanged(_)
            | EventKind::ReadingPaused
            | EventKind::ReadingResumed
            | EventKind::Restored { .. } => Self::Host,
        }
    }

    /// Its name in a trace.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Gateway => "gateway",
            Self::Api => "api",
            Self::Clock => "clock",
            Self::Host => "host",
        }
    }
}
