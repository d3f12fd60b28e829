//! Routes on one chip, membranes at analog outputs, currents into circuits.

use hal::check::{SwitchLimits, check_hicann};
use hal::config::{AnalogSource, CurrentStimulus, HicannConfig, NoRoute, RepeaterMode};
use hal::coord::*;
use hal::value::DacCode;

use crate::stream::CHIP;

/// Every merger, driver and line: there is a route if and only if the merger is the one that
/// reaches the driver, and then it has one switch of each kind.
#[test]
fn routes_on_a_chip() {
    for merger in DncMergerOnHicann::all() {
        for driver in SynapseDriverOnHicann::all() {
            let reaching = driver.sending_repeater().dnc_merger();
            for number in 0..4 {
                let mut config = HicannConfig::default();
                let found = config.route(merger, driver, number);
                if merger != reaching {
                    let Err(NoRoute::Switch { reaching: named, .. }) = found else {
                        panic!("{merger} {driver}: {found:?}")
                    };
                    assert_eq!(named, reaching);
                    assert!(config == HicannConfig::default());
                    continue;
                }
                let vline = found.unwrap();
                assert_eq!(vline.side(), driver.side());
                let [crossbar] = config.crossbar.closed().collect::<Vec<_>>()[..] else { panic!() };
                assert_eq!((crossbar.hline(), crossbar.vline()), (merger.hline(), vline));
                let [switch] = config.synapse_switches.closed().collect::<Vec<_>>()[..] else {
                    panic!()
                };
                assert_eq!((switch.vline(), switch.row().y()), (vline, driver));
                assert_eq!(switch.row().driver(CHIP), Some(driver.on(CHIP)));
                let repeater = merger.sending_repeater().repeater();
                let mode = config.repeaters.horizontal[repeater].mode;
                assert_eq!(mode, RepeaterMode::Output(Side::Right));
                assert_eq!(check_hicann(CHIP, &config, &SwitchLimits::default()), []);
            }
            let mut config = HicannConfig::default();
            let number = 4;
            assert_eq!(
                config.route(merger, driver, number),
                Err(NoRoute::Line { merger, driver, number })
            );
        }
    }
}

#[test]
fn one_membrane_per_row_and_parity() {
    let mut config = HicannConfig::default();
    let [first, second] = [0_usize, 1].map(|i| AnalogOnHicann::try_from(i).unwrap());
    for neuron in NeuronOnHicann::all() {
        config.show_membrane(neuron, first);
        assert_eq!(config.shown_membrane(first), Some(neuron));
        assert_eq!(config.shown_membrane(second), None);
    }
    // one of each class is still connected
    assert_eq!(config.neurons.circuits.values().iter().filter(|c| c.enable_aout).count(), 4);
    assert_eq!(check_hicann(CHIP, &config, &SwitchLimits::default()), []);
    config.analog.source[second] = Some(AnalogSource::Preout);
    assert_eq!(config.shown_membrane(second), None);
    // two on one line
    config.neurons.circuits[NeuronOnHicann::new::<1>()].enable_aout = true;
    config.analog.source[second] = Some(AnalogSource::MembraneTopOdd);
    assert_eq!(config.shown_membrane(second), None);
}

#[test]
fn one_current_per_row_and_parity() {
    let mut config = HicannConfig::default();
    let mut current = CurrentStimulus::default();
    current.samples.values_mut().fill(DacCode::new::<100>());
    for neuron in NeuronOnHicann::all() {
        config.stimulate(neuron, current.clone());
        let block = neuron.shared_fg_block();
        assert_eq!(config.current_stimuli[block], current);
        let fed = config.neurons.circuits.iter().filter(|(_, c)| c.enable_current_input);
        let of_block = fed.filter(|(place, _)| place.shared_fg_block() == block);
        assert!(of_block.map(|(place, _)| place).eq([neuron]));
    }
}
