use alloc::{boxed::Box, string::String, vec::Vec};

use super::JsonSlice;

/// Reads a value from JSON as leniently as JavaScript clients do. It never fails loudly: what has another shape is
/// `None`, and whoever asked keeps the raw text.
pub trait FromJson: Sized {
    /// The value, or `None` if the JSON has another shape.
    fn from_json(json: JsonSlice<'_>) -> Option<Self>;
}

/// Longest list that is read into typed items. A longer one stays raw, so that a few bytes an item cannot be blown up
/// into hundreds.
const LONGEST_LIST: usize = 4_096;

impl FromJson for Box<str> {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        json.string().map(|text| text.decode().into())
    }
}

impl FromJson for String {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        json.string().map(|text| text.decode().into_owned())
    }
}

impl FromJson for bool {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        match json.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        let mut list = Vec::new();
        json.items(|item| {
            if list.len() == LONGEST_LIST {
                return None;
            }
            list.push(item.read()?);
            Some(())
        })?;
        Some(list)
    }
}

macro_rules! whole_numbers {
    ($($number:ident)*) => {$(
        impl FromJson for $number {
            /// A whole number however it is written: `3`, `3.0` and `3e0` are the same to JavaScript.
            fn from_json(json: JsonSlice<'_>) -> Option<Self> {
                let text = json.as_str();
                match digits(text) {
                    Some(number) => $number::try_from(number).ok(),
                    None => text.parse().ok().or_else(|| $number::try_from(whole(text)?).ok()),
                }
            }
        }
    )*};
}

whole_numbers! { u32 u64 i64 }

/// The number that `text` says if it is digits alone, and no more than always fit.
fn digits(text: &str) -> Option<u64> {
    if !(1..20).contains(&text.len()) {
        return None;
    }
    text.bytes().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

/// The whole number that `text` says as a float, within what a float says exactly.
fn whole(text: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    if !(-EXACT..=EXACT).contains(&number) {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "checked by casting back"
    )]
    let whole = number as i64;
    #[allow(
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "exact by the range above"
    )]
    (whole as f64 == number).then_some(whole)
}
