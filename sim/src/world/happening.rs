use std::collections::VecDeque;

use agent_gateway_machine::{Close, DialFailure, DialId, RequestId, Timestamp};
use agent_gateway_protocol::{ClientFrame, ServerFrame};

use super::caller::Act;
use super::counts::Count;
use crate::api::{ApiAnswer, ApiCall};
use crate::gateway::Ticket;
use crate::script::{ClockAct, NetworkAct};

/// Something that will happen at a certain moment. What is rare and large is boxed: most are frames.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A dial reaches the gateway.
    DialArrived(DialId),
    /// A frame reaches the gateway.
    FrameArrived(DialId, ClientFrame),
    /// The client's close reaches the gateway.
    CloseArrived(DialId),
    /// A call reaches the server.
    CallArrived(Ticket, Box<ApiCall>),
    /// A caller has gone.
    CallAbandoned(Ticket),
    /// The client sees its socket open.
    Opened(DialId),
    /// The client sees its dial fail.
    DialFailed(DialId, DialFailure),
    /// The client sees that something is coming on a socket, and not all of it is there.
    Arriving(DialId),
    /// Something comes to the client on a socket, numbered by this count of the gateway, if at all.
    Received(DialId, Count, Message),
    /// The client sees its socket go.
    Closed(DialId, Close),
    /// An answer reaches the client; `None`: the connection was cut instead.
    Answered(RequestId, Option<Box<ApiAnswer>>),
    /// A request could not leave.
    Unsent(RequestId),
    /// The user gives a token of their own, or has none to give.
    TokenMinted(RequestId, bool),
    /// The caller does something; or a tool of the script has come to its answer.
    Acted(Box<Act>),
    /// Something befalls the network.
    Network(NetworkAct),
    /// The client's clock does something.
    Clock(ClockAct),
}

/// What comes on a socket.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Frame(ServerFrame),
    Text(Box<str>),
    Binary,
}

impl Message {
    /// Its bytes on the wire, roughly.
    pub(super) fn size(&self) -> usize {
        // Braces, names, numbers.
        const BESIDE_TEXTS: usize = 40;
        match self {
            Self::Frame(frame) => frame.size() + BESIDE_TEXTS,
            Self::Text(text) => text.len(),
            Self::Binary => BESIDE_TEXTS,
        }
    }
}

impl Happening {
    /// Whether it is read from a socket, and so waits while the caller does not read.
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Received(..) | Self::Closed(..))
    }

    /// Whether it waits while the client's host sleeps.
    pub(super) fn waits_for_client(&self) -> bool {
        match self {
            Self::Opened(_)
            | Self::DialFailed(..)
            | Self::Received(..)
            | Self::Closed(..)
            | Self::Answered(..)
            | Self::Unsent(_)
            | Self::TokenMinted(..)
            | Self::Acted(_) => true,
            Self::DialArrived(_)
            | Self::FrameArrived(..)
            | Self::CloseArrived(_)
            | Self::CallArrived(..)
            | Self::CallAbandoned(_)
            | Self::Arriving(_)
            | Self::Network(_)
            | Self::Clock(_) => false,
        }
    }
}

/// What will happen, in order; what is due at the same moment happens in the order it was entered.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// By when they happen, and in which order. What is entered happens mostly after all else: its place is near the
    /// end.
    happenings: VecDeque<((Timestamp, u64), Happening)>,
    entered: u64,
}

impl Default for Queue {
    /// Empty, with room for what a session has on its way at once.
    fn default() -> Self {
        Self {
            happenings: VecDeque::with_capacity(32),
            entered: 0,
        }
    }
}

impl Queue {
    pub(super) fn enter(&mut self, at: Timestamp, happening: Happening) {
        self.entered += 1;
        self.put_off(at, self.entered, happening);
    }

    /// Puts something off, before whatever is entered for that moment later.
    pub(super) fn put_off(&mut self, at: Timestamp, order: u64, happening: Happening) {
        let key = (at, order);
        if self.happenings.back().is_none_or(|(last, _)| *last < key) {
            return self.happenings.push_back((key, happening));
        }
        let place = self.happenings.partition_point(|(known, _)| *known < key);
        self.happenings.insert(place, (key, happening));
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.happenings.front().map(|((at, _), _)| *at)
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_at().is_some_and(|at| at <= now)
    }

    /// What is due, and its place in the order.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(u64, Happening)> {
        if !self.is_due(now) {
            return None;
        }
        let ((_, order), happening) = self.happenings.pop_front()?;
        Some((order, happening))
    }

    /// No tool that is being executed comes to its answer.
    pub(super) fn lose_tools(&mut self) {
        self.happenings.retain(|(_, happening)| {
            let Happening::Acted(act) = happening else {
                return true;
            };
            !matches!(**act, Act::AnswerTool { .. })
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.happenings.is_empty()
    }
}
