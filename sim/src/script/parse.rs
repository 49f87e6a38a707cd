use std::fmt;

use agent_gateway_machine::{Config, Limits};
use agent_gateway_protocol::GatewayUrl;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::{Map, Value, json};

use super::locate::locate;
use super::{Act, Expect, Script, ScriptError, UserStep};
use crate::names::{self, did_you_mean};

impl Script {
    /// Reads a script. `file` is its name, for errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScriptError> {
        // Some editors begin a file with a mark of its encoding.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.trim_start().starts_with('{') && serde_json::from_str::<Value>(text).is_ok() {
            return Err(ScriptError::Form {
                file: file.into(),
                line: 1,
                column: 1,
                path: "".into(),
                what: "a script is a JSON object".into(),
            });
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let script: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| form(file, text, &error.path().to_string(), error.inner()))?;
        reader.end().map_err(|error| form(file, text, "", &error))?;
        script.check().map_err(|(path, what)| {
            let (line, column) = locate(text, &path);
            ScriptError::Sense {
                file: file.into(),
                line,
                column,
                path: path.into(),
                what: what.into(),
            }
        })?;
        Ok(script)
    }

    /// The script as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Every type in it has string keys only: writing cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The config of the run it plays against the gateway at `gateway`.
    #[must_use]
    pub fn config(&self, gateway: Option<GatewayUrl>) -> Config {
        let mut config = Config::new(gateway);
        config.limits = self.limits.clone();
        config
    }

    /// What the form alone cannot say.
    fn check(&self) -> Result<(), (String, String)> {
        self.config(None)
            .validate()
            .map_err(|error| ("limits".to_owned(), error.to_string()))?;
        for (index, rule) in self.rules.iter().enumerate() {
            if !names::is_rule(rule) {
                let what = format!("`{rule}` names no rule; rules are such as C8, S2, D4 or I6");
                return Err((format!("rules[{index}]"), what));
            }
        }
        for (index, step) in self.gateway.steps.iter().enumerate() {
            check_act(&step.act).map_err(|what| (format!("gateway.steps[{index}].do"), what))?;
        }
        for (place, reaction) in self.gateway.reactions.iter().enumerate() {
            for (index, step) in reaction.steps.iter().enumerate() {
                check_act(&step.act).map_err(|what| {
                    let path = format!("gateway.reactions[{place}].steps[{index}].do");
                    (path, what)
                })?;
            }
        }
        for (index, step) in self.user.steps.iter().enumerate() {
            if let Some(when) = &step.when
                && UserStep::parse_when(when).is_none()
            {
                let (name, _) = when.split_once(':').unwrap_or((when, ""));
                let hint = did_you_mean(name, names::NOTIFICATIONS);
                let what = format!("`{when}` names no notification{hint}");
                return Err((format!("user.steps[{index}].when"), what));
            }
        }
        self.check_expectations()
    }

    fn check_expectations(&self) -> Result<(), (String, String)> {
        let expect = &self.expect;
        if let Some(outcome) = &expect.outcome
            && outcome != "none"
            && !names::OUTCOMES.contains(&&**outcome)
        {
            let hint = did_you_mean(outcome, names::OUTCOMES.into_iter().chain(["none"]));
            let what = format!("`{outcome}` is no outcome{hint}");
            return Err(("expect.outcome".into(), what));
        }
        if let Some(status) = &expect.server_status
            && status != "none"
            && !names::STATUSES.contains(&&**status)
            && !self.sets_status(status)
        {
            let hint = did_you_mean(status, names::STATUSES.into_iter().chain(["none"]));
            let what = format!("`{status}` is no status, and no step sets it{hint}");
            return Err(("expect.server_status".into(), what));
        }
        let ordered = expect.order.iter().enumerate();
        let ordered = ordered.map(|(index, name)| (name, format!("expect.order[{index}]")));
        let counted = expect
            .effects
            .keys()
            .map(|name| (name, format!("expect.effects[\"{name}\"]")));
        for (name, path) in counted.chain(ordered) {
            if !names::is_effect(name) {
                return Err((path, no_effect(name)));
            }
        }
        for (name, window) in &expect.when {
            if Expect::parse_when(name).is_none() {
                return Err((format!("expect.when[\"{name}\"]"), no_effect(name)));
            }
            if window.by.is_some_and(|by| by < window.after) {
                let what = "it ends before it begins".into();
                return Err((format!("expect.when[\"{name}\"]"), what));
            }
        }
        for (index, name) in expect.ignored.iter().enumerate() {
            if !names::IGNORED.contains(&&**name) {
                let hint = did_you_mean(name, names::IGNORED);
                let what = format!("`{name}` is no reason to ignore an event{hint}");
                return Err((format!("expect.ignored[{index}]"), what));
            }
        }
        Ok(())
    }
}

impl Script {
    /// Whether a step gives the run this status on the server: it may be one that only newer servers have.
    fn sets_status(&self, status: &str) -> bool {
        let reactions = self.gateway.reactions.iter();
        let reactions = reactions.flat_map(|reaction| &reaction.steps);
        let mut steps = self.gateway.steps.iter().chain(reactions);
        steps.any(|step| match &step.act {
            Act::SetStatus(set) => set.status.as_str() == status,
            _ => false,
        })
    }
}

/// As `agw sim` plays it: where a test fails, what it prints is a script.
impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

impl UserStep {
    /// The notification waited for, and how many of them.
    pub(crate) fn parse_when(when: &str) -> Option<(&str, u64)> {
        let (name, count) = counted(when)?;
        let is_known = names::NOTIFICATIONS.contains(&name);
        is_known.then_some((name, count))
    }
}

impl Expect {
    /// The effect whose moment is expected, and which one of them it is, from 1.
    pub(crate) fn parse_when(when: &str) -> Option<(&str, u64)> {
        let (name, count) = counted(when)?;
        (names::is_effect(name) && count > 0).then_some((name, count))
    }
}

/// A name and a number: 1 if there is none.
fn counted(text: &str) -> Option<(&str, u64)> {
    match text.split_once(':') {
        Some((name, count)) => Some((name, count.parse().ok()?)),
        None => Some((text, 1)),
    }
}

/// What is said of an expectation about nothing; `name` may say which one of several by a number.
fn no_effect(name: &str) -> String {
    let (effect, _) = name.split_once(':').unwrap_or((name, ""));
    if names::is_effect(effect) {
        return format!("`{name}` names no effect: behind the colon they are counted from 1");
    }
    let hint = did_you_mean(effect, names::effects());
    format!("`{name}` names no effect{hint}")
}

fn check_act(act: &Act) -> Result<(), String> {
    match act {
        Act::ToolExecute(tool) if !tool.tool.contains('/') => {
            Err(format!("`{}` must be `identifier/apiName`", tool.tool))
        }
        Act::ToolEnd(tool) if !tool.tool.contains('/') => {
            Err(format!("`{}` must be `identifier/apiName`", tool.tool))
        }
        Act::SendFrame(frame) if !frame.get("type").is_some_and(Value::is_string) => {
            Err("a frame must be an object with a string `type`".into())
        }
        Act::Type(typed) if typed.letters == 0 => Err("`letters` must be at least 1".into()),
        _ => Ok(()),
    }
}

fn form(file: &str, text: &str, path: &str, error: &serde_json::Error) -> ScriptError {
    let what = error.to_string();
    // serde_json says the place at the end; here it stands in front.
    let what = what
        .rsplit_once(" at line ")
        .map_or(&*what, |(what, _)| what);
    // Where one of several things is wanted as a member, none or more than one is a syntax error to serde_json.
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let (path, what) = match error.classify() {
        Category::Data | Category::Io => (path, in_words(what)),
        Category::Syntax if is_json => (path, "exactly one thing must be named here".into()),
        // Of what is not JSON no member is to be trusted.
        Category::Syntax => ("", format!("this is not JSON: {what}")),
        Category::Eof => ("", format!("the JSON ends too early: {what}")),
    };
    ScriptError::Form {
        file: file.into(),
        line: error.line(),
        column: error.column().max(1),
        path: path.into(),
        what: what.into(),
    }
}

/// What serde says is expected, without the names of our types; and which of several names was most likely meant.
fn in_words(what: &str) -> String {
    let what = what.replacen("unknown variant", "unknown name", 1);
    let Some((what, expected)) = what.rsplit_once(", expected ") else {
        return what;
    };
    if let Some(name) = what.strip_prefix("unknown ")
        && let Some((_, name)) = name.split_once('`')
    {
        let known = expected.split('`').skip(1).step_by(2);
        let hint = did_you_mean(name.trim_end_matches('`'), known);
        if !hint.is_empty() {
            let known = expected.strip_prefix("one of ").unwrap_or(expected);
            return format!("{what}{hint} Known are {known}");
        }
    }
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "a sequence" => "a list",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    };
    format!("{what}, expected {expected}")
}

/// The JSON Schema of scripts, as text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Script);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The limits by name, each a whole number; made from the limits themselves, so that none is forgotten.
pub(super) fn limits_schema(_: &mut SchemaGenerator) -> Schema {
    let defaults = serde_json::to_value(Limits::default()).unwrap_or_default();
    let properties: Map<String, Value> = defaults
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, default)| {
            let kind = if default.is_null() {
                json!(["integer", "null"])
            } else {
                json!("integer")
            };
            let property = json!({ "type": kind, "minimum": 0, "default": default });
            (name.clone(), property)
        })
        .collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}
