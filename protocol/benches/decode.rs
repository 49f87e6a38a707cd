//! What decoding a server frame takes and allocates, beside `serde_json::Value`.
//!
//! `cargo bench -p agent-gateway-protocol --bench decode`. For the ratios see `decode_marks`.

mod workload;

use agent_gateway_protocol::{Payload, ServerFrame};
use divan::{AllocProfiler, Bencher, counter::BytesCount};
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = ["small", "mix", "big"])]
fn server_frame(bencher: Bencher<'_, '_>, load: &str) {
    each(bencher, load, |text| ServerFrame::decode(text).is_ok());
}

#[divan::bench(args = ["small", "mix", "big"])]
fn server_frame_and_payload(bencher: Bencher<'_, '_>, load: &str) {
    each(bencher, load, |text| match ServerFrame::decode(text) {
        Ok(ServerFrame::AgentEvent(frame)) => !matches!(frame.event.payload(), Payload::Unknown(_)),
        _ => false,
    });
}

#[divan::bench(args = ["small", "mix", "big"])]
fn serde_json_value(bencher: Bencher<'_, '_>, load: &str) {
    each(bencher, load, |text| {
        serde_json::from_str::<Value>(text).is_ok()
    });
}

/// Decodes one frame of the load after the other: what is counted is one frame.
fn each(bencher: Bencher<'_, '_>, load: &str, decode: impl Fn(&str) -> bool + Sync) {
    let frames = workload::frames(load);
    let mean = frames.iter().map(String::len).sum::<usize>() / frames.len();
    let mut next = 0;
    bencher.counter(BytesCount::new(mean)).bench_local(|| {
        next = (next + 1) % frames.len();
        decode(divan::black_box(&frames[next]))
    });
}
