//! The invariants on random histories.
//!
//! `AGW_HISTORIES=1000000` asks for more of them, `AGW_SEED=7` for others. A failure prints the command that repeats
//! it.

mod canonical;
mod coverage;
mod faithful;
mod history;
mod mutations;

use std::env;
use std::fmt::Write;

use agent_gateway_machine::Mutation;
use agent_gateway_machine::recording::Step;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use history::{Beginning, History};

/// Steps of one history.
const STEPS: usize = 200;

/// Histories of each beginning, unless `AGW_HISTORIES` says how many in all.
const HISTORIES: u32 = 50_000;

#[test]
fn invariants_hold_on_random_histories_of_a_new_run() {
    check(Beginning::Execute);
}

#[test]
fn invariants_hold_on_random_histories_of_an_attached_run() {
    check(Beginning::Attach);
}

#[test]
fn a_faithful_gateway_is_heard_whole_and_in_order() {
    let cases = number("AGW_HISTORIES").map_or(HISTORIES, |all| all.div_ceil(2));
    search(cases, faithful::Session::live)
        .unwrap_or_else(|(what, words)| panic!("{what}\n{}", repeat("faithful", &words)));
}

/// Repeats one history: `AGW_HISTORY=execute:0000002a,...`, as a failure prints it.
#[test]
fn one_history_repeated() {
    let Ok(text) = env::var("AGW_HISTORY") else {
        return;
    };
    let (beginning, words) = text.split_once(':').expect("BEGINNING:WORD,WORD,...");
    let words: Vec<u32> = words
        .split(',')
        .map(|word| u32::from_str_radix(word, 16).expect("a word of eight hex digits"))
        .collect();
    let beginning = match beginning {
        "execute" => Beginning::Execute,
        "attach" => Beginning::Attach,
        "faithful" => {
            return faithful::Session::live(&words).unwrap_or_else(|what| panic!("{what}"));
        }
        other => panic!("{other} is none of execute, attach, faithful"),
    };
    let mut history = None;
    let outcome = live_in(&mut history, beginning, &words, None);
    if let Some(history) = &history {
        for Step { event, effects } in &history.recording().steps {
            println!("{} {:?}", event.at, event.kind);
            for effect in effects {
                println!("    {effect:?}");
            }
        }
    }
    if let Err(what) = outcome {
        panic!("{what}");
    }
}

fn check(beginning: Beginning) {
    let cases = number("AGW_HISTORIES").map_or(HISTORIES, |all| all.div_ceil(2));
    search(cases, |words| live(beginning, words))
        .unwrap_or_else(|(what, words)| panic!("{what}\n{}", repeat(beginning.name(), &words)));
}

/// Looks for words that `live` objects to, and makes them as few and small as it can.
fn search(
    cases: u32,
    live: impl Fn(&[u32]) -> Result<(), String>,
) -> Result<(), (String, Vec<u32>)> {
    let seed = number("AGW_SEED").unwrap_or(1);
    let mut runner = TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(u64::from(seed)),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    });
    let histories = vec(any::<u32>(), 1..=STEPS);
    let outcome = runner.run(&histories, |words| {
        live(&words).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, words)) => Err((format!("{why} (seed {seed})"), words)),
        Err(TestError::Abort(why)) => Err((why.to_string(), Vec::new())),
    }
}

/// Lives through one history, to its fair end; and, for some, once more from its recording (I15).
fn live(beginning: Beginning, words: &[u32]) -> Result<(), String> {
    live_in(&mut None, beginning, words, None)
}

fn live_in(
    place: &mut Option<History>,
    beginning: Beginning,
    words: &[u32],
    mutation: Option<Mutation>,
) -> Result<(), String> {
    let (first, rest) = words.split_first().ok_or("no words")?;
    let told = |violation: agent_gateway_sim::invariant::Violation| violation.to_string();
    let history = place.insert(History::begin(beginning, *first, mutation).map_err(told)?);
    for word in rest {
        history.act(*word).map_err(told)?;
    }
    history.finish().map_err(told)?;
    if first.is_multiple_of(16) && mutation.is_none() {
        let difference = history
            .recording()
            .first_difference()
            .map_err(|error| error.to_string())?;
        if difference.is_some() {
            return Err("I15: the recording did not replay with the same effects".into());
        }
    }
    Ok(())
}

/// The command that repeats a history.
fn repeat(beginning: &str, words: &[u32]) -> String {
    let mut text = format!("to repeat it: AGW_HISTORY={beginning}:");
    for (index, word) in words.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{word:08x}");
    }
    text.push_str(" cargo test -p agent-gateway-tests one_history_repeated");
    text
}

fn number(name: &str) -> Option<u32> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}
