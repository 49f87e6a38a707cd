use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt::Write;

use super::{RawJson, write_string};

/// Writes a value as wire JSON.
pub trait ToJson {
    /// Appends the value's JSON to `out`.
    fn write_json(&self, out: &mut String);

    /// The value's JSON as a raw value.
    fn to_raw_json(&self) -> RawJson {
        self.to_raw_json_through(&mut String::with_capacity(64))
    }

    /// The same, written through a string that is used again and again.
    fn to_raw_json_through(&self, scratch: &mut String) -> RawJson {
        scratch.clear();
        self.write_json(scratch);
        RawJson::written(scratch)
    }
}

/// Writes one object, member by member.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Writes one member.
    pub(crate) fn member<T: ToJson + ?Sized>(&mut self, key: &str, value: &T) {
        value.write_json(self.key(key));
    }

    /// Writes one member, or nothing.
    pub(crate) fn optional<T: ToJson>(&mut self, key: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.member(key, value);
        }
    }

    /// Writes a key; the caller writes its value.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        write_string(key, self.out);
        self.out.push(':');
        self.out
    }

    pub(crate) fn finish(self) {
        self.out.push('}');
    }
}

impl ToJson for str {
    fn write_json(&self, out: &mut String) {
        write_string(self, out);
    }
}

impl ToJson for Box<str> {
    fn write_json(&self, out: &mut String) {
        write_string(self, out);
    }
}

impl ToJson for String {
    fn write_json(&self, out: &mut String) {
        write_string(self, out);
    }
}

impl ToJson for bool {
    fn write_json(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl<T: ToJson> ToJson for Option<T> {
    /// The value, or `null`.
    fn write_json(&self, out: &mut String) {
        match self {
            Some(value) => value.write_json(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write_json(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write_json(out);
        }
        out.push(']');
    }
}

macro_rules! whole_numbers {
    ($($number:ident)*) => {$(
        impl ToJson for $number {
            fn write_json(&self, out: &mut String) {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "{self}");
            }
        }
    )*};
}

whole_numbers! { u16 u32 u64 i32 i64 }
