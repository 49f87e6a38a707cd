use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use agent_gateway_adapters::{Client, ClientError, Run, RunHandle};
use agent_gateway_machine::{AnswerId, Attach, Execute, Millis, Notification, Outcome};
use tokio::time::{Instant, timeout};

use crate::arguments::ShownArguments;
use crate::complaint::complain;
use crate::error::{Error, placed};
use crate::exit_code::ExitCode;
use crate::render::Renderer;
use crate::signals::{Signal, Signals};
use crate::tools::{Tools, Workbench};

/// After SIGTERM the server gets this long to take the stop.
const LEAVING: Duration = Duration::from_secs(5);

/// How a run is shown, and who answers its tool calls.
pub(super) struct View {
    /// Where the server is, for errors; none for the one inside this process.
    place: Option<String>,
    tools: Tools,
    renderer: Renderer<Box<dyn Write + Send>>,
}

impl View {
    /// `notes`: whether the built-in `readFile` answers too.
    pub(super) fn new(shown: ShownArguments, notes: bool, place: Option<String>) -> Self {
        let renderer = if shown.json {
            Renderer::json(Box::new(io::stdout()) as Box<_>)
        } else {
            Renderer::human(Box::new(anstream::stdout()) as Box<_>)
        };
        Self {
            place,
            tools: Tools::new(shown.tools, notes),
            renderer,
        }
    }
}

/// Starts a run and shows it until its end; one sentence on standard error if it did not go well. Ctrl-C stops the run.
///
/// # Errors
/// Nothing was started, or the output fails.
pub(super) async fn execute(
    client: Client,
    execute: Execute,
    view: View,
    signals: &mut Signals,
) -> Result<ExitCode, Error> {
    let begin = client.execute(execute);
    begin_and_follow(begin, Leave::Stop, view, signals).await
}

/// Watches a run until its end, as [`execute`] does. Ctrl-C leaves it going.
///
/// # Errors
/// The server could not be asked, or the output fails.
pub(super) async fn attach(
    client: Client,
    attach: Attach,
    view: View,
    signals: &mut Signals,
) -> Result<ExitCode, Error> {
    let begin = client.attach(attach);
    begin_and_follow(begin, Leave::Detach, view, signals).await
}

async fn begin_and_follow(
    begin: impl Future<Output = Result<Run, ClientError>>,
    leave: Leave,
    view: View,
    signals: &mut Signals,
) -> Result<ExitCode, Error> {
    let View {
        place,
        tools,
        renderer,
    } = view;
    let mut session = Session {
        workbench: Workbench::new(tools),
        renderer,
        began: Instant::now(),
        leave,
    };
    let begun = tokio::select! {
        begun = begin => begun,
        _ = signals.next() => return Ok(ExitCode::Stopped),
    };
    let mut run = begun.map_err(|error| Error::Client {
        place: place.clone(),
        error,
    })?;
    let over = session.follow(&mut run, signals).await;
    // However it is over, no program of a tool is left behind.
    session.workbench.close().await;
    match over? {
        Over::Left => Ok(ExitCode::Stopped),
        Over::Ended(outcome) => {
            let code = ExitCode::of(&outcome);
            if code != ExitCode::Completed {
                let sentence = placed(place.as_deref(), &outcome.to_string());
                complain(format_args!("agw: {sentence}"));
            }
            settle(&run.handle(), signals).await;
            Ok(code)
        }
    }
}

/// One run on this terminal.
struct Session {
    workbench: Workbench,
    renderer: Renderer<Box<dyn Write + Send>>,
    began: Instant,
    /// What the first signal does.
    leave: Leave,
}

/// What a signal means for the run.
#[derive(Clone, Copy)]
enum Leave {
    /// It is stopped on the server.
    Stop,
    /// It goes on without us.
    Detach,
}

impl Leave {
    fn take(self, run: &RunHandle) {
        match self {
            Self::Stop => run.stop(),
            Self::Detach => run.detach(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stopping",
            Self::Detach => "leaving, and the run goes on",
        }
    }
}

/// Why the session is over.
enum Over {
    /// The run ended.
    Ended(Outcome),
    /// The user left.
    Left,
}

impl Session {
    async fn follow(&mut self, run: &mut Run, signals: &mut Signals) -> Result<Over, Error> {
        let mut stopping = false;
        loop {
            tokio::select! {
                notification = run.next() => match notification {
                    Some(notification) => {
                        self.show(&notification)?;
                        if let Notification::RunEnded { outcome, .. } = notification {
                            return Ok(Over::Ended(outcome));
                        }
                        self.work(notification);
                    }
                    // The runtime is going down under us.
                    None => return Ok(Over::Left),
                },
                done = self.workbench.next_done() => {
                    // Whether it is still wanted is told by a notification.
                    drop(run.answer_tool(done.call.clone(), done.answer.clone()));
                    self.renderer
                        .tool_answered(&done.call, &done.answer, millis(done.took))
                        .map_err(Error::Output)?;
                }
                signal = signals.next() => match signal {
                    Signal::Interrupt if stopping => return Ok(Over::Left),
                    Signal::Interrupt => {
                        stopping = true;
                        if io::stderr().is_terminal() {
                            // The cursor stands behind the `^C` that the terminal shows.
                            complain("");
                        }
                        let word = self.leave.word();
                        complain(format_args!("agw: {word}; Ctrl-C again leaves at once"));
                        self.leave.take(&run.handle());
                    }
                    Signal::Terminate => {
                        self.leave.take(&run.handle());
                        let stopped = self.until_stopped(run);
                        return timeout(LEAVING, stopped).await.unwrap_or(Ok(Over::Left));
                    }
                },
            }
        }
    }

    /// Shows the run until the server has taken the stop, or has not.
    async fn until_stopped(&mut self, run: &mut Run) -> Result<Over, Error> {
        while let Some(notification) = run.next().await {
            self.show(&notification)?;
            match notification {
                Notification::RunEnded { outcome, .. } => return Ok(Over::Ended(outcome)),
                Notification::StopAccepted | Notification::StopFailed { .. } => break,
                _ => {}
            }
        }
        Ok(Over::Left)
    }

    fn work(&mut self, notification: Notification) {
        match notification {
            Notification::ToolRequested { call, .. } => self.workbench.begin(*call),
            Notification::ToolTimedOut { call }
            | Notification::AnswerWithdrawn {
                answer: AnswerId::Tool(call),
            } => self.workbench.give_up(&call),
            _ => {}
        }
    }

    fn show(&mut self, notification: &Notification) -> Result<(), Error> {
        let elapsed = millis(self.began.elapsed());
        self.renderer
            .show(notification, elapsed)
            .map_err(Error::Output)
    }
}

/// Lets the client tidy up on the server (R6), unless the user does not want to wait.
async fn settle(run: &RunHandle, signals: &mut Signals) {
    tokio::select! {
        () = run.settled() => {}
        _ = signals.next() => {}
    }
}

fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
