//! TLS with certificates made here: whom the client trusts, and that it does not try again where it does not.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Api, Client, ClientBuilder, Credential, HttpApi, HttpOptions, Outcome, Transport,
    TransportOptions, Vault, WebSocketTransport, tls,
};
use agent_gateway_machine::{Call, DialFailureKind, Reply, RequestFailure};
use agent_gateway_protocol::{GatewayUrl, ServerUrl};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_async;

use crate::double::{Far, execute};

/// A server of this name behind a CA of its own, and the CA's file.
pub(crate) struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pub(crate) authority: PathBuf,
}

impl Server {
    pub(crate) async fn new(test: &str, name: &str) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        Self::showing(test, &certificate, &key, &authority.pem()).await
    }

    /// A server that shows the certificate by which it trusts itself.
    async fn self_signed(test: &str, name: &str) -> Self {
        let mut certificate = CertificateParams::new([name.to_owned()]).unwrap();
        // As `openssl req -x509` makes it.
        certificate.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        Self::showing(test, &certificate, &key, &certificate.pem()).await
    }

    async fn showing(test: &str, certificate: &Certificate, key: &KeyPair, trusted: &str) -> Self {
        let path = std::env::temp_dir().join(format!("agw-{}-{test}.pem", std::process::id()));
        fs::write(&path, trusted).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority: path,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    fn url(&self, scheme: &str) -> String {
        let port = self.listener.local_addr().unwrap().port();
        format!("{scheme}://localhost:{port}")
    }

    /// Upgrades every connection that gets so far; counts all of them.
    pub(crate) async fn serve(&self, connections: &AtomicUsize) {
        loop {
            let (stream, _) = self.listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::Relaxed);
            if let Ok(stream) = self.acceptor.accept(stream).await {
                let _socket = accept_async(stream).await;
            }
        }
    }
}

/// Terminates TLS in front of `upstream`.
pub(crate) async fn forward(server: Server, upstream: SocketAddr) {
    loop {
        let (stream, _) = server.listener.accept().await.unwrap();
        let acceptor = server.acceptor.clone();
        tokio::spawn(async move {
            let mut near = acceptor.accept(stream).await?;
            let mut far = TcpStream::connect(upstream).await?;
            copy_bidirectional(&mut near, &mut far).await
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.authority);
    }
}

#[tokio::test]
async fn a_ca_file_is_trusted_for_sockets_and_requests() {
    let server = Server::new("trusted", "localhost").await;
    let tls = tls::with_authorities(&server.authority).unwrap();
    let transport = WebSocketTransport::new(tls.clone(), TransportOptions::default());
    let connections = AtomicUsize::new(0);
    let url = server.url("wss");
    tokio::select! {
        opened = transport.open(&url) => assert!(opened.is_ok()),
        () = server.serve(&connections) => {}
    }
    let url = ServerUrl::parse(&server.url("https")).unwrap();
    let api = HttpApi::new(url, &Default::default(), &tls, HttpOptions::default()).unwrap();
    let answer = async {
        let (stream, _) = server.listener.accept().await.unwrap();
        let mut stream = server.acceptor.accept(stream).await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let body = r#"{"result":{"data":{"json":null}}}"#;
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream
    };
    let vault = Vault::new();
    let call = Call::AskStatus {
        operation: "op_1".into(),
    };
    let (reply, _stream) = tokio::join!(api.send(&call, &vault), answer);
    assert_eq!(reply, Reply::Status(None));
}

#[tokio::test]
async fn a_whole_run_goes_over_tls_that_the_client_or_its_caller_has_set_up() {
    type Trust = fn(ClientBuilder, &Path) -> ClientBuilder;
    let trusts: [Trust; 2] = [
        |builder, path| builder.authorities(path),
        |builder, path| builder.tls(tls::with_authorities(path).unwrap()),
    ];
    for trust in trusts {
        let embedded = EmbeddedServer::playing("good_run").await.unwrap();
        let upstream = embedded.server_url().as_str().replace("http://", "");
        let server = Server::new("whole-run", "localhost").await;
        let (https, wss) = (server.url("https"), server.url("wss"));
        let builder = Client::builder()
            .server(ServerUrl::parse(&https).unwrap())
            .gateway(GatewayUrl::parse(&wss).unwrap())
            .credential(Credential::ApiKey(embedded.client_token().clone()));
        let client = trust(builder, &server.authority).build().unwrap();
        let forwarding = tokio::spawn(forward(server, upstream.parse().unwrap()));
        let mut run = client.execute(execute()).await.unwrap();
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
        run.settled().await;
        forwarding.abort();
    }
}

#[tokio::test]
async fn c2_an_unknown_ca_and_a_wrong_name_are_identity_failures() {
    for (server, trusted, why) in [
        (
            Server::new("unknown", "localhost").await,
            false,
            "comes from no authority that is trusted here",
        ),
        (
            Server::new("wrong", "elsewhere.example").await,
            true,
            "certificate is only valid for DnsName(\"elsewhere.example\")",
        ),
        (
            Server::self_signed("self-signed", "localhost").await,
            true,
            "one that signs itself",
        ),
    ] {
        let tls = if trusted {
            tls::with_authorities(&server.authority).unwrap()
        } else {
            tls::platform().unwrap()
        };
        let transport = WebSocketTransport::new(tls.clone(), TransportOptions::default());
        let connections = AtomicUsize::new(0);
        let url = server.url("wss");
        let failure = tokio::select! {
            opened = transport.open(&url) => opened.err().unwrap(),
            () = server.serve(&connections) => unreachable!(),
        };
        assert_eq!(
            failure.kind,
            DialFailureKind::TlsIdentity,
            "{}",
            failure.text
        );
        assert!(failure.text.starts_with("localhost:"), "{}", failure.text);
        assert!(failure.text.contains(why), "{}", failure.text);

        let url = ServerUrl::parse(&server.url("https")).unwrap();
        let api = HttpApi::new(url, &Default::default(), &tls, HttpOptions::default()).unwrap();
        let refused = tokio::select! {
            config = api.global_config() => config.unwrap_err(),
            () = server.serve(&connections) => unreachable!(),
        };
        assert!(
            matches!(refused, RequestFailure::Unreachable { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

#[tokio::test]
async fn c2_a_peer_that_is_not_trusted_is_dialled_once() {
    let server = Server::new("once", "localhost").await;
    let far = Far::default();
    let tls = tls::platform().unwrap();
    let transport = WebSocketTransport::new(tls, TransportOptions::default());
    let client = Client::builder()
        .api(Arc::new(far))
        .transport(Arc::new(transport))
        .gateway(GatewayUrl::parse(&server.url("wss")).unwrap())
        .build()
        .unwrap();
    let connections = AtomicUsize::new(0);
    let mut run = client.execute(execute()).await.unwrap();
    let (outcome, _) = tokio::select! {
        ended = run.outcome() => ended.unwrap(),
        () = server.serve(&connections) => unreachable!(),
    };
    let Outcome::ConnectionLost { cause } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(cause.contains("is not who it should be"), "{cause}");
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let error = tls::with_authorities("/nowhere/ca.pem".as_ref()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the CA file /nowhere/ca.pem cannot be read: ")
    );
    let path = std::env::temp_dir().join(format!("agw-{}-empty.pem", std::process::id()));
    fs::write(&path, "nothing").unwrap();
    let error = tls::with_authorities(&path).unwrap_err();
    assert!(
        error.to_string().ends_with("holds no PEM certificate"),
        "{error}"
    );
    fs::remove_file(&path).unwrap();
}
