use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Method, Procedure};
use crate::{
    Object, Token, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `aiAgent.refreshGatewayToken`: a fresh token for the run that a topic is marked with. `NOT_FOUND` means that the
    /// run is over.
    pub struct RefreshGatewayToken {
        /// The topic.
        topic_id: required TopicId = "topicId",
    }
}

/// What `aiAgent.refreshGatewayToken` answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RefreshGatewayTokenReply {
    /// Opens the gateway's socket, for 300 s.
    pub token: Token,
}

impl RefreshGatewayToken {
    /// The input with what it needs.
    pub fn new(topic_id: impl Into<TopicId>) -> Self {
        Self {
            topic_id: topic_id.into(),
            extra: Object::new(),
        }
    }
}

impl Procedure for RefreshGatewayToken {
    const PATH: &'static str = "aiAgent.refreshGatewayToken";
    const METHOD: Method = Method::Query;
    const ANSWERS_WITH_TOKEN: bool = true;
    type Reply = RefreshGatewayTokenReply;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<RefreshGatewayTokenReply, &'static str> {
        let token = json
            .member("token")
            .and_then(JsonSlice::read)
            .ok_or("`token` is missing")?;
        Ok(RefreshGatewayTokenReply { token })
    }
}
