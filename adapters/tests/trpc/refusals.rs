//! Every way in which the real stack says no.

use std::sync::Arc;

use agent_gateway_adapters::Credential;
use agent_gateway_machine::{Call, Millis, Refusal, RefusalKind, Reply, RequestFailure};
use agent_gateway_protocol::Token;
use agent_gateway_protocol::api::ExecAgent;

use crate::procedures::start;
use crate::server::NodeServer;

fn refresh(topic: &str) -> Call {
    Call::RefreshToken {
        topic: topic.into(),
    }
}

fn refused(failure: RequestFailure) -> Refusal {
    match failure {
        RequestFailure::Refused(refusal) => refusal,
        failure => panic!("{failure:?}"),
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_every_code_that_a_procedure_throws_is_a_refusal_of_its_kind() {
    let server = NodeServer::start().await;
    let cases = [
        ("BAD_REQUEST", 400, RefusalKind::BadRequest),
        ("UNAUTHORIZED", 401, RefusalKind::Unauthorized),
        ("FORBIDDEN", 403, RefusalKind::Forbidden),
        ("NOT_FOUND", 404, RefusalKind::NotFound),
        ("METHOD_NOT_SUPPORTED", 405, RefusalKind::Other),
        ("TIMEOUT", 408, RefusalKind::Other),
        ("CONFLICT", 409, RefusalKind::Other),
        ("PRECONDITION_FAILED", 412, RefusalKind::Other),
        ("PAYLOAD_TOO_LARGE", 413, RefusalKind::Other),
        ("UNSUPPORTED_MEDIA_TYPE", 415, RefusalKind::Other),
        ("TOO_MANY_REQUESTS", 429, RefusalKind::Other),
        ("INTERNAL_SERVER_ERROR", 500, RefusalKind::Other),
        ("NOT_IMPLEMENTED", 501, RefusalKind::Other),
        ("BAD_GATEWAY", 502, RefusalKind::Other),
        ("SERVICE_UNAVAILABLE", 503, RefusalKind::Other),
        ("GATEWAY_TIMEOUT", 504, RefusalKind::Other),
    ];
    for (code, status, kind) in cases {
        let topic = format!("throw:{code}");
        let refusal = refused(server.failure("", &refresh(&topic)).await);
        assert_eq!((refusal.kind, refusal.status), (kind, status), "{code}");
        assert_eq!(*refusal.message, *format!("thrown: {code}"));
        assert_eq!(refusal.path.as_deref(), Some("aiAgent.refreshGatewayToken"));
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_a_plain_throw_and_a_cause_with_data_are_refusals() {
    let server = NodeServer::start().await;
    let refusal = refused(server.failure("", &refresh("throw:PLAIN")).await);
    assert_eq!(refusal.status, 500);
    assert_eq!(&*refusal.message, "the database is away");
    let refusal = refused(server.failure("", &refresh("throw:QUOTA")).await);
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_a_start_that_throws_is_told_with_the_servers_words() {
    let server = NodeServer::start().await;
    let refusal = refused(server.failure("", &start("throw")).await);
    assert_eq!(refusal.status, 500);
    assert_eq!(&*refusal.message, "Failed to execute agent: boom");
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_no_running_operation_is_not_found_and_no_procedure_is_something_else() {
    let server = NodeServer::with(r#"{"settles":false}"#).await;
    let refusal = refused(server.failure("", &refresh("tpc_gone")).await);
    assert_eq!(refusal.kind, RefusalKind::NotFound);
    assert_eq!(
        &*refusal.message,
        "No running operation found on this topic"
    );
    let settle = Call::SettleMarker {
        topic: "tpc_1".into(),
        operation: "op_1".into(),
    };
    let refusal = refused(server.failure("", &settle).await);
    assert_eq!(refusal.kind, RefusalKind::UnknownProcedure);
}

/// zod's issues come as JSON inside the message; a person reads a sentence.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_input_that_the_schema_refuses_is_a_bad_request_in_a_sentence() {
    let server = NodeServer::start().await;
    let nobody = Call::StartRun(Arc::default());
    let refusal = refused(server.failure("", &nobody).await);
    assert_eq!(refusal.kind, RefusalKind::BadRequest);
    assert_eq!(&*refusal.message, "One of agentId or slug must be provided");
    let wrong = Call::StartRun(Arc::new(ExecAgent {
        slug: Some("inbox".into()),
        app_context: Some(
            agent_gateway_protocol::api::AppContext::default().with_nulls(["initialTopicMetadata"]),
        ),
        ..ExecAgent::default()
    }));
    let refusal = refused(server.failure("", &wrong).await);
    assert_eq!(
        &*refusal.message,
        "appContext.initialTopicMetadata: Expected object, received null"
    );
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_nobody_and_a_bad_key_are_unauthorized() {
    let server = NodeServer::start().await;
    let strangers = [
        Credential::None,
        Credential::ApiKey(Token::new("sk-lh-wrong")),
        Credential::AccessToken(Token::new("access.token.old")),
    ];
    for stranger in strangers {
        let Reply::Failed(failure) = server.ask_as(&stranger, "", &start("Hello")).await.0 else {
            panic!("{stranger:?} was let in");
        };
        let refusal = refused(failure);
        assert_eq!(refusal.kind, RefusalKind::Unauthorized);
        assert_eq!(refusal.status, 401);
    }
}

/// Requests that arrive otherwise than they were sent: tRPC itself refuses them, before or instead of the procedure.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn a_request_that_was_spoilt_on_its_way_is_a_refusal() {
    let server = NodeServer::start().await;
    let cases = [
        ("no-content-type", 415, RefusalKind::Other),
        ("half-request", 400, RefusalKind::BadRequest),
        ("by-get", 405, RefusalKind::Other),
    ];
    for (front, status, kind) in cases {
        let refusal = refused(server.failure(front, &start("Hello")).await);
        assert_eq!((refusal.status, refusal.kind), (status, kind), "{front}");
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_a_refusal_may_say_when_to_ask_again() {
    let server = NodeServer::start().await;
    let limited = refresh("throw:TOO_MANY_REQUESTS");
    let failure = server.failure("limited", &limited).await;
    assert_eq!(failure.retry_after(), Some(Millis::seconds(3)));
    assert_eq!(refused(failure).status, 429);
}
