use alloc::{boxed::Box, string::String, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    AuthFailed, EventFrame, FrameError, InputRequest, ResumeComplete, SessionComplete,
    StatusChange, ToolConfirmationRequest, UnknownFrame, usual,
};
use crate::{
    EventId, JsonError, OperationId,
    event::EventDraft,
    json::{JsonSlice, ObjectWriter, Scanner, match_key},
};

/// A frame from the gateway.
///
/// The rare ones are boxed, so that the others, of which there are many, are moved at little cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame {
    /// `auth_success`: the token was taken.
    AuthSuccess,
    /// `auth_failed`.
    AuthFailed(AuthFailed),
    /// `auth_expired`: the token ran out; the socket stays open for another `auth`.
    AuthExpired,
    /// `heartbeat_ack`.
    HeartbeatAck,
    /// `agent_event`.
    AgentEvent(EventFrame),
    /// `session_complete`.
    SessionComplete(Box<SessionComplete>),
    /// `status_change`.
    StatusChange(Box<StatusChange>),
    /// `tool_confirmation_request`.
    ToolConfirmationRequest(Box<ToolConfirmationRequest>),
    /// `input_request`.
    InputRequest(Box<InputRequest>),
    /// `resume_complete`.
    ResumeComplete(Box<ResumeComplete>),
    /// Anything else.
    Unknown(Box<UnknownFrame>),
}

impl ServerFrame {
    /// Reads one text message, in one pass, whatever the order of its members. One that starts like LobeHub's usual
    /// `agent_event` and turns out otherwise is read again from its start.
    ///
    /// # Errors
    /// The message is not JSON, no object, or has no `type`.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        Self::decode_naming(text, |name| OperationId::from(name))
    }

    /// The same, with `named` to make an operation's id of its text.
    #[inline]
    pub(super) fn decode_naming(
        text: &str,
        named: impl FnOnce(&str) -> OperationId,
    ) -> Result<Self, FrameError> {
        match usual::read(text, named) {
            Some(frame) => Ok(Self::AgentEvent(frame)),
            None => Self::decode_any(text),
        }
    }

    /// Reads any frame at all.
    #[inline(never)]
    fn decode_any(text: &str) -> Result<Self, FrameError> {
        let mut draft = Draft::default();
        if !draft
            .scan(text)
            .map_err(|error| FrameError::shown(error, text))?
        {
            return Err(FrameError::NotAnObject);
        }
        draft.build(text)
    }

    /// Writes the frame as a text message.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(self.size() + 160);
        if let Self::Unknown(frame) = self {
            out.push_str(frame.raw.as_str());
            return out;
        }
        let mut writer = ObjectWriter::new(&mut out);
        writer.member("type", self.kind());
        writer.optional("id", self.id());
        match self {
            Self::AuthSuccess | Self::AuthExpired | Self::HeartbeatAck | Self::Unknown(_) => {}
            Self::AuthFailed(frame) => writer.member("reason", &frame.reason),
            Self::AgentEvent(frame) => writer.member("event", &*frame.event),
            Self::SessionComplete(frame) => writer.optional("summary", frame.summary.as_ref()),
            Self::StatusChange(frame) => writer.member("status", &frame.status),
            Self::ToolConfirmationRequest(frame) => {
                writer.optional("tool", frame.tool.as_ref());
                writer.member("toolCallId", &frame.tool_call_id);
            }
            Self::InputRequest(frame) => {
                writer.member("prompt", &frame.prompt);
                writer.member("requestId", &frame.request_id);
            }
            Self::ResumeComplete(frame) => {
                writer.optional("status", frame.status.as_ref());
                if frame.gap {
                    writer.member("gap", &true);
                }
            }
        }
        writer.finish();
        out
    }

    /// The frame's place in its operation's sequence, if it has one.
    pub fn id(&self) -> Option<&EventId> {
        match self {
            Self::AgentEvent(frame) => frame.id.as_ref(),
            Self::SessionComplete(frame) => frame.id.as_ref(),
            Self::StatusChange(frame) => frame.id.as_ref(),
            Self::ToolConfirmationRequest(frame) => frame.id.as_ref(),
            Self::InputRequest(frame) => frame.id.as_ref(),
            Self::Unknown(frame) => frame.id.as_ref(),
            Self::AuthSuccess
            | Self::AuthFailed(_)
            | Self::AuthExpired
            | Self::HeartbeatAck
            | Self::ResumeComplete(_) => None,
        }
    }

    /// The frame's `type`.
    pub fn kind(&self) -> &str {
        match self {
            Self::AuthSuccess => "auth_success",
            Self::AuthFailed(_) => "auth_failed",
            Self::AuthExpired => "auth_expired",
            Self::HeartbeatAck => "heartbeat_ack",
            Self::AgentEvent(_) => "agent_event",
            Self::SessionComplete(_) => "session_complete",
            Self::StatusChange(_) => "status_change",
            Self::ToolConfirmationRequest(_) => "tool_confirmation_request",
            Self::InputRequest(_) => "input_request",
            Self::ResumeComplete(_) => "resume_complete",
            Self::Unknown(frame) => &frame.kind,
        }
    }

    /// About how many bytes the frame holds: the lengths of its texts. Cheap, for bounding what is held back.
    pub fn size(&self) -> usize {
        let id = self.id().map_or(0, EventId::size);
        let texts = match self {
            Self::AuthFailed(frame) => frame.reason.len(),
            Self::AgentEvent(frame) => frame.event.size(),
            Self::SessionComplete(frame) => {
                frame.summary.as_ref().map_or(0, |summary| summary.len())
            }
            Self::StatusChange(frame) => frame.status.as_str().len(),
            Self::ToolConfirmationRequest(frame) => frame.size(),
            Self::InputRequest(frame) => frame.size(),
            Self::Unknown(frame) => frame.kind.len() + frame.raw.len(),
            Self::AuthSuccess
            | Self::AuthExpired
            | Self::HeartbeatAck
            | Self::ResumeComplete(_) => 0,
        };
        id + texts
    }
}

/// The members of a frame as they were found, whatever its type turns out to be: `type` may come last.
#[derive(Default)]
struct Draft<'a> {
    kind: Option<JsonSlice<'a>>,
    id: Option<JsonSlice<'a>>,
    event: EventDraft<'a>,
    is_event: bool,
    reason: Option<JsonSlice<'a>>,
    summary: Option<JsonSlice<'a>>,
    status: Option<JsonSlice<'a>>,
    tool: Option<JsonSlice<'a>>,
    tool_call_id: Option<JsonSlice<'a>>,
    prompt: Option<JsonSlice<'a>>,
    request_id: Option<JsonSlice<'a>>,
    gap: Option<JsonSlice<'a>>,
}

impl<'a> Draft<'a> {
    /// `false` if the text is JSON, but no object.
    #[inline]
    fn scan(&mut self, text: &'a str) -> Result<bool, JsonError> {
        let mut scanner = Scanner::new(text);
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.end()?;
            return Ok(false);
        }
        let mut first = true;
        while scanner.member(&mut first)? {
            let place = match_key!(scanner, {
                "type" => &mut self.kind,
                "id" => &mut self.id,
                "event" => {
                    self.is_event = self.event.scan(&mut scanner)?;
                    continue;
                },
                "reason" => &mut self.reason,
                "summary" => &mut self.summary,
                "status" => &mut self.status,
                "tool" => &mut self.tool,
                "toolCallId" => &mut self.tool_call_id,
                "prompt" => &mut self.prompt,
                "requestId" => &mut self.request_id,
                "gap" => &mut self.gap,
                other => {
                    scanner.value()?;
                    continue;
                }
            });
            *place = Some(scanner.value()?);
        }
        scanner.end()?;
        Ok(true)
    }

    #[inline]
    fn build(&mut self, text: &str) -> Result<ServerFrame, FrameError> {
        let kind = self
            .kind
            .and_then(JsonSlice::string)
            .ok_or(FrameError::NoType)?
            .decode();
        let id = self.id.and_then(JsonSlice::read);
        let known = match &*kind {
            "agent_event" if self.is_event => match self.event.build() {
                Some(event) => {
                    let event = Arc::new(event);
                    return Ok(ServerFrame::AgentEvent(EventFrame { id, event }));
                }
                None => None,
            },
            "heartbeat_ack" => Some(ServerFrame::HeartbeatAck),
            "auth_success" => Some(ServerFrame::AuthSuccess),
            "auth_failed" => Some(ServerFrame::AuthFailed(AuthFailed {
                reason: self.reason.and_then(JsonSlice::read).unwrap_or_default(),
            })),
            "auth_expired" => Some(ServerFrame::AuthExpired),
            "session_complete" => Some(ServerFrame::SessionComplete(Box::new(SessionComplete {
                id: id.clone(),
                summary: self.summary.and_then(JsonSlice::read),
            }))),
            "status_change" => self.status.and_then(JsonSlice::read).map(|status| {
                ServerFrame::StatusChange(Box::new(StatusChange {
                    id: id.clone(),
                    status,
                }))
            }),
            "tool_confirmation_request" => {
                self.tool_call_id
                    .and_then(JsonSlice::read)
                    .map(|tool_call_id| {
                        let tool = self.tool.map(JsonSlice::to_raw);
                        ServerFrame::ToolConfirmationRequest(Box::new(ToolConfirmationRequest {
                            id: id.clone(),
                            tool,
                            tool_call_id,
                        }))
                    })
            }
            "input_request" => self
                .prompt
                .and_then(JsonSlice::read)
                .zip(self.request_id.and_then(JsonSlice::read))
                .map(|(prompt, request_id)| {
                    ServerFrame::InputRequest(Box::new(InputRequest {
                        id: id.clone(),
                        prompt,
                        request_id,
                    }))
                }),
            "resume_complete" => Some(ServerFrame::ResumeComplete(Box::new(ResumeComplete {
                status: self.status.and_then(JsonSlice::read),
                gap: self.gap.and_then(JsonSlice::read).unwrap_or_default(),
            }))),
            _ => None,
        };
        match known {
            Some(frame) => Ok(frame),
            None => Ok(ServerFrame::Unknown(Box::new(UnknownFrame {
                kind: kind.into(),
                id,
                raw: super::client::whole(text)?,
            }))),
        }
    }
}
