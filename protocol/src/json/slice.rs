use super::{FromJson, RawJson, RawText, Scanner};

/// One valid JSON value, borrowed from the text it was found in. Only the scanner makes these, so holding one is proof
/// that its text is JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonSlice<'a> {
    text: &'a str,
    marks: Marks,
}

/// What the scanner noticed in a value. A word wide, as the rest of a slice, to be copied with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(usize);

impl Marks {
    pub(super) const NONE: Self = Self(0);
    /// There are raw line breaks between tokens, to be made spaces when the value is kept.
    pub(super) const BREAKS: Self = Self(1);
    /// The value may be a string with escapes.
    pub(super) const ESCAPED: Self = Self(2);
}

impl<'a> JsonSlice<'a> {
    pub(crate) const EMPTY_OBJECT: Self = Self {
        text: "{}",
        marks: Marks::NONE,
    };

    pub(super) fn proven(text: &'a str, marks: Marks) -> Self {
        Self { text, marks }
    }

    /// The text of the value, without whitespace around it.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// Keeps the value: its text is copied, raw line breaks between tokens become spaces.
    pub fn to_raw(self) -> RawJson {
        RawJson::proven(self.text, self.has_breaks())
    }

    /// Reads the value as `T`; `None` if it is something else.
    pub fn read<T: FromJson>(self) -> Option<T> {
        T::from_json(self)
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Whether the value is an object.
    pub fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    /// The value's text if it is a string, still escaped.
    #[inline]
    pub(crate) fn string(self) -> Option<RawText<'a>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(RawText::proven(inner, self.marks))
    }

    /// Whether there are raw line breaks between tokens.
    pub(super) fn has_breaks(self) -> bool {
        self.marks == Marks::BREAKS
    }

    /// Calls `each` for every member of the object, in order; `None` if the value is no object.
    pub(crate) fn members(self, mut each: impl FnMut(RawText<'a>, JsonSlice<'a>)) -> Option<()> {
        if !self.is_object() {
            return None;
        }
        let mut scanner = Scanner::new(self.text);
        let mut first = true;
        while scanner.member(&mut first).ok()? {
            let key = scanner.key().ok()?;
            let value = scanner.value().ok()?;
            each(key, value);
        }
        Some(())
    }

    /// The last member of that name, if the value is an object.
    pub(crate) fn member(self, name: &str) -> Option<JsonSlice<'a>> {
        let mut found = None;
        self.members(|key, value| {
            if key.decode() == name {
                found = Some(value);
            }
        })?;
        found
    }

    /// Calls `each` for every item of the array until it says `None`; `None` if it did, or if the value is no array.
    pub(crate) fn items(self, mut each: impl FnMut(JsonSlice<'a>) -> Option<()>) -> Option<()> {
        if !self.text.starts_with('[') {
            return None;
        }
        let mut scanner = Scanner::new(self.text);
        let mut first = true;
        while scanner.item(&mut first).ok()? {
            each(scanner.value().ok()?)?;
        }
        Some(())
    }
}
