//! Recorded membranes: values on the grid of the recording, made of what the wafer shows.

use hal::wafer::DncCycles;

/// Numerical slack of times, ms.
const SLACK_MS: f64 = 1e-9;

/// The membrane of a neuron over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Biological time of the first value, ms.
    pub start_ms: f64,
    /// Biological time between two values, ms.
    pub every_ms: f64,
    /// Potentials, mV; both ends of the recording are included.
    pub potentials_mv: Vec<f64>,
}

impl Trace {
    pub(super) const fn new(start_ms: f64, every_ms: f64) -> Self {
        Self { start_ms, every_ms, potentials_mv: Vec::new() }
    }

    /// Empty, from now on.
    pub(super) fn restart(&mut self, start_ms: f64) {
        self.start_ms = start_ms;
        self.potentials_mv.clear();
    }

    /// Adds the values of the grid up to `until_ms`: on straight lines between what was seen at
    /// some times, which ascend.
    pub(super) fn add(&mut self, times_ms: &[f64], seen_mv: &[f64], until_ms: f64) {
        let Some((&last, &first)) = seen_mv.last().zip(seen_mv.first()) else { return };
        loop {
            let time = self.start_ms + self.potentials_mv.len() as f64 * self.every_ms;
            if time > until_ms + SLACK_MS {
                return;
            }
            let after = times_ms.partition_point(|&t| t <= time);
            let value = if after == 0 {
                first
            } else if after >= seen_mv.len() {
                last
            } else {
                let (t0, t1) = (times_ms[after - 1], times_ms[after]);
                let share = (time - t0) / (t1 - t0);
                seen_mv[after - 1] + share * (seen_mv[after] - seen_mv[after - 1])
            };
            self.potentials_mv.push(value);
        }
    }

    /// Cycles between two looks at the true state that are enough for the grid.
    pub(super) fn probe_every(&self, speedup: f64) -> DncCycles {
        let cycles = self.every_ms * 1e-3 / speedup / DncCycles::SECONDS;
        DncCycles((cycles.floor() as u64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_both_ends_and_pieces_join() {
        let line = |from: f64, to: f64| -> (Vec<f64>, Vec<f64>) {
            let n = ((to - from) / 0.08).ceil() as usize;
            (0..=n).map(|i| from + 0.08 * i as f64).map(|t| (t, -60.0 + t)).unzip()
        };
        let mut whole = Trace::new(0.0, 0.1);
        let (times, values) = line(0.0, 5.0);
        whole.add(&times, &values, 5.0);
        assert_eq!(whole.potentials_mv.len(), 51);
        for (i, v) in whole.potentials_mv.iter().enumerate() {
            assert!((v - (-60.0 + 0.1 * i as f64)).abs() < 1e-9, "{i}: {v}");
        }
        let mut pieces = Trace::new(0.0, 0.1);
        for (from, to) in [(0.0, 1.7), (1.7, 1.75), (1.75, 5.0)] {
            let (times, values) = line(from, to);
            pieces.add(&times, &values, to);
        }
        assert_eq!(pieces.potentials_mv.len(), 51);
    }
}
