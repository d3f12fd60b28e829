//! Warnings: what the wafer does otherwise than asked, in the words of the user's script, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use marocco::mapping::{LossCause, SynapseFate};
use marocco::network::Network;

use super::cells::Cells;
use super::chips::Chips;
use super::error::SessionError;
use super::population::PopulationState;
use super::setup::{Policy, Setup};

/// Projections that a message lists.
const SHOWN: usize = 8;

/// Warnings that were not fetched yet, and all that ever were.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    fresh: Vec<String>,
    known: BTreeSet<String>,
}

impl Notes {
    /// Adds a warning, unless it was given before.
    pub(super) fn add(&mut self, text: String) {
        if self.known.insert(text.clone()) {
            self.fresh.push(text);
        }
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.fresh)
    }

    /// What a mapping could not do; an error where the setup wants one.
    pub(super) fn about_mapping(
        &mut self,
        setup: &Setup,
        network: &Network,
        populations: &[PopulationState],
        chips: &Chips,
    ) -> Result<(), SessionError> {
        for (state, (_, population)) in populations.iter().zip(network.populations()) {
            if state.cells().is_some_and(Cells::folds_adaptation) {
                self.add(format!(
                    "population `{}`: i_offset is folded into v_rest, which its adaptation refers \
                     to as well",
                    population.label
                ));
            }
        }
        for text in clips(network, chips) {
            match setup.on_clip {
                Policy::Warn => self.add(text),
                Policy::Error => {
                    return Err(SessionError::Clip(format!("{text} (on_clip is error)")));
                }
                Policy::Ignore => {}
            }
        }
        if let Some(text) = losses(network, chips) {
            match setup.on_loss {
                Policy::Warn => self.add(text),
                Policy::Error => {
                    return Err(SessionError::Loss(format!("{text} (on_loss is error)")));
                }
                Policy::Ignore => {}
            }
        }
        if let Some(first) = chips.verification.violations.first() {
            let n = chips.verification.violations.len();
            self.add(format!("the words do not realise the mapping: {n} violations, {first}"));
        }
        Ok(())
    }
}

fn clips(network: &Network, chips: &Chips) -> Vec<String> {
    let mapping = &chips.mapped.mapping;
    let mut texts = Vec::new();
    for clip in &mapping.parameters.clips {
        let population = network.population(clip.population);
        texts.push(format!(
            "population `{}`: {} = {} of {} of {} neurons is clipped to {:.4}; the wafer does \
             {:.4} to {:.4} {}",
            population.label,
            clip.parameter,
            clip.wanted,
            clip.members,
            population.size,
            clip.realised,
            clip.low,
            clip.high,
            calib::unit(&clip.parameter),
        ));
    }
    for ((id, projection), &clipped) in network.projections().zip(&mapping.clipped_weights) {
        if clipped > 0 {
            let n = projection.synapses.len();
            let largest =
                mapping.realised_weights_us[id.index()].iter().copied().fold(0.0, f32::max);
            texts.push(format!(
                "projection `{}`: {clipped} of {n} weights are clipped; the largest on the wafer is \
                 {largest:.6} uS",
                projection.label
            ));
        }
    }
    texts
}

fn losses(network: &Network, chips: &Chips) -> Option<String> {
    let report = &chips.report;
    if report.synapses_lost == 0 {
        return None;
    }
    let mut text = format!(
        "{} of {} synapses ({:.2} %) are not on the wafer:",
        report.synapses_lost,
        report.synapses_requested,
        100.0 * report.loss_fraction
    );
    let mut hidden = 0;
    let mut shown = 0;
    for (id, projection) in network.projections() {
        let mut causes: BTreeMap<LossCause, usize> = BTreeMap::new();
        for fate in &chips.mapped.mapping.synapses[id.index()] {
            if let SynapseFate::Lost(cause) = fate {
                *causes.entry(*cause).or_default() += 1;
            }
        }
        let lost: usize = causes.values().sum();
        if lost == 0 {
            continue;
        }
        shown += 1;
        if shown > SHOWN {
            hidden += 1;
            continue;
        }
        let causes: Vec<String> = causes.iter().map(|(c, n)| format!("{} {n}", c.name())).collect();
        let of = projection.synapses.len();
        // writing to a string cannot fail
        let _ = write!(text, " `{}` {lost} of {of} ({});", projection.label, causes.join(", "));
    }
    if hidden > 0 {
        let _ = write!(text, " and {hidden} more projections;");
    }
    text.push_str(" see `lost()` of the projection");
    Some(text)
}
