//! What is in use works (the defect parts of V03, V06, V08, V09, V19, V21, V22 and V27).
//!
//! Only the circuits of neurons and the entries of inputs are taken from the claim. Everything else
//! is what the bits switch on, claimed or not: a closed switch, a repeater that is not idle, a line
//! that carries a bus, a merger that events pass, a driver, a synapse with a weight.

use hal::config::{GbitDirection, HicannConfig, RepeaterMode, WaferConfig};
use hal::coord::{
    Coordinate, HicannOnWafer, MergerInput, MergerOnHicann, NeuronOnHicann, RowOnSynapseDriver,
    SynapticInputOnHicann, SynapticInputOnNeuron, Table,
};
use hal::defects::{Component, ComponentOnHicann, Defects, HicannDefects};
use hal::value::SynapseWeight;
use rayon::prelude::*;

use super::flood::{Carried, flood};
use super::{Case, Faults, Rule, Violation};

pub(super) fn check(case: &Case<'_>, carried: &Carried, faults: &mut Faults) {
    check_placement(case, faults);
    faults.0.extend(parts_in_use(case.config, carried, &case.rules.defects));
}

/// What the words of a wafer use although it is defective, whatever they are meant to realise.
pub fn defective_parts(config: &WaferConfig, defects: &Defects) -> Vec<Violation> {
    let reset = HicannConfig::default();
    let chips = Table::from_fn(|h: HicannOnWafer| config.hicanns.get(&h).unwrap_or(&reset));
    parts_in_use(config, &flood(&chips), defects)
}

fn parts_in_use(config: &WaferConfig, carried: &Carried, defects: &Defects) -> Vec<Violation> {
    let mut lines = Faults::default();
    for arrival in carried.all() {
        let line = arrival.line;
        lines.demand(Rule::V19, defects.is_usable(line), || {
            format!("{line} carries {}, but is defective", arrival.bus)
        });
    }
    let chips: Vec<_> = config.hicanns.iter().collect();
    let on_chips = chips.into_par_iter().flat_map_iter(|(&hicann, chip)| {
        let mut parts = Parts { defects, hicann, faults: Faults::default() };
        if defects.is_usable(Component::Hicann(hicann)) {
            parts.mergers(chip);
            parts.wiring(chip);
            parts.synapses(chip);
        } else {
            // so is everything on it: once is enough
            parts.faults.add(Rule::V19, format!("{hicann} has words, but is defective"));
        }
        parts.faults.0
    });
    let mut violations = lines.0;
    violations.extend(on_chips.collect::<Vec<_>>());
    violations
}

/// Circuits and chips that the claim gives to neurons and inputs.
fn check_placement(case: &Case<'_>, faults: &mut Faults) {
    let (defects, excluded) = (&case.rules.defects, &case.rules.excluded);
    let placement = &case.mapping.placement;
    for (member, neuron) in placement.neurons.iter().enumerate() {
        let Some(neuron) = *neuron else { continue };
        let hicann = neuron.hicann;
        faults.demand(Rule::V03, !excluded.contains(&hicann), || {
            format!("{} lies on {hicann}, which is excluded", case.name(member))
        });
        if !defects.is_usable(Component::Hicann(hicann)) {
            let name = case.name(member);
            faults.add(Rule::V03, format!("{name} lies on {hicann}, which is defective"));
            continue;
        }
        let circuits = super::neurons::is_in_one_block(neuron).then(|| neuron.circuits());
        for circuit in circuits.into_iter().flatten() {
            faults.demand(Rule::V03, defects.is_usable(circuit.on(hicann)), || {
                format!("{hicann}.{circuit} of {} is defective", case.name(member))
            });
        }
    }
    for (member, (neuron, address)) in
        placement.neurons.iter().zip(&placement.addresses).enumerate()
    {
        if let (None, Some(address)) = (neuron, address) {
            let hicann = address.bus.hicann;
            faults.demand(Rule::V06, !excluded.contains(&hicann), || {
                format!("{} enters at {hicann}, which is excluded", case.name(member))
            });
        }
    }
}

/// The parts of one chip that are in use.
struct Parts<'a> {
    defects: &'a Defects,
    hicann: HicannOnWafer,
    faults: Faults,
}

impl Parts<'_> {
    /// Demands that a part works.
    fn demand(&mut self, rule: Rule, part: impl Into<ComponentOnHicann>) {
        let part = part.into();
        let usable = self.defects.is_usable(Component::OnHicann(self.hicann, part));
        self.faults
            .demand(rule, usable, || format!("{}.{part} is in use, but defective", self.hicann));
    }

    /// Generators that run, links that bring events, and every merger between them or a neuron
    /// that sends and a DNC merger.
    fn mergers(&mut self, chip: &HicannConfig) {
        for (generator, settings) in chip.mergers.background.iter() {
            if settings.enable {
                self.demand(Rule::V08, generator);
            }
        }
        let sounds = sounding(chip);
        let mut passed: Table<MergerOnHicann, bool> = Table::default();
        for (dnc, settings) in chip.mergers.dnc.iter() {
            let linked = chip.gbit_links.direction[dnc.gbit_link()] == GbitDirection::ToHicann
                && settings.mode.passes(0);
            let fed = settings.mode.passes(1) && sounds[dnc.tree_input()];
            passed[dnc.tree_input()] |= fed;
            if linked {
                self.demand(Rule::V09, dnc.gbit_link());
            }
            if linked || fed {
                self.demand(Rule::V06, dnc);
            }
        }
        // inputs have smaller numbers than the mergers behind them
        let mut downwards: Vec<MergerOnHicann> = MergerOnHicann::all().collect();
        downwards.reverse();
        for merger in downwards.into_iter().filter(|&m| sounds[m]) {
            if !passed[merger] {
                continue;
            }
            self.demand(Rule::V06, merger);
            let mode = chip.mergers.tree[merger].mode;
            for (i, input) in merger.inputs().into_iter().enumerate() {
                if let MergerInput::Merger(input) = input {
                    passed[input] |= mode.passes(i) && sounds[input];
                }
            }
        }
    }

    /// Repeaters, crossbar switches, synapse switches and drivers.
    fn wiring(&mut self, chip: &HicannConfig) {
        for (repeater, settings) in chip.repeaters.horizontal.iter() {
            if settings.mode != RepeaterMode::Idle {
                self.demand(Rule::V19, repeater);
            }
        }
        for (repeater, settings) in chip.repeaters.vertical.iter() {
            if settings.mode != RepeaterMode::Idle {
                self.demand(Rule::V19, repeater);
            }
        }
        for switch in chip.crossbar.closed() {
            self.demand(Rule::V19, switch);
        }
        for switch in chip.synapse_switches.closed() {
            self.demand(Rule::V21, switch);
        }
        for (driver, settings) in chip.synapses.drivers.iter() {
            if settings.enable {
                self.demand(Rule::V22, driver);
                for row in RowOnSynapseDriver::all() {
                    self.demand(Rule::V22, driver.row(row));
                }
            }
        }
    }

    /// Synapses with a weight, and the inputs of circuits that they act on.
    fn synapses(&mut self, chip: &HicannConfig) {
        if self.defects.record(self.hicann).is_none_or(HicannDefects::is_empty) {
            return;
        }
        for (synapse, &weight) in chip.synapses.weights.iter() {
            if weight == SynapseWeight::default() {
                continue;
            }
            self.demand(Rule::V27, synapse);
            let connected = chip.synapses.row(synapse.row()).synaptic_input;
            for input in SynapticInputOnNeuron::all().filter(|i| connected[i.index()]) {
                self.demand(Rule::V27, SynapticInputOnHicann::of(synapse.neuron(), input));
            }
        }
    }
}

/// Mergers of the tree through which events pass: of generators that run and neurons that send.
fn sounding(chip: &HicannConfig) -> Table<MergerOnHicann, bool> {
    let mut sounds: Table<MergerOnHicann, bool> = Table::default();
    for merger in MergerOnHicann::all() {
        let mode = chip.mergers.tree[merger].mode;
        let inputs = merger.inputs();
        sounds[merger] = inputs.into_iter().enumerate().any(|(i, input)| {
            mode.passes(i)
                && match input {
                    MergerInput::Background(g) => chip.mergers.background[g].enable,
                    MergerInput::NeuronBlock(block) => NeuronOnHicann::all()
                        .filter(|n| n.block() == block)
                        .any(|n| chip.neurons.circuits[n].enable_spl1_output),
                    MergerInput::Merger(m) => sounds[m],
                }
        });
    }
    sounds
}
