//! One run whose gateway, or whose caller, is fast, slow or large.

use std::sync::mpsc;
use std::thread::JoinHandle;

use agent_gateway_adapters::{Notification, Outcome, QueueLimits, Run};
use agent_gateway_machine::{Cursor, Limits, Millis, ToolAnswer};

use crate::far::{BEAT, Far, in_seam, run};
use crate::receiver::operation;
use crate::wire;
use crate::{HEAP, on_two_threads};

const MIB: usize = 1 << 20;

/// A text frame of about 260 bytes.
fn event(id: u64, length: usize) -> Vec<u8> {
    wire::event(id, length, &operation(0))
}

/// Reads events until this one, each in its place.
async fn read_to(run: &mut Run, last: u64) {
    let mut next = match run.cursor() {
        cursor if *cursor == Cursor::start() => 1,
        cursor => cursor.to_string().parse::<u64>().unwrap() + 1,
    };
    while next <= last {
        match run.next().await.expect("the run has ended early") {
            Notification::EventReceived(received) => {
                assert_eq!(received.cursor.to_string(), next.to_string());
                next += 1;
            }
            Notification::GapFound { after, before } => panic!("gap {after:?}..{before:?}"),
            _ => {}
        }
    }
}

/// The run ends as the gateway said, on the socket it began with.
async fn completed(mut run: Run, far: JoinHandle<()>) {
    let (outcome, receipt) = run.outcome().await.unwrap();
    assert!(matches!(outcome, Outcome::Completed), "{outcome:?}");
    assert_eq!((receipt.reconnects, receipt.gaps), (0, 0));
    run.settled().await;
    drop(run);
    far.join().unwrap();
}

/// Waits until the run has handed over this many events, read or not.
async fn handed_over(run: &Run, events: u64) {
    while run.receipt().delivered < events {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn flood() {
    const EVENTS: u64 = 1_000_000;
    const BOUND: usize = 4 * MIB;
    on_two_threads(async {
        let (beaten, beats) = tokio::sync::oneshot::channel();
        let queue = QueueLimits::default();
        let (mut run, far) = run(queue, move |mut far: Far| {
            let mut writer = far.raw.try_clone().unwrap();
            let flood = std::thread::spawn(move || {
                let mut piece = Vec::with_capacity(128 << 10);
                for id in 1..=EVENTS {
                    piece.extend(event(id, 60));
                    if piece.len() > 100 << 10 || id == EVENTS {
                        std::io::Write::write_all(&mut writer, &piece).unwrap();
                        piece.clear();
                    }
                }
            });
            // By now nobody reads any more.
            while !far.next().contains(r#""interrupt""#) {}
            far.heartbeat();
            beaten.send(()).unwrap();
            flood.join().unwrap();
            far.write(&wire::end(EVENTS + 1));
            far.gone();
        })
        .await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        // The rest of the queue is taken by what is told of the start.
        handed_over(&run, queue.notifications as u64 - 32).await;
        run.interrupt();
        beats.await.unwrap();
        assert!(run.receipt().delivered < 2 * queue.notifications as u64);
        read_to(&mut run, EVENTS).await;
        let most = HEAP.peak_usage() - before;
        assert!(most < BOUND, "{most} bytes held at once");
        completed(run, far).await;
    });
}

pub(crate) fn long_frame() {
    const LENGTH: usize = 10 * MIB;
    // The frame as it comes, with the room to grow, and the event made of it.
    const BOUND: usize = 5 * LENGTH;
    on_two_threads(async {
        let (mut run, far) = run(QueueLimits::default(), |mut far: Far| {
            (1..=100).for_each(|id| far.write(&event(id, 60)));
            let long = event(101, LENGTH);
            let (first, second) = long.split_at(LENGTH / 2);
            far.write(first);
            // More than were on their way already.
            (0..20).for_each(|_| far.heartbeat());
            far.write(second);
            (102..=200).for_each(|id| far.write(&event(id, 60)));
            far.write(&wire::end(201));
            far.gone();
        })
        .await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        read_to(&mut run, 200).await;
        let most = HEAP.peak_usage() - before;
        assert!(most < BOUND, "{most} bytes held at once");
        completed(run, far).await;
    });
}

/// A replay of one frame over a link so slow that every bound on silence passes several times before it is whole.
pub(crate) fn slow_link() {
    const BOUND: Millis = Millis(1_000);
    const LENGTH: usize = MIB;
    // Each is waited for with a beat of the client's, so they take four times the bound.
    const PIECES: usize = 4 * BOUND.0 as usize / BEAT.0 as usize;
    let mut limits = Limits::default();
    limits.heartbeat_interval = BEAT;
    limits.silent_beats = 1;
    limits.silence_margin = Millis(BOUND.0 - BEAT.0);
    limits.seam_quiet = BOUND;
    limits.probe_deadline = BOUND;
    // A socket that is dropped is the end of the run.
    limits.later_attempts = Some(0);
    on_two_threads(async {
        let (mut run, far) = in_seam(QueueLimits::default(), limits, |mut far: Far| {
            for piece in event(1, LENGTH).chunks(LENGTH / PIECES) {
                far.write(piece);
                far.heartbeat();
            }
            far.resume_complete();
            far.write(&wire::end(2));
            far.gone();
        })
        .await;
        read_to(&mut run, 1).await;
        completed(run, far).await;
    });
}

pub(crate) fn deaf_peer() {
    const EVENTS: u64 = 10_000;
    const ANSWER: usize = 12 * MIB;
    on_two_threads(async {
        let (all_heard, wait) = mpsc::channel();
        let (mut run, far) = run(QueueLimits::default(), move |mut far: Far| {
            far.call_tool(1, "call_1");
            (2..=EVENTS).for_each(|id| far.write(&event(id, 60)));
            // Not a byte of the answer is read before.
            wait.recv().unwrap();
            let answer = std::iter::repeat_with(|| far.next()).find(|text| text.contains("call_1"));
            assert!(answer.unwrap().len() > ANSWER);
            far.write(&wire::end(EVENTS + 1));
            far.gone();
        })
        .await;
        while !matches!(run.next().await, Some(Notification::ToolRequested { .. })) {}
        let answer = ToolAnswer::success("x".repeat(ANSWER));
        run.answer_tool("call_1".into(), answer).await.unwrap();
        read_to(&mut run, EVENTS).await;
        all_heard.send(()).unwrap();
        completed(run, far).await;
    });
}

pub(crate) fn deaf_pinger() {
    const PINGS: u64 = 200_000;
    const BOUND: usize = MIB;
    on_two_threads(async {
        let (heard, wait) = mpsc::channel();
        let (mut run, far) = run(QueueLimits::default(), move |mut far: Far| {
            let ping = wire::ping(&[b'p'; 125]);
            let pings = ping.repeat(100);
            (0..PINGS / 100).for_each(|_| far.write(&pings));
            far.write(&event(1, 60));
            // Not a pong is read before.
            wait.recv().unwrap();
            far.write(&wire::end(2));
            far.gone();
        })
        .await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        read_to(&mut run, 1).await;
        let most = HEAP.peak_usage() - before;
        assert!(most < BOUND, "{most} bytes held at once");
        heard.send(()).unwrap();
        completed(run, far).await;
    });
}

pub(crate) fn unread() {
    const RUNS: usize = 16;
    const EVENTS: u64 = 400;
    /// For each: what one read brings, and what is small.
    const BOUND: usize = 80 << 10;
    let mut queue = QueueLimits::default();
    queue.notifications = 16;
    on_two_threads(async move {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let (go, wait) = mpsc::channel::<()>();
            let (run, far) = run(queue, move |mut far: Far| {
                wait.recv().unwrap();
                far.write(
                    &(1..=EVENTS)
                        .flat_map(|id| event(id, 60))
                        .collect::<Vec<u8>>(),
                );
                far.write(&wire::end(EVENTS + 1));
                far.gone();
            })
            .await;
            runs.push((run, far, go));
        }
        let before = HEAP.current_usage();
        for (run, _, go) in &runs {
            go.send(()).unwrap();
            while !run.snapshot().paused {
                tokio::task::yield_now().await;
            }
        }
        // The bursts are about to be with the kernel, if they are not already.
        let each = || HEAP.current_usage().saturating_sub(before) / RUNS;
        while each() > BOUND {
            tokio::task::yield_now().await;
        }
        for (mut run, far, _) in runs {
            read_to(&mut run, EVENTS).await;
            completed(run, far).await;
        }
    });
}

pub(crate) fn slow_peer() {
    on_two_threads(async {
        let (mut run, far) = run(QueueLimits::default(), |mut far: Far| {
            for id in 1..=5 {
                event(id, 60).chunks(1).for_each(|byte| far.write(byte));
                far.heartbeat();
            }
            far.write(&wire::end(6));
            far.gone();
        })
        .await;
        read_to(&mut run, 5).await;
        completed(run, far).await;
    });
}
