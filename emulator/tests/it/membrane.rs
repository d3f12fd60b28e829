//! Membranes against analytic results and accurate integration (analog §5.1, §9).

use emulator::{Effect, Effects, Settings};
use hal::config::{AnalogSource, GbitDirection, HicannConfig, SharedParameter, WaferConfig};
use hal::coord::*;
use hal::law;
use hal::value::DacCode;
use hal::wafer::{AdcTrace, Pulses, Wafer};

use crate::support::*;

const OUTPUT: AnalogOnHicann = AnalogOnHicann::new::<0>();
const STEP_S: f64 = 4e-9;

/// Lets the FPGA record neuron block 0 of a chip.
pub(crate) fn record_block_0(chip: &mut HicannConfig) {
    chip.gbit_links.direction[GbitLinkOnHicann::new::<0>()] = GbitDirection::ToDnc;
}

/// Spike times of circuit 0 with these cells.
fn spikes(cell: &Cell, end: u64) -> Vec<u64> {
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), cell);
    fire(&mut chip, neuron(0), address(63));
    record_block_0(&mut chip);
    times(&run(fine(), &wafer([(CHIP, chip)]), &Pulses::new(), end), CHIP)
}

/// The realised circuit of a cell.
fn realised(cell: &Cell) -> law::CircuitParameters {
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), cell);
    law::circuit(&chip.floating_gates, &chip.neurons, neuron(0))
}

#[test]
fn constant_drive_gives_the_analytic_interval_within_a_step() {
    // vectors lif_constant_rate-001, -002 and a slow one
    for (e_l_v, v_t_v, v_reset_v, tau_m_s, tau_ref_s) in
        [(0.9, 0.8, 0.5, 1e-6, 1e-7), (1.0, 0.8, 0.5, 2e-6, 0.0), (0.85, 0.8, 0.6, 1.2e-5, 1e-6)]
    {
        let cell = Cell { tau_m_s, e_l_v, v_t_v, v_reset_v, tau_ref_s, ..Cell::default() };
        let p = realised(&cell);
        let rise = p.tau_m_s * ((p.e_l_v - p.v_reset_v) / (p.e_l_v - p.v_t_v)).ln();
        let expected = (p.tau_ref_s + rise) / STEP_S;
        let times = spikes(&cell, 60_000);
        assert!(times.len() > 3);
        for pair in times[1..].windows(2) {
            let interval = (pair[1] - pair[0]) as f64;
            // the refractory time is rounded, the crossing is found at the end of a step
            assert!((interval - expected).abs() <= 1.0, "{interval} for {expected}");
        }
    }
}

#[test]
fn intervals_are_never_shorter_than_the_refractory_time() {
    let cell = Cell { e_l_v: 1.5, tau_m_s: 6e-7, tau_ref_s: 5e-7, ..Cell::default() };
    let hold = (realised(&cell).tau_ref_s / STEP_S).round() as u64;
    let times = spikes(&cell, 20_000);
    assert!(times.len() > 50);
    assert!(times.windows(2).all(|w| w[1] - w[0] > hold));
}

#[test]
fn a_membrane_below_threshold_rests_where_it_is() {
    let (mut chip, _) = input_chip();
    program(&mut chip, neuron(0), &Cell::default());
    chip.neurons.circuits[neuron(0)].activate_firing = true;
    show(&mut chip, neuron(0));
    let trace = adc(&wafer([(CHIP, chip)]), &Pulses::new(), 20_000);
    assert!(trace.samples.iter().all(|&s| s == trace.samples[0]));
    let rest = realised(&Cell::default()).e_l_v;
    assert!((AdcTrace::volts(trace.samples[0]) - rest).abs() <= 0.5 * 1.8 / 4095.0);
    // 20,000 cycles of 4 ns at 96 MHz, both ends included
    assert_eq!(trace.samples.len(), 7681);
}

/// Shows a top circuit of an even column at the first output.
fn show(chip: &mut HicannConfig, n: NeuronOnHicann) {
    chip.neurons.circuits[n].enable_aout = true;
    chip.analog.source[OUTPUT] = Some(AnalogSource::MembraneTopEven);
}

fn adc(config: &WaferConfig, pulses: &Pulses, end: u64) -> AdcTrace {
    let emulator = run(fine(), config, pulses, end);
    emulator.read_adc(CHIP.dnc(), OUTPUT).expect("an output is connected")
}

/// Highest voltage above rest after one pulse into `driven` synapses of a membrane of `circuits`.
fn epsp(circuits: usize, driven: usize, w: usize) -> f64 {
    let (mut chip, driver) = input_chip();
    join(&mut chip, circuits);
    for i in 0..circuits {
        program(&mut chip, member(i), &Cell::default());
    }
    for block in FgBlockOnHicann::all() {
        let code = DacCode::new::<1023>();
        chip.floating_gates.set_shared(block, SharedParameter::VGmax0, code);
    }
    // upper row, top circuits of both parities
    chip.synapses.drivers[driver].rows[0].decoder = [DriverDecoder::new::<2>(); 2];
    let top = (0..circuits).map(member).filter(|n| n.vertical() == Vertical::Top);
    for n in top.take(driven) {
        set_synapse(&mut chip, synapse(driver, 0, n.column()), 5, w);
    }
    show(&mut chip, neuron(0));
    let link = GbitLinkOnHicann::new::<0>();
    let input = pulses([pulse(CHIP, link, address(37), 500)]);
    let trace = adc(&wafer([(CHIP, chip)]), &input, 3_000);
    let volts = trace.samples.iter().map(|&s| AdcTrace::volts(s));
    volts.fold(f64::MIN, f64::max) - AdcTrace::volts(trace.samples[0])
}

/// The i-th circuit of a membrane: columns ascend, both rows.
fn member(i: usize) -> NeuronOnHicann {
    neuron(256 * (i % 2) + i / 2)
}

/// Joins the first circuits as the original software does (topology §7.2).
fn join(chip: &mut HicannConfig, circuits: usize) {
    for i in 0..circuits {
        let n = member(i);
        let quad = &mut chip.neurons.quads[n.quad()];
        if circuits > 1 {
            quad.vertical[n.column() % 2] = true;
        }
        if circuits > 2 {
            quad.horizontal = [true; 2];
        }
        if n.column() % 2 == 0 && n.column() > 0 && n.vertical() == Vertical::Top {
            chip.neurons.circuits[n].enable_fire_input = true;
        }
    }
}

/// Highest voltage above rest by a fourth-order integration in small steps.
fn accurate_epsp(conductance_s: f64, capacitance_f: f64) -> f64 {
    let p = realised(&Cell::default());
    let leak = p.capacitance_f / p.tau_m_s * (capacitance_f / p.capacitance_f);
    let slope = |t: f64, v: f64| {
        let g = conductance_s * (-t / p.tau_syn_x_s).exp();
        (leak * (p.e_l_v - v) + g * (p.e_synx_v - v)) / capacitance_f
    };
    let (mut v, mut top, h) = (p.e_l_v, p.e_l_v, 5e-10);
    for i in 0..6000 {
        let t = f64::from(i) * h;
        let k1 = slope(t, v);
        let k2 = slope(t + h / 2.0, v + h / 2.0 * k1);
        let k3 = slope(t + h / 2.0, v + h / 2.0 * k2);
        let k4 = slope(t + h, v + h * k3);
        v += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
        top = top.max(v);
    }
    top - p.e_l_v
}

#[test]
fn a_single_epsp_agrees_with_an_accurate_integration() {
    let p = realised(&Cell::default());
    for w in [1, 7, 15] {
        let g = law::synapse_s(weight(w), DacCode::MAX, [hal::value::GmaxDivisor::new::<11>(); 2]);
        let expected = accurate_epsp(g, p.capacitance_f);
        let seen = epsp(1, 1, w);
        // the ADC has steps of 0.44 mV and 10 ns
        assert!((seen - expected).abs() < 0.5e-3, "weight {w}: {seen} for {expected}");
    }
}

#[test]
fn joined_circuits_with_as_many_driven_synapses_give_the_same_epsp() {
    let reference = epsp(2, 1, 15);
    assert!(reference > 0.03);
    for circuits in [4, 8] {
        let joined = epsp(circuits, circuits / 2, 15);
        assert!((joined - reference).abs() < 0.5e-3, "{circuits}: {joined} for {reference}");
    }
}

#[test]
fn joining_a_second_circuit_halves_the_epsp_of_one_synapse() {
    let ratio = epsp(2, 1, 1) / epsp(1, 1, 1);
    assert!((ratio - 0.5).abs() < 0.05, "{ratio}");
}

/// How far many weak events raise a membrane.
fn plateau(effects: Effects) -> f64 {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell::default());
    for block in FgBlockOnHicann::all() {
        chip.floating_gates.set_shared(block, SharedParameter::VGmax0, DacCode::new::<20>());
    }
    chip.synapses.drivers[driver].rows[0].decoder = [DriverDecoder::new::<2>(); 2];
    set_synapse(&mut chip, synapse(driver, 0, neuron(0).column()), 5, 1);
    show(&mut chip, neuron(0));
    let link = GbitLinkOnHicann::new::<0>();
    let input = pulses((20..200).map(|i| pulse(CHIP, link, address(37), 25 * i)));
    let emulator = run(Settings { effects, ..fine() }, &wafer([(CHIP, chip)]), &input, 5_000);
    let trace = emulator.read_adc(CHIP.dnc(), OUTPUT).expect("an output is connected");
    let volts: Vec<f64> = trace.samples.iter().map(|&s| AdcTrace::volts(s)).collect();
    let end = &volts[volts.len() * 3 / 4..];
    end.iter().sum::<f64>() / end.len() as f64 - volts[0]
}

#[test]
fn what_is_far_from_its_bounds_does_not_feel_them() {
    let free = plateau(Effects::NONE);
    assert!(free > 4e-3, "{free}");
    for effect in [Effect::OtaSaturation, Effect::FiniteReset, Effect::SynapseSaturation] {
        let bounded = plateau(effect.into());
        assert!((bounded - free).abs() < 0.3e-3, "{effect:?}: {bounded} for {free}");
    }
}

/// Spike counts of circuits that share one membrane, by address.
fn counts(chip: HicannConfig, addresses: &[usize]) -> Vec<usize> {
    let emulator = run(fine(), &wafer([(CHIP, chip)]), &Pulses::new(), 20_000);
    let all = recorded(&emulator).remove(&CHIP.fpga()).unwrap_or_default();
    let of = |a: &usize| all.iter().filter(|p| p.label.address == address(*a)).count();
    addresses.iter().map(of).collect()
}

#[test]
fn the_firing_circuit_decides_threshold_reset_and_refractory_time() {
    let strong = Cell { e_l_v: 1.0, ..Cell::default() };
    let other = Cell { v_t_v: 1.2, v_reset_v: 0.7, tau_ref_s: 1e-6, ..strong };
    let alone = spikes(&strong, 20_000);
    let mut chip = HicannConfig::default();
    join(&mut chip, 2);
    program(&mut chip, member(1), &other);
    program(&mut chip, member(0), &strong);
    fire(&mut chip, member(0), address(63));
    record_block_0(&mut chip);
    let joined = times(&run(fine(), &wafer([(CHIP, chip)]), &Pulses::new(), 20_000), CHIP);
    assert_eq!(joined, alone);
}

#[test]
fn every_comparator_that_is_reached_sends_and_the_lowest_resets() {
    let cell = Cell { e_l_v: 1.0, ..Cell::default() };
    let mut chip = HicannConfig::default();
    join(&mut chip, 4);
    for (i, v_t_v) in [0.9, 0.9, 0.95].into_iter().enumerate() {
        program(&mut chip, member(i), &Cell { v_t_v, ..cell });
        fire(&mut chip, member(i), address(63 - i));
    }
    program(&mut chip, member(3), &cell);
    record_block_0(&mut chip);
    let seen = counts(chip, &[63, 62, 61]);
    assert!(seen[0] > 10);
    // the run starts at the leak potential, which lies above all three
    assert_eq!(seen, [seen[0], seen[0], 1]);
}

#[test]
fn circuits_across_quads_are_joined_by_the_fire_input_of_either() {
    // column 1 takes from the right, column 2 from the left
    for taker in [1, 2] {
        let mut chip = HicannConfig::default();
        let slow = Cell { e_l_v: 0.7, ..Cell::default() };
        let fast = Cell { e_l_v: 1.3, ..Cell::default() };
        program(&mut chip, neuron(1), &slow);
        program(&mut chip, neuron(2), &fast);
        for (i, n) in [neuron(1), neuron(2)].into_iter().enumerate() {
            fire(&mut chip, n, address(63 - i));
        }
        record_block_0(&mut chip);
        let apart = counts(chip.clone(), &[63, 62]);
        assert!(apart[0] == 0 && apart[1] > 0);
        chip.neurons.circuits[neuron(taker)].enable_fire_input = true;
        let joined = counts(chip, &[63, 62]);
        assert!(joined[0] == joined[1] && joined[0] > 0, "{joined:?}");
        assert!(joined[0] < apart[1]);
    }
}

#[test]
fn inhibition_lowers_and_excitation_raises_the_rate() {
    let rate = |row: Option<usize>| {
        let (mut chip, driver) = input_chip();
        program(&mut chip, neuron(0), &Cell { e_l_v: 0.95, ..Cell::default() });
        fire(&mut chip, neuron(0), address(63));
        let bus = DncMergerOnHicann::new::<1>();
        chip.gbit_links.direction[bus.gbit_link()] = GbitDirection::ToDnc;
        chip.mergers.tree[MergerOnHicann::new::<8>()].mode = hal::config::MergerMode::Merge;
        if let Some(row) = row {
            set_synapse(&mut chip, synapse(driver, row, 0), 5, 4);
        }
        let link = GbitLinkOnHicann::new::<0>();
        let input = pulses((0..150).map(|i| pulse(CHIP, link, address(37), 100 + 100 * i)));
        let emulator = run(fine(), &wafer([(CHIP, chip)]), &input, 16_000);
        emulator.counters().neuron_spikes
    };
    let (free, excited, inhibited) = (rate(None), rate(Some(0)), rate(Some(1)));
    assert!(inhibited < free && free < excited, "{inhibited} {free} {excited}");
}
