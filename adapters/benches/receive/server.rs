//! The far side, in a process of its own, so that nothing of it is counted: accepts sockets, plays their opening, and
//! sends when it is told to.
//!
//! Told by lines on its standard input, each answered by a line `done`; it leaves at the end of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::load::Load;
use crate::wire;

/// Between two frames of a trickle: long enough for the receiver to have gone to sleep again.
const PAUSE: Duration = Duration::from_micros(50);

/// A server, as the process that measures holds it. Dropping it ends the server.
pub(crate) struct Server {
    child: Child,
    told: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = program(&["serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        answers.read_line(&mut url).unwrap();
        Self {
            child,
            told,
            answers,
            url: url.trim().into(),
        }
    }

    /// The next this many sockets are accepted and opened.
    pub(crate) fn accept(&mut self, sockets: u64) {
        self.tell(&format!("accept {sockets}"));
    }

    /// Sends a load to the sockets there are.
    pub(crate) fn send(&mut self, load: Load) {
        self.tell(load.name());
    }

    /// Sends one event of this length to each socket.
    pub(crate) fn send_each(&mut self, length: usize) {
        self.tell(&format!("each {length}"));
    }

    /// Ends the run on each socket, and waits until the other side has let go of all.
    pub(crate) fn end(&mut self) {
        self.tell("end");
    }

    /// Waits until what was told is done.
    pub(crate) fn done(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "the server has failed");
    }

    fn tell(&mut self, line: &str) {
        let told = self.told.as_mut().unwrap();
        told.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.told = None;
        let _ = self.child.wait();
    }
}

/// The server's own process.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("ws://{}", listener.local_addr().unwrap());
    let mut sockets: Vec<Socket> = Vec::new();
    let mut sent = 0;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let what = words.next().unwrap();
        let number: u64 = words.next().map_or(0, |word| word.parse().unwrap());
        match what {
            "accept" => {
                sockets.extend((0..number).map(|_| accept(&listener)));
            }
            "each" => {
                sent += 1;
                for socket in &mut sockets {
                    let frame = wire::event(sent, number as usize, &socket.operation);
                    socket.stream.write_all(&frame).unwrap();
                }
            }
            "end" => {
                sent += 1;
                for mut socket in sockets.drain(..) {
                    let _ = socket.stream.write_all(&wire::end(sent));
                    // The receiver says goodbye, or is gone.
                    while socket
                        .stream
                        .read(&mut [0; 1_024])
                        .is_ok_and(|count| count > 0)
                    {
                        let _ = socket.stream.shutdown(Shutdown::Write);
                    }
                }
                sent = 0;
            }
            name => {
                let load = Load::ALL
                    .into_iter()
                    .find(|load| load.name() == name)
                    .unwrap();
                sent = send(load, &mut sockets);
            }
        }
        println!("done");
    }
}

/// One socket, written to raw.
struct Socket {
    stream: TcpStream,
    operation: String,
}

/// Accepts a socket and plays its opening.
#[expect(clippy::result_large_err, reason = "the library's callback")]
fn accept(listener: &TcpListener) -> Socket {
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let raw = stream.try_clone().unwrap();
    let mut operation = String::new();
    let look = |request: &Request, response: Response| -> Result<_, ErrorResponse> {
        let query = request.uri().query().unwrap();
        operation = query.replace("operationId=", "");
        Ok(response)
    };
    let mut socket = tungstenite::accept_hdr(stream, look).unwrap();
    for text in [
        r#"{"type":"auth_success"}"#,
        r#"{"type":"resume_complete","status":"running"}"#,
    ] {
        socket.send(Message::text(text)).unwrap();
    }
    Socket {
        stream: raw,
        operation,
    }
}

/// Sends a load; gives the id of the last event.
fn send(load: Load, sockets: &mut [Socket]) -> u64 {
    let count = sockets.len() as u64;
    let frame = |n: u64| {
        let operation = &sockets[(n % count) as usize].operation;
        wire::event(n / count + 1, load.length(n), operation)
    };
    if load == Load::Trickle {
        let frames: Vec<_> = (0..load.frames()).map(frame).collect();
        for (n, frame) in frames.iter().enumerate() {
            let index = n % sockets.len();
            sockets[index].stream.write_all(frame).unwrap();
            wait(PAUSE);
        }
    } else {
        let flood: Vec<u8> = (0..load.frames()).flat_map(frame).collect();
        sockets[0].stream.write_all(&flood).unwrap();
    }
    load.frames() / count
}

fn wait(span: Duration) {
    let start = Instant::now();
    while start.elapsed() < span {
        thread::yield_now();
    }
}

/// This program again, doing `what`, with as many open files as the system lets it have.
pub(crate) fn program(what: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#]);
    command.arg(std::env::current_exe().unwrap()).args(what);
    command
}

/// How many files this process may have open.
pub(crate) fn files() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    match soft {
        Some("unlimited") => u64::MAX,
        soft => soft.and_then(|soft| soft.parse().ok()).unwrap_or_default(),
    }
}
