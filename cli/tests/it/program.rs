//! Spawns the program with an environment of its own.

use std::process::{Command, Output, Stdio};

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
