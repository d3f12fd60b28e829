//! Joining all circuits of a chip to neurons of one size (hal-config §5.7; topology §7.2).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Neurons, Quad};
use crate::coord::{NeuronOnHicann, QuadOnHicann, Table, Vertical};

/// How many circuits make a neuron: 1, 2, 4, 8, 16, 32 or 64 (hal-config §5.7).
///
/// From two circuits on a neuron is a rectangle of both rows and neighbouring columns, which never
/// crosses the border of a neuron block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub struct NeuronSize(u8);

/// Circuits cannot be joined to neurons of this size throughout a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{circuits} circuits per neuron; a power of two from 1 to 64 divides the blocks evenly")]
pub struct InvalidNeuronSize {
    /// Circuits asked for.
    pub circuits: usize,
}

impl NeuronSize {
    /// All sizes, the smallest first.
    pub const ALL: [Self; 7] = [Self(1), Self(2), Self(4), Self(8), Self(16), Self(32), Self(64)];

    /// Circuits per neuron.
    pub const fn circuits(self) -> usize {
        self.0 as usize
    }

    /// Neighbouring columns per neuron.
    pub const fn columns(self) -> usize {
        self.circuits().div_ceil(2)
    }

    /// Neurons per chip.
    pub const fn neurons(self) -> usize {
        NeuronOnHicann::SIZE / self.circuits()
    }
}

impl TryFrom<usize> for NeuronSize {
    type Error = InvalidNeuronSize;
    fn try_from(circuits: usize) -> Result<Self, InvalidNeuronSize> {
        let size = Self::ALL.into_iter().find(|size| size.circuits() == circuits);
        size.ok_or(InvalidNeuronSize { circuits })
    }
}

impl From<NeuronSize> for usize {
    fn from(size: NeuronSize) -> Self {
        size.circuits()
    }
}

impl Neurons {
    /// Joins all circuits to neurons of one size, each of which fires in its top left circuit.
    ///
    /// Inside a quad both rows are joined; from quad to quad the top row alone, in which the fire
    /// signal travels to the right. Everything but the switches, the fire inputs and
    /// `activate_firing` stays as it is.
    pub fn set_size(&mut self, size: NeuronSize) {
        let is_single = size.circuits() == 1;
        for (place, circuit) in self.circuits.iter_mut() {
            let is_top = place.vertical() == Vertical::Top;
            let is_first = place.column() % size.columns() == 0;
            circuit.activate_firing = is_single || is_top && is_first;
            // the left circuit of a quad takes the signal of the quad to its left
            circuit.enable_fire_input =
                !is_single && is_top && !is_first && place.column() % 2 == 0;
        }
        let quad = Quad { vertical: [!is_single; 2], horizontal: [size.columns() > 1; 2] };
        self.quads = Table::<QuadOnHicann, _>::filled(quad);
    }

    /// The membrane that a circuit belongs to: all circuits joined to it, ascending, itself among
    /// them.
    pub fn membrane(&self, circuit: NeuronOnHicann) -> Vec<NeuronOnHicann> {
        let mut found = vec![circuit];
        let mut next = 0;
        while next < found.len() {
            for other in self.joined_to(found[next]) {
                if !found.contains(&other) {
                    found.push(other);
                }
            }
            next += 1;
        }
        found.sort_unstable();
        found
    }
}
