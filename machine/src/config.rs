//! Every number of the rules in one value, each with its unit and its default.

use alloc::boxed::Box;
use alloc::string::ToString;

use agent_gateway_protocol::{GatewayUrl, ServerUrl};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Millis;

/// What a run is to keep to. Defaults are the rules' own numbers; [`Config::seed`] has LobeHub's of May 2026.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the gateway is (C1). Without one nothing can be streamed: `Execute` and `Attach` are refused.
    pub gateway: Option<GatewayUrl>,
    /// Where the server is; goes into the `auth` frame of an API key (C3).
    #[serde(default)]
    pub server: Option<ServerUrl>,
    /// Lets a token go over plain `ws` to a host that is not loopback (C1).
    #[serde(default)]
    pub allow_insecure: bool,
    /// Every number.
    #[serde(default)]
    pub limits: Limits,
}

/// The numbers of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// A dial is a failed attempt after this, ms (C2).
    pub dial_deadline: Millis,
    /// An unanswered `auth` is a failed attempt after this, ms (C2).
    pub authentication_deadline: Millis,
    /// Between two heartbeats, ms (C5).
    pub heartbeat_interval: Millis,
    /// Beats without an inbound frame before `silence_margin` starts (C5).
    pub silent_beats: u32,
    /// Added to the silent beats before the connection is dropped, ms (C5).
    pub silence_margin: Millis,
    /// A beat that rings later than this means the host slept, ms (C5).
    pub sleep_threshold: Millis,
    /// A probe after a sleep is answered within this, ms (C5).
    pub probe_deadline: Millis,
    /// The first backoff step, ms; doubles with each step (C6).
    pub backoff_first: Millis,
    /// The longest backoff step, ms (C6, C15).
    pub backoff_cap: Millis,
    /// Authenticated for this long is progress: the backoff starts over, ms (C6).
    pub progress_after: Millis,
    /// Failed attempts before the first `auth_success` (C6).
    pub first_attempts: u32,
    /// Failed attempts without progress after it; `None`: no bound (C6).
    pub later_attempts: Option<u32>,
    /// Between two backoffs skipped because the network is back, ms (C15).
    pub skip_interval: Millis,
    /// A seam is probed after this without a frame that finds its place, ms; of a gateway that has ever answered
    /// `resume`, after `resume_answer` (C8).
    pub seam_quiet: Millis,
    /// Frames held in a seam (C8, I13).
    pub seam_frames: usize,
    /// Bytes held in a seam (C8, I13).
    pub seam_bytes: usize,
    /// No `resume_complete` for this long after `resume`: ask how the run stands, ms (S14, C8).
    pub resume_answer: Millis,
    /// Nothing but acks for this long: ask how the run stands, ms (S14).
    pub inquiry_interval: Millis,
    /// Between two answers "unknown" that end a run, ms (S14).
    pub unknown_interval: Millis,
    /// Between two questions how the run stands, at least this in the long run, ms; three may come at once (S14).
    pub question_interval: Millis,
    /// Tries to learn from the server how a run went whose end does not say it (S3).
    pub status_tries: u32,
    /// The echo of another operation's end comes within this, ms (S4).
    pub echo_window: Millis,
    /// A token whose lifetime cannot be read lives this long, ms (S10).
    pub token_lifetime: Millis,
    /// A token refused because of `nbf` is tried again after this, ms (S7).
    pub not_before_retry: Millis,
    /// Tries for a fresh token (S8).
    pub refresh_tries: u32,
    /// Fresh tokens refused in a row before the run gives up (S9).
    pub refused_tokens: u32,
    /// `execAgent` is given up after this, ms (R1).
    pub start_deadline: Millis,
    /// Every other request is given up after this, ms (R1).
    pub request_deadline: Millis,
    /// After a stop, `execAgent` may still tell its id for this long, ms; 0 cuts it at once (R2).
    pub stop_grace: Millis,
    /// A stop is confirmed by an end within this, ms (R5).
    pub stop_timeout: Millis,
    /// Settling takes at most this long, ms (R6).
    pub settle_deadline: Millis,
    /// A tool call without a time of its own has this, ms (T1).
    pub tool_deadline: Millis,
    /// Our answer precedes the server's own deadline by this, ms (T1).
    pub tool_margin: Millis,
    /// A tool call has at least this, ms (T1).
    pub tool_minimum: Millis,
    /// A result is kept for at least this, ms (T3).
    pub result_lifetime: Millis,
    /// Results that wait (T3, I13).
    pub results: usize,
    /// Bytes of results that wait, as they are on the wire (T3, I13).
    pub result_bytes: usize,
    /// Tool calls and prompts remembered (T4, I13).
    pub ledger: usize,
    /// Bytes of their ids, and of the calls and prompts that are open (T4, I13).
    pub ledger_bytes: usize,
    /// Digests of passed frames remembered (C9).
    pub ring: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            dial_deadline: Millis::seconds(15),
            authentication_deadline: Millis::seconds(10),
            heartbeat_interval: Millis::seconds(30),
            silent_beats: 3,
            silence_margin: Millis::seconds(10),
            sleep_threshold: Millis::seconds(90),
            probe_deadline: Millis::seconds(10),
            backoff_first: Millis::seconds(1),
            backoff_cap: Millis::seconds(30),
            progress_after: Millis::seconds(10),
            first_attempts: 5,
            later_attempts: None,
            skip_interval: Millis::seconds(1),
            seam_quiet: Millis::seconds(2),
            seam_frames: 1_024,
            seam_bytes: 64 << 20,
            resume_answer: Millis::seconds(5),
            inquiry_interval: Millis::seconds(60),
            unknown_interval: Millis::seconds(5),
            question_interval: Millis::seconds(1),
            status_tries: 6,
            echo_window: Millis::seconds(5),
            token_lifetime: Millis::seconds(300),
            not_before_retry: Millis::seconds(1),
            refresh_tries: 3,
            refused_tokens: 3,
            start_deadline: Millis::seconds(120),
            request_deadline: Millis::seconds(10),
            stop_grace: Millis::seconds(5),
            stop_timeout: Millis::seconds(30),
            settle_deadline: Millis::seconds(10),
            tool_deadline: Millis::seconds(120),
            tool_margin: Millis(500),
            tool_minimum: Millis(100),
            result_lifetime: Millis::seconds(120),
            results: 256,
            result_bytes: 16 << 20,
            ledger: 4_096,
            ledger_bytes: 64 << 20,
            ring: 1_024,
        }
    }
}

impl Config {
    /// The rules' own numbers, for this gateway.
    #[must_use]
    pub fn new(gateway: Option<GatewayUrl>) -> Self {
        Self {
            gateway,
            server: None,
            allow_insecure: false,
            limits: Limits::default(),
        }
    }

    /// LobeHub's own numbers of May 2026 wherever a rule has a number it had too, so that the two can be compared side
    /// by side: the request cut at once on a stop, one try for a token, dials, `auth` and requests never given up.
    #[must_use]
    pub fn seed(gateway: Option<GatewayUrl>) -> Self {
        let never = Millis::seconds(100 * 365 * 24 * 3_600);
        Self {
            limits: Limits {
                dial_deadline: never,
                authentication_deadline: never,
                silence_margin: Millis::ZERO,
                first_attempts: u32::MAX,
                refresh_tries: 1,
                refused_tokens: u32::MAX,
                start_deadline: never,
                request_deadline: never,
                stop_grace: Millis::ZERO,
                ..Limits::default()
            },
            ..Self::new(gateway)
        }
    }

    /// Checks what no single field can say.
    ///
    /// # Errors
    /// The first thing that does not hold, with both values.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(gateway) = &self.gateway
            && !gateway.is_secure()
            && !gateway.is_loopback()
            && !self.allow_insecure
        {
            return Err(ConfigError::InsecureGateway(gateway.to_string().into()));
        }
        self.limits.validate()
    }
}

impl Limits {
    /// How often the hands tell that a frame is arriving, ms: so that no span of silence that means anything lies
    /// between two of them (C5, C8, S14).
    #[must_use]
    pub fn arriving_interval(&self) -> Millis {
        let shortest = self
            .seam_quiet
            .min(self.probe_deadline)
            .min(self.silence_bound());
        Millis((shortest.0 / 2).max(1))
    }

    /// Silence longer than this drops a connection (C5).
    pub(crate) fn silence_bound(&self) -> Millis {
        self.heartbeat_interval
            .times(u64::from(self.silent_beats))
            .plus(self.silence_margin)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let at_least_one = [
            ("dial_deadline", self.dial_deadline.0),
            ("authentication_deadline", self.authentication_deadline.0),
            ("heartbeat_interval", self.heartbeat_interval.0),
            ("silent_beats", u64::from(self.silent_beats)),
            ("probe_deadline", self.probe_deadline.0),
            ("backoff_first", self.backoff_first.0),
            ("first_attempts", u64::from(self.first_attempts)),
            ("seam_quiet", self.seam_quiet.0),
            ("seam_frames", self.seam_frames as u64),
            ("seam_bytes", self.seam_bytes as u64),
            ("resume_answer", self.resume_answer.0),
            ("inquiry_interval", self.inquiry_interval.0),
            ("unknown_interval", self.unknown_interval.0),
            ("status_tries", u64::from(self.status_tries)),
            ("not_before_retry", self.not_before_retry.0),
            ("refresh_tries", u64::from(self.refresh_tries)),
            ("refused_tokens", u64::from(self.refused_tokens)),
            ("start_deadline", self.start_deadline.0),
            ("request_deadline", self.request_deadline.0),
            ("stop_timeout", self.stop_timeout.0),
            ("settle_deadline", self.settle_deadline.0),
            ("tool_minimum", self.tool_minimum.0),
            ("result_lifetime", self.result_lifetime.0),
            ("results", self.results as u64),
            ("result_bytes", self.result_bytes as u64),
            ("ledger", self.ledger as u64),
            ("ledger_bytes", self.ledger_bytes as u64),
            ("ring", self.ring as u64),
        ];
        for (field, value) in at_least_one {
            if value == 0 {
                return Err(ConfigError::Zero { field });
            }
        }
        if self.backoff_cap < self.backoff_first {
            return Err(ConfigError::Order {
                less: "backoff_first",
                less_value: self.backoff_first.0,
                more: "backoff_cap",
                more_value: self.backoff_cap.0,
            });
        }
        if self.tool_deadline < self.tool_minimum {
            return Err(ConfigError::Order {
                less: "tool_minimum",
                less_value: self.tool_minimum.0,
                more: "tool_deadline",
                more_value: self.tool_deadline.0,
            });
        }
        Ok(())
    }
}

/// What a [`Config`] cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A token would go over plain `ws` to another machine (C1), or to what only the resolver knows to be this one.
    #[error(
        "a token would go in the clear to {0}, which is not `localhost` or a loopback address: use https or wss, or set \
         allow_insecure if that is meant"
    )]
    InsecureGateway(Box<str>),
    /// A number that must be at least one.
    #[error("limits.{field} is 0; it must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// Two numbers in the wrong order.
    #[error("limits.{less} ({less_value}) must not be more than limits.{more} ({more_value})")]
    Order {
        /// The field that must not be more.
        less: &'static str,
        /// Its value.
        less_value: u64,
        /// The field it must not exceed.
        more: &'static str,
        /// Its value.
        more_value: u64,
    },
}
