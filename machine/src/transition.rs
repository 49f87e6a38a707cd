//! The one door of the machine, and its only routing: event, frame, timer. Exhaustive, and without logic.

use core::mem;

use agent_gateway_protocol::ServerFrame;

use crate::context::{Context, Told};
use crate::effects::Effects;
use crate::event::{Event, EventKind};
use crate::rule::Rule;
use crate::run::live::Live;
use crate::run::{End, Phase};
use crate::state::{Core, State};
use crate::timers::Timer;

/// What `event` makes of `state`, and what to do about it.
///
/// Total: every event in every state gives effects, or says why it changed nothing (I14). Deterministic: the same
/// state and event give the same answer, byte for byte (I15).
#[must_use]
pub fn transition(mut state: State, event: Event) -> (State, Effects) {
    let mut effects = Effects::new();
    let core = &mut *state.0;
    if let EventKind::Restored { .. } = event.kind {
        core.wake(event.at);
    } else if core.kit.clock.read(event.at) {
        effects.cite(Rule::C14);
    }
    route_event(core, &mut effects, event.kind);
    core.tell_alarm(&mut effects);
    debug_assert_eq!(state.check(), Ok(()));
    (state, effects)
}

fn route_event(core: &mut Core, effects: &mut Effects, kind: EventKind) {
    let phase = mem::take(&mut core.phase);
    let context = &mut Context {
        kit: &mut core.kit,
        effects,
    };
    core.phase = match kind {
        EventKind::Execute(execute) => phase.execute(context, *execute),
        EventKind::Attach(attach) => phase.attach(context, *attach),
        EventKind::Stop => phase.stop(context),
        EventKind::Detach => phase.detach(context),
        EventKind::Supersede { by } => phase.supersede(context, by),
        EventKind::Interrupt => phase.interrupt(context),
        EventKind::AnswerTool { call, answer } => phase.answer_tool(context, call, *answer),
        EventKind::AnswerConfirmation { call, approved } => {
            phase.answer_confirmation(context, call, approved)
        }
        EventKind::AnswerInput { request, content } => {
            phase.answer_input(context, request, content)
        }
        EventKind::ConnectionOpened { dial } => phase.on_opened(context, dial),
        EventKind::DialFailed { dial, failure } => phase.on_dial_failed(context, dial, failure),
        EventKind::FrameArriving { dial } => phase.on_frame_arriving(context, dial),
        EventKind::FrameReceived { dial, frame } => phase.on_frame(context, dial, frame),
        EventKind::FrameRejected { dial, problem } => {
            phase.on_frame_rejected(context, dial, problem)
        }
        EventKind::ConnectionClosed { dial, close } => phase.on_closed(context, dial, close),
        EventKind::ReplyReceived { request, reply } => phase.on_reply(context, request, reply),
        EventKind::AlarmRang => ring(phase, context),
        EventKind::NetworkChanged(network) => phase.on_network_changed(context, network),
        EventKind::ReadingPaused => phase.on_reading_paused(context),
        EventKind::ReadingResumed => phase.on_reading_resumed(context),
        EventKind::Restored { token } => phase.on_restored(context, token),
    };
}

/// C14: everything that was due when it rang fires once, earliest first; what that arms waits for its own ring.
fn ring(mut phase: Phase, context: &mut Context<'_>) -> Phase {
    context.kit.told = Told::Nothing;
    let due = context.kit.timers.due(context.now());
    if due.len() != 1 {
        context.cite(Rule::C14);
    }
    for (due, timer) in due {
        // An earlier one may have disarmed or moved it.
        if context.kit.timers.deadline(timer) == Some(due) {
            context.disarm(timer);
            phase = phase.on_timer(context, timer, due);
        }
    }
    phase
}

/// A frame on the current socket. Those with a place in the sequence come back by [`route_passed`] when it is their
/// turn.
#[inline]
pub(crate) fn route_frame(
    live: &mut Live,
    context: &mut Context<'_>,
    frame: ServerFrame,
) -> Option<End> {
    match frame {
        ServerFrame::AuthSuccess => live.on_auth_success(context),
        ServerFrame::AuthFailed(frame) => live.on_auth_failed(context, frame.reason),
        ServerFrame::AuthExpired => live.on_auth_expired(context),
        ServerFrame::HeartbeatAck => live.on_heartbeat_ack(context),
        ServerFrame::ResumeComplete(frame) => live.on_resume_complete(context, *frame),
        ServerFrame::AgentEvent(_)
        | ServerFrame::SessionComplete(_)
        | ServerFrame::StatusChange(_)
        | ServerFrame::ToolConfirmationRequest(_)
        | ServerFrame::InputRequest(_)
        | ServerFrame::Unknown(_) => live.on_sequenced(context, frame),
    }
}

/// A frame whose turn it is.
#[inline]
pub(crate) fn route_passed(
    live: &mut Live,
    context: &mut Context<'_>,
    frame: ServerFrame,
) -> Option<End> {
    match frame {
        ServerFrame::AgentEvent(frame) => live.on_event(context, frame),
        ServerFrame::SessionComplete(frame) => {
            live.on_session_complete(context, frame.id.is_some())
        }
        ServerFrame::StatusChange(frame) => live.on_status_change(context, &frame),
        ServerFrame::ToolConfirmationRequest(frame) => {
            live.on_confirmation_request(context, *frame)
        }
        ServerFrame::InputRequest(frame) => live.on_input_request(context, *frame),
        ServerFrame::Unknown(frame) => live.on_unknown_frame(context, *frame),
        ServerFrame::AuthSuccess
        | ServerFrame::AuthFailed(_)
        | ServerFrame::AuthExpired
        | ServerFrame::HeartbeatAck
        | ServerFrame::ResumeComplete(_) => None,
    }
}

/// A due timer of a live run.
pub(crate) fn route_timer(
    live: &mut Live,
    context: &mut Context<'_>,
    timer: Timer,
    due: crate::time::Timestamp,
) -> Option<End> {
    match timer {
        Timer::Dial => live.on_dial_due(context),
        Timer::Authentication => live.on_authentication_due(context),
        Timer::Heartbeat => live.on_heartbeat_due(context, due),
        Timer::Silence => live.on_silence_due(context),
        Timer::Probe => live.on_probe_due(context),
        Timer::Seam => live.on_seam_due(context),
        Timer::Backoff | Timer::NotBefore => live.on_wait_over(context),
        Timer::Inquiry => live.on_inquiry_due(context),
        Timer::RefreshRetry => live.on_refresh_retry_due(context),
        Timer::RefreshDeadline => live.on_refresh_deadline(context),
        Timer::InterruptDeadline => live.on_interrupt_deadline(context),
        Timer::StatusDeadline => live.on_status_deadline(context),
        Timer::StopTimeout => live.on_stop_timeout(context),
        Timer::Tool => live.on_tool_due(context),
        Timer::StartDeadline
        | Timer::MessagesDeadline
        | Timer::MarkerDeadline
        | Timer::StopGrace
        | Timer::Settle => None,
    }
}
