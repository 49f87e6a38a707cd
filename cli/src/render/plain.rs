use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

/// Text from elsewhere, made harmless for a terminal: no control character but newline and tab is let through, so that
/// neither a model nor a file it read can move the cursor, recolour the screen or set its title.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let harmful =
        |character: char| character.is_control() && character != '\n' && character != '\t';
    if text.contains(harmful) {
        text.replace(harmful, "\u{fffd}").into()
    } else {
        text.into()
    }
}

/// JSON lines, made harmless for a terminal: the same values, with the control characters escaped that JSON lets through.
/// They stand in strings only; a line break never does.
pub(crate) fn escaped(json: &str) -> Cow<'_, str> {
    let harmful = |character: char| character.is_control() && character != '\n';
    if !json.contains(harmful) {
        return json.into();
    }
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if harmful(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe.into()
}

/// Writes a value as one line of such JSON.
pub(crate) fn write_json(value: &impl Serialize, output: &mut impl Write) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(output, "{}", escaped(&json))
}

/// The text on one line of at most `width` characters: control characters made spaces, and what turns the direction of
/// writing made harmless, for it would show the rest of the line in another order than it has.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    for word in text.split(|character: char| character.is_control() || character == ' ') {
        if word.is_empty() {
            continue;
        }
        if length > 0 {
            short.push(' ');
            length += 1;
        }
        for character in word.chars() {
            if length >= width {
                short.push('…');
                return short;
            }
            short.push(if is_turning(character) {
                '\u{fffd}'
            } else {
                character
            });
            length += 1;
        }
    }
    short
}

/// Whether it turns the direction of writing for what follows.
fn is_turning(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(
            plain("a\u{1b}[31mb\u{9b}2J\r\n\tc"),
            "a\u{fffd}[31mb\u{fffd}2J\u{fffd}\n\tc"
        );
        assert!(matches!(plain("as it is ü ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_says_the_same_without_control_characters() {
        let text = "a\u{9b}2J\u{80}\u{9f}\u{7f}\u{1b}\nü";
        let json = serde_json::to_string(text).unwrap();
        assert!(json.contains('\u{9b}'), "JSON lets it through");
        let mut line = Vec::new();
        write_json(&text, &mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        let safe = line.strip_suffix('\n').unwrap();
        assert!(!safe.contains(char::is_control), "{safe:?}");
        assert_eq!(serde_json::from_str::<String>(safe).unwrap(), text);
        assert!(matches!(escaped(r#"{"a":"ü ✓"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shortened("one\n two\u{1b}three", 80), "one two three");
        assert_eq!(shortened("a\u{202e}b\u{2066}", 9), "a\u{fffd}b\u{fffd}");
        assert_eq!(shortened("üüüü", 3), "üüü…");
        assert_eq!(shortened("abc", 3), "abc");
    }
}
