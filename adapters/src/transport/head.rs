//! The head of a frame: whether it is a plain one, and where it ends.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// A text message in one frame, without a mask or an extension's bits: what a gateway sends.
const PLAIN: u8 = 0x81;

/// A ping, likewise.
const PING: u8 = 0x89;

/// A close frame, likewise.
const CLOSE: u8 = 0x88;

/// What the next frame is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// More bytes are needed to tell.
    Cut,
    /// A whole text message, lying in the frame as it is.
    Plain {
        /// Where its text begins.
        start: usize,
        /// The length of its text.
        length: u64,
    },
    /// A ping.
    Ping {
        /// Its length, head included.
        whole: u64,
    },
    /// A close frame with a code.
    Close {
        /// Its length, head included.
        whole: usize,
    },
    /// Any other frame.
    Other {
        /// Its length, head included.
        whole: u64,
        /// Whether its message goes on in another frame; `None`: it belongs to no such message.
        goes_on: Option<bool>,
    },
    /// No frame.
    Broken,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (start, length) = match *bytes {
            [PLAIN, length @ 0..126, ..] => (2, u64::from(length)),
            [PING, length @ 0..126, ..] => {
                return Self::Ping {
                    whole: 2 + u64::from(length),
                };
            }
            [CLOSE, length @ 2..126, ..] => {
                return Self::Close {
                    whole: 2 + usize::from(length),
                };
            }
            [PLAIN, 126, a, b, ..] => (4, u64::from(u16::from_be_bytes([a, b]))),
            [PLAIN, 127, a, b, c, d, e, f, g, h, ..] => {
                (10, u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            _ => return Self::other(bytes),
        };
        Self::Plain { start, length }
    }

    fn other(bytes: &[u8]) -> Self {
        let mut cursor = Cursor::new(bytes);
        match FrameHeader::parse(&mut cursor) {
            Ok(None) => Self::Cut,
            Ok(Some((header, length))) => Self::Other {
                whole: length.saturating_add(cursor.position()),
                goes_on: matches!(header.opcode, OpCode::Data(_)).then_some(!header.is_final),
            },
            Err(_) => Self::Broken,
        }
    }
}
