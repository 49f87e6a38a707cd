/// How the session of a run stands: one word for each of its rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionStatus {
    /// The seam (C8): `closed`, `open`, or `probed` once the gateway was asked whether the replay is over.
    pub seam: &'static str,
    /// The token (S8, S10): `missing`, `held`, `fetching`, or `pausing` between two tries.
    pub token: &'static str,
    /// The end (S2, S3, S9b): `alive`, `suspended` while an asynchronous tool runs, `noted` until it counts, or `asking`
    /// the server how the run went.
    pub end: &'static str,
}
