//! A proxy between a client and its gateway that does what networks do, as a seed says.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What happens to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is closed, in the middle of whatever it was carrying.
    Cut,
    /// The same, and both ends are told that it was no proper end.
    Reset,
    /// Nothing comes through any more, and nobody is told.
    HalfOpen,
    /// Nothing comes through for a while.
    Delay,
    /// It is closed on the client's side only: the gateway has the old connection still when the new one comes.
    Duplicate,
    /// It is closed before a byte of it is carried.
    Refuse,
}

impl Fault {
    pub(super) const ALL: [Self; 6] = [
        Self::Cut,
        Self::Reset,
        Self::HalfOpen,
        Self::Delay,
        Self::Duplicate,
        Self::Refuse,
    ];
}

/// How often each fault struck, in the order of [`Fault::ALL`].
pub(super) type Strikes = [AtomicU64; Fault::ALL.len()];

/// The proxy of one session. All of it ends when it is dropped.
pub(super) struct FaultProxy {
    address: SocketAddr,
    carrying: JoinHandle<()>,
}

impl FaultProxy {
    /// Leads to `upstream`. The first `faults` connections go wrong, each in a way and at a byte that the seed says.
    pub(super) async fn start(
        upstream: String,
        seed: u64,
        faults: u64,
        strikes: Arc<Strikes>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            for number in 0.. {
                let (near, _) = listener.accept().await.unwrap();
                let plan = (number < faults).then(|| Plan::of(seed, number));
                connections.spawn(connection(near, upstream.clone(), plan, strikes.clone()));
            }
        });
        Self { address, carrying }
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

#[derive(Clone, Copy)]
struct Plan {
    fault: Fault,
    /// Whether what the client sends is counted, or what it is sent.
    upwards: bool,
    /// Bytes that come through before.
    after: u64,
    /// Of [`Fault::Delay`].
    delay: Duration,
}

impl Plan {
    fn of(seed: u64, connection: u64) -> Self {
        let word = mix(seed * 1_000 + connection);
        let upwards = word >> 8 & 3 == 0;
        // What a client sends is little: beyond the upgrade an auth, a resume, a beat and a tool's result.
        let most = if upwards { 800 } else { 4_000 };
        Self {
            fault: Fault::ALL[(word & 0xff) as usize % Fault::ALL.len()],
            upwards,
            after: (word >> 16 & 0xffff) % most,
            // Now and then longer than the client waits for a sign of life.
            delay: Duration::from_millis((word >> 32 & 0xffff) % 1_500),
        }
    }
}

async fn connection(near: TcpStream, upstream: String, plan: Option<Plan>, strikes: Arc<Strikes>) {
    let fault = plan.map(|plan| plan.fault);
    let strike = || {
        if let Some(fault) = fault {
            strikes[fault as usize].fetch_add(1, Ordering::Relaxed);
        }
    };
    if fault == Some(Fault::Refuse) {
        strike();
        // It may be gone already.
        let _ = near.set_zero_linger();
        return;
    }
    let Ok(far) = TcpStream::connect(upstream).await else {
        return;
    };
    let (mut near, mut far) = (near, far);
    let struck = {
        let (mut near_read, mut near_write) = near.split();
        let (mut far_read, mut far_write) = far.split();
        let counted = |upwards| plan.filter(|plan| plan.upwards == upwards);
        tokio::select! {
            struck = carry(&mut near_read, &mut far_write, counted(true), &strike) => struck,
            struck = carry(&mut far_read, &mut near_write, counted(false), &strike) => struck,
        }
    };
    match fault {
        Some(Fault::Reset) if struck => {
            let _ = near.set_zero_linger();
            let _ = far.set_zero_linger();
        }
        Some(Fault::HalfOpen) if struck => pending().await,
        Some(Fault::Duplicate) if struck => {
            drop(near);
            pending().await
        }
        _ => {}
    }
}

/// Carries bytes one way until one end is closed, or the fault strikes: then it says true.
async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    plan: Option<Plan>,
    strike: &impl Fn(),
) -> bool {
    let mut left = plan.map(|plan| plan.after);
    let mut bytes = [0; 512];
    loop {
        if left == Some(0) {
            strike();
            match plan {
                Some(plan) if plan.fault == Fault::Delay => {
                    tokio::time::sleep(plan.delay).await;
                    left = None;
                }
                _ => return true,
            }
        }
        let most = left.map_or(bytes.len(), |left| bytes.len().min(left as usize));
        let count = from.read(&mut bytes[..most]).await.unwrap_or_default();
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return false;
        }
        left = left.map(|left| left - count as u64);
    }
}

/// SplitMix64: well spread numbers from a seed.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
