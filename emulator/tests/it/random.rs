//! Whatever is configured, nothing panics, hangs or loses count; whatever words say, they are obeyed
//! or refused.

use std::ops::ControlFlow;

use emulator::{Effects, Emulator, Settings, connectivity};
use hal::codec;
use hal::config::{
    AutomaticUpdate, GbitDirection, HicannConfig, MergerMode, NeuronParameter, RepeaterMode,
};
use hal::coord::*;
use hal::playback;
use hal::value::{DacCode, GmaxDivisor, GmaxSelect};
use hal::wafer::{DncCycles, Wafer, WaferError};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;

/// A chip with random bits: `density` settings of every kind.
fn random_chip(density: usize) -> impl Strategy<Value = HicannConfig> {
    proptest::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 12 * density)
        .prop_map(move |bits| {
            let mut chip = HicannConfig::default();
            release(&mut chip);
            for (i, (a, b, on)) in bits.into_iter().enumerate() {
                set_something(&mut chip, i % 12, a, b, on);
            }
            chip
        })
}

fn pick<C: Coordinate>(index: Index) -> C {
    C::from_index(index.index(C::SIZE)).expect("within the range")
}

fn set_something(chip: &mut HicannConfig, kind: usize, a: Index, b: Index, on: bool) {
    match kind {
        0 => chip.crossbar.set(pick(a), true),
        1 => chip.synapse_switches.set(pick(a), true),
        2 => {
            let repeater = &mut chip.repeaters.horizontal[pick(a)];
            let side = if on { Side::Left } else { Side::Right };
            repeater.mode = [
                RepeaterMode::Forwarding(side),
                RepeaterMode::Output(side),
                RepeaterMode::OutputBoth,
                RepeaterMode::Input(side),
                RepeaterMode::Loopback,
            ][b.index(5)];
        }
        3 => {
            let side = if on { Vertical::Top } else { Vertical::Bottom };
            chip.repeaters.vertical[pick(a)].mode = RepeaterMode::Forwarding(side);
        }
        4 => {
            let circuit = &mut chip.neurons.circuits[pick(a)];
            circuit.activate_firing = true;
            circuit.enable_spl1_output = on;
            circuit.address = pick(b);
        }
        5 => {
            let quad = &mut chip.neurons.quads[pick(a)];
            quad.vertical = [on, b.index(2) == 0];
            quad.horizontal = [b.index(3) == 0, on];
        }
        6 => chip.neurons.circuits[pick(a)].enable_fire_input = on,
        7 => {
            let driver = &mut chip.synapses.drivers[pick(a)];
            driver.enable = true;
            driver.locin = on;
            driver.connect_neighbor = b.index(3) == 0;
            for (i, row) in driver.rows.iter_mut().enumerate() {
                row.synaptic_input = [b.index(5) < 3, b.index(7) < 4];
                row.decoder = [pick(b), pick(a)];
                row.gmax_divisor = [GmaxDivisor::new::<0>(), pick(b)];
                row.gmax_select = GmaxSelect::from_index((i + b.index(4)) % 4).expect("four");
            }
        }
        8 => {
            for column in SynapseColumnOnHicann::all() {
                let synapse = pick::<SynapseRowOnHicann>(a).synapse(column);
                let decoder = (b.index(16) + column.index()) % 16;
                set_synapse(chip, synapse, decoder, (decoder + usize::from(on)) % 16);
            }
        }
        9 => {
            let mode = [MergerMode::Merge, MergerMode::LeftOnly, MergerMode::RightOnly];
            chip.mergers.tree[pick(a)].mode = mode[b.index(3)];
            chip.mergers.dnc[pick(b)].mode = mode[a.index(3)];
            let plasticity = &mut chip.synapse_controllers[pick(a)].plasticity;
            plasticity.automatic =
                Some(AutomaticUpdate { first_row: pick(b), last_row: pick(a), continuous: on });
            plasticity.evaluation[a.index(2)].cc = true;
        }
        10 => {
            let link: GbitLinkOnHicann = pick(a);
            let direction = [GbitDirection::Off, GbitDirection::ToDnc, GbitDirection::ToHicann];
            chip.gbit_links.direction[link] = direction[b.index(3)];
            let generator = &mut chip.mergers.background[pick(b)];
            generator.enable = on;
            generator.random = a.index(2) == 0;
            generator.seed = a.index(65536) as u16;
            generator.period = b.index(65536) as u16;
        }
        _ => {
            let parameters: Vec<NeuronParameter> = NeuronParameter::all().collect();
            let code: DacCode = pick(b);
            for n in NeuronOnHicann::all().skip(a.index(16)).step_by(16) {
                let parameter = parameters[(a.index(23) + n.index() / 16) % 23];
                chip.floating_gates.set_neuron(n, parameter, code);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_wafers_run(
        chips in proptest::collection::vec(random_chip(40), 4),
        input in proptest::collection::vec((0..4_usize, any::<Index>(), any::<Index>(), 60..2500_u64), 200),
        step in 1..6_u64,
    ) {
        let east = CHIP.east().expect("inner");
        let places =
            [CHIP, east, CHIP.south().expect("inner"), east.south().expect("inner")];
        let config = wafer(places.into_iter().zip(chips));
        let found = connectivity(&config);
        prop_assert!(found.synapses.is_sorted() && found.outputs.is_sorted());
        let stimulus =
            pulses(input.into_iter().map(|(c, l, a, t)| pulse(places[c], pick(l), pick(a), t)));
        let settings =
            Settings {
                effects: Effects::ALL,
                threads: Some(2),
                step: DncCycles(step),
                ..fine()
            };
        let emulator = run(settings, &config, &stimulus, 3000);
        prop_assert!(emulator.connectivity().synapses.len() >= found.synapses.len());
        let counters = emulator.counters();
        prop_assert!(counters.stimulus.is_conserved());
        prop_assert!(counters.readout.is_conserved());
        prop_assert!(counters.mergers.is_conserved());
        prop_assert_eq!(counters.stimulus.sent, 200);
        let read: usize = recorded(&emulator).values().map(Vec::len).sum();
        prop_assert_eq!(read as u64, counters.readout.delivered);
    }
}

/// Changes words at random places: one bit, or everything.
fn damage(words: &mut [u64], changes: &[(Index, u64, bool)]) {
    for &(place, bits, everything) in changes {
        let word = place.get_mut(words);
        *word = if everything { bits } else { *word ^ 1 << (bits % 64) };
    }
}

fn changes(most: usize) -> impl Strategy<Value = Vec<(Index, u64, bool)>> {
    proptest::collection::vec((any::<Index>(), any::<u64>(), any::<bool>()), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn damaged_words_are_obeyed_or_refused_by_name(
        chip in random_chip(10),
        registers in changes(4),
        program in changes(3),
    ) {
        let mut words = codec::encode_wafer(&wafer([(CHIP, chip)])).expect("a valid wafer");
        let mut input = playback::encode(&pulses([]), [CHIP.fpga()], DncCycles(500)).expect("valid");
        words.by_fpga.values_mut().for_each(|words| damage(words, &registers));
        input.by_fpga.values_mut().for_each(|words| damage(words, &program));
        let mut emulator = Emulator::new(Settings { effects: Effects::ALL, ..fine() });
        match emulator.configure(&words) {
            Ok(()) => {}
            Err(WaferError::Configuration(refused)) => prop_assert!(!refused.to_string().is_empty()),
            Err(other) => prop_assert!(false, "{other}"),
        }
        match emulator.stimulate(&input) {
            // a damaged end may lie years ahead
            Ok(()) => {
                let mut calls = 0;
                let stopped = emulator.run(&mut |_| {
                    calls += 1;
                    if calls > 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                match stopped {
                    Ok(()) | Err(WaferError::Stopped { .. } | WaferError::Configuration(_)) => {}
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
            Err(WaferError::Playback(refused)) => prop_assert!(!refused.to_string().is_empty()),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
