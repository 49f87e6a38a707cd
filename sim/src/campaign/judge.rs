use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use agent_gateway_machine::Outcome;
use agent_gateway_machine::recording::{Difference, Recording};
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::{OperationStatus, Payload};

use super::Coverage;
use super::coverage::Seen;
use crate::invariant::Observation;
use crate::script::{Act, ClockAct, NetworkAct, Script};
use crate::trace::Trace;
use crate::world::{Played, Spectator, World};

/// How a session failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it broke: an invariant's id, or `world` for what can only be a bug.
    pub invariant: String,
    /// What was seen.
    pub what: String,
}

impl core::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{}: {}", self.invariant, self.what)
    }
}

impl core::error::Error for Failure {}

/// Liveness is given three virtual minutes (I16), and the time its own deadlines may take on top.
const PATIENCE: u64 = 180_000;

/// The gateway's watchdog ends a run that is idle for this long, ms.
const WATCHDOG: u64 = 600_000;

/// One session in so many is also replayed, and searched for tokens.
const SAMPLE: u64 = 16;

/// Plays a script of [`random_script`](super::random_script) and looks at it from all sides.
///
/// # Errors
/// The first thing that does not hold. A panic is one of them (I14).
pub fn judge(script: &Script, coverage: &mut Coverage) -> Result<(), Failure> {
    let world =
        World::new(script, script.seed).map_err(|error| failure("world", error.to_string()))?;
    judge_with(world, script, script.seed.is_multiple_of(SAMPLE), coverage)
}

/// As [`judge`], in a world of the script that was changed, such as one with a broken machine; so it is not replayed,
/// which the machine as it is would do.
///
/// # Errors
/// The first thing that does not hold. A panic is one of them (I14).
pub fn judge_in(world: World<'_>, script: &Script, coverage: &mut Coverage) -> Result<(), Failure> {
    judge_with(world, script, false, coverage)
}

fn judge_with(
    world: World<'_>,
    script: &Script,
    replays: bool,
    coverage: &mut Coverage,
) -> Result<(), Failure> {
    // A world that panics is gone, and of the coverage at most this session is missing.
    let judged = catch_unwind(AssertUnwindSafe(|| {
        play_and_look(world, script, replays, coverage)
    }));
    judged.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        Err(failure(
            "I14",
            format!("a panic: {}", text.unwrap_or("without a text")),
        ))
    })
}

fn play_and_look(
    world: World<'_>,
    script: &Script,
    replays: bool,
    coverage: &mut Coverage,
) -> Result<(), Failure> {
    let mut watched = Watched {
        seen: Seen::default(),
        trace: replays.then(Trace::default),
    };
    let played = world.play(&mut watched);
    coverage.note(&played, &watched.seen);
    if let Some((event, violation)) = &played.violation {
        let what = format!("at event {event}: {}", violation.what);
        return Err(failure(violation.invariant, what));
    }
    if let Some(bug) = played.bugs.first() {
        return Err(failure("world", bug.clone()));
    }
    check(script, &played)?;
    match watched.trace {
        Some(trace) => check_recording(&Recording {
            header: played.header,
            steps: trace.steps,
        }),
        None => Ok(()),
    }
}

/// What must have come of a fair session ([`Expect::fair`](crate::script::Expect::fair)) at its end: it is over, all that
/// was said has been handed on or told as a gap, each tool call has one result, and no live run has lost its marker.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(script: &Script, played: &Played) -> Result<(), Failure> {
    check_liveness(script, played)?;
    check_texts(script, played)?;
    check_tools(played)?;
    check_marker(script, played)
}

/// What must hold of the recording of any session: it survives its text, replays to the same effects (I15), and holds
/// no token (I17).
///
/// # Errors
/// The first thing that does not hold.
pub fn check_recording(recording: &Recording) -> Result<(), Failure> {
    let text = recording.to_text();
    // Every token of a world is a JWT.
    if text.contains("eyJ") {
        return Err(failure("I17", "a token is in the recording".into()));
    }
    let (read, _) = Recording::parse(&text).map_err(|error| failure("I15", error.to_string()))?;
    if read != *recording {
        return Err(failure(
            "I15",
            "a recording that is written and read is another one".into(),
        ));
    }
    let difference = recording
        .first_difference()
        .map_err(|error| failure("I15", error.to_string()))?;
    if let Some(Difference { index, .. }) = difference {
        let what = format!("the recording replays otherwise from event {index} on");
        return Err(failure("I15", what));
    }
    Ok(())
}

struct Watched {
    seen: Seen,
    trace: Option<Trace>,
}

impl Spectator for Watched {
    fn observe(&mut self, step: &Observation<'_>) {
        self.seen.observe(step);
        if let Some(trace) = &mut self.trace {
            trace.observe(step);
        }
    }
}

/// I16, I3: faults over, server fair, run over on the server ⇒ the run ends, and settles.
fn check_liveness(script: &Script, played: &Played) -> Result<(), Failure> {
    let quiet_at = last_fault(script);
    let Some(ended_at) = played.ended_at else {
        return Err(failure(
            "I16",
            format!("the run never ends; all is quiet since {quiet_at} ms"),
        ));
    };
    let late = ended_at.as_millis().saturating_sub(quiet_at);
    if late > PATIENCE {
        let what = format!("the run ends {late} ms after all is quiet (at {quiet_at} ms)");
        return Err(failure("I16", what));
    }
    if !played.is_settled {
        return Err(failure("I3", "the run ends and never settles".into()));
    }
    Ok(())
}

/// When the last thing happens that the script makes happen.
fn last_fault(script: &Script) -> u64 {
    let server: u64 = script.gateway.steps.iter().map(|step| step.after).sum();
    let user: u64 = script.user.steps.iter().map(|step| step.after).sum();
    let network = script.network.steps.iter().map(|step| match step.act {
        NetworkAct::Delay(span) => step.at + span,
        _ => step.at,
    });
    // These wait for the dials they are for, each behind the longest backoff.
    let dial = script.limits.dial_deadline.as_millis();
    let backoff = script.limits.backoff_cap.as_millis();
    let dials = script.network.steps.iter().map(|step| match step.act {
        NetworkAct::RefuseDials(count) => u64::from(count) * backoff,
        NetworkAct::HangDials(count) => u64::from(count) * (dial + backoff),
        _ => 0,
    });
    let dials: u64 = dials.sum();
    let renewals = script
        .user
        .tokens
        .iter()
        .flat_map(|tokens| &tokens.renewals);
    let renewals: u64 = renewals.map(|renewal| renewal.after).sum();
    let clock = script.clock.iter().map(|step| match step.act {
        ClockAct::Sleep(span) | ClockAct::JumpBack(span) => step.at + span,
        ClockAct::JumpForward(_) => step.at,
    });
    let delays: u64 = script
        .api
        .calls
        .values()
        .flatten()
        .map(|behaviour| behaviour.delay + if is_never(behaviour) { 10_000 } else { 0 })
        .sum();
    let quiet = server.max(user).max(network.max().unwrap_or(0));
    quiet.max(clock.max().unwrap_or(0)) + delays + renewals + dials + on_the_link(script)
}

/// How long all that the server says may be on its way once more, where the link is slow.
fn on_the_link(script: &Script) -> u64 {
    // A frame of a campaign, with what is beside its texts, and the frames of a session beside its steps.
    const FRAME: u64 = 160;
    const BESIDE_STEPS: u64 = 8;
    let frames = script.gateway.steps.len() as u64 + BESIDE_STEPS;
    let rate = script.network.bytes_per_second;
    rate.map_or(0, |rate| frames * FRAME * 1_000 / rate)
}

fn is_never(behaviour: &crate::api::Behaviour) -> bool {
    behaviour.answer == crate::api::Plan::Never
}

/// I6, I10 with the server's side known: each text once, in order; where one is missing a gap is told in its place; a run
/// that the server ended in its own time has them all.
fn check_texts(script: &Script, played: &Played) -> Result<(), Failure> {
    let texts = texts(played)?;
    let in_order = texts.is_sorted_by(|(_, one), (_, next)| one < next);
    if played.taken_over.is_empty() {
        if !in_order {
            let what = format!("texts twice or out of order: {}", played.text());
            return Err(failure("I6", what));
        }
    } else {
        check_epochs(played)?;
    }
    let mut behind = (None, 0);
    for (place, number) in texts {
        let (last_place, last) = behind;
        if number > last + 1 && !is_told(played, last_place, place) {
            let what = format!(
                "no gap told between {last} and {number}, but texts are missing: {}",
                played.text()
            );
            return Err(failure("I6", what));
        }
        behind = (Some(place), last.max(number));
    }
    let said = script
        .gateway
        .steps
        .iter()
        .filter(|step| matches!(step.act, Act::Text(_)))
        .count() as u64;
    let by_server = matches!(
        played.outcome,
        Some(Outcome::Completed | Outcome::Failed(_) | Outcome::Parked)
    );
    // Ten idle minutes, and the gateway's watchdog has ended the run before all was said.
    let span: u64 = script.gateway.steps.iter().map(|step| step.after).sum();
    let (last_place, last) = behind;
    let at_the_end = played.handed_on.len();
    if by_server && span < WATCHDOG && last != said && !is_told(played, last_place, at_the_end) {
        let what = format!("the end came and no gap was told behind {last} of {said} texts");
        return Err(failure("I10", what));
    }
    Ok(())
}

/// The numbers that the texts handed on are, each with its place among the events handed on.
fn texts(played: &Played) -> Result<Vec<(usize, u64)>, Failure> {
    let mut texts = Vec::with_capacity(played.handed_on.len());
    for (place, received) in played.handed_on.iter().enumerate() {
        if received.own
            && let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload()
        {
            let text = chunk.content.as_deref().unwrap_or_default();
            let number = text.trim_end().parse();
            let number =
                number.map_err(|_| failure("I6", format!("a text that was never said: {text}")))?;
            texts.push((place, number));
        }
    }
    Ok(texts)
}

/// Whether a gap was told behind one event handed on, or from the beginning, and before another; or nobody could know of
/// one there.
fn is_told(played: &Played, after: Option<usize>, before: usize) -> bool {
    let first = after.map_or(0, |place| place + 1);
    let mut places = played.gaps.iter().chain(&played.taken_over);
    places.any(|place| (first..=before).contains(place))
}

/// I6 where a new count goes on behind the old one's last, and no client can know: frames of two counts stand in one epoch,
/// and those of the new one may come again in the next. But none is handed on twice in one.
fn check_epochs(played: &Played) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let own = played.handed_on.iter().filter(|received| received.own);
    for received in own {
        if let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload()
            && !seen.insert((received.cursor.epoch, chunk.content.clone()))
        {
            let what = format!("twice in an epoch: {}", played.text());
            return Err(failure("I6", what));
        }
    }
    Ok(())
}

/// I12, T3 as the server sees it: one result value for each call, and none is missing of those told and answered in time.
fn check_tools(played: &Played) -> Result<(), Failure> {
    let mut results = BTreeMap::new();
    for result in &played.tool_results {
        let first = results.entry(&result.tool_call_id).or_insert(result);
        if *first != result {
            let what = format!("two different results for {}", result.tool_call_id);
            return Err(failure("I12", what));
        }
    }
    if let Some(call) = played.owed.first() {
        let what = format!("{call} was answered in time, and no result came");
        return Err(failure("I12", what));
    }
    if let Some(answer) = played.given_up.first() {
        let what = format!("the answer to {answer} was given up for nothing");
        return Err(failure("I12", what));
    }
    Ok(())
}

/// I18: a run that is not over keeps its marker; the server itself takes it from one that waits for a person.
fn check_marker(script: &Script, played: &Played) -> Result<(), Failure> {
    let alive = played
        .server_status
        .as_ref()
        .is_some_and(|status| !status.is_terminal() && *status != OperationStatus::WaitingForHuman);
    // Another run's mark is not ours to keep.
    let mut steps = script.gateway.steps.iter();
    if steps.any(|step| matches!(step.act, Act::Mark(_))) {
        return Ok(());
    }
    let begun = !played.runs.is_empty() || script.gateway.running.is_some();
    if begun && alive && !played.is_marked {
        return Err(failure(
            "I18",
            "the server's run is alive, and its marker is gone".into(),
        ));
    }
    Ok(())
}

fn failure(invariant: &str, what: String) -> Failure {
    Failure {
        invariant: invariant.into(),
        what,
    }
}
