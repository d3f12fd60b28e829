//! The same words give the same results for any number of threads, and again.

use emulator::{Effects, Settings};
use hal::config::{GbitDirection, HicannConfig, MergerMode, RepeaterMode, WaferConfig};
use hal::coord::*;
use hal::wafer::{Counters, DncCycles, Pulses, TraceWords, Wafer};

use crate::support::*;

/// Five chips in a row; each fires by itself and excites and inhibits itself and its neighbour.
pub(crate) fn ring() -> WaferConfig {
    let chips: Vec<_> = std::iter::successors(Some(CHIP), |h| h.east()).take(5).collect();
    wafer(chips.into_iter().enumerate().map(|(i, hicann)| (hicann, busy(i))))
}

fn busy(seed: usize) -> HicannConfig {
    let mut chip = HicannConfig::default();
    release(&mut chip);
    for merger in MergerOnHicann::all() {
        chip.mergers.tree[merger].mode = MergerMode::Merge;
    }
    // keeps the receivers of all buses locked, by way of every merger
    for generator in chip.mergers.background.values_mut() {
        (generator.enable, generator.period) = (true, 124);
    }
    for i in 0..60 {
        let n = neuron(4 * i + (i % 3));
        let e_l_v = 0.88 + 0.002 * ((i * 7 + seed * 3) % 20) as f64;
        program(&mut chip, n, &Cell { e_l_v, ..Cell::default() });
        fire(&mut chip, n, address(63 - i));
    }
    chip.gbit_links.direction[GbitLinkOnHicann::new::<3>()] = GbitDirection::ToDnc;
    let input = open_input(&mut chip, DncMergerOnHicann::new::<1>());
    let own = lead_to_driver(&mut chip, DncMergerOnHicann::new::<3>());
    let repeater = DncMergerOnHicann::new::<3>().sending_repeater().repeater();
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::OutputBoth;
    // the eastern neighbour's bus arrives two lanes below
    let line = repeater.line().west();
    let vline = line.crossbar_vlines().next().expect("eight lines");
    close_crossbar(&mut chip, line, vline);
    let foreign = left_driver(vline);
    close_synapse_switch(&mut chip, vline, foreign);
    open_driver(&mut chip, foreign);
    for (d, driver) in [input, own, foreign].into_iter().enumerate() {
        for column in 0..240 {
            let row = (column + d) % 2;
            let decoder = 2 + (column * 5 + seed + d) % 14;
            set_synapse(&mut chip, synapse(driver, row, column), decoder, 1 + (column + d) % 3);
        }
    }
    chip
}

pub(crate) fn stimulus(config: &WaferConfig) -> Pulses {
    let link = GbitLinkOnHicann::new::<1>();
    pulses(config.hicanns.keys().flat_map(|&h| {
        (0..400).map(move |i| pulse(h, link, address(32 + (i * 11) % 32), 100 + 41 * i as u64))
    }))
}

fn outcome(threads: Option<usize>, step: u64) -> (TraceWords, Counters) {
    let config = ring();
    let settings = Settings { effects: Effects::ALL, threads, step: DncCycles(step), ..fine() };
    let emulator = run(settings, &config, &stimulus(&config), 20_000);
    (emulator.read_trace().expect("a trace"), emulator.counters())
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let one = outcome(Some(1), 1);
    assert!(one.1.neuron_spikes > 1000, "{:?}", one.1);
    assert!(one.1.synaptic_events > 10_000, "{:?}", one.1);
    for threads in [Some(2), Some(3), None] {
        assert_eq!(outcome(threads, 1), one, "{threads:?}");
    }
}

#[test]
fn a_repeated_run_starts_anew() {
    let config = ring();
    let input = stimulus(&config);
    let mut emulator = run(fine(), &config, &input, 20_000);
    let first = (emulator.read_trace().expect("a trace"), emulator.counters());
    emulator.run(&mut |_| std::ops::ControlFlow::Continue(())).expect("runs again");
    assert_eq!((emulator.read_trace().expect("a trace"), emulator.counters()), first);
}

#[test]
fn coarser_steps_change_the_rate_little() {
    let fine = outcome(None, 1).1;
    let coarse = outcome(None, 3).1;
    let ratio = coarse.neuron_spikes as f64 / fine.neuron_spikes as f64;
    assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
}

#[test]
fn absurd_steps_are_brought_into_range() {
    for (absurd, valid) in [(0, 1), (u64::MAX, 250)] {
        assert_eq!(outcome(Some(1), absurd), outcome(Some(1), valid));
    }
}

#[test]
fn all_flows_are_conserved() {
    let (_, counters) = outcome(None, 1);
    let Counters { stimulus, readout, mergers, .. } = &counters;
    assert!(stimulus.is_conserved() && readout.is_conserved() && mergers.is_conserved());
    assert!(mergers.dropped_total() > 0, "{mergers:?}");
    assert_eq!(counters.stimulus.sent, 2000);
}
