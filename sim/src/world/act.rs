//! What the user of a script does, as the machine is told of it.

use agent_gateway_machine::{Attach, Cursor, EventKind, Execute, Renewal, TokenGrant, ToolAnswer};
use agent_gateway_protocol::api::{AppContext, Decision, ExecAgent, ResumeApproval};
use agent_gateway_protocol::{
    AgentId, EventId, InputRequestId, MessageId, Object, OperationId, ToolCallId, TopicId,
};

use super::run::World;
use crate::script::{ApproveAct, AttachAct, UserAct};

impl World<'_> {
    /// What the machine is told of it.
    pub(super) fn act(&mut self, act: UserAct) -> EventKind {
        match act {
            UserAct::Execute(prompt) => self.execute(execution(prompt, None)),
            UserAct::ExecuteInTopic(prompt) => self.execute(execution(prompt, Some("tpc_1"))),
            UserAct::Approve(approve) => self.approve(&approve),
            UserAct::Attach(attach) => self.attach(&attach),
            UserAct::Stop => EventKind::Stop,
            UserAct::Detach => EventKind::Detach,
            UserAct::Interrupt => EventKind::Interrupt,
            UserAct::AnswerTool(answer) => EventKind::AnswerTool {
                call: ToolCallId::new(answer.id),
                answer: ToolAnswer::success(answer.content).into(),
            },
            UserAct::Confirm(call) => EventKind::AnswerConfirmation {
                call: ToolCallId::new(call),
                approved: true,
            },
            UserAct::Reject(call) => EventKind::AnswerConfirmation {
                call: ToolCallId::new(call),
                approved: false,
            },
            UserAct::AnswerInput(answer) => EventKind::AnswerInput {
                request: InputRequestId::new(answer.id),
                content: answer.content.into(),
            },
            UserAct::PauseReading => {
                self.is_reading = false;
                EventKind::ReadingPaused
            }
            UserAct::ResumeReading => {
                self.is_reading = true;
                for (order, happening) in core::mem::take(&mut self.unread) {
                    self.queue.put_off(self.now, order, happening);
                }
                EventKind::ReadingResumed
            }
            UserAct::Restore => {
                for dial in self.hands.lose_everything() {
                    self.server_loses(dial);
                }
                // Its tools were executed by the program that is gone.
                self.queue.lose_tools();
                self.reload();
                EventKind::Restored { token: None }
            }
        }
    }

    pub(super) fn execute(&mut self, input: ExecAgent) -> EventKind {
        let mut execute = Execute::new(input);
        self.with_own_token(&mut execute.token, &mut execute.renewal);
        EventKind::Execute(Box::new(execute))
    }

    fn approve(&mut self, act: &ApproveAct) -> EventKind {
        let mut input = execution(String::new(), Some("tpc_1"));
        input.resume_approval = Some(ResumeApproval {
            decision: Decision::Approved,
            parent_message_id: MessageId::new("msg_t1"),
            tool_call_id: ToolCallId::new(&*act.call),
            rejection_reason: None,
            extra: Object::new(),
        });
        let mut execute = Execute::new(input);
        execute.parent = Some(OperationId::new(&*act.operation));
        self.with_own_token(&mut execute.token, &mut execute.renewal);
        EventKind::Execute(Box::new(execute))
    }

    /// A user with tokens of their own gives one along.
    fn with_own_token(&mut self, token: &mut Option<TokenGrant>, renewal: &mut Renewal) {
        if let Some(source) = self.user.token_source() {
            *token = Some(self.own_token());
            *renewal = source;
        }
    }

    fn attach(&mut self, act: &AttachAct) -> EventKind {
        let (operation, topic) = self
            .running
            .clone()
            .unwrap_or_else(|| (OperationId::new("op_1"), TopicId::new("tpc_1")));
        let mut attach = Attach::new(operation, (!act.without_topic).then_some(topic));
        attach.executes_tools = act.executes_tools;
        self.with_own_token(&mut attach.token, &mut attach.renewal);
        if let Some(id) = &act.cursor {
            attach.cursor = Cursor {
                id: Some(EventId::parse(id)),
                ..Cursor::start()
            };
        }
        EventKind::Attach(Box::new(attach))
    }

    /// Stores the state as text and loads it again.
    fn reload(&mut self) {
        let Some(state) = self.state.take() else {
            return;
        };
        let stored = serde_json::to_string(&state).unwrap_or_default();
        match serde_json::from_str(&stored) {
            Ok(loaded) if loaded == state => self.state = Some(loaded),
            Ok(_) => self.report_bug("a stored state comes back as another one".into()),
            Err(error) => self.report_bug(format!("a stored state cannot be loaded: {error}")),
        }
    }
}

fn execution(prompt: String, topic: Option<&str>) -> ExecAgent {
    let app_context = topic.map(|topic| AppContext {
        topic_id: Some(TopicId::new(topic)),
        scope: Some("main".into()),
        ..AppContext::default()
    });
    ExecAgent {
        agent_id: Some(AgentId::new("agt_1")),
        prompt: prompt.into(),
        app_context,
        ..ExecAgent::default()
    }
}
