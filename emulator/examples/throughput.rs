//! How fast the emulator is on a synthetic load: chips with 64 neurons of 8 circuits that fire
//! regularly and excite and inhibit each other on their own chip.
//!
//! `cargo run --release -p emulator --example throughput -- [CHIPS] [BIO_MS] [THREADS]`

#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::ops::ControlFlow;
use std::time::Instant;

use emulator::{Emulator, Settings};
use hal::codec;
use hal::config::{HicannConfig, NeuronParameter, RepeaterMode, SharedParameter, WaferConfig};
use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, DncMergerOnHicann, DriverDecoder, FgBlockOnHicann,
    HicannOnWafer, L1Address, NeuronOnHicann, RowOnSynapseDriver, Side, SynapseColumnOnHicann,
    SynapseDecoder, SynapseDriverOnHicann, SynapseSwitchOnHicann, Vertical,
};
use hal::playback;
use hal::value::{DacCode, GmaxDivisor, SynapseWeight};
use hal::wafer::{DncCycles, Pulses, Wafer};

/// DNC cycles of 4 ns per biological millisecond at a speed-up of 10,000.
const CYCLES_PER_MS: u64 = 25;
/// Columns of a neuron; it has both rows of them.
const COLUMNS: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u64>());
    let chips = arguments.next().transpose()?.unwrap_or(34) as usize;
    let bio_ms = arguments.next().transpose()?.unwrap_or(1000);
    let threads = arguments.next().transpose()?.map(|n| n as usize);

    let mut wafer = WaferConfig::default();
    for (hicann, seed) in HicannOnWafer::all().zip(0..chips) {
        wafer.hicanns.insert(hicann, chip(seed));
    }
    let end = DncCycles(bio_ms * CYCLES_PER_MS);
    let fpgas: Vec<_> = wafer.hicanns.keys().map(|h| h.fpga()).collect();

    let mut emulator = Emulator::new(Settings { threads, ..Settings::default() });
    emulator.configure(&codec::encode_wafer(&wafer)?)?;
    emulator.stimulate(&playback::encode(&Pulses::new(), fpgas, end)?)?;
    let start = Instant::now();
    let synapses = emulator.connectivity().synapses.len();
    let build_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    emulator.run(&mut |_| ControlFlow::Continue(()))?;
    let run_s = start.elapsed().as_secs_f64();

    let neurons = wafer.hicanns.len() * 256 / COLUMNS;
    let counters = emulator.counters();
    let steps = neurons as f64 * end.0 as f64;
    let bio_s = bio_ms as f64 * 1e-3;
    println!("{neurons} neurons, {synapses} synapses on {} chips", wafer.hicanns.len());
    println!("{:.1} Hz per neuron", counters.neuron_spikes as f64 / neurons as f64 / bio_s);
    println!("{:.2} M synaptic events per bio s", counters.synaptic_events as f64 / bio_s / 1e6);
    let per_step = run_s * 1e9 / steps;
    println!(
        "{per_step:.2} ns per step of a membrane of 8 circuits, {:.3} ns per step of a circuit",
        per_step / 8.0
    );
    println!("{:.2} ns per synaptic event", run_s * 1e9 / counters.synaptic_events.max(1) as f64);
    println!("each of these figures is the whole run, its making included");
    println!("tracing {build_s:.3} s, run {run_s:.3} s = {:.3} x bio", run_s / bio_s);
    Ok(())
}

fn chip(seed: usize) -> HicannConfig {
    let mut chip = HicannConfig::default();
    for block in chip.repeater_blocks.values_mut() {
        block.dll_released = true;
    }
    for controller in chip.synapse_controllers.values_mut() {
        controller.dll_released = [true; 2];
    }
    for block in FgBlockOnHicann::all() {
        chip.floating_gates.set_shared(block, SharedParameter::VGmax0, DacCode::new::<20>());
    }
    add_neurons(&mut chip, seed);
    for merger in DncMergerOnHicann::all() {
        add_bus(&mut chip, merger);
    }
    chip
}

/// 64 neurons of 4 columns and both rows. Their leak potential lies above the threshold.
fn add_neurons(chip: &mut HicannConfig, seed: usize) {
    use NeuronParameter as P;
    for quad in chip.neurons.quads.values_mut() {
        quad.vertical = [true; 2];
        quad.horizontal = [true; 2];
    }
    for n in NeuronOnHicann::all() {
        let position = n.column() % COLUMNS;
        let neuron = n.column() / COLUMNS;
        let circuit = &mut chip.neurons.circuits[n];
        circuit.enable_fire_input = position == 2 && n.vertical() == Vertical::Top;
        if position == 0 && n.vertical() == Vertical::Top {
            circuit.activate_firing = true;
            circuit.enable_spl1_output = true;
            let address = 63 - neuron % 8;
            circuit.address = L1Address::from_index(address).unwrap_or(L1Address::BACKGROUND);
        }
        let scatter = (neuron * 7 + seed * 13) % 40;
        for (parameter, code) in [
            (P::EL, 490 + scatter),
            (P::VT, 500),
            (P::IGl, 50),
            (P::IPl, 102),
            (P::VSyntcx, 481),
            (P::VSyntci, 481),
            (P::ESynx, 800),
            (P::ESyni, 300),
            (P::IGladapt, 0),
            (P::IFire, 0),
            (P::IRadapt, 1023),
            (P::IRexp, 1023),
        ] {
            let code = DacCode::from_index(code).unwrap_or_default();
            chip.floating_gates.set_neuron(n, parameter, code);
        }
    }
}

/// Leads the bus of a neuron block to the 28 drivers of its chip that it can reach.
fn add_bus(chip: &mut HicannConfig, merger: DncMergerOnHicann) {
    let repeater = merger.sending_repeater().repeater();
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::Output(Side::Right);
    let lines: Vec<_> = merger.hline().crossbar_vlines().collect();
    for line in [lines[0], lines[4]] {
        if let Some(switch) = CrossbarSwitchOnHicann::between(merger.hline(), line) {
            chip.crossbar.set(switch, true);
        }
        let local: Vec<SynapseSwitchOnHicann> =
            line.synapse_switches().filter(|s| s.row().is_local()).collect();
        for switch in local {
            chip.synapse_switches.set(switch, true);
            let driver = switch.row().y();
            open_driver(chip, driver);
        }
    }
}

/// One excitatory and one inhibitory row with a synapse in every fourth column.
fn open_driver(chip: &mut HicannConfig, driver: SynapseDriverOnHicann) {
    let settings = &mut chip.synapses.drivers[driver];
    settings.enable = true;
    settings.locin = true;
    for (i, row) in settings.rows.iter_mut().enumerate() {
        row.synaptic_input[i] = true;
        row.decoder = [DriverDecoder::new::<3>(); 2];
        row.gmax_divisor = [GmaxDivisor::new::<15>(); 2];
    }
    for row in RowOnSynapseDriver::all() {
        for column in SynapseColumnOnHicann::all().step_by(COLUMNS) {
            let synapse = driver.row(row).synapse(column);
            // the low bits of the addresses that a block of eight neurons sends
            let sender = 8 + (column.index() / COLUMNS + 3 * driver.index() + row.index()) % 8;
            chip.synapses.weights[synapse] = SynapseWeight::new::<8>();
            chip.synapses.decoders[synapse] =
                SynapseDecoder::from_index(sender).unwrap_or(SynapseDecoder::DISABLED);
        }
    }
}
