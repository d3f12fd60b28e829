//! Evaluations of many chips together: spreads before and after, and what is blacklisted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, OnWafer};
use serde::Serialize;

use crate::procedure::{ChipEvaluation, Errors, Quantity};

/// Errors of a quantity over circuits and targets, mV of the hardware or relative.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// Mean over the targets of the mean error.
    pub mean_error: f64,
    /// Standard deviation over circuits, pooled within targets.
    pub std: f64,
    /// Measured values.
    pub n: usize,
}

impl Spread {
    /// The spread of errors that belong to targets.
    pub fn of(errors: &[(u8, f32)]) -> Self {
        let mut by_target: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
        for &(target, error) in errors {
            by_target.entry(target).or_default().push(f64::from(error));
        }
        let (mut mean_error, mut squares) = (0.0, 0.0);
        for errors in by_target.values() {
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            mean_error += mean / by_target.len() as f64;
            squares += errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        }
        let free = errors.len().saturating_sub(by_target.len()).max(1);
        Self { mean_error, std: (squares / free as f64).sqrt(), n: errors.len() }
    }
}

/// The evaluation of some chips.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The chips.
    pub hicanns: Vec<HicannOnWafer>,
    /// Errors without calibration of the quantity.
    pub before: Errors,
    /// Errors with calibration.
    pub after: Errors,
    /// Circuits that the calibration does not use.
    pub blacklist: BTreeSet<OnWafer<NeuronOnHicann>>,
    /// Hardware time of the evaluation, s, one chip after the other.
    pub hardware_s: f64,
    /// Time on the computer, s.
    pub wall_s: f64,
}

impl Evaluation {
    /// Adds a chip.
    pub fn add(
        &mut self,
        hicann: HicannOnWafer,
        chip: &ChipEvaluation,
        blacklist: impl IntoIterator<Item = NeuronOnHicann>,
    ) {
        self.hicanns.push(hicann);
        for (all, of_chip) in [(&mut self.before, &chip.before), (&mut self.after, &chip.after)] {
            for (&quantity, errors) in of_chip {
                all.entry(quantity).or_default().extend(errors);
            }
        }
        self.blacklist.extend(blacklist.into_iter().map(|n| n.on(hicann)));
        self.hardware_s += chip.cost.hardware_s;
    }

    /// Number of circuits of the chips.
    pub fn circuits(&self) -> usize {
        self.hicanns.len() * NeuronOnHicann::SIZE
    }

    /// Spread of a quantity before and after.
    pub fn spreads(&self, quantity: Quantity) -> [Spread; 2] {
        [&self.before, &self.after].map(|errors| {
            errors.get(&quantity).map_or_else(Spread::default, |list| Spread::of(list))
        })
    }

    /// The table for people, with the published values beside.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<10} {:>22}  {:>22}  {:>6}  {}\n",
            "", "before", "after", "factor", "published std: before, after (HICANN v2)"
        );
        for quantity in Quantity::ALL {
            let [before, after] = self.spreads(quantity);
            let show = |s: Spread| {
                if quantity.is_voltage() {
                    format!("{:+.1} \u{b1} {:.1} mV", s.mean_error, s.std)
                } else {
                    format!("{:+.1} \u{b1} {:.1} %", 100.0 * s.mean_error, 100.0 * s.std)
                }
            };
            let published = quantity.published();
            let published = published.map_or(String::new(), |(b, a)| format!("{b} mV, {a} mV"));
            let factor = before.std / after.std;
            // writing to a string cannot fail
            let _ = writeln!(
                text,
                "{:<10} {:>22}  {:>22}  {factor:>6.1}  {published}",
                quantity.name(),
                show(before),
                show(after),
            );
        }
        text
    }
}
