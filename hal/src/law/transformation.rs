//! A transformation from a physical value to the code of a cell, as data (analog §2.2).
//!
//! The nominal law is made of these, and measured calibrations are fits of the same kinds.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{CurrentScaling, NeuronHalf, NeuronParameter};

use super::polynomial::{is_monotone, solve_monotone, value as polynomial};

/// The shape of a transformation. Coefficients stand in ascending order of their power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Formula {
    /// The same value everywhere.
    Constant(f64),
    /// `a0 + a1 x + a2 x^2 + ...`; 0 if the list is empty.
    Polynomial(Vec<f64>),
    /// `a0 + a1/x + a2/x^2 + ...`; a pole at 0.
    NegativePowers(Vec<f64>),
    /// `1 / (a0 + a1 x + a2 x^2 + ...)`.
    OneOverPolynomial(Vec<f64>),
    /// `(m0 + sqrt(m0^2 + m1 (m2 + x))) / m3`.
    InverseQuadratic([f64; 4]),
    /// A strictly or weakly sorted table: entry `i` belongs to the result `offset + i`.
    ///
    /// Falling data give the last entry that is not below `x`. Rising data give the last entry
    /// below `x`, so `offset - 1` at and below the first entry, as in the original.
    Lookup {
        /// Result of the first entry.
        offset: u16,
        /// The entries.
        data: Vec<f64>,
    },
    /// The sum of several formulas.
    Sum(Vec<Formula>),
    /// The nominal law of a parameter of a circuit that measures a time, with another speed: the
    /// code that the nominal law has for the time `t` with
    /// `x = factor * t0 * (t / t0)^exponent`, t0 = 1 us. Factor and exponent are 1 for nominal
    /// silicon. Tables are interpolated: their rule of the last entry makes times too long by half a
    /// code in the mean, which a measured law need not be.
    Nominal {
        /// I_gl, I_pl, V_syntcx or V_syntci.
        parameter: NeuronParameter,
        /// Capacitor and leak, which matter for I_gl.
        mode: (bool, CurrentScaling),
        /// Above 0.
        factor: f64,
        /// Above 0.
        exponent: f64,
    },
    /// A power of a formula.
    Power {
        /// The formula.
        base: Box<Formula>,
        /// The exponent.
        exponent: f64,
    },
}

/// Relative rounding error of values that were converted to other units and back.
const ROUNDING: f64 = 1e-12;

/// What happens to values outside the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// They are an error.
    Error,
    /// The nearest end of the domain is taken for them.
    Clip,
    /// The formula is used beyond its domain. Inverses do not extrapolate: this is an error there.
    Extrapolate,
}

/// A transformation cannot be made, applied or inverted.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TransformationError {
    /// The domain is not an interval.
    #[error("the domain {low}..={high} is empty; its lower end must not exceed its upper end")]
    EmptyDomain {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// A coefficient is not a number, or the formula has no value at an end of its domain.
    #[error("the formula has no value on its domain {low}..={high}; check its coefficients")]
    Undefined {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// The entries of a table are neither rising nor falling.
    #[error("the table is empty or not sorted; its entries must rise or fall")]
    NotSorted,
    /// The value lies outside the domain, or outside the reverse domain of an inverse.
    #[error("{value} lies outside {low}..={high}; stay inside or clip")]
    OutOfDomain {
        /// The value.
        value: f64,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// The formula has no finite value here.
    #[error("the formula has a pole at {value}; stay away from it")]
    Pole {
        /// The value.
        value: f64,
    },
    /// The formula has no unique inverse on its domain.
    #[error("the formula has no unique inverse on {low}..={high}; narrow its domain")]
    NotInvertible {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

impl Formula {
    /// The value of the formula, whatever the domain; not finite at a pole.
    fn value(&self, x: f64) -> f64 {
        match self {
            Self::Constant(c) => *c,
            Self::Polynomial(a) => polynomial(a, x),
            Self::NegativePowers(a) if a.len() < 2 => polynomial(a, x),
            Self::NegativePowers(a) => polynomial(a, one_over(x)),
            Self::OneOverPolynomial(a) => 1.0 / polynomial(a, x),
            Self::InverseQuadratic([m0, m1, m2, m3]) => {
                (m0 + (m0 * m0 + m1 * (m2 + x)).sqrt()) / m3
            }
            Self::Lookup { offset, data } => {
                let before = if is_falling(data) {
                    // an entry that went through other units and back is still that entry
                    data.partition_point(|d| *d >= x - ROUNDING * x.abs())
                } else {
                    data.partition_point(|d| *d < x)
                };
                f64::from(*offset) + before as f64 - 1.0
            }
            Self::Sum(terms) => terms.iter().map(|term| term.value(x)).sum(),
            Self::Nominal { parameter, mode, factor, exponent } => {
                let nominal = nominal(*parameter, *mode);
                let (low, high) = nominal.domain();
                let t = REFERENCE_S * (x / (factor * REFERENCE_S)).powf(1.0 / exponent);
                // rounding must not carry an end of the domain beyond that of the nominal law
                let t = t.clamp(low, high);
                match &nominal.formula {
                    Self::Lookup { offset, data } => f64::from(*offset) + position(data, t),
                    other => other.value(t),
                }
            }
            Self::Power { base, exponent } => base.value(x).powf(*exponent),
        }
    }

    /// Whether the inverse exists on a domain.
    fn is_invertible(&self, low: f64, high: f64) -> bool {
        match self {
            Self::Polynomial(a) => is_monotone(a, low, high),
            Self::NegativePowers(a) => low >= 0.0 && is_monotone(a, one_over(high), one_over(low)),
            // a zero of the polynomial inside would be a pole
            Self::OneOverPolynomial(a) => {
                is_monotone(a, low, high) && polynomial(a, low) * polynomial(a, high) > 0.0
            }
            Self::InverseQuadratic([_, m1, ..]) => *m1 != 0.0,
            Self::Lookup { .. } => true,
            Self::Nominal { parameter, mode, factor, exponent } => {
                *factor > 0.0 && *exponent > 0.0 && nominal(*parameter, *mode).invertible
            }
            Self::Constant(_) | Self::Sum(_) | Self::Power { .. } => false,
        }
    }

    /// The tables of the formula are sorted.
    fn has_sorted_tables(&self) -> bool {
        match self {
            Self::Lookup { data, .. } => {
                !data.is_empty()
                    && if is_falling(data) {
                        data.is_sorted_by(|a, b| a >= b)
                    } else {
                        data.is_sorted_by(|a, b| a <= b)
                    }
            }
            Self::Sum(terms) => terms.iter().all(Self::has_sorted_tables),
            Self::Power { base, .. } => base.has_sorted_tables(),
            _ => true,
        }
    }
}

/// The time at which [`Formula::Nominal`] has its factor, s.
const REFERENCE_S: f64 = 1e-6;

fn nominal(
    parameter: NeuronParameter,
    (big_capacitor, i_gl): (bool, CurrentScaling),
) -> &'static Transformation {
    let half = NeuronHalf { big_capacitor, i_gl, ..NeuronHalf::default() };
    super::neuron_transformation(parameter, &half)
}

fn is_falling(data: &[f64]) -> bool {
    data.first() > data.last()
}

/// Where a value lies in falling data, as an index with a fraction, between 0 and the last one. What is
/// nearest to one of several equal entries is at the last of them, which is where that entry itself is.
fn position(data: &[f64], x: f64) -> f64 {
    let below = data.partition_point(|d| *d > x).min(data.len() - 1);
    let here = below.saturating_sub(1);
    let equal = data.partition_point(|d| *d >= data[below]) - 1 - below;
    let step = data[here] - data[below];
    let share = if step > 0.0 { ((data[here] - x) / step).clamp(0.0, 1.0) } else { 1.0 };
    let place = here as f64 + share * (below - here) as f64;
    if share < 0.5 { place } else { place + equal as f64 }
}

/// `1 / x`, finite at 0.
fn one_over(x: f64) -> f64 {
    (1.0 / x).clamp(-f64::MAX, f64::MAX)
}

/// A formula with the closed domain on which it holds, and the range it maps that domain to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Transformation {
    formula: Formula,
    low: f64,
    high: f64,
    /// Derived from the three above.
    reverse: (f64, f64),
    /// Derived: there is one inverse.
    invertible: bool,
}

/// What is stored of a transformation.
#[derive(Serialize, Deserialize)]
struct Parts {
    formula: Formula,
    low: f64,
    high: f64,
}

impl From<Transformation> for Parts {
    fn from(t: Transformation) -> Self {
        Self { formula: t.formula, low: t.low, high: t.high }
    }
}

impl TryFrom<Parts> for Transformation {
    type Error = TransformationError;
    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::new(parts.formula, parts.low, parts.high)
    }
}

impl Transformation {
    /// A formula on the domain `low..=high`.
    pub fn new(formula: Formula, low: f64, high: f64) -> Result<Self, TransformationError> {
        if low.is_nan() || high.is_nan() || low > high {
            return Err(TransformationError::EmptyDomain { low, high });
        }
        if !formula.has_sorted_tables() {
            return Err(TransformationError::NotSorted);
        }
        let (a, b) = (formula.value(low), formula.value(high));
        if a.is_nan() || b.is_nan() {
            return Err(TransformationError::Undefined { low, high });
        }
        let finite = |x: f64| x.clamp(-f64::MAX, f64::MAX);
        let reverse = (finite(a.min(b)), finite(a.max(b)));
        let invertible = formula.is_invertible(low, high);
        Ok(Self { formula, low, high, reverse, invertible })
    }

    /// The nominal law of a time constant with another speed (see [`Formula::Nominal`]), on the
    /// domain that follows from the nominal one.
    pub fn nominal(
        parameter: NeuronParameter,
        mode: (bool, CurrentScaling),
        factor: f64,
        exponent: f64,
    ) -> Result<Self, TransformationError> {
        let (low, high) = nominal(parameter, mode).domain();
        let x = |t: f64| factor * REFERENCE_S * (t / REFERENCE_S).powf(exponent);
        Self::new(Formula::Nominal { parameter, mode, factor, exponent }, x(low), x(high))
    }

    /// The formula.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }

    /// Both ends of the domain.
    pub fn domain(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The values at both ends of the domain, sorted; infinities are the largest double.
    pub fn reverse_domain(&self) -> (f64, f64) {
        self.reverse
    }

    /// The result for `x`. A pole is an error even if values outside the domain are clipped.
    pub fn apply(&self, x: f64, outside: Outside) -> Result<f64, TransformationError> {
        if x == 0.0 && matches!(&self.formula, Formula::NegativePowers(a) if a.len() > 1) {
            return Err(TransformationError::Pole { value: x });
        }
        let x = match outside {
            Outside::Extrapolate => x,
            _ => within(x, self.domain(), outside)?,
        };
        let y = self.formula.value(x);
        if y.is_finite() { Ok(y) } else { Err(TransformationError::Pole { value: x }) }
    }

    /// The `x` of the domain whose result is `y`. Tables are interpolated between their entries.
    pub fn inverse(&self, y: f64, outside: Outside) -> Result<f64, TransformationError> {
        let (low, high) = self.domain();
        if !self.invertible {
            return Err(TransformationError::NotInvertible { low, high });
        }
        let y = within(y, self.reverse, outside)?;
        match &self.formula {
            Formula::Polynomial(a) => Ok(solve_monotone(a, y, low, high)),
            Formula::NegativePowers(a) => {
                let x = 1.0 / solve_monotone(a, y, one_over(high), one_over(low));
                Ok(x.clamp(low, high))
            }
            Formula::OneOverPolynomial(a) => Ok(solve_monotone(a, 1.0 / y, low, high)),
            Formula::InverseQuadratic([m0, m1, m2, m3]) => {
                let x = ((m3 * y - m0).powi(2) - m0 * m0) / m1 - m2;
                Ok(x.clamp(low, high))
            }
            Formula::Lookup { offset, data } => {
                let last = data.len() - 1;
                let position = (y - f64::from(*offset)).clamp(0.0, last as f64);
                let i = position as usize;
                let (here, next) = (data[i], data[(i + 1).min(last)]);
                Ok(here + (next - here) * position.fract())
            }
            Formula::Nominal { parameter, mode, factor, exponent } => {
                let t = nominal(*parameter, *mode).inverse(y, Outside::Clip)?;
                let x = factor * REFERENCE_S * (t / REFERENCE_S).powf(*exponent);
                Ok(x.clamp(low, high))
            }
            Formula::Constant(_) | Formula::Sum(_) | Formula::Power { .. } => {
                Err(TransformationError::NotInvertible { low, high })
            }
        }
    }
}

/// The value itself or the nearest end of the interval.
fn within(
    value: f64,
    (low, high): (f64, f64),
    outside: Outside,
) -> Result<f64, TransformationError> {
    if value >= low && value <= high {
        Ok(value)
    } else if outside == Outside::Clip && !value.is_nan() {
        Ok(value.clamp(low, high))
    } else {
        Err(TransformationError::OutOfDomain { value, low, high })
    }
}
