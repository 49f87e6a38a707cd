//! The canonical form of a state loses no behaviour: whatever comes next, a state and the one that stands for it answer
//! alike, but for the names of things and the time, and stay alike. So one of each sort is enough to explore.

use agent_gateway_machine::{Effects, Event, EventKind, Renaming, State, Timestamp, transition};
use serde_json::Value;

use super::history::{Beginning, History};
use super::{number, repeat, search};

/// Histories of each beginning, unless `AGW_HISTORIES` says how many.
const HISTORIES: u32 = 600;

#[test]
fn the_canonical_form_of_a_state_goes_on_as_the_state_does() {
    let cases = number("AGW_HISTORIES").unwrap_or(HISTORIES);
    for beginning in [Beginning::Execute, Beginning::Attach] {
        search(cases, |words| live(beginning, words))
            .unwrap_or_else(|(what, words)| panic!("{what}\n{}", repeat(beginning.name(), &words)));
    }
}

fn live(beginning: Beginning, words: &[u32]) -> Result<(), String> {
    let (first, rest) = words.split_first().ok_or("no words")?;
    let told = |violation: agent_gateway_sim::invariant::Violation| violation.to_string();
    let mut history = History::begin(beginning, *first, None).map_err(told)?;
    for word in rest {
        history.act(*word).map_err(told)?;
    }
    let recording = history.recording();
    let mut state =
        State::new(recording.header.config.clone(), recording.header.seed).map_err(text)?;
    for recorded in &recording.steps {
        state = step(without_jitter(&state)?, &recorded.event)?;
    }
    Ok(())
}

/// Goes one step with the state and with its canonical form, and holds the two against each other.
fn step(state: State, event: &Event) -> Result<State, String> {
    let mut canonical = state.clone();
    let mut names = canonical.canonicalize();
    if canonical.check().is_err() || fingerprint(&canonical) != fingerprint(&twice(&canonical)) {
        return Err(format!("a canonical form is none: {canonical:?}"));
    }
    let renamed = rename(event, &mut names)?;
    let (after, effects) = transition(state, event.clone());
    let (canonical_after, canonical_effects) = transition(canonical.clone(), renamed.clone());
    let mut one = after.clone();
    let mut other = canonical_after.clone();
    one.canonicalize();
    other.canonicalize();
    if one != other {
        return Err(format!(
            "after {event:?} in {canonical:?}\n{one:?}\nis not\n{other:?}"
        ));
    }
    let one = shape(&effects, event.at)?;
    let other = shape(&canonical_effects, renamed.at)?;
    if one != other {
        return Err(format!(
            "{event:?} in {canonical:?}: {one}\nis not\n{other}"
        ));
    }
    Ok(after)
}

fn twice(canonical: &State) -> State {
    let mut again = canonical.clone();
    again.canonicalize();
    again
}

fn fingerprint(state: &State) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    state.fingerprint(&mut hasher);
    hasher.finish()
}

/// The event as it happens to the canonical state.
fn rename(event: &Event, names: &mut Renaming) -> Result<Event, String> {
    let mut value = serde_json::to_value(&event.kind).map_err(text)?;
    walk(&mut value, &mut |key, id| match key {
        "dial" => Some(names.dial(agent_gateway_machine::DialId(id)).0),
        "request" => Some(names.request(agent_gateway_machine::RequestId(id)).0),
        _ => None,
    });
    let kind: EventKind = serde_json::from_value(value).map_err(text)?;
    let at = match kind {
        // A new clock: its reading is not the old one's.
        EventKind::Restored { .. } => event.at,
        _ => names.moment(event.at),
    };
    Ok(Event::new(at, kind))
}

/// The effects with every name replaced by when it is first seen, times by their distance, and without the receipt.
fn shape(effects: &Effects, at: Timestamp) -> Result<Value, String> {
    let mut value = serde_json::to_value(effects).map_err(text)?;
    let mut seen: Vec<(String, u64)> = Vec::new();
    walk(&mut value, &mut |key, number| match key {
        "dial" | "request" | "token" | "already_open" | "stale_dial" | "stale_request"
        | "unexpected_reply" => {
            let name = (key.to_owned(), number);
            let place = seen.iter().position(|known| *known == name);
            Some(place.unwrap_or_else(|| {
                seen.push(name);
                seen.len() - 1
            }) as u64)
        }
        "at" => Some(Timestamp::from_millis(number).since(at).0),
        "delivered" | "replayed" | "duplicates" | "late" | "gaps" | "reconnects" | "refreshes"
        | "warnings" | "ignored" => Some(0),
        _ => None,
    });
    Ok(value)
}

/// Replaces numbers by the name of their member.
fn walk(value: &mut Value, replace: &mut impl FnMut(&str, u64) -> Option<u64>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_u64().and_then(|number| replace(key, number)) {
                    Some(number) => *member = number.into(),
                    None => walk(member, replace),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, replace)),
        _ => {}
    }
}

/// The same state with the generator of its jitter where the canonical form has it.
fn without_jitter(state: &State) -> Result<State, String> {
    let mut value = serde_json::to_value(state).map_err(text)?;
    value["kit"]["jitter"] = 0.into();
    serde_json::from_value(value).map_err(text)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
