//! One state of everything: the machine, what surrounds it, and what is remembered of the way there.

use std::hash::{BuildHasher, Hash, Hasher};

use agent_gateway_machine::{
    Close, DialFailure, DialFailureKind, Effects, Event, EventKind, Renaming, State, Timestamp,
    transition,
};
use foldhash::quality::FixedState;

use super::action::{Action, Actions, actions};
use super::budget::{Beginning, Start};
use super::gateway::{Down, Stage};
use super::log::Frames;
use super::server::Answer;
use super::truth::{Truth, violation};
use super::world::{Purpose, RequestStage, World, command, frame, reply, tool_answer};
use crate::invariant::{Invariants, Observation, Violation};

/// One state of everything.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) beginning: u8,
    pub(super) state: State,
    pub(super) world: World,
    invariants: Invariants,
    truth: Truth,
    /// The hands' clock at the last event.
    now: Timestamp,
}

/// What came of an action.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) node: Node,
    /// What the machine was told, and what it answered; nothing, if the action was none of its business.
    pub(super) told: Option<(Event, Effects)>,
    /// What must never be.
    pub(super) violation: Option<Violation>,
    /// What things are called in the node now.
    pub(super) names: Renaming,
}

impl Node {
    pub(super) fn new(index: u8, beginning: &Beginning, state: State) -> Self {
        let cursor = match beginning.start {
            Start::Attach { cursor, .. } => cursor,
            Start::Execute { .. } => 0,
        };
        let mut node = Self {
            beginning: index,
            state,
            world: World::new(beginning),
            invariants: Invariants::default(),
            truth: Truth::after(cursor),
            now: Timestamp::ZERO,
        };
        node.canonicalize();
        node
    }

    /// What may happen next.
    pub(super) fn actions(&self, beginning: &Beginning) -> Actions {
        actions(&self.world, &self.state, self.time(), beginning)
    }

    /// The same state of everything has the same fingerprint.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = FixedState::with_seed(1).build_hasher();
        self.state.fingerprint(&mut hasher);
        self.beginning.hash(&mut hasher);
        self.world.hash(&mut hasher);
        self.invariants.hash(&mut hasher);
        self.truth.hash(&mut hasher);
        hasher.finish()
    }

    /// Lets one thing happen.
    pub(super) fn step(&self, action: Action, beginning: &Beginning, frames: &Frames) -> Step {
        let mut node = self.clone();
        node.world.faults.spend(action);
        let told = match node.befall(action, beginning, frames) {
            Ok(kind) => kind,
            Err(violation) => return node.into_step(None, Some(violation)),
        };
        match told {
            Some(kind) => node.tell(kind),
            None => node.into_step(None, None),
        }
    }

    /// The hands' clock.
    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + self.world.idle)
    }

    /// Carries out an action on the world, and says what the machine is to be told of it.
    fn befall(
        &mut self,
        action: Action,
        beginning: &Beginning,
        frames: &Frames,
    ) -> Result<Option<EventKind>, Violation> {
        let world = &mut self.world;
        Ok(match action {
            Action::Begin => {
                world.user.begun = true;
                Some(command(beginning.start))
            }
            Action::Stop => {
                world.user.stops -= 1;
                Some(EventKind::Stop)
            }
            Action::Detach => {
                world.user.detaches -= 1;
                Some(EventKind::Detach)
            }
            Action::AnswerTool => {
                world.user.asked = false;
                Some(tool_answer())
            }
            Action::Open => world.socket.as_mut().map(|socket| {
                socket.stage = Stage::Open;
                EventKind::ConnectionOpened { dial: socket.dial }
            }),
            Action::Read => {
                world.read(beginning);
                None
            }
            Action::DeliverLive => self.deliver(true, frames),
            Action::DeliverReplay => self.deliver(false, frames),
            Action::CarryOut(index) => {
                let done = world.carry_out(index.into(), beginning);
                done.map_err(|what| violation("I18", what.into()))?;
                None
            }
            Action::Answer(index) => Some(self.answer(index)),
            Action::TakeTurn(turn) => {
                world.take_turn(turn, beginning);
                None
            }
            Action::EndTool => {
                world.end_tool();
                None
            }
            Action::Ring | Action::RingEarly => {
                let now = self.now.as_millis();
                if let Some(alarm) = self.state.alarm() {
                    let later = alarm.at.as_millis().saturating_sub(now);
                    world.idle = world.idle.max(later);
                }
                Some(EventKind::AlarmRang)
            }
            Action::Pause => {
                if let Some(alarm) = self.state.alarm() {
                    world.idle = alarm.at.since(self.now).as_millis() - 1;
                }
                None
            }
            Action::Cut => world.socket.take().map(|socket| {
                let dial = socket.dial;
                if socket.stage == Stage::Dialing {
                    let failure = DialFailure {
                        kind: DialFailureKind::Unreachable,
                        text: "connection refused".into(),
                    };
                    return EventKind::DialFailed { dial, failure };
                }
                let text = "connection reset by peer".into();
                let close = Close::Lost { text };
                EventKind::ConnectionClosed { dial, close }
            }),
            Action::FallSilent => {
                if let Some(socket) = &mut world.socket {
                    socket.fall_silent();
                }
                None
            }
            Action::Expire => {
                world.expire();
                if let Some(socket) = &mut world.socket {
                    socket.stage = Stage::Expired;
                    socket.live.push(Down::AuthExpired);
                }
                None
            }
            Action::ExpireQuietly => {
                world.expire();
                None
            }
            Action::Lose(index) => {
                let request = &mut world.requests[usize::from(index)];
                request.stage = RequestStage::Answered(Answer::Lost);
                request.token = None;
                Some(self.answer(index))
            }
            Action::Refuse(index) => {
                let request = &mut world.requests[usize::from(index)];
                request.stage = RequestStage::Answered(match request.purpose {
                    Purpose::Start => Answer::StartRefused,
                    _ => Answer::Unauthorized,
                });
                Some(self.answer(index))
            }
            Action::Hang(index) => {
                let request = &mut world.requests[usize::from(index)];
                request.stage = RequestStage::Hung;
                request.token = None;
                None
            }
            Action::Hibernate => {
                world.gateway.hibernate();
                None
            }
            Action::Stray(index) => {
                if world.requests[usize::from(index)].stage == RequestStage::Sent {
                    let done = world.carry_out(index.into(), beginning);
                    done.map_err(|what| violation("I18", what.into()))?;
                }
                Some(self.answer(index))
            }
            Action::Crash => {
                world.lose_everything();
                Some(EventKind::Restored { token: None })
            }
        })
    }

    fn answer(&mut self, index: u8) -> EventKind {
        let request = self.world.requests.remove(index.into());
        let answer = match request.stage {
            RequestStage::Answered(answer) => answer,
            RequestStage::Sent | RequestStage::Hung => Answer::Lost,
        };
        EventKind::ReplyReceived {
            request: request.id,
            reply: reply(answer, request.token),
        }
    }

    fn deliver(&mut self, live: bool, frames: &Frames) -> Option<EventKind> {
        let socket = self.world.socket.as_mut()?;
        let dial = socket.dial;
        let down = if live {
            socket.take_live()?
        } else {
            socket.take_answer()?
        };
        Some(match frame(down, &self.world.gateway, socket, frames) {
            Some(frame) => EventKind::FrameReceived { dial, frame },
            None => {
                self.world.socket = None;
                let close = Close::Closed {
                    code: Some(agent_gateway_protocol::CloseCode::POLICY_VIOLATION),
                    reason: "".into(),
                };
                EventKind::ConnectionClosed { dial, close }
            }
        })
    }

    fn tell(mut self, kind: EventKind) -> Step {
        let event = Event::new(self.time(), kind);
        self.now = event.at;
        self.world.idle = 0;
        let (state, effects) = transition(self.state, event.clone());
        self.state = state;
        let step = Observation {
            event: &event,
            effects: &effects,
            state: &self.state,
        };
        let observed = self.invariants.observe(&step);
        let truth = self.truth.observe(&step, &self.world);
        self.world.perform(&effects);
        let violation = observed.and(truth).err();
        self.into_step(Some((event, effects)), violation)
    }

    fn into_step(mut self, told: Option<(Event, Effects)>, violation: Option<Violation>) -> Step {
        let names = self.canonicalize();
        Step {
            node: self,
            told,
            violation,
            names,
        }
    }

    fn canonicalize(&mut self) -> Renaming {
        let mut names = self.state.canonicalize();
        self.now = names.moment(self.now);
        self.world.rename(&mut names);
        self.invariants
            .rename(&mut names, &self.state.config().limits);
        names
    }
}
