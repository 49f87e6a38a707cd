//! What requests and upgrades say of themselves: the user agent, and headers of the caller's own.

use std::sync::{Arc, Mutex};

use agent_gateway_adapters::{
    Client, ClientBuilder, ClientError, Credential, GatewayUrl, HeaderError, ServerUrl,
    SocketToken, Token,
};
use agent_gateway_machine::Attach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::double::execute;

/// A server that refuses everything, and repeats all it was told as it does.
struct Repeats {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Repeats {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                refuse(stream, &seen).await;
            }
        });
        Self { url, heads }
    }

    fn client(&self) -> ClientBuilder {
        Client::builder()
            .server(ServerUrl::parse(&self.url).unwrap())
            .gateway(GatewayUrl::parse(&self.url).unwrap())
            .credential(Credential::AccessToken(Token::new("an.access.token")))
            .socket_token(SocketToken::OfCredential)
    }

    /// The latest head that was sent here and begins so.
    fn head(&self, start: &str) -> String {
        let heads = self.heads.lock().unwrap();
        let heads = heads.iter().rev().map(|head| head.to_lowercase());
        let mut heads = heads.filter(|head| head.starts_with(start));
        heads.next().expect("it was not asked")
    }
}

async fn refuse(mut stream: TcpStream, seen: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap().push(head.clone());
    let said = head.replace("\r\n", " ");
    let (_, said) = said.split_once("x-company").unwrap_or(("", &said));
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{said}",
        said.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// What the server says to a run, and what the gateway says to one that is watched.
async fn refused(client: &Client, repeats: &Repeats) -> [(String, String); 2] {
    let mut run = client.execute(execute()).await.unwrap();
    let said = run.outcome().await.unwrap().0.to_string();
    let asked = (said, repeats.head("post /trpc/lambda/aiagent.execagent "));
    let attach = Attach::new("op_1".into(), Some("tpc_1".into()));
    let mut run = client.attach(attach).await.unwrap();
    let said = run.outcome().await.unwrap().0.to_string();
    [asked, (said, repeats.head("get /ws?operationid=op_1 "))]
}

#[tokio::test]
async fn every_request_and_upgrade_names_who_sends_it() {
    let repeats = Repeats::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let client = repeats.client().build().unwrap();
    for (_, head) in refused(&client, &repeats).await {
        assert!(
            head.contains(&format!("\r\nuser-agent: agent-gateway/{version}\r\n")),
            "{head}"
        );
    }
    let client = repeats
        .client()
        .user_agent("desk/7 (linux)")
        .build()
        .unwrap();
    for (_, head) in refused(&client, &repeats).await {
        assert_eq!(head.matches("user-agent").count(), 1, "{head}");
        assert!(
            head.contains("\r\nuser-agent: desk/7 (linux)\r\n"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn i17_headers_of_the_callers_own_go_along_and_are_nowhere_shown() {
    let repeats = Repeats::start().await;
    let builder = repeats
        .client()
        .header("x-company-stage", "first")
        .header("X-Company-Gate", "Bearer xyzzy-gate-pass")
        .header("X-Company-Stage", "second");
    assert!(!format!("{builder:?}").contains("xyzzy"));
    let client = builder.build().unwrap();
    let [asked, dialled] = refused(&client, &repeats).await;
    for (said, head) in [&asked, &dialled] {
        assert!(
            head.contains("\r\nx-company-gate: bearer xyzzy-gate-pass\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nx-company-stage: second\r\n"), "{head}");
        assert!(!said.contains("xyzzy"), "{said}");
    }
    assert!(dialled.1.ends_with("\r\n\r\n"), "{}", dialled.1);
    // It was repeated, and taken out.
    assert!(dialled.0.contains("Bearer ***"), "{}", dialled.0);
    assert!(
        dialled
            .1
            .starts_with("get /ws?operationid=op_1 http/1.1\r\n")
    );
}

#[test]
fn a_header_that_cannot_be_sent_is_refused_when_the_client_is_made() {
    let client = || {
        let server = ServerUrl::parse("https://lobe.example").unwrap();
        Client::builder().server(server)
    };
    let reserved = [
        "Host",
        "x-api-key",
        "Oidc-Auth",
        "User-Agent",
        "Sec-WebSocket-Protocol",
        "content-length",
    ];
    let reserved = reserved.map(|name| {
        let why = HeaderError::Reserved(name.to_lowercase());
        (client().header(name, "xyzzy"), why)
    });
    let others = [
        (
            client().header("X-Gate: xyzzy", "7"),
            HeaderError::Name("X-Gate".into()),
        ),
        (client().header("", "7"), HeaderError::Name("".into())),
        (
            client().header("X-Gate", "xyzzy\r\nHost: elsewhere"),
            HeaderError::Value("x-gate".into()),
        ),
        (client().user_agent("xyzzy\n"), HeaderError::UserAgent),
        (client().user_agent(""), HeaderError::UserAgent),
    ];
    for (builder, wanted) in reserved.into_iter().chain(others) {
        let error = builder.build().unwrap_err();
        assert!(!error.to_string().contains("xyzzy"), "{error}");
        assert!(
            matches!(&error, ClientError::Header(why) if *why == wanted),
            "{error:?}"
        );
    }
}

#[test]
fn c1_a_header_may_be_a_credential_and_goes_in_the_clear_to_no_other_machine() {
    let client = || {
        let server = ServerUrl::parse("http://lobe.example").unwrap();
        Client::builder().server(server).header("X-Gate", "xyzzy")
    };
    let refused = client().build();
    assert!(matches!(refused, Err(ClientError::InsecureServer(_))));
    assert!(client().allow_insecure(true).build().is_ok());
}
