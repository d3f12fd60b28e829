//! V_reset, which the circuits of a chip share (V05): every population gets the mean of what its
//! neurons ask for, and who asked for something else is counted as clipped.

use calib::BlockCalibration;
use hal::config::SharedParameter;
use hal::law;
use hal::value::DacCode;

use super::{Case, Faults, Rule};
use crate::network::PopulationKind;

/// Share of a potential that rounding may change.
const ROUNDING: f64 = 1e-9;

/// What one code changes in a block, V.
fn step_v(block: &BlockCalibration) -> f64 {
    let volts = |code| block.from_code(SharedParameter::VReset, code).unwrap_or(f64::NAN);
    // lines, somewhere in the middle
    volts(DacCode::new::<501>()) - volts(DacCode::new::<500>())
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let scaling = &case.mapping.scaling;
    let [lowest, nominal_step, highest] = [0.0, 1.0, 1023.0].map(law::volts);
    let mut averaged = 0;
    for ((_, population), &first) in case.network.populations().zip(&case.offsets) {
        let PopulationKind::Neurons(cells) = &population.kind else { continue };
        let wanted: Vec<f64> = (0..population.size).map(|i| cells.get(i).v_reset()).collect();
        let mean = wanted.iter().sum::<f64>() / wanted.len() as f64;
        let differs = |mv: f64| (mv - mean).abs() > ROUNDING * mean.abs().max(1.0);
        averaged += wanted.into_iter().filter(|&mv| differs(mv)).count();

        let mean_v = scaling.potential_to_hw_v(mean).clamp(lowest, highest);
        let given = &case.mapping.parameters.cells[first..first + population.size];
        for (i, cell) in given.iter().enumerate() {
            // cells that are missing are reported where cells are checked
            let Some(cell) = cell else { continue };
            let given_v = scaling.potential_to_hw_v(cell.v_reset());
            let neuron = case.mapping.placement.neurons[first + i];
            let measured = neuron.and_then(|neuron| {
                let chip = case.rules.measured(neuron.hicann)?;
                Some(step_v(&chip.blocks[neuron.first_circuit().shared_fg_block()]))
            });
            if case.rules.calibrated.is_some() && measured.is_none() {
                // how large its steps are is not known
                continue;
            }
            let step = measured.unwrap_or(nominal_step);
            let near = (given_v - mean_v).abs() <= step * (1.0 + 1e-6);
            faults.demand(Rule::V05, near, || {
                format!(
                    "{} is reset to {:.3} mV, more than one step from the mean of its population, \
                     {mean:.3} mV",
                    case.name(first + i),
                    cell.v_reset()
                )
            });
        }
    }
    let counted = case.mapping.parameters.clipped.get("v_reset").copied().unwrap_or(0);
    faults.demand(Rule::V05, counted >= averaged, || {
        format!("{averaged} neurons do not get the v_reset they ask for, {counted} are counted")
    });
}
