//! How alike two runs of one network are: rates, irregularity and synchrony of each population.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hal::archive::{self, ArchiveError};
use marocco::SavedMapping;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::recording::{PopulationSpikes, Recording};
use crate::statistics::{MeanStd, Window, cv_isi, rate_hz, rates_hz, synchrony};

/// A folder of a run could not be read.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The mapping, which tells the populations.
    #[error(transparent)]
    Mapping(#[from] ArchiveError),
    /// Another file.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folders are of different networks.
    #[error("the folders have no population in common; compare two runs of one network")]
    NothingInCommon,
}

/// One population in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedPopulation {
    /// Neurons.
    pub neurons: [usize; 2],
    /// Rates of the neurons in Hz.
    pub rate_hz: [MeanStd; 2],
    /// Mean CV of the inter-spike intervals; none if too few neurons fire.
    pub cv_isi: [Option<f64>; 2],
    /// Fano factor of the population's spike count in bins of 3 ms.
    pub synchrony: [Option<f64>; 2],
    /// Largest difference of the cumulative distributions of rates (Kolmogorov and Smirnov), 0..=1.
    pub rate_distance: f64,
    /// Pearson's correlation of the rates of equal neurons; none if the runs have different sizes, or
    /// if all rates are equal.
    pub rate_correlation: Option<f64>,
    /// Whether every spike of one run is a spike of the other.
    pub identical: bool,
}

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The part of the runs that is compared.
    pub window: Window,
    /// By label, populations that both runs recorded.
    pub populations: BTreeMap<String, ComparedPopulation>,
    /// Labels of those that only one of them recorded.
    pub only_in_one: Vec<String>,
}

/// The spikes in the folder of an experiment.
pub fn read(folder: &Path) -> Result<Recording, CompareError> {
    let saved: SavedMapping = archive::read(&folder.join("mapping.bss1"))?;
    let file = |name: &str| -> Result<(PathBuf, String), CompareError> {
        let path = folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(e) => Err(CompareError::File { path, reason: e.to_string() }),
        }
    };
    let (path, text) = file("report.json")?;
    let report: Value = serde_json::from_str(&text)
        .map_err(|e| CompareError::File { path: path.clone(), reason: e.to_string() })?;
    let duration_ms = report["run_report"]["bio_ms"].as_f64().ok_or_else(|| {
        CompareError::File { path, reason: "there is no run_report.bio_ms".to_owned() }
    })?;
    let recorded = report["rates_hz"].as_object();
    let mut populations: Vec<PopulationSpikes> = saved
        .network
        .populations()
        .filter(|(_, p)| recorded.is_some_and(|r| r.contains_key(&p.label)))
        .map(|(population, p)| {
            let trains = vec![Vec::new(); p.size];
            PopulationSpikes { population, label: p.label.clone(), trains }
        })
        .collect();
    let (path, text) = file("spikes.csv")?;
    for (number, line) in text.lines().enumerate().skip(1) {
        add_spike(&mut populations, line).ok_or_else(|| CompareError::File {
            path: path.clone(),
            reason: format!("line {} is no spike of a recorded neuron", number + 1),
        })?;
    }
    Ok(Recording { populations, duration_ms, ..Recording::default() })
}

/// Adds a line of `spikes.csv`; labels may hold commas.
fn add_spike(populations: &mut [PopulationSpikes], line: &str) -> Option<()> {
    let mut cells = line.rsplitn(3, ',');
    let time = cells.next()?.parse().ok()?;
    let neuron: usize = cells.next()?.parse().ok()?;
    let label = cells.next()?;
    let population = populations.iter_mut().find(|p| p.label == label)?;
    population.trains.get_mut(neuron)?.push(time);
    Some(())
}

/// Compares two recordings over the time that both of them cover.
pub fn compare(a: &Recording, b: &Recording) -> Result<Comparison, CompareError> {
    let window = Window::settled(a.duration_ms.min(b.duration_ms));
    let find = |recording: &'_ Recording, label: &str| -> Option<usize> {
        recording.populations.iter().position(|p| p.label == label)
    };
    let mut comparison =
        Comparison { window, populations: BTreeMap::new(), only_in_one: Vec::new() };
    for population in &a.populations {
        let label = population.label.clone();
        match find(b, &label) {
            Some(other) => {
                let trains = [&population.trains, &b.populations[other].trains];
                comparison.populations.insert(label, compared(trains, window));
            }
            None => comparison.only_in_one.push(label),
        }
    }
    let missing = b.populations.iter().filter(|p| find(a, &p.label).is_none());
    comparison.only_in_one.extend(missing.map(|p| p.label.clone()));
    if comparison.populations.is_empty() {
        return Err(CompareError::NothingInCommon);
    }
    Ok(comparison)
}

fn compared(trains: [&Vec<Vec<f64>>; 2], window: Window) -> ComparedPopulation {
    let rates = trains.map(|trains| rates_hz(trains, window));
    let cut = |trains: &Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        trains.iter().map(|train| window.of(train).to_vec()).collect()
    };
    ComparedPopulation {
        neurons: trains.map(Vec::len),
        rate_hz: trains.map(|trains| rate_hz(trains, window)),
        cv_isi: trains.map(|trains| cv_isi(trains, window)),
        synchrony: trains.map(|trains| synchrony(trains, window)),
        rate_distance: distance(&rates),
        rate_correlation: correlation(&rates),
        identical: cut(trains[0]) == cut(trains[1]),
    }
}

/// Largest difference of two cumulative distributions.
fn distance([a, b]: &[Vec<f64>; 2]) -> f64 {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (a, b) = (sorted(a), sorted(b));
    let below = |values: &[f64], x: f64| {
        values.partition_point(|&v| v <= x) as f64 / values.len().max(1) as f64
    };
    a.iter().chain(&b).map(|&x| (below(&a, x) - below(&b, x)).abs()).fold(0.0, f64::max)
}

/// Pearson's correlation of equally long lists that vary.
fn correlation([a, b]: &[Vec<f64>; 2]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut own_a, mut own_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        both += (x - mean_a) * (y - mean_b);
        own_a += (x - mean_a).powi(2);
        own_b += (y - mean_b).powi(2);
    }
    (own_a * own_b > 0.0).then(|| both / (own_a * own_b).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(trains: &[Vec<f64>]) -> Recording {
        let mut model = crate::model::Model::default();
        let sources = crate::model::CellType::SpikeSourcePoisson { rate_hz: 1.0 };
        let population = model.population("cells", trains.len(), sources).unwrap();
        let populations = vec![PopulationSpikes {
            population,
            label: "cells".to_owned(),
            trains: trains.to_vec(),
        }];
        Recording { populations, duration_ms: 1000.0, ..Recording::default() }
    }

    fn clock(step_ms: usize) -> Vec<f64> {
        (0..1000).step_by(step_ms).map(|t| t as f64).collect()
    }

    #[test]
    fn a_run_equals_itself_and_faster_ones_are_apart() {
        let slow = recording(&[clock(50), clock(100)]);
        let same = &compare(&slow, &slow).unwrap().populations["cells"];
        assert!(same.identical && same.rate_distance == 0.0);
        assert!((same.rate_correlation.unwrap() - 1.0).abs() < 1e-12);
        let fast = recording(&[clock(20), clock(10)]);
        let apart = &compare(&slow, &fast).unwrap().populations["cells"];
        assert_eq!((apart.identical, apart.rate_distance), (false, 1.0));
        assert!((apart.rate_correlation.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(apart.rate_hz.map(|r| r.mean), [15.0, 75.0]);
    }

    #[test]
    fn networks_without_a_common_population_are_refused() {
        let mut other = recording(&[clock(10)]);
        other.populations[0].label = "others".to_owned();
        let error = compare(&recording(&[clock(10)]), &other);
        assert!(matches!(error, Err(CompareError::NothingInCommon)));
    }

    #[test]
    fn lines_are_split_from_the_right() {
        let mut populations = recording(&[Vec::new()]).populations;
        populations[0].label = "a, b".to_owned();
        assert!(add_spike(&mut populations, "a, b,0,12.500").is_some());
        assert_eq!(populations[0].trains, [[12.5]]);
        assert!(add_spike(&mut populations, "a, b,1,12.500").is_none());
        assert!(add_spike(&mut populations, "nobody,0,1").is_none());
    }
}
