//! What is asked of a run and waits for its driver, bounded in count and bytes.
//!
//! The driver takes all of it at every wake-up, so the bounds are for a program that asks faster than its runtime runs.
//! Answers past them are refused, each to whoever gave it. What ends or leaves a run always gets through, and so does word of
//! the network: of these only as many wait as make a difference.

use std::collections::VecDeque;
use std::mem;

use agent_gateway_machine::{
    AnswerRefusal, Effect, Effects, EventKind, Ignored, Network, Notification, State,
};
use tokio::sync::oneshot;

/// Answers that may wait.
const ANSWERS: usize = 1_024;

/// Bytes of them that may wait; one that finds no other waiting may be larger, and is the machine's to judge (T3).
const BYTES: usize = 32 << 20;

/// Something asked of a run.
#[derive(Debug)]
pub(crate) enum Command {
    /// A command of the machine.
    Tell {
        kind: EventKind,
        /// Told whether the machine accepted it.
        verdict: Option<oneshot::Sender<Verdict>>,
    },
    /// A copy of the state as it is now.
    Store(oneshot::Sender<State>),
    /// The same, with all that has been told up to there and not been read; then the caller is gone.
    Leave(oneshot::Sender<Left>),
}

/// What a caller goes away with.
pub(crate) type Left = (State, VecDeque<Notification>);

impl Command {
    /// Whether it is an answer, whose giver is told what became of it.
    pub(super) fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Tell {
                verdict: Some(_),
                ..
            }
        )
    }

    pub(crate) fn tell(kind: EventKind) -> Self {
        Self::Tell {
            kind,
            verdict: None,
        }
    }
}

/// What became of an answer.
pub(crate) type Verdict = Result<(), Rejection>;

/// Why an answer was not accepted.
#[derive(Debug)]
pub(crate) enum Rejection {
    Refused(AnswerRefusal),
    /// Too many answers wait for the run's driver already.
    NoRoom,
    RunOver,
}

/// What the machine said to an answer.
pub(super) fn verdict(effects: &Effects) -> Verdict {
    for effect in effects {
        match effect {
            Effect::Notify(Notification::AnswerRefused { why, .. }) => {
                return Err(Rejection::Refused(*why));
            }
            Effect::Ignored(Ignored::AlreadyEnded | Ignored::NotBegun) => {
                return Err(Rejection::RunOver);
            }
            _ => {}
        }
    }
    Ok(())
}

/// What waits, in order.
#[derive(Default)]
pub(super) struct Commands {
    waiting: VecDeque<Command>,
    answers: usize,
    bytes: usize,
}

impl Commands {
    /// Puts a command behind the others, unless it makes no difference there; or refuses an answer.
    pub(super) fn push(&mut self, command: Command) {
        match &command {
            Command::Tell {
                kind,
                verdict: Some(_),
            } => {
                let bytes = weight(kind);
                if self.is_full_for(bytes) {
                    return refuse(command);
                }
                self.answers += 1;
                self.bytes += bytes;
            }
            Command::Tell {
                kind: EventKind::NetworkChanged(network),
                verdict: None,
            } => return self.push_network(*network),
            // Asking twice for the same is asking once.
            Command::Tell {
                kind,
                verdict: None,
            } => {
                if self.holds(kind) {
                    return;
                }
            }
            // Whoever has stopped waiting does not want it any more.
            Command::Store(_) => self
                .waiting
                .retain(|other| !matches!(other, Command::Store(stored) if stored.is_closed())),
            // It consumes the run, so there is one.
            Command::Leave(_) => {}
        }
        self.waiting.push_back(command);
    }

    /// Keeps the last two changes of the network: `Offline` then `Online` skips a wait (C15); `Online` alone would not.
    fn push_network(&mut self, network: Network) {
        let waiting = self.waiting.iter().enumerate();
        let told: Vec<_> = waiting
            .filter_map(|(place, command)| Some((place, network_of(command)?)))
            .collect();
        if told.last().is_some_and(|(_, last)| *last == network) {
            return;
        }
        if let [(first, _), _, ..] = told[..] {
            self.waiting.remove(first);
        }
        let kind = EventKind::NetworkChanged(network);
        self.waiting.push_back(Command::tell(kind));
    }

    /// All of them.
    pub(super) fn take(&mut self) -> VecDeque<Command> {
        mem::take(self).waiting
    }

    fn is_full_for(&self, bytes: usize) -> bool {
        self.answers >= ANSWERS || (self.answers > 0 && self.bytes.saturating_add(bytes) > BYTES)
    }

    /// Whether the same waits already.
    fn holds(&self, kind: &EventKind) -> bool {
        self.waiting.iter().any(
            |other| matches!(other, Command::Tell { kind: other, verdict: None } if other == kind),
        )
    }
}

fn network_of(command: &Command) -> Option<Network> {
    match command {
        Command::Tell {
            kind: EventKind::NetworkChanged(network),
            ..
        } => Some(*network),
        _ => None,
    }
}

/// Tells whoever gave an answer that there is no room for it.
pub(super) fn refuse(command: Command) {
    if let Command::Tell {
        verdict: Some(verdict),
        ..
    } = command
    {
        // Whoever has stopped waiting does not want to know.
        let _ = verdict.send(Err(Rejection::NoRoom));
    }
}

/// The bytes of an answer's texts.
fn weight(kind: &EventKind) -> usize {
    match kind {
        EventKind::AnswerTool { call, answer } => call.as_str().len() + answer.size(),
        EventKind::AnswerInput { request, content } => request.as_str().len() + content.len(),
        EventKind::AnswerConfirmation { call, .. } => call.as_str().len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::ToolAnswer;

    use super::*;

    fn answer(content: &str) -> (Command, oneshot::Receiver<Verdict>) {
        let (verdict, told) = oneshot::channel();
        let command = Command::Tell {
            kind: EventKind::AnswerTool {
                call: "call_1".into(),
                answer: ToolAnswer::success(content).into(),
            },
            verdict: Some(verdict),
        };
        (command, told)
    }

    /// Gives an answer, and says whether it was refused at once.
    fn is_refused(commands: &mut Commands, content: &str) -> bool {
        let (command, mut told) = answer(content);
        commands.push(command);
        matches!(told.try_recv(), Ok(Err(Rejection::NoRoom)))
    }

    #[test]
    fn i13_answers_that_wait_are_bounded_in_count() {
        let mut commands = Commands::default();
        for _ in 0..ANSWERS {
            assert!(!is_refused(&mut commands, "x"));
        }
        assert!(is_refused(&mut commands, "x"));
        assert_eq!(commands.take().len(), ANSWERS);
        assert!(!is_refused(&mut commands, "x"), "there is room again");
    }

    #[test]
    fn i13_answers_that_wait_are_bounded_in_bytes() {
        let mut commands = Commands::default();
        let half = "x".repeat(BYTES / 2);
        assert!(!is_refused(&mut commands, &half));
        assert!(is_refused(&mut commands, &half));
        assert!(!is_refused(&mut commands, "x"));
        commands.take();
        assert!(!is_refused(&mut commands, &half), "there is room again");
    }

    #[test]
    fn t3_an_answer_that_is_too_large_by_itself_is_the_machines_to_refuse() {
        let mut commands = Commands::default();
        assert!(!is_refused(&mut commands, &"x".repeat(BYTES + 1)));
    }

    #[test]
    fn what_ends_or_leaves_a_run_gets_through_when_no_answer_does_and_waits_once() {
        let mut commands = Commands::default();
        while !is_refused(&mut commands, "x") {}
        for _ in 0..3 {
            for kind in [EventKind::Interrupt, EventKind::Stop, EventKind::Detach] {
                commands.push(Command::tell(kind));
            }
        }
        let told: Vec<_> = commands
            .take()
            .into_iter()
            .filter_map(|command| match command {
                Command::Tell {
                    kind,
                    verdict: None,
                } => Some(kind),
                _ => None,
            })
            .collect();
        let wanted = [EventKind::Interrupt, EventKind::Stop, EventKind::Detach];
        assert_eq!(told, wanted);
    }

    #[test]
    fn c15_that_the_network_was_gone_and_is_back_is_not_lost() {
        use Network::{Offline, Online};
        for (told, waits) in [
            (vec![Online, Online], vec![Online]),
            (vec![Offline, Online], vec![Offline, Online]),
            (vec![Offline, Online, Online], vec![Offline, Online]),
            (vec![Offline, Online, Offline], vec![Online, Offline]),
            (
                vec![Offline, Online, Offline, Online],
                vec![Offline, Online],
            ),
        ] {
            let mut commands = Commands::default();
            for network in &told {
                commands.push(Command::tell(EventKind::NetworkChanged(*network)));
            }
            let waiting: Vec<_> = commands.take().iter().filter_map(network_of).collect();
            assert_eq!(waiting, waits, "{told:?}");
        }
    }

    #[test]
    fn a_state_that_nobody_waits_for_any_more_is_not_kept_wanted() {
        let mut commands = Commands::default();
        for _ in 0..10 {
            let (stored, _) = oneshot::channel();
            commands.push(Command::Store(stored));
        }
        assert_eq!(commands.take().len(), 1);
    }
}
