use super::{Coverage, Failure, judge};
use crate::gateway::Dialect;
use crate::script::{Script, UserSection};

/// A script that fails, as small as it could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The script.
    pub script: Script,
    /// How it fails.
    pub failure: Failure,
    /// How many smaller scripts were tried on the way.
    pub tries: u64,
}

/// Makes a failing script smaller, as long as it breaks the same invariant.
#[must_use]
pub fn shrink(script: &Script, failure: &Failure) -> Finding {
    let mut best = Finding {
        script: script.clone(),
        failure: failure.clone(),
        tries: 0,
    };
    loop {
        let mut shrunk = false;
        let mut number = 0;
        // Each candidate is made of the best script so far: after a success the same number is another candidate.
        while let Some(candidate) = candidate(&best.script, number) {
            best.tries += 1;
            match judge(&candidate, &mut Coverage::default()) {
                Err(failure) if failure.invariant == best.failure.invariant => {
                    best.script = candidate;
                    best.failure = failure;
                    shrunk = true;
                }
                Ok(()) | Err(_) => number += 1,
            }
        }
        if !shrunk || best.tries > MOST_TRIES {
            best.script.about = best.failure.to_string();
            return best;
        }
    }
}

/// More tries than this are not worth the time.
const MOST_TRIES: u64 = 5_000;

/// The script with one thing taken away or made simpler; `None` when there is no such number.
fn candidate(script: &Script, number: usize) -> Option<Script> {
    let mut smaller = script.clone();
    let mut place = number;
    if take(&mut place, 1) {
        if script.gateway.dialect == Dialect::default() {
            return candidate(script, number + 1);
        }
        smaller.gateway.dialect = Dialect::default();
        return Some(smaller);
    }
    if take(&mut place, 1) {
        smaller.network.jitter = 0;
        smaller.network.latency = 20;
        return (smaller.network != script.network)
            .then_some(smaller)
            .or_else(|| candidate(script, number + 1));
    }
    if take(&mut place, 1) {
        smaller.user.tools = UserSection::default().tools;
        smaller.api.settles_markers = true;
        return (smaller != *script)
            .then_some(smaller)
            .or_else(|| candidate(script, number + 1));
    }
    let clock = script.clock.len();
    if let Some(index) = within(&mut place, clock) {
        smaller.clock.remove(index);
        return Some(smaller);
    }
    if let Some(index) = within(&mut place, script.network.steps.len()) {
        smaller.network.steps.remove(index);
        return Some(smaller);
    }
    if let Some(index) = within(&mut place, script.api.calls.len()) {
        let name = script.api.calls.keys().nth(index).copied()?;
        smaller.api.calls.remove(&name);
        return Some(smaller);
    }
    // The first step of the user, and the server's end, are what makes it a session.
    if let Some(index) = within(&mut place, script.user.steps.len().saturating_sub(1)) {
        smaller.user.steps.remove(index + 1);
        return Some(smaller);
    }
    let steps = script.gateway.steps.len();
    if let Some(index) = within(&mut place, steps) {
        if matches!(script.gateway.steps[index].act, crate::script::Act::End(_))
            && index + 2 >= steps
        {
            return candidate(script, number + 1);
        }
        smaller.gateway.steps.remove(index);
        return Some(renumbered(smaller));
    }
    if let Some(index) = within(&mut place, steps) {
        let after = &mut smaller.gateway.steps[index].after;
        if *after <= 100 {
            return candidate(script, number + 1);
        }
        *after = if *after > 1_000 { *after / 2 } else { 100 };
        return Some(smaller);
    }
    if let Some(index) = within(&mut place, script.user.steps.len()) {
        let after = &mut smaller.user.steps[index].after;
        if *after <= 100 {
            return candidate(script, number + 1);
        }
        *after = if *after > 1_000 { *after / 2 } else { 100 };
        return Some(smaller);
    }
    None
}

/// Whether the place is among the next `count`; otherwise they are passed.
fn take(place: &mut usize, count: usize) -> bool {
    within(place, count).is_some()
}

fn within(place: &mut usize, count: usize) -> Option<usize> {
    if *place < count {
        return Some(*place);
    }
    *place -= count;
    None
}

/// The texts are the numbers 1, 2, 3, … again, as the judge expects them.
fn renumbered(mut script: Script) -> Script {
    let mut number = 0;
    for step in &mut script.gateway.steps {
        if let crate::script::Act::Text(text) = &mut step.act {
            number += 1;
            *text = format!("{number} ");
        }
    }
    script
}
