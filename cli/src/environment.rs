use agent_gateway_protocol::Token;

/// What the environment says of servers and credentials. Read once; an empty variable counts as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// `LOBEHUB_SERVER`.
    pub(crate) server: Option<String>,
    /// `AGENT_GATEWAY_URL`.
    pub(crate) gateway: Option<String>,
    /// `LOBEHUB_JWT`.
    pub(crate) token: Option<Token>,
    /// `LOBEHUB_CLI_API_KEY`.
    pub(crate) api_key: Option<Token>,
}

impl Environment {
    /// The process's own.
    pub(crate) fn read() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            server: variable("LOBEHUB_SERVER"),
            gateway: variable("AGENT_GATEWAY_URL"),
            token: variable("LOBEHUB_JWT").map(Token::new),
            api_key: variable("LOBEHUB_CLI_API_KEY").map(Token::new),
        }
    }
}
