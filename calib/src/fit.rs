//! Fits of measured values: small, robust, without a library.
//!
//! Every fit says no instead of returning something that is not a number.

mod convoff;
mod depression;
mod least_squares;
mod line;
mod psp;
mod refractory;

pub use convoff::{Hinge, fit_hinge, hinge, softplus};
pub use depression::{Depression, available, fit_depression};
pub use least_squares::minimise;
pub use line::{Line, fit_line, robust_mean};
pub use psp::{Psp, PspKnown, double_exponential, fit_psp};
pub use refractory::{Intervals, fit_intervals};

/// Scale of a normal distribution per median absolute deviation.
const PER_MAD: f64 = 1.4826;

/// The median; none of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.get((sorted.len().max(1) - 1) / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}
