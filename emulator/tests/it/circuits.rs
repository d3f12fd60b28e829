//! What circuits do beyond the nominal equation: saturation, finite reset, current stimulus,
//! short-term plasticity.

use std::ops::ControlFlow;

use emulator::{Effect, Effects, Settings};
use hal::config::{
    AnalogSource, CurrentStimulus, HicannConfig, NeuronParameter, SharedParameter, StpMode,
    WaferConfig,
};
use hal::coord::*;
use hal::law;
use hal::value::{DacCode, GmaxDivisor, PulseLength, StimulusSample, StpCapacitor};
use hal::wafer::{AdcTrace, DncCycles, Pulses, Wafer};

use crate::support::*;

const OUTPUT: AnalogOnHicann = AnalogOnHicann::new::<0>();
const LINK: GbitLinkOnHicann = GbitLinkOnHicann::new::<0>();

/// The membrane of circuit 0, in volts, at 96 MHz.
fn membrane(
    chip: &HicannConfig,
    effects: impl Into<Effects>,
    input: &Pulses,
    end: u64,
) -> Vec<f64> {
    let mut chip = chip.clone();
    chip.neurons.circuits[neuron(0)].enable_aout = true;
    chip.analog.source[OUTPUT] = Some(AnalogSource::MembraneTopEven);
    let config: WaferConfig = wafer([(CHIP, chip)]);
    let settings = Settings { effects: effects.into(), ..fine() };
    let emulator = run(settings, &config, input, end);
    let trace = emulator.read_adc(CHIP.dnc(), OUTPUT).expect("a membrane");
    trace.samples.iter().map(|&raw| AdcTrace::volts(raw)).collect()
}

fn train(times: impl IntoIterator<Item = u64>) -> Pulses {
    pulses(times.into_iter().map(|t| pulse(CHIP, LINK, address(37), t)))
}

/// A chip whose circuit 0 hears pulses over an excitatory synapse of weight 15.
fn listening() -> (HicannConfig, SynapseDriverOnHicann) {
    let (mut chip, driver) = input_chip();
    program(&mut chip, neuron(0), &Cell { tau_m_s: 6e-7, ..Cell::default() });
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 15);
    // the strongest row: divisors of 1
    chip.synapses.drivers[driver].rows[0].gmax_divisor = [GmaxDivisor::new::<1>(); 2];
    (chip, driver)
}

fn highest(trace: &[f64]) -> f64 {
    trace.iter().copied().fold(f64::MIN, f64::max) - trace[0]
}

#[test]
fn synaptic_inputs_saturate_and_small_ones_hardly() {
    let (mut chip, driver) = listening();
    let effect = Effect::SynapseSaturation;
    let one = train([500]);
    let ideal = highest(&membrane(&chip, Effects::NONE, &one, 2000));
    let real = highest(&membrane(&chip, effect, &one, 2000));
    // 21 uS against a limit of 7.8 uS
    assert!(real < 0.85 * ideal && real > 0.3 * ideal, "{real} of {ideal}");
    // a lower bias lowers the limit
    let code = DacCode::new::<256>();
    chip.floating_gates.set_neuron(neuron(0), NeuronParameter::IConvx, code);
    let low = highest(&membrane(&chip, effect, &one, 2000));
    assert!(low < 0.7 * real, "{low} of {real}");
    // a weak synapse stays as it is
    chip.synapses.drivers[driver].rows[0].gmax_divisor = [GmaxDivisor::new::<15>(); 2];
    chip.floating_gates.set_neuron(neuron(0), NeuronParameter::IConvx, DacCode::MAX);
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 1);
    let (ideal, real) = (
        highest(&membrane(&chip, Effects::NONE, &one, 2000)),
        highest(&membrane(&chip, effect, &one, 2000)),
    );
    assert!((real - ideal).abs() <= 0.02 * ideal + 1e-3, "{real} of {ideal}");
}

#[test]
fn the_leak_is_weaker_far_from_its_potential() {
    // down from a reset potential 0.4 V below the leak potential: slower where the leak saturates
    let cell = Cell { e_l_v: 1.0, v_t_v: 0.99, v_reset_v: 0.5, ..Cell::default() };
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), &cell);
    fire(&mut chip, neuron(0), address(63));
    let count = |effects: Effects| {
        let settings = Settings { effects, ..fine() };
        run(settings, &wafer([(CHIP, chip.clone())]), &Pulses::new(), 100_000)
            .counters()
            .neuron_spikes
    };
    let (ideal, real) = (count(Effects::NONE), count(Effect::OtaSaturation.into()));
    assert!(ideal > 50 && real < ideal && real > ideal * 9 / 10, "{real} of {ideal}");
}

#[test]
fn a_reset_takes_time() {
    let cell = Cell { e_l_v: 1.2, v_t_v: 0.9, v_reset_v: 0.5, tau_ref_s: 5e-7, ..Cell::default() };
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), &cell);
    fire(&mut chip, neuron(0), address(63));
    let floor = |v: &[f64]| v.iter().copied().fold(f64::MAX, f64::min);
    // samples between threshold and reset: none if the reset is instant, but for interpolation
    let between = |v: &[f64]| {
        let falls = v.windows(2).filter(|w| w[1] < w[0] - 0.005).count();
        let resets = v.windows(2).filter(|w| w[1] < w[0] - 0.1).count().max(1);
        falls as f64 / resets as f64
    };
    let none = Pulses::new();
    let instant = membrane(&chip, Effects::NONE, &none, 5_000);
    let finite = membrane(&chip, Effect::FiniteReset, &none, 5_000);
    assert!(between(&instant) <= 2.0, "{}", between(&instant));
    assert!(between(&finite) > 2.5, "{}", between(&finite));
    assert!((floor(&finite) - 0.5).abs() < 0.01);
    // with a weak bias the refractory period is over before the reset potential is reached
    for block in FgBlockOnHicann::all() {
        chip.floating_gates.set_shared(block, SharedParameter::IBreset, DacCode::new::<10>());
    }
    let weak = membrane(&chip, Effect::FiniteReset, &none, 5_000);
    assert!(floor(&weak) > 0.55, "{}", floor(&weak));
}

#[test]
fn a_current_stimulus_charges_the_membrane() {
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(0), &Cell::default());
    chip.neurons.circuits[neuron(0)].enable_current_input = true;
    let block = neuron(0).shared_fg_block();
    let stimulus = CurrentStimulus {
        samples: Table::from_fn(|s: StimulusSample| {
            // on in the second half of the period
            if s.index() < 64 { DacCode::default() } else { DacCode::new::<100>() }
        }),
        continuous: true,
        pulse_length: PulseLength::new::<9>(),
    };
    chip.current_stimuli[block] = stimulus.clone();
    // a sample lasts 4 x 10 clocks of 8 ns, a period 129 samples: 41.28 us
    let trace = membrane(&chip, Effects::NONE, &Pulses::new(), 26_000);
    let p = law::circuit(&chip.floating_gates, &chip.neurons, neuron(0));
    let shift = law::amperes(DacCode::new::<100>()) * p.tau_m_s / p.capacitance_f;
    let at = |us: f64| trace[(us * 96.0) as usize];
    assert!((at(19.0) - p.e_l_v).abs() < 1e-3, "{}", at(19.0));
    assert!((at(40.0) - p.e_l_v - shift).abs() < 0.01 * shift + 1e-3, "{}", at(40.0));
    assert!((at(60.0) - p.e_l_v).abs() < 1e-3, "{}", at(60.0));
    assert!((at(80.0) - p.e_l_v - shift).abs() < 0.01 * shift + 1e-3, "{}", at(80.0));
    // once only
    chip.current_stimuli[block].continuous = false;
    let trace = membrane(&chip, Effects::NONE, &Pulses::new(), 26_000);
    assert!((trace[80 * 96] - p.e_l_v).abs() < 1e-3);
}

/// Heights of the potentials that five pulses cause, relative to the first one.
fn heights(chip: &HicannConfig) -> Vec<f64> {
    // 16 us apart: the potentials of 1 us do not meet
    let trace = membrane(chip, Effects::NONE, &train((0..5).map(|i| 500 + 4000 * i)), 25_000);
    let rest = trace[0];
    let peaks: Vec<f64> = (0..5)
        .map(|i| {
            let first = (500 + 4000 * i) * 96 / 250;
            trace[first..first + 500].iter().copied().fold(f64::MIN, f64::max) - rest
        })
        .collect();
    peaks.iter().map(|p| p / peaks[0]).collect()
}

#[test]
fn drivers_with_short_term_plasticity_depress_or_facilitate() {
    let (mut chip, driver) = listening();
    chip.synapses.drivers[driver].rows[0].gmax_divisor = [GmaxDivisor::new::<11>(); 2];
    // weak enough for potentials in proportion to conductances
    set_synapse(&mut chip, synapse(driver, 0, 0), 5, 5);
    assert!(heights(&chip).iter().all(|h| (h - 1.0).abs() < 0.03));
    let settings = &mut chip.synapses.drivers[driver];
    settings.stp_enable = true;
    settings.stp_mode = StpMode::Depression;
    settings.stp_capacitor = StpCapacitor::new::<7>();
    // without strength nothing happens
    assert!(heights(&chip).iter().all(|h| (h - 1.0).abs() < 0.03));
    let gates = &mut chip.floating_gates;
    for block in FgBlockOnHicann::all() {
        // 1 V: lambda 1; code 5: 104 us
        gates.set_shared(block, SharedParameter::VStdf, DacCode::new::<568>());
        gates.set_shared(block, SharedParameter::VDtc, DacCode::new::<5>());
    }
    // the inactive share after each event: I' = I exp(-16/104), I = I' + 0.4 (1 - I')
    let mut inactive = 0.0_f64;
    let expected: Vec<f64> = (0..5)
        .map(|_| {
            let found = inactive * (-16.0_f64 / 104.0).exp();
            inactive = found + 0.4 * (1.0 - found);
            1.0 - found
        })
        .collect();
    for (seen, factor) in heights(&chip).iter().zip(&expected) {
        assert!((seen - factor).abs() < 0.04, "{seen} for {factor}");
    }
    // facilitation from N_fac = 0.5 on
    chip.synapses.drivers[driver].stp_mode = StpMode::Facilitation;
    for block in FgBlockOnHicann::all() {
        chip.floating_gates.set_shared(block, SharedParameter::VFac, DacCode::new::<284>());
    }
    let heights = heights(&chip);
    assert!(heights.windows(2).all(|w| w[1] > w[0] - 0.03) && heights[4] > 1.8, "{heights:?}");
}

#[test]
fn circuits_held_in_reset_stay_at_their_reset_voltage() {
    let active = Cell { e_l_v: 1.0, v_t_v: 0.8, v_reset_v: 0.5, ..Cell::default() };
    let mut chip = HicannConfig::default();
    // one in each half
    let [top, bottom] = [neuron(3), neuron(259)];
    for n in [top, bottom] {
        program(&mut chip, n, &active);
        fire(&mut chip, n, address(63));
    }
    chip.neurons.halves[0].held_in_reset = true;
    let config = wafer([(CHIP, chip)]);
    let mut emulator = load(fine(), &config, &Pulses::new(), 5_000).expect("loads");
    emulator.probe(top.on(CHIP), DncCycles(10));
    emulator.probe(bottom.on(CHIP), DncCycles(10));
    emulator.run(&mut |_| ControlFlow::Continue(())).expect("runs");
    let volts = |n: NeuronOnHicann| emulator.true_state(n.on(CHIP)).expect("a probe").volts.clone();
    assert!(volts(top).iter().all(|v| (v - 0.5).abs() < 2e-3));
    assert!(volts(bottom).iter().any(|v| *v > 0.7));
    assert!(emulator.counters().neuron_spikes > 0);
}

#[test]
fn outputs_held_in_reset_send_nothing() {
    let mut chip = HicannConfig::default();
    program(&mut chip, neuron(3), &Cell { e_l_v: 1.0, v_t_v: 0.8, ..Cell::default() });
    fire(&mut chip, neuron(3), address(63));
    let spikes = |chip: &HicannConfig| {
        let config = wafer([(CHIP, chip.clone())]);
        run(fine(), &config, &Pulses::new(), 5_000).counters().neuron_spikes
    };
    assert!(spikes(&chip) > 0);
    chip.neurons.outputs_held_in_reset = true;
    assert_eq!(spikes(&chip), 0);
}
