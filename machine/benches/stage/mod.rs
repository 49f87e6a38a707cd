//! A connected run and the chunks it is to be told of, made outside the measured time.

use agent_gateway_machine::{
    Config, Effect, Event, EventKind, Execute, Reply, Started, State, Timestamp, TokenGrant,
    TokenId, TokenKind, transition,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, ServerFrame};

/// The wire text of the `id`th `stream_chunk`, as LobeHub sends it.
pub(crate) fn chunk(id: u64) -> String {
    format!(
        "{{\"type\":\"agent_event\",\"id\":\"{id}\",\"event\":{{\"data\":{{\"chunkType\":\"text\",\
         \"content\":\"Codes from 4000 to 4999 are for applications. \"}},\
         \"operationId\":\"op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa\",\"stepIndex\":1,\
         \"timestamp\":{},\"type\":\"stream_chunk\"}}}}",
        1_783_756_800_000 + id * 300
    )
}

/// The event that the `id`th chunk is to a connected run.
pub(crate) fn chunk_event(id: u64) -> Event {
    frame(&chunk(id), 1_000 + id)
}

/// A run that streams, its seam over.
pub(crate) fn connected() -> State {
    let gateway = GatewayUrl::parse("wss://gateway.example").ok();
    let state = State::new(Config::new(gateway), 1).expect("the config is valid");
    let execute = Execute::new(ExecAgent::default());
    let (mut state, effects) = tell(state, EventKind::Execute(Box::new(execute)));
    let request = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::SendRequest { request, .. } => Some(*request),
            _ => None,
        })
        .expect("the run is asked for");
    let reply = Reply::Started(Box::new(Started {
        operation: "op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa".into(),
        topic: None,
        agent: None,
        thread: None,
        assistant_message: None,
        user_message: None,
        token: Some(TokenGrant {
            id: TokenId(1),
            kind: TokenKind::Jwt,
            lifetime: None,
        }),
    }));
    let effects;
    (state, effects) = tell(state, EventKind::ReplyReceived { request, reply });
    let dial = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::OpenConnection { dial, .. } => Some(*dial),
            _ => None,
        })
        .expect("the gateway is dialled");
    (state, _) = tell(state, EventKind::ConnectionOpened { dial });
    for text in [
        "{\"type\":\"auth_success\"}",
        "{\"type\":\"resume_complete\",\"status\":\"running\"}",
    ] {
        (state, _) = transition(state, frame(text, 0));
    }
    assert_eq!(state.phase(), "streaming");
    state
}

fn tell(state: State, kind: EventKind) -> (State, Vec<Effect>) {
    let (state, effects) = transition(state, Event::new(Timestamp::ZERO, kind));
    (state, effects.into())
}

fn frame(text: &str, at: u64) -> Event {
    let frame = ServerFrame::decode(text).expect("the frame is well formed");
    let dial = agent_gateway_machine::DialId(1);
    Event::new(
        Timestamp::from_millis(at),
        EventKind::FrameReceived { dial, frame },
    )
}
