//! A row of the benchmark: one network with one setting on one kind of wafer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// All rows so far.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Whether it is a quick run.
    pub(crate) quick: bool,
    /// Processors of the machine.
    pub(crate) processors: usize,
    /// Seconds that all rows took.
    pub(crate) wall_s: f64,
    /// In the order in which they were run.
    pub(crate) rows: Vec<Row>,
}

impl Results {
    pub(crate) fn new(quick: bool) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { quick, processors, wall_s: 0.0, rows: Vec::new() }
    }
}

/// Of several seeds: figures of the mapping that loses the most, longest time and largest memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Name of the network.
    pub(crate) network: String,
    /// Its settings.
    pub(crate) settings: String,
    /// As asked for: `auto` or a number of circuits.
    pub(crate) neuron_size: String,
    /// `quick`, `normal` or `max`.
    pub(crate) effort: String,
    /// `perfect`, `d1` or `d5`.
    pub(crate) wafer: String,
    /// Seed of the defects of the worst mapping; of no meaning on a perfect wafer.
    pub(crate) seed: u64,
    /// Why there is no mapping, if there is none.
    pub(crate) error: Option<String>,
    /// The mapping, if there is one.
    pub(crate) mapping: Option<Figures>,
}

/// What is kept of a mapping report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) neurons: usize,
    pub(crate) sources: usize,
    pub(crate) synapses_requested: usize,
    pub(crate) synapses_lost: usize,
    pub(crate) loss_fraction: f64,
    pub(crate) loss_by_cause: BTreeMap<String, usize>,
    pub(crate) bound_loss_fraction: f64,
    pub(crate) ideal_l1_loss_fraction: f64,
    pub(crate) hicanns_used: usize,
    pub(crate) l1_buses: usize,
    pub(crate) drivers_used: usize,
    pub(crate) neuron_sizes: BTreeMap<usize, usize>,
    pub(crate) verified: bool,
    pub(crate) peak_rss_bytes: u64,
    pub(crate) wall_s: WallSeconds,
}

/// Seconds of a mapping.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct WallSeconds {
    /// Place and route.
    pub(crate) total: f64,
    /// From the network to verified words.
    pub(crate) verified: f64,
}

/// Heads the lines.
pub(crate) const HEAD: &str = "network            settings          size effort wafer     synapses     lost   loss %  bound %  ideal %  buses drivers      s  MiB";

impl Row {
    /// Whether it is this network with automatic sizes, with this effort on this wafer.
    pub(crate) fn is(&self, network: &str, effort: &str, wafer: &str) -> bool {
        self.network == network
            && self.neuron_size != "4"
            && self.effort == effort
            && self.wafer == wafer
    }

    /// The row for people.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{:<18} {:<17} {:>4} {:<6} {:<7} ",
            self.network, self.settings, self.neuron_size, self.effort, self.wafer
        );
        // writing to a string cannot fail
        let _ = match (&self.mapping, &self.error) {
            (Some(f), _) => write!(
                line,
                "{:>10} {:>8} {:>8.4} {:>8.4} {:>8.4} {:>6} {:>7} {:>6.1} {:>4}",
                f.synapses_requested,
                f.synapses_lost,
                100.0 * f.loss_fraction,
                100.0 * f.bound_loss_fraction,
                100.0 * f.ideal_l1_loss_fraction,
                f.l1_buses,
                f.drivers_used,
                f.wall_s.verified,
                f.peak_rss_bytes >> 20
            ),
            (None, error) => write!(line, "{}", error.as_deref().unwrap_or("no mapping")),
        };
        line
    }

    /// Takes the other row's figures if they are worse; keeps the larger of times and memories.
    pub(crate) fn worse(self, other: Self) -> Self {
        let key = |row: &Self| row.mapping.as_ref().map_or(f64::INFINITY, |f| f.loss_fraction);
        let (mut worst, better) =
            if key(&other) > key(&self) { (other, self) } else { (self, other) };
        if let (Some(worst), Some(better)) = (&mut worst.mapping, &better.mapping) {
            worst.peak_rss_bytes = worst.peak_rss_bytes.max(better.peak_rss_bytes);
            worst.wall_s.total = worst.wall_s.total.max(better.wall_s.total);
            worst.wall_s.verified = worst.wall_s.verified.max(better.wall_s.verified);
        }
        worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(loss: Option<f64>, seconds: f64) -> Row {
        let figures = |loss_fraction| Figures {
            neurons: 1,
            sources: 0,
            synapses_requested: 100,
            synapses_lost: 0,
            loss_fraction,
            loss_by_cause: BTreeMap::new(),
            bound_loss_fraction: 0.0,
            ideal_l1_loss_fraction: 0.0,
            hicanns_used: 1,
            l1_buses: 1,
            drivers_used: 1,
            neuron_sizes: BTreeMap::new(),
            verified: true,
            peak_rss_bytes: 0,
            wall_s: WallSeconds { total: seconds, verified: seconds },
        };
        Row { mapping: loss.map(figures), ..Row::default() }
    }

    #[test]
    fn the_worst_of_several_seeds_is_kept() {
        let worst = row(Some(0.1), 3.0).worse(row(Some(0.2), 1.0)).mapping.expect("both mapped");
        assert_eq!((worst.loss_fraction, worst.wall_s.verified), (0.2, 3.0));
        assert!(row(Some(0.1), 1.0).worse(row(None, 0.0)).mapping.is_none());
        assert!(row(None, 0.0).worse(row(Some(0.1), 1.0)).mapping.is_none());
    }
}
