use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;

use super::{Header, Recording, RecordingError, Step, VERSION};

impl Recording {
    /// Reads the text form.
    ///
    /// A program that is killed may leave half a line behind. A last line that breaks off before its newline is left out,
    /// and its number, counted from 1, is given beside what was read.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<(Self, Option<usize>), RecordingError> {
        let text = text.as_ref();
        let end = text.iter().position(|byte| *byte == b'\n');
        let (first, rest) = text.split_at(end.map_or(text.len(), |end| end + 1));
        let header = read_header(first)?;
        let (steps, torn) = read_steps(rest, 2)?;
        Ok((Self { header, steps }, torn))
    }

    /// Reads steps without a header, as a trace has them; a torn last line is left out and given as above.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse_steps(
        text: impl AsRef<[u8]>,
    ) -> Result<(Vec<Step>, Option<usize>), RecordingError> {
        read_steps(text.as_ref(), 1)
    }
}

/// Reads a step a line, the first of which has this number.
fn read_steps(text: &[u8], first: usize) -> Result<(Vec<Step>, Option<usize>), RecordingError> {
    let mut steps = Vec::new();
    for (number, line) in (first..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        match serde_json::from_slice::<Step>(line.trim_ascii_end()) {
            Ok(step) => steps.push(step),
            Err(error) if is_torn(line, &error) => return Ok((steps, Some(number))),
            Err(error) => {
                return Err(RecordingError::Step {
                    line: number,
                    column: error.column().max(1),
                    why: what(&error),
                });
            }
        }
    }
    Ok((steps, None))
}

fn read_header(line: &[u8]) -> Result<Header, RecordingError> {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let line = line.trim_ascii_end();
    if line.is_empty() {
        return Err(RecordingError::Empty);
    }
    // A struct of serde could be a list as well.
    if line[0] != b'{' {
        return Err(RecordingError::NoHeader {
            column: 1,
            why: "expected an object".into(),
        });
    }
    let unreadable = |error: serde_json::Error| RecordingError::NoHeader {
        column: error.column().max(1),
        why: what(&error),
    };
    let Version { version: found } = serde_json::from_slice(line).map_err(unreadable)?;
    if found != u64::from(VERSION) {
        return Err(RecordingError::Version { found });
    }
    serde_json::from_slice(line).map_err(unreadable)
}

/// Whether the line is the beginning of one: it has no newline, and ends too early, or in the middle of a letter.
fn is_torn(line: &[u8], error: &serde_json::Error) -> bool {
    let is_cut = |line| core::str::from_utf8(line).is_err_and(|error| error.error_len().is_none());
    !line.ends_with(b"\n") && (error.is_eof() || is_cut(line))
}

/// serde_json says the place at the end of its sentence; a line is read by itself, so its line is always the first.
fn what(error: &serde_json::Error) -> Box<str> {
    let what = error.to_string();
    let what = what
        .rsplit_once(" at line ")
        .map_or(&*what, |(what, _)| what);
    what.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::event::{Event, EventKind};
    use crate::recording::Difference;
    use crate::state::State;
    use crate::time::Timestamp;
    use crate::transition::transition;
    use alloc::string::String;
    use alloc::vec;

    fn recording() -> Recording {
        let config = Config::new(None);
        let mut state = State::new(config.clone(), 7).unwrap();
        let mut steps = Vec::new();
        for (at, kind) in [
            (0, EventKind::Stop),
            (5, EventKind::Detach),
            (9, EventKind::AlarmRang),
        ] {
            let event = Event::new(Timestamp::from_millis(at), kind);
            let (next, effects) = transition(state, event.clone());
            state = next;
            steps.push(Step { event, effects });
        }
        let header = Header::new(config, 7);
        Recording { header, steps }
    }

    fn refusal(text: impl AsRef<[u8]>) -> ((usize, usize), String) {
        let error = Recording::parse(text).unwrap_err();
        (error.place(), error.to_string())
    }

    #[test]
    fn i15_a_recording_survives_its_text_and_replays_to_the_same_effects() {
        let recording = recording();
        let read = Recording::parse(recording.to_text()).unwrap();
        assert_eq!(read, (recording.clone(), None));
        assert_eq!(recording.first_difference(), Ok(None));
    }

    #[test]
    fn another_answer_than_the_recorded_one_is_found_with_its_line() {
        let mut changed = recording();
        let effects = core::mem::take(&mut changed.steps[1].effects);
        let difference = Difference { index: 1, effects };
        assert_eq!(difference.line(), 3);
        assert_eq!(changed.first_difference(), Ok(Some(difference)));
    }

    #[test]
    fn a_last_line_torn_at_any_byte_is_left_out_and_told() {
        let whole = recording();
        let mut text = whole.to_text();
        // A letter of several bytes, so that some cut goes through it.
        text = text.replace(
            "\"stop\"",
            "{\"answer_input\":{\"request\":\"r\",\"content\":\"hé\"}}",
        );
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (number, line) in lines.iter().enumerate().skip(1) {
            let before: usize = lines[..number].iter().map(|line| line.len()).sum();
            let first_cut = before + 1;
            let last_cut = before + line.len() - 2;
            for cut in first_cut..=last_cut {
                let (read, torn) = Recording::parse(&text.as_bytes()[..cut]).unwrap();
                assert_eq!(torn, Some(number + 1), "cut at {cut}");
                assert_eq!(read.steps.len(), number - 1);
            }
            let (read, torn) = Recording::parse(&text.as_bytes()[..=last_cut]).unwrap();
            assert_eq!(
                (read.steps.len(), torn),
                (number, None),
                "only its newline is missing"
            );
        }
    }

    #[test]
    fn every_other_bad_line_is_refused_with_its_place() {
        let text = recording().to_text();
        let with_line = |line: &str| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.insert(2, line);
            refusal(lines.join("\n"))
        };
        assert_eq!(with_line("oops").0, (3, 1));
        assert_eq!(with_line("").0, (3, 1));
        let (place, why) = with_line(r#"{"event":{"at":-1,"kind":"stop"},"effects":[]}"#);
        assert_eq!(place, (3, 17));
        assert!(why.contains("`-1`"), "{why}");
        let (place, why) = with_line(r#"{"at":0,"kind":"stop"}"#);
        assert_eq!(place.0, 3);
        assert!(why.contains("missing field `event`"), "{why}");
        assert_eq!(
            with_line("{\"event\":").0.0,
            3,
            "torn, but not the last line"
        );
    }

    #[test]
    fn what_is_no_recording_of_this_version_is_refused() {
        assert_eq!(Recording::parse("").unwrap_err(), RecordingError::Empty);
        assert_eq!(Recording::parse("\n").unwrap_err(), RecordingError::Empty);
        assert_eq!(
            Recording::parse("{\"version\":4,\"new\":true}\n").unwrap_err(),
            RecordingError::Version { found: 4 }
        );
        for text in ["hello", "{\n", "[1]", "{\"event\":{}}", "{\"version\":3}"] {
            let (place, why) = refusal(text);
            assert_eq!(place.0, 1);
            assert!(why.starts_with("this is no recording"), "{why}");
        }
        assert_eq!(
            Recording::parse(vec![0xff, b'\n']).unwrap_err().place(),
            (1, 1)
        );
        let empty = Recording {
            steps: Vec::new(),
            ..recording()
        };
        assert_eq!(Recording::parse(empty.to_text()), Ok((empty, None)));
    }
}
