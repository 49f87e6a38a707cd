use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::json::JsonSlice;

/// How a procedure is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// By GET, the input in the URL.
    Query,
    /// By POST, the input in the body.
    Mutation,
}

/// A procedure of the server: the value is its input.
pub trait Procedure {
    /// Its name, such as `aiAgent.execAgent`.
    const PATH: &'static str;

    /// How it is called.
    const METHOD: Method;

    /// Whether the answer holds a token. If so, one that cannot be read is not quoted, unless it is an error or a proxy's
    /// page.
    const ANSWERS_WITH_TOKEN: bool = false;

    /// What it answers.
    type Reply;

    /// Appends the input as JSON; nothing at all for a procedure without input.
    fn write_input(&self, out: &mut String);

    /// Reads the answer.
    ///
    /// # Errors
    /// What is missing or has another shape.
    fn read_reply(json: JsonSlice<'_>) -> Result<Self::Reply, &'static str>;
}
