//! From the results of all stages to the configuration of the chips.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use calib::{BlockPlasticity, CircuitMode, DriverPlasticity, GmaxSetting, PairSettings};
use hal::config::{
    AutomaticUpdate, BackgroundGenerator, GbitDirection, HicannConfig, MergerMode, RepeaterMode,
    WaferConfig,
};
use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, Direction, DncMergerOnHicann, HicannOnWafer, L1Address,
    MergerOnHicann, NeuronOnHicann, QuadrantOnHicann, Side, SynapseArrayOnHicann,
    SynapseDriverOnHicann, SynapseRowOnArray, SynapseSwitchOnHicann, Vertical,
};
use hal::l1::{L1Line, L1Repeater};

use crate::fabric::Split;
use crate::kinds::Settings;
use crate::mapping::{Bus, BusAddress, DriverChain, LogicalNeuron, Route};
use crate::plan::BusKind;
use crate::synapses::UsedRow;

/// PLL clocks between two background events: 1 MHz at 125 MHz, enough to keep the delay-locked
/// loops of the repeaters locked (topology §5.6).
const BACKGROUND_INTERVAL: u16 = 125;

/// Brings the events of neuron blocks, or of an input link, to the DNC merger of a bus of the chip
/// (topology §5.4).
pub(crate) fn merger_tree(config: &mut HicannConfig, kind: BusKind, split: Split, bus: usize) {
    let merger = split.merger(bus);
    let generator = split.generator(bus);
    match kind {
        BusKind::Neurons => {
            let blocks = split.blocks(bus);
            for merger in blocks.clone().flat_map(|block| split.tree(block)) {
                config.mergers.tree[merger].mode = mode(merger, &blocks);
            }
            config.gbit_links.direction[merger.gbit_link()] = GbitDirection::ToDnc;
        }
        BusKind::Inputs { .. } => {
            // one-to-one, and only the generator from the tree
            let beside = split.tree(generator.index()).next().expect("trees have a first level");
            config.mergers.tree[beside].mode = MergerMode::LeftOnly;
            config.gbit_links.direction[merger.gbit_link()] = GbitDirection::ToHicann;
            config.gbit_links.timestamp_enable = true;
        }
    }
    config.mergers.dnc[merger].mode = MergerMode::Merge;
    config.mergers.dnc[merger].slow = true;
    config.mergers.background[generator] = BackgroundGenerator {
        enable: true,
        period: BACKGROUND_INTERVAL - 1,
        address: L1Address::BACKGROUND,
        ..BackgroundGenerator::default()
    };
}

/// Which inputs a merger must pass on for the events of some blocks and nothing else.
fn mode(merger: MergerOnHicann, blocks: &Range<usize>) -> MergerMode {
    let level = merger.level();
    if level == 0 {
        return MergerMode::Merge;
    }
    let half = 1 << (level - 1);
    let first = merger.on_level() << level;
    let holds = |part: Range<usize>| part.start < blocks.end && blocks.start < part.end;
    match (holds(first..first + half), holds(first + half..first + 2 * half)) {
        (true, false) => MergerMode::LeftOnly,
        (false, true) => MergerMode::RightOnly,
        _ => MergerMode::Merge,
    }
}

/// Unused mergers pass nothing on: otherwise the tree would deliver copies (topology §5.2).
fn isolate_mergers(config: &mut HicannConfig, used: impl Fn(DncMergerOnHicann) -> bool) {
    for merger in DncMergerOnHicann::all().filter(|&m| !used(m)) {
        config.mergers.dnc[merger].mode = MergerMode::LeftOnly;
        config.mergers.dnc[merger].slow = false;
    }
}

/// Joins the circuits of a neuron and lets one of them fire (topology §7.2): both rows of every
/// column, neighbours inside quads in both rows, quads by the fire input of the top row, which leads
/// away from the circuit that fires.
pub(crate) fn join(
    config: &mut HicannConfig,
    neuron: LogicalNeuron,
    firing: NeuronOnHicann,
    address: BusAddress,
) {
    let neurons = &mut config.neurons;
    for circuit in neuron.circuits() {
        let circuit = &mut neurons.circuits[circuit];
        (circuit.activate_firing, circuit.enable_spl1_output) = (false, false);
        (circuit.enable_fire_input, circuit.address) = (false, L1Address::BACKGROUND);
    }
    for circuit in neuron.circuits().filter(|c| c.vertical() == Vertical::Top) {
        let column = circuit.column();
        let quad = &mut neurons.quads[circuit.quad()];
        quad.vertical[column % 2] = true;
        if column > neuron.column as usize {
            if column % 2 == 1 {
                quad.horizontal = [true; 2];
            } else if firing.quad() < circuit.quad() {
                neurons.circuits[circuit].enable_fire_input = true;
            } else {
                let facing = NeuronOnHicann::at(circuit.column() as u8 - 1, Vertical::Top);
                neurons.circuits[facing].enable_fire_input = true;
            }
        }
    }
    let firing = &mut neurons.circuits[firing];
    firing.activate_firing = true;
    firing.enable_spl1_output = true;
    firing.address = address.address;
}

/// Closes the switches and sets the repeaters of a route.
pub(crate) fn route(config: &mut WaferConfig, route: &Route) {
    for line in &route.lines {
        let to = line.line;
        match line.parent {
            None => send(config, route, to.hicann),
            Some(parent) => {
                let from = route.lines[parent as usize].line;
                match (from.local, to.local) {
                    (L1Line::H(h), L1Line::V(v)) | (L1Line::V(v), L1Line::H(h)) => {
                        let switch = CrossbarSwitchOnHicann::between(h, v)
                            .expect("routes turn where a switch is");
                        config.hicann_mut(to.hicann).crossbar.set(switch, true);
                    }
                    _ => forward(config, from, to),
                }
            }
        }
    }
}

/// Lets the sending repeater drive its own line, the western neighbour's, or both.
fn send(config: &mut WaferConfig, route: &Route, first: HicannOnWafer) {
    let side = if first == route.bus.hicann { Side::Right } else { Side::Left };
    let repeater = route.bus.merger.sending_repeater().repeater();
    let mode = &mut config.hicann_mut(route.bus.hicann).repeaters.horizontal[repeater].mode;
    *mode = match *mode {
        RepeaterMode::Output(other) if other != side => RepeaterMode::OutputBoth,
        _ => RepeaterMode::Output(side),
    };
}

fn forward(
    config: &mut WaferConfig,
    from: hal::coord::OnWafer<L1Line>,
    to: hal::coord::OnWafer<L1Line>,
) {
    let hop = Direction::ALL
        .into_iter()
        .filter_map(|d| from.hop(d))
        .find(|hop| hop.to == to)
        .expect("routes cross borders along their lane");
    // a chip on the way is in use even if its neighbour holds the repeater
    config.hicann_mut(to.hicann);
    let repeaters = &mut config.hicann_mut(hop.repeater.hicann).repeaters;
    match (hop.repeater.local, hop.direction.side(), hop.direction.vertical()) {
        (L1Repeater::H(r), Some(side), _) => {
            repeaters.horizontal[r].mode = RepeaterMode::Forwarding(side);
        }
        (L1Repeater::V(r), _, Some(vertical)) => {
            repeaters.vertical[r].mode = RepeaterMode::Forwarding(vertical);
        }
        _ => unreachable!("lanes keep their orientation"),
    }
}

/// Closes the synapse switch of a chain and sets its drivers (topology §7.5).
pub(crate) fn chain(config: &mut WaferConfig, chain: &DriverChain) {
    let switch = SynapseSwitchOnHicann::between(chain.vline.local, chain.primary)
        .expect("primaries are chosen among the line's switches");
    config.hicann_mut(chain.vline.hicann).synapse_switches.set(switch, true);
    let drivers = &mut config.hicann_mut(chain.hicann).synapses.drivers;
    for &member in &chain.members {
        let driver = &mut drivers[member];
        driver.enable = true;
        driver.locin = member == chain.primary;
        driver.connect_neighbor = member.outward().is_some_and(|o| chain.members.contains(&o));
    }
}

/// Sets the short-term plasticity of a driver, and the cells of its block that it depends on.
pub(crate) fn plasticity(
    config: &mut HicannConfig,
    driver: SynapseDriverOnHicann,
    settings: Option<Settings>,
) {
    let found = &mut config.synapses.drivers[driver];
    found.stp_enable = settings.is_some();
    let (plasticity, block) = settings.unzip();
    let DriverPlasticity { mode, capacitor } = plasticity.unwrap_or_default();
    found.stp_mode = mode;
    found.stp_capacitor = capacitor;
    for (parameter, code) in block.into_iter().flat_map(BlockPlasticity::cells) {
        config.floating_gates.set_shared(driver.quadrant().fg_block(), parameter, code);
    }
}

/// Lets the controller of an array update the weights of some of its rows, over and over again.
pub(crate) fn pairs(
    config: &mut HicannConfig,
    vertical: Vertical,
    settings: PairSettings,
    [first_row, last_row]: [SynapseRowOnArray; 2],
) {
    let array = SynapseArrayOnHicann::in_half(vertical);
    let plasticity = &mut config.synapse_controllers[array].plasticity;
    plasticity.evaluation = PairSettings::evaluation();
    plasticity.lookup = settings.lookup();
    plasticity.automatic = Some(AutomaticUpdate { first_row, last_row, continuous: true });
    for side in Side::ALL {
        let block = QuadrantOnHicann::at(side, vertical).fg_block();
        for (parameter, code) in settings.cells() {
            config.floating_gates.set_shared(block, parameter, code);
        }
    }
}

/// Sets the receptor, the decoders and the strength of a row.
pub(crate) fn row(config: &mut HicannConfig, used: UsedRow, setting: GmaxSetting) {
    let row = config.synapses.row_mut(used.row);
    row.synaptic_input = [false; 2];
    row.synaptic_input[used.row_use.receptor.index()] = true;
    row.decoder = used.row_use.decoder;
    row.gmax_select = setting.select;
    row.gmax_divisor = setting.divisor;
}

/// What every chip in use needs besides its routes and neurons: the right analog modes, closed
/// mergers, and receivers that lock (topology §8.4).
pub(crate) fn finish(
    config: &mut WaferConfig,
    modes: &BTreeMap<HicannOnWafer, CircuitMode>,
    buses: &BTreeSet<Bus>,
) {
    for (&hicann, chip) in &mut config.hicanns {
        isolate_mergers(chip, |merger| buses.contains(&Bus { hicann, merger }));
        chip.neurons.halves = [modes.get(&hicann).copied().unwrap_or_default().half(); 2];
        for block in chip.repeater_blocks.values_mut() {
            block.dll_released = true;
        }
        for controller in chip.synapse_controllers.values_mut() {
            controller.dll_released = [true; 2];
        }
    }
}
