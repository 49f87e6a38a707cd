//! The pause before a request that brought no verdict is sent once more (S3, S8).

use crate::context::Context;
use crate::event::Network;
use crate::request::RequestFailure;
use crate::rule::Rule;
use crate::time::Millis;

/// `Retry-After` is honoured up to this: a hostile one must not hold a run for ever.
const RETRY_AFTER_CAP: Millis = Millis::seconds(60);

/// Whether to try again, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// How long to wait.
    pub(super) pause: Millis,
    /// How many tries have been made so far, not counting those made while offline.
    pub(super) tries: u32,
}

/// What follows the failure of try number `tries` of `most`: a doubling pause with jitter, longer if the server asks for
/// it; nothing after the last. While the network is gone tries go at the cap and are not counted (C15).
pub(super) fn after(
    context: &mut Context<'_>,
    failure: &RequestFailure,
    tries: u32,
    most: u32,
) -> Option<Retry> {
    let (first, cap) = (context.limits().backoff_first, context.limits().backoff_cap);
    if context.kit.network == Network::Offline {
        context.cite(Rule::C15);
        let tries = tries.saturating_sub(1);
        return Some(Retry { pause: cap, tries });
    }
    if tries >= most {
        return None;
    }
    let step = first.times(1 << tries.saturating_sub(1).min(32)).min(cap);
    let asked = failure.retry_after().unwrap_or(Millis::ZERO);
    let pause = context.kit.jitter.upper_half(step);
    let pause = pause.max(asked.min(RETRY_AFTER_CAP));
    Some(Retry { pause, tries })
}
