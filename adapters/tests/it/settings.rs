//! What a client is built with, or told with a run, either has an effect or is refused.

use std::sync::Arc;
use std::time::Duration;

use agent_gateway_adapters::{
    Attach, Bookmark, Client, ClientBuilder, ClientError, Credential, ExecAgent, Execute,
    HttpOptions, Millis, ProxyRules, SocketToken, TokenSource, TransportOptions, tls,
};
use agent_gateway_machine::{Renewal, RequestFailure, TokenGrant, TokenId, TokenKind};
use agent_gateway_protocol::{ServerUrl, Token};
use async_trait::async_trait;

use crate::double::{Far, started};

struct NoMint;

#[async_trait]
impl TokenSource for NoMint {
    async fn mint(&self) -> Result<(Token, TokenKind), RequestFailure> {
        unreachable!("nothing is started")
    }
}

fn key() -> Credential {
    Credential::ApiKey(Token::new("sk-lh-1"))
}

type Set = fn(ClientBuilder) -> ClientBuilder;

/// The settings of what is the client's own: with a transport given, with an API given, and with both.
const SETTINGS: [(&str, [bool; 3], Set); 8] = [
    ("transport_options", [true, false, true], |builder| {
        builder.transport_options(TransportOptions::default())
    }),
    ("http_options", [false, true, true], |builder| {
        builder.http_options(HttpOptions::default())
    }),
    ("credential", [false, true, true], |builder| {
        builder.credential(key())
    }),
    ("proxies", [false, false, true], |builder| {
        builder.proxies(ProxyRules::direct())
    }),
    ("authorities", [false, false, true], |builder| {
        builder.authorities(concat!(env!("CARGO_MANIFEST_DIR"), "/none.pem"))
    }),
    ("tls", [false, false, true], |builder| {
        builder.tls(tls::platform().unwrap())
    }),
    ("user_agent", [false, false, true], |builder| {
        builder.user_agent("desk/7")
    }),
    ("header", [false, false, true], |builder| {
        builder.header("x-gate", "7")
    }),
];

#[test]
fn a_setting_that_would_do_nothing_is_refused_by_its_name() {
    let server = || ServerUrl::parse("https://lobe.example").unwrap();
    let far = || Arc::new(Far::default());
    for (setting, refused, set) in SETTINGS {
        let builders = [
            Client::builder().server(server()).transport(far()),
            Client::builder().server(server()).api(far()),
            Client::builder().transport(far()).api(far()),
        ];
        for (builder, refused) in builders.into_iter().zip(refused) {
            let unused = match set(builder).build() {
                Err(ClientError::Unused { setting, .. }) => Some(setting),
                _ => None,
            };
            assert_eq!(unused, refused.then_some(setting), "{setting}");
        }
        assert!(!matches!(
            set(Client::builder().server(server())).build(),
            Err(ClientError::Unused { .. })
        ));
    }
}

#[test]
fn a_token_source_that_is_never_asked_and_a_socket_token_that_nothing_gives_are_refused() {
    let (builder, _sockets) = Far::default().client();
    let error = builder.token_source(Arc::new(NoMint)).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`token_source` would do nothing: the socket's token is the run's, renewed by the server: see `socket_token`"
    );
    let (builder, _sockets) = Far::default().client();
    let refused = builder.socket_token(SocketToken::OfSource).build();
    assert!(matches!(refused, Err(ClientError::NoTokenSource)));
    let (builder, _sockets) = Far::default().client();
    let of_credential = builder.socket_token(SocketToken::OfCredential);
    let refused = of_credential.build();
    assert!(matches!(refused, Err(ClientError::NoCredential)));
    let (builder, _sockets) = Far::default().client();
    let of_credential = builder.socket_token(SocketToken::OfCredential);
    let of_credential = of_credential.token_source(Arc::new(NoMint));
    assert!(of_credential.credential(key()).build().is_ok());
}

#[tokio::test]
async fn a_token_that_a_command_brings_along_is_refused_and_nothing_is_started() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    let client = builder.build().unwrap();
    let mut execute = Execute::new(ExecAgent::inbox("Hello"));
    execute.renewal = Renewal::Never;
    let refused = client.execute(execute).await;
    assert!(matches!(refused, Err(ClientError::TokenGiven)));
    let mut attach = Attach::new("op_1".into(), None);
    attach.token = Some(TokenGrant {
        id: TokenId(1),
        kind: TokenKind::Jwt,
        lifetime: None,
    });
    let refused = client.attach(attach).await;
    assert!(matches!(refused, Err(ClientError::TokenGiven)));
    assert!(far.calls().is_empty());
    assert_eq!(client.status(&"op_1".into()), None);
}

#[tokio::test]
async fn the_commonest_commands_are_given_as_they_are() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let input = ExecAgent::inbox("Hello");
    assert_eq!(input.slug.as_deref(), Some("inbox"));
    assert_eq!(&*input.prompt, "Hello");
    assert_eq!(
        Execute::from(input.clone()),
        Execute::new(ExecAgent {
            slug: Some("inbox".into()),
            prompt: "Hello".into(),
            ..ExecAgent::default()
        })
    );
    let agent = ExecAgent::of_agent("agt_1", "Hello");
    assert_eq!(agent.agent_id, Some("agt_1".into()));
    assert_eq!((agent.slug, &*agent.prompt), (None, "Hello"));
    let run = client.execute(input).await.unwrap();
    let mut socket = sockets.recv().await.unwrap();
    assert!(socket.sent().await.contains("auth"));
    drop(run);
    let (run, _socket) = started(&client, &mut sockets).await;
    let bookmark = Bookmark::from(&Attach::new(run.operation().unwrap(), run.topic()));
    drop(run);
    let run = client.attach(bookmark.clone()).await.unwrap();
    assert_eq!(run.bookmark(), Some(&bookmark));
}

#[test]
fn a_duration_becomes_whole_milliseconds_and_never_none() {
    let millis = |span: Duration| Millis::from(span).as_millis();
    assert_eq!(millis(Duration::ZERO), 0);
    assert_eq!(millis(Duration::from_nanos(1)), 1);
    assert_eq!(millis(Duration::from_millis(1_500)), 1_500);
    assert_eq!(millis(Duration::from_micros(1_500_001)), 1_501);
    assert_eq!(millis(Duration::MAX), u64::MAX);
    let span: Duration = Millis::seconds(5).into();
    assert_eq!(span, Duration::from_secs(5));
}
