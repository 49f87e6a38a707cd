//! What the server refuses on the wire though the gateway's frame reads well.

use agent_gateway_protocol::{Object, RawJson};

/// Whether the server's schema refuses this `tool_result` (T5): a missing content, or an `error` or `state` that is there
/// but no object. Nobody is told; the result is lost.
pub(super) fn refused_result(text: &str) -> bool {
    let Some(frame) = RawJson::parse(text)
        .ok()
        .and_then(|json| Object::parse(&json))
    else {
        return false;
    };
    let is_no_object = |name| {
        frame
            .get(name)
            .is_some_and(|value: &RawJson| !value.as_slice().is_object())
    };
    frame.get("content").is_none() || is_no_object("error") || is_no_object("state")
}

#[cfg(test)]
mod tests {
    use super::refused_result;

    #[test]
    fn t5_a_null_error_or_state_loses_the_result() {
        let frame = |rest: &str| {
            refused_result(&format!(
                r#"{{"type":"tool_result","toolCallId":"c","success":true{rest}}}"#
            ))
        };
        assert!(frame(""));
        assert!(!frame(r#","content":null"#));
        assert!(!frame(r#","content":"x","state":{"a":1}"#));
        assert!(frame(r#","content":"x","state":null"#));
        assert!(frame(r#","content":"x","error":null"#));
    }
}
