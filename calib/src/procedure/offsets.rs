//! V_convoff: the smallest value at which an input does not conduct all the time (analog §3.2,
//! numbers 8 and 9).

use hal::config::NeuronParameter as P;
use hal::coord::{Coordinate as _, NeuronOnHicann, Table};
use hal::law::{self, Formula, Transformation};

use super::CalibrationError;
use super::findings::Findings;
use super::gates::{Gates, MODE};
use super::measure::{self, PerCircuit};
use super::rig::Rig;
use crate::fit::{fit_hinge, median};

/// Steps that all circuits get, V. The original takes 25 steps; here each circuit gets some of its
/// own where its bend is.
const COARSE_V: [f64; 4] = [0.35, 0.7, 1.05, 1.6];
/// Steps of a circuit's own, relative to the bend that the coarse ones show, V.
const FINE_V: [f64; 3] = [-0.16, -0.08, 0.08];
/// What is added to the bend, V: the noise of programming must not carry a cell below it.
const MARGIN_V: f64 = 0.02;
/// Relative conductance that counts as standing.
const STANDING: f64 = 0.05;
/// Codes of the result that are accepted.
const ACCEPTED: std::ops::Range<f64> = 100.0..900.0;

/// Potentials of leak and inputs, V, and I_gl, code: 0.2 uA.
const E_L_V: f64 = 0.8;
const E_SYN_V: [f64; 2] = [1.2, 0.4];
const I_GL: usize = 82;

/// Measures V_convoff of an input.
pub(super) fn offset(
    rig: &mut Rig<'_>,
    side: usize,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let (parameter, bias) = [(P::VConvoffx, P::IConvx), (P::VConvoffi, P::IConvi)][side];
    let mut points: PerCircuit<Vec<(f64, f64)>> = Table::default();
    let step = |rig: &mut Rig<'_>,
                findings: &Findings,
                points: &mut PerCircuit<Vec<(f64, f64)>>,
                volts: &dyn Fn(NeuronOnHicann) -> f64|
     -> Result<(), CalibrationError> {
        let code = |n| law::nearest_code(volts(n) / law::volts(1.0));
        let mut gates = Gates::new(&findings.calibration);
        gates
            .calibrated(P::EL, E_L_V)
            .calibrated(P::ESynx, E_SYN_V[0])
            .calibrated(P::ESyni, E_SYN_V[1])
            .code(P::IGl, I_GL)
            .code(bias, 1023)
            .codes(parameter, code);
        let found = measure::standing(rig, gates.finish(), &findings.shift_v)?;
        for (n, v) in found.iter() {
            // standing conductance over that of the leak
            let ratio = (v - E_L_V) / (E_SYN_V[side] - v);
            points[n].push((law::volts(code(n)), ratio));
        }
        Ok(())
    };
    for volts in COARSE_V {
        step(rig, findings, &mut points, &|_| volts)?;
    }
    let slopes: Vec<f64> = points
        .values()
        .iter()
        .filter(|p| p[1].1 > STANDING)
        .map(|p| (p[1].1 - p[0].1) / (p[1].0 - p[0].0))
        .collect();
    let typical = median(&slopes).unwrap_or(-1.0).min(-1e-3);
    let bend = |p: &[(f64, f64)]| {
        let floor = p[COARSE_V.len() - 1].1;
        let last = p[..COARSE_V.len()].iter().rev().find(|(_, ratio)| ratio - floor > STANDING);
        last.map_or(COARSE_V[0], |(v, ratio)| v - (ratio - floor) / typical)
    };
    let bends: PerCircuit<f64> = Table::from_fn(|n| bend(&points[n]).clamp(0.3, 1.65));
    for relative in FINE_V {
        step(rig, findings, &mut points, &|n| (bends[n] + relative).max(0.18))?;
    }
    for n in NeuronOnHicann::all() {
        let name = parameter.name();
        let (coarse, floor) = (&points[n][..COARSE_V.len()], points[n][COARSE_V.len() - 1].1);
        if coarse.iter().all(|(_, ratio)| (ratio - floor).abs() < STANDING) {
            // it conducts nothing at any value; inputs that do nothing at all have no reversal potential
            let made = Transformation::new(Formula::Constant(ACCEPTED.start), -f64::MAX, f64::MAX);
            if let Ok(constant) = made {
                findings.calibration.neurons[n].set(parameter, MODE, constant);
            }
            continue;
        }
        let Some(hinge) = fit_hinge(&points[n]) else {
            findings.fault(n, name, "the membrane does not follow it".to_owned());
            continue;
        };
        let code = (hinge.onset + MARGIN_V) / law::volts(1.0);
        let made = Transformation::new(Formula::Constant(code), -f64::MAX, f64::MAX);
        match made {
            Ok(constant) if ACCEPTED.contains(&code) => {
                findings.calibration.neurons[n].set(parameter, MODE, constant);
                findings.note(n, name, points[n].len(), hinge.residual);
            }
            _ => findings.fault(n, name, format!("bend at code {code:.0}, beyond 100 to 900")),
        }
    }
    Ok(())
}
