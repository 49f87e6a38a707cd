//! Recording a real run, so that it can be replayed through the pure machine with the same effects.

use std::fmt;
use std::io::Write;

use agent_gateway_machine::recording::{self, Header};
use agent_gateway_machine::{Effects, Event};

use crate::observer::Observer;

/// Writes one run as JSON lines: the recording that [`Recording::parse`](recording::Recording::parse) reads.
///
/// Each line is written as one piece, before its effects are performed. When writing fails, recording ends with a
/// warning and the run goes on.
pub struct Recorder<W> {
    target: Option<W>,
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.target.is_some();
        formatter
            .debug_struct("Recorder")
            .field("records", &records)
            .finish_non_exhaustive()
    }
}

impl<W: Write + Send> Recorder<W> {
    /// Records to `target`; give it a buffered one if the medium is slow.
    pub fn new(target: W) -> Self {
        Self {
            target: Some(target),
        }
    }

    fn write(&mut self, line: &str) {
        let Some(target) = &mut self.target else {
            return;
        };
        let written = target
            .write_all(line.as_bytes())
            .and_then(|()| target.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "recording_ended");
            self.target = None;
        }
    }
}

impl<W: Write + Send> Observer for Recorder<W> {
    fn began(&mut self, header: &Header) {
        self.write(&recording::header_line(header));
    }

    fn observed(&mut self, event: &Event, effects: &Effects) {
        self.write(&recording::step_line(event, effects));
    }
}
