//! The API as tRPC over HTTP: plain calls, and batches of them.

use std::collections::BTreeMap;

use agent_gateway_protocol::api::{ExecAgent, Method, UpdateTopicMetadata};
use agent_gateway_protocol::json::FromJson;
use agent_gateway_protocol::trpc::{
    Answer, Call, HttpMethod, Incoming, IncomingError, Outcome, TrpcCode, TrpcError, batch_answer,
};
use agent_gateway_protocol::{Object, RawJson, Token, TopicId};

use super::{ApiAnswer, ApiCall, ApiConfig, ProcedureName};
use crate::gateway::Ticket;
use crate::http::{HttpRequest, HttpResponse};

/// One request as far as it can be read: each call to carry out, or its failure.
pub(crate) struct WireCall {
    pub(crate) batch: bool,
    pub(crate) calls: Vec<Result<ApiCall, TrpcError>>,
}

impl WireCall {
    /// Reads a request to `/trpc/lambda/…`.
    ///
    /// # Errors
    /// The answer to what no call can be read from.
    pub(crate) fn parse(request: &HttpRequest, config: &ApiConfig) -> Result<Self, HttpResponse> {
        let method = match &*request.method {
            "GET" => HttpMethod::Get,
            "POST" => HttpMethod::Post,
            _ => return Err(HttpResponse::text(405, "Method Not Allowed")),
        };
        if method == HttpMethod::Post {
            check_content_type(request.header("content-type"))?;
        }
        let body = request
            .text()
            .ok_or_else(|| HttpResponse::text(400, "the body is not UTF-8"))?;
        let incoming = Incoming::parse(method, &request.path, request.query.as_deref(), body)
            .map_err(|error| match error {
                IncomingError::OtherPath { .. } => HttpResponse::text(404, "Not Found"),
                IncomingError::BadInput { error, batch } => written(&[Err(error)], batch),
            })?;
        let open = is_open(request, config.credential.as_ref());
        let calls = incoming
            .calls
            .iter()
            .map(|call| read(call, incoming.method, open))
            .collect();
        Ok(Self {
            batch: incoming.batch,
            calls,
        })
    }
}

/// The calls of requests that are not all answered yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchBook {
    batches: BTreeMap<Ticket, Batch>,
    /// Which request, and which place in it, each inner call belongs to.
    places: BTreeMap<Ticket, (Ticket, usize)>,
}

#[derive(Clone, Debug)]
struct Batch {
    is_array: bool,
    outcomes: Vec<Option<Outcome>>,
    retry_after: Option<u64>,
}

impl BatchBook {
    /// Enters a request; gives the calls to carry out, each with the ticket from `mint`. If nothing is left to carry
    /// out, the answer.
    pub(crate) fn enter(
        &mut self,
        outer: Ticket,
        wire: WireCall,
        mut mint: impl FnMut() -> Ticket,
    ) -> Result<Vec<(Ticket, ApiCall)>, HttpResponse> {
        let mut batch = Batch {
            is_array: wire.batch,
            outcomes: Vec::new(),
            retry_after: None,
        };
        let mut calls = Vec::new();
        for (place, call) in wire.calls.into_iter().enumerate() {
            match call {
                Ok(call) => {
                    let inner = mint();
                    self.places.insert(inner, (outer, place));
                    batch.outcomes.push(None);
                    calls.push((inner, call));
                }
                Err(error) => batch.outcomes.push(Some(Err(error))),
            }
        }
        if calls.is_empty() {
            return Err(batch.finish());
        }
        self.batches.insert(outer, batch);
        Ok(calls)
    }

    /// Takes one answer; gives the whole one once it is complete, or `None` in its place for a cut connection.
    pub(crate) fn answer(
        &mut self,
        inner: Ticket,
        answer: ApiAnswer,
    ) -> Option<(Ticket, Option<HttpResponse>)> {
        let (outer, place) = self.places.remove(&inner)?;
        let batch = self.batches.get_mut(&outer)?;
        let outcome = match answer {
            ApiAnswer::Replied(reply) => Ok(reply.to_json()),
            ApiAnswer::Refused { error, retry_after } => {
                batch.retry_after = retry_after;
                Err(error)
            }
            ApiAnswer::Page(page) => {
                self.batches.remove(&outer);
                return Some((outer, Some(page)));
            }
            ApiAnswer::Dropped => {
                self.batches.remove(&outer);
                return Some((outer, None));
            }
        };
        *batch.outcomes.get_mut(place)? = Some(outcome);
        if batch.outcomes.iter().any(Option::is_none) {
            return None;
        }
        let batch = self.batches.remove(&outer)?;
        Some((outer, Some(batch.finish())))
    }

    /// Gives a request up; gives its inner calls.
    pub(crate) fn abandon(&mut self, outer: Ticket) -> Vec<Ticket> {
        self.batches.remove(&outer);
        let inner: Vec<Ticket> = self
            .places
            .iter()
            .filter(|(_, (known, _))| *known == outer)
            .map(|(inner, _)| *inner)
            .collect();
        for ticket in &inner {
            self.places.remove(ticket);
        }
        inner
    }
}

impl Batch {
    fn finish(self) -> HttpResponse {
        let outcomes: Vec<Outcome> = self.outcomes.into_iter().flatten().collect();
        let response = written(&outcomes, self.is_array);
        match self.retry_after {
            Some(seconds) => response.with_header("retry-after", &seconds.to_string()),
            None => response,
        }
    }
}

fn written(outcomes: &[Outcome], batch: bool) -> HttpResponse {
    let answer = match outcomes.first() {
        Some(outcome) if !batch => Answer::new(outcome),
        _ => batch_answer(outcomes),
    };
    let unauthorized = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Err(error) if error.code == TrpcCode::Unauthorized));
    let response =
        HttpResponse::json(answer.status, &answer.body).with_header("vary", "trpc-accept");
    if unauthorized {
        response.with_header("x-auth-required", "true")
    } else {
        response
    }
}

fn check_content_type(content_type: Option<&str>) -> Result<(), HttpResponse> {
    let message = match content_type {
        Some(content_type) if content_type.starts_with("application/json") => return Ok(()),
        Some(other) => format!("Unsupported content-type \"{other}"),
        None => "Missing content-type header".into(),
    };
    let error = TrpcError::new(TrpcCode::UnsupportedMediaType, message, None);
    let answer = Answer::new(&Err(error));
    Err(HttpResponse::text(answer.status, &answer.body))
}

/// `X-API-Key` decides if it is there; else `Oidc-Auth`.
pub(crate) fn is_open(request: &HttpRequest, credential: Option<&Token>) -> bool {
    let Some(credential) = credential else {
        return true;
    };
    let given = request
        .header("x-api-key")
        .or_else(|| request.header("oidc-auth"));
    given == Some(credential.expose())
}

fn read(call: &Call, method: Method, open: bool) -> Result<ApiCall, TrpcError> {
    let Some(procedure) = ProcedureName::ALL
        .into_iter()
        .find(|procedure| *procedure.path() == *call.path)
    else {
        return Err(TrpcError::unknown_procedure(&call.path));
    };
    if procedure.method() != method {
        let verb = match method {
            Method::Query => "GET",
            Method::Mutation => "POST",
        };
        let kind = match procedure.method() {
            Method::Query => "query",
            Method::Mutation => "mutation",
        };
        let message =
            format!("Unsupported {verb}-request to {kind} procedure at path \"{procedure}\"");
        let path = Some(call.path.clone());
        return Err(TrpcError::new(TrpcCode::MethodNotSupported, message, path));
    }
    // The global config is public.
    if !open && procedure != ProcedureName::GetGlobalConfig {
        let path = Some(call.path.clone());
        return Err(TrpcError::new(TrpcCode::Unauthorized, "UNAUTHORIZED", path));
    }
    let input = call.input.as_ref();
    Ok(match procedure {
        ProcedureName::ExecAgent => {
            ApiCall::ExecAgent(required::<ExecAgent>(call, input, "prompt")?.into())
        }
        ProcedureName::RefreshGatewayToken => {
            ApiCall::RefreshGatewayToken(*required(call, input, "topicId")?)
        }
        ProcedureName::InterruptTask => {
            ApiCall::InterruptTask(*required(call, input, "operationId")?)
        }
        ProcedureName::GetOperationStatus => {
            ApiCall::GetOperationStatus(*required(call, input, "operationId")?)
        }
        ProcedureName::GetMessages => ApiCall::GetMessages(required(call, input, "topicId")?),
        ProcedureName::GetTopicDetail => ApiCall::GetTopicDetail(*required(call, input, "id")?),
        ProcedureName::UpdateTopicMetadata => {
            let topic: Option<TopicId> = input
                .and_then(Object::parse)
                .and_then(|mut input| input.take("id"));
            let topic_id = topic.ok_or_else(|| refused_input(call, input, "id"))?;
            ApiCall::UpdateTopicMetadata(UpdateTopicMetadata { topic_id })
        }
        ProcedureName::SettleRunningOperation => {
            ApiCall::SettleRunningOperation(*required(call, input, "operationId")?)
        }
        ProcedureName::GetGlobalConfig => ApiCall::GetGlobalConfig,
    })
}

fn required<T: FromJson>(
    call: &Call,
    input: Option<&RawJson>,
    member: &str,
) -> Result<Box<T>, TrpcError> {
    input
        .and_then(RawJson::read)
        .map(Box::new)
        .ok_or_else(|| refused_input(call, input, member))
}

/// What zod says of input that has not the shape.
fn refused_input(call: &Call, input: Option<&RawJson>, member: &str) -> TrpcError {
    let is_object = input.is_some_and(|input| input.as_slice().is_object());
    let (expected, path) = if is_object {
        ("string", format!("[\n      \"{member}\"\n    ]"))
    } else {
        ("object", "[]".into())
    };
    let message = format!(
        "[\n  {{\n    \"code\": \"invalid_type\",\n    \"expected\": \"{expected}\",\n    \"received\": \"undefined\",\n    \
         \"path\": {path},\n    \"message\": \"Required\"\n  }}\n]"
    );
    TrpcError::new(TrpcCode::BadRequest, message, Some(call.path.clone()))
}
