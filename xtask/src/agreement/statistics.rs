//! Statistics of a run, and how alike two runs are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::peers::read_json;

/// Neurons of each population.
pub(super) type Sizes = BTreeMap<String, usize>;

/// A population's statistics; times before the window do not count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Population {
    pub(super) rate_hz: f64,
    pub(super) cv_isi: Option<f64>,
    /// Fano factor of the population's spike count in bins of 3 ms.
    pub(super) synchrony: Option<f64>,
    /// One entry per neuron.
    #[serde(skip_serializing, default)]
    spike_counts: Vec<u64>,
}

/// A run, and the report of the program that made it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) report: Value,
    pub(super) populations: BTreeMap<String, Population>,
}

impl Run {
    /// What the folder of an experiment tells.
    pub(super) fn of_wafer(folder: &Path, sizes: &Sizes, discard_ms: u32) -> Result<Self> {
        let report = read_json(&folder.join("report.json"))?;
        let mut populations = BTreeMap::new();
        for (label, &size) in sizes {
            let population = Population {
                rate_hz: report["rates_hz"][label]["mean"].as_f64().context("a rate is missing")?,
                cv_isi: report["cv_isi"][label].as_f64(),
                synchrony: report["synchrony"][label].as_f64(),
                spike_counts: vec![0; size],
            };
            populations.insert(label.clone(), population);
        }
        let spikes = fs::read_to_string(folder.join("spikes.csv"))?;
        for line in spikes.lines().skip(1) {
            let mut cells = line.split(',');
            let mut cell = || cells.next().context("spikes.csv has a short line");
            let (label, neuron, time_ms) = (cell()?, cell()?, cell()?);
            if time_ms.parse::<f64>()? >= f64::from(discard_ms) {
                let population = populations.get_mut(label);
                let counts =
                    &mut population.context("spikes of an unknown population")?.spike_counts;
                let count = counts.get_mut(neuron.parse::<usize>()?);
                *count.context("spikes of an unknown neuron")? += 1;
            }
        }
        Ok(Self { report, populations })
    }

    /// From the report of another simulator.
    pub(super) fn of_other(mut report: Value) -> Result<Self> {
        let populations = serde_json::from_value(report["populations"].take())?;
        Ok(Self { report, populations })
    }

    /// Of all neurons.
    pub(super) fn rate_hz(&self) -> f64 {
        self.mean(|p| Some(p.rate_hz)).unwrap_or_default()
    }

    /// Of all neurons in populations that have one.
    pub(super) fn cv_isi(&self) -> Option<f64> {
        self.mean(|p| p.cv_isi)
    }

    fn mean(&self, value: impl Fn(&Population) -> Option<f64>) -> Option<f64> {
        let weighted = self.populations.values().filter_map(|p| {
            let neurons = p.spike_counts.len() as f64;
            value(p).map(|v| (v * neurons, neurons))
        });
        let (sum, neurons) = weighted.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        (neurons > 0.0).then(|| sum / neurons)
    }

    /// Pearson's correlation of the spike counts of all neurons in two runs of one network; 0 if
    /// they do not vary.
    pub(super) fn correlation(&self, other: &Self) -> f64 {
        let counts = |run: &Self| -> Vec<f64> {
            let all = run.populations.values().flat_map(|p| &p.spike_counts);
            all.map(|&n| n as f64).collect()
        };
        pearson(&counts(self), &counts(other))
    }
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut own_a, mut own_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        own_a += (a - mean_a).powi(2);
        own_b += (b - mean_b).powi(2);
    }
    if own_a * own_b > 0.0 { both / (own_a * own_b).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::pearson;

    #[test]
    fn correlation_of_known_rows() {
        let a = [1.0, 2.0, 3.0, 4.0];
        assert!((pearson(&a, &[2.0, 4.0, 6.0, 8.0]) - 1.0).abs() < 1e-12);
        assert!((pearson(&a, &[4.0, 3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert!(pearson(&a, &[1.0, -1.0, -1.0, 1.0]).abs() < 1e-12);
        assert_eq!(pearson(&a, &[5.0; 4]), 0.0);
    }
}
