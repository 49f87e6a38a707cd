//! What the server asks for, and what is due on its operations.

use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::frame::{
    EventFrame, InputRequest, SessionComplete, StatusChange, ToolConfirmationRequest,
};
use agent_gateway_protocol::{
    AgentEvent, EventId, EventType, InputRequestId, OperationId, OperationStatus, Payload,
    ServerFrame, UserId,
};
use litemap::LiteMap;

use super::operation::{Operation, Prompt, Waiting, end_in};
use super::{Gateway, GatewayAnswer, GatewayCall, GatewayOutput, SocketId, Ticket};

impl Gateway {
    /// Does what the server asks for. Its answer; `None`: the user's, or the lack of one, will be an output.
    pub(crate) fn call(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        call: GatewayCall,
        out: &mut Vec<GatewayOutput>,
    ) -> Option<GatewayAnswer> {
        Some(match call {
            GatewayCall::CheckHealth => GatewayAnswer::Healthy,
            GatewayCall::Initialize { operation, user } => {
                self.initialize(now, &operation, user, out);
                GatewayAnswer::Done
            }
            GatewayCall::PushEvent { operation, event } => {
                let end = end_in(&event);
                self.push(now, &operation, event, end.as_ref(), onto(out));
                GatewayAnswer::Done
            }
            GatewayCall::PushEvents { operation, events } => {
                for event in events {
                    let end = end_in(&event);
                    self.push(now, &operation, event.into(), end.as_ref(), onto(out));
                }
                GatewayAnswer::Done
            }
            GatewayCall::ExecuteTool { operation, data } => {
                let mut event = AgentEvent::new(EventType::ToolExecute, operation.clone(), data);
                event.step_index = Some(0);
                event.timestamp = Some(now.as_millis());
                self.push(now, &operation, event.into(), None, onto(out));
                GatewayAnswer::Done
            }
            GatewayCall::UpdateStatus {
                operation,
                status,
                summary,
            } => {
                self.update_status(now, &operation, status, summary, out);
                GatewayAnswer::Done
            }
            GatewayCall::RequestConfirmation {
                operation,
                tool_call,
                tool,
                timeout,
            } => {
                let prompt = Prompt::Confirmation(tool_call.clone());
                self.wait_for(now, ticket, &operation, prompt, timeout);
                self.send_numbered(&operation, &mut onto(out), |id| {
                    ServerFrame::ToolConfirmationRequest(Box::new(ToolConfirmationRequest {
                        id: Some(id),
                        tool,
                        tool_call_id: tool_call,
                    }))
                });
                return None;
            }
            GatewayCall::RequestInput {
                operation,
                request,
                prompt,
                timeout,
            } => {
                self.prompts_asked += 1;
                let request_id = request.unwrap_or_else(|| {
                    InputRequestId::new(format!("input_{}", self.prompts_asked))
                });
                let waiting = Prompt::Input(request_id.clone());
                self.wait_for(now, ticket, &operation, waiting, timeout);
                self.send_numbered(&operation, &mut onto(out), |id| {
                    ServerFrame::InputRequest(Box::new(InputRequest {
                        id: Some(id),
                        prompt,
                        request_id,
                    }))
                });
                return None;
            }
            GatewayCall::ReadStatus { operation } => GatewayAnswer::Status {
                client_connected: self
                    .sockets
                    .values()
                    .any(|socket| socket.operation == operation && socket.user().is_some()),
                status: self
                    .operations
                    .get(&operation)
                    .and_then(|operation| operation.status.clone()),
            },
        })
    }

    fn initialize(
        &mut self,
        now: Timestamp,
        id: &OperationId,
        user: UserId,
        out: &mut Vec<GatewayOutput>,
    ) {
        let operation = entry(&mut self.operations, id);
        operation.user = Some(user.clone());
        operation.become_status(OperationStatus::Running, now, &self.config);
        operation.rearm(now, self.config.idle_watchdog);
        let strangers: Vec<SocketId> = self
            .sockets
            .iter()
            .filter(|(_, socket)| {
                socket.operation == *id && socket.user().is_some_and(|known| *known != user)
            })
            .map(|(socket, _)| *socket)
            .collect();
        for socket in strangers {
            self.refuse(socket, "userId mismatch", out);
        }
    }

    /// Numbers an event, keeps it, and gives it to `send` for every socket that listens. `end` is what is
    /// [in it](end_in).
    pub(crate) fn push(
        &mut self,
        now: Timestamp,
        id: &OperationId,
        event: Arc<AgentEvent>,
        end: Option<&Payload>,
        mut send: impl FnMut(SocketId, ServerFrame),
    ) {
        let operation = match self.operations.get_mut(id) {
            Some(operation) => operation,
            None => entry(&mut self.operations, id),
        };
        operation.touch(&event.kind, now, &self.config);
        let end = end.filter(|_| {
            let owner = event.operation_id.as_ref();
            owner.is_none_or(|owner| owner == id) || self.config.dialect.any_end_completes
        });
        let frame = operation.number(&self.config, |event_id| {
            ServerFrame::AgentEvent(EventFrame {
                id: Some(event_id),
                event,
            })
        });
        self.send(id, frame, &mut send);
        if let Some((status, summary)) = end.map(Operation::status_of) {
            entry(&mut self.operations, id).become_status(status, now, &self.config);
            self.send_numbered(id, &mut send, |event_id| {
                ServerFrame::SessionComplete(Box::new(SessionComplete {
                    id: Some(event_id),
                    summary: Some(summary),
                }))
            });
        }
    }

    pub(super) fn update_status(
        &mut self,
        now: Timestamp,
        id: &OperationId,
        status: OperationStatus,
        summary: Option<Box<str>>,
        out: &mut Vec<GatewayOutput>,
    ) {
        entry(&mut self.operations, id).become_status(status.clone(), now, &self.config);
        self.send_numbered(id, &mut onto(out), |event_id| {
            if status == OperationStatus::Completed {
                ServerFrame::SessionComplete(Box::new(SessionComplete {
                    id: Some(event_id),
                    summary,
                }))
            } else {
                ServerFrame::StatusChange(Box::new(StatusChange {
                    id: Some(event_id),
                    status,
                }))
            }
        });
    }

    fn wait_for(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        operation: &OperationId,
        prompt: Prompt,
        timeout: Option<Millis>,
    ) {
        let deadline = now.plus(timeout.unwrap_or(self.config.prompt_timeout));
        entry(&mut self.operations, operation)
            .prompts
            .insert(prompt, Waiting { ticket, deadline });
    }

    /// Numbers a frame, keeps it, and sends it at once.
    fn send_numbered(
        &mut self,
        id: &OperationId,
        send: &mut impl FnMut(SocketId, ServerFrame),
        frame: impl FnOnce(EventId) -> ServerFrame,
    ) {
        let frame = entry(&mut self.operations, id).number(&self.config, frame);
        self.send(id, frame, send);
    }

    /// Sends a frame to every authenticated socket, before, during and after replay.
    fn send(
        &self,
        id: &OperationId,
        frame: ServerFrame,
        send: &mut impl FnMut(SocketId, ServerFrame),
    ) {
        let mut listening = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.operation == *id && socket.user().is_some())
            .map(|(id, _)| *id);
        let mut next = listening.next();
        while let Some(socket) = next {
            next = listening.next();
            if next.is_none() {
                return send(socket, frame);
            }
            send(socket, frame.clone());
        }
    }

    pub(super) fn tick_operation(
        &mut self,
        now: Timestamp,
        id: &OperationId,
        out: &mut Vec<GatewayOutput>,
    ) {
        let Some(operation) = self.operations.get_mut(id) else {
            return;
        };
        let late: Vec<Prompt> = operation
            .prompts
            .iter()
            .filter(|(_, waiting)| waiting.deadline <= now)
            .map(|(prompt, _)| prompt.clone())
            .collect();
        for prompt in late {
            let answer = match prompt {
                Prompt::Confirmation(_) => GatewayAnswer::Confirmed(None),
                Prompt::Input(_) => GatewayAnswer::Entered(None),
            };
            if let Some(Waiting { ticket, .. }) = operation.prompts.remove(&prompt) {
                out.push(GatewayOutput::Answer { ticket, answer });
            }
        }
        if operation.watchdog.is_some_and(|at| at <= now) {
            operation.watchdog = None;
            out.push(GatewayOutput::FinalizeAbandoned {
                operation: id.clone(),
            });
        }
        if operation.forgotten_at.is_some_and(|at| at <= now) {
            out.extend(self.forget(id));
        }
    }
}

/// Frames as outputs, onto the end of a list.
fn onto(out: &mut Vec<GatewayOutput>) -> impl FnMut(SocketId, ServerFrame) {
    |socket, frame| out.push(GatewayOutput::SendFrame { socket, frame })
}

/// Any push creates the operation.
fn entry<'a>(
    operations: &'a mut LiteMap<OperationId, Box<Operation>>,
    id: &OperationId,
) -> &'a mut Operation {
    operations
        .entry(id.clone())
        .or_insert_with(|| Box::new(Operation::new()))
}
