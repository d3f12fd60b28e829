//! Spike sources outside the wafer, and the spikes that they have sent.

use marocco::network::PerMember;

use super::error::SessionError;
use crate::stimulus::{Poisson, PoissonTrain};

/// Time that the mean rate of a short list of spikes refers to at least, ms.
const RATE_WINDOW_MS: f64 = 1000.0;

/// What the members of a population send.
#[derive(Debug)]
enum Plan {
    Poisson { sources: Vec<Poisson>, trains: Vec<PoissonTrain> },
    Array(Vec<Vec<f64>>),
}

/// The sources of a population.
#[derive(Debug)]
pub(super) struct Sources {
    plan: Plan,
    /// Spikes of each member up to the time reached, ms, ascending.
    sent: Vec<Vec<f64>>,
    /// By member: how many of them the wafer has got.
    handed_over: Vec<usize>,
    /// Time up to which spikes are in `sent`, ms.
    drawn_ms: f64,
    /// Of the Poisson trains: the first one's stream.
    seed: u64,
    stream: u64,
}

impl Sources {
    /// Poisson sources; their streams are numbered on from `stream`.
    pub(super) fn poisson(sources: Vec<Poisson>, seed: u64, stream: u64) -> Self {
        let trains = trains(sources.len(), seed, stream);
        Self { seed, stream, ..Self::silent(sources.len(), Plan::Poisson { sources, trains }) }
    }

    /// Sources of given spikes.
    pub(super) fn array(times_ms: Vec<Vec<f64>>) -> Self {
        Self::silent(times_ms.len(), Plan::Array(times_ms))
    }

    /// So many sources that have sent nothing.
    fn silent(n: usize, plan: Plan) -> Self {
        let (sent, handed_over) = (vec![Vec::new(); n], vec![0; n]);
        Self { plan, sent, handed_over, drawn_ms: 0.0, seed: 0, stream: 0 }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self.plan {
            Plan::Poisson { .. } => "Poisson sources",
            Plan::Array(_) => "sources of given spikes",
        }
    }

    /// Gives the sources other rates from a time on.
    pub(super) fn set_poisson(
        &mut self,
        label: &str,
        new: Vec<Poisson>,
        now_ms: f64,
    ) -> Result<(), SessionError> {
        self.forget_from(now_ms);
        let are = self.kind();
        let Plan::Poisson { sources, trains } = &mut self.plan else {
            let (population, wanted) = (label.to_owned(), "Poisson sources");
            return Err(SessionError::OtherKind { population, are, wanted });
        };
        for ((train, before), after) in trains.iter_mut().zip(sources.iter()).zip(&new) {
            if before != after {
                train.redraw_from(now_ms);
            }
        }
        *sources = new;
        Ok(())
    }

    /// Gives the sources other spikes; those before a time stay as they were.
    pub(super) fn set_array(
        &mut self,
        label: &str,
        new: Vec<Vec<f64>>,
        now_ms: f64,
    ) -> Result<(), SessionError> {
        self.forget_from(now_ms);
        let are = self.kind();
        let Plan::Array(times_ms) = &mut self.plan else {
            let (population, wanted) = (label.to_owned(), "sources of given spikes");
            return Err(SessionError::OtherKind { population, are, wanted });
        };
        *times_ms = new;
        Ok(())
    }

    /// Forgets spikes that were drawn for a run that stopped before.
    fn forget_from(&mut self, now_ms: f64) {
        if self.drawn_ms <= now_ms {
            return;
        }
        self.drawn_ms = now_ms;
        for (sent, handed_over) in self.sent.iter_mut().zip(&mut self.handed_over) {
            sent.truncate(sent.partition_point(|&t| t < now_ms));
            *handed_over = sent.len().min(*handed_over);
        }
        if let Plan::Poisson { trains, .. } = &mut self.plan {
            for train in trains {
                train.redraw_from(now_ms);
            }
        }
    }

    /// Mean rates, Hz, as the links of the wafer see them.
    pub(super) fn rates_hz(&self) -> PerMember<f64> {
        let rates: Vec<f64> = match &self.plan {
            Plan::Poisson { sources, .. } => sources.iter().map(|s| s.rate_hz).collect(),
            Plan::Array(times_ms) => times_ms.iter().map(|train| mean_rate_hz(train)).collect(),
        };
        match rates.first() {
            Some(&first) if rates.iter().all(|&r| r == first) => PerMember::Uniform(first),
            _ => PerMember::Each(rates),
        }
    }

    /// Sends the spikes up to a time, which is excluded.
    pub(super) fn send_until(&mut self, until_ms: f64) {
        let from_ms = self.drawn_ms;
        if until_ms <= from_ms {
            return;
        }
        match &mut self.plan {
            Plan::Poisson { sources, trains } => {
                for ((source, train), sent) in sources.iter().zip(trains).zip(&mut self.sent) {
                    train.extend(source, until_ms, sent);
                }
            }
            Plan::Array(times_ms) => {
                for (times, sent) in times_ms.iter().zip(&mut self.sent) {
                    let from = times.partition_point(|&t| t < from_ms);
                    let to = times.partition_point(|&t| t < until_ms);
                    sent.extend_from_slice(&times[from..to]);
                }
            }
        }
        self.drawn_ms = until_ms;
    }

    /// Back to time 0: the same spikes again.
    pub(super) fn reset(&mut self) {
        self.drawn_ms = 0.0;
        self.sent.iter_mut().for_each(Vec::clear);
        self.handed_over.fill(0);
        if let Plan::Poisson { trains, .. } = &mut self.plan {
            *trains = self::trains(trains.len(), self.seed, self.stream);
        }
    }

    /// Spikes of each member, ms, ascending. After a run that stopped they go beyond the time reached.
    pub(super) fn sent(&self) -> &[Vec<f64>] {
        &self.sent
    }

    /// Those before a time that the wafer has not got yet, ms after `origin_ms`.
    pub(super) fn ahead(&self, origin_ms: f64, until_ms: f64) -> Vec<Vec<f64>> {
        let ahead = |(sent, &first): (&Vec<f64>, &usize)| {
            let ahead = sent[first..].iter().take_while(|&&t| t < until_ms);
            ahead.map(|t| t - origin_ms).collect()
        };
        self.sent.iter().zip(&self.handed_over).map(ahead).collect()
    }

    /// The wafer has got the first spikes of each member, those for which `has_come` holds.
    pub(super) fn hand_over(&mut self, has_come: impl Fn(f64) -> bool) {
        for (sent, handed_over) in self.sent.iter().zip(&mut self.handed_over) {
            *handed_over += sent[*handed_over..].partition_point(|&t| has_come(t));
        }
    }

    /// About how many spikes come between two times, ms.
    pub(super) fn expected(&self, from_ms: f64, until_ms: f64) -> f64 {
        match &self.plan {
            Plan::Poisson { sources, .. } => {
                let rate_hz: f64 = sources.iter().map(|source| source.rate_hz).sum();
                rate_hz * 1e-3 * (until_ms - from_ms)
            }
            Plan::Array(times_ms) => {
                let before = |train: &Vec<f64>, ms: f64| train.partition_point(|&t| t < ms);
                let of = |train| before(train, until_ms).saturating_sub(before(train, from_ms));
                times_ms.iter().map(of).sum::<usize>() as f64
            }
        }
    }
}

fn trains(n: usize, seed: u64, stream: u64) -> Vec<PoissonTrain> {
    (0..n as u64).map(|member| PoissonTrain::new(seed, stream + member)).collect()
}

fn mean_rate_hz(times_ms: &[f64]) -> f64 {
    let last = times_ms.last().copied().unwrap_or(0.0);
    1e3 * times_ms.len() as f64 / last.max(RATE_WINDOW_MS)
}

/// Checks Poisson parameters that were given as columns.
pub(super) fn poisson(
    label: &str,
    size: usize,
    rate_hz: &[f64],
    start_ms: &[f64],
    duration_ms: &[f64],
) -> Result<Vec<Poisson>, SessionError> {
    for (name, column) in [("rate", rate_hz), ("start", start_ms), ("duration", duration_ms)] {
        if column.len() != 1 && column.len() != size {
            let what = format!("population `{label}`: {name}");
            return Err(SessionError::Length { what, expected: size, given: column.len() });
        }
        // a duration without an end is as good as PyNN's 1e10 ms
        let bad = |v: f64| v.is_nan() || v < 0.0 || (name != "duration" && v.is_infinite());
        if let Some(member) = column.iter().position(|&v| bad(v)) {
            let rule = if name == "rate" {
                "rates are finite and not negative"
            } else {
                "times are numbers and not negative"
            };
            return Err(SessionError::Parameter {
                population: label.to_owned(),
                member,
                parameter: name,
                value: column[member],
                rule: rule.to_owned(),
            });
        }
    }
    let at = |column: &[f64], member: usize| column[if column.len() == 1 { 0 } else { member }];
    let source = |member| Poisson {
        rate_hz: at(rate_hz, member),
        start_ms: at(start_ms, member),
        duration_ms: at(duration_ms, member),
    };
    Ok((0..size).map(source).collect())
}

/// Checks given spike times.
pub(super) fn check_times(label: &str, times_ms: &[Vec<f64>]) -> Result<(), SessionError> {
    for (member, train) in times_ms.iter().enumerate() {
        let bad = train.iter().find(|t| !(t.is_finite() && **t >= 0.0));
        let unsorted = train.windows(2).find(|w| w[1] < w[0]).map(|w| &w[1]);
        if let Some(&value) = bad.or(unsorted) {
            let rule = if bad.is_some() {
                "spike times are finite and not negative"
            } else {
                "spike times must ascend; sort them"
            };
            return Err(SessionError::Parameter {
                population: label.to_owned(),
                member,
                parameter: "spike_times",
                value,
                rule: rule.to_owned(),
            });
        }
    }
    Ok(())
}
