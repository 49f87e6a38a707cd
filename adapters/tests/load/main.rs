//! What only shows under load, over real sockets: floods, frames of megabytes, slow peers, thousands of sessions. Nothing
//! is lost, nothing waits for what it need not, and memory has a bound: that of the heap, which is exact, not the
//! process's.
//!
//! Memory is counted for the whole process, so these run one after the other, and the crowd's server is a process of its
//! own: this program again. That is why there is no harness of the language's; the one here takes the same arguments.

#![expect(
    clippy::disallowed_methods,
    reason = "these are the hands, at a real clock"
)]

mod crowd;
mod far;
mod flow;

#[path = "../../benches/receive/load.rs"]
#[expect(dead_code, reason = "the benchmark uses more of it")]
mod load;
#[path = "../../benches/receive/progress.rs"]
#[expect(dead_code, reason = "the benchmark uses more of it")]
mod progress;
#[path = "../../benches/receive/receiver.rs"]
mod receiver;
#[path = "../../benches/receive/server.rs"]
#[expect(dead_code, reason = "the benchmark uses more of it")]
mod server;
#[path = "../../benches/receive/wire.rs"]
mod wire;

use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use peak_alloc::PeakAlloc;

/// Counts what is on the heap.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const TESTS: [(&str, fn()); 8] = [
    (
        "flow::i13_a_flood_of_a_million_frames_loses_nothing_and_stays_in_bounds",
        flow::flood,
    ),
    (
        "flow::c5_a_frame_of_ten_megabytes_holds_nothing_up",
        flow::long_frame,
    ),
    (
        "flow::c5_a_frame_slower_than_every_bound_is_no_dead_peer",
        flow::slow_link,
    ),
    (
        "flow::a_peer_that_does_not_read_is_still_heard",
        flow::deaf_peer,
    ),
    (
        "flow::i13_a_peer_that_pings_and_does_not_read_piles_nothing_up",
        flow::deaf_pinger,
    ),
    (
        "flow::i13_runs_that_nobody_reads_keep_no_more_than_what_has_come",
        flow::unread,
    ),
    (
        "flow::a_peer_that_sends_byte_by_byte_is_understood",
        flow::slow_peer,
    ),
    (
        "crowd::ten_thousand_sessions_are_held_in_little",
        crowd::sessions,
    ),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["serve"] {
        return server::serve();
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let tests = TESTS.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, tests.into()).exit();
}

/// Runs a test on a runtime with two threads. One that is stuck fails.
fn on_two_threads(test: impl Future<Output = ()>) {
    const STUCK: Duration = Duration::from_secs(180);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(STUCK, test).await };
    runtime.block_on(bounded).expect("stuck");
}
