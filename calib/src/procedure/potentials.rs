//! Readout shift, V_reset, V_t, E_syni, E_synx and E_l (analog §3.2, numbers 1 to 5 and 7).

use hal::config::NeuronParameter as P;
use hal::coord::{Coordinate as _, FgBlockOnHicann, NeuronOnHicann, Table};
use hal::law;

use super::findings::Findings;
use super::gates::{Gates, nominal_code};
use super::measure::{self, PerCircuit};
use super::rig::Rig;
use super::stimulus::Stimulus;
use super::trace::RISE_TAU_S;
use super::{CalibrationError, Settings};
use crate::HicannCalibration;
use crate::fit::robust_mean;

/// Steps of V_t, V; V_reset lies 0.2 V below. The original measures the two one after the other, at
/// five steps.
const V_T_V: [f64; 4] = [0.7, 0.85, 0.95, 1.1];
const RESET_BELOW_V: f64 = 0.2;
/// Steps of E_syni, E_synx and E_l, V. Those of the original are three, over 0.4, 0.2 and 0.2 V;
/// experiments use a wider range, lines should not be carried far beyond their points, and the ends of
/// a line tell most about it.
const E_SYN_V: [[f64; 2]; 2] = [[0.85, 1.25], [0.42, 0.75]];
const E_L_V: [f64; 2] = [0.65, 0.9];
/// V_gmax while a reversal potential is measured, code: about 1 uS per synapse.
const REVERSAL_GMAX: usize = 300;

/// Measures what the output amplifiers add.
pub(super) fn readout_shift(
    rig: &mut Rig<'_>,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let nominal = HicannCalibration::default();
    let mut gates = Gates::new(&nominal);
    gates.nominal(P::EL, 0.9).nominal(P::VT, 1.4);
    findings.shift_v = measure::readout_shift(rig, gates.finish())?;
    Ok(())
}

/// Cells of circuits that fire between `v_t` and 0.2 V below, with a refractory time that shows the
/// reset. Set threshold and reset afterwards.
pub(super) fn firing_gates(calibration: &HicannCalibration, v_t: f64) -> Gates<'_> {
    let mut gates = Gates::new(calibration);
    gates.nominal(P::IGl, RISE_TAU_S).nominal(P::IPl, 0.4e-6).nominal(P::EL, v_t + 0.2);
    gates
}

/// Measures V_reset by block and V_t by circuit.
pub(super) fn threshold_and_reset(
    rig: &mut Rig<'_>,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let nominal = HicannCalibration::default();
    let mut v_t: PerCircuit<Vec<(f64, f64)>> = Table::default();
    let mut resets: Vec<(f64, PerCircuit<Option<f64>>)> = Vec::new();
    let gates = |v: f64| {
        let mut gates = firing_gates(&nominal, v);
        gates.nominal(P::VT, v).nominal_reset(v - RESET_BELOW_V);
        gates
    };
    for (v, gates) in measure::sweep(&V_T_V, settings.repetitions, gates) {
        let found = measure::firing(rig, gates, &findings.shift_v)?;
        let code = f64::from(nominal_code(P::VT, v));
        for (n, firing) in found.iter() {
            v_t[n].extend(firing.map(|f| (code, f.threshold_v)));
        }
        let code = law::nearest_code((v - RESET_BELOW_V) / law::volts(1.0));
        resets.push((f64::from(code), Table::from_fn(|n| found[n].map(|f| f.reset_v))));
    }
    findings.fit_voltages(P::VT, &v_t, V_T_V.len() * settings.repetitions);
    for block in FgBlockOnHicann::all() {
        let of_block = |n: &NeuronOnHicann| n.shared_fg_block() == block;
        let means: Vec<(f64, f64)> = resets
            .iter()
            .filter_map(|(code, volts)| {
                let volts: Vec<f64> =
                    NeuronOnHicann::all().filter(of_block).filter_map(|n| volts[n]).collect();
                Some((*code, robust_mean(&volts)?))
            })
            .collect();
        let fitted = findings.fit_reset(block, &means);
        for n in NeuronOnHicann::all().filter(of_block) {
            if !fitted {
                findings.fault(n, "V_reset", "no line for its block".to_owned());
            }
            let own =
                resets.iter().zip(&means).filter_map(|((_, v), (_, mean))| Some(v[n]? - mean));
            findings.reset_v[n] = robust_mean(&own.collect::<Vec<_>>()).unwrap_or_default();
        }
    }
    Ok(())
}

/// Cells of circuits that one input pulls to its reversal potential. Set this afterwards.
pub(super) fn reversal_gates(
    calibration: &HicannCalibration,
    side: usize,
    volts: f64,
) -> Gates<'_> {
    let mut gates = Gates::new(calibration);
    // a leak that pulls elsewhere shows inputs that do nothing
    let away = if side == 0 { -0.1 } else { 0.1 };
    let (bias, time) = [(P::IConvx, P::VSyntcx), (P::IConvi, P::VSyntci)][side];
    gates
        .code(P::IGl, 0)
        .code(bias, 1023)
        .code(time, 1023)
        .nominal(P::EL, volts + away)
        .v_gmax(hal::value::DacCode::from_index(REVERSAL_GMAX).unwrap_or_default());
    gates
}

/// The parameter of a reversal potential.
pub(super) const E_SYN: [P; 2] = [P::ESynx, P::ESyni];

/// Measures the reversal potential of an input.
pub(super) fn reversal(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    side: usize,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let nominal = HicannCalibration::default();
    let gates = |v: f64| {
        let mut gates = reversal_gates(&nominal, side, v);
        gates.nominal(E_SYN[side], v);
        gates
    };
    let mut points: PerCircuit<Vec<(f64, f64)>> = Table::default();
    for (v, gates) in measure::sweep(&E_SYN_V[side], settings.repetitions, gates) {
        let found = measure::reversal(rig, stimulus, side, gates, &findings.shift_v)?;
        let code = f64::from(nominal_code(E_SYN[side], v));
        for (n, volts) in found.iter() {
            points[n].push((code, *volts));
        }
    }
    // without a working synapse the membrane shows its leak
    for n in NeuronOnHicann::all().filter(|&n| stimulus.synapses[n][side] == 0) {
        points[n].clear();
    }
    findings.fit_voltages(E_SYN[side], &points, E_SYN_V[side].len() * settings.repetitions);
    Ok(())
}

/// Measures E_l.
pub(super) fn leak(
    rig: &mut Rig<'_>,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let nominal = HicannCalibration::default();
    let gates = |v: f64| {
        let mut gates = Gates::new(&nominal);
        gates.nominal(P::EL, v);
        gates
    };
    let mut points: PerCircuit<Vec<(f64, f64)>> = Table::default();
    for (v, gates) in measure::sweep(&E_L_V, settings.repetitions, gates) {
        let found = measure::rest(rig, gates, &findings.shift_v)?;
        let code = f64::from(nominal_code(P::EL, v));
        for (n, volts) in found.iter() {
            points[n].push((code, *volts));
        }
    }
    findings.fit_voltages(P::EL, &points, E_L_V.len() * settings.repetitions);
    Ok(())
}
