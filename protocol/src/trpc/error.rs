use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use crate::{
    RawJson,
    json::{JsonSlice, ObjectWriter},
    string_enum::string_enum,
};

/// A call of the API failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// The server says so itself.
    #[error(transparent)]
    Trpc(#[from] TrpcError),
    /// The answer is no tRPC envelope, but perhaps a proxy's page.
    #[error("HTTP {status} without a tRPC envelope: `{excerpt}`")]
    NoEnvelope {
        /// The HTTP status.
        status: u16,
        /// The first 200 bytes of the body, control characters made spaces; empty if a token may be among them.
        excerpt: Box<str>,
    },
    /// The envelope holds another reply than the procedure gives.
    #[error("HTTP {status} with an unexpected reply ({what}): `{excerpt}`")]
    UnexpectedReply {
        /// The HTTP status.
        status: u16,
        /// What is missing or has another shape.
        what: Box<str>,
        /// The first 200 bytes of the body, control characters made spaces; empty if a token may be among them.
        excerpt: Box<str>,
    },
}

impl ApiError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Trpc(error) => error.http_status,
            Self::NoEnvelope { status, .. } | Self::UnexpectedReply { status, .. } => *status,
        }
    }
}

/// What a server says when a procedure fails.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[error("{code} (HTTP {http_status}): {message}")]
pub struct TrpcError {
    /// The kind of failure (`data.code`).
    pub code: TrpcCode,
    /// The HTTP status (`data.httpStatus`, else that of the answer).
    pub http_status: u16,
    /// What failed. Of refused input this is itself a JSON array of issues.
    pub message: Box<str>,
    /// The procedure called; absent if it failed before that was known.
    pub path: Option<Box<str>>,
    /// Where in the server it failed; servers in production do not say.
    pub stack: Option<Box<str>>,
    /// What LobeHub adds, such as a quota.
    pub error_data: Option<RawJson>,
}

string_enum! {
    /// The kinds of failure.
    pub enum TrpcCode {
        /// 400: refused input.
        BadRequest = "BAD_REQUEST",
        /// 401: no or bad credentials.
        Unauthorized = "UNAUTHORIZED",
        /// 403: by policy or quota.
        Forbidden = "FORBIDDEN",
        /// 404: of the thing asked for, or of the procedure.
        NotFound = "NOT_FOUND",
        /// 405: GET of a mutation, POST of a query.
        MethodNotSupported = "METHOD_NOT_SUPPORTED",
        /// 408: too slow.
        Timeout = "TIMEOUT",
        /// 409: contradicts what is.
        Conflict = "CONFLICT",
        /// 412: a condition does not hold.
        PreconditionFailed = "PRECONDITION_FAILED",
        /// 413: too large.
        PayloadTooLarge = "PAYLOAD_TOO_LARGE",
        /// 415: POST without JSON.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// 429: too often.
        TooManyRequests = "TOO_MANY_REQUESTS",
        /// 500: anything thrown.
        InternalServerError = "INTERNAL_SERVER_ERROR",
        /// 502.
        BadGateway = "BAD_GATEWAY",
        /// 503.
        ServiceUnavailable = "SERVICE_UNAVAILABLE",
        /// 504.
        GatewayTimeout = "GATEWAY_TIMEOUT",
    }
}

impl TrpcCode {
    /// The JSON-RPC number of the kind; that of an internal error if the kind is not known.
    pub fn number(&self) -> i32 {
        match self {
            Self::BadRequest => -32600,
            Self::Unauthorized => -32001,
            Self::Forbidden => -32003,
            Self::NotFound => -32004,
            Self::MethodNotSupported => -32005,
            Self::Timeout => -32008,
            Self::Conflict => -32009,
            Self::PreconditionFailed => -32012,
            Self::PayloadTooLarge => -32013,
            Self::UnsupportedMediaType => -32015,
            Self::TooManyRequests => -32029,
            Self::InternalServerError
            | Self::BadGateway
            | Self::ServiceUnavailable
            | Self::GatewayTimeout
            | Self::Unknown(_) => -32603,
        }
    }

    /// The kind that has this JSON-RPC number; an internal error if several have. `None` for a number that JSON-RPC does
    /// not keep for errors, such as an HTTP status in a proxy's own `{"error":…}`.
    fn of_number(number: i64) -> Option<Self> {
        Some(match number {
            -32600 | -32700 => Self::BadRequest,
            -32001 => Self::Unauthorized,
            -32003 => Self::Forbidden,
            -32004 => Self::NotFound,
            -32005 => Self::MethodNotSupported,
            -32008 => Self::Timeout,
            -32009 => Self::Conflict,
            -32012 => Self::PreconditionFailed,
            -32013 => Self::PayloadTooLarge,
            -32015 => Self::UnsupportedMediaType,
            -32029 => Self::TooManyRequests,
            -32768..=-32000 => Self::InternalServerError,
            _ => return None,
        })
    }

    /// The HTTP status of the kind; 500 if it is not known.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotSupported => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::BadGateway => 502,
            Self::ServiceUnavailable => 503,
            Self::GatewayTimeout => 504,
            Self::InternalServerError | Self::Unknown(_) => 500,
        }
    }
}

impl TrpcError {
    /// An error of that kind, with the HTTP status that belongs to it.
    pub fn new(
        code: TrpcCode,
        message: impl Into<Box<str>>,
        path: impl Into<Option<Box<str>>>,
    ) -> Self {
        let http_status = code.http_status();
        Self {
            code,
            http_status,
            message: message.into(),
            path: path.into(),
            stack: None,
            error_data: None,
        }
    }

    /// What a server says of a procedure it does not have.
    pub fn unknown_procedure(path: &str) -> Self {
        let message = alloc::format!("{UNKNOWN_PROCEDURE} \"{path}\"");
        Self::new(TrpcCode::NotFound, message, Some(path.into()))
    }

    /// Whether the server does not have the procedure, as opposed to the thing asked for.
    pub fn is_unknown_procedure(&self) -> bool {
        self.code == TrpcCode::NotFound && self.message.starts_with(UNKNOWN_PROCEDURE)
    }

    /// The message as a person reads it: of refused input, whose message is itself a JSON array of zod's issues, each
    /// issue with the place in the input it is about.
    pub fn sentence(&self) -> Box<str> {
        issues(&self.message).unwrap_or_else(|| self.message.clone())
    }

    /// Reads the value of `error` in an envelope, or of its `json`.
    pub(super) fn read(error: JsonSlice<'_>, status: u16) -> Option<Self> {
        let json = error.member("json").unwrap_or(error);
        let data = json.member("data");
        let datum = |name| data.and_then(|data| data.member(name));
        // Without either code it is no tRPC error: a proxy's own `{"error":…}` must not pass for, say, `NOT_FOUND`.
        let number = || {
            json.member("code")
                .and_then(JsonSlice::read)
                .and_then(TrpcCode::of_number)
        };
        let code = datum("code").and_then(JsonSlice::read).or_else(number)?;
        let http_status = datum("httpStatus")
            .and_then(JsonSlice::read::<u32>)
            .and_then(|status| status.try_into().ok());
        Some(Self {
            code,
            http_status: http_status.unwrap_or(status),
            message: json
                .member("message")
                .and_then(JsonSlice::read)
                .unwrap_or_default(),
            path: datum("path").and_then(JsonSlice::read),
            stack: datum("stack").and_then(JsonSlice::read),
            error_data: datum("errorData")
                .filter(|data| !data.is_null())
                .map(JsonSlice::to_raw),
        })
    }

    /// Writes the envelope's object, in the order that tRPC writes it.
    pub(super) fn write_envelope(&self, out: &mut String) {
        let mut envelope = ObjectWriter::new(out);
        let mut error = ObjectWriter::new(envelope.key("error"));
        let mut json = ObjectWriter::new(error.key("json"));
        json.member("message", &self.message);
        json.member("code", &self.code.number());
        let mut data = ObjectWriter::new(json.key("data"));
        data.member("code", &self.code);
        data.member("httpStatus", &self.http_status);
        data.optional("stack", self.stack.as_ref());
        data.optional("path", self.path.as_ref());
        data.optional("errorData", self.error_data.as_ref());
        data.finish();
        json.finish();
        error.finish();
        envelope.finish();
    }
}

/// `place: message`, one after the other; `None` if these are no issues of zod's.
fn issues(message: &str) -> Option<Box<str>> {
    let list = RawJson::parse(message).ok()?;
    let mut sentence = String::new();
    list.as_slice().items(|issue| {
        let text: Box<str> = issue.member("message")?.read()?;
        if !sentence.is_empty() {
            sentence.push_str("; ");
        }
        let start = sentence.len();
        issue.member("path")?.items(|step| {
            if sentence.len() > start {
                sentence.push('.');
            }
            // A name, or a number in a list.
            sentence.push_str(
                &step
                    .read::<Box<str>>()
                    .unwrap_or_else(|| step.as_str().into()),
            );
            Some(())
        })?;
        if sentence.len() > start {
            sentence.push_str(": ");
        }
        sentence.push_str(&text);
        Some(())
    })?;
    (!sentence.is_empty()).then(|| sentence.into())
}

const UNKNOWN_PROCEDURE: &str = "No procedure found on path";
