//! The mark: sessions a second on two threads, each connecting, taking 20 events, cut once and resumed, ended; typed,
//! every invariant watching, no trace.
//!
//! `cargo bench -p agent-gateway-sim --bench sessions_marks`. Machines change their speed for seconds at a time, so one
//! thread and two are timed in turns, and the medians of the rounds are told. What a `serde_json::Value` of one small
//! frame takes is timed in the same rounds: by it, figures of two machines compare.
//!
//! As in `agw campaign`, each thread has scripts of its own, and the allocator is mimalloc.

mod stage;

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use agent_gateway_sim::world::Rehearsal;
use mimalloc::MiMalloc;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 15;
const SESSIONS: u64 = 2_000;

fn main() {
    let (mut one, mut two, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(rate(1));
        two.push(rate(2));
        values.push(value_time());
    }
    let (one, _) = median_and_best(one);
    let (two, best) = median_and_best(two);
    let (value, _) = median_and_best(values);
    println!(
        "sessions a second on two threads: {two:.0} (must 100000, stretch 400000), at best {best:.0}"
    );
    println!(
        "sessions a second on one thread:  {one:.0}; two threads give {:.2} times that",
        two / one
    );
    println!(
        "a `Value` of a small frame takes {:.0} ns here; a session as long as {:.0} of them",
        value * 1e9,
        1.0 / one / value
    );
}

fn median_and_best(mut samples: Vec<f64>) -> (f64, f64) {
    samples.sort_by(f64::total_cmp);
    (samples[ROUNDS / 2], samples[ROUNDS - 1])
}

/// A frame of 265 bytes, the mean of the small ones.
const SMALL: &str = r#"{"type":"agent_event","id":"1207","event":{"type":"stream_chunk","stepIndex":3,"timestamp":1760000000000,"operationId":"op_1760000000000_agt_x1y2z3_tpc_a1b2c3_d4e5f6g7","data":{"chunkType":"text","content":"and twelve bytes more, that makes a line of text frame"}}}"#;

/// Seconds a `Value` of it takes.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn value_time() -> f64 {
    let begin = Instant::now();
    for _ in 0..SESSIONS {
        let value: Result<Value, _> = serde_json::from_str(black_box(SMALL));
        assert!(black_box(value).is_ok());
    }
    begin.elapsed().as_secs_f64() / SESSIONS as f64
}

/// Sessions a second, all threads together.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn rate(threads: u64) -> f64 {
    let begin = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let script = stage::script();
                let rehearsal = Rehearsal::new(&script);
                for session in 0..SESSIONS {
                    stage::play(&rehearsal, session * threads + thread);
                }
            });
        }
    });
    (SESSIONS * threads) as f64 / begin.elapsed().as_secs_f64()
}
