use serde::{Deserialize, Serialize};

/// A text is not one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[error("not JSON at byte {at}: {problem}")]
pub struct JsonError {
    /// Where, in bytes from the start of the text.
    pub at: usize,
    /// What is wrong there.
    pub problem: JsonProblem,
}

/// What is wrong with a text that should be JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
// A word wide, so that a scanner's results are words throughout: mixed widths are copied bytewise, which stalls.
#[repr(usize)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text ends in the middle of a value.
    #[error("the text ends too early")]
    EndsEarly,
    /// A value had to begin here.
    #[error("expected a value")]
    ExpectedValue,
    /// A quoted key had to begin here.
    #[error("expected a quoted key")]
    ExpectedKey,
    /// A `:` had to follow a key.
    #[error("expected `:`")]
    ExpectedColon,
    /// A `,` or the end of the array or object had to follow a value.
    #[error("expected `,` or the closing bracket")]
    ExpectedCommaOrClose,
    /// `\` is followed by something that is no escape.
    #[error("unknown escape in a string")]
    BadEscape,
    /// A string holds an unescaped control character.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// A number is malformed, such as `01`, `1.` or `-`.
    #[error("malformed number")]
    BadNumber,
    /// Something follows the value.
    #[error("text after the value")]
    TrailingText,
}
