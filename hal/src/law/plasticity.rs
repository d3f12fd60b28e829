//! The nominal law of short-term plasticity (analog §1.8, §5.3).

use super::neuron::{V_DTC, shared_transformation, tau_rec_s};
use super::{Formula, Transformation, TransformationError, volts};
use crate::config::{FloatingGates, SharedParameter};
use crate::coord::FgBlockOnHicann;
use crate::value::StpCapacitor;

/// Utilisation at capacitor settings 0 and 7; linear in between, which is an assumption.
const UTILISATION: (f64, f64) = (0.25, 0.40);
/// Largest capacitor setting.
const MAX_CAPACITOR: f64 = 7.0;

/// Parameters of short-term plasticity of a floating-gate block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortTermPlasticity {
    /// Recovery time constant, hardware seconds.
    pub tau_rec_s: f64,
    /// Strength, 1 at 1 V.
    pub lambda: f64,
    /// Offset of depression.
    pub n_dep: f64,
    /// Offset of facilitation.
    pub n_fac: f64,
}

/// Short-term plasticity of a block; none if its strength V_stdf is 0, which leaves every weight
/// as it is.
pub fn short_term_plasticity(
    gates: &FloatingGates,
    block: FgBlockOnHicann,
) -> Option<ShortTermPlasticity> {
    short_term_plasticity_from_cells(|p| gates.shared(block, p).unwrap_or_default().into())
}

/// The same from cells in units of codes.
pub fn short_term_plasticity_from_cells(
    cell: impl Fn(SharedParameter) -> f64,
) -> Option<ShortTermPlasticity> {
    let lambda = volts(cell(SharedParameter::VStdf));
    (lambda > 0.0).then(|| ShortTermPlasticity {
        tau_rec_s: tau_rec_s(cell(SharedParameter::VDtc)),
        lambda,
        n_dep: volts(cell(SharedParameter::VDep)) / lambda,
        n_fac: volts(cell(SharedParameter::VFac)) / lambda,
    })
}

/// From the recovery time constant in s to the code of V_dtc for drivers that recover `factor` times as
/// slowly as nominal ones; `factor` is above 0.
pub fn recovery_transformation(factor: f64) -> Result<Transformation, TransformationError> {
    let (low, high) = shared_transformation(SharedParameter::VDtc).domain();
    let [offset, speed] = V_DTC;
    let (low, high) = (low * factor, high * factor);
    if factor.is_nan() || factor <= 0.0 {
        return Err(TransformationError::EmptyDomain { low, high });
    }
    let formula = Formula::NegativePowers(vec![offset, speed * factor]);
    Transformation::new(formula, low, high)
}

/// Utilisation U of a capacitor setting, 0.25..=0.40.
pub fn stp_utilisation(capacitor: StpCapacitor) -> f64 {
    let (low, high) = UTILISATION;
    low + (high - low) / MAX_CAPACITOR * capacitor.index() as f64
}

/// The capacitor setting whose utilisation is nearest.
pub fn stp_capacitor(utilisation: f64) -> StpCapacitor {
    let (low, high) = UTILISATION;
    let position = (utilisation - low) / (high - low) * MAX_CAPACITOR;
    StpCapacitor::wrap(position.round().clamp(0.0, MAX_CAPACITOR) as usize)
}
