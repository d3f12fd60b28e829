//! The order in which a chip is configured, anew or from a known state (hal-config §2.20, §5.4,
//! §5.6).

use super::bus::Writer;
use super::synapse_driver::DriverWrites;
use super::{
    Programming, Unencodable, analog, floating_gate, merger, neuron, repeater, switches,
    synapse_array, synapse_controller, synapse_driver,
};
use crate::config::HicannConfig;

/// A stage of the configuration. All chips of a wafer go through a stage before the next one
/// begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
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

/// Which part of a subsystem is written although the chip may hold it already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Extent {
    /// Nothing at all, even if it differs.
    Nothing,
    /// What differs.
    #[default]
    Changes,
    /// Everything.
    Everything,
}

/// What is to be done with one chip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    /// The configuration to reach.
    pub(crate) target: &'a HicannConfig,
    /// How cells are programmed.
    pub(crate) programming: &'a Programming,
    /// What the chip holds, if that is known. Otherwise it is initialised.
    pub(crate) before: Option<&'a HicannConfig>,
    /// Writes single registers that differ, instead of the containers that the original writes.
    pub(crate) minimal: bool,
    /// Initialises the chip.
    pub(crate) init: bool,
    /// Cells of the floating gates.
    pub(crate) floating_gates: Extent,
    /// Weights and decoders.
    pub(crate) synapses: Extent,
    /// Synapse drivers.
    pub(crate) drivers: Extent,
    /// Horizontal and vertical repeaters.
    pub(crate) repeaters: Extent,
    /// Lets the repeaters lock anew.
    pub(crate) lock_repeaters: bool,
    /// Lets the drivers lock anew.
    pub(crate) lock_drivers: bool,
}

impl<'a> Task<'a> {
    /// Configures a chip of which nothing is known.
    pub(crate) fn anew(target: &'a HicannConfig, programming: &'a Programming) -> Self {
        Self {
            target,
            programming,
            before: None,
            minimal: false,
            init: true,
            floating_gates: Extent::Changes,
            synapses: Extent::Changes,
            drivers: Extent::Changes,
            repeaters: Extent::Changes,
            lock_repeaters: true,
            lock_drivers: true,
        }
    }

    /// Whether cells are programmed.
    fn programs_gates(self) -> bool {
        match (self.floating_gates, self.before) {
            (Extent::Nothing, _) => false,
            (Extent::Everything, _) | (_, None) => true,
            (Extent::Changes, Some(b)) => b.floating_gates != self.target.floating_gates,
        }
    }

    /// Programs cells, the first thing in [`Stage::TimingUncritical`].
    pub(super) fn encode_gates(self, w: &mut Writer<'_>) {
        let (gates, programming) = (&self.target.floating_gates, self.programming);
        match self.known() {
            Some(known) if self.floating_gates == Extent::Changes => {
                floating_gate::encode_changed(gates, &known.floating_gates, programming, w);
            }
            _ if self.programs_gates() => floating_gate::encode(gates, programming, w),
            Some(_) => {}
            None => floating_gate::encode_last_pass(programming, w),
        }
    }

    /// What is known, for containers of which only the differing registers are written.
    fn known(self) -> Option<&'a HicannConfig> {
        self.before.filter(|_| self.minimal)
    }
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 5] = [
        Self::Init,
        Self::TimingUncritical,
        Self::LockingRepeaterBlocks,
        Self::LockingSynapseDrivers,
        Self::Neurons,
    ];

    /// The words of this stage for one chip, without its floating gates. A stage ends with a flush,
    /// since order is kept within a tag only; single registers need one only if receivers lock
    /// after them.
    pub(super) fn encode(self, task: Task<'_>, w: &mut Writer<'_>) -> Result<(), Unencodable> {
        let flush = match self {
            Self::Init => task.init,
            Self::Neurons => !task.minimal,
            _ => !task.minimal || task.lock_repeaters || task.lock_drivers,
        };
        match self {
            Self::Init if task.init => init(w),
            Self::TimingUncritical => timing_uncritical(task, w)?,
            Self::LockingRepeaterBlocks if task.lock_repeaters => {
                let blocks = &task.target.repeater_blocks;
                let held = repeater::block_registers(blocks, true);
                let known = task.known().map(|_| held);
                w.write_changed(known, repeater::block_registers(blocks, false));
            }
            Self::LockingSynapseDrivers if task.lock_drivers => {
                let controllers = &task.target.synapse_controllers;
                let held = synapse_controller::registers(controllers, true);
                let known = task.known().map(|_| held);
                w.write_changed(known, synapse_controller::registers(controllers, false));
            }
            Self::Neurons => neurons(task, w)?,
            Self::Init | Self::LockingRepeaterBlocks | Self::LockingSynapseDrivers => {}
        }
        if flush {
            w.flush();
        }
        Ok(())
    }
}

fn init(w: &mut Writer<'_>) {
    merger::reset_links(w);
    switches::clear(w);
    repeater::clear(w);
    neuron::clear(w);
    merger::clear(w);
    synapse_driver::clear(w);
}

fn timing_uncritical(task: Task<'_>, w: &mut Writer<'_>) -> Result<(), Unencodable> {
    let c = task.target;
    let known = task.known();
    let commanded = synapses(task, w);
    if known.is_none_or(|k| neuron::halves_differ(&k.neurons, &c.neurons)) {
        neuron::encode_halves(&c.neurons, w);
    }
    w.write_changed(
        known.map(|k| repeater::block_registers(&k.repeater_blocks, false)),
        repeater::block_registers(&c.repeater_blocks, task.lock_repeaters),
    );
    w.write_changed(
        known.map(|k| synapse_controller::registers(&k.synapse_controllers, false)),
        synapse_controller::registers(&c.synapse_controllers, task.lock_drivers),
    );
    if known.is_some() && !task.lock_drivers {
        synapse_controller::restart_updates(&c.synapse_controllers, commanded, w);
    }
    let phase = |c: &HicannConfig| merger::on_bus(merger::phase_registers(&c.mergers.phase));
    w.write_changed(known.map(phase), phase(c));
    let links = |c: &HicannConfig| [merger::link_register(&c.gbit_links)];
    w.write_changed(known.map(links), links(c));
    // programming ends what ran before
    let running = known.filter(|_| !task.programs_gates()).map(|k| &k.current_stimuli);
    floating_gate::encode_stimuli(&c.current_stimuli, running, task.programming, w);
    w.write_changed(
        known.map(|k| switches::synapse_switch_registers(&k.synapse_switches)),
        switches::synapse_switch_registers(&c.synapse_switches),
    );
    w.write_changed(
        known.map(|k| switches::crossbar_registers(&k.crossbar)),
        switches::crossbar_registers(&c.crossbar),
    );
    merger::check_dnc(&c.mergers.dnc)?;
    let mergers = |c: &HicannConfig| {
        let tree = merger::tree_registers(&c.mergers.tree).into_iter();
        merger::on_bus(tree.chain(merger::dnc_registers(&c.mergers.dnc)))
    };
    w.write_changed(known.map(mergers), mergers(c));
    if known.is_none_or(|k| k.mergers.background != c.mergers.background) {
        merger::encode_background(&c.mergers.background, w);
    }
    repeaters(task, w);
    drivers(task, w);
    Ok(())
}

/// Which controllers got commands.
fn synapses(task: Task<'_>, w: &mut Writer<'_>) -> [bool; 2] {
    if task.synapses == Extent::Nothing {
        return [false; 2];
    }
    let before = synapse_array::Before {
        arrays: task.before.map(|before| &before.synapses),
        controllers: task.before.map(|before| &before.synapse_controllers),
        everything: task.synapses == Extent::Everything,
    };
    let c = task.target;
    synapse_array::encode(&c.synapses, &c.synapse_controllers, task.lock_drivers, before, w)
}

fn repeaters(task: Task<'_>, w: &mut Writer<'_>) {
    let before = task.before.filter(|b| {
        // the original writes the whole set when anything differs, the blocks included
        task.minimal
            || (b.repeaters == task.target.repeaters
                && b.repeater_blocks == task.target.repeater_blocks)
    });
    let known = match task.repeaters {
        Extent::Nothing => return,
        Extent::Changes => before.map(|before| repeater::repeater_registers(&before.repeaters)),
        Extent::Everything => None,
    };
    w.write_changed(known, repeater::repeater_registers(&task.target.repeaters));
}

fn drivers(task: Task<'_>, w: &mut Writer<'_>) {
    let writes = match (task.drivers, task.minimal) {
        (Extent::Nothing, _) => return,
        (Extent::Changes, true) => DriverWrites::Registers,
        (Extent::Changes, false) => DriverWrites::Drivers,
        (Extent::Everything, _) => DriverWrites::All,
    };
    // only initialisation clears registers of which nothing is known
    let writes = if task.before.is_none() && !task.init { DriverWrites::All } else { writes };
    let (c, before) = (task.target, task.before.map(|before| &before.synapses.drivers));
    let controllers = &c.synapse_controllers;
    synapse_driver::encode(&c.synapses.drivers, controllers, task.lock_drivers, before, writes, w);
}

fn neurons(task: Task<'_>, w: &mut Writer<'_>) -> Result<(), Unencodable> {
    let (c, known) = (task.target, task.known());
    if known.is_none() {
        neuron::encode_halves(&c.neurons, w);
    }
    let quads = known.map(|k| neuron::quad_registers(&k.neurons)).transpose()?;
    w.write_changed(quads, neuron::quad_registers(&c.neurons)?);
    let analog = known.map(|k| analog::register(&k.analog)).transpose()?;
    w.write_changed(analog.map(|register| [register]), [analog::register(&c.analog)?]);
    Ok(())
}
