//! What happens on the stage. Each says what the machine wants done, alarms left out.

use agent_gateway_machine::{
    Attach, Close, DialFailure, DialFailureKind, DialId, EventKind, Execute, FrameProblem, Network,
    Reply, TokenGrant, ToolAnswer,
};
use agent_gateway_protocol::{CloseCode, ServerFrame};

use super::{Stage, status_reply};

impl Stage {
    pub(crate) fn execute(&mut self, execute: Execute) -> Vec<String> {
        self.feed(EventKind::Execute(Box::new(execute)))
    }

    pub(crate) fn attach(&mut self, attach: Attach) -> Vec<String> {
        self.feed(EventKind::Attach(Box::new(attach)))
    }

    pub(crate) fn stop(&mut self) -> Vec<String> {
        self.feed(EventKind::Stop)
    }

    pub(crate) fn detach(&mut self) -> Vec<String> {
        self.feed(EventKind::Detach)
    }

    pub(crate) fn answer(&mut self, call: &str, content: &str) -> Vec<String> {
        self.feed(EventKind::AnswerTool {
            call: call.into(),
            answer: ToolAnswer::success(content).into(),
        })
    }

    /// The socket dialled last is open.
    pub(crate) fn open(&mut self) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::ConnectionOpened { dial })
    }

    pub(crate) fn fail_dial(&mut self, kind: DialFailureKind) -> Vec<String> {
        let dial = DialId(self.dial);
        let text = "no".into();
        let failure = DialFailure { kind, text };
        self.feed(EventKind::DialFailed { dial, failure })
    }

    /// A frame on the socket dialled last, as the wire has it.
    pub(crate) fn wire(&mut self, text: &str) -> Vec<String> {
        self.wire_on(self.dial, text)
    }

    pub(crate) fn wire_on(&mut self, dial: u64, text: &str) -> Vec<String> {
        let frame = ServerFrame::decode(text).expect("a frame");
        let dial = DialId(dial);
        self.feed(EventKind::FrameReceived { dial, frame })
    }

    pub(crate) fn reject(&mut self, problem: FrameProblem) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::FrameRejected { dial, problem })
    }

    /// Part of a frame on the socket dialled last.
    pub(crate) fn arriving(&mut self) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::FrameArriving { dial })
    }

    /// A second passes, and another part of the same frame comes; so many times.
    pub(crate) fn arriving_for(&mut self, seconds: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..seconds {
            lines.extend(self.wait(1_000));
            lines.extend(self.arriving());
        }
        lines
    }

    pub(crate) fn close(&mut self, code: u16) -> Vec<String> {
        self.end_socket(Close::Closed {
            code: Some(CloseCode(code)),
            reason: "".into(),
        })
    }

    /// The socket is lost without a close frame.
    pub(crate) fn cut(&mut self) -> Vec<String> {
        self.end_socket(Close::Lost { text: "cut".into() })
    }

    pub(crate) fn end_socket(&mut self, close: Close) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::ConnectionClosed { dial, close })
    }

    /// The answer to the request of this name made last.
    pub(crate) fn reply(&mut self, call: &str, reply: Reply) -> Vec<String> {
        let request = self.requests[call];
        self.feed(EventKind::ReplyReceived { request, reply })
    }

    /// A fresh token comes, answering the request in flight.
    pub(crate) fn issue(&mut self) -> Vec<String> {
        let token = self.token();
        self.reply("refresh_token", Reply::TokenIssued(token))
    }

    pub(crate) fn status(&mut self, status: &str) -> Vec<String> {
        self.reply("ask_status", status_reply(status))
    }

    pub(crate) fn network(&mut self, network: Network) -> Vec<String> {
        self.feed(EventKind::NetworkChanged(network))
    }

    pub(crate) fn pause(&mut self) -> Vec<String> {
        self.feed(EventKind::ReadingPaused)
    }

    pub(crate) fn resume_reading(&mut self) -> Vec<String> {
        self.feed(EventKind::ReadingResumed)
    }

    /// The state was stored and is woken now, on a clock that reads `at`.
    pub(crate) fn restore(&mut self, at: u64, token: Option<TokenGrant>) -> Vec<String> {
        self.now = at;
        self.feed(EventKind::Restored { token })
    }
}
