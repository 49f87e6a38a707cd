//! Whether the peer lives: beats out, silence in, and a probe after a sleep (C5, I9).
//!
//! ```text
//!  beating ──beat rings much too late──▶ probing ──anything heard──▶ beating
//!     │ silent past the bound                │ nothing by its deadline
//!     └──────────────▶ gone ◀────────────────┘
//! ```

use agent_gateway_protocol::ClientFrame;
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::effect::Effect;
use crate::fences::DialId;
use crate::mutation::Mutation;
use crate::rule::Rule;
use crate::time::{Millis, Timestamp};
use crate::timers::Timer;

/// An authenticated socket: `Timer::Heartbeat` runs, and `Timer::Silence`; while it is probed, `Timer::Probe` instead
/// of the latter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Connected {
    pub(super) dial: DialId,
    since: Timestamp,
    /// When the last inbound frame of any kind, or a part of one, came. Frames only write it; the ring re-arms.
    heard: Timestamp,
    /// Whether a probe is out and nothing has come since.
    probed: bool,
}

/// Whether the peer lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// It has been heard of.
    Alive,
    /// It is asked once more.
    Unsure,
    /// It has not been heard of for too long.
    Gone,
}

impl Connected {
    /// `auth_success`: the heartbeat starts (C4).
    pub(super) fn begin(context: &mut Context<'_>, dial: DialId) -> Self {
        let now = context.now();
        let connected = Self {
            dial,
            since: now,
            heard: now,
            probed: false,
        };
        connected.start_beating(context);
        connected
    }

    /// A beat. One that rings much too late means the host slept: the peer gets one chance to answer.
    pub(super) fn on_beat_due(&mut self, context: &mut Context<'_>, due: Timestamp) {
        context.cite(Rule::C5);
        let slept = context.now().since(due) > context.limits().sleep_threshold;
        if slept && !context.kit.timers.is_paused() {
            return self.probe(context);
        }
        self.beat(context);
        context.arm(Timer::Heartbeat, context.limits().heartbeat_interval);
    }

    /// Sends one heartbeat; until it is answered, only the probe's own deadline runs. The next beat is due long after that,
    /// unless the caller pauses reading: then the deadline's clock stands still, and beats go out all the same.
    pub(super) fn probe(&mut self, context: &mut Context<'_>) {
        context.cite(Rule::C5);
        self.beat(context);
        self.probed = true;
        context.arm(Timer::Heartbeat, context.limits().heartbeat_interval);
        context.disarm(Timer::Silence);
        context.arm(Timer::Probe, context.limits().probe_deadline);
    }

    /// The bound on silence rang; frames since it was set only moved it.
    pub(super) fn on_silence_due(&self, context: &mut Context<'_>) -> Pulse {
        context.cite(Rule::C5);
        if context.is_broken(Mutation::SilenceUnnoticed) {
            context.arm(Timer::Silence, context.limits().silence_bound());
            return Pulse::Alive;
        }
        let bound = self.bound(context);
        if context.now() < bound {
            context.arm_at(Timer::Silence, bound);
            return Pulse::Alive;
        }
        Pulse::Gone
    }

    /// The time to answer the probe is over.
    pub(super) fn on_probe_due(&mut self, context: &mut Context<'_>) -> Pulse {
        context.cite(Rule::C5);
        if self.probed {
            return Pulse::Gone;
        }
        if context.now() >= self.bound(context) {
            // It answered, and then the host slept again.
            self.probe(context);
            return Pulse::Unsure;
        }
        self.start_beating(context);
        Pulse::Alive
    }

    /// An inbound frame of any kind, whatever it says, is a sign of life, and so is a part of one.
    pub(super) fn hear(&mut self, now: Timestamp) {
        self.heard = now;
        self.probed = false;
    }

    /// The clocks stood still for `span`, up to `now`: so did the silence.
    pub(super) fn stood_still(&mut self, span: Millis, now: Timestamp) {
        self.heard = self.heard.plus(span).min(now);
    }

    /// Whether it has been authenticated long enough to count as progress (C6).
    pub(super) fn is_proven(&self, context: &Context<'_>) -> bool {
        context.now().since(self.since) >= context.limits().progress_after
    }

    pub(super) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        canon.dial(&mut self.dial);
        canon.since(&mut self.since, canon.limits.progress_after);
        canon.read_since(&mut self.heard, canon.limits.silence_bound());
    }

    fn start_beating(&self, context: &mut Context<'_>) {
        context.disarm(Timer::Probe);
        context.arm(Timer::Heartbeat, context.limits().heartbeat_interval);
        // While the clocks stand still, this one has its whole span left when they run again.
        let left = self.bound(context).since(context.now());
        context.arm(Timer::Silence, left);
    }

    fn beat(&self, context: &mut Context<'_>) {
        context.push(Effect::SendFrame {
            dial: self.dial,
            frame: ClientFrame::Heartbeat,
        });
    }

    fn bound(&self, context: &Context<'_>) -> Timestamp {
        self.heard.plus(context.limits().silence_bound())
    }
}
