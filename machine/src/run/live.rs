//! A run that has an operation: its session, its connection, its outbox, and the only place that follows what these
//! report to each other.

use alloc::boxed::Box;

use agent_gateway_protocol::{MessageId, OperationId, ThreadId, TopicId};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::connection::{self, Connection};
use crate::context::Context;
use crate::cursor::Cursor;
use crate::event::{Close, DialFailure};
use crate::fences::{DialId, RequestId};
use crate::ignored::Ignored;
use crate::mutation::Mutation;
use crate::notification::{Notification, TopicStatus};
use crate::outbox::Outbox;
use crate::request::Reply;
use crate::rule::Rule;
use crate::run::settling::Settling;
use crate::run::stop::Stop;
use crate::run::{End, Ended, Phase};
use crate::session::credential::{Credential, Readiness};
use crate::session::{Session, SessionStatus};
use crate::timers::Timer;
use crate::token::TokenGrant;

/// What a run is called by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) operation: OperationId,
    pub(crate) topic: Option<TopicId>,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) assistant_message: Option<MessageId>,
}

/// A run that has an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(crate) identity: Identity,
    pub(crate) session: Session,
    pub(crate) connection: Connection,
    pub(crate) outbox: Outbox,
    /// The stop being carried out (R5); `Timer::StopTimeout` runs.
    pub(crate) stop: Option<Stop>,
    /// An end was noted that does not say how the run went, and the server is being asked (S3, S14). No dial
    /// meanwhile.
    pub(crate) concluding: bool,
    /// Whether the caller was told that the topic is busy (R5, R6).
    busy: bool,
}

impl Live {
    pub(crate) fn new(
        context: &mut Context<'_>,
        identity: Identity,
        cursor: Cursor,
        credential: Credential,
        executes_tools: bool,
    ) -> Box<Self> {
        let session = Session::new(context, identity.operation.clone(), cursor, credential);
        Box::new(Self {
            identity,
            session,
            connection: Connection::default(),
            outbox: Outbox::new(executes_tools),
            stop: None,
            concluding: false,
            busy: false,
        })
    }

    /// How the session stands, in one word for each of its rooms.
    pub(crate) fn session_status(&self) -> SessionStatus {
        let session = &self.session;
        SessionStatus {
            seam: session.sequence.word(),
            token: session.credential.word(),
            end: if self.concluding {
                "asking"
            } else {
                session.terminal.word()
            },
        }
    }

    /// The first dial of the run: its topic is busy from here on (R5).
    pub(crate) fn begin(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.busy = true;
        self.tell_busy(context);
        self.dial_when_ready(context)
    }

    fn tell_busy(&self, context: &mut Context<'_>) {
        context.notify(Notification::TopicStatusChanged {
            topic: self.identity.topic.clone(),
            status: TopicStatus::Running,
        });
    }

    /// Dials if there is a token that is young enough; otherwise it is fetched first (S8, S10).
    pub(crate) fn dial_when_ready(&mut self, context: &mut Context<'_>) -> Option<End> {
        match self.session.credential.prepare_dial(context) {
            Readiness::Ready => self.connection.dial(context, &self.session.operation),
            Readiness::Pending => self.connection.await_token(context),
            Readiness::Lost(outcome) => return Some(End::unexplained(outcome)),
        }
        None
    }

    pub(crate) fn on_dial_failed(
        &mut self,
        context: &mut Context<'_>,
        failure: DialFailure,
    ) -> Option<End> {
        let news = self.connection.on_dial_failed(context, failure);
        self.follow_connection(context, news)
    }

    /// C7: an answer over the gateway's limit must neither go out for ever nor end the run. S8: a socket lost while a token
    /// is fetched just waits for it; so does one lost while the end is looked into.
    pub(crate) fn on_closed(&mut self, context: &mut Context<'_>, close: Close) -> Option<End> {
        let is_ours = close.says_too_large()
            && self.connection.connected().is_some()
            && self.outbox.on_too_large(context);
        if self.session.credential.is_refreshing() || self.concluding {
            context.cite(Rule::S8);
            self.on_socket_gone(context);
            self.connection.on_gone(context);
            return None;
        }
        let news = self.connection.on_closed(context, close, is_ours);
        self.follow_connection(context, news)
    }

    /// C15: the network is gone: what waits for another attempt waits as long as it gets.
    pub(crate) fn on_offline(&mut self, context: &mut Context<'_>) {
        self.session.credential.on_offline(context);
        self.connection.on_offline(context);
    }

    /// C15: the network is back.
    pub(crate) fn on_online(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.ask_online(context);
        let news = self.connection.on_online(context);
        self.follow_connection(context, news)
    }

    /// C15: what waits to be asked for again is asked for now: a token, and how the run stands.
    pub(crate) fn ask_online(&mut self, context: &mut Context<'_>) {
        self.retry_token_online(context);
        self.session.inquiry.on_online(context);
    }

    pub(crate) fn follow_connection(
        &mut self,
        context: &mut Context<'_>,
        news: connection::News,
    ) -> Option<End> {
        match news {
            connection::News::Nothing => None,
            connection::News::Lost => {
                self.on_socket_gone(context);
                None
            }
            connection::News::DialDue => self.dial_when_ready(context),
            connection::News::GivenUp(outcome) => Some(End::unexplained(outcome)),
        }
    }

    /// Closes the socket, if there is one, and does not dial.
    pub(crate) fn wait_without_socket(&mut self, context: &mut Context<'_>) {
        self.on_socket_gone(context);
        self.connection.await_token(context);
    }

    /// Each answer goes to the request it answers; any other changes nothing (C13).
    pub(crate) fn on_reply(
        &mut self,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Option<End> {
        let interrupt = self.stop.as_ref().and_then(|stop| stop.request);
        let unfenced =
            context.is_broken(Mutation::RefreshUnfenced) && matches!(reply, Reply::TokenIssued(_));
        if self.session.credential.request() == Some(request) || unfenced {
            let news = self.session.credential.on_reply(context, reply);
            self.follow_credential(context, news)
        } else if self.session.inquiry.request() == Some(request) {
            self.on_status_reply(context, request, reply)
        } else if interrupt == Some(request) {
            self.on_interrupt_reply(context, request, reply);
            None
        } else {
            context.ignore(Ignored::StaleRequest(request));
            None
        }
    }

    /// The end: nothing of this run stays behind but an interrupt already asked for (S11, S12, I3).
    #[inline(never)]
    pub(crate) fn end(mut self: Box<Self>, context: &mut Context<'_>, end: End) -> Phase {
        self.outbox.withdraw(context);
        self.session.sequence.abandon_seam(context);
        self.session.credential.give_up(context);
        self.session.inquiry.give_up(context);
        self.connection.shut(context);
        context.disarm(Timer::InterruptDeadline);
        context.disarm(Timer::StopTimeout);
        Settling::begin(
            context,
            Ended {
                identity: Some(self.identity),
                cursor: self.session.sequence.cursor().clone(),
                outcome: end.outcome,
            },
            end.server_side,
            self.stop.and_then(|stop| stop.request),
            self.busy,
        )
    }

    /// The hands hold nothing of this run any more: fetch a token, redial, ask again (S10). Nor may they know that its topic
    /// is busy, and theirs is the registry that keeps others from it (R5, R8).
    pub(crate) fn on_restored(
        &mut self,
        context: &mut Context<'_>,
        token: Option<TokenGrant>,
    ) -> Option<End> {
        context.cite(Rule::S10);
        if self.busy {
            self.tell_busy(context);
        }
        self.on_socket_gone(context);
        self.connection.on_gone(context);
        self.session.credential.on_restored(context, token);
        self.session.inquiry.on_restored(context);
        self.outbox.on_restored();
        self.restore_stop(context);
        if self.concluding {
            self.conclude(context);
            return None;
        }
        self.dial_when_ready(context)
    }

    /// The socket frames other than heartbeats may go out on: authenticated, and not waiting for a token (S8).
    pub(crate) fn open_socket(&self) -> Option<DialId> {
        if self.session.credential.is_refreshing() {
            return None;
        }
        self.connection.connected()
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        self.session.canonicalize(canon);
        self.connection.canonicalize(canon);
        self.outbox.canonicalize(canon);
        if let Some(Stop {
            request: Some(request),
        }) = &mut self.stop
        {
            canon.request(request);
        }
    }

    /// The replay that was under way is lost with the socket.
    pub(crate) fn on_socket_gone(&mut self, context: &mut Context<'_>) {
        self.session.sequence.abandon_seam(context);
        self.session.inquiry.on_answered();
    }
}
