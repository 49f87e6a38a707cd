//! What the gateway says to the token of a live run, and what becomes of the next one (C4, S7, S8).

use alloc::boxed::Box;

use agent_gateway_protocol::ClientFrame;
use agent_gateway_protocol::frame::{Auth, Resume, TokenType};

use crate::context::Context;
use crate::effect::Effect;
use crate::outcome::Outcome;
use crate::rule::Rule;
use crate::run::End;
use crate::run::live::Live;
use crate::session::credential::{self, Readiness};
use crate::timers::Timer;
use crate::token::{TokenId, TokenKind};

impl Live {
    /// The socket is open: the first frame on it is `auth`, with the newest token (C3, I5).
    pub(crate) fn on_opened(&mut self, context: &mut Context<'_>) -> Option<End> {
        let Some((token, kind)) = self.session.credential.token() else {
            return self.dial_when_ready(context);
        };
        let auth = authentication(context, token, kind);
        self.connection.on_opened(context, auth);
        None
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
        let may_be_forgotten = self.session.terminal.has_seen_end();
        let last_event_id = self.session.sequence.open_seam(context, may_be_forgotten);
        context.push(Effect::SendFrame {
            dial,
            frame: ClientFrame::Resume(Resume {
                last_event_id,
                want_status: true,
            }),
        });
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
            credential::News::Fresh { again } => {
                self.wait_without_socket(context);
                if again {
                    context.cite(Rule::S9);
                    let cause = "the fresh token was not good for long";
                    self.connection.pace(context, cause.into());
                    return None;
                }
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

    /// C15: the pause between two tries for a token is skipped too.
    pub(super) fn retry_token_online(&mut self, context: &mut Context<'_>) {
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
