use alloc::vec::Vec;

use super::{JsonError, JsonProblem, JsonSlice, RawText};

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
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
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

    /// Passes the opening brace at the first call, then one key and its colon a call; `None` at the closing brace. The
    /// caller must pass the member's value in between.
    #[inline]
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
    #[inline]
    pub(crate) fn value(&mut self) -> Result<JsonSlice<'a>, JsonError> {
        self.peek();
        let from = self.at;
        self.breaks = false;
        self.skip_value()?;
        Ok(JsonSlice::proven(&self.text[from..self.at], self.breaks))
    }

    /// Passes one string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<RawText<'a>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(JsonProblem::ExpectedValue));
        }
        self.quoted()
    }

    /// Succeeds if only whitespace is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(JsonProblem::TrailingText)),
        }
    }

    #[inline]
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

    #[inline]
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
    #[inline]
    fn quoted(&mut self) -> Result<RawText<'a>, JsonError> {
        self.at += 1;
        let from = self.at;
        let mut escaped = false;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let inner = &self.text[from..self.at];
                    self.at += 1;
                    return Ok(RawText::proven(inner, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
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
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error(JsonProblem::ExpectedValue));
        }
        self.at += word.len();
        Ok(())
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
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            break;
        }
        at += 1;
    }
    at
}
