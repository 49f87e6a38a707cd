//! What befalls the network and the clock.

use std::num::NonZeroU64;

use super::Dice;
use crate::script::{ClockAct, ClockStep, NetworkAct, NetworkStep};

impl Dice {
    pub(super) fn network(&mut self, span: u64) -> Vec<NetworkStep> {
        let mut steps = Vec::new();
        for _ in 0..self.random.below(5) {
            let at = self.random.below(span + 2_000);
            match self.random.below(10) {
                0..=2 => steps.push(network_step(at, NetworkAct::Cut)),
                3 => steps.push(network_step(at, NetworkAct::HalfOpen)),
                4 => steps.push(network_step(
                    at,
                    NetworkAct::Latency(self.random.between(1, 2_000)),
                )),
                8 => steps.push(network_step(at, NetworkAct::Delay(self.wait()))),
                5 | 6 => {
                    steps.push(network_step(at, NetworkAct::Offline));
                    let back = at + self.wait();
                    steps.push(network_step(back, NetworkAct::Online));
                }
                7 => steps.push(network_step(
                    at,
                    NetworkAct::RefuseDials(u32::try_from(self.random.between(1, 6)).unwrap_or(1)),
                )),
                _ => steps.push(network_step(at, NetworkAct::HangDials(1))),
            }
        }
        steps
    }

    /// Now and then a link so slow that a frame is seconds on its way.
    pub(super) fn bytes_per_second(&mut self) -> Option<NonZeroU64> {
        let rate = self
            .random
            .percent(8)
            .then(|| self.pick(&[25, 60, 300], 60))?;
        NonZeroU64::new(rate)
    }

    pub(super) fn clock(&mut self, span: u64) -> Vec<ClockStep> {
        let mut steps = Vec::new();
        if self.random.percent(15) {
            let at = self.random.below(span + 1_000);
            let span = self.wait();
            let act = match self.random.below(3) {
                0 => ClockAct::JumpForward(span),
                1 => ClockAct::JumpBack(span.min(5_000)),
                _ => ClockAct::Sleep(span),
            };
            steps.push(ClockStep { at, act });
        }
        steps
    }
}

fn network_step(at: u64, act: NetworkAct) -> NetworkStep {
    NetworkStep { at, act }
}
