use std::io::{self, Write};

use agent_gateway_machine::transcript::{Change, Edit, Tool, ToolChange, ToolStage, Transcript};
use agent_gateway_machine::{ConnectionStatus, Millis, Notification, Outcome, Receipt};
use agent_gateway_protocol::ToolCallId;
use anstyle::{AnsiColor, Style};

use super::plain::{plain, shortened};
use super::question;
use super::sentence::{sentence, span};
use crate::count::{count, grouped};
use crate::question::Question;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const TOOL: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const ODD: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Most characters of a tool's arguments and of its result that are shown.
const ARGUMENTS: usize = 80;
const RESULT: usize = 120;

/// A run as a person reads it, as it comes.
pub(crate) struct Human<W> {
    output: W,
    transcript: Transcript,
    place: Place,
    /// Steps in which the model said something.
    steps: u64,
    /// A step has begun and nothing of it has been shown.
    step_is_new: bool,
    reconnecting: bool,
    approves: Option<bool>,
}

/// What stands to the left of the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing: a line begins.
    LineStart,
    /// The model's text.
    Text,
    /// The model's thoughts.
    Reasoning,
    /// What a person is to answer, and what they have typed of it.
    Prompt,
}

impl<W: Write> Human<W> {
    pub(super) fn new(output: W, approves: Option<bool>) -> Self {
        Self {
            output,
            transcript: Transcript::default(),
            place: Place::LineStart,
            steps: 0,
            step_is_new: false,
            reconnecting: false,
            approves,
        }
    }

    pub(super) fn show(&mut self, notification: &Notification, elapsed: Millis) -> io::Result<()> {
        match notification {
            Notification::RunStarted(started) => {
                self.transcript = Transcript::new(started.operation.clone());
                self.note(DIM, &format!("run {}", started.operation))?;
            }
            Notification::EventReceived(received) => {
                for change in self.transcript.apply(&received.event) {
                    self.change(&change)?;
                }
            }
            Notification::StatusChanged(ConnectionStatus::Reconnecting) => self.reconnecting = true,
            Notification::StatusChanged(ConnectionStatus::Connected) if self.reconnecting => {
                self.reconnecting = false;
                self.note(DIM, "connected again")?;
            }
            Notification::GapFound { after, before } => {
                let until = before
                    .as_ref()
                    .map_or_else(|| "what follows".to_owned(), ToString::to_string);
                self.note(
                    ODD,
                    &format!("some events are missing between {after} and {until}"),
                )?;
            }
            Notification::StopAccepted => self.note(ODD, "the server is stopping the run")?,
            Notification::RunEnded { outcome, receipt } => {
                self.ended(outcome, receipt, elapsed)?;
            }
            other => {
                if let Some(sentence) = sentence(other, self.approves) {
                    self.note(ODD, &sentence)?;
                }
            }
        }
        self.output.flush()
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        match change {
            Change::StepBegan => {
                self.step_is_new = true;
                Ok(())
            }
            Change::Reasoning(edit) => self.passage(edit, Place::Reasoning),
            Change::Text(edit) => self.passage(edit, Place::Text),
            Change::AnswerDiscarded {
                attempt,
                max_attempts,
                delay,
            } => {
                let mut sentence = "the model failed and is asked again".to_owned();
                if let (Some(attempt), Some(most)) = (attempt, max_attempts) {
                    sentence += &format!(" (attempt {attempt} of {most})");
                }
                if let Some(delay) = delay {
                    sentence += &format!(" in {}", span(Millis(*delay)));
                }
                self.note(ODD, &(sentence + "; what this step said so far is void"))
            }
            Change::Image => self.note(DIM, "[a picture]"),
            Change::Tool { call, change } => self.tool(call, *change),
            Change::Title => {
                let title = self
                    .transcript
                    .title()
                    .map(|title| shortened(title, RESULT));
                title.map_or(Ok(()), |title| self.note(DIM, &format!("title: {title}")))
            }
            Change::Failed => {
                let failure = self.transcript.failures().last();
                let sentence =
                    failure.map(|failure| format!("✗ {} ({})", failure.text, failure.kind));
                sentence.map_or(Ok(()), |sentence| self.note(BAD, &sentence))
            }
            Change::EndVoided => self.note(ODD, "the run was started again"),
            Change::Grounding | Change::OutputEnded | Change::Usage | Change::Ended => Ok(()),
            // What may come to be told one day.
            _ => Ok(()),
        }
    }

    fn passage(&mut self, edit: &Edit, place: Place) -> io::Result<()> {
        self.step_header()?;
        let style = if place == Place::Reasoning {
            DIM
        } else {
            Style::new()
        };
        let text = match edit {
            Edit::Appended(text) => text,
            Edit::Replaced(text) => {
                self.note(DIM, "[revised]")?;
                text
            }
        };
        if self.place != place {
            self.line_start()?;
        }
        write!(self.output, "{style}{}{style:#}", plain(text))?;
        self.place = if text.ends_with('\n') {
            Place::LineStart
        } else {
            place
        };
        Ok(())
    }

    fn step_header(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.step_is_new) {
            return Ok(());
        }
        self.steps += 1;
        self.line_start()?;
        let step = self.transcript.steps().last();
        let label = step.and_then(|step| step.label.as_deref().or(step.model.as_deref()));
        let label = label.map_or_else(String::new, |label| format!(" · {}", shortened(label, 60)));
        writeln!(
            self.output,
            "{BOLD}── step {}{BOLD:#}{DIM}{label}{DIM:#}",
            self.steps
        )
    }

    fn tool(&mut self, call: &ToolCallId, change: ToolChange) -> io::Result<()> {
        let Some(tool) = self.transcript.tool(call) else {
            return Ok(());
        };
        let name = shortened(&tool.name(), ARGUMENTS);
        let line = match change {
            // Shown once it starts: until then its arguments are still being written.
            ToolChange::Asked | ToolChange::Dropped | ToolChange::State => return Ok(()),
            ToolChange::Started => format!(
                "{TOOL}⚙ {name}{TOOL:#} {DIM}{}{DIM:#}",
                shortened(&tool.arguments, ARGUMENTS)
            ),
            ToolChange::Waiting => format!(
                "{ODD}⏸ {name}{ODD:#} {DIM}{}{DIM:#} waits for a person",
                shortened(&tool.arguments, ARGUMENTS)
            ),
            ToolChange::Aborted => format!("  {ODD}⊘ {name}{ODD:#} was given up"),
            ToolChange::Settled => settled(&name, tool),
            ToolChange::Content => {
                let content = tool.content.as_deref().unwrap_or_default();
                format!("  {DIM}↳ {name}: {}{DIM:#}", shortened(content, RESULT))
            }
            // What may come to be told one day.
            _ => return Ok(()),
        };
        self.line_start()?;
        writeln!(self.output, "{line}")
    }

    fn ended(&mut self, outcome: &Outcome, receipt: &Receipt, elapsed: Millis) -> io::Result<()> {
        let style = match outcome {
            Outcome::Completed | Outcome::Detached => GOOD,
            Outcome::Interrupted | Outcome::Stopped | Outcome::Parked => ODD,
            _ => BAD,
        };
        let mut parts = vec![count(self.steps, "step")];
        if !self.transcript.tools().is_empty() {
            parts.push(count(self.transcript.tools().len() as u64, "tool call"));
        }
        let usage = self.transcript.usage();
        if !usage.is_empty() {
            parts.push(format!(
                "{} ({} in, {} out)",
                count(usage.total_tokens, "token"),
                grouped(usage.input_tokens),
                grouped(usage.output_tokens)
            ));
        }
        if let Some(cost) = usage.cost {
            parts.push(dollars(cost));
        }
        if receipt.reconnects > 0 {
            parts.push(count(receipt.reconnects, "reconnect"));
        }
        if receipt.gaps > 0 {
            parts.push(count(receipt.gaps, "gap"));
        }
        parts.push(span(elapsed));
        let name = outcome.name().replace('_', " ");
        self.line_start()?;
        writeln!(
            self.output,
            "{style}── {name}{style:#}{DIM} · {}{DIM:#}",
            parts.join(" · ")
        )
    }

    /// Asks the person at the terminal. The cursor stays where they type.
    pub(super) fn ask(&mut self, question: &Question) -> io::Result<()> {
        self.note(ODD, &question::text(question, &self.transcript))?;
        write!(self.output, "{BOLD}{}{BOLD:#} ", question::prompt(question))?;
        self.place = Place::Prompt;
        self.output.flush()
    }

    /// They have typed a line, and the terminal has shown it with its end.
    pub(super) fn typed(&mut self) {
        self.place = Place::LineStart;
    }

    /// Tells them why their answer was none, or what became of it.
    pub(super) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.note(ODD, text)?;
        self.output.flush()
    }

    /// One line of its own.
    fn note(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.line_start()?;
        writeln!(self.output, "{style}{}{style:#}", plain(text))
    }

    fn line_start(&mut self) -> io::Result<()> {
        if self.place != Place::LineStart {
            self.place = Place::LineStart;
            writeln!(self.output)?;
        }
        Ok(())
    }
}

fn settled(name: &str, tool: &Tool) -> String {
    let (style, mark, text) = match tool.stage {
        ToolStage::Failed => (BAD, '✗', tool.error.as_deref().or(tool.content.as_deref())),
        _ => (GOOD, '✓', tool.content.as_deref()),
    };
    let mut line = format!("  {style}{mark} {name}{style:#}");
    if let Some(time) = tool.execution_time {
        line += &format!(" {}", span(Millis(time)));
    }
    let text = shortened(text.unwrap_or_default(), RESULT);
    if !text.is_empty() {
        line += &format!(" {DIM}{text}{DIM:#}");
    }
    line
}

/// Billionths of a dollar, to the hundredth of a cent.
fn dollars(billionths: u64) -> String {
    let rounded = billionths.saturating_add(50_000) / 100_000;
    format!("${}.{:04}", rounded / 10_000, rounded % 10_000)
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::{Cursor, EventReceived, RunStarted};
    use agent_gateway_protocol::AgentEvent;

    use super::*;

    fn started() -> Notification {
        Notification::RunStarted(Box::new(RunStarted {
            operation: "op_1".into(),
            topic: None,
            thread: None,
            assistant_message: None,
            user_message: None,
        }))
    }

    fn event(kind: &str, data: &str) -> Notification {
        let json = format!(r#"{{"type":"{kind}","operationId":"op_1","data":{data}}}"#);
        Notification::EventReceived(EventReceived {
            cursor: Cursor::start(),
            replayed: false,
            own: true,
            event: AgentEvent::decode(&json).unwrap().into(),
        })
    }

    fn text(content: &str) -> Notification {
        event(
            "stream_chunk",
            &format!(r#"{{"chunkType":"text","content":"{content}"}}"#),
        )
    }

    fn ended(outcome: Outcome) -> Notification {
        Notification::RunEnded {
            outcome,
            receipt: Receipt::default().into(),
        }
    }

    fn shown(notifications: &[Notification]) -> String {
        let mut human = Human::new(anstream::StripStream::new(Vec::new()), None);
        for notification in notifications {
            human.show(notification, Millis(4_210)).unwrap();
        }
        String::from_utf8(human.output.into_inner()).unwrap()
    }

    #[test]
    fn a_run_reads_from_top_to_bottom() {
        let calling = r#"{"id":"c1","identifier":"lobe-local-system","apiName":"readFile","arguments":"{\"path\":\"notes.txt\"}"}"#;
        let shown = shown(&[
            started(),
            event("step_start", "{}"),
            event("stream_start", r#"{"model":"gpt-x"}"#),
            event(
                "stream_chunk",
                r#"{"chunkType":"reasoning","reasoning":"They want the notes."}"#,
            ),
            text("Let me "),
            text("read."),
            event(
                "stream_end",
                r#"{"finalContent":"Let me read.","usage":{"totalInputTokens":8,"totalOutputTokens":2,"totalTokens":10,"cost":0.0031}}"#,
            ),
            event("step_start", "{}"),
            event("tool_start", &format!(r#"{{"toolCalling":{calling}}}"#)),
            event(
                "tool_end",
                &format!(
                    r#"{{"isSuccess":true,"executionTime":12,"payload":{{"toolCalling":{calling}}},"result":{{"content":"Water\nthe plants"}}}}"#
                ),
            ),
            event("step_start", "{}"),
            text("Water the plants."),
            event("agent_runtime_end", r#"{"reason":"done"}"#),
            ended(Outcome::Completed),
        ]);
        let expected = r#"run op_1
── step 1 · gpt-x
They want the notes.
Let me read.
⚙ lobe-local-system/readFile {"path":"notes.txt"}
  ✓ lobe-local-system/readFile 12 ms Water the plants
── step 2
Water the plants.
── completed · 2 steps · 1 tool call · 10 tokens (8 in, 2 out) · $0.0031 · 4.2 s
"#;
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_out_of_the_ordinary_has_a_line_of_its_own() {
        let shown = shown(&[
            started(),
            text("half"),
            Notification::StatusChanged(ConnectionStatus::Reconnecting),
            Notification::ReconnectScheduled {
                cause: "closed with 1006".into(),
                retry_in: Millis(900),
            },
            Notification::StatusChanged(ConnectionStatus::Connected),
            Notification::GapFound {
                after: Cursor::start(),
                before: None,
            },
            event(
                "stream_retry",
                r#"{"attempt":2,"maxAttempts":3,"delayMs":1500}"#,
            ),
            text("again"),
            event("stream_end", r#"{"finalContent":"other"}"#),
            event("error", r#"{"message":"boom"}"#),
            ended(Outcome::EndedUnknown),
        ]);
        let expected = "run op_1
── step 1
half
connection lost (closed with 1006); trying again in 900 ms
connected again
some events are missing between start and what follows
the model failed and is asked again (attempt 2 of 3) in 1.5 s; what this step said so far is void
again
[revised]
other
✗ boom (AgentRuntimeError)
── ended unknown · 1 step · 4.2 s
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_model_cannot_send_escape_sequences() {
        let shown = shown(&[text("a\\u001b[2Jb")]);
        assert!(shown.contains("a\u{fffd}[2Jb"), "{shown}");
    }

    #[test]
    fn dollars_are_rounded_to_the_hundredth_of_a_cent() {
        assert_eq!(dollars(3_100_000), "$0.0031");
        assert_eq!(dollars(1_234_560_000), "$1.2346");
    }
}
