//! Room that a thread lends to whoever needs it for one turn.
//!
//! What a socket reads into, and what a wake-up brings, takes much room for a moment and none while a run is idle. Each thread
//! keeps one of each: with them an idle session holds about 4 KB, and a burst is not an allocation after the other.

use std::cell::Cell;
use std::thread::LocalKey;

/// One thread's room, unless it is lent.
pub(crate) type Spare<T> = Cell<Option<T>>;

/// The thread's room, or new room where that is lent already.
pub(crate) fn lend<T>(spare: &'static LocalKey<Spare<T>>, new: impl FnOnce() -> T) -> T {
    spare
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(new)
}

/// Takes room that is not needed any more.
pub(crate) fn give_back<T>(spare: &'static LocalKey<Spare<T>>, room: T) {
    // While the thread ends there is nobody to give it to.
    let _ = spare.try_with(|spare| spare.set(Some(room)));
}
