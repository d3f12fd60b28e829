//! Straight lines through points with outliers.

use super::{PER_MAD, median};

/// Residuals beyond this many standard deviations lose weight.
const HUBER: f64 = 2.0;
/// Rounds of weighting; weights have settled long before.
const ROUNDS: usize = 8;

/// A straight line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Value at `x = 0`.
    pub offset: f64,
    /// Change per `x`.
    pub slope: f64,
    /// Standard deviation of the points from the line.
    pub residual: f64,
    /// Number of points.
    pub points: usize,
}

impl Line {
    /// The value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.offset + self.slope * x
    }
}

/// The line through points `(x, y)` by least squares, with less weight for outliers (Huber). None
/// with fewer than two different `x`, or if a number is not finite.
pub fn fit_line(points: &[(f64, f64)]) -> Option<Line> {
    if points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let mut weights = vec![1.0; points.len()];
    let mut line = weighted_line(points, &weights)?;
    for _ in 0..ROUNDS {
        let residuals: Vec<f64> = points.iter().map(|&(x, y)| (y - line.at(x)).abs()).collect();
        let scale = PER_MAD * median(&residuals)?;
        for (weight, residual) in weights.iter_mut().zip(&residuals) {
            *weight = if *residual <= HUBER * scale { 1.0 } else { HUBER * scale / residual };
        }
        // more than half of the points lie exactly on a line
        line = weighted_line(points, &weights).unwrap_or(line);
    }
    let free = points.len().saturating_sub(2).max(1);
    let squares: f64 = points.iter().map(|&(x, y)| (y - line.at(x)).powi(2)).sum();
    line.residual = (squares / free as f64).sqrt();
    Some(line)
}

fn weighted_line(points: &[(f64, f64)], weights: &[f64]) -> Option<Line> {
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        points.iter().zip(weights).map(|(&(x, y), w)| w * f(x, y)).sum::<f64>()
    };
    let total = sum(&|_, _| 1.0);
    let (mean_x, mean_y) = (sum(&|x, _| x) / total, sum(&|_, y| y) / total);
    let spread = sum(&|x, _| (x - mean_x).powi(2));
    let slope = sum(&|x, y| (x - mean_x) * (y - mean_y)) / spread;
    let line = Line { offset: mean_y - slope * mean_x, slope, residual: 0.0, points: points.len() };
    (spread > 0.0 && line.offset.is_finite() && line.slope.is_finite()).then_some(line)
}

/// The mean of values without those that lie more than four robust standard deviations from the
/// median. None of nothing, or if a number is not finite.
pub fn robust_mean(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    let limit = 4.0 * PER_MAD * median(&distances)?;
    let near: Vec<f64> = values.iter().copied().filter(|v| (v - middle).abs() <= limit).collect();
    let mean = near.iter().sum::<f64>() / near.len() as f64;
    mean.is_finite().then_some(mean)
}
