use std::io::{self, IsTerminal};
use std::time::Duration;

use agent_gateway_adapters::{
    AnswerError, Client, ClientError, Done, Run, RunHandle, Unwatched, Workbench,
};
use agent_gateway_machine::{Attach, Execute, Millis, Notification, Outcome};
use tokio::time::{Instant, timeout};

use crate::arguments::ShownArguments;
use crate::complaint::complain;
use crate::error::{Error, placed};
use crate::exit_code::ExitCode;
use crate::outlet::Outlet;
use crate::render::Renderer;
use crate::signals::{Signal, Signals};
use crate::tools::Tools;

use super::person::{Person, Said};
use super::record::Record;

/// After SIGTERM the server gets this long to take the stop.
const LEAVING: Duration = Duration::from_secs(5);

/// Whoever leaves at once waits no longer than this for a slow reader.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Bytes that may wait for whoever reads our output; behind them the run waits.
const ROOM: usize = 1 << 20;

/// How a run is shown and recorded, and who answers its tool calls.
pub(super) struct View {
    /// Where the server is, for errors; none for the one inside this process.
    place: Option<String>,
    tools: Tools,
    /// What confirmations are answered with; none: that is left to the person, or to others.
    approves: Option<bool>,
    person: Option<Person>,
    output: Outlet,
    renderer: Renderer<Outlet>,
    record: Option<Record>,
}

impl View {
    /// `notes`: whether the built-in `readFile` answers too.
    ///
    /// # Errors
    /// There is no thread for the output, or for what is typed.
    pub(super) fn new(
        shown: ShownArguments,
        notes: bool,
        place: Option<String>,
        record: Option<Record>,
    ) -> Result<Self, Error> {
        let approves = shown.approves();
        let outlet = if shown.json {
            Outlet::new(io::stdout(), ROOM)
        } else {
            Outlet::new(anstream::stdout(), ROOM)
        };
        let output = outlet.map_err(Error::Output)?;
        let renderer = if shown.json {
            Renderer::json(output.clone(), approves)
        } else {
            Renderer::human(output.clone(), approves)
        };
        let person = if shown.json {
            None
        } else {
            Person::at_terminal(approves.is_none())?
        };
        Ok(Self {
            place,
            tools: Tools::new(shown.tools, notes),
            approves,
            person,
            output,
            renderer,
            record,
        })
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
        approves,
        person,
        output,
        renderer,
        record,
    } = view;
    let mut session = Session {
        workbench: tools.workbench(),
        approves,
        person,
        output,
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
        Over::Left => {
            // What was shown is seen, if anybody reads it.
            let _ = timeout(LAST_WORDS, session.output.emptied()).await;
            Ok(ExitCode::Stopped)
        }
        Over::Ended(outcome) => {
            let code = ExitCode::of(&outcome);
            tokio::select! {
                emptied = session.output.emptied() => emptied.map_err(Error::Output)?,
                _ = signals.next() => return Ok(code),
            }
            if code != ExitCode::Completed {
                let sentence = placed(place.as_deref(), &outcome.to_string());
                complain(format_args!("agw: {sentence}"));
            }
            settle(&run.handle(), signals).await;
            match written(record.as_ref(), signals).await {
                Err(error) if code == ExitCode::Completed => Err(error),
                Err(error) => {
                    complain(format_args!("agw: {error}"));
                    Ok(code)
                }
                Ok(()) => Ok(code),
            }
        }
    }
}

/// One run on this terminal.
struct Session {
    workbench: Workbench,
    /// What confirmations are answered with.
    approves: Option<bool>,
    /// Whom the run may ask; nobody after the first signal.
    person: Option<Person>,
    output: Outlet,
    renderer: Renderer<Outlet>,
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
    /// Shows the run until its end. Where it cannot be shown any more, it is left as a signal leaves it.
    async fn follow(&mut self, run: &mut Run, signals: &mut Signals) -> Result<Over, Error> {
        let over = self.show_all(run, signals).await;
        if over.is_err() {
            self.leave.take(&run.handle());
            // What becomes of it is told nobody.
            let _ = timeout(LEAVING, stopped(run, |_| Ok(()))).await;
        }
        over
    }

    async fn show_all(&mut self, run: &mut Run, signals: &mut Signals) -> Result<Over, Error> {
        let mut stopping = false;
        let output = self.output.clone();
        loop {
            self.ask()?;
            let next = async {
                output.room().await;
                run.next().await
            };
            tokio::select! {
                notification = next => match notification {
                    Some(notification) => {
                        self.hear(&notification)?;
                        self.workbench.hear(&notification);
                        self.confirm(run, &notification);
                        if let Notification::RunEnded { outcome, .. } = notification {
                            return Ok(Over::Ended(outcome));
                        }
                    }
                    None => return Err(Error::Unwatched(Unwatched)),
                },
                said = says(&mut self.person) => self.take(run, said)?,
                error = output.failed() => return Err(Error::Output(error)),
                done = self.workbench.next_done() => self.answer(run, done).await?,
                signal = signals.next() => match signal {
                    Signal::Interrupt if stopping => return Ok(Over::Left),
                    Signal::Interrupt => {
                        stopping = true;
                        self.person = None;
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
                        let stopped = stopped(run, |notification| self.show(notification));
                        return timeout(LEAVING, stopped).await.unwrap_or(Ok(Over::Left));
                    }
                },
            }
        }
    }

    async fn answer(&mut self, run: &Run, done: Done) -> Result<(), Error> {
        if self.workbench.give(run, done.clone()).await == Err(AnswerError::NoRoom) {
            return Ok(());
        }
        self.renderer
            .tool_answered(&done.call, &done.answer, millis(done.took))
            .map_err(Error::Output)
    }

    fn confirm(&self, run: &Run, notification: &Notification) {
        if let Notification::ConfirmationRequested(request) = notification
            && let Some(approved) = self.approves
        {
            // Whether it is still wanted is told by a notification.
            drop(run.answer_confirmation(request.tool_call_id.clone(), approved));
        }
    }

    /// Shows the question that is due.
    fn ask(&mut self) -> Result<(), Error> {
        match self.person.as_mut().and_then(Person::due) {
            Some(question) => self.renderer.ask(question).map_err(Error::Output),
            None => Ok(()),
        }
    }

    /// Takes what the person said. Whether it is still wanted is told by a notification.
    fn take(&mut self, run: &Run, said: Said) -> Result<(), Error> {
        let remark = match said {
            Said::Nothing => return Ok(()),
            Said::Left => "left to other clients",
            Said::Nonsense(why) => {
                self.renderer.typed();
                why
            }
            Said::Decided { call, approved } => {
                self.renderer.typed();
                drop(run.answer_confirmation(call, approved));
                return Ok(());
            }
            Said::Wrote { request, text } => {
                self.renderer.typed();
                drop(run.answer_input(request, text));
                return Ok(());
            }
        };
        self.renderer.remark(remark).map_err(Error::Output)
    }

    /// Shows the notification, unless it is a question that the person is to be asked.
    fn hear(&mut self, notification: &Notification) -> Result<(), Error> {
        let person = self.person.as_mut();
        if person.is_some_and(|person| person.hear(notification)) {
            return Ok(());
        }
        self.show(notification)
    }

    fn show(&mut self, notification: &Notification) -> Result<(), Error> {
        if let Some(person) = &mut self.person {
            person.scrolled();
        }
        let elapsed = millis(self.began.elapsed());
        self.renderer
            .show(notification, elapsed)
            .map_err(Error::Output)
    }
}

/// What the person says; never, if nobody is there. Cancel-safe.
async fn says(person: &mut Option<Person>) -> Said {
    match person {
        Some(person) => person.says().await,
        None => std::future::pending().await,
    }
}

/// Shows the run until the server has taken the stop, or has not.
async fn stopped(
    run: &mut Run,
    mut show: impl FnMut(&Notification) -> Result<(), Error>,
) -> Result<Over, Error> {
    while let Some(notification) = run.next().await {
        show(&notification)?;
        match notification {
            Notification::RunEnded { outcome, .. } => return Ok(Over::Ended(outcome)),
            Notification::StopAccepted | Notification::StopFailed { .. } => break,
            _ => {}
        }
    }
    Ok(Over::Left)
}

/// Lets the recording be written, unless the user does not want to wait.
async fn written(record: Option<&Record>, signals: &mut Signals) -> Result<(), Error> {
    let Some(record) = record else {
        return Ok(());
    };
    tokio::select! {
        written = record.written() => written,
        _ = signals.next() => Ok(()),
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
