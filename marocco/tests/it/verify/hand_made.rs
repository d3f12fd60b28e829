//! A mapping by hand: two neurons on H93 and a source on H94.
//!
//! The neurons (size 4, columns 0..=3) send on H93.dnc0: line 62, switch to line 0, driver 17 with
//! 15 chained to it; the line goes on to H94. The source sends on H94.dnc7, to the left into line 4
//! of H93, switch to line 29, driver 31. Neuron 0 excites neuron 1, the source inhibits neuron 0,
//! and one synapse is lost.

use std::collections::BTreeMap;

use calib::{CellParameters, CircuitMode, Scaling, WaferCalibration};
use hal::codec::encode_wafer;
use hal::config::{
    BackgroundGenerator, GbitDirection, HicannConfig, MergerMode, NeuronParameter, RepeaterMode,
    SharedParameter, WaferConfig,
};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, CrossbarSwitchOnHicann, DncMergerOnHicann,
    FgBlockOnHicann, GbitLinkOnHicann, HLineOnHicann, HRepeaterOnHicann, HicannOnWafer, L1Address,
    MergerOnHicann, NeuronOnHicann, QuadOnHicann, Side, SynapseColumnOnHicann,
    SynapseDriverOnHicann, SynapseOnHicann, SynapseRowOnHicann, SynapseSwitchOnHicann,
    VLineOnHicann, Vertical,
};
use hal::l1::L1Line;
use hal::law;
use hal::value::{DacCode, GmaxDivisor, GmaxSelect, SynapseWeight};
use marocco::Mapping;
use marocco::mapping::{
    Bus, BusAddress, DriverChain, LogicalNeuron, LossCause, Placement, RealisedParameters, Route,
    RouteLine, StageTimes, SynapseFate,
};
use marocco::network::{
    Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
};
use marocco::verify::{Rules, Verification, verify};

use crate::networks::{cell, sources};

pub(super) const NEURON_BUS: Bus =
    Bus { hicann: HicannOnWafer::new::<93>(), merger: DncMergerOnHicann::new::<0>() };
pub(super) const INPUT_BUS: Bus =
    Bus { hicann: HicannOnWafer::new::<94>(), merger: DncMergerOnHicann::new::<7>() };

/// Network, claim and bits, free to be broken.
pub(super) struct HandMade {
    pub(super) network: Network,
    pub(super) mapping: Mapping,
    pub(super) config: WaferConfig,
    pub(super) rules: Rules,
}

impl HandMade {
    pub(super) fn new() -> Self {
        let network = network(PerMember::Uniform(cell()), 10.0);
        let (mapping, config) = (mapping(), config());
        let mut made = Self { network, mapping, config, rules: Rules::default() };
        made.set_cells();
        made.set_weights();
        made
    }

    /// Through words, as everybody else does it.
    pub(super) fn verify(&self) -> Verification {
        let words = encode_wafer(&self.config).unwrap();
        verify(&self.network, &self.mapping, &words, &self.rules).unwrap()
    }

    pub(super) fn chip(&mut self, number: usize) -> &mut HicannConfig {
        self.config.hicann_mut(HicannOnWafer::try_from(number).unwrap())
    }

    fn set_cells(&mut self) {
        let calibration = WaferCalibration::ideal();
        let calibration = calibration.hicann(NEURON_BUS.hicann);
        let mode = self.mapping.mode(NEURON_BUS.hicann);
        let (scaling, cell) = (self.mapping.scaling, cell());
        let gates = &mut self.config.hicann_mut(NEURON_BUS.hicann).floating_gates;
        let first = FgBlockOnHicann::new::<0>();
        let (v_reset, _) =
            calib::translate_v_reset(cell.v_reset(), &scaling, &calibration.blocks[first]).unwrap();
        for block in FgBlockOnHicann::all() {
            gates.set_shared(block, SharedParameter::VReset, v_reset);
        }
        for neuron in self.mapping.placement.neurons.iter().flatten() {
            for circuit in neuron.circuits() {
                let done =
                    calib::translate_cell(&cell, &scaling, mode, &calibration.neurons[circuit])
                        .unwrap();
                for parameter in NeuronParameter::all() {
                    gates.set_neuron(circuit, parameter, done.codes[parameter.index()]);
                }
                let realised = calib::realised_cell(
                    &cell,
                    &done.codes,
                    v_reset,
                    mode,
                    &scaling,
                    &calibration.neurons[circuit],
                    &calibration.blocks[first],
                )
                .unwrap();
                self.mapping.parameters.cells[..2].fill(Some(realised));
            }
        }
    }

    fn set_weights(&mut self) {
        let code = DacCode::new::<205>();
        let gates = &mut self.config.hicann_mut(NEURON_BUS.hicann).floating_gates;
        for block in FgBlockOnHicann::all() {
            gates.set_shared(block, SharedParameter::gmax(GmaxSelect::new::<0>()), code);
        }
        for (p, fates) in self.mapping.synapses.iter().enumerate() {
            for (i, fate) in fates.iter().enumerate() {
                let SynapseFate::Realised { weight, .. } = *fate else { continue };
                let siemens = law::synapse_s(weight, code, [GmaxDivisor::new::<1>(); 2]);
                let mode = self.mapping.mode(NEURON_BUS.hicann);
                let scaling = &self.mapping.scaling;
                let weight_us = calib::weight_us(siemens, cell().cm(), 4, mode, scaling);
                self.mapping.realised_weights_us[p][i] = weight_us as f32;
            }
        }
    }
}

/// Two neurons and a source of this rate.
pub(super) fn network(cells: PerMember<CellParameters>, rate_hz: f64) -> Network {
    let mut network = Network::default();
    let kind = PopulationKind::Neurons(cells);
    let pair = Population { label: "pair".to_owned(), size: 2, kind };
    let pair = network.add_population(pair).unwrap();
    let source = network.add_population(sources("in", 1, rate_hz)).unwrap();
    let synapse = |pre, post| Synapse { pre, post, weight_us: 0.01 };
    for (pre, label, receptor, synapses) in [
        (pair, "rec", Receptor::Excitatory, vec![synapse(0, 1), synapse(1, 0)]),
        (source, "drive", Receptor::Inhibitory, vec![synapse(0, 0)]),
    ] {
        let projection = Projection {
            label: label.to_owned(),
            receptor,
            plasticity: None,
            pairs: None,
            synapses,
        };
        network.add_projection(pre, pair, projection).unwrap();
    }
    network
}

pub(super) fn hline(hicann: HicannOnWafer, line: usize) -> hal::coord::OnWafer<L1Line> {
    L1Line::H(HLineOnHicann::try_from(line).unwrap()).on(hicann)
}

pub(super) fn vline(hicann: HicannOnWafer, line: usize) -> hal::coord::OnWafer<L1Line> {
    L1Line::V(VLineOnHicann::try_from(line).unwrap()).on(hicann)
}

pub(super) fn synapse(row: usize, column: usize) -> SynapseOnHicann {
    let row = SynapseRowOnHicann::try_from(row).unwrap();
    row.synapse(SynapseColumnOnHicann::try_from(column).unwrap())
}

pub(super) fn driver(y: usize) -> SynapseDriverOnHicann {
    SynapseDriverOnHicann::try_from(y).unwrap()
}

fn mapping() -> Mapping {
    let (h93, h94) = (NEURON_BUS.hicann, INPUT_BUS.hicann);
    let neuron = |column| Some(LogicalNeuron { hicann: h93, column, width: 2 });
    let address = |bus, address| Some(BusAddress { bus, address });
    let realised = |row, column, weight| SynapseFate::Realised {
        synapse: synapse(row, column).on(h93),
        weight,
    };
    let line = |line, parent| RouteLine { line, parent };
    let chain = |bus, v: usize, primary, members: &[usize]| DriverChain {
        hicann: h93,
        bus,
        vline: VLineOnHicann::try_from(v).unwrap().on(h93),
        primary: driver(primary),
        members: members.iter().map(|&y| driver(y)).collect(),
        plasticity: vec![None; members.len()],
    };
    let lost = SynapseFate::Lost(LossCause::NoHalfRow);
    Mapping {
        scaling: Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).unwrap(),
        modes: BTreeMap::from([(h93, CircuitMode::default())]),
        placement: Placement {
            neurons: vec![neuron(0), neuron(2), None],
            addresses: vec![
                address(NEURON_BUS, L1Address::new::<40>()),
                address(NEURON_BUS, L1Address::new::<41>()),
                address(INPUT_BUS, L1Address::new::<63>()),
            ],
            firing: BTreeMap::new(),
        },
        routes: vec![
            Route {
                bus: NEURON_BUS,
                lines: vec![
                    line(hline(h93, 62), None),
                    line(vline(h93, 0), Some(0)),
                    line(hline(h94, 0), Some(0)),
                ],
            },
            Route {
                bus: INPUT_BUS,
                lines: vec![line(hline(h93, 4), None), line(vline(h93, 29), Some(0))],
            },
        ],
        chains: vec![chain(NEURON_BUS, 0, 17, &[15, 17]), chain(INPUT_BUS, 29, 31, &[31])],
        synapses: vec![
            vec![realised(34, 2, SynapseWeight::new::<5>()), lost],
            vec![realised(62, 1, SynapseWeight::new::<9>())],
        ],
        realised_weights_us: vec![vec![0.0; 2], vec![0.0]],
        plasticity: vec![None; 2],
        pairs: vec![None; 2],
        clipped_weights: vec![0; 2],
        parameters: RealisedParameters {
            cells: vec![None::<CellParameters>; 3],
            clipped: BTreeMap::new(),
            clips: Vec::new(),
        },
        ideal_l1_loss_fraction: 0.0,
        bound_loss_fraction: 0.0,
        times: StageTimes::default(),
    }
}

/// The bits, written by hand as well: nothing here is derived from the claim.
fn config() -> WaferConfig {
    let mut config = WaferConfig::default();
    for hicann in [NEURON_BUS.hicann, INPUT_BUS.hicann] {
        let chip = config.hicann_mut(hicann);
        chip.repeater_blocks.values_mut().iter_mut().for_each(|b| b.dll_released = true);
        for controller in chip.synapse_controllers.values_mut() {
            controller.dll_released = [true; 2];
        }
        for merger in chip.mergers.dnc.values_mut() {
            merger.mode = MergerMode::LeftOnly;
        }
    }
    write_neuron_chip(config.hicann_mut(NEURON_BUS.hicann));
    write_input_chip(config.hicann_mut(INPUT_BUS.hicann));
    config
}

const LOCKING: BackgroundGenerator = BackgroundGenerator {
    enable: true,
    random: false,
    period: 124,
    seed: 0,
    address: L1Address::BACKGROUND,
};

fn write_neuron_chip(chip: &mut HicannConfig) {
    for (column, quad, address) in [(0, 0_usize, 40_usize), (2, 1, 41)] {
        let circuit = &mut chip.neurons.circuits[NeuronOnHicann::at(column, Vertical::Top)];
        circuit.activate_firing = true;
        circuit.enable_spl1_output = true;
        circuit.address = address.try_into().unwrap();
        let quad = &mut chip.neurons.quads[QuadOnHicann::try_from(quad).unwrap()];
        quad.vertical = [true; 2];
        quad.horizontal = [true; 2];
    }
    chip.mergers.dnc[DncMergerOnHicann::new::<0>()].mode = MergerMode::Merge;
    chip.mergers.background[BackgroundGeneratorOnHicann::new::<0>()] = LOCKING;
    chip.gbit_links.direction[GbitLinkOnHicann::new::<0>()] = GbitDirection::ToDnc;
    chip.repeaters.horizontal[HRepeaterOnHicann::new::<62>()].mode =
        RepeaterMode::Output(Side::Right);
    for (h, v, y) in [(62_usize, 0_usize, 17), (4, 29, 31)] {
        let (h, v) = (HLineOnHicann::try_from(h).unwrap(), VLineOnHicann::try_from(v).unwrap());
        chip.crossbar.set(CrossbarSwitchOnHicann::between(h, v).unwrap(), true);
        let switch = SynapseSwitchOnHicann::between(v, driver(y)).unwrap();
        chip.synapse_switches.set(switch, true);
    }
    for (y, locin, connect) in [(15, false, false), (17, true, true), (31, true, false)] {
        let driver = &mut chip.synapses.drivers[driver(y)];
        (driver.enable, driver.locin, driver.connect_neighbor) = (true, locin, connect);
    }
    // 40 = 2 * 16 + 8 in an even column, 63 = 3 * 16 + 15 in an odd one
    let half_rows: [(usize, usize, usize, usize, usize, usize); 2] =
        [(34, 2, 0, 2, 8, 5), (62, 1, 1, 3, 15, 9)];
    for (row, column, input, upper, lower, weight) in half_rows {
        let place = synapse(row, column);
        let settings = chip.synapses.row_mut(place.row());
        settings.synaptic_input[input] = true;
        settings.decoder[column % 2] = upper.try_into().unwrap();
        chip.synapses.decoders[place] = lower.try_into().unwrap();
        chip.synapses.weights[place] = weight.try_into().unwrap();
    }
}

fn write_input_chip(chip: &mut HicannConfig) {
    chip.mergers.tree[MergerOnHicann::new::<7>()].mode = MergerMode::LeftOnly;
    chip.mergers.dnc[DncMergerOnHicann::new::<7>()].mode = MergerMode::Merge;
    chip.mergers.background[BackgroundGeneratorOnHicann::new::<7>()] = LOCKING;
    chip.gbit_links.direction[GbitLinkOnHicann::new::<7>()] = GbitDirection::ToHicann;
    chip.gbit_links.timestamp_enable = true;
    chip.repeaters.horizontal[HRepeaterOnHicann::new::<6>()].mode =
        RepeaterMode::Output(Side::Left);
    // line 62 of H93 goes on as line 0 through the left repeater of H94
    chip.repeaters.horizontal[HRepeaterOnHicann::new::<0>()].mode =
        RepeaterMode::Forwarding(Side::Right);
}
