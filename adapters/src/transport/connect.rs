//! Dialling: name, TCP, TLS, upgrade.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use agent_gateway_machine::{DialFailure, DialFailureKind};
use async_trait::async_trait;
use reqwest::header::USER_AGENT;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{TlsError, UrlError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::Uri;

use super::eyeballs;
use super::failure::dial_failure;
use super::link::{ByteStream, Link};
use super::tunnel;
use super::upgrade::Upgrade;
use super::web_socket::{self, WebSocket};
use super::{Socket, Transport};
use crate::headers::Headers;
use crate::proxy::ProxyRules;

/// The numbers of the real transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportOptions {
    /// A frame or message over this many bytes is a protocol violation (C7, C12).
    pub frame_limit: usize,
    /// Where more than this many bytes wait to be sent, the peer does not read, and the socket is lost (I13). One message
    /// may be larger by itself. A [`Client`](crate::Client) allows for at least twice
    /// [`Limits::result_bytes`](agent_gateway_machine::Limits::result_bytes), so much may go out at once (T3).
    pub outbound_limit: usize,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            frame_limit: 64 << 20,
            outbound_limit: 32 << 20,
        }
    }
}

/// WebSockets over TCP, and over TLS for `wss`.
#[derive(Clone, Debug)]
pub struct WebSocketTransport {
    options: TransportOptions,
    tls: Arc<ClientConfig>,
    proxies: ProxyRules,
    headers: Headers,
}

impl WebSocketTransport {
    /// A transport that trusts whom `tls` trusts; see [`tls`](crate::tls). It goes through no proxy.
    #[must_use]
    pub fn new(tls: Arc<ClientConfig>, options: TransportOptions) -> Self {
        Self {
            options,
            tls,
            proxies: ProxyRules::direct(),
            headers: Headers::new(),
        }
    }

    /// The same transport through the proxies that these rules name.
    #[must_use]
    pub fn with_proxies(self, proxies: ProxyRules) -> Self {
        Self { proxies, ..self }
    }

    /// The same transport with these headers in each upgrade.
    #[must_use]
    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    async fn dial(&self, url: &str) -> Result<Box<dyn Socket>, DialFailure> {
        let mut request = url
            .into_client_request()
            .map_err(|error| dial_failure(url, &error))?;
        let user_agent = self.headers.user_agent().clone();
        request.headers_mut().insert(USER_AGENT, user_agent);
        let (host, port) = authority(request.uri()).ok_or_else(|| DialFailure {
            kind: DialFailureKind::Protocol,
            text: format!("{url} names no host").into(),
        })?;
        let peer = format!("{host}:{port}");
        let tcp = match self.proxies.proxy_to(request.uri()) {
            None => connect_tcp(&peer)
                .await
                .map_err(|error| dial_failure(&peer, &error))?,
            Some(proxy) => {
                let named = format!("the proxy {}", proxy.address);
                let tcp = connect_tcp(&proxy.address)
                    .await
                    .map_err(|error| dial_failure(&named, &error))?;
                tunnel::through(tcp, &proxy, &peer).await?
            }
        };
        let socket = self.open_over(request, tcp).await;
        socket.map_err(|error| dial_failure(&peer, &error))
    }

    async fn open_over(&self, request: Request, tcp: TcpStream) -> Result<Box<dyn Socket>, Error> {
        match request.uri().scheme_str() {
            Some("ws") => self.upgrade(request, tcp).await,
            Some("wss") => {
                let name = server_name(request.uri())?;
                let connector = TlsConnector::from(self.tls.clone());
                let tls = connector.connect(name, tcp).await?;
                self.upgrade(request, tls).await
            }
            _ => Err(UrlError::UnsupportedUrlScheme.into()),
        }
    }

    async fn upgrade(
        &self,
        request: Request,
        stream: impl ByteStream + 'static,
    ) -> Result<Box<dyn Socket>, Error> {
        let mut link = Link::new(stream);
        let config = web_socket::config(self.options.frame_limit);
        let upgrade = Upgrade::new(&mut link, self.headers.more());
        client_async_with_config(request, upgrade, Some(config)).await?;
        Ok(Box::new(WebSocket::new(link, self.options)))
    }
}

#[async_trait]
impl Transport for WebSocketTransport {
    async fn open(&self, url: &str) -> Result<Box<dyn Socket>, DialFailure> {
        let opened = self.dial(url).await;
        opened.map_err(|mut failure| {
            self.headers.redact(&mut failure.text);
            failure
        })
    }
}

/// Whichever address of the name answers first.
async fn connect_tcp(peer: &str) -> Result<TcpStream, Error> {
    let addresses = lookup_host(peer).await?;
    let dial = |address| async move { tcp_socket(address)?.connect(address).await };
    Ok(eyeballs::first(addresses, dial).await?)
}

/// Frames go out at once, and the system notices a host that has vanished even where nothing is sent.
fn tcp_socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Neither is worth losing a connection for.
    let _ = socket.set_nodelay(true);
    let _ = socket.set_keepalive(true);
    Ok(socket)
}

/// Host, in brackets if it is an IPv6 address, and port.
fn authority(uri: &Uri) -> Option<(&str, u16)> {
    let standard = match uri.scheme_str() {
        Some("wss") => 443,
        _ => 80,
    };
    Some((uri.host()?, uri.port_u16().unwrap_or(standard)))
}

/// Whom the certificate must name: an IPv6 address without its brackets.
fn server_name(uri: &Uri) -> Result<ServerName<'static>, Error> {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let name = ServerName::try_from(host.to_owned());
    name.map_err(|_| Error::Tls(TlsError::InvalidDnsName))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_do_not_delay_and_are_kept_alive() {
        let socket = tcp_socket(([127, 0, 0, 1], 1).into()).unwrap();
        assert!(socket.nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
    }
}
