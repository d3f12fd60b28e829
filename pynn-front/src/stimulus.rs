//! Spike inputs: Poisson trains in biological time, and the pulses that stand for them at the edge
//! of the wafer.

use hal::coord::{FpgaOnWafer, PulseLabel};
use hal::wafer::{DncCycles, FPGA_HICANN_DELAY, PulseEvent, Pulses};
use marocco::mapping::{BusAddress, Mapping};
use marocco::network::{Network, PopulationKind};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1};

/// Spike times in biological ms, ascending, of each member of each population; empty for neurons.
pub type SpikeTrains = Vec<Vec<Vec<f64>>>;

/// Biological time 0 is the earliest time at which the FPGA can release a pulse.
pub const START: DncCycles = FPGA_HICANN_DELAY;

/// The cycle of the DNC clock nearest to a biological time in ms.
pub fn cycle_of(time_ms: f64, speedup: f64) -> DncCycles {
    DncCycles(START.0 + (time_ms * 1e-3 / speedup / DncCycles::SECONDS).round() as u64)
}

/// The cycle at which a run of some biological ms ends: playback programs end on an FPGA cycle, which
/// is two cycles long.
pub fn end_cycle(time_ms: f64, speedup: f64) -> DncCycles {
    DncCycles(cycle_of(time_ms, speedup).0.next_multiple_of(2))
}

/// Biological time in ms of a cycle, negative before [`START`].
pub fn time_ms(cycle: DncCycles, speedup: f64) -> f64 {
    (cycle.0 as f64 - START.0 as f64) * DncCycles::SECONDS * speedup * 1e3
}

/// Draws the spikes of all Poisson sources for `duration_ms`.
///
/// Each source has a random stream of its own, so that its spikes depend neither on the number of
/// threads nor on what other sources do.
pub fn poisson_trains(network: &Network, duration_ms: f64, seed: u64) -> SpikeTrains {
    let offsets = network.member_offsets();
    let population_trains = network.populations().zip(offsets).map(|((_, population), offset)| {
        let train = |member: usize| match &population.kind {
            PopulationKind::Neurons(_) => Vec::new(),
            PopulationKind::Sources(rates) => {
                let mut train = Vec::new();
                let mut source = PoissonTrain::new(seed, (offset + member) as u64);
                source.extend(&Poisson::always(*rates.get(member)), duration_ms, &mut train);
                train
            }
        };
        (0..population.size).map(train).collect()
    });
    population_trains.collect()
}

/// What a Poisson source does: PyNN's `SpikeSourcePoisson`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poisson {
    /// Mean rate in biological Hz while it fires.
    pub rate_hz: f64,
    /// When it begins, ms.
    pub start_ms: f64,
    /// How long it fires, ms.
    pub duration_ms: f64,
}

impl Poisson {
    /// A source that never pauses.
    pub const fn always(rate_hz: f64) -> Self {
        Self { rate_hz, start_ms: 0.0, duration_ms: f64::INFINITY }
    }
}

/// The spikes of a Poisson source, drawn piece by piece. The pieces do not depend on where they are
/// cut.
#[derive(Debug)]
pub struct PoissonTrain {
    random: ChaCha8Rng,
    /// The next spike, if it is drawn already, ms.
    next_ms: Option<f64>,
    /// Where drawing begins if it is not.
    from_ms: f64,
}

impl PoissonTrain {
    /// The train at time 0; every stream has numbers of its own.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self { random, next_ms: None, from_ms: 0.0 }
    }

    /// Forgets what was drawn beyond a time: from there on the source may do something else.
    pub fn redraw_from(&mut self, time_ms: f64) {
        (self.next_ms, self.from_ms) = (None, time_ms);
    }

    /// Adds the spikes up to `until_ms`, which is excluded.
    pub fn extend(&mut self, source: &Poisson, until_ms: f64, train: &mut Vec<f64>) {
        let end_ms = source.start_ms + source.duration_ms;
        if source.rate_hz <= 0.0 {
            return;
        }
        let mean_interval_ms = 1e3 / source.rate_hz;
        let mut interval = || {
            let interval: f64 = Exp1.sample(&mut self.random);
            interval * mean_interval_ms
        };
        let mut next = match self.next_ms {
            Some(next) => next,
            None => self.from_ms.max(source.start_ms) + interval(),
        };
        while next < until_ms.min(end_ms) {
            train.push(next);
            next += interval();
        }
        self.next_ms = Some(next);
    }
}

/// How an address on a bus is known at the edge of the wafer: the FPGA of its chip, and the label
/// of its events in playback and trace words.
pub fn edge_label(at: BusAddress) -> (FpgaOnWafer, PulseLabel) {
    let BusAddress { bus, address } = at;
    let label = PulseLabel { link: bus.hicann.link(), gbit_link: bus.merger.gbit_link(), address };
    (bus.hicann.fpga(), label)
}

/// The pulses of all sources that have an address on the wafer, by FPGA and sorted by time.
pub fn pulses(network: &Network, mapping: &Mapping, trains: &SpikeTrains) -> Pulses {
    let speedup = mapping.scaling.speedup;
    let offsets = network.member_offsets();
    let mut pulses = Pulses::new();
    for (members, offset) in trains.iter().zip(offsets) {
        for (member, train) in members.iter().enumerate() {
            let Some(at) = mapping.placement.addresses[offset + member] else { continue };
            if train.is_empty() {
                continue;
            }
            let (fpga, label) = edge_label(at);
            let events = train.iter().map(|&t| PulseEvent { time: cycle_of(t, speedup), label });
            pulses.entry(fpga).or_default().extend(events);
        }
    }
    for events in pulses.values_mut() {
        events.sort_unstable();
    }
    pulses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poisson_train(rate_hz: f64, duration_ms: f64, seed: u64, stream: u64) -> Vec<f64> {
        let mut train = Vec::new();
        PoissonTrain::new(seed, stream).extend(&Poisson::always(rate_hz), duration_ms, &mut train);
        train
    }

    #[test]
    fn trains_have_the_asked_rate_and_are_reproducible() {
        let train = poisson_train(50.0, 100_000.0, 3, 7);
        assert!((train.len() as f64 / 5000.0 - 1.0).abs() < 0.05, "{}", train.len());
        assert!(train.is_sorted() && train.iter().all(|t| (0.0..100_000.0).contains(t)));
        assert_eq!(train, poisson_train(50.0, 100_000.0, 3, 7));
        assert_ne!(train, poisson_train(50.0, 100_000.0, 3, 8));
        assert_ne!(train, poisson_train(50.0, 100_000.0, 4, 7));
    }

    #[test]
    fn intervals_are_exponential() {
        let train = poisson_train(100.0, 200_000.0, 1, 0);
        let intervals: Vec<f64> = train.windows(2).map(|w| w[1] - w[0]).collect();
        let n = intervals.len() as f64;
        let mean = intervals.iter().sum::<f64>() / n;
        let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / n;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03);
    }

    #[test]
    fn trains_do_not_depend_on_where_they_are_cut() {
        let source = Poisson { rate_hz: 80.0, start_ms: 100.0, duration_ms: 500.0 };
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        PoissonTrain::new(3, 1).extend(&source, 1000.0, &mut whole);
        let mut train = PoissonTrain::new(3, 1);
        for until_ms in [0.0, 50.0, 130.5, 400.0, 400.0, 590.0, 700.0, 1000.0] {
            train.extend(&source, until_ms, &mut pieces);
        }
        assert_eq!(whole, pieces);
        assert!(whole.len() > 20 && whole.iter().all(|t| (100.0..600.0).contains(t)));
    }

    #[test]
    fn a_new_rate_holds_from_its_time_on() {
        let (mut train, mut times) = (PoissonTrain::new(3, 1), Vec::new());
        train.extend(&Poisson::always(0.0), 1000.0, &mut times);
        assert!(times.is_empty());
        train.redraw_from(1000.0);
        train.extend(&Poisson::always(100.0), 11_000.0, &mut times);
        assert!(times[0] >= 1000.0 && (850..1150).contains(&times.len()), "{}", times.len());
    }

    #[test]
    fn silence_is_silent() {
        assert!(poisson_train(0.0, 1e6, 0, 0).is_empty());
    }

    #[test]
    fn times_keep_the_grid() {
        assert_eq!(cycle_of(0.0, 1e4), START);
        assert_eq!(cycle_of(0.04, 1e4).0, START.0 + 1);
        assert_eq!(time_ms(cycle_of(123.4, 1e4), 1e4), 123.4);
    }
}
