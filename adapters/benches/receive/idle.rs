//! The memory of idle sessions, in a process of its own for each receiver: what one leaves behind must not be lent to the
//! next.

use std::sync::Arc;
use std::time::Duration;

use crate::load::Receiver;
use crate::progress::Progress;
use crate::receiver;
use crate::server::{Server, files, program};

const SESSIONS: u64 = 10_000;

/// Sockets, and what else a process has open.
const FILES: u64 = SESSIONS + 2_000;

/// RSS in bytes for each session: idle, and again after a frame of 20 KB.
#[derive(Clone, Copy)]
pub(crate) struct Footprint {
    pub(crate) idle: f64,
    pub(crate) after: f64,
}

/// Measures in a process of its own. `None`: the system does not let it have enough files.
pub(crate) fn measure(receiver: Receiver) -> Option<Footprint> {
    let output = program(&["idle", receiver.name()]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    Some(Footprint {
        idle: numbers.next()?,
        after: numbers.next()?,
    })
}

/// That process. Prints the two numbers, or nothing.
pub(crate) fn main(name: &str) {
    let receiver = Receiver::ALL
        .into_iter()
        .find(|receiver| receiver.name() == name);
    if files() < FILES {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(hold(receiver.unwrap()));
}

async fn hold(receiver: Receiver) {
    let mut server = Server::start();
    // What there is once, whatever the number of sessions.
    let warm_up = Arc::new(Progress::new(1));
    server.accept(1);
    receiver::open(receiver, 1, &server.url, &warm_up).await;
    server.done();
    let empty = resident();
    let progress = Arc::new(Progress::new(SESSIONS));
    server.accept(SESSIONS);
    receiver::open(receiver, SESSIONS, &server.url, &progress).await;
    server.done();
    settle().await;
    let idle = resident() - empty;
    server.send_each(20_000);
    progress.finished().await;
    server.done();
    settle().await;
    let after = resident() - empty;
    println!("{} {}", idle / SESSIONS as f64, after / SESSIONS as f64);
    server.end();
    server.done();
}

/// Lets the runtime's threads finish what they are at.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// This process's resident memory, bytes.
fn resident() -> f64 {
    const PAGE: f64 = 4_096.0;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * PAGE
}
