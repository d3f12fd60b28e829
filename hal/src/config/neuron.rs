//! Neuron circuits and how they are joined (hal-config §1.1, §1.2; topology §7.2).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::SramTiming;
use crate::coord::{L1Address, NeuronOnHicann, QuadOnHicann, Side, Table, Vertical};

/// Digital part of one neuron circuit (hal-config §1.1, bits in §2.5).
///
/// A circuit ("denmem") is a membrane with two synaptic inputs, a leak, adaptation and an
/// exponential term. Its analog parameters are floating-gate cells
/// ([`NeuronParameter`](super::NeuronParameter)); here stands what happens when its comparator crosses the threshold, and what its membrane is
/// connected to. After reset all switches are off and the address is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// Address sent when the circuit fires, 0..=63; 59 of them are free
    /// ([`L1Address::is_usable`]).
    pub address: L1Address,
    /// Enables the comparator: without it the circuit neither fires nor resets.
    pub activate_firing: bool,
    /// Puts the address on the L1 output; works together with `activate_firing` only.
    pub enable_spl1_output: bool,
    /// Shorts the membrane to the facing circuit of the adjacent quad and takes its fire signal.
    /// The left circuit of a quad receives from the left, the right one from the right.
    pub enable_fire_input: bool,
    /// Connects the membrane to the analog line of its row and column parity, which shows one
    /// circuit at a time. Restricted by the code of its quad row ([`Neurons::io_code`]).
    pub enable_aout: bool,
    /// Connects the current stimulus of its row and column parity (a
    /// [`CurrentStimulus`](super::CurrentStimulus)). Restricted by the code of its quad row.
    pub enable_current_input: bool,
}

impl Default for Neuron {
    fn default() -> Self {
        Self {
            address: L1Address::new::<0>(),
            activate_firing: false,
            enable_spl1_output: false,
            enable_fire_input: false,
            enable_aout: false,
            enable_current_input: false,
        }
    }
}

/// Switches inside a quad of two by two circuits (hal-config §1.1); open after reset. Joined
/// circuits share their membrane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quad {
    /// By column of the quad (0 left): joins the top and the bottom circuit.
    pub vertical: [bool; 2],
    /// By row (0 top): joins the left and the right circuit.
    pub horizontal: [bool; 2],
}

/// Scaling of a floating-gate current: the current mirror divides by 27, 3 or 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum CurrentScaling {
    /// Slow bit set: divided by 27.
    Slow,
    /// Neither bit set: divided by 3.
    #[default]
    Normal,
    /// Fast bit set: not divided.
    Fast,
    /// Both bits set; no use of it is known.
    SlowAndFast,
}

impl CurrentScaling {
    /// The slow and the fast bit.
    pub const fn bits(self) -> (bool, bool) {
        match self {
            Self::Slow => (true, false),
            Self::Normal => (false, false),
            Self::Fast => (false, true),
            Self::SlowAndFast => (true, true),
        }
    }

    /// From the slow and the fast bit.
    pub const fn from_bits(slow: bool, fast: bool) -> Self {
        match (slow, fast) {
            (true, false) => Self::Slow,
            (false, false) => Self::Normal,
            (false, true) => Self::Fast,
            (true, true) => Self::SlowAndFast,
        }
    }
}

/// Settings common to the 256 circuits of one half (hal-config §1.2, one register for both halves,
/// §2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeuronHalf {
    /// Use the big membrane capacitor (2.165 pF) instead of the small one (0.164 pF); set after
    /// reset.
    pub big_capacitor: bool,
    /// Scaling of the adaptation time constant current I_radapt; normal after reset.
    pub i_radapt: CurrentScaling,
    /// Scaling of the adaptation conductance current I_gladapt; normal after reset.
    pub i_gladapt: CurrentScaling,
    /// Scaling of the leak current I_gl; normal after reset.
    pub i_gl: CurrentScaling,
    /// Holds all circuits of the half in reset; released after reset of the chip.
    pub held_in_reset: bool,
}

impl Default for NeuronHalf {
    fn default() -> Self {
        Self {
            big_capacitor: true,
            i_radapt: CurrentScaling::Normal,
            i_gladapt: CurrentScaling::Normal,
            i_gl: CurrentScaling::Normal,
            held_in_reset: false,
        }
    }
}

/// All circuits of a chip (hal-config §1.1, §1.2).
///
/// Circuits are joined to larger neurons inside a quad by its switches and across quads by fire
/// inputs; [`Neurons::set_size`] does so for a whole chip.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Neurons {
    /// The 512 circuits.
    pub circuits: Table<NeuronOnHicann, Neuron>,
    /// The switches of the 128 quads.
    pub quads: Table<QuadOnHicann, Quad>,
    /// Settings of the top (0) and bottom (1) half.
    pub halves: [NeuronHalf; 2],
    /// Holds the event outputs of all circuits in reset; released after reset of the chip.
    pub outputs_held_in_reset: bool,
    /// Timing of the memory that holds the settings of the quads.
    pub timing: SramTiming,
}

/// Analog output and current input of the two circuits of a quad row cannot be combined this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{quad}, {row:?} row: this combination of analog outputs and current inputs has no code; \
     use one current input at most, with the analog output of the same circuit or none"
)]
pub struct InvalidIoCode {
    /// The quad.
    pub quad: QuadOnHicann,
    /// Its row.
    pub row: Vertical,
}

impl Neurons {
    /// Settings of the half that a circuit lies in.
    pub fn half(&self, neuron: NeuronOnHicann) -> &NeuronHalf {
        &self.halves[neuron.vertical().index()]
    }

    /// Circuits whose membranes are shorted to the membrane of `neuron` by one switch.
    pub fn joined_to(&self, neuron: NeuronOnHicann) -> impl Iterator<Item = NeuronOnHicann> {
        let quad = &self.quads[neuron.quad()];
        let (x, y) = (neuron.column(), neuron.vertical());
        let vertical = quad.vertical[x % 2].then(|| neuron.other_row());
        let inside = quad.horizontal[y.index()].then(|| NeuronOnHicann::at(x as u8 ^ 1, y));
        // towards the adjacent quad: left circuits face left, right circuits face right
        let facing = if x % 2 == 0 { x.checked_sub(1) } else { Some(x + 1).filter(|&c| c < 256) };
        let across = facing.map(|c| NeuronOnHicann::at(c as u8, y)).filter(|&other| {
            self.circuits[neuron].enable_fire_input || self.circuits[other].enable_fire_input
        });
        [vertical, inside, across].into_iter().flatten()
    }

    /// The three-bit code of analog outputs and current inputs of a quad row (hal-config §2.6).
    pub fn io_code(&self, quad: QuadOnHicann, row: Vertical) -> Result<u8, InvalidIoCode> {
        let at = |side: Side| {
            &self.circuits[NeuronOnHicann::at((2 * quad.index() + side.index()) as u8, row)]
        };
        let (left, right) = (at(Side::Left), at(Side::Right));
        let bits = u8::from(right.enable_aout)
            | u8::from(left.enable_aout) << 1
            | u8::from(right.enable_current_input) << 2
            | u8::from(left.enable_current_input) << 3;
        match bits {
            0..=5 => Ok(bits),
            8 => Ok(7),
            10 => Ok(6),
            _ => Err(InvalidIoCode { quad, row }),
        }
    }
}
