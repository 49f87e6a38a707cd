//! What a notification counts in bytes while it waits: its texts. The rest is small.

use agent_gateway_machine::Notification;

#[inline]
pub(super) fn size(notification: &Notification) -> usize {
    match notification {
        Notification::EventReceived(received) => {
            let event = &received.event;
            let extra = event.extra.as_ref().map_or(0, |extra| extra.size());
            extra + event.data.as_ref().map_or(0, |data| data.len())
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
            request.tool.as_ref().map_or(0, |tool| tool.len())
        }
        Notification::InputRequested(request) => request.prompt.len(),
        _ => 0,
    }
}
