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
        if at < self.until {
            let behind = self.marks >> ((at + BLOCK - self.until) % BLOCK);
            if behind != 0 {
                return at + behind.trailing_zeros() as usize;
            }
            at = self.until;
        }
        if at < text.len() {
            *self = Self::look(text, at);
            let from = self.until - BLOCK;
            let behind = self.marks >> (at.saturating_sub(from) % BLOCK);
            if behind != 0 {
                return at.max(from) + behind.trailing_zeros() as usize;
            }
        }
        text.len()
    }

    /// Looks at the blocks from `at` on until one has special bytes; the last is the text's last one.
    #[inline(never)]
    fn look(text: &[u8], at: usize) -> Self {
        let mut rest = text.get(at..).unwrap_or_default();
        let mut until = at;
        while let Some((block, behind)) = rest.split_first_chunk() {
            until += BLOCK;
            let marks = marks(block);
            if marks != 0 {
                return Self { until, marks };
            }
            rest = behind;
        }
        match text.last_chunk() {
            Some(block) => Self {
                until: text.len(),
                marks: marks(block),
            },
            None => Self {
                until: BLOCK,
                marks: marks(&padded(text)),
            },
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
        // Turned by this bit the quote, and nothing else, comes next to the control characters.
        let turned = bytes ^ u8x16::splat(b'"' ^ b' ');
        let control_or_quote = turned.min(u8x16::splat(b' ')).simd_eq(turned);
        let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
        marks << 16 | u64::from((control_or_quote | backslash).to_bitmask())
    })
}
