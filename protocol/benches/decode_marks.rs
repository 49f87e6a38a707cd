//! The marks: how many times as fast as `serde_json::Value` a server frame is decoded.
//!
//! `cargo bench -p agent-gateway-protocol --bench decode_marks`. Machines change their speed for seconds at a time, so
//! the two are timed in turns, within each round, and the median of the rounds' ratios is what counts.

mod workload;

use std::{hint::black_box, time::Instant};

use agent_gateway_protocol::ServerFrame;
use serde_json::Value;

const ROUNDS: usize = 41;

fn main() {
    println!(
        "{:6} {:>8} {:>12} {:>12} {:>8} {:>6} {:>8}",
        "load", "bytes", "frame", "Value", "ratio", "must", "stretch"
    );
    for (load, must, stretch) in [("small", 2.2, 3.8), ("mix", 3.0, 3.6), ("big", 3.4, 4.4)] {
        let frames = workload::frames(load);
        let bytes = frames.iter().map(String::len).sum::<usize>() / frames.len();
        let repeats = 2_000_000 / (bytes * frames.len()) + 1;
        let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|_| {
                let ours = nanoseconds(&frames, repeats, |text| {
                    drop(black_box(ServerFrame::decode(text)))
                });
                let value = nanoseconds(&frames, repeats, |text| {
                    drop(black_box(serde_json::from_str::<Value>(text)))
                });
                (ours, value)
            })
            .collect();
        rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (ours, value) = rounds[ROUNDS / 2];
        println!(
            "{load:6} {bytes:>8} {ours:>9.0} ns {value:>9.0} ns {:>8.2} {must:>6} {stretch:>8}",
            value / ours
        );
    }
}

/// Mean time of one frame, in ns.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn nanoseconds(frames: &[String], repeats: usize, decode: impl Fn(&str)) -> f64 {
    let begin = Instant::now();
    for _ in 0..repeats {
        for text in frames {
            decode(black_box(text));
        }
    }
    begin.elapsed().as_secs_f64() * 1e9 / (repeats * frames.len()) as f64
}
