//! Numbers about spike trains: rates, irregularity, synchrony.

use serde::Serialize;

/// Mean and standard deviation over the neurons of a population.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct MeanStd {
    /// Mean.
    pub mean: f64,
    /// Standard deviation (of the population, not the sample).
    pub std: f64,
}

/// Fewest spikes of a neuron whose irregularity counts; fewer make the CV meaningless.
pub const CV_MIN_SPIKES: usize = 10;
/// Width of a bin of the population histogram behind the synchrony, in biological ms.
pub const SYNCHRONY_BIN_MS: f64 = 3.0;

/// The part of a run that the statistics look at, in biological ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Window {
    /// Start, included.
    pub from_ms: f64,
    /// End, excluded.
    pub to_ms: f64,
}

impl Window {
    /// A run without its first second, in which the network settles; all of it if it is shorter
    /// than two seconds.
    pub fn settled(duration_ms: f64) -> Self {
        let from_ms = if duration_ms >= 2000.0 { 1000.0 } else { 0.0 };
        Self { from_ms, to_ms: duration_ms }
    }

    /// Length in seconds.
    pub fn seconds(self) -> f64 {
        (self.to_ms - self.from_ms) * 1e-3
    }

    /// The spikes of a train within the window.
    pub fn of(self, train: &[f64]) -> &[f64] {
        let from = train.partition_point(|&t| t < self.from_ms);
        let to = train.partition_point(|&t| t < self.to_ms);
        &train[from..to.max(from)]
    }
}

/// Mean and standard deviation of some values; none of nothing.
pub(crate) fn mean_std(values: &[f64]) -> Option<MeanStd> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    Some(MeanStd { mean, std: variance.sqrt() })
}

/// Rate of each neuron in Hz.
pub fn rates_hz(trains: &[Vec<f64>], window: Window) -> Vec<f64> {
    trains.iter().map(|train| window.of(train).len() as f64 / window.seconds()).collect()
}

/// Mean and spread of the rates in Hz, silent neurons included; zero for an empty population.
pub fn rate_hz(trains: &[Vec<f64>], window: Window) -> MeanStd {
    mean_std(&rates_hz(trains, window)).unwrap_or_default()
}

/// Pieces of a run whose rates are held against each other.
const PIECES: usize = 16;

/// Standard error of the mean rate of a population in Hz, from the scatter of its rate between
/// sixteenths of the window: it covers what its neurons do together. None without neurons.
pub fn rate_error_hz(trains: &[Vec<f64>], window: Window) -> Option<f64> {
    let pieces = PIECES as f64;
    let counts = histogram(trains, window, (window.to_ms - window.from_ms) / pieces);
    let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
    let of_all = mean_std(&counts)?.std * (pieces * pieces / (pieces - 1.0)).sqrt();
    (!trains.is_empty()).then(|| of_all / trains.len() as f64 / window.seconds())
}

/// Standard error of [`cv_isi`] from the scatter between its neurons; none for fewer than two.
pub fn cv_isi_error(trains: &[Vec<f64>], window: Window) -> Option<f64> {
    let cvs = cvs_isi(trains, window);
    let further = cvs.len().checked_sub(1).filter(|&n| n > 0)? as f64;
    mean_std(&cvs).map(|cv| cv.std / further.sqrt())
}

/// Coefficients of variation of the inter-spike intervals of those neurons that have at least
/// [`CV_MIN_SPIKES`] spikes.
pub fn cvs_isi(trains: &[Vec<f64>], window: Window) -> Vec<f64> {
    let of_neuron = |train: &Vec<f64>| {
        let spikes = window.of(train);
        if spikes.len() < CV_MIN_SPIKES {
            return None;
        }
        let intervals: Vec<f64> = spikes.windows(2).map(|w| w[1] - w[0]).collect();
        mean_std(&intervals).map(|i| i.std / i.mean)
    };
    trains.iter().filter_map(of_neuron).collect()
}

/// Mean of [`cvs_isi`]; none if no neuron has enough spikes.
pub fn cv_isi(trains: &[Vec<f64>], window: Window) -> Option<f64> {
    mean_std(&cvs_isi(trains, window)).map(|cv| cv.mean)
}

/// Most neurons whose pairs are correlated.
const CORRELATED_NEURONS: usize = 100;
/// Width of a bin of the spike counts that are correlated, in biological ms.
pub const CORRELATION_BIN_MS: f64 = 10.0;

/// Pearson's correlations of the spike counts, in bins of [`CORRELATION_BIN_MS`], of all pairs of up to
/// 100 neurons that are spread evenly over those that fire.
pub fn correlations(trains: &[Vec<f64>], window: Window) -> Vec<f64> {
    let firing: Vec<&Vec<f64>> = trains.iter().filter(|t| !window.of(t).is_empty()).collect();
    let step = firing.len().div_ceil(CORRELATED_NEURONS).max(1);
    // counts without their mean, divided by their length as a vector
    let directions: Vec<Vec<f64>> = firing
        .iter()
        .step_by(step)
        .filter_map(|train| {
            let one = std::slice::from_ref(*train);
            let counts = histogram(one, window, CORRELATION_BIN_MS);
            let mean = counts.iter().copied().map(f64::from).sum::<f64>() / counts.len() as f64;
            let counts: Vec<f64> = counts.into_iter().map(|n| f64::from(n) - mean).collect();
            let length = counts.iter().map(|c| c * c).sum::<f64>().sqrt();
            (length > 0.0).then(|| counts.iter().map(|c| c / length).collect())
        })
        .collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let pairs = directions.iter().enumerate();
    pairs.flat_map(|(i, a)| directions[i + 1..].iter().map(move |b| product(a, b))).collect()
}

/// Number of spikes of all trains in bins of equal width.
pub fn histogram(trains: &[Vec<f64>], window: Window, bin_ms: f64) -> Vec<u32> {
    let bins = ((window.to_ms - window.from_ms) / bin_ms).round() as usize;
    let mut counts = vec![0; bins];
    for time in trains.iter().flat_map(|train| window.of(train)) {
        if let Some(count) = counts.get_mut(((time - window.from_ms) / bin_ms) as usize) {
            *count += 1;
        }
    }
    counts
}

/// Fano factor (variance over mean) of the population's spike count in bins of
/// [`SYNCHRONY_BIN_MS`]: 1 for independent neurons that fire at random, more when they fire
/// together. None without spikes.
pub fn synchrony(trains: &[Vec<f64>], window: Window) -> Option<f64> {
    let counts = histogram(trains, window, SYNCHRONY_BIN_MS);
    let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
    let counts = mean_std(&counts)?;
    (counts.mean > 0.0).then(|| counts.std.powi(2) / counts.mean)
}

/// Width of a bin of [`common_cv`], in biological ms.
const COMMON_BIN_MS: f64 = 0.2;

/// Standard deviation over mean of the spike count of all trains together in bins of 0.2 ms, within the
/// last second: the synchrony of the published heat maps (frontend §4.2). It is larger for few neurons
/// than for many. None without spikes.
pub fn common_cv<'a>(
    trains: impl IntoIterator<Item = &'a Vec<f64>>,
    duration_ms: f64,
) -> Option<f64> {
    let window = Window { from_ms: (duration_ms - 1000.0).max(0.0), to_ms: duration_ms };
    let bins = ((window.to_ms - window.from_ms) / COMMON_BIN_MS).round() as usize;
    let mut counts = vec![0.0; bins];
    for time in trains.into_iter().flat_map(|train| window.of(train)) {
        if let Some(count) = counts.get_mut(((time - window.from_ms) / COMMON_BIN_MS) as usize) {
            *count += 1.0;
        }
    }
    mean_std(&counts).filter(|c| c.mean > 0.0).map(|c| c.std / c.mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Window = Window { from_ms: 0.0, to_ms: 1000.0 };

    fn regular(step_ms: usize) -> Vec<f64> {
        (0..1000).step_by(step_ms).map(|t| t as f64).collect()
    }

    #[test]
    fn rates_count_silent_neurons() {
        let rate = rate_hz(&[regular(10), Vec::new()], ALL);
        assert_eq!(rate, MeanStd { mean: 50.0, std: 50.0 });
        assert_eq!(rate_hz(&[], ALL), MeanStd::default());
    }

    #[test]
    fn windows_are_half_open() {
        let window = Window { from_ms: 10.0, to_ms: 30.0 };
        assert_eq!(window.of(&[9.0, 10.0, 29.9, 30.0]), [10.0, 29.9]);
        assert_eq!(Window::settled(10_000.0).from_ms, 1000.0);
        assert_eq!(Window::settled(500.0).from_ms, 0.0);
    }

    #[test]
    fn irregularity_is_zero_for_clocks_and_skips_rare_spikers() {
        assert_eq!(cv_isi(&[regular(20)], ALL), Some(0.0));
        assert_eq!(cv_isi(&[regular(200)], ALL), None);
        // intervals alternate between 10 and 30: mean 20, deviation 10
        let uneven: Vec<f64> =
            (0..20).flat_map(|i| [40.0 * i as f64, 40.0 * i as f64 + 10.0]).collect();
        let cv = cv_isi(&[uneven, regular(200)], ALL).expect("enough spikes");
        assert!((cv - 0.5).abs() < 0.01, "{cv}");
    }

    #[test]
    fn errors_of_means_come_from_scatter() {
        // as many spikes in every sixteenth: no error; all in one of them: as large as the rate itself
        let even: Vec<f64> = (0..160).map(|i| 6.25 * f64::from(i)).collect();
        assert_eq!(rate_error_hz(&[even.clone(), even], ALL), Some(0.0));
        let burst: Vec<f64> = (0..160).map(|i| 0.1 * f64::from(i)).collect();
        let error = rate_error_hz(&[burst], ALL).expect("a neuron");
        assert!((error / 160.0 - 1.0).abs() < 1e-9, "{error}");
        assert_eq!(rate_error_hz(&[], ALL), None);
        assert_eq!(cv_isi_error(&[regular(20)], ALL), None);
        // CVs of 0 and 0.5: the mean of two is known to half their difference
        let uneven: Vec<f64> =
            (0..20).flat_map(|i| [40.0 * i as f64, 40.0 * i as f64 + 10.0]).collect();
        let error = cv_isi_error(&[uneven, regular(20)], ALL).expect("two neurons");
        assert!((error - 0.25).abs() < 0.01, "{error}");
    }

    #[test]
    fn synchrony_tells_together_from_alone() {
        let together = vec![regular(30); 10];
        assert!(synchrony(&together, ALL).expect("spikes") > 5.0);
        let clock = vec![regular(3)];
        assert!(synchrony(&clock, ALL).expect("spikes") < 0.1);
        assert_eq!(synchrony(&[Vec::new()], ALL), None);
    }

    #[test]
    fn neurons_that_fire_together_are_correlated() {
        let slow: Vec<f64> = (0..1000).step_by(50).map(|t| t as f64).collect();
        let late: Vec<f64> = slow.iter().map(|t| t + 25.0).collect();
        let all = correlations(&[slow.clone(), slow.clone(), late, Vec::new()], ALL);
        assert_eq!(all.len(), 3);
        assert!((all[0] - 1.0).abs() < 1e-12 && all[1] < 0.0 && all[2] < 0.0, "{all:?}");
    }

    #[test]
    fn the_common_cv_is_that_of_the_summed_histogram() {
        // one spike in every fifth bin: mean 1/5, deviation 2/5
        let clock: Vec<f64> = (0..1000).map(|t| f64::from(t) + 0.1).collect();
        let cv = common_cv(&[clock], 1000.0).expect("spikes");
        assert!((cv - 2.0).abs() < 1e-9, "{cv}");
        assert_eq!(common_cv(&[Vec::new()], 1000.0), None);
    }
}
