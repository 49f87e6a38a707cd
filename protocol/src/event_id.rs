use alloc::{boxed::Box, string::String};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::json::{FromJson, JsonSlice, ToJson, write_string};

/// The place of a frame in its operation's sequence: `"1"`, `"2"`, … from every gateway known, but any text is kept.
///
/// Its text form is exact: what was read is what is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// A canonical decimal number: no sign, no leading zeros.
    Number(u64),
    /// Anything else.
    Text(Box<str>),
}

impl EventId {
    /// The longest id that a frame has, bytes: what has a longer one has none. Every event handed on carries an id, so a
    /// gateway could make much of little with a long one.
    pub const LONGEST: usize = 256;

    /// Reads an id; every text is one.
    pub fn parse(text: &str) -> Self {
        match canonical(text) {
            Some(number) => Self::Number(number),
            None => Self::Text(text.into()),
        }
    }

    /// The number, where it is one.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    /// Bytes of text held.
    pub fn size(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Text(text) => text.len(),
        }
    }
}

impl From<u64> for EventId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = EventId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event id")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EventId, E> {
                Ok(EventId::parse(text))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<EventId, E> {
                Ok(EventId::Number(number))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl FromJson for EventId {
    /// A string, or a number as some old gateways send. The empty string is no id: it is how "none" is written. Nor is
    /// one of more than [`EventId::LONGEST`] bytes.
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        // As it is written: a string's escapes only make it longer, by its quotes and up to sixfold.
        if json.as_str().len() > 6 * Self::LONGEST + 2 {
            return None;
        }
        if let Some(text) = json.string() {
            let text = text.decode();
            let is_id = (1..=Self::LONGEST).contains(&text.len());
            return is_id.then(|| Self::parse(&text));
        }
        if let Some(number) = json.read() {
            return Some(Self::Number(number));
        }
        let is_id = json.as_str().len() <= Self::LONGEST
            && json
                .as_str()
                .starts_with(|first: char| first == '-' || first.is_ascii_digit());
        is_id.then(|| Self::parse(json.as_str()))
    }
}

impl ToJson for EventId {
    fn write_json(&self, out: &mut String) {
        match self {
            Self::Number(number) => {
                out.push('"');
                number.write_json(out);
                out.push('"');
            }
            Self::Text(text) => write_string(text, out),
        }
    }
}

fn canonical(text: &str) -> Option<u64> {
    let canonical = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}
