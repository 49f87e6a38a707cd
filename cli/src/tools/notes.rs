//! `readFile` of the embedded gateway: a note that is inside this program, so that the round trip of a tool can be
//! seen without touching anybody's files.

use agent_gateway_machine::ToolAnswer;
use agent_gateway_protocol::{Object, RawJson};

pub(super) const API_NAME: &str = "readFile";

const NOTES: &str = "\
Buy oat milk.
Call Ada about the gateway.
";

pub(super) fn read(arguments: &str) -> ToolAnswer {
    let path: Option<Box<str>> = RawJson::parse(arguments)
        .ok()
        .as_ref()
        .and_then(Object::parse)
        .and_then(|mut members| members.take("path"));
    match path.as_deref() {
        Some("notes.txt") => ToolAnswer::success(NOTES),
        Some(other) => ToolAnswer::failure(
            "client_tool_execution_error",
            &format!("there is no {other} here; the embedded gateway's only file is notes.txt"),
        ),
        None => ToolAnswer::failure(
            "client_tool_execution_error",
            "readFile needs a path, such as {\"path\":\"notes.txt\"}",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_built_in_note_is_read() {
        assert!(read(r#"{"path":"notes.txt"}"#).success);
        for arguments in [r#"{"path":"/etc/passwd"}"#, "{}", "[]", r#"{"path":7}"#] {
            assert!(!read(arguments).success, "{arguments}");
        }
    }
}
