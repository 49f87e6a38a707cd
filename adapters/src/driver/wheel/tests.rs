//! Every interleaving of what comes, the task and a caller: whoever sleeps has left nothing lying.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::{Due, Wheel};

/// How much comes, of whatever kind.
const COMES: u8 = 4;

/// A drive, up to what is next in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Commands,
    Socket,
    GiveBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    /// The caller only: it is at something else, and comes back when it likes.
    Away,
    Asleep,
    Woken,
    Driving(Stage),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    FrameComes,
    CommandComes,
    AlarmRings,
    TaskGoesOn,
    /// The same, but there is more on the socket than is read in one go.
    TaskReadsPart,
    CallerGoesOn,
    CallerReadsPart,
    /// It is polled where it cannot drive.
    CallerOnlyTakes,
    CallerStopsWaiting,
}

const STEPS: [Step; 9] = [
    Step::FrameComes,
    Step::CommandComes,
    Step::AlarmRings,
    Step::TaskGoesOn,
    Step::TaskReadsPart,
    Step::CallerGoesOn,
    Step::CallerReadsPart,
    Step::CallerOnlyTakes,
    Step::CallerStopsWaiting,
];

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[derive(Clone)]
struct World {
    wheel: Wheel<()>,
    task_waker: Waker,
    caller_waker: Waker,
    task: Doing,
    caller: Doing,
    /// On the socket, and whether the socket wakes anybody for more.
    unread: bool,
    armed: bool,
    /// Whoever drives has left some of it, and the task is to go on.
    rest: bool,
    /// Not carried out yet.
    command: bool,
    /// Notifications wait for the caller.
    told: bool,
    left: u8,
}

impl World {
    fn new() -> Self {
        let mut wheel = Wheel::default();
        assert!(matches!(wheel.give_back((), Due::Nothing), Ok(None)));
        Self {
            wheel,
            task_waker: Arc::new(Nobody).into(),
            caller_waker: Arc::new(Nobody).into(),
            // It has just been spawned.
            task: Doing::Woken,
            caller: Doing::Away,
            unread: false,
            armed: false,
            rest: false,
            command: false,
            told: false,
            left: COMES,
        }
    }

    /// What tells this world from others.
    fn key(&self) -> impl Ord + use<> {
        let wheel = (
            self.wheel.driven.is_some(),
            self.wheel.due,
            self.wheel.caller.as_ref().map(|caller| caller.drives),
            self.wheel.task.is_some(),
        );
        let doing = (self.task, self.caller);
        let lying = (self.unread, self.armed, self.rest, self.command, self.told);
        (wheel, doing, lying, self.left)
    }

    fn wake(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        let doing = if waker.will_wake(&self.task_waker) {
            &mut self.task
        } else {
            assert!(waker.will_wake(&self.caller_waker));
            &mut self.caller
        };
        if *doing == Doing::Asleep {
            *doing = Doing::Woken;
        } else if let Doing::Driving(_) = doing {
            panic!("one that drives is woken by the wheel");
        }
    }

    /// `None`: it cannot happen now.
    fn after(&self, step: Step) -> Option<Self> {
        let mut world = self.clone();
        if matches!(
            step,
            Step::FrameComes | Step::CommandComes | Step::AlarmRings
        ) {
            world.left = world.left.checked_sub(1)?;
        }
        match step {
            Step::FrameComes => {
                world.unread = true;
                if std::mem::take(&mut world.armed) {
                    let woken = world.wheel.ring(Due::Socket);
                    world.wake(woken);
                }
            }
            Step::CommandComes => {
                world.command = true;
                let woken = world.wheel.ring(Due::Else);
                world.wake(woken);
            }
            Step::AlarmRings if world.task == Doing::Asleep => world.task = Doing::Woken,
            Step::AlarmRings => return None,
            Step::TaskGoesOn | Step::TaskReadsPart => {
                world.task_goes_on(step == Step::TaskReadsPart)?;
            }
            Step::CallerGoesOn | Step::CallerReadsPart => {
                world.caller_goes_on(step == Step::CallerReadsPart)?;
            }
            Step::CallerOnlyTakes => {
                if let Doing::Driving(_) = world.caller {
                    return None;
                }
                world.take(false);
            }
            Step::CallerStopsWaiting => {
                if !matches!(world.caller, Doing::Asleep | Doing::Woken) {
                    return None;
                }
                world.caller = Doing::Away;
                let woken = world.wheel.stop_waiting(Due::Nothing);
                world.wake(woken);
            }
        }
        Some(world)
    }

    fn task_goes_on(&mut self, part: bool) -> Option<()> {
        match self.task {
            Doing::Away | Doing::Asleep => return None,
            Doing::Woken => {
                self.task = match self.wheel.take_for_task(&self.task_waker) {
                    Some(()) => Doing::Driving(Stage::Commands),
                    None => Doing::Asleep,
                };
            }
            Doing::Driving(stage) => match self.drive(stage, part)? {
                Some(stage) => self.task = Doing::Driving(stage),
                None => {
                    let woken = if self.told { self.wheel.call() } else { None };
                    self.wake(woken);
                    self.task = if std::mem::take(&mut self.rest) {
                        Doing::Woken
                    } else {
                        Doing::Asleep
                    };
                    let woken = self.wheel.give_back((), Due::Nothing).unwrap();
                    self.wake(woken);
                }
            },
        }
        Some(())
    }

    fn caller_goes_on(&mut self, part: bool) -> Option<()> {
        match self.caller {
            // It may be polled whenever it likes.
            Doing::Away | Doing::Asleep | Doing::Woken => {
                if !self.told && self.wheel.take_for_caller().is_some() {
                    self.caller = Doing::Driving(Stage::Commands);
                    return Some(());
                }
                self.take(true);
            }
            Doing::Driving(stage) => match self.drive(stage, part)? {
                Some(stage) => self.caller = Doing::Driving(stage),
                None => {
                    if std::mem::take(&mut self.rest) && self.task == Doing::Asleep {
                        self.task = Doing::Woken;
                    }
                    self.caller = Doing::Away;
                    let woken = self.wheel.give_back((), Due::Nothing).unwrap();
                    self.wake(woken);
                    self.take(true);
                }
            },
        }
        Some(())
    }

    /// The caller takes what there is, or waits.
    fn take(&mut self, drives: bool) {
        let woken = if std::mem::take(&mut self.told) {
            self.caller = Doing::Away;
            self.wheel.stop_waiting(Due::Nothing)
        } else {
            self.caller = Doing::Asleep;
            self.wheel.wait(&self.caller_waker, drives)
        };
        self.wake(woken);
        assert!(drives || self.caller != Doing::Woken, "it cannot drive");
    }

    /// A stage of a drive, and what follows it.
    fn drive(&mut self, stage: Stage, part: bool) -> Option<Option<Stage>> {
        if part && (stage != Stage::Socket || !self.unread) {
            return None;
        }
        Some(match stage {
            Stage::Commands => {
                self.command = false;
                Some(Stage::Socket)
            }
            Stage::Socket => {
                self.told |= self.unread;
                self.unread = part;
                self.armed = !part;
                self.rest = part;
                Some(Stage::GiveBack)
            }
            Stage::GiveBack => None,
        })
    }

    fn check(&self) {
        let is_busy = |doing| matches!(doing, Doing::Woken | Doing::Driving(_));
        if is_busy(self.task) || matches!(self.caller, Doing::Driving(_)) {
            return;
        }
        assert!(!self.command, "a command waits for the caller");
        if is_busy(self.caller) {
            return;
        }
        assert!(!self.unread, "a frame is left on the socket");
        assert!(
            !self.told || self.caller == Doing::Away,
            "the caller sleeps over what it was told"
        );
    }
}

#[test]
fn nothing_is_left_lying_whatever_the_order() {
    let mut seen = BTreeSet::new();
    let mut open = vec![World::new()];
    let mut drove = [false; 2];
    while let Some(world) = open.pop() {
        if !seen.insert(world.key()) {
            continue;
        }
        world.check();
        for (drove, who) in drove.iter_mut().zip([world.task, world.caller]) {
            *drove |= matches!(who, Doing::Driving(_));
        }
        open.extend(STEPS.iter().filter_map(|step| world.after(*step)));
    }
    assert_eq!(drove, [true, true]);
    assert!(seen.len() > 800, "{}", seen.len());
}

#[test]
fn a_caller_is_woken_for_the_socket_where_it_drives_and_by_its_latest_word() {
    let [task, first, second]: [Waker; 3] = std::array::from_fn(|_| Arc::new(Nobody).into());
    let mut wheel = Wheel::default();
    assert!(wheel.give_back((), Due::Nothing).is_ok());
    for (said, woken) in [
        ([(&first, false), (&second, true)], &second),
        ([(&first, true), (&second, false)], &task),
        ([(&second, true), (&first, true)], &first),
    ] {
        wheel.take_for_task(&task);
        assert!(wheel.give_back((), Due::Nothing).is_ok());
        for (waker, drives) in said {
            assert!(wheel.wait(waker, drives).is_none());
        }
        let rung = wheel.ring(Due::Socket);
        assert!(rung.is_some_and(|waker| waker.will_wake(woken)));
    }
}

#[test]
fn what_is_driven_is_dropped_with_the_task_whoever_drives() {
    let mut wheel = Wheel::default();
    assert!(wheel.give_back("a ride", Due::Nothing).is_ok());
    assert_eq!(wheel.take_for_task(Waker::noop()), Some("a ride"));
    assert_eq!(wheel.end(), None);
    assert!(wheel.give_back("a ride", Due::Nothing).is_err());
    let mut wheel = Wheel::default();
    assert!(wheel.give_back("a ride", Due::Nothing).is_ok());
    assert_eq!(wheel.end(), Some("a ride"));
}
