//! The small gateway against the one that the simulator plays: the same inputs, the same frames in the same order.

use agent_gateway_machine::{DialId, Timestamp, TokenId};
use agent_gateway_protocol::frame::{Auth, Resume, ToolResult};
use agent_gateway_protocol::{
    ClientFrame, EventId, OperationId, ServerFrame, Token, ToolCallId, UserId,
};

use super::OPERATION;
use super::gateway::{Dialect, Gateway as Small, Passed, Socket, Stage, Up};
use super::log::{Frames, LONGEST, Symbol, TOOL_CALL};
use crate::gateway::{
    self, Gateway, GatewayCall, GatewayConfig, GatewayInput, GatewayOutput, ResumeStyle, SocketId,
    Ticket, TokenBook, TokenPlan,
};
use crate::random::Random;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const SOCKET: SocketId = SocketId(1);

/// The two side by side.
struct Pair {
    small: Small,
    socket: Option<Socket>,
    whole: Gateway,
    token: Token,
    frames: Frames,
}

impl Pair {
    fn new(dialect: Dialect) -> Self {
        let mut tokens = TokenBook::new(1, 0);
        let user = UserId::new("user_1");
        let token = tokens.issue(&TokenPlan::of(user.clone()), NOW);
        let config = GatewayConfig {
            dialect: gateway::Dialect {
                resume: if dialect.inclusive {
                    ResumeStyle::ByIdInclusive
                } else {
                    ResumeStyle::ByNumber
                },
                answers_resume: dialect.answers_resume,
                any_end_completes: dialect.echoes,
                ..gateway::Dialect::default()
            },
            ..GatewayConfig::default()
        };
        let mut whole = Gateway::new(config, tokens);
        let operation = OperationId::new(OPERATION);
        let call = GatewayCall::Initialize { operation, user };
        let ticket = Ticket(1);
        whole.handle(NOW, GatewayInput::Called { ticket, call });
        let small = Small {
            dialect,
            initialized: Some(0),
            ..Small::default()
        };
        Self {
            small,
            socket: None,
            whole,
            token,
            frames: Frames::new(),
        }
    }

    /// What the small one has said since, as real frames; `None` is a close.
    fn said(&mut self) -> Vec<Option<ServerFrame>> {
        let Some(socket) = &mut self.socket else {
            return Vec::new();
        };
        let mut said = Vec::new();
        while let Some(down) = socket.take_live() {
            let down = self.small.say(down, socket);
            said.push(down.map(|down| down.frame(&self.frames)));
        }
        while let Some(down) = socket.take_answer() {
            let down = self.small.say(down, socket);
            said.push(down.map(|down| down.frame(&self.frames)));
        }
        if said.contains(&None) {
            self.socket = None;
        }
        said
    }

    fn read(&mut self, up: Up) {
        if let Some(socket) = &mut self.socket {
            let passed = self.small.read(up, socket, |token| token == TokenId(1));
            assert_eq!(
                passed != Passed::Nothing,
                matches!(up, Up::ToolResult { .. }) && socket.is_authenticated()
            );
        }
    }

    fn tell(&mut self, frame: ClientFrame) -> Vec<GatewayOutput> {
        let socket = SOCKET;
        self.whole
            .handle(NOW, GatewayInput::FrameReceived { socket, frame })
    }

    fn push(&mut self, symbol: Symbol) -> Vec<GatewayOutput> {
        let frame = self.frames.get(self.small.log.len() as u8 + 1, symbol);
        let ServerFrame::AgentEvent(pushed) = frame else {
            return Vec::new();
        };
        self.small.push(symbol, self.socket.as_mut());
        let operation = OperationId::new(OPERATION);
        let call = GatewayCall::PushEvent {
            operation,
            event: pushed.event.clone(),
        };
        let ticket = Ticket(2);
        self.whole
            .handle(NOW, GatewayInput::Called { ticket, call })
    }

    fn step(&mut self, random: &mut Random) {
        let symbols = [
            Symbol::Text,
            Symbol::ToolExecute,
            Symbol::ToolEnd,
            Symbol::StepComplete,
            Symbol::Done,
            Symbol::Interrupted,
            Symbol::Parked,
            Symbol::Suspended,
            Symbol::Foreign,
            Symbol::ForeignEnd,
        ];
        let out = match random.below(9) {
            0 => {
                self.socket = Some(Socket {
                    stage: Stage::Open,
                    ..Socket::new(DialId(1))
                });
                let operation = OperationId::new(OPERATION);
                self.whole
                    .handle(NOW, GatewayInput::SocketClosed { socket: SOCKET });
                let socket = SOCKET;
                self.whole
                    .handle(NOW, GatewayInput::SocketOpened { socket, operation })
            }
            1 | 2 => {
                self.read(Up::Auth(TokenId(1)));
                let token = self.token.clone();
                self.tell(ClientFrame::Auth(Box::new(Auth {
                    token,
                    token_type: None,
                    server_url: None,
                })))
            }
            3 => {
                self.read(Up::Auth(TokenId(2)));
                self.tell(ClientFrame::Auth(Box::new(Auth {
                    token: Token::new("another"),
                    token_type: None,
                    server_url: None,
                })))
            }
            4 | 5 => {
                let after = random.below(self.small.log.len() as u64 + 1) as u8;
                self.read(Up::Resume { after });
                self.tell(ClientFrame::Resume(Resume {
                    last_event_id: (after > 0).then(|| EventId::Number(after.into())),
                    want_status: true,
                }))
            }
            6 => {
                self.read(Up::Heartbeat);
                self.tell(ClientFrame::Heartbeat)
            }
            7 if random.below(4) == 0 => {
                self.small.hibernate();
                self.whole.hibernate();
                Vec::new()
            }
            7 => {
                self.read(Up::ToolResult { answered: true });
                self.tell(ClientFrame::ToolResult(Box::new(ToolResult {
                    tool_call_id: ToolCallId::new(TOOL_CALL),
                    content: None,
                    success: true,
                    error: None,
                    state: None,
                })))
            }
            _ if self.small.log.len() + 2 > LONGEST => Vec::new(),
            // One end is enough: another run of the operation would be initialized first.
            _ if self.small.log.iter().any(|symbol| symbol.ends().is_some()) => {
                self.push(Symbol::StepComplete)
            }
            _ => {
                let symbol = symbols[random.below(symbols.len() as u64) as usize];
                self.push(symbol)
            }
        };
        let expected: Vec<_> = out.into_iter().filter_map(frame_of).collect();
        assert_eq!(kinds(&self.said()), kinds(&expected));
    }
}

/// What an output is on the socket.
fn frame_of(output: GatewayOutput) -> Option<Option<ServerFrame>> {
    match output {
        GatewayOutput::SendFrame { frame, .. } => Some(Some(frame)),
        GatewayOutput::Close { .. } => Some(None),
        _ => None,
    }
}

/// Frames as text; of a refusal only that it is one, since here tokens are only good or not.
fn kinds(frames: &[Option<ServerFrame>]) -> Vec<String> {
    let text = |frame: &Option<ServerFrame>| match frame {
        Some(ServerFrame::AuthFailed(_)) => "auth_failed".to_owned(),
        Some(frame) => frame.encode(),
        None => "close".to_owned(),
    };
    frames.iter().map(text).collect()
}

#[test]
fn the_small_gateway_says_what_the_whole_one_says() {
    for number in 0..8 {
        let dialect = Dialect {
            answers_resume: number & 1 == 0,
            inclusive: number & 2 == 0,
            echoes: number & 4 == 0,
        };
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut pair = Pair::new(dialect);
            for _ in 0..60 {
                pair.step(&mut random);
            }
        }
    }
}
