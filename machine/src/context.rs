//! What every room may use: the clock's reading, the mint, the timers, and the list of effects.

use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Limits};
use crate::effect::{Alarm, Effect};
use crate::effects::Effects;
use crate::event::Network;
use crate::fences::{DialId, Fences, RequestId};
use crate::ignored::Ignored;
use crate::jitter::Jitter;
use crate::mutation::Mutation;
use crate::notification::{ConnectionStatus, Notification, Warning};
use crate::receipt::Receipt;
use crate::request::{Call, Reply, RequestFailure};
use crate::rule::Rule;
use crate::time::{Millis, Timestamp};
use crate::timers::{Timer, Timers};

/// What a run keeps beside its phase.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Kit {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) jitter: Jitter,
    pub(crate) fences: Fences,
    pub(crate) timers: Timers,
    pub(crate) told: Told,
    pub(crate) network: Network,
    pub(crate) receipt: Receipt,
    /// The status the caller was last told.
    pub(crate) published: ConnectionStatus,
    /// Which sorts of warning the caller has been told.
    pub(crate) warned: Warned,
    /// How this machine is broken, in the tests that want one.
    #[cfg(feature = "mutations")]
    pub(crate) mutation: Option<Mutation>,
}

impl Kit {
    pub(crate) fn new(config: Arc<Config>, seed: u64) -> Self {
        Self {
            config,
            clock: Clock::default(),
            jitter: Jitter::from_seed(seed),
            fences: Fences::default(),
            timers: Timers::default(),
            told: Told::Known(None),
            network: Network::default(),
            receipt: Receipt::default(),
            published: ConnectionStatus::default(),
            warned: Warned::default(),
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }
}

/// Which alarm the hands keep.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The one they were last told of.
    Known(Option<Alarm>),
    /// It rang, or they are new: they are told again, whatever it is now.
    Nothing,
}

/// The hands' clock, made one that only grows and that a stored state can carry over to another machine.
///
/// Inside, time goes on where it stopped when the state was stored: all deadlines shift at once, in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Clock {
    now: Timestamp,
    /// The hands' reading that is the same moment as `anchor` inside.
    hands: Timestamp,
    anchor: Timestamp,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes a reading of the hands' clock; one that is earlier than the latest counts as the latest. Says whether it is
    /// (C14).
    pub(crate) fn read(&mut self, at: Timestamp) -> bool {
        let reading = self.anchor.plus(at.since(self.hands));
        let goes_back = reading < self.now;
        self.now = self.now.max(reading);
        goes_back
    }

    /// From now on the hands' clock is another one, which reads `at`.
    pub(crate) fn carry_over(&mut self, at: Timestamp) {
        self.hands = at;
        self.anchor = self.now;
    }

    /// What the hands' clock reads now.
    pub(crate) fn reading(&self) -> Timestamp {
        self.outside(self.now)
    }

    /// It is `now`, inside and for the hands, and as long since the last carrying over as it was.
    pub(crate) fn stand_at(&mut self, now: Timestamp) {
        let since = self.now.since(self.anchor);
        self.anchor = Timestamp::from_millis(now.as_millis().saturating_sub(since.0));
        self.hands = self.anchor;
        self.now = now;
    }

    /// A moment inside, on the hands' clock.
    pub(crate) fn outside(&self, moment: Timestamp) -> Timestamp {
        self.hands.plus(moment.since(self.anchor))
    }
}

/// The sorts of warning a caller is told once each (C12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Warned {
    malformed: bool,
    binary: bool,
    unknown: bool,
    ledger: bool,
}

impl Warned {
    /// Whether this is the first of its sort.
    fn first(&mut self, warning: &Warning) -> bool {
        use crate::event::FrameProblem;
        let told = match warning {
            Warning::FrameRejected(FrameProblem::Malformed) => &mut self.malformed,
            Warning::FrameRejected(FrameProblem::Binary) => &mut self.binary,
            Warning::UnknownFrame { .. } => &mut self.unknown,
            Warning::LedgerFull { .. } => &mut self.ledger,
        };
        !core::mem::replace(told, true)
    }
}

/// The kit and the list of effects of the transition at hand.
pub(crate) struct Context<'a> {
    pub(crate) kit: &'a mut Kit,
    pub(crate) effects: &'a mut Effects,
}

impl Context<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.kit.clock.now()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.kit.config.limits
    }

    /// Whether this machine is broken in this way; never, but in the tests that want it.
    #[cfg(feature = "mutations")]
    pub(crate) fn is_broken(&self, mutation: Mutation) -> bool {
        self.kit.mutation == Some(mutation)
    }

    /// Whether this machine is broken in this way; never, but in the tests that want it.
    #[cfg(not(feature = "mutations"))]
    #[expect(clippy::unused_self, reason = "the same question with the feature on")]
    pub(crate) const fn is_broken(&self, _: Mutation) -> bool {
        false
    }

    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    #[inline]
    pub(crate) fn notify(&mut self, notification: Notification) {
        self.effects.push(Effect::Notify(notification));
    }

    /// This rule decides what is done now.
    #[inline]
    pub(crate) fn cite(&mut self, rule: Rule) {
        self.effects.cite(rule);
    }

    /// The event changes nothing: said and counted (C13).
    pub(crate) fn ignore(&mut self, why: Ignored) {
        if let Some(rule) = why.rule() {
            self.cite(rule);
        }
        self.kit.receipt.ignored += 1;
        self.effects.push(Effect::Ignored(why));
    }

    /// Counts a warning, and tells the first of its sort (C12).
    pub(crate) fn warn(&mut self, warning: Warning) {
        self.cite(Rule::C12);
        self.kit.receipt.warnings += 1;
        if self.kit.warned.first(&warning) {
            self.notify(Notification::WarningRaised(warning));
        }
    }

    /// Tells the caller the connection's status if it is not the one told last.
    pub(crate) fn publish(&mut self, status: ConnectionStatus) {
        if self.kit.published != status {
            self.kit.published = status;
            self.notify(Notification::StatusChanged(status));
        }
    }

    pub(crate) fn arm(&mut self, timer: Timer, span: Millis) {
        let now = self.now();
        self.kit.timers.arm(timer, now, span);
    }

    pub(crate) fn arm_at(&mut self, timer: Timer, deadline: Timestamp) {
        self.kit.timers.arm_at(timer, deadline);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.kit.timers.clear(timer);
    }

    pub(crate) fn mint_dial(&mut self) -> DialId {
        self.kit.fences.mint_dial()
    }

    /// Sends a request and starts its deadline. The caller keeps the id: nothing else is a current answer (C13).
    pub(crate) fn request(&mut self, call: Call, timer: Timer, deadline: Millis) -> RequestId {
        let request = self.kit.fences.mint_request();
        self.arm(timer, deadline);
        self.push(Effect::SendRequest { request, call });
        request
    }

    /// What `request` asked for. A reply of another kind is ignored, and counts as no answer (C13).
    ///
    /// # Errors
    /// Why there is no usable answer.
    pub(crate) fn answer<T>(
        &mut self,
        request: RequestId,
        reply: Reply,
        read: fn(Reply) -> Result<T, Reply>,
    ) -> Result<T, RequestFailure> {
        read(reply).map_err(|other| {
            if let Reply::Failed(failure) = other {
                return failure;
            }
            self.ignore(Ignored::UnexpectedReply(request));
            RequestFailure::Lost {
                text: "an answer of the wrong kind".into(),
            }
        })
    }

    /// Gives a request up.
    pub(crate) fn cancel(&mut self, request: RequestId, timer: Timer) {
        self.disarm(timer);
        self.push(Effect::CancelRequest { request });
    }
}
