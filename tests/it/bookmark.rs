//! The bookmark: what a caller stores, so that a crash loses neither an event nor a tool call (C10, T1).

use agent_gateway_machine::{
    Attach, Bookmark, Config, DialId, Effect, Event, EventKind, Notification, Renewal, Reply,
    RequestId, State, Timestamp, TokenGrant, TokenId, TokenKind, ToolAnswer, transition,
};
use agent_gateway_protocol::{ClientFrame, GatewayUrl, ServerFrame};
use serde_json::{Value, json};

/// A program that attaches to a run, and what it was told.
struct Program {
    state: State,
    bookmark: Bookmark,
    requested: Vec<String>,
    /// The calls whose results went out.
    sent: Vec<String>,
}

impl Program {
    fn idle(attach: &Attach) -> Self {
        let config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        Self {
            state: State::new(config, 1).unwrap(),
            bookmark: Bookmark::from(attach),
            requested: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn attach(attach: Attach) -> Self {
        let mut program = Self::idle(&attach);
        program.tell(EventKind::Attach(Box::new(Attach {
            token: Some(token()),
            renewal: Renewal::Never,
            ..attach
        })));
        program.open_stream();
        program
    }

    fn open_stream(&mut self) {
        self.tell(EventKind::ConnectionOpened { dial: DialId(1) });
        self.wire(json!({ "type": "auth_success" }));
    }

    /// A program that executes tools, from the beginning.
    fn new() -> Self {
        let mut attach = Attach::new("op_1".into(), None);
        attach.executes_tools = true;
        Self::attach(attach)
    }

    /// The program is gone; another one reads what it had stored.
    fn crash(self) -> Self {
        let stored = serde_json::to_string(&self.bookmark).unwrap();
        let read: Bookmark = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, self.bookmark);
        Self::attach(Attach::from(read))
    }

    fn tell(&mut self, kind: EventKind) {
        let (state, effects) = transition(self.state.clone(), Event::new(Timestamp::ZERO, kind));
        self.state = state;
        for effect in effects {
            if let Effect::SendFrame {
                frame: ClientFrame::ToolResult(result),
                ..
            } = &effect
            {
                self.sent.push(result.tool_call_id.to_string());
            }
            if let Effect::Notify(notification) = effect {
                if let Notification::ToolRequested { call, .. } = &notification {
                    self.requested.push(call.tool_call_id.to_string());
                }
                self.bookmark.note(&notification);
            }
        }
    }

    fn wire(&mut self, frame: Value) {
        let frame = ServerFrame::decode(&frame.to_string()).unwrap();
        let dial = DialId(1);
        self.tell(EventKind::FrameReceived { dial, frame });
    }

    fn event(&mut self, id: u64, kind: &str, data: Value) {
        let event = json!({ "type": kind, "operationId": "op_1", "data": data });
        self.wire(json!({ "type": "agent_event", "id": id.to_string(), "event": event }));
    }

    fn execute(&mut self, id: u64, call: &str) {
        let data =
            json!({ "toolCallId": call, "identifier": "fs", "apiName": "read", "arguments": "{}" });
        self.event(id, "tool_execute", data);
    }

    fn seam_ends(&mut self) {
        self.wire(json!({ "type": "resume_complete", "status": "running" }));
    }

    fn answer(&mut self, call: &str) {
        self.tell(EventKind::AnswerTool {
            call: call.into(),
            answer: ToolAnswer::success("done").into(),
        });
    }

    fn open(&self) -> Vec<&str> {
        let calls = self.bookmark.open_calls.iter();
        calls.map(|call| call.tool_call_id.as_str()).collect()
    }
}

fn token() -> TokenGrant {
    TokenGrant {
        id: TokenId(1),
        kind: TokenKind::Jwt,
        lifetime: None,
    }
}

#[test]
fn t1_a_call_whose_program_crashed_is_asked_of_the_next_one() {
    let mut program = Program::new();
    program.seam_ends();
    program.execute(1, "call_1");
    program.event(2, "stream_chunk", json!({}));
    let mut next = program.crash();
    assert_eq!(next.bookmark.cursor.to_string(), "2");
    next.seam_ends();
    assert_eq!(next.requested, ["call_1"]);
}

#[test]
fn t1_a_call_of_which_only_the_event_was_told_is_asked_of_the_next_program() {
    let mut program = Program::new();
    program.execute(1, "call_1");
    assert_eq!(program.requested, [""; 0], "the seam is open");
    let mut next = program.crash();
    next.seam_ends();
    assert_eq!(next.requested, ["call_1"]);
}

#[test]
fn t1_a_call_that_was_done_meanwhile_is_not_asked_again() {
    let mut program = Program::new();
    program.seam_ends();
    program.execute(1, "call_1");
    program.execute(2, "call_2");
    program.answer("call_1");
    assert_eq!(
        program.open(),
        ["call_1", "call_2"],
        "nobody shows to have the result"
    );
    let mut next = program.crash();
    next.event(
        3,
        "tool_end",
        json!({ "payload": { "toolCalling": { "id": "call_1" } } }),
    );
    next.seam_ends();
    assert_eq!(next.requested, ["call_2"]);
    next.answer("call_2");
    next.event(
        4,
        "tool_end",
        json!({ "payload": { "toolCalling": { "id": "call_2" } } }),
    );
    assert_eq!(next.open(), [""; 0]);
}

#[test]
fn t4_a_bookmark_of_an_older_cursor_asks_for_no_call_twice() {
    let mut program = Program::new();
    program.seam_ends();
    program.execute(1, "call_1");
    program.bookmark.cursor = Bookmark::from(&Attach::new("op_1".into(), None)).cursor;
    let mut next = program.crash();
    next.execute(1, "call_1");
    next.seam_ends();
    assert_eq!(next.requested, ["call_1"]);
}

#[test]
fn t6_a_passive_watcher_keeps_no_calls() {
    let mut program = Program::attach(Attach::new("op_1".into(), None));
    program.seam_ends();
    program.execute(1, "call_1");
    assert_eq!(program.open(), [""; 0]);
    assert!(!Attach::from(program.bookmark).executes_tools);
}

#[test]
fn t1_a_state_says_the_same_as_what_was_told() {
    let mut program = Program::new();
    program.execute(1, "call_1");
    program.execute(2, "call_2");
    program.seam_ends();
    program.event(3, "stream_chunk", json!({}));
    program.answer("call_1");
    assert_eq!(program.open(), ["call_1", "call_2"]);
    assert_eq!(program.state.bookmark(), Some(program.bookmark));
}

#[test]
fn t1_a_call_that_was_open_when_the_program_left_is_asked_of_the_next_one() {
    let leave = |program: &mut Program| program.tell(EventKind::Detach);
    let refused = |program: &mut Program| {
        program.wire(json!({ "type": "auth_failed", "reason": "no" }));
    };
    for go in [leave, refused] {
        let mut program = Program::new();
        program.seam_ends();
        program.execute(1, "call_1");
        go(&mut program);
        let mut next = program.crash();
        next.seam_ends();
        assert_eq!(next.requested, ["call_1"]);
    }
}

#[test]
fn t1_a_call_brought_along_may_be_answered_before_the_stream_is_open() {
    let mut program = Program::new();
    program.seam_ends();
    program.execute(1, "call_1");
    let attach = Attach::from(program.bookmark);
    let mut next = Program::idle(&attach);
    next.tell(EventKind::Attach(Box::new(Attach {
        renewal: Renewal::Caller,
        ..attach
    })));
    next.answer("call_1");
    next.tell(EventKind::ReplyReceived {
        request: RequestId(1),
        reply: Reply::TokenIssued(token()),
    });
    next.open_stream();
    next.seam_ends();
    assert_eq!(next.requested, [""; 0]);
    assert_eq!(next.sent, ["call_1"]);
}

#[test]
fn t1_a_run_that_is_over_on_the_server_has_no_open_calls() {
    let mut program = Program::new();
    program.seam_ends();
    program.execute(1, "call_1");
    program.event(2, "agent_runtime_end", json!({ "reason": "done" }));
    assert_eq!(program.open(), [""; 0]);
}
