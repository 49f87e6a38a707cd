use std::io::{self, Write};

use super::plain::escaped;

/// One line of `--json`: an object whose first member is its `kind`.
pub(super) struct Line(String);

impl Line {
    pub(super) fn new(kind: &str) -> Self {
        let mut line = Self("{".into());
        line.write("kind", &quoted(kind));
        line
    }

    pub(super) fn text(mut self, key: &str, text: &str) -> Self {
        self.write(key, &quoted(text));
        self
    }

    /// `null` where there is no text.
    pub(super) fn optional_text(mut self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.write(key, &quoted(text)),
            None => self.write(key, "null"),
        }
        self
    }

    pub(super) fn number(mut self, key: &str, number: u64) -> Self {
        self.write(key, &number.to_string());
        self
    }

    pub(super) fn flag(mut self, key: &str, flag: bool) -> Self {
        self.write(key, if flag { "true" } else { "false" });
        self
    }

    /// `json` is one JSON value without line breaks.
    pub(super) fn json(mut self, key: &str, json: &str) -> Self {
        self.write(key, json);
        self
    }

    pub(super) fn write_to(mut self, output: &mut impl Write) -> io::Result<()> {
        self.0.push('}');
        writeln!(output, "{}", escaped(&self.0))?;
        output.flush()
    }

    fn write(&mut self, key: &str, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
