//! One chip's share of the tables: membranes, axons, outputs.

use std::collections::BTreeMap;

use hal::codec;
use hal::config::{HicannConfig, SynapseController};
use hal::coord::{
    Coordinate, HicannOnWafer, L1Address, NeuronOnHicann, PulseLabel, SynapseArrayOnHicann,
    SynapseDriverOnHicann, SynapseRowOnHicann, Table,
};
use hal::law::{self, stp_utilisation};
use hal::value::SynapseWeight;
use hal::wafer::DncCycles;

use super::cells::Cells;
use super::chip::Chip;
use super::delivery::Knows;
use super::injection::Injection;
use super::network::SourceId;
use super::outputs::Outputs;
use super::plasticity::{Controller, Plasticity};
use super::stp::Resource;
use super::tree::Tree;
use crate::circuits::{InputMap, Membrane, membranes};
use crate::connectivity::{Bus, BusAddress, FunctionalSynapse, sends};
use crate::silicon::Silicon;

/// Cycles of 4 ns per clock of the chip, which runs at 125 MHz.
const CYCLES_PER_CLOCK: u64 = 2;

/// The synapses of a row.
#[derive(Debug, Clone)]
struct Row {
    /// Conductance by weight, S.
    levels_s: [f64; SynapseWeight::SIZE],
    /// Factor by column; none if all are 1.
    factors: Option<Vec<f64>>,
}

/// The controllers that update weights during a run.
fn controllers(config: &HicannConfig) -> Vec<Controller> {
    let of_array = |(array, controller): (SynapseArrayOnHicann, &SynapseController)| {
        let settings = controller.plasticity;
        let cycles = CYCLES_PER_CLOCK * u64::from(codec::row_update_clocks(controller));
        Some(Controller::new(array, settings, settings.automatic?, cycles))
    };
    config.synapse_controllers.iter().filter_map(of_array).collect()
}

/// A chip in the making.
#[derive(Debug)]
pub(super) struct ChipBuilder<'a> {
    pub(super) hicann: HicannOnWafer,
    pub(super) config: &'a HicannConfig,
    silicon: Silicon<'a>,
    step: DncCycles,
    /// Set once the chips are cut into parts.
    pub(super) place: Place,
    membranes: Vec<Membrane>,
    inputs: InputMap,
    /// The rows that were needed so far.
    rows: Table<SynapseRowOnHicann, Option<Row>>,
    plasticity: Option<Plasticity>,
    resources: Vec<Resource>,
    resource_places: BTreeMap<(SynapseDriverOnHicann, L1Address), u32>,
}

/// A synapse as an event finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Its leg, in the order of legs: cluster, cycles, and the chip if that has to know.
    pub(super) leg: (u16, u16, Option<Knows>),
    /// Of the cluster, or the number of a plastic synapse of the chip. None if nobody looks at the
    /// membrane, or the input is off.
    pub(super) slot: Option<u32>,
    /// In the unit of the slot.
    pub(super) increment: f64,
}

/// The place of a chip in its part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) cluster: u16,
    pub(super) chip: u16,
    /// In the cluster.
    pub(super) first_membrane: usize,
}

impl<'a> ChipBuilder<'a> {
    pub(super) fn new(
        hicann: HicannOnWafer,
        config: &'a HicannConfig,
        driven: &Table<NeuronOnHicann, [bool; 2]>,
        probed: impl Fn(NeuronOnHicann) -> bool,
        silicon: Silicon<'a>,
        step: DncCycles,
    ) -> Self {
        let (membranes, inputs) = membranes(config, driven, probed, &silicon);
        let controllers = controllers(config);
        let plasticity = Some(controllers).filter(|c| !c.is_empty());
        let plasticity = plasticity.map(|c| Plasticity::new(c, membranes.len()));
        Self {
            hicann,
            config,
            silicon,
            step,
            membranes,
            inputs,
            place: Place::default(),
            rows: Table::default(),
            plasticity,
            resources: Vec::new(),
            resource_places: BTreeMap::new(),
        }
    }

    /// How much work a step of the chip is, roughly in inputs.
    pub(super) fn work(&self) -> usize {
        self.membranes.iter().map(|m| m.inputs.len() + 8).sum()
    }

    /// Its membranes.
    pub(super) fn membranes(&self) -> &[Membrane] {
        &self.membranes
    }

    /// Adds the synapses of one source on this chip.
    pub(super) fn arrivals(
        &mut self,
        synapses: &[FunctionalSynapse],
        cells: &Cells,
        reached: &mut Vec<Arrival>,
    ) {
        let Place { cluster, chip, first_membrane } = self.place;
        for s in synapses {
            let resource = self.resource(s);
            let mut reached = |taps: bool, slot, increment| {
                let knows = Knows { chip, taps, resource };
                let knows = (taps || resource.is_some()).then_some(knows);
                reached.push(Arrival { leg: (cluster, s.delay.0 as u16, knows), slot, increment });
            };
            let Some(place) = self.inputs[s.target.local][s.input.index()] else {
                reached(false, None, 0.0);
                continue;
            };
            let (slot, unit) = cells.slot(first_membrane + place.membrane, place.input);
            let capacitance_f = self.membranes[place.membrane].capacitance_f;
            let scale = place.factor / capacitance_f * self.step.hardware_s() * f64::from(unit);
            if let Some(tap) = self.tap(s, place.membrane, slot, scale) {
                // the event brings its factor, the weight is looked up when it comes
                reached(true, Some(tap), 1.0);
            } else {
                let increment = self.conductance_s(s, s.weight) * scale;
                reached(false, Some(slot), increment);
            }
        }
    }

    /// The number of a plastic synapse; none if its weight does not change.
    fn tap(
        &mut self,
        s: &FunctionalSynapse,
        membrane: usize,
        slot: u32,
        scale: f64,
    ) -> Option<u32> {
        let mut plasticity = self.plasticity.take()?;
        let place = s.synapse.local;
        let tap = plasticity.covers(place.row()).then(|| {
            let increments = std::array::from_fn(|w| {
                let weight = SynapseWeight::from_index(w).unwrap_or_default();
                let silent = weight == SynapseWeight::default() && !self.silicon.weight_offset();
                if silent { 0.0 } else { (self.conductance_s(s, weight) * scale) as f32 }
            });
            let block = place.neuron().shared_fg_block();
            let law = law::correlation(&self.config.floating_gates, block);
            plasticity.add((place, s.weight), law, membrane, slot, increments)
        });
        self.plasticity = Some(plasticity);
        tap
    }

    /// The resource behind an address of a driver, if it has short-term plasticity.
    fn resource(&mut self, s: &FunctionalSynapse) -> Option<u32> {
        let driver = s.synapse.local.row().driver();
        let settings = &self.config.synapses.drivers[driver];
        if !settings.stp_enable {
            return None;
        }
        let (law, factor) = self.silicon.short_term_plasticity(driver)?;
        let next = self.resources.len() as u32;
        let place = (driver, s.source.address);
        let resource = *self.resource_places.entry(place).or_insert(next);
        if resource == next {
            let utilisation = factor * stp_utilisation(settings.stp_capacitor);
            self.resources.push(Resource::new(settings.stp_mode, utilisation, law));
        }
        Some(resource)
    }

    /// The currents of the floating-gate blocks into membranes. Circuits that are connected to the
    /// same block share its current.
    fn injections(&self) -> Vec<Injection> {
        let mut all = Vec::new();
        for (block, stimulus) in self.config.current_stimuli.iter() {
            if stimulus.samples.values().iter().all(|code| code.index() == 0) {
                continue;
            }
            let listens = |n: &NeuronOnHicann| {
                self.config.neurons.circuits[*n].enable_current_input
                    && n.shared_fg_block() == block
            };
            let listening: Vec<NeuronOnHicann> = NeuronOnHicann::all().filter(listens).collect();
            let share = 1.0 / listening.len().max(1) as f64;
            for neuron in listening {
                let found = self.membranes.iter().position(|m| m.circuits.contains(&neuron));
                all.extend(found.map(|i| {
                    let capacitance_f = self.membranes[i].capacitance_f;
                    Injection::new(stimulus, i as u32, share, capacitance_f, self.step)
                }));
            }
        }
        all
    }

    /// Conductance that one event adds (analog §1.7).
    fn conductance_s(&mut self, s: &FunctionalSynapse, weight: SynapseWeight) -> f64 {
        let row = s.synapse.local.row();
        let made = self.rows[row].get_or_insert_with(|| {
            let settings = self.config.synapses.row(row);
            let block = row.driver().quadrant().fg_block();
            let v_gmax = self.silicon.v_gmax(block, settings.gmax_select);
            let levels_s = std::array::from_fn(|w| {
                let weight = SynapseWeight::from_index(w).unwrap_or_default();
                law::synapse_s(weight, v_gmax, settings.gmax_divisor)
            });
            Row { levels_s, factors: self.silicon.synapse_factors(row) }
        });
        let level_s = made.levels_s[weight.index()];
        made.factors.as_ref().map_or(level_s, |f| level_s * f[s.synapse.local.column().index()])
    }

    /// Adds what the comparators send, directly or through a tree.
    pub(super) fn finish(
        self,
        buses: &[Bus],
        sources: &BTreeMap<BusAddress, SourceId>,
        tree: Option<Tree>,
    ) -> Chip {
        let mut outputs = Outputs::default();
        for m in &self.membranes {
            for comparator in m.comparators.iter().filter(|c| sends(self.config, c.neuron)) {
                let neuron = comparator.neuron;
                let address = self.config.neurons.circuits[neuron].address;
                let on = || buses.iter().filter(|b| b.neurons.contains(&neuron));
                let listened = on().filter_map(|bus| sources.get(&bus.at(address)).copied());
                let link = self.hicann.link();
                let recorded = on().filter(|b| b.recorded).map(|bus| PulseLabel {
                    link,
                    gbit_link: bus.merger.gbit_link(),
                    address,
                });
                let threshold = (comparator.v_t_v - m.e_leak_v) as f32;
                outputs.add((neuron, address), threshold, listened, recorded);
            }
            outputs.end_membrane();
        }
        let injections = self.injections();
        let first = self.place.first_membrane;
        let membranes = first..first + self.membranes.len();
        let circuits = self.membranes.into_iter().map(|m| m.circuits).collect();
        let mut chip = Chip::new(self.hicann, membranes, circuits, outputs);
        let mut places: Vec<_> = self.resource_places.iter().map(|(&p, &i)| (i, p)).collect();
        places.sort_unstable_by_key(|&(i, _)| i);
        chip.resource_places = places.into_iter().map(|(_, place)| place).collect();
        (chip.resources, chip.injections, chip.tree) = (self.resources, injections, tree);
        chip.plasticity = self.plasticity;
        for bus in buses {
            let source = |address| sources.get(&bus.at(address)).copied();
            chip.buses.sources[bus.merger] = Table::from_fn(source);
            chip.buses.recorded[bus.merger] = bus.recorded;
        }
        chip
    }
}
