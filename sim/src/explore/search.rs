//! Breadth first, level by level, on as many threads as are asked for: the first way to a state is a shortest one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use agent_gateway_machine::State;

use super::graph::{Findings, Graph, Origin};
use super::memo::{Memo, Recalled};
use super::node::Node;
use super::table::Table;
use super::truth::violation;
use super::watched::{Living, Watched};
use super::{Budget, Explored, Progress, Surveyor, Wish};
use crate::invariant::{Observation, Violation};

/// States that a thread takes at once.
const CHUNK: usize = 256;

/// A state on the frontier takes this many bytes, beside its machine, which many share.
const NODE_BYTES: u64 = size_of::<(u32, Node)>() as u64;

/// A machine and what the invariants remember take this many bytes, roughly, and so do what it was told and answered.
const MACHINE_BYTES: u64 = 3_000;

type Chunk = Vec<(u32, Node)>;

/// What all threads share.
struct Shared<'a> {
    budget: &'a Budget,
    table: Table,
    transitions: AtomicU64,
    /// States of this level that are still to be looked at.
    todo: Mutex<Vec<Chunk>>,
    stop: AtomicBool,
}

/// What one thread makes of a level.
struct Worker<'a, O> {
    shared: &'a Shared<'a>,
    surveyor: &'a mut O,
    memo: &'a mut Memo,
    findings: Findings,
    next: Vec<Chunk>,
    violations: Vec<Broken>,
}

/// What all threads have made of a level.
#[derive(Default)]
struct Level {
    findings: Vec<Findings>,
    next: Vec<Chunk>,
    broken: Vec<Broken>,
}

/// An action that must never be possible.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) from: u32,
    pub(super) action: u8,
    pub(super) violation: Violation,
}

/// All that an exploration has found.
pub(super) struct Search {
    pub(super) graph: Graph,
    pub(super) beginnings: Vec<Node>,
    pub(super) explored: Explored,
    pub(super) broken: Option<Broken>,
}

/// Explores all that the budget allows, from `state` before its beginning.
pub(super) fn search<O: Surveyor>(
    budget: &Budget,
    state: &State,
    surveyors: &mut [O],
    watch: &mut impl FnMut(&Progress) -> Wish,
) -> Search {
    let shared = Shared::new(budget);
    let living = Living::default();
    let mut memos: Vec<Memo> = surveyors.iter().map(|_| Memo::new(&living)).collect();
    let machine = Arc::new(Watched::new(state.clone(), &living));
    let beginnings: Vec<Node> = (0..)
        .zip(&budget.beginnings)
        .map(|(index, beginning)| Node::new(index, beginning, Arc::clone(&machine)))
        .collect();
    let mut graph = Graph::default();
    let mut level = shared.first_level(&beginnings, &mut graph);
    let mut depth = 0;
    let mut broken = Vec::new();
    while !level.is_empty() && broken.is_empty() && !shared.is_stopped() {
        let frontier: u64 = level.iter().map(|chunk| chunk.len() as u64).sum();
        let graph_bytes = graph.bytes();
        let mut check = |next: u64| {
            let nodes = (frontier + next) * NODE_BYTES + living.count() * MACHINE_BYTES;
            let progress = Progress {
                states: shared.table.len().into(),
                transitions: shared.transitions.load(Ordering::Relaxed),
                depth,
                frontier,
                memory: shared.table.bytes() + graph_bytes + nodes,
            };
            if watch(&progress) == Wish::Stop {
                shared.stop.store(true, Ordering::Relaxed);
            }
        };
        let done = shared.look_at(level, surveyors, &mut memos, &mut check);
        graph.add(shared.table.len(), done.findings);
        level = done.next;
        broken = done.broken;
        depth += 1;
    }
    let explored = Explored {
        states: shared.table.len().into(),
        transitions: shared.transitions.load(Ordering::Relaxed),
        depth,
        is_closed: !shared.is_stopped() && broken.is_empty(),
    };
    let broken = broken.into_iter();
    Search {
        graph,
        beginnings,
        explored,
        broken: broken.min_by_key(|broken| (broken.from, broken.action)),
    }
}

impl<'a> Shared<'a> {
    fn new(budget: &'a Budget) -> Self {
        Self {
            budget,
            table: Table::new(),
            transitions: AtomicU64::new(0),
            todo: Mutex::default(),
            stop: AtomicBool::new(false),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn todo(&self) -> MutexGuard<'_, Vec<Chunk>> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The states of the beginnings.
    fn first_level(&self, beginnings: &[Node], graph: &mut Graph) -> Vec<Chunk> {
        let mut first = Findings::default();
        let mut level = Chunk::new();
        for node in beginnings {
            let (number, _) = self.table.enter(node.fingerprint());
            first.met.push((number, Origin::NONE, false));
            level.push((number, node.clone()));
        }
        graph.add(self.table.len(), vec![first]);
        vec![level]
    }

    /// Looks at all states of a level, on a thread for each surveyor. `check` is told again and again, on this one, how
    /// many states of the next level it has met.
    fn look_at<O: Surveyor>(
        &self,
        level: Vec<Chunk>,
        surveyors: &mut [O],
        memos: &mut [Memo],
        check: &mut impl FnMut(u64),
    ) -> Level {
        *self.todo() = level;
        let mut hands = surveyors.iter_mut().zip(memos);
        let (mine, memo) = hands.next().expect("there is a surveyor");
        let mut whole = Level::default();
        thread::scope(|scope| {
            let others: Vec<_> = hands
                .map_while(|(surveyor, memo)| {
                    let work = || Worker::new(self, surveyor, memo).work(&mut |_| {});
                    // Where no more threads are to be had, those that are do it all.
                    thread::Builder::new().spawn_scoped(scope, work).ok()
                })
                .collect();
            let mine = Worker::new(self, mine, memo).work(check);
            let others = others.into_iter().filter_map(|other| other.join().ok());
            for (findings, next, broken) in others.chain([mine]) {
                whole.findings.push(findings);
                whole.next.extend(next);
                whole.broken.extend(broken);
            }
        });
        whole
    }
}

impl Search {
    /// What must never be and was found, and the way there: an action that breaks an invariant, or a state from which
    /// no end can be reached any more.
    pub(super) fn verdict(&self) -> Option<((u32, Vec<u8>), Violation)> {
        if let Some(broken) = &self.broken {
            let (first, mut way) = self.graph.way_to(broken.from);
            way.push(broken.action);
            return Some(((first, way), broken.violation.clone()));
        }
        let stuck = self.graph.stuck()?;
        let what = "without another fault, no end can be reached any more".into();
        Some((self.graph.way_to(stuck), violation("I16", what)))
    }
}

impl<'a, O: Surveyor> Worker<'a, O> {
    fn new(shared: &'a Shared<'a>, surveyor: &'a mut O, memo: &'a mut Memo) -> Self {
        Self {
            shared,
            surveyor,
            memo,
            findings: Findings::default(),
            next: Vec::new(),
            violations: Vec::new(),
        }
    }

    fn work(mut self, check: &mut impl FnMut(u64)) -> (Findings, Vec<Chunk>, Vec<Broken>) {
        loop {
            let Some(chunk) = self.shared.todo().pop() else {
                break;
            };
            for (number, node) in chunk {
                self.explore(number, &node);
            }
            check((self.next.len() * CHUNK) as u64);
            if self.shared.is_stopped() {
                break;
            }
        }
        (self.findings, self.next, self.violations)
    }

    fn explore(&mut self, number: u32, node: &Node) {
        let beginning = &self.shared.budget.beginnings[usize::from(node.beginning)];
        let actions = node.actions(beginning);
        self.shared
            .transitions
            .fetch_add(actions.len() as u64, Ordering::Relaxed);
        for (index, action) in (0..).zip(actions) {
            let step = node.step(action, beginning, self.memo);
            if let Some(Recalled {
                told,
                is_known: false,
            }) = &step.told
            {
                let seen = Observation {
                    event: &told.event,
                    effects: &told.effects,
                    state: &told.after.state,
                };
                self.surveyor.observe(&node.machine.state, &seen);
            }
            if let Some(violation) = step.violation {
                self.violations.push(Broken {
                    from: number,
                    action: index,
                    violation,
                });
                continue;
            }
            let (to, is_new) = self.shared.table.enter(step.node.fingerprint());
            if is_new {
                let origin = Origin {
                    parent: number,
                    action: index,
                };
                let ends = step.node.machine.state.is_settled();
                self.findings.met.push((to, origin, ends));
                self.keep(to, step.node);
            }
            if action.is_fair() && to != number {
                self.findings.fair.push((number, to));
            }
        }
        self.findings.explored.push(number);
    }

    fn keep(&mut self, number: u32, node: Node) {
        match self.next.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push((number, node)),
            _ => {
                let mut chunk = Chunk::with_capacity(CHUNK);
                chunk.push((number, node));
                self.next.push(chunk);
            }
        }
    }
}
