//! Whoever leaves a run leaves it free: the same client may pick it up again at once (S12, R7).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use agent_gateway_adapters::{AnswerError, Client, ClientError, Outcome, QueueLimits, Run, State};
use agent_gateway_machine::{
    Attach, Bookmark, DialId, Event, EventKind, Notification, Timestamp, ToolAnswer, transition,
};
use agent_gateway_protocol::{GatewayUrl, OperationId, ServerFrame};
use tokio::runtime::Builder;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::double::{Far, FarSocket, chunk, end, execute, ids, rest, started, tool_execute};

/// What it takes to pick this run up again.
fn again(run: &Run) -> Attach {
    let mut attach = Attach::new(run.operation().unwrap(), run.topic());
    attach.cursor = run.cursor().clone();
    attach
}

/// The next socket, to which the run has come back.
async fn resumed(sockets: &mut UnboundedReceiver<FarSocket>) -> (FarSocket, String) {
    let mut socket = sockets.recv().await.unwrap();
    socket.sent().await;
    socket.text(r#"{"type":"auth_success"}"#);
    let resume = socket.sent().await;
    socket.text(r#"{"type":"resume_complete","status":"running"}"#);
    (socket, resume)
}

#[tokio::test]
async fn s12_a_run_that_was_dropped_is_attached_to_at_once() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut old) = started(&client, &mut sockets).await;
    old.text(&chunk(1));
    while run.cursor().to_string() != "1" {
        run.next().await;
    }
    let attach = again(&run);
    drop(run);
    let mut run = client.attach(attach).await.unwrap();
    let (new, resume) = resumed(&mut sockets).await;
    assert!(resume.contains(r#""lastEventId":"1""#), "{resume}");
    old.gone().await;
    // What becomes of the old one is no matter of the new one.
    assert!(client.status(&"op_1".into()).is_some());
    new.text(&chunk(2));
    new.text(&end(3));
    assert_eq!(ids(&rest(&mut run).await), ["2", "3"]);
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn s12_a_run_that_was_stopped_and_dropped_is_stopped_and_attached_to_at_once() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, mut old) = started(&client, &mut sockets).await;
    let attach = again(&run);
    run.stop();
    drop(run);
    let mut run = client.attach(attach).await.unwrap();
    let (new, _) = resumed(&mut sockets).await;
    old.gone().await;
    new.text(&end(1).replace("done", "interrupted"));
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Interrupted);
    let interrupts = far.calls().into_iter().filter(|call| call.contains("rupt"));
    assert_eq!(interrupts.collect::<Vec<_>>(), ["interrupt_run"]);
}

/// The caller leaves the run but keeps it; its task has had no turn when the operation is attached to again.
async fn is_left_and_attached_to(leave: fn(&Client, &Run)) {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut left, mut old) = started(&client, &mut sockets).await;
    old.text(&chunk(1));
    while left.cursor().to_string() != "1" {
        left.next().await;
    }
    let bookmark = left.bookmark().unwrap().clone();
    leave(&client, &left);
    assert_eq!(client.status(&bookmark.operation), None);
    let mut run = client.attach(bookmark.clone()).await.unwrap();
    // Two sockets side by side: the gateway sends to both.
    old.text(&chunk(2));
    let (mut new, resume) = resumed(&mut sockets).await;
    assert!(resume.contains(r#""lastEventId":"1""#), "{resume}");
    client.interrupt(bookmark.operation.clone());
    assert_eq!(new.sent().await, r#"{"type":"interrupt"}"#);
    assert_eq!(ids(&rest(&mut left).await), [""; 0], "nothing twice");
    assert_eq!(left.outcome().await.unwrap().0, Outcome::Detached);
    assert_eq!(old.try_sent(), None);
    old.gone().await;
    // Whatever is done with what is left of the old one.
    left.detach();
    drop(left);
    assert!(client.status(&bookmark.operation).is_some());
    new.text(&chunk(2));
    new.text(&end(3));
    assert_eq!(ids(&rest(&mut run).await), ["2", "3"]);
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn s12_a_run_that_was_detached_from_is_attached_to_at_once() {
    is_left_and_attached_to(|_, run| run.detach()).await;
}

#[tokio::test]
async fn g2_an_operation_that_was_disconnected_is_attached_to_at_once() {
    is_left_and_attached_to(|client, run| client.disconnect(run.operation().unwrap())).await;
}

#[tokio::test]
async fn s12_a_run_that_was_stopped_and_detached_from_is_stopped_and_attached_to_at_once() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, mut old) = started(&client, &mut sockets).await;
    run.stop();
    run.detach();
    let mut again = client.attach(again(&run)).await.unwrap();
    let (new, _) = resumed(&mut sockets).await;
    old.gone().await;
    run.settled().await;
    new.text(&end(1).replace("done", "interrupted"));
    assert_eq!(again.outcome().await.unwrap().0, Outcome::Interrupted);
    let interrupts = far.calls().into_iter().filter(|call| call.contains("rupt"));
    assert_eq!(interrupts.collect::<Vec<_>>(), ["interrupt_run"]);
}

#[tokio::test]
async fn s12_a_run_that_was_dropped_while_it_starts_does_not_trouble_the_one_that_has_its_operation()
 {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let early = client.execute(execute()).await.unwrap();
    let handle = early.handle();
    drop(early);
    let mut run = client
        .attach(Attach::new("op_1".into(), Some("tpc_1".into())))
        .await
        .unwrap();
    let (socket, _) = resumed(&mut sockets).await;
    handle.settled().await;
    assert_eq!(
        far.calls()
            .iter()
            .filter(|call| **call == "start_run")
            .count(),
        1
    );
    socket.text(&end(1));
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn r8_of_two_runs_of_a_topic_the_one_that_was_dropped_leaves_the_other_alone() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (first, mut old) = started(&client, &mut sockets).await;
    let second = client.execute(execute()).await.unwrap();
    drop(first);
    let (new, _) = resumed(&mut sockets).await;
    old.gone().await;
    let mut second = second;
    new.text(&end(1).replace("op_1", "op_2"));
    assert_eq!(second.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn r8_a_restored_run_has_its_topic() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (stored, _) = started(&client, &mut sockets).await;
    let (_, state) = stored.into_state().await;
    let state = state.unwrap();
    let mut restored = client.restore(state).await.unwrap();
    let (_again, _) = resumed(&mut sockets).await;
    let (_second, _new) = started(&client, &mut sockets).await;
    let (outcome, _) = tokio::select! {
        outcome = restored.outcome() => outcome.unwrap(),
        () = async { for _ in 0..1_000 { tokio::task::yield_now().await } } => panic!("it goes on"),
    };
    assert!(
        matches!(outcome, Outcome::Superseded { by: Some(_) }),
        "{outcome}"
    );
}

/// What was told and not read is not lost with it.
#[tokio::test]
async fn s11_who_takes_a_run_away_that_is_over_is_given_its_end() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, socket) = started(&client, &mut sockets).await;
    socket.text(&chunk(1));
    socket.text(&end(2));
    run.settled().await;
    let (unread, state) = run.into_state().await;
    assert_eq!(state, None);
    let names: Vec<_> = unread.iter().map(Notification::name).collect();
    let last = ["event_received", "event_received", "run_ended"];
    let of_interest = names.iter().filter(|name| last.contains(name));
    assert!(of_interest.eq(&last), "{names:?}");
}

/// Each answer that is refused is told as a notification too, and nobody reads them.
#[tokio::test]
async fn i13_who_answers_and_does_not_read_is_refused() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let queue = QueueLimits::default();
    let client = builder.queue(queue).build().unwrap();
    let (run, _socket) = started(&client, &mut sockets).await;
    let mut refused = None;
    for _ in 0..=2 * queue.notifications {
        let answered = run.answer_confirmation("call_1".into(), true).await;
        refused = answered.err();
        if refused == Some(AnswerError::NoRoom) {
            break;
        }
    }
    assert_eq!(refused, Some(AnswerError::NoRoom));
    assert!(run.handle().snapshot().waiting <= 2 * queue.notifications);
}

/// Looks, at the moment it is woken, whether the operation is free.
struct Looks {
    client: Client,
    operation: OperationId,
    found_free: AtomicBool,
    woken: AtomicBool,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let is_free = self.client.status(&self.operation).is_none();
        self.found_free.store(is_free, Ordering::Relaxed);
        self.woken.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn s12_the_operation_of_a_run_that_is_taken_away_is_free_before_its_state_is_there() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, mut socket) = started(&client, &mut sockets).await;
    let looks = Arc::new(Looks {
        client: client.clone(),
        operation: run.operation().unwrap(),
        found_free: AtomicBool::default(),
        woken: AtomicBool::default(),
    });
    let waker = looks.clone().into();
    let mut context = Context::from_waker(&waker);
    let mut leaving = Box::pin(run.into_state());
    assert!(leaving.as_mut().poll(&mut context).is_pending());
    while !looks.woken.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
    }
    assert!(looks.found_free.load(Ordering::Relaxed));
    let Poll::Ready((_, Some(state))) = leaving.as_mut().poll(&mut context) else {
        panic!("it was woken for nothing");
    };
    let mut run = client.restore(state).await.unwrap();
    let (new, _) = resumed(&mut sockets).await;
    socket.gone().await;
    new.text(&end(1));
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
}

#[test]
fn s12_a_run_whose_runtime_has_shut_down_is_dropped_anywhere_and_attached_to_from_another() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (run, _socket) = first.block_on(started(&client, &mut sockets));
    let attach = again(&run);
    drop(first);
    drop(run);
    runtime().block_on(async {
        let mut run = client.attach(attach).await.unwrap();
        let (socket, _) = resumed(&mut sockets).await;
        socket.text(&end(1));
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    });
}

async fn requested(run: &mut Run) -> String {
    loop {
        if let Some(Notification::ToolRequested { call, .. }) = run.next().await {
            return call.tool_call_id.to_string();
        }
    }
}

#[tokio::test]
async fn t1_a_call_whose_program_crashed_is_asked_of_the_next_one() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    socket.text(&tool_execute(1, "call_1"));
    assert_eq!(requested(&mut run).await, "call_1");
    let stored = serde_json::to_string(run.bookmark().unwrap()).unwrap();
    drop((run, client));

    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let bookmark: Bookmark = serde_json::from_str(&stored).unwrap();
    let mut run = client.attach(bookmark).await.unwrap();
    let (mut socket, _) = resumed(&mut sockets).await;
    assert_eq!(requested(&mut run).await, "call_1");
    assert_eq!(run.cursor().to_string(), "1");
    let answered = run.answer_tool("call_1".into(), ToolAnswer::success("done"));
    assert_eq!(answered.await, Ok(()));
    assert!(socket.sent().await.contains("tool_result"));
}

#[tokio::test]
async fn t1_who_goes_away_in_good_order_is_asked_again_and_once() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, socket) = started(&client, &mut sockets).await;
    socket.text(&tool_execute(1, "call_1"));
    while run.receipt().delivered == 0 {
        tokio::task::yield_now().await;
    }
    let (unread, state) = run.into_state().await;
    let state = state.unwrap();
    assert!(unread.iter().any(|told| told.name() == "event_received"));
    assert!(!unread.iter().any(|told| told.name() == "tool_requested"));
    let mut run = client.restore(state).await.unwrap();
    let open = &run.bookmark().unwrap().open_calls;
    assert_eq!(open[0].tool_call_id.as_str(), "call_1");
    let _socket = resumed(&mut sockets).await;
    assert_eq!(requested(&mut run).await, "call_1");
}

#[tokio::test]
async fn t2_who_only_waits_for_the_outcome_executes_nothing_and_says_so() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    let server = async {
        socket.text(&tool_execute(1, "call_1"));
        let result = socket.sent().await;
        assert!(result.contains("executor_not_found"), "{result}");
        socket.text(&end(2));
    };
    let (outcome, ()) = tokio::join!(run.outcome(), server);
    assert_eq!(outcome.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn c1_a_stored_state_does_not_say_where_a_credential_goes() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, _socket) = started(&client, &mut sockets).await;
    let (_, state) = run.into_state().await;
    let state = state.unwrap();
    let own = state.config().gateway.clone().unwrap().to_string();
    let changed = serde_json::to_string(&state).unwrap();
    let changed = changed.replace(&own, "wss://elsewhere.example");
    let changed: State = serde_json::from_str(&changed).unwrap();
    let refused = client.restore(changed.clone()).await.unwrap_err();
    assert!(
        matches!(refused.why, ClientError::OtherGateway { .. }),
        "{refused}"
    );
    assert_eq!(*refused.state, changed, "it is not lost");
    let stored = serde_json::to_string(&state).unwrap();
    let changed = stored.replace(
        r#""server":null"#,
        r#""server":"https://elsewhere.example""#,
    );
    let changed: State = serde_json::from_str(&changed).unwrap();
    let refused = client.restore(changed).await.unwrap_err();
    assert!(
        matches!(refused.why, ClientError::OtherServer { .. }),
        "{refused}"
    );
    assert!(sockets.try_recv().is_err(), "nothing is dialled");
}

/// It dials no more, and what it still tidies up goes to the client's own server.
#[tokio::test]
async fn r6_a_run_that_is_over_is_tidied_up_by_a_client_of_any_gateway() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (run, _socket) = started(&client, &mut sockets).await;
    let (_, state) = run.into_state().await;
    let tell = |state: State, text: &str| {
        let told = EventKind::FrameReceived {
            dial: DialId(1),
            frame: ServerFrame::decode(text).unwrap(),
        };
        transition(state, Event::new(Timestamp::ZERO, told)).0
    };
    let resumed = r#"{"type":"resume_complete","status":"running"}"#;
    let state = tell(tell(state.unwrap(), resumed), &end(1));
    assert_eq!(state.outcome(), Some(&Outcome::Completed));
    assert!(!state.is_settled());

    let (builder, mut sockets) = far.client();
    let elsewhere = GatewayUrl::parse("wss://elsewhere.example").unwrap();
    let client = builder.gateway(elsewhere).build().unwrap();
    let mut run = client.restore(state).await.unwrap();
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
    run.settled().await;
    assert_eq!(far.calls().last(), Some(&"settle_marker"));
    assert!(sockets.try_recv().is_err(), "nothing is dialled");
}
