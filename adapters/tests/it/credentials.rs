//! Who we are: to the server by header, to the gateway by the first frame on each socket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Api, Attach, Client, ClientBuilder, ClientError, Credential, Outcome, SocketToken, TokenSource,
    Vault,
};
use agent_gateway_machine::{Call, Refusal, RefusalKind, Reply, RequestFailure, TokenKind};
use agent_gateway_protocol::api::GlobalConfig;
use agent_gateway_protocol::{GatewayUrl, RawJson, ServerUrl, Token};
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::double::{Far, chunk, end, execute};

/// Mints what the test says, in order, and the last of it again and again.
#[derive(Default)]
struct Mint {
    answers: Mutex<Vec<Result<Token, RequestFailure>>>,
    asked: AtomicUsize,
}

impl Mint {
    fn of(answers: impl IntoIterator<Item = Result<Token, RequestFailure>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl TokenSource for Mint {
    async fn mint(&self) -> Result<(Token, TokenKind), RequestFailure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        answer.map(|token| (token, TokenKind::Jwt))
    }
}

fn key() -> Credential {
    Credential::ApiKey(Token::new("sk-lh-1"))
}

fn login() -> Credential {
    Credential::AccessToken(Token::new("own.access.token"))
}

/// The first frame on a real socket of a client that is set up like this.
async fn first_frame(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = format!("ws://{}", listener.local_addr().unwrap());
    let builder = Client::builder()
        .api(Arc::new(Far::default()))
        .server(ServerUrl::parse("https://lobe.example").unwrap())
        .gateway(GatewayUrl::parse(&gateway).unwrap());
    let client = set_up(builder).build().unwrap();
    let _run = client.execute(execute()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => text.as_str().to_owned(),
        message => panic!("{message:?}"),
    }
}

#[tokio::test]
async fn c3_the_first_frame_shows_the_token_that_was_chosen() {
    let of_run = r#"{"type":"auth","token":"a.secret.token"}"#;
    assert_eq!(first_frame(|builder| builder).await, of_run);
    let own = |credential| {
        first_frame(|builder: ClientBuilder| {
            builder
                .credential(credential)
                .socket_token(SocketToken::OfCredential)
        })
    };
    assert_eq!(
        own(key()).await,
        r#"{"type":"auth","token":"sk-lh-1","tokenType":"apiKey","serverUrl":"https://lobe.example"}"#
    );
    assert_eq!(
        own(login()).await,
        r#"{"type":"auth","token":"own.access.token"}"#
    );
    let source = Mint::of([Ok(Token::new("minted.by.us"))]);
    let frame = first_frame(|builder| {
        builder
            .socket_token(SocketToken::OfSource)
            .token_source(source)
    });
    assert_eq!(frame.await, r#"{"type":"auth","token":"minted.by.us"}"#);
}

async fn serve() -> EmbeddedServer {
    EmbeddedServer::playing("good_run").await.unwrap()
}

async fn outcome(builder: ClientBuilder, server: &EmbeddedServer) -> Outcome {
    let client = builder.server(server.server_url().clone()).build().unwrap();
    let mut run = client.execute(execute()).await.unwrap();
    let (outcome, _) = run.outcome().await.unwrap();
    run.settled().await;
    outcome
}

#[tokio::test]
async fn every_credential_brings_a_run_to_its_end() {
    let server = serve().await;
    let token = || server.client_token().clone();
    for credential in [
        Credential::ApiKey(token()),
        Credential::AccessToken(token()),
    ] {
        for socket_token in [SocketToken::OfRun, SocketToken::OfCredential] {
            let builder = Client::builder()
                .credential(credential.clone())
                .socket_token(socket_token);
            let outcome = outcome(builder, &server).await;
            assert_eq!(
                outcome,
                Outcome::Completed,
                "{credential:?} {socket_token:?}"
            );
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_credential_that_the_server_does_not_know_is_not_accepted() {
    let server = serve().await;
    for credential in [key(), login(), Credential::None] {
        let outcome = outcome(Client::builder().credential(credential), &server).await;
        assert!(matches!(outcome, Outcome::AuthLost { .. }), "{outcome:?}");
    }
    // The gateway judges its socket's token itself.
    let source = Mint::of([Ok(Token::new("not.this.gateways"))]);
    let builder = Client::builder()
        .credential(Credential::ApiKey(server.client_token().clone()))
        .socket_token(SocketToken::OfSource)
        .token_source(source);
    let outcome = outcome(builder, &server).await;
    assert!(matches!(outcome, Outcome::AuthLost { .. }), "{outcome:?}");
}

#[tokio::test]
async fn s8_a_source_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let server = serve().await;
    let builder = |source: &Arc<Mint>| {
        Client::builder()
            .credential(Credential::ApiKey(server.client_token().clone()))
            .socket_token(SocketToken::OfSource)
            .token_source(source.clone())
    };
    let away = RequestFailure::Lost {
        text: "away".into(),
    };
    let source = Mint::of([Err(away), Ok(server.client_token().clone())]);
    assert_eq!(outcome(builder(&source), &server).await, Outcome::Completed);
    assert_eq!(source.asked.load(Ordering::Relaxed), 2);

    let no = RequestFailure::Refused(Refusal {
        kind: RefusalKind::Forbidden,
        status: 403,
        retry_after: None,
        message: "not you".into(),
        path: None,
    });
    let source = Mint::of([Err(no)]);
    let Outcome::AuthLost { reason } = outcome(builder(&source), &server).await else {
        panic!("accepted");
    };
    assert!(reason.contains("not you"), "{reason}");
    assert_eq!(source.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn s8_an_expired_token_is_renewed_by_the_source_that_made_it() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let tokens = ["minted.first.time", "minted.second.time"];
    let source = Mint::of(tokens.map(|token| Ok(Token::new(token))));
    let client = builder
        .socket_token(SocketToken::OfSource)
        .token_source(source)
        .build()
        .unwrap();
    let mut run = client.execute(execute()).await.unwrap();
    for token in tokens {
        let mut socket = sockets.recv().await.unwrap();
        assert!(socket.sent().await.contains(token));
        socket.text(r#"{"type":"auth_success"}"#);
        socket.sent().await;
        if token == tokens[0] {
            socket.text(&chunk(1));
            socket.text(r#"{"type":"auth_expired"}"#);
            socket.gone().await;
        } else {
            socket.text(&end(2));
            socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
        }
    }
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    assert!(!far.calls().contains(&"refresh_token"));
}

/// A server that says this of its gateway.
struct Says(Option<&'static str>, Option<bool>);

#[async_trait]
impl Api for Says {
    async fn send(&self, call: &Call, _: &Vault) -> Reply {
        Reply::Failed(RequestFailure::Lost {
            text: call.name().into(),
        })
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        Ok(GlobalConfig {
            agent_gateway_url: self.0.map(Into::into),
            enable_gateway_mode: self.1,
            raw: RawJson::null(),
        })
    }
}

#[tokio::test]
async fn g3_new_runs_need_a_gateway_and_the_switches_on() {
    let gateway = Some("https://gateway.example");
    let table = [
        (gateway, Some(true), true, None),
        (gateway, None, true, None),
        (
            gateway,
            Some(false),
            true,
            Some(ClientError::GatewayModeOff),
        ),
        (gateway, Some(true), false, Some(ClientError::SwitchedOff)),
        (None, Some(true), true, Some(ClientError::NoGateway)),
        (Some(""), None, true, Some(ClientError::NoGateway)),
    ];
    for (url, server_switch, user_switch, why) in table {
        let client = Client::builder()
            .api(Arc::new(Says(url, server_switch)))
            .transport(Arc::new(Far::default()))
            .gateway_mode(user_switch)
            .build()
            .unwrap();
        let begun = client.execute(execute()).await;
        let [refused, wanted] = [begun.err(), why].map(|why| why.map(|why| why.to_string()));
        assert_eq!(refused, wanted, "{url:?} {server_switch:?} {user_switch}");
        // A run that is going is watched all the same, if there is a gateway.
        let attach = Attach::new("op_1".into(), Some("tpc_1".into()));
        assert!(client.attach(attach).await.is_ok());
    }
}

/// Says each time the next of these.
struct Changes(Mutex<VecDeque<Says>>);

#[async_trait]
impl Api for Changes {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        Says(None, None).send(call, vault).await
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        let says = self.0.lock().unwrap().pop_front();
        says.expect("it is asked too often").global_config().await
    }
}

#[tokio::test]
async fn g3_a_server_that_gets_a_gateway_or_switches_it_on_is_noticed() {
    let gateway = Some("https://gateway.example");
    let says = [
        Says(None, None),
        Says(gateway, Some(false)),
        Says(None, Some(true)),
        Says(gateway, Some(true)),
    ];
    let client = Client::builder()
        .api(Arc::new(Changes(Mutex::new(says.into()))))
        .transport(Arc::new(Far::default()))
        .build()
        .unwrap();
    for _ in 0..3 {
        client.execute(execute()).await.unwrap_err();
    }
    // Once it has a gateway and lets new runs through, it need not be asked any more.
    for _ in 0..2 {
        drop(client.execute(execute()).await.unwrap());
    }
    assert!(client.gateway().await.unwrap().is_some());
}

#[tokio::test]
async fn a_gateway_that_is_given_is_not_asked_for() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    drop(builder.build().unwrap().execute(execute()).await.unwrap());
    assert!(!far.calls().contains(&"global_config"));
    let (builder, _sockets) = far.asking_client();
    let client = builder.build().unwrap();
    for _ in 0..2 {
        drop(client.execute(execute()).await.unwrap());
    }
    let calls = far.calls().into_iter();
    assert_eq!(calls.filter(|call| *call == "global_config").count(), 1);
    let nonsense = Client::builder()
        .api(Arc::new(Says(Some("gateway.example"), None)))
        .transport(Arc::new(Far::default()))
        .build()
        .unwrap();
    let error = nonsense.execute(execute()).await.unwrap_err();
    assert!(
        matches!(error, ClientError::PublishedGateway(_)),
        "{error:?}"
    );
}
