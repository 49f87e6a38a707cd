mod api;
mod gateway;
mod storm;
mod surroundings;
mod user;

use agent_gateway_machine::Limits;

use crate::random::Random;
use crate::script::{ApiSection, Expect, GatewaySection, NetworkSection, RunningRun, Script};

/// The operation of a run that is going before the client comes.
const RUNNING: &str = "op_running";

/// The script of this seed: a session with faults, then a fair end.
///
/// Its texts are the numbers 1, 2, 3, … in the order in which the server says them.
#[must_use]
pub fn random_script(seed: u64) -> Script {
    let mut dice = Dice::new(seed);
    let faulty = dice.random.percent(85);
    dice.script(seed, faulty)
}

/// As [`random_script`], without any fault; the user may still stop or leave.
#[must_use]
pub fn calm_script(seed: u64) -> Script {
    Dice::new(seed).script(seed, false)
}

struct Dice {
    random: Random,
    /// For what is rare, such as storms: sessions without it are none the different for it.
    rare: Random,
    is_stormy: bool,
    texts: u64,
    calls: u64,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            rare: Random::new(!seed),
            is_stormy: false,
            texts: 0,
            calls: 0,
        }
    }

    fn script(mut self, seed: u64, faulty: bool) -> Script {
        let dice = &mut self;
        let attaches = dice.random.percent(25);
        let running = attaches.then(|| RunningRun {
            operation: RUNNING.into(),
            topic: "tpc_1".into(),
        });
        let steps = dice.server_steps(faulty);
        let span: u64 = steps.iter().map(|step| step.after).sum();
        let mut script = Script {
            schema: None,
            about: format!("campaign seed {seed}"),
            rules: Vec::new(),
            seed,
            limits: Limits::default(),
            gateway: GatewaySection {
                dialect: dice.dialect(),
                running,
                steps,
                reactions: Vec::new(),
            },
            api: ApiSection::default(),
            user: dice.user(attaches, span, faulty),
            network: NetworkSection {
                latency: *dice.random.pick(&[1, 5, 20, 80, 300]).unwrap_or(&20),
                jitter: *dice.random.pick(&[0, 0, 10, 200]).unwrap_or(&0),
                bytes_per_second: None,
                tells_late: faulty && dice.random.percent(30),
                steps: Vec::new(),
            },
            clock: Vec::new(),
            history: Vec::new(),
            expect: Expect::default(),
        };
        if faulty {
            script.api = dice.api();
            script.network.steps = dice.network(span);
            script.clock = dice.clock(span);
            // What a storm leaves to be replayed would be minutes on its way over a slow link (I16).
            let rate = dice.bytes_per_second();
            // And a token of the user's own that runs out before a replay is whole lets none through: no fair server.
            let tokens = script.user.tokens.as_ref();
            let runs_out = tokens.is_some_and(|tokens| tokens.lifetime.is_some());
            script.network.bytes_per_second = rate.filter(|_| !dice.is_stormy && !runs_out);
            dice.narrow(&mut script);
        }
        script
    }

    fn pick<T: Clone>(&mut self, items: &[T], otherwise: T) -> T {
        self.random.pick(items).cloned().unwrap_or(otherwise)
    }

    /// A wait, mostly short, now and then long enough for a timer to matter.
    fn wait(&mut self) -> u64 {
        match self.random.below(20) {
            0..=5 => 0,
            6..=14 => self.random.between(1, 400),
            15..=17 => self.random.between(400, 6_000),
            18 => self.random.between(6_000, 40_000),
            _ => self.random.between(40_000, 400_000),
        }
    }
}
