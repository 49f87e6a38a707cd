//! What has been asked of the caller, and what became of it: each once, and remembered (T2, T4).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;

use agent_gateway_protocol::ClientFrame;
use agent_gateway_protocol::event::ToolExecute;
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::notification::AnswerId;
use crate::outbox::ask::Asked;
use crate::time::Timestamp;
use crate::token::TokenId;

/// Everything asked in this run, oldest settled forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Ledger {
    #[serde(with = "pairs")]
    entries: BTreeMap<AnswerId, Entry>,
    /// Counts up, so that entries have an order of age.
    next: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Entry {
    age: u64,
    stage: Stage,
}

/// How far an ask has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// A tool call inside a seam: its end may be in the replay too (T1).
    Held(Box<ToolExecute>),
    /// The caller was asked; a tool call is answered in its place at the deadline.
    Asked(Asked),
    /// Answered; kept to be sent again (T3).
    Answered(Answer),
    /// Done with.
    Settled,
}

/// An answer on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The tool call it is to: whoever picks the run up without this answer must be asked again (T1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Box<ToolExecute>>,
    pub(crate) frame: ClientFrame<TokenId>,
    /// What it takes on the wire.
    pub(crate) bytes: usize,
    pub(crate) expires: Timestamp,
    pub(crate) delivery: Delivery,
}

/// How far an answer has come. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    /// It was never written to an authenticated socket.
    Unsent,
    /// It was written to one, and to each after it.
    Sent,
    /// One that it was written to was closed for a frame over the gateway's limit (C7).
    Suspected,
}

impl Answer {
    pub(crate) fn new(frame: ClientFrame<TokenId>, expires: Timestamp) -> Self {
        let bytes = frame.size();
        Self {
            call: None,
            frame,
            bytes,
            expires,
            delivery: Delivery::Unsent,
        }
    }

    /// It is written to an authenticated socket.
    pub(crate) fn send(&mut self) -> ClientFrame<TokenId> {
        if self.delivery == Delivery::Unsent {
            self.delivery = Delivery::Sent;
        }
        self.frame.clone()
    }
}

impl Ledger {
    pub(crate) fn stage(&self, id: &AnswerId) -> Option<&Stage> {
        self.entries.get(id).map(|entry| &entry.stage)
    }

    /// Remembers a new ask, and forgets the oldest settled ones for it. Refused if those that are still open leave no
    /// room, in count or bytes (T4, I13).
    pub(crate) fn insert(&mut self, id: AnswerId, stage: Stage, limits: &Limits) -> bool {
        let bytes = stage.bytes(&id);
        if !self.has_room(1, bytes, limits, |stage| *stage != Stage::Settled) {
            return false;
        }
        while !self.has_room(1, bytes, limits, |_| true) {
            self.forget_oldest_settled();
        }
        let age = self.next;
        self.next += 1;
        self.entries.insert(id, Entry { age, stage });
        true
    }

    /// Puts a known ask into another stage, and says which it was in.
    pub(crate) fn advance(&mut self, id: &AnswerId, stage: Stage) -> Option<Stage> {
        let entry = self.entries.get_mut(id)?;
        Some(mem::replace(&mut entry.stage, stage))
    }

    /// Takes the answer to what was asked.
    pub(crate) fn answer(&mut self, id: &AnswerId, mut answer: Answer) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if let Stage::Asked(asked) = mem::replace(&mut entry.stage, Stage::Settled) {
            answer.call = asked.ask.into_call();
        }
        entry.stage = Stage::Answered(answer);
    }

    /// What is open, in no order.
    pub(crate) fn asked_mut(&mut self) -> impl Iterator<Item = &mut Asked> {
        let entries = self.entries.values_mut();
        entries.filter_map(|entry| match &mut entry.stage {
            Stage::Asked(asked) => Some(asked),
            Stage::Held(_) | Stage::Answered(_) | Stage::Settled => None,
        })
    }

    /// Answers on their way, oldest first.
    pub(crate) fn answers_mut(&mut self) -> Vec<(&AnswerId, &mut Answer)> {
        let mut answers: Vec<_> = self
            .entries
            .iter_mut()
            .filter_map(|(id, entry)| match &mut entry.stage {
                Stage::Answered(answer) => Some((entry.age, id, answer)),
                Stage::Held(_) | Stage::Asked(_) | Stage::Settled => None,
            })
            .collect();
        answers.sort_unstable_by_key(|(age, ..)| *age);
        answers
            .into_iter()
            .map(|(_, id, answer)| (id, answer))
            .collect()
    }

    /// The largest answer that has been sent, and of equal ones the oldest.
    pub(crate) fn largest_sent(&self) -> Option<(&AnswerId, &Answer)> {
        let sent = self.entries.iter().filter_map(|(id, entry)| {
            let answer = entry.stage.answer()?;
            let is_sent = answer.delivery != Delivery::Unsent;
            is_sent.then_some((entry.age, id, answer))
        });
        sent.max_by_key(|(age, _, answer)| (answer.bytes, Reverse(*age)))
            .map(|(_, id, answer)| (id, answer))
    }

    /// The ids of the asks of one sort of stage, oldest first.
    pub(crate) fn ids(&self, wanted: impl Fn(&Stage) -> bool) -> Vec<AnswerId> {
        let mut ids: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| wanted(&entry.stage))
            .map(|(id, entry)| (entry.age, id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Answers on their way, in no order.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Answer> {
        let entries = self.entries.values();
        entries.filter_map(|entry| entry.stage.answer())
    }

    /// How many answers are on their way, and their bytes (I13).
    pub(crate) fn waiting(&self) -> (usize, usize) {
        self.answers().fold((0, 0_usize), |(count, bytes), answer| {
            (count + 1, bytes.saturating_add(answer.bytes))
        })
    }

    /// Whether nothing was ever asked: so in most runs.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The earliest deadline or expiry.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.entries
            .values()
            .filter_map(|entry| entry.stage.due())
            .min()
    }

    /// How many asks there have been.
    pub(crate) fn count(&self) -> u64 {
        self.next
    }

    /// I13, for `check()`.
    pub(crate) fn is_bounded(&self, limits: &Limits) -> bool {
        self.has_room(0, 0, limits, |_| true)
    }

    /// Deadlines keep their distance, and ages their order.
    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        let mut entries: Vec<_> = self.entries.values_mut().collect();
        entries.sort_unstable_by_key(|entry| entry.age);
        self.next = entries.len() as u64;
        for (age, entry) in (0..).zip(entries) {
            entry.age = age;
            match &mut entry.stage {
                Stage::Asked(asked) => asked.canonicalize(canon),
                Stage::Answered(answer) => canon.moment(&mut answer.expires),
                Stage::Held(_) | Stage::Settled => {}
            }
        }
    }

    /// Whether those asks that are `counted` leave room for so many more, of so many bytes.
    fn has_room(
        &self,
        more: usize,
        bytes: usize,
        limits: &Limits,
        counted: impl Fn(&Stage) -> bool,
    ) -> bool {
        let entries = self.entries.iter();
        let entries = entries.filter(|(_, entry)| counted(&entry.stage));
        let (count, bytes) = entries.fold((more, bytes), |(count, bytes), (id, entry)| {
            (count + 1, bytes.saturating_add(entry.stage.bytes(id)))
        });
        count <= limits.ledger && bytes <= limits.ledger_bytes
    }

    fn forget_oldest_settled(&mut self) {
        let oldest = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.stage == Stage::Settled)
            .min_by_key(|(_, entry)| entry.age)
            .map(|(id, _)| id.clone());
        if let Some(id) = oldest {
            self.entries.remove(&id);
        }
    }
}

impl Stage {
    /// What an ask in this stage counts: its id, and itself until it is settled. An answer has bounds of its own (T3).
    fn bytes(&self, id: &AnswerId) -> usize {
        let open = match self {
            Self::Held(call) => call.size(),
            Self::Asked(asked) => asked.ask.size(),
            Self::Answered(answer) => answer.call.as_ref().map_or(0, |call| call.size()),
            Self::Settled => 0,
        };
        open + id.as_str().len()
    }

    fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Held(_) | Self::Asked(_) | Self::Settled => None,
        }
    }

    /// The tool call that is not settled.
    pub(crate) fn call(&self) -> Option<&ToolExecute> {
        match self {
            Self::Held(call) => Some(call),
            Self::Asked(asked) => asked.ask.call(),
            Self::Answered(answer) => answer.call.as_deref(),
            Self::Settled => None,
        }
    }

    /// Whether the caller is asked at the seam's end, if the seam does not show it as done.
    pub(crate) fn waits_for_seam(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::Asked(asked) => asked.again,
            Self::Answered(_) | Self::Settled => false,
        }
    }

    /// When this ask is over by itself.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Asked(asked) => asked.deadline,
            Self::Answered(answer) => Some(answer.expires),
            Self::Held(_) | Self::Settled => None,
        }
    }
}

/// A map as a list of pairs: its keys are not strings, and JSON has no others.
mod pairs {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{AnswerId, Entry};

    pub(super) fn serialize<S: Serializer>(
        entries: &BTreeMap<AnswerId, Entry>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(entries)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<AnswerId, Entry>, D::Error> {
        let pairs = Vec::<(AnswerId, Entry)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}
