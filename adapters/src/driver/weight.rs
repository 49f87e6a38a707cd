//! What a notification counts in bytes while it waits: the texts that can be long.

use agent_gateway_machine::Notification;

#[inline]
pub(super) fn size(notification: &Notification) -> usize {
    match notification {
        Notification::EventReceived(received) => {
            let id = received.cursor.id.as_ref();
            received.event.size() + id.map_or(0, |id| id.size())
        }
        notification => size_of_rare(notification),
    }
}

fn size_of_rare(notification: &Notification) -> usize {
    match notification {
        Notification::TopicCreated {
            messages: Some(messages),
            ..
        } => messages.len(),
        Notification::ToolRequested { call, .. } => call.size(),
        Notification::ConfirmationRequested(request) => {
            request.tool.as_ref().map_or(0, |tool| tool.len()) + request.tool_call_id.as_str().len()
        }
        Notification::InputRequested(request) => {
            request.prompt.len() + request.request_id.as_str().len()
        }
        _ => 0,
    }
}
