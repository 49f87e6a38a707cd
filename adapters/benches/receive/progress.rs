//! How far a receiver is, and what it took.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Counts the frames that were received; the clock runs from the first to the last.
pub(crate) struct Progress {
    expected: u64,
    received: AtomicU64,
    first: OnceLock<Moment>,
    last: OnceLock<Moment>,
    finished: Notify,
}

/// A rate in frames a second, and the CPU time of each in µs.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) rate: f64,
    pub(crate) cpu: f64,
}

struct Moment {
    time: Instant,
    cpu: Duration,
}

impl Progress {
    pub(crate) fn new(expected: u64) -> Self {
        Self {
            expected,
            received: AtomicU64::new(0),
            first: OnceLock::new(),
            last: OnceLock::new(),
            finished: Notify::new(),
        }
    }

    pub(crate) fn count(&self) {
        let received = self.received.fetch_add(1, Ordering::Relaxed) + 1;
        if received == 1 {
            self.first.get_or_init(Moment::now);
        }
        if received == self.expected {
            self.last.get_or_init(Moment::now);
            self.finished.notify_one();
        }
    }

    /// Waits until all have come.
    pub(crate) async fn finished(&self) {
        self.finished.notified().await;
    }

    pub(crate) fn sample(&self) -> Sample {
        let (first, last) = (self.first.get().unwrap(), self.last.get().unwrap());
        let frames = (self.expected - 1) as f64;
        Sample {
            rate: frames / (last.time - first.time).as_secs_f64(),
            cpu: (last.cpu - first.cpu).as_secs_f64() * 1e6 / frames,
        }
    }
}

impl Moment {
    fn now() -> Self {
        // Of this thread, as the kernel counts it.
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
        Self {
            time: Instant::now(),
            cpu: Duration::from_nanos(nanos.unwrap_or_default()),
        }
    }
}
