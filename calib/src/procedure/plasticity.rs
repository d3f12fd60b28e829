//! Recovery and utilisation of short-term plasticity by block, out of trains of excitatory potentials: an
//! addition to the original, which does not calibrate it (analog §5.3).
//!
//! The drivers of a block share the cell of the recovery, so one factor of time serves them all. What an
//! event uses is a capacitor of each driver; the factor here is the mean of the drivers that are
//! listened to. Deviations of circuits and synapses do not matter, since each compares itself with its
//! first event.

use hal::config::SharedParameter;
use hal::coord::{Coordinate as _, FgBlockOnHicann, NeuronOnHicann, Side, Table};
use hal::law::{self, Outside};
use hal::value::{DacCode, StpCapacitor};

use super::findings::Findings;
use super::inputs;
use super::measure::{self, Potential, SPACING_S};
use super::rig::Rig;
use super::stimulus::Stimulus;
use super::{CalibrationError, Settings};
use crate::HicannCalibration;
use crate::database::Quality;
use crate::fit::{Depression, fit_depression, robust_mean};

/// Cells of the recovery, 20 and 10 us, each with a capacitor.
const STEPS: [(DacCode, StpCapacitor); 2] = [
    (DacCode::new::<31>(), StpCapacitor::new::<1>()),
    (DacCode::new::<62>(), StpCapacitor::new::<6>()),
];
/// Circuits of each half that are looked at.
const CIRCUITS: usize = 8;
/// Synaptic time constant meanwhile, s.
const TAU_SYN_S: f64 = 0.3e-6;
/// Synapses for which V_gmax is chosen: fewer than there are, for large potentials.
const SYNAPSES: u32 = 3;
/// Times of events in units of the least spacing.
const TIMES: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 6.0];
/// The first event, s.
const FIRST_S: f64 = 1e-6;
/// What deviates by more, as a factor, is not believed: recovery, utilisation.
const PLAUSIBLE: [f64; 2] = [3.0, 1.6];
/// A train that deviates by more from the law is not used.
const SCATTER: f64 = 0.05;

/// Sides of the chip, as blocks count them.
const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// Measures all blocks.
pub(super) fn plasticity(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let calibration = findings.calibration.clone();
    let good = |n: &NeuronOnHicann| findings.faults[*n].is_empty();
    let circuits = listeners(good);
    let mut factors: Table<FgBlockOnHicann, [Vec<f64>; 2]> = Table::default();
    for _ in 0..settings.repetitions {
        for (code, capacitor) in STEPS {
            let nominal_s = recovery_s(code);
            let found = depression(rig, stimulus, &calibration, &circuits, |_| (code, capacitor))?;
            for (block, trains) in found.iter() {
                for train in trains {
                    factors[block][0].push(train.recovery / nominal_s);
                    factors[block][1].push(train.utilisation / law::stp_utilisation(capacitor));
                }
            }
        }
    }
    for (block, [recovery, utilisation]) in factors.iter() {
        let mean = |i: usize, list: &[f64]| {
            robust_mean(list).filter(|f| (1.0 / PLAUSIBLE[i]..PLAUSIBLE[i]).contains(f))
        };
        let (Some(slowness), Some(share)) = (mean(0, recovery), mean(1, utilisation)) else {
            continue;
        };
        let calibration = &mut findings.calibration.blocks[block];
        if let Ok(transformation) = law::recovery_transformation(slowness) {
            calibration.set(SharedParameter::VDtc, transformation);
        }
        calibration.set_utilisation(share);
        for (parameter, list, mean) in [
            (SharedParameter::VDtc.name(), recovery, slowness),
            (super::UTILISATION, utilisation, share),
        ] {
            let squares = list.iter().map(|f| (f / mean - 1.0).powi(2)).sum::<f64>();
            let residual = (squares / list.len() as f64).sqrt();
            let (parameter, points) = (parameter.to_owned(), list.len() as u32);
            findings.block_quality[block].push(Quality { parameter, points, residual });
        }
    }
    Ok(())
}

/// Some circuits of each half, evenly spread, of those that work.
pub(super) fn listeners(works: impl Fn(&NeuronOnHicann) -> bool) -> Vec<NeuronOnHicann> {
    let every = NeuronOnHicann::SIZE / 2 / CIRCUITS;
    let groups = (0..NeuronOnHicann::SIZE / every).map(|i| i * every..(i + 1) * every);
    groups
        .filter_map(|mut g| g.find_map(|n| NeuronOnHicann::from_index(n).filter(&works)))
        .collect()
}

/// Nominal time constant of recovery of a code, s.
pub(super) fn recovery_s(code: DacCode) -> f64 {
    // the law is monotone and defined for every code
    let law = law::shared_transformation(SharedParameter::VDtc);
    law.inverse(code.into(), Outside::Clip).unwrap_or(f64::NAN)
}

/// How the drivers of each block depress with a cell of the recovery and a capacitor, by each of the
/// circuits that hear them, which work and are calibrated. Times are in s.
pub(super) fn depression(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    calibration: &HicannCalibration,
    circuits: &[NeuronOnHicann],
    set: impl Fn(FgBlockOnHicann) -> (DacCode, StpCapacitor),
) -> Result<Table<FgBlockOnHicann, Vec<Depression>>, CalibrationError> {
    let v_gmax = inputs::v_gmax(TAU_SYN_S, inputs::WEIGHT, SYNAPSES);
    let mut gates = inputs::gates(calibration, TAU_SYN_S).0;
    gates.calibrated(inputs::V_SYNTC_OF[0], TAU_SYN_S).calibrated_gmax(v_gmax);
    rig.program(gates.plasticity(|block| set(block).0).finish())?;
    stimulus.depress(rig.chip(), |block| Some(set(block).1));
    let mut found: Table<FgBlockOnHicann, Vec<Depression>> = Table::default();
    for side in SIDES {
        let potential = Potential { input: 0, rows: Some(side) };
        let events = TIMES.map(|time| (potential, FIRST_S + time * SPACING_S));
        let expected = inputs::expected(TAU_SYN_S);
        let looked = measure::trains(rig, stimulus, circuits, events, &expected)?;
        for &n in circuits {
            let strengths = looked[n].iter().map(|psp| psp.map(|psp| psp.strength_hz));
            let Some(strengths) = strengths.collect::<Option<Vec<f64>>>() else { continue };
            let fit = fit_depression(&TIMES.map(|time| time * SPACING_S), &strengths);
            let block = FgBlockOnHicann::from_index(2 * n.vertical().index() + side.index());
            if let (Some(fit), Some(block)) = (fit.filter(|f| f.residual < SCATTER), block) {
                found[block].push(fit);
            }
        }
    }
    stimulus.depress(rig.chip(), |_| None);
    Ok(found)
}
