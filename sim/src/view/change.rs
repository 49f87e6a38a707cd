use agent_gateway_machine::{State, Timer};
use serde::Serialize;
use serde_json::{Map, Value};

use super::span::name_of;
use crate::trace::cut;

/// One thing in the state that a step changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change(
    /// Where in the state's JSON, as `timers.heartbeat`.
    pub String,
    /// What it was, as JSON, shortened; empty if it was not there.
    pub String,
    /// What it is, likewise.
    pub String,
);

/// More elements of one list than this are not told one by one.
const MOST_ELEMENTS: usize = 8;

/// Values are told up to this many letters.
const MOST_LETTERS: usize = 160;

/// Compares each state with the one before it.
#[derive(Debug)]
pub(super) struct Changes {
    before: Value,
}

impl Changes {
    pub(super) fn from(state: &State) -> Self {
        Self {
            before: json(state),
        }
    }

    /// What is different in `state`, in the order of its JSON.
    pub(super) fn step(&mut self, state: &State) -> Vec<Change> {
        let after = json(state);
        let mut found = Vec::new();
        compare("", &self.before, &after, &mut found);
        for Change(path, ..) in &mut found {
            *path = without_phase(path).to_owned();
        }
        self.before = after;
        found
    }
}

/// The state as a person looks at it: without version and config, which never change, and without the time, which every
/// step tells; timers by their names.
fn json(state: &State) -> Value {
    let mut json = serde_json::to_value(state).unwrap_or_default();
    let Some(core) = json.as_object_mut() else {
        return json;
    };
    core.remove("version");
    if let Some(Value::Object(kit)) = core.remove("kit") {
        for (name, member) in kit {
            if name != "config" && name != "clock" {
                core.insert(name, member);
            }
        }
    }
    if let Some(timers) = core.get_mut("timers").and_then(Value::as_object_mut) {
        timers.remove("changed");
        if let Some(Value::Array(deadlines)) = timers.remove("deadlines") {
            for (timer, deadline) in Timer::ALL.iter().zip(deadlines) {
                timers.insert(name_of(timer), deadline);
            }
        }
    }
    json
}

pub(super) fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) if !is_other_variant(before, after) => {
            let added = after.keys().filter(|name| !before.contains_key(*name));
            for name in before.keys().chain(added) {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) => compare(&path, before, after, found),
                    (before, after) => found.push(Change(path, shown(before), shown(after))),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => compare_lists(path, before, after, found),
        _ => found.push(Change(path.into(), shown(Some(before)), shown(Some(after)))),
    }
}

/// What lies between the ends they share, element by element if that is little.
fn compare_lists(path: &str, before: &[Value], after: &[Value], found: &mut Vec<Change>) {
    let same = |(before, after): &(&Value, &Value)| before == after;
    let head = before.iter().zip(after).take_while(same).count();
    let (before, after) = (&before[head..], &after[head..]);
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take_while(same)
        .count();
    let (before, after) = (&before[..before.len() - tail], &after[..after.len() - tail]);
    if before.len().max(after.len()) > MOST_ELEMENTS {
        let count = |list: &[Value]| format!("{} elements", list.len());
        found.push(Change(path.into(), count(before), count(after)));
        return;
    }
    for index in 0..before.len().max(after.len()) {
        let path = format!("{path}[{}]", head + index);
        match (before.get(index), after.get(index)) {
            (Some(before), Some(after)) => compare(&path, before, after, found),
            (before, after) => found.push(Change(path, shown(before), shown(after))),
        }
    }
}

/// The step says in which phase the run is, so the path need not.
fn without_phase(path: &str) -> &str {
    let inside = path.strip_prefix("phase.");
    inside
        .and_then(|path| path.split_once('.'))
        .map_or(path, |(_, path)| path)
}

/// Whether these are two variants of one enum: then the change is as a whole.
fn is_other_variant(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    before.len() == 1 && after.len() == 1 && before.keys().ne(after.keys())
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| cut(&value.to_string(), MOST_LETTERS))
}
