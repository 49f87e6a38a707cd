//! Tool calls carried out beside a run's stream.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use agent_gateway_machine::{AnswerId, AnswerRefusal, Notification, ToolAnswer};
use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::{RawJson, ToolCallId};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::Instant;

use crate::run::{AnswerError, Run, RunHandle};

/// Calls that are carried out at the same time unless [`Workbench::at_once`] says otherwise.
const AT_ONCE: usize = 16;

/// Bytes of calls that are carried out or wait. A call over it is answered at once: the server may ask for thousands.
const MOST_BYTES: usize = 64 << 20;

/// Most characters of a call's arguments that an error quotes.
const MOST_QUOTED: usize = 200;

/// What a tool is while it works.
type Work = Pin<Box<dyn Future<Output = ToolAnswer> + Send>>;

/// Carries out the tool calls of one run, beside its stream: each call is a future of its own, [`at_once`](Self::at_once)
/// of them at the same time, the others wait for their turn.
///
/// A future is dropped where it stands when its answer is not wanted any more: the run has ended, the server has settled the
/// call itself (T6), or its time was over and the machine has answered in its place (T2). Dropping the workbench drops all.
///
/// What no tool needs to see is answered here: arguments that are not JSON (`arguments_parse_error`; none at all are
/// `{}`), and, as `client_tool_execution_error`, an answer that is too large (T3), a tool that panics, and a call past the
/// 64 MiB of calls that may wait.
///
/// ```
/// use agent_gateway_adapters::embedded::EmbeddedServer;
/// use agent_gateway_adapters::{Client, Credential, ExecAgent, ToolAnswer, ToolExecute, Workbench};
///
/// async fn execute(call: ToolExecute) -> ToolAnswer {
///     match &*call.api_name {
///         "readFile" => ToolAnswer::success("buy milk"),
///         other => ToolAnswer::failure("executor_not_found", &format!("there is no {other} here")),
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = EmbeddedServer::playing("tool_call").await?;
/// # let client = Client::builder()
/// #     .server(server.server_url().clone())
/// #     .credential(Credential::ApiKey(server.client_token().clone()))
/// #     .build()?;
/// let mut run = client.execute(ExecAgent::inbox("Read a.txt")).await?;
/// let mut workbench = Workbench::new(execute);
/// while let Some(notification) = workbench.next(&mut run).await {
///     println!("{}", notification.name());
/// }
/// # assert_eq!(run.outcome().await?.0.name(), "completed");
/// # Ok(())
/// # }
/// ```
pub struct Workbench {
    tool: Arc<dyn Fn(ToolExecute) -> Work + Send + Sync>,
    turns: Arc<Semaphore>,
    running: JoinSet<Done>,
    open: BTreeMap<ToolCallId, Open>,
    /// Of all that are open.
    bytes: usize,
    /// For which the run had no room.
    kept: Option<Done>,
}

/// A call that has no answer yet.
struct Open {
    handle: AbortHandle,
    bytes: usize,
}

/// A call that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// Which call.
    pub call: ToolCallId,
    /// What came of it.
    pub answer: ToolAnswer,
    /// How long it worked, from when its turn had come.
    pub took: Duration,
}

impl Done {
    fn failed(call: ToolCallId, why: &str) -> Self {
        Self {
            call,
            answer: ToolAnswer::failure("client_tool_execution_error", why),
            took: Duration::ZERO,
        }
    }
}

impl Workbench {
    /// Carries calls out by `tool`: it is given each with arguments that are JSON, and never fails, for what goes wrong is
    /// an answer too ([`ToolAnswer::failure`]).
    pub fn new<Tool, Answering>(tool: Tool) -> Self
    where
        Tool: Fn(ToolExecute) -> Answering + Send + Sync + 'static,
        Answering: Future<Output = ToolAnswer> + Send + 'static,
    {
        Self {
            tool: Arc::new(move |call| Box::pin(tool(call))),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            running: JoinSet::new(),
            open: BTreeMap::new(),
            bytes: 0,
            kept: None,
        }
    }

    /// Carries out so many calls at the same time; 16 unless set, and at least one.
    #[must_use]
    pub fn at_once(mut self, calls: usize) -> Self {
        self.turns = Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// [`Run::next`], with the tool calls carried out meanwhile and answered. Cancel-safe, as it is.
    ///
    /// Answers go out only while this is polled.
    pub async fn next(&mut self, run: &mut Run) -> Option<Notification> {
        let mut has_room = true;
        loop {
            tokio::select! {
                notification = run.next() => {
                    match &notification {
                        Some(notification) => self.hear(notification),
                        None => self.give_up_all(),
                    }
                    return notification;
                }
                // Whether it is still wanted is told by a notification. Where there is no room something waits to be read.
                done = self.next_done(), if has_room => {
                    has_room = self.give(run, done).await != Err(AnswerError::NoRoom);
                }
            }
        }
    }

    /// Gives the run what is done. Where that is [refused for want of room](AnswerError::NoRoom) it is kept, to be the next
    /// that [`Workbench::next_done`] tells: read a notification first.
    ///
    /// # Errors
    /// It was not accepted. Whether the call is still open is told by a notification.
    pub async fn give(&mut self, run: &RunHandle, done: Done) -> Result<(), AnswerError> {
        let answered = run.answer_tool(done.call.clone(), done.answer.clone());
        let answered = answered.await;
        if answered == Err(AnswerError::NoRoom) {
            self.kept = Some(done);
        }
        answered
    }

    /// Takes in what the caller was told: begins the call that is asked for, gives up what is not wanted any more. For
    /// programs that wait for more than [`Workbench::next`] does: they [give](Self::give) what is done to the run themselves.
    pub fn hear(&mut self, notification: &Notification) {
        match notification {
            Notification::ToolRequested { call, .. } => self.begin((**call).clone()),
            Notification::ToolTimedOut { call }
            | Notification::AnswerWithdrawn {
                answer: AnswerId::Tool(call),
            } => self.give_up(call),
            // The call is still open.
            Notification::AnswerRefused {
                answer: AnswerId::Tool(call),
                why: AnswerRefusal::TooLarge,
            } => self.refuse(
                call.clone(),
                "what the tool gave is too large for an answer",
            ),
            Notification::RunEnded { .. } => self.give_up_all(),
            _ => {}
        }
    }

    /// The next call that is done; waits for ever if none is open. Cancel-safe.
    pub async fn next_done(&mut self) -> Done {
        if let Some(done) = self.kept.take() {
            return done;
        }
        loop {
            match self.running.join_next().await {
                // One given up just as it was done is not open any more.
                Some(Ok(done)) => {
                    if self.close_call(&done.call).is_some() {
                        return done;
                    }
                }
                Some(Err(error)) => {
                    if let Some(call) = self.open_call(&error) {
                        self.close_call(&call);
                        return Done::failed(call, "the tool panicked");
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Gives every call up, and waits until their futures are dropped.
    pub async fn close(&mut self) {
        self.give_up_all();
        while self.running.join_next().await.is_some() {}
    }

    /// Begins a call beside the others, in its turn.
    fn begin(&mut self, mut call: ToolExecute) {
        let id = call.tool_call_id.clone();
        let is_done = self.kept.as_ref().is_some_and(|kept| kept.call == id);
        if is_done || self.open.contains_key(&id) {
            // A run that is carried on asks again for what is open (T1), and here it is at work already.
            return;
        }
        let bytes = call.size();
        if self.bytes + bytes > MOST_BYTES {
            let why = format!("more than {MOST_BYTES} bytes of calls wait to be carried out");
            return self.refuse(id, &why);
        }
        if call.arguments.is_empty() {
            call.arguments = "{}".into();
        }
        let (tool, turns) = (self.tool.clone(), self.turns.clone());
        let handle = self.running.spawn(carry_out(call, tool, turns));
        self.bytes += bytes;
        self.open.insert(id, Open { handle, bytes });
    }

    /// Answers a call without having carried it out.
    fn refuse(&mut self, call: ToolCallId, why: &str) {
        let done = Done::failed(call.clone(), why);
        let handle = self.running.spawn(async { done });
        self.open.insert(call, Open { handle, bytes: 0 });
    }

    fn give_up(&mut self, call: &ToolCallId) {
        self.kept.take_if(|kept| kept.call == *call);
        if let Some(handle) = self.close_call(call) {
            handle.abort();
        }
    }

    fn give_up_all(&mut self) {
        self.kept = None;
        self.open.clear();
        self.bytes = 0;
        self.running.abort_all();
    }

    fn close_call(&mut self, call: &ToolCallId) -> Option<AbortHandle> {
        let open = self.open.remove(call)?;
        self.bytes -= open.bytes;
        Some(open.handle)
    }

    /// The call that ended in this way, unless it was given up.
    fn open_call(&self, error: &JoinError) -> Option<ToolCallId> {
        let mut open = self.open.iter();
        let found = open.find(|(_, open)| open.handle.id() == error.id());
        found.map(|(call, _)| call.clone())
    }
}

impl fmt::Debug for Workbench {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Workbench")
            .field("open", &self.open.keys())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

async fn carry_out(
    call: ToolExecute,
    tool: Arc<dyn Fn(ToolExecute) -> Work + Send + Sync>,
    turns: Arc<Semaphore>,
) -> Done {
    // It is never closed.
    let _turn = turns.acquire().await;
    let began = Instant::now();
    let id = call.tool_call_id.clone();
    let answer = match RawJson::parse(&*call.arguments) {
        Ok(_) => tool(call).await,
        Err(error) => broken_arguments(&call.arguments, &error.to_string()),
    };
    Done {
        call: id,
        answer,
        took: began.elapsed(),
    }
}

fn broken_arguments(arguments: &str, why: &str) -> ToolAnswer {
    let quoted: String = arguments.chars().take(MOST_QUOTED).collect();
    ToolAnswer::failure(
        "arguments_parse_error",
        &format!("the arguments are not JSON ({why}): {quoted}"),
    )
}
