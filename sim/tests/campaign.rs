//! Random sessions, each judged from all sides: a few for every run of the tests. `.ci/run` plays 20,000 others by
//! `agw campaign`.

use agent_gateway_sim::campaign::{Campaign, Coverage, Progress, judge, random_script, shrink};

/// `CAMPAIGN_SESSIONS=100000 cargo test -p agent-gateway-sim --test campaign` plays more of them.
#[test]
fn random_sessions_break_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let sessions = number("CAMPAIGN_SESSIONS").unwrap_or(2_000);
    let seed = number("CAMPAIGN_SEED").unwrap_or(2);
    let campaign = Campaign {
        most_failures: usize::try_from(number("CAMPAIGN_FAILURES").unwrap_or(1)).unwrap_or(1),
        ..Campaign::new(seed, sessions)
    };
    let report = campaign.run(2, &Progress::default());
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|(script_seed, failure)| {
            let finding = shrink(&random_script(*script_seed), failure, |script| {
                judge(script, &mut Coverage::default()).err()
            });
            format!(
                "campaign seed {seed}, script seed {script_seed}: {failure}\nshrunk in {} tries to\n{}",
                finding.tries,
                finding.script.to_text()
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(report.coverage.sessions, sessions);
}
