//! Runs, over doubles of the transport and the API.

use std::sync::atomic::Ordering;

use agent_gateway_adapters::{Attach, Notification, Outcome, Run, ToolAnswer};
use futures_util::StreamExt;

use super::{for_every_number_of_polls, polled};
use crate::double::{Far, FarSocket, chunk, end, execute, ids, rest, started, tool_execute};

/// A run that is connected, with everything of its start read.
async fn connected(far: &Far) -> (Run, FarSocket) {
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    started(&client, &mut sockets).await
}

#[tokio::test]
async fn execute_has_started_nothing_or_one_run() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (builder, mut sockets) = far.asking_client();
        let client = builder.build().unwrap();
        let begun = polled(polls, client.execute(execute())).await;
        let is_done = begun.is_some();
        let starts = || far.calls().into_iter().filter(|call| *call == "start_run");
        if let Some(begun) = begun {
            let mut run = begun.unwrap();
            while run.operation().is_none() {
                run.next().await;
            }
            drop(sockets.recv().await);
        }
        assert_eq!(
            starts().count(),
            usize::from(is_done),
            "after {polls} polls"
        );
        // Either way the client is as good as new.
        let (mut run, socket) = started(&client, &mut sockets).await;
        let operation = run.operation().unwrap();
        socket.text(&end(1).replace("op_1", operation.as_str()));
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
        is_done
    });
}

#[tokio::test]
async fn attach_watches_once_or_leaves_the_operation_free() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (builder, mut sockets) = far.asking_client();
        let client = builder.build().unwrap();
        let attach = || Attach::new("op_1".into(), Some("tpc_1".into()));
        let (mut run, is_done) = match polled(polls, client.attach(attach())).await {
            Some(run) => (run.unwrap(), true),
            None => (client.attach(attach()).await.unwrap(), false),
        };
        let mut socket = sockets.recv().await.unwrap();
        assert!(socket.sent().await.contains("a.fresh.token"));
        socket.text(r#"{"type":"auth_success"}"#);
        socket.text(&end(1));
        socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
        assert_eq!(far.dials.load(Ordering::Relaxed), 1, "after {polls} polls");
        is_done
    });
}

#[tokio::test]
async fn restore_carries_a_run_on_once() {
    let far = Far::default();
    let (run, _socket) = connected(&far).await;
    let state = run.state().await.unwrap();
    drop(run);
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (builder, mut sockets) = far.client();
        let client = builder.build().unwrap();
        let (mut run, is_done) = match polled(polls, client.restore(state.clone())).await {
            Some(run) => (run.unwrap(), true),
            None => (client.restore(state.clone()).await.unwrap(), false),
        };
        let socket = sockets.recv().await.unwrap();
        socket.text(r#"{"type":"auth_success"}"#);
        socket.text(&end(1));
        socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
        assert_eq!(far.dials.load(Ordering::Relaxed), 1, "after {polls} polls");
        is_done
    });
}

/// Reads with futures that are dropped halfway, until the end; the frames come from a task of their own meanwhile.
async fn read_in_pieces(polls: usize, as_stream: bool) -> (Vec<Notification>, bool) {
    let far = Far::default();
    let (mut run, socket) = connected(&far).await;
    tokio::spawn(async move {
        for id in 1..=20 {
            socket.text(&chunk(id));
            tokio::task::yield_now().await;
        }
        socket.text(&end(21));
        socket
    });
    let (mut told, mut is_done) = (Vec::new(), true);
    loop {
        let next = if as_stream {
            polled(polls, StreamExt::next(&mut run)).await
        } else {
            polled(polls, Run::next(&mut run)).await
        };
        match next {
            Some(Some(notification)) => told.push(notification),
            Some(None) => return (told, is_done),
            None => {
                is_done = false;
                match run.next().await {
                    Some(notification) => told.push(notification),
                    None => return (told, false),
                }
            }
        }
    }
}

#[tokio::test]
async fn next_loses_and_doubles_nothing() {
    let wanted: Vec<String> = (1..=21).map(|id| id.to_string()).collect();
    for as_stream in [false, true] {
        for_every_number_of_polls!(async |polls| {
            let (told, is_done) = read_in_pieces(polls, as_stream).await;
            assert_eq!(ids(&told), wanted, "after {polls} polls");
            is_done
        });
    }
}

#[tokio::test]
async fn outcome_and_settled_can_be_asked_again() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (mut run, socket) = connected(&far).await;
        for id in 1..=5 {
            socket.text(&chunk(id));
        }
        socket.text(&end(6));
        let ended = polled(polls, run.outcome()).await;
        let settled = polled(polls, run.settled()).await;
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Completed);
        assert_eq!(run.outcome().await.unwrap().1.delivered, 6);
        run.settled().await;
        assert_eq!(far.calls(), ["start_run", "settle_marker"]);
        ended.is_some() && settled.is_some()
    });
}

#[tokio::test]
async fn t2_an_answer_is_given_however_long_its_verdict_is_waited_for() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (mut run, mut socket) = connected(&far).await;
        socket.text(&tool_execute(1, "call_1"));
        while !matches!(run.next().await, Some(Notification::ToolRequested { .. })) {}
        let answer = run.answer_tool("call_1".into(), ToolAnswer::success("ok"));
        let verdict = polled(polls, answer).await;
        assert!(verdict.as_ref().is_none_or(Result::is_ok));
        socket.text(&end(2));
        let mut sent = Vec::new();
        rest(&mut run).await;
        run.settled().await;
        while let Some(frame) = socket.try_sent() {
            sent.push(frame);
        }
        let results = sent.iter().filter(|frame| frame.contains("tool_result"));
        assert_eq!(results.count(), 1, "after {polls} polls: {sent:?}");
        verdict.is_some()
    });
}

#[tokio::test]
async fn stop_and_detach_need_no_waiting() {
    // Commands are given at once; what is awaited afterwards only tells what became of them.
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (mut run, socket) = connected(&far).await;
        run.stop();
        run.stop();
        socket.text(&end(1).replace("done", "interrupted"));
        let ended = polled(polls, run.outcome()).await;
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Interrupted);
        run.settled().await;
        let interrupts = far
            .calls()
            .into_iter()
            .filter(|call| *call == "interrupt_run");
        assert_eq!(interrupts.count(), 1, "after {polls} polls");

        let far = Far::default();
        let (mut run, _socket) = connected(&far).await;
        run.detach();
        let left = polled(polls, run.outcome()).await;
        assert_eq!(run.outcome().await.unwrap().0, Outcome::Detached);
        assert_eq!(far.calls(), ["start_run"]);
        left.is_some() && ended.is_some()
    });
}

/// Whatever was read by then: what is told before, what was not read, and what is told after are all of it, each once.
#[tokio::test]
async fn a_run_that_is_taken_away_is_carried_on_with_every_event_once() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (mut run, socket) = connected(&far).await;
        for id in 1..=9 {
            socket.text(&chunk(id));
        }
        // As many notifications as polls are read before.
        let mut told = Vec::new();
        for _ in 0..polls {
            told.extend(polled(1, run.next()).await.flatten());
            tokio::task::yield_now().await;
        }
        let Some(left) = polled(polls, run.into_state()).await else {
            return false;
        };
        let (unread, state) = left;
        told.extend(unread);
        let state = state.expect("the run goes on");
        let (builder, mut sockets) = far.client();
        let mut run = builder.build().unwrap().restore(state).await.unwrap();
        let cursor = run.cursor().to_string();
        let socket = sockets.recv().await.unwrap();
        socket.text(r#"{"type":"auth_success"}"#);
        for id in cursor.parse::<u64>().unwrap_or(0) + 1..=9 {
            socket.text(&chunk(id));
        }
        socket.text(&end(10));
        socket.text(r#"{"type":"resume_complete","status":"completed"}"#);
        told.extend(rest(&mut run).await);
        let wanted: Vec<String> = (1..=10).map(|id| id.to_string()).collect();
        assert_eq!(ids(&told), wanted, "after {polls} polls");
        polls > 20
    });
}

#[tokio::test]
async fn a_look_at_the_state_changes_nothing() {
    for_every_number_of_polls!(async |polls| {
        let far = Far::default();
        let (mut run, socket) = connected(&far).await;
        socket.text(&chunk(1));
        let state = polled(polls, run.state()).await;
        assert!(state.as_ref().is_none_or(Option::is_some));
        let snapshot = run.snapshot();
        assert_eq!(snapshot.operation, run.operation());
        socket.text(&end(2));
        assert_eq!(ids(&rest(&mut run).await), ["1", "2"]);
        state.is_some()
    });
}
