//! The server as a host drives it: HTTP in, HTTP out, sockets beside it.

use agent_gateway_machine::Timestamp;
use agent_gateway_protocol::{OperationId, Token};
use agent_gateway_sim::gateway::{SocketId, Ticket};
use agent_gateway_sim::http::HttpRequest;
use agent_gateway_sim::script::Script;
use agent_gateway_sim::server::{Server, ServerConfig, ServerInput, ServerOutput};

struct Host {
    server: Server,
    now: u64,
    tickets: u64,
}

impl Host {
    fn new(config: ServerConfig, script: Option<&str>) -> Self {
        let script = script
            .map(|text| Script::parse("script", text).unwrap_or_else(|error| panic!("{error}")));
        Self {
            server: Server::new(config, script.as_ref()),
            now: 0,
            tickets: 0,
        }
    }

    fn tell(&mut self, input: ServerInput) -> Vec<String> {
        let outputs = self.server.handle(Timestamp::from_millis(self.now), input);
        outputs.iter().filter_map(show).collect()
    }

    fn request(
        &mut self,
        method: &str,
        target: &str,
        header: (&str, &str),
        body: &str,
    ) -> Vec<String> {
        self.tickets += 1;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.into())),
            None => (target, None),
        };
        let request = HttpRequest {
            method: method.into(),
            path: path.into(),
            query,
            headers: vec![
                ("content-type".into(), "application/json".into()),
                (header.0.into(), header.1.into()),
            ],
            body: body.as_bytes().into(),
        };
        self.tell(ServerInput::RequestReceived {
            ticket: Ticket(self.tickets),
            request,
        })
    }

    fn post(&mut self, target: &str, body: &str) -> Vec<String> {
        self.request("POST", target, ("accept", "*/*"), body)
    }

    fn get(&mut self, target: &str) -> Vec<String> {
        self.request("GET", target, ("accept", "*/*"), "")
    }

    fn text(&mut self, socket: u64, text: &str) -> Vec<String> {
        self.tell(ServerInput::TextReceived {
            socket: SocketId(socket),
            text: text.into(),
        })
    }

    fn wait(&mut self, span: u64) -> Vec<String> {
        self.now += span;
        self.tell(ServerInput::Ticked)
    }
}

fn show(output: &ServerOutput) -> Option<String> {
    Some(match output {
        ServerOutput::SendFrame { socket, frame } => format!("{} {}", socket.0, frame.encode()),
        ServerOutput::SendText { socket, text } => format!("{} {text}", socket.0),
        ServerOutput::SendBinary { socket, bytes } => format!("{} {} bytes", socket.0, bytes.len()),
        ServerOutput::Close { socket, code, .. } => format!("{} closed {code}", socket.0),
        ServerOutput::Cut { socket } => format!("{} cut", socket.0),
        ServerOutput::Respond { response, .. } => {
            let body = String::from_utf8_lossy(&response.body);
            format!("{} {body}", response.status)
        }
        ServerOutput::Hang { .. } => "hung up".into(),
        ServerOutput::ToolResultReceived { result, .. } => {
            format!("result {}", result.tool_call_id)
        }
        ServerOutput::RunStarted { .. }
        | ServerOutput::Answer { .. }
        | ServerOutput::CountRestarted => return None,
    })
}

/// The value of a string member in a response.
fn member(response: &str, name: &str) -> String {
    let (_, rest) = response
        .split_once(&format!("\"{name}\":\""))
        .unwrap_or_else(|| panic!("{response} has no {name}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn a_plain_gateway_streams_what_is_pushed_to_a_run() {
    let config = ServerConfig {
        service_token: Some(Token::new("service")),
        client_token: Some(Token::new("client")),
        ..ServerConfig::default()
    };
    let mut host = Host::new(config, None);
    let exec = r#"{"json":{"agentId":"agt_1","prompt":"hi"}}"#;
    let refused = host.post("/trpc/lambda/aiAgent.execAgent", exec);
    assert_eq!(
        refused,
        [
            r#"401 {"error":{"json":{"message":"UNAUTHORIZED","code":-32001,"data":{"code":"UNAUTHORIZED","httpStatus":401,"path":"aiAgent.execAgent"}}}}"#
        ]
    );
    let client = ("oidc-auth", "client");
    let started = host.request("POST", "/trpc/lambda/aiAgent.execAgent", client, exec);
    let (operation, token) = (
        member(&started[0], "operationId"),
        member(&started[0], "token"),
    );
    assert!(started[0].starts_with("200 ") && operation.starts_with("op_0_agt_1_tpc_"));

    host.tell(ServerInput::SocketOpened {
        socket: SocketId(1),
        operation: OperationId::new(&*operation),
    });
    let auth = format!(r#"{{"type":"auth","token":"{token}"}}"#);
    assert_eq!(host.text(1, &auth), [r#"1 {"type":"auth_success"}"#]);
    assert_eq!(
        host.text(1, r#"{"type":"resume","lastEventId":"","wantStatus":true}"#),
        [r#"1 {"type":"resume_complete","status":"running"}"#]
    );
    assert_eq!(host.text(1, "{broken"), [""; 0]);

    let push =
        format!(r#"{{"operationId":"{operation}","event":{{"type":"step_start","data":{{}}}}}}"#);
    assert_eq!(
        host.post("/api/operations/push-event", &push),
        ["401 Unauthorized"]
    );
    let service = ("authorization", "Bearer service");
    assert_eq!(
        host.request("POST", "/api/operations/push-event", service, &push),
        [
            r#"1 {"type":"agent_event","id":"1","event":{"type":"step_start","data":{}}}"#,
            r#"200 {"success":true}"#
        ]
    );
    let end = format!(
        r#"{{"operationId":"{operation}","event":{{"type":"agent_runtime_end","data":{{"reason":"done"}}}}}}"#
    );
    let ended = host.request("POST", "/api/operations/push-event", service, &end);
    assert_eq!(ended.len(), 3);
    let status = host.request(
        "GET",
        &format!("/api/operations/status?operationId={operation}"),
        service,
        "",
    );
    assert_eq!(
        status,
        [r#"200 {"clientConnected":true,"status":"completed"}"#]
    );
}

#[test]
fn the_gateways_own_http_refuses_what_it_must() {
    let mut host = Host::new(ServerConfig::default(), None);
    assert_eq!(host.get("/health"), ["200 OK"]);
    assert_eq!(host.get("/nothing"), ["404 Not Found"]);
    assert_eq!(host.post("/api/operations/party", "{}"), ["404 Not Found"]);
    assert_eq!(host.post("/api/operations/init", "{"), ["400 Invalid JSON"]);
    assert_eq!(
        host.post("/api/operations/init", r#"{"operationId":"op"}"#),
        ["400 Missing userId"]
    );
    assert_eq!(
        host.post(
            "/api/operations/push-events",
            r#"{"operationId":"op","events":[]}"#
        ),
        ["400 Missing events"]
    );
    assert_eq!(
        host.get("/api/operations/status?operationId=op"),
        [r#"200 {"clientConnected":false,"status":"unknown"}"#]
    );
}

#[test]
fn errors_of_the_api_are_those_of_the_real_one() {
    let mut host = Host::new(ServerConfig::default(), None);
    assert_eq!(
        host.get("/trpc/lambda/aiAgent.refreshGatewayToken?input=%7B%22json%22%3A%7B%22topicId%22%3A%22tpc_gone%22%7D%7D"),
        [r#"404 {"error":{"json":{"message":"No running operation found on this topic","code":-32004,"data":{"code":"NOT_FOUND","httpStatus":404,"path":"aiAgent.refreshGatewayToken"}}}}"#]
    );
    assert!(host.get("/trpc/lambda/aiAgent.party")[0].contains("No procedure found on path"));
    assert!(host.get("/trpc/lambda/aiAgent.execAgent")[0].starts_with("405 "));
    let body = r#"{"json":{"agentId":"agt_1","prompt":"hi"}}"#;
    let plain = ("content-type", "text/plain");
    // The first header of that name counts.
    assert!(
        host.request("POST", "/trpc/lambda/aiAgent.execAgent", plain, body)[0].starts_with("200 ")
    );
    let zod = host.post(
        "/trpc/lambda/aiAgent.execAgent",
        r#"{"json":{"agentId":"agt_1"}}"#,
    );
    assert!(zod[0].starts_with("400 ") && zod[0].contains(r#"\"prompt\""#));
    let refine = host.post(
        "/trpc/lambda/aiAgent.execAgent",
        r#"{"json":{"prompt":"hi"}}"#,
    );
    assert!(refine[0].contains("Either agentId or slug must be provided"));
    let batch = "/trpc/lambda/aiAgent.refreshGatewayToken,aiAgent.getOperationStatus?batch=1&input=\
                 %7B%220%22%3A%7B%22json%22%3A%7B%22topicId%22%3A%22gone%22%7D%7D%2C\
                 %221%22%3A%7B%22json%22%3A%7B%22operationId%22%3A%22op%22%7D%7D%7D";
    assert!(host.get(batch)[0].starts_with("207 [{\"error\""));
}

#[test]
fn a_script_delays_loses_and_garbles_answers() {
    let script = r#"{ "about": "x", "api": { "calls": { "get_global_config": [
        { "delay": 500 },
        { "answer": "lost" },
        { "answer": { "page": { "status": 502, "body": "<html>" } } },
        { "answer": "never" }
    ] } } }"#;
    let mut host = Host::new(ServerConfig::default(), Some(script));
    let path = "/trpc/lambda/config.getGlobalConfig";
    assert_eq!(host.get(path), [""; 0]);
    assert_eq!(host.wait(499), [""; 0]);
    assert!(host.wait(1)[0].contains("agentGatewayUrl"));
    assert_eq!(host.get(path), ["hung up"]);
    assert_eq!(host.get(path), ["502 <html>"]);
    assert_eq!(host.get(path), [""; 0]);
    assert_eq!(host.wait(1_000_000), [""; 0]);
    assert!(
        host.get(path)[0].starts_with("200 "),
        "later calls are answered as usual"
    );
}
