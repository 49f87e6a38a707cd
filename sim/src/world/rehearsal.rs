use std::sync::Arc;

use agent_gateway_machine::{Config, ConfigError};
use agent_gateway_protocol::GatewayUrl;

use super::run::World;
use crate::script::Script;
use crate::server::{Play, ServerConfig};

/// A script made ready to be played, any number of times and on any number of threads, each time with another seed.
///
/// ```
/// use agent_gateway_sim::script::Script;
/// use agent_gateway_sim::world::Rehearsal;
///
/// let script = Script::parse("jitter.json", r#"{ "about": "a jittery line", "network": { "jitter": 200 } }"#)?;
/// let rehearsal = Rehearsal::new(&script);
/// for seed in 0..10 {
///     let played = rehearsal.world(seed)?.play(&mut ());
///     assert_eq!(played.violation, None);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rehearsal<'a> {
    pub(super) script: &'a Script,
    pub(super) config: Arc<Config>,
    pub(super) server: ServerConfig,
    pub(super) play: Play,
}

/// The gateway's address in every world; nothing is ever sent there.
const GATEWAY: &str = "http://localhost:8787";

impl<'a> Rehearsal<'a> {
    /// Makes a script ready.
    #[must_use]
    pub fn new(script: &'a Script) -> Self {
        Self {
            script,
            config: script.config(GatewayUrl::parse(GATEWAY).ok()).into(),
            server: ServerConfig {
                gateway_url: GATEWAY.into(),
                ..ServerConfig::default()
            },
            play: Play::new(&script.gateway),
        }
    }

    /// A world in which it can be played. `seed` decides everything left to chance.
    ///
    /// # Errors
    /// The script's limits are none the machine accepts.
    pub fn world(&self, seed: u64) -> Result<World<'a>, ConfigError> {
        World::of(self, seed)
    }
}
