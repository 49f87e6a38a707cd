use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{FromJson, JsonSlice, ObjectWriter, Others, RawJson, RawText, ToJson};

/// The members of one JSON object: keys in order of arrival, each value raw, each key once (the last one said wins).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object {
    members: Vec<(Box<str>, RawJson)>,
}

impl Object {
    /// Most members an object is split into. A larger one stays raw text wherever it appears, so that a hostile one
    /// cannot be blown up in memory.
    pub const MOST_MEMBERS: usize = 4_096;

    /// An object without members.
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
        }
    }

    /// Splits an object into its members; `None` if the value is no object, or has more than
    /// [`MOST_MEMBERS`](Self::MOST_MEMBERS).
    pub fn parse(json: &RawJson) -> Option<Self> {
        json.read()
    }

    /// The value of that key.
    pub fn get(&self, key: &str) -> Option<&RawJson> {
        self.members
            .iter()
            .find(|(known, _)| **known == *key)
            .map(|(_, value)| value)
    }

    /// The value of that key, read as `T`, which is then removed. A value that is null or has another shape stays.
    pub fn take<T: FromJson>(&mut self, key: &str) -> Option<T> {
        let at = self.members.iter().position(|(known, _)| **known == *key)?;
        let (_, value) = self.members.get(at)?;
        if value.is_null() {
            return None;
        }
        let value = value.read()?;
        self.members.remove(at);
        Some(value)
    }

    /// Removes a member and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<RawJson> {
        let at = self.members.iter().position(|(known, _)| **known == *key)?;
        Some(self.members.remove(at).1)
    }

    /// Sets a member; gives the value it had.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: RawJson) -> Option<RawJson> {
        let key = key.into();
        match self.members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => Some(core::mem::replace(known, value)),
            None => {
                self.members.push((key, value));
                None
            }
        }
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.members.iter().map(|(key, value)| (&**key, value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes of text held.
    pub fn size(&self) -> usize {
        self.members
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum()
    }

    /// Keeps each name once, with its last value; `None` if there are too many.
    pub(crate) fn keep(found: &[(RawText<'_>, JsonSlice<'_>)]) -> Option<Self> {
        if found.len() > Self::MOST_MEMBERS {
            return None;
        }
        if found.is_empty() {
            return Some(Self::new());
        }
        let mut last = BTreeMap::new();
        for (index, (key, _)) in found.iter().enumerate() {
            last.insert(key.decode(), index);
        }
        let members = found
            .iter()
            .enumerate()
            .filter_map(|(index, (key, value))| {
                let key = key.decode();
                (last.get(&key) == Some(&index)).then(|| (key.into(), value.to_raw()))
            })
            .collect();
        Some(Self { members })
    }

    pub(crate) fn write_members(&self, writer: &mut ObjectWriter<'_>) {
        for (key, value) in &self.members {
            writer.member(key, value);
        }
    }
}

impl FromJson for Object {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        let mut others = Others::default();
        json.members(|key, value| others.push(key, value))?;
        others.keep()
    }
}

impl ToJson for Object {
    fn write_json(&self, out: &mut String) {
        let mut writer = ObjectWriter::new(out);
        self.write_members(&mut writer);
        writer.finish();
    }
}

impl<K: Into<Box<str>>> FromIterator<(K, RawJson)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, RawJson)>>(members: I) -> Self {
        let mut object = Self::new();
        for (key, value) in members {
            object.insert(key, value);
        }
        object
    }
}
