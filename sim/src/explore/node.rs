//! One state of everything: the machine, what surrounds it, and what is remembered of the way there.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::action::{Action, Actions, actions};
use super::budget::{Beginning, Start};
use super::gateway::Stage;
use super::memo::{Memo, Recalled};
use super::news::News;
use super::packed::Packed;
use super::server::Answer;
use super::truth::{Truth, violation};
use super::watched::Watched;
use super::world::{RequestStage, World};
use crate::invariant::Violation;

/// One state of everything.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) beginning: u8,
    pub(super) machine: Arc<Watched>,
    pub(super) world: World,
    truth: Truth,
}

/// What came of an action.
pub(super) struct Step {
    pub(super) node: Node,
    /// What the machine was told, and what it answered; nothing, if the action was none of its business.
    pub(super) told: Option<Recalled>,
    /// What must never be.
    pub(super) violation: Option<Violation>,
}

impl Node {
    pub(super) fn new(index: u8, beginning: &Beginning, machine: Arc<Watched>) -> Self {
        let cursor = match beginning.start {
            Start::Attach { cursor, .. } => cursor,
            Start::Execute { .. } => 0,
        };
        Self {
            beginning: index,
            machine,
            world: World::new(beginning),
            truth: Truth::after(cursor),
        }
    }

    /// What may happen next.
    pub(super) fn actions(&self, beginning: &Beginning) -> Actions {
        let now = self.machine.time(self.world.idle);
        actions(&self.world, &self.machine.state, now, beginning)
    }

    /// The same state of everything has the same fingerprint.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut packed = Packed::default();
        self.machine.fingerprint().hash(&mut packed);
        self.beginning.hash(&mut packed);
        self.world.hash(&mut packed);
        self.truth.hash(&mut packed);
        packed.finish()
    }

    /// Lets one thing happen.
    pub(super) fn step(&self, action: Action, beginning: &Beginning, memo: &mut Memo) -> Step {
        let mut node = self.clone();
        node.world.faults.spend(action);
        match node.befall(action, beginning) {
            Err(violation) => node.into_step(None, Some(violation)),
            Ok(Some(news)) => node.tell(news, memo),
            Ok(None) => {
                node.world.tidy();
                node.into_step(None, None)
            }
        }
    }

    /// Carries out an action on the world, and says what the machine is to be told of it.
    fn befall(&mut self, action: Action, beginning: &Beginning) -> Result<Option<News>, Violation> {
        let world = &mut self.world;
        Ok(match action {
            Action::Begin => {
                world.user.begun = true;
                Some(News::Begun(beginning.start))
            }
            Action::Stop => {
                world.user.stops -= 1;
                Some(News::Stop)
            }
            Action::Detach => {
                world.user.detaches -= 1;
                Some(News::Detach)
            }
            Action::AnswerTool => {
                world.user.asked = false;
                Some(News::ToolAnswered)
            }
            Action::Open => world.open().map(News::Opened),
            Action::Read => {
                world.read();
                None
            }
            Action::DeliverLive => self.deliver(true),
            Action::DeliverReplay => self.deliver(false),
            Action::CarryOut(index) => {
                self.carry_out(index, beginning)?;
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
                let until = self.until_alarm().unwrap_or(0);
                self.world.idle = self.world.idle.max(until);
                Some(News::Rang)
            }
            Action::Pause => {
                if let Some(until) = self.until_alarm() {
                    self.world.idle = until - 1;
                }
                None
            }
            Action::Cut => world.socket.take().map(|socket| match socket.stage {
                Stage::Dialing => News::DialFailed(socket.dial),
                Stage::Open | Stage::Authenticated | Stage::Expired => News::Cut(socket.dial),
            }),
            Action::FallSilent => {
                world.fall_silent();
                None
            }
            Action::Expire => {
                world.expire();
                world.announce_expiry();
                None
            }
            Action::ExpireQuietly => {
                world.expire();
                None
            }
            Action::Lose(index) => {
                world.lose(index.into());
                Some(self.answer(index))
            }
            Action::Refuse(index) => {
                world.refuse(index.into());
                Some(self.answer(index))
            }
            Action::Hang(index) => {
                world.hang(index.into());
                None
            }
            Action::Hibernate => {
                world.gateway.hibernate();
                None
            }
            Action::Stray(index) => {
                if world.requests[usize::from(index)].stage == RequestStage::Sent {
                    self.carry_out(index, beginning)?;
                }
                Some(self.answer(index))
            }
            Action::Crash => {
                world.lose_everything();
                Some(News::Woken)
            }
        })
    }

    /// The server carries out a request.
    fn carry_out(&mut self, index: u8, beginning: &Beginning) -> Result<(), Violation> {
        let done = self.world.carry_out(index.into(), beginning);
        done.map(drop).map_err(|what| violation("I18", what.into()))
    }

    /// From what the machine was last told to its alarm, ms.
    fn until_alarm(&self) -> Option<u64> {
        let alarm = self.machine.state.alarm()?;
        Some(alarm.at.since(self.machine.time(0)).0)
    }

    fn answer(&mut self, index: u8) -> News {
        let request = self.world.requests.remove(index.into());
        let answer = match request.stage {
            RequestStage::Answered(answer) => answer,
            RequestStage::Sent | RequestStage::Hung => Answer::Lost,
        };
        News::Replied(request.id, answer, request.token)
    }

    fn deliver(&mut self, live: bool) -> Option<News> {
        let socket = self.world.socket.as_mut()?;
        let dial = socket.dial;
        let down = if live {
            socket.take_live()?
        } else {
            socket.take_answer()?
        };
        Some(match self.world.gateway.say(down, socket) {
            Some(said) => News::Said(dial, said),
            None => {
                self.world.socket = None;
                News::Closed(dial)
            }
        })
    }

    fn tell(mut self, news: News, memo: &mut Memo) -> Step {
        let recalled = memo.tell(&self.machine, news, self.world.idle);
        let told = &recalled.told;
        self.machine = Arc::clone(&told.after);
        self.world.idle = 0;
        let truth = self.truth.observe(&told.effects, &self.world);
        self.world.perform(&told.effects);
        self.world.rename(&told.names);
        let violation = told.violation.clone().or(truth.err());
        self.into_step(Some(recalled), violation)
    }

    fn into_step(self, told: Option<Recalled>, violation: Option<Violation>) -> Step {
        Step {
            node: self,
            told,
            violation,
        }
    }
}
