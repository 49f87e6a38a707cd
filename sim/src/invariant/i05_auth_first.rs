use agent_gateway_machine::{DialId, Effect, EventKind, Limits, Renaming, Reply, TokenId};
use agent_gateway_protocol::{ClientFrame, ServerFrame};
use litemap::LiteMap;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I5: the first frame on each socket is auth, with the newest token; nothing else before its `auth_success`.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct AuthFirst {
    newest: Option<TokenId>,
    sockets: LiteMap<DialId, Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Opened,
    AuthSent,
    Authenticated,
}

impl Invariant for AuthFirst {
    const ID: &'static str = "I5";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Command,
        Sort::Restored,
        Sort::Reply,
        Sort::AuthSuccess,
        Sort::Dial,
        Sort::Socket,
        Sort::Sent,
    ]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.note_token(step);
        if let EventKind::FrameReceived {
            dial,
            frame: ServerFrame::AuthSuccess,
        } = &step.event.kind
            && let Some(stage @ Stage::AuthSent) = self.sockets.get_mut(dial)
        {
            *stage = Stage::Authenticated;
        }
        match step.event.kind {
            EventKind::DialFailed { dial, .. } | EventKind::ConnectionClosed { dial, .. } => {
                self.sockets.remove(&dial);
            }
            EventKind::Restored { .. } => self.sockets.clear(),
            _ => {}
        }
        for effect in step.effects {
            match effect {
                Effect::OpenConnection { dial, .. } => {
                    self.sockets.insert(*dial, Stage::Opened);
                }
                Effect::CloseConnection { dial, .. } => {
                    self.sockets.remove(dial);
                }
                Effect::SendFrame { dial, frame } => self.note_frame(*dial, frame)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        self.newest = self.newest.map(|token| names.token(token));
        self.sockets = self
            .sockets
            .iter()
            .map(|(dial, stage)| (names.dial(*dial), *stage))
            .collect();
    }
}

impl AuthFirst {
    fn note_token(&mut self, step: &Step<'_>) {
        let granted = match &step.event.kind {
            EventKind::Execute(execute) => execute.token.as_ref(),
            EventKind::Attach(attach) => attach.token.as_ref(),
            EventKind::Restored { token } => token.as_ref(),
            EventKind::ReplyReceived { reply, .. } => match reply {
                Reply::TokenIssued(grant) => Some(grant),
                // The run's own token counts only where the caller brought none.
                Reply::Started(started) if self.newest.is_none() => started.token.as_ref(),
                _ => None,
            },
            _ => None,
        };
        if let Some(grant) = granted
            && !step.has(Sort::Ignored)
        {
            self.newest = Some(grant.id);
        }
    }

    fn note_frame(&mut self, dial: DialId, frame: &ClientFrame<TokenId>) -> Result<(), String> {
        let Some(stage) = self.sockets.get_mut(&dial) else {
            return objection(format_args!(
                "a frame was sent on {dial}, which is not open"
            ));
        };
        match (frame, *stage) {
            (ClientFrame::Auth(auth), Stage::Opened) => {
                if Some(auth.token) != self.newest {
                    return objection(format_args!(
                        "{dial} was authenticated with an old {}",
                        auth.token
                    ));
                }
                *stage = Stage::AuthSent;
                Ok(())
            }
            (ClientFrame::Auth(_), Stage::AuthSent | Stage::Authenticated) => {
                objection(format_args!("auth was sent twice on {dial}"))
            }
            (_, Stage::Authenticated) => Ok(()),
            (_, Stage::Opened | Stage::AuthSent) => objection(format_args!(
                "a frame was sent on {dial} before its auth_success"
            )),
        }
    }
}
