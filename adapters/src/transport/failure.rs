//! What went wrong with a dial or a socket, in the machine's words.

use std::io;

use agent_gateway_machine::{Close, DialFailure, DialFailureKind};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{ProtocolError, TlsError};

use crate::cause::cause;

/// The first bytes of an answer that is no upgrade, shown to a person.
const EXCERPT: usize = 200;

/// Why a dial to `peer` (`host:port`) came to nothing (C2).
pub(super) fn dial_failure(peer: &str, error: &Error) -> DialFailure {
    let kind = match error {
        Error::Io(error) => io_kind(error),
        Error::Tls(TlsError::InvalidDnsName) => DialFailureKind::TlsIdentity,
        Error::Tls(_) => DialFailureKind::Tls,
        Error::Http(response) => DialFailureKind::Http(response.status().as_u16()),
        _ => DialFailureKind::Protocol,
    };
    let text = match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let shown = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]);
            let shown = shown.trim().replace(char::is_control, " ");
            let status = response.status();
            if shown.is_empty() {
                format!("{peer} answered {status} instead of a WebSocket")
            } else {
                format!("{peer} answered {status} instead of a WebSocket: {shown}")
            }
        }
        Error::Io(error) if kind == DialFailureKind::TlsIdentity => {
            format!("{peer} is not who it should be: {}", cause(error))
        }
        error => format!("{peer}: {}", cause(error)),
    };
    DialFailure {
        kind,
        text: text.into(),
    }
}

/// How a socket went when it did not close properly (C7).
pub(super) fn close_of(error: &Error) -> Close {
    let text = cause(error).into();
    match error {
        // The peer vanished without a close frame: nothing it did wrong.
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::Io(_)
        | Error::Tls(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Close::Lost { text },
        _ => Close::Violation { text },
    }
}

fn io_kind(error: &io::Error) -> DialFailureKind {
    match tls_error(error) {
        Some(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType,
        ) => DialFailureKind::TlsIdentity,
        Some(_) => DialFailureKind::Tls,
        None => DialFailureKind::Unreachable,
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
