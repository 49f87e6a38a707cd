use std::hash::{BuildHasher, Hasher};

use arrayvec::ArrayVec;
use foldhash::quality::FixedState;

/// More than any world is.
const ROOM: usize = 1_024;

/// A hasher that first puts everything side by side, which is faster than mixing in many small things. Lengths and
/// variants are below 256 here, and take one byte.
#[derive(Default)]
pub(super) struct Packed(ArrayVec<u8, ROOM>);

impl Hasher for Packed {
    fn write(&mut self, bytes: &[u8]) {
        let room = self.0.try_extend_from_slice(bytes);
        room.expect("a world is small");
    }

    fn write_u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn write_usize(&mut self, length: usize) {
        self.0.push(length as u8);
    }

    fn write_isize(&mut self, variant: isize) {
        self.0.push(variant as u8);
    }

    fn finish(&self) -> u64 {
        FixedState::with_seed(1).hash_one(&*self.0)
    }
}
