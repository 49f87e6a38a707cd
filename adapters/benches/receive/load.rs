//! What is received, and by whom.

/// What a server sends and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// One socket, all frames at once, about 260 bytes each.
    Small,
    /// The same with every twentieth frame of 20 KB.
    Mix,
    /// One socket, frames of 200 KB.
    Big,
    /// Many sockets, one small frame at a time, each to the next socket.
    Trickle,
}

impl Load {
    pub(crate) const ALL: [Self; 4] = [Self::Small, Self::Mix, Self::Big, Self::Trickle];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Mix => "mix",
            Self::Big => "big",
            Self::Trickle => "trickle",
        }
    }

    /// How many frames.
    pub(crate) fn frames(self) -> u64 {
        match self {
            Self::Small => 200_000,
            Self::Mix => 50_000,
            Self::Big => 1_000,
            Self::Trickle => 10_000,
        }
    }

    pub(crate) fn sessions(self) -> u64 {
        match self {
            Self::Trickle => 1_000,
            Self::Small | Self::Mix | Self::Big => 1,
        }
    }

    /// The length of the text in frame `id`.
    pub(crate) fn length(self, id: u64) -> usize {
        match self {
            Self::Mix if id.is_multiple_of(20) => 20_000,
            Self::Big => 200_000,
            Self::Small | Self::Mix | Self::Trickle => 60,
        }
    }
}

/// Who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// tokio-tungstenite, only counting.
    Bare {
        /// Its read buffer, bytes.
        buffer: usize,
    },
    /// The whole way to the caller.
    Client,
    /// Only reads: what the kernel and the runtime take, whoever receives. Counts reads, so only for a trickle.
    Raw,
}

impl Receiver {
    pub(crate) const ALL: [Self; 4] = [
        Self::Bare { buffer: 128 << 10 },
        Self::Bare { buffer: 4 << 10 },
        Self::Client,
        Self::Raw,
    ];

    /// Whether it can be measured with this load.
    pub(crate) fn takes(self, load: Load) -> bool {
        self != Self::Raw || load == Load::Trickle
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare { buffer: 131_072 } => "tt",
            Self::Bare { .. } => "tt-small-buffer",
            Self::Client => "client",
            Self::Raw => "raw",
        }
    }
}
