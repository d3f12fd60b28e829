//! The nominal law of long-term plasticity: what the capacitors of a synapse gather, and what the
//! controller makes of it (analog §5.4, hal-config §1.6).
//!
//! No source of the original describes the analog rule. The one here is that of the predecessor
//! chip (Pfeil et al. 2012): only neighbouring events pair. A postsynaptic event adds to the causal
//! capacitor if a presynaptic one was the last to come, and the other way round to the acausal one;
//! what it adds decays exponentially with the time between the two. An update of the weight resets
//! both capacitors. The comparison follows Friedmann
//! et al. 2013 as far as it is remembered, and was not held against the text: capacitors that are
//! connected to a side share their charge with its threshold.
//! Sizes are assumptions.

use super::volts;
use crate::config::{EvaluationPattern, FloatingGates, Plasticity, SharedParameter as P};
use crate::coord::FgBlockOnHicann;
use crate::value::SynapseWeight;

/// Time constant of the correlation, hardware seconds: 20 ms of biology at a speed-up of 10,000. An
/// assumption.
pub const CORRELATION_TAU_S: f64 = 2e-6;
/// Pairs without distance that load a capacitor by V_m. An assumption.
pub const CORRELATION_PAIRS: f64 = 16.0;
/// Highest voltage of a capacitor, V: the supply.
const SUPPLY_V: f64 = 1.8;

/// Voltages of the two capacitors of a synapse.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Capacitors {
    /// Loaded by pairs in which the presynaptic event came first, V.
    pub causal_v: f64,
    /// Loaded by pairs in which it came second, V.
    pub acausal_v: f64,
}

/// Parameters of long-term plasticity of a floating-gate block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Time constant by which what a pair adds decays with its distance, hardware seconds.
    pub tau_s: f64,
    /// What a pair without distance adds, V: V_m over 16.
    pub step_v: f64,
    /// Where the capacitors start, and start again after a reset: V_clrc and V_clra.
    pub clear: Capacitors,
    /// V_tlow, V.
    pub low_v: f64,
    /// V_thigh, V.
    pub high_v: f64,
}

/// Long-term plasticity of the synapses above the circuits of a block. V_clra is a parameter of the
/// left blocks and V_clrc one of the right blocks, each for its half of the chip.
pub fn correlation(gates: &FloatingGates, block: FgBlockOnHicann) -> Correlation {
    let in_block = |block, parameter| volts(gates.shared(block, parameter).unwrap_or_default());
    let here = |parameter| in_block(block, parameter);
    let left = FgBlockOnHicann::wrap(block.index() & !1);
    let right = FgBlockOnHicann::wrap(block.index() | 1);
    Correlation {
        tau_s: CORRELATION_TAU_S,
        step_v: here(P::VM) / CORRELATION_PAIRS,
        clear: Capacitors {
            causal_v: in_block(right, P::VClrc),
            acausal_v: in_block(left, P::VClra),
        },
        low_v: here(P::VTlow),
        high_v: here(P::VThigh),
    }
}

impl Correlation {
    /// What a pair adds to the voltage of a capacitor, V.
    pub fn pair_v(&self, distance_s: f64) -> f64 {
        self.step_v * (-distance_s / self.tau_s).exp()
    }

    /// The voltage of a capacitor after a pair, V.
    pub fn after_pair_v(&self, before_v: f64, distance_s: f64) -> f64 {
        (before_v + self.pair_v(distance_s)).min(SUPPLY_V)
    }

    /// Whether an evaluation comes out true: the mean of V_tlow and the capacitors that the bits `cc`
    /// and `ac` connect to it lies above that of V_thigh and those of `ca` and `aa`.
    fn is_true(&self, pattern: EvaluationPattern, settings: &Plasticity, c: Capacitors) -> bool {
        let side = |threshold_v: f64, causal: bool, acausal: bool| {
            let causal = f64::from(u8::from(causal && settings.read_causal));
            let acausal = f64::from(u8::from(acausal && settings.read_acausal));
            (threshold_v + causal * c.causal_v + acausal * c.acausal_v) / (1.0 + causal + acausal)
        };
        side(self.low_v, pattern.cc, pattern.ac) > side(self.high_v, pattern.ca, pattern.aa)
    }

    /// The weight after an update: the first evaluation stands for causal pairs, the second one for
    /// acausal ones. None if neither comes out true: then the capacitors go on, too.
    pub fn updated(
        &self,
        settings: &Plasticity,
        weight: SynapseWeight,
        capacitors: Capacitors,
    ) -> Option<SynapseWeight> {
        let [first, second] = settings.evaluation;
        let tables = &settings.lookup;
        let table = match [first, second].map(|e| self.is_true(e, settings, capacitors)) {
            [true, false] => &tables.causal,
            [false, true] => &tables.acausal,
            [true, true] => &tables.combined,
            [false, false] => return None,
        };
        Some(table[weight.index()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: Correlation = Correlation {
        tau_s: 2e-6,
        step_v: 0.1,
        clear: Capacitors { causal_v: 0.0, acausal_v: 0.0 },
        low_v: 0.5,
        high_v: 0.6,
    };

    #[test]
    fn pairs_add_less_the_farther_apart_they_are_up_to_the_supply() {
        assert_eq!(LAW.pair_v(0.0), 0.1);
        assert!((LAW.pair_v(2e-6) - 0.1 / std::f64::consts::E).abs() < 1e-12);
        assert_eq!(LAW.after_pair_v(1.75, 0.0), 1.8);
    }

    #[test]
    fn differences_beyond_the_thresholds_change_weights() {
        let on = EvaluationPattern::default();
        let settings = Plasticity {
            evaluation: [
                EvaluationPattern { cc: true, aa: true, ..on },
                EvaluationPattern { ac: true, ca: true, ..on },
            ],
            ..Plasticity::default()
        };
        let new = |old: usize, causal_v: f64, acausal_v: f64| {
            let capacitors = Capacitors { causal_v, acausal_v };
            LAW.updated(&settings, SynapseWeight::wrap(old), capacitors).map(SynapseWeight::index)
        };
        assert_eq!((new(7, 0.3, 0.1), new(7, 0.1, 0.3)), (Some(8), Some(6)));
        assert_eq!((new(15, 0.3, 0.1), new(0, 0.1, 0.3)), (Some(15), Some(0)));
        assert_eq!(new(7, 0.15, 0.1), None);
        // a capacitor that is not read takes no part
        let blind = Plasticity { read_causal: false, ..settings };
        let capacitors = Capacitors { causal_v: 1.0, acausal_v: 0.5 };
        assert_eq!(LAW.updated(&blind, SynapseWeight::new::<7>(), capacitors), None);
    }
}
