use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Lines typed at a terminal. A thread of its own waits for each, for a terminal cannot be read without blocking; the
/// program does not wait for that thread when it leaves.
///
/// Nothing is read that is not wanted: it is meant for whoever reads the terminal after us.
pub(super) struct Keyboard {
    wanted: Sender<()>,
    lines: UnboundedReceiver<Typed>,
    /// A line is wanted and has not come.
    is_reading: bool,
}

/// What came instead of a line, or the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Without its end.
    Line(String),
    /// It is not UTF-8.
    Unreadable,
    /// Ctrl-D, or the terminal is gone.
    End,
}

impl Keyboard {
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn new(input: impl BufRead + Send + 'static) -> io::Result<Self> {
        let (wanted, requests) = channel();
        let (typed, lines) = unbounded_channel();
        thread::Builder::new()
            .name("keyboard".into())
            .spawn(move || read(input, &requests, &typed))?;
        Ok(Self {
            wanted,
            lines,
            is_reading: false,
        })
    }

    /// Wants the next line that is typed from now on: nobody has meant what they typed before for a question that they
    /// had not seen.
    pub(super) fn want(&mut self) {
        forget_typed_ahead();
        if self.lines.try_recv().is_ok() {
            self.is_reading = false;
        }
        if !self.is_reading {
            self.is_reading = self.wanted.send(()).is_ok();
        }
    }

    /// The line that was wanted; never, if none was. Cancel-safe.
    pub(super) async fn line(&mut self) -> Typed {
        if !self.is_reading {
            return std::future::pending().await;
        }
        let typed = self.lines.recv().await;
        self.is_reading = false;
        typed.unwrap_or(Typed::End)
    }
}

fn read(mut input: impl BufRead, requests: &Receiver<()>, typed: &UnboundedSender<Typed>) {
    while requests.recv().is_ok() {
        if typed.send(line(&mut input)).is_err() {
            return;
        }
    }
}

fn line(input: &mut impl BufRead) -> Typed {
    let mut bytes = Vec::new();
    match input.read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => Typed::End,
        Ok(_) => match String::from_utf8(bytes) {
            Ok(text) => Typed::Line(text.trim_end_matches(['\n', '\r']).to_owned()),
            Err(_) => Typed::Unreadable,
        },
    }
}

/// Whether what is typed comes to us: who reads a terminal in the background is halted.
#[cfg(unix)]
pub(super) fn is_ours() -> bool {
    let foreground = rustix::termios::tcgetpgrp(io::stdin());
    foreground.is_ok_and(|foreground| foreground == rustix::process::getpgrp())
}

#[cfg(not(unix))]
pub(super) fn is_ours() -> bool {
    true
}

#[cfg(unix)]
fn forget_typed_ahead() {
    // It is no terminal only in tests.
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

#[cfg(not(unix))]
fn forget_typed_ahead() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Vec<Typed> {
        let mut input = text;
        std::iter::repeat_with(|| line(&mut input))
            .take(3)
            .collect()
    }

    #[test]
    fn a_line_comes_without_its_end() {
        let line = |text: &str| Typed::Line(text.into());
        let end = Typed::End;
        assert_eq!(lines(b"y\n\r\nz"), [line("y"), line(""), line("z")]);
        assert_eq!(
            lines(b"a \xc3\xbc\n\xff\n"),
            [line("a ü"), Typed::Unreadable, end]
        );
    }
}
