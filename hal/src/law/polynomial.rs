//! Polynomials of one variable: value, derivative, and the one root of a monotone one.
//!
//! Coefficients stand in ascending order: `a[0] + a[1] x + a[2] x^2 + ...`.

/// The value at `x`; 0 for an empty list.
pub(super) fn value(a: &[f64], x: f64) -> f64 {
    a.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The coefficients of the derivative.
fn derivative(a: &[f64]) -> Vec<f64> {
    a.iter().enumerate().skip(1).map(|(k, c)| k as f64 * c).collect()
}

/// Whether the polynomial is strictly monotone on the interval, so that it can be inverted there.
pub(super) fn is_monotone(a: &[f64], low: f64, high: f64) -> bool {
    value(a, low) != value(a, high) && sign_changes(&derivative(a), low, high).is_empty()
}

/// Where the polynomial changes its sign inside the interval, ascending.
///
/// Between two neighbouring sign changes of its derivative a polynomial is monotone and crosses
/// zero at most once.
fn sign_changes(a: &[f64], low: f64, high: f64) -> Vec<f64> {
    if a.len() < 2 {
        return Vec::new();
    }
    let mut cuts = vec![low];
    cuts.extend(sign_changes(&derivative(a), low, high));
    cuts.push(high);
    cuts.windows(2)
        .filter(|cut| {
            let (left, right) = (value(a, cut[0]), value(a, cut[1]));
            left < 0.0 && right > 0.0 || left > 0.0 && right < 0.0
        })
        .map(|cut| solve_monotone(a, 0.0, cut[0], cut[1]))
        .collect()
}

/// The `x` in `low..=high` where a polynomial that is monotone there takes the value `y`; the
/// nearer end if it takes it nowhere.
///
/// Newton steps, replaced by halving wherever they would leave the bracket or shrink it slowly.
pub(super) fn solve_monotone(a: &[f64], y: f64, low: f64, high: f64) -> f64 {
    let (at_low, at_high) = (value(a, low) - y, value(a, high) - y);
    if at_low == 0.0 || (at_low > 0.0) == (at_high > 0.0) {
        return if at_low.abs() <= at_high.abs() { low } else { high };
    }
    let (mut below, mut above) = if at_low < 0.0 { (low, high) } else { (high, low) };
    let mut x = f64::midpoint(low, high);
    let mut width = (high - low).abs();
    loop {
        let (mut p, mut slope) = (0.0, 0.0);
        for c in a.iter().rev() {
            slope = slope * x + p;
            p = p * x + c;
        }
        let error = p - y;
        if error == 0.0 {
            return x;
        }
        if error < 0.0 {
            below = x;
        } else {
            above = x;
        }
        let middle = f64::midpoint(below, above);
        let newton = x - error / slope;
        let inside = (newton - below) * (newton - above) < 0.0;
        let next = if inside && 2.0 * (newton - x).abs() < width { newton } else { middle };
        width = (next - x).abs();
        if next == x || next == below || next == above {
            return next;
        }
        x = next;
    }
}
