//! What the timers of a live run mean when they ring.

use crate::connection::Pulse;
use crate::context::Context;
use crate::rule::Rule;
use crate::run::End;
use crate::run::live::Live;
use crate::time::Timestamp;

impl Live {
    /// C2.
    pub(crate) fn on_dial_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::C2);
        let news = self
            .connection
            .on_late(context, "the gateway did not open the socket in time");
        self.follow_connection(context, news)
    }

    /// C2, D6.
    pub(crate) fn on_authentication_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::C2);
        let news = self
            .connection
            .on_late(context, "the gateway did not answer auth in time");
        self.follow_connection(context, news)
    }

    /// C5.
    pub(crate) fn on_heartbeat_due(
        &mut self,
        context: &mut Context<'_>,
        due: Timestamp,
    ) -> Option<End> {
        self.connection.on_heartbeat_due(context, due);
        None
    }

    /// C5, I9.
    pub(crate) fn on_silence_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        match self.connection.on_silence_due(context) {
            Pulse::Gone => self.drop_socket(context, "the gateway has gone silent"),
            Pulse::Alive | Pulse::Unsure => None,
        }
    }

    /// C5.
    pub(crate) fn on_probe_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        match self.connection.on_probe_due(context) {
            // The gateway lives, and does not answer heartbeats: twice is long enough (C8).
            Pulse::Alive if self.session.sequence.is_probed() => {
                if self.session.sequence.probe_again() {
                    self.connection.probe(context);
                    return None;
                }
                self.end_seam(context)
            }
            Pulse::Alive | Pulse::Unsure => None,
            Pulse::Gone => self.drop_socket(context, "the gateway did not answer a probe"),
        }
    }

    /// C6, S7.
    pub(crate) fn on_wait_over(&mut self, context: &mut Context<'_>) -> Option<End> {
        let news = self.connection.on_wait_over(context);
        self.follow_connection(context, news)
    }

    /// S14.
    pub(crate) fn on_inquiry_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.session
            .inquiry
            .on_due(context, &self.session.operation);
        None
    }

    /// S8.
    pub(crate) fn on_refresh_retry_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        self.session.credential.on_retry_due(context);
        None
    }

    /// S8.
    pub(crate) fn on_refresh_deadline(&mut self, context: &mut Context<'_>) -> Option<End> {
        let news = self.session.credential.on_deadline(context);
        self.follow_credential(context, news)
    }

    /// T2, T3.
    pub(crate) fn on_tool_due(&mut self, context: &mut Context<'_>) -> Option<End> {
        let socket = self.open_socket();
        self.outbox.on_due(context, socket);
        None
    }

    /// A socket dropped while a token is fetched, or while the end is looked into, just waits for that (S8).
    pub(crate) fn drop_socket(&mut self, context: &mut Context<'_>, why: &str) -> Option<End> {
        if self.session.credential.is_refreshing() || self.concluding {
            self.wait_without_socket(context);
            return None;
        }
        let news = self.connection.on_late(context, why);
        self.follow_connection(context, news)
    }
}
