use alloc::{collections::BTreeMap, vec::Vec};

use agent_gateway_protocol::ToolCallId;
use serde::{Deserialize, Serialize, Serializer};

use super::Tool;

/// The tool calls in the order they became known, each found by its id: a server may have a run make very many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Vec<Tool>")]
pub(super) struct Tools {
    list: Vec<Tool>,
    /// Where in the list each is.
    places: BTreeMap<ToolCallId, usize>,
}

impl Tools {
    pub(super) fn as_slice(&self) -> &[Tool] {
        &self.list
    }

    pub(super) fn get(&self, call: &ToolCallId) -> Option<&Tool> {
        self.list.get(*self.places.get(call)?)
    }

    pub(super) fn get_mut(&mut self, call: &ToolCallId) -> Option<&mut Tool> {
        self.list.get_mut(*self.places.get(call)?)
    }

    /// The tool of that call; a new one if it is not known.
    pub(super) fn get_or_new(&mut self, call: &ToolCallId) -> &mut Tool {
        let place = match self.places.get(call) {
            Some(place) => *place,
            None => {
                self.push(Tool::new(call.clone()));
                self.list.len() - 1
            }
        };
        &mut self.list[place]
    }

    /// Drops these calls, in one pass over what became known since the first of them.
    pub(super) fn remove_all(&mut self, calls: &[ToolCallId]) {
        let removed = calls.iter().filter_map(|call| self.places.remove(call));
        let Some(first) = removed.min() else {
            return;
        };
        for tool in self.list.split_off(first) {
            if let Some(place) = self.places.get_mut(&tool.call) {
                *place = self.list.len();
                self.list.push(tool);
            }
        }
    }

    fn push(&mut self, tool: Tool) {
        self.places.insert(tool.call.clone(), self.list.len());
        self.list.push(tool);
    }
}

impl From<Vec<Tool>> for Tools {
    /// Of several with the same id the first counts.
    fn from(list: Vec<Tool>) -> Self {
        let mut tools = Self::default();
        for tool in list {
            if tools.get(&tool.call).is_none() {
                tools.push(tool);
            }
        }
        tools
    }
}

impl Serialize for Tools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}
