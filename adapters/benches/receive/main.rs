//! What receiving costs: `Client`, with the whole way to the caller, against a bare tokio-tungstenite loop ("tt") that only
//! counts.
//!
//! `cargo bench -p agent-gateway-adapters --bench receive [-- ROUNDS] [LOAD | idle] [RECEIVER]`
//!
//! Receivers take turns within each round, and the median of the rounds' ratios is what counts: machines change their
//! speed for seconds at a time, so compare only within one run. Each receiver has one thread, whose CPU time is what is
//! counted; the server is a process of its own.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod idle;
mod load;
mod marks;
mod progress;
mod receiver;
mod server;
mod wire;

use std::sync::Arc;
use std::thread;

use load::{Load, Receiver};
use marks::Marks;
use progress::{Progress, Sample};
use server::Server;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => return server::serve(),
        ["idle", receiver] => return idle::main(receiver),
        _ => {}
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(7);
    let named = |name: &str| words.contains(&name);
    let any_load = !named("idle") && !Load::ALL.iter().any(|load| named(load.name()));
    let any_receiver = !Receiver::ALL.iter().any(|receiver| named(receiver.name()));
    let receivers: Vec<Receiver> = Receiver::ALL
        .into_iter()
        .filter(|receiver| any_receiver || named(receiver.name()))
        .collect();
    let mut marks = Marks::default();
    for load in Load::ALL {
        if any_load || named(load.name()) {
            let receivers: Vec<Receiver> = receivers
                .iter()
                .copied()
                .filter(|receiver| receiver.takes(load))
                .collect();
            let samples = measure(load, &receivers, rounds);
            marks.received(load, &receivers, &samples);
        }
    }
    if any_load || named("idle") {
        for receiver in receivers
            .into_iter()
            .filter(|receiver| *receiver != Receiver::Raw)
        {
            match idle::measure(receiver) {
                Some(footprint) => marks.held(receiver, footprint),
                None => println!("idle: skipped, for it takes 12,000 open files"),
            }
        }
    }
    println!("\n{marks}");
}

/// The samples of each round, of each receiver.
fn measure(load: Load, receivers: &[Receiver], rounds: usize) -> Vec<Vec<Sample>> {
    let mut server = Server::start();
    let round = |_| {
        receivers
            .iter()
            .map(|receiver| receive(load, *receiver, &mut server))
            .collect()
    };
    (0..rounds).map(round).collect()
}

/// Receives a load on a thread and runtime of its own.
fn receive(load: Load, receiver: Receiver, server: &mut Server) -> Sample {
    let receive = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let progress = Arc::new(Progress::new(load.frames()));
        runtime.block_on(async {
            server.accept(load.sessions());
            receiver::open(receiver, load.sessions(), &server.url, &progress).await;
            server.done();
            server.send(load);
            progress.finished().await;
        });
        server.done();
        let sample = progress.sample();
        server.end();
        drop(runtime);
        server.done();
        sample
    };
    thread::scope(|scope| {
        // Named, so that a profiler can tell it from the rest.
        let named = thread::Builder::new().name("receiver".into());
        named.spawn_scoped(scope, receive).unwrap().join().unwrap()
    })
}
