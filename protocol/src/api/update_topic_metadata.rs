use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Method, Procedure};
use crate::{
    RawJson, TopicId,
    json::{JsonSlice, ObjectWriter},
};

/// `topic.updateTopicMetadata`, as far as it is needed: clears the mark of a running operation, whichever it is. Compare
/// first, or use [`SettleRunningOperation`](super::SettleRunningOperation).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UpdateTopicMetadata {
    /// The topic.
    pub topic_id: TopicId,
}

impl Procedure for UpdateTopicMetadata {
    const PATH: &'static str = "topic.updateTopicMetadata";
    const METHOD: Method = Method::Mutation;
    /// The rows changed; none if the topic is not ours.
    type Reply = RawJson;

    fn write_input(&self, out: &mut String) {
        let mut input = ObjectWriter::new(out);
        input.member("id", &self.topic_id);
        let mut metadata = ObjectWriter::new(input.key("metadata"));
        // The null must be there: absence would change nothing.
        metadata.member("runningOperation", &RawJson::null());
        metadata.finish();
        input.finish();
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<RawJson, &'static str> {
        Ok(json.to_raw())
    }
}
