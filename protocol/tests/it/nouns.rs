use agent_gateway_protocol::{
    CloseCode, CloseVerdict, EventId, GatewayUrl, GatewayUrlError, OperationId, OperationStatus,
    ServerUrl, Token,
};

#[test]
fn c1_a_gateway_url_becomes_the_url_of_a_socket() {
    let operation = OperationId::from("op_1 ü/&'()*");
    for (base, socket) in [
        ("https://gw.example", "wss://gw.example/ws?operationId="),
        ("https://gw.example/", "wss://gw.example/ws?operationId="),
        (
            "http://gw.example:8080/a/b///",
            "ws://gw.example:8080/a/b/ws?operationId=",
        ),
        ("WSS://GW.example/x", "wss://gw.example/x/ws?operationId="),
        ("ws://[::1]:9", "ws://[::1]:9/ws?operationId="),
        ("https://gw.example:443", "wss://gw.example/ws?operationId="),
        (
            "https://gw.example:80",
            "wss://gw.example:80/ws?operationId=",
        ),
    ] {
        let url = GatewayUrl::parse(base).unwrap();
        assert_eq!(
            &*url.socket(&operation),
            format!("{socket}op_1%20%C3%BC%2F%26'()*")
        );
        let stored = serde_json::to_string(&url).unwrap();
        assert_eq!(serde_json::from_str::<GatewayUrl>(&stored).unwrap(), url);
    }
}

#[test]
fn c1_what_is_no_gateway_url_is_refused_with_a_reason() {
    for (base, said) in [
        ("gw.example", "not an absolute URL"),
        ("", "not an absolute URL"),
        (
            "ftp://gw.example",
            "must begin with http://, https://, ws://, wss://, not `ftp://`",
        ),
        ("https://gw.example?x=1", "query"),
        ("https://gw.example#x", "fragment"),
        ("https://me:secret@gw.example", "user name or password"),
        ("https://", "not an absolute URL"),
    ] {
        let error: GatewayUrlError = GatewayUrl::parse(base).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
    assert!(
        !GatewayUrl::parse("https://me:secret@gw:x")
            .unwrap_err()
            .to_string()
            .contains("secret")
    );
    assert!(serde_json::from_str::<GatewayUrl>("\"gopher://x\"").is_err());
}

#[test]
fn c1_a_loopback_host_is_this_machine() {
    let loopback = |url| GatewayUrl::parse(url).unwrap().is_loopback();
    for url in [
        "ws://localhost:1",
        "ws://LOCALHOST",
        "ws://127.9.9.9",
        "ws://[::1]",
        "ws://127.1",
    ] {
        assert!(loopback(url), "{url}");
    }
    for url in [
        "ws://localhost.example",
        // A resolver may lead it anywhere.
        "ws://a.localhost",
        "ws://10.0.0.1",
        "ws://notlocalhost",
        "ws://[::2]",
        "ws://127.0.0.1.example",
    ] {
        assert!(!loopback(url), "{url}");
    }
    assert!(GatewayUrl::parse("https://x").unwrap().is_secure());
    assert!(!GatewayUrl::parse("ws://x").unwrap().is_secure());
}

#[test]
fn a_server_url_names_its_procedures() {
    let url = ServerUrl::parse("HTTPS://lobe.example/chat//").unwrap();
    assert_eq!(
        url.procedure("aiAgent.execAgent"),
        "https://lobe.example/chat/trpc/lambda/aiAgent.execAgent"
    );
    assert!(url.is_secure() && !url.is_loopback());
    assert!(ServerUrl::parse("wss://lobe.example").is_err());
}

#[test]
fn c7_a_close_code_answers_for_itself() {
    for code in [
        1000, 1001, 1005, 1006, 1011, 1012, 1013, 3000, 4401, 4999, 0,
    ] {
        assert_eq!(CloseCode(code).verdict(), CloseVerdict::Reconnect, "{code}");
    }
    assert_eq!(CloseCode(1008).verdict(), CloseVerdict::PolicyViolation);
    for code in [1002, 1003, 1007, 1009, 1010] {
        assert_eq!(
            CloseCode(code).verdict(),
            CloseVerdict::ProtocolViolation,
            "{code}"
        );
    }
}

#[test]
fn an_event_id_keeps_its_exact_text() {
    assert_eq!(EventId::parse("0"), EventId::Number(0));
    assert_eq!(
        EventId::parse("18446744073709551615"),
        EventId::Number(u64::MAX)
    );
    for text in [
        "",
        "01",
        "+1",
        "-1",
        "1.0",
        " 1",
        "18446744073709551616",
        "1-0",
        "٣",
    ] {
        assert_eq!(EventId::parse(text), EventId::Text(text.into()));
        assert_eq!(EventId::parse(text).to_string(), text);
    }
    let stored = serde_json::to_string(&EventId::Number(5)).unwrap();
    assert_eq!(stored, "\"5\"");
    assert_eq!(
        serde_json::from_str::<EventId>("5").unwrap(),
        EventId::Number(5)
    );
}

#[test]
fn a_token_shows_nothing() {
    let token: Token = serde_json::from_str("\"secret\"").unwrap();
    assert_eq!(token.expose(), "secret");
    assert_eq!(
        format!(
            "{token} {token:?} {}",
            serde_json::to_string(&token).unwrap()
        ),
        "*** *** \"***\""
    );
    assert_ne!(token, Token::new("other"));
}

#[test]
fn a_status_keeps_what_is_newer() {
    assert_eq!(
        OperationStatus::parse("waiting_for_human"),
        OperationStatus::WaitingForHuman
    );
    let newer = OperationStatus::parse("paused");
    assert_eq!(newer.as_str(), "paused");
    assert!(!newer.is_terminal());
    assert_eq!(serde_json::to_string(&newer).unwrap(), "\"paused\"");
}
