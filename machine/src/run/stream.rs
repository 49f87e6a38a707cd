//! What the frames of a live run mean: each in its place, then to whom it matters.

use alloc::sync::Arc;

use agent_gateway_protocol::frame::{
    EventFrame, InputRequest, ResumeComplete, StatusChange, ToolConfirmationRequest, UnknownFrame,
};
use agent_gateway_protocol::{AgentEvent, EventType, ServerFrame};

use crate::context::Context;
use crate::ignored::Ignored;
use crate::notification::{EventReceived, Notification, Warning};
use crate::rule::Rule;
use crate::run::live::Live;
use crate::run::{End, Meaning};
use crate::session::sequence::Admission;
use crate::session::terminal::{Doubt, Sign, Verdict};
use crate::transition::route_passed;

impl Live {
    /// Part of a frame: the peer lives (C5), the replay is not over (C8), and the stream is talking (S14). Without this
    /// a slow link would never get a large frame.
    pub(crate) fn on_frame_arriving(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.connection.connected().is_none() {
            context.ignore(Ignored::BeforeAuthentication);
            return None;
        }
        context.cite(Rule::C5);
        let now = context.now();
        self.connection.heard(now);
        self.session.inquiry.on_frame_arriving(now);
        self.session.sequence.on_frame_arriving(now);
        None
    }

    /// A frame with a place in the sequence: passed on in its turn, and with it those that waited for it (C8).
    #[inline]
    pub(crate) fn on_sequenced(
        &mut self,
        context: &mut Context<'_>,
        frame: ServerFrame,
    ) -> Option<End> {
        self.session.inquiry.heard(context.now());
        let gaps = context.kit.receipt.gaps;
        let admission = self.session.sequence.admit(context, &frame);
        self.doubt_behind_gap(context, gaps);
        match admission {
            Admission::Passed => {
                if let Some(end) = route_passed(self, context, frame) {
                    return Some(end);
                }
            }
            Admission::Ahead(number) => {
                self.session.terminal.on_unpassed(&frame);
                self.session.sequence.hold(context, number, frame);
            }
            // Late or known, it tells of an end all the same.
            Admission::Dropped => self.session.terminal.on_unpassed(&frame),
        }
        if self.session.sequence.is_in_seam() {
            return self.pass_held(context);
        }
        None
    }

    /// C8, C11: the first `resume_complete` of a socket ends the seam; every one tells a status (S5).
    pub(crate) fn on_resume_complete(
        &mut self,
        context: &mut Context<'_>,
        frame: ResumeComplete,
    ) -> Option<End> {
        self.session.inquiry.heard(context.now());
        self.session.inquiry.on_answered();
        self.session.sequence.on_resume_answered();
        let ended_seam = self.session.sequence.end_seam(context);
        if frame.gap {
            self.session.sequence.on_gap_flag(context);
            self.session.terminal.doubt_reason();
        }
        if let Some(end) = self.drain_seam(context) {
            return Some(end);
        }
        if ended_seam {
            self.session.terminal.on_seam_ended(context);
        }
        if let Some(status) = &frame.status {
            context.cite(Rule::S5);
            let now = context.now();
            let limits = &context.kit.config.limits;
            let sign = self.session.terminal.on_status(status, false, now, limits);
            self.heed(context, sign);
        }
        if ended_seam {
            return self.on_seam_closed(context);
        }
        self.judge(context)
    }

    /// The seam's bound in time (C8): the gateway is asked for a sign that the replay is over.
    pub(crate) fn on_seam_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.session.sequence.on_seam_due(context) {
            self.connection.probe(context);
        }
        None
    }

    /// An ack is a sign of life, and, to a probe, the sign that the replay is over (C5, C8).
    pub(crate) fn on_heartbeat_ack(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.session.sequence.is_probed() {
            return self.end_seam(context);
        }
        None
    }

    /// The seam is over: everything held has its turn, then what was only noted counts.
    pub(crate) fn end_seam(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.session.sequence.end_seam(context);
        if let Some(end) = self.drain_seam(context) {
            return Some(end);
        }
        self.session.terminal.on_seam_ended(context);
        self.on_seam_closed(context)
    }

    /// An event in its turn: handed on, then acted on (S1, I6).
    #[inline]
    pub(crate) fn on_event(&mut self, context: &mut Context<'_>, frame: EventFrame) -> Option<End> {
        let event = frame.event;
        let own = self.session.owns(event.operation_id.as_ref());
        if !own {
            context.cite(Rule::S1);
        }
        if Meaning::may_be_of(&event.kind) {
            let meaning = if own {
                Meaning::of(&event)
            } else {
                Meaning::Nothing
            };
            return self.on_weighty_event(context, event, own, meaning);
        }
        let sign = self.note_life(context, &event, own);
        self.hand_on(context, event, own);
        self.heed(context, sign);
        None
    }

    /// An event that means more than its text.
    #[inline(never)]
    fn on_weighty_event(
        &mut self,
        context: &mut Context<'_>,
        event: Arc<AgentEvent>,
        own: bool,
        meaning: Meaning,
    ) -> Option<End> {
        // Only `agent_runtime_end` is echoed; an error may be one tool's, and that operation's run goes on.
        if event.kind == EventType::AgentRuntimeEnd && !own {
            context.cite(Rule::S4);
            self.session.terminal.on_foreign_end(context.now());
        }
        let sign = self.note_life(context, &event, own);
        self.hand_on(context, event, own);
        self.heed(context, sign);
        match meaning {
            Meaning::Nothing => return None,
            Meaning::SubThread => {
                context.cite(Rule::S1);
                return None;
            }
            Meaning::ToolExecute(call) => {
                let in_seam = self.session.sequence.is_in_seam();
                self.outbox.on_tool_execute(context, call, in_seam);
                return None;
            }
            Meaning::ToolSettled(call) => {
                self.outbox.on_tool_settled(context, &call);
                return None;
            }
            Meaning::End(end) => self.session.terminal.on_end(context, &end),
            Meaning::Error(error) => self.session.terminal.on_error(context, &error),
        }
        self.judge_outside_seam(context)
    }

    /// S2, S4, S9b: what it says of an end that was seen before.
    #[inline]
    fn note_life(&mut self, context: &mut Context<'_>, event: &AgentEvent, own: bool) -> Sign {
        if !own {
            return Sign::None;
        }
        // A sub-thread's life is not the run's (S1); looking for one costs, so only where it matters.
        let is_sign = self.session.terminal.awaits_sign_of_life()
            && is_sign_of_life(&event.kind)
            && !event.is_subagent();
        self.session.terminal.on_own_event(context, is_sign)
    }

    #[inline(always)]
    fn hand_on(&mut self, context: &mut Context<'_>, event: Arc<AgentEvent>, own: bool) {
        self.connection.progress();
        self.session.credential.progress();
        let replayed = self.session.sequence.is_replaying();
        context.kit.receipt.delivered += 1;
        context.kit.receipt.replayed += u64::from(replayed);
        context.notify(Notification::EventReceived(EventReceived {
            cursor: self.session.sequence.cursor().clone(),
            replayed,
            own,
            event,
        }));
    }

    /// S3, S4, S9b: the stream is over, as the gateway has it. Without an id it has no place in it.
    pub(crate) fn on_session_complete(
        &mut self,
        context: &mut Context<'_>,
        in_stream: bool,
    ) -> Option<End> {
        let now = context.now();
        context.cite(Rule::S3);
        let limits = &context.kit.config.limits;
        let terminal = &mut self.session.terminal;
        let sign = terminal.on_session_complete(in_stream, now, limits);
        self.heed(context, sign);
        self.judge_outside_seam(context)
    }

    /// S5: the watchdog's only signal, among others.
    pub(crate) fn on_status_change(
        &mut self,
        context: &mut Context<'_>,
        frame: &StatusChange,
    ) -> Option<End> {
        let now = context.now();
        context.cite(Rule::S5);
        let limits = &context.kit.config.limits;
        let sign = self
            .session
            .terminal
            .on_status(&frame.status, true, now, limits);
        self.heed(context, sign);
        self.judge_outside_seam(context)
    }

    /// T7.
    pub(crate) fn on_confirmation_request(
        &mut self,
        context: &mut Context<'_>,
        request: ToolConfirmationRequest,
    ) -> Option<End> {
        self.outbox.on_confirmation_request(context, request);
        None
    }

    /// T7.
    pub(crate) fn on_input_request(
        &mut self,
        context: &mut Context<'_>,
        request: InputRequest,
    ) -> Option<End> {
        self.outbox.on_input_request(context, request);
        None
    }

    /// C12: never fatal.
    pub(crate) fn on_unknown_frame(
        &mut self,
        context: &mut Context<'_>,
        frame: UnknownFrame,
    ) -> Option<End> {
        context.warn(Warning::UnknownFrame { kind: frame.kind });
        None
    }

    /// Those whose turn has come with the last one; a seam that has reached its bounds in size ends here.
    fn pass_held(&mut self, context: &mut Context<'_>) -> Option<End> {
        if let Some(end) = self.drain_seam(context) {
            return Some(end);
        }
        if self.session.sequence.is_in_seam() {
            return None;
        }
        self.session.terminal.on_seam_ended(context);
        self.on_seam_closed(context)
    }

    /// Passes on what the seam holds and whose turn has come.
    pub(crate) fn drain_seam(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.session.sequence.gives_up() {
            self.session.terminal.doubt_reason();
        }
        loop {
            let gaps = context.kit.receipt.gaps;
            let frame = self.session.sequence.next_held(context)?;
            self.doubt_behind_gap(context, gaps);
            if let Some(end) = route_passed(self, context, frame) {
                return Some(end);
            }
        }
    }

    /// S2: where a gap was told, beyond the `gaps` before, an end noted in front of it does not say how the run went.
    #[inline]
    fn doubt_behind_gap(&mut self, context: &Context<'_>, gaps: u64) {
        if context.kit.receipt.gaps != gaps {
            self.session.terminal.doubt_reason();
        }
    }

    /// S2, T1: what was noted in the seam counts now, and what is still open in it is asked for.
    fn on_seam_closed(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.session.inquiry.on_replayed();
        if let Some(end) = self.judge(context) {
            return Some(end);
        }
        if !self.concluding {
            self.outbox.on_seam_ended(context);
        }
        None
    }

    fn judge_outside_seam(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.session.sequence.is_in_seam() {
            if self.session.terminal.verdict() != Verdict::Alive {
                // Noted, until its turn; the answer to what was asked before would not know of it (S14).
                self.session.inquiry.withdraw(context);
            }
            return None;
        }
        self.judge(context)
    }

    /// An end that does not count, or not any more: it is said, and the server is asked (S14).
    #[inline]
    fn heed(&mut self, context: &mut Context<'_>, sign: Sign) {
        if let Sign::Doubtful(doubt) = sign {
            self.doubt(context, doubt);
        }
    }

    #[inline(never)]
    fn doubt(&mut self, context: &mut Context<'_>, doubt: Doubt) {
        match doubt {
            Doubt::Echo => context.ignore(Ignored::Echo),
            Doubt::Suspended => context.ignore(Ignored::Suspended),
            Doubt::Restarted => {
                context.cite(Rule::S2);
                if core::mem::take(&mut self.concluding) && !self.session.sequence.is_in_seam() {
                    self.outbox.on_seam_ended(context);
                }
            }
        }
        self.session.inquiry.ask(context, &self.session.operation);
    }
}

/// Whether an own event after an end shows that the operation was started again (S2). What trails behind an end, and
/// what may come at any time after it, does not.
fn is_sign_of_life(kind: &EventType) -> bool {
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
