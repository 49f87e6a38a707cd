use alloc::{boxed::Box, string::String};
use core::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::{Auth, FrameError, Resume, ToolConfirmation, ToolResult, UnknownFrame, UserInput};
use crate::{
    EventId, RawJson, ServerUrl, Token,
    json::{JsonSlice, ObjectWriter},
};

/// A frame to the gateway.
///
/// `T` stands for the token: a [`Token`] on the wire, whatever names one in states and recordings. Its serde form is for
/// those; the wire's is [`encode`](ClientFrame::encode). The rare and large ones are boxed, as in
/// [`ServerFrame`](super::ServerFrame).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame<T = Token> {
    /// `auth`.
    Auth(Box<Auth<T>>),
    /// `resume`.
    Resume(Resume),
    /// `heartbeat`.
    Heartbeat,
    /// `tool_result`.
    ToolResult(Box<ToolResult>),
    /// `tool_confirmation`.
    ToolConfirmation(ToolConfirmation),
    /// `user_input`.
    UserInput(UserInput),
    /// `interrupt`: every known gateway takes it and does nothing; runs are stopped over HTTP.
    Interrupt,
    /// Anything else.
    Unknown(Box<UnknownFrame>),
}

impl<T> ClientFrame<T> {
    /// The same frame with the token replaced: how the hands fill in the text that the pure core only names.
    pub fn with_token<U>(self, fill: impl FnOnce(T) -> U) -> ClientFrame<U> {
        match self.try_with_token(|token| Ok::<U, Infallible>(fill(token))) {
            Ok(frame) => frame,
            Err(never) => match never {},
        }
    }

    /// As [`with_token`](Self::with_token), where the token may be missing.
    ///
    /// # Errors
    /// What `fill` says.
    pub fn try_with_token<U, E>(
        self,
        fill: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<ClientFrame<U>, E> {
        Ok(match self {
            Self::Auth(frame) => ClientFrame::Auth(Box::new(Auth {
                token: fill(frame.token)?,
                token_type: frame.token_type,
                server_url: frame.server_url,
            })),
            Self::Resume(frame) => ClientFrame::Resume(frame),
            Self::Heartbeat => ClientFrame::Heartbeat,
            Self::ToolResult(frame) => ClientFrame::ToolResult(frame),
            Self::ToolConfirmation(frame) => ClientFrame::ToolConfirmation(frame),
            Self::UserInput(frame) => ClientFrame::UserInput(frame),
            Self::Interrupt => ClientFrame::Interrupt,
            Self::Unknown(frame) => ClientFrame::Unknown(frame),
        })
    }

    /// The frame's `type`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Auth(_) => "auth",
            Self::Resume(_) => "resume",
            Self::Heartbeat => "heartbeat",
            Self::ToolResult(_) => "tool_result",
            Self::ToolConfirmation(_) => "tool_confirmation",
            Self::UserInput(_) => "user_input",
            Self::Interrupt => "interrupt",
            Self::Unknown(frame) => &frame.kind,
        }
    }

    /// Whether it answers something that the server has asked.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::ToolResult(_) | Self::ToolConfirmation(_) | Self::UserInput(_) => true,
            Self::Auth(_)
            | Self::Resume(_)
            | Self::Heartbeat
            | Self::Interrupt
            | Self::Unknown(_) => false,
        }
    }

    /// Bytes of its text message, without the token's.
    pub fn size(&self) -> usize {
        self.write(|_| "").len()
    }

    fn write<'a>(&'a self, expose: impl FnOnce(&'a T) -> &'a str) -> String {
        let mut out = String::new();
        if let Self::Unknown(frame) = self {
            out.push_str(frame.raw.as_str());
            return out;
        }
        let mut writer = ObjectWriter::new(&mut out);
        writer.member("type", self.kind());
        match self {
            Self::Auth(frame) => {
                writer.member("token", expose(&frame.token));
                writer.optional("tokenType", frame.token_type.as_ref());
                if let Some(server) = &frame.server_url {
                    writer.member("serverUrl", server.as_str());
                }
            }
            Self::Resume(frame) => {
                match &frame.last_event_id {
                    Some(id) => writer.member("lastEventId", id),
                    None => writer.member("lastEventId", ""),
                }
                if frame.want_status {
                    writer.member("wantStatus", &true);
                }
            }
            Self::ToolResult(frame) => {
                writer.member("toolCallId", &frame.tool_call_id);
                writer.member("content", &frame.content);
                writer.member("success", &frame.success);
                writer.optional("error", frame.error.as_ref());
                writer.optional(
                    "state",
                    frame
                        .state
                        .as_ref()
                        .filter(|state| state.as_slice().is_object()),
                );
            }
            Self::ToolConfirmation(frame) => {
                writer.member("toolCallId", &frame.tool_call_id);
                writer.member("approved", &frame.approved);
            }
            Self::UserInput(frame) => {
                writer.member("requestId", &frame.request_id);
                writer.member("content", &frame.content);
            }
            Self::Heartbeat | Self::Interrupt | Self::Unknown(_) => {}
        }
        writer.finish();
        out
    }
}

impl ClientFrame<Token> {
    /// Writes the frame as a text message. For `auth` this holds the token's text: it goes nowhere but onto the socket.
    pub fn encode(&self) -> String {
        self.write(Token::expose)
    }

    /// Reads one text message, as a gateway does.
    ///
    /// # Errors
    /// The message is not JSON, no object, or has no `type`. No error shows any of its text: it may be a token.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let raw = whole(text)?;
        let frame = raw.as_slice();
        if !frame.is_object() {
            return Err(FrameError::NotAnObject);
        }
        let kind = frame
            .member("type")
            .and_then(JsonSlice::string)
            .ok_or(FrameError::NoType)?
            .decode();
        let known = match &*kind {
            "auth" => auth(frame).map(Box::new).map(Self::Auth),
            "resume" => Some(Self::Resume(Resume {
                last_event_id: read(frame, "lastEventId"),
                want_status: read(frame, "wantStatus").unwrap_or_default(),
            })),
            "heartbeat" => Some(Self::Heartbeat),
            "tool_result" => tool_result(frame).map(Box::new).map(Self::ToolResult),
            "tool_confirmation" => tool_confirmation(frame).map(Self::ToolConfirmation),
            "user_input" => user_input(frame).map(Self::UserInput),
            "interrupt" => Some(Self::Interrupt),
            _ => None,
        };
        Ok(known.unwrap_or_else(|| {
            let id: Option<EventId> = read(frame, "id");
            Self::Unknown(Box::new(UnknownFrame {
                kind: kind.clone().into(),
                id,
                raw: raw.clone(),
            }))
        }))
    }
}

/// The whole message as one value.
pub(super) fn whole(text: &str) -> Result<RawJson, FrameError> {
    RawJson::parse(text).map_err(FrameError::silent)
}

fn read<T: crate::json::FromJson>(frame: JsonSlice<'_>, name: &str) -> Option<T> {
    frame.member(name)?.read()
}

fn auth(frame: JsonSlice<'_>) -> Option<Auth> {
    let server_url: Option<String> = read(frame, "serverUrl");
    Some(Auth {
        token: read(frame, "token")?,
        token_type: read(frame, "tokenType"),
        server_url: server_url.and_then(|url| ServerUrl::parse(&url).ok()),
    })
}

fn tool_result(frame: JsonSlice<'_>) -> Option<ToolResult> {
    Some(ToolResult {
        tool_call_id: read(frame, "toolCallId")?,
        content: read(frame, "content"),
        success: read(frame, "success")?,
        error: read(frame, "error"),
        state: frame
            .member("state")
            .filter(|state| state.is_object())
            .map(JsonSlice::to_raw),
    })
}

fn tool_confirmation(frame: JsonSlice<'_>) -> Option<ToolConfirmation> {
    Some(ToolConfirmation {
        tool_call_id: read(frame, "toolCallId")?,
        approved: read(frame, "approved")?,
    })
}

fn user_input(frame: JsonSlice<'_>) -> Option<UserInput> {
    Some(UserInput {
        request_id: read(frame, "requestId")?,
        content: read(frame, "content")?,
    })
}
