//! Whether what a client is built with goes together. A setting that would change nothing is refused: whoever gives it counts
//! on it.

use super::{ClientBuilder, ClientError, SocketToken};
use crate::credential::Credential;

const OWN_TRANSPORT: &str = "the `transport` that is given has its own";
const OWN_API: &str = "the `api` that is given has its own";
const OWN_BOTH: &str = "the `transport` and the `api` that are given have their own";

const OWN_TLS: &str = "the `tls` that is given says whom to trust";

impl ClientBuilder {
    pub(super) fn check_settings(&self) -> Result<(), ClientError> {
        for (setting, given, why) in self.settings() {
            if let (true, Some(why)) = (given, why) {
                return Err(ClientError::Unused { setting, why });
            }
        }
        match self.socket_token {
            SocketToken::OfCredential if self.credential == Credential::None => {
                Err(ClientError::NoCredential)
            }
            SocketToken::OfSource if self.source.is_none() => Err(ClientError::NoTokenSource),
            SocketToken::OfRun | SocketToken::OfCredential | SocketToken::OfSource => Ok(()),
        }
    }

    /// Each setting that some other may make meaningless, whether it is given, and what makes it so.
    fn settings(&self) -> [(&'static str, bool, Option<&'static str>); 9] {
        let transport = self.transport.as_ref().map(|_| OWN_TRANSPORT);
        let api = self.api.as_ref().map(|_| OWN_API);
        let both = transport.and(api).map(|_| OWN_BOTH);
        let tls = self.tls.as_ref().map(|_| OWN_TLS);
        let of_credential = self.socket_token == SocketToken::OfCredential;
        let of_run = (self.socket_token == SocketToken::OfRun).then_some(
            "the socket's token is the run's, renewed by the server: see `socket_token`",
        );
        let credential = self.credential != Credential::None;
        [
            ("credential", credential, api.filter(|_| !of_credential)),
            ("token_source", self.source.is_some(), of_run),
            (
                "transport_options",
                self.transport_options.is_some(),
                transport,
            ),
            ("http_options", self.http_options.is_some(), api),
            ("authorities", self.authorities.is_some(), both.or(tls)),
            ("tls", self.tls.is_some(), both),
            ("proxies", self.proxies.is_some(), both),
            ("user_agent", self.user_agent.is_some(), both),
            ("header", !self.headers.is_empty(), both),
        ]
    }
}
