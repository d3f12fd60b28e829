//! Settings that no claim speaks of keep the value they have after reset, so that no bit of a chip
//! in use is beyond doubt: crosstalk capacitors, memory timing, analog outputs, unused cells.

use hal::config::{
    BackgroundGenerator, FloatingGates, HicannConfig, MergerTree, Neuron, NeuronParameter,
    RepeaterMode, RowConfig, SharedParameter, StpMode, SynapseArrays, SynapseDriver,
};
use hal::coord::{
    Coordinate, FgBlockOnHicann, HicannOnWafer, L1Address, NeuronOnHicann, QuadrantOnHicann,
    RowOnSynapseDriver, SynapseArrayOnHicann, SynapseRowOnHicann, Table,
};
use hal::value::GmaxSelect;

use super::{Case, Faults, Rule, per_chip};
use crate::mapping::{LogicalNeuron, SynapseFate};

/// What of a chip the claim does speak of.
#[derive(Clone, Default)]
struct InUse {
    circuits: Table<NeuronOnHicann, bool>,
    rows: Table<SynapseRowOnHicann, bool>,
    /// By block, whether drivers depress and whether they facilitate.
    plastic: Table<FgBlockOnHicann, [bool; 2]>,
    /// Arrays whose controller updates weights.
    updated: Table<SynapseArrayOnHicann, bool>,
    inputs: bool,
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut used: Table<HicannOnWafer, InUse> = Table::default();
    for neuron in case.mapping.placement.neurons.iter().flatten() {
        if super::neurons::is_in_one_block(*neuron) {
            for circuit in LogicalNeuron::circuits(*neuron) {
                used[neuron.hicann].circuits[circuit] = true;
            }
        }
    }
    for (pairs, fates) in case.mapping.pairs.iter().zip(&case.mapping.synapses) {
        for fate in fates {
            if let SynapseFate::Realised { synapse, .. } = fate {
                let row = synapse.local.row();
                used[synapse.hicann].rows[row] = true;
                used[synapse.hicann].updated[row.array()] |= pairs.is_some();
            }
        }
    }
    for chain in &case.mapping.chains {
        for (driver, plasticity) in chain.members.iter().zip(&chain.plasticity) {
            let plastic = &mut used[chain.hicann].plastic[driver.quadrant().fg_block()];
            plastic[0] |= plasticity.is_some_and(|p| p.mode == StpMode::Depression);
            plastic[1] |= plasticity.is_some_and(|p| p.mode == StpMode::Facilitation);
        }
    }
    let placement = &case.mapping.placement;
    for (neuron, address) in placement.neurons.iter().zip(&placement.addresses) {
        if let (None, Some(address)) = (neuron, address) {
            used[address.bus.hicann].inputs = true;
        }
    }
    let default = HicannConfig::default();
    per_chip(case, faults, |hicann, chip, faults| {
        let rest = without_claimed(chip, &used[hicann], &default);
        if rest == default {
            return;
        }
        let mut differ: Vec<String> = Vec::new();
        let (r, d) = (&rest, &default);
        differing(&r.neurons.circuits, &d.neurons.circuits, &mut differ);
        differing(&r.analog.source, &d.analog.source, &mut differ);
        differing(&r.synapses.drivers, &d.synapses.drivers, &mut differ);
        differing(&r.synapse_controllers, &d.synapse_controllers, &mut differ);
        differing(&r.repeaters.horizontal, &d.repeaters.horizontal, &mut differ);
        differing(&r.repeaters.vertical, &d.repeaters.vertical, &mut differ);
        differing(&r.repeater_blocks, &d.repeater_blocks, &mut differ);
        differing(&r.mergers.background, &d.mergers.background, &mut differ);
        let gates = d.floating_gates.blocks.values();
        for ((block, found), default) in r.floating_gates.blocks.iter().zip(gates) {
            let first = differ.len();
            differing(&found.cells, &default.cells, &mut differ);
            differ[first..].iter_mut().for_each(|cell| *cell = format!("{block}.{cell}"));
        }
        if differ.is_empty() {
            differ.push("a setting of links, mergers or circuits".to_owned());
        }
        for place in differ {
            faults.add(Rule::Rest, format!("{hicann}: {place} does not have its default"));
        }
    });
}

/// Appends the places whose values differ.
fn differing<C: Coordinate, T: PartialEq>(
    found: &Table<C, T>,
    default: &Table<C, T>,
    places: &mut Vec<String>,
) {
    let both = found.iter().zip(default.values());
    places.extend(both.filter(|((_, a), b)| a != b).map(|((place, _), _)| place.to_string()));
}

/// The chip with everything that other rules check set back to its default.
fn without_claimed(chip: &HicannConfig, used: &InUse, default: &HicannConfig) -> HicannConfig {
    let mut rest = HicannConfig {
        crossbar: default.crossbar.clone(),
        synapse_switches: default.synapse_switches.clone(),
        synapses: SynapseArrays {
            weights: default.synapses.weights.clone(),
            decoders: default.synapses.decoders.clone(),
            ..chip.synapses.clone()
        },
        mergers: MergerTree {
            tree: default.mergers.tree.clone(),
            dnc: default.mergers.dnc.clone(),
            ..chip.mergers.clone()
        },
        ..chip.clone()
    };
    let idle = Neuron::default();
    for circuit in rest.neurons.circuits.values_mut() {
        let sends = circuit.enable_spl1_output;
        circuit.address = if sends { L1Address::BACKGROUND } else { circuit.address };
        circuit.activate_firing = idle.activate_firing;
        circuit.enable_spl1_output = idle.enable_spl1_output;
        circuit.enable_fire_input = idle.enable_fire_input;
    }
    rest.neurons.quads = default.neurons.quads.clone();
    rest.neurons.halves = default.neurons.halves;
    for (driver, settings) in default.synapses.drivers.iter() {
        let found = &mut rest.synapses.drivers[driver];
        *found = SynapseDriver { rows: found.rows, ..*settings };
        for row in RowOnSynapseDriver::all().filter(|&row| used.rows[driver.row(row)]) {
            found.rows[row.index()] = RowConfig::default();
        }
    }
    for (array, settings) in default.synapse_controllers.iter() {
        let controller = &mut rest.synapse_controllers[array];
        controller.dll_released = [false; 2];
        if used.updated[array] {
            let found = &mut controller.plasticity;
            let default = settings.plasticity;
            (found.evaluation, found.automatic) = (default.evaluation, default.automatic);
            found.lookup.causal = default.lookup.causal;
            found.lookup.acausal = default.lookup.acausal;
        }
    }
    rest.repeaters.horizontal.values_mut().iter_mut().for_each(|r| r.mode = RepeaterMode::Idle);
    rest.repeaters.vertical.values_mut().iter_mut().for_each(|r| r.mode = RepeaterMode::Idle);
    for (block, settings) in default.repeater_blocks.iter() {
        rest.repeater_blocks[block].dll_released = settings.dll_released;
        rest.repeater_blocks[block].driver_released = settings.driver_released;
    }
    for generator in rest.mergers.background.values_mut().iter_mut().filter(|g| g.enable) {
        *generator = BackgroundGenerator { seed: generator.seed, ..Default::default() };
    }
    rest.gbit_links.direction = default.gbit_links.direction.clone();
    rest.gbit_links.timestamp_enable &= !used.inputs;
    forget_cells(&mut rest.floating_gates, used, &default.floating_gates);
    rest
}

/// Sets the parameters of neurons, and those chosen per chip, back to their default.
fn forget_cells(gates: &mut FloatingGates, used: &InUse, default: &FloatingGates) {
    for (circuit, _) in used.circuits.iter().filter(|(_, used)| **used) {
        for parameter in NeuronParameter::all() {
            gates.set_neuron(circuit, parameter, default.neuron(circuit, parameter));
        }
    }
    for (block, &[depress, facilitate]) in used.plastic.iter() {
        let cells = [
            (SharedParameter::VStdf, depress || facilitate),
            (SharedParameter::VDtc, depress || facilitate),
            (SharedParameter::VFac, facilitate),
        ];
        for (parameter, _) in cells.into_iter().filter(|(_, used)| *used) {
            gates.set_shared(
                block,
                parameter,
                default.shared(block, parameter).unwrap_or_default(),
            );
        }
    }
    for (quadrant, parameter) in QuadrantOnHicann::all()
        .flat_map(|q| [SharedParameter::VThigh, SharedParameter::VM].map(|p| (q, p)))
        .filter(|(q, _)| used.updated[SynapseArrayOnHicann::in_half(q.vertical())])
    {
        let block = quadrant.fg_block();
        gates.set_shared(block, parameter, default.shared(block, parameter).unwrap_or_default());
    }
    let per_chip = GmaxSelect::all().map(SharedParameter::gmax).chain([SharedParameter::VReset]);
    let has_neurons = used.circuits.values().contains(&true);
    for parameter in per_chip.filter(|_| has_neurons) {
        for block in FgBlockOnHicann::all() {
            if let Some(code) = default.shared(block, parameter) {
                gates.set_shared(block, parameter, code);
            }
        }
    }
}
