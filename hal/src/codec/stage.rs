//! The order in which a chip is configured (hal-config §2.20, §5.4).

use super::bus::Writer;
use super::{
    Unencodable, analog, floating_gate, merger, neuron, repeater, switches, synapse_array,
    synapse_controller, synapse_driver,
};
use crate::config::HicannConfig;

/// A stage of the configuration. All chips of an FPGA go through a stage before the next one
/// begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Puts a chip with random memory contents into a defined state.
    Init,
    /// Everything while the delay-locked loops of L1 are held in reset.
    TimingUncritical,
    /// Lets the receivers of the repeaters lock to the background events.
    LockingRepeaterBlocks,
    /// The same for the synapse drivers.
    LockingSynapseDrivers,
    /// Lets the neurons run.
    Neurons,
}

impl Stage {
    pub(super) const ALL: [Self; 5] = [
        Self::Init,
        Self::TimingUncritical,
        Self::LockingRepeaterBlocks,
        Self::LockingSynapseDrivers,
        Self::Neurons,
    ];

    /// The words of this stage for one chip.
    pub(super) fn encode(self, c: &HicannConfig, w: &mut Writer<'_>) -> Result<(), Unencodable> {
        match self {
            Self::Init => {
                merger::reset_links(w);
                switches::clear(w);
                repeater::clear(w);
                neuron::clear(w);
                merger::clear(w);
                synapse_driver::clear(w);
            }
            Self::TimingUncritical => {
                floating_gate::encode(&c.floating_gates, w);
                synapse_array::encode(&c.synapses, &c.synapse_controllers, w)?;
                neuron::encode_halves(c.neurons.halves, w);
                repeater::encode_blocks(&c.repeater_blocks, true, w);
                synapse_controller::encode(&c.synapse_controllers, true, w)?;
                merger::encode_phase(w);
                merger::encode_links(&c.gbit_links, w);
                switches::encode_synapse_switches(&c.synapse_switches, w);
                switches::encode_crossbar(&c.crossbar, w);
                merger::encode_tree(&c.mergers.tree, w);
                merger::encode_dnc(&c.mergers.dnc, w)?;
                merger::encode_background(&c.mergers.background, w);
                repeater::encode_repeaters(&c.repeaters, w);
                synapse_driver::encode(&c.synapses.drivers, &c.synapse_controllers, w)?;
            }
            Self::LockingRepeaterBlocks => {
                repeater::encode_blocks(&c.repeater_blocks, false, w);
            }
            Self::LockingSynapseDrivers => {
                synapse_controller::encode(&c.synapse_controllers, false, w)?;
            }
            Self::Neurons => {
                neuron::encode_halves(c.neurons.halves, w);
                neuron::encode_quads(&c.neurons, w)?;
                analog::encode(&c.analog, w)?;
            }
        }
        w.flush();
        Ok(())
    }
}
