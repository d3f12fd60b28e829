//! Where events travel on L1: lines, repeaters, switches and driver chains as one directed graph.
//!
//! Closed crossbar switches and bridged drivers are plain wire and conduct both ways; repeaters
//! have a direction and live on the chip that topology §4.5 says. A synapse switch leads from its
//! vertical line to the driver. A search with a visited set over this graph ends on cycles and on
//! lines that are driven twice; there, each driver of the line reaches whatever hangs on it.

use std::collections::{BTreeMap, VecDeque};

use hal::config::{HicannConfig, WaferConfig};
use hal::coord::{
    Coordinate, HLineOnHicann, HRepeaterOnHicann, HicannOnWafer, OnWafer, Side,
    SynapseDriverOnHicann, VLineOnHicann, VRepeaterOnHicann, Vertical,
};

use super::Bus;
use crate::flaws::Flaws;

/// A horizontal line, a vertical line, or the input wire of a driver, as one dense number.
type Wire = usize;

const VLINES: usize = OnWafer::<HLineOnHicann>::SIZE;
const DRIVERS: usize = VLINES + OnWafer::<VLineOnHicann>::SIZE;

fn hline(hicann: HicannOnWafer, line: HLineOnHicann) -> Wire {
    line.on(hicann).index()
}

fn vline(hicann: HicannOnWafer, line: VLineOnHicann) -> Wire {
    VLINES + line.on(hicann).index()
}

fn driver(place: OnWafer<SynapseDriverOnHicann>) -> Wire {
    DRIVERS + place.index()
}

/// Whether the line or driver is whole.
fn works(flaws: &Flaws<'_>, wire: Wire) -> bool {
    let h = || OnWafer::<HLineOnHicann>::from_index(wire).map(|l| flaws.works(l));
    let v = || OnWafer::<VLineOnHicann>::from_index(wire - VLINES).map(|l| flaws.works(l));
    let d = || OnWafer::<SynapseDriverOnHicann>::from_index(wire - DRIVERS).map(|l| flaws.works(l));
    let whole = match wire {
        0..VLINES => h(),
        VLINES..DRIVERS => v(),
        _ => d(),
    };
    whole.unwrap_or(false)
}

/// A step of an event from one wire to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    from: Wire,
    to: Wire,
    /// Whether the step leads to a line of another chip.
    crosses_border: bool,
}

/// All steps that configuration and defects allow.
#[derive(Debug)]
pub(super) struct Wires<'a> {
    flaws: &'a Flaws<'a>,
    /// Sorted, so that the steps of a wire are neighbours.
    steps: Vec<Step>,
}

/// An enabled driver that an event arrives at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) driver: OnWafer<SynapseDriverOnHicann>,
    /// HICANNs whose lines the event has used, the sending one included.
    pub(super) hicanns: usize,
}

impl<'a> Wires<'a> {
    pub(super) fn new(config: &WaferConfig, flaws: &'a Flaws<'a>) -> Self {
        let mut wires = Self { flaws, steps: Vec::new() };
        for (&hicann, chip) in &config.hicanns {
            wires.add_repeaters(hicann, chip);
            wires.add_crossbar(hicann, chip);
            wires.add_synapse_switches(config, hicann, chip);
            wires.add_driver_chains(hicann, chip);
        }
        wires.steps.retain(|s| works(flaws, s.from) && works(flaws, s.to));
        wires.steps.sort_unstable();
        wires
    }

    /// A repeater joins its line and the continuation of this line beyond its own side. It needs a
    /// locked receiver and a released driver.
    fn add_repeaters(&mut self, hicann: HicannOnWafer, chip: &HicannConfig) {
        for (r, repeater) in chip.repeaters.horizontal.iter() {
            let block = &chip.repeater_blocks[r.block()];
            let beyond = beyond_h(hicann, r);
            if let (Some(direction), Some(far)) = (repeater.mode.forwards_to(), beyond)
                && block.dll_released
                && block.driver_released
                && self.flaws.works(r.on(hicann))
            {
                self.add_crossing(hline(hicann, r.line()), far, direction == r.side());
            }
        }
        for (r, repeater) in chip.repeaters.vertical.iter() {
            let block = &chip.repeater_blocks[r.block()];
            let beyond = beyond_v(hicann, r);
            if let (Some(direction), Some(far)) = (repeater.mode.forwards_to(), beyond)
                && block.dll_released
                && block.driver_released
                && self.flaws.works(r.on(hicann))
            {
                self.add_crossing(vline(hicann, r.line()), far, direction == r.vertical());
            }
        }
    }

    fn add_crossing(&mut self, near: Wire, far: Wire, outwards: bool) {
        let (from, to) = if outwards { (near, far) } else { (far, near) };
        self.steps.push(Step { from, to, crosses_border: true });
    }

    fn add_both_ways(&mut self, a: Wire, b: Wire) {
        self.steps.push(Step { from: a, to: b, crosses_border: false });
        self.steps.push(Step { from: b, to: a, crosses_border: false });
    }

    fn add_crossbar(&mut self, hicann: HicannOnWafer, chip: &HicannConfig) {
        for switch in chip.crossbar.closed().filter(|s| self.flaws.works(s.on(hicann))) {
            self.add_both_ways(hline(hicann, switch.hline()), vline(hicann, switch.vline()));
        }
    }

    /// The switch belongs to the chip of the line, the driver may stand on the facing neighbour
    /// (topology §4.4).
    fn add_synapse_switches(
        &mut self,
        config: &WaferConfig,
        hicann: HicannOnWafer,
        chip: &HicannConfig,
    ) {
        for switch in chip.synapse_switches.closed().filter(|s| self.flaws.works(s.on(hicann))) {
            let Some(place) = switch.row().driver(hicann) else { continue };
            let listens = config
                .hicanns
                .get(&place.hicann)
                .is_some_and(|c| c.synapses.drivers[place.local].locin);
            if listens {
                let from = vline(hicann, switch.vline());
                self.steps.push(Step { from, to: driver(place), crosses_border: false });
            }
        }
    }

    fn add_driver_chains(&mut self, hicann: HicannOnWafer, chip: &HicannConfig) {
        for (d, settings) in chip.synapses.drivers.iter() {
            if let (true, Some(next)) = (settings.connect_neighbor, d.outward()) {
                self.add_both_ways(driver(d.on(hicann)), driver(next.on(hicann)));
            }
        }
    }

    fn steps_from(&self, wire: Wire) -> &[Step] {
        let start = self.steps.partition_point(|s| s.from < wire);
        let len = self.steps[start..].partition_point(|s| s.from == wire);
        &self.steps[start..start + len]
    }

    /// The driver inputs that events of a bus reach, ascending, each by the way with the fewest
    /// borders.
    pub(super) fn reached_drivers(&self, bus: &Bus, chip: &HicannConfig) -> Vec<Reached> {
        let mut crossings: BTreeMap<Wire, usize> = BTreeMap::new();
        let mut queue: VecDeque<(Wire, usize)> = VecDeque::new();
        let starts = starts(bus, chip, self.flaws).filter(|(wire, _)| works(self.flaws, *wire));
        for (wire, borders) in starts {
            if borders == 0 {
                queue.push_front((wire, borders));
            } else {
                queue.push_back((wire, borders));
            }
        }
        // steps inside a chip go to the front, so that the first visit is by the shortest way
        while let Some((wire, borders)) = queue.pop_front() {
            if crossings.contains_key(&wire) {
                continue;
            }
            crossings.insert(wire, borders);
            for step in self.steps_from(wire) {
                if step.crosses_border {
                    queue.push_back((step.to, borders + 1));
                } else {
                    queue.push_front((step.to, borders));
                }
            }
        }
        crossings
            .range(DRIVERS..)
            .filter_map(|(&wire, &borders)| {
                let driver = OnWafer::from_index(wire - DRIVERS)?;
                Some(Reached { driver, hicanns: 1 + borders })
            })
            .collect()
    }
}

/// The lines that the sending repeater of a bus drives, with the borders crossed to get there: the
/// own line, the western neighbour's line, or both (topology §4.1).
fn starts(
    bus: &Bus,
    chip: &HicannConfig,
    flaws: &Flaws<'_>,
) -> impl Iterator<Item = (Wire, usize)> {
    let repeater = bus.merger.sending_repeater().repeater();
    let mode = chip.repeaters.horizontal[repeater].mode;
    let released = chip.repeater_blocks[repeater.block()].driver_released
        && flaws.works(repeater.on(bus.hicann));
    let own =
        (released && mode.outputs_to(Side::Right)).then(|| (hline(bus.hicann, repeater.line()), 0));
    let west = (released && mode.outputs_to(Side::Left))
        .then(|| beyond_h(bus.hicann, repeater).map(|wire| (wire, 1)))
        .flatten();
    own.into_iter().chain(west)
}

fn beyond_h(hicann: HicannOnWafer, repeater: HRepeaterOnHicann) -> Option<Wire> {
    let line = repeater.line();
    match repeater.side() {
        Side::Left => hicann.west().map(|h| hline(h, line.west())),
        Side::Right => hicann.east().map(|h| hline(h, line.east())),
    }
}

fn beyond_v(hicann: HicannOnWafer, repeater: VRepeaterOnHicann) -> Option<Wire> {
    let line = repeater.line();
    match repeater.vertical() {
        Vertical::Top => hicann.north().map(|h| vline(h, line.north())),
        Vertical::Bottom => hicann.south().map(|h| vline(h, line.south())),
    }
}
