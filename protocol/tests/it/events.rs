use agent_gateway_protocol::{
    AgentEvent, EventId, EventType, Payload, RawJson, ServerFrame, ToolCallId,
    event::{Chunk, EndReason, ErrorPayload, ErrorPhase, SnapshotMode, StepComplete, StepStart},
    frame::EventFrame,
};

use crate::fixtures::{event, events, value};

fn payload(name: &str) -> Payload {
    AgentEvent::decode(event(name).as_str()).unwrap().payload()
}

fn error(data: &str) -> ErrorPayload {
    RawJson::parse(data).unwrap().read().unwrap()
}

#[test]
fn every_event_is_written_back_equal() {
    let events = events();
    assert_eq!(events.len(), 97);
    for (name, json) in events {
        let event = AgentEvent::decode(json.as_str()).unwrap();
        let mut written = String::new();
        event.write_json(&mut written);
        assert_eq!(value(&written), value(json.as_str()), "{name}");
    }
}

#[test]
fn every_frame_of_an_event_comes_back_the_same() {
    for (name, json) in events() {
        let frame = ServerFrame::decode(&format!(
            r#"{{"event":{json},"id":"7","type":"agent_event"}}"#
        ))
        .unwrap();
        let expected = EventFrame {
            id: Some(EventId::Number(7)),
            event: AgentEvent::decode(json.as_str()).unwrap().into(),
        };
        assert_eq!(frame, ServerFrame::AgentEvent(expected), "{name}");
        assert_eq!(
            ServerFrame::decode(&frame.encode()).unwrap(),
            frame,
            "{name}"
        );
        let stored = serde_json::to_string(&frame).unwrap();
        assert_eq!(
            serde_json::from_str::<ServerFrame>(&stored).unwrap(),
            frame,
            "{name}"
        );
    }
}

#[test]
fn every_payload_is_written_back_equal_and_survives_storage() {
    for (name, json) in events() {
        let event = AgentEvent::decode(json.as_str()).unwrap();
        let payload = event.payload();
        if event.kind == EventType::Error && event.data == Some(RawJson::null()) {
            assert_eq!(payload, Payload::Error(ErrorPayload::default()), "{name}");
        } else if let Some(data) = &event.data {
            assert_eq!(
                value(payload.to_json().unwrap().as_str()),
                value(data.as_str()),
                "{name}"
            );
        }
        let stored = serde_json::to_string(&payload).unwrap();
        assert_eq!(
            serde_json::from_str::<Payload>(&stored).unwrap(),
            payload,
            "{name}"
        );
    }
}

#[test]
fn every_type_and_shape_of_the_examples_is_known() {
    for (name, json) in events() {
        let event = AgentEvent::decode(json.as_str()).unwrap();
        assert!(!matches!(event.kind, EventType::Unknown(_)), "{name}");
        assert_eq!(event.extra, None, "{name}");
        let payload = event.payload();
        let unknown = matches!(
            payload,
            Payload::Unknown(_)
                | Payload::StepStart(StepStart::Unknown(_))
                | Payload::StepComplete(StepComplete::Unknown(_))
                | Payload::StreamChunk(Chunk::Unknown(_))
        );
        assert_eq!(unknown, name == "chunk.unknown", "{name}: {payload:?}");
    }
}

#[test]
fn chunks_are_told_by_their_chunk_type() {
    let Payload::StreamChunk(Chunk::Text(text)) = payload("chunk.text.2") else {
        panic!()
    };
    assert_eq!(text.content.as_deref(), Some("are for applications. ü ✓"));
    assert_eq!(text.snapshot_mode, None);
    let Payload::StreamChunk(Chunk::Reasoning(thought)) = payload("chunk.reasoning.replace") else {
        panic!()
    };
    assert_eq!(thought.snapshot_mode, Some(SnapshotMode::Replace));
    assert_eq!(thought.snapshot_seq, Some(2));
    let Payload::StreamChunk(Chunk::ToolsCalling(calls)) = payload("chunk.tools_calling.second")
    else {
        panic!()
    };
    let calls = calls.tools_calling.unwrap();
    assert_eq!(calls[1].id, Some(ToolCallId::from("call_A2")));
    assert_eq!(calls[1].executor.as_deref(), Some("client"));
    assert!(calls.iter().all(|call| call.extra.is_empty()));
}

#[test]
fn s1_an_event_with_a_subagent_belongs_to_a_sub_thread() {
    for (name, json) in events() {
        let event = AgentEvent::decode(json.as_str()).unwrap();
        let expected = matches!(&*name, "chunk.tools_calling.subagent" | "tool_result.state");
        assert_eq!(event.is_subagent(), expected, "{name}");
    }
    let null = AgentEvent::new(
        EventType::ToolResult,
        None,
        RawJson::parse(r#"{"subagent":null}"#).unwrap(),
    );
    assert!(!null.is_subagent());
}

#[test]
fn s2_the_end_tells_its_reason() {
    let reason = |name| {
        let Payload::AgentRuntimeEnd(end) = payload(name) else {
            panic!("{name}")
        };
        end.reason
    };
    assert_eq!(reason("end.done_snapshot"), Some(EndReason::Done));
    assert_eq!(reason("end.hetero_empty"), None);
    assert_eq!(reason("end.hetero_cancelled"), Some(EndReason::Cancelled));
    assert_eq!(
        reason("end.waiting_for_human"),
        Some(EndReason::WaitingForHuman)
    );
}

#[test]
fn an_end_without_data_reads_as_an_empty_one() {
    for data in [None, Some(RawJson::null())] {
        let event = AgentEvent::new(EventType::AgentRuntimeEnd, None, data);
        assert_eq!(
            event.payload(),
            Payload::AgentRuntimeEnd(Default::default())
        );
    }
}

#[test]
fn data_of_another_shape_is_kept_raw() {
    for data in ["7", "[1,2]", "\"text\"", "true"] {
        let data = RawJson::parse(data).unwrap();
        let event = AgentEvent::new(EventType::StreamEnd, None, data.clone());
        assert_eq!(event.payload(), Payload::Unknown(Some(data)));
    }
}

#[test]
fn members_of_another_shape_are_kept_raw() {
    let data = r#"{"attempt":"2","maxAttempts":3.0,"delayMs":null,"new":{"a":[1]}}"#;
    let event = AgentEvent::new(EventType::StreamRetry, None, RawJson::parse(data).unwrap());
    let Payload::StreamRetry(retry) = event.payload() else {
        panic!()
    };
    assert_eq!(
        (retry.attempt, retry.max_attempts, retry.delay_ms),
        (None, Some(3), None)
    );
    let kept: Vec<_> = retry
        .extra
        .iter()
        .map(|(key, value)| (key, value.as_str()))
        .collect();
    assert_eq!(
        kept,
        [
            ("new", "{\"a\":[1]}"),
            ("attempt", "\"2\""),
            ("delayMs", "null")
        ]
    );
}

#[test]
fn t1_a_tool_execute_is_whole_or_raw() {
    let Payload::ToolExecute(execute) = payload("tool_execute.seed") else {
        panic!()
    };
    assert_eq!(execute.execution_timeout_ms, Some(30_000));
    assert_eq!(&*execute.arguments, r#"{"path":"notes/a.txt"}"#);
    for member in ["toolCallId", "identifier", "apiName", "arguments"] {
        let mut event = AgentEvent::decode(event("tool_execute.seed").as_str()).unwrap();
        let mut data = value(event.data.as_ref().unwrap().as_str());
        data.as_object_mut().unwrap().remove(member);
        event.data = Some(RawJson::from_serialize(&data).unwrap());
        assert_eq!(
            event.payload(),
            Payload::Unknown(event.data.clone()),
            "without {member}"
        );
    }
}

#[test]
fn t2_a_tool_end_names_its_call_in_both_forms() {
    let call = |name| {
        let Payload::ToolEnd(end) = payload(name) else {
            panic!("{name}")
        };
        end.tool_call_id()
    };
    assert_eq!(call("tool_end.ok"), Some("call_A1".into()));
    assert_eq!(call("tool_end.hetero_flat"), Some("toolu_1".into()));
}

#[test]
fn errors_in_every_shape_have_a_text_and_a_kind() {
    let read = |name| {
        let Payload::Error(error) = payload(name) else {
            panic!("{name}")
        };
        (error.text(), error.kind(), error.phase)
    };
    let expected = |text: &str, kind: &str, phase| (text.to_owned(), kind.to_owned(), phase);
    let unnamed = "AgentRuntimeError";
    assert_eq!(
        read("error.llm"),
        expected(
            "Rate limit reached",
            "RateLimitExceeded",
            Some(ErrorPhase::LlmExecution)
        )
    );
    assert_eq!(
        read("error.tool_execution"),
        expected("fetch failed", "TypeError", Some(ErrorPhase::ToolExecution))
    );
    assert_eq!(
        read("error.chat_message"),
        expected("Invalid API key", "InvalidProviderAPIKey", None)
    );
    assert_eq!(
        read("error.numeric_type"),
        expected("Unauthorized", "401", None)
    );
    assert_eq!(
        read("error.payload"),
        expected("Budget exhausted", "InsufficientBudget", None)
    );
    assert_eq!(read("error.minimal"), expected("boom", unnamed, None));
    assert_eq!(
        read("error.hetero"),
        expected("Usage limit reached", unnamed, None)
    );
    assert_eq!(
        read("error.null_data"),
        expected("Unknown error", unnamed, None)
    );
}

#[test]
fn the_text_of_an_error_is_the_first_that_is_not_empty() {
    for (data, text) in [
        (r#"{"message":"","error":"a"}"#, "a"),
        (r#"{"error":{"message":"","error":{"message":"b"}}}"#, "b"),
        (
            r#"{"_responseBody":{"error":{"error":{"message":"c"}}}}"#,
            "c",
        ),
        (r#"{"_responseBody":{"message":7,"error":"d"}}"#, "d"),
        (r#"{"body":{"message":"e"},"errorType":"F"}"#, "e"),
        (r#"{"body":{"message":""},"errorType":"F"}"#, "F"),
        (r#"{"errorType":503}"#, "503"),
        (r#"{"errorType":""}"#, "Unknown error"),
    ] {
        assert_eq!(error(data).text(), text, "{data}");
    }
}

#[test]
fn the_reason_of_an_end_is_the_same_read_alone() {
    let data = [
        r#"{"reason":"done"}"#,
        r#"{"reasonDetail":"a \"reason\"","reason":"waiting_for_human","uiMessages":[{"reason":"error"}]}"#,
        r#"{"reason":"error","reason":"interrupted"}"#,
        r#"{"re\u0061son":"cancelled"}"#,
        r#"{"reason":"a new one"}"#,
        r#"{"reason":7}"#,
        r#"{"reason":null}"#,
        "{}",
        "null",
        "[]",
        r#""reason""#,
    ];
    for data in data {
        let data = RawJson::parse(data).expect("it is JSON");
        let event = AgentEvent::new(EventType::AgentRuntimeEnd, None, data.clone());
        let whole = match event.payload() {
            Payload::AgentRuntimeEnd(end) => end.reason,
            _ => None,
        };
        assert_eq!(event.end_reason(), whole, "{data:?}");
        let other = AgentEvent::new(EventType::StreamEnd, None, data);
        assert_eq!(other.end_reason(), None);
    }
    let bare = AgentEvent::new(EventType::AgentRuntimeEnd, None, None);
    assert_eq!(bare.end_reason(), None);
}
