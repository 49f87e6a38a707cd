//! A question to a person, in words.

use agent_gateway_machine::transcript::Transcript;
use agent_gateway_protocol::RawJson;
use agent_gateway_protocol::frame::ToolConfirmationRequest;
use serde_json::Value;

use super::plain::shortened;
use crate::question::Question;

/// Most characters that are shown of what a tool is to do, and of what is asked. Whoever decides should see it whole.
const MOST: usize = 1_000;

/// What is asked, on lines of its own.
pub(super) fn text(question: &Question, transcript: &Transcript) -> String {
    match question {
        Question::Confirmation(request) => confirmation(request, transcript),
        Question::Input(request) => format!("? {}", whole_or_counted(&request.prompt)),
    }
}

/// What stands before the place where the answer is typed.
pub(super) fn prompt(question: &Question) -> &'static str {
    match question {
        Question::Confirmation(_) => "May it run? [y/n]",
        Question::Input(_) => "Your answer:",
    }
}

fn confirmation(request: &ToolConfirmationRequest, transcript: &Transcript) -> String {
    let call = &request.tool_call_id;
    let tool = match (&request.tool, transcript.tool(call)) {
        (Some(tool), _) => described(tool),
        (None, Some(tool)) => format!("{} {}", tool.name(), tool.arguments),
        (None, None) => "a tool of which the server says nothing".into(),
    };
    format!("⏸ {} ({call})", whole_or_counted(&tool))
}

/// A tool in whatever shape the server describes it: in the shape of a call by name and arguments, else as it is.
fn described(tool: &RawJson) -> String {
    let shape = serde_json::from_str(tool.as_str()).unwrap_or_default();
    match &shape {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let text = |key| members.get(key).map_or_else(String::new, as_text);
            match (text("identifier"), text("apiName")) {
                (_, name) if name.is_empty() => tool.as_str().into(),
                (identifier, name) if identifier.is_empty() => {
                    format!("{name} {}", text("arguments"))
                }
                (identifier, name) => format!("{identifier}/{name} {}", text("arguments")),
            }
        }
        _ => tool.as_str().into(),
    }
}

fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The text on one line; where not all of it is shown, that is said.
fn whole_or_counted(text: &str) -> String {
    let short = shortened(text, MOST);
    if short.ends_with('…') && !text.ends_with('…') {
        let all = text.chars().count();
        return format!("{short} (not shown whole: {all} characters)");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tool: Option<&str>) -> String {
        let request = ToolConfirmationRequest {
            id: None,
            tool: tool.map(|json| RawJson::parse(json).unwrap()),
            tool_call_id: "call_1".into(),
        };
        text(
            &Question::Confirmation(request.into()),
            &Transcript::default(),
        )
    }

    #[test]
    fn t7_a_tool_is_told_by_name_and_arguments_whatever_its_shape() {
        for (tool, told) in [
            (r#""rm -rf target""#, "⏸ rm -rf target (call_1)"),
            (
                r#"{"identifier":"shell","apiName":"run","arguments":"{\"a\":1}"}"#,
                r#"⏸ shell/run {"a":1} (call_1)"#,
            ),
            (
                r#"{"apiName":"run","arguments":{"a":1}}"#,
                r#"⏸ run {"a":1} (call_1)"#,
            ),
            (r#"{"name":"run"}"#, r#"⏸ {"name":"run"} (call_1)"#),
            ("[1]", "⏸ [1] (call_1)"),
        ] {
            assert_eq!(asked(Some(tool)), told);
        }
        assert!(asked(None).contains("says nothing"));
    }

    #[test]
    fn t7_what_is_asked_is_one_line_without_control_characters_and_tells_what_it_hides() {
        let told = asked(Some(r#""ls\r\u001b[2K\u202e\nrm -rf /""#));
        assert_eq!(told, "⏸ ls [2K\u{fffd} rm -rf / (call_1)");
        let long = format!(r#""{}; rm -rf /""#, "x".repeat(5_000));
        let told = asked(Some(&long));
        assert!(
            told.contains("… (not shown whole: 5010 characters)"),
            "{told}"
        );
    }
}
