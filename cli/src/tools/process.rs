//! One call carried out by one program: arguments in on its standard input, content out on its standard output.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use agent_gateway_machine::ToolAnswer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::ToolSpecification;

/// Most bytes of output that are taken as content. Past it the call fails: half a content would mislead the model.
const MOST_OUTPUT: u64 = 4 << 20;

/// Most bytes of error output that are quoted, the last ones.
const MOST_COMPLAINT: usize = 500;

/// What is still in the pipes of a program that has left is read for as long, if others hold them open.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the program. It is ended if this future is dropped, and so are those it started.
pub(super) async fn run(tool: &ToolSpecification, arguments: &str) -> ToolAnswer {
    match output(tool, arguments).await {
        Ok(output) if output.stdout.len() as u64 > MOST_OUTPUT => fail(&format!(
            "`{}` wrote more than {MOST_OUTPUT} bytes",
            tool.program
        )),
        Ok(output) if output.status.success() => {
            ToolAnswer::success(String::from_utf8_lossy(&output.stdout))
        }
        Ok(output) => {
            let complaint = complaint(&output.stderr);
            let colon = if complaint.is_empty() { "" } else { ": " };
            fail(&format!(
                "`{}` left with {}{colon}{complaint}",
                tool.program, output.status
            ))
        }
        Err(error) => fail(&format!("`{}` cannot be run: {error}", tool.program)),
    }
}

async fn output(tool: &ToolSpecification, arguments: &str) -> io::Result<Output> {
    let mut command = Command::new(&tool.program);
    command
        .args(&tool.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A Ctrl-C is for us: the program is ended when its call is given up, with all that it has started itself.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let family = Family::of(&child);
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut content, mut complaint) = (Vec::new(), Vec::new());
    let status = {
        let pipes = async {
            tokio::join!(
                feed(stdin, arguments),
                take(stdout, &mut content),
                take_last(stderr, &mut complaint)
            )
        };
        let mut pipes = pin!(pipes);
        // The program's end is the call's: what it has left behind may hold its pipes for as long as it likes.
        let ended = tokio::select! {
            status = child.wait() => Ended::Program(status?),
            _ = &mut pipes => Ended::Pipes,
        };
        match ended {
            Ended::Pipes => {
                let status = child.wait().await?;
                family.let_go();
                status
            }
            Ended::Program(status) => {
                // Its number may be another's now.
                family.let_go();
                // What it wrote at last is still in them.
                let _ = timeout(GRACE, pipes).await;
                status
            }
        }
    };
    Ok(Output {
        stdout: content,
        stderr: complaint,
        status,
    })
}

/// What came first.
enum Ended {
    Program(ExitStatus),
    Pipes,
}

async fn feed(stdin: Option<ChildStdin>, arguments: &str) {
    if let Some(mut stdin) = stdin {
        // A program that does not read its input closes it: no failure of the call.
        let _ = stdin.write_all(arguments.as_bytes()).await;
    }
}

/// Takes what comes, up to a byte more than may be.
async fn take(pipe: Option<impl AsyncRead + Unpin>, content: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        // Closed after that, or where it fails: a program that goes on writing gets an error of its own, and ends.
        let _ = pipe.take(MOST_OUTPUT + 1).read_to_end(content).await;
    }
}

/// Takes all that comes, and keeps the end of it.
async fn take_last(pipe: Option<impl AsyncRead + Unpin>, end: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    while pipe.read_buf(end).await.is_ok_and(|count| count > 0) {
        end.drain(..end.len().saturating_sub(MOST_COMPLAINT));
    }
}

/// The program and those it started. All are ended when this is dropped.
struct Family {
    /// The program leads its group, and is not waited for yet: the number is still its own.
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Family {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader: leader.and_then(rustix::process::Pid::from_raw),
        }
    }

    /// The program has left: what it started and left behind was meant to stay.
    fn let_go(mut self) {
        self.leader = None;
    }
}

#[cfg(unix)]
impl Drop for Family {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // They may have left by themselves.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

/// Elsewhere than on Unix only the program itself is ended.
#[cfg(not(unix))]
impl Family {
    fn of(_: &Child) -> Self {
        Self {}
    }

    fn let_go(self) {}
}

/// What the program complained, on one line.
fn complaint(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fail(message: &str) -> ToolAnswer {
    ToolAnswer::failure("client_tool_execution_error", message)
}
