//! Long-term plasticity of a synapse array (hal-config §1.6; topology §7.4).
//!
//! Each synapse has two capacitors: one gathers pairs in which the presynaptic event came first
//! (causal), the other one the opposite pairs (acausal). The controller goes through the rows,
//! compares the capacitors with V_thigh and V_tlow, and replaces each weight by the entry of a
//! look-up table.

use serde::{Deserialize, Serialize};

use crate::coord::SynapseRowOnArray;
use crate::value::{PatternGenerator, SynapseWeight};

/// Which comparisons let an evaluation come out true; four bits of the configuration register.
/// The names are those of the hardware: `a` acausal, `c` causal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EvaluationPattern {
    /// Bit `aa`.
    pub aa: bool,
    /// Bit `ac`.
    pub ac: bool,
    /// Bit `ca`.
    pub ca: bool,
    /// Bit `cc`.
    pub cc: bool,
}

/// New weight by old weight, one table for each outcome of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupTables {
    /// When causal pairs prevail. After reset the next larger weight, at most 15.
    pub causal: [SynapseWeight; 16],
    /// When acausal pairs prevail. After reset the next smaller weight, at least 0.
    pub acausal: [SynapseWeight; 16],
    /// When both do. After reset the weight itself.
    pub combined: [SynapseWeight; 16],
}

impl Default for LookupTables {
    fn default() -> Self {
        let weight = SynapseWeight::wrap;
        Self {
            causal: std::array::from_fn(|old| weight((old + 1).min(15))),
            acausal: std::array::from_fn(|old| weight(old.saturating_sub(1))),
            combined: std::array::from_fn(weight),
        }
    }
}

/// The controller updates weights by itself, row after row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticUpdate {
    /// The row it starts with.
    pub first_row: SynapseRowOnArray,
    /// The row it ends with.
    pub last_row: SynapseRowOnArray,
    /// Starts again after the last row.
    pub continuous: bool,
}

/// Settings of long-term plasticity of one array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plasticity {
    /// Evaluations read the acausal capacitor; register bit `sca`.
    pub read_acausal: bool,
    /// Evaluations read the causal capacitor; register bit `scc`.
    pub read_causal: bool,
    /// Capacitors keep their charge when a weight is updated.
    pub without_reset: bool,
    /// Register bit `encr`; its meaning is not documented, and the original never sets it.
    pub encr: bool,
    /// Register field `gen`.
    pub generator: PatternGenerator,
    /// The two comparisons of an evaluation.
    pub evaluation: [EvaluationPattern; 2],
    /// New weights by old weights.
    pub lookup: LookupTables,
    /// Which of the 32 columns of a set have their capacitors reset by a reset command. All of
    /// them after reset of the chip.
    pub correlation_reset: u32,
    /// Updates without further commands; off after reset.
    pub automatic: Option<AutomaticUpdate>,
}

impl Default for Plasticity {
    fn default() -> Self {
        Self {
            read_acausal: true,
            read_causal: true,
            without_reset: false,
            encr: false,
            generator: PatternGenerator::default(),
            evaluation: [EvaluationPattern::default(); 2],
            lookup: LookupTables::default(),
            correlation_reset: u32::MAX,
            automatic: None,
        }
    }
}
