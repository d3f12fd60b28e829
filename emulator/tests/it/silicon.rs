//! Manufactured wafers from outside: what programming, mismatch and readout do to what is seen.

use std::ops::ControlFlow;

use emulator::{Effect, Effects, Emulator, Instance, Settings};
use hal::codec;
use hal::config::{AnalogSource, GbitDirection, HicannConfig, WaferConfig};
use hal::coord::*;
use hal::wafer::{AdcTrace, DncCycles, Pulses, Wafer};
use hal::{config::NeuronParameter as P, playback};

use crate::support::*;

const END: u64 = 5_000;

/// Thirty circuits that fire by themselves, all programmed alike.
fn alike() -> WaferConfig {
    let mut chip = HicannConfig::default();
    for i in 0..30 {
        let n = neuron(i);
        program(&mut chip, n, &Cell { e_l_v: 1.0, ..Cell::default() });
        fire(&mut chip, n, address(63 - i));
    }
    chip.gbit_links.direction[GbitLinkOnHicann::new::<0>()] = GbitDirection::ToDnc;
    wafer([(CHIP, chip)])
}

fn on(number: u32, effects: impl Into<Effects>) -> Settings {
    let instance = Instance::Manufactured(WaferNumber(number));
    Settings { instance, effects: effects.into(), ..fine() }
}

/// Recorded times by address. The first circuits of this chip are whole on the wafers used here.
fn spikes(emulator: &mut Emulator) -> Vec<(u64, usize)> {
    emulator.run(&mut |_| ControlFlow::Continue(())).expect("the run ends");
    recorded(emulator).values().flatten().map(|p| (p.time.0, p.label.address.index())).collect()
}

fn loaded(settings: Settings) -> Emulator {
    load(settings, &alike(), &Pulses::new(), END).expect("words are accepted")
}

#[test]
fn programming_draws_anew_and_running_does_not() {
    let mut emulator = loaded(on(1, Effect::FgNoise));
    let first = spikes(&mut emulator);
    assert!(first.len() > 100);
    assert_eq!(spikes(&mut emulator), first, "nothing was programmed in between");
    assert_eq!(spikes(&mut loaded(on(1, Effect::FgNoise))), first, "the same wafer, new");
    assert_ne!(spikes(&mut loaded(on(2, Effect::FgNoise))), first, "another wafer");
    let words = codec::encode_wafer(&alike()).expect("it can be sent");
    emulator.configure(&words).expect("taken");
    let second = spikes(&mut emulator);
    assert_ne!(second, first, "equal data, programmed again");
    emulator.configure(&words).expect("taken");
    assert_ne!(spikes(&mut emulator), second);
}

#[test]
fn aged_cells_fire_at_other_times() {
    let fresh = spikes(&mut loaded(on(1, Effects::NONE)));
    assert_ne!(spikes(&mut loaded(on(1, Effect::FgDrift))), fresh);
    assert_eq!(spikes(&mut loaded(fine())), fresh);
}

#[test]
fn mismatch_spreads_what_is_programmed_alike() {
    let mut rates = [0.0_f64; 64];
    let mut emulator = loaded(on(1, Effect::Mismatch));
    for (_, address) in spikes(&mut emulator) {
        rates[address] += 1.0;
    }
    let rates: Vec<f64> = rates.into_iter().filter(|n| *n > 0.0).collect();
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let spread =
        (rates.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / rates.len() as f64).sqrt();
    assert!(rates.len() > 20 && spread / mean > 0.1, "{} of {}: {spread}", mean, rates.len());
}

/// A resting membrane at both analog outputs of one chip, through the ADC.
fn resting(settings: Settings) -> Vec<f64> {
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), &Cell::default());
    chip.neurons.circuits[neuron(0)].enable_aout = true;
    let output = AnalogOnHicann::new::<1>();
    chip.analog.source[output] = Some(AnalogSource::MembraneTopEven);
    let emulator = run(settings, &wafer([(CHIP, chip)]), &Pulses::new(), 50_000);
    let trace = emulator.read_adc(CHIP.dnc(), output).expect("a membrane");
    trace.samples.iter().map(|&raw| AdcTrace::volts(raw)).collect()
}

#[test]
fn the_readout_adds_an_offset_and_noise() {
    let moments = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let variance = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64;
        (mean, variance.sqrt())
    };
    let (ideal, still) = moments(&resting(fine()));
    assert!((ideal - 0.7).abs() < 2e-3 && still < 1e-6, "{ideal} {still}");
    let (shifted, still) = moments(&resting(on(7, Effect::ReadoutOffset)));
    assert!((shifted - ideal).abs() > 1e-3 && (shifted - ideal).abs() < 0.06 && still < 1e-6);
    let (mean, noise) = moments(&resting(on(7, Effect::AdcNoise)));
    assert!((mean - ideal).abs() < 1e-3 && (noise - 1.5e-3).abs() < 1e-4, "{mean} {noise}");
    assert_eq!(resting(on(7, Effect::AdcNoise)), resting(on(7, Effect::AdcNoise)));
}

#[test]
fn an_input_without_bias_hears_nothing() {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell { v_t_v: 0.75, ..Cell::default() });
    fire(&mut chip, neuron(0), address(63));
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 15);
    let link = GbitLinkOnHicann::new::<0>();
    let input = pulses((0..50).map(|i| pulse(CHIP, link, address(37), 200 + 20 * i)));
    let spikes = |chip: &HicannConfig| {
        let config = wafer([(CHIP, chip.clone())]);
        run(fine(), &config, &input, 3_000).counters().neuron_spikes
    };
    assert!(spikes(&chip) > 0);
    set(&mut chip, neuron(0), P::IConvx, hal::value::DacCode::new::<0>());
    assert_eq!(spikes(&chip), 0);
}

#[test]
fn everything_on_a_manufactured_wafer_is_the_same_for_any_number_of_threads() {
    let outcome = |threads| {
        let instance = Instance::Manufactured(WaferNumber(30));
        let effects = instance.default_effects();
        let settings = Settings { instance, effects, threads, step: DncCycles(1) };
        let mut emulator = Emulator::new(settings);
        emulator.configure(&codec::encode_wafer(&alike()).expect("it can be sent")).expect("taken");
        let program = playback::encode(&Pulses::new(), [CHIP.fpga()], DncCycles(END));
        emulator.stimulate(&program.expect("a stimulus")).expect("a program");
        spikes(&mut emulator)
    };
    let one = outcome(Some(1));
    assert!(one.len() > 50);
    assert_eq!(outcome(Some(2)), one);
}
