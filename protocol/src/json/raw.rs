use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};

use super::{FromJson, JsonError, JsonSlice, Scanner, ToJson, slice::Marks};

/// One valid JSON value, kept as its text.
///
/// Equality is of bytes. Raw line breaks between tokens become spaces when it is made, so that a value always fits in
/// one line of a recording. Clones share the text. Its own serde form is a plain string holding the text, which
/// survives every format and every enum; on the wire it is embedded as the value it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawJson(Arc<str>);

impl RawJson {
    /// Checks that the whole text is one JSON value, as leniently as `JSON.parse` does.
    ///
    /// # Errors
    /// Where and why the text is not JSON.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, JsonError> {
        let text = text.into();
        let mut scanner = Scanner::new(&text);
        let slice = scanner.value()?;
        scanner.end()?;
        if slice.as_str().len() == text.len() && !slice.has_breaks() {
            return Ok(Self(text));
        }
        Ok(slice.to_raw())
    }

    /// The value `null`.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// Writes a value with serde.
    ///
    /// # Errors
    /// What `serde_json` says, such as a map whose keys are no strings.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self::without_breaks(&text))
    }

    /// The text of a string value.
    pub fn from_text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        super::write_string(text, &mut out);
        Self(out.into())
    }

    /// The value's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The length of the text in bytes. There is no empty value: it is at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// The value borrowed, to be read by the lenient rules of [`FromJson`].
    pub fn as_slice(&self) -> JsonSlice<'_> {
        JsonSlice::proven(&self.0, Marks::ESCAPED)
    }

    /// Reads the value leniently, as JavaScript would; `None` if it is something else.
    pub fn read<T: FromJson>(&self) -> Option<T> {
        self.as_slice().read()
    }

    /// Reads the value with serde, by `serde_json`'s stricter rules (nesting of 128, no lone surrogates).
    ///
    /// # Errors
    /// What `serde_json` says.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    pub(super) fn proven(text: &str, breaks: bool) -> Self {
        if breaks {
            Self::without_breaks(text)
        } else {
            Self(text.into())
        }
    }

    /// Takes text that a [`ToJson`] just wrote: it writes no line breaks but those of values that have none.
    pub(super) fn written(text: &str) -> Self {
        Self(text.into())
    }

    /// Inside a string a line break is always escaped: a raw one is whitespace between tokens.
    fn without_breaks(text: &str) -> Self {
        Self(text.replace(['\n', '\r'], " ").into())
    }
}

impl fmt::Debug for RawJson {
    /// The text, shortened past 200 bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        if self.0.len() <= SHOWN {
            return f.write_str(&self.0);
        }
        let shown = self
            .0
            .get(..self.0.floor_char_boundary(SHOWN))
            .unwrap_or_default();
        write!(f, "{shown}… ({} bytes)", self.0.len())
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Box::<str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl FromJson for RawJson {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        Some(json.to_raw())
    }
}

impl ToJson for RawJson {
    fn write_json(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}
