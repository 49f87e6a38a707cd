use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Threads seldom wait for each other with this many.
const SHARDS: usize = 64;

/// Every state that has been met: its fingerprint and its number, counted from 0.
pub(super) struct Table {
    shards: Vec<Mutex<HashTable<(u64, u32)>>>,
    count: AtomicU32,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            count: AtomicU32::new(0),
        }
    }

    /// The number of the state with this fingerprint, and whether it is new.
    pub(super) fn enter(&self, fingerprint: u64) -> (u32, bool) {
        let shard = &self.shards[(fingerprint >> 58) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(known, _): &(u64, u32)| *known == fingerprint;
        match shard.entry(fingerprint, known, |(known, _)| *known) {
            Entry::Occupied(entry) => (entry.get().1, false),
            Entry::Vacant(entry) => {
                let number = self.count.fetch_add(1, Ordering::Relaxed);
                entry.insert((fingerprint, number));
                (number, true)
            }
        }
    }

    /// States met so far.
    pub(super) fn len(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Bytes in use, roughly: a slot, its control byte, and as much room again to grow.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.len()) * 2 * (size_of::<(u64, u32)>() as u64 + 1)
    }
}
