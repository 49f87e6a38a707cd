//! What comes on the socket.

use agent_gateway_machine::{EventKind, FrameProblem};
use agent_gateway_protocol::ServerFrame;
use agent_gateway_sim::invariant::Violation;
use serde_json::json;

use super::{History, OPERATION, Socket, Stage, call, chunk};

impl History {
    pub(super) fn end_event(&mut self, argument: u32) -> Result<(), Violation> {
        let (kind, data) = match argument % 12 {
            0 | 1 => ("agent_runtime_end", json!({ "reason": "done" })),
            2 => ("agent_runtime_end", json!({ "reason": "error" })),
            3 => ("agent_runtime_end", json!({ "reason": "interrupted" })),
            4 => (
                "agent_runtime_end",
                json!({ "reason": "waiting_for_human" }),
            ),
            5 | 6 => (
                "agent_runtime_end",
                json!({ "reason": "waiting_for_async_tool" }),
            ),
            7 => ("agent_runtime_end", json!(null)),
            8 => (
                "error",
                json!({ "message": "boom", "phase": "llm_execution" }),
            ),
            9 => (
                "error",
                json!({ "message": "boom", "phase": "tool_execution" }),
            ),
            10 => ("step_complete", json!({ "phase": "execution_complete" })),
            _ => ("visible_output_end", json!({})),
        };
        self.frame(self.event(self.next_id, kind, OPERATION, data), 1)
    }

    pub(super) fn tool_event(&mut self, argument: u32) -> Result<(), Violation> {
        let id = call(argument).to_string();
        let (kind, data) = match argument >> 2 & 7 {
            0..=3 => (
                "tool_execute",
                json!({ "toolCallId": id, "identifier": "t", "apiName": "a", "arguments": "",
                        "executionTimeoutMs": i64::from(argument >> 5 & 0xFFFF) - 1 }),
            ),
            4 => ("tool_end", json!({ "toolCallId": id, "isSuccess": true })),
            5 => ("tool_result", json!({ "toolCallId": id, "content": "" })),
            6 => {
                return self.sequenced("tool_confirmation_request", &json!({ "toolCallId": id }));
            }
            _ => {
                let request = format!("input_{}", argument % 3);
                let body = json!({ "requestId": request, "prompt": "?" });
                return self.sequenced("input_request", &body);
            }
        };
        self.frame(self.event(self.next_id, kind, OPERATION, data), 1)
    }

    pub(super) fn odd_frame(&mut self, argument: u32) -> Result<(), Violation> {
        match argument % 8 {
            0 => self.sequenced("from_the_future", &json!({ "x": 1 })),
            1 => self.wire(&json!({ "type": "unheard_of" })),
            2 => self.frame(
                json!({ "type": "agent_event",
                "event": { "type": "stream_chunk", "data": chunk() } }),
                0,
            ),
            3 => self.frame(
                json!({ "type": "agent_event", "id": "abc",
                "event": { "type": "stream_chunk", "data": chunk() } }),
                0,
            ),
            4 => self.frame(self.event(u64::MAX, "stream_chunk", OPERATION, chunk()), 0),
            5 => self.frame(self.event(0, "stream_chunk", OPERATION, chunk()), 0),
            6 => match self.dial {
                Some(Socket { dial, .. }) => self.happen(EventKind::FrameArriving { dial }),
                None => Ok(()),
            },
            _ => {
                let problem = if argument & 8 == 0 {
                    FrameProblem::Malformed
                } else {
                    FrameProblem::Binary
                };
                match self.dial {
                    Some(Socket { dial, .. }) => {
                        self.happen(EventKind::FrameRejected { dial, problem })
                    }
                    None => Ok(()),
                }
            }
        }
    }

    pub(super) fn auth_frame(&mut self, argument: u32) -> Result<(), Violation> {
        let reason = match argument % 8 {
            0..=3 => return self.wire(&json!({ "type": "auth_expired" })),
            4 => return self.wire(&json!({ "type": "auth_success" })),
            5 => "Authentication timeout",
            6 => "\"nbf\" claim timestamp check failed",
            _ if argument & 64 == 0 => return Ok(()),
            _ => "userId mismatch",
        };
        self.wire(&json!({ "type": "auth_failed", "reason": reason }))
    }

    pub(super) fn foreign_event(&mut self, argument: u32) -> Result<(), Violation> {
        let kind = if argument & 1 == 0 {
            "agent_runtime_end"
        } else {
            "stream_chunk"
        };
        self.frame(self.event(self.next_id, kind, "op_2", json!({})), 1)
    }

    pub(super) fn sequenced(
        &mut self,
        kind: &str,
        body: &serde_json::Value,
    ) -> Result<(), Violation> {
        let mut frame = body.clone();
        frame["type"] = kind.into();
        frame["id"] = self.next_id.to_string().into();
        self.frame(frame, 1)
    }

    /// An event of the server's at this place of its counter: the same place gives the same event.
    pub(super) fn event(
        &self,
        id: u64,
        kind: &str,
        operation: &str,
        data: serde_json::Value,
    ) -> serde_json::Value {
        let timestamp = self.server_epoch * 1_000_000 + id.min(999_999);
        json!({ "type": "agent_event", "id": id.to_string(), "event": {
            "data": data, "operationId": operation, "stepIndex": 0, "timestamp": timestamp,
            "type": kind } })
    }

    /// Sends a frame of the sequence if there is a socket to send it on; the counter goes on by `places`.
    pub(super) fn frame(&mut self, frame: serde_json::Value, places: u64) -> Result<(), Violation> {
        let streams = self
            .dial
            .is_some_and(|socket| matches!(socket.stage, Stage::Resuming | Stage::Streaming));
        if !streams {
            return Ok(());
        }
        self.next_id = self.next_id.saturating_add(places);
        self.wire(&frame)
    }

    pub(super) fn wire(&mut self, frame: &serde_json::Value) -> Result<(), Violation> {
        let Some(Socket { dial, stage }) = self.dial else {
            return Ok(());
        };
        if stage == Stage::Dialing {
            return Ok(());
        }
        let frame = ServerFrame::decode(&frame.to_string()).expect("the frame is well formed");
        if let (
            ServerFrame::ResumeComplete(_),
            Some(
                socket @ Socket {
                    stage: Stage::Resuming,
                    ..
                },
            ),
        ) = (&frame, &mut self.dial)
        {
            socket.stage = Stage::Streaming;
        }
        self.happen(EventKind::FrameReceived { dial, frame })
    }
}
