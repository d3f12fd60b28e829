//! Settings that no claim speaks of keep the value they have after reset, so that no bit of a chip
//! in use is beyond doubt: crosstalk capacitors, memory timing, analog outputs, unused cells.

use hal::config::{
    BackgroundGenerator, FgCellOnBlock, FloatingGates, HicannConfig, Neuron, RowConfig,
    SharedParameter, SynapseController, SynapseDriver,
};
use hal::coord::{
    Coordinate, FgColumnOnBlock, FgRowOnBlock, HicannOnWafer, L1Address, NeuronOnHicann,
    SynapseRowOnHicann, Table,
};
use hal::value::{GmaxSelect, RepeaterCapacitor};

use super::{Case, Faults, Rule, per_chip};
use crate::mapping::{LogicalNeuron, SynapseFate};

/// What of a chip the claim does speak of.
#[derive(Clone, Default)]
struct InUse {
    circuits: Table<NeuronOnHicann, bool>,
    rows: Table<SynapseRowOnHicann, bool>,
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
    for fate in case.mapping.synapses.iter().flatten() {
        if let SynapseFate::Realised { synapse, .. } = fate {
            used[synapse.hicann].rows[synapse.local.row()] = true;
        }
    }
    let placement = &case.mapping.placement;
    for (neuron, address) in placement.neurons.iter().zip(&placement.addresses) {
        if let (None, Some(address)) = (neuron, address) {
            used[address.bus.hicann].inputs = true;
        }
    }
    let gates = FloatingGates::default();
    per_chip(case, faults, |hicann, chip, faults| {
        let mut demand = |good: bool, what: &dyn Fn() -> String| {
            faults.demand(Rule::Rest, good, || format!("{hicann}: {} is not its default", what()));
        };
        let used = &used[hicann];
        check_neurons(chip, &mut demand);
        check_events(chip, used, &mut demand);
        check_synapses(chip, used, &mut demand);
        check_cells(chip, used, &gates, &mut demand);
    });
}

type Demand<'a> = &'a mut dyn FnMut(bool, &dyn Fn() -> String);

fn check_neurons(chip: &HicannConfig, demand: Demand<'_>) {
    for (circuit, settings) in chip.neurons.circuits.iter() {
        // firing, sending and joining are checked with the neurons
        let Neuron { address, enable_aout, enable_current_input, .. } = *settings;
        let sends = settings.enable_spl1_output;
        demand(sends || address == L1Address::BACKGROUND, &|| format!("address of {circuit}"));
        demand(!enable_aout, &|| format!("analog output of {circuit}"));
        demand(!enable_current_input, &|| format!("current input of {circuit}"));
    }
    for (output, source) in chip.analog.source.iter() {
        demand(source.is_none(), &|| format!("analog output {output}"));
    }
}

fn check_events(chip: &HicannConfig, used: &InUse, demand: Demand<'_>) {
    let zero = RepeaterCapacitor::default();
    for (repeater, settings) in chip.repeaters.horizontal.iter() {
        demand([settings.ren, settings.len] == [zero; 2], &|| format!("capacitor of {repeater}"));
    }
    for (repeater, settings) in chip.repeaters.vertical.iter() {
        demand([settings.ren, settings.len] == [zero; 2], &|| format!("capacitor of {repeater}"));
    }
    for (block, settings) in chip.repeater_blocks.iter() {
        demand(settings.filter_capacitor == zero, &|| format!("capacitor of {block}"));
    }
    let idle = BackgroundGenerator::default();
    for (generator, settings) in chip.mergers.background.iter() {
        // a running generator is checked with the mergers, but for its seed
        let found = if settings.enable {
            BackgroundGenerator { seed: settings.seed, ..idle }
        } else {
            *settings
        };
        demand(found == idle, &|| format!("{generator}"));
    }
    let stamps = chip.gbit_links.timestamp_enable;
    demand(used.inputs || !stamps, &|| "release of inputs at time stamps".to_owned());
}

fn check_synapses(chip: &HicannConfig, used: &InUse, demand: Demand<'_>) {
    let default = SynapseDriver::default();
    for (driver, settings) in chip.synapses.drivers.iter() {
        // enable, locin, connect and stp_enable are checked with the drivers
        let stp = (settings.stp_mode, settings.stp_capacitor);
        demand(stp == (default.stp_mode, default.stp_capacitor), &|| format!("STP of {driver}"));
    }
    for row in SynapseRowOnHicann::all() {
        let good = used.rows[row] || *chip.synapses.row(row) == RowConfig::default();
        demand(good, &|| format!("setting of the unused {row}"));
    }
    for (array, settings) in chip.synapse_controllers.iter() {
        let timing = SynapseController {
            dll_released: settings.dll_released,
            ..SynapseController::default()
        };
        demand(*settings == timing, &|| format!("timing of the controller of {array}"));
    }
}

fn check_cells(chip: &HicannConfig, used: &InUse, default: &FloatingGates, demand: Demand<'_>) {
    let has_neurons = used.circuits.values().contains(&true);
    for (block, found) in chip.floating_gates.blocks.iter() {
        // cells that the claim implies are checked with the analog parameters
        let set_per_chip: Vec<FgRowOnBlock> = GmaxSelect::all()
            .map(SharedParameter::gmax)
            .chain([SharedParameter::VReset])
            .filter_map(|parameter| parameter.row(block.side()))
            .filter(|_| has_neurons)
            .collect();
        for column in FgColumnOnBlock::all() {
            let circuit = column.neuron(block);
            if circuit.is_some_and(|circuit| used.circuits[circuit]) {
                continue;
            }
            for row in FgRowOnBlock::all() {
                let cell = FgCellOnBlock::at(row, column);
                let same = found.cells[cell] == default.blocks[block].cells[cell];
                let claimed = circuit.is_none() && set_per_chip.contains(&row);
                demand(claimed || same, &|| format!("cell {row}.{column} of {block}"));
            }
        }
    }
}
