//! Random numbers of a wafer: one stream per kind and place.

use hal::coord::{HicannOnWafer, NeuronOnHicann};
use hal::wafer::DncCycles;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::instance::Instance;

/// What random numbers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Noise of a programming.
    Programming,
    /// Drift after a programming.
    Drift,
    /// Deviations of blocks.
    Blocks,
    /// Deviations of circuits.
    Circuits,
    /// Factors of synapses.
    Synapses,
    /// Output amplifiers.
    Readout,
    /// Noise of the ADC.
    Adc,
    /// What broken circuits do.
    Fault,
    /// Jitter of L1.
    Jitter,
}

/// The stream of a place on a chip; `place` counts within the kind.
fn stream(instance: Instance, kind: Kind, hicann: HicannOnWafer, place: usize) -> ChaCha8Rng {
    // the defects of a wafer are drawn from the same number; the text keeps the sequences apart
    let mut key = *b"bss1 silicon                    ";
    key[14] = kind as u8;
    if let Instance::Manufactured(number) = instance {
        key[15] = b'N';
        key[24..28].copy_from_slice(&number.0.to_le_bytes());
    }
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream((hicann.index() as u64) << 48 | place as u64);
    generator
}

/// Standard normal numbers.
#[derive(Debug)]
pub(crate) struct Normals(ChaCha8Rng);

impl Normals {
    /// The next number.
    pub(crate) fn draw(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}

/// Standard normal numbers of a place on a chip.
pub(crate) fn normals(
    instance: Instance,
    kind: Kind,
    hicann: HicannOnWafer,
    place: usize,
) -> Normals {
    Normals(stream(instance, kind, hicann, place))
}

/// 32 random bits of a place on a chip.
pub(super) fn bits(instance: Instance, kind: Kind, hicann: HicannOnWafer, place: usize) -> u32 {
    stream(instance, kind, hicann, place).random()
}

/// Noise of the ADC's samples: a function of the number of the sample.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AdcNoise {
    key: u64,
}

impl AdcNoise {
    /// Standard deviation, V; an assumption.
    const SPREAD_V: f64 = 0.0015;

    /// The noise of the ADC that looks at a circuit.
    pub(super) fn new(instance: Instance, hicann: HicannOnWafer, neuron: NeuronOnHicann) -> Self {
        Self { key: stream(instance, Kind::Adc, hicann, neuron.index()).random() }
    }

    /// Noise of a sample, V.
    pub(crate) fn volts(self, sample: usize) -> f64 {
        let bits = scramble(self.key ^ scramble(sample as u64));
        // Box and Muller's transformation of two numbers in 0..1, the first one never 0
        let [high, low] =
            [bits >> 32, bits & 0xffff_ffff].map(|b| (b as f64 + 0.5) / 2_f64.powi(32));
        Self::SPREAD_V * (-2.0 * high.ln()).sqrt() * (std::f64::consts::TAU * low).cos()
    }
}

/// Jitter of L1: a function of event, chip and axon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jitter {
    key: u64,
}

impl Jitter {
    /// Standard deviation, cycles of 4 ns: 10 ns (analog §5.5).
    const SPREAD_CYCLES: f64 = 2.5;
    /// Largest deviation, cycles.
    pub(crate) const LARGEST_CYCLES: u64 = 8;

    /// The largest deviation, if there is any, in cycles.
    pub(crate) fn largest(jitter: Option<Self>) -> u64 {
        jitter.map_or(0, |_| Self::LARGEST_CYCLES)
    }

    /// The jitter of a wafer.
    pub(crate) fn new(instance: Instance) -> Self {
        let hicann = HicannOnWafer::new::<0>();
        Self { key: stream(instance, Kind::Jitter, hicann, 0).random() }
    }

    /// The jitter of the arrivals of an event, from its source and the time at which it was sent.
    pub(crate) fn of_event(self, source: u32, sent: DncCycles) -> EventJitter {
        EventJitter { key: scramble(scramble(self.key ^ u64::from(source)) ^ sent.0) }
    }
}

/// The jitter of one event: a function of the chip where it arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventJitter {
    key: u64,
}

impl EventJitter {
    /// The time of an arrival that is nominally at `arrival`, in cycles.
    #[inline]
    pub(crate) fn arrival(self, arrival: u64, hicann: HicannOnWafer) -> u64 {
        // cycles per unit of the sum below, as a share of 2^40
        const SCALE: i64 =
            (Jitter::SPREAD_CYCLES * 1.732_050_807_568_877_2 * (1_u64 << 24) as f64) as i64;
        let bits = scramble(self.key ^ hicann.index() as u64);
        // the sum of four uniform numbers in 0..2^16 has mean 2^17 and variance 2^32 / 3
        let sum: i64 = (0..4).map(|i| (bits >> (16 * i) & 0xffff) as i64).sum();
        let late = ((sum + 2 - (1 << 17)) * SCALE + (1 << 39)) >> 40;
        let largest = Jitter::LARGEST_CYCLES as i64;
        arrival.saturating_add_signed(late.clamp(-largest, largest))
    }
}

/// A permutation of 64 bits without visible structure: the output function of SplitMix64.
pub(crate) const fn scramble(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_has_its_size_and_its_limit() {
        let jitter = Jitter::new(Instance::Ideal);
        let hicann = HicannOnWafer::new::<77>();
        let late: Vec<f64> = (0..20_000)
            .map(|i| {
                jitter.of_event((i % 7) as u32, DncCycles(i)).arrival(1000, hicann) as f64 - 1000.0
            })
            .collect();
        let mean = late.iter().sum::<f64>() / late.len() as f64;
        let variance = late.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / late.len() as f64;
        // rounding to cycles adds a twelfth
        let expected = Jitter::SPREAD_CYCLES.powi(2) + 1.0 / 12.0;
        assert!(mean.abs() < 0.06, "{mean}");
        assert!((variance / expected - 1.0).abs() < 0.05, "{variance}");
        assert!(late.iter().all(|l| l.abs() <= Jitter::LARGEST_CYCLES as f64));
    }

    #[test]
    fn scrambled_bits_are_those_of_splitmix64() {
        // the generator's published sequence for seed 1234567
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let numbers =
            [0, 1, 2].map(|i: u64| scramble(1_234_567_u64.wrapping_add(i.wrapping_mul(step))));
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }
}
