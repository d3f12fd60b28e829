//! A chip as its registers see it: accesses in, answers and configuration out.

use super::bus::{Access, NO_REGISTER, NOT_READABLE, Operation, Refusal, Unit};
use super::fg_controller::FgController;
use super::merger::NeuronControl;
use super::synapse_commands::{PACKET_CLOCKS, Sequencer};
use super::{analog, merger, neuron, repeater, switches, synapse_controller, synapse_driver};
use crate::config::HicannConfig;
use crate::coord::{FgBlockOnHicann, SynapseArrayOnHicann, SynapseOnHicann, Table};
use crate::value::SynapseWeight;

/// Chip clocks until a packet arrives that waited for the answer to a read: the way to the host
/// and back, which is far longer than any access to a small memory.
const READ_CLOCKS: u64 = 1000;

/// Registers of one chip. Where a register holds whole settings they are kept decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Chip {
    /// Everything but the mergers.
    config: HicannConfig,
    neuron_control: NeuronControl,
    sequencers: Table<SynapseArrayOnHicann, Sequencer>,
    fg_controllers: Table<FgBlockOnHicann, FgController>,
    /// Chip clocks since the first packet, at the densest packing.
    now: u64,
}

impl Chip {
    /// Replaces the weight of a synapse, as the chip's controllers do.
    pub(super) fn set_weight(&mut self, synapse: SynapseOnHicann, weight: SynapseWeight) {
        self.config.synapses.weights[synapse] = weight;
    }

    /// Executes an access; a read has an answer.
    pub(super) fn apply(&mut self, access: Access) -> Result<Option<u32>, Refusal> {
        match access.operation {
            Operation::Write(data) => {
                self.write(access.unit, access.local, data)?;
                self.now += u64::from(PACKET_CLOCKS);
                Ok(None)
            }
            Operation::Read => {
                let data = self.read(access.unit, access.local)?;
                self.now += READ_CLOCKS;
                Ok(Some(data))
            }
        }
    }

    fn write(&mut self, unit: Unit, local: u16, data: u32) -> Result<(), Refusal> {
        let (now, c) = (self.now, &mut self.config);
        match unit {
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
                let (gates, stimuli) = (&mut c.floating_gates, &mut c.current_stimuli);
                let controller = &mut self.fg_controllers[block];
                controller.write(&mut gates.blocks[block], &mut stimuli[block], local, data)
            }
            Unit::DncInterface => Err(NO_REGISTER),
            Unit::Spl1 => merger::write_links(&mut c.gbit_links, local, data),
            Unit::Synapse(array) if synapse_driver::has(local) => {
                let timing = c.synapse_controllers[array].driver_timing;
                self.sequencers[array].occupy_drivers(timing.write_clocks(), now)?;
                synapse_driver::write(&mut c.synapses.drivers, array, local, data)
            }
            Unit::Synapse(array) => {
                let controller = &mut c.synapse_controllers[array];
                let sequencer = &mut self.sequencers[array];
                let write = (local, data);
                synapse_controller::write(controller, &mut c.synapses, sequencer, array, write, now)
            }
        }
    }

    fn read(&mut self, unit: Unit, local: u16) -> Result<u32, Refusal> {
        let c = &self.config;
        match unit {
            Unit::Crossbar(side) => switches::read_crossbar(&c.crossbar, side, local),
            Unit::SynapseSwitch(vertical, side) => {
                switches::read_synapse_switches(&c.synapse_switches, vertical, side, local)
            }
            Unit::Repeater(block) => repeater::read(&c.repeaters, block, local),
            Unit::NeuronControl => self.neuron_control.read(local),
            Unit::NeuronBuilder if local == neuron::ANALOG => analog::read(&c.analog),
            Unit::NeuronBuilder => neuron::read(&c.neurons, local),
            Unit::FloatingGate(block) => self.fg_controllers[block].read(local),
            Unit::DncInterface => Err(NO_REGISTER),
            Unit::Spl1 => Err(NOT_READABLE),
            Unit::Synapse(array) if synapse_driver::has(local) => {
                let content = synapse_driver::read(&c.synapses.drivers, array, local)?;
                let timing = c.synapse_controllers[array].driver_timing;
                let sequencer = &mut self.sequencers[array];
                sequencer.occupy_drivers(timing.read_clocks(), self.now)?;
                Ok(sequencer.fetch(content))
            }
            Unit::Synapse(array) => {
                let controller = &c.synapse_controllers[array];
                synapse_controller::read(controller, &self.sequencers[array], local, self.now)
            }
        }
    }

    /// The configuration that the registers amount to.
    pub(super) fn into_config(self) -> Result<HicannConfig, Refusal> {
        let mergers = self.neuron_control.mergers()?;
        Ok(HicannConfig { mergers, ..self.config })
    }
}
