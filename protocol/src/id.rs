//! The names of things on the wire, each its own type so that they cannot be mixed up. All are opaque text, shared by
//! its clones: a run's name goes into every event, effect and table.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{FromJson, JsonSlice, ToJson, write_string};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text as it came.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// By the text; clones are known as such without a look at it.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                self.0.hash(hasher);
            }
        }

        /// By the text; clones are known as such without a look at it.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) {
                    return Ordering::Equal;
                }
                self.0.cmp(&other.0)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Box::<str>::deserialize(deserializer).map(Self::new)
            }
        }

        impl FromJson for $name {
            fn from_json(json: JsonSlice<'_>) -> Option<Self> {
                json.string().map(|text| Self(text.decode().into()))
            }
        }

        impl ToJson for $name {
            fn write_json(&self, out: &mut String) {
                write_string(&self.0, out);
            }
        }
    )*};
}

ids! {
    /// One run of an agent, as `op_<ms>_<agentId>_<topicId>_<8 characters>`.
    OperationId
    /// A conversation.
    TopicId
    /// A branch of a conversation.
    ThreadId
    /// A group of agents talking together.
    GroupId
    /// An agent.
    AgentId
    /// A row of the conversation.
    MessageId
    /// One call of a tool, named by the model.
    ToolCallId
    /// A document that a run belongs to.
    DocumentId
    /// A task that a run belongs to.
    TaskId
    /// One question of the gateway's `input_request`.
    InputRequestId
    /// A user of the server.
    UserId
}
