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
                let stream = (offset + member) as u64;
                poisson_train(*rates.get(member), duration_ms, seed, stream)
            }
        };
        (0..population.size).map(train).collect()
    });
    population_trains.collect()
}

fn poisson_train(rate_hz: f64, duration_ms: f64, seed: u64, stream: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    let mean_interval_ms = 1e3 / rate_hz;
    let intervals = std::iter::repeat_with(|| {
        let interval: f64 = Exp1.sample(&mut random);
        interval * mean_interval_ms
    });
    intervals
        .scan(0.0, |now, interval| {
            *now += interval;
            Some(*now)
        })
        .take_while(|time| *time < duration_ms)
        .collect()
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
