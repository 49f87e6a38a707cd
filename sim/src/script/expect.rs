use core::fmt;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must come of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The server is fair, and says the texts `1 `, `2 `, `3 `, …: what a campaign holds against its sessions is held
    /// against this one, too.
    #[serde(skip_serializing_if = "super::is_default")]
    pub fair: bool,
    /// How the run ends, such as `completed`; `none`: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The text of the answer, as handed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The types of the events handed on, in order and without others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// How often effects occur, by name: `open_connection`, `send_frame.resume`, `send_request.interrupt_run`,
    /// `notify.gap_found`, `ignored.stale_dial`, …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<String, Count>,
    /// Effects that occur in this order, others between them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// When effects occur, by name: for the first time, or with `:` and a number behind the name for that time, such as
    /// `notify.event_received:2`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Window>,
    /// What the receipt says.
    #[serde(skip_serializing_if = "super::is_default")]
    pub receipt: ReceiptExpectation,
    /// Why events may be ignored, such as `stale_dial`; any other ignored event fails the script.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// The run has ended by then, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<u64>,
    /// The run has not ended before that, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_after: Option<u64>,
    /// How the run stands on the server at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_status: Option<String>,
    /// Whether the topic is marked with the run at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marked: Option<bool>,
    /// How many tool results the server has got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_results: Option<u64>,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a number, or {\"least\": …, \"most\": …}"
)]
pub enum Count {
    /// Exactly.
    Exactly(u64),
    /// Within bounds.
    Within {
        /// At least.
        #[serde(default)]
        least: u64,
        /// At most.
        #[serde(default = "endless")]
        most: u64,
    },
}

/// A span of the world's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before this, ms.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub after: u64,
    /// Not later than this, ms; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
}

impl Window {
    /// Whether a moment is within it, ms.
    #[must_use]
    pub fn admits(self, at: u64) -> bool {
        self.after <= at && self.by.is_none_or(|by| at <= by)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at {} ms", self.after)?;
        match self.by {
            None => write!(formatter, " or later"),
            Some(by) => write!(formatter, " to {by} ms"),
        }
    }
}

impl Count {
    /// Whether `times` is within it.
    #[must_use]
    pub fn admits(self, times: u64) -> bool {
        match self {
            Self::Exactly(count) => times == count,
            Self::Within { least, most } => (least..=most).contains(&times),
        }
    }
}

/// Members of the receipt that must have these values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the names are those of the receipt, which describes them"
)]
pub struct ReceiptExpectation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnects: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refreshes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<u64>,
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(formatter, "{count}"),
            Self::Within { least, most } if *most == u64::MAX => {
                write!(formatter, "{least} or more")
            }
            Self::Within { least, most } => write!(formatter, "{least} to {most}"),
        }
    }
}

fn endless() -> u64 {
    u64::MAX
}
