//! The API over HTTP, as LobeHub speaks it.

use std::fmt;

use agent_gateway_machine::{Call, HttpAnswer, Millis, Reply, RequestFailure, TokenKind};
use agent_gateway_protocol::api::{ApiCall, GetGlobalConfig, GlobalConfig};
use agent_gateway_protocol::trpc::HttpMethod;
use agent_gateway_protocol::{ServerUrl, Token};
use async_trait::async_trait;
use reqwest::header::{
    CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Response, redirect};
use rustls::ClientConfig;

use super::Api;
use crate::cause::cause;
use crate::credential::Credential;
use crate::headers::Headers;
use crate::proxy::{ProxyError, ProxyRules};
use crate::redaction::{redact, redact_failure, redact_reply};
use crate::vault::Vault;

/// The numbers of the real API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpOptions {
    /// A body over this many bytes, unpacked, is not read to its end.
    pub body_limit: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            body_limit: 64 << 20,
        }
    }
}

/// tRPC over HTTP: plain calls, never a batch, never superjson's `meta`.
///
/// It follows no redirect: the credential is in a header of its own, which would go along to wherever it points.
pub struct HttpApi {
    client: reqwest::Client,
    server: ServerUrl,
    /// The server and the way to it, for a person.
    place: String,
    credential: Option<(&'static str, HeaderValue)>,
    /// What goes out in headers.
    secrets: Vec<Token>,
    headers: Headers,
    options: HttpOptions,
}

/// Why there can be no [`HttpApi`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpApiError {
    /// The credential holds a character that no header may hold.
    #[error("the credential holds a character that an HTTP header cannot hold")]
    Credential,
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {}", cause(.0))]
    Client(#[source] reqwest::Error),
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

impl HttpApi {
    /// Speaks to `server` as `credential`, trusting whom `tls` trusts, over the proxy the environment names, if any.
    ///
    /// # Errors
    /// The credential cannot be sent, or the environment's proxy cannot be used.
    pub fn new(
        server: ServerUrl,
        credential: &Credential,
        tls: &ClientConfig,
        options: HttpOptions,
    ) -> Result<Self, HttpApiError> {
        let proxies = ProxyRules::environment_for(server.is_loopback())?;
        Self::with_proxies(server, credential, tls, options, &proxies)
    }

    /// The same, over the proxies that these rules name.
    ///
    /// # Errors
    /// The credential cannot be sent, or the proxy cannot be used.
    pub fn with_proxies(
        server: ServerUrl,
        credential: &Credential,
        tls: &ClientConfig,
        options: HttpOptions,
        proxies: &ProxyRules,
    ) -> Result<Self, HttpApiError> {
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none());
        let client = proxies
            .apply(builder, &server)
            .and_then(reqwest::ClientBuilder::build)
            .map_err(HttpApiError::Client)?;
        let url = server.as_str().parse().ok();
        let proxy = url.and_then(|url| proxies.proxy_to(&url));
        let place = match &proxy {
            Some(proxy) => format!("{server} through the proxy {}", proxy.address),
            None => server.to_string(),
        };
        let mut secrets = proxy.map(|proxy| proxy.secrets()).unwrap_or_default();
        let credential = match credential.header() {
            None => None,
            Some((name, token)) => {
                let mut value =
                    HeaderValue::from_str(token.expose()).map_err(|_| HttpApiError::Credential)?;
                value.set_sensitive(true);
                secrets.push(token.clone());
                Some((name, value))
            }
        };
        Ok(Self {
            client,
            server,
            place,
            credential,
            secrets,
            headers: Headers::new(),
            options,
        })
    }

    /// The same with these headers in each request.
    #[must_use]
    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    async fn ask(&self, call: &ApiCall) -> Result<HttpAnswer, RequestFailure> {
        let request = call.request();
        let url = format!("{}{}", self.server, request.path_and_query);
        let mut builder = match request.method {
            HttpMethod::Get => self.client.get(url),
            HttpMethod::Post => self
                .client
                .post(url)
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json")),
        };
        builder = builder
            .header(USER_AGENT, self.headers.user_agent().clone())
            .headers(self.headers.more().clone());
        if let Some((name, value)) = &self.credential {
            builder = builder.header(*name, value.clone());
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let failed = |error: reqwest::Error| unanswered(&self.place, &error);
        let response = builder.send().await.map_err(failed)?;
        let status = response.status();
        let retry_after = retry_after(&response);
        if status.is_redirection() {
            return Err(redirected(&response));
        }
        Ok(HttpAnswer {
            status: status.as_u16(),
            retry_after,
            body: self.body(response).await?,
        })
    }

    /// I17: servers and proxies may show in their answers what they were sent.
    fn redact(&self, text: &mut Box<str>) {
        redact(text, self.secrets.iter().map(Token::expose));
    }

    /// The whole body, unless it is over the limit.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, RequestFailure> {
        let limit = self.options.body_limit;
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    return Err(RequestFailure::Unreadable {
                        status: response.status().as_u16(),
                        retry_after: None,
                        text: format!("the body is over the limit of {limit} bytes").into(),
                    });
                }
                Ok(None) => return Ok(body),
                Err(error) => return Err(unanswered(&self.place, &error)),
            }
        }
    }

    async fn reply(&self, call: &Call, vault: &Vault) -> Result<Reply, RequestFailure> {
        let call = call.api_call().ok_or(RequestFailure::Unreachable {
            text: "there is no token source".into(),
        })?;
        let answer = self.ask(&call).await?;
        let keep = |token| vault.keep(token, TokenKind::Jwt);
        Ok(Reply::read(call.procedure(), &answer, keep))
    }
}

/// Without what it is shown: the credential, and headers.
impl fmt::Debug for HttpApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpApi")
            .field("place", &self.place)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Api for HttpApi {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        let mut reply = self.reply(call, vault).await.unwrap_or_else(Reply::Failed);
        redact_reply(&mut reply, |text| self.redact(text));
        // A header's value may be any word, so ids and states are left as they are.
        match &mut reply {
            Reply::Failed(failure) => redact_failure(failure, |text| self.headers.redact(text)),
            Reply::StartRefused { text } => self.headers.redact(text),
            _ => {}
        }
        reply
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        let answer = self.ask(&ApiCall::GetGlobalConfig).await;
        let config = answer.and_then(|answer| answer.of::<GetGlobalConfig>());
        config.map_err(|mut failure| {
            redact_failure(&mut failure, |text| self.redact(text));
            redact_failure(&mut failure, |text| self.headers.redact(text));
            failure
        })
    }
}

/// `Retry-After`: seconds, or a date, which is held against the server's own `Date`: our clocks may differ.
fn retry_after(response: &Response) -> Option<Millis> {
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let value = header(RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Millis::seconds(seconds));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let wait = date(value)?.duration_since(date(header(DATE)?)?);
    // Past already: at once.
    Some(Millis::seconds(wait.unwrap_or_default().as_secs()))
}

fn redirected(response: &Response) -> RequestFailure {
    let target = response.headers().get(LOCATION).map(|value| {
        let target = String::from_utf8_lossy(value.as_bytes());
        // Its query may echo what was asked.
        let end = target.find('?').unwrap_or(target.len());
        target[..end].to_owned()
    });
    let text = match target {
        Some(target) => format!("it redirects to {target}, and redirects are not followed"),
        None => "it redirects, and redirects are not followed".into(),
    };
    RequestFailure::Unreadable {
        status: response.status().as_u16(),
        retry_after: None,
        text: text.into(),
    }
}

/// The request was not answered. Unreachable only if it certainly never left.
fn unanswered(place: &str, error: &reqwest::Error) -> RequestFailure {
    let text = format!("{place}: {}", cause(error)).into();
    if error.is_connect() || error.is_builder() {
        RequestFailure::Unreachable { text }
    } else {
        RequestFailure::Lost { text }
    }
}
