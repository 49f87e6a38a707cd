//! Frames cut anywhere, and frames that must not be: the same comes out as when the library reads the whole stream.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use agent_gateway_machine::{Close, FrameProblem};
use agent_gateway_protocol::{CloseCode, OperationId, ServerFrame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{self, Message};

use super::failure::close_of;
use super::inbound::Inbound;
use super::link::Link;
use super::upgrade::Upgrade;
use super::web_socket::{WebSocket, config};
use super::{Received, Socket, TransportOptions};
use crate::headers::Headers;

/// The most a message may have in these tests.
const LIMIT: usize = 1 << 20;

const OPTIONS: TransportOptions = TransportOptions {
    frame_limit: LIMIT,
    outbound_limit: 10_000,
};

const TEXT: u8 = 1;
const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const FINAL: u8 = 0x80;

fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head];
    match payload.len() {
        length @ 0..126 => frame.push(u8::try_from(length).unwrap()),
        length => match u16::try_from(length) {
            Ok(length) => {
                frame.push(126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                frame.push(127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        },
    }
    frame.extend_from_slice(payload);
    frame
}

fn event(length: usize) -> Vec<u8> {
    format!(r#"{{"type":"x","text":"{}"}}"#, "ß".repeat(length / 2)).into()
}

/// What the library makes of the whole stream, up to where the socket closes.
fn wanted(stream: &[u8]) -> Vec<Received> {
    struct Deaf<'a>(Cursor<&'a [u8]>);
    impl std::io::Read for Deaf<'_> {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            std::io::Read::read(&mut self.0, target)
        }
    }
    impl std::io::Write for Deaf<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let config = Some(config(LIMIT));
    let deaf = Deaf(Cursor::new(stream));
    let mut library = tungstenite::WebSocket::from_raw_socket(deaf, Role::Client, config);
    let mut wanted = Vec::new();
    loop {
        wanted.push(match library.read() {
            Ok(Message::Text(text)) => Received::text(&text),
            Ok(Message::Binary(_)) => Received::Rejected(FrameProblem::Binary),
            Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                Received::Closed(Close::Closed {
                    code: Some(CloseCode(code.into())),
                    reason: reason.as_str().into(),
                })
            }
            Ok(_) => continue,
            Err(error) => Received::Closed(close_of(&error)),
        });
        if let Some(Received::Closed(_)) = wanted.last() {
            return wanted;
        }
    }
}

/// A socket, and its far end.
struct Pair {
    near: WebSocket<DuplexStream>,
    far: DuplexStream,
    received: Vec<Received>,
}

impl Pair {
    fn new() -> Self {
        Self::with_room(8 << 20)
    }

    /// Between the two there is room for so many bytes a way.
    fn with_room(bytes: usize) -> Self {
        let (near, far) = duplex(bytes);
        Self {
            near: WebSocket::new(Link::new(near), OPTIONS),
            far,
            received: Vec::new(),
        }
    }

    /// Brings some bytes, and lets the socket read until it waits for more or is closed.
    fn bring(&mut self, bytes: &[u8]) {
        let mut context = Context::from_waker(Waker::noop());
        let written = at_once(self.far.write_all(bytes));
        written.unwrap();
        // As the driver does: a few pings too many, and the others have their turn.
        for _ in 0..16 {
            while !matches!(self.received.last(), Some(Received::Closed(_)))
                && let Poll::Ready(received) = self.near.poll_receive(&mut context)
            {
                // How the bytes were cut is not the library's to say.
                if received != Received::Arriving {
                    self.received.push(received);
                }
            }
            assert!(self.near.poll_flush(&mut context).is_ready());
        }
    }

    /// The far end closes without a word.
    fn end(mut self) -> Vec<Received> {
        at_once(self.far.shutdown()).unwrap();
        self.bring(&[]);
        self.received
    }
}

/// For futures that never wait: there is room in the pipe.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the pipe is full"),
    }
}

/// Everything a gateway may send, and a bit more.
fn stream() -> Vec<u8> {
    let event = event(40);
    let (begin, rest) = event.split_at(13);
    let (middle, last) = rest.split_at(2);
    [
        frame(FINAL | TEXT, br#"{"type":"heartbeat_ack"}"#),
        frame(FINAL | TEXT, b""),
        frame(FINAL | PING, b"are you there"),
        frame(FINAL | TEXT, &self::event(200)),
        frame(TEXT, begin),
        frame(FINAL | PING, b"in between"),
        frame(CONTINUATION, middle),
        frame(FINAL | CONTINUATION, last),
        frame(FINAL | BINARY, &[0xff; 20]),
        frame(FINAL | TEXT, br#"{"type":"auth_success"}"#),
        frame(FINAL | CLOSE, b"\x03\xe8bye"),
        frame(FINAL | TEXT, b"never read"),
    ]
    .concat()
}

#[test]
fn c12_a_stream_cut_at_any_byte_gives_the_same() {
    let stream = stream();
    let wanted = wanted(&stream);
    assert_eq!(wanted.len(), 7);
    for cut in 0..=stream.len() {
        let (first, second) = stream.split_at(cut);
        let mut pair = Pair::new();
        pair.bring(first);
        pair.bring(second);
        assert_eq!(pair.received, wanted, "cut at {cut}");
    }
    let mut pair = Pair::new();
    for byte in &stream {
        pair.bring(std::slice::from_ref(byte));
    }
    assert_eq!(pair.received, wanted, "byte by byte");
}

#[test]
fn an_expected_operation_is_one_text_in_all_its_events() {
    let operation = OperationId::new("op_1");
    let mut pair = Pair::new();
    pair.near.expect_operation(&operation);
    let event = br#"{"type":"agent_event","id":"1","event":{"data":{},"operationId":"op_1","stepIndex":0,"timestamp":1,"type":"error"}}"#;
    pair.bring(&[frame(FINAL | TEXT, event), frame(FINAL | TEXT, event)].concat());
    assert_eq!(pair.received.len(), 2);
    for received in &pair.received {
        let Received::Frame(ServerFrame::AgentEvent(frame)) = received else {
            panic!("{received:?}")
        };
        let named = frame.event.operation_id.as_ref().unwrap();
        assert_eq!(named.as_str().as_ptr(), operation.as_str().as_ptr());
    }
}

#[test]
fn c7_a_stream_that_ends_at_any_byte_is_told_as_the_library_tells_it() {
    let stream = stream();
    let closed = stream.len() - frame(FINAL | TEXT, b"never read").len();
    for end in 0..closed {
        let mut pair = Pair::new();
        pair.bring(&stream[..end]);
        assert_eq!(pair.end(), wanted(&stream[..end]), "ends at {end}");
    }
}

#[test]
fn c12_frames_of_any_length_come_whole_in_pieces_of_any_size() {
    let lengths = [
        1_000,
        20_000,
        Inbound::CAPACITY - 100,
        Inbound::CAPACITY,
        Inbound::CAPACITY + 100,
        900_000,
    ];
    for piece in [1_448, 65_536, 3 << 20] {
        let frames = lengths.map(|length| {
            let long = frame(FINAL | TEXT, &event(length));
            [long, frame(FINAL | TEXT, &event(50))].concat()
        });
        let stream = frames.concat();
        let mut pair = Pair::new();
        stream.chunks(piece).for_each(|bytes| pair.bring(bytes));
        let whole = pair.end();
        assert!(whole == wanted(&stream), "in pieces of {piece}");
        assert_eq!(whole.len(), 2 * lengths.len() + 1);
    }
}

#[test]
fn c7_violations_are_told_as_the_library_tells_them() {
    let masked = [&[FINAL | TEXT, 0x82, 1, 2, 3, 4][..], b"{}"].concat();
    let violations = [
        ("masked", masked),
        ("reserved bits", frame(FINAL | 0x40 | TEXT, b"{}")),
        ("a reserved opcode", frame(FINAL | 3, b"{}")),
        ("a ping in parts", frame(PING, b"x")),
        ("a long ping", frame(FINAL | PING, &[0; 126])),
        (
            "a continuation of nothing",
            frame(FINAL | CONTINUATION, b"x"),
        ),
        (
            "a message in another",
            [frame(TEXT, b"{"), frame(FINAL | TEXT, b"{}")].concat(),
        ),
        (
            "a frame over the limit",
            frame(FINAL | TEXT, &vec![b'x'; LIMIT + 1]),
        ),
        (
            "a message over the limit",
            [
                frame(TEXT, &vec![b'x'; LIMIT]),
                frame(FINAL | CONTINUATION, b"x"),
            ]
            .concat(),
        ),
        ("no UTF-8", frame(FINAL | TEXT, b"\xff")),
        (
            "no UTF-8 in a long frame",
            frame(FINAL | TEXT, &vec![0xff; 500_000]),
        ),
        ("no UTF-8 in parts", frame(FINAL | TEXT, b"\xc3")),
        ("an impossible close", frame(FINAL | CLOSE, b"x")),
    ];
    for (what, bytes) in violations {
        for piece in [1_000, bytes.len()] {
            let mut pair = Pair::new();
            bytes.chunks(piece).for_each(|bytes| pair.bring(bytes));
            assert_eq!(pair.received, wanted(&bytes), "{what}");
            let [Received::Closed(Close::Violation { text })] = &pair.received[..] else {
                panic!("{what} is no violation: {:?}", pair.received);
            };
            assert!(!text.is_empty());
        }
    }
}

#[test]
fn pings_are_answered_in_order() {
    let mut pair = Pair::new();
    pair.near.send("first".into());
    pair.bring(&[]);
    let pings: Vec<u8> = (0..200_u8)
        .flat_map(|n| frame(FINAL | PING, &[n]))
        .collect();
    pair.bring(&pings);
    pair.near.send("last".into());
    pair.bring(&[]);
    drop(pair.near);
    let mut sent = Vec::new();
    at_once(pair.far.read_to_end(&mut sent)).unwrap();
    let mut server = tungstenite::WebSocket::from_raw_socket(Cursor::new(sent), Role::Server, None);
    let mut messages = std::iter::from_fn(|| server.read().ok());
    assert_eq!(messages.next(), Some(Message::text("first")));
    // A pong may stand for the pings before it.
    let pong = |message: Option<Message>| match message {
        Some(Message::Pong(bytes)) => bytes[0],
        message => panic!("{message:?}"),
    };
    let mut latest = pong(messages.next());
    while latest != 199 {
        let next = pong(messages.next());
        assert!(next > latest);
        latest = next;
    }
    assert_eq!(messages.next(), Some(Message::text("last")));
}

#[test]
fn i13_pings_while_a_long_text_goes_out_are_answered_once_and_behind_it() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(100);
    let long = "x".repeat(1_000);
    pair.near.send(long.clone());
    assert!(pair.near.poll_flush(&mut context).is_pending());
    for n in 0..9 {
        at_once(pair.far.write_all(&frame(FINAL | PING, &[n]))).unwrap();
        assert!(pair.near.poll_receive(&mut context).is_pending());
    }
    let read = read_while(&mut pair, |near| {
        let _ = near.poll_flush(&mut Context::from_waker(Waker::noop()));
    });
    assert_eq!(read, [Message::text(long), Message::Pong(vec![0].into())]);
}

#[test]
fn c5_a_heartbeat_goes_before_the_answers_that_wait() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(100);
    let (one, two) = ("1".repeat(1_000), "2".repeat(1_000));
    for answer in [&one, &two] {
        pair.near.send_answer(answer.clone());
        assert!(pair.near.poll_flush(&mut context).is_pending());
    }
    pair.near.send("beat".into());
    let read = read_while(&mut pair, |near| {
        let _ = near.poll_flush(&mut Context::from_waker(Waker::noop()));
    });
    assert_eq!(read, [one.into(), "beat".into(), two.into()]);
}

#[test]
fn c5_a_peer_that_takes_a_long_frame_bit_by_bit_lives() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(100);
    pair.near.send_answer("x".repeat(1_000));
    for _ in 0..3 {
        assert!(pair.near.poll_flush(&mut context).is_pending());
    }
    // What the pipe took at once says nothing of the peer.
    assert!(pair.near.poll_receive(&mut context).is_pending());
    for _ in 0..5 {
        at_once(pair.far.read_exact(&mut [0; 100])).unwrap();
        assert!(pair.near.poll_flush(&mut context).is_pending());
        let arriving = Poll::Ready(Received::Arriving);
        assert_eq!(pair.near.poll_receive(&mut context), arriving);
        assert!(pair.near.poll_receive(&mut context).is_pending());
    }
}

/// Polls for as long as the socket wakes itself. Gives how often that was, and the last answer.
fn polled<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> (usize, Poll<T>) {
    #[derive(Default)]
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::new(Flag::default());
    let waker = flag.clone().into();
    let mut turns = 0;
    loop {
        turns += 1;
        let answer = poll(&mut Context::from_waker(&waker));
        if answer.is_ready() || !flag.0.swap(false, Ordering::Relaxed) {
            return (turns, answer);
        }
    }
}

#[test]
fn i13_a_flood_of_empty_parts_lets_the_others_have_their_turn() {
    let mut pair = Pair::new();
    let parts = frame(CONTINUATION, b"").repeat(60_000);
    at_once(pair.far.write_all(&frame(TEXT, b"{"))).unwrap();
    at_once(pair.far.write_all(&parts)).unwrap();
    let (turns, arriving) = polled(|context| pair.near.poll_receive(context));
    assert_eq!(arriving, Poll::Ready(Received::Arriving));
    assert!(turns > 100, "all of it in {turns} turns");
    // It is a message all the same.
    at_once(pair.far.write_all(&frame(FINAL | CONTINUATION, b"}"))).unwrap();
    let (_, whole) = polled(|context| pair.near.poll_receive(context));
    assert_eq!(whole, Poll::Ready(Received::text("{}")));
}

#[test]
fn c7_a_message_in_parts_without_end_is_a_violation() {
    let mut pair = Pair::new();
    let parts = frame(CONTINUATION, b"").repeat(70_000);
    at_once(pair.far.write_all(&frame(TEXT, b""))).unwrap();
    at_once(pair.far.write_all(&parts)).unwrap();
    let (_, closed) = polled(|context| pair.near.poll_receive(context));
    let Poll::Ready(Received::Closed(Close::Violation { text })) = closed else {
        panic!("{closed:?}");
    };
    assert_eq!(&*text, "a message in more than 65536 frames");
    // What follows is not waited for.
    pair.near.start_close(CloseCode::PROTOCOL_ERROR);
    let (turns, closed) = polled(|context| pair.near.poll_close(context));
    assert_eq!((turns, closed), (1, Poll::Ready(())));
}

#[test]
fn s12_a_socket_that_closes_lets_the_others_have_their_turn_whatever_still_comes() {
    let flood = [
        frame(FINAL | TEXT, &event(40)).repeat(20_000),
        frame(FINAL | PING, b"").repeat(20_000),
        frame(TEXT, b""),
        frame(CONTINUATION, b"").repeat(20_000),
    ];
    for kind in [&flood[..1], &flood[1..2], &flood[2..]] {
        let mut pair = Pair::new();
        at_once(pair.far.write_all(&kind.concat())).unwrap();
        pair.near.start_close(CloseCode::NORMAL);
        let (turns, closed) = polled(|context| pair.near.poll_close(context));
        assert_eq!(closed, Poll::Pending, "the far end has not closed");
        assert!(turns > 100, "all of it in {turns} turns");
    }
}

/// What the far end reads at last, when the near one has closed before it read anything.
fn read_after_close(sent: &[&str], room: usize) -> Vec<Message> {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(room);
    for text in sent {
        pair.near.send((*text).into());
        let _ = pair.near.poll_flush(&mut context);
    }
    pair.near.start_close(CloseCode::NORMAL);
    read_while(&mut pair, |near| {
        assert!(
            near.poll_close(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    })
}

/// What the far end reads while the near one goes on.
fn read_while(
    pair: &mut Pair,
    mut go_on: impl FnMut(&mut WebSocket<DuplexStream>),
) -> Vec<Message> {
    let mut context = Context::from_waker(Waker::noop());
    let mut bytes = Vec::new();
    let mut read = vec![0; 1_000];
    loop {
        go_on(&mut pair.near);
        let mut reading = std::pin::pin!(pair.far.read(&mut read));
        match reading.as_mut().poll(&mut context) {
            Poll::Ready(count) => bytes.extend_from_slice(&read[..count.unwrap()]),
            Poll::Pending => break,
        }
    }
    let mut server =
        tungstenite::WebSocket::from_raw_socket(Cursor::new(bytes), Role::Server, None);
    std::iter::from_fn(|| server.read().ok()).collect()
}

#[test]
fn t3_nothing_that_had_to_wait_goes_out_after_a_close() {
    let close = Message::Close(Some(CloseFrame {
        code: CloseCode::NORMAL.0.into(),
        reason: "".into(),
    }));
    // The first is in the pipe in part: it cannot be taken back.
    let long = "x".repeat(1_000);
    assert_eq!(
        read_after_close(&[&long, "given up", "and this"], 100),
        [Message::text(&*long), close.clone()]
    );
    // These were out before the close.
    assert_eq!(
        read_after_close(&["one", "two"], 1_000),
        [Message::text("one"), Message::text("two"), close]
    );
}

#[test]
fn what_the_socket_takes_at_once_goes_out_before_a_close() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::new();
    // As the driver has it where an answer and a detach come in one wake-up.
    pair.near.send("answer".into());
    pair.near.start_close(CloseCode::NORMAL);
    assert!(pair.near.poll_close(&mut context).is_pending());
    drop(pair.near);
    let mut sent = Vec::new();
    at_once(pair.far.read_to_end(&mut sent)).unwrap();
    let mut server = tungstenite::WebSocket::from_raw_socket(Cursor::new(sent), Role::Server, None);
    assert_eq!(server.read().unwrap(), Message::text("answer"));
    assert!(matches!(server.read(), Ok(Message::Close(Some(_)))));
}

#[test]
fn i13_a_peer_that_does_not_read_is_lost_whatever_it_sends() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(100);
    let answer = "x".repeat(1_000);
    // The first is with the library, ten more may wait.
    for _ in 0..11 {
        pair.near.send(answer.clone());
        assert!(pair.near.poll_flush(&mut context).is_pending());
    }
    at_once(pair.far.write_all(&frame(FINAL | TEXT, b"more and more"))).unwrap();
    pair.near.send(answer);
    assert!(pair.near.poll_flush(&mut context).is_ready());
    let text = "the peer does not take what is sent: 11000 bytes wait".into();
    assert_eq!(
        pair.near.poll_receive(&mut context),
        Poll::Ready(Received::Closed(Close::Lost { text }))
    );
}

#[test]
fn t3_one_message_may_be_larger_than_all_that_may_wait() {
    let mut context = Context::from_waker(Waker::noop());
    let mut pair = Pair::with_room(100);
    pair.near.send("x".repeat(50_000));
    assert!(pair.near.poll_flush(&mut context).is_pending());
    assert!(pair.near.poll_receive(&mut context).is_pending());
}

/// The head of an upgrade with this header.
fn upgrade_with(name: &str, value: &str) -> String {
    let headers = Headers::new().with(name, value).unwrap();
    let (near, mut far) = duplex(4_096);
    let mut link = Link::new(near);
    let upgrade = Upgrade::new(&mut link, headers.more());
    let mut opening = Box::pin(client_async("ws://gateway.example/xyzzy-path", upgrade));
    let mut context = Context::from_waker(Waker::noop());
    assert!(opening.as_mut().poll(&mut context).is_pending());
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        at_once(far.read_buf(&mut head)).unwrap();
    }
    String::from_utf8(head).unwrap()
}

/// Everything that libraries log in this process.
#[derive(Default)]
struct Log(Mutex<String>);

static LOG: LazyLock<Log> = LazyLock::new(Log::default);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = record.args().to_string();
        self.0.lock().unwrap().push_str(&line);
    }

    fn flush(&self) {}
}

#[test]
fn i17_what_is_sent_and_why_the_peer_closes_is_not_logged_by_the_library() {
    log::set_logger(&*LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let head = upgrade_with("x-gate", "xyzzy-gate");
    assert!(head.contains("\r\nx-gate: xyzzy-gate\r\n"), "{head}");
    let mut pair = Pair::new();
    pair.near.send("xyzzy-token".into());
    pair.bring(&frame(FINAL | PING, b"xyzzy-ping"));
    pair.bring(&frame(FINAL | CLOSE, b"\x03\xe8xyzzy-reason"));
    let closed = Close::Closed {
        code: Some(CloseCode::NORMAL),
        reason: "xyzzy-reason".into(),
    };
    assert_eq!(pair.received, [Received::Closed(closed)]);
    let log = LOG.0.lock().unwrap().clone();
    let hex = |text: &str| {
        text.bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    // It does log what it does.
    assert!(log.contains(&hex("xyzzy-ping")) && log.contains("/xyzzy-path"));
    for secret in ["xyzzy-token", "xyzzy-reason", "xyzzy-gate"] {
        assert!(
            !log.contains(secret) && !log.contains(&hex(secret)),
            "{secret}"
        );
    }
}
