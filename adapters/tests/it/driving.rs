//! Who drives a run, seen from outside: its caller while that waits, and its task whatever the caller does.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use agent_gateway_adapters::{Notification, Observer, Outcome, Run, Unwatched};
use agent_gateway_machine::recording::Header;
use agent_gateway_machine::{Effects, Event, EventKind, ToolAnswer};
use tokio::runtime::{Builder, Runtime};

use crate::double::{Far, FarSocket, chunk, end, ids, rest, started, tool_execute};

/// Lets all tasks of this test's thread do what they have to.
async fn idle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A run with everything of its start read, whose task has nothing to do.
async fn waiting(far: &Far) -> (Run, FarSocket) {
    let (builder, mut sockets) = far.client();
    let client = builder.build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    idle().await;
    catch_up(&mut run);
    idle().await;
    (run, socket)
}

/// Reads all that there is.
fn catch_up(run: &mut Run) {
    while poll(&mut Box::pin(run.next()), Waker::noop()).is_ready() {}
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// A caller that is woken and remembers it.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Reads up to the next event, and gives its id.
async fn next_id(run: &mut Run) -> Option<String> {
    loop {
        if let Some(id) = id(&run.next().await?) {
            return Some(id);
        }
    }
}

fn id(told: &Notification) -> Option<String> {
    ids(std::slice::from_ref(told)).pop()
}

#[tokio::test]
async fn a_caller_that_waits_takes_a_frame_from_the_socket_itself() {
    let far = Far::default();
    let (mut run, socket) = waiting(&far).await;
    let flag = Arc::new(Flag::default());
    let waker = flag.clone().into();
    for number in 1..=3 {
        let mut next = Box::pin(run.next());
        assert!(poll(&mut next, &waker).is_pending());
        socket.text(&chunk(number));
        // No task has its turn in between.
        assert!(flag.take());
        let Poll::Ready(Some(told)) = poll(&mut next, &waker) else {
            panic!("the caller did not drive");
        };
        assert_eq!(id(&told), Some(number.to_string()));
    }
}

#[tokio::test]
async fn a_run_whose_next_was_dropped_at_any_moment_goes_on() {
    // What comes is told of with the future not polled at all, waiting, woken, and after it was ready.
    for polls in 0..4 {
        for comes_before in 0..=polls {
            let far = Far::default();
            let (mut run, mut socket) = waiting(&far).await;
            let mut next = Box::pin(run.next());
            let mut is_ready = false;
            for done in 0..polls {
                if done == comes_before {
                    socket.text(&tool_execute(1, "call_1"));
                }
                is_ready = is_ready || poll(&mut next, Waker::noop()).is_ready();
            }
            if comes_before == polls {
                socket.text(&tool_execute(1, "call_1"));
            }
            drop(next);
            socket.text(&chunk(2));
            idle().await;
            assert_eq!(run.receipt().delivered, 2, "{polls} polls, {comes_before}");
            let answer = run.answer_tool("call_1".into(), ToolAnswer::success("ok"));
            answer.await.unwrap();
            assert!(socket.sent().await.contains("tool_result"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c5_a_next_that_is_held_and_not_polled_holds_up_no_command_and_no_beat() {
    let far = Far::default();
    let (mut run, mut socket) = waiting(&far).await;
    let handle = run.handle();
    let mut next = Box::pin(run.next());
    assert!(poll(&mut next, Waker::noop()).is_pending());
    socket.text(&chunk(1));
    // The caller was woken and does nothing. The first that wakes the task sees to the frame too.
    handle.interrupt();
    assert_eq!(socket.sent().await, r#"{"type":"interrupt"}"#);
    assert_eq!(handle.receipt().delivered, 1);
    drop(next);
    catch_up(&mut run);
    let mut next = Box::pin(run.next());
    assert!(poll(&mut next, Waker::noop()).is_pending());
    socket.text(&chunk(2));
    assert_eq!(socket.sent().await, r#"{"type":"heartbeat"}"#);
    assert_eq!(handle.receipt().delivered, 2);
}

/// Wakes a thread that is not of any runtime.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits in this thread, and says `then` the first time that it has to.
fn wait_here<F: Future>(future: F, then: impl FnOnce()) -> F::Output {
    let waker = Arc::new(Unpark(thread::current())).into();
    let (mut future, mut then) = (Box::pin(future), Some(then));
    loop {
        if let Poll::Ready(output) = poll(&mut future, &waker) {
            return output;
        }
        match then.take() {
            Some(then) => then(),
            None => thread::park(),
        }
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_run_can_be_read_outside_of_its_runtime() {
    let far = Far::default();
    let home = runtime();
    let (mut run, socket) = home.block_on(waiting(&far));
    let told = wait_here(next_id(&mut run), || socket.text(&chunk(1)));
    assert_eq!(told.as_deref(), Some("1"));
    let other = runtime();
    let told = other.block_on(async {
        socket.text(&chunk(2));
        next_id(&mut run).await
    });
    assert_eq!(told.as_deref(), Some("2"));
    // The end makes timers, which only the runtime of the run has.
    let told = wait_here(rest(&mut run), || socket.text(&end(3)));
    assert_eq!(ids(&told), ["3"]);
    assert_eq!(
        wait_here(run.outcome(), || ()).unwrap().0,
        Outcome::Completed
    );
    wait_here(run.settled(), || ());
}

#[test]
fn a_runtime_that_goes_takes_its_runs_with_it() {
    let far = Far::default();
    let home = runtime();
    let (mut run, _socket) = home.block_on(waiting(&far));
    let outcome = wait_here(run.outcome(), || drop(home));
    assert_eq!(outcome, Err(Unwatched));
    wait_here(run.settled(), || ());
}

struct Panics;

impl Observer for Panics {
    fn began(&mut self, _: &Header) {}

    fn observed(&mut self, event: &Event, _: &Effects) {
        let EventKind::FrameReceived { frame, .. } = &event.kind else {
            return;
        };
        assert_ne!(frame.kind(), "agent_event", "as this test wants it");
    }
}

#[tokio::test]
async fn a_panic_ends_the_run_and_not_the_caller_that_drives() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder.observe(|| Panics).build().unwrap();
    let (mut run, socket) = started(&client, &mut sockets).await;
    let flag = Arc::new(Flag::default());
    let waker = flag.clone().into();
    idle().await;
    catch_up(&mut run);
    let mut next = Box::pin(run.next());
    assert!(poll(&mut next, &waker).is_pending());
    socket.text(&chunk(1));
    assert!(flag.take());
    assert_eq!(poll(&mut next, &waker), Poll::Ready(None));
    drop(next);
    assert_eq!(run.outcome().await, Err(Unwatched));
    run.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_and_commands_from_other_threads_are_never_left_lying() {
    const FRAMES: u64 = 2_000;
    let far = Far::default();
    let (mut run, mut socket) = waiting(&far).await;
    let handle = run.handle();
    let (read, mut reads) = tokio::sync::mpsc::unbounded_channel();
    let reader = tokio::spawn(async move {
        while let Some(told) = run.next().await {
            if let Some(id) = id(&told) {
                read.send(id).unwrap();
            }
        }
    });
    let all = async {
        for number in 1..=FRAMES {
            // Each only after the one before was read: one that nobody is woken for is never read.
            socket.text(&chunk(number));
            if number % 3 == 0 {
                handle.interrupt();
                assert_eq!(socket.sent().await, r#"{"type":"interrupt"}"#);
            }
            assert_eq!(reads.recv().await, Some(number.to_string()));
        }
        socket.text(&end(FRAMES + 1));
        reader.await.unwrap();
        handle.settled().await;
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), all).await;
    in_time.expect("somebody sleeps who should not");
}
