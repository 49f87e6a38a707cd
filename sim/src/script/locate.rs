//! Finds a member of a JSON text by its path.

use serde::de::IgnoredAny;

/// The line and column, from 1, of the value at a path such as `gateway.steps[3].do` or `expect.effects["notify"]` in a
/// JSON text; of the last part of it that is there, if not all of it is.
#[must_use]
pub fn locate(text: &str, path: &str) -> (usize, usize) {
    let mut place = Place { text, at: 0 };
    place.skip_space();
    let mut rest = path;
    while let Some((part, after)) = first_part(rest) {
        rest = after;
        let found = match part {
            Part::Member(name) => place.member(name),
            Part::Item(index) => place.item(index),
        };
        match found {
            Some(found) => place.at = found,
            None => break,
        }
    }
    let before = &text[..place.at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|letter| *letter != '\n')
        .count()
        + 1;
    (line, column)
}

enum Part<'a> {
    Member(&'a str),
    Item(usize),
}

/// The first part of a path, and the rest; `None` at its end, or where it cannot be understood.
fn first_part(path: &str) -> Option<(Part<'_>, &str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if let Some(quoted) = path.strip_prefix("[\"") {
        let (name, rest) = quoted.split_once("\"]")?;
        return Some((Part::Member(name), rest));
    }
    if let Some(item) = path.strip_prefix('[') {
        let (index, rest) = item.split_once(']')?;
        return Some((Part::Item(index.parse().ok()?), rest));
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    (!name.is_empty()).then_some((Part::Member(name), rest))
}

/// A place in a text that is valid JSON.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    at: usize,
}

impl Place<'_> {
    /// Where the value of a member of the object here begins.
    fn member(mut self, name: &str) -> Option<usize> {
        self.enter('{')?;
        loop {
            let key = self.at;
            self.skip_value()?;
            let matches = self.text[key..self.at].trim_matches('"') == name;
            self.enter(':')?;
            if matches {
                return Some(self.at);
            }
            self.skip_value()?;
            self.enter(',')?;
        }
    }

    /// Where an item of the list here begins.
    fn item(mut self, index: usize) -> Option<usize> {
        self.enter('[')?;
        for _ in 0..index {
            self.skip_value()?;
            self.enter(',')?;
        }
        Some(self.at)
    }

    /// Passes this mark, and the space around it.
    fn enter(&mut self, mark: char) -> Option<()> {
        self.skip_space();
        if !self.text[self.at..].starts_with(mark) {
            return None;
        }
        self.at += mark.len_utf8();
        self.skip_space();
        Some(())
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut values =
            serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(())
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }
}

#[cfg(test)]
mod tests {
    use super::locate;

    #[test]
    fn a_path_leads_to_its_line() {
        let text = "{\n  \"a\": [1, {\"x\": 2}],\n  \"b\": [\n    {\"c\": \"}\"},\n    {\"c\": true}\n  ]\n}";
        assert_eq!(locate(text, "b[1].c"), (5, 11));
        assert_eq!(locate(text, "a[1]"), (2, 12));
        assert_eq!(locate(text, "b[1].missing"), (5, 5));
        assert_eq!(locate(text, "nothing"), (1, 1));
        let text = "{\"a\": {\n\"x.y\": 1,\n\"z\": [2]}}";
        assert_eq!(locate(text, "a[\"x.y\"]"), (2, 8));
        assert_eq!(locate(text, "a.z[0]"), (3, 7));
    }
}
