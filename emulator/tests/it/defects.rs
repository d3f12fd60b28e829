//! Defective components fail: what is silent, what delivers nothing, what does not answer.

use std::ops::ControlFlow;

use emulator::{Effect, Emulator, Instance, Settings};
use hal::codec::{self, Access, Operation};
use hal::config::{BackgroundGenerator, GbitDirection, HicannConfig, RepeaterMode, WaferConfig};
use hal::coord::*;
use hal::defects::{Component, Defects};
use hal::playback;
use hal::wafer::{ConfigurationWords, DncCycles, DropCause, Pulses, Wafer};

use crate::support::*;

const MERGER: DncMergerOnHicann = DncMergerOnHicann::new::<0>();

/// A neuron of one chip excites, across the border, one of its eastern neighbour; pulses of the
/// FPGA arrive over another link of the first chip at a synapse of its own.
struct Pair {
    config: WaferConfig,
    east: HicannOnWafer,
    synapse: SynapseOnHicann,
    /// The components on the way from the first neuron to the second.
    way: Vec<Component>,
}

fn pair() -> Pair {
    let east = CHIP.east().expect("inner");
    let (mut sender, mut target) = (HicannConfig::default(), HicannConfig::default());
    release(&mut sender);
    release(&mut target);
    let n = neuron(0);
    program(&mut sender, n, &Cell { e_l_v: 1.0, ..Cell::default() });
    fire(&mut sender, n, address(37));
    sender.gbit_links.direction[MERGER.gbit_link()] = GbitDirection::ToDnc;
    send_right(&mut sender, MERGER);
    let input = open_input(&mut sender, DncMergerOnHicann::new::<4>());
    set_synapse(&mut sender, synapse(input, 0, 8), 5, 15);
    program(&mut sender, neuron(8), &Cell::default());
    // the lane shifts by two; its repeater stands on the left of the second chip
    let here = MERGER.hline();
    let line = here.east();
    let repeater = HRepeaterOnHicann::from_index(line.index()).expect("one per line");
    target.repeaters.horizontal[repeater].mode = RepeaterMode::Forwarding(Side::Right);
    let vline = line.crossbar_vlines().next().expect("eight lines");
    close_crossbar(&mut target, line, vline);
    let driver = left_driver(vline);
    close_synapse_switch(&mut target, vline, driver);
    open_driver(&mut target, driver);
    // address 37 has the upper bits 2, which even columns answer to
    let synapse = synapse(driver, 0, 2);
    set_synapse(&mut target, synapse, 5, 15);
    program(&mut target, neuron(2), &Cell { e_l_v: 0.85, ..Cell::default() });
    fire(&mut target, neuron(2), address(60));
    target.gbit_links.direction[MERGER.gbit_link()] = GbitDirection::ToDnc;

    let crossbar = CrossbarSwitchOnHicann::between(line, vline).expect("a switch");
    let switch = SynapseSwitchOnHicann::between(vline, driver).expect("a switch");
    let sending = MERGER.sending_repeater().repeater();
    let mut way: Vec<Component> = vec![
        n.on(CHIP).into(),
        n.fg_block().on(CHIP).into(),
        MergerOnHicann::new::<0>().on(CHIP).into(),
        MERGER.on(CHIP).into(),
        sending.on(CHIP).into(),
        here.on(CHIP).into(),
        repeater.on(east).into(),
        line.on(east).into(),
        crossbar.on(east).into(),
        vline.on(east).into(),
        switch.row().on(east).into(),
        switch.on(east).into(),
        driver.on(east).into(),
        synapse.row().on(east).into(),
        synapse.on(east).into(),
        neuron(2).on(east).into(),
    ];
    way.extend([Component::Hicann(CHIP), Component::Hicann(east), Component::Reticle(east.dnc())]);
    Pair { config: wafer([(CHIP, sender), (east, target)]), east, synapse, way }
}

fn on(defects: &Defects, config: &WaferConfig, pulses: &Pulses, end: u64) -> Emulator {
    // wafer 0 is one on which the first circuits do not fire wildly when they are broken
    let mut emulator = Emulator::with_defects(fine(), defects);
    emulator.configure(&codec::encode_wafer(config).expect("it can be sent")).expect("taken");
    let fpgas: Vec<FpgaOnWafer> = config.hicanns.keys().map(|h| h.fpga()).collect();
    let program = playback::encode(pulses, fpgas, DncCycles(end)).expect("a stimulus");
    emulator.stimulate(&program).expect("a program");
    emulator.run(&mut |_| ControlFlow::Continue(())).expect("the run ends");
    emulator
}

fn broken(component: impl Into<Component>) -> Defects {
    let mut defects = Defects::default();
    defects.insert(component);
    defects
}

#[test]
fn every_broken_component_on_the_way_silences_the_synapse() {
    let pair = pair();
    let none = Pulses::new();
    let whole = on(&Defects::default(), &pair.config, &none, 20_000);
    assert!(whole.counters().synaptic_events > 10);
    assert_eq!(whole.connectivity().synapses.len(), 2);
    for component in pair.way {
        let emulator = on(&broken(component), &pair.config, &none, 20_000);
        assert_eq!(emulator.counters().synaptic_events, 0, "{component}");
        assert!(emulator.connectivity().synapses.len() < 2, "{component}");
    }
    // a neighbouring synapse is no obstacle
    let other = pair.synapse.row().synapse(SynapseColumnOnHicann::new::<3>());
    let emulator = on(&broken(other.on(pair.east)), &pair.config, &none, 20_000);
    assert_eq!(emulator.counters(), whole.counters());
}

#[test]
fn broken_circuits_never_fire_or_always_do() {
    let mut chip = HicannConfig::default();
    let quiet = Cell { e_l_v: 0.6, ..Cell::default() };
    for i in 0..64 {
        let n = neuron(32 * (i % 8) + i / 8);
        program(&mut chip, n, &quiet);
        fire(&mut chip, n, address(63 - i / 8));
    }
    for link in GbitLinkOnHicann::all() {
        chip.gbit_links.direction[link] = GbitDirection::ToDnc;
    }
    let config = wafer([(CHIP, chip)]);
    let none = Pulses::new();
    assert_eq!(on(&Defects::default(), &config, &none, 5_000).counters().neuron_spikes, 0);
    let mut defects = Defects::default();
    for n in NeuronOnHicann::all() {
        defects.insert(n.on(CHIP));
    }
    let emulator = on(&defects, &config, &none, 5_000);
    let outputs = emulator.connectivity().outputs.len();
    // a quarter of them is wild: each fires once per refractory period of 100 ns, 25 cycles
    assert!((6..30).contains(&outputs), "{outputs}");
    let each = emulator.counters().neuron_spikes as f64 / outputs as f64;
    assert!((180.0..205.0).contains(&each), "{each}");
}

#[test]
fn a_missing_chip_does_not_answer_and_takes_no_pulses() {
    let pair = pair();
    let read = |hicann: HicannOnWafer| {
        let access = Access {
            unit: codec::Unit::FloatingGate(FgBlockOnHicann::new::<0>()),
            local: 0x104,
            operation: Operation::Read,
        };
        access.to_word(hicann.link())
    };
    let mut defects = broken(CHIP);
    // both chips have an FPGA of their own, or share one
    let mut words = ConfigurationWords::default();
    for hicann in [CHIP, pair.east] {
        words.by_fpga.entry(hicann.fpga()).or_default().push(read(hicann));
    }
    let pulses = pulses([pulse(CHIP, GbitLinkOnHicann::new::<4>(), address(37), 500)]);
    let mut emulator = on(&defects, &pair.config, &pulses, 2_000);
    assert!(emulator.missing_hicanns().iter().eq([&CHIP]));
    let flow = emulator.counters().stimulus;
    assert_eq!((flow.delivered, flow.dropped[&DropCause::StimulusLinkClosed]), (0, 1));
    assert_eq!(emulator.read(&words).expect("words").len(), 1);
    defects.remove(CHIP);
    let mut whole = on(&defects, &pair.config, &pulses, 2_000);
    assert!(whole.missing_hicanns().is_empty());
    assert_eq!(whole.counters().stimulus.delivered, 1);
    assert_eq!(whole.read(&words).expect("words").len(), 2);
}

#[test]
fn a_chip_without_high_speed_link_is_configured_but_exchanges_no_events() {
    let pair = pair();
    let pulses = pulses([pulse(CHIP, GbitLinkOnHicann::new::<4>(), address(37), 500)]);
    let defects = broken(Component::HighspeedLink(CHIP));
    let emulator = on(&defects, &pair.config, &pulses, 20_000);
    assert!(emulator.missing_hicanns().is_empty());
    assert_eq!(emulator.counters().stimulus.delivered, 0);
    assert!(times(&emulator, CHIP).is_empty());
    // its events still reach the neighbour over L1
    assert!(emulator.counters().synaptic_events > 10);
}

#[test]
fn a_broken_generator_and_a_broken_analog_output_are_silent() {
    let (mut chip, driver) = input_chip();
    let generator = BackgroundGeneratorOnHicann::new::<0>();
    chip.mergers.background[generator] = BackgroundGenerator {
        enable: true,
        period: 124,
        address: address(37),
        ..BackgroundGenerator::default()
    };
    program(&mut chip, neuron(0), &Cell::default());
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 1);
    let output = AnalogOnHicann::new::<0>();
    chip.analog.source[output] = Some(hal::config::AnalogSource::MembraneTopEven);
    chip.neurons.circuits[neuron(0)].enable_aout = true;
    let config = wafer([(CHIP, chip)]);
    let none = Pulses::new();
    let whole = on(&Defects::default(), &config, &none, 5_000);
    assert!(whole.counters().synaptic_events > 10);
    assert!(whole.read_adc(CHIP.dnc(), output).is_ok());
    let emulator = on(&broken(generator.on(CHIP)), &config, &none, 5_000);
    assert_eq!(emulator.counters().synaptic_events, 0);
    let emulator = on(&broken(output.on(CHIP)), &config, &none, 5_000);
    assert!(emulator.read_adc(CHIP.dnc(), output).is_err());
}

#[test]
fn manufactured_wafers_have_their_defects() {
    let instance: Instance = "30".parse().expect("a number");
    let mut emulator = Emulator::new(Settings::of(instance));
    let missing = instance.defects().iter().find_map(|c| match c {
        Component::Reticle(dnc) => Some(dnc.hicann(HicannOnDnc::new::<0>())),
        _ => None,
    });
    let missing = missing.expect("one to three reticles are missing");
    let config = wafer([(missing, HicannConfig::default())]);
    emulator.configure(&codec::encode_wafer(&config).expect("it can be sent")).expect("taken");
    assert!(emulator.missing_hicanns().iter().eq([&missing]));
    assert!(!Settings::of(instance).effects.contains(Effect::FgDrift));
}
