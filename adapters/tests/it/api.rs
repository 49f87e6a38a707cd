//! The real API, against a server that answers fixed bytes on a real socket.

use std::sync::Arc;

use agent_gateway_adapters::{
    Api, Client, ClientError, Credential, HttpApi, HttpOptions, Vault, tls,
};
use agent_gateway_machine::{
    Call, Millis, RefusalKind, Reply, RequestFailure, StatusReport, TokenId, TokenKind,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{OperationStatus, ServerUrl, Token};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// One exchange: the server answers these bytes, and gives the request it read.
struct Exchange {
    reply: Reply,
    request: String,
    vault: Vault,
}

async fn exchange(call: &Call, credential: &Credential, answer: &[u8]) -> Exchange {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut options = HttpOptions::default();
    options.body_limit = 1_000;
    let server = ServerUrl::parse(&url).unwrap();
    let api = HttpApi::new(server, credential, &tls::platform().unwrap(), options).unwrap();
    let vault = Vault::new();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    };
    let (reply, request) = tokio::join!(api.send(call, &vault), serve);
    Exchange {
        reply,
        request,
        vault,
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}

fn json(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn result(json_text: &str) -> Vec<u8> {
    json(
        "200 OK",
        &format!(r#"{{"result":{{"data":{{"json":{json_text}}}}}}}"#),
    )
}

fn error(status: &str, code: &str, message: &str) -> Vec<u8> {
    let number = &status[..3];
    json(
        status,
        &format!(
            r#"{{"error":{{"json":{{"message":"{message}","code":-1,"data":{{"code":"{code}","httpStatus":{number},"path":"aiAgent.x"}}}}}}}}"#
        ),
    )
}

fn start() -> Call {
    Call::StartRun(Arc::new(ExecAgent {
        slug: Some("inbox".into()),
        prompt: "Hi".into(),
        ..ExecAgent::default()
    }))
}

fn refresh() -> Call {
    Call::RefreshToken {
        topic: "tpc 1".into(),
    }
}

async fn failure(call: &Call, answer: &[u8]) -> RequestFailure {
    match exchange(call, &Credential::None, answer).await.reply {
        Reply::Failed(failure) => failure,
        reply => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn r1_a_run_is_started_and_its_token_goes_into_the_vault() {
    // {"iat":1760000000,"exp":1760000300}
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3NjAwMDAwMDAsImV4cCI6MTc2MDAwMDMwMH0.c2ln";
    let answer = result(&format!(
        r#"{{"success":true,"operationId":"op_1","topicId":"tpc_1","assistantMessageId":"msg_2","token":"{jwt}"}}"#
    ));
    let credential = Credential::ApiKey(Token::new("sk-lh-1"));
    let Exchange {
        reply,
        request,
        vault,
    } = exchange(&start(), &credential, &answer).await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /trpc/lambda/aiAgent.execAgent HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nx-api-key: sk-lh-1"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/json"),
        "{head}"
    );
    assert_eq!(body, r#"{"json":{"slug":"inbox","prompt":"Hi"}}"#);
    assert!(!format!("{reply:?}").contains("eyJ"));
    let Reply::Started(started) = reply else {
        panic!("{reply:?}");
    };
    let grant = started.token.unwrap();
    assert_eq!(grant.kind, TokenKind::Jwt);
    assert_eq!(grant.lifetime, Some(Millis::seconds(300)));
    assert_eq!(vault.token(grant.id), Some(Token::new(jwt)));
    assert_eq!(started.operation.as_str(), "op_1");
}

#[tokio::test]
async fn r1_a_soft_failure_is_refused_with_its_text() {
    let answer = result(r#"{"success":false,"status":"error","error":"no such agent"}"#);
    let reply = exchange(&start(), &Credential::None, &answer).await.reply;
    let text = "no such agent".into();
    assert_eq!(reply, Reply::StartRefused { text });
}

#[tokio::test]
async fn r1_a_started_run_without_an_operation_is_unreadable() {
    let answer = result(r#"{"success":true}"#);
    let RequestFailure::Unreadable { status, text, .. } = failure(&start(), &answer).await else {
        panic!("readable");
    };
    assert_eq!(status, 200);
    assert!(text.contains("operationId"), "{text}");
}

#[tokio::test]
async fn s8_a_fresh_token_is_a_query_with_the_login() {
    let credential = Credential::AccessToken(Token::new("aaa.bbb.ccc"));
    let answer = result(r#"{"token":"x.y.z"}"#);
    let Exchange {
        reply,
        request,
        vault,
    } = exchange(&refresh(), &credential, &answer).await;
    let line = "GET /trpc/lambda/aiAgent.refreshGatewayToken?input=%7B%22json%22%3A%7B%22topicId%22%3A%22tpc%201%22%7D%7D HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
    assert!(
        request.contains("\r\noidc-auth: aaa.bbb.ccc\r\n"),
        "{request}"
    );
    assert!(matches!(reply, Reply::TokenIssued(grant) if grant.id == TokenId(1)));
    assert_eq!(vault.token(TokenId(1)), Some(Token::new("x.y.z")));
}

#[tokio::test]
async fn s8_the_servers_own_no_is_told_by_its_kind() {
    let cases = [
        (
            "404 Not Found",
            "NOT_FOUND",
            "No running operation found on this topic",
            RefusalKind::NotFound,
        ),
        (
            "404 Not Found",
            "NOT_FOUND",
            "No procedure found on path 'x'",
            RefusalKind::UnknownProcedure,
        ),
        (
            "401 Unauthorized",
            "UNAUTHORIZED",
            "no",
            RefusalKind::Unauthorized,
        ),
        ("403 Forbidden", "FORBIDDEN", "no", RefusalKind::Forbidden),
        (
            "400 Bad Request",
            "BAD_REQUEST",
            "Required",
            RefusalKind::BadRequest,
        ),
        (
            "500 Oh",
            "INTERNAL_SERVER_ERROR",
            "thrown",
            RefusalKind::Other,
        ),
    ];
    for (status, code, message, kind) in cases {
        let failure = failure(&refresh(), &error(status, code, message)).await;
        let RequestFailure::Refused(refusal) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(refusal.kind, kind);
        assert_eq!(&*refusal.message, message);
        assert_eq!(refusal.status.to_string(), status[..3]);
    }
}

#[tokio::test]
async fn s8_a_page_is_unreadable_and_shows_its_beginning() {
    let answer = b"HTTP/1.1 429 Slow Down\r\nretry-after: 7\r\ncontent-length: 20\r\n\r\n<html>\nslow</html>\r\n";
    let failure = failure(&refresh(), answer).await;
    assert_eq!(failure.retry_after(), Some(Millis::seconds(7)));
    let RequestFailure::Unreadable { status, text, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(status, 429);
    assert!(text.contains("<html> slow"), "{text}");
}

#[tokio::test]
async fn s8_retry_after_may_be_a_date_of_the_servers_own_clock() {
    let retry_after = async |date: &str, after: &str| {
        let head =
            format!("HTTP/1.1 503 Away\r\ncontent-length: 0\r\n{date}retry-after: {after}\r\n\r\n");
        failure(&refresh(), head.as_bytes()).await.retry_after()
    };
    let date = "date: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    let later = "Wed, 21 Oct 2015 07:28:07 GMT";
    let earlier = "Wed, 21 Oct 2015 07:27:00 GMT";
    assert_eq!(retry_after(date, later).await, Some(Millis::seconds(7)));
    assert_eq!(retry_after(date, earlier).await, Some(Millis::ZERO));
    assert_eq!(retry_after("", later).await, None);
    assert_eq!(retry_after(date, "soon").await, None);
}

#[tokio::test]
async fn a_body_that_is_cut_is_lost() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"result\"";
    let failure = failure(&start(), answer).await;
    assert!(
        matches!(failure, RequestFailure::Lost { .. }),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_answer_that_never_comes_is_lost() {
    let failure = failure(&start(), b"").await;
    assert!(
        matches!(failure, RequestFailure::Lost { .. }),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let failure = failure(&start(), &result(&"9".repeat(1_000))).await;
    let RequestFailure::Unreadable { text, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(&*text, "the body is over the limit of 1000 bytes");
}

#[tokio::test]
async fn a_redirect_is_not_followed_since_it_would_take_the_credential_along() {
    let answer = b"HTTP/1.1 307 Moved\r\nlocation: http://elsewhere.invalid/x?input=secret\r\ncontent-length: 0\r\n\r\n";
    let failure = failure(&start(), answer).await;
    let RequestFailure::Unreadable { status, text, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(status, 307);
    assert!(text.contains("http://elsewhere.invalid/x,"), "{text}");
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_for_certain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder()
        .server(ServerUrl::parse(&url).unwrap())
        .build()
        .unwrap();
    let error = client.gateway().await.unwrap_err();
    assert!(
        matches!(
            &error,
            ClientError::GatewayUnknown(RequestFailure::Unreachable { .. })
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn s14_a_status_and_its_absence_are_both_answers() {
    let call = Call::AskStatus {
        operation: "op_1".into(),
    };
    let reply = exchange(&call, &Credential::None, &result("null"))
        .await
        .reply;
    assert_eq!(reply, Reply::Status(None));
    let known = result(r#"{"currentState":{"status":"error","error":{"message":"boom"}}}"#);
    let reply = exchange(&call, &Credential::None, &known).await.reply;
    let report = StatusReport {
        status: OperationStatus::Error,
        error: Some("boom".into()),
    };
    assert_eq!(reply, Reply::Status(Some(report)));
}

#[tokio::test]
async fn r6_the_marker_is_read_settled_and_cleared() {
    let topic = || "tpc_1".into();
    let detail = result(r#"{"id":"tpc_1","metadata":{"runningOperation":{"operationId":"op_9"}}}"#);
    let read = exchange(
        &Call::ReadMarker { topic: topic() },
        &Credential::None,
        &detail,
    )
    .await;
    assert_eq!(read.reply, Reply::Marker(Some("op_9".into())));
    let settle = Call::SettleMarker {
        topic: topic(),
        operation: "op_9".into(),
    };
    let settled = exchange(&settle, &Credential::None, &result("true")).await;
    assert_eq!(settled.reply, Reply::MarkerCleared);
    assert!(
        settled
            .request
            .ends_with(r#"{"json":{"id":"tpc_1","operationId":"op_9"}}"#)
    );
    let clear = Call::ClearMarker { topic: topic() };
    let cleared = exchange(&clear, &Credential::None, &result("[]")).await;
    assert_eq!(cleared.reply, Reply::MarkerCleared);
    let body = r#"{"json":{"id":"tpc_1","metadata":{"runningOperation":null}}}"#;
    assert!(cleared.request.ends_with(body), "{}", cleared.request);
}

#[test]
fn c1_a_credential_does_not_go_in_the_clear_to_another_machine() {
    let builder = |url: &str| {
        Client::builder()
            .server(ServerUrl::parse(url).unwrap())
            .credential(Credential::ApiKey(Token::new("sk-lh-1")))
    };
    for elsewhere in ["http://lobe.example", "http://lobe.localhost"] {
        let refused = builder(elsewhere).build();
        assert!(matches!(refused, Err(ClientError::InsecureServer(_))));
    }
    assert!(
        builder("http://lobe.example")
            .allow_insecure(true)
            .build()
            .is_ok()
    );
    assert!(builder("http://127.0.0.1:1").build().is_ok());
    assert!(builder("https://lobe.example").build().is_ok());
}

#[tokio::test]
async fn i17_a_server_that_shows_what_it_was_sent_does_not_get_the_credential_into_a_failure() {
    let key = "sk-lh-a-secret-of-some-length";
    let credential = Credential::ApiKey(Token::new(key));
    let page = format!("{}{key}", "x".repeat(190));
    let said = format!("no such key as {key}");
    for answer in [
        json(
            "400 Bad Request",
            &format!("your headers: x-api-key: {key}"),
        ),
        json("502 Bad Gateway", &page),
        error("401 Unauthorized", "UNAUTHORIZED", &said),
        result(&format!(r#"{{"success":false,"error":"{said}"}}"#)),
    ] {
        let reply = exchange(&start(), &credential, &answer).await.reply;
        let shown = format!("{reply:?}");
        assert!(matches!(
            reply,
            Reply::Failed(_) | Reply::StartRefused { .. }
        ));
        assert!(!shown.contains("sk-lh"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}
