//! V_syntc and the gain of the synaptic inputs, out of synaptic potentials (analog §3.2, numbers 11
//! and 12).

use hal::config::NeuronParameter as P;
use hal::coord::{Coordinate as _, NeuronOnHicann, Table, Vertical};
use hal::law::{self, Transformation};
use hal::value::{DacCode, SynapseWeight};

use super::findings::Findings;
use super::gates::{Gates, MODE, nominal_value};
use super::measure::{self, Expected, PerCircuit, input};
use super::rig::Rig;
use super::stimulus::{DIVISOR_SUM, Stimulus};
use super::times::stretched;
use super::{CalibrationError, Settings};
use crate::HicannCalibration;
use crate::fit::robust_mean;

/// Steps of V_syntcx and V_syntci, codes: 0.8 to 0.19 us.
const V_SYNTC: [usize; 4] = [275, 310, 375, 500];
/// Digital weight where others are compared with it.
pub(super) const WEIGHT: SynapseWeight = SynapseWeight::new::<8>();
/// Digital weight while gains and V_gmax are measured: a small one makes for a large V_gmax, whose noise
/// of programming is one percent.
pub(super) const SMALL_WEIGHT: SynapseWeight = SynapseWeight::new::<2>();
/// Synapses of an input.
const SYNAPSES: u32 = 12;
/// Potentials: leak, excitatory and inhibitory reversal, V; membrane time constant, s.
const E_L_V: f64 = 0.75;
const E_SYN_V: [f64; 2] = [1.25, 0.35];
const TAU_M_S: f64 = 1.0e-6;
/// Charge of an event over that of the capacitor: potentials of about 40 mV. Slow ones must be over when
/// the next event comes.
const CHARGE: f64 = 0.15;
/// Smallest V_gmax, code: the noise of programming is one code, of all circuits of a block at once.
const SMALLEST_GMAX: f64 = 10.0;
/// Fits beyond this are not used: mean square of the residuals over that of the noise.
pub(super) const CHI2: f64 = 30.0;
/// Spread of the gains of inputs, and of single synapses.
const GAIN_SPREAD: f64 = 0.1;
const SYNAPSE_SPREAD: f64 = 0.2;
/// The parameter of a synaptic time constant.
pub(super) const V_SYNTC_OF: [P; 2] = [P::VSyntcx, P::VSyntci];

/// Cells of circuits whose synaptic potentials are measured, and V_gmax. Set the time constants
/// afterwards.
pub(super) fn gates(calibration: &HicannCalibration, tau_syn_s: f64) -> (Gates<'_>, DacCode) {
    let v_gmax = v_gmax(tau_syn_s, WEIGHT, SYNAPSES);
    let mut gates = Gates::new(calibration);
    gates
        .calibrated(P::EL, E_L_V)
        .calibrated(P::ESynx, E_SYN_V[0])
        .calibrated(P::ESyni, E_SYN_V[1])
        .calibrated(P::IGl, TAU_M_S)
        .input_on(0)
        .input_on(1)
        .calibrated_gmax(v_gmax);
    (gates, v_gmax)
}

/// What such circuits are expected to show.
pub(super) fn expected(tau_syn_s: f64) -> Expected {
    Expected { reversal_v: E_SYN_V, tau_m_s: (TAU_M_S, 0.04), tau_syn_s }
}

/// Cells as [`gates`], all by the nominal law.
pub(super) fn nominal_gates(nominal: &HicannCalibration, tau_syn_s: f64) -> (Gates<'_>, DacCode) {
    let (mut gates, v_gmax) = gates(nominal, tau_syn_s);
    gates.nominal(P::VSyntcx, tau_syn_s).nominal(P::VSyntci, tau_syn_s);
    (gates, v_gmax)
}

/// Height of the potential of a nominal circuit with `strength_hz`, V.
pub(super) fn nominal_height_v(strength_hz: f64, tau_syn_s: f64, side: usize) -> f64 {
    let dt = 2e-9;
    let (mut v, mut g, mut top) = (0.0, strength_hz, 0.0_f64);
    let drive = E_SYN_V[side] - E_L_V;
    // until long after the peak
    for _ in 0..(8.0 * (tau_syn_s + TAU_M_S) / dt) as usize {
        let total = dt * (g + 1.0 / TAU_M_S);
        v = (v * (1.0 - total / 2.0) + dt * g * drive) / (1.0 + total / 2.0);
        g *= 1.0 - dt / tau_syn_s;
        top = if v.abs() > top.abs() { v } else { top };
    }
    top
}

/// V_gmax at which so many synapses of a weight make a potential of the size wanted.
pub(super) fn v_gmax(tau_syn_s: f64, weight: SynapseWeight, synapses: u32) -> DacCode {
    let wanted_s = CHARGE * law::BIG_CAPACITOR_F / tau_syn_s / f64::from(synapses);
    let at_one = law::synapse_s(weight, 1.0, law::split_divisor(DIVISOR_SUM));
    law::nearest_code((wanted_s / at_one).max(SMALLEST_GMAX))
}

/// Nominal conductance over capacitance of one event at so many synapses, 1/s.
pub(super) fn strength_hz(v_gmax: DacCode, weight: SynapseWeight, synapses: u32) -> f64 {
    let one_s = law::synapse_s(weight, v_gmax, law::split_divisor(DIVISOR_SUM));
    f64::from(synapses) * one_s / law::BIG_CAPACITOR_F
}

/// Measures time constants and gains of both inputs.
pub(super) fn inputs(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let mut times: PerCircuit<[Vec<(f64, f64)>; 2]> = Table::default();
    let mut gains: PerCircuit<[Vec<f64>; 2]> = Table::default();
    let calibration = findings.calibration.clone();
    stimulus.set_weights(rig.chip(), |_, _| SMALL_WEIGHT);
    for _ in 0..settings.repetitions {
        for code in V_SYNTC {
            let nominal_s = nominal_value(P::VSyntcx, code);
            let v_gmax = v_gmax(nominal_s, SMALL_WEIGHT, SYNAPSES);
            let mut gates = gates(&calibration, nominal_s).0;
            gates.code(P::VSyntcx, code).code(P::VSyntci, code).calibrated_gmax(v_gmax);
            let expected = expected(nominal_s);
            let found = measure::potentials(rig, stimulus, gates.finish(), &expected)?;
            for (n, psps) in found.iter() {
                for (side, psp) in psps.iter().enumerate() {
                    let Some(psp) = psp.filter(|psp| psp.chi2 < CHI2) else { continue };
                    let nominal = strength_hz(v_gmax, SMALL_WEIGHT, stimulus.synapses[n][side]);
                    times[n][side].push((nominal_s, psp.tau_syn_s));
                    gains[n][side].push((psp.strength_hz / nominal).ln());
                }
            }
        }
    }
    stimulus.set_weights(rig.chip(), |_, _| WEIGHT);
    let gains: PerCircuit<[Option<f64>; 2]> =
        Table::from_fn(|n| [0, 1].map(|side| robust_mean(&gains[n][side])));
    // V_gmax of the blocks is common to many circuits, and known better than the gain of one
    let common = [Vertical::Top, Vertical::Bottom].map(|half| {
        [0, 1].map(|side| {
            let here = NeuronOnHicann::all().filter(|n| n.vertical() == half);
            robust_mean(&here.filter_map(|n| gains[n][side]).collect::<Vec<_>>()).unwrap_or(0.0)
        })
    });
    for n in NeuronOnHicann::all() {
        for side in [0, 1] {
            let parameter = V_SYNTC_OF[side];
            let points = &times[n][side];
            let fit = stretched(points, V_SYNTC.len() * settings.repetitions);
            let (factor, exponent, residual) = match fit {
                Ok(fit) => fit,
                Err(reason) => {
                    findings.fault(n, parameter.name(), reason);
                    continue;
                }
            };
            let key = (MODE.big_capacitor, MODE.leak);
            let circuit = &mut findings.calibration.neurons[n];
            if let Ok(t) = Transformation::nominal(parameter, key, factor, exponent) {
                circuit.set(parameter, MODE, t);
            }
            // few synapses tell their own strength more than that of the input
            let own = SYNAPSE_SPREAD.powi(2) / f64::from(stimulus.synapses[n][side].max(1));
            let trust = GAIN_SPREAD.powi(2) / (GAIN_SPREAD.powi(2) + own);
            let common = common[n.vertical().index()][side];
            let gain = common + trust * (gains[n][side].unwrap_or(common) - common);
            circuit.set_input_gain(input(side), gain.exp());
            findings.note(n, parameter.name(), points.len(), residual);
        }
    }
    Ok(())
}
