//! One state for all that behave alike: what an exploration takes for the same.
//!
//! Two runs that differ only in when they happened, in how many dials and requests came before, or in what they have
//! counted, answer every continuation alike, up to those names. [`State::canonicalize`] turns a state into the one that
//! stands for all of them, and says how it renamed things, so that whoever plays the world can rename theirs:
//!
//! - it is always the same time, and every moment keeps its distance from it; how long ago something was counts only as
//!   far as a rule looks back;
//! - ids of dials, requests and tokens count from 1 in the order in which the state holds them;
//! - the generator of the jitter stands at its beginning: delays are still those of C6, always the same ones;
//! - the receipt is empty.
//!
//! Every room says for its own part which of its members are moments and ids. What a room does not mention is kept as
//! it is: forgetting one costs states, never behaviour. A property test holds the form against the machine.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::config::Limits;
use crate::context::Told;
use crate::fences::{DialId, Fences, RequestId};
use crate::jitter::Jitter;
use crate::receipt::Receipt;
use crate::run::Phase;
use crate::state::State;
use crate::time::{Millis, Timestamp};
use crate::token::TokenId;

/// The time in every canonical state, late enough for everything that a rule looks back to.
const ORIGIN: Timestamp = Timestamp::from_millis(1 << 40);

/// What [`State::canonicalize`] calls things now.
#[derive(Clone, Debug, Default)]
pub struct Renaming {
    now: Timestamp,
    dials: Names,
    requests: Names,
    tokens: Names,
}

impl Renaming {
    /// A reading of the hands' clock, moved along with it.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> Timestamp {
        moved(at, self.now)
    }

    /// The same, where nothing looks back further than `matters`.
    #[must_use]
    pub fn moment_within(&self, at: Timestamp, matters: Millis) -> Timestamp {
        moved_within(at, self.now, matters)
    }

    /// A dial. One that the state does not hold gets a name that no dial ever will.
    #[must_use]
    pub fn dial(&mut self, dial: DialId) -> DialId {
        DialId(self.dials.name(dial.0))
    }

    /// A request. One that the state does not hold gets a name that no request ever will.
    #[must_use]
    pub fn request(&mut self, request: RequestId) -> RequestId {
        RequestId(self.requests.name(request.0))
    }

    /// The name of a dial, if it has one already.
    #[must_use]
    pub fn known_dial(&self, dial: DialId) -> Option<DialId> {
        self.dials.find(dial.0).map(DialId)
    }

    /// The name of a request, if it has one already.
    #[must_use]
    pub fn known_request(&self, request: RequestId) -> Option<RequestId> {
        self.requests.find(request.0).map(RequestId)
    }

    /// The name of a token, if it has one already.
    #[must_use]
    pub fn known_token(&self, token: TokenId) -> Option<TokenId> {
        self.tokens.find(token.0).map(TokenId)
    }

    /// Whether the state holds this token.
    #[must_use]
    pub fn holds_token(&self, token: TokenId) -> bool {
        self.tokens.known.contains(&token.0)
    }

    /// A token. One that the state does not hold gets a name from the other end of the numbers.
    #[must_use]
    pub fn token(&mut self, token: TokenId) -> TokenId {
        TokenId(self.tokens.name(token.0))
    }
}

/// Old ids in the order in which they were first met.
#[derive(Clone, Debug, Default)]
struct Names {
    known: Vec<u64>,
    strangers: Vec<u64>,
}

impl Names {
    fn learn(&mut self, id: u64) -> u64 {
        intern(&mut self.known, id) + 1
    }

    fn name(&mut self, id: u64) -> u64 {
        self.find(id)
            .unwrap_or_else(|| u64::MAX - intern(&mut self.strangers, id))
    }

    fn find(&self, id: u64) -> Option<u64> {
        let place = |ids: &[u64]| ids.iter().position(|known| *known == id);
        let known = place(&self.known).map(|place| place as u64 + 1);
        known.or_else(|| place(&self.strangers).map(|place| u64::MAX - place as u64))
    }
}

fn intern(ids: &mut Vec<u64>, id: u64) -> u64 {
    let place = ids.iter().position(|known| *known == id);
    let place = place.unwrap_or_else(|| {
        ids.push(id);
        ids.len() - 1
    });
    place as u64
}

/// What the rooms tell of their moments and ids.
pub(crate) struct Canon<'a> {
    pub(crate) limits: &'a Limits,
    now: Timestamp,
    /// Since when the clocks that a pause stops stand still.
    paused: Option<Timestamp>,
    renaming: Renaming,
}

impl Canon<'_> {
    /// A moment that keeps its distance from now.
    pub(crate) fn moment(&self, moment: &mut Timestamp) {
        *moment = moved(*moment, self.now);
    }

    /// A moment in the past to which no rule looks back further than `matters`.
    pub(crate) fn since(&self, moment: &mut Timestamp, matters: Millis) {
        *moment = moved_within(*moment, self.now, matters);
    }

    /// The same, by a clock that stands still while reading is paused.
    pub(crate) fn read_since(&self, moment: &mut Timestamp, matters: Millis) {
        let stands_at = self.paused.unwrap_or(self.now);
        let age = stands_at.since(*moment).min(matters);
        if age > Millis::ZERO {
            *moment = Timestamp::from_millis(stands_at.as_millis() - age.0);
        }
        self.moment(moment);
    }

    /// The same, where a moment `matters` ago is as good as none.
    pub(crate) fn since_or_never(&self, moment: &mut Option<Timestamp>, matters: Millis) {
        if moment.is_some_and(|at| self.now.since(at) >= matters) {
            *moment = None;
        }
        if let Some(moment) = moment {
            self.moment(moment);
        }
    }

    /// A moment that matters until it has come.
    pub(crate) fn until(&self, moment: &mut Option<Timestamp>) {
        *moment = moment.filter(|at| *at > self.now);
        if let Some(moment) = moment {
            self.moment(moment);
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn dial(&mut self, dial: &mut DialId) {
        dial.0 = self.renaming.dials.learn(dial.0);
    }

    pub(crate) fn request(&mut self, request: &mut RequestId) {
        request.0 = self.renaming.requests.learn(request.0);
    }

    pub(crate) fn token(&mut self, token: &mut TokenId) {
        token.0 = self.renaming.tokens.learn(token.0);
    }
}

fn moved(at: Timestamp, now: Timestamp) -> Timestamp {
    if at >= now {
        ORIGIN.plus(at.since(now))
    } else {
        before_origin(now.since(at))
    }
}

fn moved_within(at: Timestamp, now: Timestamp, matters: Millis) -> Timestamp {
    if at >= now {
        moved(at, now)
    } else {
        before_origin(now.since(at).min(matters))
    }
}

fn before_origin(age: Millis) -> Timestamp {
    Timestamp::from_millis(ORIGIN.as_millis().saturating_sub(age.0))
}

impl State {
    /// Becomes the state that stands for all that behave like this one, and says how things are called in it.
    ///
    /// It goes on as this one would: the hands only have to use the new names and the new time.
    pub fn canonicalize(&mut self) -> Renaming {
        let kit = &mut self.0.kit;
        let outside = kit.clock.reading();
        let mut canon = Canon {
            limits: &kit.config.limits,
            now: kit.clock.now(),
            paused: kit.timers.paused(),
            renaming: Renaming {
                now: outside,
                ..Renaming::default()
            },
        };
        kit.timers.canonicalize(&canon);
        match &mut self.0.phase {
            Phase::Idle | Phase::Ended(_) => {}
            Phase::Starting(starting) => starting.canonicalize(&mut canon),
            Phase::Attaching(attaching) => attaching.canonicalize(&mut canon),
            Phase::Streaming(live) => live.canonicalize(&mut canon),
            Phase::Settling(settling) => settling.canonicalize(&mut canon),
        }
        let renaming = canon.renaming;
        if let Told::Known(Some(alarm)) = &mut kit.told {
            alarm.at = moved(alarm.at, outside);
        }
        kit.clock.stand_at(ORIGIN);
        kit.fences = Fences::after(renaming.dials.known.len(), renaming.requests.known.len());
        kit.jitter = Jitter::from_seed(0);
        kit.receipt = Receipt::default();
        renaming
    }

    /// Feeds `hasher` with all of a canonical state that decides how it goes on. Its config is left out: one
    /// exploration has one.
    pub fn fingerprint(&self, hasher: &mut impl Hasher) {
        let kit = &self.0.kit;
        kit.timers.hash(hasher);
        kit.network.hash(hasher);
        kit.published.hash(hasher);
        kit.warned.hash(hasher);
        self.0.phase.hash(hasher);
    }
}
