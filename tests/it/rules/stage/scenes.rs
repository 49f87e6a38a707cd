//! How a run gets onto the stage, and how far it is there.

use std::collections::BTreeMap;

use agent_gateway_machine::{Attach, Config, Effects, Limits, Reply, State};
use agent_gateway_protocol::GatewayUrl;
use agent_gateway_sim::invariant::Invariants;

use super::{AUTH_SUCCESS, Stage, chunk, execute, resume_complete};

impl Stage {
    pub(crate) fn idle() -> Self {
        Self::with(|_| {})
    }

    /// Idle, with other numbers.
    pub(crate) fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        change(&mut config.limits);
        Self::configured(config)
    }

    pub(crate) fn configured(config: Config) -> Self {
        Self {
            state: State::new(config, 1).expect("the config is valid"),
            invariants: Invariants::default(),
            now: 0,
            alarm: None,
            dial: 0,
            requests: BTreeMap::new(),
            tokens: 0,
            effects: Effects::new(),
        }
    }

    /// `execAgent` is in flight.
    pub(crate) fn starting() -> Self {
        Self::idle().executed()
    }

    /// The server has started the run, and the first dial is under way.
    pub(crate) fn dialing() -> Self {
        Self::starting().started()
    }

    /// Authenticated; `resume` is sent and not answered.
    pub(crate) fn in_seam() -> Self {
        Self::dialing().authenticated()
    }

    /// The seam is over, the run goes on.
    pub(crate) fn connected() -> Self {
        Self::in_seam().resumed()
    }

    /// The same, with other limits.
    pub(crate) fn connected_with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(change)
            .executed()
            .started()
            .authenticated()
            .resumed()
    }

    /// Connected, with frames 1 to `last` passed.
    pub(crate) fn streamed(last: u64) -> Self {
        let mut stage = Self::connected();
        for id in 1..=last {
            stage.wire(&chunk(id));
        }
        stage
    }

    /// Attached from the beginning: the token is being fetched.
    pub(crate) fn attaching() -> Self {
        let mut stage = Self::idle();
        stage.attach(Attach::new("op_1".into(), Some("tpc_1".into())));
        stage
    }

    /// Attached with a cursor and a token, authenticated, the seam open.
    pub(crate) fn attached_at(id: u64) -> Self {
        let mut stage = Self::idle();
        let mut attach = Attach::new("op_1".into(), Some("tpc_1".into()));
        attach.cursor.id = Some(id.into());
        attach.token = Some(stage.token());
        stage.attach(attach);
        stage.reply("read_marker", Reply::Marker(Some("op_1".into())));
        stage.authenticated()
    }

    pub(crate) fn executed(mut self) -> Self {
        self.execute(execute());
        self
    }

    pub(crate) fn started(mut self) -> Self {
        let started = self.start_reply();
        self.reply("start_run", started);
        self
    }

    pub(crate) fn opened(mut self) -> Self {
        self.open();
        self
    }

    pub(crate) fn authenticated(self) -> Self {
        let mut stage = self.opened();
        stage.wire(AUTH_SUCCESS);
        stage
    }

    pub(crate) fn resumed(mut self) -> Self {
        self.wire(&resume_complete("running"));
        self
    }

    /// The socket is cut, the backoff waited for, and the next socket authenticated: its seam is open.
    pub(crate) fn redialled(mut self) -> Self {
        self.cut();
        self.wait_for_dial();
        self.authenticated()
    }
}
