use agent_gateway_machine::{DialId, Effect, EventKind, Limits, Renaming, RequestId};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I3: ended and settled: no socket, no alarm, no request outstanding.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct SettledIsQuiet {
    sockets: Vec<DialId>,
    requests: Vec<RequestId>,
}

impl Invariant for SettledIsQuiet {
    const ID: &'static str = "I3";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Restored,
        Sort::Dial,
        Sort::Reply,
        Sort::Socket,
        Sort::Request,
        Sort::Settled,
    ]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        match &step.event.kind {
            EventKind::Restored { .. } => {
                self.sockets.clear();
                self.requests.clear();
            }
            EventKind::DialFailed { dial, .. } | EventKind::ConnectionClosed { dial, .. } => {
                self.sockets.retain(|open| open != dial);
            }
            EventKind::ReplyReceived { request, .. } => {
                self.requests.retain(|open| open != request);
            }
            _ => {}
        }
        for effect in step.effects {
            match effect {
                Effect::OpenConnection { dial, .. } => {
                    self.sockets.push(*dial);
                }
                Effect::CloseConnection { dial, .. } => {
                    self.sockets.retain(|open| open != dial);
                }
                Effect::SendRequest { request, .. } => {
                    self.requests.push(*request);
                }
                Effect::CancelRequest { request } => {
                    self.requests.retain(|open| open != request);
                }
                _ => {}
            }
        }
        if !step.state.is_settled() {
            return Ok(());
        }
        if let Some(dial) = self.sockets.first() {
            return objection(format_args!("settled, and {dial} is open"));
        }
        if let Some(request) = self.requests.first() {
            return objection(format_args!("settled, and {request} is outstanding"));
        }
        if let Some(alarm) = step.state.alarm() {
            return objection(format_args!(
                "settled, and an alarm is set for {:?}",
                alarm.timer
            ));
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        for dial in &mut self.sockets {
            *dial = names.dial(*dial);
        }
        for request in &mut self.requests {
            *request = names.request(*request);
        }
        // By their new names their order may be another, and means nothing.
        self.sockets.sort_unstable();
        self.requests.sort_unstable();
    }
}
