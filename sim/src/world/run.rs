use std::collections::VecDeque;

use agent_gateway_machine::recording::Header;
use agent_gateway_machine::{
    ConfigError, Effect, Event, EventKind, Millis, State, Timestamp, transition,
};
use agent_gateway_protocol::{OperationId, TopicId};

use super::caller::Caller;
use super::clock::Clock;
use super::counts::Counts;
use super::hands::Hands;
use super::happening::{Happening, Queue};
use super::network::Network;
use super::outcome::Played;
use super::outgoing::Outgoing;
use super::owed::{Owed, sends_results};
use super::rehearsal::Rehearsal;
use super::user::User;
use crate::deadline::earlier;
use crate::invariant::{Invariants, Observation};
use crate::random::Random;
use crate::script::Script;
use crate::server::{Server, ServerConfig, ServerInput, ServerOutput};

/// Looks on at a session that is played, and takes no part in it, as a [`Caller`] does.
pub trait Spectator {
    /// One event has been handled.
    fn observe(&mut self, step: &Observation<'_>);
}

impl Spectator for () {
    fn observe(&mut self, _: &Observation<'_>) {}
}

/// One session in virtual time.
///
/// ```
/// use agent_gateway_sim::script::Script;
/// use agent_gateway_sim::trace::Trace;
/// use agent_gateway_sim::world::World;
///
/// let script = Script::parse(
///     "hello.json",
///     r#"{
///         "about": "one word",
///         "gateway": { "steps": [
///             { "when": "resumed", "do": { "text": "Hello" } },
///             { "after": 50, "do": { "end": { "reason": "done" } } }
///         ] },
///         "expect": { "outcome": "completed", "text": "Hello" }
///     }"#,
/// )?;
/// let mut trace = Trace::default();
/// let played = World::new(&script, script.seed)?.play(&mut trace);
/// assert_eq!(played.failures(&script.expect), []);
/// assert!(trace.to_text().contains("run_ended"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct World<'a> {
    pub(super) now: Timestamp,
    pub(super) queue: Queue,
    pub(super) server: Server,
    pub(super) hands: Hands,
    pub(super) network: Network,
    pub(super) user: User<'a>,
    pub(super) clock: Clock,
    pub(super) played: Played,
    pub(super) owed: Owed,
    outgoing: Outgoing,
    pub(super) counts: Counts,
    invariants: Invariants,
    /// Absent only while it makes a transition.
    pub(super) state: Option<State>,
    /// What has come on sockets while the caller does not read.
    pub(super) unread: Vec<(u64, Happening)>,
    pub(super) is_reading: bool,
    /// What the machine is to be told beside what just happened, in order.
    inbox: VecDeque<EventKind>,
    /// How often the client tells that a frame is arriving.
    pub(super) arriving_interval: Millis,
    /// What the server says, on its way; kept for its room.
    pub(super) said: Vec<ServerOutput>,
    pub(super) running: Option<(OperationId, TopicId)>,
    /// What the machine is told word for word, if the script has that.
    history: Vec<Event>,
    follows_history: bool,
    /// Whether a client's own logic answers tool calls, in place of the script.
    pub(super) has_caller: bool,
    /// How often it was woken.
    pub(super) wakes: u64,
    longest: Millis,
    most_events: u64,
}

/// A session that is not over after so much of its own time is given up, unless [`World::at_longest`] says otherwise.
pub const LONGEST: Millis = Millis::seconds(4 * 3_600);

/// A session in which more happens is given up, unless [`World::at_most`] says otherwise: it is taken for a loop.
pub const MOST_EVENTS: u64 = 200_000;

impl<'a> World<'a> {
    /// The world of a script. `seed` decides everything left to chance. To play a script often, see [`Rehearsal`].
    ///
    /// # Errors
    /// The script's limits are none the machine accepts.
    pub fn new(script: &'a Script, seed: u64) -> Result<Self, ConfigError> {
        Self::of(&Rehearsal::new(script), seed)
    }

    pub(super) fn of(rehearsal: &Rehearsal<'a>, seed: u64) -> Result<Self, ConfigError> {
        let Rehearsal {
            script,
            config,
            server,
            play,
        } = rehearsal;
        let mut random = Random::new(seed);
        let server_config = ServerConfig {
            seed: random.word(),
            ..server.clone()
        };
        let machine_seed = random.word();
        let mut queue = Queue::default();
        for step in &script.network.steps {
            queue.enter(
                Timestamp::from_millis(step.at),
                Happening::Network(step.act),
            );
        }
        for step in &script.clock {
            queue.enter(Timestamp::from_millis(step.at), Happening::Clock(step.act));
        }
        let running = script.gateway.running.as_ref().map(|running| {
            let operation = OperationId::new(&*running.operation);
            (operation, TopicId::new(&*running.topic))
        });
        Ok(Self {
            now: Timestamp::ZERO,
            queue,
            server: Server::playing(server_config, Some(script), play.clone()),
            hands: Hands::default(),
            network: Network::new(&script.network, random.fork()),
            user: User::new(&script.user),
            clock: Clock::default(),
            played: Played::new(Header::new(config.clone(), machine_seed)),
            owed: Owed::default(),
            outgoing: Outgoing::new(config.limits.result_lifetime),
            counts: Counts::default(),
            invariants: Invariants::default(),
            state: Some(State::new(config.clone(), machine_seed)?),
            unread: Vec::new(),
            is_reading: true,
            inbox: VecDeque::new(),
            arriving_interval: config.limits.arriving_interval(),
            said: Vec::with_capacity(16),
            running,
            follows_history: !script.history.is_empty(),
            history: script.history.clone(),
            has_caller: false,
            wakes: 0,
            longest: LONGEST,
            most_events: MOST_EVENTS,
        })
    }

    /// The same world with a machine that is broken on purpose, for tests of tests.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn broken_by(mut self, mutation: agent_gateway_machine::Mutation) -> Self {
        self.state = self.state.map(|state| state.broken_by(mutation));
        self
    }

    /// The machine as it is now; absent only while it makes a transition.
    #[must_use]
    pub fn machine(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Gives the session up when it is not over after so much of its own time, instead of after [`LONGEST`]: what it played
    /// then has a bug that says so.
    #[must_use]
    pub fn at_longest(mut self, longest: Millis) -> Self {
        self.longest = longest;
        self
    }

    /// Gives the session up when more events than these have come, or the client was woken more often, instead of
    /// [`MOST_EVENTS`]: what it played then has a bug that says so.
    #[must_use]
    pub fn at_most(mut self, events: u64) -> Self {
        self.most_events = events;
        self
    }

    /// Plays the session to its end: until the run is settled and nothing is on its way, or nothing will ever happen.
    pub fn play(self, spectator: &mut impl Spectator) -> Played {
        self.play_all(&mut (), spectator)
    }

    /// Plays the session as [`World::play`] does, with a client's own logic beside the script's user: it hears what a
    /// caller is told, and what it does is told to the machine in the user's name, in virtual time, and is in the trace and
    /// in a recording as such.
    ///
    /// The script's user does what their steps say all the same: by default they begin the run, in random scripts they may
    /// stop it, leave it, answer what they were never asked (and the caller is told of the refusal), or load it anew (which
    /// the caller is not told: it comes back as it was). A caller that is to be alone with the run keeps only their first
    /// step, `script.user.steps.truncate(1)`: it begins the run. Their `tools` are not asked: every tool call is the caller's. In a script with a `history`, which is told word for word, the caller hears
    /// and what it does is not told.
    pub fn play_with(mut self, caller: &mut impl Caller, spectator: &mut impl Spectator) -> Played {
        self.has_caller = true;
        self.play_all(caller, spectator)
    }

    fn play_all(mut self, caller: &mut impl Caller, spectator: &mut impl Spectator) -> Played {
        if !self.history.is_empty() {
            return self.tell_history(caller, spectator);
        }
        while let Some(at) = self.next_at(caller) {
            if let Some(bound) = self.bound_met(at) {
                self.report_bug(format!("the session does not end: {bound}"));
                break;
            }
            if self.is_over() {
                break;
            }
            self.now = self.now.max(at);
            self.step(caller, spectator);
            // What else has come by now goes before whatever else is due.
            while self.queue.is_due(self.now) && self.played.events <= self.most_events {
                self.step(caller, spectator);
            }
        }
        self.finish()
    }

    /// The bound at which it is given up, if what comes next, at this moment, is past it.
    fn bound_met(&self, at: Timestamp) -> Option<String> {
        let longest = self.longest.as_millis();
        let most = self.most_events;
        if at.as_millis() > longest {
            let given_up = format!("it is not over after {longest} ms of its own time");
            return Some(format!("{given_up}; --longest of `agw sim` lets it go on"));
        }
        if self.played.events.max(self.wakes) > most {
            let plural = if most == 1 { "" } else { "s" };
            let now = self.now.as_millis();
            let given_up = format!("more than {most} event{plural} by {now} ms");
            return Some(format!(
                "{given_up}; --most-events of `agw sim` lets it go on"
            ));
        }
        None
    }

    /// Tells the machine a history word for word. Whatever it wants done is somebody else's who was there.
    fn tell_history(mut self, caller: &mut impl Caller, spectator: &mut impl Spectator) -> Played {
        for event in core::mem::take(&mut self.history) {
            self.now = event.at;
            self.tell_machine(event.kind, caller, spectator);
        }
        self.finish()
    }

    /// Whether the machine would be told something now that it has not asked for; a bug of the machine or of the world.
    pub(super) fn report_bug(&mut self, text: String) {
        self.played.bugs.push(text);
    }

    /// Enters something that the machine is told at once, after what is being told.
    pub(super) fn feed(&mut self, kind: EventKind) {
        self.inbox.push_back(kind);
    }

    /// The next moment at which anything happens.
    fn next_at(&self, caller: &impl Caller) -> Option<Timestamp> {
        let user = earlier(self.user.deadline(), caller.wakes_at());
        let user = user.map(|at| self.clock.awake(at));
        let server = self.server.next_deadline();
        earlier(
            earlier(self.queue.next_at(), server),
            earlier(self.alarm(), user),
        )
    }

    /// When the alarm rings, on the world's clock.
    fn alarm(&self) -> Option<Timestamp> {
        self.hands
            .alarm
            .map(|at| self.clock.awake(self.clock.to_world(at)))
    }

    /// One thing: what came first, then the user, then the caller, then the server, then the alarm.
    fn step(&mut self, caller: &mut impl Caller, spectator: &mut impl Spectator) {
        if !self.owed.is_empty() {
            self.owed.call_in(self.now, &mut self.played.owed);
        }
        let kind = if let Some((order, happening)) = self.queue.take(self.now) {
            let awake = self.clock.awake(self.now);
            if awake > self.now && happening.waits_for_client() {
                self.queue.put_off(awake, order, happening);
                None
            } else if !self.is_reading && happening.is_read() {
                self.unread.push((order, happening));
                None
            } else {
                self.happen(happening)
            }
        } else if self.clock.awake(self.now) == self.now
            && let Some(act) = self.user.take(self.now)
        {
            Some(self.act(act))
        } else if self.clock.awake(self.now) == self.now
            && caller.wakes_at().is_some_and(|at| at <= self.now)
        {
            self.wake(caller);
            None
        } else if self.server.next_deadline().is_some_and(|at| at <= self.now) {
            self.tell_server(ServerInput::Ticked);
            None
        } else if self.alarm().is_some_and(|at| at <= self.now) {
            // A ring counts as untold: the machine says anew what it waits for.
            self.hands.alarm = None;
            Some(EventKind::AlarmRang)
        } else {
            None
        };
        if let Some(kind) = kind {
            self.tell_machine(kind, caller, spectator);
        }
        while let Some(kind) = self.inbox.pop_front() {
            self.tell_machine(kind, caller, spectator);
        }
        if !self.owed.is_empty() {
            let sends = self.state.as_ref().is_some_and(sends_results);
            let carries = if sends { self.carries_up() } else { None };
            self.owed.promise(carries);
        }
    }

    /// Whether the client looks at its sockets now.
    pub(super) fn looks(&self) -> bool {
        self.is_reading && self.clock.awake(self.now) == self.now
    }

    fn tell_machine(
        &mut self,
        kind: EventKind,
        caller: &mut impl Caller,
        spectator: &mut impl Spectator,
    ) {
        let Some(state) = self.state.take() else {
            return;
        };
        let event = Event::new(self.clock.reading(self.now), kind);
        let (state, effects) = transition(state, event.clone());
        let step = Observation {
            event: &event,
            effects: &effects,
            state: &state,
        };
        spectator.observe(&step);
        if let Err(violation) = self.invariants.observe(&step) {
            self.played.violate(violation);
        }
        self.owed.observe(&step);
        self.played.given_up.extend(self.outgoing.observe(&step));
        if self.counts.observe(&step) {
            self.played.taken_over.push(self.played.handed_on.len());
        }
        self.state = Some(state);
        self.played.events += 1;
        effects.into_iter().for_each(|effect| {
            self.played.note(&effect, self.now);
            if let Effect::Notify(notification) = &effect {
                self.tell_caller(caller, notification);
            }
            match effect {
                // Whatever it wants done was done by somebody who was there.
                effect if !self.follows_history => self.carry_out(effect),
                Effect::Notify(notification) => self.played.hear(notification, self.now),
                _ => {}
            }
        });
    }

    /// Whether the run is settled and nothing that concerns it is on its way.
    fn is_over(&self) -> bool {
        self.state.as_ref().is_none_or(State::is_settled)
            && self.queue.is_empty()
            && self.user.deadline().is_none()
            && self.server.next_turn().is_none()
    }

    fn finish(mut self) -> Played {
        self.played.ended_world_at = self.now;
        self.played.close(self.state, self.server);
        self.played
    }
}
