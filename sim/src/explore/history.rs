//! The way to a violation as it would really happen: with ids that are never used again, on a clock that goes on; and as
//! a script that `agw sim` plays.

use std::collections::BTreeMap;

use agent_gateway_machine::{
    DialId, Effect, Effects, Event, EventKind, Renaming, Reply, RequestId, State, Timestamp,
    TokenId, transition,
};
use agent_gateway_protocol::OperationStatus;

use super::action::Action;
use super::budget::{Budget, limits};
use super::log::Ended;
use super::memo::{Memo, Recalled};
use super::node::{Node, Step};
use super::search::Search;
use super::watched::Living;
use super::world::World;
use crate::invariant::Violation;
use crate::script::{
    ApiSection, Count, Expect, GatewaySection, NetworkSection, Script, UserSection,
};
use crate::world::World as Rehearsed;

/// The seed of the script, and so of the machine's jitter in it.
const SEED: u64 = 1;

/// Fair steps that are shown of a run that can never end.
const SHOWN: usize = 24;

/// Something that must never be, and a shortest way there.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is.
    pub violation: Violation,
    /// What happens on the way there, one action each.
    pub actions: Vec<String>,
    /// The same as a script: what the machine is told, and what should have come of it.
    pub script: Script,
}

/// The machine as the script has it, before its beginning.
pub(super) fn machine() -> State {
    let script = blank(String::new());
    let world = Rehearsed::new(&script, SEED).expect("the limits are valid");
    world.machine().expect("nothing has happened yet").clone()
}

/// A script in which nothing happens.
fn blank(about: String) -> Script {
    Script {
        schema: None,
        about,
        rules: Vec::new(),
        seed: SEED,
        limits: limits(),
        gateway: GatewaySection::default(),
        api: ApiSection::default(),
        user: UserSection::default(),
        network: NetworkSection::default(),
        clock: Vec::new(),
        history: Vec::new(),
        expect: Expect::default(),
    }
}

impl Found {
    /// Walks the way anew, from `machine`.
    pub(super) fn follow(
        search: &Search,
        budget: &Budget,
        machine: &State,
        (first, way): (u32, Vec<u8>),
        violation: Violation,
    ) -> Self {
        let mut walk = Walk::new(search.beginnings[first as usize].clone(), machine.clone());
        let beginning = &budget.beginnings[usize::from(walk.node.beginning)];
        let mut memo = Memo::new(&Living::default());
        for index in way {
            let action = walk.node.actions(beginning)[usize::from(index)];
            walk.go(action, walk.node.step(action, beginning, &mut memo));
        }
        if violation.invariant == "I16" {
            for _ in 0..SHOWN {
                let actions = walk.node.actions(beginning);
                let Some(action) = actions.into_iter().find(|action| action.is_fair()) else {
                    break;
                };
                walk.go(action, walk.node.step(action, beginning, &mut memo));
            }
        }
        let about = format!(
            "found by `agw check --budget {}`, from `{}`: {violation}",
            budget.name, beginning.name
        );
        let rule = violation.invariant;
        let script = Script {
            rules: Vec::from_iter(crate::names::is_rule(rule).then(|| rule.to_owned())),
            expect: expectation(&violation, &walk.node.world),
            history: walk.events,
            ..blank(about)
        };
        Self {
            violation,
            actions: walk.actions,
            script,
        }
    }
}

/// A history being made of canonical steps.
struct Walk {
    node: Node,
    /// The real machine beside the canonical one.
    state: Option<State>,
    now: Timestamp,
    dials: BTreeMap<DialId, DialId>,
    requests: BTreeMap<RequestId, RequestId>,
    tokens: u64,
    events: Vec<Event>,
    actions: Vec<String>,
}

impl Walk {
    fn new(node: Node, machine: State) -> Self {
        Self {
            node,
            state: Some(machine),
            now: Timestamp::ZERO,
            dials: BTreeMap::new(),
            requests: BTreeMap::new(),
            tokens: 0,
            events: Vec::new(),
            actions: Vec::new(),
        }
    }

    fn go(&mut self, action: Action, step: Step) {
        self.pass_time(action);
        self.actions.push(match &step.told {
            Some(told) => format!("{action}: {}", told.told.event.kind.name()),
            None => action.to_string(),
        });
        if let Some(Recalled { told, .. }) = &step.told {
            let event = Event::new(self.now, self.name(&told.event.kind));
            if let Some(state) = self.state.take() {
                let (state, effects) = transition(state, event.clone());
                self.state = Some(state);
                self.learn(&told.effects, &effects);
            }
            self.events.push(event);
            self.rename(&told.names);
        }
        self.node = step.node;
    }

    /// The alarm that rings is the real machine's.
    fn pass_time(&mut self, action: Action) {
        let alarm = self.state.as_ref().and_then(State::alarm);
        let Some(alarm) = alarm.map(|alarm| alarm.at.as_millis()) else {
            return;
        };
        let until = match action {
            Action::Ring | Action::RingEarly => alarm,
            Action::Pause => alarm.saturating_sub(1),
            _ => return,
        };
        self.now = self.now.max(Timestamp::from_millis(until));
    }

    /// What the machine is told, by the real names.
    fn name(&mut self, kind: &EventKind) -> EventKind {
        let mut kind = kind.clone();
        match &mut kind {
            EventKind::ConnectionOpened { dial }
            | EventKind::DialFailed { dial, .. }
            | EventKind::FrameReceived { dial, .. }
            | EventKind::ConnectionClosed { dial, .. } => {
                *dial = self.dials.get(dial).copied().unwrap_or(*dial);
            }
            EventKind::ReplyReceived { request, reply } => {
                *request = self.requests.get(request).copied().unwrap_or(*request);
                let grant = match reply {
                    Reply::TokenIssued(grant) => Some(grant),
                    Reply::Started(started) => started.token.as_mut(),
                    _ => None,
                };
                if let Some(grant) = grant {
                    self.tokens += 1;
                    grant.id = TokenId(self.tokens);
                }
            }
            _ => {}
        }
        kind
    }

    /// What the canonical machine has called its new dials and requests, and what the real one has.
    fn learn(&mut self, canonical: &Effects, real: &Effects) {
        let dials = |effect: &Effect| match effect {
            Effect::OpenConnection { dial, .. } => Some(*dial),
            _ => None,
        };
        let requests = |effect: &Effect| match effect {
            Effect::SendRequest { request, .. } => Some(*request),
            _ => None,
        };
        let pairs = canonical.iter().filter_map(dials);
        self.dials.extend(pairs.zip(real.iter().filter_map(dials)));
        let pairs = canonical.iter().filter_map(requests);
        self.requests
            .extend(pairs.zip(real.iter().filter_map(requests)));
    }

    fn rename(&mut self, names: &Renaming) {
        let mut names = names.clone();
        let dials = core::mem::take(&mut self.dials).into_iter();
        self.dials = dials
            .map(|(known, real)| (names.dial(known), real))
            .collect();
        let requests = core::mem::take(&mut self.requests).into_iter();
        self.requests = requests
            .map(|(known, real)| (names.request(known), real))
            .collect();
    }
}

/// What a script must expect for the violation to show: what only the server's side shows is spelled out.
fn expectation(violation: &Violation, world: &World) -> Expect {
    let mut expect = Expect::default();
    let what = &violation.what;
    match violation.invariant {
        "I6" if what.starts_with("a gap") => {
            expect
                .effects
                .insert("notify.gap_found".into(), Count::Exactly(0));
        }
        "I6" | "I10" if what.contains("event") || what.contains("without") => {
            let events = world.gateway.log.iter().filter_map(|symbol| symbol.event());
            expect.events = Some(events.map(|kind| kind.as_str().to_owned()).collect());
        }
        "I10" => {
            let status = Ended::status(world.server.ended);
            expect.outcome = Some(match status {
                OperationStatus::Interrupted => "interrupted".into(),
                OperationStatus::Completed => "completed".into(),
                OperationStatus::WaitingForHuman => "parked".into(),
                _ => "none".into(),
            });
        }
        "I16" => expect.outcome = Some("completed".into()),
        "I18" => {
            for name in ["send_request.settle_marker", "send_request.clear_marker"] {
                expect.effects.insert(name.into(), Count::Exactly(0));
            }
        }
        "T3" => {
            expect
                .effects
                .insert("notify.answer_undeliverable".into(), Count::Exactly(0));
        }
        _ => {}
    }
    // Nothing is wrong with being ignored.
    expect.ignored = crate::names::IGNORED.map(str::to_owned).to_vec();
    expect
}
