//! What one simulated session takes, in time and in allocations.

mod stage;

use agent_gateway_sim::world::Rehearsal;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn session(bencher: divan::Bencher<'_, '_>) {
    let script = stage::script();
    let rehearsal = Rehearsal::new(&script);
    bencher.bench(|| stage::play(&rehearsal, 1));
}
