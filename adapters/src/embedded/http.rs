//! HTTP in and out of the pure server.

use std::io;
use std::time::Duration;

use agent_gateway_sim::http::{HttpRequest, HttpResponse};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use futures_util::stream;
use tokio::time::timeout;

use super::host::Host;

/// A body over this many bytes is refused.
const BODY: usize = 64 << 20;

/// The same where the head shows no token: nothing in the body will be carried out.
const BODY_OF_STRANGERS: usize = 64 << 10;

/// A body has this long.
const READING: Duration = Duration::from_secs(60);

pub(super) async fn answer(State(host): State<Host>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let mut request = HttpRequest {
        method: head.method.as_str().into(),
        path: head.uri.path().into(),
        query: head.uri.query().map(Into::into),
        headers: headers
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().into(), value.into())
            })
            .collect(),
        body: Box::default(),
    };
    let room = if host.admits(&request) {
        BODY
    } else {
        BODY_OF_STRANGERS
    };
    let read = tokio::select! {
        read = timeout(READING, to_bytes(body, room)) => read,
        () = host.ended() => return cut(),
    };
    request.body = match read {
        Ok(Ok(body)) => body.to_vec().into(),
        Ok(Err(_)) => return respond(HttpResponse::text(413, "the body is too large, or was cut")),
        Err(_) => return respond(HttpResponse::text(408, "the body did not come in time")),
    };
    let answer = tokio::select! {
        biased;
        answer = host.ask(request) => answer,
        () = host.ended() => None,
    };
    answer.map_or_else(cut, respond)
}

/// The connection is cut: the head promises a byte that never comes.
fn cut() -> Response<Body> {
    let broken = stream::iter([Err::<Vec<u8>, _>(io::Error::from(
        io::ErrorKind::ConnectionAborted,
    ))]);
    let mut response = Response::new(Body::from_stream(broken));
    response
        .headers_mut()
        .insert("content-length", HeaderValue::from_static("1"));
    response
}

pub(super) fn respond(answer: HttpResponse) -> Response<Body> {
    let mut response = Response::new(Body::from(Vec::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(&**name),
            HeaderValue::try_from(&**value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
