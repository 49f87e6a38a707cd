//! The way out: which connections go through a proxy.

use std::fmt;
use std::sync::Arc;

use agent_gateway_protocol::{ServerUrl, Token};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderValue;
use thiserror::Error;
use tokio_tungstenite::tungstenite::http::Uri;

/// Where the environment names proxies.
const VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Which connections go through a proxy: HTTP and WebSockets alike, the latter by `CONNECT`.
///
/// Nothing that goes to this very machine does. A user name and password in a proxy's URL are shown to the proxy alone
/// (`Proxy-Authorization: Basic`), and never printed.
#[derive(Clone)]
pub struct ProxyRules(Rules);

#[derive(Clone)]
enum Rules {
    Direct,
    Environment(Arc<Matcher>),
    /// The URL may hold a password.
    Through(Token, Arc<Matcher>),
}

/// Why there is no usable proxy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It would be spoken to in another way than plain HTTP.
    #[error("the proxy {proxy} is a {scheme} one, and only http:// proxies are known here")]
    Scheme {
        /// Its host and port.
        proxy: String,
        /// Such as `socks5`.
        scheme: String,
    },
    /// What was given is no proxy's URL.
    #[error("what is given as a proxy is no URL")]
    Url,
    /// What the environment says is no proxy's URL.
    #[error("{0} is no proxy's URL, such as http://proxy.example:3128")]
    Variable(&'static str),
}

/// The proxy of one connection.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// `host:port`.
    pub(crate) address: String,
    pub(crate) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// What it is shown and nobody else may see, in each form in which it may be repeated.
    pub(crate) fn secrets(&self) -> Vec<Token> {
        let basic = self.authorization.as_ref().and_then(|value| {
            let value = value.to_str().ok()?;
            value.strip_prefix("Basic ")
        });
        let Some(basic) = basic else {
            return Vec::new();
        };
        let mut secrets = vec![Token::new(basic)];
        let decoded = STANDARD.decode(basic).unwrap_or_default();
        if let Ok(both) = String::from_utf8(decoded) {
            let password = both.split_once(':').map(|(_, password)| password.into());
            secrets.push(Token::new(both));
            secrets.extend(password.map(|password: Box<str>| Token::new(password)));
        }
        secrets
    }
}

impl ProxyRules {
    /// As the environment says: `HTTPS_PROXY` for `https` and `wss`, `HTTP_PROXY` for `http` and `ws`, `ALL_PROXY` for
    /// both, but for the hosts in `NO_PROXY`; the lower-case names too, as in curl.
    ///
    /// # Errors
    /// It names a proxy that cannot be used.
    pub fn environment() -> Result<Self, ProxyError> {
        for name in VARIABLES {
            // What cannot be read would be passed over, and connections made that were not to be.
            let value = std::env::var(name).unwrap_or_default();
            if !value.is_empty() && proxies(&everything_through(&value)).next().is_none() {
                return Err(ProxyError::Variable(name));
            }
        }
        let matcher = Matcher::from_system();
        check(&matcher)?;
        Ok(Self(Rules::Environment(Arc::new(matcher))))
    }

    /// The same for a client that reaches no further than this machine, as far as is known: one that cannot be used is no
    /// obstacle there.
    pub(crate) fn environment_for(is_local: bool) -> Result<Self, ProxyError> {
        match Self::environment() {
            Err(_) if is_local => Ok(Self::direct()),
            rules => rules,
        }
    }

    /// Everything through this proxy, whatever the environment says.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn through(url: &str) -> Result<Self, ProxyError> {
        let matcher = everything_through(url);
        if proxies(&matcher).next().is_none() {
            return Err(ProxyError::Url);
        }
        check(&matcher)?;
        Ok(Self(Rules::Through(Token::new(url), Arc::new(matcher))))
    }

    /// Nothing through a proxy, whatever the environment says.
    #[must_use]
    pub fn direct() -> Self {
        Self(Rules::Direct)
    }

    /// The proxy on the way to `url`.
    pub(crate) fn proxy_to(&self, url: &Uri) -> Option<Proxy> {
        let (Rules::Environment(matcher) | Rules::Through(_, matcher)) = &self.0 else {
            return None;
        };
        let scheme = match url.scheme_str()? {
            "wss" | "https" => "https",
            _ => "http",
        };
        let origin = format!("{scheme}://{}", url.authority()?);
        if ServerUrl::parse(&origin).is_ok_and(|origin| origin.is_loopback()) {
            return None;
        }
        let found = matcher.intercept(&origin.parse().ok()?)?;
        Some(Proxy {
            address: address(found.uri()),
            authorization: found.basic_auth().cloned(),
        })
    }

    /// The same for everything that goes to `server` by HTTP.
    pub(crate) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
        server: &ServerUrl,
    ) -> reqwest::Result<reqwest::ClientBuilder> {
        Ok(match &self.0 {
            _ if server.is_loopback() => builder.no_proxy(),
            Rules::Direct => builder.no_proxy(),
            // It reads the same variables by the same rules.
            Rules::Environment(_) => builder,
            Rules::Through(url, _) => builder.proxy(reqwest::Proxy::all(url.expose())?),
        })
    }
}

impl fmt::Debug for ProxyRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Rules::Direct => "Direct",
            Rules::Environment(_) => "Environment",
            Rules::Through(..) => "Through",
        };
        write!(formatter, "ProxyRules::{name}")
    }
}

fn everything_through(url: &str) -> Matcher {
    Matcher::builder().all(url).build()
}

/// The proxies of the two kinds of connection that can be told from their URLs.
fn proxies(matcher: &Matcher) -> impl Iterator<Item = Uri> {
    let somewhere = ["http://host.invalid", "https://host.invalid"].map(Uri::from_static);
    let found = somewhere
        .into_iter()
        .filter_map(|url| matcher.intercept(&url));
    let found = found.map(|proxy| proxy.uri().clone());
    found.filter(|proxy| !has_bad_port(proxy))
}

/// Whether we can speak to each proxy that would be used.
fn check(matcher: &Matcher) -> Result<(), ProxyError> {
    for proxy in proxies(matcher) {
        let scheme = proxy.scheme_str().unwrap_or_default();
        if scheme != "http" {
            return Err(ProxyError::Scheme {
                proxy: address(&proxy),
                scheme: scheme.to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether it names a port that is none.
fn has_bad_port(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| {
        let (_, place) = authority
            .as_str()
            .rsplit_once('@')
            .unwrap_or(("", authority.as_str()));
        place != authority.host() && authority.port_u16().is_none()
    })
}

fn address(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(80);
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(rules: &ProxyRules, url: &str) -> Option<Proxy> {
        rules.proxy_to(&url.parse().unwrap())
    }

    #[test]
    fn a_password_is_for_the_proxy_and_never_printed() {
        let rules = ProxyRules::through("http://ada:s%65cret@proxy.example:3128").unwrap();
        assert!(!format!("{rules:?}").contains("cret"));
        let found = proxy(&rules, "wss://gateway.example/ws?operationId=op_1").unwrap();
        assert_eq!(found.address, "proxy.example:3128");
        let authorization = found.authorization.as_ref().unwrap();
        assert!(authorization.is_sensitive());
        // ada:secret
        assert_eq!(authorization, "Basic YWRhOnNlY3JldA==");
        let secrets = found.secrets();
        let secrets: Vec<_> = secrets.iter().map(Token::expose).collect();
        assert_eq!(secrets, ["YWRhOnNlY3JldA==", "ada:secret", "secret"]);
    }

    #[test]
    fn this_machine_needs_no_way_out() {
        let rules = ProxyRules::through("proxy.example").unwrap();
        for url in [
            "ws://localhost:1/ws",
            "ws://127.0.0.1:1/ws",
            "wss://[::1]:1/ws",
        ] {
            assert!(proxy(&rules, url).is_none(), "{url}");
        }
        let found = proxy(&rules, "ws://gateway.example/ws").unwrap();
        assert_eq!(found.address, "proxy.example:80");
        assert!(proxy(&ProxyRules::direct(), "ws://gateway.example/ws").is_none());
    }

    #[test]
    fn a_proxy_that_cannot_be_spoken_to_is_refused_without_its_password() {
        let error = ProxyRules::through("socks5://ada:secret@proxy.example:1080").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proxy proxy.example:1080 is a socks5 one, and only http:// proxies are known here"
        );
        for url in [
            "no proxy",
            "http://proxy.example:99999",
            "http://a:b@proxy.example:0x",
        ] {
            let error = ProxyRules::through(url).unwrap_err();
            assert!(matches!(error, ProxyError::Url), "{url}: {error}");
        }
    }
}
