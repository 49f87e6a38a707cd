//! Plays the user's part of a script through a real client, and looks at what came of it.

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Api, Client, Credential, HttpApi, HttpOptions, Run, Vault, tls};
use agent_gateway_machine::recording::{Recording, Step};
use agent_gateway_machine::{
    Attach, Call, Cursor, Effect, Execute, Notification, Outcome, Receipt, Reply, ToolAnswer,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::event::{Chunk, ToolExecute};
use agent_gateway_protocol::{EventId, GatewayUrl, Payload};
use agent_gateway_sim::invariant::{Invariants, Observation};
use agent_gateway_sim::names::{effect_detail, effect_is};
use agent_gateway_sim::script::{AttachAct, Expect, Script, UserAct, UserSection};
use tokio::time::{Instant, sleep_until};

/// What does not come within this will not come.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a script.
pub(super) struct Played {
    pub(super) outcome: Outcome,
    pub(super) receipt: Receipt,
    pub(super) text: String,
    steps: Vec<Step>,
    server_status: Option<String>,
    is_marked: bool,
}

/// Plays `script` against `server`, to the end and until nothing is left of the run.
pub(super) async fn play(script: &Script, server: &EmbeddedServer) -> Played {
    play_through(script, server, None).await
}

/// As [`play`], with the gateway's socket reached by another way.
pub(super) async fn play_through(
    script: &Script,
    server: &EmbeddedServer,
    gateway: Option<GatewayUrl>,
) -> Played {
    let seen = Seen::default();
    let recorder = seen.clone();
    let mut builder = Client::builder();
    if let Some(gateway) = gateway {
        builder = builder.gateway(gateway);
    }
    let client = builder
        .server(server.server_url().clone())
        .credential(Credential::AccessToken(server.client_token().clone()))
        .limits(script.limits.clone())
        .seed(script.seed)
        .record(move || Ok(recorder.clone()))
        .build()
        .unwrap();
    let mut user = User::new(&script.user, client);
    let mut text = String::new();
    while let Some(notification) = user.next().await {
        if let Notification::EventReceived(received) = &notification
            && received.own
            && let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload()
        {
            text.push_str(chunk.content.as_deref().unwrap_or_default());
        }
    }
    let mut run = user.run.expect("the script starts a run");
    let (outcome, receipt) = run.outcome().await.unwrap();
    run.settled().await;
    let steps = seen.check(server.client_token().expose());
    let expected = script.expect.server_status.as_deref();
    let (server_status, is_marked) = look(server, &run, expected).await;
    Played {
        outcome,
        receipt,
        text,
        steps,
        server_status,
        is_marked,
    }
}

/// How the run stands on the server, and whether its topic is marked with it: asked over HTTP like all else, and again
/// until it is as expected or no longer worth waiting for (an interrupt takes its time on the server).
async fn look(
    server: &EmbeddedServer,
    run: &Run,
    expected: Option<&str>,
) -> (Option<String>, bool) {
    let credential = Credential::ApiKey(server.client_token().clone());
    let tls = tls::platform().unwrap();
    let url = server.server_url().clone();
    let api = HttpApi::new(url, &credential, &tls, HttpOptions::default()).unwrap();
    let Some(operation) = run.operation() else {
        return (None, false);
    };
    let vault = Vault::new();
    let ask = Call::AskStatus {
        operation: operation.clone(),
    };
    let started = Instant::now();
    let status = loop {
        let status = match api.send(&ask, &vault).await {
            Reply::Status(report) => report.map(|report| report.status.as_str().to_owned()),
            reply => panic!("{reply:?}"),
        };
        let as_expected = expected.is_none_or(|expected| status.as_deref() == Some(expected));
        if as_expected || started.elapsed() > PATIENCE {
            break status;
        }
    };
    let Some(topic) = run.topic() else {
        return (status, false);
    };
    let marker = api.send(&Call::ReadMarker { topic }, &vault).await;
    (status, marker == Reply::Marker(Some(operation)))
}

/// The user of a script, with a real run in hand.
struct User {
    section: UserSection,
    client: Client,
    run: Option<Run>,
    at: usize,
    /// When the step before was done, or what the next one waits for happened.
    since: Instant,
    heard: BTreeMap<&'static str, u64>,
    waited: BTreeMap<String, u64>,
}

impl User {
    fn new(section: &UserSection, client: Client) -> Self {
        Self {
            section: section.clone(),
            client,
            run: None,
            at: 0,
            since: Instant::now(),
            heard: BTreeMap::new(),
            waited: BTreeMap::new(),
        }
    }

    /// The next notification; does what the user does meanwhile.
    async fn next(&mut self) -> Option<Notification> {
        loop {
            let deadline = self.deadline();
            let due = async {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            let told = async {
                match &mut self.run {
                    Some(run) => run.next().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                notification = told => {
                    self.hear(notification.as_ref());
                    return notification;
                }
                () = due => self.act().await,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let step = self.section.steps.get(self.at)?;
        let after = Duration::from_millis(step.after);
        self.is_ready().then(|| self.since + after)
    }

    fn is_ready(&self) -> bool {
        let step = self.section.steps.get(self.at);
        let Some((name, count)) = step.and_then(|step| wanted(step.when.as_deref())) else {
            return true;
        };
        let heard = self.heard.get(name).copied().unwrap_or_default();
        heard >= self.waited.get(name).copied().unwrap_or_default() + count
    }

    fn hear(&mut self, notification: Option<&Notification>) {
        let Some(notification) = notification else {
            return;
        };
        let was_ready = self.is_ready();
        *self.heard.entry(notification.name()).or_default() += 1;
        if !was_ready && self.is_ready() {
            self.since = Instant::now();
        }
        if let Notification::ToolRequested { call, .. } = notification {
            self.answer(call);
        }
    }

    /// Answers as the script's tools do, beside the stream.
    fn answer(&self, call: &ToolExecute) {
        let Some(run) = &self.run else {
            return;
        };
        let full = format!("{}/{}", call.identifier, call.api_name);
        let tools = &self.section.tools;
        let policy = tools.get(&full).or_else(|| tools.get(&*call.api_name));
        let (handle, call) = (run.handle(), call.tool_call_id.clone());
        let Some(policy) = policy.cloned() else {
            let answer = ToolAnswer::failure("executor_not_found", &full);
            drop(handle.answer_tool(call, answer));
            return;
        };
        tokio::spawn(async move {
            for time in 0..policy.times {
                tokio::time::sleep(Duration::from_millis(policy.after)).await;
                let answer = if policy.fails {
                    ToolAnswer::failure("client_tool_execution_error", &policy.content)
                } else {
                    ToolAnswer::success(policy.content.as_str())
                };
                let accepted = handle.answer_tool(call.clone(), answer).await;
                assert_eq!(accepted.is_ok(), time == 0, "T2: one answer is accepted");
            }
        });
    }

    async fn act(&mut self) {
        let step = self.section.steps[self.at].clone();
        if let Some((name, count)) = wanted(step.when.as_deref()) {
            *self.waited.entry(name.to_owned()).or_default() += count;
        }
        self.at += 1;
        self.since = Instant::now();
        match step.act {
            UserAct::Execute(prompt) => self.execute(prompt, None).await,
            UserAct::ExecuteInTopic(prompt) => self.execute(prompt, Some("tpc_1")).await,
            UserAct::Attach(attach) => self.attach(&attach).await,
            UserAct::Stop => self.run().stop(),
            UserAct::Detach => self.run().detach(),
            UserAct::Interrupt => self.run().interrupt(),
            UserAct::AnswerTool(answer) => {
                let content = ToolAnswer::success(answer.content);
                drop(self.run().answer_tool(answer.id.into(), content));
            }
            UserAct::Confirm(call) => drop(self.run().answer_confirmation(call.into(), true)),
            UserAct::Reject(call) => drop(self.run().answer_confirmation(call.into(), false)),
            UserAct::AnswerInput(answer) => {
                drop(self.run().answer_input(answer.id.into(), answer.content));
            }
            UserAct::Approve(_)
            | UserAct::PauseReading
            | UserAct::ResumeReading
            | UserAct::Restore => {
                panic!("only the virtual world can do that");
            }
        }
    }

    fn run(&self) -> &Run {
        self.run
            .as_ref()
            .expect("the script acts on a run before it starts one")
    }

    async fn execute(&mut self, prompt: String, topic: Option<&str>) {
        let app_context = topic.map(|topic| AppContext {
            topic_id: Some(topic.into()),
            scope: Some("main".into()),
            ..AppContext::default()
        });
        let input = ExecAgent {
            agent_id: Some("agt_1".into()),
            prompt: prompt.into(),
            app_context,
            ..ExecAgent::default()
        };
        let run = self.client.execute(Execute::new(input)).await;
        self.run = Some(run.unwrap());
    }

    async fn attach(&mut self, attach: &AttachAct) {
        let topic = (!attach.without_topic).then(|| "tpc_1".into());
        let attach = Attach {
            cursor: Cursor {
                id: attach.cursor.as_deref().map(EventId::parse),
                ..Cursor::start()
            },
            executes_tools: attach.executes_tools,
            ..Attach::new("op_1".into(), topic)
        };
        self.run = Some(self.client.attach(attach).await.unwrap());
    }
}

/// A notification's name, and how many of them.
fn wanted(when: Option<&str>) -> Option<(&str, u64)> {
    let when = when?;
    Some(match when.split_once(':') {
        Some((name, count)) => (name, count.parse().unwrap()),
        None => (when, 1),
    })
}

/// What was recorded of one run: all that its machine saw and said.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u8>>>);

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seen {
    /// I15: the recording replays to what was answered live. I17: it holds no token. And no other invariant is broken.
    fn check(&self, token: &str) -> Vec<Step> {
        let recorded = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(
            !recorded.contains(token) && !recorded.contains("eyJ"),
            "I17: {recorded}"
        );
        let (recording, torn) = Recording::parse(&recorded).unwrap();
        assert_eq!(torn, None);
        let mut invariants = Invariants::default();
        let mut is_settled = false;
        recording
            .replay(|replayed| {
                let event = &replayed.step.event;
                assert!(!replayed.differs(), "I15: after {event:?}");
                let step = Observation {
                    event,
                    effects: replayed.effects,
                    state: replayed.state,
                };
                invariants
                    .observe(&step)
                    .unwrap_or_else(|violation| panic!("{violation}"));
                is_settled = replayed.state.is_settled();
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(is_settled, "I3");
        recording.steps
    }
}

impl Played {
    /// How often the caller was asked to execute a tool.
    pub(super) fn tool_requests(&self) -> usize {
        self.effects()
            .filter(|effect| matches!(effect, Effect::Notify(Notification::ToolRequested { .. })))
            .count()
    }

    /// What was expected and did not come; times are left to the virtual world.
    pub(super) fn failures(&self, expect: &Expect) -> Vec<String> {
        let mut failures = Vec::new();
        let mut check = |what: &str, expected: String, actual: String| {
            if expected != actual {
                failures.push(format!("{what}: expected {expected}, but it was {actual}"));
            }
        };
        if let Some(outcome) = &expect.outcome {
            check("outcome", outcome.clone(), self.outcome.name().to_owned());
        }
        if let Some(text) = &expect.text {
            check("text", text.clone(), self.text.clone());
        }
        if let Some(marked) = expect.marked {
            check("marked", marked.to_string(), self.is_marked.to_string());
        }
        if let Some(status) = &expect.server_status {
            let actual = self.server_status.clone().unwrap_or_else(|| "none".into());
            check("server_status", status.clone(), actual);
        }
        for (name, count) in &expect.effects {
            let times = self
                .effects()
                .filter(|effect| effect_is(effect, name))
                .count();
            if !count.admits(times as u64) {
                failures.push(format!(
                    "effects.{name}: expected {count:?}, but {times} times"
                ));
            }
        }
        let mut effects = self.effects();
        for name in &expect.order {
            if !effects.any(|effect| effect_is(effect, name)) {
                failures.push(format!("order: {name} does not follow the ones before it"));
            }
        }
        let expected = serde_json::to_value(&expect.receipt).unwrap();
        let actual = serde_json::to_value(self.receipt).unwrap();
        for (member, value) in expected.as_object().unwrap() {
            if actual[member] != *value {
                let actual = &actual[member];
                failures.push(format!(
                    "receipt.{member}: expected {value}, but it was {actual}"
                ));
            }
        }
        failures
    }

    /// One line per event and per effect, for a person who looks for what went wrong.
    pub(super) fn trace(&self) -> String {
        let mut trace = String::new();
        for Step { event, effects } in &self.steps {
            trace.push_str(&format!("{} {}\n", event.at, event.kind.name()));
            for effect in effects {
                trace.push_str(&format!(
                    "    {} {}\n",
                    effect.name(),
                    effect_detail(effect)
                ));
            }
        }
        trace
    }

    fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.steps.iter().flat_map(|step| &step.effects)
    }
}
