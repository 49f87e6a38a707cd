//! Secrets in JSON, however its texts are written.

use std::borrow::Cow;

use agent_gateway_protocol::{Object, RawJson};

use super::redacted;

/// The JSON without its secrets, if it has any; null if what is left is none. Looked at is what its texts say: a letter may be
/// written as itself, or as `\u0065`.
pub(super) fn redacted_json(json: &RawJson, redact: impl Fn(&mut Box<str>)) -> Option<RawJson> {
    let clean = redacted(&plain(json.as_str()), redact)?;
    Some(RawJson::parse(clean).unwrap_or_else(|_| RawJson::null()))
}

/// The members without their secrets, if they have any.
pub(super) fn redacted_members(members: &Object, redact: impl Fn(&mut Box<str>)) -> Option<Object> {
    let mut clean = Object::new();
    let mut found = false;
    for (key, value) in members.iter() {
        let clean_key = redacted(&key, &redact);
        let clean_value = redacted_json(value, &redact);
        found |= clean_key.is_some() || clean_value.is_some();
        clean.insert(
            clean_key.unwrap_or_else(|| key.into()),
            clean_value.unwrap_or_else(|| value.clone()),
        );
    }
    found.then_some(clean)
}

/// The same JSON, with each letter that need not be escaped as itself.
fn plain(json: &str) -> Cow<'_, str> {
    if !json.contains(r"\u") && !json.contains(r"\/") {
        return Cow::Borrowed(json);
    }
    let mut plain = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) = match rest.as_bytes().get(1) {
            Some(b'/') => (Some('/'), 2),
            Some(b'u') => (rest.get(2..6).and_then(unescaped), 6),
            _ => (None, 2),
        };
        let length = if letter.is_some() { length } else { 2 };
        match letter {
            Some(letter) => plain.push(letter),
            None => plain.push_str(rest.get(..length).unwrap_or(rest)),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The letter of these four digits, if it may stand in a text as itself, and in a token.
fn unescaped(digits: &str) -> Option<char> {
    let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    let is_plain = letter.is_ascii_graphic() && !matches!(letter, '"' | '\\');
    is_plain.then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i17_a_secret_is_found_however_its_letters_are_written() {
        let redact = |text: &mut Box<str>| super::super::redact(text, ["eyJhbGciOi/x"].into_iter());
        for (said, shown) in [
            (r#"{"a":"eyJhbGciOi/x"}"#, Some(r#"{"a":"***"}"#)),
            (r#"{"a":"\u0065yJhbGciOi\/x"}"#, Some(r#"{"a":"***"}"#)),
            (
                r#"["é\n\u0065yJ\u0068bGciOi!\""]"#,
                Some(r#"["é\n***!\""]"#),
            ),
            (r#"["\\u0065yJhbGciOi"]"#, None),
            (r#"["\u0022\u005c\u00e9 is none"]"#, None),
        ] {
            let clean = redacted_json(&RawJson::parse(said).unwrap(), redact);
            assert_eq!(clean.as_ref().map(RawJson::as_str), shown, "{said}");
        }
        for broken in ["\\", "\\u", "\\u00", "\\u00é1", "é\\"] {
            plain(broken);
        }
    }

    /// What is decoded is what was written.
    #[test]
    fn i17_nothing_else_is_changed() {
        let said = r#"{"a":"\u0041\u00e9\u0001\/\\u0041\"\t"}"#;
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&plain(said)), read(said));
    }
}
