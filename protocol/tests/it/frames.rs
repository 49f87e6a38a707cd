use agent_gateway_protocol::{
    AgentEvent, ClientFrame, EventId, EventType, FrameError, OperationId, OperationStatus, RawJson,
    ServerFrame, ServerUrl, Token,
    frame::{
        Auth, AuthFailed, Decoder, EventFrame, InputRequest, Resume, ResumeComplete,
        SessionComplete, StatusChange, TokenType, ToolConfirmation, ToolConfirmationRequest,
        ToolError, ToolResult, UnknownFrame, UserInput,
    },
};

use crate::fixtures::value;

fn raw(text: &str) -> RawJson {
    RawJson::parse(text).unwrap()
}

fn server(text: &str) -> ServerFrame {
    ServerFrame::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn event(text: &str) -> EventFrame {
    match server(text) {
        ServerFrame::AgentEvent(frame) => frame,
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_are_moved_at_little_cost() {
    assert!(
        size_of::<ServerFrame>() <= 40,
        "{}",
        size_of::<ServerFrame>()
    );
    assert!(
        size_of::<ClientFrame>() <= 40,
        "{}",
        size_of::<ClientFrame>()
    );
}

#[test]
fn server_frames_come_and_go() {
    let id = Some(EventId::Number(3));
    let frames = [
        (r#"{"type":"auth_success"}"#, ServerFrame::AuthSuccess),
        (
            r#"{"type":"auth_failed","reason":"Missing token"}"#,
            ServerFrame::AuthFailed(AuthFailed {
                reason: "Missing token".into(),
            }),
        ),
        (r#"{"type":"auth_expired"}"#, ServerFrame::AuthExpired),
        (r#"{"type":"heartbeat_ack"}"#, ServerFrame::HeartbeatAck),
        (
            r#"{"type":"agent_event","id":"3","event":{"type":"stream_end","stepIndex":1,"operationId":"op","data":{},"timestamp":5}}"#,
            ServerFrame::AgentEvent(EventFrame {
                id: id.clone(),
                event: AgentEvent {
                    kind: EventType::StreamEnd,
                    step_index: Some(1),
                    operation_id: Some("op".into()),
                    timestamp: Some(5),
                    data: Some(raw("{}")),
                    extra: None,
                }
                .into(),
            }),
        ),
        (
            r#"{"type":"session_complete","id":"3","summary":""}"#,
            ServerFrame::SessionComplete(Box::new(SessionComplete {
                id: id.clone(),
                summary: Some("".into()),
            })),
        ),
        (
            r#"{"type":"status_change","id":"3","status":"running"}"#,
            ServerFrame::StatusChange(Box::new(StatusChange {
                id: id.clone(),
                status: OperationStatus::Running,
            })),
        ),
        (
            r#"{"type":"tool_confirmation_request","id":"3","tool":{"name":"rm"},"toolCallId":"c"}"#,
            ServerFrame::ToolConfirmationRequest(Box::new(ToolConfirmationRequest {
                id: id.clone(),
                tool: Some(raw(r#"{"name":"rm"}"#)),
                tool_call_id: "c".into(),
            })),
        ),
        (
            r#"{"type":"input_request","id":"3","prompt":"Which?","requestId":"r"}"#,
            ServerFrame::InputRequest(Box::new(InputRequest {
                id,
                prompt: "Which?".into(),
                request_id: "r".into(),
            })),
        ),
        (
            r#"{"type":"resume_complete","status":"completed","gap":true}"#,
            ServerFrame::ResumeComplete(Box::new(ResumeComplete {
                status: Some(OperationStatus::Completed),
                gap: true,
            })),
        ),
    ];
    for (text, frame) in frames {
        assert_eq!(server(text), frame);
        assert_eq!(frame.encode(), text);
        assert_eq!(value(text)["type"], frame.kind());
        let stored = serde_json::to_string(&frame).unwrap();
        assert_eq!(serde_json::from_str::<ServerFrame>(&stored).unwrap(), frame);
    }
}

#[test]
fn client_frames_come_and_go() {
    let frames = [
        (
            r#"{"type":"auth","token":"secret","tokenType":"apiKey","serverUrl":"https://lobe.example"}"#,
            ClientFrame::Auth(Box::new(Auth {
                token: Token::new("secret"),
                token_type: Some(TokenType::ApiKey),
                server_url: Some(ServerUrl::parse("https://lobe.example/").unwrap()),
            })),
        ),
        (
            r#"{"type":"resume","lastEventId":"","wantStatus":true}"#,
            ClientFrame::Resume(Resume {
                last_event_id: None,
                want_status: true,
            }),
        ),
        (
            r#"{"type":"resume","lastEventId":"42"}"#,
            ClientFrame::Resume(Resume {
                last_event_id: Some(EventId::Number(42)),
                want_status: false,
            }),
        ),
        (r#"{"type":"heartbeat"}"#, ClientFrame::Heartbeat),
        (
            r#"{"type":"tool_confirmation","toolCallId":"c","approved":false}"#,
            ClientFrame::ToolConfirmation(ToolConfirmation {
                tool_call_id: "c".into(),
                approved: false,
            }),
        ),
        (
            r#"{"type":"user_input","requestId":"r","content":"a\nb"}"#,
            ClientFrame::UserInput(UserInput {
                request_id: "r".into(),
                content: "a\nb".into(),
            }),
        ),
        (r#"{"type":"interrupt"}"#, ClientFrame::Interrupt),
    ];
    for (text, frame) in frames {
        assert_eq!(ClientFrame::decode(text).unwrap(), frame);
        assert_eq!(frame.encode(), text);
        assert_eq!(value(text)["type"], frame.kind());
    }
}

/// So that an answer cannot hide bytes from the bounds beside what has a name.
#[test]
fn i13_the_size_of_a_tool_error_counts_what_came_beside() {
    let mut error = ToolError::new("kind", "message");
    assert_eq!(error.size(), 11);
    error
        .extra
        .insert("detail", RawJson::from_text(&"x".repeat(100)));
    assert_eq!(error.size(), 11 + "detail".len() + 102);
}

#[test]
fn t5_a_tool_result_always_has_content_and_leaves_out_what_is_absent() {
    let mut result = ToolResult {
        tool_call_id: "c".into(),
        content: None,
        success: true,
        error: None,
        state: None,
    };
    let frame =
        |result: &ToolResult| ClientFrame::<Token>::ToolResult(Box::new(result.clone())).encode();
    assert_eq!(
        frame(&result),
        r#"{"type":"tool_result","toolCallId":"c","content":null,"success":true}"#
    );
    result.state = Some(raw("[1]"));
    assert_eq!(
        frame(&result),
        r#"{"type":"tool_result","toolCallId":"c","content":null,"success":true}"#
    );
    result.content = Some("done".into());
    result.success = false;
    result.error = Some(ToolError::new("timeout", "too \"slow\""));
    result.state = Some(raw(r#"{"a":1}"#));
    let text = r#"{"type":"tool_result","toolCallId":"c","content":"done","success":false,"error":{"type":"timeout","message":"too \"slow\""},"state":{"a":1}}"#;
    assert_eq!(frame(&result), text);
    assert_eq!(
        ClientFrame::decode(text).unwrap(),
        ClientFrame::ToolResult(Box::new(result))
    );
    let old_gateway = r#"{"type":"tool_result","toolCallId":"c","content":"","success":true,"error":null,"state":null}"#;
    let ClientFrame::ToolResult(read) = ClientFrame::decode(old_gateway).unwrap() else {
        panic!()
    };
    assert_eq!((read.error, read.state), (None, None));
}

#[test]
fn a_token_is_named_in_states_and_filled_in_when_sent() {
    let named = ClientFrame::Auth(Box::new(Auth {
        token: 7_u64,
        token_type: None,
        server_url: None,
    }));
    let stored = serde_json::to_string(&named).unwrap();
    assert_eq!(
        serde_json::from_str::<ClientFrame<u64>>(&stored).unwrap(),
        named
    );
    let filled = named
        .clone()
        .with_token(|id| Token::new(format!("secret-{id}")));
    assert_eq!(filled.encode(), r#"{"type":"auth","token":"secret-7"}"#);
    assert!(!format!("{filled:?}{}", serde_json::to_string(&filled).unwrap()).contains("secret"));
    assert_eq!(
        named.try_with_token(|_| Err::<Token, _>("gone")),
        Err("gone")
    );
}

#[test]
fn c12_frames_are_read_as_leniently_as_javascript_does() {
    let last = event(
        r#"{"event":{"data":{"a":1},"operationId":"op","type":"stream_end"},"id":"1","type":"agent_event"}"#,
    );
    assert_eq!(last.event.kind, EventType::StreamEnd);
    let twice = event(
        r#"{"id":"1","id":"2","type":"x","type":"agent_event","event":7,"event":{"type":"a","type":"error"}}"#,
    );
    assert_eq!(
        (twice.id, twice.event.kind.clone()),
        (Some(EventId::Number(2)), EventType::Error)
    );
    let numbers = event(
        r#"{"type":"agent_event","id":12,"event":{"type":"error","stepIndex":3.0,"timestamp":1.5e3}}"#,
    );
    assert_eq!(numbers.id, Some(EventId::Number(12)));
    assert_eq!(
        (numbers.event.step_index, numbers.event.timestamp),
        (Some(3), Some(1500))
    );
    let null = event(
        r#"{"type":"agent_event","id":null,"event":{"type":"error","data":null,"operationId":null}}"#,
    );
    assert_eq!(
        (null.id, &null.event.operation_id, &null.event.data),
        (None, &None, &Some(RawJson::null()))
    );
    let more =
        event(r#"{"type":"agent_event","event":{"type":"error","v":2},"trace":{"deep":[{}]}}"#);
    assert_eq!(more.event.extra.as_ref().unwrap().get("v"), Some(&raw("2")));
    let escaped = event(r#"{"\u0074ype":"agent\u005fevent","event":{"type":"error"}}"#);
    assert_eq!(escaped.event.kind, EventType::Error);
    let space =
        event(" {\n\t\"type\" : \"agent_event\" ,\r\n \"event\" : { \"type\" : \"error\" } } \n");
    assert_eq!(space.event.kind, EventType::Error);
}

#[test]
fn c12_data_is_kept_whatever_serde_would_refuse() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for data in [
        r#"{"a":"\ud83d"}"#,
        r#"{"\udc00":1}"#,
        "1e999",
        "-1E+400",
        &deep,
        r#"{"a":1,"a":2}"#,
        "-0",
        "0.10",
    ] {
        let frame = event(&format!(
            r#"{{"type":"agent_event","event":{{"type":"error","data":{data}}}}}"#
        ));
        assert_eq!(frame.event.data.as_ref().unwrap().as_str(), data);
    }
}

#[test]
fn line_breaks_between_tokens_become_spaces() {
    let frame = event(
        "{\"type\":\"agent_event\",\"event\":{\"type\":\"error\",\"data\":{\n\"a\":\r\n\"b\\n\"}}}",
    );
    assert_eq!(
        frame.event.data.as_ref().unwrap().as_str(),
        "{ \"a\":  \"b\\n\"}"
    );
    let ServerFrame::Unknown(unknown) = server("\n{\n\"type\":\"new\"\n}\n") else {
        panic!()
    };
    assert_eq!(unknown.raw.as_str(), "{ \"type\":\"new\" }");
}

#[test]
fn c12_unknown_frames_are_kept_whole_with_their_place() {
    let text = r#"{"type":"op_lifecycle","id":"9","at":1,"nested":{"type":"x"}}"#;
    let frame = server(text);
    let expected = UnknownFrame {
        kind: "op_lifecycle".into(),
        id: Some(EventId::Number(9)),
        raw: raw(text),
    };
    assert_eq!(frame, ServerFrame::Unknown(expected.into()));
    assert_eq!(frame.encode(), text);
    let ClientFrame::Unknown(client) =
        ClientFrame::decode(r#"{"type":"subscribe","a":1}"#).unwrap()
    else {
        panic!()
    };
    assert_eq!(&*client.kind, "subscribe");
}

#[test]
fn c12_a_known_frame_without_what_it_needs_is_unknown() {
    for text in [
        r#"{"type":"agent_event","id":"1"}"#,
        r#"{"type":"agent_event","id":"1","event":null}"#,
        r#"{"type":"agent_event","id":"1","event":[{"type":"error"}]}"#,
        r#"{"type":"agent_event","id":"1","event":{"data":1}}"#,
        r#"{"type":"agent_event","id":"1","event":{"type":7}}"#,
        r#"{"type":"status_change","id":"1"}"#,
        r#"{"type":"status_change","id":"1","status":7}"#,
        r#"{"type":"tool_confirmation_request","id":"1","tool":{}}"#,
        r#"{"type":"input_request","id":"1","prompt":"?"}"#,
    ] {
        let frame = server(text);
        assert!(matches!(frame, ServerFrame::Unknown(_)), "{text}");
        assert_eq!(frame.id(), Some(&EventId::Number(1)), "{text}");
        assert_eq!(frame.encode(), text);
    }
    assert_eq!(
        server(r#"{"type":"auth_failed"}"#),
        ServerFrame::AuthFailed(AuthFailed { reason: "".into() }),
        "a refusal without a reason is still one"
    );
    for text in [
        r#"{"type":"auth"}"#,
        r#"{"type":"tool_result","toolCallId":"c"}"#,
    ] {
        assert!(
            matches!(ClientFrame::decode(text), Ok(ClientFrame::Unknown(_))),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_frame_says_why() {
    assert_eq!(ServerFrame::decode("[]"), Err(FrameError::NotAnObject));
    assert_eq!(ServerFrame::decode("7 "), Err(FrameError::NotAnObject));
    assert_eq!(ServerFrame::decode("{}"), Err(FrameError::NoType));
    assert_eq!(
        ServerFrame::decode(r#"{"type":7}"#),
        Err(FrameError::NoType)
    );
    let error = ServerFrame::decode(r#"{"type":"x",}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"not JSON at byte 12: expected a quoted key, near `{"type":"x",}`"#
    );
    for text in [
        "",
        " ",
        "{",
        "{\"type\":\"x\"",
        "{\"type\":\"x\"}}",
        "{\"type\":01}",
        "{'type':1}",
        "nul",
        "{\"a\":\"\n\"}",
    ] {
        assert!(
            matches!(ServerFrame::decode(text), Err(FrameError::NotJson { .. })),
            "{text}"
        );
        assert!(
            matches!(ClientFrame::decode(text), Err(FrameError::NotJson { .. })),
            "{text}"
        );
    }
}

#[test]
fn an_operation_named_again_is_the_same_text() {
    let mut decoder = Decoder::default();
    let mut named = |operation: &str| {
        let text = format!(
            r#"{{"type":"agent_event","id":"1","event":{{"data":{{}},"operationId":"{operation}","stepIndex":0,"timestamp":1,"type":"error"}}}}"#
        );
        let ServerFrame::AgentEvent(frame) = decoder.decode(&text).unwrap() else {
            panic!("{text}")
        };
        frame.event.operation_id.clone().unwrap()
    };
    let (first, second, other) = (named("op_1"), named("op_1"), named("op_2"));
    assert_eq!(first.as_str().as_ptr(), second.as_str().as_ptr());
    assert_eq!((second.as_str(), other.as_str()), ("op_1", "op_2"));
}

#[test]
fn an_expected_operation_is_not_made_anew() {
    let operation = OperationId::new("op_1");
    let mut decoder = Decoder::default();
    decoder.expect_operation(operation.clone());
    let text = r#"{"type":"agent_event","id":"1","event":{"data":{},"operationId":"op_1","stepIndex":0,"timestamp":1,"type":"error"}}"#;
    let ServerFrame::AgentEvent(frame) = decoder.decode(text).unwrap() else {
        panic!("{text}")
    };
    let named = frame.event.operation_id.as_ref().unwrap();
    assert_eq!(named.as_str().as_ptr(), operation.as_str().as_ptr());
}

#[test]
fn no_error_shows_a_token_or_much_text() {
    let text = r#"{"type":"auth","token":"secret",}"#;
    for error in [
        ServerFrame::decode(text).unwrap_err(),
        ClientFrame::decode(text).unwrap_err(),
    ] {
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    let long = format!("{{\"type\":\"{}\u{1}", "é".repeat(5_000));
    let FrameError::NotJson { excerpt, .. } = ServerFrame::decode(&long).unwrap_err() else {
        panic!()
    };
    assert!(
        excerpt.len() <= 80 && !excerpt.contains(char::is_control),
        "{excerpt:?}"
    );
}

#[test]
fn a_hostile_depth_costs_no_stack() {
    let depth = 4_000_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let data = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let frame = event(&format!(
            r#"{{"type":"agent_event","event":{{"type":"error","data":{data}}}}}"#
        ));
        assert_eq!(frame.event.data.as_ref().unwrap().len(), data.len());
        frame.event.payload();
        assert!(
            ServerFrame::decode(&format!(
                r#"{{"type":"agent_event","event":{{"data":{data}"#
            ))
            .is_err()
        );
    }
}

#[test]
fn a_hostile_breadth_is_not_blown_up() {
    let members: String = (0..200_000)
        .map(|index| format!("\"{index}\":1,"))
        .collect();
    let data = format!("{{{members}\"a\":1}}");
    let text =
        format!(r#"{{"type":"agent_event","id":"1","event":{{"type":"error","data":{data}}}}}"#);
    let frame = event(&text);
    assert_eq!(
        frame.event.payload(),
        agent_gateway_protocol::Payload::Unknown(frame.event.data.clone())
    );
    let envelope =
        format!(r#"{{"type":"agent_event","id":"1","event":{{{members}"type":"error"}}}}"#);
    let frame = server(&envelope);
    assert!(matches!(frame, ServerFrame::Unknown(_)));
    assert_eq!(frame.id(), Some(&EventId::Number(1)));
}

#[test]
fn the_size_of_a_frame_counts_its_texts() {
    let frame = server(
        r#"{"type":"agent_event","id":"1","event":{"type":"error","operationId":"abc","data":{"a":1}}}"#,
    );
    assert_eq!(frame.size(), 3 + 7);
    assert_eq!(
        server(r#"{"type":"session_complete","id":"an-id"}"#).size(),
        5
    );
    assert_eq!(ServerFrame::HeartbeatAck.size(), 0);
}

/// Every event handed on carries an id: a long one, sent once, would be held many times over.
#[test]
fn i13_an_id_longer_than_its_bound_is_none() {
    let frame = |id: &str| {
        let text = format!(r#"{{"type":"session_complete","id":{id}}}"#);
        ServerFrame::decode(&text).unwrap()
    };
    let longest = "é".repeat(EventId::LONGEST / 2);
    assert_eq!(
        frame(&format!(r#""{longest}""#)).id(),
        Some(&EventId::parse(&longest))
    );
    let escaped = format!(r#""{}""#, r"\u0061".repeat(EventId::LONGEST));
    assert_eq!(
        frame(&escaped).id(),
        Some(&EventId::parse(&"a".repeat(EventId::LONGEST)))
    );
    for long in [
        format!(r#""{longest}x""#),
        format!(r#""{}""#, "9".repeat(40_000_000)),
        "9".repeat(EventId::LONGEST + 1),
        format!("-{}", "9".repeat(EventId::LONGEST)),
    ] {
        assert_eq!(frame(&long).id(), None);
    }
}
