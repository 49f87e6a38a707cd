use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network between the client and the servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSection {
    /// One way, ms.
    pub latency: u64,
    /// Added to it, at most, by chance, ms. Frames of one socket stay in order.
    pub jitter: u64,
    /// What comes to the client on a socket comes no faster than this; without it a frame comes in one go. A frame has a
    /// few dozen bytes beside its texts.
    #[serde(skip_serializing_if = "super::is_default")]
    pub bytes_per_second: Option<NonZeroU64>,
    /// What comes of a socket or a request that the client has given up is told all the same, as when two things cross.
    #[serde(skip_serializing_if = "super::is_default")]
    pub tells_late: bool,
    /// What befalls it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<NetworkStep>,
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self {
            latency: 20,
            jitter: 0,
            bytes_per_second: None,
            tells_late: false,
            steps: Vec::new(),
        }
    }
}

/// Something that befalls the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkStep {
    /// When, ms from the beginning.
    pub at: u64,
    /// What.
    #[serde(rename = "do")]
    pub act: NetworkAct,
}

/// What can befall a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkAct {
    /// The open socket is cut; both ends see it.
    Cut,
    /// The open socket carries nothing any more, and nobody sees it.
    HalfOpen,
    /// From now on the latency is this, ms.
    Latency(u64),
    /// What leaves within this, ms, is held up, and arrives when it is over; in order.
    Delay(u64),
    /// From now on the jitter is this, ms.
    Jitter(u64),
    /// There is no network: sockets are cut, dials and requests fail. The client is told.
    Offline,
    /// There is a network again. The client is told.
    Online,
    /// From now on this many dials fail as unreachable.
    RefuseDials(u32),
    /// From now on this many dials never come to an end.
    HangDials(u32),
    /// The next dial's upgrade is answered with this HTTP status.
    RejectUpgrade(u16),
    /// The next dial fails over the peer's certificate.
    BadCertificate,
}
