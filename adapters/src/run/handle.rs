//! What can be asked of a run from anywhere.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use agent_gateway_machine::{
    AnswerRefusal, ConnectionStatus, EventKind, Network, Receipt, State, ToolAnswer,
};
use agent_gateway_protocol::{InputRequestId, OperationId, ToolCallId, TopicId};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::client::Claim;
use crate::driver::{Mailbox, Rejection, RunCommand, Snapshot, Verdict};

/// Commands and looks at a run. Cheap to clone; keeps nothing alive.
///
/// A command is given when the method is called; what comes of it is told by notifications. After the run's end commands
/// do nothing. The same command twice before the run's task has had its turn is one.
#[derive(Clone)]
pub struct RunHandle {
    pub(super) mailbox: Arc<Mailbox>,
    /// What the run has among those of its client.
    pub(super) claim: Claim,
}

impl RunHandle {
    /// Ends the run on the server (R2, R5). The stream goes on until its end, which tells how it went; where the server
    /// does not confirm within `stop_timeout`, the outcome says so.
    pub fn stop(&self) {
        self.command(EventKind::Stop);
    }

    /// Stops watching and leaves the run going (S12). Its operation is free at once, to be
    /// [attached](crate::Client::attach) to again; a [stop](Self::stop) asked for before still goes out.
    ///
    /// What is queued for [`Run::next`](crate::Run::next) can still be read. What is read after the bookmark was stored comes
    /// again when it is attached: stop reading, or read to the end first.
    pub fn detach(&self) {
        self.claim.give_up();
        self.command(EventKind::Detach);
    }

    /// Sends the socket's own `interrupt` frame (S13). Today's gateways take it and do nothing; [`RunHandle::stop`] is
    /// what ends a run.
    pub fn interrupt(&self) {
        self.command(EventKind::Interrupt);
    }

    /// Tells what the host knows of its network (C15).
    pub fn network_changed(&self, network: Network) {
        self.command(EventKind::NetworkChanged(network));
    }

    /// Answers a tool call (T2). The answer is given at once; await the result to learn whether it was accepted.
    pub fn answer_tool(&self, call: ToolCallId, answer: ToolAnswer) -> Answered {
        self.answer(EventKind::AnswerTool {
            call,
            answer: Box::new(answer),
        })
    }

    /// Answers a confirmation request (T7), as [`RunHandle::answer_tool`] does.
    pub fn answer_confirmation(&self, call: ToolCallId, approved: bool) -> Answered {
        self.answer(EventKind::AnswerConfirmation { call, approved })
    }

    /// Answers an input request (T7), as [`RunHandle::answer_tool`] does.
    pub fn answer_input(&self, request: InputRequestId, content: impl Into<Box<str>>) -> Answered {
        self.answer(EventKind::AnswerInput {
            request,
            content: content.into(),
        })
    }

    /// All that can be seen of the run from outside, of one moment: for metrics, as often as wanted. Not a word of it is
    /// a message's or a token.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.mailbox.snapshot()
    }

    /// The connection's status as of the latest wake-up of the run.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.snapshot().status
    }

    /// The run's operation, once the server has told it.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        self.snapshot().operation
    }

    /// The run's topic, once known.
    #[must_use]
    pub fn topic(&self) -> Option<TopicId> {
        self.snapshot().topic
    }

    /// What has happened so far. Counts what was handed over, read by the caller or not (S11).
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.snapshot().receipt
    }

    /// Waits until nothing of the run is left here, because it is over or its task is gone
    /// ([`Unwatched`](crate::Unwatched)): its marker is cleared (R6), its socket closed, its task
    /// gone. At most `settle_deadline` after the end (and `stop_grace` more for a run that is left while its stop waits for
    /// the server's answer), or 2 s where that is less: a closing handshake may take so long.
    /// Cancel-safe.
    pub async fn settled(&self) {
        self.mailbox.gone().await;
    }

    /// The run as plain data, to be stored and carried on later by [`Client::restore`](crate::Client::restore), perhaps by
    /// another program; `None` once the run is over and settled, or [`Unwatched`](crate::Unwatched). It holds no token, but
    /// the run's texts that wait.
    ///
    /// What is queued for [`Run::next`](crate::Run::next) is past for the state: who goes away with it wants
    /// [`Run::into_state`](crate::Run::into_state), and who may crash stores [`Run::bookmark`](crate::Run::bookmark).
    /// Cancel-safe.
    pub async fn state(&self) -> Option<State> {
        let (stored, state) = oneshot::channel();
        self.mailbox.command(RunCommand::Store(stored));
        state.await.ok()
    }

    fn command(&self, kind: EventKind) {
        // A run that is gone has nothing to be told.
        self.mailbox.command(RunCommand::tell(kind));
    }

    fn answer(&self, kind: EventKind) -> Answered {
        let (verdict, answered) = oneshot::channel();
        self.mailbox.command(RunCommand::Tell {
            kind,
            verdict: Some(verdict),
        });
        Answered(answered)
    }
}

impl fmt::Debug for RunHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot();
        formatter
            .debug_struct("RunHandle")
            .field("operation", &snapshot.operation)
            .field("status", &snapshot.status)
            .field("receipt", &snapshot.receipt)
            .finish_non_exhaustive()
    }
}

/// Whether an answer was accepted. The answer is given already: dropping this loses only the news.
#[derive(Debug)]
pub struct Answered(oneshot::Receiver<Verdict>);

impl Future for Answered {
    type Output = Result<(), AnswerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|verdict| match verdict {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Rejection::Refused(AnswerRefusal::NeverAsked))) => {
                    Err(AnswerError::NeverAsked)
                }
                Ok(Err(Rejection::Refused(AnswerRefusal::AlreadyAnswered))) => {
                    Err(AnswerError::AlreadyAnswered)
                }
                Ok(Err(Rejection::Refused(AnswerRefusal::TooLarge))) => Err(AnswerError::TooLarge),
                Ok(Err(Rejection::NoRoom)) => Err(AnswerError::NoRoom),
                Ok(Err(Rejection::RunOver)) | Err(_) => Err(AnswerError::RunOver),
            })
    }
}

/// Why an answer was not accepted (T2, T6, T7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Nobody asked for it.
    #[error("nobody asked for this answer")]
    NeverAsked,
    /// It was answered before, by the caller or at the deadline, or the server settled it.
    #[error("this was answered before, or is settled already")]
    AlreadyAnswered,
    /// It alone has more bytes than may wait (16 MiB); a smaller one is still wanted (T3).
    #[error("this answer is too large")]
    TooLarge,
    /// More than 1,024 answers, or 32 MiB of them, wait for the run's task to have its turn, or nobody reads what the run
    /// tells ([`QueueLimits`](crate::QueueLimits)). It is still wanted: give it again later.
    #[error("too many answers wait for the run; give this one again later")]
    NoRoom,
    /// The run is over, or its task is gone ([`Unwatched`](crate::Unwatched)).
    #[error("the run is over")]
    RunOver,
}
