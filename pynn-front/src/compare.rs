//! How alike two runs of one network are: rates, irregularity, synchrony and correlation of each
//! population, and the distances of their distributions beside what chance alone makes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::recording::{PopulationSpikes, Recording};
use crate::report::Recorded;
use crate::statistics::{
    MeanStd, Window, correlations, cv_isi, cv_isi_error, cvs_isi, mean_std, rate_error_hz, rate_hz,
    rates_hz, synchrony,
};

/// A folder of a run could not be read.
#[derive(Debug, Error)]
pub enum CompareError {
    /// A file of it.
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

/// How far two distributions are apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distance {
    /// Largest difference of the cumulative distributions (Kolmogorov and Smirnov), 0..=1.
    pub distance: f64,
    /// Its mean if both were drawn, value by value, from one distribution: 0.8687 (1/n + 1/m)^(1/2), for
    /// large n and m. The pairs behind correlations share neurons, for them it is too small.
    pub by_chance: f64,
    /// Its mean and spread between runs of the network with other seeds, if there are such runs.
    pub between_seeds: Option<MeanStd>,
}

/// The distributions over the neurons of a population that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distances {
    /// Of rates.
    pub rate: Distance,
    /// Of the CV of the inter-spike intervals; none if too few neurons fire in one of the runs.
    pub cv_isi: Option<Distance>,
    /// Of the correlations of pairs; none likewise.
    pub correlation: Option<Distance>,
}

/// One population in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedPopulation {
    /// Neurons.
    pub neurons: [usize; 2],
    /// Rates of the neurons in Hz.
    pub rate_hz: [MeanStd; 2],
    /// Standard error of the difference of the mean rates, from the scatter between sixteenths of each
    /// run: runs that differ by chance alone are rarely three of them apart.
    pub rate_error_hz: Option<f64>,
    /// Mean CV of the inter-spike intervals; none if too few neurons fire.
    pub cv_isi: [Option<f64>; 2],
    /// Standard error of their difference, from the scatter between neurons.
    pub cv_isi_error: Option<f64>,
    /// Fano factor of the population's spike count in bins of 3 ms.
    pub synchrony: [Option<f64>; 2],
    /// Mean correlation of the spike counts of pairs in bins of 10 ms.
    pub correlation: [Option<f64>; 2],
    /// Largest difference of the cumulative distributions of rates, 0..=1.
    pub rate_distance: f64,
    /// The same of all distributions, beside what is to be expected.
    pub distances: Distances,
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

/// `report.json` of the folder of a run.
pub fn read_report(folder: &Path) -> Result<Value, CompareError> {
    let path = folder.join("report.json");
    let text = read_text(&path)?;
    serde_json::from_str(&text).map_err(|e| CompareError::File { path, reason: e.to_string() })
}

/// The populations of such a report, and how many of their neurons were read out.
pub fn read_recorded(folder: &Path, report: &Value) -> Result<Vec<Recorded>, CompareError> {
    let recorded = serde_json::from_value(report["recorded"].clone());
    recorded.map_err(|_| CompareError::File {
        path: folder.join("report.json"),
        reason: "there is no list `recorded`; make the run anew with this version".to_owned(),
    })
}

/// The biological time in ms of such a report.
pub fn read_duration_ms(folder: &Path, report: &Value) -> Result<f64, CompareError> {
    report["run_report"]["bio_ms"].as_f64().ok_or_else(|| {
        let reason = match report["points"][0]["name"].as_str() {
            Some(point) => format!("this is a sweep; take one of its points, such as {point}"),
            None => "this is no report of a run: there is no run_report.bio_ms".to_owned(),
        };
        CompareError::File { path: folder.join("report.json"), reason }
    })
}

fn read_text(path: &Path) -> Result<String, CompareError> {
    let failed =
        |e: std::io::Error| CompareError::File { path: path.to_owned(), reason: e.to_string() };
    std::fs::read_to_string(path).map_err(failed)
}

/// The spikes in the folder of an experiment or of its simulation.
pub fn read(folder: &Path) -> Result<Recording, CompareError> {
    let report = read_report(folder)?;
    let duration_ms = read_duration_ms(folder, &report)?;
    let empty =
        |r: Recorded| PopulationSpikes { label: r.population, trains: vec![Vec::new(); r.neurons] };
    let mut populations: Vec<PopulationSpikes> =
        read_recorded(folder, &report)?.into_iter().map(empty).collect();
    let path = folder.join("spikes.csv");
    let text = read_text(&path)?;
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

/// Compares two recordings over the time that both of them cover. The distances between the first one
/// and runs of its network with other seeds, and among these, tell how large distances are anyway.
pub fn compare(
    a: &Recording,
    b: &Recording,
    seeds: &[Recording],
) -> Result<Comparison, CompareError> {
    let durations = [a, b].into_iter().chain(seeds).map(|r| r.duration_ms);
    let window = Window::settled(durations.fold(f64::INFINITY, f64::min));
    let find = |recording: &'_ Recording, label: &str| -> Option<usize> {
        recording.populations.iter().position(|p| p.label == label)
    };
    let mut comparison =
        Comparison { window, populations: BTreeMap::new(), only_in_one: Vec::new() };
    for population in &a.populations {
        let label = population.label.clone();
        let of_seeds: Vec<&Vec<Vec<f64>>> = seeds
            .iter()
            .filter_map(|seed| Some(&seed.populations[find(seed, &label)?].trains))
            .collect();
        match find(b, &label) {
            Some(other) => {
                let trains = [&population.trains, &b.populations[other].trains];
                comparison.populations.insert(label, compared(trains, &of_seeds, window));
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

fn compared(
    trains: [&Vec<Vec<f64>>; 2],
    seeds: &[&Vec<Vec<f64>>],
    window: Window,
) -> ComparedPopulation {
    let cut = |trains: &Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        trains.iter().map(|train| window.of(train).to_vec()).collect()
    };
    let all: Vec<&Vec<Vec<f64>>> = trains.into_iter().chain(seeds.iter().copied()).collect();
    let of_all = |values: fn(&[Vec<f64>], Window) -> Vec<f64>| -> Vec<Vec<f64>> {
        all.iter().map(|trains| values(trains, window)).collect()
    };
    let (rates, cvs, pairs) = (of_all(rates_hz), of_all(cvs_isi), of_all(correlations));
    let some = |values: &[Vec<f64>]| {
        values[..2].iter().all(|v| !v.is_empty()).then(|| distance_of(values))
    };
    let distances =
        Distances { rate: distance_of(&rates), cv_isi: some(&cvs), correlation: some(&pairs) };
    let mean = |values: &Vec<f64>| mean_std(values).map(|m| m.mean);
    let error = |of: fn(&[Vec<f64>], Window) -> Option<f64>| {
        Some(of(trains[0], window)?.hypot(of(trains[1], window)?))
    };
    ComparedPopulation {
        neurons: trains.map(Vec::len),
        rate_hz: trains.map(|trains| rate_hz(trains, window)),
        rate_error_hz: error(rate_error_hz),
        cv_isi_error: error(cv_isi_error),
        cv_isi: trains.map(|trains| cv_isi(trains, window)),
        synchrony: trains.map(|trains| synchrony(trains, window)),
        correlation: [mean(&pairs[0]), mean(&pairs[1])],
        rate_distance: distances.rate.distance,
        distances,
        rate_correlation: correlation(&rates[0], &rates[1]),
        identical: cut(trains[0]) == cut(trains[1]),
    }
}

/// Mean of the distribution of Kolmogorov, (pi / 2)^(1/2) ln 2.
const KOLMOGOROV_MEAN: f64 = 0.868_731_160_6;

/// The distance of the first two lists; the first one and those after the second are of one kind.
fn distance_of(values: &[Vec<f64>]) -> Distance {
    let (a, b) = (&values[0], &values[1]);
    let (n, m) = (a.len().max(1) as f64, b.len().max(1) as f64);
    let alike: Vec<&Vec<f64>> =
        std::iter::once(a).chain(&values[2..]).filter(|v| !v.is_empty()).collect();
    let pairs = alike.iter().enumerate();
    let between: Vec<f64> =
        pairs.flat_map(|(i, x)| alike[i + 1..].iter().map(move |y| distance(x, y))).collect();
    Distance {
        distance: distance(a, b),
        by_chance: (KOLMOGOROV_MEAN * (1.0 / n + 1.0 / m).sqrt()).min(1.0),
        between_seeds: mean_std(&between),
    }
}

/// Largest difference of two cumulative distributions.
fn distance(a: &[f64], b: &[f64]) -> f64 {
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
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
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
        let populations =
            vec![PopulationSpikes { label: "cells".to_owned(), trains: trains.to_vec() }];
        Recording { populations, duration_ms: 1000.0, ..Recording::default() }
    }

    fn clock(step_ms: usize) -> Vec<f64> {
        (0..1000).step_by(step_ms).map(|t| t as f64).collect()
    }

    #[test]
    fn a_run_equals_itself_and_faster_ones_are_apart() {
        let slow = recording(&[clock(50), clock(100)]);
        let same = &compare(&slow, &slow, &[]).unwrap().populations["cells"];
        assert!(same.identical && same.rate_distance == 0.0);
        assert!((same.rate_correlation.unwrap() - 1.0).abs() < 1e-12);
        let fast = recording(&[clock(20), clock(10)]);
        let apart = &compare(&slow, &fast, &[]).unwrap().populations["cells"];
        assert_eq!((apart.identical, apart.rate_distance), (false, 1.0));
        assert!((apart.rate_correlation.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(apart.rate_hz.map(|r| r.mean), [15.0, 75.0]);
        assert_eq!(apart.distances.rate.between_seeds, None);
    }

    #[test]
    fn seeds_tell_how_large_distances_are_anyway() {
        let (a, b) = (recording(&[clock(50), clock(100)]), recording(&[clock(20), clock(10)]));
        let seed = recording(&[clock(50), clock(90)]);
        let both = compare(&a, &b, &[seed]).unwrap();
        let rate = both.populations["cells"].distances.rate;
        assert_eq!((rate.distance, rate.by_chance), (1.0, KOLMOGOROV_MEAN));
        // 10 Hz against 12 Hz is one of two neurons
        assert_eq!(rate.between_seeds, Some(MeanStd { mean: 0.5, std: 0.0 }));
    }

    #[test]
    fn networks_without_a_common_population_are_refused() {
        let mut other = recording(&[clock(10)]);
        other.populations[0].label = "others".to_owned();
        let error = compare(&recording(&[clock(10)]), &other, &[]);
        assert!(matches!(error, Err(CompareError::NothingInCommon)));
    }

    #[test]
    fn a_sweep_is_told_from_a_run() {
        let folder = Path::new("sweep");
        let run = serde_json::json!({ "run_report": { "bio_ms": 500.0 } });
        assert_eq!(read_duration_ms(folder, &run).unwrap(), 500.0);
        let sweep = serde_json::json!({ "points": [{ "name": "g8-eta0.8" }] });
        let error = read_duration_ms(folder, &sweep).unwrap_err().to_string();
        assert!(error.contains("its points, such as g8-eta0.8"), "{error}");
        assert!(read_duration_ms(folder, &Value::Null).is_err());
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
