use alloc::vec::Vec;

use super::{JsonError, JsonProblem, JsonSlice, RawText, slice::Marks};

/// Walks JSON text once, checking its grammar as `JSON.parse` does. Nothing is built; no recursion.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// A raw line break was passed between tokens since this was last cleared.
    breaks: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            breaks: false,
        }
    }

    /// The next byte that is not whitespace, without passing it.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.bytes.get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_past_space(),
        }
    }

    /// Passes the opening brace at the first call, then one key and its colon a call; `None` at the closing brace. The
    /// caller must pass the member's value in between.
    #[inline(always)]
    pub(crate) fn member(&mut self, first: &mut bool) -> Result<Option<RawText<'a>>, JsonError> {
        if !self.next_in(b'{', b'}', first)? {
            return Ok(None);
        }
        self.key().map(Some)
    }

    /// Passes the opening bracket at the first call, then one comma a call; `false` at the closing bracket. The caller
    /// must pass the item in between.
    pub(crate) fn item(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next_in(b'[', b']', first)
    }

    /// Passes one value of any kind.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<JsonSlice<'a>, JsonError> {
        let first = self.peek();
        let from = self.at;
        let marks = if first == Some(b'"') {
            self.quoted()?.marks()
        } else {
            self.breaks = false;
            self.skip_value()?;
            if self.breaks {
                Marks::BREAKS
            } else {
                Marks::NONE
            }
        };
        Ok(JsonSlice::proven(self.since(from), marks))
    }

    /// Succeeds if only whitespace is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(JsonProblem::TrailingText)),
        }
    }

    #[cold]
    fn peek_past_space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    self.at += 1;
                    self.breaks = true;
                }
                _ => return Some(byte),
            }
        }
    }

    #[inline(always)]
    fn next_in(&mut self, open: u8, close: u8, first: &mut bool) -> Result<bool, JsonError> {
        let entering = core::mem::take(first);
        if entering {
            if self.peek() != Some(open) {
                return Err(self.unexpected(JsonProblem::ExpectedValue));
            }
            self.at += 1;
        }
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if entering => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.unexpected(JsonProblem::ExpectedCommaOrClose)),
        }
    }

    #[inline(always)]
    fn key(&mut self) -> Result<RawText<'a>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(JsonProblem::ExpectedKey));
        }
        let key = self.quoted()?;
        if self.peek() != Some(b':') {
            return Err(self.unexpected(JsonProblem::ExpectedColon));
        }
        self.at += 1;
        Ok(key)
    }

    fn skip_value(&mut self) -> Result<(), JsonError> {
        let mut nesting = Nesting::default();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.quoted()?;
                }
                Some(b'{') => {
                    self.at += 1;
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                    } else {
                        nesting.push(true);
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if self.peek() == Some(b']') {
                        self.at += 1;
                    } else {
                        nesting.push(false);
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return Err(self.unexpected(JsonProblem::ExpectedValue)),
            }
            loop {
                let Some(object) = nesting.top() else {
                    return Ok(());
                };
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    _ => return Err(self.unexpected(JsonProblem::ExpectedCommaOrClose)),
                }
                self.at += 1;
                nesting.pop();
            }
        }
    }

    /// Passes a string whose opening quote is next.
    #[inline(always)]
    fn quoted(&mut self) -> Result<RawText<'a>, JsonError> {
        self.at += 1;
        let from = self.at;
        let mut marks = Marks::NONE;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let inner = self.since(from);
                    self.at += 1;
                    return Ok(RawText::proven(inner, marks));
                }
                Some(b'\\') => {
                    marks = Marks::ESCAPED;
                    self.escape()?;
                }
                Some(_) => return Err(self.error(JsonProblem::ControlCharacter)),
                None => return Err(self.error(JsonProblem::EndsEarly)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.error(JsonProblem::BadEscape));
                }
                self.at += 6;
            }
            Some(_) => return Err(self.error(JsonProblem::BadEscape)),
            None => return Err(self.error(JsonProblem::EndsEarly)),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error(JsonProblem::BadNumber)),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == from {
            Err(self.error(JsonProblem::BadNumber))
        } else {
            Ok(())
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), JsonError> {
        if !self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            return Err(self.error(JsonProblem::ExpectedValue));
        }
        self.at += word.len();
        Ok(())
    }

    /// The text passed since `from`. Both ends stand beside ASCII, so there always is one.
    #[inline(always)]
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    #[cold]
    fn error(&self, problem: JsonProblem) -> JsonError {
        JsonError {
            at: self.at,
            problem,
        }
    }

    #[cold]
    fn unexpected(&self, problem: JsonProblem) -> JsonError {
        self.error(if self.at >= self.bytes.len() {
            JsonProblem::EndsEarly
        } else {
            problem
        })
    }
}

/// Which brackets are open: a bit a level (1 = object), the innermost 64 in a register, the rest spilled.
#[derive(Default)]
struct Nesting {
    bits: u64,
    depth: usize,
    spilled: Vec<u64>,
}

impl Nesting {
    #[inline]
    fn push(&mut self, object: bool) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.spilled.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.bits = self.spilled.pop().unwrap_or_default();
        }
    }

    #[inline]
    fn top(&self) -> Option<bool> {
        (self.depth != 0).then_some(self.bits & 1 == 1)
    }
}

/// The first place at or after `at` whose byte is a quote, a backslash or a control character; the end if none is.
///
/// Most strings are short: eight bytes at a time come first. A long one goes on in blocks that the compiler turns into
/// vector code, until a block holds what is looked for.
#[inline(always)]
pub(super) fn plain_end(bytes: &[u8], at: usize) -> usize {
    const WORDS_FIRST: usize = 4;
    let mut rest = bytes.get(at..).unwrap_or_default();
    for _ in 0..WORDS_FIRST {
        let Some((word, after)) = rest.split_first_chunk() else {
            break;
        };
        let found = special_bytes(*word);
        if found != 0 {
            return bytes.len() - rest.len() + first_byte(found);
        }
        rest = after;
    }
    long_plain_end(bytes, rest)
}

fn long_plain_end(bytes: &[u8], mut rest: &[u8]) -> usize {
    const BLOCK: usize = 32;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        if block
            .iter()
            .fold(false, |found, byte| found | is_special(*byte))
        {
            break;
        }
        rest = after;
    }
    while let Some((word, after)) = rest.split_first_chunk() {
        let found = special_bytes(*word);
        if found != 0 {
            return bytes.len() - rest.len() + first_byte(found);
        }
        rest = after;
    }
    let plain = rest
        .iter()
        .position(|byte| is_special(*byte))
        .unwrap_or(rest.len());
    bytes.len() - rest.len() + plain
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// The top bit of each of eight bytes that is special. Bytes after the first such one may be marked without being it.
#[inline(always)]
fn special_bytes(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(word);
    // Taking `bound` from each byte borrows into its top bit where it is less, if it had no top bit itself.
    let less = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound));
    let equal = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    (equal(b'"') | equal(b'\\') | less(word, 0x20)) & !word & (ONES * 0x80)
}

#[inline]
fn first_byte(found: u64) -> usize {
    found.trailing_zeros() as usize / 8
}
