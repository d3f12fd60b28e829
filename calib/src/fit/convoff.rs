//! The two bent curves of the original: the hinge of V_convoff and the softplus of V_syntc
//! (analog §3.2).

/// `a (x - b) + c`, but not below `c`.
pub fn hinge(x: f64, a: f64, b: f64, c: f64) -> f64 {
    (a * (x - b) + c).max(c)
}

/// `ln(tau)` as a function of a code in the original: `a ln(1 + exp(c (b - x))) / c + offset`.
pub fn softplus(x: f64, a: f64, b: f64, c: f64, offset: f64) -> f64 {
    let z = c * (b - x);
    // for large arguments ln(1 + e^z) is z
    let soft = if z > 30.0 { z } else { z.exp().ln_1p() };
    a * soft / c + offset
}

/// A hinge that falls to a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hinge {
    /// Where the falling part ends.
    pub onset: f64,
    /// The constant beyond.
    pub floor: f64,
    /// Change per `x` before the onset, below 0.
    pub slope: f64,
    /// Standard deviation of the points.
    pub residual: f64,
}

/// The hinge through points `(x, y)`: every split of the points into a falling line and a constant
/// is tried. None with fewer than four points, without a falling part, or if a number is not finite.
pub fn fit_hinge(points: &[(f64, f64)]) -> Option<Hinge> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    if sorted.len() < 4 || sorted.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let mut best: Option<(f64, Hinge)> = None;
    for split in 2..sorted.len() {
        let (falling, flat) = sorted.split_at(split);
        let floor = flat.iter().map(|(_, y)| y).sum::<f64>() / flat.len() as f64;
        let Some(line) = super::fit_line(falling) else { continue };
        if line.slope >= 0.0 {
            continue;
        }
        let onset = (floor - line.offset) / line.slope;
        let error = |&(x, y): &(f64, f64)| (y - hinge(onset - x, -line.slope, 0.0, floor)).powi(2);
        let sum: f64 = sorted.iter().map(error).sum();
        if best.is_none_or(|(least, _)| sum < least) {
            let residual = (sum / (sorted.len() - 3).max(1) as f64).sqrt();
            best = Some((sum, Hinge { onset, floor, slope: line.slope, residual }));
        }
    }
    best.map(|(_, hinge)| hinge)
}
