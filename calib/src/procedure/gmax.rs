//! V_gmax by block and select, out of excitatory potentials: an addition to the original, which uses the
//! nominal value.
//!
//! Rows of the left and of the right side of a chip have a V_gmax each, and a network has excitatory
//! rows with one select and inhibitory ones with another. What they deviate by acts on all synapses of
//! these rows, so the balance of excitation and inhibition of hundreds of neurons depends on it. Circuits
//! and synapses are the same for all selects, and enough of them for their own deviations to average out.

use hal::config::NeuronParameter as P;
use hal::config::SharedParameter;
use hal::coord::{Coordinate as _, FgBlockOnHicann, NeuronOnHicann, Side, Table};
use hal::law::{self, Formula, Transformation};
use hal::value::GmaxSelect;

use super::findings::Findings;
use super::gates::nominal_value;
use super::inputs::{self, SMALL_WEIGHT};
use super::measure::{self, Potential};
use super::rig::Rig;
use super::stimulus::Stimulus;
use super::{CalibrationError, Settings};
use crate::database::Quality;
use crate::fit::robust_mean;

/// Every so many circuits are looked at.
const EVERY: usize = 4;
/// V_syntcx meanwhile, code: 0.4 us.
const V_SYNTCX: usize = 375;
/// Synapses of an input on one side.
const SYNAPSES: u32 = 6;
/// A V_gmax that deviates by more, as a factor, is not believed.
const PLAUSIBLE: f64 = 1.5;

/// Sides of the chip, as blocks count them.
const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// Measures V_gmax of all blocks.
pub(super) fn v_gmax(
    rig: &mut Rig<'_>,
    stimulus: &Stimulus,
    settings: Settings,
    findings: &mut Findings,
) -> Result<(), CalibrationError> {
    let tau_s = nominal_value(P::VSyntcx, V_SYNTCX);
    let potentials = SIDES.map(|side| Potential { input: 0, rows: Some(side) });
    let circuits: Vec<NeuronOnHicann> = NeuronOnHicann::all().step_by(EVERY).collect();
    let synapses = SIDES.map(|side| stimulus.excitatory_from(rig, side));
    let code = inputs::v_gmax(tau_s, SMALL_WEIGHT, SYNAPSES);
    let mut found: Table<FgBlockOnHicann, [Vec<f64>; GmaxSelect::SIZE]> = Table::default();
    let calibration = findings.calibration.clone();
    stimulus.set_weights(rig.chip(), |_, _| SMALL_WEIGHT);
    for _ in 0..settings.repetitions {
        let mut gates = inputs::gates(&calibration, tau_s).0;
        gates.code(P::VSyntcx, V_SYNTCX).v_gmax(code);
        rig.program(gates.finish())?;
        for select in GmaxSelect::all() {
            stimulus.select(rig.chip(), select);
            let expected = inputs::expected(tau_s);
            let looked = measure::some_potentials(rig, stimulus, &circuits, potentials, &expected)?;
            for &n in &circuits {
                for (i, psp) in looked[n].iter().enumerate() {
                    let Some(psp) = psp.filter(|psp| psp.chi2 < inputs::CHI2) else { continue };
                    let nominal = inputs::strength_hz(code, SMALL_WEIGHT, synapses[i][n]);
                    let block = FgBlockOnHicann::from_index(2 * n.vertical().index() + i);
                    let Some(block) = block else { continue };
                    found[block][select.index()].push(psp.strength_hz / nominal);
                }
            }
        }
    }
    stimulus.set_weights(rig.chip(), |_, _| inputs::WEIGHT);
    stimulus.select(rig.chip(), GmaxSelect::default());
    for (block, by_select) in found.iter() {
        for select in GmaxSelect::all() {
            let ratios = &by_select[select.index()];
            let plausible = |f: &f64| (1.0 / PLAUSIBLE..PLAUSIBLE).contains(f);
            let Some(factor) = robust_mean(ratios).filter(plausible) else { continue };
            let slope = 1.0 / law::amperes(1.0) / factor;
            let formula = Formula::Polynomial(vec![0.0, slope]);
            let made = Transformation::new(formula, 0.0, law::FULL_SCALE_A);
            let parameter = SharedParameter::gmax(select);
            if let Ok(transformation) = made {
                findings.calibration.blocks[block].set(parameter, transformation);
                let squares = ratios.iter().map(|r| (r / factor - 1.0).powi(2)).sum::<f64>();
                let residual = (squares / ratios.len() as f64).sqrt();
                let (parameter, points) = (parameter.name().to_owned(), ratios.len() as u32);
                findings.block_quality[block].push(Quality { parameter, points, residual });
            }
        }
    }
    Ok(())
}
