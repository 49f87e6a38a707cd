//! A run as its caller sees it, against test doubles of the transport and the API.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::double::{Far, chunk, end, execute, ids, rest, started, tool_execute};
use agent_gateway_adapters::{AnswerError, Api, ClientError, Observer, QueueLimits, Vault};
use agent_gateway_machine::recording::{Header, Recording};
use agent_gateway_machine::{
    Attach, Call, ConnectionStatus, Effects, Event, Notification, Outcome, Reply, RequestFailure,
    State, ToolAnswer,
};
use agent_gateway_protocol::api::GlobalConfig;
use async_trait::async_trait;
use tokio::time::timeout;

fn queue(notifications: usize, bytes: usize) -> QueueLimits {
    let mut queue = QueueLimits::default();
    queue.notifications = notifications;
    queue.bytes = bytes;
    queue
}

#[tokio::test]
async fn a_run_is_started_streamed_and_settled() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    for id in 1..=3 {
        socket.text(&chunk(id));
    }
    socket.text(&end(4));
    let told = rest(&mut run).await;
    assert_eq!(ids(&told), ["1", "2", "3", "4"]);
    assert_eq!(run.cursor().to_string(), "4");
    let (outcome, receipt) = run.outcome().await.unwrap();
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(receipt.delivered, 4);
    run.settled().await;
    assert!(socket.gone().await.is_some());
    assert_eq!(far.calls(), ["start_run", "settle_marker"]);
    assert_eq!(run.next().await, None);
}

#[tokio::test]
async fn s12_dropping_a_run_detaches_and_leaves_it_going() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, mut socket) = started(&client, &mut sockets).await;
    let handle = run.handle();
    drop(run);
    handle.settled().await;
    socket.gone().await;
    assert_eq!(far.calls(), ["start_run"]);
}

#[tokio::test]
async fn an_execute_that_is_dropped_before_it_is_done_has_started_nothing() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    let client = builder.build().unwrap();
    drop(client.execute(execute()));
    tokio::task::yield_now().await;
    assert_eq!(far.calls(), [""; 0]);
    assert_eq!(far.dials.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn c5_a_slow_reader_stops_the_socket_and_loses_nothing() {
    const EVENTS: u64 = 100;
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let queue = queue(8, 1 << 20);
    let client = builder.queue(queue).build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    socket.text(&tool_execute(1, "call_1"));
    for id in 2..EVENTS {
        socket.text(&chunk(id));
    }
    socket.text(&end(EVENTS));
    // Nobody reads: most of it stays on the wire, however long we wait.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(socket.unread() > 80, "{} unread", socket.unread());
    let snapshot = run.snapshot();
    assert!(snapshot.paused && snapshot.waiting >= 8, "{snapshot:?}");
    assert!(snapshot.waiting_bytes > 0 && snapshot.receipt.delivered > 0);
    assert_eq!(snapshot.operation, Some("op_1".into()));
    // What is sent does not wait for what is not read.
    run.answer_tool("call_1".into(), ToolAnswer::success("ok"))
        .await
        .unwrap();
    assert!(socket.sent().await.contains(r#""toolCallId":"call_1""#));
    assert!(socket.unread() > 80);
    let told = rest(&mut run).await;
    let wanted: Vec<String> = (1..=EVENTS).map(|id| id.to_string()).collect();
    assert_eq!(ids(&told), wanted);
    assert_eq!(run.outcome().await.unwrap().1.reconnects, 0);
}

#[tokio::test]
async fn c5_the_queue_is_bounded_in_bytes_too() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let queue = queue(usize::MAX, 200);
    let client = builder.queue(queue).build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    for id in 1..=50 {
        socket.text(&chunk(id));
    }
    socket.text(&end(51));
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(socket.unread() > 40, "{} unread", socket.unread());
    assert_eq!(ids(&rest(&mut run).await).len(), 51);
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_nothing_holds_one() {
    for (notifications, bytes) in [(0, 200), (200, 0)] {
        let far = Far::default();
        let (builder, mut sockets) = far.client();
        let queue = queue(notifications, bytes);
        let client = builder.queue(queue).build().unwrap();
        let mut run = client.execute(execute()).await.unwrap();
        let far_side = async {
            let socket = sockets.recv().await.unwrap();
            socket.text(r#"{"type":"auth_success"}"#);
            socket.text(r#"{"type":"resume_complete","status":"running"}"#);
            socket.text(&chunk(1));
            socket.text(&end(2));
            socket
        };
        let both = async { tokio::join!(far_side, rest(&mut run)) };
        let (_socket, told) = timeout(Duration::from_secs(600), both).await.unwrap();
        assert_eq!(ids(&told), ["1", "2"]);
    }
}

#[tokio::test]
async fn t2_an_answer_is_accepted_once() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    socket.text(&tool_execute(1, "call_1"));
    while !matches!(run.next().await, Some(Notification::ToolRequested { .. })) {}
    let answer = || ToolAnswer::success("ok");
    let never = run.answer_tool("call_2".into(), answer()).await;
    assert_eq!(never, Err(AnswerError::NeverAsked));
    assert_eq!(run.answer_tool("call_1".into(), answer()).await, Ok(()));
    let again = run.answer_tool("call_1".into(), answer()).await;
    assert_eq!(again, Err(AnswerError::AlreadyAnswered));
    assert!(socket.sent().await.contains(r#""type":"tool_result""#));
    socket.text(&end(2));
    run.outcome().await.unwrap();
    run.settled().await;
    let late = run.answer_tool("call_1".into(), answer()).await;
    assert_eq!(late, Err(AnswerError::RunOver));
}

#[tokio::test]
async fn r5_stop_is_asked_over_http_and_the_end_still_comes() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    run.stop();
    while !matches!(run.next().await, Some(Notification::StopAccepted)) {}
    socket.text(&end(1).replace("done", "interrupted"));
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Interrupted);
    run.settled().await;
    let calls = far.calls();
    assert_eq!(calls, ["start_run", "interrupt_run", "settle_marker"]);
}

/// What an observer saw, and what a recorder wrote.
#[derive(Clone, Default)]
struct Seen {
    began: Arc<AtomicUsize>,
    effects: Arc<Mutex<Vec<Effects>>>,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Observer for Seen {
    fn began(&mut self, _: &Header) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    fn observed(&mut self, _: &Event, effects: &Effects) {
        self.effects.lock().unwrap().push(effects.clone());
    }
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn g3_a_run_that_is_refused_leaves_no_recording() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    let seen = Seen::default();
    let (observer, recorder) = (seen.clone(), seen.clone());
    let client = builder
        .gateway_mode(false)
        .observe(move || observer.clone())
        .record(move || Ok(recorder.clone()))
        .build()
        .unwrap();
    let refused = client.execute(execute()).await.unwrap_err();
    assert!(matches!(refused, ClientError::SwitchedOff), "{refused}");
    assert_eq!(seen.began.load(Ordering::Relaxed), 0);
    assert_eq!(*seen.text.lock().unwrap(), [0; 0]);
}

#[tokio::test]
async fn i15_a_recording_replays_to_the_effects_seen_and_i17_holds_no_token() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let seen = Seen::default();
    let (observer, recorder) = (seen.clone(), seen.clone());
    let client = builder
        .observe(move || observer.clone())
        .record(move || Ok(recorder.clone()))
        .build()
        .unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    socket.text(&chunk(1));
    socket.text("no frame");
    socket.cut();
    let mut socket = sockets.recv().await.unwrap();
    socket.sent().await;
    socket.text(r#"{"type":"auth_success"}"#);
    assert!(socket.sent().await.contains(r#""lastEventId":"1""#));
    socket.text(&end(2));
    socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    run.settled().await;

    let text = String::from_utf8(seen.text.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("secret"), "{text}");
    let (recording, torn) = Recording::parse(&text).unwrap();
    assert_eq!(torn, None);
    assert_eq!(recording.first_difference(), Ok(None));
    let recorded: Vec<Effects> = recording
        .steps
        .into_iter()
        .map(|step| step.effects)
        .collect();
    assert_eq!(recorded, *seen.effects.lock().unwrap());
}

#[tokio::test]
async fn i17_a_gateway_that_repeats_the_token_gets_it_into_no_outcome_and_no_recording() {
    let error = r#"{"type":"agent_event","id":"1","event":{"type":"error","operationId":"op_1","data":{"message":"no a.secret.token here"}}}"#;
    let escaped = r#"{"type":"agent_event","id":"1","event":{"type":"error","operationId":"op_1","data":{"message":"no a.\u0073ecret.token here"},"more":"a.secret.token"}}"#;
    for frames in [
        [
            r#"{"type":"auth_failed","reason":"bad token a.secret.token"}"#,
            "",
        ],
        [error, r#"{"type":"session_complete","id":"2"}"#],
        [escaped, r#"{"type":"session_complete","id":"2"}"#],
    ] {
        let far = Far::default();
        let (builder, mut sockets) = far.client();
        let seen = Seen::default();
        let recorder = seen.clone();
        let client = builder
            .record(move || Ok(recorder.clone()))
            .build()
            .unwrap();
        let (mut run, socket) = started(&client, &mut sockets).await;
        frames
            .iter()
            .filter(|frame| !frame.is_empty())
            .for_each(|frame| socket.text(frame));
        let told = rest(&mut run).await;
        let (outcome, _) = run.outcome().await.unwrap();
        run.settled().await;
        let shown = format!("{told:?} {outcome:?} {outcome}");
        assert!(shown.contains("***"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        let text = String::from_utf8(seen.text.lock().unwrap().clone()).unwrap();
        assert!(text.contains("***") && !text.contains("secret"), "{text}");
    }
}

/// The far side, which calls a run by the token that opens it.
struct Telltale(Far);

#[async_trait]
impl Api for Telltale {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        let mut reply = self.0.send(call, vault).await;
        if let Reply::Started(started) = &mut reply {
            started.operation = "op a.secret.token".into();
            started.user_message = Some("msg a.secret.token".into());
        }
        reply
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        self.0.global_config().await
    }
}

#[tokio::test(start_paused = true)]
async fn i17_no_name_of_a_servers_own_brings_the_token_into_a_recording() {
    for frame in [
        r#"{"type":"a.secret.token","id":"1"}"#,
        r#"{"type":"news","id":"1","of":"a.secret.token"}"#,
        r#"{"type":"agent_event","id":"1","event":{"type":"a.secret.token","operationId":"op_1"}}"#,
        r#"{"type":"status_change","id":"1","status":"a.secret.token"}"#,
        r#"{"type":"resume_complete","status":"a.secret.token"}"#,
        r#"{"type":"session_complete","summary":"a.secret.token"}"#,
    ] {
        let far = Far::default();
        let (builder, mut sockets) = far.client();
        let seen = Seen::default();
        let recorder = seen.clone();
        let client = builder
            .api(Arc::new(Telltale(far.clone())))
            .record(move || Ok(recorder.clone()))
            .build()
            .unwrap();
        let (mut run, socket) = started(&client, &mut sockets).await;
        socket.text(frame);
        socket.text(r#"{"type":"auth_failed","reason":"over"}"#);
        rest(&mut run).await;
        run.settled().await;
        let text = String::from_utf8(seen.text.lock().unwrap().clone()).unwrap();
        assert!(
            text.contains("op ***") && text.contains("msg ***"),
            "{text}"
        );
        assert!(!text.contains("secret"), "{text}");
    }
}

/// The far side, which never confirms that a marker is cleared.
struct Unsettled(Far);

#[async_trait]
impl Api for Unsettled {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        match call {
            Call::SettleMarker { .. } => std::future::pending().await,
            call => self.0.send(call, vault).await,
        }
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        self.0.global_config().await
    }
}

#[tokio::test]
async fn r6_a_run_stored_while_it_settles_still_knows_its_end_and_tells_it_no_second_time() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder
        .api(Arc::new(Unsettled(far.clone())))
        .build()
        .unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    socket.text(&end(1));
    let ended = run.outcome().await.unwrap();
    let state = run.handle().state().await.unwrap();
    drop((run, client));

    let (builder, _sockets) = far.client();
    let client = builder.build().unwrap();
    let mut run = client.restore(state).await.unwrap();
    assert_eq!(run.outcome().await, Ok(ended));
    assert_eq!(rest(&mut run).await, []);
    assert_eq!(far.calls(), ["start_run", "settle_marker"]);
}

#[tokio::test]
async fn a_run_that_cannot_be_recorded_does_not_begin() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    let full = || Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::StorageFull));
    let client = builder.record(full).build().unwrap();
    let error = client.execute(execute()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the run cannot be recorded: ")
    );
    assert_eq!(far.calls(), [""; 0]);
}

/// I13: a type, or an operation, can be as long as a frame, and waits with each event.
#[tokio::test]
async fn i13_what_waits_is_counted_with_all_its_texts() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, socket) = started(&client, &mut sockets).await;
    let long = "x".repeat(100_000);
    socket.text(&format!(
        r#"{{"type":"agent_event","id":"1","event":{{"type":"{long}","operationId":"{long}"}}}}"#
    ));
    while run.snapshot().receipt.delivered == 0 {
        tokio::task::yield_now().await;
    }
    let snapshot = run.snapshot();
    assert!(snapshot.waiting_bytes >= 200_000, "{snapshot:?}");
}

#[tokio::test]
async fn c13_a_reply_to_a_run_that_was_dropped_reaches_nobody() {
    let far = Far::default();
    let (builder, _sockets) = far.client();
    let client = builder.build().unwrap();
    let run = client.execute(execute()).await.unwrap();
    let handle = run.handle();
    drop(run);
    handle.settled().await;
    let late = handle.answer_tool("call_1".into(), ToolAnswer::success("ok"));
    assert_eq!(late.await, Err(AnswerError::RunOver));
}

#[tokio::test]
async fn r7_an_operation_that_a_live_run_owns_is_not_attached_to() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut first, socket) = started(&client, &mut sockets).await;
    let attach = || Attach::new("op_1".into(), Some("tpc_1".into()));
    let refused = client.attach(attach()).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Owned(owned) if *owned == "op_1".into()));
    // Nor is it carried on beside, and the state is not lost.
    let state = first.state().await.unwrap();
    let refused = client.restore(state.clone()).await.unwrap_err();
    assert!(matches!(&refused.why, ClientError::Owned(owned) if *owned == "op_1".into()));
    assert_eq!(*refused.state, state);
    // The first is untouched, and once it is over the operation is free.
    socket.text(&end(1));
    assert_eq!(first.outcome().await.unwrap().0, Outcome::Completed);
    let third = client.attach(attach()).await.unwrap();
    sockets.recv().await.unwrap();
    drop(third);
}

#[tokio::test]
async fn r8_the_run_started_later_has_the_topic() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut first, mut old) = started(&client, &mut sockets).await;
    let (mut second, new) = started(&client, &mut sockets).await;
    let by = Some("op_2".into());
    assert_eq!(first.outcome().await.unwrap().0, Outcome::Superseded { by });
    old.gone().await;
    new.text(&end(1).replace("op_1", "op_2"));
    assert_eq!(second.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn g2_runs_are_found_by_their_operation_and_unknown_ones_do_nothing() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    let connected = |notification: &Notification| {
        *notification == Notification::StatusChanged(ConnectionStatus::Connected)
    };
    while !connected(&run.next().await.unwrap()) {}
    assert_eq!(
        client.status(&"op_1".into()),
        Some(ConnectionStatus::Connected)
    );
    assert_eq!(client.status(&"op_9".into()), None);
    client.interrupt("op_9".into());
    client.disconnect("op_9".into());
    client.interrupt("op_1".into());
    assert_eq!(socket.sent().await, r#"{"type":"interrupt"}"#);
    client.disconnect("op_1".into());
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Detached);
    assert_eq!(client.status(&"op_1".into()), None);
}

#[tokio::test]
async fn a_stored_run_is_carried_on_by_another_client_where_it_stood() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    socket.text(&chunk(1));
    while run.cursor().to_string() != "1" {
        run.next().await;
    }
    let stored = serde_json::to_string(&run.state().await.unwrap()).unwrap();
    assert!(!stored.contains("secret"), "I17: {stored}");
    drop((run, client));
    socket.gone().await;

    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let state: State = serde_json::from_str(&stored).unwrap();
    let mut run = client.restore(state).await.unwrap();
    assert_eq!(run.cursor().to_string(), "1");
    let mut socket = sockets.recv().await.unwrap();
    assert!(socket.sent().await.contains("a.fresh.token"));
    socket.text(r#"{"type":"auth_success"}"#);
    assert!(socket.sent().await.contains(r#""lastEventId":"1""#));
    socket.text(&end(2));
    socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
    assert_eq!(ids(&rest(&mut run).await), ["2"]);
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    run.settled().await;
    assert!(run.state().await.is_none());
}
