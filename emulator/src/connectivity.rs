//! From configuration to connectivity: which event reaches which synapse.
//!
//! Everything is read from the configuration alone, in the direction of the signal: [`buses`] says
//! which events a merger puts onto L1, [`wires`] where they travel, [`synapses`] who listens.

mod buses;
mod synapses;
mod wires;

use hal::config::WaferConfig;
use hal::coord::{
    DncMergerOnHicann, HicannOnWafer, L1Address, NeuronOnHicann, OnWafer, SynapseOnHicann,
    SynapticInputOnNeuron,
};
use hal::value::SynapseWeight;
use hal::wafer::DncCycles;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::effects::{Effect, Effects};
use crate::flaws::Flaws;
pub(crate) use buses::{Bus, buses, sends};
use wires::Wires;

/// An address on an L1 bus. The bus is named by the DNC merger that feeds its sending repeater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BusAddress {
    /// The chip that sends.
    pub hicann: HicannOnWafer,
    /// The merger in front of the sending repeater.
    pub merger: DncMergerOnHicann,
    /// The six bits on the bus.
    pub address: L1Address,
}

/// A synapse that receives events. A row that is connected to both synaptic inputs makes two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FunctionalSynapse {
    /// The events it receives.
    pub source: BusAddress,
    /// Where it is.
    pub synapse: OnWafer<SynapseOnHicann>,
    /// The circuit it drives.
    pub target: OnWafer<NeuronOnHicann>,
    /// The input of the circuit.
    pub input: SynapticInputOnNeuron,
    /// Digital weight.
    pub weight: SynapseWeight,
    /// From the threshold crossing or the release of a pulse to the synapse.
    pub delay: DncCycles,
}

/// A bus address that a circuit sends. A circuit has several if mergers copy its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NeuronOutput {
    /// The circuit that fires.
    pub neuron: OnWafer<NeuronOnHicann>,
    /// The event it causes.
    pub bus: BusAddress,
}

/// What a configuration connects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Connectivity {
    /// Bus addresses of the firing circuits, ascending.
    pub outputs: Vec<NeuronOutput>,
    /// Synapses that some neuron, event link or background generator can reach, ascending. Those of
    /// weight 0 count where a controller updates weights by itself.
    pub synapses: Vec<FunctionalSynapse>,
}

/// Traces every event source of the wafer to every synapse of weight 1 or more.
pub fn connectivity(config: &WaferConfig) -> Connectivity {
    trace(config, &Flaws::NONE, Effects::NONE)
}

/// As [`connectivity`], on a wafer that may have defects. With the effect `weight_offset` synapses
/// of weight 0 count as well, with `dll_locking` buses without a background generator do not.
pub(crate) fn trace(config: &WaferConfig, flaws: &Flaws<'_>, effects: Effects) -> Connectivity {
    let weight_zero = effects.contains(Effect::WeightOffset);
    let locks = |bus: &Bus| !bus.generators.is_empty() || !effects.contains(Effect::DllLocking);
    let wires = Wires::new(config, flaws);
    let per_chip: Vec<Connectivity> = config
        .hicanns
        .par_iter()
        .map(|(&hicann, chip)| {
            let mut found = Connectivity::default();
            for bus in buses(hicann, chip, flaws) {
                let first = found.synapses.len();
                found.outputs.extend(bus.outputs(chip));
                if !locks(&bus) {
                    continue;
                }
                let reached = wires.reached_drivers(&bus, chip);
                let synapses = &mut found.synapses;
                synapses::listening(config, &bus, &reached, flaws, weight_zero, synapses);
                // buses and places ascend already, only the addresses are mixed
                found.synapses[first..].sort_by_key(|s| s.source.address);
            }
            found.outputs.sort_unstable();
            found
        })
        .collect();
    // chips ascend and are the first key of both orders, so this stays sorted
    let mut all = Connectivity::default();
    for mut chip in per_chip {
        all.outputs.append(&mut chip.outputs);
        all.synapses.append(&mut chip.synapses);
    }
    all
}
