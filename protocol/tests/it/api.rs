use agent_gateway_protocol::{
    OperationStatus, RawJson,
    api::{
        AppContext, ApprovalMode, CancelState, Decision, ExecAgent, GetGlobalConfig, GetMessages,
        GetOperationStatus, GetTopicDetail, InterruptTask, Procedure, RefreshGatewayToken,
        ResumeApproval, SettleRunningOperation, UpdateTopicMetadata, UserInterventionConfig,
    },
    trpc::{self, ApiError, HttpMethod, TrpcCode},
};

use crate::fixtures::exchange;

fn reply<P: Procedure>(name: &str) -> P::Reply {
    let exchange = exchange(name);
    trpc::decode::<P>(exchange.status, exchange.answer.as_bytes())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refusal<P: Procedure>(name: &str) -> TrpcCode {
    let exchange = exchange(name);
    match trpc::decode::<P>(exchange.status, exchange.answer.as_bytes()) {
        Err(ApiError::Trpc(error)) => error.code,
        _ => panic!("{name}"),
    }
}

fn answer<P: Procedure>(json: &str) -> P::Reply {
    trpc::decode::<P>(
        200,
        format!(r#"{{"result":{{"data":{{"json":{json}}}}}}}"#).as_bytes(),
    )
    .unwrap()
}

fn input<P: Procedure>(procedure: &P) -> String {
    let mut out = String::new();
    procedure.write_input(&mut out);
    out
}

/// Checks that the request is, byte for byte, what was seen on the wire.
fn sends<P: Procedure>(name: &str, procedure: &P) {
    let (exchange, request) = (exchange(name), trpc::request(procedure));
    assert_eq!(request.method, exchange.method, "{name}");
    assert_eq!(
        (request.path_and_query, request.body),
        exchange.sent(),
        "{name}"
    );
}

fn exec(prompt: &str) -> ExecAgent {
    ExecAgent {
        agent_id: Some("a".into()),
        prompt: prompt.into(),
        ..ExecAgent::default()
    }
}

#[test]
fn requests_are_those_of_the_plain_captures() {
    let hello = ExecAgent {
        agent_id: Some("agt_1".into()),
        prompt: "hi".into(),
        trigger: Some("cli".into()),
        app_context: Some(
            AppContext {
                topic_id: Some("tpc_1".into()),
                ..AppContext::default()
            }
            .with_nulls(["threadId"]),
        ),
        user_intervention_config: Some(UserInterventionConfig {
            approval_mode: Some(ApprovalMode::Headless),
            ..UserInterventionConfig::default()
        }),
        ..ExecAgent::default()
    };
    for name in [
        "execAgent.ok.httpLink",
        "execAgent.ok.plain_post_no_meta",
        "execAgent.api_key",
        "execAgent.unauthorized",
    ] {
        sends(name, &hello);
    }
    let nulls = AppContext::default().with_nulls(["topicId", "threadId"]);
    sends(
        "execAgent.null_in_nullish_field_ok",
        &ExecAgent {
            app_context: Some(nulls),
            ..exec("echo")
        },
    );
    sends("execAgent.trpc_error_500.httpLink", &exec("boom"));
    sends("execAgent.plain_throw_500", &exec("plain-throw"));
    sends("execAgent.errorData_403", &exec("errordata"));
    sends("execAgent.soft_failure_http200", &exec("soft-fail"));
    sends("execAgent.no_token", &exec("no-token"));
    sends(
        "execAgent.zod_refine",
        &ExecAgent {
            prompt: "hi".into(),
            ..ExecAgent::default()
        },
    );

    sends(
        "refreshGatewayToken.ok.httpLink",
        &RefreshGatewayToken::new("tpc_1"),
    );
    sends(
        "refreshGatewayToken.non_ascii_topic.httpLink",
        &RefreshGatewayToken::new("tpc_ü 1&2=3+4"),
    );

    let interrupt = InterruptTask {
        operation_id: Some("op_1".into()),
        ..InterruptTask::default()
    };
    sends("interruptTask.ok.curl", &interrupt);
    sends(
        "interruptTask.ok.httpLink",
        &InterruptTask {
            topic_id: Some("tpc_1".into()),
            ..interrupt
        },
    );
    let topic = InterruptTask {
        topic_id: Some("tpc_1".into()),
        ..InterruptTask::default()
    };
    sends("interruptTask.topicId_only_rejected", &topic);
    let thread = InterruptTask {
        thread_id: Some("thd_missing".into()),
        ..InterruptTask::default()
    };
    sends("interruptTask.thread_not_found", &thread);

    let clear = UpdateTopicMetadata {
        topic_id: "tpc_1".into(),
    };
    sends("updateTopicMetadata.clear.httpLink", &clear);
    sends("updateTopicMetadata.clear.curl", &clear);

    sends(
        "getOperationStatus.null",
        &GetOperationStatus::new("op_null"),
    );
    sends(
        "getOperationStatus.undefined",
        &GetOperationStatus::new("op_undef"),
    );
}

#[test]
fn queries_differ_from_a_shells_only_in_the_case_of_escapes() {
    let messages = GetMessages {
        agent_id: Some("agt_1".into()),
        topic_id: Some("tpc_1".into()),
        ..GetMessages::default()
    };
    let (path, _) = exchange("getMessages.ok.curl").sent();
    assert!(
        trpc::request(&messages)
            .path_and_query
            .eq_ignore_ascii_case(&path)
    );
}

#[test]
fn a_query_without_input_has_none() {
    let request = trpc::request(&GetGlobalConfig);
    assert_eq!((request.method, request.body), (HttpMethod::Get, None));
    assert_eq!(
        request.path_and_query,
        "/trpc/lambda/config.getGlobalConfig"
    );
}

#[test]
fn inputs_leave_out_what_is_absent() {
    assert_eq!(input(&ExecAgent::default()), r#"{"prompt":""}"#);
    assert_eq!(input(&InterruptTask::default()), "{}");
    let messages = GetMessages {
        page_size: Some(50),
        ..GetMessages::default()
    };
    assert_eq!(input(&messages), r#"{"pageSize":50}"#);
    assert_eq!(
        input(&messages.with_nulls(["topicId"])),
        r#"{"pageSize":50,"topicId":null}"#
    );
    assert_eq!(input(&GetTopicDetail::new("t")), r#"{"id":"t"}"#);
    let settle = SettleRunningOperation {
        status: Some(OperationStatus::Done),
        ..SettleRunningOperation::new("t", "o")
    };
    assert_eq!(
        input(&settle),
        r#"{"id":"t","operationId":"o","status":"done"}"#
    );
}

#[test]
fn r9_a_parked_run_goes_on_as_a_new_one() {
    let approval = ResumeApproval::new(Decision::Approved, "msg_t7", "call_B7");
    let exec = ExecAgent {
        parent_message_id: Some("msg_t7".into()),
        resume_approval: Some(approval),
        ..exec("")
    };
    let written = input(&exec);
    assert_eq!(
        written,
        r#"{"agentId":"a","prompt":"","parentMessageId":"msg_t7","resumeApproval":{"decision":"approved","parentMessageId":"msg_t7","toolCallId":"call_B7"}}"#
    );
    assert_eq!(
        RawJson::parse(written)
            .unwrap()
            .read::<ExecAgent>()
            .as_ref(),
        Some(&exec)
    );
    let stored = serde_json::to_string(&exec).unwrap();
    assert_eq!(serde_json::from_str::<ExecAgent>(&stored).unwrap(), exec);
}

#[test]
fn exec_agent_answers() {
    for name in [
        "execAgent.ok.httpLink",
        "execAgent.undefined_fields.httpLink",
    ] {
        let started = reply::<ExecAgent>(name);
        assert!(started.success);
        assert_eq!(started.operation_id, Some("op_1".into()));
        assert_eq!(
            started.token.as_ref().map(|token| token.expose()),
            Some("jwt.header.sig")
        );
        assert!(!format!("{started:?}").contains("jwt.header.sig"));
    }
    let soft = reply::<ExecAgent>("execAgent.soft_failure_http200");
    assert!(!soft.success && soft.error.is_some() && soft.token.is_none());
    let no_token = reply::<ExecAgent>("execAgent.no_token");
    assert!(no_token.success && no_token.token.is_none());
    assert_eq!(
        refusal::<ExecAgent>("execAgent.unauthorized"),
        TrpcCode::Unauthorized
    );
}

#[test]
fn refresh_gateway_token_answers() {
    assert_eq!(
        reply::<RefreshGatewayToken>("refreshGatewayToken.ok.httpLink")
            .token
            .expose(),
        "fresh.jwt.sig"
    );
    assert_eq!(
        refusal::<RefreshGatewayToken>("refreshGatewayToken.not_found"),
        TrpcCode::NotFound
    );
}

#[test]
fn interrupt_task_answers() {
    assert!(reply::<InterruptTask>("interruptTask.ok.curl").success);
    assert!(!reply::<InterruptTask>("interruptTask.not_interrupted").success);
    let newer = answer::<InterruptTask>(r#"{"success":true,"cancelState":"confirmed"}"#);
    assert_eq!(newer.cancel_state, Some(CancelState::Confirmed));
    let unsure = answer::<InterruptTask>(r#"{"success":true,"cancelState":"unknown"}"#);
    assert_eq!(
        unsure.cancel_state,
        Some(CancelState::Unknown("unknown".into()))
    );
}

#[test]
fn update_topic_metadata_answers() {
    assert_eq!(
        reply::<UpdateTopicMetadata>("updateTopicMetadata.foreign_topic_empty_array").as_str(),
        "[]"
    );
    assert!(
        reply::<UpdateTopicMetadata>("updateTopicMetadata.clear.curl")
            .as_str()
            .starts_with("[{\"id\":\"tpc_1\"")
    );
}

#[test]
fn get_messages_answers() {
    assert_eq!(reply::<GetMessages>("getMessages.empty").as_str(), "[]");
    assert!(reply::<GetMessages>("getMessages.ok.httpLink").len() > 100);
}

#[test]
fn get_operation_status_answers() {
    assert_eq!(reply::<GetOperationStatus>("getOperationStatus.null"), None);
    assert_eq!(
        reply::<GetOperationStatus>("getOperationStatus.undefined"),
        None
    );
    let failed = r#"{"currentState":{"status":"error","error":{"type":"X","message":"boom"},"cost":{"total":0.1}},"isActive":false}"#;
    let failed = answer::<GetOperationStatus>(failed).unwrap();
    assert_eq!(
        (failed.status, failed.error.as_deref()),
        (OperationStatus::Error, Some("boom"))
    );
    for odd in [
        r#"{"status":"running","currentState":{"error":null}}"#,
        r#"{"currentState":{"status":null}}"#,
        r#"{"odd":true}"#,
    ] {
        let body = format!(r#"{{"result":{{"data":{{"json":{odd}}}}}}}"#);
        let read = trpc::decode::<GetOperationStatus>(200, body.as_bytes());
        assert!(read.is_err(), "it says nothing of the run: {odd}");
    }
}

#[test]
fn get_topic_detail_answers() {
    let marked = r#"{"id":"t","metadata":{"runningOperation":{"operationId":"o","assistantMessageId":"m","scope":"main","threadId":null}}}"#;
    let mark = answer::<GetTopicDetail>(marked).running_operation.unwrap();
    assert_eq!(
        (mark.operation_id, mark.assistant_message_id, mark.thread_id),
        ("o".into(), Some("m".into()), None)
    );
    for clear in [
        "null",
        "{}",
        r#"{"metadata":null}"#,
        r#"{"metadata":{"runningOperation":null}}"#,
    ] {
        assert_eq!(
            answer::<GetTopicDetail>(clear).running_operation,
            None,
            "{clear}"
        );
    }
}

#[test]
fn g3_the_global_config_names_the_gateway() {
    let config = reply::<GetGlobalConfig>("getGlobalConfig.no_input.httpLink");
    assert_eq!(
        config.agent_gateway_url.as_deref(),
        Some("https://gw.example")
    );
    assert_eq!(config.enable_gateway_mode, Some(true));
    let without = answer::<GetGlobalConfig>(r#"{"serverConfig":{"agentGatewayUrl":null}}"#);
    assert_eq!(
        (without.agent_gateway_url, without.enable_gateway_mode),
        (None, None)
    );
    // What cannot be read is told as that, and not taken for a server without a gateway.
    for (config, what) in [
        ("{}", "`serverConfig` is missing"),
        (r#"{"serverConfig":null}"#, "`serverConfig` is no object"),
        (
            r#"{"serverConfig":{"agentGatewayUrl":7}}"#,
            "`agentGatewayUrl` is no text",
        ),
    ] {
        let body = format!(r#"{{"result":{{"data":{{"json":{config}}}}}}}"#);
        let error = trpc::decode::<GetGlobalConfig>(200, body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
