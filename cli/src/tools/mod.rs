//! The tools that this program answers for: programs named on the command line, and the embedded gateway's notes.

mod notes;
mod process;
mod specification;

pub(crate) use specification::ToolSpecification;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent_gateway_machine::ToolAnswer;
use agent_gateway_protocol::RawJson;
use agent_gateway_protocol::ToolCallId;
use agent_gateway_protocol::event::ToolExecute;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// Most characters of what a call says that an error quotes.
const MOST_QUOTED: usize = 200;

/// Calls that are carried out at the same time; the others wait for their turn.
const AT_ONCE: usize = 16;

/// Bytes of calls that are carried out or wait. A call over it is answered at once: the server may ask for thousands.
const MOST_BYTES: usize = 64 << 20;

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

    /// Carries one call out. Never fails: what goes wrong is the answer.
    async fn answer(&self, call: &ToolExecute) -> ToolAnswer {
        let arguments = match &*call.arguments {
            "" => "{}",
            arguments => arguments,
        };
        if let Err(error) = RawJson::parse(arguments) {
            return broken_arguments(arguments, &error.to_string());
        }
        if let Some(program) = self.find(call) {
            return process::run(program, arguments).await;
        }
        if self.notes && &*call.api_name == notes::API_NAME {
            return notes::read(arguments);
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

/// The calls that are being carried out.
#[derive(Debug)]
pub(crate) struct Workbench {
    tools: Tools,
    turns: Arc<Semaphore>,
    running: JoinSet<Done>,
    open: BTreeMap<ToolCallId, Open>,
    /// Of all that are open.
    bytes: usize,
}

/// A call that has no answer yet.
#[derive(Debug)]
struct Open {
    handle: AbortHandle,
    bytes: usize,
}

/// A call that was carried out.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) call: ToolCallId,
    pub(crate) answer: ToolAnswer,
    pub(crate) took: Duration,
}

impl Done {
    /// A call whose answer was refused for its size: it is still open.
    pub(crate) fn too_large(call: ToolCallId) -> Self {
        Self::failed(call, "what the tool wrote is too large for an answer")
    }

    fn failed(call: ToolCallId, why: &str) -> Self {
        Self {
            call,
            answer: ToolAnswer::failure("client_tool_execution_error", why),
            took: Duration::ZERO,
        }
    }
}

impl Workbench {
    pub(crate) fn new(tools: Tools) -> Self {
        Self {
            tools,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            running: JoinSet::new(),
            open: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Begins a call beside the others, in its turn.
    pub(crate) fn begin(&mut self, call: ToolExecute) {
        let id = call.tool_call_id.clone();
        let bytes = call.size();
        let (handle, bytes) = if self.bytes + bytes > MOST_BYTES {
            (self.running.spawn(refuse(call.tool_call_id)), 0)
        } else {
            let (tools, turns) = (self.tools.clone(), self.turns.clone());
            (self.running.spawn(carry_out(call, tools, turns)), bytes)
        };
        self.bytes += bytes;
        self.open.insert(id, Open { handle, bytes });
    }

    /// Gives a call up: its program is ended, and nothing of it is answered.
    pub(crate) fn give_up(&mut self, call: &ToolCallId) {
        if let Some(handle) = self.close_call(call) {
            handle.abort();
        }
    }

    /// Gives every call up, and waits until their programs are ended.
    pub(crate) async fn close(&mut self) {
        self.open.clear();
        self.bytes = 0;
        self.running.shutdown().await;
    }

    /// The next call that is done; waits for ever if none is running. Cancel-safe.
    pub(crate) async fn next_done(&mut self) -> Done {
        loop {
            match self.running.join_next().await {
                // One given up just as it was done is not open any more.
                Some(Ok(done)) if self.close_call(&done.call).is_some() => return done,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn close_call(&mut self, call: &ToolCallId) -> Option<AbortHandle> {
        let open = self.open.remove(call)?;
        self.bytes -= open.bytes;
        Some(open.handle)
    }
}

async fn carry_out(call: ToolExecute, tools: Tools, turns: Arc<Semaphore>) -> Done {
    // It is never closed.
    let _turn = turns.acquire().await;
    let began = Instant::now();
    let answer = tools.answer(&call).await;
    Done {
        call: call.tool_call_id,
        answer,
        took: began.elapsed(),
    }
}

async fn refuse(call: ToolCallId) -> Done {
    let why = format!("more than {MOST_BYTES} bytes of calls wait to be carried out");
    Done::failed(call, &why)
}

fn quoted(text: &str) -> String {
    text.chars().take(MOST_QUOTED).collect()
}

fn broken_arguments(arguments: &str, why: &str) -> ToolAnswer {
    let quoted = quoted(arguments);
    ToolAnswer::failure(
        "arguments_parse_error",
        &format!("the arguments are not JSON ({why}): {quoted}"),
    )
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
    async fn empty_arguments_are_an_empty_object() {
        let done = answer(&tools(&["act=cat"]), call("demo", "act", "")).await;
        assert_eq!(done, ToolAnswer::success("{}"));
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
    async fn broken_arguments_run_nothing_and_are_quoted_in_part() {
        let long = "x".repeat(1_000);
        let done = answer(&tools(&["act=cat"]), call("demo", "act", &long)).await;
        assert_eq!(error(&done).0, "arguments_parse_error");
        assert!(error(&done).1.ends_with(&"x".repeat(200)));
        assert!(!error(&done).1.contains(&"x".repeat(201)));
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

    #[tokio::test]
    async fn a_call_given_up_is_never_answered() {
        let mut workbench = Workbench::new(tools(&["endless=tail -f /dev/null", "act=echo done"]));
        let mut endless = call("demo", "endless", "{}");
        endless.tool_call_id = "endless".into();
        workbench.begin(endless);
        workbench.begin(call("demo", "act", "{}"));
        workbench.give_up(&"endless".into());
        let done = workbench.next_done().await;
        assert_eq!(done.call.as_str(), "call");
        assert_eq!(done.answer, ToolAnswer::success("done\n"));
    }

    /// A workbench with so many calls begun, each with a name of its own.
    fn busy(tools: Tools, calls: usize, arguments: &str) -> Workbench {
        let mut workbench = Workbench::new(tools);
        for number in 0..calls {
            let mut call = call("demo", "act", arguments);
            call.tool_call_id = format!("call_{number}").into();
            workbench.begin(call);
        }
        workbench
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn i13_no_more_than_sixteen_programs_run_at_once() {
        let folder = std::env::temp_dir().join(format!("agw-turns-{}", std::process::id()));
        let (marks, gate) = (folder.join("marks"), folder.join("gate"));
        std::fs::create_dir_all(&marks).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&gate).status();
        assert!(made.unwrap().success());
        // Each program shows that it runs, waits at the gate, and says how many run.
        let act = format!(
            "act=sh -c 'touch {marks}/$$; : < {gate}; ls {marks} | wc -l; rm {marks}/$$'",
            marks = marks.display(),
            gate = gate.display(),
        );
        let mut workbench = busy(tools(&[&act]), 100, "{}");
        while std::fs::read_dir(&marks).unwrap().count() < AT_ONCE {
            tokio::task::yield_now().await;
        }
        let mut open = std::fs::File::options();
        let _open = open.read(true).write(true).open(&gate).unwrap();
        for _ in 0..100 {
            let done = workbench.next_done().await;
            let running: usize = done.answer.content.unwrap().trim().parse().unwrap();
            assert!((1..=AT_ONCE).contains(&running), "{running} at once");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn i13_calls_past_the_bound_of_bytes_are_answered_at_once() {
        let big = format!("\"{}\"", "x".repeat(MOST_BYTES / 2));
        let mut workbench = busy(tools(&["act=tail -f /dev/null"]), 2, &big);
        let refused = workbench.next_done().await;
        assert_eq!(refused.call.as_str(), "call_1");
        assert_eq!(error(&refused.answer).0, "client_tool_execution_error");
        // What is given up makes room.
        workbench.give_up(&"call_0".into());
        assert_eq!(workbench.bytes, 0);
    }
}
