//! Long-term plasticity of spike pairs: from PyNN's `SpikePairRule` with `AdditiveWeightDependence`
//! to the settings of the controller of a synapse array and its floating-gate blocks, and back
//! (analog §5.4).
//!
//! Neighbouring spikes pair, and a pair at distance d loads a capacitor of its synapse by exp(-d/tau)
//! of a step. Where one capacitor is ahead of the other by a threshold, the controller moves the
//! weight by some of its fifteen levels, and both capacitors start again. So a pair without distance
//! is worth, as a share of the largest weight, levels / 15 over threshold / step. Time constants are
//! fixed, and one threshold stands for both directions.

use hal::config::{EvaluationPattern, LookupTables, SharedParameter};
use hal::coord::Coordinate as _;
use hal::law;
use hal::value::{DacCode, SynapseWeight};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Clipped, InvalidScaling, Scaling};

/// Levels of a weight above 0.
const LEVELS: f64 = 15.0;
/// Codes of the threshold: precise enough at the low end, capacitors not full at the high end.
const THRESHOLDS: [f64; 2] = [57.0, 512.0];
/// Codes of the load from which on it is precise enough, and the smallest that is used.
const LOADS: [f64; 2] = [64.0, 8.0];
/// What a further level of the larger direction must gain in the ratio of the two.
const LEVEL_COST: f64 = 0.02;
/// Most levels that are tried for the ratio.
const MAX_RATIO: u8 = 8;

/// `SpikePairRule` and `AdditiveWeightDependence` of PyNN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairRule {
    /// Time constant of pairs in which the presynaptic spike comes first, biological ms.
    pub tau_plus: f64,
    /// Time constant of the other pairs, biological ms.
    pub tau_minus: f64,
    /// What a pair without distance adds to the weight, as a share of `w_max`.
    pub a_plus: f64,
    /// What the opposite pair takes away.
    pub a_minus: f64,
    /// Smallest weight, uS.
    pub w_min: f64,
    /// Largest weight, uS.
    pub w_max: f64,
}

/// A pair rule makes no sense, or is out of reach.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PairError {
    /// A time constant is not positive.
    #[error("{parameter} = {ms} ms: time constants are finite and above 0")]
    Time {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// Its value.
        ms: f64,
    },
    /// An amplitude is negative or not a number.
    #[error("{parameter} = {value}: amplitudes are finite and not negative")]
    Amplitude {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
    },
    /// The bounds of the weight are in the wrong order.
    #[error("w_min = {w_min} uS, w_max = {w_max} uS: 0 <= w_min < w_max, and finite")]
    Bounds {
        /// Smallest weight, uS.
        w_min: f64,
        /// Largest weight, uS.
        w_max: f64,
    },
    /// A value is too far beyond what synapses reach to be clipped.
    #[error(
        "{parameter} = {value} is out of reach: with this speedup the synapses of the wafer do \
         {low} to {high}; choose a value there"
    )]
    OutOfReach {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// The value asked for.
        value: f64,
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// The scaling makes no sense.
    #[error(transparent)]
    Scaling(#[from] InvalidScaling),
}

/// Settings of an array's controller and of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairSettings {
    /// Levels by which a weight grows.
    pub up: u8,
    /// Levels by which it shrinks.
    pub down: u8,
    /// Smallest weight.
    pub floor: u8,
    /// `V_thigh`, the threshold above `V_tlow` of 0.
    pub threshold: DacCode,
    /// `V_m`, sixteen times what a pair without distance loads.
    pub load: DacCode,
}

/// A pair rule on the wafer.
#[derive(Debug, Clone, PartialEq)]
pub struct PairTranslation {
    /// The settings.
    pub settings: PairSettings,
    /// What they stand for.
    pub realised: PairRule,
    /// What had to be clipped. To be rounded to the nearest setting is not to be clipped.
    pub clipped: Vec<Clipped>,
}

impl PairRule {
    /// Whether all numbers are physical.
    pub fn validate(&self) -> Result<(), PairError> {
        for (parameter, ms) in [("tau_plus", self.tau_plus), ("tau_minus", self.tau_minus)] {
            if !(ms.is_finite() && ms > 0.0) {
                return Err(PairError::Time { parameter, ms });
            }
        }
        for (parameter, value) in [("A_plus", self.a_plus), ("A_minus", self.a_minus)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(PairError::Amplitude { parameter, value });
            }
        }
        let Self { w_min, w_max, .. } = *self;
        if !(w_min >= 0.0 && w_min < w_max && w_max.is_finite()) {
            return Err(PairError::Bounds { w_min, w_max });
        }
        Ok(())
    }
}

impl PairSettings {
    /// The comparisons of the controller: causal pairs ahead of acausal ones, and the opposite.
    pub fn evaluation() -> [EvaluationPattern; 2] {
        let off = EvaluationPattern::default();
        [
            EvaluationPattern { cc: true, aa: true, ..off },
            EvaluationPattern { ac: true, ca: true, ..off },
        ]
    }

    /// New weights by old ones.
    pub fn lookup(self) -> LookupTables {
        let table = |change: i32| {
            std::array::from_fn(|old| {
                let new = (old as i32 + change).clamp(i32::from(self.floor), LEVELS as i32);
                SynapseWeight::from_index(new as usize).unwrap_or_default()
            })
        };
        let (up, down) = (i32::from(self.up), i32::from(self.down));
        LookupTables { causal: table(up), acausal: table(-down), ..LookupTables::default() }
    }

    /// The cells of the blocks of the array that differ from what they are after reset.
    pub const fn cells(self) -> [(SharedParameter, DacCode); 2] {
        [(SharedParameter::VThigh, self.threshold), (SharedParameter::VM, self.load)]
    }

    /// Pairs without distance that reach the threshold.
    fn pairs(self) -> f64 {
        law::CORRELATION_PAIRS * f64::from(self.threshold) / f64::from(self.load)
    }
}

/// The nearest settings for a pair rule. Values up to a factor of 2 beyond what synapses reach are
/// clipped and listed.
pub fn translate_pairs(wanted: &PairRule, scaling: &Scaling) -> Result<PairTranslation, PairError> {
    wanted.validate()?;
    scaling.validate()?;
    let mut clipped = Vec::new();
    let tau_ms = scaling.time_to_bio_ms(law::CORRELATION_TAU_S);
    for (parameter, ms) in [("tau_plus", wanted.tau_plus), ("tau_minus", wanted.tau_minus)] {
        let (_, clip) = clip(parameter, ms, [tau_ms, tau_ms])?;
        clipped.extend(clip);
    }
    let [most, least] = [1.0, LEVELS.recip() * LOADS[1] / law::CORRELATION_PAIRS / THRESHOLDS[1]];
    let mut amplitudes = [0.0; 2];
    let asked = [("A_plus", wanted.a_plus), ("A_minus", wanted.a_minus)];
    for (to, (parameter, value)) in amplitudes.iter_mut().zip(asked) {
        if value > 0.0 {
            let (reached, clip) = clip(parameter, value, [least, most])?;
            *to = reached;
            clipped.extend(clip);
        }
    }
    let [up, down] = levels(amplitudes);
    let code = |x: f64| law::nearest_code(x);
    // pairs to the threshold: in the mean right for both directions
    let pairs = [(up, amplitudes[0]), (down, amplitudes[1])].map(|(levels, amplitude)| {
        (amplitude > 0.0).then(|| f64::from(levels) / LEVELS / amplitude)
    });
    let n = pairs.iter().flatten().count().max(1) as f64;
    let pairs = (pairs.iter().flatten().map(|p| p.ln()).sum::<f64>() / n).exp();
    let threshold = (LOADS[0] * pairs / law::CORRELATION_PAIRS).clamp(THRESHOLDS[0], THRESHOLDS[1]);
    let threshold = code(threshold.round());
    let load = code(law::CORRELATION_PAIRS * f64::from(threshold) / pairs);
    let floor = (LEVELS * wanted.w_min / wanted.w_max - 1e-9).ceil().max(0.0) as u8;
    let settings = PairSettings { up, down, floor, threshold, load };
    let share = |levels: u8| f64::from(levels) / LEVELS / settings.pairs();
    let realised = PairRule {
        tau_plus: tau_ms,
        tau_minus: tau_ms,
        a_plus: share(up),
        a_minus: share(down),
        w_min: f64::from(floor) / LEVELS * wanted.w_max,
        w_max: wanted.w_max,
    };
    Ok(PairTranslation { settings, realised, clipped })
}

/// Levels up and down: small numbers in about the ratio of the amplitudes, as large as the threshold
/// of one pair needs.
fn levels(amplitudes: [f64; 2]) -> [u8; 2] {
    let [plus, minus] = amplitudes;
    let (large, small) = (plus.max(minus), plus.min(minus));
    if large == 0.0 {
        return [0, 0];
    }
    let partner = |levels: u8| match small / large {
        0.0 => 0,
        ratio => (f64::from(levels) * ratio).round().max(1.0) as u8,
    };
    let cost = |levels: u8| {
        let error = match partner(levels) {
            0 => 0.0,
            partner => (f64::from(partner) / f64::from(levels) * large / small).ln().abs(),
        };
        error + LEVEL_COST * f64::from(levels)
    };
    let one_pair = (LEVELS * large).ceil().clamp(1.0, LEVELS) as u8;
    let last = one_pair.max(MAX_RATIO);
    let best = (one_pair..=last).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(one_pair);
    if plus >= minus { [best, partner(best)] } else { [partner(best), best] }
}

/// A value within a range, and how it was clipped if it lies outside.
fn clip(
    parameter: &'static str,
    wanted: f64,
    [low, high]: [f64; 2],
) -> Result<(f64, Option<Clipped>), PairError> {
    const ROUNDING: f64 = 1e-9;
    if (low * (1.0 - ROUNDING)..=high * (1.0 + ROUNDING)).contains(&wanted) {
        return Ok((wanted, None));
    }
    if !(low / 2.0..=high * 2.0).contains(&wanted) {
        return Err(PairError::OutOfReach { parameter, value: wanted, low, high });
    }
    let realised = wanted.clamp(low, high);
    Ok((realised, Some(Clipped { parameter, wanted, low, high, realised })))
}

#[cfg(test)]
mod tests {
    use hal::config::Plasticity;
    use hal::law::{Capacitors, Correlation};
    use proptest::prelude::*;

    use super::*;

    const RULE: PairRule = PairRule {
        tau_plus: 20.0,
        tau_minus: 20.0,
        a_plus: 0.05,
        a_minus: 0.05,
        w_min: 0.0,
        w_max: 0.02,
    };

    fn refusal(rule: PairRule) -> String {
        translate_pairs(&rule, &Scaling::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_synapses_cannot_do_is_clipped_or_refused_by_name() {
        let near = translate_pairs(&PairRule { tau_plus: 30.0, ..RULE }, &Scaling::default());
        let near = near.unwrap();
        assert_eq!((near.clipped.len(), near.clipped[0].parameter), (1, "tau_plus"));
        assert!((near.realised.tau_plus - 20.0).abs() < 1e-9);
        assert!(refusal(PairRule { tau_minus: 50.0, ..RULE }).starts_with("tau_minus = 50 is out"));
        assert!(refusal(PairRule { a_plus: 1e-6, ..RULE }).starts_with("A_plus"));
        assert!(refusal(PairRule { a_minus: -0.1, ..RULE }).starts_with("A_minus"));
        assert!(refusal(PairRule { w_min: 0.02, ..RULE }).starts_with("w_min"));
        assert!(refusal(PairRule { tau_plus: f64::NAN, ..RULE }).starts_with("tau_plus"));
    }

    #[test]
    fn directions_that_are_off_change_nothing() {
        let rule = PairRule { a_minus: 0.0, w_min: 0.004, ..RULE };
        let made = translate_pairs(&rule, &Scaling::default()).unwrap();
        assert_eq!((made.settings.up, made.settings.down, made.settings.floor), (1, 0, 3));
        assert_eq!(made.settings.lookup().acausal[7].index(), 7);
        assert_eq!(made.settings.lookup().acausal[1].index(), 3);
    }

    proptest! {
        #[test]
        fn many_pairs_move_a_weight_by_what_the_rule_says(
            a in 1e-3..0.9_f64,
            ratio in 0.3..3.0_f64,
        ) {
            let a_minus = (a * ratio).min(0.99);
            let rule = PairRule { a_plus: a, a_minus, ..RULE };
            let PairTranslation { settings, realised, clipped } =
                translate_pairs(&rule, &Scaling::default()).unwrap();
            prop_assert!(clipped.is_empty());
            for (real, wanted) in [(realised.a_plus, a), (realised.a_minus, a_minus)] {
                prop_assert!((real / wanted).ln().abs() < 0.12, "{real} for {wanted}");
            }
            // the law of the chip needs as many pairs for a step as the settings say
            let law = Correlation {
                tau_s: law::CORRELATION_TAU_S,
                step_v: law::volts(settings.load) / law::CORRELATION_PAIRS,
                clear: Capacitors::default(),
                low_v: 0.0,
                high_v: law::volts(settings.threshold),
            };
            let controller = Plasticity {
                evaluation: PairSettings::evaluation(),
                lookup: settings.lookup(),
                ..Plasticity::default()
            };
            let old = SynapseWeight::new::<0>();
            let after = |pairs: f64| {
                let c = Capacitors { causal_v: pairs * law.step_v, acausal_v: 0.0 };
                law.updated(&controller, old, c).map(SynapseWeight::index)
            };
            prop_assert_eq!(after(settings.pairs() * 0.999), None);
            prop_assert_eq!(after(settings.pairs() * 1.001), Some(usize::from(settings.up)));
            let expected = f64::from(settings.up) / 15.0 / settings.pairs();
            prop_assert!((expected - realised.a_plus).abs() < 1e-12);
        }
    }
}
