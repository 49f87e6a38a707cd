use agent_gateway_protocol::json::ToJson;
use agent_gateway_protocol::{EventType, RawJson};
use serde_json::{Map, Value};

use super::stage::{Words, names_anything};
use crate::script::{Act, EndAct, TypedKind};

/// What a step comes to.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// Push an event of this type with this data: what a script says most. Clones share the data.
    Push(EventType, RawJson),
    /// Anything else; boxed, for it is rare and large.
    Act(Box<Act>),
}

impl Deed {
    /// What an act comes to in every run: data that names nothing of the run is written once.
    pub(super) fn of(act: &Act) -> Self {
        match act {
            Act::Text(text) if !names_anything(text) => Self::chunk(TypedKind::Text, text),
            Act::Reasoning(text) if !names_anything(text) => {
                Self::chunk(TypedKind::Reasoning, text)
            }
            Act::End(end) => Self::Push(EventType::AgentRuntimeEnd, end_data(end)),
            other => Self::Act(Box::new(other.clone())),
        }
    }

    /// A `stream_chunk`.
    pub(super) fn chunk(kind: TypedKind, text: &str) -> Self {
        let chunk = Chunk { kind, text };
        Self::Push(EventType::StreamChunk, chunk.to_raw_json())
    }

    /// What it comes to in one run: chunks name what there is to name.
    pub(super) fn filled(&self, words: &Words) -> Self {
        match self {
            Self::Push(..) => self.clone(),
            Self::Act(act) => match &**act {
                Act::Text(text) => Self::chunk(TypedKind::Text, &words.fill(text)),
                Act::Reasoning(text) => Self::chunk(TypedKind::Reasoning, &words.fill(text)),
                _ => self.clone(),
            },
        }
    }
}

/// The data of a `stream_chunk`.
struct Chunk<'a> {
    kind: TypedKind,
    text: &'a str,
}

impl ToJson for Chunk<'_> {
    fn write_json(&self, out: &mut String) {
        out.push_str(match self.kind {
            TypedKind::Text => r#"{"chunkType":"text","content":"#,
            TypedKind::Reasoning => r#"{"chunkType":"reasoning","reasoning":"#,
        });
        self.text.write_json(out);
        out.push('}');
    }
}

/// The data of an `agent_runtime_end`.
fn end_data(end: &EndAct) -> RawJson {
    let members = [
        ("reason", &end.reason),
        ("reasonDetail", &end.detail),
        ("errorType", &end.error_type),
    ];
    let given = members.into_iter().filter_map(|(name, text)| {
        let text = text.as_deref()?;
        Some((name.to_owned(), text.into()))
    });
    super::perform::raw(&Value::Object(given.collect::<Map<_, _>>()))
}
