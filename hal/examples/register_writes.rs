//! Configures one chip and prints, stage by stage, the register writes by which it differs from an
//! idle chip: `cargo run -p hal --example register_writes`.
#![expect(clippy::print_stdout, reason = "the output is the point of an example")]

use std::error::Error;

use hal::codec::{Access, Operation};
use hal::config::{GbitDirection, HicannConfig, RepeaterMode};
use hal::coord::{
    BackgroundGeneratorOnHicann, CrossbarSwitchOnHicann, DncMergerOnHicann, GbitLinkOnHicann,
    HicannOnWafer, L1Address, NeuronOnHicann, Side, SynapseColumnOnHicann, SynapseDriverOnHicann,
    SynapseRowOnHicann, SynapseSwitchOnHicann, VLineOnHicann,
};
use hal::stateful::{Plan, Settings, StatefulWafer};
use hal::value::SynapseWeight;

const CHIP: HicannOnWafer = HicannOnWafer::new::<93>();

/// Two circuits: one fires onto L1, and a synapse of the other one hears it.
fn configure(chip: &mut HicannConfig) -> Result<(), Box<dyn Error>> {
    let address = L1Address::new::<5>();
    let circuit = &mut chip.neurons.circuits[NeuronOnHicann::new::<40>()];
    circuit.activate_firing = true;
    circuit.enable_spl1_output = true;
    circuit.address = address;

    // block 1 has the second generator and the second merger; receivers lock to the generator
    chip.mergers.background[BackgroundGeneratorOnHicann::new::<1>()].enable = true;
    chip.gbit_links.direction[GbitLinkOnHicann::new::<1>()] = GbitDirection::ToDnc;
    let repeater = DncMergerOnHicann::new::<1>().sending_repeater().repeater();
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::Output(Side::Right);
    chip.repeater_blocks.values_mut().iter_mut().for_each(|b| b.dll_released = true);
    chip.synapse_controllers.values_mut().iter_mut().for_each(|c| c.dll_released = [true; 2]);

    let (vline, driver) = (VLineOnHicann::new::<4>(), SynapseDriverOnHicann::new::<99>());
    let crossing = CrossbarSwitchOnHicann::between(repeater.line(), vline);
    chip.crossbar.set(crossing.ok_or("no crossbar switch")?, true);
    let switch = SynapseSwitchOnHicann::between(vline, driver).ok_or("no synapse switch")?;
    chip.synapse_switches.set(switch, true);

    chip.synapses.drivers[driver].enable = true;
    chip.synapses.drivers[driver].locin = true;
    let row = SynapseRowOnHicann::new::<198>();
    chip.synapses.row_mut(row).synaptic_input = [true, false];
    let synapse = row.synapse(SynapseColumnOnHicann::new::<17>());
    chip.synapses.weights[synapse] = SynapseWeight::new::<9>();
    chip.synapses.decoders[synapse] = address.synapse_decoder();
    Ok(())
}

/// The writes of each stage.
fn writes(plan: &Plan) -> Vec<Vec<Access>> {
    let of_stage = |words: &Vec<u64>| -> Vec<Access> {
        let accesses = words.iter().filter_map(|word| Access::from_word(*word));
        accesses.map(|(_, access)| access).filter(|a| a.operation != Operation::Read).collect()
    };
    let stages = plan.stages.iter();
    stages.map(|stage| stage.words.by_fpga.values().flat_map(of_stage).collect()).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut wafer = StatefulWafer::new(Settings::default());
    wafer.allocate(CHIP)?;
    let idle = writes(&wafer.plan()?);
    configure(wafer.allocate(CHIP)?)?;
    for fault in wafer.faults() {
        println!("fault: {fault}");
    }
    let plan = wafer.plan()?;
    for ((stage, writes), idle) in plan.stages.iter().zip(writes(&plan)).zip(idle) {
        println!("{:?}: {} words", stage.stage, stage.cost.words);
        for Access { unit, local, operation } in writes.into_iter().filter(|w| !idle.contains(w)) {
            if let Operation::Write(data) = operation {
                println!("  {unit:?} {local:#x} <- {data:#x}");
            }
        }
    }
    let cost = plan.cost();
    println!("{} words, at worst {:.1} s of hardware time", cost.words, cost.hardware_s);
    Ok(())
}
