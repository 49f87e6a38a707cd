use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{ApiError, TrpcError};
use crate::{
    RawJson,
    api::Procedure,
    json::{JsonSlice, ObjectWriter, ToJson},
};

/// What came of one call: its reply, or the server's error.
pub type Outcome = Result<RawJson, TrpcError>;

/// Reads the answer to a plain call.
///
/// # Errors
/// What the server says; that the body is no envelope; that the reply is not what the procedure gives.
pub fn decode<P: Procedure>(status: u16, body: &[u8]) -> Result<P::Reply, ApiError> {
    // What may hold a token is not shown: an answer to such a call that is no error, and no page of a proxy's.
    let is_page = body.trim_ascii_start().starts_with(b"<");
    let shown = if P::ANSWERS_WITH_TOKEN && status < 400 && !is_page {
        &[]
    } else {
        body
    };
    let raw = envelope(body).ok_or_else(|| no_envelope(status, shown))?;
    let reply = outcome(raw.as_slice(), status).ok_or_else(|| no_envelope(status, shown))??;
    P::read_reply(reply).map_err(|what| ApiError::UnexpectedReply {
        status,
        what: what.into(),
        excerpt: excerpt(shown),
    })
}

/// Reads the answer to a batch: one outcome a call.
///
/// # Errors
/// The body is no array of envelopes. A single error envelope, of a batch that failed as a whole, is that error.
pub fn decode_batch(status: u16, body: &[u8]) -> Result<Vec<Outcome>, ApiError> {
    let raw = envelope(body).ok_or_else(|| no_envelope(status, body))?;
    let mut outcomes = Vec::new();
    let all = raw.as_slice().items(|item| {
        outcomes.push(outcome(item, status)?.map(JsonSlice::to_raw));
        Some(())
    });
    if all.is_some() {
        return Ok(outcomes);
    }
    match outcome(raw.as_slice(), status) {
        Some(Err(error)) => Err(error.into()),
        _ => Err(no_envelope(status, body)),
    }
}

/// An answer as it goes out, but for headers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON.
    pub body: String,
}

impl Answer {
    /// The answer to a plain call.
    pub fn new(outcome: &Outcome) -> Self {
        let mut body = String::new();
        write_envelope(outcome, &mut body);
        Self {
            status: http_status(outcome),
            body,
        }
    }
}

/// The answer to a batch: the status that all share, or 207.
pub fn batch_answer(outcomes: &[Outcome]) -> Answer {
    let mut body = String::from("[");
    for (index, outcome) in outcomes.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        write_envelope(outcome, &mut body);
    }
    body.push(']');
    let first = outcomes.first().map_or(200, http_status);
    let common = outcomes.iter().all(|outcome| http_status(outcome) == first);
    Answer {
        status: if common { first } else { 207 },
        body,
    }
}

fn http_status(outcome: &Outcome) -> u16 {
    outcome
        .as_ref()
        .map_or_else(|error| error.http_status, |_| 200)
}

fn write_envelope(outcome: &Outcome, out: &mut String) {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) => return error.write_envelope(out),
    };
    let mut envelope = ObjectWriter::new(out);
    let mut result = ObjectWriter::new(envelope.key("result"));
    let mut data = ObjectWriter::new(result.key("data"));
    reply.write_json(data.key("json"));
    data.finish();
    result.finish();
    envelope.finish();
}

/// The body as JSON.
fn envelope(body: &[u8]) -> Option<RawJson> {
    RawJson::parse(core::str::from_utf8(body).ok()?).ok()
}

/// What one envelope holds; `None` if it is none.
fn outcome(envelope: JsonSlice<'_>, status: u16) -> Option<Result<JsonSlice<'_>, TrpcError>> {
    if let Some(error) = envelope.member("error") {
        return TrpcError::read(error, status).map(Err);
    }
    let data = envelope.member("result")?.member("data")?;
    Some(Ok(data.member("json")?))
}

fn no_envelope(status: u16, body: &[u8]) -> ApiError {
    ApiError::NoEnvelope {
        status,
        excerpt: excerpt(body),
    }
}

/// The body's first bytes, unless a token may be among them.
fn excerpt(body: &[u8]) -> Box<str> {
    const LONGEST: usize = 200;
    let (first, _) = body.split_at_checked(LONGEST).unwrap_or((body, &[]));
    let shown = String::from_utf8_lossy(first);
    if shown.contains("token") || shown.contains("Token") {
        return Box::default();
    }
    shown.replace(char::is_control, " ").into()
}
