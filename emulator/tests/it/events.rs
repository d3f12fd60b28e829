//! Events on their way: arbitration, locking, background events, jitter.

use emulator::{Effect, EffectGroup, Effects, Settings};
use hal::config::{BackgroundGenerator, GbitDirection, HicannConfig, MergerMode};
use hal::coord::*;
use hal::wafer::{DropCause, Pulses, Wafer};

use crate::support::*;

const MERGER: DncMergerOnHicann = DncMergerOnHicann::new::<0>();

fn with(effects: impl Into<Effects>) -> Settings {
    Settings { effects: effects.into(), ..fine() }
}

/// The generator of block 0 sends locking events once per microsecond.
fn lock(chip: &mut HicannConfig) {
    chip.mergers.background[BackgroundGeneratorOnHicann::new::<0>()] = BackgroundGenerator {
        enable: true,
        period: 124,
        address: L1Address::BACKGROUND,
        ..BackgroundGenerator::default()
    };
}

/// Sixteen circuits of block 0 that fire together, each heard by one synapse of its chip.
fn busy(interval_s: f64) -> HicannConfig {
    let mut chip = HicannConfig::default();
    release(&mut chip);
    lock(&mut chip);
    let cell =
        Cell { e_l_v: 1.7, v_t_v: 0.55, tau_m_s: 5.5e-7, tau_ref_s: interval_s, ..Cell::default() };
    let driver = lead_to_driver(&mut chip, MERGER);
    for i in 0..16 {
        program(&mut chip, neuron(i), &cell);
        fire(&mut chip, neuron(i), address(63 - i));
        // upper bits 3: odd columns; lower bit 1 is the address that synapses are switched off by
        set_synapse(&mut chip, synapse(driver, 0, 101 + 2 * i), 15 - i, 1);
        program(&mut chip, neuron(101 + 2 * i), &Cell::default());
    }
    chip.gbit_links.direction[MERGER.gbit_link()] = GbitDirection::ToDnc;
    chip
}

#[test]
fn a_chip_driven_at_30_million_events_records_25_and_delivers_all() {
    let config = wafer([(CHIP, busy(4.9e-7))]);
    let end = 250_000;
    let seconds = 1e-3;
    let emulator = run(with(Effects::of(EffectGroup::Timing)), &config, &Pulses::new(), end);
    let counters = emulator.counters();
    let driven = counters.neuron_spikes as f64 / seconds;
    assert!((28e6..32e6).contains(&driven), "{driven}");
    let recorded = counters.readout.delivered as f64 / seconds;
    assert!((recorded / 25e6 - 1.0).abs() < 0.02, "{recorded}");
    assert_eq!(times(&emulator, CHIP).len() as u64, counters.readout.delivered);
    assert!(counters.synaptic_events as f64 >= 0.99 * counters.neuron_spikes as f64);
    let mergers = &counters.mergers;
    assert!(mergers.delivered as f64 >= 0.99 * mergers.sent as f64);
    for flow in [&counters.stimulus, &counters.readout, mergers] {
        assert!(flow.is_conserved(), "{flow:?}");
    }
    // sixteen events share an encoder that takes one per 16 ns: the last waits 240 ns and more
    let waiting = counters.waiting;
    assert!((100e-9..200e-9).contains(&waiting.mean_s()), "{waiting:?}");
    assert!(waiting.p99_s() >= 240e-9, "{waiting:?}");
}

#[test]
fn without_arbitration_nothing_waits() {
    let config = wafer([(CHIP, busy(1e-6))]);
    let emulator = run(fine(), &config, &Pulses::new(), 10_000);
    assert_eq!(emulator.counters().mergers, hal::wafer::Flow::default());
    assert_eq!(emulator.counters().waiting, hal::wafer::Waiting::default());
    let timed = run(with(Effect::Arbitration), &config, &Pulses::new(), 10_000);
    // the same events in the same intervals, recorded when they are on the bus
    let (free, waited) = (times(&emulator, CHIP), times(&timed, CHIP));
    assert_eq!(free.len(), waited.len());
    assert!(free.iter().zip(&waited).all(|(a, b)| a <= b && *b <= a + 70));
    assert_ne!(free, waited);
}

#[test]
fn overloaded_encoders_lose_events_with_their_cause() {
    // 64 circuits of a block can send 62.5 million events per second together
    let mut chip = HicannConfig::default();
    let wild =
        Cell { e_l_v: 1.7, v_t_v: 0.55, tau_m_s: 5.5e-7, tau_ref_s: 2e-8, ..Cell::default() };
    for i in 0..64 {
        let n = neuron(256 * (i / 32) + i % 32);
        program(&mut chip, n, &wild);
        fire(&mut chip, n, address(63 - i));
    }
    chip.gbit_links.direction[MERGER.gbit_link()] = GbitDirection::ToDnc;
    let emulator = run(with(Effect::Arbitration), &wafer([(CHIP, chip)]), &Pulses::new(), 25_000);
    let counters = emulator.counters();
    let rate = counters.mergers.delivered as f64 / 100e-6;
    assert!((rate / 62.5e6 - 1.0).abs() < 0.02, "{rate}");
    assert!(counters.mergers.dropped[&DropCause::EncoderBusy] > 1000);
    assert!(counters.mergers.is_conserved() && counters.readout.is_conserved());
}

#[test]
fn buses_without_a_generator_do_not_lock() {
    let locked = busy(1e-6);
    let mut silent = locked.clone();
    for generator in silent.mergers.background.values_mut() {
        generator.enable = false;
    }
    let events = |chip: &HicannConfig, effects: Effects| {
        let config = wafer([(CHIP, chip.clone())]);
        run(with(effects), &config, &Pulses::new(), 5_000).counters()
    };
    let locking = Effects::from(Effect::DllLocking);
    assert!(events(&locked, locking).synaptic_events > 100);
    let unlocked = events(&silent, locking);
    assert_eq!(unlocked.synaptic_events, 0);
    // the FPGA is not on L1
    assert!(unlocked.readout.delivered > 100);
    assert!(events(&silent, Effects::NONE).synaptic_events > 100);
    // a generator whose merger does not pass it on does not help
    let mut blocked = locked;
    blocked.mergers.tree[MergerOnHicann::new::<0>()].mode = MergerMode::RightOnly;
    assert_eq!(events(&blocked, locking).synaptic_events, 0);
}

#[test]
fn locking_events_reach_synapses_that_answer_to_their_address() {
    let mut chip = HicannConfig::default();
    release(&mut chip);
    lock(&mut chip);
    let driver = lead_to_driver(&mut chip, MERGER);
    chip.synapses.drivers[driver].rows[0].decoder = [DriverDecoder::new::<0>(); 2];
    set_synapse(&mut chip, synapse(driver, 0, 4), 0, 3);
    program(&mut chip, neuron(4), &Cell::default());
    let config = wafer([(CHIP, chip)]);
    let events =
        |effects| run(with(effects), &config, &Pulses::new(), 25_000).counters().synaptic_events;
    assert_eq!(events(Effects::NONE), 0);
    // one per microsecond; the last one is still on its way
    assert_eq!(events(Effect::BackgroundEvents.into()), 99);
    let both = Effects::from(Effect::BackgroundEvents).with(Effect::Arbitration.into(), true);
    assert_eq!(events(both), 99);
}

#[test]
fn jitter_moves_arrivals_and_loses_none() {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell { v_t_v: 0.72, ..Cell::default() });
    fire(&mut chip, neuron(0), address(63));
    chip.gbit_links.direction[GbitLinkOnHicann::new::<1>()] = GbitDirection::ToDnc;
    for m in [8, 9] {
        let merger = MergerOnHicann::from_index(m).expect("a merger of the tree");
        chip.mergers.tree[merger].mode = MergerMode::Merge;
    }
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 15);
    let config = wafer([(CHIP, chip)]);
    let link = GbitLinkOnHicann::new::<0>();
    let input = pulses((0..40).map(|i| pulse(CHIP, link, address(37), 500 + 600 * i)));
    let outcome = |effects: Effects| {
        let emulator = run(with(effects), &config, &input, 25_000);
        (times(&emulator, CHIP), emulator.counters().synaptic_events)
    };
    let (still, events) = outcome(Effects::NONE);
    let (moved, same) = outcome(Effect::L1Jitter.into());
    assert!(still.len() >= 40 && still.len() == moved.len());
    assert_eq!(events, same);
    let late = still.iter().zip(&moved).map(|(a, b)| b.abs_diff(*a));
    assert!(late.clone().all(|d| d <= 8) && late.filter(|d| *d > 0).count() > 10);
}

#[test]
fn an_fpga_sends_125_million_events_per_second() {
    // in equal parts to the eight chips of a reticle, as fast as the playback goes
    let dnc = CHIP.dnc();
    let chips: Vec<HicannOnWafer> = HicannOnDnc::all().map(|h| dnc.hicann(h)).collect();
    let config = wafer(chips.iter().map(|&h| (h, input_chip().0)));
    let link = GbitLinkOnHicann::new::<0>();
    let count = 100_000;
    let input =
        pulses((0..count).map(|i| pulse(chips[i % 8], link, address(37), 100 + 2 * i as u64)));
    // 0.8 ms, and the time by which the last ones leave late
    let emulator = run(with(Effects::of(EffectGroup::Timing)), &config, &input, 207_000);
    let counters = emulator.counters();
    let flow = &counters.stimulus;
    assert_eq!((flow.sent, flow.delivered), (count as u64, count as u64), "{flow:?}");
    assert_eq!((counters.mergers.dropped_total(), counters.mergers.pending), (0, 0));
    // groups of 184 pulses with gaps of 6 cycles of 8 ns: 121 million per second
    let released = &emulator.released_stimulus()[&CHIP.fpga()];
    let span_s = (released[count - 1].time.0 - released[0].time.0) as f64 * 4e-9;
    let rate = count as f64 / span_s;
    assert!((rate / (125e6 * 184.0 / 190.0) - 1.0).abs() < 0.01, "{rate}");
}

#[test]
fn pulses_at_the_same_time_wait_for_their_merger() {
    // all addresses of a bus at once: the link brings one per 56 ns, and nothing is lost
    let config = wafer([(CHIP, input_chip().0)]);
    let link = GbitLinkOnHicann::new::<0>();
    let together = |n: usize| {
        pulses(
            (0..n * 20).map(|i| pulse(CHIP, link, address(2 + i % n), 500 + 1000 * (i / n) as u64)),
        )
    };
    let timing = Effects::of(EffectGroup::Timing);
    let emulator = run(with(timing), &config, &together(16), 25_000);
    let counters = emulator.counters();
    assert_eq!((counters.stimulus.delivered, counters.mergers.delivered), (320, 320));
    // without the link in front, eleven find room
    let emulator = run(with(Effect::Arbitration), &config, &together(16), 25_000);
    let mergers = emulator.counters().mergers;
    assert_eq!(mergers.delivered, 20 * 11);
    assert_eq!(mergers.dropped[&DropCause::ReleaseBufferFull], 20 * 5);
}
