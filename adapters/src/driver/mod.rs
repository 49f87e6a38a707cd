//! The hands of one run: wait, ask the machine, perform what it says, in order. No lifecycle decision lives here.
//!
//! One task per run sees to it that the run goes on. A caller that waits for the next notification drives in its stead
//! when something comes on the socket, which spares the hop from one to the other (see [`wheel`]). A wake-up, whosever it
//! is, goes round once:
//!
//! ```text
//! commands -> replies -> socket (all that is ready, up to a batch) -> alarm -> send -> hand over to the caller
//! ```
//!
//! The alarm comes after the input already received (C14), and the socket is written in the same round as it is read, so
//! that neither ever waits for the other. When the caller's queue is full the socket is not read, and TCP pushes back;
//! everything else goes on, and the machine is told.
//!
//! | type | what it is |
//! |---|---|
//! | [`Driver`] | the hands: socket, requests, alarm; performs what the machine says |
//! | [`Machine`] | the machine's state and who watches it; makes transitions, and has no hands |
//! | [`Mailbox`] | the one lock between driver and caller: commands, notifications, the wheel |
//! | [`Seat`] | the driver's end of it: dropped in whatever way, whoever waits is told |
//! | [`Wheel`](wheel::Wheel) | who drives next; pure, so that a test can try every order of things |
//! | [`Ride`](ride::Ride) | a driver with the wakers it needs, as it goes from hand to hand |
//! | [`Brought`] | what a wake-up has brought for the caller, and how much more may come |
//! | [`Place`] | where the run stands among the runs of its client: given up with the driver, however it ends |
//!
//! Three of them are there for speed alone:
//! - [`Wheel`](wheel::Wheel) and [`Ride`](ride::Ride): of a thousand runs with a frame now and then, each frame took a fifth of
//!   the instructions less once the caller drove for it (counted when that came).
//! - [`Brought`]: one lock for all that a wake-up brings, and not an allocation after the other in a burst; its room is
//!   [lent](crate::spare), so that an idle session holds about 4 KB. What it gains by itself was not measured.
//!
//! What it deliberately does not do: it knows no rule. Which socket, token or request matters is said by the machine
//! through ids it mints; the driver only finds what has that id.

mod alarm_clock;
mod brought;
mod commands;
mod connection;
mod hands;
mod machine;
mod mailbox;
mod requests;
mod ride;
mod weight;
mod wheel;

use std::sync::Arc;
use std::task::{Context, Poll};

use agent_gateway_machine::{
    Call, DialId, Effect, EventKind, RequestId, State, Timestamp, TokenId,
};
use agent_gateway_protocol::ClientFrame;
use tokio::sync::oneshot;
use tracing::{debug, error, trace};

use self::alarm_clock::AlarmClock;
use self::brought::Brought;
use self::commands::{Command, Left, verdict};
use self::connection::Connection;
use self::machine::Machine;
use self::mailbox::Seat;
use self::requests::Requests;
use crate::client::Place;
use crate::clock::Clock;
use crate::observer::Observer;
use crate::redaction::{has_words, redact_event};
use crate::vault::Vault;

pub(crate) use self::brought::give_back;
pub(crate) use self::commands::{Command as RunCommand, Rejection, Verdict};
pub(crate) use self::hands::Hands;
pub(crate) use self::mailbox::Mailbox;
pub use self::mailbox::{QueueLimits, Snapshot};
pub(crate) use self::ride::Task;

/// Frames of one wake-up: then the caller and the other tasks of the runtime have their turn. Few enough that what they
/// brought is still in the processor's cache when the caller looks at it.
const BATCH: usize = 128;

/// Bytes of events in one wake-up, for the same reason.
const BATCH_BYTES: usize = 256 << 10;

/// Rounds of one wake-up, where what was performed must be polled at once.
const ROUNDS: usize = 4;

/// What follows a round.
enum Next {
    /// Another one: something was performed that must be polled first.
    Round,
    /// The others' turn, then another one: the batch was full.
    Yield,
    /// Nothing, until something happens.
    Wait,
}

/// Laid out as written: of a thousand runs none is in the processor's cache when its frame comes, so what every wake-up
/// touches lies together.
#[repr(C)]
pub(crate) struct Driver {
    machine: Machine,
    now: Timestamp,
    clock: Clock,
    alarm: AlarmClock,
    connection: Connection,
    requests: Requests,
    /// What this wake-up has brought so far.
    brought: Brought,
    /// The machine was told that reading is paused.
    paused: bool,
    /// When the machine was last told that a frame is arriving.
    told_arriving: Option<Timestamp>,
    /// Effects were performed that must be polled before whoever drives may wait.
    unpolled: bool,
    hands: Arc<Hands>,
    vault: Arc<Vault>,
    place: Place,
    /// Last, so that all else of the run is gone when it tells that the run is settled.
    mailbox: Seat,
}

impl Driver {
    pub(crate) fn new(
        state: State,
        hands: Arc<Hands>,
        vault: Arc<Vault>,
        mailbox: Arc<Mailbox>,
        observers: Vec<Box<dyn Observer>>,
        place: Place,
    ) -> Self {
        Self {
            machine: Machine::new(state, observers),
            now: Timestamp::ZERO,
            clock: Clock::new(),
            alarm: AlarmClock::new(),
            connection: Connection::new(),
            requests: Requests::default(),
            brought: Brought::default(),
            paused: false,
            told_arriving: None,
            unpolled: false,
            hands,
            vault,
            place,
            mailbox: Seat(mailbox),
        }
    }

    /// Drives until there is nothing to do, or it is the others' turn. What comes on the socket then wakes `socket`, all
    /// else `context`. Ready: nothing is left to do, nor ever will be.
    fn drive(&mut self, context: &mut Context<'_>, socket: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let next = self.round(context, socket);
            if self.is_settled() {
                return Poll::Ready(());
            }
            match next {
                Next::Round => {}
                Next::Yield => break,
                Next::Wait => {
                    self.rest();
                    return Poll::Pending;
                }
            }
        }
        self.brought.rest();
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Makes one transition and performs what it asks for.
    #[inline]
    fn step(&mut self, kind: EventKind) {
        if let Some(effects) = self.machine.feed(self.now, kind) {
            effects.into_iter().for_each(|effect| self.perform(effect));
        }
    }

    fn command(&mut self, command: Command) {
        let (kind, answered) = match command {
            Command::Tell { kind, verdict } => (kind, verdict),
            Command::Store(stored) => {
                if let Some(state) = self.machine.state() {
                    // Whoever has stopped waiting does not want it.
                    let _ = stored.send(state.clone());
                }
                return;
            }
            Command::Leave(leaving) => return self.leave(leaving),
        };
        debug!(command = kind.name(), "command");
        let Some(effects) = self.machine.feed(self.now, kind) else {
            return;
        };
        if let Some(waiting) = answered {
            let _ = waiting.send(verdict(&effects));
        }
        effects.into_iter().for_each(|effect| self.perform(effect));
    }

    /// Gives the state away once all that it says is let go of here: whoever has it may carry it on at once.
    #[inline(never)]
    fn leave(&mut self, leaving: oneshot::Sender<Left>) {
        // What this wake-up has brought is past for the state.
        self.deliver(false);
        let left = self.machine.state().cloned();
        let left = left.map(|state| (state, self.mailbox.take_waiting()));
        self.command(Command::tell(EventKind::Detach));
        self.place.give_up();
        if let Some(left) = left {
            // Whoever has stopped waiting does not want it.
            let _ = leaving.send(left);
        }
    }

    #[inline]
    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Notify(notification) => {
                self.place.notified(&notification);
                self.brought.push(notification);
            }
            Effect::SetAlarm(alarm) => self.alarm.set(alarm.map(|alarm| alarm.at), &self.clock),
            Effect::SendFrame { dial, frame } => self.send(dial, frame),
            Effect::OpenConnection { dial, url } => self.dial(dial, url),
            Effect::CloseConnection { dial, code } => {
                debug!(%dial, code = code.0, "connection_dropped");
                self.connection.close(dial, code);
                self.unpolled = true;
            }
            Effect::SendRequest { request, call } => self.ask(request, call),
            Effect::CancelRequest { request } => {
                debug!(%request, "request_cancelled");
                self.requests.cancel(request);
            }
            Effect::Ignored(why) => debug!(%why, "ignored"),
        }
    }

    #[inline(never)]
    fn dial(&mut self, dial: DialId, url: Box<str>) {
        debug!(%dial, %url, "dial_started");
        let transport = self.hands.transport.clone();
        let opening = Box::pin(async move { transport.open(&url).await });
        self.connection.dial(dial, opening);
        self.unpolled = true;
    }

    #[inline(never)]
    fn send(&mut self, dial: DialId, frame: ClientFrame<TokenId>) {
        trace!(%dial, frame = frame.kind(), "frame_sent");
        match frame.try_with_token(|id| self.vault.token(id).ok_or(id)) {
            Ok(frame) => self.connection.send(dial, &frame),
            // The machine only names what came through this vault, so this is a bug of ours. Without its auth the socket
            // runs into the deadline of C2, which is told.
            Err(id) => error!(%dial, token = %id, "token_missing"),
        }
    }

    #[inline(never)]
    fn ask(&mut self, request: RequestId, call: Call) {
        debug!(%request, call = call.name(), "request_sent");
        let (hands, vault) = (self.hands.clone(), self.vault.clone());
        let answer = Box::pin(async move { hands.ask(&call, &vault).await });
        self.requests.add(request, answer);
        self.unpolled = true;
    }

    /// One round. Says what is to be done at once.
    fn round(&mut self, context: &mut Context<'_>, socket: &mut Context<'_>) -> Next {
        self.now = self.clock.now();
        self.unpolled = false;
        self.take_commands();
        while let Poll::Ready((request, reply)) = self.requests.poll(context) {
            debug!(%request, reply = reply.name(), "reply_received");
            let mut kind = EventKind::ReplyReceived { request, reply };
            self.redact(&mut kind);
            self.step(kind);
        }
        let more = self.poll_connection(context, socket);
        self.poll_alarm(context);
        self.connection.poll_flush(context);
        self.connection.poll_closing(context);
        self.deliver(false);
        if self.unpolled {
            Next::Round
        } else if more {
            Next::Yield
        } else {
            Next::Wait
        }
    }

    fn take_commands(&mut self) {
        let (commands, full) = self.mailbox.take_commands();
        if self.paused && !full {
            self.paused = false;
            debug!("reading_resumed");
            self.step(EventKind::ReadingResumed);
        }
        for command in commands {
            self.command(command);
        }
    }

    /// Takes what is ready on the socket, up to a batch. Says whether there may be more.
    fn poll_connection(&mut self, context: &mut Context<'_>, socket: &mut Context<'_>) -> bool {
        for _ in 0..BATCH {
            if self.brought.bytes() >= BATCH_BYTES {
                break;
            }
            if self.paused {
                return false;
            }
            if self.brought.is_full() && self.connection.is_open() {
                self.deliver(true);
                if self.brought.is_full() {
                    self.paused = true;
                    debug!("reading_paused");
                    self.connection.rest();
                    self.step(EventKind::ReadingPaused);
                    return false;
                }
            }
            let Poll::Ready(mut kind) = self.connection.poll_event(context, socket) else {
                return false;
            };
            self.redact(&mut kind);
            if matches!(kind, EventKind::FrameReceived { .. }) || self.note(&kind) {
                self.step(kind);
            }
        }
        true
    }

    /// I17: no token gets into the machine, even if a server repeats it.
    #[inline]
    fn redact(&self, kind: &mut EventKind) {
        if has_words(kind) {
            redact_event(kind, |text| self.vault.redact(text));
        }
    }

    /// Takes note of what came beside frames, and says whether the machine is to be told.
    #[inline(never)]
    fn note(&mut self, kind: &EventKind) -> bool {
        match kind {
            EventKind::FrameArriving { .. } => {
                if self.is_arriving_known() {
                    return false;
                }
                self.told_arriving = Some(self.now);
            }
            EventKind::ConnectionOpened { dial } => {
                debug!(%dial, "connection_opened");
                if let Some(operation) = self.machine.state().and_then(State::operation) {
                    self.connection.expect_operation(operation);
                }
            }
            EventKind::DialFailed { dial, failure } => {
                debug!(%dial, kind = ?failure.kind, failure = %failure.text, "dial_failed");
            }
            EventKind::ConnectionClosed { dial, close } => {
                debug!(%dial, %close, "connection_closed");
            }
            _ => {}
        }
        true
    }

    /// Whether the machine was told of an arriving frame a moment ago.
    fn is_arriving_known(&self) -> bool {
        let Some((told, state)) = self.told_arriving.zip(self.machine.state()) else {
            return false;
        };
        self.now.since(told) < state.config().limits.arriving_interval()
    }

    fn poll_alarm(&mut self, context: &mut Context<'_>) {
        // A ring is answered by another alarm, which may be due already: the next round sees to it.
        if self.alarm.poll(self.now, context).is_ready() {
            self.now = self.clock.now();
            self.step(EventKind::AlarmRang);
            self.unpolled = true;
        }
    }

    fn deliver(&mut self, pause: bool) {
        let state = self.machine.state();
        self.mailbox.deliver(&mut self.brought, state, pause);
    }

    /// An idle run keeps no room for what may come.
    fn rest(&mut self) {
        self.brought.rest();
        self.requests.rest();
    }

    /// Whether nothing is left to do, nor ever will be.
    fn is_settled(&self) -> bool {
        self.machine.state().is_none_or(State::is_settled)
            && self.requests.is_empty()
            && self.connection.is_gone()
    }
}
