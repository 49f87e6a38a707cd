//! A gateway played by hand, on a thread of its own, with a plain blocking socket: so that it does what a test says, and
//! nothing at once.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use agent_gateway_adapters::{Client, Execute, Limits, QueueLimits, Run};
use agent_gateway_machine::Millis;
use agent_gateway_protocol::GatewayUrl;
use agent_gateway_protocol::api::ExecAgent;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};

use crate::receiver::StartsAll;
use crate::wire;

/// The gateway's end of one socket.
pub(crate) struct Far {
    /// Written to raw.
    pub(crate) raw: TcpStream,
    socket: WebSocket<TcpStream>,
}

impl Far {
    /// Waits for the next text, and gives it.
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return text.as_str().into();
            }
        }
    }

    /// Waits for the next heartbeat: what is sent is not stuck behind what is received.
    pub(crate) fn heartbeat(&mut self) {
        while self.next() != r#"{"type":"heartbeat"}"# {}
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.raw.write_all(bytes).unwrap();
    }

    /// The replay is over.
    pub(crate) fn resume_complete(&mut self) {
        self.write(&wire::frame(
            r#"{"type":"resume_complete","status":"running"}"#,
        ));
    }

    /// Calls a tool of the client's.
    pub(crate) fn call_tool(&mut self, id: u64, call: &str) {
        self.write(&wire::frame(&format!(
            r#"{{"type":"agent_event","id":"{id}","event":{{"type":"tool_execute","stepIndex":0,"timestamp":1760000000000,"data":{{"toolCallId":"{call}","identifier":"fs","apiName":"readFile","arguments":"{{}}"}}}}}}"#
        )));
    }

    /// Waits until the client has let go.
    pub(crate) fn gone(mut self) {
        while self.socket.read().is_ok() {}
        let _ = self.raw.shutdown(std::net::Shutdown::Both);
        while self.raw.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    }
}

/// Beats this often, so that a test need not wait long for one.
pub(crate) const BEAT: Millis = Millis(20);

/// A run whose gateway is `play`, once its stream is open.
pub(crate) async fn run(
    queue: QueueLimits,
    play: impl FnOnce(Far) + Send + 'static,
) -> (Run, JoinHandle<()>) {
    let mut limits = Limits::default();
    limits.heartbeat_interval = BEAT;
    in_seam(queue, limits, |mut far| {
        far.resume_complete();
        play(far);
    })
    .await
}

/// A run whose gateway is `play`, once `resume` has come.
pub(crate) async fn in_seam(
    queue: QueueLimits,
    limits: Limits,
    play: impl FnOnce(Far) + Send + 'static,
) -> (Run, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let far = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let raw = stream.try_clone().unwrap();
        let socket = accept(stream).unwrap();
        let mut far = Far { raw, socket };
        assert!(far.next().contains(r#""type":"auth""#));
        far.socket
            .send(Message::text(r#"{"type":"auth_success"}"#))
            .unwrap();
        while !far.next().contains(r#""type":"resume""#) {}
        play(far);
    });
    let client = Client::builder()
        .api(Arc::new(StartsAll::default()))
        .gateway(GatewayUrl::parse(&url).unwrap())
        .limits(limits)
        .queue(queue)
        .build()
        .unwrap();
    let input = ExecAgent {
        slug: Some("inbox".into()),
        ..ExecAgent::default()
    };
    (client.execute(Execute::new(input)).await.unwrap(), far)
}
