//! What is stored of a chip and of a circuit.

use std::collections::BTreeMap;

use hal::archive::Archive;
use hal::coord::{FgBlockOnHicann, NeuronOnHicann, Table};
use serde::{Deserialize, Serialize};

use crate::{BlockCalibration, HicannCalibration, NeuronCalibration};

/// Where a measurement comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Seconds since 1970 when it was complete.
    pub measured_at_s: u64,
    /// Version of the procedures.
    pub procedure: u32,
    /// Version of the program.
    pub program: String,
    /// What the wafer calls itself.
    pub wafer: String,
    /// Settings of the procedures.
    pub settings: BTreeMap<String, String>,
    /// Programmings of the floating gates of the chip.
    pub programmings: u32,
    /// Runs of the wafer.
    pub runs: u32,
    /// Hardware time that programming, configuration and runs take, s: an estimate.
    pub hardware_s: f64,
    /// Time on the computer, s.
    pub wall_s: f64,
}

/// How well a fit went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Name of the parameter, like `V_t`.
    pub parameter: String,
    /// Points of the fit.
    pub points: u32,
    /// Standard deviation of the points from the fit: V, or relative for time constants.
    pub residual: f64,
}

/// Why a circuit cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitFault {
    /// Name of the parameter, like `V_t`.
    pub parameter: String,
    /// What was found.
    pub reason: String,
}

/// What is known of a chip besides its circuits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipRecord {
    /// Where it comes from.
    pub provenance: Provenance,
    /// By block.
    pub blocks: Table<FgBlockOnHicann, BlockCalibration>,
    /// Fits of the blocks.
    pub quality: Table<FgBlockOnHicann, Vec<Quality>>,
}

/// What is known of a circuit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitRecord {
    /// Its transformations.
    pub calibration: NeuronCalibration,
    /// What its output amplifier adds to its membrane, V. It is subtracted from what the ADC shows,
    /// and never used for a cell (analog §10.21).
    pub readout_shift_v: f64,
    /// Its reset potential minus that of its block, V. One cell serves 128 circuits, so that this
    /// remains.
    pub reset_shift_v: f64,
    /// How well the fits went.
    pub quality: Vec<Quality>,
    /// Why it cannot be used; empty if it can.
    pub faults: Vec<CircuitFault>,
}

impl Archive for ChipRecord {
    const KIND: [u8; 8] = *b"CALCHIP ";
    const VERSION: u32 = 2;
}

impl Archive for CircuitRecord {
    const KIND: [u8; 8] = *b"CALCIRC ";
    const VERSION: u32 = 2;
}

impl HicannCalibration {
    /// The calibration in a chip's records.
    pub fn from_records(
        chip: &ChipRecord,
        circuits: &Table<NeuronOnHicann, CircuitRecord>,
    ) -> Self {
        let faulty = circuits.iter().filter(|(_, c)| !c.faults.is_empty());
        Self {
            neurons: Table::from_fn(|n| circuits[n].calibration.clone()),
            blocks: chip.blocks.clone(),
            blacklist: faulty.map(|(n, _)| n).collect(),
        }
    }
}
