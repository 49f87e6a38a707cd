use std::hash::{BuildHasher, RandomState};

/// A number nobody foresees: the standard library keys each of its hashes from the system's randomness.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}
