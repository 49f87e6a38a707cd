//! Every procedure, as it goes well.

use std::sync::Arc;

use agent_gateway_adapters::{Api, Credential};
use agent_gateway_machine::{Call, Millis, Reply, Started, StatusReport, TokenKind};
use agent_gateway_protocol::api::{
    AppContext, ApprovalMode, Decision, ExecAgent, GetMessages, ResumeApproval,
    UserInterventionConfig,
};
use agent_gateway_protocol::{OperationStatus, RawJson};

use crate::server::{NodeServer, access_token, key};

pub(crate) fn start(prompt: &str) -> Call {
    Call::StartRun(Arc::new(ExecAgent {
        slug: Some("inbox".into()),
        prompt: prompt.into(),
        trigger: Some("cli".into()),
        ..ExecAgent::default()
    }))
}

/// Starts `op_1` on `tpc_1`.
async fn started(server: &NodeServer) -> Box<Started> {
    match server.ask("", &start("Hello")).await.0 {
        Reply::Started(started) => started,
        reply => panic!("{reply:?}"),
    }
}

fn status() -> Call {
    Call::AskStatus {
        operation: "op_1".into(),
    }
}

fn marker() -> Call {
    Call::ReadMarker {
        topic: "tpc_1".into(),
    }
}

fn refresh() -> Call {
    Call::RefreshToken {
        topic: "tpc_1".into(),
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_a_run_is_started_by_key_and_by_access_token() {
    let server = NodeServer::start().await;
    for (credential, operation) in [(key(), "op_1"), (access_token(), "op_2")] {
        let (reply, vault) = server.ask_as(&credential, "", &start("Hello")).await;
        let Reply::Started(started) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(started.operation.as_str(), operation);
        assert_eq!(started.agent, Some("agt_inbox".into()));
        assert_eq!(started.assistant_message, Some("msg_2".into()));
        let grant = started.token.unwrap();
        assert_eq!(grant.kind, TokenKind::Jwt);
        assert_eq!(grant.lifetime, Some(Millis::seconds(300)));
        assert!(vault.token(grant.id).is_some());
    }
}

/// Everything that `execAgent` takes, in one call: the real schema accepts each, and strips what it does not know.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_all_that_can_be_said_to_a_run_passes_the_real_schema() {
    let server = NodeServer::start().await;
    let raw = |text: &str| RawJson::parse(text).unwrap();
    let metadata = agent_gateway_protocol::api::TopicMetadata {
        repos: Some(vec![raw(r#""lobehub/lobe-chat""#)]),
        working_directory: Some("lobehub/lobe-chat".into()),
        ..Default::default()
    };
    let context = AppContext {
        scope: Some("main".into()),
        initial_topic_metadata: Some(metadata),
        ..AppContext::default()
    };
    let call = Call::StartRun(Arc::new(ExecAgent {
        agent_id: Some("agt_1".into()),
        prompt: "".into(),
        app_context: Some(context.with_nulls(["threadId", "groupId"])),
        auto_start: Some(true),
        file_ids: Some(vec!["file_1".into()]),
        parent_message_id: Some("msg_1".into()),
        resume_approval: Some(ResumeApproval {
            decision: Decision::RejectedContinue,
            parent_message_id: "msg_1".into(),
            tool_call_id: "call_1".into(),
            rejection_reason: Some("no".into()),
            extra: Default::default(),
        }),
        user_intervention_config: Some(UserInterventionConfig {
            approval_mode: Some(ApprovalMode::Headless),
            ..UserInterventionConfig::default()
        }),
        client_runtime: Some("desktop".into()),
        project_skills: Some(vec![raw(
            r#"{"name":"deploy","description":"Deploys","path":"/project/.agents/skills/deploy/SKILL.md"}"#,
        )]),
        ..ExecAgent::default()
    }));
    let reply = server.ask("", &call).await.0;
    assert!(matches!(reply, Reply::Started(_)), "{reply:?}");
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_a_soft_failure_is_a_200_that_says_no() {
    let server = NodeServer::start().await;
    let reply = server.ask("", &start("fail softly")).await.0;
    let text = "no model".into();
    assert_eq!(reply, Reply::StartRefused { text });
}

/// superjson writes `undefined` as null, and says so in a `meta` that nobody needs to read.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r1_a_token_that_is_undefined_is_none() {
    let server = NodeServer::start().await;
    match server.ask("", &start("no token")).await.0 {
        Reply::Started(started) => assert_eq!(started.token, None),
        reply => panic!("{reply:?}"),
    }
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s8_a_fresh_token_comes_while_the_run_goes() {
    let server = NodeServer::start().await;
    started(&server).await;
    let (reply, vault) = server.ask("", &refresh()).await;
    let Reply::TokenIssued(grant) = reply else {
        panic!("{reply:?}");
    };
    assert!(vault.token(grant.id).is_some());
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn s14_a_status_is_read_past_dates_holes_and_numbers_that_json_has_not() {
    let server = NodeServer::start().await;
    assert_eq!(server.ask("", &status()).await.0, Reply::Status(None));
    started(&server).await;
    let running = StatusReport {
        status: OperationStatus::Running,
        error: None,
    };
    assert_eq!(
        server.ask("", &status()).await.0,
        Reply::Status(Some(running))
    );
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r5_an_interrupt_is_taken_once() {
    let server = NodeServer::start().await;
    started(&server).await;
    let call = Call::InterruptRun {
        operation: "op_1".into(),
        topic: Some("tpc_1".into()),
    };
    for success in [true, false] {
        assert_eq!(
            server.ask("", &call).await.0,
            Reply::Interrupted { success }
        );
    }
    // Without its topic it goes too: absent, never null, which the schema refuses.
    let bare = Call::InterruptRun {
        operation: "op_1".into(),
        topic: None,
    };
    let reply = server.ask("", &bare).await.0;
    assert_eq!(reply, Reply::Interrupted { success: false });
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r4_messages_of_a_new_topic_are_fetched() {
    let server = NodeServer::start().await;
    started(&server).await;
    let call = Call::FetchMessages(Box::new(GetMessages {
        agent_id: Some("agt_inbox".into()),
        topic_id: Some("tpc_1".into()),
        ..GetMessages::default()
    }));
    let Reply::Messages(messages) = server.ask("", &call).await.0 else {
        panic!("no messages");
    };
    assert!(
        messages.as_str().contains(r#""content":"Hello""#),
        "{messages:?}"
    );
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r6_a_marker_is_read_and_settled_if_it_is_still_ours() {
    let server = NodeServer::start().await;
    assert_eq!(server.ask("", &marker()).await.0, Reply::Marker(None));
    started(&server).await;
    let ours = Reply::Marker(Some("op_1".into()));
    assert_eq!(server.ask("", &marker()).await.0, ours);
    let settle = |operation: &str| Call::SettleMarker {
        topic: "tpc_1".into(),
        operation: operation.into(),
    };
    let settled = server.ask("", &settle("op_other")).await.0;
    assert_eq!(settled, Reply::MarkerCleared);
    assert_eq!(server.ask("", &marker()).await.0, ours);
    server.ask("", &settle("op_1")).await;
    assert_eq!(server.ask("", &marker()).await.0, Reply::Marker(None));
}

/// The null that clears a marker must arrive as null.
#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn r6_an_older_server_clears_the_marker_by_a_real_null() {
    let server = NodeServer::start().await;
    started(&server).await;
    let clear = Call::ClearMarker {
        topic: "tpc_1".into(),
    };
    assert_eq!(server.ask("", &clear).await.0, Reply::MarkerCleared);
    assert_eq!(server.ask("", &marker()).await.0, Reply::Marker(None));
    let foreign = Call::ClearMarker {
        topic: "tpc_9".into(),
    };
    assert_eq!(server.ask("", &foreign).await.0, Reply::MarkerCleared);
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn g3_anybody_may_ask_where_the_gateway_is() {
    let gateway = "https://gateway.example";
    let options = format!(r#"{{"gateway":"{gateway}","gatewayMode":false}}"#);
    let server = NodeServer::with(&options).await;
    let config = server.api(&Credential::None, "").global_config().await;
    let config = config.unwrap();
    assert_eq!(config.agent_gateway_url.as_deref(), Some(gateway));
    assert_eq!(config.enable_gateway_mode, Some(false));

    let server = NodeServer::start().await;
    let config = server.api(&Credential::None, "").global_config().await;
    assert_eq!(config.unwrap().agent_gateway_url, None);
}
