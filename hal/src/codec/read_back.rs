//! The words that read a chip back (hal-config §5.5).
//!
//! Not read are quads, which do not survive it, event links, values of floating gates, and what
//! does not belong to the configuration: the shared seed register and the command of the synapse
//! controllers.

use super::bus::{Unit, Writer};
use super::synapse_commands::{Commands, Guard};
use super::{
    floating_gate, merger, neuron, repeater, switches, synapse_array, synapse_controller,
    synapse_driver,
};
use crate::config::HicannConfig;
use crate::coord::{
    Coordinate, FgBlockOnHicann, SynapseArrayOnHicann, SynapseColumnOnHicann,
    SynapseDriverOnHicann, SynapseOnHicann, SynapseRowOnHicann,
};
use crate::value::SynapseWeight;

/// What a word of an answer tells about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPlace {
    /// A register.
    Register {
        /// The unit.
        unit: Unit,
        /// Address within the unit.
        local: u16,
    },
    /// Eight weights.
    Weights {
        /// Their row.
        row: SynapseRowOnHicann,
        /// The first of their columns.
        column: u16,
    },
    /// Bits of the decoders of eight columns; both rows of a driver share a word.
    Decoders {
        /// The row whose word it is.
        row: SynapseRowOnHicann,
        /// The first of the columns.
        column: u16,
    },
}

impl ReadPlace {
    /// The synapses and their weights that an answer tells about; none if it is about others.
    pub fn weights(self, data: u32) -> impl Iterator<Item = (SynapseOnHicann, SynapseWeight)> {
        let place = match self {
            Self::Weights { row, column } => Some((row, column)),
            Self::Register { .. } | Self::Decoders { .. } => None,
        };
        place.into_iter().flat_map(move |(row, column)| {
            let columns = (usize::from(column)..).map(SynapseColumnOnHicann::wrap);
            columns.map(move |column| row.synapse(column)).zip(synapse_array::weights_in(data))
        })
    }
}

/// Writes the words that read a chip with this configuration, without the drivers that do not
/// work. Tells what each answer is about; some only serve to get at the next one.
pub(super) fn encode(
    c: &HicannConfig,
    works: impl Fn(SynapseDriverOnHicann) -> bool,
    w: &mut Writer<'_>,
) -> Vec<Option<ReadPlace>> {
    let builder = [neuron::HALVES, neuron::ANALOG].map(|local| (Unit::NeuronBuilder, local));
    let control = merger::READABLE.map(|local| (Unit::NeuronControl, local));
    let lines = switches::synapse_switch_registers(&c.synapse_switches)
        .chain(switches::crossbar_registers(&c.crossbar))
        .chain(repeater::repeater_registers(&c.repeaters))
        .map(|(unit, local, _)| (unit, local));
    let gates = FgBlockOnHicann::all()
        .flat_map(|block| floating_gate::READABLE.map(|local| (Unit::FloatingGate(block), local)));
    let controllers = SynapseArrayOnHicann::all()
        .flat_map(|array| synapse_controller::READABLE.map(|local| (Unit::Synapse(array), local)));
    let mut places = Vec::new();
    let registers = builder.into_iter().chain(control).chain(lines).chain(gates).chain(controllers);
    for (unit, local) in registers {
        w.unit(unit).read(local);
        places.push(Some(ReadPlace::Register { unit, local }));
    }
    for (array, controller) in c.synapse_controllers.iter() {
        let unit = Unit::Synapse(array);
        for driver in synapse_array::drivers(array).filter(|driver| works(*driver)) {
            for local in synapse_driver::encode_reads(driver, controller, w) {
                places.extend([None, Some(ReadPlace::Register { unit, local })]);
            }
        }
    }
    for array in SynapseArrayOnHicann::all() {
        let controller = &c.synapse_controllers[array];
        let guard = Guard::new(controller, false);
        let mut commands = Commands::new(array, controller, guard, Some(guard), w);
        for driver in synapse_array::drivers(array).filter(|driver| works(*driver)) {
            synapse_array::encode_reads(driver, &mut commands, &mut places);
        }
    }
    synapse_controller::restart_updates(&c.synapse_controllers, [true; 2], w);
    places
}
