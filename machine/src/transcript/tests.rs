//! The fold over every example of an event, and over the stories that its rules are about.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use agent_gateway_protocol::event::EndReason;
use agent_gateway_protocol::{AgentEvent, OperationId, RawJson, ToolCallId};
use serde::Deserialize;

use super::{Change, Edit, ToolChange, ToolStage, Transcript, Usage};

const FIXTURES: &str = include_str!("../../../protocol/fixtures/events.json");

/// The operation that all examples but the mirrored ones are of.
const OWN: &str = "op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa";

#[derive(Deserialize)]
struct Example<'a> {
    name: &'a str,
    #[serde(borrow)]
    event: &'a serde_json::value::RawValue,
}

fn examples() -> Vec<(&'static str, AgentEvent)> {
    let examples: Vec<Example<'static>> = serde_json::from_str(FIXTURES).unwrap();
    examples
        .into_iter()
        .map(|example| {
            (
                example.name,
                AgentEvent::decode(example.event.get()).unwrap(),
            )
        })
        .collect()
}

fn example(name: &str) -> AgentEvent {
    let found = examples().into_iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no example {name}")).1
}

fn event(kind: &str, data: &str) -> AgentEvent {
    AgentEvent::new(
        agent_gateway_protocol::EventType::parse(kind),
        None,
        RawJson::parse(data).unwrap(),
    )
}

fn text_chunk(content: &str) -> AgentEvent {
    event(
        "stream_chunk",
        &format!(r#"{{"chunkType":"text","content":"{content}"}}"#),
    )
}

fn snapshot(content: &str, sequence: u64) -> AgentEvent {
    event(
        "stream_chunk",
        &format!(
            r#"{{"chunkType":"text","content":"{content}","snapshotMode":"replace","snapshotSeq":{sequence}}}"#
        ),
    )
}

fn calls(ids: &[&str]) -> AgentEvent {
    let list: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","identifier":"demo","apiName":"act","arguments":""}}"#))
        .collect();
    event(
        "stream_chunk",
        &format!(
            r#"{{"chunkType":"tools_calling","toolsCalling":[{}]}}"#,
            list.join(",")
        ),
    )
}

fn fold(events: &[AgentEvent]) -> (Transcript, Vec<Change>) {
    let mut transcript = Transcript::default();
    let changes = events
        .iter()
        .flat_map(|event| transcript.apply(event))
        .collect();
    (transcript, changes)
}

/// One word per change, with what a line of the table needs to tell.
fn show(changes: &[Change]) -> String {
    let words: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Text(edit) => format!("Text {edit:?}"),
            Change::Reasoning(edit) => format!("Reasoning {edit:?}"),
            Change::Tool { call, change } => format!("{change:?} {call}"),
            other => format!("{other:?}"),
        })
        .collect();
    words.join("; ")
}

#[test]
fn s1_every_example_changes_what_its_rule_says() {
    let mut table = String::new();
    for (name, event) in examples() {
        let changes = Transcript::new(OperationId::from(OWN)).apply(&event);
        table += format!("{name}: {}", show(&changes)).trim_end();
        table.push('\n');
    }
    assert_eq!(table, include_str!("examples.txt"));
}

#[test]
fn the_examples_in_a_row_are_folded_without_a_panic_and_survive_serde() {
    let mut transcript = Transcript::new(OperationId::from(OWN));
    for (_, event) in examples() {
        transcript.apply(&event);
    }
    let text = serde_json::to_string(&transcript).unwrap();
    assert_eq!(
        serde_json::from_str::<Transcript>(&text).unwrap(),
        transcript
    );
}

#[test]
fn pieces_are_appended_and_steps_kept_apart() {
    let (transcript, _) = fold(&[
        event("step_start", "{}"),
        event("stream_start", r#"{"model":"gpt-x"}"#),
        text_chunk("one "),
        text_chunk("two"),
        event("step_start", "{}"),
        event("stream_start", "{}"),
        text_chunk("three"),
    ]);
    assert_eq!(transcript.steps().len(), 2);
    assert_eq!(transcript.steps()[0].model.as_deref(), Some("gpt-x"));
    assert_eq!(transcript.text(), "one two\n\nthree");
}

#[test]
fn a_second_stream_start_begins_another_step() {
    let (transcript, _) = fold(&[
        event("stream_start", r#"{"newStep":true}"#),
        text_chunk("one"),
        event("stream_start", r#"{"newStep":true}"#),
        text_chunk("two"),
    ]);
    assert_eq!(transcript.text(), "one\n\ntwo");
}

#[test]
fn a_snapshot_replaces_unless_a_later_one_was_applied() {
    let (transcript, changes) = fold(&[
        snapshot("Look", 1),
        snapshot("Looking at", 3),
        snapshot("stale", 2),
        snapshot("Found it", 4),
        snapshot("Found it", 5),
    ]);
    assert_eq!(transcript.text(), "Found it");
    assert_eq!(
        changes,
        [
            Change::StepBegan,
            Change::Text(Edit::Appended("Look".into())),
            Change::Text(Edit::Appended("ing at".into())),
            Change::Text(Edit::Replaced("Found it".into())),
        ]
    );
}

#[test]
fn snapshots_are_numbered_by_step() {
    let (transcript, _) = fold(&[
        event("stream_start", "{}"),
        snapshot("one", 9),
        event("stream_start", "{}"),
        snapshot("two", 1),
    ]);
    assert_eq!(transcript.text(), "one\n\ntwo");
}

#[test]
fn the_final_content_wins_unless_empty() {
    let (transcript, changes) = fold(&[
        text_chunk("helo"),
        event("stream_end", r#"{"finalContent":"hello"}"#),
    ]);
    assert_eq!(transcript.text(), "hello");
    assert_eq!(
        changes.last(),
        Some(&Change::Text(Edit::Replaced("hello".into())))
    );

    for empty in ["{}", r#"{"finalContent":""}"#, "null"] {
        let (transcript, _) = fold(&[text_chunk("kept"), event("stream_end", empty)]);
        assert_eq!(transcript.text(), "kept", "{empty}");
    }
}

#[test]
fn a_hole_in_the_pieces_is_filled_by_the_final_content() {
    let (transcript, changes) = fold(&[
        text_chunk("The answer"),
        event("stream_end", r#"{"finalContent":"The answer is 4."}"#),
    ]);
    assert_eq!(transcript.text(), "The answer is 4.");
    assert_eq!(
        changes.last(),
        Some(&Change::Text(Edit::Appended(" is 4.".into())))
    );
}

#[test]
fn a_retry_voids_the_steps_answer_and_its_calls_but_no_earlier_step() {
    let (transcript, changes) = fold(&[
        event("step_start", "{}"),
        event("stream_start", "{}"),
        text_chunk("kept"),
        event("step_start", "{}"),
        event("stream_start", "{}"),
        text_chunk("void"),
        calls(&["a"]),
        example("stream_retry.1"),
        event("stream_start", "{}"),
        text_chunk("again"),
    ]);
    assert_eq!(transcript.steps().len(), 2);
    assert_eq!(transcript.text(), "kept\n\nagain");
    assert!(transcript.tools().is_empty());
    assert!(changes.contains(&Change::AnswerDiscarded {
        attempt: Some(2),
        max_attempts: Some(3),
        delay: Some(1500),
    }));
}

#[test]
fn a_list_of_calls_is_the_full_list() {
    let (transcript, changes) = fold(&[calls(&["a", "b"]), calls(&["b", "c"])]);
    let ids: Vec<&str> = transcript
        .tools()
        .iter()
        .map(|tool| tool.call.as_str())
        .collect();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!(
        transcript.steps()[0].calls,
        [ToolCallId::from("b"), ToolCallId::from("c")]
    );
    assert_eq!(
        show(&changes),
        "StepBegan; Asked a; Asked b; Dropped a; Asked c"
    );
}

#[test]
fn calls_that_are_dropped_leave_the_others_in_their_order_and_found() {
    let start = |id: &str| {
        event(
            "tool_start",
            &format!(r#"{{"toolCalling":{{"id":"{id}"}}}}"#),
        )
    };
    let (mut transcript, _) = fold(&[
        calls(&["a", "b", "c", "d", "e"]),
        start("b"),
        start("other"),
        calls(&["d"]),
    ]);
    let known = |transcript: &Transcript| {
        let tools = transcript.tools().iter();
        let known: Vec<String> = tools.map(|tool| tool.call.to_string()).collect();
        for call in &known {
            let call = ToolCallId::from(call.as_str());
            assert_eq!(transcript.tool(&call).map(|tool| &tool.call), Some(&call));
        }
        known
    };
    assert_eq!(known(&transcript), ["b", "d", "other"]);
    assert_eq!(transcript.tool(&ToolCallId::from("a")), None);
    // A stored one goes on alike.
    let stored = serde_json::to_string(&transcript).unwrap();
    let mut woken: Transcript = serde_json::from_str(&stored).unwrap();
    assert_eq!(woken, transcript);
    for event in [calls(&["a"]), start("a"), calls(&["c"]), calls(&[])] {
        assert_eq!(woken.apply(&event), transcript.apply(&event));
    }
    assert_eq!(known(&transcript), ["b", "other", "a"]);
    let asked = ["b", "a"].map(ToolCallId::from);
    assert_eq!(transcript.steps()[0].calls, asked);
    assert_eq!(woken, transcript);
}

#[test]
fn a_call_that_has_begun_outlives_a_list_without_it() {
    let start = r#"{"toolCalling":{"id":"a","identifier":"demo","apiName":"act"}}"#;
    let (transcript, _) = fold(&[calls(&["a"]), event("tool_start", start), calls(&["b"])]);
    assert_eq!(transcript.tools().len(), 2);
}

#[test]
fn a_known_row_stays_though_a_later_list_leaves_it_out() {
    let (transcript, _) = fold(&[
        example("chunk.tools_calling.second"),
        example("chunk.tools_calling"),
    ]);
    let tool = transcript.tool(&ToolCallId::from("call_A1")).unwrap();
    assert_eq!(tool.row.as_ref().map(|row| row.as_str()), Some("msg_t1"));
}

#[test]
fn a_tool_goes_from_the_asking_to_its_result() {
    let (transcript, changes) = fold(&[
        example("chunk.tools_calling"),
        example("tool_start.server"),
        example("tool_end.ok"),
    ]);
    let tool = transcript.tool(&ToolCallId::from("call_A1")).unwrap();
    assert_eq!(&*tool.name(), "lobe-web-browsing/search");
    assert_eq!(tool.stage, ToolStage::Succeeded);
    assert_eq!(tool.content.as_deref(), Some("3 results"));
    assert_eq!(tool.execution_time, Some(842));
    assert_eq!(
        show(&changes),
        "StepBegan; Asked call_A1; Started call_A1; Settled call_A1"
    );
}

#[test]
fn a_failed_tool_says_why_and_the_run_goes_on() {
    let (transcript, changes) = fold(&[example("tool_execute.seed"), example("tool_end.failed")]);
    let tool = transcript.tool(&ToolCallId::from("call_A2")).unwrap();
    assert!(tool.by_client);
    assert_eq!(tool.stage, ToolStage::Failed);
    assert_eq!(tool.error.as_deref(), Some("Tool execution timed out"));
    assert!(transcript.failures().is_empty());
    assert_eq!(show(&changes), "Started call_A2; Settled call_A2");
}

#[test]
fn an_order_to_the_client_after_the_start_is_the_same_start() {
    let (_, changes) = fold(&[
        event("tool_start", r#"{"toolCalling":{"id":"call_A2"}}"#),
        example("tool_execute.seed"),
    ]);
    assert_eq!(show(&changes), "Started call_A2");
}

#[test]
fn a_content_told_before_or_after_the_flat_end_is_kept() {
    let (transcript, changes) = fold(&[
        example("tool_start.hetero"),
        example("tool_result.ok"),
        example("tool_end.hetero_flat"),
    ]);
    let tool = &transcript.tools()[0];
    assert_eq!(tool.content.as_deref(), Some("a.rs\nb.rs"));
    assert_eq!(show(&changes), "Started toolu_1; Settled toolu_1");

    let (transcript, changes) = fold(&[
        example("tool_start.hetero"),
        example("tool_end.hetero_flat"),
        example("tool_result.ok"),
    ]);
    assert_eq!(transcript.tools()[0].content.as_deref(), Some("a.rs\nb.rs"));
    assert_eq!(
        show(&changes),
        "Started toolu_1; Settled toolu_1; Content toolu_1"
    );
}

#[test]
fn a_tools_state_is_replaced_by_number_until_its_end() {
    let state = |sequence: u64| {
        event(
            "stream_chunk",
            &format!(
                r#"{{"chunkType":"tool_state","toolCallId":"toolu_1","pluginState":{{"n":{sequence}}},"snapshotMode":"replace","snapshotSeq":{sequence}}}"#
            ),
        )
    };
    let (transcript, changes) = fold(&[
        example("tool_start.hetero"),
        state(2),
        state(1),
        example("tool_end.hetero_flat"),
        state(3),
    ]);
    let kept = transcript.tools()[0].state.as_ref().map(RawJson::as_str);
    assert_eq!(kept, Some(r#"{"n":2}"#));
    assert_eq!(
        show(&changes),
        "Started toolu_1; State toolu_1; Settled toolu_1"
    );
}

#[test]
fn a_call_waits_for_a_person_and_goes_on_when_approved() {
    let (transcript, changes) = fold(&[
        example("step_start.human_approval"),
        example("chunk.tools_calling.pending_approval"),
        example("end.waiting_for_human"),
        example("tool_start.resume_approved"),
    ]);
    let tool = &transcript.tools()[0];
    assert_eq!(tool.row.as_ref().map(|row| row.as_str()), Some("msg_t7"));
    assert_eq!(
        show(&changes),
        "Waiting call_B7; StepBegan; Ended; EndVoided; Started call_B7"
    );
}

#[test]
fn a_question_is_open_until_anybody_answers_it() {
    let (transcript, changes) = fold(&[
        example("intervention_request.old"),
        example("intervention_response.result"),
        example("intervention_response.result"),
    ]);
    assert_eq!(transcript.tools()[0].stage, ToolStage::Running);
    assert_eq!(show(&changes), "Waiting toolu_Q1; Started toolu_Q1");
}

#[test]
fn usage_is_never_added_across_its_sources() {
    let told = |total_tokens, input_tokens, output_tokens, cost| Usage {
        input_tokens,
        output_tokens,
        total_tokens,
        cost,
    };
    let (transcript, _) = fold(&[example("stream_end.final"), example("stream_end.tools")]);
    assert_eq!(transcript.usage(), told(973, 812, 41, Some(3_100_000)));

    let turn = example("step_complete.turn_metadata");
    let (transcript, _) = fold(&[turn.clone(), turn.clone()]);
    assert_eq!(transcript.usage(), told(1_920, 1_800, 120, None));

    let (transcript, _) = fold(&[turn.clone(), example("step_complete.result_usage"), turn]);
    assert_eq!(
        transcript.usage(),
        told(2_340, 2_100, 240, Some(41_200_000))
    );
}

#[test]
fn s1_sub_threads_and_other_operations_change_nothing() {
    let mut transcript = Transcript::new(OperationId::from(OWN));
    for name in [
        "chunk.tools_calling.subagent",
        "tool_result.state",
        "end.mirrored_member",
    ] {
        assert_eq!(transcript.apply(&example(name)), [], "{name}");
    }
    assert_eq!(transcript, Transcript::new(OperationId::from(OWN)));
}

#[test]
fn the_same_failure_told_on_two_levels_is_one() {
    let (transcript, changes) = fold(&[
        example("error.llm"),
        example("error.step"),
        example("end.error"),
    ]);
    assert_eq!(transcript.failures().len(), 1);
    assert_eq!(&*transcript.failures()[0].text, "Rate limit reached");
    assert_eq!(changes, [Change::Failed, Change::Ended]);
}

#[test]
fn the_first_end_counts_and_what_trails_it_does_not_void_it() {
    let (transcript, changes) = fold(&[
        example("end.hetero_cancelled"),
        example("end.hetero_finish"),
        example("step_complete.native"),
    ]);
    let ending = transcript.ending().unwrap();
    assert_eq!(ending.reason, Some(EndReason::Cancelled));
    assert_eq!(changes, [Change::Ended]);
}

#[test]
fn s2_an_end_is_void_if_the_run_was_started_again() {
    let (transcript, changes) = fold(&[
        example("end.done_old"),
        event("step_start", "{}"),
        text_chunk("more"),
    ]);
    assert_eq!(transcript.ending(), None);
    assert_eq!(
        changes,
        [
            Change::Ended,
            Change::EndVoided,
            Change::StepBegan,
            Change::Text(Edit::Appended("more".into())),
        ]
    );
}

#[test]
fn a_tool_given_up_with_the_run_is_aborted() {
    let (transcript, changes) = fold(&[
        event("tool_start", r#"{"toolCalling":{"id":"call_B7"}}"#),
        example("step_start.tools_aborted"),
    ]);
    assert_eq!(transcript.tools()[0].stage, ToolStage::Aborted);
    assert_eq!(
        changes.last(),
        Some(&Change::Tool {
            call: ToolCallId::from("call_B7"),
            change: ToolChange::Aborted,
        })
    );
    assert_eq!(
        transcript.tools()[0].name().to_string(),
        "lobe-local-system/runCommand"
    );
}
