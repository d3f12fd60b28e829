//! A chip as its registers see it: accesses in, configuration out.

use super::bus::{Access, NO_REGISTER, Operation, Refusal, Unit};
use super::floating_gate::FgController;
use super::merger::NeuronControl;
use super::synapse_array::SynIn;
use super::{analog, merger, neuron, repeater, switches, synapse_controller, synapse_driver};
use crate::config::HicannConfig;
use crate::coord::{FgBlockOnHicann, SynapseArrayOnHicann, Table};

/// Registers of one chip. Where a register holds whole settings they are kept decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Chip {
    /// Everything but the mergers.
    config: HicannConfig,
    neuron_control: NeuronControl,
    synin: Table<SynapseArrayOnHicann, SynIn>,
    fg_controllers: Table<FgBlockOnHicann, FgController>,
}

impl Chip {
    /// Executes an access; reads change nothing.
    pub(super) fn apply(&mut self, access: Access) -> Result<(), Refusal> {
        let Operation::Write(data) = access.operation else { return Ok(()) };
        let (local, c) = (access.local, &mut self.config);
        match access.unit {
            Unit::Crossbar(side) => switches::write_crossbar(&mut c.crossbar, side, local, data),
            Unit::SynapseSwitch(vertical, side) => {
                let switches = &mut c.synapse_switches;
                switches::write_synapse_switches(switches, vertical, side, local, data)
            }
            Unit::Repeater(block) => {
                repeater::write(&mut c.repeaters, &mut c.repeater_blocks, block, local, data)
            }
            Unit::NeuronControl => self.neuron_control.write(local, data),
            Unit::NeuronBuilder if local == neuron::ANALOG => analog::write(&mut c.analog, data),
            Unit::NeuronBuilder => neuron::write(&mut c.neurons, local, data),
            Unit::FloatingGate(block) => {
                let cells = &mut c.floating_gates.blocks[block].cells;
                self.fg_controllers[block].write(cells, local, data)
            }
            Unit::DncInterface => Err(NO_REGISTER),
            Unit::Spl1 => merger::write_links(&mut c.gbit_links, local, data),
            Unit::Synapse(array) => {
                let driver = synapse_driver::write(&mut c.synapses.drivers, array, local, data);
                driver.unwrap_or_else(|| {
                    let controller = &mut c.synapse_controllers[array];
                    let synin = &mut self.synin[array];
                    synapse_controller::write(
                        controller,
                        &mut c.synapses,
                        synin,
                        array,
                        local,
                        data,
                    )
                })
            }
        }
    }

    /// The configuration that the registers amount to.
    pub(super) fn into_config(self) -> Result<HicannConfig, Refusal> {
        let mergers = self.neuron_control.mergers()?;
        Ok(HicannConfig { mergers, ..self.config })
    }
}
