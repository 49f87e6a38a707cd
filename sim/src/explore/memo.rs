use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::log::Frames;
use super::news::News;
use super::watched::{Living, Told, Watched};

/// Answers that are remembered at once. What is told in states of one level is mostly told in the next one too.
const CAPACITY: usize = 1 << 15;

/// What one thread has already told the machine: surroundings differ far more often than what they tell it.
pub(super) struct Memo {
    frames: Frames,
    told: HashMap<Key, Arc<Told>, FixedState>,
    machines: HashMap<u64, Arc<Watched>, FixedState>,
    living: Living,
}

/// Which machine, by its fingerprint; what it is told; and how many ms after the last event.
type Key = (u64, News, u64);

/// What came of telling the machine something.
pub(super) struct Recalled {
    pub(super) told: Arc<Told>,
    /// Whether it was remembered.
    pub(super) is_known: bool,
}

impl Memo {
    pub(super) fn new(living: &Living) -> Self {
        Self {
            living: living.clone(),
            frames: Frames::new(),
            told: HashMap::default(),
            machines: HashMap::default(),
        }
    }

    /// Tells the machine something, or remembers what came of it.
    pub(super) fn tell(&mut self, machine: &Watched, news: News, idle: u64) -> Recalled {
        if self.told.len() >= CAPACITY {
            self.told.clear();
            self.machines.clear();
        }
        match self.told.entry((machine.fingerprint(), news, idle)) {
            Entry::Occupied(entry) => Recalled {
                told: Arc::clone(entry.get()),
                is_known: true,
            },
            Entry::Vacant(entry) => {
                let machines = &mut self.machines;
                let event = news.event(&self.frames);
                let told = machine.tell(event, idle, &self.living, |after| {
                    let place = machines.entry(after.fingerprint());
                    Arc::clone(place.or_insert_with(|| Arc::new(after)))
                });
                Recalled {
                    told: Arc::clone(entry.insert(Arc::new(told))),
                    is_known: false,
                }
            }
        }
    }
}
