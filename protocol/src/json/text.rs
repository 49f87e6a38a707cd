use alloc::{borrow::Cow, string::String};
use core::fmt::Write;

use super::{slice::Marks, specials::Specials};

/// What stands between the quotes of a JSON string, still escaped and known to be well formed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawText<'a> {
    inner: &'a str,
    /// Whether it may hold escapes.
    marks: Marks,
}

impl<'a> RawText<'a> {
    pub(super) fn proven(inner: &'a str, marks: Marks) -> Self {
        Self { inner, marks }
    }

    /// A text without escapes, of our own.
    pub(crate) fn plain(text: &'a str) -> Self {
        Self {
            inner: text,
            marks: Marks::NONE,
        }
    }

    #[inline]
    pub(super) fn marks(self) -> Marks {
        self.marks
    }

    /// The text meant. A lone surrogate, which JavaScript lets pass and UTF-8 cannot hold, becomes U+FFFD.
    #[inline]
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.marks == Marks::ESCAPED && self.inner.contains('\\') {
            Cow::Owned(unescape(self.inner))
        } else {
            Cow::Borrowed(self.inner)
        }
    }
}

/// Writes `text` as a JSON string, escaped as `JSON.stringify` does.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut specials = Specials::new();
    let mut from = 0;
    loop {
        let at = specials.next(text.as_bytes(), from);
        out.push_str(text.get(from..at).unwrap_or_default());
        match text.as_bytes().get(at) {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            Some(8) => out.push_str("\\b"),
            Some(12) => out.push_str("\\f"),
            Some(control) => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
            None => break,
        }
        from = at + 1;
    }
    out.push('"');
}

fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, from)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = from.chars();
        match after.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (meant, length) = code_point(from);
                text.push(meant);
                rest = from.get(length..).unwrap_or_default();
                continue;
            }
            Some(literal) => text.push(literal),
            None => {}
        }
        rest = after.as_str();
    }
    text.push_str(rest);
    text
}

/// The character meant by `uXXXX` or `uXXXX\uXXXX` at the start of `from`, and how many bytes say so.
fn code_point(from: &str) -> (char, usize) {
    let Some(unit) = unit(from) else {
        return (char::REPLACEMENT_CHARACTER, 1);
    };
    if let Some(meant) = char::from_u32(unit) {
        return (meant, 5);
    }
    let low = from
        .get(5..)
        .and_then(|next| next.strip_prefix('\\'))
        .and_then(self::unit);
    match (unit, low) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
            let meant = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            (
                char::from_u32(meant).unwrap_or(char::REPLACEMENT_CHARACTER),
                11,
            )
        }
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}

/// The UTF-16 unit written as `uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok()
}
