use std::borrow::Cow;

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
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shortened("one\n two\u{1b}three", 80), "one two three");
        assert_eq!(shortened("a\u{202e}b\u{2066}", 9), "a\u{fffd}b\u{fffd}");
        assert_eq!(shortened("üüüü", 3), "üüü…");
        assert_eq!(shortened("abc", 3), "abc");
    }
}
