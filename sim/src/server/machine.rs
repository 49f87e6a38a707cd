use std::collections::BTreeSet;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::{ClientFrame, CloseCode, OperationId, Token, TopicId};
use litemap::LiteMap;

use super::deed::Deed;
use super::stage::{Play, Stage, Words};
use super::wire::refused_result;
use super::{ServerConfig, ServerInput, ServerOutput};
use crate::api::{Api, ApiCall, ApiConfig, ApiInput, BatchBook, WireCall};
use crate::deadline::earlier;
use crate::gateway::{
    Gateway, GatewayInput, GatewayOutput, SocketId, Ticket, TokenBook, TokenPlan, parse_call,
};
use crate::http::{HttpRequest, HttpResponse};
use crate::script::{GatewaySection, Script, Trigger};

/// The gateway, the API and their script, as one pure machine.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) config: ServerConfig,
    pub(super) gateway: Gateway,
    pub(super) api: Api,
    /// Boxed: they move when one is entered before them or goes, and a map makes room for several.
    pub(super) stages: LiteMap<OperationId, Box<Stage>>,
    pub(super) play: Play,
    /// When it wants to be ticked.
    deadline: Option<Timestamp>,
    /// When plays go on at the earliest: it takes a gateway a moment to lose its count, and nothing that is said after it
    /// has the time of what was said before.
    pub(super) rests_until: Timestamp,
    /// What the gateway says, on its way to be followed; kept for its room.
    pub(super) said: Vec<GatewayOutput>,
    /// The operation of every open socket.
    pub(super) sockets: LiteMap<SocketId, OperationId>,
    /// Sockets that carry nothing any more, though nobody has said so.
    pub(super) silent: BTreeSet<SocketId>,
    /// HTTP requests to the API that are not answered yet.
    pub(super) batches: BatchBook,
    /// Calls of the gateway over HTTP that are not answered yet.
    pub(super) gateway_calls: BTreeSet<Ticket>,
    /// Prompts of the script that wait for the user.
    pub(super) prompts: LiteMap<Ticket, OperationId>,
    minted: u64,
}

/// What is due in the play of a run.
pub(super) struct Turn {
    pub(super) operation: OperationId,
    /// The step that events belong to.
    pub(super) step_index: u32,
    pub(super) deed: Deed,
}

/// Tickets minted here start where the host's end.
pub(super) const FIRST_OWN_TICKET: u64 = 1 << 63;

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
            stages: LiteMap::new(),
            play,
            deadline: None,
            rests_until: Timestamp::ZERO,
            said: Vec::with_capacity(16),
            sockets: LiteMap::new(),
            silent: BTreeSet::new(),
            batches: BatchBook::default(),
            gateway_calls: BTreeSet::new(),
            prompts: LiteMap::new(),
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
                // Named by a clone of the run's own id: clones compare without a look at the text.
                let operation = match self.stages.get(&operation) {
                    Some(stage) => stage.words.operation.clone(),
                    None => operation,
                };
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
        let stage = stages.filter_map(|stage| stage.deadline()).min();
        let stage = stage.map(|at| at.max(self.rests_until));
        earlier(stage, self.api.next_deadline())
    }

    /// How it is set up.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether what comes on a socket is heard: it is open, and the script has not let it go silent.
    pub(crate) fn hears(&self, socket: SocketId) -> bool {
        self.sockets.contains_key(&socket) && !self.silent.contains(&socket)
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
            while let Some(turn) = self.take_turn(now) {
                self.perform(now, turn, out);
            }
            self.deadline = self.earliest();
        }
    }

    fn take_turn(&mut self, now: Timestamp) -> Option<Turn> {
        if now < self.rests_until {
            return None;
        }
        self.stages.iter_mut().find_map(|(_, stage)| {
            let deed = stage.next_deed(now)?;
            Some(Turn {
                operation: stage.words.operation.clone(),
                step_index: stage.step_index,
                deed,
            })
        })
    }

    fn earliest(&self) -> Option<Timestamp> {
        earlier(self.next_turn(), self.gateway.next_deadline())
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
        let answer = if request.is_of_api() {
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

    pub(super) fn mint(&mut self) -> Ticket {
        self.minted += 1;
        Ticket(self.minted)
    }

    pub(super) fn close(
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

    pub(super) fn trigger(&mut self, operation: &OperationId, trigger: Trigger, now: Timestamp) {
        if let Some(stage) = self.stages.get_mut(operation) {
            stage.trigger(trigger, now);
        }
    }

    /// A moment as the server's wall clock has it, ms since 1970.
    pub(super) fn wall(&self, now: Timestamp) -> u64 {
        Timestamp::from_millis(self.config.epoch)
            .plus(Millis(now.as_millis()))
            .as_millis()
    }
}
