//! I_pl and I_gl out of intervals between spikes (analog §3.2, numbers 6 and 10).
//!
//! The original takes tau_m from synaptic potentials. Intervals between spikes need no analog output,
//! so that many circuits are measured in one run.

use hal::config::{CurrentScaling, NeuronParameter as P};
use hal::coord::{Coordinate as _, NeuronOnHicann, Table};
use hal::law::{self, Outside, Transformation};

use super::findings::Findings;
use super::gates::{Gates, MODE, nominal_value};
use super::measure::{self, PerCircuit};
use super::resets::Watched;
use super::rig::Rig;
use super::{CalibrationError, Settings};
use crate::fit::{fit_intervals, fit_line, median};
use crate::{CircuitMode, HicannCalibration};

/// Steps of I_pl and I_gl, codes.
const I_PL: [usize; 9] = [17, 20, 24, 30, 38, 48, 62, 82, 200];
const I_GL: [usize; 5] = [50, 80, 130, 200, 300];
/// Leak, threshold and reset while refractory times are measured: a steep rise, V.
const STEEP_V: [f64; 3] = [1.2, 0.8, 0.5];
/// The same while membrane time constants are measured: the leak stays nearly linear, V.
const GENTLE_V: [f64; 3] = [0.95, 0.85, 0.7];
/// Membrane time constant while refractory times are measured, s.
const STEEP_TAU_M_S: f64 = 0.56e-6;
/// Refractory time while membrane time constants are measured, s.
const SHORT_S: f64 = 0.15e-6;
/// Relative error of the rise by the noise of its three potentials.
const RISE_ERROR: f64 = 0.015;
/// A time constant is plausible within this factor of its nominal value.
const PLAUSIBLE: f64 = 4.0;
/// Measured times scatter around the law by the noise of programming, 3 to 7 %; more than this is no
/// law.
const SCATTER: f64 = 0.2;
/// Spread of the exponents of time constants that is expected; measured ones are drawn to 1.
const EXPONENT_SPREAD: f64 = 0.02;

/// Cells of circuits that fire for refractory times. Set I_pl afterwards.
pub(super) fn steep_gates(calibration: &HicannCalibration) -> Gates<'_> {
    let mut gates = Gates::new(calibration);
    let [e_l, v_t, v_reset] = STEEP_V;
    gates.calibrated(P::EL, e_l).calibrated(P::VT, v_t).calibrated_reset(v_reset);
    gates.nominal(P::IGl, STEEP_TAU_M_S);
    gates
}

/// Reset of such circuits, V, and their time from there to the threshold, s.
pub(super) fn steep_reset() -> (f64, f64) {
    (STEEP_V[2], STEEP_TAU_M_S * rise(STEEP_V, 0.0))
}

/// How much shorter the intervals of such circuits are whose reset lies higher, s.
pub(super) fn steep_gain_s(reset_shift_v: f64) -> f64 {
    STEEP_TAU_M_S * (rise(STEEP_V, 0.0) - rise(STEEP_V, reset_shift_v))
}

/// Interval of such circuits with a refractory time, s.
pub(super) fn steep_interval_s(tau_ref_s: f64) -> f64 {
    tau_ref_s + steep_reset().1
}

/// Cells of circuits that fire for membrane time constants. Set I_gl afterwards.
pub(super) fn gentle_gates(calibration: &HicannCalibration) -> Gates<'_> {
    let mut gates = Gates::new(calibration);
    let [e_l, v_t, v_reset] = GENTLE_V;
    gates.calibrated(P::EL, e_l).calibrated(P::VT, v_t).calibrated_reset(v_reset);
    gates.calibrated(P::IPl, SHORT_S);
    gates
}

/// Reset of such circuits with a membrane time constant, V, and their time from there to the
/// threshold, s.
pub(super) fn gentle_reset(tau_m_s: f64) -> (f64, f64) {
    (GENTLE_V[2], tau_m_s * rise(GENTLE_V, 0.0))
}

/// Interval of such circuits with a membrane time constant, s.
pub(super) fn gentle_interval_s(tau_m_s: f64) -> f64 {
    SHORT_S + gentle_reset(tau_m_s).1
}

/// Membrane time constant of such a circuit by its interval, s.
pub(super) fn gentle_tau_m_s(interval_s: f64, reset_shift_v: f64) -> f64 {
    (interval_s - SHORT_S) / rise(GENTLE_V, reset_shift_v)
}

/// Time from reset to threshold in membrane time constants.
fn rise([e_l, v_t, v_reset]: [f64; 3], reset_shift_v: f64) -> f64 {
    ((e_l - v_reset - reset_shift_v) / (e_l - v_t)).ln()
}

/// Measures the refractory time.
pub(super) fn refractory(
    rig: &mut Rig<'_>,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let mut points: PerCircuit<Vec<(f64, f64, f64)>> = Table::default();
    let calibration = findings.calibration.clone();
    let gates = |code: usize| {
        let mut gates = steep_gates(&calibration);
        gates.code(P::IPl, code);
        Watched::new(code).hold(&mut gates);
        gates
    };
    for (code, gates) in measure::sweep(&I_PL, settings.repetitions, gates) {
        let nominal_s = nominal_value(P::IPl, code);
        let found = measure::intervals(rig, gates, steep_interval_s(nominal_s))?;
        let watched = Watched::new(code);
        let above_v = watched.above_v(rig, steep_reset(), &findings.shift_v, &findings.reset_v)?;
        // programming is off by one code or one percent
        let own_s = nominal_s * f64::max(1.0 / code as f64, 0.01);
        let error_s = own_s.hypot(RISE_ERROR * STEEP_TAU_M_S);
        for (n, interval) in found.iter().filter(|(n, _)| watched.leaves(*n)) {
            let gain_s = steep_gain_s(above_v[n.shared_fg_block()]);
            points[n].extend(interval.map(|s| (nominal_s, s + gain_s, error_s)));
        }
    }
    let expected = I_PL.len() * settings.repetitions;
    for n in NeuronOnHicann::all() {
        let found = points[n].len();
        let fit = fit_intervals(&points[n]).filter(|_| 2 * found > expected);
        if let Some(fit) = fit.filter(|f| (1.0 / PLAUSIBLE..PLAUSIBLE).contains(&f.factor)) {
            let key = (MODE.big_capacitor, MODE.leak);
            if let Ok(t) = Transformation::nominal(P::IPl, key, fit.factor, 1.0) {
                findings.calibration.neurons[n].set(P::IPl, MODE, t);
            }
            findings.note(n, "I_pl", found, fit.residual);
        } else {
            let reason = format!("no refractory time in {found} of {expected} measurements");
            findings.fault(n, "I_pl", reason);
        }
    }
    Ok(())
}

/// Measures the membrane time constant.
pub(super) fn membrane(
    rig: &mut Rig<'_>,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let mut points: PerCircuit<Vec<(f64, f64)>> = Table::default();
    let calibration = findings.calibration.clone();
    let gates = |code: usize| {
        let mut gates = gentle_gates(&calibration);
        gates.code(P::IGl, code);
        Watched::new(code).hold(&mut gates);
        gates
    };
    for (code, gates) in measure::sweep(&I_GL, settings.repetitions, gates) {
        let nominal_s = nominal_value(P::IGl, code);
        let found = measure::intervals(rig, gates, gentle_interval_s(nominal_s))?;
        let watched = Watched::new(code);
        let above_v =
            watched.above_v(rig, gentle_reset(nominal_s), &findings.shift_v, &findings.reset_v)?;
        for (n, interval) in found.iter().filter(|(n, _)| watched.leaves(*n)) {
            let reset_v = findings.reset_v[n] + above_v[n.shared_fg_block()];
            let tau = interval.map(|s| gentle_tau_m_s(s, reset_v));
            points[n].extend(tau.filter(|t| *t > 0.0).map(|t| (nominal_s, t)));
        }
    }
    for n in NeuronOnHicann::all() {
        let expected = I_GL.len() * settings.repetitions;
        match stretched(&points[n], expected) {
            Ok((factor, exponent, residual)) => {
                for mode in modes() {
                    let key = (mode.big_capacitor, mode.leak);
                    if let Ok(t) = Transformation::nominal(P::IGl, key, factor, exponent) {
                        findings.calibration.neurons[n].set(P::IGl, mode, t);
                    }
                }
                findings.note(n, "I_gl", points[n].len(), residual);
            }
            Err(reason) => findings.fault(n, "I_gl", reason),
        }
    }
    Ok(())
}

/// All capacitors and leaks: what a circuit's conductance deviates by is measured in one of them.
pub(super) fn modes() -> impl Iterator<Item = CircuitMode> {
    [true, false].into_iter().flat_map(|big_capacitor| {
        [CurrentScaling::Slow, CurrentScaling::Normal, CurrentScaling::Fast]
            .map(|leak| CircuitMode { big_capacitor, leak })
    })
}

/// Factor and exponent of [`Formula::Nominal`](hal::law::Formula::Nominal) out of pairs of nominal
/// and measured time, s, and the relative scatter.
pub(super) fn stretched(points: &[(f64, f64)], expected: usize) -> Result<(f64, f64, f64), String> {
    let found = points.len();
    if 2 * found <= expected {
        return Err(format!("measured {found} of {expected} times"));
    }
    let logs: Vec<(f64, f64)> =
        points.iter().map(|(nominal, s)| ((nominal / 1e-6).ln(), (s / 1e-6).ln())).collect();
    let line = fit_line(&logs).ok_or_else(|| "no line".to_owned())?;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| logs.iter().map(f).sum::<f64>() / found as f64;
    let middle = mean(&|(x, _)| *x);
    let spread = mean(&|(x, _)| (x - middle).powi(2)) * found as f64;
    let slope_variance = line.residual.powi(2) / spread;
    let trust = EXPONENT_SPREAD.powi(2) / (EXPONENT_SPREAD.powi(2) + slope_variance);
    let exponent = 1.0 + trust * (line.slope - 1.0);
    let factor = (line.at(middle) - exponent * middle).exp();
    let deviations: Vec<f64> = logs.iter().map(|(x, y)| (y - x).abs()).collect();
    if median(&deviations).is_none_or(|d| d > PLAUSIBLE.ln()) || !factor.is_finite() {
        return Err(format!("{factor:.1} times the nominal time"));
    }
    if line.residual > SCATTER {
        return Err(format!("scatter of {:.0} %", 100.0 * line.residual));
    }
    Ok((factor, exponent, line.residual))
}

/// The nominal code of a time and a mode, for measurements without calibration.
pub(super) fn code_in(mode: CircuitMode, tau_m_s: f64) -> hal::value::DacCode {
    let nominal = law::neuron_transformation(P::IGl, &mode.half());
    nominal.apply(tau_m_s, Outside::Clip).map(law::nearest_code).unwrap_or_default()
}
