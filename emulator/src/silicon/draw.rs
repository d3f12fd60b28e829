//! Random numbers of a wafer: one stream per kind and place.

use hal::coord::{HicannOnWafer, NeuronOnHicann};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};

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
#[derive(Debug, Clone, Copy)]
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

/// A permutation of 64 bits without visible structure: the output function of SplitMix64.
pub(crate) const fn scramble(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
