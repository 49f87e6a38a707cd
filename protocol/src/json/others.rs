use alloc::vec::Vec;

use super::{FromJson, JsonSlice, Object, RawText};

/// The members of an object that found no typed place.
#[derive(Default)]
pub(crate) struct Others<'a> {
    found: Vec<(RawText<'a>, JsonSlice<'a>)>,
}

impl<'a> Others<'a> {
    /// Notes a member. Past the most that an [`Object`] holds only the fact is noted.
    pub(crate) fn push(&mut self, key: RawText<'a>, value: JsonSlice<'a>) {
        if self.found.len() <= Object::MOST_MEMBERS {
            self.found.push((key, value));
        }
    }

    /// Reads a member that has a typed place; if it does not fit there, it is one of the others.
    pub(crate) fn read_or_push<T: FromJson>(
        &mut self,
        name: &'static str,
        value: Option<JsonSlice<'a>>,
    ) -> Option<T> {
        let value = value?;
        let typed = if value.is_null() { None } else { value.read() };
        if typed.is_none() {
            self.push(RawText::plain(name), value);
        }
        typed
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The members as an object; `None` if there are too many.
    pub(crate) fn keep(&self) -> Option<Object> {
        Object::keep(&self.found)
    }
}
