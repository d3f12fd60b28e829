//! Single measurements of all circuits of a chip: program cells, read out, analyse (analog §3.2).

use hal::config::{FloatingGates, GbitLinks};
use hal::coord::{
    Coordinate as _, NeuronOnHicann, QuadOnHicann, Side, SynapticInputOnNeuron, Table, Vertical,
};
use hal::wafer::DncCycles;

use super::CalibrationError;
use super::gates::Gates;
use super::rig::{Rig, SAMPLE_S};
use super::stimulus::Stimulus;
use super::trace::{self, Firing};
use crate::fit::{Psp, PspKnown, fit_psp};

/// Length of a recording of firing membranes, s.
const FIRING_S: f64 = 12e-6;
/// Length of a recording of a membrane at rest, s.
const REST_S: f64 = 6e-6;
/// Length of a recording of a membrane at a reversal potential, s.
const REVERSAL_S: f64 = 6e-6;
/// Length of a recording of a membrane with a standing current, s.
const SHIFT_S: f64 = 14e-6;
/// When the excitatory and the inhibitory event of a recording of synaptic potentials come, and how
/// long a potential is looked at, s. What is left of the first one when the second one comes is an
/// error of its time constant: less than one percent after eight membrane time constants.
const EVENTS_S: [f64; 2] = [1.0e-6, 9.0e-6];
const BEFORE_S: f64 = 0.4e-6;
const PSP_S: f64 = 5.6e-6;
/// Least time between two events of which each has a potential of its own, s.
pub(super) const SPACING_S: f64 = 6.0e-6;
/// Intervals between spikes that a recording has room for.
const INTERVALS: f64 = 20.0;
/// Events that leave a chip per second at most while spikes are recorded: what fits with room.
const EVENTS_HZ: f64 = 14e6;
/// Noise of a sample of the ADC, V, with that of rounding.
const ADC_NOISE_V: f64 = 0.0016;

/// Something about each circuit.
pub(super) type PerCircuit<T> = Table<NeuronOnHicann, T>;

/// All circuits.
fn all() -> Vec<NeuronOnHicann> {
    NeuronOnHicann::all().collect()
}

/// The sides of a circuit as coordinates.
pub(super) fn input(side: usize) -> SynapticInputOnNeuron {
    if side == 0 { SynapticInputOnNeuron::EXCITATORY } else { SynapticInputOnNeuron::INHIBITORY }
}

/// What the output amplifiers add to the membranes, V: all circuits of the chip are joined to one
/// membrane, and each is compared with the mean of all. The original joins 64.
pub(super) fn readout_shift(
    rig: &mut Rig<'_>,
    gates: FloatingGates,
) -> Result<PerCircuit<f64>, CalibrationError> {
    rig.program(gates)?;
    let separate = rig.chip().neurons.clone();
    let neurons = &mut rig.chip().neurons;
    for quad in QuadOnHicann::all() {
        (neurons.quads[quad].vertical, neurons.quads[quad].horizontal) = ([true; 2], [true; 2]);
    }
    for column in (2..=254).step_by(2) {
        neurons.circuits[NeuronOnHicann::at(column, Vertical::Top)].enable_fire_input = true;
    }
    let mut levels: PerCircuit<f64> = Table::default();
    rig.read_out(&all(), false, &[], REST_S, |n, samples| {
        levels[n] = trace::level(samples, 0.5);
    })?;
    rig.chip().neurons = separate;
    let mean = crate::fit::robust_mean(levels.values()).unwrap_or_default();
    Ok(Table::from_fn(|n| levels[n] - mean))
}

/// Threshold, reset and interval of each circuit.
pub(super) fn firing(
    rig: &mut Rig<'_>,
    gates: FloatingGates,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<Option<Firing>>, CalibrationError> {
    rig.program(gates)?;
    firing_of(rig, &all(), FIRING_S, shift_v)
}

/// Threshold, reset and interval of some circuits of a chip as it is programmed, out of recordings of
/// some length, s.
pub(super) fn firing_of(
    rig: &mut Rig<'_>,
    circuits: &[NeuronOnHicann],
    seconds: f64,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<Option<Firing>>, CalibrationError> {
    let mut found: PerCircuit<Option<Firing>> = Table::default();
    rig.read_out(circuits, true, &[], seconds, |n, samples| {
        found[n] = trace::firing(samples).map(|f| Firing {
            threshold_v: f.threshold_v - shift_v[n],
            reset_v: f.reset_v - shift_v[n],
            ..f
        });
    })?;
    Ok(found)
}

/// Voltage of each circuit without spikes and without input, V.
pub(super) fn rest(
    rig: &mut Rig<'_>,
    gates: FloatingGates,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<f64>, CalibrationError> {
    rig.program(gates)?;
    levels(rig, REST_S, 0.5, shift_v)
}

/// As [`rest`] for membranes that a standing current moves, slowly.
pub(super) fn standing(
    rig: &mut Rig<'_>,
    gates: FloatingGates,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<f64>, CalibrationError> {
    rig.program(gates)?;
    levels(rig, SHIFT_S, 0.2, shift_v)
}

/// Voltage of each circuit while the synapses of an input get 5 million events per second, V.
pub(super) fn reversal(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    side: usize,
    gates: FloatingGates,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<f64>, CalibrationError> {
    rig.program(gates)?;
    stimulus.drive(rig.chip(), Some(side));
    let levels = levels(rig, REVERSAL_S, 0.4, shift_v)?;
    Stimulus::stop(rig.chip());
    Ok(levels)
}

fn levels(
    rig: &mut Rig<'_>,
    seconds: f64,
    part: f64,
    shift_v: &PerCircuit<f64>,
) -> Result<PerCircuit<f64>, CalibrationError> {
    let mut levels: PerCircuit<f64> = Table::default();
    rig.read_out(&all(), false, &[], seconds, |n, samples| {
        levels[n] = trace::level(samples, part) - shift_v[n];
    })?;
    Ok(levels)
}

/// Time between spikes of each circuit, s, which is about `expected_s`. Spikes are recorded; where
/// they cannot leave the chip, the membrane is read out instead.
pub(super) fn intervals(
    rig: &mut Rig<'_>,
    gates: FloatingGates,
    expected_s: f64,
) -> Result<PerCircuit<Option<f64>>, CalibrationError> {
    rig.program(gates)?;
    let per_block = (EVENTS_HZ * 0.7 * expected_s / 8.0).floor().clamp(1.0, 16.0) as usize;
    let seconds = (INTERVALS * expected_s).max(4e-6);
    let mut found: PerCircuit<Option<f64>> = Table::default();
    let unheard = rig.record_spikes(per_block, seconds, |spikes| {
        for (n, times) in spikes {
            found[n] = trace::interval(&times);
        }
    })?;
    rig.chip().gbit_links = GbitLinks::default();
    rig.read_out(&unheard, true, &[], seconds, |n, samples| {
        found[n] = trace::firing(samples).map(|f| f.interval_s);
    })?;
    Ok(found)
}

/// What synaptic potentials are expected to be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// Reversal potentials by input, V.
    pub(super) reversal_v: [f64; 2],
    /// Membrane time constant, s, and how well it is known, as a share.
    pub(super) tau_m_s: (f64, f64),
    /// Synaptic time constant, s.
    pub(super) tau_syn_s: f64,
}

/// One of the potentials of a recording: through which input, and by rows on which side of the chip,
/// or by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Potential {
    pub(super) input: usize,
    pub(super) rows: Option<Side>,
}

/// A potential of each input of each circuit.
pub(super) fn potentials(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    gates: FloatingGates,
    expected: &Expected,
) -> Result<PerCircuit<[Option<Psp>; 2]>, CalibrationError> {
    rig.program(gates)?;
    let both = [0, 1].map(|input| Potential { input, rows: None });
    some_potentials(rig, stimulus, &all(), both, expected)
}

/// Two potentials of some circuits of a chip as it is programmed.
pub(super) fn some_potentials(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    circuits: &[NeuronOnHicann],
    potentials: [Potential; 2],
    expected: &Expected,
) -> Result<PerCircuit<[Option<Psp>; 2]>, CalibrationError> {
    let events = [(potentials[0], EVENTS_S[0]), (potentials[1], EVENTS_S[1])];
    trains(rig, stimulus, circuits, events, expected)
}

/// The potentials of a train of events, which come at some times in s, [`SPACING_S`] apart or more.
pub(super) fn trains<const N: usize>(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    circuits: &[NeuronOnHicann],
    events: [(Potential, f64); N],
    expected: &Expected,
) -> Result<PerCircuit<[Option<Psp>; N]>, CalibrationError> {
    stimulus.drive(rig.chip(), None);
    let events = events.map(|(what, s)| (what, DncCycles((s / DncCycles::SECONDS) as u64)));
    let pulses: Vec<_> = events
        .iter()
        .flat_map(|&(potential, time)| stimulus.event(potential.input, potential.rows, time))
        .collect();
    let last = events.iter().map(|(_, time)| time.hardware_s()).fold(0.0, f64::max);
    let mut found: PerCircuit<[Option<Psp>; N]> = Table::from_fn(|_| [None; N]);
    rig.read_out(circuits, false, &pulses, last + PSP_S + 0.5e-6, |n, samples| {
        for (found, (potential, time)) in found[n].iter_mut().zip(events) {
            let arrival = time.hardware_s() + Stimulus::delay_s(n);
            let from = ((arrival - BEFORE_S) / SAMPLE_S) as usize;
            let to = from + (PSP_S / SAMPLE_S) as usize;
            let window = samples.get(from..to.min(samples.len())).unwrap_or_default();
            // pairs of samples: less noise, half the work
            let pairs: Vec<f64> =
                window.chunks_exact(2).map(|p| f64::midpoint(p[0], p[1])).collect();
            let known = PspKnown {
                sample_s: 2.0 * SAMPLE_S,
                start_s: arrival - (from as f64 + 0.5) * SAMPLE_S,
                reversal_v: expected.reversal_v[potential.input],
                tau_m_s: expected.tau_m_s,
                tau_syn_s: expected.tau_syn_s,
                noise_v: ADC_NOISE_V / 2_f64.sqrt(),
            };
            *found = fit_psp(&pairs, &known);
        }
    })?;
    Stimulus::stop(rig.chip());
    Ok(found)
}

/// The cells of several repetitions and steps of a sweep.
pub(super) fn sweep<'g, X: Copy>(
    steps: &'g [X],
    repetitions: usize,
    gates: impl Fn(X) -> Gates<'g>,
) -> impl Iterator<Item = (X, FloatingGates)> {
    let repeated = (0..repetitions).flat_map(move |_| steps.iter().copied());
    repeated.map(move |step| (step, gates(step).finish()))
}
