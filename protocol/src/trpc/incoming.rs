use alloc::{
    borrow::Cow,
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::{HttpMethod, TrpcCode, TrpcError};
use crate::{
    RawJson,
    api::Method,
    json::{JsonSlice, Object},
};

/// A request as a server reads it: one call, or a batch of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Incoming {
    /// How all of them are called.
    pub method: Method,
    /// Whether the answer is an array.
    pub batch: bool,
    /// The calls, in order.
    pub calls: Vec<Call>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// The procedure.
    pub path: Box<str>,
    /// Its input; absent, or not wrapped as `{"json": …}`, it is none.
    pub input: Option<RawJson>,
}

/// A request that no call can be read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum IncomingError {
    /// The path is not below `/trpc/lambda`.
    #[error("`{path}` is not below /trpc/lambda")]
    OtherPath {
        /// The path asked for.
        path: Box<str>,
    },
    /// The input is not JSON: the answer is this error, in an array if the request was a batch.
    #[error("{error}")]
    BadInput {
        /// What to answer.
        error: TrpcError,
        /// Whether the answer is an array.
        batch: bool,
    },
}

impl Incoming {
    /// Reads a request. `query` is the text after `?`, still escaped; `body` is that of a POST.
    ///
    /// # Errors
    /// Another path; input that is not JSON.
    pub fn parse(
        method: HttpMethod,
        path: &str,
        query: Option<&str>,
        body: &str,
    ) -> Result<Self, IncomingError> {
        let names = path
            .split_once("/trpc/lambda")
            .map(|(_, rest)| rest)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            .map(|rest| rest.trim_start_matches('/'))
            .ok_or_else(|| IncomingError::OtherPath { path: path.into() })?;
        let query = query.unwrap_or_default();
        let batch = parameter(query, "batch").is_some_and(|batch| batch == "1");
        let text = match method {
            HttpMethod::Get => parameter(query, "input"),
            HttpMethod::Post => (!body.is_empty()).then_some(Cow::Borrowed(body)),
        };
        let input = text
            .map(|text| RawJson::parse(text.into_owned()))
            .transpose()
            .map_err(|error| {
                let path = (!batch).then(|| names.into());
                IncomingError::BadInput {
                    error: TrpcError::new(TrpcCode::BadRequest, error.to_string(), path),
                    batch,
                }
            })?;
        let method = match method {
            HttpMethod::Get => Method::Query,
            HttpMethod::Post => Method::Mutation,
        };
        let calls = if batch {
            batch_calls(names, input.as_ref())
        } else {
            alloc::vec![call(names, input.as_ref())]
        };
        Ok(Self {
            method,
            batch,
            calls,
        })
    }
}

fn batch_calls(names: &str, input: Option<&RawJson>) -> Vec<Call> {
    let inputs: Object = input.and_then(RawJson::read).unwrap_or_default();
    names
        .split(',')
        .enumerate()
        .map(|(index, name)| call(name, inputs.get(&index.to_string())))
        .collect()
}

fn call(name: &str, wrapped: Option<&RawJson>) -> Call {
    let path = percent_decode_str(name).decode_utf8_lossy().into();
    Call {
        path,
        input: wrapped
            .and_then(|wrapped| wrapped.as_slice().member("json"))
            .map(JsonSlice::to_raw),
    }
}

/// The decoded value of a query parameter.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)?;
    if value.contains('+') {
        let spaced: String = value.replace('+', " ");
        return Some(Cow::Owned(
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned(),
        ));
    }
    Some(percent_decode_str(value).decode_utf8_lossy())
}
