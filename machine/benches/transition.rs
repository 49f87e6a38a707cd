//! What one `stream_chunk` takes and allocates in a connected run, the by-value door included.
//!
//! `cargo bench -p agent-gateway-machine --bench transition`. For the marks see `transition_marks`.

mod stage;

use std::cell::Cell;

use agent_gateway_machine::transition;
use agent_gateway_protocol::ServerFrame;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn transition_of_a_chunk(bencher: Bencher<'_, '_>) {
    let state = Cell::new(Some(stage::connected()));
    let next = Cell::new(0);
    bencher
        .with_inputs(|| {
            next.set(next.get() + 1);
            stage::chunk_event(next.get())
        })
        .bench_local_values(|event| {
            let (after, effects) = transition(state.take().expect("a state"), event);
            state.set(Some(after));
            effects
        });
}

#[divan::bench]
fn decode_of_the_same(bencher: Bencher<'_, '_>) {
    let next = Cell::new(0);
    bencher
        .with_inputs(|| {
            next.set(next.get() + 1);
            stage::chunk(next.get())
        })
        .bench_local_refs(|text| ServerFrame::decode(text));
}
