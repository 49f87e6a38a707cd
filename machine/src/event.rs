//! What the machine is told: commands of the caller, and facts the hands saw happen.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::frame::ToolError;
use agent_gateway_protocol::{
    AgentId, CloseCode, CloseVerdict, InputRequestId, OperationId, RawJson, ServerFrame, ThreadId,
    ToolCallId, TopicId,
};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::fences::{DialId, RequestId};
use crate::request::Reply;
use crate::time::Timestamp;
use crate::token::{Renewal, TokenGrant};

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// When, on the hands' clock. Earlier than the latest seen counts as the latest seen.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

impl Event {
    /// `kind`, at `at`.
    #[must_use]
    pub fn new(at: Timestamp, kind: EventKind) -> Self {
        Self { at, kind }
    }
}

/// Commands (imperatives) first, then facts (past tense).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Start a new run (R1).
    Execute(Box<Execute>),
    /// Watch a run that is already going (R7).
    Attach(Box<Attach>),
    /// End the run on the server (R2, R3, R5).
    Stop,
    /// Leave the run going and stop watching it (S12).
    Detach,
    /// Leave it as [`Detach`](Self::Detach) does: another run of this client has taken its topic, or its operation (R8).
    /// The [registry](crate::registry) says so.
    Supersede {
        /// That run's operation.
        by: Option<OperationId>,
    },
    /// Send the socket's own `interrupt` frame (S13).
    Interrupt,
    /// The caller's answer to a tool call (T2).
    AnswerTool {
        /// Which call.
        call: ToolCallId,
        /// The answer.
        answer: Box<ToolAnswer>,
    },
    /// The caller's answer to a confirmation request (T7).
    AnswerConfirmation {
        /// Which call was to be confirmed.
        call: ToolCallId,
        /// Yes or no.
        approved: bool,
    },
    /// The caller's answer to an input request (T7).
    AnswerInput {
        /// Which request.
        request: InputRequestId,
        /// What the user typed.
        content: Box<str>,
    },

    /// The socket of this dial is open.
    ConnectionOpened {
        /// Which dial.
        dial: DialId,
    },
    /// The dial came to nothing (C2).
    DialFailed {
        /// Which dial.
        dial: DialId,
        /// Why.
        failure: DialFailure,
    },
    /// Part of a frame came, and the rest is on its way; or the peer took more of one that had to wait to go out (C5). Told
    /// about as often as `Limits::arriving_interval` says while that is so; a frame that comes in one go needs none.
    FrameArriving {
        /// On which dial's socket.
        dial: DialId,
    },
    /// A whole text frame that is JSON came.
    FrameReceived {
        /// On which dial's socket.
        dial: DialId,
        /// The frame.
        frame: ServerFrame,
    },
    /// Something came that is not a frame (C12).
    FrameRejected {
        /// On which dial's socket.
        dial: DialId,
        /// What was wrong with it.
        problem: FrameProblem,
    },
    /// The socket is gone (C7).
    ConnectionClosed {
        /// Which dial's socket.
        dial: DialId,
        /// How it went.
        close: Close,
    },
    /// An HTTP request was answered, or failed.
    ReplyReceived {
        /// Which request.
        request: RequestId,
        /// The typed answer.
        reply: Reply,
    },
    /// The alarm set by `SetAlarm` rang. Early, late and spurious rings are harmless.
    AlarmRang,
    /// The host's network came or went (C15).
    NetworkChanged(Network),
    /// The caller reads slowly, so the hands have stopped reading the socket (C5).
    ReadingPaused,
    /// The hands read the socket again.
    ReadingResumed,
    /// This state was stored and is woken now, perhaps elsewhere: sockets, requests and tokens are gone, and `at` is
    /// on a new clock. Always the first event after loading.
    Restored {
        /// A token, if the hands have one at once; otherwise one is fetched (S10).
        token: Option<TokenGrant>,
    },
}

impl EventKind {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Execute(_) => "execute",
            Self::Attach(_) => "attach",
            Self::Stop => "stop",
            Self::Detach => "detach",
            Self::Supersede { .. } => "supersede",
            Self::Interrupt => "interrupt",
            Self::AnswerTool { .. } => "answer_tool",
            Self::AnswerConfirmation { .. } => "answer_confirmation",
            Self::AnswerInput { .. } => "answer_input",
            Self::ConnectionOpened { .. } => "connection_opened",
            Self::DialFailed { .. } => "dial_failed",
            Self::FrameArriving { .. } => "frame_arriving",
            Self::FrameReceived { .. } => "frame_received",
            Self::FrameRejected { .. } => "frame_rejected",
            Self::ConnectionClosed { .. } => "connection_closed",
            Self::ReplyReceived { .. } => "reply_received",
            Self::AlarmRang => "alarm_rang",
            Self::NetworkChanged(_) => "network_changed",
            Self::ReadingPaused => "reading_paused",
            Self::ReadingResumed => "reading_resumed",
            Self::Restored { .. } => "restored",
        }
    }
}

/// Everything a new run needs (R1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Execute {
    /// The input of `execAgent`; shared, for it goes into the request as it is.
    pub input: Arc<ExecAgent>,
    /// The socket's token, for callers who use their own (an API key, a login's JWT) instead of the run's. None: the
    /// run's, or with [`Renewal::Caller`] one that the caller is asked for.
    pub token: Option<TokenGrant>,
    /// Where a fresh token comes from.
    pub renewal: Renewal,
    /// The parked run this one carries on: it is retired once this one has started (R5, R9).
    pub parent: Option<OperationId>,
}

impl Execute {
    /// A run of `input` with the server's own tokens.
    #[must_use]
    pub fn new(input: impl Into<Arc<ExecAgent>>) -> Self {
        Self {
            input: input.into(),
            token: None,
            renewal: Renewal::Server,
            parent: None,
        }
    }
}

impl From<ExecAgent> for Execute {
    fn from(input: ExecAgent) -> Self {
        Self::new(input)
    }
}

/// Everything needed to watch a run that is already going (R7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attach {
    /// The run.
    pub operation: OperationId,
    /// Its topic: for the marker and for fresh tokens.
    pub topic: Option<TopicId>,
    /// Its thread; none means the main scope.
    pub thread: Option<ThreadId>,
    /// Its agent, where known.
    pub agent: Option<AgentId>,
    /// Everything up to here is known already.
    pub cursor: Cursor,
    /// The socket's token; none: it is fetched first.
    pub token: Option<TokenGrant>,
    /// Where a fresh token comes from.
    pub renewal: Renewal,
    /// Whether this client executes the run's tools; a passive watcher does not (T6).
    pub executes_tools: bool,
    /// The tool calls before `cursor` of which an earlier program of this client did not see the end, such as
    /// [`Bookmark`](crate::Bookmark) keeps them: what the replay does not show as done is asked for (T1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_calls: Vec<ToolExecute>,
}

impl Attach {
    /// A passive watcher of `operation` from its beginning, with the server's own tokens.
    #[must_use]
    pub fn new(operation: OperationId, topic: Option<TopicId>) -> Self {
        Self {
            operation,
            topic,
            thread: None,
            agent: None,
            cursor: Cursor::start(),
            token: None,
            renewal: Renewal::Server,
            executes_tools: false,
            open_calls: Vec::new(),
        }
    }
}

/// What a tool came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolAnswer {
    /// The text for the model; `None` goes out as `null`.
    pub content: Option<Box<str>>,
    /// The executor's own verdict; can be false without an `error`.
    pub success: bool,
    /// What went wrong; left out of the frame when absent (T5).
    pub error: Option<ToolError>,
    /// The tool's state, an object; left out of the frame when absent (T5).
    pub state: Option<RawJson>,
}

impl ToolAnswer {
    /// A success with this content.
    #[must_use]
    pub fn success(content: impl Into<Box<str>>) -> Self {
        Self {
            content: Some(content.into()),
            success: true,
            error: None,
            state: None,
        }
    }

    /// A failure: no content, an error of this type and message.
    #[must_use]
    pub fn failure(kind: &str, message: &str) -> Self {
        Self {
            content: None,
            success: false,
            error: Some(ToolError::new(kind, message)),
            state: None,
        }
    }

    /// Bytes of text held.
    #[must_use]
    pub fn size(&self) -> usize {
        let content = self.content.as_ref().map_or(0, |content| content.len());
        let error = self.error.as_ref().map_or(0, ToolError::size);
        let state = self.state.as_ref().map_or(0, RawJson::len);
        content + error + state
    }
}

/// Why a dial came to nothing (C2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DialFailure {
    /// What sort of failure: decides whether another attempt makes sense.
    pub kind: DialFailureKind,
    /// The failure in words, naming host and port.
    pub text: Box<str>,
}

impl fmt::Display for DialFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl core::error::Error for DialFailure {}

/// What sort of dial failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialFailureKind {
    /// No such host, connection refused, no route, timed out below us.
    Unreachable,
    /// The peer's certificate is not one we trust for this host: over at once.
    TlsIdentity,
    /// TLS failed in another way.
    Tls,
    /// The upgrade was answered with this HTTP status: over at once for 4xx but 408 and 429.
    Http(u16),
    /// The answer was not HTTP, or not an upgrade.
    Protocol,
}

impl DialFailureKind {
    /// Whether trying again cannot help (C2).
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::TlsIdentity => true,
            Self::Http(status) => (400..500).contains(&status) && status != 408 && status != 429,
            Self::Unreachable | Self::Tls | Self::Protocol => false,
        }
    }
}

/// How a socket went (C7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// A close frame came.
    Closed {
        /// Its code, if it had one.
        code: Option<CloseCode>,
        /// Its reason.
        reason: Box<str>,
    },
    /// The stream ended, or failed, without a close frame.
    Lost {
        /// What went wrong, for a person.
        text: Box<str>,
    },
    /// The peer broke the WebSocket protocol, or sent a frame over the limit.
    Violation {
        /// What it did, for a person.
        text: Box<str>,
    },
}

impl Close {
    /// Whether the socket went because the protocol was broken, whoever says so (C7).
    pub(crate) fn is_violation(&self) -> bool {
        match self {
            Self::Violation { .. } => true,
            Self::Lost { .. } => false,
            Self::Closed { code, .. } => code.is_some_and(|code| match code.verdict() {
                CloseVerdict::Reconnect => false,
                CloseVerdict::PolicyViolation | CloseVerdict::ProtocolViolation => true,
            }),
        }
    }

    /// Whether the peer says that it was sent a frame over its limit (C7).
    pub(crate) fn says_too_large(&self) -> bool {
        matches!(
            self,
            Self::Closed {
                code: Some(CloseCode::MESSAGE_TOO_BIG),
                ..
            }
        )
    }
}

impl fmt::Display for Close {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code, reason } => {
                formatter.write_str("closed")?;
                if let Some(code) = code {
                    write!(formatter, " with {}", code.0)?;
                }
                if !reason.is_empty() {
                    write!(formatter, " ({reason})")?;
                }
                Ok(())
            }
            Self::Lost { text } | Self::Violation { text } => formatter.write_str(text),
        }
    }
}

/// What was wrong with something that came on a socket (C12). Never fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameProblem {
    /// Text that is not JSON, or not an object, or has no `type`.
    Malformed,
    /// A binary frame.
    Binary,
}

/// What the host says of its network (C15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// There is one, as far as the host knows.
    #[default]
    Online,
    /// There is none.
    Offline,
}
