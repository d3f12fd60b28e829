//! What a membrane that fires tells by its trace (analog §3.2).

use crate::fit::{fit_line, median};

use super::rig::SAMPLE_S;

/// A membrane that moves less does not fire, V.
const LEAST_SWING_V: f64 = 0.08;
/// Samples before a reset that the threshold is extrapolated from, and the last of them.
const RISE: (usize, usize) = (10, 2);
/// Samples between the threshold and the middle of a reset.
const FALL: f64 = 0.8;
/// Time constant of membranes whose threshold is read, s, about: what a rise is bent by.
pub(super) const RISE_TAU_S: f64 = 0.6e-6;

/// Longest time between a reset and the baseline behind it, and longest baseline, s.
const BASELINE_S: f64 = 0.1e-6;

/// A firing membrane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firing {
    /// Voltage at which it fires, V.
    pub(super) threshold_v: f64,
    /// Voltage after a reset, V.
    pub(super) reset_v: f64,
    /// Time between spikes, s.
    pub(super) interval_s: f64,
}

/// Threshold, reset and interval of a membrane; none if it fires less than four times, or too
/// irregularly. The first and the last reset are not looked at.
pub(super) fn firing(samples: &[f64]) -> Option<Firing> {
    // a run begins with membranes at their leak potential, beyond the threshold
    let samples = &samples[samples.len() / 10..];
    let (low, high) = samples
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if high - low < LEAST_SWING_V {
        return None;
    }
    // falls through the middle that go on down; armed again above it
    let middle = f64::midpoint(low, high);
    let quarter = 0.25 * (high - low);
    let mut falls = Vec::new();
    let mut armed = false;
    for (i, pair) in samples.windows(2).enumerate() {
        armed |= pair[0] > middle + quarter;
        if armed && pair[0] >= middle && pair[1] < middle {
            falls.push((i, i as f64 + (pair[0] - middle) / (pair[0] - pair[1])));
            armed = false;
        }
    }
    if falls.len() < 4 {
        return None;
    }
    let intervals: Vec<f64> = falls.windows(2).map(|f| f[1].1 - f[0].1).collect();
    let typical = median(&intervals)?;
    let regular: Vec<f64> =
        intervals.iter().copied().filter(|i| (i / typical - 1.0).abs() < 0.25).collect();
    let interval = regular.iter().sum::<f64>() / regular.len() as f64;

    let inner = &falls[1..falls.len() - 1];
    let thresholds: Vec<f64> = inner
        .iter()
        .filter_map(|&(i, at)| {
            // the rise is straight over the share of the way that it has come
            let share = |k: usize| (-(k as f64 - at + FALL) * SAMPLE_S / RISE_TAU_S).exp_m1();
            let points: Vec<(f64, f64)> = (i.checked_sub(RISE.0)?..=i.checked_sub(RISE.1)?)
                .map(|k| (share(k), samples[k]))
                .collect();
            Some(fit_line(&points)?.offset)
        })
        .collect();
    // the baseline between a tenth and a fifth of the interval after each reset, as long as it is held
    let part = (0.1 * interval).min(BASELINE_S / SAMPLE_S);
    let resets: Vec<f64> = inner
        .iter()
        .filter_map(|&(_, at)| {
            let from = (at + part).ceil() as usize;
            let to = (at + 2.0 * part).floor() as usize;
            let base = samples.get(from..=to.max(from))?;
            Some(base.iter().sum::<f64>() / base.len() as f64)
        })
        .collect();
    Some(Firing {
        threshold_v: median(&thresholds)?,
        reset_v: median(&resets)?,
        interval_s: interval * SAMPLE_S,
    })
}

/// Mean time between spikes out of their times, s; intervals with a lost spike in them are left
/// out. None with fewer than three spikes.
pub(super) fn interval(times: &[f64]) -> Option<f64> {
    let intervals: Vec<f64> = times.windows(2).map(|t| t[1] - t[0]).collect();
    if intervals.len() < 2 {
        return None;
    }
    let typical = median(&intervals)?;
    let whole = |i: &f64| (i / typical - 1.0).abs() < 0.4;
    let regular: Vec<f64> = intervals.into_iter().filter(whole).collect();
    (!regular.is_empty()).then(|| regular.iter().sum::<f64>() / regular.len() as f64)
}

/// Mean of the last part of a trace, V.
pub(super) fn level(samples: &[f64], part: f64) -> f64 {
    let from = (samples.len() as f64 * (1.0 - part)) as usize;
    let last = &samples[from.min(samples.len().saturating_sub(1))..];
    last.iter().sum::<f64>() / last.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A membrane in steps of 1 ns, sampled.
    fn trace(e_l: f64, v_t: f64, v_r: f64, tau_m: f64, tau_ref: f64, seconds: f64) -> Vec<f64> {
        let (mut v, mut held, mut samples) = (e_l.min(v_t - 0.01), 0.0, Vec::new());
        let steps = (seconds * 1e9) as usize;
        for i in 0..steps {
            if held > 0.0 {
                v += (v_r - v) * 1e-9 / 10e-9;
                held -= 1e-9;
            } else {
                v += (e_l - v) * 1e-9 / tau_m;
                if v >= v_t {
                    held = tau_ref;
                }
            }
            if i as f64 * 1e-9 >= samples.len() as f64 * SAMPLE_S {
                let noise = ((i as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0) - 0.5;
                samples.push(v + 0.004 * noise);
            }
        }
        samples
    }

    #[test]
    fn threshold_reset_and_interval_are_found() {
        for (v_t, v_r, tau_m, tau_ref) in
            [(0.8, 0.6, 0.6e-6, 0.4e-6), (1.0, 0.7, 0.4e-6, 0.25e-6), (0.7, 0.5, 1.0e-6, 0.6e-6)]
        {
            let found = firing(&trace(v_t + 0.2, v_t, v_r, tau_m, tau_ref, 14e-6));
            let found = found.expect("it fires");
            // a quarter of a sample of the steepest rise here is 1.3 mV
            assert!((found.threshold_v - v_t).abs() < 1.5e-3, "{v_t}: {found:?}");
            assert!((found.reset_v - v_r).abs() < 2e-3, "{v_r}: {found:?}");
            let interval = tau_ref + tau_m * ((v_t + 0.2 - v_r) / 0.2_f64).ln();
            assert!((found.interval_s / interval - 1.0).abs() < 0.02, "{interval}: {found:?}");
        }
    }

    #[test]
    fn what_does_not_fire_is_told() {
        assert_eq!(firing(&trace(0.7, 1.0, 0.5, 0.5e-6, 0.4e-6, 10e-6)), None);
        assert_eq!(firing(&[]), None);
        assert_eq!(firing(&[0.5; 3]), None);
    }

    #[test]
    fn a_lost_spike_does_not_count() {
        let times: Vec<f64> = (0..20).filter(|i| *i != 7).map(|i| f64::from(i) * 1e-6).collect();
        assert!((interval(&times).expect("an interval") - 1e-6).abs() < 1e-12);
        assert_eq!(interval(&times[..2]), None);
    }
}
