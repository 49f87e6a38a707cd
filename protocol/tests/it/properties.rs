use std::mem::discriminant;

use agent_gateway_protocol::{
    AgentEvent, ClientFrame, EventId, EventType, GatewayUrl, Object, RawJson, ServerFrame, Token,
    api::{ExecAgent, GetTopicDetail},
    frame::{Decoder, EventFrame, SessionComplete, ToolError, ToolResult},
    trpc::{self, HttpMethod, Incoming},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use crate::fixtures::{events, value};

/// Names that mean something somewhere on the wire, so that typed places are hit by every shape.
const NAMES: [&str; 34] = [
    "type",
    "id",
    "event",
    "data",
    "stepIndex",
    "operationId",
    "timestamp",
    "status",
    "reason",
    "summary",
    "gap",
    "toolCallId",
    "chunkType",
    "content",
    "reasoning",
    "snapshotMode",
    "snapshotSeq",
    "toolsCalling",
    "subagent",
    "phase",
    "finalState",
    "uiMessages",
    "error",
    "errorType",
    "message",
    "body",
    "payload",
    "result",
    "toolCalling",
    "attempt",
    "delayMs",
    "upserts",
    "deletes",
    "_responseBody",
];

/// Texts that mean something somewhere.
const TEXTS: [&str; 12] = [
    "text",
    "reasoning",
    "tools_calling",
    "tool_state",
    "human_approval",
    "turn_metadata",
    "replace",
    "done",
    "error",
    "agent_event",
    "stream_chunk",
    "status_change",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![select(&TEXTS[..]).prop_map(str::to_owned), any::<String>()]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (0_u32..5).prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        text().prop_map(Value::String),
    ];
    let name = prop_oneof![4 => select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((name.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    json().prop_filter("an object", Value::is_object)
}

/// Text that is JSON, or nearly.
fn nearly_json() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"type\":",
        "1",
        "-",
        "0",
        ".",
        "e",
        "+",
        "true",
        "nul",
        "null",
        " ",
        "\n",
        "\\",
        "\\u",
        "d83d",
        "\\ud800",
        "\u{1}",
        "é",
        "{}",
        "[]",
    ];
    let changed = (
        json(),
        any::<prop::sample::Index>(),
        select(pieces.to_vec()),
        0_usize..3,
    )
        .prop_map(|(json, at, piece, cut)| {
            let mut text = json.to_string();
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((at + cut).min(text.len())).max(at);
            text.replace_range(at..end, piece);
            text
        });
    prop_oneof![
        json().prop_map(|json| json.to_string()),
        changed,
        vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

fn event_type() -> impl Strategy<Value = EventType> {
    let known: Vec<EventType> = events()
        .iter()
        .map(|(_, json)| AgentEvent::decode(json.as_str()).unwrap().kind)
        .collect();
    prop_oneof![9 => select(known), 1 => any::<String>().prop_map(|name| EventType::parse(&name))]
}

fn event_id() -> impl Strategy<Value = Option<EventId>> {
    let some = prop_oneof![
        any::<u64>().prop_map(EventId::from),
        "[0-9a-z-]{1,24}".prop_map(|id| EventId::parse(&id))
    ];
    option::of(some)
}

/// Numbers as JavaScript has them: `3` and `3.0` are the same.
fn plain(json: Value) -> Value {
    match json {
        Value::Number(number) => {
            Number::from_f64(number.as_f64().unwrap()).map_or(Value::Null, Value::Number)
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, plain(value)))
            .collect(),
        other => other,
    }
}

/// A frame in the form in which LobeHub writes it, or nearly: now and then a part of it is another, or wrong.
fn usual_frame() -> impl Strategy<Value = String> {
    fn part(
        usual: &'static str,
        others: &'static [&'static str],
    ) -> impl Strategy<Value = &'static str> {
        prop_oneof![9 => Just(usual), 1 => select(others)]
    }
    const NUMBERS: &[&str] = &[
        "0",
        "00",
        "7",
        "07",
        "-1",
        "3.0",
        "3e0",
        "1x",
        "4294967295",
        "4294967296",
        "9999999999999999999",
        "10000000000000000000",
        "18446744073709551616",
        "",
        "null",
        "\"3\"",
        " 3",
        "3 ",
        "3,",
    ];
    const TEXTS: &[&str] = &[
        r#""""#,
        r#""error""#,
        r#""\u0065rror""#,
        "\"a\nb\"",
        r#""ü""#,
        r#""new_\"type\"""#,
        "null",
        "7",
        r#""open"#,
        r#" "x""#,
    ];
    let data = prop_oneof![
        3 => json().prop_map(|json| json.to_string()),
        1 => nearly_json(),
        1 => select(&["{\"a\":\n1}", " {} ", "", "null", "[[", "01"][..]).prop_map(str::to_owned),
    ];
    let id = part(
        r#""7""#,
        &[
            r#""""#,
            r#""0""#,
            r#""07""#,
            r#""7a""#,
            r#""\u0037""#,
            "7",
            "null",
            r#""18446744073709551615""#,
            r#""18446744073709551616""#,
        ],
    );
    let end = part(
        "}}",
        &[
            "}",
            "}}}",
            "}} ",
            "}}x",
            "},\"id\":\"8\"}",
            ",\"extra\":1}}",
            ",\"data\":2}}",
            "",
        ],
    );
    let names = (
        part(
            r#"{"type":"agent_event","id":"#,
            &[
                r#"{"id":"#,
                r#"{"type":"agent_events","id":"#,
                r#"{"type": "agent_event","id":"#,
            ],
        ),
        part(
            r#","event":{"data":"#,
            &[
                r#","event":{"type":"error","data":"#,
                r#","event":{"trace":"#,
                r#","event":"#,
            ],
        ),
        part(r#","operationId":"#, &[r#","operation":"#, ",", ""]),
        part(r#","stepIndex":"#, &[r#","type":"#, r#","timestamp":"#]),
        part(r#","timestamp":"#, &[r#","stepIndex":"#, r#","time":"#]),
        part(r#","type":"#, &[r#","kind":"#, r#" ,"type":"#]),
    );
    let operation = part(r#""op_1""#, TEXTS);
    let kind = part(r#""stream_chunk""#, TEXTS);
    (names, id, data, operation, part("3", NUMBERS), part("1760000000000", NUMBERS), kind, end).prop_map(
        |((begin, event, of, in_step, at, is), id, data, operation, step, time, kind, end)| {
            format!("{begin}{id}{event}{data}{of}{operation}{in_step}{step}{at}{time}{is}{kind}{end}")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn frames_in_a_row_are_read_as_each_alone(frames in vec(usual_frame(), 1..8)) {
        let mut decoder = Decoder::default();
        for frame in frames {
            prop_assert_eq!(decoder.decode(&frame), ServerFrame::decode(&frame));
        }
    }

    #[test]
    fn the_form_lobehub_writes_is_read_as_any_other(frame in usual_frame()) {
        // A space in it, and it is another form.
        let other = frame.replacen('{', "{ ", 1);
        match (ServerFrame::decode(&frame), ServerFrame::decode(&other)) {
            (Ok(ServerFrame::Unknown(one)), Ok(ServerFrame::Unknown(other))) => {
                prop_assert_eq!((&one.kind, &one.id), (&other.kind, &other.id));
            }
            (Err(one), Err(other)) => prop_assert_eq!(discriminant(&one), discriminant(&other)),
            (one, other) => prop_assert_eq!(one, other),
        }
    }

    #[test]
    fn nothing_read_from_outside_panics(text in nearly_json(), bytes in vec(any::<u8>(), 0..64), status: u16) {
        let _ = ClientFrame::<Token>::decode(&text);
        let _ = GatewayUrl::parse(&text);
        let _ = Incoming::parse(HttpMethod::Post, &text, Some(&text), &text);
        let _ = Incoming::parse(HttpMethod::Get, "/trpc/lambda/a,b", Some(&format!("batch=1&input={text}")), "");
        for body in [text.as_bytes(), &bytes] {
            let _ = trpc::decode::<ExecAgent>(status, body);
            let _ = trpc::decode::<GetTopicDetail>(status, body);
            let _ = trpc::decode_batch(status, body);
        }
        if let Ok(frame) = ServerFrame::decode(&text) {
            prop_assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame));
        }
        prop_assert_eq!(EventId::parse(&text).to_string(), text);
    }

    #[test]
    fn json_is_what_serde_json_skips_as_json(text in nearly_json()) {
        let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(RawJson::parse(&*text).is_ok(), expected);
        let nested = format!("{{\"type\":\"agent_event\",\"event\":{{\"data\":{text}}}}}");
        let expected = serde_json::from_str::<IgnoredAny>(&nested).is_ok();
        prop_assert_eq!(ServerFrame::decode(&nested).is_ok(), expected);
    }

    #[test]
    fn an_error_points_into_the_text(text in nearly_json()) {
        if let Err(error) = RawJson::parse(&*text) {
            prop_assert!(error.at <= text.len());
        }
    }

    #[test]
    fn texts_survive_escaping(text: String, spread in "\\PC*") {
        for text in [text, spread] {
            let raw = RawJson::from_text(&text);
            prop_assert_eq!(value(raw.as_str()), Value::String(text.clone()));
            prop_assert_eq!(raw.read::<String>(), Some(text));
        }
    }

    #[test]
    fn objects_read_as_serde_json_reads_them(json in object(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&json).unwrap() } else { json.to_string() };
        let raw = RawJson::parse(text).unwrap();
        prop_assert!(!raw.as_str().contains('\n'));
        let object = Object::parse(&raw).unwrap();
        let members: Map<_, _> = object.iter().map(|(key, raw)| (key.to_owned(), value(raw.as_str()))).collect();
        prop_assert_eq!(Value::Object(members), json);
    }

    #[test]
    fn a_payload_loses_nothing(kind in event_type(), json in json()) {
        let event = AgentEvent::new(kind, None, RawJson::from_serialize(&json).unwrap());
        let written = event.payload().to_json().unwrap();
        let expected = if json.is_null() && written.as_str() == "{}" { value("{}") } else { json };
        prop_assert_eq!(plain(value(written.as_str())), plain(expected));
    }

    #[test]
    fn an_envelope_loses_nothing(mut json in object(), kind in event_type()) {
        json["type"] = kind.as_str().into();
        let event = AgentEvent::decode(&json.to_string()).unwrap();
        let mut written = String::new();
        event.write_json(&mut written);
        prop_assert_eq!(plain(value(&written)), plain(json));
    }

    #[test]
    fn the_order_of_members_says_nothing(members in vec((select(&NAMES[..]), json()), 0..10), kind in event_type()) {
        let mut members: Map<String, Value> =
            members.into_iter().map(|(name, json)| (name.to_owned(), json)).collect();
        members.insert("type".into(), kind.as_str().into());
        let join = |parts: &[String]| AgentEvent::decode(&format!("{{{}}}", parts.join(","))).unwrap();
        let mut parts: Vec<_> = members.iter().map(|(key, json)| format!("{}:{json}", Value::from(&**key))).collect();
        let there = join(&parts);
        parts.reverse();
        let mut back = join(&parts);
        // What is not known is kept in the order it came in.
        back.extra = there.extra.clone();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn server_frames_come_back(id in event_id(), kind in event_type(), data in option::of(json()), step: Option<u32>,
                               operation: Option<String>, timestamp: Option<u64>, summary: Option<String>) {
        let event = AgentEvent {
            kind,
            step_index: step,
            operation_id: operation.map(Into::into),
            timestamp,
            data: data.map(|json| RawJson::from_serialize(&json).unwrap()),
            extra: None,
        };
        let event = ServerFrame::AgentEvent(EventFrame { id: id.clone(), event: event.into() });
        let complete = ServerFrame::SessionComplete(Box::new(SessionComplete { id, summary: summary.map(Into::into) }));
        for frame in [event, complete] {
            prop_assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame.clone()));
            let stored = serde_json::to_string(&frame).unwrap();
            prop_assert!(!stored.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<ServerFrame>(&stored).unwrap(), frame);
        }
    }

    #[test]
    fn tool_results_come_back(call: String, content: Option<String>, success: bool, kind: Option<String>,
                              message: Option<String>, state in option::of(object())) {
        let error = message.map(|message| ToolError {
            kind: kind.map(Into::into),
            ..ToolError::new("", message)
        });
        let frame = ClientFrame::<Token>::ToolResult(Box::new(ToolResult {
            tool_call_id: call.into(),
            content: content.map(Into::into),
            success,
            error,
            state: state.map(|json| RawJson::from_serialize(&json).unwrap()),
        }));
        prop_assert_eq!(ClientFrame::decode(&frame.encode()), Ok(frame));
    }

    #[test]
    fn queries_come_back(topic: String) {
        let request = trpc::request(&GetTopicDetail::new(topic.as_str()));
        let (path, query) = request.path_and_query.split_once('?').unwrap();
        let incoming = Incoming::parse(request.method, path, Some(query), "").unwrap();
        let input: GetTopicDetail = incoming.calls[0].input.as_ref().unwrap().read().unwrap();
        prop_assert_eq!(input.topic_id.as_str(), topic);
    }
}
