//! Holds the tables of `machine/LIFECYCLE.md` against the sources: every rule has its place in the code and its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use agent_gateway_machine::Rule;

/// Every rule there is. An id is never reused, so this list only grows.
fn rule_ids() -> Vec<String> {
    let families = [("C", 15), ("S", 14), ("R", 10), ("T", 7), ("G", 3)];
    let numbered = families
        .iter()
        .flat_map(|(family, last)| (1..=*last).map(move |number| format!("{family}{number}")));
    numbered.chain(["S9b".to_owned()]).collect()
}

fn defect_ids() -> Vec<String> {
    (1..=14).map(|number| format!("D{number}")).collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn contract() -> String {
    fs::read_to_string(workspace().join("machine/LIFECYCLE.md")).expect("the contract")
}

/// The rows of the table that begins with `header`, as cells.
fn rows(contract: &str, header: &str) -> Vec<Vec<String>> {
    let table = contract.lines().skip_while(|line| *line != header).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    })
    .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The names of all tests below `folder`.
fn tests_below(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names.append(&mut tests_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source");
            names.extend(tests_in(&source));
        }
    }
    names
}

fn tests_in(source: &str) -> Vec<String> {
    let marked = source.split("#[test]\n").skip(1);
    let named = marked.filter_map(|rest| rest.trim_start().strip_prefix("fn "));
    named
        .filter_map(|rest| Some(rest.split_once('(')?.0.to_owned()))
        .collect()
}

fn names(source: &str, id: &str) -> bool {
    source
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|word| word == id)
}

fn defines(source: &str, item: &str) -> bool {
    ["fn", "struct", "enum"].iter().any(|kind| {
        let head = format!("{kind} {item}");
        source.match_indices(&head).any(|(place, _)| {
            let next = source[place + head.len()..].chars().next();
            next.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        })
    })
}

#[test]
fn table_names_every_rule_once_and_every_rule_is_told() {
    let contract = contract();
    let listed: Vec<_> = rows(&contract, "| rule | code | tests |")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a rule is listed twice");
    assert_eq!(unique, rule_ids().into_iter().collect());
    let invariants = (1..=18).map(|number| format!("I{number}"));
    for id in rule_ids().into_iter().chain(defect_ids()).chain(invariants) {
        let told = contract
            .lines()
            .filter(|line| line.starts_with(&format!("| {id} |")))
            .count();
        assert!(told >= 1, "{id} is not told");
    }
}

#[test]
fn table_leads_to_code_that_names_the_rule() {
    let sources = workspace().join("machine/src");
    for row in rows(&contract(), "| rule | code | tests |") {
        let [id, code, _] = &row[..] else {
            panic!("a row has three cells: {row:?}");
        };
        let mut file = None;
        for name in quoted(code) {
            if name.ends_with(".rs") {
                let source = fs::read_to_string(sources.join(name));
                let source = source.unwrap_or_else(|_| panic!("{id}: no file {name}"));
                assert!(names(&source, id), "{name} does not name {id}");
                file = Some((name, source));
            } else {
                let (path, source) = file.as_ref().expect("a file comes first");
                assert!(defines(source, name), "{id}: no {name} in {path}");
            }
        }
        assert!(file.is_some(), "{id} has no code");
    }
}

#[test]
fn table_rules_are_those_that_a_step_can_cite_and_a_few_that_no_step_decides() {
    let by_no_step = ["R8", "R10", "T5", "G1", "G2", "G3"];
    let citable: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id().to_owned()).collect();
    let expected = rule_ids()
        .into_iter()
        .filter(|id| !by_no_step.contains(&&**id));
    assert_eq!(citable, expected.collect());
}

#[test]
fn table_lists_exactly_the_tests_there_are() {
    let contract = contract();
    let written = tests_below(&workspace().join("tests/it"));
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in rule_ids().into_iter().chain(defect_ids()) {
        let prefix = format!("{}_", id.to_lowercase());
        let tests = written
            .iter()
            .filter(|name| name.starts_with(&prefix))
            .cloned();
        expected.insert(id, tests.collect());
    }
    let listed = rows(&contract, "| rule | code | tests |")
        .into_iter()
        .map(|row| (row[0].clone(), row[2].clone()));
    let defects = rows(&contract, "| defect | tests |")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()));
    let table: BTreeMap<_, BTreeSet<_>> = listed
        .chain(defects)
        .map(|(id, tests)| (id, quoted(&tests).into_iter().map(str::to_owned).collect()))
        .collect();
    for (id, tests) in &expected {
        assert!(!tests.is_empty(), "{id} has no test");
        assert_eq!(table.get(id), Some(tests), "{id}");
    }
    assert_eq!(table.len(), expected.len());
}
