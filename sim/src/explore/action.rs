//! What may happen next.

use core::fmt;

use agent_gateway_machine::{State, Timestamp};
use arrayvec::ArrayVec;

use super::budget::{Beginning, Faults, Start};
use super::gateway::Stage;
use super::server::Turn;
use super::world::{Purpose, RequestStage, World};

/// One thing that may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    // Of itself, sooner or later.
    /// The caller executes, or attaches.
    Begin,
    /// The dial comes through.
    Open,
    /// The gateway reads the next frame.
    Read,
    /// The client reads what the gateway said by itself.
    DeliverLive,
    /// The client reads what the gateway said in answer.
    DeliverReplay,
    /// The server carries out a request.
    CarryOut(u8),
    /// The client gets an answer.
    Answer(u8),
    /// The run goes on.
    TakeTurn(Turn),
    /// Somebody else has answered the tool call, or the server does not wait any longer.
    EndTool,
    /// Nothing is on its way: time passes, and the alarm rings.
    Ring,

    // As the caller likes.
    Stop,
    Detach,
    AnswerTool,

    // Faults.
    Cut,
    FallSilent,
    /// All tokens run out, and the gateway says so if anybody is authenticated.
    Expire,
    /// All tokens run out, and nobody says so.
    ExpireQuietly,
    /// A request is lost before the server, or its answer behind it.
    Lose(u8),
    /// A request is refused.
    Refuse(u8),
    /// A request is never answered.
    Hang(u8),
    Hibernate,
    /// The answer to a request that was cancelled comes all the same.
    Stray(u8),
    /// Time passes although something is on its way.
    RingEarly,
    /// Time passes until just before the alarm.
    Pause,
    Crash,
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Begin => "the caller begins",
            Self::Open => "the dial comes through",
            Self::Read => "the gateway reads a frame",
            Self::DeliverLive => "a live frame arrives",
            Self::DeliverReplay => "a frame of the replay, or an ack, arrives",
            Self::CarryOut(_) => "the server carries out a request",
            Self::Answer(_) => "an answer arrives",
            Self::TakeTurn(Turn::End) => "the run ends on the server",
            Self::TakeTurn(_) => "the run goes on on the server",
            Self::EndTool => "somebody else answers the tool call",
            Self::Ring => "nothing is on its way, and the alarm rings",
            Self::Stop => "the caller stops",
            Self::Detach => "the caller detaches",
            Self::AnswerTool => "the caller answers the tool call",
            Self::Cut => "FAULT: the socket is cut, or the dial fails",
            Self::FallSilent => "FAULT: the socket falls silent",
            Self::Expire => "FAULT: the token runs out, and the gateway says so",
            Self::ExpireQuietly => "FAULT: the token runs out",
            Self::Lose(_) => "FAULT: a request, or its answer, is lost",
            Self::Refuse(_) => "FAULT: a request is refused",
            Self::Hang(_) => "FAULT: a request will never be answered",
            Self::Hibernate => "FAULT: the gateway loses its buffer",
            Self::Stray(_) => "FAULT: a cancelled request is answered all the same",
            Self::RingEarly => "FAULT: the alarm rings while something is on its way",
            Self::Pause => "time passes until just before the alarm",
            Self::Crash => "FAULT: the program ends, and its stored state is woken",
        })
    }
}

impl Action {
    /// Whether it happens sooner or later if it can happen again and again: what liveness may count on.
    pub(super) fn is_fair(self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::Open
                | Self::Read
                | Self::DeliverLive
                | Self::DeliverReplay
                | Self::CarryOut(_)
                | Self::Answer(_)
                | Self::TakeTurn(_)
                | Self::EndTool
                | Self::Ring
        )
    }
}

/// All that may happen next.
pub(super) type Actions = ArrayVec<Action, 48>;

/// What may happen in this world next, always in the same order.
pub(super) fn actions(
    world: &World,
    state: &State,
    now: Timestamp,
    beginning: &Beginning,
) -> Actions {
    let mut actions = Actions::new();
    if state.is_settled() {
        return actions;
    }
    let attaches = matches!(beginning.start, Start::Attach { .. });
    if !world.user.begun {
        let known = match beginning.start {
            Start::Execute { .. } => true,
            Start::Attach { cursor, .. } => world.gateway.log.len() >= usize::from(cursor),
        };
        if known {
            actions.push(Action::Begin);
        }
        if attaches && let Some(turn) = world.server.next(beginning.program) {
            actions.push(Action::TakeTurn(turn));
        }
        return actions;
    }
    by_themselves(world, state, beginning, &mut actions);
    by_the_caller(world, state, &mut actions);
    faults(world, state, now, &mut actions);
    actions
}

fn by_themselves(world: &World, state: &State, beginning: &Beginning, actions: &mut Actions) {
    if let Some(socket) = world.socket.as_ref().filter(|socket| !socket.silent) {
        if socket.stage == Stage::Dialing {
            actions.push(Action::Open);
        }
        if !socket.up.is_empty() {
            actions.push(Action::Read);
        }
        if !socket.live.is_empty() {
            actions.push(Action::DeliverLive);
        }
        if socket.may_answer() {
            actions.push(Action::DeliverReplay);
        }
    }
    for (index, request) in (0..).zip(&world.requests) {
        match request.stage {
            // One that nobody waits for may have gone any distance.
            _ if request.cancelled => {}
            RequestStage::Sent => actions.push(Action::CarryOut(index)),
            RequestStage::Answered(_) => actions.push(Action::Answer(index)),
            RequestStage::Hung => {}
        }
    }
    if let Some(turn) = world.server.next(beginning.program) {
        actions.push(Action::TakeTurn(turn));
    }
    let by_others = matches!(
        beginning.start,
        Start::Attach {
            executes_tools: false,
            ..
        }
    );
    if world.server.waits && (by_others || world.has_lost_call()) {
        actions.push(Action::EndTool);
    }
    if state.alarm().is_some() && !world.is_busy() {
        actions.push(Action::Ring);
    }
}

fn by_the_caller(world: &World, state: &State, actions: &mut Actions) {
    if state.outcome().is_some() {
        return;
    }
    if world.user.stops > 0 {
        actions.push(Action::Stop);
    }
    if world.user.detaches > 0 {
        actions.push(Action::Detach);
    }
    if world.user.asked {
        actions.push(Action::AnswerTool);
    }
}

fn faults(world: &World, state: &State, now: Timestamp, actions: &mut Actions) {
    let left = &world.faults;
    if left.all == 0 {
        return;
    }
    if let Some(socket) = &world.socket {
        if left.cuts > 0 && !socket.silent {
            actions.push(Action::Cut);
        }
        if left.silences > 0 && !socket.silent {
            actions.push(Action::FallSilent);
        }
    }
    if left.expiries > 0 && !world.tokens.is_empty() {
        let listens = world
            .socket
            .as_ref()
            .is_some_and(|socket| socket.is_authenticated() && !socket.silent);
        if listens {
            actions.push(Action::Expire);
        }
        if world.tokens.iter().any(|(_, good)| *good) {
            actions.push(Action::ExpireQuietly);
        }
    }
    for (index, request) in (0..).zip(&world.requests) {
        if request.cancelled {
            if left.strays > 0 {
                actions.push(Action::Stray(index));
            }
            continue;
        }
        if left.requests == 0 || request.stage == RequestStage::Hung {
            continue;
        }
        actions.push(Action::Lose(index));
        actions.push(Action::Hang(index));
        let refusable = matches!(request.purpose, Purpose::Start | Purpose::Token);
        if request.stage == RequestStage::Sent && refusable {
            actions.push(Action::Refuse(index));
        }
    }
    if left.hibernations > 0 && usize::from(world.gateway.forgotten) < world.gateway.log.len() {
        actions.push(Action::Hibernate);
    }
    let next = state.alarm().map(|alarm| alarm.at);
    if left.delays > 0 && next.is_some() && world.is_busy() {
        actions.push(Action::RingEarly);
    }
    let later = next.is_some_and(|at| at.as_millis() > now.as_millis() + 1);
    if left.pauses > 0 && later && !world.is_busy() {
        actions.push(Action::Pause);
    }
    if left.crashes > 0 {
        actions.push(Action::Crash);
    }
}

impl Faults {
    /// What is left once this has happened.
    pub(super) fn spend(&mut self, action: Action) {
        let kind = match action {
            Action::Cut => &mut self.cuts,
            Action::FallSilent => &mut self.silences,
            Action::Expire | Action::ExpireQuietly => &mut self.expiries,
            Action::Lose(_) | Action::Refuse(_) | Action::Hang(_) => &mut self.requests,
            Action::Hibernate => &mut self.hibernations,
            Action::Stray(_) => &mut self.strays,
            Action::RingEarly => &mut self.delays,
            Action::Pause => &mut self.pauses,
            Action::Crash => &mut self.crashes,
            _ => return,
        };
        *kind -= 1;
        self.all -= 1;
        self.cuts = self.cuts.min(self.all);
        self.silences = self.silences.min(self.all);
        self.expiries = self.expiries.min(self.all);
        self.requests = self.requests.min(self.all);
        self.hibernations = self.hibernations.min(self.all);
        self.strays = self.strays.min(self.all);
        self.delays = self.delays.min(self.all);
        self.pauses = self.pauses.min(self.all);
        self.crashes = self.crashes.min(self.all);
    }
}
