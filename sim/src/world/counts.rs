use std::collections::BTreeMap;

use agent_gateway_machine::{Effect, Effects, EventKind, Notification};
use agent_gateway_protocol::{ClientFrame, EventId, ServerFrame};

use crate::invariant::{Observation, tells_an_end};

/// One count of the gateway: how often it had started again before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count(u32);

/// By which count the client's cursor is, and where the next one took its place unseen.
///
/// A gateway that has forgotten an operation, or lost its counter, numbers from 1 again, and nothing on the wire says so.
/// On an open socket, or as long as the new count has not passed the cursor, its first frame shows it (C9). If it has
/// passed the cursor while the client was away, only a frame that is known would, and one is asked for again once anything
/// like an end has come and two frames in a row are known, or the first of all (C10). Before that no client can see it. Nor
/// can one see that the first frame of a count, which what has come before waits for, is the first of another one.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// That of what the gateway numbers now.
    current: Count,
    /// That of what comes.
    coming: Count,
    /// That of the cursor.
    passed: Count,
    /// Those of the frames that wait for their turn.
    waiting: BTreeMap<u64, Count>,
    /// Where the cursor is.
    epoch: u32,
    number: u64,
    /// How many frames have passed in a row.
    in_a_row: u64,
    /// Whether anything has come that a gateway may take for the run's end.
    end_came: bool,
    /// The cursor that the `resume` of this socket named, for want of a reason to name the one before.
    resumed: Option<u64>,
}

/// The frames that have passed in one step.
struct Passing {
    /// By which counts the first and the last of them are.
    first: Count,
    last: Count,
    /// How many up to the last have neighbouring numbers.
    in_a_row: u64,
}

impl Counts {
    pub(super) fn of_gateway(&self) -> Count {
        self.current
    }

    /// The gateway numbers from 1 again.
    pub(super) fn on_restarted(&mut self) {
        self.current.0 += 1;
    }

    /// A frame of this count comes to the client.
    pub(super) fn on_coming(&mut self, count: Count) {
        self.coming = count;
    }

    /// What the machine was told, and what it answered. Whether a new count took the old one's place in it, and nobody could
    /// see that.
    #[inline]
    pub(super) fn observe(&mut self, step: &Observation<'_>) -> bool {
        let EventKind::FrameReceived { frame, .. } = &step.event.kind else {
            return false;
        };
        if *frame == ServerFrame::AuthSuccess {
            self.on_resume(step.effects);
        }
        if tells_an_end(frame) {
            self.end_came |= !is_ignored(step.effects);
        }
        let Some(cursor) = step.state.cursor() else {
            return false;
        };
        let number = cursor.id.as_ref().and_then(EventId::number).unwrap_or(0);
        let coming = frame.id().and_then(EventId::number);
        let is_unseen = self.on_cursor(cursor.epoch, number, coming, step.effects);
        if let Some(ahead) = coming.filter(|coming| *coming > number)
            && !is_ignored(step.effects)
        {
            self.waiting.entry(ahead).or_insert(self.coming);
        }
        is_unseen
    }

    /// The cursor stands here, after a frame of the number `coming`.
    #[inline]
    fn on_cursor(
        &mut self,
        epoch: u32,
        number: u64,
        coming: Option<u64>,
        effects: &Effects,
    ) -> bool {
        if (epoch, number) == (self.epoch, self.number) {
            return false;
        }
        if epoch != self.epoch {
            self.waiting.clear();
        }
        let told = epoch != self.epoch || effects.iter().any(tells_a_gap);
        let passing = self.pass(number, coming);
        let is_blind = self.number == 0 || self.resumed == Some(self.number);
        let is_unseen = !told && passing.first != self.passed && is_blind;
        let goes_on = epoch == self.epoch && number == self.number + passing.in_a_row;
        self.in_a_row = passing.in_a_row + if goes_on { self.in_a_row } else { 0 };
        (self.epoch, self.number) = (epoch, number);
        self.passed = passing.last;
        is_unseen
    }

    /// What has passed, up to `number`, in one step.
    #[inline]
    fn pass(&mut self, number: u64, coming: Option<u64>) -> Passing {
        if self.waiting.is_empty() {
            return Passing {
                first: self.coming,
                last: self.coming,
                in_a_row: u64::from(coming == Some(number)),
            };
        }
        let later = self.waiting.split_off(&(number + 1));
        let mut passed = core::mem::replace(&mut self.waiting, later);
        if let Some(coming) = coming.filter(|coming| *coming <= number) {
            passed.entry(coming).or_insert(self.coming);
        }
        let of = |entry: Option<(&u64, &Count)>| entry.map_or(self.coming, |(_, count)| *count);
        let in_a_row = passed.keys().rev().zip(0..);
        let in_a_row = in_a_row.take_while(|(passed, back)| **passed + back == number);
        Passing {
            first: of(passed.first_key_value()),
            last: of(passed.last_key_value()),
            in_a_row: in_a_row.count() as u64,
        }
    }

    fn on_resume(&mut self, effects: &Effects) {
        for effect in effects {
            if let Effect::SendFrame {
                frame: ClientFrame::Resume(resume),
                ..
            } = effect
            {
                self.waiting.clear();
                let named = resume.last_event_id.as_ref();
                let named = named.map_or(Some(0), EventId::number);
                let has_telling = self.in_a_row > 1 || self.number == 1;
                let may_know_better = self.end_came && has_telling;
                self.resumed = named.filter(|_| !may_know_better);
            }
        }
    }
}

/// Whether it came on a socket that is none any more, or counts for nothing.
fn is_ignored(effects: &Effects) -> bool {
    let mut effects = effects.iter();
    effects.any(|effect| matches!(effect, Effect::Ignored(_)))
}

fn tells_a_gap(effect: &Effect) -> bool {
    matches!(effect, Effect::Notify(Notification::GapFound { .. }))
}
