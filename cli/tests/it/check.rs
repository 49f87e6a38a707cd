//! `agw check` as a program. That a budget closes is looked at by `.ci/run`, in a release build.

use crate::program::run;

#[test]
fn a_budget_that_does_not_close_in_time_proves_nothing() {
    let left = run(&["check", "--budget", "large", "--time", "300ms", "--json"]);
    assert_eq!(left.code, Some(8), "{}", left.stderr);
    for part in [
        r#""budget":"large""#,
        r#""closed":false"#,
        r#""cut":"time""#,
        r#""violation":null"#,
        r#""rules":["#,
    ] {
        assert!(left.stdout.contains(part), "no `{part}` in {}", left.stdout);
    }
}

#[test]
fn a_budget_that_does_not_fit_into_memory_proves_nothing() {
    let left = run(&[
        "check",
        "--budget",
        "large",
        "--memory",
        "4",
        "--threads",
        "1",
    ]);
    assert_eq!(left.code, Some(8), "{}", left.stderr);
    for part in [
        "distinct states",
        "not closed",
        "the memory was full",
        "nothing is proved",
    ] {
        assert!(left.stdout.contains(part), "no `{part}` in {}", left.stdout);
    }
}

#[test]
fn a_mistyped_budget_time_or_count_is_named() {
    for (option, value) in [
        ("--budget", "medium"),
        ("--time", "soon"),
        ("--threads", "0"),
        ("--memory", "much"),
    ] {
        let left = run(&["check", option, value]);
        assert_eq!(left.code, Some(2), "{}", left.stderr);
        let named = left.stderr.contains(option) && left.stderr.contains(value);
        assert!(named, "{}", left.stderr);
    }
}

#[test]
fn a_place_where_no_script_can_be_written_is_named_before_anything_is_explored() {
    let left = run(&[
        "check",
        "--budget",
        "large",
        "--script",
        "no/such/found.json",
    ]);
    left.complains(2, &["no/such"]);
}
