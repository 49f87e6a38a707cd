use std::collections::VecDeque;
use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::trpc::{TrpcCode, TrpcError};
use agent_gateway_protocol::{AgentId, OperationId, OperationStatus, Token, TopicId, UserId};
use litemap::LiteMap;
use serde_json::{Value, json};

use super::run::{Run, Topic};
use super::{
    ApiAnswer, ApiCall, ApiInput, ApiOutput, ApiReply, Behaviour, Plan, ProcedureName, TokenTerms,
    reply,
};
use crate::gateway::{Ticket, TokenBook, TokenPlan};
use crate::http::HttpResponse;

/// How the server is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Who every caller is.
    pub user: UserId,
    /// The gateway's base URL, for `getGlobalConfig`.
    pub gateway_url: Arc<str>,
    /// What opens the API: an access token or an API key. `None`: it is open.
    pub credential: Option<Token>,
    /// Whether it has `topic.settleRunningOperation`.
    pub settles_markers: bool,
}

/// The API as a pure machine.
#[derive(Clone, Debug)]
pub struct Api {
    config: ApiConfig,
    behaviours: LiteMap<ProcedureName, VecDeque<Behaviour>>,
    runs: LiteMap<OperationId, Run>,
    topics: LiteMap<TopicId, Topic>,
    /// Answers on their way out, by when they leave and in the order they were made.
    waiting: LiteMap<(Timestamp, u64), (Ticket, ApiAnswer)>,
    counter: u64,
    seed: u64,
}

impl Api {
    /// A server without runs. `seed` goes into the ids it makes.
    #[must_use]
    pub fn new(config: ApiConfig, seed: u64) -> Self {
        Self {
            config,
            behaviours: LiteMap::new(),
            runs: LiteMap::new(),
            topics: LiteMap::new(),
            waiting: LiteMap::new(),
            counter: 0,
            seed,
        }
    }

    /// Treats the next calls of a procedure like this, after what was said before; later ones are answered as usual.
    pub fn plan(&mut self, procedure: ProcedureName, behaviour: Behaviour) {
        self.behaviours
            .entry(procedure)
            .or_default()
            .push_back(behaviour);
    }

    /// What `input`, come at `now`, makes it say. Tokens are entered into `tokens`.
    pub fn handle(
        &mut self,
        now: Timestamp,
        input: ApiInput,
        tokens: &mut TokenBook,
    ) -> Vec<ApiOutput> {
        let mut out = Vec::new();
        match input {
            ApiInput::Called { ticket, call } => self.on_call(now, ticket, &call, tokens, &mut out),
            ApiInput::Abandoned { ticket } => {
                self.waiting.retain(|_, (waiting, _)| *waiting != ticket);
            }
            ApiInput::Ticked => {}
        }
        while let Some((&due, _)) = self.waiting.first()
            && due.0 <= now
            && let Some((ticket, answer)) = self.waiting.remove(&due)
        {
            out.push(ApiOutput::Answered { ticket, answer });
        }
        out
    }

    /// When it wants to be ticked.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    /// How the server is set up.
    #[must_use]
    pub fn config(&self) -> &ApiConfig {
        &self.config
    }

    /// Enters a run that is going already, and marks its topic with it.
    pub fn enter_run(&mut self, operation: &OperationId, topic: &TopicId) {
        let run = Run {
            topic: topic.clone(),
            status: OperationStatus::Running,
            error: None,
            known: true,
        };
        self.runs.insert(operation.clone(), run);
        self.mark(topic, Some(operation.clone()));
    }

    /// A run stands otherwise now; at its end the server clears the marker, if it is the run's.
    pub fn set_status(
        &mut self,
        operation: &OperationId,
        status: OperationStatus,
        error: Option<Box<str>>,
    ) {
        let Some(run) = self.runs.get_mut(operation) else {
            return;
        };
        run.error = error;
        let over = status.is_terminal() || status == OperationStatus::WaitingForHuman;
        run.status = status;
        let topic = run.topic.clone();
        if over && self.marker(&topic) == Some(operation) {
            self.mark(&topic, None);
        }
    }

    /// The server does not know a run any more.
    pub fn forget(&mut self, operation: &OperationId) {
        if let Some(run) = self.runs.get_mut(operation) {
            run.known = false;
        }
    }

    /// Marks a topic with an operation, or clears its marker.
    pub fn mark(&mut self, topic: &TopicId, running: Option<OperationId>) {
        let user = self.config.user.clone();
        self.topics
            .entry(topic.clone())
            .or_insert_with(|| Topic {
                user,
                running: None,
            })
            .running = running;
    }

    /// The operation a topic is marked with.
    #[must_use]
    pub fn marker(&self, topic: &TopicId) -> Option<&OperationId> {
        self.topics.get(topic)?.running.as_ref()
    }

    /// How a run stands: the truth, whatever a gateway says. `None`: there is no such run.
    #[must_use]
    pub fn status(&self, operation: &OperationId) -> Option<&OperationStatus> {
        self.runs.get(operation).map(|run| &run.status)
    }

    /// The topic of a run.
    #[must_use]
    pub fn topic_of(&self, operation: &OperationId) -> Option<&TopicId> {
        self.runs.get(operation).map(|run| &run.topic)
    }

    fn on_call(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        call: &ApiCall,
        tokens: &mut TokenBook,
        out: &mut Vec<ApiOutput>,
    ) {
        let behaviour = self.behaviour(call.procedure());
        let terms = behaviour.token.clone().unwrap_or_default();
        let usual = if behaviour.is_carried_out() {
            Some(self.carry_out(now, call, &terms, tokens, out))
        } else {
            None
        };
        let path = call.procedure().path();
        let answer = match behaviour.answer {
            Plan::Usual => usual.unwrap_or(ApiAnswer::Dropped),
            Plan::Reply(value) => ApiAnswer::Replied(ApiReply::of_value(&value)),
            Plan::SoftFailure(text) => ApiAnswer::Replied(reply::soft_failure(&text)),
            Plan::Refuse(refuse) => ApiAnswer::Refused {
                error: TrpcError::new(refuse.code, refuse.message, Some(path.into())),
                retry_after: refuse.retry_after,
            },
            Plan::Page(page) => {
                let mut response = HttpResponse::new(page.status, &page.content_type, &page.body);
                if let Some(seconds) = page.retry_after {
                    response = response.with_header("retry-after", &seconds.to_string());
                }
                ApiAnswer::Page(response)
            }
            Plan::Lost => ApiAnswer::Dropped,
            Plan::Never => return,
        };
        self.counter += 1;
        let leaves = now.plus(Millis(behaviour.delay));
        self.waiting
            .insert((leaves, self.counter), (ticket, answer));
    }

    /// The behaviour for the next call of a procedure.
    fn behaviour(&mut self, procedure: ProcedureName) -> Behaviour {
        let Some(planned) = self.behaviours.get_mut(&procedure) else {
            return Behaviour::default();
        };
        let Some(next) = planned.front_mut() else {
            return Behaviour::default();
        };
        let behaviour = next.clone();
        next.times = next.times.saturating_sub(1);
        if next.times == 0 {
            planned.pop_front();
        }
        behaviour
    }

    fn carry_out(
        &mut self,
        now: Timestamp,
        call: &ApiCall,
        terms: &TokenTerms,
        tokens: &mut TokenBook,
        out: &mut Vec<ApiOutput>,
    ) -> ApiAnswer {
        let replied = match call {
            ApiCall::ExecAgent(input) => {
                let agent = match (&input.agent_id, &input.slug) {
                    (Some(agent), _) => agent.clone(),
                    (None, Some(slug)) => AgentId::new(format!("agt_{slug}")),
                    (None, None) => return refused(call, TrpcCode::BadRequest, reply::NO_AGENT),
                };
                let context = input.app_context.as_ref();
                let topic = context.and_then(|context| context.topic_id.clone());
                let topic = topic.unwrap_or_else(|| TopicId::new(format!("tpc_{}", self.name(4))));
                let mut moment = itoa::Buffer::new();
                let moment = moment.format(now.as_millis());
                let name = self.name(8);
                let parts = ["op", moment, agent.as_str(), topic.as_str(), &name];
                let operation = OperationId::new(parts.join("_"));
                self.enter_run(&operation, &topic);
                let token = self.issue(now, terms, tokens);
                let approval = input.resume_approval.as_ref();
                out.push(ApiOutput::RunStarted {
                    operation: operation.clone(),
                    topic: topic.clone(),
                    user: self.config.user.clone(),
                    prompt: input.prompt.clone(),
                    approved: approval.map(|approval| approval.tool_call_id.clone()),
                });
                ApiReply::Started {
                    agent,
                    operation,
                    topic,
                    token,
                }
            }
            ApiCall::RefreshGatewayToken(input) => {
                if self.marker(&input.topic_id).is_none() {
                    let message = "No running operation found on this topic";
                    return refused(call, TrpcCode::NotFound, message);
                }
                match self.issue(now, terms, tokens) {
                    Some(token) => ApiReply::Token(token),
                    None => ApiReply::of_value(&json!({})),
                }
            }
            ApiCall::InterruptTask(input) => {
                let Some(operation) = &input.operation_id else {
                    return match &input.thread_id {
                        Some(_) => refused(call, TrpcCode::NotFound, "Thread not found"),
                        None => refused(call, TrpcCode::BadRequest, reply::NO_OPERATION),
                    };
                };
                let alive = self
                    .runs
                    .get(operation)
                    .is_some_and(|run| !run.status.is_terminal());
                if alive {
                    out.push(ApiOutput::StopRequested {
                        operation: operation.clone(),
                    });
                }
                ApiReply::Interrupted {
                    operation: operation.clone(),
                    success: alive,
                }
            }
            ApiCall::GetOperationStatus(input) => {
                match self.runs.get(&input.operation_id).filter(|run| run.known) {
                    Some(run) => ApiReply::Status {
                        operation: input.operation_id.clone(),
                        status: run.status.clone(),
                        error: run.error.clone(),
                    },
                    None => ApiReply::of_value(&Value::Null),
                }
            }
            ApiCall::GetMessages(input) => reply::messages(input.topic_id.as_ref()),
            ApiCall::GetTopicDetail(input) => {
                reply::topic(&input.topic_id, self.topics.get(&input.topic_id))
            }
            ApiCall::UpdateTopicMetadata(input) => {
                let known = self.topics.contains_key(&input.topic_id);
                if known {
                    self.mark(&input.topic_id, None);
                }
                let topic = self.topics.get(&input.topic_id);
                reply::topics(&input.topic_id, topic)
            }
            ApiCall::SettleRunningOperation(input) => {
                if !self.config.settles_markers {
                    return ApiAnswer::Refused {
                        error: TrpcError::unknown_procedure(call.procedure().path()),
                        retry_after: None,
                    };
                }
                let ours = self.marker(&input.topic_id) == Some(&input.operation_id);
                if ours {
                    self.mark(&input.topic_id, None);
                }
                ApiReply::Settled(ours)
            }
            ApiCall::GetGlobalConfig => reply::global_config(&self.config.gateway_url),
        };
        ApiAnswer::Replied(replied)
    }

    fn issue(
        &mut self,
        now: Timestamp,
        terms: &TokenTerms,
        tokens: &mut TokenBook,
    ) -> Option<Token> {
        if terms.missing {
            return None;
        }
        let mut plan = TokenPlan::of(self.config.user.clone());
        if let Some(lifetime) = terms.lifetime {
            plan.lifetime = Millis(lifetime);
        }
        plan.refusal = terms.refused.as_deref().map(Into::into);
        plan.early = Millis(terms.early);
        Some(tokens.issue(&plan, now))
    }

    /// A name of that many letters and digits, never the same twice.
    fn name(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        self.counter += 1;
        let mut word = crate::random::scramble(self.seed.wrapping_add(self.counter));
        let mut name = String::with_capacity(length);
        for _ in 0..length {
            name.push(char::from(LETTERS[(word % 36) as usize]));
            word /= 36;
        }
        name
    }
}

fn refused(call: &ApiCall, code: TrpcCode, message: &str) -> ApiAnswer {
    ApiAnswer::Refused {
        error: TrpcError::new(code, message, Some(call.procedure().path().into())),
        retry_after: None,
    }
}
