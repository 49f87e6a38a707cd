//! How fast frames are received over loopback: `Client` against a bare tokio-tungstenite loop that only counts.
//!
//! Variants take turns, and each number is the median of all rounds: compare only within one run, and only as ratios.
//! CPU is that of the receiving thread, as the kernel counts it.
//!
//! `cargo bench -p agent-gateway-adapters --bench receive [-- ROUNDS]`

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use agent_gateway_adapters::{Api, Client, Execute, Notification, TransportOptions, Vault};
use agent_gateway_machine::{Call, Reply, RequestFailure, Started, TokenKind};
use agent_gateway_protocol::api::{ExecAgent, GlobalConfig};
use agent_gateway_protocol::{GatewayUrl, Token};
use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

/// A load: its name, how many frames, and the length of the data of frame `n`.
struct Load {
    name: &'static str,
    frames: u64,
    data: fn(u64) -> usize,
    /// Frames go one at a time, so that each is a wake-up of its own.
    trickle: bool,
}

const LOADS: [Load; 4] = [
    Load {
        name: "small",
        frames: 100_000,
        data: |_| 60,
        trickle: false,
    },
    Load {
        name: "mix",
        frames: 30_000,
        data: |n| if n % 20 == 0 { 20_000 } else { 60 },
        trickle: false,
    },
    Load {
        name: "big",
        frames: 500,
        data: |_| 200_000,
        trickle: false,
    },
    Load {
        name: "trickle",
        frames: 10_000,
        data: |_| 60,
        trickle: true,
    },
];

/// Frames received per second, and the CPU of each in µs.
#[derive(Clone, Copy)]
struct Sample {
    rate: f64,
    cpu: f64,
}

type Variant = (&'static str, fn(&Load) -> Sample);

const VARIANTS: [Variant; 3] = [
    ("tt at its default", |load| {
        bare(load, WebSocketConfig::default())
    }),
    ("tt, 4 KiB", |load| {
        bare(load, WebSocketConfig::default().read_buffer_size(4 << 10))
    }),
    ("Client", client),
];

fn main() {
    let rounds = std::env::args()
        .filter_map(|text| text.parse().ok())
        .next()
        .unwrap_or(7);
    for load in &LOADS {
        let mut samples = VARIANTS.map(|_| Vec::new());
        for _ in 0..rounds {
            for ((_, variant), samples) in VARIANTS.iter().zip(&mut samples) {
                samples.push(variant(load));
            }
        }
        let results = samples.map(|samples| Sample {
            rate: median(samples.iter().map(|sample| sample.rate)),
            cpu: median(samples.iter().map(|sample| sample.cpu)),
        });
        for ((name, _), sample) in VARIANTS.iter().zip(&results) {
            println!(
                "{:8} {name:18} {:>10.0} frames/s ({:.2} of tt)  {:>7.2} µs CPU a frame ({:.2} of tt)",
                load.name,
                sample.rate,
                sample.rate / results[0].rate,
                sample.cpu,
                sample.cpu / results[0].cpu,
            );
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The time and CPU of this thread from the first frame to the last.
struct Stopwatch {
    start: Instant,
    cpu: Duration,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            cpu: cpu(),
        }
    }

    fn stop(&self, frames: u64) -> Sample {
        let frames = frames as f64;
        Sample {
            rate: frames / self.start.elapsed().as_secs_f64(),
            cpu: (cpu() - self.cpu).as_secs_f64() * 1e6 / frames,
        }
    }
}

/// Runs `receive` on a thread and runtime of its own, against a server on another.
fn measure<F: Future<Output = Sample> + Send + 'static>(
    load: &Load,
    receive: impl FnOnce(String) -> F + Send,
) -> Sample {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener, load));
        // Named, so that a profiler can tell it from the server.
        let named = thread::Builder::new().name("receiver".into());
        let receiving = named.spawn_scoped(scope, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.unwrap();
            // As a task of its own: the root future is woken through a system call.
            let receiving = runtime.spawn(receive(url));
            runtime.block_on(receiving).unwrap()
        });
        receiving.unwrap().join().unwrap()
    })
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// Accepts one socket, plays its opening, then floods it with frames made beforehand, raw.
fn serve(listener: &TcpListener, load: &Load) {
    let frames: Vec<Vec<u8>> = (1..=load.frames).map(|n| frame(n, load)).collect();
    let flood = if load.trickle {
        Vec::new()
    } else {
        frames.concat()
    };
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut raw = stream.try_clone().unwrap();
    let mut socket = tungstenite::accept(stream).unwrap();
    loop {
        let Message::Text(text) = socket.read().unwrap() else {
            continue;
        };
        if text.contains("\"auth\"") {
            socket
                .send(Message::text(r#"{"type":"auth_success"}"#))
                .unwrap();
        } else {
            socket
                .send(Message::text(
                    r#"{"type":"resume_complete","status":"running"}"#,
                ))
                .unwrap();
            break;
        }
    }
    if load.trickle {
        for frame in &frames {
            raw.write_all(frame).unwrap();
            // Long enough that the receiver has gone to sleep again.
            wait(Duration::from_micros(60));
        }
    } else {
        raw.write_all(&flood).unwrap();
    }
    raw.write_all(&end(load.frames + 1)).unwrap();
    // The receiver says goodbye, or is gone.
    let _ = raw.read(&mut [0; 256]);
}

fn wait(span: Duration) {
    let start = Instant::now();
    while start.elapsed() < span {
        thread::yield_now();
    }
}

fn frame(n: u64, load: &Load) -> Vec<u8> {
    let text = "x".repeat((load.data)(n));
    web_socket_frame(&format!(
        r#"{{"type":"agent_event","id":"{n}","event":{{"data":{{"chunkType":"text","content":"{text}"}},"operationId":"op_1760000000000_agt_1_tpc_1_abcdefgh","stepIndex":3,"timestamp":1760000000000,"type":"stream_chunk"}}}}"#
    ))
}

fn end(n: u64) -> Vec<u8> {
    web_socket_frame(&format!(
        r#"{{"type":"agent_event","id":"{n}","event":{{"data":{{"reason":"done"}},"stepIndex":3,"timestamp":1760000000000,"type":"agent_runtime_end"}}}}"#
    ))
}

/// One unmasked text frame.
fn web_socket_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Only counts.
fn bare(load: &Load, config: WebSocketConfig) -> Sample {
    let frames = load.frames;
    measure(load, move |url| async move {
        let (mut socket, _) = connect_async_with_config(url, Some(config), true)
            .await
            .unwrap();
        for text in [r#"{"type":"auth"}"#, r#"{"type":"resume"}"#] {
            socket.send(Message::text(text)).await.unwrap();
            socket.next().await.unwrap().unwrap();
        }
        socket.next().await.unwrap().unwrap();
        let stopwatch = Stopwatch::start();
        for _ in 0..frames {
            socket.next().await.unwrap().unwrap();
        }
        stopwatch.stop(frames)
    })
}

/// The whole way to the caller.
fn client(load: &Load) -> Sample {
    let frames = load.frames;
    measure(load, move |url| async move {
        let client = Client::builder()
            .api(Arc::new(StartsAll))
            .gateway(GatewayUrl::parse(&url).unwrap())
            .transport_options(TransportOptions::default())
            .build()
            .unwrap();
        let input = ExecAgent {
            slug: Some("inbox".into()),
            ..ExecAgent::default()
        };
        let mut run = client.execute(Execute::new(input)).await.unwrap();
        let mut received = 0;
        let mut stopwatch = None;
        let mut sample = None;
        while let Some(notification) = run.next().await {
            if let Notification::EventReceived(_) = notification {
                let stopwatch = stopwatch.get_or_insert_with(Stopwatch::start);
                received += 1;
                if received == frames + 1 {
                    sample = Some(stopwatch.stop(frames));
                }
            }
        }
        run.settled().await;
        sample.unwrap()
    })
}

/// An API that starts every run and answers nothing else.
struct StartsAll;

#[async_trait]
impl Api for StartsAll {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        match call {
            Call::StartRun(_) => Reply::Started(Box::new(Started {
                operation: "op_1760000000000_agt_1_tpc_1_abcdefgh".into(),
                topic: None,
                agent: None,
                thread: None,
                assistant_message: None,
                user_message: None,
                token: Some(vault.keep(Token::new("t"), TokenKind::Jwt)),
            })),
            _ => Reply::MarkerCleared,
        }
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        Err(RequestFailure::Lost {
            text: "none".into(),
        })
    }
}
