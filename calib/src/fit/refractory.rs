//! The refractory time out of intervals between spikes (analog §3.2, I_pl).

/// What intervals at several nominal refractory times say about a circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intervals {
    /// Refractory time over its nominal value.
    pub factor: f64,
    /// Time from the reset to the next spike, s.
    pub rise_s: f64,
    /// Standard deviation of the intervals from the fit, in units of their errors.
    pub residual: f64,
}

/// Fits `interval = rise + factor * nominal` to triples of nominal refractory time, interval and
/// the error of the interval, s. The original subtracts an interval at I_pl 1023 instead; there, a
/// reset does not end before the membrane is released, and the difference is too large.
///
/// None with fewer than three points, without spread, or if a number is not finite.
pub fn fit_intervals(points: &[(f64, f64, f64)]) -> Option<Intervals> {
    let sound = |&(x, y, e): &(f64, f64, f64)| x.is_finite() && y.is_finite() && e > 0.0;
    if points.len() < 3 || !points.iter().all(sound) {
        return None;
    }
    let mut trust = vec![1.0; points.len()];
    let mut fit = None;
    for _ in 0..6 {
        let sum = |f: &dyn Fn(f64, f64) -> f64| {
            let terms = points.iter().zip(&trust);
            terms.map(|(&(x, y, e), t)| t * f(x, y) / (e * e)).sum::<f64>()
        };
        let total = sum(&|_, _| 1.0);
        let (mean_x, mean_y) = (sum(&|x, _| x) / total, sum(&|_, y| y) / total);
        let factor = sum(&|x, y| (x - mean_x) * (y - mean_y)) / sum(&|x, _| (x - mean_x).powi(2));
        let rise_s = mean_y - factor * mean_x;
        if !(factor.is_finite() && rise_s.is_finite()) {
            return None;
        }
        let errors: Vec<f64> =
            points.iter().map(|&(x, y, e)| (y - rise_s - factor * x) / e).collect();
        // outliers lose weight
        for (trust, error) in trust.iter_mut().zip(&errors) {
            *trust = (2.5 / error.abs()).min(1.0);
        }
        let squares: f64 = errors.iter().map(|e| e * e).sum();
        let residual = (squares / (points.len() - 2) as f64).sqrt();
        fit = Some(Intervals { factor, rise_s, residual });
    }
    fit
}
