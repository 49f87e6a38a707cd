//! What the server asks of the caller, and the answers on their way back (T1–T7).
//!
//! ```text
//!  tool_execute ──▶ Held (in a seam) ──seam ends──▶ Asked ──answer, or deadline──▶ Answered ──tool_end──▶ Settled
//!                     └─ its tool_end is in the replay ─────────────────────────────────────────────────────▲
//! ```
//!
//! Whoever was asked may be gone when a stored run is carried on, or another program attaches: what is open is asked
//! again at the end of the next seam.
//!
//! An answer is kept and sent again after every `auth_success` until the server shows that it has it: a socket may
//! have taken it and died (D8, D14).

mod ask;
mod ledger;

use alloc::boxed::Box;
use alloc::vec::Vec;

use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::frame::{
    InputRequest, ToolConfirmation, ToolConfirmationRequest, ToolResult, UserInput,
};
use agent_gateway_protocol::{ClientFrame, InputRequestId, ToolCallId};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::context::Context;
use crate::effect::Effect;
use crate::event::ToolAnswer;
use crate::fences::DialId;
use crate::mutation::Mutation;
use crate::notification::{AnswerId, AnswerRefusal, Notification, Warning};
use crate::rule::Rule;
use crate::time::Millis;
use crate::timers::Timer;
use crate::token::TokenId;
use ask::{Ask, Asked};
use ledger::{Answer, Delivery, Ledger, Stage};

/// The asks of one run and their answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Outbox {
    /// A passive watcher does not execute (T6).
    executes: bool,
    ledger: Ledger,
}

impl Outbox {
    pub(crate) fn new(executes: bool) -> Self {
        Self {
            executes,
            ledger: Ledger::default(),
        }
    }

    pub(crate) fn executes(&self) -> bool {
        self.executes
    }

    /// The calls that the server is not known to have a result of, oldest first, answered or not.
    pub(crate) fn open_calls(&self) -> Vec<ToolExecute> {
        let ids = self.ledger.ids(|stage| stage.call().is_some());
        let calls = ids.iter().filter_map(|id| self.ledger.stage(id)?.call());
        calls.cloned().collect()
    }

    /// T1, T4: one request per call, ever; inside a seam it waits for the seam's end.
    pub(crate) fn on_tool_execute(
        &mut self,
        context: &mut Context<'_>,
        call: ToolExecute,
        in_seam: bool,
    ) {
        if !self.executes {
            return context.cite(Rule::T6);
        }
        let id = AnswerId::Tool(call.tool_call_id.clone());
        if self.ledger.stage(&id).is_some() {
            return context.cite(Rule::T4);
        }
        context.cite(Rule::T1);
        let held = Stage::Held(Box::new(call));
        if !self.ledger.insert(id.clone(), held, context.limits()) {
            return context.warn(Warning::LedgerFull { answer: id });
        }
        if !in_seam {
            self.ask_held(context, &id);
        }
    }

    /// T1: calls that an earlier program of this client was told of, and did not see the end of. They are asked for at the
    /// seam's end, as what is open in it.
    pub(crate) fn take_over(&mut self, context: &mut Context<'_>, calls: Vec<ToolExecute>) {
        for call in calls {
            if !self.executes {
                return context.cite(Rule::T6);
            }
            context.cite(Rule::T1);
            self.open(context, Ask::Tool(Box::new(call)), true);
        }
    }

    /// T1, T7: this state was woken, and whoever was asked is gone.
    pub(crate) fn on_restored(&mut self) {
        for asked in self.ledger.asked_mut() {
            asked.again = true;
        }
    }

    /// T1: the seam is over: what is still open in it is asked for now.
    pub(crate) fn on_seam_ended(&mut self, context: &mut Context<'_>) {
        for id in self.ledger.ids(Stage::waits_for_seam) {
            self.ask_held(context, &id);
        }
    }

    /// The server has the call's result (T3). If nobody had answered, nobody needs to any more.
    pub(crate) fn on_tool_settled(&mut self, context: &mut Context<'_>, call: &ToolCallId) {
        let id = AnswerId::Tool(call.clone());
        match self.ledger.advance(&id, Stage::Settled) {
            Some(Stage::Answered(_)) => {
                context.cite(Rule::T3);
                context.notify(Notification::ToolSettled { call: call.clone() });
            }
            Some(Stage::Asked(_)) => {
                context.cite(Rule::T3);
                context.notify(Notification::AnswerWithdrawn { answer: id });
            }
            // Both ends of the call in one replay: nobody is asked.
            Some(Stage::Held(_)) => return context.cite(Rule::T1),
            Some(Stage::Settled) | None => return,
        }
        self.rearm(context);
    }

    /// T7: handed on once per id.
    pub(crate) fn on_confirmation_request(
        &mut self,
        context: &mut Context<'_>,
        request: ToolConfirmationRequest,
    ) {
        self.prompt(context, Ask::Confirmation(Box::new(request)));
    }

    /// T7: handed on once per id.
    pub(crate) fn on_input_request(&mut self, context: &mut Context<'_>, request: InputRequest) {
        self.prompt(context, Ask::Input(Box::new(request)));
    }

    /// The caller's answer to a tool call; one only (T2).
    pub(crate) fn answer_tool(
        &mut self,
        context: &mut Context<'_>,
        call: ToolCallId,
        answer: ToolAnswer,
        socket: Option<DialId>,
    ) {
        context.cite(Rule::T2);
        let frame = tool_result(&call, answer);
        self.answer(context, AnswerId::Tool(call), frame, socket);
    }

    /// The caller's answer to a confirmation request (T7).
    pub(crate) fn answer_confirmation(
        &mut self,
        context: &mut Context<'_>,
        call: ToolCallId,
        approved: bool,
        socket: Option<DialId>,
    ) {
        context.cite(Rule::T7);
        let frame = ClientFrame::ToolConfirmation(ToolConfirmation {
            tool_call_id: call.clone(),
            approved,
        });
        self.answer(context, AnswerId::Confirmation(call), frame, socket);
    }

    /// The caller's answer to an input request (T7).
    pub(crate) fn answer_input(
        &mut self,
        context: &mut Context<'_>,
        request: InputRequestId,
        content: Box<str>,
        socket: Option<DialId>,
    ) {
        context.cite(Rule::T7);
        let frame = ClientFrame::UserInput(UserInput {
            request_id: request.clone(),
            content,
        });
        self.answer(context, AnswerId::Input(request), frame, socket);
    }

    /// After every `auth_success`, everything not yet seen at the server goes out (again), byte for byte (T2, T3).
    pub(crate) fn on_connected(&mut self, context: &mut Context<'_>, dial: DialId) {
        if context.is_broken(Mutation::OutboxDroppedOnReconnect) {
            return;
        }
        for (_, answer) in self.ledger.answers_mut() {
            context.cite(Rule::T3);
            let frame = answer.send();
            context.push(Effect::SendFrame { dial, frame });
        }
    }

    /// C7, T3: the gateway has closed the authenticated socket because it was sent a frame over its limit. If any answer
    /// was that frame, the largest was: the second time it is undeliverable. Whether there was one at all.
    pub(crate) fn on_too_large(&mut self, context: &mut Context<'_>) -> bool {
        let Some((id, answer)) = self.ledger.largest_sent() else {
            return false;
        };
        context.cite(Rule::T3);
        let is_broken = context.is_broken(Mutation::AnswerGivenUp);
        if answer.delivery == Delivery::Suspected || is_broken {
            let id = id.clone();
            self.ledger.advance(&id, Stage::Settled);
            context.notify(Notification::AnswerUndeliverable { answer: id });
            self.rearm(context);
        }
        for (_, answer) in self.ledger.answers_mut() {
            if answer.delivery == Delivery::Sent {
                answer.delivery = Delivery::Suspected;
            }
        }
        true
    }

    /// `Timer::Tool`: deadlines answered in the caller's place (T2), expired answers reported (T3).
    pub(crate) fn on_due(&mut self, context: &mut Context<'_>, socket: Option<DialId>) {
        let now = context.now();
        for id in self
            .ledger
            .ids(|stage| stage.due().is_some_and(|due| due <= now))
        {
            match (self.ledger.stage(&id), id) {
                (Some(Stage::Asked(_)), AnswerId::Tool(call)) => {
                    context.notify(Notification::ToolTimedOut { call: call.clone() });
                    context.cite(Rule::T2);
                    let frame = tool_result(&call, timed_out());
                    let answer = Answer::new(frame, now.plus(context.limits().result_lifetime));
                    self.keep(context, AnswerId::Tool(call), answer, socket);
                }
                (_, id) => self.expire(context, &id),
            }
        }
        self.rearm(context);
    }

    /// The run is over: what is still open is not wanted any more (T6).
    pub(crate) fn withdraw(&mut self, context: &mut Context<'_>) {
        for id in self.ledger.ids(|stage| matches!(stage, Stage::Asked(_))) {
            context.cite(Rule::T6);
            context.notify(Notification::AnswerWithdrawn { answer: id });
        }
        context.disarm(Timer::Tool);
    }

    /// Whether `Timer::Tool` runs.
    pub(crate) fn expects_timer(&self) -> bool {
        !self.ledger.is_empty() && self.ledger.next_due().is_some()
    }

    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        self.ledger.canonicalize(canon);
    }

    /// Whether all that goes out with each `auth_success` is answers, for `check_stored()`.
    pub(crate) fn holds_only_answers(&self) -> bool {
        let mut answers = self.ledger.answers();
        answers.all(|answer| answer.frame.is_answer())
    }

    /// How many asks there have been.
    pub(crate) fn asked_count(&self) -> u64 {
        self.ledger.count()
    }

    /// I13, for `check()`.
    pub(crate) fn is_bounded(&self, limits: &Limits) -> bool {
        if self.ledger.is_empty() {
            return true;
        }
        let (count, bytes) = self.ledger.waiting();
        self.ledger.is_bounded(limits) && count <= limits.results && bytes <= limits.result_bytes
    }

    /// T1, T7: asked for now, or again, with what is left of its time.
    fn ask_held(&mut self, context: &mut Context<'_>, id: &AnswerId) {
        let (ask, deadline) = match self.ledger.stage(id) {
            Some(Stage::Held(call)) => (Ask::Tool(call.clone()), None),
            Some(Stage::Asked(asked)) => (asked.ask.clone(), asked.deadline),
            Some(Stage::Answered(_) | Stage::Settled) | None => return,
        };
        let now = context.now();
        let deadline = match &ask {
            Ask::Tool(call) => {
                context.cite(Rule::T1);
                let whole = tool_deadline(context.limits(), call.execution_timeout_ms);
                Some(deadline.unwrap_or(now.plus(whole)))
            }
            Ask::Confirmation(_) | Ask::Input(_) => {
                context.cite(Rule::T7);
                None
            }
        };
        let asked = Asked {
            ask: ask.clone(),
            deadline,
            again: false,
        };
        self.ledger.advance(id, Stage::Asked(asked));
        let left = deadline.map_or(Millis::ZERO, |deadline| deadline.since(now));
        context.notify(ask.request(left));
        self.rearm(context);
    }

    /// T7: handed on at once, and once per id.
    fn prompt(&mut self, context: &mut Context<'_>, ask: Ask) {
        context.cite(Rule::T7);
        if self.open(context, ask.clone(), false) {
            context.notify(ask.request(Millis::ZERO));
        }
    }

    /// A new ask; not if it is known, or has no room (T4).
    fn open(&mut self, context: &mut Context<'_>, ask: Ask, again: bool) -> bool {
        let id = ask.id();
        if self.ledger.stage(&id).is_some() {
            return false;
        }
        let asked = Stage::Asked(Asked {
            ask,
            deadline: None,
            again,
        });
        let has_room = self.ledger.insert(id.clone(), asked, context.limits());
        if !has_room {
            context.warn(Warning::LedgerFull { answer: id });
        }
        has_room
    }

    fn answer(
        &mut self,
        context: &mut Context<'_>,
        id: AnswerId,
        frame: ClientFrame<TokenId>,
        socket: Option<DialId>,
    ) {
        let now = context.now();
        let deadline = match self.ledger.stage(&id) {
            Some(Stage::Asked(asked)) => asked.deadline.unwrap_or(now),
            Some(Stage::Answered(_) | Stage::Settled) => {
                return refuse(context, id, AnswerRefusal::AlreadyAnswered);
            }
            Some(Stage::Held(_)) | None => return refuse(context, id, AnswerRefusal::NeverAsked),
        };
        let lifetime = context.limits().result_lifetime.max(deadline.since(now));
        let answer = Answer::new(frame, now.plus(lifetime));
        // It would be given up at once, and with it everything else that waits.
        if answer.bytes > context.limits().result_bytes {
            context.cite(Rule::T3);
            return refuse(context, id, AnswerRefusal::TooLarge);
        }
        self.keep(context, id, answer, socket);
    }

    /// Sends an answer, and keeps it until the server is known to have it (T3).
    fn keep(
        &mut self,
        context: &mut Context<'_>,
        id: AnswerId,
        mut answer: Answer,
        socket: Option<DialId>,
    ) {
        if socket.is_none() && context.is_broken(Mutation::AnswerForgotten) {
            self.ledger.advance(&id, Stage::Settled);
            return self.rearm(context);
        }
        match socket {
            Some(dial) => {
                let frame = answer.send();
                context.push(Effect::SendFrame { dial, frame });
            }
            // It waits for the next `auth_success`.
            None => context.cite(Rule::T3),
        }
        self.ledger.answer(&id, answer);
        self.drop_surplus(context, &id);
        self.rearm(context);
    }

    /// At most so many answers wait, in count and bytes; past that the oldest is given up, the one just `given` last of all
    /// (T3, I13).
    fn drop_surplus(&mut self, context: &mut Context<'_>, given: &AnswerId) {
        loop {
            let (count, bytes) = self.ledger.waiting();
            if count <= context.limits().results && bytes <= context.limits().result_bytes {
                return;
            }
            let answered = self.ledger.ids(|stage| matches!(stage, Stage::Answered(_)));
            let others = answered.iter().find(|answered| *answered != given);
            match others.or(answered.first()) {
                Some(oldest) => self.expire(context, oldest),
                None => return,
            }
        }
    }

    /// An answer whose time is over. A prompt's answer has no echo: once sent, it counts as delivered.
    fn expire(&mut self, context: &mut Context<'_>, id: &AnswerId) {
        let Some(Stage::Answered(answer)) = self.ledger.advance(id, Stage::Settled) else {
            return;
        };
        let has_echo = matches!(id, AnswerId::Tool(_));
        if has_echo || answer.delivery == Delivery::Unsent {
            context.cite(Rule::T3);
            context.notify(Notification::AnswerUndeliverable { answer: id.clone() });
        }
    }

    fn rearm(&self, context: &mut Context<'_>) {
        match self.ledger.next_due() {
            Some(due) => context.arm_at(Timer::Tool, due),
            None => context.disarm(Timer::Tool),
        }
    }
}

fn tool_result(call: &ToolCallId, answer: ToolAnswer) -> ClientFrame<TokenId> {
    ClientFrame::ToolResult(Box::new(ToolResult {
        tool_call_id: call.clone(),
        content: answer.content,
        success: answer.success,
        error: answer.error,
        state: answer.state,
    }))
}

fn refuse(context: &mut Context<'_>, answer: AnswerId, why: AnswerRefusal) {
    context.notify(Notification::AnswerRefused { answer, why });
}

/// T1: a little before the server's own deadline, so that our answer wins.
fn tool_deadline(limits: &Limits, execution_timeout_ms: Option<i64>) -> Millis {
    let limit = match execution_timeout_ms {
        Some(limit) if limit > 0 => Millis(limit.unsigned_abs()),
        Some(_) | None => limits.tool_deadline,
    };
    limit.minus(limits.tool_margin).max(limits.tool_minimum)
}

fn timed_out() -> ToolAnswer {
    ToolAnswer::failure(
        "client_executor_timeout",
        "the client did not finish the tool call in time",
    )
}
