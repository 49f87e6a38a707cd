//! The scripts that come with this crate, their schema, and what is said of bad ones.

use std::path::Path;

use agent_gateway_sim::script::{LIBRARY, Script, find, schema};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");

/// `UPDATE_SCHEMA=1 cargo test -p agent-gateway-sim` writes it anew.
#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(FOLDER).join("script.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, schema()).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the schema is there");
    assert!(committed == schema(), "run the tests with UPDATE_SCHEMA=1");
}

#[test]
fn every_script_of_the_folder_is_in_the_library_and_reads_well() {
    let mut files: Vec<String> = std::fs::read_dir(FOLDER)
        .expect("the folder is there")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .filter(|name| name != "script.schema")
        .collect();
    files.sort();
    let names: Vec<&str> = LIBRARY.iter().map(|script| script.name).collect();
    assert_eq!(names, files);
    for script in LIBRARY {
        let file = format!("{}.json", script.name);
        let read = Script::parse(&file, script.text).unwrap_or_else(|error| panic!("{error}"));
        let again = Script::parse(&file, &read.to_text()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, read, "{file} survives being written");
    }
}

fn refusal(text: &str) -> String {
    match Script::parse("bad.json", text) {
        Ok(script) => panic!("accepted: {script:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_script_may_begin_with_the_mark_of_its_encoding() {
    assert!(Script::parse("marked.json", "\u{feff}{\"about\":\"x\"}").is_ok());
}

#[test]
fn a_bad_script_is_refused_with_file_line_and_path() {
    let step = |step: &str| format!("{{\"about\":\"x\",\n\"gateway\":{{\"steps\":[\n{step}\n]}}}}");
    let refusals = [
        refusal("{\"about\":"),
        refusal(""),
        refusal("hello"),
        refusal("---\nabout: x\n"),
        refusal("{\"about\":\"x\",}"),
        refusal("[]"),
        refusal("{\"about\":\"x\"} trailing"),
        refusal(r#"{"about":"x","gatway":{}}"#),
        refusal(&step(r#"{"do":{"explode":1}}"#)),
        refusal(&step(r#"{"do":"hibernate","after":-5}"#)),
        refusal(&step(r#"{"do":{"text":7}}"#)),
        refusal(&step(r#"{"when":"never","do":"drop"}"#)),
        refusal(&step(
            r#"{"do":{"tool_execute":{"call":"c","tool":"readFile"}}}"#,
        )),
        refusal(r#"{"about":"x","limits":{"backoff_cap":1}}"#),
        refusal(r#"{"about":"x","limits":{"patience":1}}"#),
        refusal(r#"{"about":"x","rules":["C99"]}"#),
        refusal(r#"{"about":"x","expect":{"effects":{"send_frame.hello":1}}}"#),
        refusal(r#"{"about":"x","expect":{"outcome":"fine"}}"#),
        refusal(r#"{"about":"x","expect":{"when":{"lunch":{"by":1}}}}"#),
        refusal(r#"{"about":"x","expect":{"when":{"notify:0":{"by":1}}}}"#),
        refusal(r#"{"about":"x","expect":{"when":{"notify":{"after":2,"by":1}}}}"#),
        refusal(r#"{"about":"x","expect":{"order":["set_alarm","lunch"]}}"#),
        refusal(r#"{"about":"x","expect":{"ignored":["lunch"]}}"#),
        refusal(r#"{"about":"x","expect":{"ended_by":-1}}"#),
        refusal(r#"{"about":"x","user":{"tokens":{"renewals":[{"answer":"maybe"}]}}}"#),
        refusal(r#"{"about":"x","network":{"steps":[{"at":"soon","do":"cut"}]}}"#),
        refusal(r#"{"about":"x","user":{"steps":[{"when":"lunch","do":"stop"}]}}"#),
        refusal(r#"{"about":"x","api":{"calls":{"exec_agnt":[]}}}"#),
        refusal(r#"{"about":"x","api":{"calls":{"exec_agent":[{"answer":"maybe"}]}}}"#),
        refusal(&step(r#"{"do":{"text":"x","end":{}}}"#)),
        refusal(&step(r#"{"do":{}}"#)),
        refusal(r#"{"about":"x","user":7}"#),
        refusal(r#"{"about":"x","gateway":{"steps":{}}}"#),
        refusal(r#"{"about":"x","expect":{"effects":{"set_alarm":"twice"}}}"#),
    ];
    for refusal in &refusals {
        assert_eq!(refusal.lines().count(), 1, "one sentence: {refusal}");
    }
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn what_a_failing_test_prints_of_a_script_is_one() {
    let script = Script::parse("good_run", find("good_run").unwrap().text).unwrap();
    let printed = format!("{script:?}");
    assert_eq!(Script::parse("printed", &printed), Ok(script));
}
