//! The mark: ns for one `stream_chunk` in a connected run, the by-value door included, beside decoding the same frame.
//!
//! `cargo bench -p agent-gateway-machine --bench transition_marks`. Machines change their speed for seconds at a time,
//! so the two are timed in turns, and the medians of the rounds are told.

mod stage;

use std::hint::black_box;
use std::time::Instant;

use agent_gateway_machine::{Effects, Event, State, transition};
use agent_gateway_protocol::ServerFrame;

const ROUNDS: usize = 41;
const BATCHES: u64 = 100;

/// Few enough to stay in the cache: in a client a frame has just been decoded when the machine is told of it.
const BATCH: u64 = 64;

fn main() {
    let mut client = Client {
        state: Some(stage::connected()),
        next: 0,
    };
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| client.round()).collect();
    rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (transition, decode) = rounds[ROUNDS / 2];
    println!("transition of a stream_chunk: {transition:.0} ns (must 60, stretch 35)");
    println!(
        "decoding the same frame:      {decode:.0} ns; the transition takes {:.2} of that",
        transition / decode
    );
}

struct Client {
    state: Option<State>,
    next: u64,
}

impl Client {
    /// The mean time of a transition and of decoding its frame, in ns.
    fn round(&mut self) -> (f64, f64) {
        let (mut transitions, mut decoding) = (0.0, 0.0);
        for _ in 0..BATCHES {
            let ids = self.next + 1..=self.next + BATCH;
            self.next += BATCH;
            let texts: Vec<_> = ids.clone().map(stage::chunk).collect();
            decoding += time_decoding(&texts);
            transitions += self.time_transitions(black_box(ids.map(stage::chunk_event).collect()));
        }
        let count = (BATCHES * BATCH) as f64;
        (transitions / count, decoding / count)
    }

    /// What is handed on is dropped outside.
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    fn time_transitions(&mut self, events: Vec<Event>) -> f64 {
        let mut handed_on: Vec<Effects> = Vec::with_capacity(events.len());
        let mut state = self
            .state
            .take()
            .expect("between two batches there is a state");
        let begin = Instant::now();
        for event in events {
            let (after, effects) = transition(state, event);
            state = after;
            handed_on.push(effects);
        }
        let nanoseconds = begin.elapsed().as_secs_f64() * 1e9;
        assert!(handed_on.iter().all(|effects| effects.len() == 1));
        self.state = Some(state);
        nanoseconds
    }
}

#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn time_decoding(texts: &[String]) -> f64 {
    let mut decoded = Vec::with_capacity(texts.len());
    let begin = Instant::now();
    for text in texts {
        decoded.push(ServerFrame::decode(black_box(text)));
    }
    begin.elapsed().as_secs_f64() * 1e9
}
