//! JSON as text: one raw value, one object of raw members, and the scanner that reads both.
//!
//! What the scanner accepts is what JavaScript's `JSON.parse` accepts, because that is what the other clients of this
//! wire deliver: lone surrogates, numbers beyond any float, any nesting depth, duplicate keys (the last wins). It walks
//! without recursion, so a hostile depth costs one bit a level and never the stack.

mod error;
mod from_json;
mod object;
mod others;
mod raw;
mod scanner;
mod slice;
mod specials;
mod text;
mod to_json;

pub use error::{JsonError, JsonProblem};
pub use from_json::FromJson;
pub use object::Object;
pub use raw::RawJson;
pub use slice::JsonSlice;
pub use to_json::ToJson;

pub(crate) use others::Others;
pub(crate) use scanner::{Scanner, match_key};
pub(crate) use text::{RawText, write_string};
pub(crate) use to_json::ObjectWriter;
