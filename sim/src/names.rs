//! The names that scripts, traces and expectations use for effects, notifications, outcomes and rules.

use agent_gateway_machine::{Call, Effect, Ignored, Notification};
use agent_gateway_protocol::ClientFrame;

pub use crate::nearest::{did_you_mean, nearest};

/// Every event's name.
pub const EVENTS: [&str; 20] = [
    "execute",
    "attach",
    "stop",
    "detach",
    "interrupt",
    "answer_tool",
    "answer_confirmation",
    "answer_input",
    "connection_opened",
    "dial_failed",
    "frame_arriving",
    "frame_received",
    "frame_rejected",
    "connection_closed",
    "reply_received",
    "alarm_rang",
    "network_changed",
    "reading_paused",
    "reading_resumed",
    "restored",
];

/// Every phase of a run.
pub const PHASES: [&str; 6] = [
    "idle",
    "starting",
    "attaching",
    "streaming",
    "settling",
    "ended",
];

/// Every notification's name.
pub const NOTIFICATIONS: [&str; 22] = [
    "status_changed",
    "run_started",
    "parent_retired",
    "topic_created",
    "topic_status_changed",
    "event_received",
    "gap_found",
    "token_refreshed",
    "refresh_delayed",
    "reconnect_scheduled",
    "tool_requested",
    "tool_timed_out",
    "tool_settled",
    "answer_withdrawn",
    "answer_undeliverable",
    "answer_refused",
    "confirmation_requested",
    "input_requested",
    "stop_accepted",
    "stop_failed",
    "warning_raised",
    "run_ended",
];

/// Every outcome's name.
pub const OUTCOMES: [&str; 17] = [
    "completed",
    "failed",
    "interrupted",
    "interrupted_unconfirmed",
    "parked",
    "ended_unknown",
    "start_failed",
    "start_unknown",
    "stopped",
    "stopped_server_unknown",
    "auth_lost",
    "refresh_failed",
    "connection_lost",
    "protocol_violation",
    "superseded",
    "attach_refused",
    "detached",
];

/// Every status of a run on the server.
pub const STATUSES: [&str; 8] = [
    "idle",
    "running",
    "waiting_for_human",
    "waiting_for_async_tool",
    "done",
    "completed",
    "error",
    "interrupted",
];

/// Every reason to ignore an event.
pub const IGNORED: [&str; 14] = [
    "stale_dial",
    "stale_request",
    "unexpected_reply",
    "before_authentication",
    "already_open",
    "already_authenticated",
    "already_begun",
    "not_begun",
    "already_ended",
    "already_stopping",
    "not_authenticated",
    "no_change",
    "echo",
    "suspended",
];

/// Every frame that a client sends.
pub const FRAMES: [&str; 7] = [
    "auth",
    "resume",
    "heartbeat",
    "tool_result",
    "tool_confirmation",
    "user_input",
    "interrupt",
];

/// Every request.
pub const REQUESTS: [&str; 9] = [
    "start_run",
    "refresh_token",
    "mint_token",
    "interrupt_run",
    "ask_status",
    "fetch_messages",
    "read_marker",
    "settle_marker",
    "clear_marker",
];

/// Every effect's name, in short.
pub const EFFECTS: [&str; 8] = [
    "open_connection",
    "send_frame",
    "close_connection",
    "send_request",
    "cancel_request",
    "set_alarm",
    "notify",
    "ignored",
];

/// Every name that an effect can have, in short and in full.
pub fn effects() -> impl Iterator<Item = String> {
    let in_full = [
        ("send_frame", &FRAMES[..]),
        ("send_request", &REQUESTS),
        ("notify", &NOTIFICATIONS),
        ("ignored", &IGNORED),
    ];
    let in_full = in_full.into_iter().flat_map(|(short, details)| {
        details
            .iter()
            .map(move |detail| format!("{short}.{detail}"))
    });
    EFFECTS.into_iter().map(str::to_owned).chain(in_full)
}

/// Whether this can be an effect's name, in short (`send_frame`) or in full (`send_frame.resume`).
#[must_use]
pub fn is_effect(name: &str) -> bool {
    match name.split_once('.') {
        None => EFFECTS.contains(&name),
        Some(("send_frame", frame)) => FRAMES.contains(&frame),
        Some(("send_request", request)) => REQUESTS.contains(&request),
        Some(("notify", notification)) => NOTIFICATIONS.contains(&notification),
        Some(("ignored", reason)) => IGNORED.contains(&reason),
        Some(_) => false,
    }
}

const DETAILS: [&[&str]; 4] = [&FRAMES, &REQUESTS, &NOTIFICATIONS, &IGNORED];

/// Every name of what an effect can be about.
pub fn details() -> impl Iterator<Item = String> {
    DETAILS.into_iter().flatten().map(|name| (*name).to_owned())
}

/// Whether this is what an effect can be about: the name of a frame, a request, a notification or a reason to ignore.
#[must_use]
pub fn is_detail(name: &str) -> bool {
    DETAILS.iter().any(|names| names.contains(&name))
}

/// An effect's name in full, such as `send_frame.resume`.
#[must_use]
pub fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::OpenConnection { .. } => "open_connection",
        Effect::CloseConnection { .. } => "close_connection",
        Effect::CancelRequest { .. } => "cancel_request",
        Effect::SetAlarm(_) => "set_alarm",
        Effect::SendFrame { frame, .. } => match frame {
            ClientFrame::Auth(_) => "send_frame.auth",
            ClientFrame::Resume(_) => "send_frame.resume",
            ClientFrame::Heartbeat => "send_frame.heartbeat",
            ClientFrame::ToolResult(_) => "send_frame.tool_result",
            ClientFrame::ToolConfirmation(_) => "send_frame.tool_confirmation",
            ClientFrame::UserInput(_) => "send_frame.user_input",
            ClientFrame::Interrupt => "send_frame.interrupt",
            ClientFrame::Unknown(_) => "send_frame",
        },
        Effect::SendRequest { call, .. } => match call {
            Call::StartRun(_) => "send_request.start_run",
            Call::RefreshToken { .. } => "send_request.refresh_token",
            Call::MintToken => "send_request.mint_token",
            Call::InterruptRun { .. } => "send_request.interrupt_run",
            Call::AskStatus { .. } => "send_request.ask_status",
            Call::FetchMessages(_) => "send_request.fetch_messages",
            Call::ReadMarker { .. } => "send_request.read_marker",
            Call::SettleMarker { .. } => "send_request.settle_marker",
            Call::ClearMarker { .. } => "send_request.clear_marker",
        },
        Effect::Notify(notification) => match notification {
            Notification::StatusChanged(_) => "notify.status_changed",
            Notification::RunStarted(_) => "notify.run_started",
            Notification::ParentRetired { .. } => "notify.parent_retired",
            Notification::TopicCreated { .. } => "notify.topic_created",
            Notification::TopicStatusChanged { .. } => "notify.topic_status_changed",
            Notification::EventReceived(_) => "notify.event_received",
            Notification::GapFound { .. } => "notify.gap_found",
            Notification::TokenRefreshed => "notify.token_refreshed",
            Notification::RefreshDelayed { .. } => "notify.refresh_delayed",
            Notification::ReconnectScheduled { .. } => "notify.reconnect_scheduled",
            Notification::ToolRequested { .. } => "notify.tool_requested",
            Notification::ToolTimedOut { .. } => "notify.tool_timed_out",
            Notification::ToolSettled { .. } => "notify.tool_settled",
            Notification::AnswerWithdrawn { .. } => "notify.answer_withdrawn",
            Notification::AnswerUndeliverable { .. } => "notify.answer_undeliverable",
            Notification::AnswerRefused { .. } => "notify.answer_refused",
            Notification::ConfirmationRequested(_) => "notify.confirmation_requested",
            Notification::InputRequested(_) => "notify.input_requested",
            Notification::StopAccepted => "notify.stop_accepted",
            Notification::StopFailed { .. } => "notify.stop_failed",
            Notification::WarningRaised(_) => "notify.warning_raised",
            Notification::RunEnded { .. } => "notify.run_ended",
        },
        Effect::Ignored(why) => match why {
            Ignored::StaleDial(_) => "ignored.stale_dial",
            Ignored::StaleRequest(_) => "ignored.stale_request",
            Ignored::UnexpectedReply(_) => "ignored.unexpected_reply",
            Ignored::BeforeAuthentication => "ignored.before_authentication",
            Ignored::AlreadyOpen(_) => "ignored.already_open",
            Ignored::AlreadyAuthenticated => "ignored.already_authenticated",
            Ignored::AlreadyBegun => "ignored.already_begun",
            Ignored::NotBegun => "ignored.not_begun",
            Ignored::AlreadyEnded => "ignored.already_ended",
            Ignored::AlreadyStopping => "ignored.already_stopping",
            Ignored::NotAuthenticated => "ignored.not_authenticated",
            Ignored::NoChange => "ignored.no_change",
            Ignored::Echo => "ignored.echo",
            Ignored::Suspended => "ignored.suspended",
        },
    }
}

/// Whether an effect has this name, in short or in full.
#[must_use]
pub fn effect_is(effect: &Effect, name: &str) -> bool {
    is_named(effect_name(effect), name)
}

/// What an effect is about: the frame's, request's or notification's name, or the reason; empty for the others.
#[must_use]
pub fn effect_detail(effect: &Effect) -> &'static str {
    effect_name(effect)
        .split_once('.')
        .map_or("", |(_, detail)| detail)
}

/// Whether an effect's name in full is this one, in short or in full.
#[must_use]
pub fn is_named(full: &str, name: &str) -> bool {
    full == name || full.split('.').next() == Some(name)
}

/// Whether this is the id of a rule (`C8`), an invariant (`I6`) or a defect (`D4`).
#[must_use]
pub fn is_rule(name: &str) -> bool {
    if name == "S9b" {
        return true;
    }
    let Some(letter) = name.chars().next().filter(char::is_ascii) else {
        return false;
    };
    let most = match letter {
        'C' => 15,
        'S' | 'D' => 14,
        'R' => 10,
        'T' => 7,
        'G' => 3,
        'I' => 19,
        _ => return false,
    };
    name[1..]
        .parse()
        .is_ok_and(|number: u32| (1..=most).contains(&number))
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::{DialId, Effect, Ignored, Notification};
    use agent_gateway_protocol::OperationStatus;

    use super::*;

    #[test]
    fn every_status_is_known() {
        for name in STATUSES {
            let status = OperationStatus::parse(name);
            assert!(!matches!(status, OperationStatus::Unknown(_)), "{name}");
        }
    }

    #[test]
    fn names_in_full_are_accepted_in_scripts() {
        for effect in [
            Effect::Ignored(Ignored::StaleDial(DialId(1))),
            Effect::Notify(Notification::TokenRefreshed),
            Effect::SetAlarm(None),
        ] {
            let name = effect_name(&effect);
            assert!(is_effect(name), "{name}");
            assert!(is_named(name, effect.name()), "{name}");
        }
        assert!(!is_effect("notify.party") && !is_effect("party"));
        assert!(effects().all(|name| is_effect(&name)));
    }

    #[test]
    fn rules_are_known_by_their_ids() {
        assert!(is_rule("C15") && is_rule("S9b") && is_rule("D14") && is_rule("I19"));
        assert!(!is_rule("C0") && !is_rule("C16") && !is_rule("X1") && !is_rule(""));
    }
}
