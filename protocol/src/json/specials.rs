use wide::u8x16;

/// Finds the bytes of a text at which a JSON string ends or needs a second look: quotes, backslashes, control characters.
///
/// Most strings of a frame are short, so the text is looked at in blocks that hold several of them, each block once.
#[derive(Clone, Copy)]
pub(super) struct Specials {
    /// Where the block that was looked at ends.
    until: usize,
    /// A bit for each special byte of that block, the first byte's lowest.
    marks: u64,
}

/// Bytes looked at once: as many as there are marks.
const BLOCK: usize = 64;

impl Specials {
    /// Nothing was looked at yet.
    pub(super) const fn new() -> Self {
        Self { until: 0, marks: 0 }
    }

    /// The first special byte at or after `at`; the end of the text if there is none. To be asked of one text only, and
    /// from left to right.
    #[inline(always)]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> usize {
        let mut at = at;
        loop {
            if at < self.until {
                let behind = self.marks >> ((at + BLOCK - self.until) % BLOCK);
                if behind != 0 {
                    return at + behind.trailing_zeros() as usize;
                }
                at = self.until;
            }
            if at >= text.len() {
                return text.len();
            }
            *self = Self::look(text, at);
        }
    }

    /// Looks at the block that begins at `at`, or at the text's last one if less is left.
    #[inline]
    fn look(text: &[u8], at: usize) -> Self {
        let from_here = text.get(at..).and_then(<[u8]>::first_chunk);
        let (block, until) = match (from_here, text.last_chunk()) {
            (Some(block), _) => (block, at + BLOCK),
            (None, Some(block)) => (block, text.len()),
            (None, None) => (&padded(text), BLOCK),
        };
        Self {
            until,
            marks: marks(block),
        }
    }
}

/// A text shorter than a block, as a block.
fn padded(text: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    for (padded, byte) in block.iter_mut().zip(text) {
        *padded = *byte;
    }
    block
}

#[inline(always)]
fn marks(block: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = block.as_chunks();
    sixteens.iter().rev().fold(0, |marks, sixteen| {
        let bytes = u8x16::new(*sixteen);
        let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
        let quote = bytes.simd_eq(u8x16::splat(b'"'));
        let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
        marks << 16 | u64::from((control | quote | backslash).to_bitmask())
    })
}
