//! What befalls the network.

use agent_gateway_machine::{Close, DialId, EventKind, Millis, Network};

use super::run::World;
use crate::script::NetworkAct;

impl World<'_> {
    pub(super) fn befall(&mut self, act: NetworkAct) {
        match act {
            NetworkAct::Cut => self.cut_all("connection reset by peer"),
            NetworkAct::HalfOpen => {
                for (_, link) in self.hands.links.iter_mut() {
                    link.is_silent |= link.client || link.server;
                }
            }
            NetworkAct::Delay(span) => self.network.hold_until(self.now.plus(Millis(span))),
            NetworkAct::Latency(latency) => self.network.set_latency(latency),
            NetworkAct::Jitter(jitter) => self.network.set_jitter(jitter),
            NetworkAct::Offline => {
                self.network.is_offline = true;
                self.cut_all("network is down");
                self.feed(EventKind::NetworkChanged(Network::Offline));
            }
            NetworkAct::Online => {
                self.network.is_offline = false;
                self.feed(EventKind::NetworkChanged(Network::Online));
            }
            NetworkAct::RefuseDials(count) => self.network.refused_dials = count,
            NetworkAct::HangDials(count) => self.network.hanging_dials = count,
            NetworkAct::RejectUpgrade(status) => self.network.rejected_upgrade = Some(status),
            NetworkAct::BadCertificate => self.network.bad_certificate = true,
        }
    }

    /// Every open socket is gone, with what was on its way; both ends see it at once.
    pub(super) fn cut_all(&mut self, text: &str) {
        let dials: Vec<DialId> = self.hands.links.keys().copied().collect();
        for dial in dials {
            self.server_loses(dial);
            if self.client_has(dial) && !self.is_silent(dial) {
                self.client_loses(dial);
                let text = text.into();
                self.feed(EventKind::ConnectionClosed {
                    dial,
                    close: Close::Lost { text },
                });
            }
        }
    }
}
