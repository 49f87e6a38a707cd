use agent_gateway_machine::{EventKind, Notification, Timestamp, ToolAnswer};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{InputRequestId, ToolCallId};

use super::happening::Happening;
use super::run::World;
use crate::script::UserAct;

/// The logic of a client that acts: it is told what a caller is told, and says what it does about it, at once or when its
/// time has come. See [`World::play_with`].
///
/// Times are the world's: they go on while the host sleeps and where its clock jumps. While the host sleeps nobody is woken.
/// The same answers at the same moments make the same session, byte for byte; so keep clocks, threads and random numbers
/// of the system out of it.
///
/// A client that works at its tool calls beside the stream, and gives up what is not wanted any more. Whatever the network
/// does, none of them outlives its run:
///
/// ```
/// use std::collections::BTreeMap;
///
/// use agent_gateway_machine::{AnswerId, Millis, Notification, Timestamp, ToolAnswer};
/// use agent_gateway_protocol::ToolCallId;
/// use agent_gateway_sim::script::Script;
/// use agent_gateway_sim::world::{Act, Caller, Rehearsal};
///
/// /// The calls that are worked at, and when each is done.
/// #[derive(Default)]
/// struct Tools {
///     working: BTreeMap<ToolCallId, Timestamp>,
///     has_outlived: bool,
/// }
///
/// impl Caller for Tools {
///     fn hear(&mut self, notification: &Notification, now: Timestamp) -> Vec<Act> {
///         match notification {
///             Notification::ToolRequested { call, .. } => {
///                 self.working.insert(call.tool_call_id.clone(), now.plus(Millis(700)));
///             }
///             Notification::ToolTimedOut { call }
///             | Notification::AnswerWithdrawn { answer: AnswerId::Tool(call) } => {
///                 self.working.remove(call);
///             }
///             Notification::RunEnded { .. } => self.has_outlived = !self.working.is_empty(),
///             _ => {}
///         }
///         Vec::new()
///     }
///
///     fn wakes_at(&self) -> Option<Timestamp> {
///         self.working.values().min().copied()
///     }
///
///     fn wake(&mut self, now: Timestamp) -> Vec<Act> {
///         let done = self.working.extract_if(.., |_, at| *at <= now);
///         done.map(|(call, _)| Act::AnswerTool { call, answer: ToolAnswer::success("done") }).collect()
///     }
/// }
///
/// let script = Script::parse(
///     "two_calls.json",
///     r#"{
///         "about": "two calls, a cut at any point of the work, and an end before the second is done",
///         "gateway": { "steps": [
///             { "when": "resumed", "do": { "tool_execute": { "call": "call_1", "tool": "files/read", "arguments": {} } } },
///             { "when": "tool_result", "do": { "tool_end": { "call": "call_1", "tool": "files/read" } } },
///             { "do": { "tool_execute": { "call": "call_2", "tool": "files/read", "arguments": {} } } },
///             { "after": 700, "do": { "end": { "reason": "done" } } }
///         ] },
///         "network": { "jitter": 300, "steps": [{ "at": 800, "do": "cut" }] }
///     }"#,
/// )?;
/// let rehearsal = Rehearsal::new(&script);
/// for seed in 0..200 {
///     let mut tools = Tools::default();
///     let played = rehearsal.world(seed)?.play_with(&mut tools, &mut ());
///     assert!(!tools.has_outlived, "seed {seed}");
///     assert_eq!(played.failures(&script.expect), []);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Caller {
    /// It is told something. What it does at once.
    fn hear(&mut self, notification: &Notification, now: Timestamp) -> Vec<Act>;

    /// When it is to be woken. `None`: not before it hears something. Asked again after all it hears and after each wake, and
    /// no longer once the run is over and settled.
    fn wakes_at(&self) -> Option<Timestamp> {
        None
    }

    /// Its time has come. What it does. A caller that wants to be woken at the same moment without end is a bug of the
    /// session ([`Played::bugs`](super::Played::bugs)).
    fn wake(&mut self, _now: Timestamp) -> Vec<Act> {
        Vec::new()
    }
}

/// Nobody: the user of the script is all there is.
impl Caller for () {
    fn hear(&mut self, _: &Notification, _: Timestamp) -> Vec<Act> {
        Vec::new()
    }
}

/// What a caller does. Facts, such as a frame that came, are not a caller's to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Start a run, where the script's user has begun none (R1).
    Execute(Box<ExecAgent>),
    /// End the run on the server (R2, R3, R5).
    Stop,
    /// Leave the run going and stop watching it (S12).
    Detach,
    /// Send the socket's own `interrupt` (S13).
    Interrupt,
    /// Answer a tool call (T2).
    AnswerTool {
        /// Which call.
        call: ToolCallId,
        /// The answer.
        answer: ToolAnswer,
    },
    /// Answer a confirmation request (T7).
    AnswerConfirmation {
        /// Which call was to be confirmed.
        call: ToolCallId,
        /// Yes or no.
        approved: bool,
    },
    /// Answer an input request (T7).
    AnswerInput {
        /// Which request.
        request: InputRequestId,
        /// What the user typed.
        content: Box<str>,
    },
    /// Read no more for now: what comes on sockets waits (C5).
    PauseReading,
    /// Read again.
    ResumeReading,
}

impl World<'_> {
    /// The caller is told something.
    #[inline]
    pub(super) fn tell_caller(&mut self, caller: &mut impl Caller, notification: &Notification) {
        let acts = caller.hear(notification, self.now);
        self.enter_acts(acts);
    }

    /// The caller's time has come.
    pub(super) fn wake(&mut self, caller: &mut impl Caller) {
        self.wakes += 1;
        let acts = caller.wake(self.now);
        self.enter_acts(acts);
    }

    fn enter_acts(&mut self, acts: Vec<Act>) {
        for act in acts {
            self.queue.enter(self.now, Happening::Acted(act.into()));
        }
    }

    /// What the machine is told of it.
    pub(super) fn on_acted(&mut self, act: Act) -> EventKind {
        match act {
            Act::Execute(input) => self.execute(*input),
            Act::Stop => self.act(UserAct::Stop),
            Act::Detach => self.act(UserAct::Detach),
            Act::Interrupt => self.act(UserAct::Interrupt),
            Act::AnswerTool { call, answer } => EventKind::AnswerTool {
                call,
                answer: answer.into(),
            },
            Act::AnswerConfirmation { call, approved } => {
                EventKind::AnswerConfirmation { call, approved }
            }
            Act::AnswerInput { request, content } => EventKind::AnswerInput { request, content },
            Act::PauseReading => self.act(UserAct::PauseReading),
            Act::ResumeReading => self.act(UserAct::ResumeReading),
        }
    }
}
