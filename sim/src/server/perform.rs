use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::{
    AgentEvent, CloseCode, EventType, InputRequestId, OperationId, RawJson, ServerFrame,
    ToolCallId, TopicId,
};
use serde_json::{Value, json};

use super::deed::Deed;
use super::machine::Turn;
use super::stage::Stage;
use super::{Server, ServerOutput};
use crate::gateway::{Gateway, GatewayCall, GatewayOutput, SocketId};
use crate::script::{Act, EventAct, PromptAct, StatusAct, ToolEndAct, ToolExecuteAct};

impl Server {
    /// Does one thing that the script says.
    pub(super) fn perform(&mut self, now: Timestamp, turn: Turn, out: &mut Vec<ServerOutput>) {
        match turn.deed {
            Deed::Push(kind, data) => {
                let event = AgentEvent::new(kind, turn.operation.clone(), data);
                self.push(now, &turn.operation, turn.step_index, event, out);
            }
            Deed::Act(act) => self.act(now, &turn.operation, *act, out),
        }
    }

    fn act(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        act: Act,
        out: &mut Vec<ServerOutput>,
    ) {
        let Some(stage) = self.stages.get_mut(operation) else {
            return;
        };
        match act {
            Act::Event(event) => self.push_event(now, operation, &event, out),
            Act::ToolEnd(tool) => {
                let data = raw(&tool_end(&tool, stage));
                let step = stage.step_index;
                let event = AgentEvent::new(EventType::ToolEnd, operation.clone(), data);
                self.push(now, operation, step, event, out);
            }
            Act::ToolExecute(tool) => {
                let data = raw(&tool_execute(&tool, stage));
                let operation = operation.clone();
                self.call(now, GatewayCall::ExecuteTool { operation, data }, out);
            }
            Act::UpdateStatus(status) => self.call(now, update_status(operation, status), out),
            Act::RequestConfirmation(prompt) => {
                self.ask(now, operation, request_confirmation(operation, prompt), out);
            }
            Act::RequestInput(prompt) => {
                self.ask(now, operation, request_input(operation, prompt), out);
            }
            Act::SendFrame(frame) => {
                let text = stage.words.fill_value(&frame).to_string();
                self.send_raw(operation, &text, out);
            }
            Act::SendText(text) => self.send_on_all(operation, out, |socket| {
                let text = text.as_str().into();
                ServerOutput::SendText { socket, text }
            }),
            Act::SendBinary(length) => self.send_on_all(operation, out, |socket| {
                let bytes = vec![0; length as usize].into();
                ServerOutput::SendBinary { socket, bytes }
            }),
            Act::Close(close) => self.through_gateway(now, out, |gateway| {
                gateway.close_sockets(operation, CloseCode(close.code), &close.reason)
            }),
            Act::Drop => self.drop_sockets(now, operation, out),
            Act::GoSilent => self.silent.extend(self.gateway.sockets_of(operation)),
            Act::Expire => self.through_gateway(now, out, |gateway| {
                gateway.tokens_mut().expire_all(now);
                gateway.announce_expiry(operation)
            }),
            Act::AnnounceExpiry => {
                self.through_gateway(now, out, |gateway| gateway.announce_expiry(operation));
            }
            Act::ExpireTokens => self.gateway.tokens_mut().expire_all(now),
            Act::RefuseTokens(reason) => self.gateway.tokens_mut().refuse_all(&reason),
            Act::Hibernate => self.through_gateway(now, out, Gateway::hibernate),
            Act::Restart => self.through_gateway(now, out, Gateway::restart),
            Act::CutBuffer(kept) => self.gateway.cut_buffer(operation, kept),
            Act::Forget => self.through_gateway(now, out, |gateway| gateway.forget(operation)),
            Act::Initialize => {
                let topic = stage.words.topic.clone();
                self.initialize(now, operation, &topic, out);
            }
            Act::SetStatus(status) => {
                let text = status.text.map(Into::into);
                self.api.set_status(operation, status.status, text);
            }
            Act::ForgetRun => self.api.forget(operation),
            Act::Mark(other) => {
                let topic = stage.words.topic.clone();
                let other = OperationId::new(stage.words.fill(&other));
                self.api.mark(&topic, Some(other));
            }
            Act::BecomeDialect(dialect) => self.gateway.become_dialect(dialect),
            // A stage has made events of these, and has halted itself.
            Act::Text(_)
            | Act::Reasoning(_)
            | Act::Type(_)
            | Act::End(_)
            | Act::Halt
            | Act::Nothing => {}
        }
    }

    /// Lets something befall the gateway, and carries out what comes of it.
    fn through_gateway<Outputs>(
        &mut self,
        now: Timestamp,
        out: &mut Vec<ServerOutput>,
        befall: impl FnOnce(&mut Gateway) -> Outputs,
    ) where
        Outputs: IntoIterator<Item = GatewayOutput>,
    {
        let outputs = befall(&mut self.gateway);
        self.follow(now, outputs, out);
    }

    /// The run is known to the API and the gateway without anybody having started it.
    fn initialize(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        topic: &TopicId,
        out: &mut Vec<ServerOutput>,
    ) {
        self.api.enter_run(operation, topic);
        let call = GatewayCall::Initialize {
            operation: operation.clone(),
            user: self.config.user.clone(),
        };
        self.call(now, call, out);
    }

    /// The sockets of a run are lost without a close.
    fn drop_sockets(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        out: &mut Vec<ServerOutput>,
    ) {
        for socket in self.gateway.sockets_of(operation).collect::<Vec<_>>() {
            self.gateway.drop_socket(socket);
            if !self.silent.contains(&socket) {
                out.push(ServerOutput::Cut { socket });
            }
            self.forget_socket(now, socket);
        }
    }

    /// Pushes an event of a run's step.
    fn push(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        step: u32,
        mut event: AgentEvent,
        out: &mut Vec<ServerOutput>,
    ) {
        event.step_index = Some(step);
        event.timestamp = Some(self.wall(now));
        self.push_to_gateway(now, operation, event.into(), out);
    }

    fn push_event(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        act: &EventAct,
        out: &mut Vec<ServerOutput>,
    ) {
        let Some(stage) = self.stages.get_mut(operation) else {
            return;
        };
        stage.step_index = act.step.unwrap_or(stage.step_index);
        let step = stage.step_index;
        let data = act
            .data
            .as_ref()
            .map(|data| raw(&stage.words.fill_value(data)));
        let owner = match &act.operation {
            Some(other) => OperationId::new(&**other),
            None => operation.clone(),
        };
        let event = AgentEvent::new(EventType::parse(&act.kind), owner, data);
        self.push(now, operation, step, event, out);
    }

    fn call(&mut self, now: Timestamp, call: GatewayCall, out: &mut Vec<ServerOutput>) {
        let ticket = self.mint();
        self.call_gateway(now, ticket, call, out);
    }

    fn ask(
        &mut self,
        now: Timestamp,
        operation: &OperationId,
        call: GatewayCall,
        out: &mut Vec<ServerOutput>,
    ) {
        let ticket = self.mint();
        self.prompts.insert(ticket, operation.clone());
        self.call_gateway(now, ticket, call, out);
    }

    /// Sends text that may be a frame on every socket of a run.
    fn send_raw(&mut self, operation: &OperationId, text: &str, out: &mut Vec<ServerOutput>) {
        self.send_on_all(operation, out, |socket| match ServerFrame::decode(text) {
            Ok(frame) => ServerOutput::SendFrame { socket, frame },
            Err(_) => ServerOutput::SendText {
                socket,
                text: text.into(),
            },
        });
    }

    /// Sends something on every socket of a run that still carries anything.
    fn send_on_all(
        &self,
        operation: &OperationId,
        out: &mut Vec<ServerOutput>,
        output: impl Fn(SocketId) -> ServerOutput,
    ) {
        let sockets = self.gateway.sockets_of(operation);
        let audible = sockets.filter(|socket| !self.silent.contains(socket));
        out.extend(audible.map(output));
    }
}

fn update_status(operation: &OperationId, status: StatusAct) -> GatewayCall {
    GatewayCall::UpdateStatus {
        operation: operation.clone(),
        status: status.status,
        summary: status.text.map(Into::into),
    }
}

fn request_confirmation(operation: &OperationId, prompt: PromptAct) -> GatewayCall {
    GatewayCall::RequestConfirmation {
        operation: operation.clone(),
        tool_call: ToolCallId::new(prompt.id),
        tool: Some(RawJson::from_text(&prompt.prompt)),
        timeout: prompt.timeout.map(Millis),
    }
}

fn request_input(operation: &OperationId, prompt: PromptAct) -> GatewayCall {
    GatewayCall::RequestInput {
        operation: operation.clone(),
        request: Some(InputRequestId::new(prompt.id)),
        prompt: prompt.prompt.into(),
        timeout: prompt.timeout.map(Millis),
    }
}

fn tool_execute(tool: &ToolExecuteAct, stage: &Stage) -> Value {
    let (identifier, api_name) = names(&tool.tool);
    let arguments = match &tool.arguments {
        Value::String(text) => stage.words.fill(text).into_owned(),
        Value::Null => String::new(),
        other => stage.words.fill_value(other).to_string(),
    };
    let mut data = json!({
        "apiName": api_name,
        "arguments": arguments,
        "identifier": identifier,
        "toolCallId": tool.call,
    });
    if let Some(timeout) = tool.timeout {
        data["executionTimeoutMs"] = timeout.into();
    }
    data
}

fn tool_end(tool: &ToolEndAct, stage: &Stage) -> Value {
    let (identifier, api_name) = names(&tool.tool);
    let content = stage
        .words
        .fill(tool.content.as_deref().unwrap_or("{tool_result}"));
    let success = tool.success.unwrap_or(stage.tool_success);
    json!({
        "attempts": 1,
        "executionTime": 0,
        "isSuccess": success,
        "maxAttempts": 3,
        "payload": {
            "parentMessageId": "msg_a1",
            "toolCalling": {
                "apiName": api_name,
                "arguments": "",
                "id": tool.call,
                "identifier": identifier,
                "type": "builtin",
            },
        },
        "phase": "tool_execution",
        "result": { "content": content, "success": success },
    })
}

fn names(tool: &str) -> (&str, &str) {
    tool.split_once('/').unwrap_or(("", tool))
}

pub(super) fn raw(value: &Value) -> RawJson {
    // A `Value` has string keys only: writing it cannot fail.
    RawJson::from_serialize(value).unwrap_or_else(|_| RawJson::null())
}
