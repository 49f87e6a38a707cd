//! `agent_event` as LobeHub writes it: nearly every frame there is.

use alloc::sync::Arc;

use super::EventFrame;
use crate::{AgentEvent, EventId, EventType, OperationId, json::Scanner};

/// Reads a text that is such a frame, its members in the order in which LobeHub writes them and without a space: then
/// nothing has to be looked for, or kept until all is known. `None`: it is anything else, for the general way, which
/// reads from what is read here the same. `named` makes an operation's id of its text.
#[inline]
pub(super) fn read(text: &str, named: impl FnOnce(&str) -> OperationId) -> Option<EventFrame> {
    let mut scanner = Scanner::new(text);
    scanner.passes(r#"{"type":"agent_event","id":""#)?;
    let id = scanner.natural()?;
    scanner.passes(r#"","event":{"data":"#)?;
    let data = scanner.value().ok()?;
    scanner.passes(r#","operationId":"#)?;
    let operation = scanner.plain()?;
    scanner.passes(r#","stepIndex":"#)?;
    let step = u32::try_from(scanner.natural()?).ok()?;
    scanner.passes(r#","timestamp":"#)?;
    let timestamp = scanner.natural()?;
    scanner.passes(r#","type":"#)?;
    let kind = scanner.plain()?;
    scanner.passes("}}")?;
    if !scanner.is_at_end() {
        return None;
    }
    let event = AgentEvent {
        kind: EventType::parse(kind),
        step_index: Some(step),
        operation_id: Some(named(operation)),
        timestamp: Some(timestamp),
        data: Some(data.to_raw()),
        extra: None,
    };
    Some(EventFrame {
        id: Some(EventId::Number(id)),
        event: Arc::new(event),
    })
}
