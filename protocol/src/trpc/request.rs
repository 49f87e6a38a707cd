use alloc::{format, string::String};
use core::fmt;

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};

use crate::{
    api::{Method, Procedure},
    server_url::COMPONENT,
};

/// The HTTP methods that tRPC uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HttpMethod {
    /// `GET`, of queries.
    Get,
    /// `POST`, of mutations; with `content-type: application/json`.
    Post,
}

impl HttpMethod {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request as it goes out, but for headers and the server's base URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// What follows the base URL: `/trpc/lambda/<procedure>`, with the input of a query.
    pub path_and_query: String,
    /// The body of a mutation.
    pub body: Option<String>,
}

/// The plain request that calls a procedure.
pub fn request<P: Procedure>(procedure: &P) -> HttpRequest {
    let mut wrapped = String::from("{\"json\":");
    let bare = wrapped.len();
    procedure.write_input(&mut wrapped);
    let input = (wrapped.len() > bare).then(|| wrapped + "}");
    let path = format!("/trpc/lambda/{}", P::PATH);
    match (P::METHOD, input) {
        (Method::Query, Some(input)) => HttpRequest {
            method: HttpMethod::Get,
            path_and_query: format!("{path}?input={}", utf8_percent_encode(&input, COMPONENT)),
            body: None,
        },
        (Method::Query, None) => HttpRequest {
            method: HttpMethod::Get,
            path_and_query: path,
            body: None,
        },
        (Method::Mutation, input) => HttpRequest {
            method: HttpMethod::Post,
            path_and_query: path,
            body: Some(input.unwrap_or_else(|| "{}".into())),
        },
    }
}
