use agent_gateway_machine::{
    Call, Effect, EventKind, Ignored, Limits, Notification, RefusalKind, Renaming, Reply,
    RequestFailure, RequestId,
};
use agent_gateway_protocol::event::{EndReason, ErrorPhase};
use agent_gateway_protocol::frame::StatusChange;
use agent_gateway_protocol::{
    AgentEvent, EventId, EventType, OperationStatus, Payload, ServerFrame,
};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I18: the shared marker is never cleared while the server's run may be alive: what the server has said last of the
/// run, in the order of its stream, is that it is over, or twice in a row that it knows no such run (S14).
///
/// A `session_complete` or a status `completed` alone says nothing: gateways say so of a run that only waits for a tool.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Marker {
    /// Whether that is what the server has said last.
    over: bool,
    /// Whether it has no running operation on the topic (S8): nothing takes that back.
    gone: bool,
    /// How often in a row it did not know the run.
    unknown: u8,
    /// The fetch of a token in flight.
    fetch: Option<RequestId>,
    /// The place of a `status_change` which says that the run is over and waits for its turn.
    ahead: Option<u64>,
}

impl Invariant for Marker {
    const ID: &'static str = "I18";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Standing,
        Sort::EndHandedOn,
        Sort::Reply,
        Sort::Request,
    ]);

    /// Any other event only where it may take an end back, or something waits for its turn.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        step.sorts.meet(Self::MOVED_BY)
            || (step.has(Sort::HandedOn) && (self.over || self.ahead.is_some()))
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        if let EventKind::FrameReceived {
            frame: ServerFrame::StatusChange(frame),
            ..
        } = &step.event.kind
        {
            self.hear_in_its_turn(step, frame);
        }
        if step.has(Sort::HandedOn) {
            self.hear_events(step);
        }
        if self.ahead.is_some() && self.ahead <= passed(step) {
            self.ahead = None;
            self.over = true;
        }
        let may_answer = step.has(Sort::Standing) || step.has(Sort::Reply);
        if may_answer && !is_ignored(step) {
            self.hear_answer(&step.event.kind);
        }
        if step.has(Sort::Request) {
            for effect in step.effects {
                self.follow(effect)?;
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        self.fetch = self.fetch.map(|request| names.request(request));
    }
}

/// Whether the answer itself is. What it lets through from a seam may hold something that is, and is none of it: where
/// events come with it, an echo may be either, and in doubt the answer counts.
fn is_ignored(step: &Step<'_>) -> bool {
    let is_frame = matches!(step.event.kind, EventKind::FrameReceived { .. });
    step.has(Sort::Ignored)
        && step.effects.iter().any(|effect| match effect {
            Effect::Ignored(Ignored::StaleDial(_) | Ignored::BeforeAuthentication) => is_frame,
            Effect::Ignored(Ignored::Echo) => is_frame && !step.has(Sort::HandedOn),
            Effect::Ignored(Ignored::StaleRequest(_)) => true,
            _ => false,
        })
}

impl Marker {
    /// Whether it was its turn, or it is a duplicate, shows only where nothing came behind it: in doubt it says that the
    /// run is over, and not that it lives.
    fn hear_in_its_turn(&mut self, step: &Step<'_>, frame: &StatusChange) {
        let place = frame.id.as_ref().and_then(EventId::number);
        match (place, passed(step)) {
            (Some(place), Some(passed)) if place > passed => {
                self.ahead = says_over(&frame.status).then_some(place);
            }
            (Some(place), Some(passed)) if place == passed => self.hear(&frame.status),
            _ => self.over |= says_over(&frame.status) && !step.has(Sort::Ignored),
        }
    }

    fn hear(&mut self, status: &OperationStatus) {
        if says_over(status) {
            self.over = true;
        } else if !status.is_terminal() {
            self.over = false;
        }
    }

    fn hear_events(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            if let Effect::Notify(Notification::EventReceived(received)) = effect
                && received.own
            {
                self.hear_event(&received.event);
            }
        }
    }

    fn hear_event(&mut self, event: &AgentEvent) {
        // Its data is JSON, to be read only where it decides something.
        let turns = match &event.kind {
            EventType::AgentRuntimeEnd | EventType::Error => !self.over && ends(event),
            kind => self.over && shows_life(kind),
        };
        if turns && !event.is_subagent() {
            self.over = !self.over;
        }
    }

    fn hear_answer(&mut self, event: &EventKind) {
        match event {
            EventKind::FrameReceived {
                frame: ServerFrame::ResumeComplete(frame),
                ..
            } => {
                if let Some(status) = &frame.status {
                    self.hear(status);
                }
            }
            EventKind::ReplyReceived { request, reply } => {
                let fetched = self.fetch == Some(*request);
                match reply {
                    Reply::Status(Some(report)) => {
                        self.over = report.status.is_terminal();
                        self.unknown = 0;
                    }
                    Reply::Status(None) => {
                        self.unknown = (self.unknown + 1).min(2);
                        self.over |= self.unknown == 2;
                    }
                    Reply::Failed(RequestFailure::Refused(refusal)) => {
                        self.gone |= fetched && refusal.kind == RefusalKind::NotFound;
                    }
                    _ => {}
                }
                if fetched {
                    self.fetch = None;
                }
            }
            _ => {}
        }
    }

    fn follow(&mut self, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::SendRequest {
                request,
                call: Call::RefreshToken { .. } | Call::MintToken,
            } => self.fetch = Some(*request),
            Effect::SendRequest {
                call: Call::SettleMarker { .. } | Call::ClearMarker { .. },
                ..
            } if !self.over && !self.gone => {
                return objection(format_args!(
                    "the marker was cleared, and nobody said that the run is over"
                ));
            }
            Effect::CancelRequest { request } if self.fetch == Some(*request) => self.fetch = None,
            _ => {}
        }
        Ok(())
    }
}

/// The place passed last, where places are numbers.
fn passed(step: &Step<'_>) -> Option<u64> {
    let cursor = step.state.cursor()?;
    cursor.id.as_ref().map_or(Some(0), EventId::number)
}

fn says_over(status: &OperationStatus) -> bool {
    matches!(
        status,
        OperationStatus::Error | OperationStatus::Interrupted
    )
}

/// Whether this end or error is one of the run: not of what it waits for, nor of a tool.
fn ends(event: &AgentEvent) -> bool {
    if event.kind == EventType::AgentRuntimeEnd {
        return !matches!(
            event.end_reason(),
            Some(EndReason::WaitingForHuman | EndReason::WaitingForAsyncTool)
        );
    }
    match event.payload() {
        Payload::Error(error) => !matches!(
            error.phase,
            Some(ErrorPhase::ToolExecution | ErrorPhase::ToolMessagePersist)
        ),
        _ => true,
    }
}

/// What does not merely trail behind an end, or come at any time after it (S2).
fn shows_life(kind: &EventType) -> bool {
    !matches!(
        kind,
        EventType::AgentRuntimeEnd
            | EventType::Error
            | EventType::StepComplete
            | EventType::VisibleOutputEnd
            | EventType::NotifyUpdate
            | EventType::SessionTitle
            | EventType::MessagePatch
            | EventType::MemberRuntimeEnd
    )
}
