use agent_gateway_machine::{DialId, Effect, EventKind, Limits, Renaming, RequestId};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I14, C13: answers to anything that is not current change nothing, and are visible as ignored.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct StaleIsIgnored {
    current: Option<DialId>,
    requests: Vec<RequestId>,
}

impl Invariant for StaleIsIgnored {
    const ID: &'static str = "I14";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Dial,
        Sort::Reply,
        Sort::Restored,
        Sort::Socket,
        Sort::Request,
    ]);

    /// A frame only where it is not one of the current socket.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        let is_stale = match &step.event.kind {
            EventKind::FrameReceived { dial, .. }
            | EventKind::FrameArriving { dial }
            | EventKind::FrameRejected { dial, .. } => self.current != Some(*dial),
            _ => false,
        };
        is_stale || step.sorts.meet(Self::MOVED_BY)
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let stale = match &step.event.kind {
            EventKind::ConnectionOpened { dial }
            | EventKind::DialFailed { dial, .. }
            | EventKind::FrameArriving { dial }
            | EventKind::FrameReceived { dial, .. }
            | EventKind::FrameRejected { dial, .. }
            | EventKind::ConnectionClosed { dial, .. } => self.current != Some(*dial),
            EventKind::ReplyReceived { request, .. } => !self.requests.contains(request),
            _ => false,
        };
        if stale && !matches!(step.effects.as_slice(), [Effect::Ignored(_)]) {
            return objection(format_args!(
                "{} of something not current was not just ignored",
                step.event.kind.name()
            ));
        }
        match &step.event.kind {
            EventKind::Restored { .. } => {
                self.current = None;
                self.requests.clear();
            }
            EventKind::DialFailed { .. } | EventKind::ConnectionClosed { .. } if !stale => {
                self.current = None;
            }
            EventKind::ReplyReceived { request, .. } => {
                self.requests.retain(|open| open != request);
            }
            _ => {}
        }
        if !step.has(Sort::Socket) && !step.has(Sort::Request) {
            return Ok(());
        }
        for effect in step.effects {
            match effect {
                Effect::OpenConnection { dial, .. } => self.current = Some(*dial),
                Effect::CloseConnection { dial, .. } => {
                    self.current = self.current.filter(|current| current != dial);
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
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        self.current = self.current.map(|dial| names.dial(dial));
        for request in &mut self.requests {
            *request = names.request(*request);
        }
        // By their new names their order may be another, and means nothing.
        self.requests.sort_unstable();
    }
}
