//! A run that has an operation: its session, its connection, its outbox, and the only place that follows what these
//! report to each other.

use alloc::boxed::Box;
use alloc::format;

use agent_gateway_protocol::frame::{Auth, Resume, TokenType};
use agent_gateway_protocol::{ClientFrame, MessageId, OperationId, ThreadId, TopicId};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::connection::{self, Connection};
use crate::context::Context;
use crate::cursor::Cursor;
use crate::effect::Effect;
use crate::event::{Close, DialFailure};
use crate::fences::{DialId, RequestId};
use crate::ignored::Ignored;
use crate::mutation::Mutation;
use crate::notification::{Notification, TopicStatus};
use crate::outbox::Outbox;
use crate::outcome::Outcome;
use crate::request::{Reply, RequestFailure};
use crate::rule::Rule;
use crate::run::settling::Settling;
use crate::run::stop::Stop;
use crate::run::{End, Ended, Phase};
use crate::session::credential::{self, Credential, Readiness};
use crate::session::terminal::{ServerEnd, Verdict};
use crate::session::{Session, SessionStatus};
use crate::timers::Timer;
use crate::token::{TokenGrant, TokenId, TokenKind};

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
        context.notify(Notification::TopicStatusChanged {
            topic: self.identity.topic.clone(),
            status: TopicStatus::Running,
        });
        self.dial_when_ready(context)
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

    /// The socket is open: the first frame on it is `auth`, with the newest token (C3, I5).
    pub(crate) fn on_opened(&mut self, context: &mut Context<'_>) -> Option<End> {
        let Some((token, kind)) = self.session.credential.token() else {
            return self.dial_when_ready(context);
        };
        let auth = authentication(context, token, kind);
        self.connection.on_opened(context, auth);
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

    /// S8: a socket lost while a token is fetched just waits for it; so does one lost while the end is looked into.
    pub(crate) fn on_closed(&mut self, context: &mut Context<'_>, close: Close) -> Option<End> {
        if self.session.credential.is_refreshing() || self.concluding {
            context.cite(Rule::S8);
            self.on_socket_gone(context);
            self.connection.on_gone(context);
            return None;
        }
        let news = self.connection.on_closed(context, close);
        self.follow_connection(context, news)
    }

    /// C15: the network is gone: what waits for another attempt waits as long as it gets.
    pub(crate) fn on_offline(&mut self, context: &mut Context<'_>) {
        self.session.credential.on_offline(context);
        self.connection.on_offline(context);
    }

    /// C15: the network is back.
    pub(crate) fn on_online(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.retry_token_online(context);
        let news = self.connection.on_online(context);
        self.follow_connection(context, news)
    }

    /// C15: the pause between two tries for a token is skipped too.
    pub(crate) fn retry_token_online(&mut self, context: &mut Context<'_>) {
        if !self.session.credential.expects_retry() {
            return;
        }
        context.cite(Rule::C15);
        if self.connection.may_skip(context) {
            self.session.credential.on_online(context);
        } else {
            self.connection.hasten(context, Timer::RefreshRetry);
        }
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

    /// C4: connected; `resume` opens the seam, then everything in the outbox goes out.
    pub(crate) fn on_auth_success(&mut self, context: &mut Context<'_>) -> Option<End> {
        if !self.connection.on_authenticated(context) {
            return None;
        }
        context.cite(Rule::C4);
        context.cite(Rule::C8);
        if !self.session.sequence.cursor().is_start() {
            context.cite(Rule::C10);
        }
        let dial = self.connection.connected()?;
        context.push(Effect::SendFrame {
            dial,
            frame: ClientFrame::Resume(Resume {
                last_event_id: self.session.sequence.cursor().id.clone(),
                want_status: true,
            }),
        });
        self.session.sequence.open_seam(context);
        self.session.inquiry.on_resumed(context);
        self.outbox.on_connected(context, dial);
        None
    }

    /// S7: terminal, but for what only looks like a refusal.
    pub(crate) fn on_auth_failed(
        &mut self,
        context: &mut Context<'_>,
        reason: Box<str>,
    ) -> Option<End> {
        context.cite(Rule::S7);
        if self.concluding {
            // The end that was noted came first, and wins.
            self.wait_without_socket(context);
            return None;
        }
        if reason.contains("Authentication timeout") {
            return self.drop_socket(context, &reason);
        }
        if reason.contains("nbf") && self.session.credential.retry_not_before() {
            self.on_socket_gone(context);
            self.connection.await_not_before(context);
            return None;
        }
        if names_expiry(&reason) {
            // The gateway's clock says that the token is too old: a fresh one helps, as after `auth_expired`.
            return self.on_auth_expired(context);
        }
        Some(End::unexplained(Outcome::AuthLost { reason }))
    }

    /// S8: after `auth_success` the socket stays open while a token is fetched; before it, it is closed at once.
    pub(crate) fn on_auth_expired(&mut self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::S8);
        if self.concluding {
            self.session.credential.forget(context);
            self.wait_without_socket(context);
            return None;
        }
        if self.connection.is_proven(context) {
            // The gateway had taken the token; that it runs out in the end is no refusal (S9).
            self.session.credential.progress();
        }
        match self.session.credential.on_expired(context) {
            Readiness::Ready | Readiness::Pending => {
                if self.connection.connected().is_none() {
                    self.connection.await_token(context);
                }
                None
            }
            Readiness::Lost(outcome) => Some(End::unexplained(outcome)),
        }
    }

    /// What became of the request for a fresh token (S8).
    pub(crate) fn follow_credential(
        &mut self,
        context: &mut Context<'_>,
        news: credential::News,
    ) -> Option<End> {
        match news {
            credential::News::Nothing => None,
            credential::News::Fresh => {
                self.wait_without_socket(context);
                self.dial_when_ready(context)
            }
            credential::News::RunOver => {
                self.session.terminal.on_not_found();
                if self.connection.connected().is_none() && !self.connection.is_idle() {
                    self.wait_without_socket(context);
                }
                // Not the end that may have been noted in a seam: the replay would have gone on (S2). What is still on
                // its way on an open socket has its turn (I10).
                self.conclude(context);
                None
            }
            credential::News::Lost(outcome) => Some(End::unexplained(outcome)),
        }
    }

    /// Looks at the end noted, outside a seam: it counts, or the server is asked how the run went (S2, S3, S14).
    pub(crate) fn judge(&mut self, context: &mut Context<'_>) -> Option<End> {
        match self.session.terminal.verdict() {
            Verdict::Alive => None,
            Verdict::Ended(end) => {
                if !self.session.terminal.is_whole() {
                    // The gateway kept the status, and not the frames that go with it.
                    self.session.sequence.tell_missing_end(context);
                }
                Some(End::by_server(end.into_outcome()))
            }
            Verdict::Unexplained => {
                self.conclude(context);
                None
            }
        }
    }

    /// An end was noted and does not say how the run went: the server is asked (S3, S14). The end wins over a fetch of
    /// a token (S8): without one the socket is of no use, and should the run go on after all, it is fetched again. What
    /// was asked before the end was noted says nothing of it: it is asked anew.
    fn conclude(&mut self, context: &mut Context<'_>) {
        if !core::mem::replace(&mut self.concluding, true) {
            self.session.inquiry.withdraw(context);
        }
        if self.session.credential.is_refreshing() {
            self.session.credential.forget(context);
            self.wait_without_socket(context);
        }
        self.session.inquiry.ask(context, &self.session.operation);
    }

    /// Closes the socket, if there is one, and does not dial.
    pub(crate) fn wait_without_socket(&mut self, context: &mut Context<'_>) {
        self.on_socket_gone(context);
        self.connection.await_token(context);
    }

    /// S14: what the server says of the run.
    pub(crate) fn on_status_reply(
        &mut self,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Option<End> {
        context.cite(Rule::S14);
        self.session.inquiry.close(context);
        match context.answer(request, reply, Reply::into_status) {
            Ok(Some(report)) => {
                self.session.inquiry.on_known();
                match ServerEnd::from_status(&report) {
                    Some(end) => self.end_by_status(context, end.into_outcome()),
                    None => self.go_on(context),
                }
            }
            Ok(None) => {
                let twice = self.session.inquiry.on_unknown(context);
                if twice || self.session.terminal.is_binding() {
                    return self.end_by_status(context, Outcome::EndedUnknown);
                }
                None
            }
            Err(failure) => self.on_status_unanswered(context, &failure),
        }
    }

    pub(crate) fn on_status_deadline(&mut self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::S14);
        if let Some(request) = self.session.inquiry.request() {
            context.cancel(request, Timer::StatusDeadline);
        }
        self.session.inquiry.close(context);
        let failure = RequestFailure::Lost {
            text: format!("no answer within {}", context.limits().request_deadline).into(),
        };
        self.on_status_unanswered(context, &failure)
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

    /// The hands hold nothing of this run any more: fetch a token, redial, ask again (S10).
    pub(crate) fn on_restored(
        &mut self,
        context: &mut Context<'_>,
        token: Option<TokenGrant>,
    ) -> Option<End> {
        context.cite(Rule::S10);
        self.on_socket_gone(context);
        self.connection.on_gone(context);
        self.session.credential.on_restored(context, token);
        self.session.inquiry.on_restored(context);
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

    /// The server says that the run is over, before the stream has. A stream that is still talking brings its own
    /// end, after everything before it (I10), and one that is being reconnected gets the time to do so.
    fn end_by_status(&mut self, context: &mut Context<'_>, outcome: Outcome) -> Option<End> {
        let binding = self.session.terminal.is_binding();
        let connected = self.connection.connected().is_some();
        // Once there is no token any more, only a socket that is open can still speak.
        let may_speak = !self.concluding || (binding && connected);
        if may_speak && self.session.inquiry.defer_to_stream(context, connected) {
            return None;
        }
        Some(End::by_server(self.hear_out(context, outcome)))
    }

    /// The run is over, and `said` was said elsewhere: what a seam holds has its turn before the end, its holes told, and
    /// so is what may be missing behind it (C11). An end noted there may be an earlier run's (S2): it only says more of
    /// what was said.
    fn hear_out(&mut self, context: &mut Context<'_>, said: Outcome) -> Outcome {
        let terminal = &self.session.terminal;
        let in_full = self.concluding && terminal.is_whole() && !terminal.is_binding();
        self.session.sequence.end_seam(context);
        let _ = self.drain_seam(context);
        if !in_full {
            self.session.sequence.tell_missing_end(context);
        }
        match self.session.terminal.verdict() {
            Verdict::Ended(end) if end.is_what(&said) => end.into_outcome(),
            Verdict::Ended(_) | Verdict::Unexplained | Verdict::Alive => said,
        }
    }

    /// The server says that the run goes on: an end noted before is void (S2).
    fn go_on(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self.session.terminal.is_binding() {
            // There is no token for it, though: it cannot be watched any more, and it is not ours to clear.
            return Some(End::left_alone(
                self.hear_out(context, Outcome::EndedUnknown),
            ));
        }
        self.session.terminal.void();
        if !core::mem::take(&mut self.concluding) {
            return None;
        }
        self.outbox.on_seam_ended(context);
        if self.connection.is_idle() {
            return self.dial_when_ready(context);
        }
        None
    }

    /// No answer changes nothing. Where an end waits for it, it is asked for again; an end that nobody can explain in
    /// the end is one of unknown outcome (S3), and says nothing of the server's run unless NOT_FOUND did (S8, I18).
    fn on_status_unanswered(
        &mut self,
        context: &mut Context<'_>,
        failure: &RequestFailure,
    ) -> Option<End> {
        if !self.concluding {
            return None;
        }
        context.cite(Rule::S3);
        if self.session.inquiry.retry(context, failure) {
            return None;
        }
        let is_over = self.session.terminal.is_binding();
        let outcome = self.hear_out(context, Outcome::EndedUnknown);
        Some(if is_over {
            End::by_server(outcome)
        } else {
            End::unexplained(outcome)
        })
    }
}

/// Whether it says that the token ran out, as `"exp" claim timestamp check failed`, `jwt expired` or `JWTExpired` do, and
/// `Unexpected token` does not. A mistake costs a fetch: S9 bounds how often fresh tokens may be refused.
fn names_expiry(reason: &str) -> bool {
    let mut words = reason.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| {
        let word = word.to_ascii_lowercase();
        word == "exp" || word.ends_with("expired")
    })
}

fn authentication(context: &Context<'_>, token: TokenId, kind: TokenKind) -> Auth<TokenId> {
    match kind {
        TokenKind::Jwt => Auth {
            token,
            token_type: None,
            server_url: None,
        },
        TokenKind::ApiKey => Auth {
            token,
            token_type: Some(TokenType::ApiKey),
            server_url: context.kit.config.server.clone(),
        },
    }
}
