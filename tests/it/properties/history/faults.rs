//! What goes wrong: sockets, dials and requests, and answers to what is not current.

use agent_gateway_machine::{
    Close, DialFailure, DialFailureKind, DialId, EventKind, Millis, Refusal, RefusalKind, Reply,
    RequestFailure, RequestId,
};
use agent_gateway_protocol::{CloseCode, ServerFrame};
use agent_gateway_sim::invariant::Violation;

use super::{Asked, History, Socket, Stage};

impl History {
    pub(super) fn lose_socket(&mut self, argument: u32) -> Result<(), Violation> {
        let Some(Socket { dial, .. }) = self.dial else {
            return Ok(());
        };
        let code = |code| Close::Closed {
            code: Some(CloseCode(code)),
            reason: "".into(),
        };
        let close = match argument % 8 {
            0..=3 => Close::Lost {
                text: "reset".into(),
            },
            4 => code(1000),
            5 => code(1012),
            6 if argument & 64 != 0 => code(1008),
            7 if argument & 64 != 0 => Close::Violation {
                text: "too large".into(),
            },
            _ => code(4000),
        };
        self.dial = None;
        self.happen(EventKind::ConnectionClosed { dial, close })
    }

    pub(super) fn fail_dial(&mut self, argument: u32) -> Result<(), Violation> {
        let Some(Socket {
            dial,
            stage: Stage::Dialing,
        }) = self.dial
        else {
            return Ok(());
        };
        let kind = match argument % 8 {
            0..=3 => DialFailureKind::Unreachable,
            4 => DialFailureKind::Http(503),
            5 => DialFailureKind::Protocol,
            6 if argument & 64 != 0 => DialFailureKind::Http(404),
            7 if argument & 64 != 0 => DialFailureKind::TlsIdentity,
            _ => DialFailureKind::Tls,
        };
        self.dial = None;
        let text = "refused".into();
        let failure = DialFailure { kind, text };
        self.happen(EventKind::DialFailed { dial, failure })
    }

    pub(super) fn fail_request(&mut self, argument: u32) -> Result<(), Violation> {
        let Some((request, asked)) = self.pick_request(argument) else {
            return Ok(());
        };
        let refused = |kind| {
            RequestFailure::Refused(Refusal {
                kind,
                status: 400,
                retry_after: None,
                message: "no".into(),
                path: None,
            })
        };
        if asked == Asked::ReadMarker && argument & 128 != 0 {
            let reply = Reply::Marker((argument & 256 != 0).then(|| "op_2".into()));
            return self.happen(EventKind::ReplyReceived { request, reply });
        }
        let failure = match argument >> 2 & 7 {
            0 => RequestFailure::Unreachable { text: "no".into() },
            1 | 2 => RequestFailure::Lost { text: "cut".into() },
            3 => RequestFailure::Unreadable {
                status: 502,
                retry_after: Some(Millis(u64::from(argument) << 8)),
                text: "<html>".into(),
            },
            4 => refused(RefusalKind::UnknownProcedure),
            5 => refused(RefusalKind::Other),
            6 => refused(RefusalKind::NotFound),
            _ if asked == Asked::Status => {
                let reply = Reply::Status(None);
                return self.happen(EventKind::ReplyReceived { request, reply });
            }
            _ => refused(RefusalKind::Unauthorized),
        };
        let reply = Reply::Failed(failure);
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    /// An answer to what was never asked, or was answered or given up before.
    pub(super) fn answer_stale(&mut self, argument: u32) -> Result<(), Violation> {
        let request = RequestId(u64::from(argument) % (self.request_count + 2));
        if self.requests.iter().any(|(other, _)| *other == request) {
            return Ok(());
        }
        let reply = self.fair_reply(match argument % 5 {
            0 => Asked::Start,
            1 => Asked::Token,
            2 => Asked::Status,
            3 => Asked::Interrupt,
            _ => Asked::Marker,
        });
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    /// What the hands said before, said again.
    pub(super) fn repeat_a_fact(&mut self, argument: u32) -> Result<(), Violation> {
        match self.dial {
            Some(Socket { dial, stage }) if stage != Stage::Dialing && argument & 1 == 0 => {
                self.happen(EventKind::ConnectionOpened { dial })
            }
            _ if self.paused => self.happen(EventKind::ReadingPaused),
            _ => self.happen(EventKind::ReadingResumed),
        }
    }

    /// An answer of another kind than was asked for.
    pub(super) fn answer_wrongly(&mut self, argument: u32) -> Result<(), Violation> {
        let Some((request, asked)) = self.pick_request(argument) else {
            return Ok(());
        };
        let other = if asked == Asked::Marker {
            Asked::Messages
        } else {
            Asked::Marker
        };
        let reply = self.fair_reply(other);
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    pub(super) fn stale_dial(&mut self, argument: u32) -> Result<(), Violation> {
        let dial = DialId(u64::from(argument >> 2) % (self.dials + 2));
        if self.dial.is_some_and(|socket| socket.dial == dial) {
            return Ok(());
        }
        self.happen(match argument % 4 {
            0 => EventKind::ConnectionOpened { dial },
            1 => EventKind::FrameReceived {
                dial,
                frame: ServerFrame::AuthExpired,
            },
            2 => EventKind::FrameReceived {
                dial,
                frame: ServerFrame::AuthSuccess,
            },
            _ => EventKind::ConnectionClosed {
                dial,
                close: Close::Lost { text: "".into() },
            },
        })
    }
}
