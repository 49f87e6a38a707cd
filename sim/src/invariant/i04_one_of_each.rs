use agent_gateway_machine::{Call, DialId, Effect, EventKind, Limits, Renaming, RequestId};
use litemap::LiteMap;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I4: at most one current socket, one request of each purpose in flight, no dial while refreshing.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct OneOfEach {
    current: Option<DialId>,
    requests: LiteMap<RequestId, &'static str>,
}

impl Invariant for OneOfEach {
    const ID: &'static str = "I4";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Restored,
        Sort::Dial,
        Sort::Reply,
        Sort::Socket,
        Sort::Request,
    ]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        match &step.event.kind {
            EventKind::Restored { .. } => {
                self.current = None;
                self.requests.clear();
            }
            EventKind::DialFailed { dial, .. } | EventKind::ConnectionClosed { dial, .. } => {
                self.current = self.current.filter(|current| current != dial);
            }
            EventKind::ReplyReceived { request, .. } => {
                self.requests.remove(request);
            }
            _ => {}
        }
        for effect in step.effects {
            match effect {
                Effect::OpenConnection { dial, .. } => {
                    if let Some(current) = self.current.replace(*dial) {
                        return objection(format_args!("{dial} was opened beside {current}"));
                    }
                    if self.requests.values().any(|purpose| *purpose == "token") {
                        return objection(format_args!(
                            "{dial} was opened while a fresh token is awaited"
                        ));
                    }
                }
                Effect::CloseConnection { dial, .. } => {
                    self.current = self.current.filter(|current| current != dial);
                }
                Effect::SendRequest { request, call } => {
                    let purpose = purpose(call);
                    if self.requests.values().any(|other| *other == purpose) {
                        return objection(format_args!(
                            "{request} is a second {purpose} request in flight"
                        ));
                    }
                    self.requests.insert(*request, purpose);
                }
                Effect::CancelRequest { request } => {
                    self.requests.remove(request);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        self.current = self.current.map(|dial| names.dial(dial));
        self.requests = self
            .requests
            .iter()
            .map(|(request, purpose)| (names.request(*request), *purpose))
            .collect();
    }
}

fn purpose(call: &Call) -> &'static str {
    match call {
        Call::StartRun(_) => "start",
        Call::RefreshToken { .. } | Call::MintToken => "token",
        Call::InterruptRun { .. } => "interrupt",
        Call::AskStatus { .. } => "status",
        Call::FetchMessages(_) => "messages",
        Call::ReadMarker { .. } | Call::SettleMarker { .. } | Call::ClearMarker { .. } => "marker",
    }
}
