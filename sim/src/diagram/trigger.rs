//! What moves a run from one state to another, in a few words.

use agent_gateway_machine::{
    Event, EventKind, Network, Refusal, RefusalKind, Reply, RequestFailure, Rule, Rules, State,
    Timer,
};
use agent_gateway_protocol::ServerFrame;

/// An event as a diagram names it: a frame by its type, a reply by what it says, a ring by the timer that was due.
pub(super) fn trigger(before: &State, event: &Event, rules: Rules) -> &'static str {
    match &event.kind {
        EventKind::FrameReceived { frame, .. } => frame_name(frame),
        EventKind::ReplyReceived { reply, .. } => reply_name(reply),
        EventKind::AlarmRang => match before.alarm() {
            Some(alarm) if alarm.at <= event.at && rules.contains(Rule::C14) => "several alarms",
            Some(alarm) if alarm.at <= event.at => timer_name(alarm.timer),
            _ => "alarm_rang",
        },
        EventKind::NetworkChanged(Network::Online) => "network_online",
        EventKind::NetworkChanged(Network::Offline) => "network_offline",
        kind => kind.name(),
    }
}

fn frame_name(frame: &ServerFrame) -> &'static str {
    match frame {
        ServerFrame::AuthSuccess => "auth_success",
        ServerFrame::AuthFailed(_) => "auth_failed",
        ServerFrame::AuthExpired => "auth_expired",
        ServerFrame::HeartbeatAck => "heartbeat_ack",
        ServerFrame::AgentEvent(frame) => match frame.event.kind.as_str() {
            "agent_runtime_end" => "agent_runtime_end",
            "error" => "error",
            _ => "agent_event",
        },
        ServerFrame::SessionComplete(_) => "session_complete",
        ServerFrame::StatusChange(_) => "status_change",
        ServerFrame::ToolConfirmationRequest(_) => "tool_confirmation_request",
        ServerFrame::InputRequest(_) => "input_request",
        ServerFrame::ResumeComplete(_) => "resume_complete",
        ServerFrame::Unknown(_) => "unknown_frame",
    }
}

fn reply_name(reply: &Reply) -> &'static str {
    match reply {
        Reply::Failed(RequestFailure::Refused(Refusal { kind, .. })) => match kind {
            RefusalKind::NotFound => "reply not_found",
            RefusalKind::UnknownProcedure => "reply unknown_procedure",
            RefusalKind::Unauthorized => "reply unauthorized",
            RefusalKind::Forbidden => "reply forbidden",
            RefusalKind::BadRequest => "reply bad_request",
            RefusalKind::Other => "reply failed",
        },
        Reply::Failed(_) => "reply failed",
        Reply::Started(_) => "reply started",
        Reply::StartRefused { .. } => "reply start_refused",
        Reply::TokenIssued(_) => "reply token_issued",
        Reply::Interrupted { .. } => "reply interrupted",
        Reply::Status(_) => "reply status",
        Reply::Messages(_) => "reply messages",
        Reply::Marker(_) => "reply marker",
        Reply::MarkerCleared => "reply marker_cleared",
    }
}

fn timer_name(timer: Timer) -> &'static str {
    match timer {
        Timer::Dial => "alarm dial",
        Timer::Authentication => "alarm authentication",
        Timer::Heartbeat => "alarm heartbeat",
        Timer::Silence => "alarm silence",
        Timer::Probe => "alarm probe",
        Timer::Seam => "alarm seam",
        Timer::Backoff => "alarm backoff",
        Timer::NotBefore => "alarm not_before",
        Timer::Inquiry => "alarm inquiry",
        Timer::RefreshRetry => "alarm refresh_retry",
        Timer::StartDeadline => "alarm start_deadline",
        Timer::RefreshDeadline => "alarm refresh_deadline",
        Timer::InterruptDeadline => "alarm interrupt_deadline",
        Timer::StatusDeadline => "alarm status_deadline",
        Timer::MessagesDeadline => "alarm messages_deadline",
        Timer::MarkerDeadline => "alarm marker_deadline",
        Timer::StopGrace => "alarm stop_grace",
        Timer::StopTimeout => "alarm stop_timeout",
        Timer::Tool => "alarm tool",
        Timer::Settle => "alarm settle",
    }
}
