use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::{OperationId, ToolCallId, TopicId};
use serde_json::Value;

use super::deed::Deed;
use crate::script::{Act, EndAct, GatewaySection, GatewayStep, Reaction, Trigger, TypeAct};

/// What every run plays, shared by all stages.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    steps: Arc<[Step]>,
    reactions: Arc<[Answer]>,
}

/// One step of a script, as far as it can be made ready before a run begins.
#[derive(Debug)]
struct Step {
    when: Option<Trigger>,
    after: Millis,
    deed: Deed,
}

/// One reaction of a script.
#[derive(Debug)]
struct Answer {
    on: Trigger,
    times: Option<u64>,
    steps: Arc<[Step]>,
}

impl Play {
    pub(crate) fn new(section: &GatewaySection) -> Self {
        let mut reactions = section.reactions.clone();
        let answers_stop = reactions
            .iter()
            .any(|reaction| reaction.on == Trigger::StopRequested);
        if !answers_stop {
            reactions.push(interruption());
        }
        Self {
            steps: ready(&section.steps),
            reactions: reactions
                .iter()
                .map(|reaction| Answer {
                    on: reaction.on,
                    times: reaction.times,
                    steps: ready(&reaction.steps),
                })
                .collect(),
        }
    }
}

fn ready(steps: &[GatewayStep]) -> Arc<[Step]> {
    steps
        .iter()
        .map(|step| Step {
            when: step.when,
            after: Millis(step.after),
            deed: Deed::of(&step.act),
        })
        .collect()
}

/// What a healthy server does when it is asked to stop a run.
fn interruption() -> Reaction {
    let step = |after, act| GatewayStep {
        when: None,
        after,
        act,
    };
    let end = EndAct {
        reason: Some("interrupted".into()),
        detail: Some("Agent runtime interrupted".into()),
        error_type: None,
    };
    Reaction {
        on: Trigger::StopRequested,
        times: Some(1),
        steps: vec![step(50, Act::Halt), step(0, Act::End(end))],
    }
}

/// One run, and how far its play is.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) words: Words,
    /// Whether the latest tool result was a success.
    pub(super) tool_success: bool,
    /// The step that events belong to.
    pub(super) step_index: u32,
    counts: [u64; Trigger::COUNT],
    lines: Vec<Line>,
    play: Play,
}

/// What the texts of a script can name.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) operation: OperationId,
    pub(super) topic: TopicId,
    pub(super) prompt: Box<str>,
    /// The tool call that the run was started with the approval of; empty without one.
    approved: Box<str>,
    /// The content of the latest tool result.
    pub(super) tool_result: Box<str>,
}

/// Steps done one after the other.
#[derive(Clone, Debug)]
struct Line {
    steps: Arc<[Step]>,
    at: usize,
    /// When the step before was done, or the line began.
    since: Timestamp,
    /// How often each trigger has been waited for.
    waited: [u64; Trigger::COUNT],
    /// What a step has been split into, each with its wait.
    pieces: VecDeque<(Millis, Deed)>,
}

impl Stage {
    pub(super) fn new(words: Words, play: &Play, now: Timestamp) -> Self {
        let line = Line::new(play.steps.clone(), now, [0; Trigger::COUNT]);
        Self {
            words,
            tool_success: true,
            step_index: 0,
            counts: [0; Trigger::COUNT],
            lines: vec![line],
            play: play.clone(),
        }
    }

    /// Something happened: lines that wait for it go on, and reactions to it begin.
    pub(super) fn trigger(&mut self, trigger: Trigger, now: Timestamp) {
        let count = &mut self.counts[trigger as usize];
        *count += 1;
        let count = *count;
        for line in &mut self.lines {
            line.notice(trigger, count, now);
        }
        for answer in self.play.reactions.iter() {
            let is_left = answer.times.is_none_or(|times| count <= times);
            if answer.on == trigger && is_left && !answer.steps.is_empty() {
                let line = Line::new(answer.steps.clone(), now, self.counts);
                self.lines.push(line);
            }
        }
    }

    /// The next thing that is due, if any.
    pub(super) fn next_deed(&mut self, now: Timestamp) -> Option<Deed> {
        let counts = &self.counts;
        let (at, index) = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| line.due(counts).map(|at| (at, index)))
            .min()
            .filter(|(at, _)| *at <= now)?;
        let line = &mut self.lines[index];
        let mut deed = line.take(at, &self.words);
        if let Some(Deed::Act(act)) = &deed
            && let Act::Type(typed) = &**act
        {
            line.pieces = pieces(typed, &self.words.fill(&typed.text));
            deed = line.take(at, &self.words);
        }
        let is_over = line.is_over();
        if matches!(&deed, Some(Deed::Act(act)) if matches!(**act, Act::Halt)) {
            let line = self.lines.swap_remove(index);
            self.lines = if is_over { Vec::new() } else { vec![line] };
        } else if is_over {
            self.lines.remove(index);
        }
        deed
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.lines
            .iter()
            .filter_map(|line| line.due(&self.counts))
            .min()
    }
}

impl Words {
    pub(super) fn new(
        operation: OperationId,
        topic: TopicId,
        prompt: Box<str>,
        approved: Option<ToolCallId>,
    ) -> Self {
        Self {
            operation,
            topic,
            prompt,
            approved: approved.map_or_else(Box::default, |call| call.as_str().into()),
            tool_result: Box::default(),
        }
    }

    /// Text with what it names filled in.
    pub(super) fn fill<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !names_anything(text) {
            return Cow::Borrowed(text);
        }
        let filled = text
            .replace("{prompt}", &self.prompt)
            .replace("{approved}", &self.approved)
            .replace("{tool_result}", &self.tool_result)
            .replace("{operation}", self.operation.as_str())
            .replace("{topic}", self.topic.as_str());
        Cow::Owned(filled)
    }

    /// JSON with what its texts name filled in.
    pub(super) fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text).into_owned()),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), self.fill_value(value)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// Whether there is anything to fill in.
pub(super) fn names_anything(text: &str) -> bool {
    text.contains('{')
}

impl Line {
    fn new(steps: Arc<[Step]>, since: Timestamp, waited: [u64; Trigger::COUNT]) -> Self {
        Self {
            steps,
            at: 0,
            since,
            waited,
            pieces: VecDeque::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.pieces.is_empty() && self.at >= self.steps.len()
    }

    /// When the next thing is due; `None` while it waits for something to happen.
    fn due(&self, counts: &[u64; Trigger::COUNT]) -> Option<Timestamp> {
        if let Some((wait, _)) = self.pieces.front() {
            return Some(self.since.plus(*wait));
        }
        let step = self.steps.get(self.at)?;
        if let Some(trigger) = step.when
            && counts[trigger as usize] <= self.waited[trigger as usize]
        {
            return None;
        }
        Some(self.since.plus(step.after))
    }

    /// What this line waits for has happened: its wait begins now.
    fn notice(&mut self, trigger: Trigger, count: u64, now: Timestamp) {
        let waits = self.pieces.is_empty()
            && self
                .steps
                .get(self.at)
                .is_some_and(|step| step.when == Some(trigger));
        if waits && count == self.waited[trigger as usize] + 1 {
            self.since = self.since.max(now);
        }
    }

    fn take(&mut self, at: Timestamp, words: &Words) -> Option<Deed> {
        self.since = at;
        if let Some((_, deed)) = self.pieces.pop_front() {
            return Some(deed);
        }
        let step = self.steps.get(self.at)?;
        self.at += 1;
        if let Some(trigger) = step.when {
            self.waited[trigger as usize] += 1;
        }
        Some(step.deed.filled(words))
    }
}

/// A text in pieces that end at spaces, the first at once.
fn pieces(typed: &TypeAct, text: &str) -> VecDeque<(Millis, Deed)> {
    let mut pieces = VecDeque::new();
    let mut piece = String::new();
    for word in text.split_inclusive([' ', '\n']) {
        piece.push_str(word);
        if piece.chars().count() >= typed.letters {
            pieces.push_back(core::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push_back(piece);
    }
    pieces
        .into_iter()
        .enumerate()
        .map(|(index, piece)| {
            let wait = if index == 0 { 0 } else { typed.every };
            (Millis(wait), Deed::chunk(typed.kind, &piece))
        })
        .collect()
}
