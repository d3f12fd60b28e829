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
    /// Short-term plasticity of blocks and drivers.
    Plasticity,
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

/// Jitter of L1: a function of the event. It comes from the clocks that the sender's pulses meet, so
/// an event is as early or late everywhere. "One to two clocks" of 8 ns, with a spread of the delays of
/// 10 ns (analog §5.5): here any number of cycles within two clocks, all equally likely, with a
/// standard deviation of 10.3 ns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jitter {
    key: u64,
}

impl Jitter {
    /// Largest deviation, cycles of 4 ns.
    const LARGEST_CYCLES: u64 = 4;

    /// The largest deviation, if there is any, in cycles.
    pub(crate) fn largest(jitter: Option<Self>) -> u64 {
        jitter.map_or(0, |_| Self::LARGEST_CYCLES)
    }

    /// The jitter of a wafer.
    pub(crate) fn new(instance: Instance) -> Self {
        let hicann = HicannOnWafer::new::<0>();
        Self { key: stream(instance, Kind::Jitter, hicann, 0).random() }
    }

    /// When an event of a source that was sent at some time seems to have been sent.
    pub(crate) fn seen(self, source: u32, sent: DncCycles) -> DncCycles {
        let bits = scramble(scramble(self.key ^ u64::from(source)) ^ sent.0);
        let deviations = 2 * Self::LARGEST_CYCLES + 1;
        let late = ((u128::from(bits) * u128::from(deviations)) >> 64) as u64;
        DncCycles((sent.0 + late).saturating_sub(Self::LARGEST_CYCLES))
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
        let seen = |i: u64| jitter.seen((i % 7) as u32, DncCycles(1000 + i)).0 as f64;
        let late: Vec<f64> = (0..20_000).map(|i| seen(i) - (1000 + i) as f64).collect();
        let mean = late.iter().sum::<f64>() / late.len() as f64;
        let variance = late.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / late.len() as f64;
        assert!(mean.abs() < 0.06, "{mean}");
        // nine values: 80 / 12 cycles squared, or 10.3 ns
        assert!((variance / (80.0 / 12.0) - 1.0).abs() < 0.03, "{variance}");
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
