use std::path::PathBuf;

use agent_gateway_adapters::{Client, ClientBuilder, Credential};
use agent_gateway_protocol::{GatewayUrl, ServerUrl};

use crate::arguments::RemoteArguments;
use crate::environment::Environment;
use crate::error::Error;

/// A server somewhere else, and who we are to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remote {
    pub(super) server: ServerUrl,
    gateway: Option<GatewayUrl>,
    credential: Credential,
    authorities: Option<PathBuf>,
    allow_insecure: bool,
}

impl Remote {
    /// What the command line says, else the environment; `None` if neither names a server.
    ///
    /// # Errors
    /// A URL that cannot be used, or something that only makes sense with a server.
    pub(super) fn resolve(
        arguments: RemoteArguments,
        environment: Environment,
    ) -> Result<Option<Self>, Error> {
        let server = origin("--server", arguments.server)
            .or_else(|| origin("LOBEHUB_SERVER", environment.server));
        let Some((origin_of_server, server)) = server else {
            let useless = [
                ("--gateway", arguments.gateway.is_some()),
                ("--api-key", arguments.api_key.is_some()),
                ("--token", arguments.token.is_some()),
                ("--ca-file", arguments.ca_file.is_some()),
            ];
            return match useless.into_iter().find(|(_, given)| *given) {
                Some((what, _)) => Err(Error::ServerMissing { what }),
                None => Ok(None),
            };
        };
        let server = ServerUrl::parse(&server).map_err(|error| Error::Url {
            origin: origin_of_server,
            error,
        })?;
        let gateway = origin("--gateway", arguments.gateway)
            .or_else(|| origin("AGENT_GATEWAY_URL", environment.gateway))
            .map(|(origin, text)| {
                GatewayUrl::parse(&text).map_err(|error| Error::Url { origin, error })
            })
            .transpose()?;
        // What is said on the command line goes before the environment, whichever it is.
        let credential = match (arguments.token, arguments.api_key) {
            (Some(token), _) => Credential::AccessToken(token),
            (None, Some(key)) => Credential::ApiKey(key),
            (None, None) => match (environment.token, environment.api_key) {
                (Some(token), _) => Credential::AccessToken(token),
                (None, Some(key)) => Credential::ApiKey(key),
                (None, None) => Credential::None,
            },
        };
        Ok(Some(Self {
            server,
            gateway,
            credential,
            authorities: arguments.ca_file,
            allow_insecure: arguments.allow_insecure,
        }))
    }

    pub(super) fn has_credential(&self) -> bool {
        self.credential != Credential::None
    }

    /// A client of it.
    ///
    /// # Errors
    /// It cannot be used as it is.
    pub(super) fn client(self, builder: ClientBuilder) -> Result<Client, Error> {
        let place = self.server.to_string();
        let mut builder = builder
            .server(self.server)
            .credential(self.credential)
            .allow_insecure(self.allow_insecure);
        if let Some(gateway) = self.gateway {
            builder = builder.gateway(gateway);
        }
        if let Some(path) = self.authorities {
            builder = builder.authorities(path);
        }
        builder.build().map_err(|error| Error::Client {
            place: Some(place),
            error,
        })
    }
}

fn origin(name: &'static str, text: Option<String>) -> Option<(&'static str, String)> {
    text.map(|text| (name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(server: Option<&str>) -> RemoteArguments {
        RemoteArguments {
            server: server.map(Into::into),
            gateway: None,
            api_key: None,
            token: None,
            ca_file: None,
            allow_insecure: false,
        }
    }

    fn full() -> Environment {
        Environment {
            server: Some("https://environment.example".into()),
            gateway: Some("https://gateway.example".into()),
            token: Some("environment-jwt".into()),
            api_key: Some("environment-key".into()),
        }
    }

    fn credential(arguments: RemoteArguments, environment: Environment) -> Credential {
        let remote = Remote::resolve(arguments, environment).unwrap();
        remote.unwrap().credential
    }

    #[test]
    fn without_a_server_there_is_no_remote() {
        let mut environment = full();
        environment.server = None;
        assert_eq!(Remote::resolve(arguments(None), environment).unwrap(), None);
    }

    #[test]
    fn a_credential_without_a_server_is_a_mistake() {
        let key = RemoteArguments {
            api_key: Some("key".into()),
            ..arguments(None)
        };
        let error = Remote::resolve(key, Environment::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--api-key needs a server: give --server or set LOBEHUB_SERVER"
        );
    }

    #[test]
    fn the_command_line_goes_before_the_environment() {
        let remote = Remote::resolve(arguments(Some("https://given.example")), full());
        let remote = remote.unwrap().unwrap();
        assert_eq!(remote.server.to_string(), "https://given.example");
        let gateway = |url: &str| Some(GatewayUrl::parse(url).unwrap());
        assert_eq!(remote.gateway, gateway("https://gateway.example"));
        let given = RemoteArguments {
            gateway: Some("wss://given.example/gateway".into()),
            ..arguments(None)
        };
        let remote = Remote::resolve(given, full()).unwrap().unwrap();
        assert_eq!(remote.gateway, gateway("wss://given.example/gateway"));

        let key = RemoteArguments {
            api_key: Some("given-key".into()),
            ..arguments(None)
        };
        assert_eq!(
            credential(key, full()),
            Credential::ApiKey("given-key".into())
        );
    }

    #[test]
    fn the_access_token_goes_before_the_key_in_the_environment() {
        let environment = full();
        assert_eq!(
            credential(arguments(None), environment),
            Credential::AccessToken("environment-jwt".into())
        );
        let mut environment = full();
        environment.token = None;
        assert_eq!(
            credential(arguments(None), environment),
            Credential::ApiKey("environment-key".into())
        );
        let server = arguments(Some("https://given.example"));
        assert_eq!(credential(server, Environment::default()), Credential::None);
    }

    #[test]
    fn c1_a_bad_url_is_told_with_where_it_came_from() {
        let error = Remote::resolve(arguments(Some("ftp://x")), Environment::default());
        assert!(error.unwrap_err().to_string().starts_with("--server: "));
        let environment = Environment {
            gateway: Some("nonsense".into()),
            ..full()
        };
        let error = Remote::resolve(arguments(None), environment).unwrap_err();
        assert!(error.to_string().starts_with("AGENT_GATEWAY_URL: "));
    }
}
