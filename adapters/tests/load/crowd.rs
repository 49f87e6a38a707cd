//! Ten thousand sessions in one process.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::load::Receiver;
use crate::progress::Progress;
use crate::receiver;
use crate::server::{Server, files};
use crate::{HEAP, on_two_threads};

const SESSIONS: u64 = 10_000;

/// Sockets, and what else a process has open.
const FILES: u64 = SESSIONS + 2_000;

/// Heap for each session, bytes, with the task that reads it.
const BOUND: f64 = 8_192.0;

pub(crate) fn sessions() {
    if files() < FILES {
        println!("skipped: {FILES} open files are needed (ulimit -n)");
        return;
    }
    on_two_threads(hold());
}

async fn hold() {
    let mut server = Server::start();
    // What there is once, whatever the number of sessions.
    let warm_up = Arc::new(Progress::new(1));
    server.accept(1);
    receiver::open(Receiver::Client, 1, &server.url, &warm_up).await;
    server.done();
    let empty = HEAP.current_usage();
    let each = || (HEAP.current_usage() - empty) as f64 / SESSIONS as f64;
    let progress = Arc::new(Progress::new(2 * SESSIONS));
    server.accept(SESSIONS);
    receiver::open(Receiver::Client, SESSIONS, &server.url, &progress).await;
    server.done();
    let idle = each();
    assert!(idle < BOUND, "{idle} bytes a session");
    server.send_each(20_000);
    server.done();
    server.send_each(20_000);
    progress.finished().await;
    server.done();
    // The readers are about to wait again, if they do not already.
    while each() > 1.1 * idle {
        tokio::task::yield_now().await;
    }
    println!("{idle:.0} bytes a session");
    let metrics = Handle::current().metrics();
    for thread in 0..metrics.num_workers() {
        let busy = metrics.worker_total_busy_duration(thread);
        assert!(!busy.is_zero(), "thread {thread} had nothing to do");
    }
    server.end();
    server.done();
}
