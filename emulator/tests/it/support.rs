//! Small wafers: configurations built by hand, and runs through words.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use emulator::{Emulator, Settings};
use hal::codec;
use hal::config::{
    GbitDirection, HicannConfig, NeuronHalf, NeuronParameter as P, RepeaterMode, SharedParameter,
    WaferConfig,
};
use hal::coord::*;
use hal::law::{self, Outside};
use hal::playback;
use hal::trace;
use hal::value::{DacCode, GmaxDivisor, SynapseWeight};
use hal::wafer::{DncCycles, PulseEvent, Pulses, Wafer, WaferError};

/// The chip of most tests, in the middle of the wafer.
pub(crate) const CHIP: HicannOnWafer = HicannOnWafer::new::<200>();

/// The ideal wafer in the finest steps, so that times are seen to the cycle.
pub(crate) fn fine() -> Settings {
    Settings { step: DncCycles(1), ..Settings::default() }
}

pub(crate) fn neuron(index: usize) -> NeuronOnHicann {
    NeuronOnHicann::from_index(index).expect("a circuit")
}

pub(crate) fn address(index: usize) -> L1Address {
    L1Address::from_index(index).expect("an address")
}

pub(crate) fn weight(index: usize) -> SynapseWeight {
    SynapseWeight::from_index(index).expect("a weight")
}

/// A cell in SI units of the hardware.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) tau_m_s: f64,
    pub(crate) e_l_v: f64,
    pub(crate) v_t_v: f64,
    pub(crate) v_reset_v: f64,
    pub(crate) tau_ref_s: f64,
    pub(crate) tau_syn_s: f64,
    pub(crate) e_synx_v: f64,
    pub(crate) e_syni_v: f64,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            tau_m_s: 1e-6,
            e_l_v: 0.7,
            v_t_v: 0.9,
            v_reset_v: 0.5,
            tau_ref_s: 100e-9,
            tau_syn_s: 200e-9,
            e_synx_v: 1.2,
            e_syni_v: 0.4,
        }
    }
}

/// Programs a circuit as a leaky integrator.
pub(crate) fn program(chip: &mut HicannConfig, n: NeuronOnHicann, cell: &Cell) {
    let half = *chip.neurons.half(n);
    for (parameter, value) in [
        (P::IGl, cell.tau_m_s),
        (P::EL, cell.e_l_v),
        (P::VT, cell.v_t_v),
        (P::IPl, cell.tau_ref_s),
        (P::VSyntcx, cell.tau_syn_s),
        (P::VSyntci, cell.tau_syn_s),
        (P::ESynx, cell.e_synx_v),
        (P::ESyni, cell.e_syni_v),
    ] {
        set(chip, n, parameter, code(parameter, half, value));
    }
    for parameter in [P::IGladapt, P::IFire] {
        set(chip, n, parameter, DacCode::default());
    }
    for parameter in [P::IRadapt, P::VExp, P::IRexp, P::IBexp] {
        set(chip, n, parameter, DacCode::MAX);
    }
    let reset = law::nearest_code(cell.v_reset_v / law::FULL_SCALE_V * 1023.0);
    chip.floating_gates.set_shared(n.shared_fg_block(), SharedParameter::VReset, reset);
}

pub(crate) fn code(parameter: P, half: NeuronHalf, value: f64) -> DacCode {
    let transformation = law::neuron_transformation(parameter, &half);
    law::nearest_code(transformation.apply(value, Outside::Clip).expect("a number"))
}

pub(crate) fn set(chip: &mut HicannConfig, n: NeuronOnHicann, parameter: P, code: DacCode) {
    chip.floating_gates.set_neuron(n, parameter, code);
}

/// Makes a circuit fire and send.
pub(crate) fn fire(chip: &mut HicannConfig, n: NeuronOnHicann, sends: L1Address) {
    let circuit = &mut chip.neurons.circuits[n];
    circuit.activate_firing = true;
    circuit.enable_spl1_output = true;
    circuit.address = sends;
}

/// Releases every repeater and driver.
pub(crate) fn release(chip: &mut HicannConfig) {
    for block in chip.repeater_blocks.values_mut() {
        block.dll_released = true;
    }
    for controller in chip.synapse_controllers.values_mut() {
        controller.dll_released = [true; 2];
    }
}

/// Sends the events of a DNC merger to the line of its own chip.
pub(crate) fn send_right(chip: &mut HicannConfig, merger: DncMergerOnHicann) {
    let repeater = merger.sending_repeater().repeater();
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::Output(Side::Right);
}

pub(crate) fn close_crossbar(chip: &mut HicannConfig, h: HLineOnHicann, v: VLineOnHicann) {
    chip.crossbar.set(CrossbarSwitchOnHicann::between(h, v).expect("a switch"), true);
}

pub(crate) fn close_synapse_switch(
    chip: &mut HicannConfig,
    v: VLineOnHicann,
    y: SynapseDriverOnHicann,
) {
    chip.synapse_switches.set(SynapseSwitchOnHicann::between(v, y).expect("a switch"), true);
}

/// Enables a driver that listens to its switch row; its upper row is excitatory, its lower row
/// inhibitory, and both answer to addresses with upper bits 2 in even and 3 in odd columns.
pub(crate) fn open_driver(chip: &mut HicannConfig, driver: SynapseDriverOnHicann) {
    let settings = &mut chip.synapses.drivers[driver];
    settings.enable = true;
    settings.locin = true;
    for (i, row) in settings.rows.iter_mut().enumerate() {
        row.synaptic_input[i] = true;
        row.decoder = [DriverDecoder::new::<2>(), DriverDecoder::new::<3>()];
        row.gmax_divisor = [GmaxDivisor::new::<11>(); 2];
    }
}

pub(crate) fn set_synapse(
    chip: &mut HicannConfig,
    synapse: SynapseOnHicann,
    decoder: usize,
    w: usize,
) {
    chip.synapses.decoders[synapse] = SynapseDecoder::from_index(decoder).expect("a decoder");
    chip.synapses.weights[synapse] = weight(w);
}

/// The synapse of the upper (0) or lower (1) row of a driver in a column.
pub(crate) fn synapse(driver: SynapseDriverOnHicann, row: usize, column: usize) -> SynapseOnHicann {
    let row = driver.row(RowOnSynapseDriver::from_index(row).expect("a row"));
    row.synapse(SynapseColumnOnHicann::from_index(column).expect("a column"))
}

/// The first left driver that a vertical line of the left side feeds on its own chip.
pub(crate) fn left_driver(v: VLineOnHicann) -> SynapseDriverOnHicann {
    v.synapse_switches()
        .map(SynapseSwitchOnHicann::row)
        .find(|r| r.is_local() && r.y().vertical() == Vertical::Top)
        .expect("every line feeds local drivers")
        .y()
}

/// One chip whose event link 0 is open for pulses and leads to the driver that is returned.
pub(crate) fn input_chip() -> (HicannConfig, SynapseDriverOnHicann) {
    let mut chip = HicannConfig::default();
    release(&mut chip);
    let driver = open_input(&mut chip, DncMergerOnHicann::new::<0>());
    (chip, driver)
}

/// Opens an event link for pulses and leads its bus to a driver.
pub(crate) fn open_input(
    chip: &mut HicannConfig,
    merger: DncMergerOnHicann,
) -> SynapseDriverOnHicann {
    chip.gbit_links.direction[merger.gbit_link()] = GbitDirection::ToHicann;
    chip.gbit_links.timestamp_enable = true;
    lead_to_driver(chip, merger)
}

/// Leads the bus of a merger to a left driver of the top half of its own chip.
pub(crate) fn lead_to_driver(
    chip: &mut HicannConfig,
    merger: DncMergerOnHicann,
) -> SynapseDriverOnHicann {
    send_right(chip, merger);
    let vline = merger.hline().crossbar_vlines().next().expect("eight lines");
    close_crossbar(chip, merger.hline(), vline);
    let driver = left_driver(vline);
    close_synapse_switch(chip, vline, driver);
    open_driver(chip, driver);
    driver
}

pub(crate) fn wafer(chips: impl IntoIterator<Item = (HicannOnWafer, HicannConfig)>) -> WaferConfig {
    WaferConfig { hicanns: chips.into_iter().collect() }
}

/// A pulse for a chip.
pub(crate) fn pulse(
    hicann: HicannOnWafer,
    gbit_link: GbitLinkOnHicann,
    address: L1Address,
    time: u64,
) -> (FpgaOnWafer, PulseEvent) {
    let label = PulseLabel { link: hicann.link(), gbit_link, address };
    (hicann.fpga(), PulseEvent { time: DncCycles(time), label })
}

pub(crate) fn pulses(list: impl IntoIterator<Item = (FpgaOnWafer, PulseEvent)>) -> Pulses {
    let mut pulses = Pulses::new();
    for (fpga, pulse) in list {
        pulses.entry(fpga).or_default().push(pulse);
    }
    for list in pulses.values_mut() {
        list.sort_unstable();
    }
    pulses
}

/// Configures and stimulates an emulator through words.
pub(crate) fn load(
    settings: Settings,
    config: &WaferConfig,
    pulses: &Pulses,
    end: u64,
) -> Result<Emulator, WaferError> {
    let fpgas: Vec<FpgaOnWafer> = config.hicanns.keys().map(|h| h.fpga()).collect();
    let mut emulator = Emulator::new(settings);
    emulator.configure(&codec::encode_wafer(config).expect("a configuration that can be sent"))?;
    let program = playback::encode(pulses, fpgas, DncCycles(end)).expect("a stimulus");
    emulator.stimulate(&program)?;
    Ok(emulator)
}

/// A complete run.
pub(crate) fn run(settings: Settings, config: &WaferConfig, pulses: &Pulses, end: u64) -> Emulator {
    let mut emulator = load(settings, config, pulses, end).expect("words are accepted");
    emulator.run(&mut |_| ControlFlow::Continue(())).expect("the run ends");
    emulator
}

/// Recorded pulses of all FPGAs.
pub(crate) fn recorded(emulator: &Emulator) -> BTreeMap<FpgaOnWafer, Vec<PulseEvent>> {
    let words = emulator.read_trace().expect("a trace");
    let decode = |(&fpga, words): (&FpgaOnWafer, &Vec<u64>)| {
        (fpga, trace::decode(words).expect("trace words"))
    };
    words.by_fpga.iter().map(decode).collect()
}

/// Recorded times of one chip's events, in cycles.
pub(crate) fn times(emulator: &Emulator, hicann: HicannOnWafer) -> Vec<u64> {
    let all = recorded(emulator).remove(&hicann.fpga()).unwrap_or_default();
    all.iter().filter(|p| p.label.link == hicann.link()).map(|p| p.time.0).collect()
}
