use agent_gateway_machine::{Cursor, Effect, Notification};
use agent_gateway_protocol::EventId;

use super::{Invariant, Step};

/// I6: events handed on are in (epoch, id) order, each once. (That they are exactly the server's is for whoever plays
/// the server to say.) C10: the cursor never goes back within an epoch.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct InOrder {
    last: Option<Cursor>,
}

impl Invariant for InOrder {
    const ID: &'static str = "I6";

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        for effect in step.effects {
            if let Effect::Notify(Notification::EventReceived(received)) = effect {
                self.advance(&received.cursor)?;
            }
        }
        if let Some(cursor) = step.state.cursor() {
            self.advance(cursor)?;
        }
        Ok(())
    }
}

impl InOrder {
    fn advance(&mut self, cursor: &Cursor) -> Result<(), String> {
        if self.last.as_ref() == Some(cursor) {
            return Ok(());
        }
        if let Some(last) = &self.last
            && let (Some(before), Some(after)) = (place(last), place(cursor))
            && after < before
        {
            return Err(format!("{cursor} came after {last}"));
        }
        self.last = Some(cursor.clone());
        Ok(())
    }
}

/// Ids that are not numbers have no order.
fn place(cursor: &Cursor) -> Option<(u32, u64)> {
    match &cursor.id {
        None => Some((cursor.epoch, 0)),
        Some(EventId::Number(number)) => Some((cursor.epoch, *number)),
        Some(EventId::Text(_)) => None,
    }
}
