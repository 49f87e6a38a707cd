//! The mark: sessions a second on two threads, each connecting, taking 20 events, cut once and resumed, ended; typed,
//! every invariant watching, no trace.
//!
//! `cargo bench -p agent-gateway-sim --bench sessions_marks`. Machines change their speed for seconds at a time, so one
//! thread and two are timed in turns, and the medians of the rounds are told.

mod stage;

use std::thread;
use std::time::Instant;

use agent_gateway_sim::world::Rehearsal;

const ROUNDS: usize = 15;
const SESSIONS: u64 = 2_000;

fn main() {
    let script = stage::script();
    let rehearsal = Rehearsal::new(&script);
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (rate(&rehearsal, 1), rate(&rehearsal, 2)))
        .collect();
    rounds.sort_by(|one, other| one.1.total_cmp(&other.1));
    let fastest = rounds[ROUNDS - 1].1;
    let (_, two) = rounds[ROUNDS / 2];
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (one, _) = rounds[ROUNDS / 2];
    println!(
        "sessions a second on two threads: {two:.0} (must 100000, stretch 400000), at best {fastest:.0}"
    );
    println!(
        "sessions a second on one thread:  {one:.0}; two threads give {:.2} times that",
        two / one
    );
}

/// Sessions a second, all threads together.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn rate(rehearsal: &Rehearsal<'_>, threads: u64) -> f64 {
    let begin = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for session in 0..SESSIONS {
                    stage::play(rehearsal, session * threads + thread);
                }
            });
        }
    });
    (SESSIONS * threads) as f64 / begin.elapsed().as_secs_f64()
}
