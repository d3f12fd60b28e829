//! Synthetic defects: drawn from rates, and those of the manufactured wafers (contract: every
//! random thing about wafer N is reproducible from N).
//!
//! Each kind on each chip has a random stream of its own, so that one chip can be drawn without
//! the others and one rate changed without moving the other defects. With the same seed, a higher
//! rate gives a superset.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rayon::prelude::*;
use thiserror::Error;

use super::{ComponentKind, ComponentOnHicann, DefectSet, Defects, HicannDefects};
use crate::coord::{
    Coordinate, DncOnWafer, HicannOnWafer, SynapseDriverOnHicann, Table, WaferNumber,
};

/// Probability of a defect for each kind of component, 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    by_kind: [f64; ComponentKind::ALL.len()],
}

/// A rate is no probability.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("rate {rate} of kind {} is not a probability; give a number from 0 to 1", kind.name())]
pub struct RateError {
    /// The kind.
    pub kind: ComponentKind,
    /// The rate asked for.
    pub rate: f64,
}

impl Rates {
    /// Nothing is defective.
    pub const NONE: Self = Self { by_kind: [0.0; ComponentKind::ALL.len()] };

    /// The rates of manufactured wafers: lines and repeaters 0.3 %, switches 0.1 %, drivers 1 %,
    /// synapse rows 0.3 %, synapses 0.5 %, circuits 2 %, mergers 0.2 %.
    pub fn manufactured() -> Self {
        use ComponentKind::{
            CrossbarSwitch, DncMerger, HLine, HRepeater, Merger, Neuron, Synapse, SynapseDriver,
            SynapseRow, SynapseSwitch, VLine, VRepeater,
        };
        let mut rates = Self::NONE;
        for (kind, rate) in [
            (HLine, 0.003),
            (VLine, 0.003),
            (HRepeater, 0.003),
            (VRepeater, 0.003),
            (CrossbarSwitch, 0.001),
            (SynapseSwitch, 0.001),
            (SynapseDriver, 0.01),
            (SynapseRow, 0.003),
            (Synapse, 0.005),
            (Neuron, 0.02),
            (Merger, 0.002),
            (DncMerger, 0.002),
        ] {
            rates.by_kind[kind as usize] = rate;
        }
        rates
    }

    /// These rates with another one for a kind.
    pub fn with(mut self, kind: ComponentKind, rate: f64) -> Result<Self, RateError> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(RateError { kind, rate });
        }
        self.by_kind[kind as usize] = rate;
        Ok(self)
    }

    /// A component is defective if 32 random bits are below this number.
    fn threshold(&self, kind: ComponentKind) -> u64 {
        (self.of(kind) * 2_f64.powi(32)).round() as u64
    }

    /// The rate of a kind.
    pub const fn of(&self, kind: ComponentKind) -> f64 {
        self.by_kind[kind as usize]
    }
}

/// The stream of a kind of component on a chip; those of the wafer as a whole come after the last
/// chip.
fn generator(seed: u64, hicann: usize, kind: ComponentKind) -> ChaCha8Rng {
    // the emulator draws from the same wafer numbers; the first half keeps the sequences apart
    let mut key = *b"bss1 wafer defects              ";
    key[24..].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream((hicann * ComponentKind::ALL.len() + kind as usize) as u64);
    generator
}

fn draw<C: Coordinate>(rates: &Rates, seed: u64, kind: ComponentKind) -> DefectSet<C> {
    let mut generator = generator(seed, HicannOnWafer::SIZE, kind);
    let threshold = rates.threshold(kind);
    C::all().filter(|_| u64::from(generator.random::<u32>()) < threshold).collect()
}

impl HicannDefects {
    /// The defects of one chip of [`Defects::random`] with the same rates and seed.
    pub fn random(rates: &Rates, seed: u64, hicann: HicannOnWafer) -> Self {
        let mut record = Self::default();
        for kind in ComponentKind::ALL.into_iter().filter(|&kind| rates.of(kind) > 0.0) {
            let mut generator = generator(seed, hicann.index(), kind);
            let threshold = rates.threshold(kind);
            let components = (0..).map_while(|i| ComponentOnHicann::from_index(kind, i));
            for component in components {
                if u64::from(generator.random::<u32>()) < threshold {
                    record.insert(component);
                }
            }
        }
        record
    }

    /// The defects of one chip of a manufactured wafer, which may lack the chip altogether.
    pub fn manufactured(wafer: WaferNumber, hicann: HicannOnWafer) -> Self {
        let mut record = Self::random(&Rates::manufactured(), wafer.0.into(), hicann);
        let dead = SynapseDriverOnHicann::all().filter(|driver| !driver.usable_on_hicann_v4());
        record.synapse_drivers.extend(dead);
        record
    }
}

impl Defects {
    /// Defects drawn at these rates. Missing chips have no record.
    pub fn random(rates: &Rates, seed: u64) -> Self {
        Self {
            reticles: draw(rates, seed, ComponentKind::Reticle),
            hicanns: draw(rates, seed, ComponentKind::Hicann),
            links: draw(rates, seed, ComponentKind::HighspeedLink),
            ..Self::default()
        }
        .with_records(|hicann| HicannDefects::random(rates, seed, hicann))
    }

    /// The defects of the manufactured wafer with this number: all chips are HICANN version 4,
    /// whose drivers 110..=113 do not work, components fail at the rates of
    /// [`Rates::manufactured`], and one to three reticles are missing.
    pub fn manufactured(wafer: impl Into<WaferNumber>) -> Self {
        let wafer = wafer.into();
        Self {
            wafer: Some(wafer),
            comment: format!("manufactured wafer {wafer}"),
            reticles: Self::manufactured_reticles(wafer),
            ..Self::default()
        }
        .with_records(|hicann| HicannDefects::manufactured(wafer, hicann))
    }

    /// The missing reticles of a manufactured wafer, without drawing its chips.
    pub fn manufactured_reticles(wafer: WaferNumber) -> DefectSet<DncOnWafer> {
        let seed = wafer.0.into();
        let mut generator = generator(seed, HicannOnWafer::SIZE, ComponentKind::Reticle);
        let number = generator.random_range(1..=3_usize);
        let mut missing = DefectSet::none();
        while missing.len() < number {
            missing.extend(DncOnWafer::from_index(generator.random_range(0..DncOnWafer::SIZE)));
        }
        missing
    }

    fn with_records(mut self, record: impl Fn(HicannOnWafer) -> HicannDefects + Sync) -> Self {
        let chips: Vec<HicannOnWafer> = HicannOnWafer::all().collect();
        let draw = |&hicann| self.is_usable(hicann).then(|| Box::new(record(hicann)));
        let records: Vec<_> = chips.par_iter().map(draw).collect();
        let mut records = records.into_iter();
        self.records = Table::from_fn(|_| records.next().flatten());
        self
    }
}
