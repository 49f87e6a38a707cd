use agent_gateway_machine::recording::header_line;
use agent_gateway_machine::{Effect, Effects, EventKind, Ignored};

use super::*;
use crate::script::{LIBRARY, Script, find};
use crate::trace::Trace;
use crate::world::World;

/// A script of the library, played: its header and steps as a recording writes them.
fn recorded(name: &str) -> String {
    let script = find(name).unwrap();
    let script = Script::parse(script.name, script.text).unwrap();
    let mut trace = Trace::default();
    let played = World::new(&script, script.seed).unwrap().play(&mut trace);
    header_line(&played.header) + &trace.to_json_lines()
}

fn view_of(text: &str) -> View {
    View::of(Session::parse(text).unwrap())
}

/// The kinds of the effect and of the event that a link ties.
fn tied<'a>(view: &'a View, link: &Link) -> (&'a str, &'a str) {
    let cause = &view.steps[link.cause.step].shown[link.cause.effect];
    (cause.kind, &view.steps[link.step].kind)
}

#[test]
fn an_answer_is_tied_to_what_it_answers() {
    let view = view_of(&recorded("tool_call"));
    let ties: Vec<_> = view.links.iter().map(|link| tied(&view, link)).collect();
    for tie in [
        ("start_run", "started"),
        ("open_connection", "connection_opened"),
        ("auth", "auth_success"),
        ("resume", "resume_complete"),
        ("tool_requested", "answer_tool"),
        ("tool_result", "tool_end"),
        ("settle_marker", "marker_cleared"),
    ] {
        assert!(ties.contains(&tie), "{tie:?} is not in {ties:?}");
    }
    let beats = view_of(&recorded("quiet_run"));
    let ties: Vec<_> = beats.links.iter().map(|link| tied(&beats, link)).collect();
    assert!(ties.contains(&("set_alarm", "alarm_rang")), "{ties:?}");
    assert!(ties.contains(&("heartbeat", "heartbeat_ack")), "{ties:?}");
}

#[test]
fn a_cause_is_before_its_answer_and_every_reply_has_one() {
    for script in LIBRARY {
        let view = view_of(&recorded(script.name));
        for link in &view.links {
            assert!(link.cause.step < link.step, "{}: {link:?}", script.name);
        }
        for (number, step) in view.steps.iter().enumerate() {
            let is_stale =
                |effect: &Effect| matches!(effect, Effect::Ignored(Ignored::StaleRequest(_)));
            if matches!(step.event, EventKind::ReplyReceived { .. })
                && !step.effects.iter().any(is_stale)
            {
                let links = view.links.iter().filter(|link| link.step == number);
                assert_eq!(links.count(), 1, "{}: {}", script.name, step.text);
            }
        }
    }
}

#[test]
fn what_lasts_at_the_same_time_has_different_rows() {
    for script in LIBRARY {
        let view = view_of(&recorded(script.name));
        for (index, span) in view.spans.iter().enumerate() {
            for other in &view.spans[index + 1..] {
                let apart = span.to.is_some_and(|to| to <= other.from);
                let same = span.lane == other.lane && span.row == other.row;
                assert!(apart || !same, "{}: {span:?} {other:?}", script.name);
            }
        }
    }
}

#[test]
fn a_socket_is_dialled_authenticated_and_lost() {
    let view = view_of(&recorded("cut_and_resumed"));
    let sockets: Vec<_> = view
        .spans
        .iter()
        .filter(|span| span.lane == Lane::Gateway)
        .map(|span| (span.label.as_str(), span.kind, span.end))
        .collect();
    assert_eq!(
        sockets,
        [
            ("dial#1", SpanKind::Dialling, Some(SpanEnd::Done)),
            ("dial#1", SpanKind::Authenticating, Some(SpanEnd::Done)),
            ("dial#1", SpanKind::Connected, Some(SpanEnd::Failed)),
            ("dial#2", SpanKind::Dialling, Some(SpanEnd::Done)),
            ("dial#2", SpanKind::Authenticating, Some(SpanEnd::Done)),
            ("dial#2", SpanKind::Connected, Some(SpanEnd::Dropped)),
        ]
    );
}

#[test]
fn a_step_says_what_it_changed_in_the_state() {
    let view = view_of(&recorded("good_run"));
    let step = |kind: &str| view.steps.iter().find(|step| step.kind == kind).unwrap();
    let changed = |kind: &str, path: &str| {
        let mut changes = step(kind).changes.iter();
        let change = changes.find(|Change(found, ..)| found == path);
        change.map(|Change(_, before, after)| (before.as_str(), after.as_str()))
    };
    assert_eq!(
        changed("auth_success", "published"),
        Some(("\"authenticating\"", "\"connected\""))
    );
    let beat = changed("auth_success", "timers.heartbeat").unwrap();
    assert_eq!(beat.0, "null");
    let (_, after) = changed("execute", "phase").unwrap();
    assert!(after.starts_with("{\"Starting\":"), "{after}");
    assert_eq!(step("auth_success").phase, "streaming");
    assert_eq!(step("auth_success").status, "connected");
}

#[test]
fn a_list_that_grows_or_is_replaced_is_told_shortly() {
    let mut found = Vec::new();
    let list = |numbers: &[u8]| serde_json::json!(numbers);
    change::compare("ids", &list(&[1, 2]), &list(&[1, 2, 3]), &mut found);
    change::compare("ids", &list(&[1, 2, 3]), &list(&[1, 9, 3]), &mut found);
    change::compare("ids", &list(&[]), &list(&[7; 20]), &mut found);
    let told: Vec<_> = found
        .iter()
        .map(|Change(path, before, after)| [path.as_str(), before, after])
        .collect();
    assert_eq!(
        told,
        [
            ["ids[2]", "", "3"],
            ["ids[1]", "2", "9"],
            ["ids", "0 elements", "20 elements"],
        ]
    );
}

#[test]
fn where_todays_machine_answers_differently_is_said() {
    let mut session = Session::parse(&recorded("good_run")).unwrap();
    let view = View::of(session.clone());
    assert_eq!(view.notes, [""; 0]);
    assert!(view.steps.iter().all(|step| step.today.is_none()));
    session.steps[2].effects = Effects::new();
    let view = View::of(session);
    assert!(view.steps[2].shown.is_empty());
    assert!(!view.steps[2].today.as_ref().unwrap().is_empty());
    let [note] = view.notes.as_slice() else {
        panic!("{:?}", view.notes);
    };
    assert!(
        note.contains("1 of these") && note.contains("step 3"),
        "{note}"
    );
}

#[test]
fn a_trace_without_a_header_is_shown_without_states() {
    let recording = recorded("good_run");
    let (_, trace) = recording.split_once('\n').unwrap();
    for verdict in [
        r#"{"script":"good_run","seed":1}"#,
        r#"{"seed":1,"script":"good_run"}"#,
    ] {
        let view = view_of(&format!("{trace}{verdict}\n"));
        assert_eq!(view.steps.len(), trace.lines().count());
    }
    let view = view_of(trace);
    assert!(view.steps.iter().all(|step| step.phase.is_empty()));
    assert!(
        view.notes[0].contains("without a header"),
        "{:?}",
        view.notes
    );
    assert_eq!(view.outcome.unwrap().0, "completed");
}

#[test]
fn a_torn_last_line_is_left_out_and_told() {
    let recording = recorded("good_run");
    let torn = &recording[..recording.len() - 5];
    let view = view_of(torn);
    assert_eq!(view.steps.len(), recording.lines().count() - 2);
    assert!(view.notes[0].contains("torn"), "{:?}", view.notes);
}

#[test]
fn what_is_no_session_is_refused_with_its_line() {
    let recording = recorded("good_run");
    let (header, steps) = recording.split_once('\n').unwrap();
    for (text, place, expected) in [
        ("", (1, 1), "it is empty"),
        ("\n \n", (1, 1), "it is empty"),
        ("{\"script\":\"x\"}\n", (1, 1), "no event in it"),
        ("{\"at\":0,\"kind\":\"stop\"}\n", (1, 22), "no recording"),
        ("not json\n", (1, 1), "no recording"),
        (
            &format!("{recording}{header}\n"),
            (recording.lines().count() + 1, 1),
            "second session",
        ),
        (
            &format!("{steps}{{\"script\":\"x\"}}\n{steps}"),
            (steps.lines().count() + 2, 1),
            "second session",
        ),
        (
            "{\"event\":{\"at\":0,\"kind\":\"dance\"},\"effects\":[]}\n",
            (1, 31),
            "unknown variant `dance`",
        ),
    ] {
        let error = Session::parse(text).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
        let error = error.to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
