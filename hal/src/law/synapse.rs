//! The nominal conductance of a synapse from its weight, V_gmax and divisor (analog §1.7).

use super::amperes;
use crate::value::{GmaxDivisor, SynapseWeight};

/// Conductance in nS by powers of the weight: a fit of transistor simulations, from the public
/// repository `calibtic`, made at [`REFERENCE_GMAX_A`] and [`REFERENCE_DIVISOR_SUM`].
const CONDUCTANCE_NS: [f64; 3] = [93.9406513768, 81.3443474483, -1.59734048208];

/// V_gmax of the reference conductances, A. V_gmax is a current: 2.5 uA at code 1023.
pub const REFERENCE_GMAX_A: f64 = 500e-9;
/// Sum of the two divisors of a row at the reference conductances: 11 in each half.
pub const REFERENCE_DIVISOR_SUM: u32 = 22;

/// Peak conductance of a synapse, S. It is proportional to V_gmax and falls with the sum of the two
/// divisors of the row; a row whose divisors are both 0 conducts nothing.
///
/// The value of weight 0 is not 0: it is the parasitic conductance of the row's synapses.
pub fn synapse_s(weight: SynapseWeight, v_gmax: impl Into<f64>, divisor: [GmaxDivisor; 2]) -> f64 {
    let sum = divisor[0].index() + divisor[1].index();
    if sum == 0 {
        return 0.0;
    }
    let [g0, g1, g2] = CONDUCTANCE_NS;
    let w = weight.index() as f64;
    let reference_s = (g0 + g1 * w + g2 * w * w) * 1e-9;
    let scale = amperes(v_gmax) / REFERENCE_GMAX_A * f64::from(REFERENCE_DIVISOR_SUM) / sum as f64;
    reference_s * scale
}

/// The two divisors with a given sum, the left one filled first; sums above 30 are 30
/// (hal-config §0.3).
pub fn split_divisor(sum: usize) -> [GmaxDivisor; 2] {
    let left = sum.min(15);
    [GmaxDivisor::wrap(left), GmaxDivisor::wrap((sum - left).min(15))]
}
