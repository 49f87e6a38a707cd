//! What networks and proxies do to the real answers.

use std::time::Duration;

use agent_gateway_adapters::{Api, Vault};
use agent_gateway_machine::{Call, Millis, Reply, RequestFailure};
use tokio::time::timeout;

use crate::procedures::start;
use crate::server::{BODY_LIMIT, NodeServer, key};

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn an_answer_may_come_slowly_or_packed() {
    let server = NodeServer::start().await;
    for front in ["slow", "gzip"] {
        let reply = server.ask(front, &start("Hello")).await.0;
        assert!(matches!(reply, Reply::Started(_)), "{front}: {reply:?}");
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn an_answer_that_is_cut_is_lost() {
    let server = NodeServer::start().await;
    for front in ["cut", "cut-chunked", "reset"] {
        let failure = server.failure(front, &start("Hello")).await;
        assert!(
            matches!(failure, RequestFailure::Lost { .. }),
            "{front}: {failure:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn an_answer_that_is_no_whole_json_is_unreadable() {
    let server = NodeServer::start().await;
    for front in ["truncated", "empty"] {
        let failure = server.failure(front, &start("Hello")).await;
        assert!(
            matches!(failure, RequestFailure::Unreadable { .. }),
            "{front}: {failure:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn a_packed_answer_that_cannot_be_unpacked_is_lost() {
    let server = NodeServer::start().await;
    let failure = server.failure("broken-gzip", &start("Hello")).await;
    assert!(
        matches!(failure, RequestFailure::Lost { .. }),
        "{failure:?}"
    );
}

/// 64 MiB in 64 KB: the limit counts what is unpacked, and the rest is never unpacked.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn a_packed_answer_counts_unpacked_against_the_limit() {
    let server = NodeServer::start().await;
    let failure = server.failure("bomb", &start("Hello")).await;
    let RequestFailure::Unreadable { text, .. } = failure else {
        panic!("{failure:?}");
    };
    let wanted = format!("the body is over the limit of {BODY_LIMIT} bytes");
    assert_eq!(*text, *wanted);
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn an_answer_that_never_comes_is_given_up_by_dropping_the_request() {
    let server = NodeServer::start().await;
    let api = server.api(&key(), "hung");
    let (call, vault) = (start("Hello"), Vault::new());
    let answer = timeout(Duration::from_millis(50), api.send(&call, &vault)).await;
    assert!(answer.is_err());
    // The server is as good as before.
    assert!(matches!(server.ask("", &call).await.0, Reply::Started(_)));
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_a_proxys_page_is_no_verdict_but_shows_its_status_and_beginning() {
    let server = NodeServer::start().await;
    let refresh = Call::RefreshToken {
        topic: "tpc_1".into(),
    };
    let cases = [
        ("page-200", 200, None),
        ("page-401", 401, None),
        ("page-404", 404, None),
        ("page-429", 429, Some(Millis::seconds(7))),
        ("page-502", 502, None),
    ];
    // A date, years away.
    let away = server.failure("page-503", &refresh).await;
    assert!(away.retry_after() > Some(Millis::seconds(24 * 3_600)));
    for (front, wanted, after) in cases {
        let failure = server.failure(front, &refresh).await;
        assert_eq!(failure.retry_after(), after, "{front}");
        let RequestFailure::Unreadable { status, text, .. } = failure else {
            panic!("{front}: {failure:?}");
        };
        assert_eq!(status, wanted);
        assert!(text.contains("from a proxy"), "{front}: {text}");
    }
}

/// Every call asks for a compressed answer, names its type, and shows exactly one credential.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn a_call_says_what_the_protocol_asks_for_and_no_more() {
    let server = NodeServer::start().await;
    let call = Call::FetchMessages(Box::default());
    let failure = server.failure("echo", &call).await;
    let RequestFailure::Unreadable { text, .. } = failure else {
        panic!("{failure:?}");
    };
    assert!(text.contains("the reply is no array"), "{text}");
    let url = "/echo/trpc/lambda/message.getMessages?input=%7B%22json%22%3A%7B%7D%7D";
    assert!(text.contains(url), "{text}");
}
