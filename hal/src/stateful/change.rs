//! What has to be done with each chip (hal-config §5.6).

use std::collections::{BTreeMap, BTreeSet};

use super::{Differential, StatefulWafer, Subsystems, Writing};
use crate::codec::{EncodeError, Extent, Task, after_init};
use crate::config::{HicannConfig, SynapseArrays};
use crate::coord::HicannOnWafer;

impl From<Writing> for Extent {
    fn from(writing: Writing) -> Self {
        match writing {
            Writing::Skip => Self::Nothing,
            Writing::Smart => Self::Changes,
            Writing::Force => Self::Everything,
        }
    }
}

/// Whether signals take other ways through a chip than before.
fn l1_differs(a: &HicannConfig, b: &HicannConfig) -> bool {
    a.repeaters != b.repeaters
        || a.mergers != b.mergers
        || a.gbit_links != b.gbit_links
        || a.crossbar != b.crossbar
        || a.synapse_switches != b.synapse_switches
}

fn repeaters_held_in_reset(c: &HicannConfig) -> bool {
    c.repeater_blocks.values().iter().any(|b| !b.dll_released || !b.driver_released)
}

fn drivers_held_in_reset(c: &HicannConfig) -> bool {
    c.synapse_controllers.values().iter().any(|c| c.dll_released != [true; 2])
}

/// Whether other resets are asked for than before.
fn resets_differ(a: &HicannConfig, b: &HicannConfig) -> bool {
    let blocks = |c: &HicannConfig| -> Vec<_> {
        c.repeater_blocks.values().iter().map(|b| (b.dll_released, b.driver_released)).collect()
    };
    let controllers = |c: &HicannConfig| -> Vec<_> {
        c.synapse_controllers.values().iter().map(|c| c.dll_released).collect()
    };
    blocks(a) != blocks(b) || controllers(a) != controllers(b)
}

/// Whether drivers take or pass on signals that they did not before.
fn driver_inputs_differ(a: &HicannConfig, b: &HicannConfig) -> bool {
    let inputs = |c: &HicannConfig| -> Vec<_> {
        let drivers = c.synapses.drivers.values().iter();
        drivers.map(|d| (d.enable, d.locin, d.connect_neighbor)).collect()
    };
    inputs(a) != inputs(b)
}

/// What the chips hold when a plan begins, and whether they are initialised first.
pub(super) struct Start {
    pub(super) held: BTreeMap<HicannOnWafer, HicannConfig>,
    init: BTreeSet<HicannOnWafer>,
}

impl Start {
    pub(super) fn new(wafer: &StatefulWafer) -> Result<Self, EncodeError> {
        let reset = match wafer.settings.differential {
            Differential::Sthal(subsystems) => subsystems.reset,
            Differential::Minimal => Writing::Smart,
        };
        let mut start = Self { held: BTreeMap::new(), init: BTreeSet::new() };
        for &hicann in wafer.config.hicanns.keys() {
            let held = wafer.held.get(&hicann);
            let init = match reset {
                Writing::Skip => false,
                Writing::Smart => held.is_none() || !wafer.initialised.contains(&hicann.fpga()),
                Writing::Force => true,
            };
            if init {
                start.init.insert(hicann);
            }
            if let Some(held) = held {
                let held = if init { after_init(held)? } else { held.clone() };
                start.held.insert(hicann, held);
            }
        }
        Ok(start)
    }

    /// The tasks of all chips.
    pub(super) fn tasks<'a>(
        &'a self,
        wafer: &'a StatefulWafer,
    ) -> BTreeMap<HicannOnWafer, Task<'a>> {
        let chips =
            || wafer.config.hicanns.iter().map(|(h, target)| (*h, target, self.held.get(h)));
        let of_chip = |(hicann, target, before): (_, &'a _, Option<&'a _>)| Task {
            before,
            init: self.init.contains(&hicann),
            ..Task::anew(target, &wafer.settings.programming)
        };
        match wafer.settings.differential {
            Differential::Sthal(subsystems) => {
                let changed = chips().any(|(_, target, before)| {
                    before.is_none_or(|b| l1_differs(b, target) || repeaters_held_in_reset(b))
                });
                let task = |chip| sthal(of_chip(chip), subsystems, changed);
                chips().map(|chip| (chip.0, task(chip))).collect()
            }
            Differential::Minimal => {
                let changed = chips().any(|(_, target, before)| {
                    before.is_none_or(|b| {
                        l1_differs(b, target)
                            || resets_differ(b, target)
                            || driver_inputs_differ(b, target)
                    })
                });
                let task = |chip| Task {
                    minimal: true,
                    lock_repeaters: changed,
                    lock_drivers: changed,
                    ..of_chip(chip)
                };
                chips().map(|chip| (chip.0, task(chip))).collect()
            }
        }
    }
}

/// The task that the smart configurator of the original sets itself; `changed` tells that L1 has
/// changed somewhere on the wafer.
fn sthal(task: Task<'_>, subsystems: Subsystems, changed: bool) -> Task<'_> {
    let drivers_changed = task.before.is_none_or(|before| {
        before.synapses.drivers != task.target.synapses.drivers || drivers_held_in_reset(before)
    });
    let wanted = |locking: Writing, changed: bool| match locking {
        Writing::Skip => false,
        Writing::Smart => changed,
        Writing::Force => true,
    };
    Task {
        floating_gates: subsystems.floating_gates.into(),
        synapses: subsystems.synapses.into(),
        drivers: subsystems.drivers.into(),
        repeaters: subsystems.repeaters.into(),
        lock_repeaters: wanted(subsystems.repeater_locking, changed),
        lock_drivers: wanted(subsystems.driver_locking, changed || drivers_changed),
        ..task
    }
}

/// What the chips hold after a plan was carried out: what was skipped stays as it was.
pub(super) fn held_after(wafer: &StatefulWafer) -> BTreeMap<HicannOnWafer, HicannConfig> {
    let mut held = wafer.config.hicanns.clone();
    let Differential::Sthal(subsystems) = wafer.settings.differential else { return held };
    let skips = |writing: Writing| writing == Writing::Skip;
    let default = HicannConfig::default();
    for (hicann, chip) in &mut held {
        let before = wafer.held.get(hicann).unwrap_or(&default);
        if skips(subsystems.floating_gates) {
            chip.floating_gates = before.floating_gates.clone();
        }
        if skips(subsystems.synapses) {
            let SynapseArrays { weights, decoders, .. } = before.synapses.clone();
            (chip.synapses.weights, chip.synapses.decoders) = (weights, decoders);
        }
        if skips(subsystems.drivers) {
            chip.synapses.drivers = before.synapses.drivers.clone();
        }
        if skips(subsystems.repeaters) {
            chip.repeaters = before.repeaters.clone();
        }
    }
    held
}
