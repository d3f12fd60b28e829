//! What can be set on a chip, as plain data (hal-config §1).
//!
//! [`HicannConfig::default`] is the state after reset plus the defaults of the original stateful
//! layer (hal-config §5.1): all DNC mergers slow, big capacitors.

mod analog;
mod event;
mod floating_gate;
mod l1;
mod memory;
mod neuron;
mod neuron_size;
mod plasticity;
mod shortcuts;
mod status;
mod stimulus;
mod synapse;
mod test_port;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coord::{
    FgBlockOnHicann, HicannOnWafer, RepeaterBlockOnHicann, SynapseArrayOnHicann, Table,
};

pub use analog::{AnalogOutputs, AnalogSource};
pub use event::{
    BackgroundGenerator, DncMerger, GbitDirection, GbitLinks, IntervalOutOfRange, Merger,
    MergerMode, MergerTree,
};
pub use floating_gate::{FgBlock, FgCellOnBlock, FloatingGates, NeuronParameter, SharedParameter};
pub use l1::{Crossbar, Repeater, RepeaterBlock, RepeaterMode, Repeaters, SynapseSwitches};
pub use memory::SramTiming;
pub use neuron::{CurrentScaling, InvalidIoCode, Neuron, NeuronHalf, Neurons, Quad};
pub use neuron_size::{InvalidNeuronSize, NeuronSize};
pub use plasticity::{AutomaticUpdate, EvaluationPattern, LookupTables, Plasticity};
pub use shortcuts::NoRoute;
pub use status::{HicannStatus, UnknownChip};
pub use stimulus::CurrentStimulus;
pub use synapse::{RowConfig, StpMode, SynapseArrays, SynapseController, SynapseDriver};
pub use test_port::{TestEvent, TestPort};

/// Everything that can be set on one chip.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HicannConfig {
    /// 512 circuits, the switches between them, and the settings of each half.
    pub neurons: Neurons,
    /// The two analog outputs.
    pub analog: AnalogOutputs,
    /// Weights, decoders and drivers.
    pub synapses: SynapseArrays,
    /// One controller per synapse array.
    pub synapse_controllers: Table<SynapseArrayOnHicann, SynapseController>,
    /// Switches between horizontal and vertical lines.
    pub crossbar: Crossbar,
    /// Switches between vertical lines and synapse drivers.
    pub synapse_switches: SynapseSwitches,
    /// 64 horizontal and 256 vertical repeaters.
    pub repeaters: Repeaters,
    /// The six blocks of repeaters.
    pub repeater_blocks: Table<RepeaterBlockOnHicann, RepeaterBlock>,
    /// The mergers between neurons, background generators and links.
    pub mergers: MergerTree,
    /// Directions of the eight event links.
    pub gbit_links: GbitLinks,
    /// The four blocks of analog parameter storage.
    pub floating_gates: FloatingGates,
    /// What each block can feed into a membrane, sample by sample.
    pub current_stimuli: Table<FgBlockOnHicann, CurrentStimulus>,
}

/// The chips of a wafer that are in use. A chip that is absent is in reset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaferConfig {
    /// Configuration by chip.
    pub hicanns: BTreeMap<HicannOnWafer, HicannConfig>,
}

impl WaferConfig {
    /// The chip's configuration, added with defaults if the chip was not in use yet.
    pub fn hicann_mut(&mut self, hicann: HicannOnWafer) -> &mut HicannConfig {
        self.hicanns.entry(hicann).or_default()
    }
}
