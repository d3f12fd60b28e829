//! Synaptic weights: biological conductance to hardware conductance to four bits (analog §1.4,
//! §1.7).

use hal::coord::Coordinate;
use hal::law;
use hal::value::SynapseWeight;

use crate::{CircuitMode, Scaling};

/// Hardware conductance in S of a weight in uS. A synapse sits on one circuit but drives the
/// capacitance of all `circuits` that are joined to the neuron.
pub fn weight_siemens(
    weight_us: f64,
    cm_nf: f64,
    circuits: usize,
    mode: CircuitMode,
    scaling: &Scaling,
) -> f64 {
    let capacitance_f = circuits as f64 * law::capacitance_f(&mode.half());
    scaling.conductance_to_hw_s(weight_us * 1e3, cm_nf, capacitance_f)
}

/// Weight in uS of a hardware conductance in S: the inverse of [`weight_siemens`].
pub fn weight_us(
    conductance_s: f64,
    cm_nf: f64,
    circuits: usize,
    mode: CircuitMode,
    scaling: &Scaling,
) -> f64 {
    let capacitance_f = circuits as f64 * law::capacitance_f(&mode.half());
    scaling.conductance_to_bio_ns(conductance_s, cm_nf, capacitance_f) * 1e-3
}

/// A weight in four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigitalWeight {
    /// The nearest one.
    pub weight: SynapseWeight,
    /// The conductance lies above the largest by more than half a step.
    pub clipped: bool,
}

/// The weight whose conductance is nearest, out of the 16 of a row in rising order.
///
/// Weight 0 stands for no synapse at all, 0 S, whatever the parasitic conductance of `levels_s[0]`:
/// a synapse that gets it counts as lost and is switched off by its decoder. So it is chosen only
/// where losing the synapse is the smaller error. The original drew between the two neighbours at
/// random; here equal requests give equal synapses, and a mapping does not depend on a seed.
pub fn digital_weight(conductance_s: f64, levels_s: &[f64; 16]) -> DigitalWeight {
    let half_step = (levels_s[15] - levels_s[14]) / 2.0;
    DigitalWeight {
        weight: nearest(conductance_s, levels_s).0,
        clipped: conductance_s > levels_s[15] + half_step,
    }
}

/// The nearest weight and what it realises, S; the smaller of two that are equally near.
pub(crate) fn nearest(conductance_s: f64, levels_s: &[f64; 16]) -> (SynapseWeight, f64) {
    let real = |w: usize| if w == 0 { 0.0 } else { levels_s[w] };
    // levels from here on are not below
    let above = 1 + levels_s[1..].partition_point(|level| *level < conductance_s);
    let below = above - 1;
    let nearest = match levels_s.get(above) {
        Some(level) if level - conductance_s < conductance_s - real(below) => above,
        _ => below,
    };
    (SynapseWeight::from_index(nearest).unwrap_or(SynapseWeight::MAX), real(nearest))
}
