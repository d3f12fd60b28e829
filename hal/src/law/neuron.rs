//! The nominal transformations of all parameters of circuits and blocks, and their inverses as
//! functions (analog §1.5, §1.8).
//!
//! The polynomials and the two tables are figures of the public repository `calibtic` of the
//! BrainScaleS-1 software: fits of transistor simulations and of measurements on one wafer.

use std::sync::LazyLock;

use super::table::{I_PL_NS, V_SYNTC_NS, entries_s};
use super::transformation::{Formula, Outside, Transformation};
use super::{FULL_SCALE_A, FULL_SCALE_V, MAX_CODE};
use crate::config::{CurrentScaling, NeuronHalf, NeuronParameter, SharedParameter};
use crate::coord::Side;

/// Code of I_gl by powers of 1/tau_m in s, for the big capacitor and normal leak.
const I_GL: [f64; 5] =
    [0.0, 3.88526104127e-5, 4.59779147464e-10, -5.59735172633e-16, 2.49921049455e-22];
/// Measured ratio of time constants of the two capacitors; not that of the capacitances.
const SMALL_CAPACITOR_TIME_RATIO: f64 = 5.0;
/// Domains of tau_m, s: by capacitor (small, big) and leak (slow, normal, fast).
const TAU_M_S: [[(f64, f64); 3]; 2] = [
    [(3.00e-7, 7.22e-5), (1.083e-7, 9.63e-6), (1.00e-7, 4.02e-6)],
    [(1.50e-6, 2.00e-4), (5.41e-7, 4.82e-5), (4.23e-7, 2.01e-5)],
];
/// Multiplier of the I_gl code by leak mode: the mirrors divide by 27, 3 and 1.
const LEAK_FACTOR: [f64; 3] = [9.0, 1.0, 1.0 / 3.0];

/// Code of E_synx by volts.
const E_SYNX: [f64; 2] = [-16.0, 614.0];
/// Code of I_gladapt by siemens, and the domain.
const I_GLADAPT: ([f64; 3], f64, f64) = ([-0.2701, 0.106392e9, 2.01736e13], 2.537e-9, 4.958e-6);
/// One over the code of I_radapt by seconds, and the domain.
const I_RADAPT: ([f64; 3], f64, f64) = ([-1.222e-3, 782.014, 1.07527e7], 2.93e-6, 35.4e-6);
/// Code of I_rexp by volts, and the domain.
const I_REXP: ([f64; 3], f64, f64) = ([-38.5688, 27164.6, 3.7804e6], 1.21e-3, 13.5e-3);
/// Code of I_fire by amperes, and the domain.
const I_FIRE: ([f64; 3], f64, f64) = ([22.4037, 18.414e9, -0.057288e18], 0.0324e-9, 69.26e-9);
/// Code of V_dtc by powers of 1/tau_rec in s; DAC 5 and 40 were measured (analog §1.8).
pub(super) const V_DTC: [f64; 2] = [-1.07638889, 6.31944444e-4];

/// Every transformation of the nominal law.
struct Nominal {
    voltage: Transformation,
    current: Transformation,
    e_synx: Transformation,
    /// By capacitor (small, big) and leak (slow, normal, fast).
    i_gl: [[Transformation; 3]; 2],
    i_gladapt: Transformation,
    i_radapt: Transformation,
    i_rexp: Transformation,
    i_fire: Transformation,
    i_pl: Transformation,
    v_syntc: Transformation,
    v_dtc: Transformation,
    full: Transformation,
    half: Transformation,
}

static NOMINAL: LazyLock<Nominal> = LazyLock::new(|| {
    let make = |formula, low, high| {
        Transformation::new(formula, low, high).expect("the constants above have sound domains")
    };
    let quadratic =
        |(a, low, high): ([f64; 3], f64, f64)| make(Formula::Polynomial(a.to_vec()), low, high);
    let constant = |c| make(Formula::Constant(c), -f64::MAX, f64::MAX);
    let table = |first, points: &[(u16, f64)]| {
        let data = entries_s(points);
        let (low, high) = (data[data.len() - 1], data[0]);
        make(Formula::Lookup { offset: first, data }, low, high)
    };
    let i_gl = |big: usize, leak: usize| {
        let ratio = if big == 1 { 1.0 } else { 1.0 / SMALL_CAPACITOR_TIME_RATIO };
        let a = I_GL.iter().zip(0..).map(|(p, k)| LEAK_FACTOR[leak] * p * ratio.powi(k)).collect();
        let (low, high) = TAU_M_S[big][leak];
        make(Formula::NegativePowers(a), low, high)
    };
    // tau_rec of the codes 1023 and 0
    let tau_rec = |code: f64| V_DTC[1] / (code - V_DTC[0]);
    Nominal {
        voltage: make(Formula::Polynomial(vec![0.0, MAX_CODE / FULL_SCALE_V]), 0.0, FULL_SCALE_V),
        current: make(Formula::Polynomial(vec![0.0, MAX_CODE / FULL_SCALE_A]), 0.0, FULL_SCALE_A),
        e_synx: make(Formula::Polynomial(E_SYNX.to_vec()), 0.0, FULL_SCALE_V),
        i_gl: [0, 1].map(|big| [0, 1, 2].map(|leak| i_gl(big, leak))),
        i_gladapt: quadratic(I_GLADAPT),
        i_radapt: make(Formula::OneOverPolynomial(I_RADAPT.0.to_vec()), I_RADAPT.1, I_RADAPT.2),
        i_rexp: quadratic(I_REXP),
        i_fire: quadratic(I_FIRE),
        i_pl: table(I_PL_NS[0].0, &I_PL_NS),
        v_syntc: table(V_SYNTC_NS[0].0, &V_SYNTC_NS),
        v_dtc: make(Formula::NegativePowers(V_DTC.to_vec()), tau_rec(MAX_CODE), tau_rec(0.0)),
        full: constant(MAX_CODE),
        half: constant(511.0),
    }
});

/// From the physical value of a circuit's parameter in SI units of the hardware (V, A, S or s) to
/// its code. Technical parameters have a constant (analog §1.5).
///
/// Capacitor and leak matter for I_gl only: the fits of the adaptation ignore the speed modes. With
/// both leak bits set no measurement exists; it counts as fast, since the undivided mirror would
/// carry 27/28 of the current.
pub fn neuron_transformation(
    parameter: NeuronParameter,
    half: &NeuronHalf,
) -> &'static Transformation {
    use NeuronParameter as P;
    let nominal = &*NOMINAL;
    match parameter {
        P::EL | P::ESyni | P::VT | P::VExp => &nominal.voltage,
        P::ESynx => &nominal.e_synx,
        P::IGl => &nominal.i_gl[usize::from(half.big_capacitor)][leak_index(half.i_gl)],
        P::IPl => &nominal.i_pl,
        P::VSyntci | P::VSyntcx => &nominal.v_syntc,
        P::IGladapt => &nominal.i_gladapt,
        P::IRadapt => &nominal.i_radapt,
        P::IRexp => &nominal.i_rexp,
        P::IFire => &nominal.i_fire,
        P::IConvi | P::IConvx | P::ISpikeamp | P::IBexp | P::VConvoffi | P::VConvoffx => {
            &nominal.full
        }
        P::IIntbbi | P::IIntbbx | P::VSyni | P::VSynx => &nominal.half,
    }
}

fn leak_index(leak: CurrentScaling) -> usize {
    match leak {
        CurrentScaling::Slow => 0,
        CurrentScaling::Normal => 1,
        CurrentScaling::Fast | CurrentScaling::SlowAndFast => 2,
    }
}

/// From the physical value of a shared parameter to its code: tau_rec in s for V_dtc, volts or
/// amperes of the cell for all others (analog §1.3, §1.8). Odd rows hold currents.
pub fn shared_transformation(parameter: SharedParameter) -> &'static Transformation {
    let row = parameter.row(Side::Left).or_else(|| parameter.row(Side::Right));
    match parameter {
        SharedParameter::VDtc => &NOMINAL.v_dtc,
        _ if row.is_some_and(crate::coord::FgRowOnBlock::is_current) => &NOMINAL.current,
        _ => &NOMINAL.voltage,
    }
}

/// The physical value of a code; codes that the transformation never yields count as the nearest
/// that it does.
fn value(transformation: &Transformation, code: f64) -> f64 {
    // only NaN has no inverse: the nominal transformations are monotone
    transformation.inverse(code, Outside::Clip).unwrap_or(f64::NAN)
}

/// Excitatory reversal potential, V: (code + 16) / 614 (analog §1.5).
pub fn e_synx_v(e_synx: impl Into<f64>) -> f64 {
    value(&NOMINAL.e_synx, e_synx.into())
}

/// Membrane time constant, s. Codes below the one of the longest tau of the mode, 0 among them,
/// give that tau; codes above the one of the shortest give the shortest (analog §1.5).
pub fn tau_m_s(i_gl: impl Into<f64>, half: &NeuronHalf) -> f64 {
    value(neuron_transformation(NeuronParameter::IGl, half), i_gl.into())
}

/// Refractory time, s: 1.73 us at code 10 to 14.7 ns at 1022. Below 10, where silicon is not
/// usable, it is that of 10; at 1023 it is that of 1022 (analog §1.5).
pub fn tau_ref_s(i_pl: impl Into<f64>) -> f64 {
    value(&NOMINAL.i_pl, i_pl.into())
}

/// Synaptic time constant, s: 1.51 us at code 226 to 130 ns at 1022. Below 226, where silicon may
/// not decay at all, it is that of 226; at 1023 it is that of 1022 (analog §1.5).
pub fn tau_syn_s(v_syntc: impl Into<f64>) -> f64 {
    value(&NOMINAL.v_syntc, v_syntc.into())
}

/// Sub-threshold adaptation conductance of one circuit, S. Code 0 switches it off (analog §1.6).
pub fn a_s(i_gladapt: impl Into<f64>) -> f64 {
    let code = i_gladapt.into();
    if code <= 0.0 { 0.0 } else { value(&NOMINAL.i_gladapt, code) }
}

/// Adaptation per spike of one circuit, A. Code 0 switches it off (analog §1.6).
pub fn b_a(i_fire: impl Into<f64>) -> f64 {
    let code = i_fire.into();
    if code <= 0.0 { 0.0 } else { value(&NOMINAL.i_fire, code) }
}

/// Adaptation time constant, s. Code 1023 switches the adaptation off: 0 (analog §1.6).
pub fn tau_w_s(i_radapt: impl Into<f64>) -> f64 {
    let code = i_radapt.into();
    if code >= MAX_CODE { 0.0 } else { value(&NOMINAL.i_radapt, code) }
}

/// Slope of the exponential term, V. Code 1023 switches it off: 0 (analog §1.6).
pub fn delta_t_v(i_rexp: impl Into<f64>) -> f64 {
    let code = i_rexp.into();
    if code >= MAX_CODE { 0.0 } else { value(&NOMINAL.i_rexp, code) }
}

/// Recovery time constant of short-term plasticity, s (analog §1.8).
pub(super) fn tau_rec_s(v_dtc: f64) -> f64 {
    value(&NOMINAL.v_dtc, v_dtc)
}
