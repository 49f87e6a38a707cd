//! Sockets and requests through a proxy: a small real one that notes what it was asked.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Client, Credential, Outcome, ProxyRules, Transport, TransportOptions, WebSocketTransport, tls,
};
use agent_gateway_machine::{DialFailure, DialFailureKind};
use agent_gateway_protocol::{GatewayUrl, ServerUrl};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::double::execute;
use crate::tls::{Server, forward};

/// `ada:secret`.
const AUTHORIZATION: &str = "Basic YWRhOnNlY3JldA==";

/// Whatever name it is asked for, it leads to `upstream`; to whom knows its password. Ends when dropped.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = heads.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                // A client that leaves early is its own business.
                tokio::spawn(lead(near, upstream, noted.clone()));
            }
        });
        Self {
            address,
            heads,
            serving,
        }
    }

    fn rules(&self, user: &str) -> ProxyRules {
        ProxyRules::through(&format!("http://{user}@{}", self.address)).unwrap()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn lead(
    mut near: TcpStream,
    upstream: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    heads.lock().unwrap().push(text.clone());
    if !text
        .to_ascii_lowercase()
        .contains(&format!("proxy-authorization: {AUTHORIZATION}").to_ascii_lowercase())
    {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        return near.write_all(refusal).await;
    }
    let mut far = TcpStream::connect(upstream).await?;
    if text.starts_with("CONNECT ") {
        near.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            .await?;
    } else {
        far.write_all(&head).await?;
    }
    copy_bidirectional(&mut near, &mut far).await.map(|_| ())
}

/// What a dial through a proxy comes to that answers these bytes.
async fn refused(answer: &[u8]) -> DialFailure {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let rules = ProxyRules::through(&format!("http://ada:secret@{address}")).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        while stream.read(&mut head).await.is_ok_and(|count| count > 0) {}
    };
    let transport = WebSocketTransport::new(tls::platform().unwrap(), TransportOptions::default())
        .with_proxies(rules);
    let (opened, ()) = tokio::join!(transport.open("ws://gateway.example/ws"), serve);
    let failure = opened.err().expect("the dial must fail");
    assert!(!failure.text.contains("secret"), "{}", failure.text);
    assert!(
        failure.text.contains(&format!("the proxy {address}")),
        "{}",
        failure.text
    );
    failure
}

/// A server playing a good run, and a proxy that leads to it whatever it is asked for.
async fn behind_a_proxy() -> (EmbeddedServer, Proxy) {
    let server = EmbeddedServer::playing("good_run").await.unwrap();
    let upstream = server.server_url().as_str().replace("http://", "");
    let proxy = Proxy::start(upstream.parse().unwrap()).await;
    (server, proxy)
}

#[tokio::test]
async fn a_run_goes_through_the_proxy_by_http_and_by_websocket() {
    let (server, proxy) = behind_a_proxy().await;
    let client = Client::builder()
        .server(ServerUrl::parse("http://lobe.example").unwrap())
        .gateway(GatewayUrl::parse("ws://gateway.example").unwrap())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .proxies(proxy.rules("ada:secret"))
        // Both names lead to loopback.
        .allow_insecure(true)
        .build()
        .unwrap();
    let mut run = client.execute(execute()).await.unwrap();
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    run.settled().await;
    let heads = proxy.heads();
    let starting = |start: &str| heads.iter().find(|head| head.starts_with(start));
    let tunnel = starting("CONNECT gateway.example:80 HTTP/1.1\r\n").expect("a tunnel");
    assert!(tunnel.contains("\r\nHost: gateway.example:80\r\n"));
    assert!(!tunnel.contains(server.client_token().expose()));
    assert!(
        starting("POST http://lobe.example/trpc/lambda/aiAgent.execAgent ").is_some(),
        "{heads:?}"
    );
}

/// Requests and the socket alike: the proxy carries what it cannot read.
#[tokio::test]
async fn a_run_goes_through_the_proxy_over_tls() {
    let embedded = EmbeddedServer::playing("good_run").await.unwrap();
    let upstream = embedded.server_url().as_str().replace("http://", "");
    let server = Server::new("tls-through-proxy", "lobe.example").await;
    let proxy = Proxy::start(server.address()).await;
    let client = Client::builder()
        .server(ServerUrl::parse("https://lobe.example").unwrap())
        .gateway(GatewayUrl::parse("wss://lobe.example").unwrap())
        .credential(Credential::ApiKey(embedded.client_token().clone()))
        .authorities(&server.authority)
        .proxies(proxy.rules("ada:secret"))
        .build()
        .unwrap();
    let forwarding = tokio::spawn(forward(server, upstream.parse().unwrap()));
    let mut run = client.execute(execute()).await.unwrap();
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    run.settled().await;
    forwarding.abort();
    let heads = proxy.heads();
    let tunnel = |head: &String| head.starts_with("CONNECT lobe.example:443 ");
    assert!(heads.len() >= 2 && heads.iter().all(tunnel), "{heads:?}");
}

#[tokio::test]
async fn c2_a_proxy_that_does_not_let_us_through_is_over_at_once() {
    let (server, proxy) = behind_a_proxy().await;
    let client = Client::builder()
        .server(server.server_url().clone())
        .gateway(GatewayUrl::parse("ws://gateway.example").unwrap())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .proxies(proxy.rules("ada:wrong"))
        .allow_insecure(true)
        .build()
        .unwrap();
    let mut run = client.execute(execute()).await.unwrap();
    let Outcome::ConnectionLost { cause } = run.outcome().await.unwrap().0 else {
        panic!("{run:?}");
    };
    assert!(cause.contains("answered 407"), "{cause}");
    // The server is on this machine, so only the socket went through the proxy: once.
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_answers_otherwise_says_what_it_was() {
    let table: [(&[u8], DialFailureKind, &str); 5] = [
        (
            b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
            DialFailureKind::Http(502),
            "answered 502 when asked for a way to gateway.example:80",
        ),
        (b"", DialFailureKind::Unreachable, "closed the connection"),
        (b"SSH-2.0-x\r\n\r\n", DialFailureKind::Protocol, "no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\n\r\ntoo early",
            DialFailureKind::Protocol,
            "no HTTP",
        ),
        (&[b'H'; 64], DialFailureKind::Protocol, "no HTTP"),
    ];
    for (answer, kind, words) in table {
        let failure = refused(answer).await;
        assert_eq!(failure.kind, kind, "{}", failure.text);
        assert!(failure.text.contains(words), "{}", failure.text);
    }
}

#[tokio::test]
async fn an_answer_of_a_proxy_without_an_end_is_given_up() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(64 << 10));
    let failure = refused(endless.as_bytes()).await;
    assert_eq!(failure.kind, DialFailureKind::Protocol);
    assert!(failure.text.contains("has no end"), "{}", failure.text);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let rules = ProxyRules::through(&format!("http://ada:secret@{address}")).unwrap();
    let client = Client::builder()
        .server(ServerUrl::parse("https://lobe.example").unwrap())
        .proxies(rules.clone())
        .build()
        .unwrap();
    let error = client.gateway().await.unwrap_err().to_string();
    let named = format!("https://lobe.example through the proxy {address}: ");
    assert!(error.contains(&named), "{error}");
    let transport = WebSocketTransport::new(tls::platform().unwrap(), TransportOptions::default())
        .with_proxies(rules);
    let failure = transport
        .open("ws://gateway.example/ws")
        .await
        .err()
        .unwrap();
    assert_eq!(failure.kind, DialFailureKind::Unreachable);
    let wanted = format!("the proxy {address}: ");
    assert!(failure.text.starts_with(&wanted), "{}", failure.text);
}

#[tokio::test]
async fn i17_a_proxy_that_shows_what_it_was_sent_does_not_get_its_password_into_a_failure() {
    let shown = "YWRhOnNlY3JldC1wYXNzd29yZA== is ada:secret-password, and not secret-password";
    let page = format!(
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: {}\r\n\r\n{shown}",
        shown.len()
    );
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{shown}\r\ncontent-length: 0\r\n\r\n");
    for answer in [page, redirect] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rules = ProxyRules::through(&format!("http://ada:secret-password@{address}")).unwrap();
        let client = Client::builder()
            .server(ServerUrl::parse("http://lobe.example").unwrap())
            .proxies(rules)
            .build()
            .unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let count = stream.read(&mut head).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(head[..count].to_vec()).unwrap()
        };
        let (failed, head) = tokio::join!(client.gateway(), serve);
        assert!(
            head.contains("Basic YWRhOnNlY3JldC1wYXNzd29yZA=="),
            "{head}"
        );
        let error = failed.unwrap_err().to_string();
        assert!(error.contains("*** is ***, and not ***"), "{error}");
    }
}

/// What goes through is between us and the gateway: the proxy need not be trusted, and cannot stand in for it.
#[tokio::test]
async fn c2_the_gateway_behind_a_proxy_shows_its_own_certificate() {
    for (test, name, accepted) in [
        ("through-proxy", "gateway.example", true),
        ("through-proxy-wrong", "elsewhere.example", false),
    ] {
        let server = Server::new(test, name).await;
        let proxy = Proxy::start(server.address()).await;
        let tls = tls::with_authorities(&server.authority).unwrap();
        let transport = WebSocketTransport::new(tls, TransportOptions::default())
            .with_proxies(proxy.rules("ada:secret"));
        let connections = AtomicUsize::new(0);
        let opened = tokio::select! {
            opened = transport.open("wss://gateway.example/ws") => opened,
            () = server.serve(&connections) => unreachable!(),
        };
        match opened {
            Ok(_) => assert!(accepted),
            Err(failure) => {
                assert!(!accepted, "{}", failure.text);
                assert_eq!(failure.kind, DialFailureKind::TlsIdentity);
                let named = failure.text.starts_with("gateway.example:443 is not who");
                assert!(named, "{}", failure.text);
            }
        }
        assert!(proxy.heads()[0].starts_with("CONNECT gateway.example:443 "));
    }
}
