//! Spawns the program with an environment of its own.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
/// What has not happened by then will not.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program, with nothing of our own environment that it would heed.
pub(crate) fn agw(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agw"));
    command.args(arguments).stdin(Stdio::null());
    for variable in [
        "LOBEHUB_SERVER",
        "LOBEHUB_JWT",
        "LOBEHUB_CLI_API_KEY",
        "AGENT_GATEWAY_URL",
        "AGW_LOG",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(variable);
    }
    command
}

/// What a finished program left behind.
pub(crate) struct Left {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Left {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Left {
    agw(arguments).output().unwrap().into()
}

/// Runs the program to its end, with this on its standard input.
pub(crate) fn fed(arguments: &[&str], input: &[u8]) -> Left {
    let mut child = agw(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let written = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    // It need not have read what is too much.
    assert!(written.is_ok() || !output.status.success());
    output.into()
}

impl Left {
    /// Asserts the code, and that standard error is one sentence on one line with all of `words`.
    #[track_caller]
    pub(crate) fn complains(&self, code: i32, words: &[&str]) {
        let stderr = &self.stderr;
        assert_eq!(self.code, Some(code), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("agw: "), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "no `{word}` in: {stderr}");
        }
        for dump in ["RUST_BACKTRACE", "panicked", "Some(", "{ "] {
            assert!(!stderr.contains(dump), "{stderr}");
        }
    }
}

/// A program that is running. Ended when dropped.
pub(crate) struct Live {
    child: Child,
    /// None: nobody reads it any more.
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Lines<BufReader<ChildStderr>>,
    said: String,
    complained: String,
}

impl Live {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            stdout: Some(stdout),
            stderr,
            said: String::new(),
            complained: String::new(),
        }
    }

    /// Waits for a line with `part` on standard output.
    #[track_caller]
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let stdout = self.stdout.as_mut().expect("it is read");
        wait(stdout, part, &mut self.said)
    }

    /// Waits for a line with `part` on standard error.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn complaint_with(&mut self, part: &str) -> String {
        wait(&mut self.stderr, part, &mut self.complained)
    }

    /// Closes our end of its standard output.
    #[cfg(unix)]
    pub(crate) fn stop_reading(&mut self) {
        self.stdout = None;
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        crate::run::kill(self.child.id(), signal);
    }

    /// Waits for its end, without reading what it wrote; its exit code.
    #[cfg(unix)]
    pub(crate) fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Waits for its end; gives all that it wrote.
    pub(crate) fn left(mut self) -> Left {
        if let Some(stdout) = &mut self.stdout {
            take(stdout, &mut self.said);
        }
        take(&mut self.stderr, &mut self.complained);
        Left {
            code: self.child.wait().unwrap().code(),
            stdout: std::mem::take(&mut self.said),
            stderr: std::mem::take(&mut self.complained),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have left already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
#[cfg(unix)]
#[track_caller]
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    #[allow(clippy::disallowed_methods, reason = "the bound of a wait")]
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it does not come to be so");
        std::thread::yield_now();
    }
}

#[track_caller]
fn wait(lines: &mut Lines<impl BufRead>, part: &str, seen: &mut String) -> String {
    for line in lines {
        let line = line.unwrap();
        seen.push_str(&line);
        seen.push('\n');
        if line.contains(part) {
            return line;
        }
    }
    panic!("no line with `{part}` in:\n{seen}");
}

fn take(lines: &mut Lines<impl BufRead>, seen: &mut String) {
    for line in lines {
        seen.push_str(&line.unwrap());
        seen.push('\n');
    }
}
