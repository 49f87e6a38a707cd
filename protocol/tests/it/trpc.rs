use agent_gateway_protocol::{
    RawJson,
    api::{ExecAgent, GetOperationStatus, Method, RefreshGatewayToken},
    trpc::{
        Answer, ApiError, HttpMethod, Incoming, IncomingError, Outcome, TrpcCode, TrpcError,
        batch_answer, decode, decode_batch,
    },
};
use serde_json::{Value, json};

use crate::fixtures::{Exchange, exchange, exchanges, value};

/// What came of the calls of an exchange.
fn outcomes(exchange: &Exchange) -> Vec<Outcome> {
    let body = if exchange.is_batch() {
        exchange.answer.clone()
    } else {
        format!("[{}]", exchange.answer)
    };
    decode_batch(exchange.status, body.as_bytes())
        .unwrap_or_else(|error| panic!("{}: {error}", exchange.name))
}

#[test]
fn every_answer_is_read() {
    let exchanges = exchanges();
    assert_eq!(exchanges.len(), 69);
    for exchange in exchanges {
        let envelopes = match value(&exchange.answer) {
            Value::Array(envelopes) => envelopes,
            envelope => vec![envelope],
        };
        let outcomes = outcomes(&exchange);
        assert_eq!(outcomes.len(), envelopes.len(), "{}", exchange.name);
        for (outcome, envelope) in outcomes.iter().zip(envelopes) {
            match outcome {
                Ok(reply) => assert_eq!(
                    value(reply.as_str()),
                    envelope["result"]["data"]["json"],
                    "{}",
                    exchange.name
                ),
                Err(error) => {
                    let json = &envelope["error"]["json"];
                    let read = json!({
                        "message": &*error.message,
                        "code": error.code.number(),
                        "data": { "code": error.code.as_str(), "httpStatus": error.http_status },
                    });
                    let said = json!({
                        "message": json["message"],
                        "code": json["code"],
                        "data": { "code": json["data"]["code"], "httpStatus": json["data"]["httpStatus"] },
                    });
                    assert_eq!(read, said, "{}", exchange.name);
                    assert_eq!(
                        json["data"]["path"].as_str(),
                        error.path.as_deref(),
                        "{}",
                        exchange.name
                    );
                    assert_eq!(
                        json["data"]["stack"].as_str(),
                        error.stack.as_deref(),
                        "{}",
                        exchange.name
                    );
                    assert_eq!(
                        error.code.http_status(),
                        error.http_status,
                        "{}",
                        exchange.name
                    );
                }
            }
        }
    }
}

#[test]
fn every_answer_is_written_byte_for_byte() {
    for exchange in exchanges() {
        if exchange.answer.contains("\"meta\":{\"values\"") {
            // superjson's notes are read past, never written.
            continue;
        }
        let outcomes = outcomes(&exchange);
        let answer = if exchange.is_batch() {
            batch_answer(&outcomes)
        } else {
            Answer::new(&outcomes[0])
        };
        assert_eq!(
            answer,
            Answer {
                status: exchange.status,
                body: exchange.answer
            },
            "{}",
            exchange.name
        );
    }
}

#[test]
fn every_request_is_taken_apart_as_a_server_does() {
    for exchange in exchanges() {
        let name = &exchange.name;
        let incoming = Incoming::parse(
            exchange.method,
            &exchange.path,
            exchange.query.as_deref(),
            &exchange.body,
        );
        if matches!(
            &**name,
            "shape.malformed_json" | "refreshGatewayToken.malformed_input"
        ) {
            let Err(IncomingError::BadInput {
                error,
                batch: false,
            }) = incoming
            else {
                panic!("{name}")
            };
            assert_eq!((error.code, error.http_status), (TrpcCode::BadRequest, 400));
            assert_eq!(error.path, outcomes(&exchange)[0].clone().unwrap_err().path);
            continue;
        }
        let incoming = incoming.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(incoming.batch, exchange.is_batch(), "{name}");
        assert_eq!(
            incoming.method == Method::Query,
            exchange.method == HttpMethod::Get,
            "{name}"
        );
        let paths: Vec<_> = incoming.calls.iter().map(|call| &*call.path).collect();
        assert_eq!(
            paths.join(","),
            exchange
                .path
                .trim_start_matches("/trpc/lambda")
                .trim_start_matches('/'),
            "{name}"
        );
        assert_eq!(incoming.calls.len(), outcomes(&exchange).len(), "{name}");
    }
}

#[test]
fn the_input_of_a_call_is_unwrapped() {
    let exchange = exchange("refreshGatewayToken.non_ascii_topic.httpLink");
    let incoming = Incoming::parse(
        exchange.method,
        &exchange.path,
        exchange.query.as_deref(),
        "",
    )
    .unwrap();
    assert_eq!(
        incoming.calls[0].input.as_ref().unwrap().as_str(),
        r#"{"topicId":"tpc_ü 1&2=3+4"}"#
    );
    let unwrapped = Incoming::parse(
        HttpMethod::Post,
        "/lobe/trpc/lambda/a.b",
        None,
        r#"{"agentId":"a"}"#,
    )
    .unwrap();
    assert_eq!(
        (&*unwrapped.calls[0].path, &unwrapped.calls[0].input),
        ("a.b", &None)
    );
    let batch = r#"{"1":{"json":2},"0":{"json":{"a":1}}}"#;
    let batch = Incoming::parse(
        HttpMethod::Post,
        "/trpc/lambda/a.b,c.d,e.f",
        Some("batch=1"),
        batch,
    )
    .unwrap();
    let inputs: Vec<_> = batch
        .calls
        .iter()
        .map(|call| call.input.as_ref().map(RawJson::as_str))
        .collect();
    assert_eq!(inputs, [Some("{\"a\":1}"), Some("2"), None]);
    for path in ["/api/agent/stream", "/trpc/lambdas", ""] {
        let error = Incoming::parse(HttpMethod::Get, path, None, "").unwrap_err();
        assert!(matches!(error, IncomingError::OtherPath { .. }), "{path}");
    }
}

#[test]
fn an_unknown_procedure_is_told_from_an_unknown_thing() {
    let error = |name| outcomes(&exchange(name))[0].clone().unwrap_err();
    assert!(error("shape.unknown_procedure").is_unknown_procedure());
    assert_eq!(
        error("shape.unknown_procedure"),
        TrpcError::unknown_procedure("aiAgent.nope")
    );
    assert!(!error("refreshGatewayToken.not_found").is_unknown_procedure());
    assert!(!error("interruptTask.thread_not_found").is_unknown_procedure());
}

#[test]
fn an_error_keeps_what_lobehub_adds() {
    let exchange = exchange("execAgent.errorData_403");
    let Err(ApiError::Trpc(error)) = decode::<ExecAgent>(403, exchange.answer.as_bytes()) else {
        panic!()
    };
    assert_eq!(error.error_data.unwrap().as_str(), r#"{"limit":10}"#);
}

#[test]
fn an_error_without_data_is_told_by_its_number_and_the_status_of_the_answer() {
    let body = br#"{"error":{"json":{"message":"slow down","code":-32029}}}"#;
    let Err(ApiError::Trpc(error)) = decode::<ExecAgent>(429, body) else {
        panic!()
    };
    assert_eq!(
        (&*error.message, error.http_status, error.code),
        ("slow down", 429, TrpcCode::TooManyRequests)
    );
    for kind in [
        TrpcCode::NotFound,
        TrpcCode::Unauthorized,
        TrpcCode::Forbidden,
        TrpcCode::BadRequest,
    ] {
        let body = format!(r#"{{"error":{{"code":{}}}}}"#, kind.number());
        let Err(ApiError::Trpc(error)) = decode::<ExecAgent>(400, body.as_bytes()) else {
            panic!()
        };
        assert_eq!(error.code, kind);
    }
}

#[test]
fn refused_input_is_told_in_a_sentence() {
    let error = |message: &str| TrpcError::new(TrpcCode::BadRequest, message, None);
    let issues = r#"[
      { "code": "invalid_type", "path": ["mentionedAgents", 0, "id"], "message": "Required" },
      { "code": "custom", "path": [], "message": "One of agentId or slug must be provided" }
    ]"#;
    assert_eq!(
        &*error(issues).sentence(),
        "mentionedAgents.0.id: Required; One of agentId or slug must be provided"
    );
    for plain in [
        "no",
        "[]",
        "[1]",
        r#"[{"path":[]}]"#,
        r#"{"message":"no"}"#,
        "",
    ] {
        assert_eq!(&*error(plain).sentence(), plain);
    }
}

#[test]
fn a_proxys_own_error_does_not_pass_for_the_servers() {
    let body = br#"{"error":{"message":"not found","code":"route_missing"}}"#;
    assert!(matches!(
        decode::<ExecAgent>(404, body),
        Err(ApiError::NoEnvelope { status: 404, .. })
    ));
}

#[test]
fn a_proxys_page_is_an_error_with_its_first_bytes() {
    let page = format!(
        "<html>\r\n\u{1b}[31m<title>502 Bad Gateway</title>{}",
        "ü".repeat(300)
    );
    let Err(ApiError::NoEnvelope {
        status: 502,
        excerpt,
    }) = decode::<ExecAgent>(502, page.as_bytes())
    else {
        panic!()
    };
    assert!(excerpt.starts_with("<html>   [31m<title>502 Bad Gateway"));
    assert!(excerpt.len() <= 204);
    let bodies: [&[u8]; 8] = [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"{\"result\":7}",
        b"{\"error\":7}",
        b"{\"result\":{\"data\":{}}}",
    ];
    for body in bodies {
        assert!(
            matches!(
                decode::<ExecAgent>(200, body),
                Err(ApiError::NoEnvelope { status: 200, .. })
            ),
            "{body:?}"
        );
    }
    assert!(matches!(
        decode_batch(200, b"{\"result\":7}"),
        Err(ApiError::NoEnvelope { .. })
    ));
    let whole = exchange("shape.text_plain");
    assert!(matches!(
        decode_batch(whole.status, whole.answer.as_bytes()),
        Err(ApiError::Trpc(_))
    ));
}

#[test]
fn no_error_shows_a_token() {
    for body in [
        "{\"token\":\"secret\"}",
        "{\"gatewayToken\":\"secret\"",
        "[{\"token\":\"secret\"}]",
    ] {
        let error = decode::<RefreshGatewayToken>(200, body.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

#[test]
fn a_reply_of_another_shape_says_what_is_missing() {
    let body = br#"{"result":{"data":{"json":{"tokenn":"secret"}}}}"#;
    let error = decode::<RefreshGatewayToken>(200, body).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
    let ApiError::UnexpectedReply {
        status: 200, what, ..
    } = error
    else {
        panic!()
    };
    assert_eq!(&*what, "`token` is missing");
    assert!(matches!(
        decode::<GetOperationStatus>(200, br#"{"result":{"data":{"json":[]}}}"#),
        Err(ApiError::UnexpectedReply { .. })
    ));
}

#[test]
fn i17_nothing_is_shown_of_an_unreadable_answer_that_may_hold_a_token() {
    for body in [
        &br#""s3cr3t""#[..],
        br#"{"result":{"data":{"json":"s3cr3t"}}}"#,
    ] {
        for error in [
            decode::<RefreshGatewayToken>(200, body).unwrap_err(),
            decode::<ExecAgent>(200, body).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }
    let error = decode::<RefreshGatewayToken>(502, b"bad gateway").unwrap_err();
    assert!(error.to_string().contains("bad gateway"), "{error}");
    let page = decode::<RefreshGatewayToken>(200, b"\n<html>Please log in").unwrap_err();
    assert!(page.to_string().contains("Please log in"), "{page}");
}

#[test]
fn i13_a_started_run_with_an_id_without_bounds_is_no_reply() {
    for key in [
        "operationId",
        "topicId",
        "assistantMessageId",
        "userMessageId",
        "agentId",
    ] {
        let body = |length: usize| {
            let id = "x".repeat(length);
            format!(r#"{{"result":{{"data":{{"json":{{"success":true,"{key}":"{id}"}}}}}}}}"#)
        };
        let longest = body(ExecAgent::LONGEST_ID);
        assert!(
            decode::<ExecAgent>(200, longest.as_bytes()).is_ok(),
            "{key}"
        );
        let longer = body(ExecAgent::LONGEST_ID + 1);
        let refused = decode::<ExecAgent>(200, longer.as_bytes()).unwrap_err();
        assert!(
            refused.to_string().contains("an id is over 1024 bytes"),
            "{refused}"
        );
    }
}
