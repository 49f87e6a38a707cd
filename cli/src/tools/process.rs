//! One call carried out by one program: arguments in on its standard input, content out on its standard output.

use std::io;
use std::process::{Output, Stdio};

use agent_gateway_machine::ToolAnswer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::ToolSpecification;

/// Most bytes of output that are taken as content. Past it the call fails: half a content would mislead the model.
const MOST_OUTPUT: u64 = 4 << 20;

/// Most bytes of error output that are quoted.
const MOST_COMPLAINT: usize = 500;

/// Runs the program. It is ended if this future is dropped.
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
    let mut child = Command::new(&tool.program)
        .args(&tool.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input closes it: no failure of the call.
            let _ = stdin.write_all(arguments.as_bytes()).await;
        }
    };
    let ((), stdout, stderr) = tokio::join!(feed, read(stdout), read(stderr));
    Ok(Output {
        stdout: stdout?,
        stderr: stderr?,
        status: child.wait().await?,
    })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // Closed after that: a program that goes on writing gets an error of its own, and ends.
        pipe.take(MOST_OUTPUT + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The end of what the program complained, on one line.
fn complaint(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(MOST_COMPLAINT)..]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fail(message: &str) -> ToolAnswer {
    ToolAnswer::failure("client_tool_execution_error", message)
}
