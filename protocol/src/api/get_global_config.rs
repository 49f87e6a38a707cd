use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use super::{Method, Procedure};
use crate::{RawJson, json::JsonSlice};

/// `config.getGlobalConfig`: what the server says of itself to anyone (G3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GetGlobalConfig;

/// What `config.getGlobalConfig` answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GlobalConfig {
    /// The gateway's base URL (`serverConfig.agentGatewayUrl`), not yet checked.
    pub agent_gateway_url: Option<Box<str>>,
    /// Whether new runs go through the gateway (`serverConfig.enableGatewayMode`).
    pub enable_gateway_mode: Option<bool>,
    /// The whole answer.
    pub raw: RawJson,
}

impl Procedure for GetGlobalConfig {
    const PATH: &'static str = "config.getGlobalConfig";
    const METHOD: Method = Method::Query;
    type Reply = GlobalConfig;

    fn write_input(&self, _: &mut String) {}

    fn read_reply(json: JsonSlice<'_>) -> Result<GlobalConfig, &'static str> {
        let server = json
            .member("serverConfig")
            .ok_or("`serverConfig` is missing")?;
        if !server.is_object() {
            return Err("`serverConfig` is no object");
        }
        let url = server.member("agentGatewayUrl");
        let agent_gateway_url = url.filter(|url| !url.is_null()).map(|url| {
            let url: Option<Box<str>> = url.read();
            url.ok_or("`agentGatewayUrl` is no text")
        });
        Ok(GlobalConfig {
            agent_gateway_url: agent_gateway_url.transpose()?,
            enable_gateway_mode: server.member("enableGatewayMode").and_then(JsonSlice::read),
            raw: json.to_raw(),
        })
    }
}
