//! Whoever sits at this terminal: what the run asks of them, one question after the other, and what they type.

mod keyboard;

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::time::Duration;

use agent_gateway_machine::{AnswerId, Notification};
use agent_gateway_protocol::{InputRequestId, ToolCallId};

use crate::error::Error;
use crate::question::Question;

use keyboard::{Keyboard, Typed};

/// A question that was shown away is asked again when nothing else has been shown for so long: streamed text is not to be
/// broken after each word.
const REST: Duration = Duration::from_millis(700);

/// The person, and what is open.
pub(super) struct Person {
    keyboard: Keyboard,
    /// Whether they are asked for confirmations too.
    confirms: bool,
    /// The oldest first: that is the one asked. Bounded by the machine's ledger (T4).
    open: VecDeque<Question>,
    screen: Screen,
}

/// Where the oldest question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// It was not shown yet.
    New,
    /// It is the last thing shown.
    Last,
    /// Something else was shown since.
    Passed,
    /// It is to be shown once more. What they have typed of an answer stays.
    Again,
}

/// What they said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Whether this call may run.
    Decided { call: ToolCallId, approved: bool },
    /// What they have to say to this request.
    Wrote {
        request: InputRequestId,
        text: String,
    },
    /// Nothing that answers the question: it is asked again.
    Nonsense(&'static str),
    /// They leave it to others (Ctrl-D).
    Left,
    /// Nothing that is wanted.
    Nothing,
}

impl Person {
    /// Whoever is there; none, unless both input and output are a terminal.
    ///
    /// # Errors
    /// There is no thread for reading what they type.
    pub(super) fn at_terminal(confirms: bool) -> Result<Option<Self>, Error> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let keyboard = Keyboard::new(io::BufReader::new(io::stdin()));
        let keyboard = keyboard.map_err(|error| Error::Setup {
            what: "the terminal cannot be read",
            error,
        })?;
        Ok(Some(Self::new(keyboard, confirms)))
    }

    fn new(keyboard: Keyboard, confirms: bool) -> Self {
        Self {
            keyboard,
            confirms,
            open: VecDeque::new(),
            screen: Screen::New,
        }
    }

    /// Takes in what is told of the run. Whether it is a question that they are asked, and so needs no other telling.
    pub(super) fn hear(&mut self, notification: &Notification) -> bool {
        if let Notification::AnswerWithdrawn { answer } = notification {
            self.withdraw(answer);
        }
        match Question::of(notification) {
            Some(Question::Confirmation(_)) if !self.confirms => false,
            Some(question) if keyboard::is_ours() => {
                self.open.push_back(question);
                true
            }
            _ => false,
        }
    }

    /// Something was shown.
    pub(super) fn scrolled(&mut self) {
        if self.screen == Screen::Last {
            self.screen = Screen::Passed;
        }
    }

    /// The question that is to be shown now, if there is one. Its answer is what is typed from now on.
    pub(super) fn due(&mut self) -> Option<&Question> {
        let question = self.open.front()?;
        match self.screen {
            Screen::New => self.keyboard.want(),
            Screen::Again => {}
            Screen::Last | Screen::Passed => return None,
        }
        self.screen = Screen::Last;
        Some(question)
    }

    /// What they say next; or nothing, if a question is [due](Self::due) that they do not see any more. Cancel-safe.
    pub(super) async fn says(&mut self) -> Said {
        let is_passed = self.screen == Screen::Passed;
        tokio::select! {
            typed = self.keyboard.line() => self.take(typed),
            () = tokio::time::sleep(REST), if is_passed => {
                self.screen = Screen::Again;
                Said::Nothing
            }
        }
    }

    fn take(&mut self, typed: Typed) -> Said {
        // What is typed for a question that was withdrawn is no answer to the one behind it.
        if std::mem::replace(&mut self.screen, Screen::New) == Screen::New {
            return Said::Nothing;
        }
        let Some(question) = self.open.front() else {
            return Said::Nothing;
        };
        let said = match typed {
            Typed::Line(line) => read(question, line),
            Typed::Unreadable => Said::Nonsense("that is not UTF-8"),
            Typed::End => Said::Left,
        };
        if !matches!(said, Said::Nonsense(_)) {
            self.open.pop_front();
        }
        said
    }

    fn withdraw(&mut self, answer: &AnswerId) {
        let asked = self.open.front().map(Question::id);
        self.open.retain(|question| question.id() != *answer);
        if asked.as_ref() == Some(answer) {
            self.screen = Screen::New;
        }
    }
}

fn read(question: &Question, line: String) -> Said {
    match question {
        Question::Confirmation(request) => {
            let approved = match line.trim().to_lowercase().as_str() {
                "y" | "yes" => true,
                "n" | "no" => false,
                _ => {
                    return Said::Nonsense(
                        "y lets it run, n does not; Ctrl-D leaves it to other clients",
                    );
                }
            };
            let call = request.tool_call_id.clone();
            Said::Decided { call, approved }
        }
        Question::Input(_) if line.trim().is_empty() => {
            Said::Nonsense("type a line of text; Ctrl-D leaves it to other clients")
        }
        Question::Input(request) => Said::Wrote {
            request: request.request_id.clone(),
            text: line,
        },
    }
}

#[cfg(test)]
mod tests {
    use agent_gateway_protocol::frame::{InputRequest, ToolConfirmationRequest};

    use super::*;

    fn confirmation(call: &str) -> Question {
        Question::Confirmation(Box::new(ToolConfirmationRequest {
            id: None,
            tool: None,
            tool_call_id: call.into(),
        }))
    }

    fn input() -> Question {
        Question::Input(Box::new(InputRequest {
            id: None,
            prompt: "Which branch?".into(),
            request_id: "input_1".into(),
        }))
    }

    fn decided(call: &str, approved: bool) -> Said {
        let call = call.into();
        Said::Decided { call, approved }
    }

    fn line(text: &str) -> Typed {
        Typed::Line(text.into())
    }

    /// A person to whom these questions are open.
    fn asked(questions: Vec<Question>) -> Person {
        let mut person = Person::new(Keyboard::new(io::empty()).unwrap(), true);
        person.open = questions.into();
        assert!(person.due().is_some());
        assert!(person.due().is_none(), "asked once");
        person
    }

    #[test]
    fn t7_yes_and_no_are_taken_in_any_case_and_nothing_else_is() {
        for (text, approved) in [("y", true), (" YES ", true), ("n", false), ("No", false)] {
            let mut person = asked(vec![confirmation("call_1")]);
            assert_eq!(person.take(line(text)), decided("call_1", approved));
            assert!(person.due().is_none());
        }
        for nonsense in [line(""), line("yn"), line("ok"), Typed::Unreadable] {
            let mut person = asked(vec![confirmation("call_1")]);
            assert!(matches!(person.take(nonsense), Said::Nonsense(_)));
            assert!(person.due().is_some(), "asked again");
        }
    }

    #[test]
    fn t7_a_text_is_taken_as_it_is_and_no_text_is_none() {
        let mut person = asked(vec![input()]);
        assert!(matches!(person.take(line(" ")), Said::Nonsense(_)));
        assert!(person.due().is_some());
        let (request, text) = ("input_1".into(), " dev".into());
        assert_eq!(person.take(line(" dev")), Said::Wrote { request, text });
    }

    #[test]
    fn t7_questions_are_asked_one_after_the_other_and_ctrl_d_leaves_one() {
        let mut person = asked(vec![
            confirmation("call_1"),
            input(),
            confirmation("call_2"),
        ]);
        assert_eq!(person.take(line("n")), decided("call_1", false));
        assert_eq!(person.due(), Some(&input()));
        assert_eq!(person.take(Typed::End), Said::Left);
        assert_eq!(person.due(), Some(&confirmation("call_2")));
        assert_eq!(person.take(line("y")), decided("call_2", true));
    }

    #[test]
    fn t6_what_is_typed_for_a_question_that_is_withdrawn_answers_no_other() {
        let mut person = asked(vec![confirmation("call_1"), confirmation("call_2")]);
        let answer = confirmation("call_1").id();
        person.hear(&Notification::AnswerWithdrawn { answer });
        assert_eq!(person.take(line("y")), Said::Nothing);
        assert_eq!(person.due(), Some(&confirmation("call_2")));
        let answer = confirmation("call_2").id();
        person.hear(&Notification::AnswerWithdrawn { answer });
        assert_eq!(person.due(), None);
        assert_eq!(person.take(line("y")), Said::Nothing);
    }
}
