//! Tool calls carried out by a [`Workbench`].

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::double::{Far, chunk, end, started, tool_execute};
use agent_gateway_adapters::{
    AnswerError, Notification, QueueLimits, ToolAnswer, ToolExecute, Workbench,
};
use agent_gateway_machine::{AnswerId, Millis, Outcome, Receipt};
use agent_gateway_protocol::Object;
use tokio::sync::{Semaphore, mpsc};

fn requested(call: &str, arguments: &str) -> Notification {
    Notification::ToolRequested {
        call: Box::new(ToolExecute {
            tool_call_id: call.into(),
            identifier: "fs".into(),
            api_name: "readFile".into(),
            arguments: arguments.into(),
            execution_timeout_ms: None,
            extra: Object::new(),
        }),
        deadline_in: Millis(119_500),
    }
}

async fn echo(call: ToolExecute) -> ToolAnswer {
    ToolAnswer::success(call.arguments)
}

/// The kind and the message of the failure.
fn failure(answer: &ToolAnswer) -> (&str, &str) {
    let error = answer.error.as_ref().unwrap();
    (error.kind.as_deref().unwrap(), &error.message)
}

/// A tool that never ends: says when it begins, and by the closed channel that it is gone.
fn endless() -> (Workbench, mpsc::UnboundedReceiver<()>) {
    let (begun, begins) = mpsc::unbounded_channel();
    let workbench = Workbench::new(move |_| {
        let begun = begun.clone();
        async move {
            let _ = begun.send(());
            let _held = begun;
            pending().await
        }
    });
    (workbench, begins)
}

#[tokio::test]
async fn t2_a_call_is_carried_out_beside_the_stream_and_answered() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let mut workbench = Workbench::new(move |_| {
        let gate = gate.clone();
        async move {
            let _ = gate.acquire().await;
            ToolAnswer::success("read")
        }
    });
    socket.text(&tool_execute(1, "call_1"));
    socket.text(&chunk(2));
    // The stream does not wait for the tool.
    loop {
        if let Notification::EventReceived(received) = workbench.next(&mut run).await.unwrap()
            && received.cursor.to_string() == "2"
        {
            break;
        }
    }
    opened.add_permits(1);
    let sent = tokio::select! {
        sent = socket.sent() => sent,
        told = workbench.next(&mut run) => panic!("{told:?}"),
    };
    assert!(sent.contains(r#""content":"read""#), "{sent}");
    socket.text(&end(3));
    while workbench.next(&mut run).await.is_some() {}
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
}

#[tokio::test]
async fn t6_work_that_is_not_wanted_any_more_is_dropped_where_it_stands() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    let (mut workbench, mut begins) = endless();
    socket.text(&tool_execute(1, "call_1"));
    tokio::select! {
        begun = begins.recv() => begun.unwrap(),
        () = async { while workbench.next(&mut run).await.is_some() {} } => panic!("it is over"),
    }
    socket.text(&end(2));
    let mut withdrawn = false;
    while let Some(told) = workbench.next(&mut run).await {
        withdrawn |= matches!(told, Notification::AnswerWithdrawn { .. });
    }
    assert!(withdrawn);
    // What is given up goes at its next turn. Closing would give up whatever is left.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(begins.len(), 0);
    // Of the two senders that of the call is gone; the other goes with the workbench.
    assert_eq!(begins.sender_strong_count(), 1);
}

#[tokio::test]
async fn a_call_whose_time_is_over_is_given_up_and_never_done() {
    for over in [
        Notification::ToolTimedOut {
            call: "call_1".into(),
        },
        Notification::AnswerWithdrawn {
            answer: AnswerId::Tool("call_1".into()),
        },
        Notification::RunEnded {
            outcome: Outcome::Detached,
            receipt: Box::new(Receipt::default()),
        },
    ] {
        let (mut workbench, mut begins) = endless();
        workbench.hear(&requested("call_1", "{}"));
        tokio::select! {
            begun = begins.recv() => begun.unwrap(),
            done = workbench.next_done() => panic!("{done:?}"),
        }
        workbench.hear(&over);
        tokio::select! {
            done = workbench.next_done() => panic!("{done:?}"),
            () = async { while begins.sender_strong_count() > 1 { tokio::task::yield_now().await } } => {}
        }
    }
}

#[tokio::test]
async fn t3_an_answer_that_is_too_large_becomes_one_that_says_so() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    let mut workbench = Workbench::new(|_| async { ToolAnswer::success("x".repeat(17 << 20)) });
    socket.text(&tool_execute(1, "call_1"));
    let sent = tokio::select! {
        sent = socket.sent() => sent,
        () = async { while workbench.next(&mut run).await.is_some() {} } => panic!("it is over"),
    };
    assert!(sent.len() < 1_000, "{} bytes", sent.len());
    assert!(sent.contains("too large"), "{sent}");
}

/// Together they are more than may wait for the run's driver, and one that finds no room is lost: the machine would answer its
/// call at the deadline. Time passes by itself where nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn t2_calls_that_are_done_at_the_same_time_are_answered_one_at_a_time() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    let mut workbench = Workbench::new(|_| async { ToolAnswer::success("x".repeat(12 << 20)) });
    for id in 1..=3 {
        socket.text(&tool_execute(id, &format!("call_{id}")));
    }
    let answers = async {
        for _ in 0..3 {
            let sent = socket.sent().await;
            assert!(sent.len() > 12 << 20, "{sent}");
        }
    };
    tokio::select! {
        () = answers => {}
        () = async { while workbench.next(&mut run).await.is_some() {} } => panic!("it is over"),
    }
}

#[tokio::test]
async fn broken_arguments_reach_no_tool_and_are_quoted_in_part() {
    let mut workbench = Workbench::new(echo);
    workbench.hear(&requested("call_1", &"x".repeat(1_000)));
    let done = workbench.next_done().await;
    let (kind, message) = failure(&done.answer);
    assert_eq!(
        (done.call.as_str(), kind),
        ("call_1", "arguments_parse_error")
    );
    assert!(
        message.ends_with(&format!(": {}", "x".repeat(200))),
        "{message}"
    );
}

#[tokio::test]
async fn empty_arguments_are_an_empty_object() {
    let mut workbench = Workbench::new(echo);
    workbench.hear(&requested("call_1", ""));
    assert_eq!(
        workbench.next_done().await.answer,
        ToolAnswer::success("{}")
    );
}

#[tokio::test]
async fn a_tool_that_panics_has_failed() {
    let mut workbench = Workbench::new(|call: ToolExecute| async move {
        assert!(&*call.arguments != "[]", "on purpose");
        ToolAnswer::success("fine")
    });
    workbench.hear(&requested("call_1", "[]"));
    let done = workbench.next_done().await;
    assert_eq!(done.call.as_str(), "call_1");
    assert_eq!(
        failure(&done.answer),
        ("client_tool_execution_error", "the tool panicked")
    );
    workbench.hear(&requested("call_2", "{}"));
    assert_eq!(
        workbench.next_done().await.answer,
        ToolAnswer::success("fine")
    );
}

#[tokio::test]
async fn i13_no_more_calls_than_allowed_work_at_once() {
    for (allowed, most) in [(None, 16), (Some(3), 3), (Some(0), 1)] {
        let (working, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let highest = peak.clone();
        let mut workbench = Workbench::new(move |_| {
            let (working, peak) = (working.clone(), peak.clone());
            async move {
                peak.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                working.fetch_sub(1, Ordering::SeqCst);
                ToolAnswer::success("done")
            }
        });
        if let Some(allowed) = allowed {
            workbench = workbench.at_once(allowed);
        }
        for number in 0..100 {
            workbench.hear(&requested(&format!("call_{number}"), "{}"));
        }
        for _ in 0..100 {
            workbench.next_done().await;
        }
        assert_eq!(highest.load(Ordering::SeqCst), most);
    }
}

#[tokio::test]
async fn i13_calls_past_the_bound_of_bytes_are_answered_at_once() {
    let (mut workbench, _begins) = endless();
    let big = format!("\"{}\"", "x".repeat(32 << 20));
    workbench.hear(&requested("call_0", &big));
    workbench.hear(&requested("call_1", &big));
    let refused = workbench.next_done().await;
    assert_eq!(refused.call.as_str(), "call_1");
    assert_eq!(failure(&refused.answer).0, "client_tool_execution_error");
    // What is given up makes room.
    workbench.hear(&Notification::ToolTimedOut {
        call: "call_0".into(),
    });
    workbench.hear(&requested("call_2", &big));
    tokio::select! {
        biased;
        done = workbench.next_done() => panic!("{done:?}"),
        () = async { for _ in 0..10 { tokio::task::yield_now().await } } => {}
    }
}

#[tokio::test]
async fn t2_an_answer_that_finds_no_room_is_kept_until_something_was_read() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let mut queue = QueueLimits::default();
    queue.notifications = 16;
    let client = builder.queue(queue).build().unwrap();
    let (mut run, _socket) = started(&client, &mut sockets).await;
    let mut workbench = Workbench::new(echo);
    workbench.hear(&requested("call_1", "{}"));
    let done = workbench.next_done().await;
    // Each is refused, which is told, and nobody reads it.
    let mut refused = AnswerError::NeverAsked;
    while refused == AnswerError::NeverAsked {
        let answered = run.answer_confirmation("call_1".into(), true).await;
        refused = answered.unwrap_err();
    }
    assert_eq!(refused, AnswerError::NoRoom);
    let given = workbench.give(&run, done.clone()).await;
    assert_eq!(given, Err(AnswerError::NoRoom));
    assert_eq!(workbench.next_done().await, done, "it is not lost");
    while run.snapshot().waiting > 0 {
        run.next().await.unwrap();
    }
    let given = workbench.give(&run, done).await;
    assert_eq!(given, Err(AnswerError::NeverAsked), "the run has heard it");
}

#[tokio::test]
async fn t1_a_call_that_is_asked_for_again_is_carried_out_once() {
    let mut workbench = Workbench::new(echo);
    workbench.hear(&requested("call_1", "{}"));
    workbench.hear(&requested("call_1", "{}"));
    workbench.next_done().await;
    let left = format!("{workbench:?}");
    assert!(left.contains("bytes: 0"), "{left}");
}
