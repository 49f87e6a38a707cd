//! The page: its assets, the session as JSON, and a policy under which nothing but its own script runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use agent_gateway_machine::Rule;
use agent_gateway_sim::view::View;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};
use serde::Serialize;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The script's parts, in the order in which they need each other.
const SCRIPT: [&str; 9] = [
    include_str!("model.js"),
    include_str!("axis.js"),
    include_str!("paint.js"),
    include_str!("timeline.js"),
    include_str!("overview.js"),
    include_str!("list.js"),
    include_str!("details.js"),
    include_str!("print.js"),
    include_str!("main.js"),
];

/// The contract, where each rule has its text.
const LIFECYCLE: &str = include_str!("../../../machine/LIFECYCLE.md");

/// By this a page is known to be ours.
const GENERATOR: &str = r#"<meta name="generator" content="agw view">"#;

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    /// In words: it has more digits than a number of JavaScript.
    seed: Option<String>,
    /// The text of each rule that was followed, by its id.
    rules: BTreeMap<&'static str, &'static str>,
    view: &'a View,
}

/// The page of a session by this name.
pub(super) fn write(name: &str, view: &View) -> String {
    let script = format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPT.concat());
    let data = Data {
        name,
        seed: view.header.as_ref().map(|header| header.seed.to_string()),
        rules: rule_texts(view),
        view,
    };
    fill(
        PAGE,
        &[
            ("policy", &policy(&script)),
            ("style", STYLE),
            ("data", &inert(&data)),
            ("script", &script),
        ],
    )
}

/// The text of each rule that decided a step: the first row of the contract's tables that has its id.
fn rule_texts(view: &View) -> BTreeMap<&'static str, &'static str> {
    let followed = view.steps.iter().flat_map(|step| step.rules.iter());
    let rows = || LIFECYCLE.lines().filter_map(|line| line.strip_prefix("| "));
    followed
        .map(Rule::id)
        .filter_map(|id| {
            let mut texts = rows().filter_map(|row| row.strip_prefix(id)?.strip_prefix(" | "));
            Some((id, texts.next()?.trim_end_matches(" |")))
        })
        .collect()
}

/// Whether the file begins as our pages do.
pub(super) fn is_ours(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut beginning));
    read.is_ok() && String::from_utf8_lossy(&beginning).contains(GENERATOR)
}

/// The template with each `{{name}}` replaced, in one pass: what is filled in is never looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let size: usize = values.iter().map(|(_, value)| value.len()).sum();
    let mut filled = String::with_capacity(template.len() + size);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(before);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// JSON that cannot end the element it stands in: a `<` only ever occurs inside a JSON string, where it has another
/// spelling.
fn inert(data: &Data<'_>) -> String {
    // Every type written here has string keys only, so writing cannot fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    json.replace('<', "\\u003c")
}

/// Only this very script and this very style count, and nothing is ever loaded.
fn policy(script: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action \
         'none'",
        hash(script),
        hash(STYLE)
    )
}

#[cfg(test)]
mod tests {
    use agent_gateway_sim::view::Session;

    use super::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!--{{script}}";

    fn page() -> String {
        let event = serde_json::json!({ "at": 0, "kind": { "answer_input": { "request": HOSTILE, "content": HOSTILE } } });
        let line = format!("{}\n", serde_json::json!({ "event": event, "effects": [] }));
        write(HOSTILE, &View::of(Session::parse(&line).unwrap()))
    }

    #[test]
    fn what_is_recorded_cannot_leave_its_element() {
        let page = page();
        assert_eq!(
            page.matches("</script>").count(),
            2,
            "the data's, and the script's"
        );
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!page.contains("alert(1)</script>"));
        assert!(
            page.contains("{{script}}"),
            "what is filled in is left alone"
        );
    }

    #[test]
    fn every_rule_has_its_text() {
        let rows = LIFECYCLE.lines().filter_map(|line| line.strip_prefix("| "));
        let rows: Vec<_> = rows.collect();
        for rule in Rule::ALL {
            let row = format!("{} | ", rule.id());
            assert!(rows.iter().any(|text| text.starts_with(&row)), "{rule}");
        }
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = page();
        for part in ["src=", "@import", "url(", "http://", "https://", "fetch("] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("default-src 'none'; script-src 'sha256-"));
    }

    #[test]
    fn the_same_session_gives_the_same_bytes() {
        assert_eq!(page(), page());
    }
}
