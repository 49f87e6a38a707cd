use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::Notify;

/// A way out that never blocks who writes: a thread of its own does the writing. What reads a pipe may read slowly, or
/// not at all, and a disk may hang; neither must keep us from hearing a signal or from answering the gateway.
///
/// Clones are the same way out.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    /// Something is to be written, or nothing will be any more.
    filled: Condvar,
    /// Something was written, or cannot be.
    written: Notify,
    /// Bytes.
    room: usize,
}

/// What is not written yet.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// How many bytes the thread is writing now.
    leaving: usize,
    /// Nothing is written after an error.
    error: Option<io::Error>,
}

impl Outlet {
    /// A way out to `target`, for as long as the program lives, with room for so many bytes that wait. Nothing that is
    /// written is refused for want of room: whoever writes looks first.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn new(target: impl Write + Send + 'static, room: usize) -> io::Result<Self> {
        let outlet = Self(Arc::new(Shared {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            written: Notify::new(),
            room,
        }));
        let shared = Arc::clone(&outlet.0);
        thread::Builder::new()
            .name("outlet".into())
            .spawn(move || shared.write(target))?;
        Ok(outlet)
    }

    /// Whether more should wait before it is written here.
    pub(crate) fn is_full(&self) -> bool {
        self.0.lock().count() >= self.0.room
    }

    /// Until there is room for more. Cancel-safe.
    pub(crate) async fn room(&self) {
        self.until(|waiting| waiting.count() < self.0.room).await;
    }

    /// Until all is written. Cancel-safe.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) async fn emptied(&self) -> io::Result<()> {
        self.until(|waiting| waiting.count() == 0).await;
        self.0.lock().result()
    }

    /// Why nothing is written any more; not before that is so. Cancel-safe.
    pub(crate) async fn failed(&self) -> io::Error {
        loop {
            self.until(|_| false).await;
            if let Err(error) = self.0.lock().result() {
                return error;
            }
        }
    }

    /// Nothing more is written, for this reason, unless there was one before.
    pub(crate) fn give_up(&self, error: io::Error) {
        self.0.lock().error.get_or_insert(error);
        self.0.written.notify_waiters();
    }

    /// Until it is as wanted, or cannot be any more.
    async fn until(&self, is_so: impl Fn(&Waiting) -> bool) {
        loop {
            let written = self.0.written.notified();
            tokio::pin!(written);
            // What is written from here on is heard of.
            written.as_mut().enable();
            if self.0.lock().is(&is_so) {
                return;
            }
            written.await;
        }
    }
}

/// What was handed over counts as written; that it could not be is told by the next write.
impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        waiting.result()?;
        waiting.bytes.extend_from_slice(bytes);
        self.0.filled.notify_one();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().result()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits until it cannot be written.
    fn write(&self, mut target: impl Write) {
        loop {
            let waiting = self.lock();
            let waiting = self
                .filled
                .wait_while(waiting, |waiting| waiting.bytes.is_empty());
            let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            let bytes = std::mem::take(&mut waiting.bytes);
            waiting.leaving = bytes.len();
            drop(waiting);
            let result = target.write_all(&bytes).and_then(|()| target.flush());
            let mut waiting = self.lock();
            waiting.leaving = 0;
            if let Err(error) = result {
                waiting.error.get_or_insert(error);
            }
            let is_over = waiting.error.is_some();
            drop(waiting);
            self.written.notify_waiters();
            if is_over {
                return;
            }
        }
    }
}

impl Waiting {
    fn is(&self, wanted: impl Fn(&Self) -> bool) -> bool {
        self.error.is_some() || wanted(self)
    }

    fn count(&self) -> usize {
        self.bytes.len() + self.leaving
    }

    /// The error, as often as it is asked for.
    fn result(&self) -> io::Result<()> {
        match &self.error {
            None => Ok(()),
            Some(error) => Err(error.raw_os_error().map_or_else(
                || io::Error::new(error.kind(), error.to_string()),
                io::Error::from_raw_os_error,
            )),
        }
    }
}
