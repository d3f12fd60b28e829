//! The procedures that measure a chip (analog §3).
//!
//! They work on any wafer behind [`hal::wafer::Wafer`] and see words, spikes and samples of the ADC.
//! Steps are taken in the order of the original: the offset of the readout first, then potentials
//! that need no synapses, then what builds on them. Each step is swept over some values, and each
//! value is programmed several times, since programming is noisy.

mod findings;
mod gates;
mod gmax;
mod inputs;
mod measure;
mod offsets;
mod plasticity;
mod potentials;
mod resets;
mod rig;
mod stimulus;
mod times;
mod trace;
mod trim;

mod evaluation;

use hal::coord::{HicannOnWafer, NeuronOnHicann, Table};
use hal::defects::Defects;
use hal::playback::PlaybackError;
use hal::stateful::{AllocationError, ConfigureError};
use hal::trace::TraceError;
use hal::wafer::{Wafer, WaferError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::BlockCalibration;
use crate::database::{CircuitRecord, Quality};
pub use evaluation::{ChipEvaluation, Errors, Quantity, evaluate_chip};
use findings::Findings;
use hal::coord::FgBlockOnHicann;
pub use rig::Cost;
use rig::Rig;
use stimulus::Stimulus;
pub use trim::{Candidates, Responses, firing_circuits, responses};

/// Version of the procedures: raised when what they measure changes.
pub const PROCEDURE_VERSION: u32 = 5;

/// Name of the utilisation of drivers in qualities of blocks: no cell holds it.
const UTILISATION: &str = "U";

/// How thoroughly chips are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Programmings of each value of a sweep, 1 or more.
    pub repetitions: usize,
}

impl Default for Settings {
    /// Two programmings of each value.
    fn default() -> Self {
        Self { repetitions: 2 }
    }
}

/// A step of the measurement of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// What output amplifiers add.
    ReadoutShift,
    /// V_reset and V_t.
    ThresholdAndReset,
    /// E_syni.
    InhibitoryReversal,
    /// E_synx.
    ExcitatoryReversal,
    /// I_pl.
    Refractory,
    /// E_l.
    Leak,
    /// V_convoffx.
    ExcitatoryOffset,
    /// V_convoffi.
    InhibitoryOffset,
    /// I_gl.
    Membrane,
    /// V_gmax of blocks.
    Gmax,
    /// V_syntcx, V_syntci and the gains of the inputs.
    Inputs,
    /// V_dtc of blocks, and the utilisation of their drivers.
    Plasticity,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 12] = [
        Self::ReadoutShift,
        Self::ThresholdAndReset,
        Self::InhibitoryReversal,
        Self::ExcitatoryReversal,
        Self::Refractory,
        Self::Leak,
        Self::ExcitatoryOffset,
        Self::InhibitoryOffset,
        Self::Membrane,
        Self::Gmax,
        Self::Inputs,
        Self::Plasticity,
    ];

    /// What it measures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadoutShift => "readout shift",
            Self::ThresholdAndReset => "V_reset, V_t",
            Self::InhibitoryReversal => "E_syni",
            Self::ExcitatoryReversal => "E_synx",
            Self::Refractory => "I_pl",
            Self::Leak => "E_l",
            Self::ExcitatoryOffset => "V_convoffx",
            Self::InhibitoryOffset => "V_convoffi",
            Self::Membrane => "I_gl",
            Self::Gmax => "V_gmax",
            Self::Inputs => "V_syntcx, V_syntci, gains",
            Self::Plasticity => "V_dtc, U",
        }
    }
}

/// A chip could not be measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The wafer lacks the chip, or none of its analog outputs works.
    #[error("{hicann} cannot be measured: it is missing, or has no analog output; leave it out")]
    NoChip {
        /// The chip.
        hicann: HicannOnWafer,
    },
    /// The chip was not taken over.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// The configuration was refused.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The stimulus was refused.
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    /// The trace makes no sense.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The wafer refused.
    #[error(transparent)]
    Wafer(#[from] WaferError),
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// What was measured of a chip.
#[derive(Debug, Clone)]
pub struct Measured {
    /// By circuit.
    pub circuits: Table<NeuronOnHicann, CircuitRecord>,
    /// By block.
    pub blocks: Table<FgBlockOnHicann, BlockCalibration>,
    /// Fits of the blocks.
    pub block_quality: Table<FgBlockOnHicann, Vec<Quality>>,
    /// What it cost.
    pub cost: Cost,
}

/// Measures a chip of a wafer in reset. `defects` tells which lines, drivers, synapses and mergers
/// not to use; circuits are judged by what they do alone. `observe` hears of each step before it is
/// taken, and may stop.
pub fn measure_chip(
    wafer: &mut dyn Wafer,
    hicann: HicannOnWafer,
    defects: &Defects,
    settings: Settings,
    observe: &mut dyn FnMut(Step) -> bool,
) -> Result<Measured, CalibrationError> {
    let mut rig = Rig::new(wafer, hicann, defects)?;
    let stimulus = Stimulus::new(&mut rig, inputs::WEIGHT);
    let mut findings = Findings::new();
    for step in Step::ALL {
        if !observe(step) {
            return Err(CalibrationError::Stopped);
        }
        let (rig, findings) = (&mut rig, &mut findings);
        match step {
            Step::ReadoutShift => potentials::readout_shift(rig, findings)?,
            Step::ThresholdAndReset => potentials::threshold_and_reset(rig, settings, findings)?,
            Step::InhibitoryReversal => {
                potentials::reversal(rig, &stimulus, 1, settings, findings)?;
            }
            Step::ExcitatoryReversal => {
                potentials::reversal(rig, &stimulus, 0, settings, findings)?;
            }
            Step::Refractory => times::refractory(rig, settings, findings)?,
            Step::Leak => potentials::leak(rig, settings, findings)?,
            Step::ExcitatoryOffset => offsets::offset(rig, 0, findings)?,
            Step::InhibitoryOffset => offsets::offset(rig, 1, findings)?,
            Step::Membrane => times::membrane(rig, settings, findings)?,
            Step::Gmax => gmax::v_gmax(rig, &stimulus, settings, findings)?,
            Step::Inputs => inputs::inputs(rig, &stimulus, settings, findings)?,
            Step::Plasticity => plasticity::plasticity(rig, &stimulus, settings, findings)?,
        }
    }
    Ok(Measured {
        circuits: findings.circuits(),
        blocks: findings.calibration.blocks,
        block_quality: findings.block_quality,
        cost: rig.cost,
    })
}
