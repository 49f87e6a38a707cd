//! What the gateway and the API say, carried on to each other, to the run's stage, and out.

use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::event::EndReason;
use agent_gateway_protocol::{
    AgentEvent, OperationId, OperationStatus, Payload, ServerFrame, UserId,
};

use super::machine::FIRST_OWN_TICKET;
use super::stage::{Stage, Words};
use super::{Server, ServerOutput};
use crate::api::{ApiAnswer, ApiInput, ApiOutput};
use crate::gateway::{
    Finalization, Gateway, GatewayAnswer, GatewayCall, GatewayInput, GatewayOutput, Ticket, end_in,
    write_answer,
};
use crate::script::Trigger;

impl Server {
    /// Calls the gateway in the server's name. What the call says of the run's end is the server's truth too.
    pub(super) fn call_gateway(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        call: GatewayCall,
        out: &mut Vec<ServerOutput>,
    ) {
        match &call {
            GatewayCall::PushEvent { operation, event } => {
                self.note_end(operation, event, end_in(event).as_ref());
            }
            GatewayCall::PushEvents { operation, events } => {
                for event in events {
                    self.note_end(operation, event, end_in(event).as_ref());
                }
            }
            GatewayCall::UpdateStatus {
                operation,
                status,
                summary,
            } => self
                .api
                .set_status(operation, status.clone(), summary.clone()),
            _ => {}
        }
        let answer = self.ask_gateway(now, out, |gateway, said| {
            gateway.call(now, ticket, call, said)
        });
        if let Some(answer) = answer {
            self.on_gateway_answer(now, ticket, &answer, out);
        }
    }

    /// The same for an event of the server's own play: nobody waits for the gateway's word that it has it, and what
    /// comes of it are frames.
    pub(super) fn push_to_gateway(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        event: Arc<AgentEvent>,
        out: &mut Vec<ServerOutput>,
    ) {
        let end = end_in(&event);
        self.note_end(operation, &event, end.as_ref());
        let silent = &self.silent;
        let send = |socket, frame| {
            if !silent.contains(&socket) {
                out.push(ServerOutput::SendFrame { socket, frame });
            }
        };
        self.gateway.push(now, operation, event, end.as_ref(), send);
    }

    /// Carries on what the gateway says.
    pub(super) fn follow(
        &mut self,
        now: Timestamp,
        outputs: impl IntoIterator<Item = GatewayOutput>,
        out: &mut Vec<ServerOutput>,
    ) {
        for output in outputs {
            match output {
                GatewayOutput::SendFrame { socket, frame } => {
                    let trigger = match &frame {
                        ServerFrame::AuthSuccess => Some(Trigger::Authenticated),
                        ServerFrame::AuthFailed(_) => Some(Trigger::Refused),
                        _ => None,
                    };
                    if !self.silent.contains(&socket) {
                        out.push(ServerOutput::SendFrame { socket, frame });
                    }
                    if let Some(trigger) = trigger
                        && let Some(operation) = self.sockets.get(&socket).cloned()
                    {
                        self.trigger(&operation, trigger, now);
                    }
                }
                GatewayOutput::Close {
                    socket,
                    code,
                    reason,
                } => {
                    self.close(now, socket, code, reason, out);
                }
                GatewayOutput::Answer { ticket, answer } => {
                    self.on_gateway_answer(now, ticket, &answer, out);
                }
                GatewayOutput::DeliverToolResult { operation, result } => {
                    if let Some(stage) = self.stages.get_mut(&operation) {
                        stage.words.tool_result = result.content.clone().unwrap_or_default();
                        stage.tool_success = result.success;
                    }
                    self.trigger(&operation, Trigger::ToolResult, now);
                    out.push(ServerOutput::ToolResultReceived { operation, result });
                }
                GatewayOutput::CountRestarted => {
                    self.rests_until = now.plus(Millis(1));
                    out.push(ServerOutput::CountRestarted);
                }
                GatewayOutput::FinalizeAbandoned { operation } => {
                    let verdict = match self.api.status(&operation) {
                        Some(status) if status.is_terminal() => Finalization::NotAbandoned,
                        _ => Finalization::Finalized,
                    };
                    if verdict == Finalization::Finalized {
                        let text = Some("inactivity_watchdog".into());
                        self.api
                            .set_status(&operation, OperationStatus::Error, text);
                    }
                    let input = GatewayInput::AbandonedFinalized { operation, verdict };
                    self.tell_gateway(now, input, out);
                }
            }
        }
    }

    pub(super) fn tell_gateway(
        &mut self,
        now: Timestamp,
        input: GatewayInput,
        out: &mut Vec<ServerOutput>,
    ) {
        self.ask_gateway(now, out, |gateway, said| gateway.take(now, input, said));
    }

    /// Carries on what the gateway says to `ask`.
    pub(super) fn ask_gateway<T>(
        &mut self,
        now: Timestamp,
        out: &mut Vec<ServerOutput>,
        ask: impl FnOnce(&mut Gateway, &mut Vec<GatewayOutput>) -> T,
    ) -> T {
        let mut said = core::mem::take(&mut self.said);
        let answer = ask(&mut self.gateway, &mut said);
        self.follow(now, said.drain(..), out);
        self.said = said;
        answer
    }

    pub(super) fn tell_api(
        &mut self,
        now: Timestamp,
        input: ApiInput,
        out: &mut Vec<ServerOutput>,
    ) {
        for output in self.api.handle(now, input, self.gateway.tokens_mut()) {
            match output {
                ApiOutput::Answered { ticket, answer } if ticket.0 >= FIRST_OWN_TICKET => {
                    match self.batches.answer(ticket, answer) {
                        Some((ticket, Some(response))) => {
                            out.push(ServerOutput::Respond { ticket, response });
                        }
                        Some((ticket, None)) => out.push(ServerOutput::Hang { ticket }),
                        None => {}
                    }
                }
                ApiOutput::Answered {
                    ticket,
                    answer: ApiAnswer::Dropped,
                } => out.push(ServerOutput::Hang { ticket }),
                ApiOutput::Answered { ticket, answer } => {
                    let answer = Box::new(answer);
                    out.push(ServerOutput::Answer { ticket, answer });
                }
                ApiOutput::RunStarted {
                    operation,
                    topic,
                    user,
                    prompt,
                    approved,
                } => {
                    let words = Words::new(operation, topic, prompt, approved);
                    self.begin(now, words, user, out);
                }
                ApiOutput::StopRequested { operation } => {
                    self.trigger(&operation, Trigger::StopRequested, now);
                }
            }
        }
    }

    /// A run begins: the gateway is told, and its play starts.
    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        words: Words,
        user: UserId,
        out: &mut Vec<ServerOutput>,
    ) {
        let (operation, topic) = (words.operation.clone(), words.topic.clone());
        let ticket = self.mint();
        let call = GatewayCall::Initialize {
            operation: operation.clone(),
            user,
        };
        self.call_gateway(now, ticket, call, out);
        let stage = Stage::new(words, &self.play, now);
        self.stages.insert(operation.clone(), Box::new(stage));
        out.push(ServerOutput::RunStarted { operation, topic });
    }

    fn on_gateway_answer(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        answer: &GatewayAnswer,
        out: &mut Vec<ServerOutput>,
    ) {
        if self.gateway_calls.remove(&ticket) {
            let response = write_answer(answer);
            out.push(ServerOutput::Respond { ticket, response });
        } else if let Some(operation) = self.prompts.remove(&ticket) {
            let trigger = match answer {
                GatewayAnswer::Entered(_) => Trigger::Input,
                _ => Trigger::Confirmation,
            };
            self.trigger(&operation, trigger, now);
        }
    }

    /// An own end is the server's truth. `end` is what is [in the event](end_in).
    fn note_end(&mut self, channel: &OperationId, event: &AgentEvent, end: Option<&Payload>) {
        let Some(Payload::AgentRuntimeEnd(end)) = end else {
            return;
        };
        let own = event.operation_id.as_ref().is_none_or(|own| own == channel);
        if !own {
            return;
        }
        let status = match end.reason {
            Some(EndReason::Error) => OperationStatus::Error,
            Some(EndReason::Interrupted | EndReason::Cancelled) => OperationStatus::Interrupted,
            Some(EndReason::WaitingForHuman) => OperationStatus::WaitingForHuman,
            Some(EndReason::WaitingForAsyncTool) => OperationStatus::WaitingForAsyncTool,
            _ => OperationStatus::Done,
        };
        let is_error = status == OperationStatus::Error;
        let error = is_error.then(|| end.reason_detail.clone()).flatten();
        self.api.set_status(channel, status, error);
    }
}
