use super::Failure;
use crate::gateway::Dialect;
use crate::names;
use crate::script::{Act, Expect, Script, UserAct, UserSection};

/// A script that fails, as small as it could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The script, with [`Expect::fair`]: whoever plays it sees it fail.
    pub script: Script,
    /// How it fails.
    pub failure: Failure,
    /// How many smaller scripts were tried on the way.
    pub tries: u64,
}

/// Makes a failing script smaller, as long as it breaks the same invariant. `fails` plays one:
/// `|script| judge(script, &mut Coverage::default()).err()`; once it says `None` to all, the end is near.
#[must_use]
pub fn shrink(
    script: &Script,
    failure: &Failure,
    mut fails: impl FnMut(&Script) -> Option<Failure>,
) -> Finding {
    let mut failure = failure.clone();
    let mut shrinking = Shrinking::new(script.clone());
    let mut tries = 0;
    let mut has_more = shrinking.keep();
    while has_more && tries < MOST_TRIES {
        tries += 1;
        has_more = match fails(shrinking.current()) {
            Some(smaller) if smaller.invariant == failure.invariant => {
                failure = smaller;
                shrinking.keep()
            }
            _ => shrinking.discard(),
        };
    }
    let mut script = shrinking.best;
    script.about = format!("found by a campaign: {failure}");
    script.rules = Some(failure.invariant.clone())
        .filter(|name| names::is_rule(name))
        .into_iter()
        .collect();
    script.expect = Expect {
        fair: true,
        ignored: names::IGNORED.map(str::to_owned).into(),
        ..Expect::default()
    };
    Finding {
        script,
        failure,
        tries,
    }
}

/// More tries than this are not worth the time.
const MOST_TRIES: u64 = 5_000;

/// A script on its way to a smaller one that fails as well: one thing after the other is taken away or made simpler.
#[derive(Clone, Debug)]
pub(crate) struct Shrinking {
    /// The smallest known to fail.
    best: Script,
    /// The one to try next.
    current: Script,
    /// Which change of the best one it is.
    number: usize,
    /// Whether this round of changes has brought anything.
    has_shrunk: bool,
}

impl Shrinking {
    /// Begins with a script not tried yet.
    pub(crate) fn new(script: Script) -> Self {
        Self {
            best: script.clone(),
            current: script,
            number: 0,
            has_shrunk: false,
        }
    }

    /// The script to try; when there is no other left, the smallest that fails.
    pub(crate) fn current(&self) -> &Script {
        &self.current
    }

    /// The current script fails: it is the best one now. Whether there is another to try.
    pub(crate) fn keep(&mut self) -> bool {
        if self.current != self.best {
            self.best = self.current.clone();
            self.has_shrunk = true;
        }
        // Of the new best script, the same number is another change.
        self.propose()
    }

    /// The current script does not fail. Whether there is another to try.
    pub(crate) fn discard(&mut self) -> bool {
        self.number += 1;
        self.propose()
    }

    fn propose(&mut self) -> bool {
        loop {
            if let Some(change) = changes(&self.best).get(self.number) {
                self.current = change.applied_to(&self.best);
                return true;
            }
            if !self.has_shrunk {
                self.current = self.best.clone();
                return false;
            }
            self.has_shrunk = false;
            self.number = 0;
        }
    }
}

/// One way to make a script simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Dialect,
    Network,
    Hands,
    Tokens,
    /// The user begins with a plain run.
    Beginning,
    RemoveClock(usize),
    RemoveNetwork(usize),
    RemoveCall(usize),
    RemoveUser(usize),
    /// So many steps from this one on.
    RemoveGateway(usize, usize),
    /// Not this step, but its wait.
    MergeGateway(usize),
    ShortenGateway(usize),
    ShortenUser(usize),
}

/// All ways that change something, the most promising first.
fn changes(script: &Script) -> Vec<Change> {
    let mut changes = Vec::new();
    // The server's end, and the first step of the user, are what makes it a session.
    let steps = &script.gateway.steps;
    let removable = steps
        .iter()
        .rposition(|step| matches!(step.act, Act::End(_)))
        .unwrap_or(steps.len());
    let mut span = removable / 2;
    while span > 1 {
        let starts = (0..=removable - span).step_by(span);
        changes.extend(starts.map(|start| Change::RemoveGateway(start, span)));
        span /= 2;
    }
    if script.gateway.dialect != Dialect::default() {
        changes.push(Change::Dialect);
    }
    let network = &script.network;
    let is_slow = network.bytes_per_second.is_some();
    if network.jitter != 0 || network.latency != LATENCY || is_slow {
        changes.push(Change::Network);
    }
    let tells_late = network.tells_late;
    if !script.user.tools.is_empty() || !script.api.settles_markers || tells_late {
        changes.push(Change::Hands);
    }
    if script.user.tokens.is_some() {
        changes.push(Change::Tokens);
    }
    let first = script.user.steps.first();
    if first.is_some_and(|step| matches!(step.act, UserAct::Approve(_))) {
        changes.push(Change::Beginning);
    }
    changes.extend((0..script.clock.len()).map(Change::RemoveClock));
    changes.extend((0..script.network.steps.len()).map(Change::RemoveNetwork));
    changes.extend((0..script.api.calls.len()).map(Change::RemoveCall));
    changes.extend((1..script.user.steps.len()).map(Change::RemoveUser));
    changes.extend((0..removable).map(|index| Change::RemoveGateway(index, 1)));
    changes.extend((removable + 1..steps.len()).map(|index| Change::RemoveGateway(index, 1)));
    let merges = (0..removable).filter(|index| steps[*index].after > 0);
    changes.extend(merges.map(Change::MergeGateway));
    let long = |after: u64| after > SHORT;
    let gateway = steps.iter().enumerate();
    changes.extend(
        gateway
            .filter(|(_, step)| long(step.after))
            .map(|(index, _)| Change::ShortenGateway(index)),
    );
    let user = script.user.steps.iter().enumerate();
    changes.extend(
        user.filter(|(_, step)| long(step.after))
            .map(|(index, _)| Change::ShortenUser(index)),
    );
    changes
}

/// A latency like any other, ms.
const LATENCY: u64 = 20;

/// No wait is made shorter than this, ms.
const SHORT: u64 = 100;

impl Change {
    fn applied_to(self, script: &Script) -> Script {
        let mut script = script.clone();
        match self {
            Self::Dialect => script.gateway.dialect = Dialect::default(),
            Self::Network => {
                script.network.jitter = 0;
                script.network.latency = LATENCY;
                script.network.bytes_per_second = None;
            }
            Self::Tokens => script.user.tokens = None,
            Self::Beginning => script.user.steps[0].act = UserAct::ExecuteInTopic("go".into()),
            Self::Hands => {
                script.user.tools = UserSection::default().tools;
                script.api.settles_markers = true;
                script.network.tells_late = false;
            }
            Self::RemoveClock(index) => {
                script.clock.remove(index);
            }
            Self::RemoveNetwork(index) => {
                script.network.steps.remove(index);
            }
            Self::RemoveCall(index) => {
                let name = script.api.calls.keys().nth(index).copied();
                script.api.calls.retain(|other, _| Some(*other) != name);
            }
            Self::RemoveUser(index) => {
                script.user.steps.remove(index);
            }
            Self::RemoveGateway(start, count) => {
                script.gateway.steps.drain(start..start + count);
                renumber(&mut script);
            }
            Self::MergeGateway(index) => {
                let after = script.gateway.steps.remove(index).after;
                script.gateway.steps[index].after += after;
                renumber(&mut script);
            }
            Self::ShortenGateway(index) => shorten(&mut script.gateway.steps[index].after),
            Self::ShortenUser(index) => shorten(&mut script.user.steps[index].after),
        }
        script
    }
}

fn shorten(after: &mut u64) {
    *after = (*after / 2).max(SHORT);
}

/// The texts are the numbers 1, 2, 3, … again, as the judge expects them.
fn renumber(script: &mut Script) {
    let mut number = 0;
    for step in &mut script.gateway.steps {
        if let Act::Text(text) = &mut step.act {
            number += 1;
            *text = format!("{number} ");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::random_script;

    #[test]
    fn a_script_that_always_fails_shrinks_to_what_makes_it_a_session() {
        for seed in 0..50 {
            let mut shrinking = Shrinking::new(random_script(seed));
            let mut tries = 0;
            while shrinking.keep() {
                tries += 1;
                assert!(tries < 2_000, "seed {seed} does not come to an end");
            }
            let script = shrinking.current();
            assert_eq!(changes(script), []);
            assert_eq!(
                (script.user.steps.len(), script.gateway.steps.len()),
                (1, 1)
            );
        }
    }

    #[test]
    fn a_script_of_which_nothing_can_be_left_out_stays_as_it_is() {
        let script = random_script(7);
        let mut shrinking = Shrinking::new(script.clone());
        let mut has_more = shrinking.keep();
        while has_more {
            assert_ne!(*shrinking.current(), script);
            has_more = shrinking.discard();
        }
        assert_eq!(*shrinking.current(), script);
    }
}
