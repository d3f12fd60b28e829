//! Short-term depression out of the strengths of a train of events (analog §5.3).

use super::minimise;

/// Recovery times to start from, in units of the mean distance of events.
const STARTS: [f64; 3] = [1.0, 2.5, 6.0];

/// What a train of events tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depression {
    /// Share of the resources that an event uses, 0..1.
    pub utilisation: f64,
    /// Time constant of recovery, in the unit of the times.
    pub recovery: f64,
    /// Standard deviation of the strengths from the law, in units of the first one.
    pub residual: f64,
}

/// Shares of the resources that events at these times find: all at the first one.
pub fn available(times: &[f64], utilisation: f64, recovery: f64) -> Vec<f64> {
    let (mut used, mut last) = (0.0, f64::NEG_INFINITY);
    let mut shares = Vec::with_capacity(times.len());
    for &time in times {
        used *= ((last - time) / recovery).exp();
        shares.push(1.0 - used);
        used += utilisation * (1.0 - used);
        last = time;
    }
    shares
}

/// Fits the law to strengths in any unit, of events at ascending times. None with fewer than four, or if
/// the fit fails.
pub fn fit_depression(times: &[f64], strengths: &[f64]) -> Option<Depression> {
    let first = *strengths.first()?;
    if times.len() != strengths.len() || times.len() < 4 {
        return None;
    }
    let typical = (times[times.len() - 1] - times[0]) / times.len() as f64;
    let odds = |u: f64| (u / (1.0 - u)).ln();
    // far from the minimum there are others
    let fits = STARTS.into_iter().filter_map(|start| {
        let start = [odds(0.3), (start * typical).ln(), first.ln()];
        minimise(start, [1.0, 1.0, 0.1], |p, residuals| {
            let shares = available(times, 1.0 / (1.0 + (-p[0]).exp()), p[1].exp());
            residuals.clear();
            let unit = p[2].exp();
            residuals.extend(shares.iter().zip(strengths).map(|(x, s)| (unit * x - s) / first));
        })
    });
    let ([u, recovery, _], sum) = fits.min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Depression {
        utilisation: 1.0 / (1.0 + (-u).exp()),
        recovery: recovery.exp(),
        residual: (sum / (times.len() - 3) as f64).sqrt(),
    })
}
