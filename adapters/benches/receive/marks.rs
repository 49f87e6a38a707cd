//! The marks: what was measured, what must be, and what would be better.

use std::fmt;

use crate::idle::Footprint;
use crate::load::{Load, Receiver};
use crate::progress::Sample;

#[derive(Default)]
pub(crate) struct Marks {
    marks: Vec<Mark>,
}

struct Mark {
    what: String,
    measured: f64,
    must: f64,
    stretch: f64,
    /// Whether more is better.
    more: bool,
}

impl Marks {
    /// Shows what was measured of a load; where both were, takes the ratio of `Client` to tt.
    pub(crate) fn received(&mut self, load: Load, receivers: &[Receiver], rounds: &[Vec<Sample>]) {
        for (index, receiver) in receivers.iter().enumerate() {
            println!(
                "{:8} {:16} {:>10.0} frames/s {:>8.2} µs CPU a frame",
                load.name(),
                receiver.name(),
                median(rounds.iter().map(|round| round[index].rate)),
                median(rounds.iter().map(|round| round[index].cpu)),
            );
        }
        let index_of = |wanted| receivers.iter().position(|receiver| *receiver == wanted);
        let Some(tt) = index_of(Receiver::ALL[0]) else {
            return;
        };
        let ratios = |index: usize| {
            let rate = median(
                rounds
                    .iter()
                    .map(|round| round[index].rate / round[tt].rate),
            );
            let cpu = median(rounds.iter().map(|round| round[index].cpu / round[tt].cpu));
            let (load, receiver) = (load.name(), receivers[index].name());
            println!("{load:8} {receiver}/tt: {rate:.2} frames/s, {cpu:.2} CPU a frame");
            (rate, cpu)
        };
        if let Some(raw) = index_of(Receiver::Raw) {
            ratios(raw);
        }
        let Some(client) = index_of(Receiver::Client) else {
            return;
        };
        let (rate, cpu) = ratios(client);
        let (measured, must, stretch) = match load {
            Load::Small => (rate, 0.25, 0.75),
            Load::Mix => (rate, 0.45, 1.3),
            Load::Big => (rate, 0.5, 1.9),
            Load::Trickle => (cpu, 0.45, 0.35),
        };
        let more = load != Load::Trickle;
        let what = if more { "frames/s" } else { "CPU a frame" };
        self.marks.push(Mark {
            what: format!("{}: {what} of tt's", load.name()),
            measured,
            must,
            stretch,
            more,
        });
    }

    /// Shows what idle sessions hold.
    pub(crate) fn held(&mut self, receiver: Receiver, footprint: Footprint) {
        let Footprint { idle, after } = footprint;
        println!(
            "idle     {:16} {idle:>8.0} bytes a session, {after:>8.0} after a frame of 20 KB",
            receiver.name()
        );
        if receiver == Receiver::Client {
            let bytes = |what: &str, measured, must, stretch| Mark {
                what: what.into(),
                measured,
                must,
                stretch,
                more: false,
            };
            self.marks
                .push(bytes("idle: bytes a session", idle, 8_192.0, 2_048.0));
            self.marks
                .push(bytes("after a frame of 20 KB", after, 32_768.0, idle * 1.1));
        }
    }
}

impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:32} {:>9} {:>9}        {:>9}",
            "mark", "measured", "must", "stretch"
        )?;
        for mark in &self.marks {
            let met = |bound: f64| {
                let met = if mark.more {
                    mark.measured >= bound
                } else {
                    mark.measured <= bound
                };
                if met { "met" } else { "missed" }
            };
            let (measured, must, stretch) = (mark.measured, mark.must, mark.stretch);
            let digits = if measured < 100.0 { 2 } else { 0 };
            writeln!(
                f,
                "{:32} {measured:>9.digits$} {must:>9.digits$} {:6} {stretch:>9.digits$} {}",
                mark.what,
                met(must),
                met(stretch),
            )?;
        }
        Ok(())
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
