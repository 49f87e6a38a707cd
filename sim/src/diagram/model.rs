use agent_gateway_machine::Rules;

use super::collector::Move;
use super::{Aspect, Collector, Reasons, Subject};

/// A state diagram, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// What it is about.
    pub subject: Subject,
    /// Its regions, which go on side by side.
    pub regions: Vec<Region>,
}

/// One aspect: a state machine of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Which.
    pub aspect: Aspect,
    /// Its states, in the order of a life.
    pub nodes: Vec<Node>,
    /// Its moves, in that order too.
    pub edges: Vec<Edge>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its word.
    pub name: &'static str,
    /// What happens in it and does not move it; empty unless asked for.
    pub loops: Vec<Cause>,
}

/// Every way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// None: there was none before.
    pub from: Option<&'static str>,
    /// None: there is none any more.
    pub to: Option<&'static str>,
    /// The rules that decide it whatever the cause.
    pub always: Rules,
    /// What brings it about. Empty where that needs no word: it is just where everything begins or ends.
    pub causes: Vec<Cause>,
}

/// An event, and why it does what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The event: a frame by its type, a reply by what it says, a ring by the timer that was due.
    pub trigger: &'static str,
    /// By which rules, beside those that hold for the whole edge.
    pub reasons: Reasons,
}

impl Diagram {
    /// What a collector knows of a subject; `with_loops`: also what moves nothing.
    #[must_use]
    pub fn new(subject: Subject, seen: &Collector, with_loops: bool) -> Self {
        let regions = subject.aspects().iter();
        Self {
            subject,
            regions: regions
                .map(|aspect| Region::new(*aspect, seen, with_loops))
                .collect(),
        }
    }
}

impl Region {
    fn new(aspect: Aspect, seen: &Collector, with_loops: bool) -> Self {
        let words = aspect.words();
        let order = |word: Option<&str>| words.iter().position(|known| Some(*known) == word);
        let is_met = |word: &&&str| {
            let mut moves = seen.moves(aspect);
            moves.any(|(step, _)| step.from == Some(word) || step.to == Some(word))
        };
        let nodes = words.iter().filter(is_met).map(|name| Node {
            name,
            loops: if with_loops {
                loops(name, aspect, seen)
            } else {
                Vec::new()
            },
        });
        let mut edges = Vec::<Edge>::new();
        for (step, reasons) in seen.moves(aspect).filter(|(step, _)| step.is_shown()) {
            let cause = Cause {
                trigger: step.trigger,
                reasons: reasons.clone(),
            };
            match edges.last_mut() {
                Some(edge) if edge.from == step.from && edge.to == step.to => {
                    edge.causes.push(cause)
                }
                _ => edges.push(Edge {
                    from: step.from,
                    to: step.to,
                    always: Rules::default(),
                    causes: vec![cause],
                }),
            }
        }
        for edge in &mut edges {
            edge.factor_out();
        }
        begin_and_end(aspect, &mut edges);
        edges.sort_by_key(|edge| (order(edge.from), order(edge.to).unwrap_or(words.len())));
        Self {
            aspect,
            nodes: nodes.collect(),
            edges,
        }
    }
}

impl Move {
    fn is_shown(&self) -> bool {
        self.from != self.to && (self.to.is_some() || self.aspect.has_ends())
    }
}

impl Edge {
    /// Its lines: the rules of the whole edge first, if there is more than one cause.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let [cause] = &self.causes[..] {
            lines.push((cause.trigger, join(self.always, &cause.reasons)));
            return lines;
        }
        if !self.always.is_empty() {
            lines.push(("always", self.always.to_string()));
        }
        for cause in &self.causes {
            lines.push((cause.trigger, cause.reasons.to_string()));
        }
        lines
    }

    /// What all causes have in common is told once.
    fn factor_out(&mut self) {
        self.always = Reasons::common(self.causes.iter().map(|cause| &cause.reasons));
        for cause in &mut self.causes {
            cause.reasons = cause.reasons.without(self.always);
        }
    }
}

fn join(always: Rules, reasons: &Reasons) -> String {
    let mut joined = Reasons::default();
    for rules in reasons.iter() {
        joined.add(rules.union(always));
    }
    joined.to_string()
}

/// Where everything begins and ends needs no word, unless there is a choice.
fn begin_and_end(aspect: Aspect, edges: &mut Vec<Edge>) {
    let plain = |from, to| Edge {
        from,
        to,
        always: Rules::default(),
        causes: Vec::new(),
    };
    match aspect {
        Aspect::Phase => {
            edges.push(plain(None, Some("idle")));
            edges.push(plain(Some("ended"), None));
        }
        Aspect::Status => edges.push(plain(None, Some("disconnected"))),
        Aspect::Seam | Aspect::Token | Aspect::End => {
            let mut begins: Vec<_> = edges
                .iter_mut()
                .filter(|edge| edge.from.is_none())
                .collect();
            if let [edge] = &mut begins[..] {
                **edge = plain(None, edge.to);
            }
        }
    }
}

fn loops(word: &str, aspect: Aspect, seen: &Collector) -> Vec<Cause> {
    seen.moves(aspect)
        .filter(|(step, reasons)| {
            step.from == step.to && step.from == Some(word) && !reasons.are_none()
        })
        .map(|(step, reasons)| Cause {
            trigger: step.trigger,
            reasons: reasons.clone(),
        })
        .collect()
}
