//! The mark: distinct states stored a second by the exhaustive check on two threads.
//!
//! `cargo bench -p agent-gateway-sim --bench explore_marks`. Machines change their speed for seconds at a time, so one
//! thread and two are timed in turns, and the medians of the rounds are told. As in `agw check`, the allocator is mimalloc.

use std::time::{Duration, Instant};

use agent_gateway_sim::explore::{Budget, Wish, explore, machine};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 5;

/// How long each exploration goes on: it is far from closed then.
const SPAN: Duration = Duration::from_secs(4);

fn main() {
    let mut one: Vec<f64> = Vec::new();
    let mut two: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        one.push(rate(1));
        two.push(rate(2));
    }
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    let fastest = two[ROUNDS - 1];
    let (one, two) = (one[ROUNDS / 2], two[ROUNDS / 2]);
    println!(
        "states stored a second on two threads: {two:.0} (must 150000, stretch 500000), at best {fastest:.0}"
    );
    println!(
        "states stored a second on one thread:  {one:.0}; two threads give {:.2} times that",
        two / one
    );
}

/// States stored a second, all threads together.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn rate(threads: usize) -> f64 {
    let budget = Budget::medium().only(0);
    let mut surveyors = vec![(); threads];
    let begin = Instant::now();
    let mut last = (0, Duration::ZERO);
    explore(&budget, &machine(), &mut surveyors, &mut |progress| {
        last = (progress.states, begin.elapsed());
        if last.1 < SPAN {
            Wish::GoOn
        } else {
            Wish::Stop
        }
    });
    last.0 as f64 / last.1.as_secs_f64()
}
