//! The names that scripts, traces and expectations use for effects, notifications, outcomes and rules.

use agent_gateway_machine::{Effect, Ignored};

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

const FRAMES: [&str; 7] = [
    "auth",
    "resume",
    "heartbeat",
    "tool_result",
    "tool_confirmation",
    "user_input",
    "interrupt",
];

const REQUESTS: [&str; 9] = [
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

/// Whether this can be an effect's name, in short (`send_frame`) or in full (`send_frame.resume`).
#[must_use]
pub fn is_effect(name: &str) -> bool {
    match name.split_once('.') {
        None => matches!(
            name,
            "open_connection"
                | "send_frame"
                | "close_connection"
                | "send_request"
                | "cancel_request"
                | "set_alarm"
                | "notify"
                | "ignored"
        ),
        Some(("send_frame", frame)) => FRAMES.contains(&frame),
        Some(("send_request", request)) => REQUESTS.contains(&request),
        Some(("notify", notification)) => NOTIFICATIONS.contains(&notification),
        Some(("ignored", reason)) => IGNORED.contains(&reason),
        Some(_) => false,
    }
}

/// Whether an effect has this name, in short or in full.
#[must_use]
pub fn effect_is(effect: &Effect, name: &str) -> bool {
    let Some((short, detail)) = name.split_once('.') else {
        return effect.name() == name;
    };
    effect.name() == short && effect_detail(effect) == detail
}

/// What an effect is about: the frame's, request's or notification's name, or the reason.
#[must_use]
pub fn effect_detail(effect: &Effect) -> &str {
    match effect {
        Effect::SendFrame { frame, .. } => frame.kind(),
        Effect::SendRequest { call, .. } => call.name(),
        Effect::Notify(notification) => notification.name(),
        Effect::Ignored(why) => ignored_name(why),
        Effect::OpenConnection { .. }
        | Effect::CloseConnection { .. }
        | Effect::CancelRequest { .. }
        | Effect::SetAlarm(_) => "",
    }
}

/// The name of a reason to ignore an event.
#[must_use]
pub fn ignored_name(why: &Ignored) -> &'static str {
    match why {
        Ignored::StaleDial(_) => "stale_dial",
        Ignored::StaleRequest(_) => "stale_request",
        Ignored::UnexpectedReply(_) => "unexpected_reply",
        Ignored::BeforeAuthentication => "before_authentication",
        Ignored::AlreadyOpen(_) => "already_open",
        Ignored::AlreadyAuthenticated => "already_authenticated",
        Ignored::AlreadyBegun => "already_begun",
        Ignored::NotBegun => "not_begun",
        Ignored::AlreadyEnded => "already_ended",
        Ignored::AlreadyStopping => "already_stopping",
        Ignored::NotAuthenticated => "not_authenticated",
        Ignored::NoChange => "no_change",
        Ignored::Echo => "echo",
        Ignored::Suspended => "suspended",
    }
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
        'I' => 18,
        _ => return false,
    };
    name[1..]
        .parse()
        .is_ok_and(|number: u32| (1..=most).contains(&number))
}
