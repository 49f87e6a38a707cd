use agent_gateway_machine::{
    Call, DialFailure, DialFailureKind, DialId, Effect, Millis, Notification, RequestId, Timestamp,
    TokenGrant, TokenId, TokenKind,
};
use agent_gateway_protocol::{ClientFrame, OperationId, Token};
use litemap::LiteMap;

use super::caller::Act;
use super::happening::Happening;
use super::link::Link;
use super::run::World;
use crate::api::{ApiCall, ProcedureName};
use crate::gateway::{Ticket, TokenBook, TokenPlan};
use crate::http::parameter;
use crate::script::{Renewal, RenewalAnswer};

/// What the hands keep between two effects.
#[derive(Clone, Debug, Default)]
pub(super) struct Hands {
    /// On the client's clock.
    pub(super) alarm: Option<Timestamp>,
    /// The texts of the tokens that the machine only names.
    vault: LiteMap<TokenId, Token>,
    kept: u64,
    pub(super) links: LiteMap<DialId, Link>,
    /// Which procedure each request called; `None`: the user is asked for a token of their own.
    pub(super) calls: LiteMap<RequestId, Option<ProcedureName>>,
}

impl Hands {
    /// Puts a token into the vault.
    pub(super) fn keep(&mut self, token: Token, book: &TokenBook) -> TokenGrant {
        self.kept += 1;
        let id = TokenId(self.kept);
        let lifetime = book.lifetime(&token);
        self.vault.insert(id, token);
        TokenGrant {
            id,
            kind: TokenKind::Jwt,
            lifetime,
        }
    }

    /// The program ends: everything that is not in the state is gone.
    pub(super) fn lose_everything(&mut self) -> Vec<DialId> {
        self.alarm = None;
        self.vault.clear();
        self.calls.clear();
        let open = self
            .links
            .iter_mut()
            .filter(|(_, link)| link.client)
            .map(|(dial, link)| {
                link.client = false;
                *dial
            });
        open.collect()
    }
}

impl World<'_> {
    /// Carries out one effect.
    #[inline]
    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::OpenConnection { dial, url } => self.dial(dial, &url),
            Effect::SendFrame { dial, frame } => self.send(dial, frame),
            Effect::CloseConnection { dial, .. } => self.hang_up(dial),
            Effect::SendRequest { request, call } => self.request(request, call),
            // The answer to what is cancelled may be on its way already.
            Effect::CancelRequest { .. } if self.network.tells_late => {}
            Effect::CancelRequest { request } => {
                if self.hands.calls.remove(&request).is_some() {
                    let at = self.network.arrival(self.now, self.now);
                    let ticket = Ticket(request.0);
                    self.queue.enter(at, Happening::CallAbandoned(ticket));
                }
            }
            Effect::SetAlarm(alarm) => self.hands.alarm = alarm.map(|alarm| alarm.at),
            Effect::Notify(notification) => self.tell_user(notification),
            Effect::Ignored(_) => {}
        }
    }

    fn tell_user(&mut self, notification: Notification) {
        self.user.hear(&notification, self.now);
        if let Notification::ToolRequested { call, .. } = &notification
            && !self.has_caller
        {
            for (wait, answer) in self.user.answers(call) {
                let call = call.tool_call_id.clone();
                let act = Act::AnswerTool { call, answer };
                self.queue
                    .enter(self.now.plus(wait), Happening::Acted(act.into()));
            }
        }
        self.played.hear(notification, self.now);
    }

    fn dial(&mut self, dial: DialId, url: &str) {
        let link = Link::new(operation_in(url));
        self.hands.links.insert(dial, link);
        let at = self.network.arrival(self.now, self.now);
        let failure = |kind, text: &str| {
            let text = text.into();
            Happening::DialFailed(dial, DialFailure { kind, text })
        };
        let network = &mut self.network;
        let happening = if network.is_offline {
            failure(DialFailureKind::Unreachable, "network is unreachable")
        } else if network.refused_dials > 0 {
            network.refused_dials -= 1;
            failure(DialFailureKind::Unreachable, "connection refused")
        } else if network.hanging_dials > 0 {
            network.hanging_dials -= 1;
            return;
        } else if let Some(status) = network.rejected_upgrade.take() {
            failure(DialFailureKind::Http(status), "the upgrade was refused")
        } else if core::mem::take(&mut network.bad_certificate) {
            failure(
                DialFailureKind::TlsIdentity,
                "certificate not valid for this name",
            )
        } else {
            Happening::DialArrived(dial)
        };
        self.queue.enter(at, happening);
    }

    fn send(&mut self, dial: DialId, frame: ClientFrame<TokenId>) {
        let vault = &self.hands.vault;
        let filled = frame.try_with_token(|id| vault.get(&id).cloned().ok_or(id));
        let Ok(frame) = filled else {
            self.report_bug(format!(
                "{dial}: the machine sends a token that the vault does not have"
            ));
            return;
        };
        let Some(link) = self.hands.links.get_mut(&dial) else {
            return;
        };
        if link.client && link.server && !link.is_silent {
            let at = self.network.arrival(self.now, link.last_up);
            link.last_up = at;
            self.queue.enter(at, Happening::FrameArrived(dial, frame));
        }
    }

    fn hang_up(&mut self, dial: DialId) {
        if let Some(link) = self.hands.links.get_mut(&dial) {
            link.client = false;
            if !link.is_silent {
                let at = self.network.arrival(self.now, link.last_up);
                self.queue.enter(at, Happening::CloseArrived(dial));
            }
        }
    }

    fn request(&mut self, request: RequestId, call: Call) {
        let call = call.api_call();
        let procedure = call.as_ref().map(ApiCall::procedure);
        self.hands.calls.insert(request, procedure);
        let at = self.network.arrival(self.now, self.now);
        let happening = match call {
            None => return self.ask_for_token(request),
            Some(_) if self.network.is_offline => Happening::Unsent(request),
            Some(call) => Happening::CallArrived(Ticket(request.0), Box::new(call)),
        };
        self.queue.enter(at, happening);
    }

    /// The user is asked for a new token of their own.
    fn ask_for_token(&mut self, request: RequestId) {
        let Renewal { after, answer } = self.user.renew_token();
        let given = match answer {
            RenewalAnswer::Token => true,
            RenewalAnswer::None => false,
            RenewalAnswer::Never => return,
        };
        let at = self.now.plus(Millis(after));
        self.queue.enter(at, Happening::TokenMinted(request, given));
    }

    /// Gives the client a token of the user's own.
    pub(super) fn own_token(&mut self) -> TokenGrant {
        let mut plan = TokenPlan::of(self.server.config().user.clone());
        if let Some(lifetime) = self.user.token_lifetime() {
            plan.lifetime = lifetime;
        }
        let token = self.server.issue_token(self.now, &plan);
        self.hands.keep(token, self.server.gateway().tokens())
    }
}

/// The operation that a socket's URL names.
fn operation_in(url: &str) -> OperationId {
    let (_, query) = url.split_once('?').unwrap_or(("", ""));
    OperationId::new(&*parameter(query, "operationId").unwrap_or_default())
}
