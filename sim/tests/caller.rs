//! A client's own logic, rehearsed: what it does is told to the machine as its user's doing, in virtual time.

use agent_gateway_machine::recording::Recording;
use agent_gateway_machine::{
    AnswerId, EventKind, Millis, Notification, Outcome, Timestamp, ToolAnswer,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_sim::script::Script;
use agent_gateway_sim::trace::Trace;
use agent_gateway_sim::world::{Act, Caller, Played, World};

/// What a test's caller does about what it hears, and when it wants to be woken.
struct Doing<F> {
    hear: F,
    alarm: Option<(Timestamp, Act)>,
    woken: Vec<Timestamp>,
}

impl<F: FnMut(&Notification) -> Vec<Act>> Doing<F> {
    fn at_once(hear: F) -> Self {
        Self {
            hear,
            alarm: None,
            woken: Vec::new(),
        }
    }

    fn at(hear: F, at: u64, act: Act) -> Self {
        Self {
            alarm: Some((Timestamp::from_millis(at), act)),
            ..Self::at_once(hear)
        }
    }
}

impl<F: FnMut(&Notification) -> Vec<Act>> Caller for Doing<F> {
    fn hear(&mut self, notification: &Notification, _: Timestamp) -> Vec<Act> {
        (self.hear)(notification)
    }

    fn wakes_at(&self) -> Option<Timestamp> {
        self.alarm.as_ref().map(|(at, _)| *at)
    }

    fn wake(&mut self, now: Timestamp) -> Vec<Act> {
        self.woken.push(now);
        self.alarm.take().map(|(_, act)| act).into_iter().collect()
    }
}

fn script(text: &str) -> Script {
    Script::parse("own.json", text).unwrap()
}

fn play(script: &Script, caller: &mut impl Caller) -> (Played, Trace) {
    let mut trace = Trace::default();
    let world = World::new(script, script.seed).unwrap();
    let played = world.play_with(caller, &mut trace);
    assert_eq!(played.failures(&script.expect), []);
    (played, trace)
}

/// One call, which the script's user would answer too.
const ONE_CALL: &str = r#"{
    "about": "one call",
    "gateway": { "steps": [
        { "when": "resumed", "do": { "tool_execute": { "call": "call_1", "tool": "files/read", "arguments": {} } } },
        { "when": "tool_result", "do": { "tool_end": { "call": "call_1", "tool": "files/read" } } },
        { "after": 100, "do": { "end": { "reason": "done" } } }
    ] },
    "user": {
        "steps": [{ "do": { "execute": "Hello" } }],
        "tools": { "read": { "content": "the script's" } }
    },
    "expect": { "outcome": "completed", "tool_results": 1 }
}"#;

fn answers(notification: &Notification) -> Vec<Act> {
    let Notification::ToolRequested { call, .. } = notification else {
        return Vec::new();
    };
    vec![Act::AnswerTool {
        call: call.tool_call_id.clone(),
        answer: ToolAnswer::success("the caller's"),
    }]
}

#[test]
fn a_call_is_answered_by_the_caller_and_not_by_the_script() {
    let (played, _) = play(&script(ONE_CALL), &mut Doing::at_once(answers));
    let contents = played.tool_results.iter().map(|result| &result.content);
    let contents: Vec<_> = contents.map(|content| content.as_deref()).collect();
    assert_eq!(contents, [Some("the caller's")]);
}

#[test]
fn what_it_does_is_the_users_doing_in_the_trace_and_in_a_recording_that_replays() {
    let script = script(ONE_CALL);
    let (played, trace) = play(&script, &mut Doing::at_once(answers));
    let (_, again) = play(&script, &mut Doing::at_once(answers));
    assert_eq!(trace.to_text(), again.to_text());
    let line = "user     answer_tool";
    assert!(trace.to_text().contains(line), "{}", trace.to_text());
    let recording = Recording {
        header: played.header,
        steps: trace.steps,
    };
    assert_eq!(recording.first_difference().unwrap(), None);
}

#[test]
fn it_acts_when_its_time_has_come() {
    let script = script(
        r#"{
            "about": "a run that only a stop ends",
            "gateway": { "steps": [{ "when": "resumed", "do": { "text": "Hello" } }] },
            "expect": { "outcome": "interrupted" }
        }"#,
    );
    let mut caller = Doing::at(|_| Vec::new(), 5_000, Act::Stop);
    let (_, trace) = play(&script, &mut caller);
    let stop = trace
        .steps
        .iter()
        .find(|step| step.event.kind == EventKind::Stop);
    assert_eq!(stop.unwrap().event.at, Timestamp::from_millis(5_000));
    assert_eq!(caller.woken, [Timestamp::from_millis(5_000)]);
}

#[test]
fn it_sleeps_with_its_host() {
    let script = script(
        r#"{
            "about": "the host sleeps from 1 s to 4 s",
            "gateway": { "steps": [
                { "when": "resumed", "do": { "text": "Hello" } },
                { "after": 2300, "do": { "text": " you" } }
            ] },
            "clock": [{ "at": 1000, "do": { "sleep": 3000 } }]
        }"#,
    );
    let mut caller = Doing::at(|_| Vec::new(), 2_000, Act::Detach);
    let (played, _) = play(&script, &mut caller);
    assert_eq!(caller.woken, [Timestamp::from_millis(4_000)]);
    assert_eq!(played.outcome, Some(Outcome::Detached));
}

#[test]
fn it_may_begin_the_run_itself() {
    let script = script(
        r#"{
            "about": "nobody else begins",
            "gateway": { "steps": [{ "when": "resumed", "do": { "end": { "reason": "done" } } }] },
            "user": { "steps": [] },
            "expect": { "outcome": "completed" }
        }"#,
    );
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: "mine".into(),
        ..ExecAgent::default()
    };
    let mut caller = Doing::at(|_| Vec::new(), 0, Act::Execute(input.into()));
    let (_, trace) = play(&script, &mut caller);
    assert!(trace.to_text().contains("user     execute \"mine\""));
}

#[test]
fn it_can_do_all_that_a_caller_can() {
    let script = script(
        r#"{
            "about": "a confirmation and a question, both answered by the caller",
            "gateway": { "steps": [
                { "when": "resumed", "do": { "request_confirmation": { "id": "call_1", "prompt": "rm -rf target" } } },
                { "after": 100, "do": { "request_input": { "id": "ask_1", "prompt": "Which one?" } } },
                { "after": 1000, "do": { "end": { "reason": "done" } } }
            ] },
            "expect": {
                "outcome": "completed",
                "effects": { "send_frame.tool_confirmation": 1, "send_frame.user_input": 1, "send_frame.interrupt": 1 }
            }
        }"#,
    );
    let mut caller = Doing::at_once(|notification| match notification {
        Notification::ConfirmationRequested(request) => vec![
            Act::PauseReading,
            Act::AnswerConfirmation {
                call: request.tool_call_id.clone(),
                approved: false,
            },
            Act::ResumeReading,
        ],
        Notification::InputRequested(request) => vec![
            Act::AnswerInput {
                request: request.request_id.clone(),
                content: "the first".into(),
            },
            Act::Interrupt,
        ],
        _ => Vec::new(),
    });
    let (_, trace) = play(&script, &mut caller);
    let told = trace.steps.iter().map(|step| &step.event.kind);
    let answers: Vec<_> = told
        .filter_map(|kind| match kind {
            EventKind::AnswerConfirmation { approved, .. } => Some(approved.to_string()),
            EventKind::AnswerInput { content, .. } => Some(content.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(answers, ["false", "the first"]);
}

/// Reads nothing from what it hears first until 3 s.
#[derive(Default)]
struct Slow {
    heard: Vec<u64>,
    is_paused: bool,
    has_paused: bool,
}

impl Caller for Slow {
    fn hear(&mut self, notification: &Notification, now: Timestamp) -> Vec<Act> {
        if !matches!(notification, Notification::EventReceived(_)) {
            return Vec::new();
        }
        self.heard.push(now.as_millis());
        if self.has_paused {
            return Vec::new();
        }
        self.has_paused = true;
        self.is_paused = true;
        vec![Act::PauseReading]
    }

    fn wakes_at(&self) -> Option<Timestamp> {
        self.is_paused.then_some(Timestamp::from_millis(3_000))
    }

    fn wake(&mut self, _: Timestamp) -> Vec<Act> {
        self.is_paused = false;
        vec![Act::ResumeReading]
    }
}

#[test]
fn what_it_does_not_read_waits() {
    let script = script(
        r#"{
            "about": "three texts in half a second, and a caller that reads one of them",
            "gateway": { "steps": [
                { "when": "resumed", "do": { "text": "one" } },
                { "after": 200, "do": { "text": "two" } },
                { "after": 200, "do": { "text": "three" } },
                { "after": 200, "do": { "end": { "reason": "done" } } }
            ] },
            "expect": { "outcome": "completed" }
        }"#,
    );
    let mut caller = Slow::default();
    play(&script, &mut caller);
    let (first, later) = caller.heard.split_first().unwrap();
    assert!(*first < 1_000 && later.len() == 3, "{:?}", caller.heard);
    assert!(later.iter().all(|at| *at >= 3_000), "{:?}", caller.heard);
}

#[test]
fn work_that_is_not_wanted_any_more_can_be_given_up() {
    let script = script(
        r#"{
            "about": "the end comes before the tool is done",
            "gateway": { "steps": [
                { "when": "resumed", "do": { "tool_execute": { "call": "call_1", "tool": "files/read", "arguments": {} } } },
                { "after": 500, "do": { "end": { "reason": "done" } } }
            ] },
            "expect": { "outcome": "completed", "tool_results": 0 }
        }"#,
    );
    let mut withdrawn = Vec::new();
    let mut caller = Doing::at_once(|notification| {
        if let Notification::AnswerWithdrawn { answer } = notification {
            withdrawn.push(answer.clone());
        }
        Vec::new()
    });
    play(&script, &mut caller);
    assert_eq!(withdrawn, [AnswerId::Tool("call_1".into())]);
}

/// Wants to be woken, and does not let time pass.
struct Restless;

impl Caller for Restless {
    fn hear(&mut self, _: &Notification, _: Timestamp) -> Vec<Act> {
        Vec::new()
    }

    fn wakes_at(&self) -> Option<Timestamp> {
        Some(Timestamp::ZERO.plus(Millis(10)))
    }
}

#[test]
fn one_that_is_woken_without_end_is_a_bug_of_the_session() {
    let script = script(ONE_CALL);
    let played = World::new(&script, 1)
        .unwrap()
        .play_with(&mut Restless, &mut ());
    assert_eq!(played.bugs.len(), 1, "{:?}", played.bugs);
}
