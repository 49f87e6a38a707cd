use std::io::{self, Write};

use agent_gateway_machine::{
    Cursor, EventReceived, Millis, Notification, Receipt, RunStarted, ToolAnswer,
};
use agent_gateway_protocol::ToolCallId;

use super::line::Line;
use super::sentence::sentence;

/// A run as JSON lines. Their form is in the README; what is in it stays, new members may be added.
pub(crate) struct Json<W> {
    output: W,
    started: Option<RunStarted>,
    approves: Option<bool>,
}

impl<W: Write> Json<W> {
    pub(super) fn new(output: W, approves: Option<bool>) -> Self {
        Self {
            output,
            started: None,
            approves,
        }
    }

    pub(super) fn show(&mut self, notification: &Notification) -> io::Result<()> {
        let line = match notification {
            Notification::StatusChanged(status) => self.status(status.as_str()),
            Notification::StopAccepted => self.status("stopping"),
            Notification::RunStarted(started) => {
                self.started = Some((**started).clone());
                self.status("started")
            }
            Notification::EventReceived(received) => event(received),
            Notification::GapFound { after, before } => Line::new("gap")
                .number("epoch", after.epoch.into())
                .optional_text("after", id(after).as_deref())
                .optional_text("before", before.as_ref().and_then(id).as_deref()),
            Notification::ToolRequested { call, deadline_in } => Line::new("tool_requested")
                .text("call", call.tool_call_id.as_str())
                .text("identifier", &call.identifier)
                .text("api_name", &call.api_name)
                .text("arguments", &call.arguments)
                .number("deadline_ms", deadline_in.as_millis()),
            Notification::ToolTimedOut { call } => {
                let timeout = ToolAnswer::failure(
                    "client_executor_timeout",
                    "not done in time; answered in its place",
                );
                return self.tool_answered(call, &timeout, None);
            }
            Notification::RunEnded { outcome, receipt } => Line::new("ended")
                .text("outcome", outcome.name())
                .text("text", &outcome.to_string())
                .json("receipt", &receipt_json(receipt)),
            other => match sentence(other, self.approves) {
                Some(text) => Line::new("warning")
                    .text("warning", other.name())
                    .text("text", &text),
                None => return Ok(()),
            },
        };
        line.write_to(&mut self.output)
    }

    pub(super) fn tool_answered(
        &mut self,
        call: &ToolCallId,
        answer: &ToolAnswer,
        took: Option<Millis>,
    ) -> io::Result<()> {
        let mut line = Line::new("tool_answered")
            .text("call", call.as_str())
            .flag("success", answer.success)
            .optional_text("content", answer.content.as_deref());
        if let Some(error) = &answer.error {
            let error = serde_json::json!({ "type": error.kind, "message": error.message });
            line = line.json("error", &error.to_string());
        }
        if let Some(took) = took {
            line = line.number("took_ms", took.as_millis());
        }
        line.write_to(&mut self.output)
    }

    fn status(&self, status: &str) -> Line {
        let line = Line::new("status").text("status", status);
        match &self.started {
            Some(started) => line
                .text("operation", started.operation.as_str())
                .optional_text("topic", started.topic.as_ref().map(|topic| topic.as_str())),
            None => line,
        }
    }
}

fn event(received: &EventReceived) -> Line {
    let mut json = String::new();
    received.event.write_json(&mut json);
    Line::new("event")
        .number("epoch", received.cursor.epoch.into())
        .optional_text("id", id(&received.cursor).as_deref())
        .flag("replayed", received.replayed)
        .flag("own", received.own)
        .json("event", &json)
}

fn id(cursor: &Cursor) -> Option<String> {
    cursor.id.as_ref().map(ToString::to_string)
}

fn receipt_json(receipt: &Receipt) -> String {
    // A struct of numbers: writing it cannot fail.
    serde_json::to_string(receipt).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::{ConnectionStatus, Outcome};
    use agent_gateway_protocol::event::ToolExecute;
    use agent_gateway_protocol::{AgentEvent, EventId, Object};

    use super::*;

    fn lines(notifications: &[Notification]) -> String {
        let mut json = Json::new(Vec::new(), None);
        for notification in notifications {
            json.show(notification).unwrap();
        }
        json.tool_answered(
            &"call_1".into(),
            &ToolAnswer::failure("executor_not_found", "none"),
            Some(Millis(3)),
        )
        .unwrap();
        String::from_utf8(json.output).unwrap()
    }

    fn cursor(id: u64) -> Cursor {
        Cursor {
            epoch: 0,
            id: Some(EventId::Number(id)),
            digest: None,
        }
    }

    #[test]
    fn no_control_character_reaches_a_terminal() {
        let data = "{\"chunkType\":\"text\",\"content\":\"\u{9b}2J\"}";
        let event = format!("{{\"type\":\"stream_chunk\",\"stepIndex\":0,\"data\":{data}}}");
        let shown = lines(&[
            Notification::EventReceived(EventReceived {
                cursor: cursor(1),
                replayed: false,
                own: true,
                event: AgentEvent::decode(&event).unwrap().into(),
            }),
            Notification::ReconnectScheduled {
                cause: "\u{9d}0;title\u{9c}".into(),
                retry_in: Millis(700),
            },
        ]);
        let is_harmful = |character: char| character.is_control() && character != '\n';
        assert!(!shown.contains(is_harmful), "{shown:?}");
        assert!(shown.contains(r#""content":"\u009b2J""#), "{shown}");
        let line = shown.lines().nth(1).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["text"].as_str().unwrap().contains("\u{9d}0;title"));
    }

    #[test]
    fn each_kind_of_line_has_its_form() {
        let event = AgentEvent::decode(
            r#"{"type":"stream_chunk","stepIndex":0,"data":{"chunkType":"text","content":"a\nb"}}"#,
        )
        .unwrap();
        let shown = lines(&[
            Notification::StatusChanged(ConnectionStatus::Connecting),
            Notification::RunStarted(Box::new(RunStarted {
                operation: "op_1".into(),
                topic: Some("tpc_1".into()),
                thread: None,
                assistant_message: None,
                user_message: None,
            })),
            Notification::StatusChanged(ConnectionStatus::Connected),
            Notification::EventReceived(EventReceived {
                cursor: cursor(1),
                replayed: false,
                own: true,
                event: event.into(),
            }),
            Notification::GapFound {
                after: cursor(1),
                before: None,
            },
            Notification::ToolRequested {
                call: Box::new(ToolExecute {
                    tool_call_id: "call_1".into(),
                    identifier: "demo".into(),
                    api_name: "act".into(),
                    arguments: "{}".into(),
                    execution_timeout_ms: None,
                    extra: Object::new(),
                }),
                deadline_in: Millis(119_500),
            },
            Notification::TokenRefreshed,
            Notification::ReconnectScheduled {
                cause: "closed with 1006".into(),
                retry_in: Millis(700),
            },
            Notification::StopAccepted,
            Notification::RunEnded {
                outcome: Outcome::Completed,
                receipt: Receipt::default().into(),
            },
        ]);
        let expected = r#"{"kind":"status","status":"connecting"}
{"kind":"status","status":"started","operation":"op_1","topic":"tpc_1"}
{"kind":"status","status":"connected","operation":"op_1","topic":"tpc_1"}
{"kind":"event","epoch":0,"id":"1","replayed":false,"own":true,"event":{"type":"stream_chunk","stepIndex":0,"data":{"chunkType":"text","content":"a\nb"}}}
{"kind":"gap","epoch":0,"after":"1","before":null}
{"kind":"tool_requested","call":"call_1","identifier":"demo","api_name":"act","arguments":"{}","deadline_ms":119500}
{"kind":"warning","warning":"reconnect_scheduled","text":"connection lost (closed with 1006); trying again in 700 ms"}
{"kind":"status","status":"stopping","operation":"op_1","topic":"tpc_1"}
{"kind":"ended","outcome":"completed","text":"completed","receipt":{"delivered":0,"replayed":0,"duplicates":0,"late":0,"gaps":0,"reconnects":0,"refreshes":0,"warnings":0,"ignored":0}}
{"kind":"tool_answered","call":"call_1","success":false,"content":null,"error":{"message":"none","type":"executor_not_found"},"took_ms":3}
"#;
        assert_eq!(shown, expected);
    }
}
