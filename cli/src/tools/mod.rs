//! The tools that this program answers for: programs named on the command line, and the embedded gateway's notes.

mod notes;
mod process;
mod specification;

pub(crate) use specification::ToolSpecification;

use std::sync::Arc;

use agent_gateway_adapters::Workbench;
use agent_gateway_machine::ToolAnswer;
use agent_gateway_protocol::event::ToolExecute;

/// Most characters of what a call says that an error quotes.
const MOST_QUOTED: usize = 200;

/// Calls that are carried out at the same time; the others wait for their turn.
const AT_ONCE: usize = 16;

/// Who answers which call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    programs: Vec<ToolSpecification>,
    notes: bool,
}

impl Tools {
    /// These programs; with `notes`, also the embedded gateway's `readFile`.
    pub(crate) fn new(programs: Vec<ToolSpecification>, notes: bool) -> Self {
        Self { programs, notes }
    }

    /// Where the calls of a run are carried out. A call given up is a program ended.
    pub(crate) fn workbench(self) -> Workbench {
        let tools = Arc::new(self);
        let tool = move |call| {
            let tools = tools.clone();
            async move { tools.answer(&call).await }
        };
        Workbench::new(tool).at_once(AT_ONCE)
    }

    /// Carries one call out. Never fails: what goes wrong is the answer.
    async fn answer(&self, call: &ToolExecute) -> ToolAnswer {
        if let Some(program) = self.find(call) {
            return process::run(program, &call.arguments).await;
        }
        if self.notes && &*call.api_name == notes::API_NAME {
            return notes::read(&call.arguments);
        }
        let name = quoted(&format!("{}/{}", call.identifier, call.api_name));
        ToolAnswer::failure(
            "executor_not_found",
            &format!("no tool answers {name}; name one with --tool {name}=COMMAND"),
        )
    }

    /// The program whose name fits best: the whole name before the short one, and the later before the earlier.
    fn find(&self, call: &ToolExecute) -> Option<&ToolSpecification> {
        let whole = format!("{}/{}", call.identifier, call.api_name);
        let named = |name: &str| self.programs.iter().rev().find(|tool| tool.name == name);
        named(&whole).or_else(|| named(&call.api_name))
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(MOST_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use agent_gateway_protocol::Object;

    use super::*;

    fn call(identifier: &str, api_name: &str, arguments: &str) -> ToolExecute {
        ToolExecute {
            tool_call_id: "call".into(),
            identifier: identifier.into(),
            api_name: api_name.into(),
            arguments: arguments.into(),
            execution_timeout_ms: None,
            extra: Object::new(),
        }
    }

    fn tools(programs: &[&str]) -> Tools {
        let programs = programs.iter().map(|text| text.parse().unwrap());
        Tools::new(programs.collect(), true)
    }

    async fn answer(tools: &Tools, call: ToolExecute) -> ToolAnswer {
        tools.answer(&call).await
    }

    fn error(answer: &ToolAnswer) -> (&str, &str) {
        let error = answer.error.as_ref().unwrap();
        (error.kind.as_deref().unwrap(), &error.message)
    }

    #[tokio::test]
    async fn a_program_reads_the_arguments_and_its_output_is_the_content() {
        let tools = tools(&["act=cat"]);
        let done = answer(&tools, call("demo", "act", r#"{"a":1}"#)).await;
        assert_eq!(done, ToolAnswer::success(r#"{"a":1}"#));
    }

    #[tokio::test]
    async fn the_whole_name_goes_before_the_short_one() {
        let tools = tools(&["demo/act=echo whole", "act=echo short"]);
        let whole = answer(&tools, call("demo", "act", "")).await;
        assert_eq!(whole, ToolAnswer::success("whole\n"));
        let short = answer(&tools, call("other", "act", "")).await;
        assert_eq!(short, ToolAnswer::success("short\n"));
    }

    #[tokio::test]
    async fn a_call_nobody_answers_for_says_so() {
        let done = answer(&tools(&[]), call("demo", "act", "{}")).await;
        assert_eq!(error(&done).0, "executor_not_found");
        assert!(error(&done).1.contains("demo/act"));
    }

    #[tokio::test]
    async fn the_name_of_a_call_nobody_answers_for_is_quoted_in_part() {
        let long = "x".repeat(100_000);
        let done = answer(&tools(&[]), call("demo", &long, "{}")).await;
        assert!(error(&done).1.len() < 1_000);
    }

    #[tokio::test]
    async fn a_program_that_fails_says_how() {
        let tools = tools(&["act=sh -c 'echo broken >&2; exit 3'"]);
        let done = answer(&tools, call("demo", "act", "{}")).await;
        assert_eq!(error(&done).0, "client_tool_execution_error");
        assert_eq!(error(&done).1, "`sh` left with exit status: 3: broken");
        assert_eq!(done.content, None);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let tools = tools(&["act=./no-such-program"]);
        let done = answer(&tools, call("demo", "act", "{}")).await;
        assert_eq!(error(&done).0, "client_tool_execution_error");
        assert!(error(&done).1.contains("./no-such-program"));
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_its_input_is_no_failure() {
        let big = format!("\"{}\"", "x".repeat(1 << 20));
        let done = answer(&tools(&["act=echo done"]), call("demo", "act", &big)).await;
        assert_eq!(done, ToolAnswer::success("done\n"));
    }

    #[tokio::test]
    async fn a_program_may_complain_at_length_and_its_last_words_are_shown() {
        let tools = tools(&[
            "act=sh -c 'head -c 9000000 /dev/zero >&2; echo done'",
            "fail=sh -c 'head -c 9000000 /dev/zero >&2; echo the reason >&2; exit 1'",
        ]);
        let done = answer(&tools, call("demo", "act", "{}")).await;
        assert_eq!(done, ToolAnswer::success("done\n"));
        let failed = answer(&tools, call("demo", "fail", "{}")).await;
        assert!(error(&failed).1.ends_with("the reason"), "{failed:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_program_leaves_behind_keeps_no_call_and_goes_on() {
        let tools = tools(&["act=sh -c 'tail -f /dev/null & echo $!'"]);
        let done = answer(&tools, call("demo", "act", "{}")).await;
        let left = done.content.unwrap().trim().parse().unwrap();
        let left = rustix::process::Pid::from_raw(left).unwrap();
        rustix::process::test_kill_process(left).unwrap();
        rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
    }
}
