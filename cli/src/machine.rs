//! `agw machine`: the pure machine on standard input and output. Its form is in `docs/machine.md`.

use std::io::{self, BufRead, Read, Write};

use agent_gateway_machine::recording::{Header, VERSION};
use agent_gateway_machine::{
    Config, DialId, Effect, Effects, Event, EventKind, FrameProblem, Outcome, State, Timestamp,
    transition,
};
use agent_gateway_protocol::{GatewayUrl, OperationId, ServerFrame, Token};
use serde::{Deserialize, Serialize};

use crate::arguments::MachineArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::input::MARK;
use crate::render::escaped;

/// Most bytes of a line, its end left out: what is longer is a bad line, and passed over.
const MOST_LINE: usize = 64 << 20;

/// The answer to one event.
#[derive(Serialize)]
struct Answer<'a> {
    effects: &'a Effects,
    /// The frames of the effects, in order, as text for the socket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wire: Vec<String>,
    phase: &'static str,
    status: &'static str,
    operation: Option<&'a OperationId>,
    outcome: Option<&'a Outcome>,
}

/// The answer to a line that is none.
#[derive(Serialize)]
struct Refused {
    error: String,
}

/// Answers each line until there is none.
///
/// # Errors
/// The gateway's URL or the config cannot be used, or the input or output fails.
pub(crate) fn run(
    arguments: &MachineArguments,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<ExitCode, Error> {
    let gateway = arguments
        .gateway
        .as_deref()
        .map(GatewayUrl::parse)
        .transpose()
        .map_err(|error| Error::Url {
            origin: "--gateway",
            error,
        })?;
    let mut state = State::new(Config::new(gateway), arguments.seed)?;
    let mut bytes = Vec::new();
    for index in 0.. {
        let fits = match next_line(&mut input, &mut bytes).map_err(Error::Input)? {
            Some(fits) => fits,
            None => break,
        };
        // What is not UTF-8 is a bad line like any other: serde_json says where.
        let mut line = bytes.trim_ascii_end();
        if index == 0 {
            line = line.strip_prefix(MARK).unwrap_or(line);
        }
        if fits && line.is_empty() {
            continue;
        }
        let read = if fits {
            read(line, index == 0)
        } else {
            let most = MOST_LINE >> 20;
            Err(format!(
                "column {}: a line has at most {most} MiB",
                MOST_LINE + 1
            ))
        };
        let answer = match read {
            Ok(Line::Event(event)) => {
                let (next, effects) = transition(state, *event);
                state = next;
                json(&Answer {
                    effects: &effects,
                    wire: wire(&effects),
                    phase: state.phase(),
                    status: state.status().as_str(),
                    operation: state.operation(),
                    outcome: state.outcome(),
                })
            }
            Ok(Line::Header(header)) => match State::new(header.config, header.seed) {
                Ok(set_up) => {
                    state = set_up;
                    continue;
                }
                Err(error) => refused(index, &error.to_string()),
            },
            Err(error) => refused(index, &error),
        };
        writeln!(output, "{answer}").map_err(Error::Output)?;
        output.flush().map_err(Error::Output)?;
    }
    Ok(ExitCode::Completed)
}

/// Reads a line; whether it fits, and `None` at the end. One that does not is passed over.
fn next_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<Option<bool>> {
    bytes.clear();
    let most = MOST_LINE as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', bytes)? == 0 {
        return Ok(None);
    }
    let fits = bytes.len() <= MOST_LINE || bytes.ends_with(b"\n");
    if !fits {
        *bytes = Vec::new();
        input.skip_until(b'\n')?;
    }
    Ok(Some(fits))
}

enum Line {
    Header(Box<Header>),
    Event(Box<Event>),
}

/// A frame as it came from the socket, for hosts that do not read frames themselves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameText {
    at: Timestamp,
    frame_text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    dial: DialId,
    text: String,
}

impl From<FrameText> for Event {
    fn from(FrameText { at, frame_text }: FrameText) -> Self {
        let Text { dial, text } = frame_text;
        let kind = match ServerFrame::decode(&text) {
            Ok(frame) => EventKind::FrameReceived { dial, frame },
            Err(_) => EventKind::FrameRejected {
                dial,
                problem: FrameProblem::Malformed,
            },
        };
        Self::new(at, kind)
    }
}

/// A step of a recording. What was answered then is not looked at here: `agw replay` compares.
#[derive(Deserialize)]
struct Recorded {
    event: Event,
}

/// Where a frame carries a token, its name stands: whoever sends it fills in the text.
fn wire(effects: &Effects) -> Vec<String> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::SendFrame { frame, .. } => Some(frame.clone()),
        _ => None,
    });
    frames
        .map(|frame| frame.with_token(|id| Token::new(id.to_string())).encode())
        .collect()
}

fn read(line: &[u8], first: bool) -> Result<Line, String> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|error| shown(&error))?;
    if value.get("event").is_some() {
        return serde_json::from_slice(line)
            .map(|Recorded { event }| Line::Event(Box::new(event)))
            .map_err(|error| shown(&error));
    }
    if value.get("frame_text").is_some() {
        return serde_json::from_slice(line)
            .map(|frame: FrameText| Line::Event(Box::new(frame.into())))
            .map_err(|error| shown(&error));
    }
    if !first || value.get("version").is_none() {
        return serde_json::from_slice(line)
            .map(|event| Line::Event(Box::new(event)))
            .map_err(|error| shown(&error));
    }
    if value["version"] != VERSION {
        return Err(format!(
            "the header has version {}; this program reads version {VERSION}",
            value["version"]
        ));
    }
    serde_json::from_slice(line)
        .map(|header| Line::Header(Box::new(header)))
        .map_err(|error| shown(&error))
}

/// serde_json says the place at the end, and its line is always the first: ours stands in front.
fn shown(error: &serde_json::Error) -> String {
    let what = error.to_string();
    let what = what
        .rsplit_once(" at line ")
        .map_or(&*what, |(what, _)| what);
    format!("column {}: {what}", error.column())
}

fn refused(index: usize, why: &str) -> String {
    json(&Refused {
        error: format!("line {}, {why}", index + 1),
    })
}

fn json(value: &impl Serialize) -> String {
    // Every type written here has string keys only, so writing cannot fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    escaped(&json).into_owned()
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::recording::{self, step_line};

    use super::*;

    fn answers(lines: impl AsRef<[u8]>) -> Vec<serde_json::Value> {
        let arguments = MachineArguments {
            gateway: Some("http://127.0.0.1:8787".into()),
            seed: 7,
        };
        let mut output = Vec::new();
        run(&arguments, lines.as_ref(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
        answers.collect()
    }

    #[test]
    fn each_event_is_answered_with_effects_and_status() {
        let answers =
            answers("{\"at\":0,\"kind\":\"stop\"}\n\n{\"at\":1,\"kind\":\"alarm_rang\"}\n");
        assert_eq!(answers.len(), 2);
        assert!(answers[0]["effects"].is_array());
        assert_eq!(answers[0]["status"], "disconnected");
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_changes_nothing() {
        let stop = "{\"at\":0,\"kind\":\"stop\"}\n";
        let with = answers(format!("nonsense\n{{\"at\":\"x\"}}\n{stop}"));
        assert!(
            with[0]["error"]
                .as_str()
                .unwrap()
                .starts_with("line 1, column 2: ")
        );
        assert!(
            with[1]["error"]
                .as_str()
                .unwrap()
                .starts_with("line 2, column ")
        );
        assert_eq!(with[2], answers(stop)[0]);
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_a_bad_line() {
        let answers = answers(b"\"\xff\"\n{\"at\":0,\"kind\":\"stop\"}\n");
        let error = answers[0]["error"].as_str().unwrap();
        assert!(error.starts_with("line 1, column "), "{error}");
        assert!(answers[1]["effects"].is_array());
    }

    #[test]
    fn i13_a_line_without_end_is_a_bad_line_and_passed_over() {
        let stop: &[u8] = b"\n{\"at\":0,\"kind\":\"stop\"}\n";
        let arguments = MachineArguments {
            gateway: None,
            seed: 7,
        };
        let answers = |bytes: u64| {
            let mut output = Vec::new();
            let input = io::repeat(b' ').take(bytes).chain(stop);
            run(&arguments, io::BufReader::new(input), &mut output).unwrap();
            String::from_utf8(output).unwrap()
        };
        let alone = answers(0);
        assert_eq!(answers(64 << 20), alone);
        let refused = "{\"error\":\"line 1, column 67108865: a line has at most 64 MiB\"}\n";
        assert_eq!(answers((64 << 20) + 1), format!("{refused}{alone}"));
        assert_eq!(answers(200 << 20), format!("{refused}{alone}"));
    }

    #[test]
    fn a_recording_is_a_valid_input() {
        let header = Header::new(Config::new(None), 7);
        let stop = Event::new(Timestamp::ZERO, EventKind::Stop);
        let recording = recording::header_line(&header) + &step_line(&stop, &Effects::new());
        let answered = answers(recording);
        assert_eq!(answered.len(), 1);
        assert_eq!(answered[0]["effects"][0]["ignored"], "not_begun");
    }

    #[test]
    fn a_header_of_another_version_is_refused() {
        let answers = answers("{\"version\":99,\"config\":{},\"seed\":0}\n");
        assert!(answers[0]["error"].as_str().unwrap().contains("version 99"));
    }
}
