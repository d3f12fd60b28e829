//! Links between FPGA and chips: bandwidth, losses, conservation (topology §8.2).

use std::ops::ControlFlow;

use emulator::{Effect, Effects, Settings};
use hal::config::{BackgroundGenerator, GbitDirection, HicannConfig, MergerMode, WaferConfig};
use hal::coord::*;
use hal::wafer::{DncCycles, DropCause, Flow, Pulses, Wafer, WaferError};

use crate::support::*;

const LINK: GbitLinkOnHicann = GbitLinkOnHicann::new::<0>();

fn with(effect: Effect) -> Settings {
    Settings { effects: effect.into(), ..fine() }
}

fn input_wafer() -> WaferConfig {
    let (chip, _) = input_chip();
    wafer([(CHIP, chip)])
}

/// Pulses for one link of the chip at these times.
fn train(times: impl IntoIterator<Item = u64>) -> Pulses {
    pulses(times.into_iter().map(|t| pulse(CHIP, LINK, address(37), t)))
}

#[test]
fn without_effects_pulses_are_released_exactly_at_their_time_stamp() {
    let input = train((0..2000).map(|i| 100 + 2 * i));
    let emulator = run(fine(), &input_wafer(), &input, 10_000);
    assert_eq!(emulator.released_stimulus(), input);
    let flow = emulator.counters().stimulus;
    assert_eq!(flow, Flow { sent: 2000, delivered: 2000, ..Flow::default() });
}

#[test]
fn a_link_delivers_17_8_million_events_per_second() {
    // 20 M events/s for 2 ms: one per 12.5 cycles
    let input = train((0..40_000).map(|i| 100 + i * 25 / 2));
    let end = 500_400;
    let emulator = run(with(Effect::LinkBandwidth), &input_wafer(), &input, end);
    let flow = emulator.counters().stimulus;
    let rate = flow.delivered as f64 / 2e-3;
    assert!((rate / 17.8e6 - 1.0).abs() < 0.02, "{rate}");
    assert!(flow.is_conserved());
    assert_eq!(flow.dropped_total(), flow.dropped[&DropCause::StimulusLinkFull]);
    // nothing is released before its stamp, nor closer than the link allows once it is late
    let released = &emulator.released_stimulus()[&CHIP.fpga()];
    assert_eq!(released.len() as u64, flow.delivered);
    assert!(released[1000..].windows(2).all(|w| w[1].time.0 - w[0].time.0 == 14));
}

#[test]
fn loopback_sends_pulses_back_by_the_link_of_the_partner() {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell::default());
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 1);
    let partner = GbitLinkOnHicann::new::<1>();
    let times = [200, 300, 1000];
    for (direction, back) in [(GbitDirection::ToDnc, 3), (GbitDirection::Off, 0)] {
        chip.mergers.dnc[LINK.dnc_merger()].loopback = true;
        chip.gbit_links.direction[partner] = direction;
        for effects in [Effects::NONE, Effect::Arbitration.into()] {
            let settings = Settings { effects, ..fine() };
            let emulator = run(settings, &wafer([(CHIP, chip.clone())]), &train(times), 5_000);
            let events = recorded(&emulator).remove(&CHIP.fpga()).unwrap_or_default();
            assert_eq!(events.len(), back);
            for (event, time) in events.iter().zip(times) {
                let label =
                    PulseLabel { link: CHIP.link(), gbit_link: partner, address: address(37) };
                assert_eq!((event.time.0, event.label), (time, label));
            }
            assert_eq!(emulator.counters().synaptic_events, 0);
            assert_eq!(emulator.counters().stimulus.delivered, 3);
        }
    }
}

#[test]
fn slow_trains_pass_the_link_unchanged() {
    let input = train((0..2000).map(|i| 100 + 14 * i));
    let emulator = run(with(Effect::LinkBandwidth), &input_wafer(), &input, 30_000);
    assert_eq!(emulator.released_stimulus(), input);
}

#[test]
fn pulses_for_closed_doors_are_counted() {
    let closed: [fn(&mut HicannConfig); 3] = [
        |c| c.gbit_links.direction[LINK] = GbitDirection::Off,
        |c| c.gbit_links.direction[LINK] = GbitDirection::ToDnc,
        |c| c.mergers.dnc[LINK.dnc_merger()].mode = MergerMode::RightOnly,
    ];
    for close in closed {
        let (mut chip, _) = input_chip();
        close(&mut chip);
        let config = wafer([(CHIP, chip)]);
        let emulator = run(fine(), &config, &train([100, 200]), 1000);
        let flow = emulator.counters().stimulus;
        assert_eq!(flow.dropped[&DropCause::StimulusLinkClosed], 2);
        assert!(flow.is_conserved());
        assert!(emulator.released_stimulus().is_empty());
    }
}

#[test]
fn pulses_that_are_late_beyond_the_end_are_pending() {
    let emulator = run(with(Effect::LinkBandwidth), &input_wafer(), &train([992; 8]), 1000);
    let flow = emulator.counters().stimulus;
    assert!(flow.pending > 0);
    assert!(flow.is_conserved());
}

/// A chip whose 16 circuits fire as fast as they can onto one recorded bus.
fn busy_chip(interval_s: f64, circuits: usize) -> HicannConfig {
    let mut chip = HicannConfig::default();
    let cell =
        Cell { e_l_v: 1.7, v_t_v: 0.55, tau_m_s: 5.5e-7, tau_ref_s: interval_s, ..Cell::default() };
    for i in 0..circuits {
        program(&mut chip, neuron(i), &cell);
        fire(&mut chip, neuron(i), address(63 - i));
    }
    chip.gbit_links.direction[LINK] = GbitDirection::ToDnc;
    chip
}

#[test]
fn a_link_records_25_million_events_per_second() {
    // events of all circuits come together; 16 of them fit into the buffer
    let config = wafer([(CHIP, busy_chip(4.9e-7, 16))]);
    let end = 250_000;
    let free = run(fine(), &config, &Pulses::new(), end);
    let sent = free.counters().readout;
    let rate = sent.sent as f64 / 1e-3;
    assert!(rate > 28e6, "{rate}");
    assert_eq!(sent.delivered, sent.sent);
    assert_eq!(times(&free, CHIP).len() as u64, sent.sent);

    let limited = run(with(Effect::ReadoutBandwidth), &config, &Pulses::new(), end);
    let flow = limited.counters().readout;
    let rate = flow.delivered as f64 / 1e-3;
    assert!((rate / 25e6 - 1.0).abs() < 0.02, "{rate}");
    assert_eq!(flow.sent, sent.sent);
    assert!(flow.dropped[&DropCause::ReadoutLinkFull] > 0);
    assert!(flow.is_conserved());
    assert_eq!(times(&limited, CHIP).len() as u64, flow.delivered);
}

#[test]
fn copies_of_an_event_are_recorded_on_every_open_link() {
    let mut chip = busy_chip(1e-6, 1);
    for merger in MergerOnHicann::all().filter(|m| (8..12).contains(&m.index())) {
        chip.mergers.tree[merger].mode = MergerMode::Merge;
    }
    chip.gbit_links.direction[GbitLinkOnHicann::new::<1>()] = GbitDirection::ToDnc;
    let emulator = run(fine(), &wafer([(CHIP, chip)]), &Pulses::new(), 5_000);
    let counters = emulator.counters();
    assert!(counters.neuron_spikes > 10);
    assert_eq!(counters.readout.delivered, 2 * counters.neuron_spikes);
    let events = &recorded(&emulator)[&CHIP.fpga()];
    for pair in events.chunks(2) {
        assert_eq!(pair[0].time, pair[1].time);
        assert_ne!(pair[0].label.gbit_link, pair[1].label.gbit_link);
    }
}

#[test]
fn background_events_excite_but_are_not_recorded() {
    let (mut chip, driver) = input_chip();
    chip.gbit_links.direction[LINK] = GbitDirection::ToDnc;
    chip.mergers.background[BackgroundGeneratorOnHicann::new::<0>()] = BackgroundGenerator {
        enable: true,
        period: 124,
        address: address(37),
        ..BackgroundGenerator::default()
    };
    program(&mut chip, neuron(0), &Cell::default());
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 1);
    let emulator = run(fine(), &wafer([(CHIP, chip)]), &Pulses::new(), 25_000);
    let counters = emulator.counters();
    // one per 125 clocks of 8 ns; the last ones have not arrived
    assert_eq!(counters.synaptic_events, 99);
    assert_eq!(counters.readout.sent, 0);
}

#[test]
fn a_stopped_run_keeps_what_it_has_and_says_where_it_stopped() {
    let config = wafer([(CHIP, busy_chip(1e-6, 2))]);
    let full = run(fine(), &config, &Pulses::new(), 100_000);
    let mut emulator = load(fine(), &config, &Pulses::new(), 100_000).expect("loads");
    let mut calls = 0;
    let stopped = emulator.run(&mut |progress| {
        assert_eq!(progress.end, DncCycles(100_000));
        calls += 1;
        if calls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let Err(WaferError::Stopped { at }) = stopped else { panic!("{stopped:?}") };
    assert!(at.0 > 0 && at.0 < 100_000);
    let kept = times(&emulator, CHIP);
    let expected: Vec<u64> = times(&full, CHIP).into_iter().filter(|t| *t <= at.0).collect();
    assert_eq!(kept, expected);
    assert!(emulator.counters().readout.is_conserved());
}

#[test]
fn what_needs_a_run_says_so() {
    let mut emulator = emulator::Emulator::new(fine());
    let ready = |r: Result<(), WaferError>| !matches!(r, Err(WaferError::NotReady { .. }));
    assert!(!ready(emulator.run(&mut |_| ControlFlow::Continue(()))));
    assert!(!ready(emulator.read_trace().map(drop)));
    assert!(!ready(emulator.read_adc(CHIP.dnc(), AnalogOnHicann::new::<0>()).map(drop)));
    let emulator = run(fine(), &input_wafer(), &Pulses::new(), 100);
    let adc = emulator.read_adc(CHIP.dnc(), AnalogOnHicann::new::<0>());
    assert!(matches!(adc, Err(WaferError::NothingConnected { .. })));
}

#[test]
fn two_chips_on_one_output_are_refused() {
    let output = AnalogOnHicann::new::<1>();
    let shows = || {
        let mut chip = HicannConfig::default();
        chip.analog.source[output] = Some(hal::config::AnalogSource::MembraneTopEven);
        chip
    };
    let [a, b] = [0, 5]
        .map(|i| CHIP.dnc().hicann(HicannOnDnc::from_index(i).expect("eight chips on a reticle")));
    let refused = load(fine(), &wafer([(a, shows()), (b, shows())]), &Pulses::new(), 100);
    let message = refused.expect_err("a conflict").to_string();
    assert!(message.contains(&a.to_string()) && message.contains("A1"), "{message}");
}

#[test]
fn weight_offset_makes_synapses_of_weight_zero_conduct() {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell::default());
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 0);
    let config = wafer([(CHIP, chip)]);
    let input = train([200]);
    let events = |effects| {
        let settings = Settings { effects, ..fine() };
        run(settings, &config, &input, 1000).counters().synaptic_events
    };
    assert_eq!(events(Effects::NONE), 0);
    assert_eq!(events(Effect::WeightOffset.into()), 1);
}
