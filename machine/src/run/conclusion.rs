//! How a live run ended: by what the stream said, or, where that does not tell, by what the server answers (S2, S3, S14).
//!
//! | known of the end | what happens |
//! |---|---|
//! | nothing | the stream goes on |
//! | noted while a seam is open | it waits for the seam's end: what follows may make it void (S2) |
//! | noted, and how the run went | the run ends so; if no frame in its place told it, a gap is told first (C11) |
//! | noted, and not how the run went | `concluding`: the server is asked |
//!
//! | the server's answer | nothing is noted | `concluding` | and no token is to be had (*binding*, S8) |
//! |---|---|---|---|
//! | over | ends so, after a stream that still speaks | ends so | ends so, after a socket that still speaks |
//! | goes on | nothing | the end is void, the stream goes on | *ended unknown*, the marker stays |
//! | not known | once: asked again; twice: *ended unknown* | the same | *ended unknown* |
//! | no answer | nothing | asked again; after the last, *ended unknown* | the same |

use alloc::format;

use crate::context::Context;
use crate::fences::RequestId;
use crate::outcome::Outcome;
use crate::request::{Reply, RequestFailure};
use crate::rule::Rule;
use crate::run::End;
use crate::run::live::Live;
use crate::session::terminal::{ServerEnd, Verdict};
use crate::timers::Timer;

impl Live {
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
    pub(super) fn conclude(&mut self, context: &mut Context<'_>) {
        if !core::mem::replace(&mut self.concluding, true) {
            self.session.inquiry.withdraw(context);
        }
        if self.session.credential.is_refreshing() {
            self.session.credential.forget(context);
            self.wait_without_socket(context);
        }
        self.session.inquiry.ask(context, &self.session.operation);
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
            Verdict::Ended(end) if end.is_same_sort(&said) => end.into_outcome(),
            Verdict::Ended(_) | Verdict::Unexplained | Verdict::Alive => said,
        }
    }
}
