use std::collections::BTreeSet;

use agent_gateway_machine::{Cursor, Effect, EventKind, Notification};
use agent_gateway_protocol::EventId;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I6: events handed on are in (epoch, id) order, each once, and each in the epoch in which it came: what waited for its
/// turn by one counter has none by the next. (That they are exactly the server's is for whoever plays the server to
/// say.) C10: the cursor never goes back within an epoch.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct InOrder {
    last: Option<Cursor>,
    /// The places of frames that have come in this epoch, on this socket, and wait for their turn.
    ahead: BTreeSet<u64>,
}

impl Invariant for InOrder {
    const ID: &'static str = "I6";

    /// Beside frames and what is handed on, a cursor that is another one, and what waits for its turn.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        const MOVING: Sorts = Sorts::of(&[Sort::Frame, Sort::HandedOn]);
        step.sorts.meet(MOVING)
            || !self.ahead.is_empty()
            || step
                .state
                .cursor()
                .is_some_and(|cursor| self.last.as_ref() != Some(cursor))
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let came = match &step.event.kind {
            EventKind::FrameReceived { frame, .. } => frame.id().and_then(EventId::number),
            _ => None,
        };
        if step.has(Sort::HandedOn) {
            self.follow(step, came)?;
        }
        if let Some(cursor) = step.state.cursor() {
            self.advance(cursor)?;
        }
        let passed = self.last.as_ref().and_then(place).map(|(_, passed)| passed);
        let came = came.filter(|came| passed.is_some_and(|passed| *came > passed));
        if came.is_some() || !self.ahead.is_empty() {
            self.note_ahead(step, came, passed);
        }
        Ok(())
    }
}

impl InOrder {
    /// What is handed on.
    fn follow(&mut self, step: &Step<'_>, came: Option<u64>) -> Result<(), String> {
        for effect in step.effects {
            if let Effect::Notify(Notification::EventReceived(received)) = effect
                && self.advance(&received.cursor)?
                && let Some((_, number)) = place(&received.cursor)
                && came != Some(number)
                && !self.ahead.contains(&number)
            {
                let cursor = &received.cursor;
                return objection(format_args!(
                    "{cursor} was handed on, and came in another epoch"
                ));
            }
        }
        Ok(())
    }

    /// Whether it is another place than the last. Nearly always it is the same one, or a later number of the same
    /// counter.
    #[inline]
    fn advance(&mut self, cursor: &Cursor) -> Result<bool, String> {
        if let Some(last) = &mut self.last
            && let (Some(EventId::Number(before)), Some(EventId::Number(after))) =
                (&mut last.id, &cursor.id)
            && last.epoch == cursor.epoch
            && *before <= *after
        {
            let is_another = *before != *after || last.digest != cursor.digest;
            *before = *after;
            last.digest = cursor.digest;
            return Ok(is_another);
        }
        self.go_on(cursor)
    }

    #[inline(never)]
    fn go_on(&mut self, cursor: &Cursor) -> Result<bool, String> {
        if self.last.as_ref() == Some(cursor) {
            return Ok(false);
        }
        let Some(last) = &mut self.last else {
            self.last = Some(cursor.clone());
            return Ok(false);
        };
        if let (Some(before), Some(after)) = (place(last), place(cursor))
            && after < before
        {
            return objection(format_args!("{cursor} came after {last}"));
        }
        if last.epoch != cursor.epoch {
            self.ahead.clear();
        }
        *last = cursor.clone();
        Ok(true)
    }

    /// Only a seam keeps frames for later.
    #[inline(never)]
    fn note_ahead(&mut self, step: &Step<'_>, came: Option<u64>, passed: Option<u64>) {
        let session = step.state.session();
        if session.is_none_or(|session| session.seam == "closed") {
            self.ahead.clear();
            return;
        }
        self.ahead.extend(came);
        if let Some(passed) = passed {
            self.ahead.retain(|ahead| *ahead > passed);
        }
    }
}

/// Ids that are not numbers have no order.
fn place(cursor: &Cursor) -> Option<(u32, u64)> {
    let number = cursor.id.as_ref().map_or(Some(0), EventId::number)?;
    Some((cursor.epoch, number))
}
