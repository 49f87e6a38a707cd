use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::event::EndReason;
use agent_gateway_protocol::{
    AgentEvent, ClientFrame, CloseCode, EventType, OperationId, OperationStatus, Payload,
    ServerFrame, Token, TopicId, UserId,
};

use super::deed::Deed;
use super::stage::{Play, Stage, Words};
use super::wire::refused_result;
use super::{ServerInput, ServerOutput};
use crate::api::{Api, ApiCall, ApiConfig, ApiInput, ApiOutput, BatchBook, WireCall};
use crate::gateway::{
    Finalization, Gateway, GatewayAnswer, GatewayCall, GatewayConfig, GatewayInput, GatewayOutput,
    SocketId, Ticket, TokenBook, TokenPlan, parse_call, write_answer,
};
use crate::http::{HttpRequest, HttpResponse};
use crate::script::{GatewaySection, Script, Trigger};

/// How a server is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The gateway; a script's dialect replaces its own.
    pub gateway: GatewayConfig,
    /// Who every client is.
    pub user: UserId,
    /// The gateway's base URL, as the API tells it.
    pub gateway_url: Arc<str>,
    /// What opens the API over HTTP, as `Oidc-Auth` or `X-API-Key`. `None`: it is open.
    pub client_token: Option<Token>,
    /// What opens the gateway's own HTTP, as `Authorization: Bearer`. `None`: it is open.
    pub service_token: Option<Token>,
    /// Goes into ids and tokens.
    pub seed: u64,
    /// Milliseconds since 1970 when the clock reads zero; goes into the timestamps of events and tokens.
    pub epoch: u64,
}

impl Default for ServerConfig {
    /// Open to everyone, at an address that is only a name.
    fn default() -> Self {
        Self {
            gateway: GatewayConfig::default(),
            user: UserId::new("user_1"),
            gateway_url: "http://localhost:8787".into(),
            client_token: None,
            service_token: None,
            seed: 1,
            epoch: 1_783_756_800_000,
        }
    }
}

/// The gateway, the API and their script, as one pure machine.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) config: ServerConfig,
    pub(super) gateway: Gateway,
    pub(super) api: Api,
    /// Boxed: there is mostly one, and a map makes room for eleven.
    pub(super) stages: BTreeMap<OperationId, Box<Stage>>,
    play: Play,
    /// When it wants to be ticked.
    deadline: Option<Timestamp>,
    /// What the gateway says, on its way to be followed; kept for its room.
    said: Vec<GatewayOutput>,
    /// The operation of every open socket.
    pub(super) sockets: BTreeMap<SocketId, OperationId>,
    /// Sockets that carry nothing any more, though nobody has said so.
    pub(super) silent: BTreeSet<SocketId>,
    /// HTTP requests to the API that are not answered yet.
    batches: BatchBook,
    /// Calls of the gateway over HTTP that are not answered yet.
    gateway_calls: BTreeSet<Ticket>,
    /// Prompts of the script that wait for the user.
    pub(super) prompts: BTreeMap<Ticket, OperationId>,
    minted: u64,
}

/// Tickets minted here start where the host's end.
const FIRST_OWN_TICKET: u64 = 1 << 63;

impl Server {
    /// A server that plays `script`; without one, a plain gateway and API.
    #[must_use]
    pub fn new(config: ServerConfig, script: Option<&Script>) -> Self {
        let plain = GatewaySection::default();
        let play = Play::new(script.map_or(&plain, |script| &script.gateway));
        Self::playing(config, script, play)
    }

    /// The same, where the play of the script's gateway has been made ready.
    pub(crate) fn playing(config: ServerConfig, script: Option<&Script>, play: Play) -> Self {
        let mut gateway_config = config.gateway.clone();
        let api_config = ApiConfig {
            user: config.user.clone(),
            gateway_url: config.gateway_url.clone(),
            credential: config.client_token.clone(),
            settles_markers: script.is_none_or(|script| script.api.settles_markers),
        };
        let mut api = Api::new(api_config, config.seed);
        if let Some(script) = script {
            gateway_config.dialect = script.gateway.dialect.clone();
            for (procedure, behaviours) in &script.api.calls {
                for behaviour in behaviours {
                    api.plan(*procedure, behaviour.clone());
                }
            }
        }
        let mut server = Self {
            gateway: Gateway::new(gateway_config, TokenBook::new(config.seed, config.epoch)),
            api,
            stages: BTreeMap::new(),
            play,
            deadline: None,
            said: Vec::new(),
            sockets: BTreeMap::new(),
            silent: BTreeSet::new(),
            batches: BatchBook::default(),
            gateway_calls: BTreeSet::new(),
            prompts: BTreeMap::new(),
            minted: FIRST_OWN_TICKET,
            config,
        };
        if let Some(running) = script.and_then(|script| script.gateway.running.as_ref()) {
            let operation = OperationId::new(&*running.operation);
            let topic = TopicId::new(&*running.topic);
            server.api.enter_run(&operation, &topic);
            let user = server.config.user.clone();
            let mut out = Vec::new();
            let words = Words::new(operation, topic, "".into(), None);
            server.begin(Timestamp::ZERO, words, user, &mut out);
        }
        server.deadline = server.earliest();
        server
    }

    /// What `input`, come at `now`, makes it do.
    pub fn handle(&mut self, now: Timestamp, input: ServerInput) -> Vec<ServerOutput> {
        let mut out = Vec::new();
        self.handle_into(now, input, &mut out);
        out
    }

    /// The same, onto the end of a list.
    pub fn handle_into(&mut self, now: Timestamp, input: ServerInput, out: &mut Vec<ServerOutput>) {
        self.advance(now, out);
        match input {
            ServerInput::SocketOpened { socket, operation } => {
                self.sockets.insert(socket, operation.clone());
                let input = GatewayInput::SocketOpened {
                    socket,
                    operation: operation.clone(),
                };
                self.tell_gateway(now, input, out);
                self.trigger(&operation, Trigger::SocketOpened, now);
            }
            ServerInput::FrameReceived { socket, frame } => {
                self.on_frame(now, socket, frame, out);
            }
            ServerInput::TextReceived { socket, text } => match ClientFrame::decode(&text) {
                Ok(ClientFrame::ToolResult(_)) if refused_result(&text) => {}
                Ok(frame) => self.on_frame(now, socket, frame, out),
                Err(_) if self.silent.contains(&socket) => {}
                Err(_) => {
                    let input = GatewayInput::TextReceived { socket, text };
                    self.tell_gateway(now, input, out);
                }
            },
            ServerInput::SocketClosed { socket } => {
                self.tell_gateway(now, GatewayInput::SocketClosed { socket }, out);
                self.forget_socket(now, socket);
            }
            ServerInput::RequestReceived { ticket, request } => {
                self.on_request(now, ticket, &request, out);
            }
            ServerInput::Called { ticket, call } => self.on_api_call(now, ticket, call, out),
            ServerInput::Abandoned { ticket } => self.abandon(now, ticket, out),
            ServerInput::Ticked => {}
        }
        self.deadline = self.earliest();
        self.advance(now, out);
    }

    /// When it wants to be ticked; `None`: nothing will ever happen by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// When the script, or an answer of the API that is on its way, has its next turn; the gateway's own clocks aside.
    #[must_use]
    pub fn next_turn(&self) -> Option<Timestamp> {
        let stages = self.stages.values();
        let stages = stages.filter_map(|stage| stage.deadline());
        stages.chain(self.api.next_deadline()).min()
    }

    /// How it is set up.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The API, which knows the truth about every run.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Issues a token that opens the gateway.
    pub fn issue_token(&mut self, now: Timestamp, plan: &TokenPlan) -> Token {
        self.gateway.tokens_mut().issue(plan, now)
    }

    /// Lets the gateway accept a token made elsewhere, such as an API key.
    pub fn enter_token(&mut self, now: Timestamp, token: &Token, plan: &TokenPlan) {
        self.gateway.tokens_mut().enter(token.expose(), plan, now);
    }

    /// Everything that is due, until nothing is.
    fn advance(&mut self, now: Timestamp, out: &mut Vec<ServerOutput>) {
        while self.deadline.is_some_and(|at| at <= now) {
            self.ask_gateway(now, out, |gateway, said| gateway.tick(now, said));
            if self.api.next_deadline().is_some_and(|at| at <= now) {
                self.tell_api(now, ApiInput::Ticked, out);
            }
            while let Some((operation, deed)) = self.next_deed(now) {
                self.perform(now, &operation, deed, out);
            }
            self.deadline = self.earliest();
        }
    }

    fn next_deed(&mut self, now: Timestamp) -> Option<(OperationId, Deed)> {
        self.stages.values_mut().find_map(|stage| {
            let deed = stage.next_deed(now)?;
            Some((stage.words.operation.clone(), deed))
        })
    }

    fn earliest(&self) -> Option<Timestamp> {
        self.next_turn()
            .into_iter()
            .chain(self.gateway.next_deadline())
            .min()
    }

    fn on_frame(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        frame: ClientFrame,
        out: &mut Vec<ServerOutput>,
    ) {
        if self.silent.contains(&socket) {
            return;
        }
        let trigger = match &frame {
            ClientFrame::Resume(_) => Some(Trigger::Resumed),
            ClientFrame::Heartbeat => Some(Trigger::Heartbeat),
            ClientFrame::Interrupt => Some(Trigger::Interrupt),
            _ => None,
        };
        let trigger = trigger.filter(|_| self.gateway.is_authenticated(socket));
        self.tell_gateway(now, GatewayInput::FrameReceived { socket, frame }, out);
        if let Some(trigger) = trigger
            && let Some(operation) = self.sockets.get(&socket).cloned()
        {
            self.trigger(&operation, trigger, now);
        }
    }

    fn on_request(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        request: &HttpRequest,
        out: &mut Vec<ServerOutput>,
    ) {
        let answer = if request.path.contains("/trpc/") {
            self.on_api_request(now, ticket, request, out)
        } else {
            let service_token = self.config.service_token.as_ref().map(Token::expose);
            parse_call(request, service_token).map(|call| {
                self.gateway_calls.insert(ticket);
                self.call_gateway(now, ticket, call, out);
            })
        };
        if let Err(response) = answer {
            out.push(ServerOutput::Respond { ticket, response });
        }
    }

    fn on_api_request(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        request: &HttpRequest,
        out: &mut Vec<ServerOutput>,
    ) -> Result<(), HttpResponse> {
        let wire = WireCall::parse(request, self.api.config())?;
        let minted = &mut self.minted;
        let calls = self.batches.enter(ticket, wire, || {
            *minted += 1;
            Ticket(*minted)
        })?;
        for (inner, call) in calls {
            self.on_api_call(now, inner, call, out);
        }
        Ok(())
    }

    fn on_api_call(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        call: ApiCall,
        out: &mut Vec<ServerOutput>,
    ) {
        let asked = match &call {
            ApiCall::RefreshGatewayToken(input) => self
                .api
                .marker(&input.topic_id)
                .cloned()
                .map(|operation| (operation, Trigger::TokenRequested)),
            ApiCall::GetOperationStatus(input) => {
                Some((input.operation_id.clone(), Trigger::StatusRequested))
            }
            _ => None,
        };
        self.tell_api(now, ApiInput::Called { ticket, call }, out);
        if let Some((operation, trigger)) = asked {
            self.trigger(&operation, trigger, now);
        }
    }

    fn abandon(&mut self, now: Timestamp, ticket: Ticket, out: &mut Vec<ServerOutput>) {
        self.gateway_calls.remove(&ticket);
        let mut tickets = self.batches.abandon(ticket);
        tickets.push(ticket);
        for ticket in tickets {
            self.tell_api(now, ApiInput::Abandoned { ticket }, out);
        }
    }

    /// Calls the gateway in the server's name. What the call says of the run's end is the server's truth too.
    pub(super) fn call_gateway(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        call: GatewayCall,
        out: &mut Vec<ServerOutput>,
    ) {
        match &call {
            GatewayCall::PushEvent { operation, event } => self.note_end(operation, event),
            GatewayCall::PushEvents { operation, events } => {
                for event in events {
                    self.note_end(operation, event);
                }
            }
            GatewayCall::UpdateStatus {
                operation,
                status,
                summary,
            } => self
                .api
                .set_status(operation, status.clone(), summary.clone()),
            _ => {}
        }
        self.tell_gateway(now, GatewayInput::Called { ticket, call }, out);
    }

    pub(super) fn mint(&mut self) -> Ticket {
        self.minted += 1;
        Ticket(self.minted)
    }

    /// Carries on what the gateway says.
    pub(super) fn follow(
        &mut self,
        now: Timestamp,
        outputs: impl IntoIterator<Item = GatewayOutput>,
        out: &mut Vec<ServerOutput>,
    ) {
        for output in outputs {
            match output {
                GatewayOutput::SendFrame { socket, frame } => {
                    let trigger = match &frame {
                        ServerFrame::AuthSuccess => Some(Trigger::Authenticated),
                        ServerFrame::AuthFailed(_) => Some(Trigger::Refused),
                        _ => None,
                    };
                    if !self.silent.contains(&socket) {
                        out.push(ServerOutput::SendFrame { socket, frame });
                    }
                    if let Some(trigger) = trigger
                        && let Some(operation) = self.sockets.get(&socket).cloned()
                    {
                        self.trigger(&operation, trigger, now);
                    }
                }
                GatewayOutput::Close {
                    socket,
                    code,
                    reason,
                } => {
                    self.close(now, socket, code, reason, out);
                }
                GatewayOutput::Answer { ticket, answer } => {
                    self.on_gateway_answer(now, ticket, &answer, out);
                }
                GatewayOutput::DeliverToolResult { operation, result } => {
                    if let Some(stage) = self.stages.get_mut(&operation) {
                        stage.words.tool_result = result.content.clone().unwrap_or_default();
                        stage.tool_success = result.success;
                    }
                    self.trigger(&operation, Trigger::ToolResult, now);
                    out.push(ServerOutput::ToolResultReceived { operation, result });
                }
                GatewayOutput::FinalizeAbandoned { operation } => {
                    let verdict = match self.api.status(&operation) {
                        Some(status) if status.is_terminal() => Finalization::NotAbandoned,
                        _ => Finalization::Finalized,
                    };
                    if verdict == Finalization::Finalized {
                        let text = Some("inactivity_watchdog".into());
                        self.api
                            .set_status(&operation, OperationStatus::Error, text);
                    }
                    let input = GatewayInput::AbandonedFinalized { operation, verdict };
                    self.tell_gateway(now, input, out);
                }
            }
        }
    }

    fn tell_gateway(&mut self, now: Timestamp, input: GatewayInput, out: &mut Vec<ServerOutput>) {
        self.ask_gateway(now, out, |gateway, said| gateway.take(now, input, said));
    }

    /// Carries on what the gateway says to `ask`.
    fn ask_gateway(
        &mut self,
        now: Timestamp,
        out: &mut Vec<ServerOutput>,
        ask: impl FnOnce(&mut Gateway, &mut Vec<GatewayOutput>),
    ) {
        let mut said = core::mem::take(&mut self.said);
        ask(&mut self.gateway, &mut said);
        self.follow(now, said.drain(..), out);
        self.said = said;
    }

    fn tell_api(&mut self, now: Timestamp, input: ApiInput, out: &mut Vec<ServerOutput>) {
        for output in self.api.handle(now, input, self.gateway.tokens_mut()) {
            match output {
                ApiOutput::Answered { ticket, answer } if ticket.0 >= FIRST_OWN_TICKET => {
                    match self.batches.answer(ticket, answer) {
                        Some((ticket, Some(response))) => {
                            out.push(ServerOutput::Respond { ticket, response });
                        }
                        Some((ticket, None)) => out.push(ServerOutput::Hang { ticket }),
                        None => {}
                    }
                }
                ApiOutput::Answered {
                    ticket,
                    answer: crate::api::ApiAnswer::Dropped,
                } => out.push(ServerOutput::Hang { ticket }),
                ApiOutput::Answered { ticket, answer } => {
                    out.push(ServerOutput::Answer { ticket, answer });
                }
                ApiOutput::RunStarted {
                    operation,
                    topic,
                    user,
                    prompt,
                    approved,
                } => {
                    let words = Words::new(operation, topic, prompt, approved);
                    self.begin(now, words, user, out);
                }
                ApiOutput::StopRequested { operation } => {
                    self.trigger(&operation, Trigger::StopRequested, now);
                }
            }
        }
    }

    /// A run begins: the gateway is told, and its play starts.
    fn begin(&mut self, now: Timestamp, words: Words, user: UserId, out: &mut Vec<ServerOutput>) {
        let (operation, topic) = (words.operation.clone(), words.topic.clone());
        let ticket = self.mint();
        let call = GatewayCall::Initialize {
            operation: operation.clone(),
            user,
        };
        self.call_gateway(now, ticket, call, out);
        let stage = Stage::new(words, &self.play, now);
        self.stages.insert(operation.clone(), Box::new(stage));
        out.push(ServerOutput::RunStarted { operation, topic });
    }

    fn on_gateway_answer(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        answer: &GatewayAnswer,
        out: &mut Vec<ServerOutput>,
    ) {
        if self.gateway_calls.remove(&ticket) {
            let response = write_answer(answer);
            out.push(ServerOutput::Respond { ticket, response });
        } else if let Some(operation) = self.prompts.remove(&ticket) {
            let trigger = match answer {
                GatewayAnswer::Entered(_) => Trigger::Input,
                _ => Trigger::Confirmation,
            };
            self.trigger(&operation, trigger, now);
        }
    }

    fn close(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        code: CloseCode,
        reason: Box<str>,
        out: &mut Vec<ServerOutput>,
    ) {
        if !self.silent.contains(&socket) {
            out.push(ServerOutput::Close {
                socket,
                code,
                reason,
            });
        }
        self.forget_socket(now, socket);
    }

    pub(super) fn forget_socket(&mut self, now: Timestamp, socket: SocketId) {
        self.silent.remove(&socket);
        if let Some(operation) = self.sockets.remove(&socket) {
            self.trigger(&operation, Trigger::SocketClosed, now);
        }
    }

    fn trigger(&mut self, operation: &OperationId, trigger: Trigger, now: Timestamp) {
        if let Some(stage) = self.stages.get_mut(operation) {
            stage.trigger(trigger, now);
        }
    }

    /// An own end is the server's truth.
    fn note_end(&mut self, channel: &OperationId, event: &AgentEvent) {
        let own = event.operation_id.as_ref().is_none_or(|own| own == channel);
        if !own || event.kind != EventType::AgentRuntimeEnd {
            return;
        }
        let Payload::AgentRuntimeEnd(end) = event.payload() else {
            return;
        };
        let status = match end.reason {
            Some(EndReason::Error) => OperationStatus::Error,
            Some(EndReason::Interrupted | EndReason::Cancelled) => OperationStatus::Interrupted,
            Some(EndReason::WaitingForHuman) => OperationStatus::WaitingForHuman,
            Some(EndReason::WaitingForAsyncTool) => OperationStatus::WaitingForAsyncTool,
            _ => OperationStatus::Done,
        };
        let error = end
            .reason_detail
            .filter(|_| status == OperationStatus::Error);
        self.api.set_status(channel, status, error);
    }

    /// A moment as the server's wall clock has it, ms since 1970.
    pub(super) fn wall(&self, now: Timestamp) -> u64 {
        Timestamp::from_millis(self.config.epoch)
            .plus(Millis(now.as_millis()))
            .as_millis()
    }
}
