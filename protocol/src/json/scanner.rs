use alloc::vec::Vec;

use super::{JsonError, JsonProblem, JsonSlice, RawText, slice::Marks, specials::Specials};

/// Walks JSON text once, checking its grammar as `JSON.parse` does. Nothing is built; no recursion.
///
/// What is not worth inlining takes the scanner by value and gives it back: behind a reference its fields would have to
/// stand in memory all the time, and reading a frame is mostly moving `at`.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    specials: Specials,
    /// A raw line break was passed between tokens since this was last cleared.
    breaks: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            specials: Specials::new(),
            breaks: false,
        }
    }

    /// The next byte that is not whitespace, without passing it.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.here() {
            Some(byte) if byte > b' ' => Some(byte),
            _ => {
                *self = self.past_space();
                self.here()
            }
        }
    }

    /// Passes the opening brace at the first call, then one comma a call; `false` at the closing brace. The caller must
    /// pass the member's key ([`match_key`](super::match_key)) and value in between.
    #[inline(always)]
    pub(crate) fn member(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next_in(b'{', b'}', first)
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
        let marks = match first {
            Some(b'"') => self.quoted()?.marks(),
            Some(b'{' | b'[') => {
                self.breaks = false;
                *self = self.past_nested()?;
                if self.breaks {
                    Marks::BREAKS
                } else {
                    Marks::NONE
                }
            }
            _ => {
                self.at = Self::scalar_end(self.text, self.at)?;
                Marks::NONE
            }
        };
        Ok(JsonSlice::proven(self.since(from), marks))
    }

    /// Passes `known` if exactly that comes next; whether it did.
    #[inline(always)]
    pub(crate) fn pass(&mut self, known: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at..);
        let comes = rest.is_some_and(|rest| rest.starts_with(known.as_bytes()));
        if comes {
            self.at += known.len();
        }
        comes
    }

    /// Passes `known`, which must come next.
    #[inline(always)]
    pub(crate) fn passes(&mut self, known: &str) -> Option<()> {
        self.pass(known).then_some(())
    }

    /// Passes a whole number that is digits alone, as many as always fit; `None` leaves the scanner anywhere.
    #[inline(always)]
    pub(crate) fn natural(&mut self) -> Option<u64> {
        let first = self.here()?.wrapping_sub(b'0');
        if first > 9 {
            return None;
        }
        let from = self.at;
        let mut number = u64::from(first);
        self.at += 1;
        while let Some(byte) = self.here() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let digits = self.at - from;
        (digits == 1 || (first != 0 && digits < 20)).then_some(number)
    }

    /// Passes a string without escapes, and gives what it says; `None` leaves the scanner anywhere.
    #[inline(always)]
    pub(crate) fn plain(&mut self) -> Option<&'a str> {
        if self.here() != Some(b'"') {
            return None;
        }
        let from = self.at + 1;
        self.at = self.specials.next(self.text.as_bytes(), from);
        if self.here() != Some(b'"') {
            return None;
        }
        let inner = self.since(from);
        self.at += 1;
        Some(inner)
    }

    /// Whether nothing is left at all.
    #[inline(always)]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Succeeds if only whitespace is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(JsonProblem::TrailingText)),
        }
    }

    #[inline(always)]
    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[cold]
    fn past_space(mut self) -> Self {
        loop {
            match self.here() {
                Some(b' ' | b'\t') => {}
                Some(b'\n' | b'\r') => self.breaks = true,
                _ => return self,
            }
            self.at += 1;
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

    /// Passes a key and its colon.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<RawText<'a>, JsonError> {
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

    /// Past the object or array that is next.
    #[inline(never)]
    fn past_nested(mut self) -> Result<Self, JsonError> {
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
                _ => self.at = Self::scalar_end(self.text, self.at)?,
            }
            loop {
                let Some(object) = nesting.top() else {
                    return Ok(self);
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
            self.at = self.specials.next(self.text.as_bytes(), self.at);
            match self.here() {
                Some(b'"') => {
                    let inner = self.since(from);
                    self.at += 1;
                    return Ok(RawText::proven(inner, marks));
                }
                Some(b'\\') => {
                    marks = Marks::ESCAPED;
                    self.at = self.escape_end()?;
                }
                Some(_) => return Err(self.error(JsonProblem::ControlCharacter)),
                None => return Err(self.error(JsonProblem::EndsEarly)),
            }
        }
    }

    /// Where the escape that is next ends.
    fn escape_end(self) -> Result<usize, JsonError> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(self.at + 2),
            Some(b'u') => {
                let digits = bytes.get(self.at + 2..self.at + 6);
                if digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    Ok(self.at + 6)
                } else {
                    Err(self.error(JsonProblem::BadEscape))
                }
            }
            Some(_) => Err(self.error(JsonProblem::BadEscape)),
            None => Err(self.error(JsonProblem::EndsEarly)),
        }
    }

    /// Where the number or the literal at `at` ends.
    #[inline(never)]
    fn scalar_end(text: &'a str, at: usize) -> Result<usize, JsonError> {
        let mut scanner = Self {
            at,
            ..Self::new(text)
        };
        match scanner.here() {
            Some(b'-' | b'0'..=b'9') => scanner.number()?,
            Some(b't') => scanner.literal("true")?,
            Some(b'f') => scanner.literal("false")?,
            Some(b'n') => scanner.literal("null")?,
            _ => return Err(scanner.unexpected(JsonProblem::ExpectedValue)),
        }
        Ok(scanner.at)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), JsonError> {
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        match self.here() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error(JsonProblem::BadNumber)),
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.here() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline(always)]
    fn digits(&mut self) -> Result<(), JsonError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        match digits.count() {
            0 => Err(self.error(JsonProblem::BadNumber)),
            digits => {
                self.at += digits;
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn literal(&mut self, word: &str) -> Result<(), JsonError> {
        if self.pass(word) {
            Ok(())
        } else {
            Err(self.error(JsonProblem::ExpectedValue))
        }
    }

    /// The text passed since `from`. Both ends stand beside ASCII, so there always is one.
    #[inline(always)]
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    #[cold]
    fn error(self, problem: JsonProblem) -> JsonError {
        JsonError {
            at: self.at,
            problem,
        }
    }

    #[cold]
    fn unexpected(self, problem: JsonProblem) -> JsonError {
        self.error(if self.at >= self.text.len() {
            JsonProblem::EndsEarly
        } else {
            problem
        })
    }
}

/// Passes a member's key, and goes on by what it is: `match_key!(scanner, { "type" => …, …, other => … })`.
///
/// A key that stands there as `JSON.stringify` writes it is known as a whole, without a look for its end; so the keys
/// that come first in what LobeHub writes stand first. `other` is any other key; an arm may stand in the code twice.
macro_rules! match_key {
    ($scanner:ident, { $($known:literal => $then:expr,)* $other:ident => $else:expr $(,)? }) => {
        $(if $scanner.pass(concat!("\"", $known, "\":")) {
            $then
        } else)* {
            let $other = $scanner.key()?;
            match &*$other.decode() {
                $($known => $then,)*
                _ => $else,
            }
        }
    };
}

pub(crate) use match_key;

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
