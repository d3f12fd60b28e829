//! A run that goes on although the configuration has changed: what is still there keeps its state.
//!
//! Membranes are known by their first circuit. Their voltages stay; so do conductances and adaptation
//! currents, if a membrane has as many as before.

use hal::coord::{
    HicannOnWafer, L1Address, NeuronOnHicann, SynapseDriverOnHicann, SynapseOnHicann,
};
use serde::{Deserialize, Serialize};

/// What the entries of the state of a chip stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub(super) hicann: HicannOnWafer,
    /// In the order of their first circuits.
    pub(super) membranes: Vec<MembraneLayout>,
    /// By membrane and input: what a conductance of 1 per step is there.
    pub(super) units: Vec<f32>,
    /// Plastic synapses.
    pub(super) plastic: Vec<SynapseOnHicann>,
    /// Drivers and addresses with short-term plasticity.
    pub(super) resources: Vec<(SynapseDriverOnHicann, L1Address)>,
}

/// The same of a membrane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct MembraneLayout {
    pub(super) first: NeuronOnHicann,
    /// What its voltage is relative to, V.
    pub(super) e_leak_v: f32,
    pub(super) inputs: u8,
    pub(super) adaptations: u8,
}

/// Tells of every membrane that is still there: its old and its new position.
pub(super) fn membranes(old: &Layout, new: &Layout, mut found: impl FnMut(usize, usize)) {
    for (to, membrane) in new.membranes.iter().enumerate() {
        if let Ok(from) = old.membranes.binary_search_by_key(&membrane.first, |m| m.first) {
            found(from, to);
        }
    }
}

/// By old input: the new one, and the ratio of their units; none if it is gone.
pub(super) fn inputs(old: &Layout, new: &Layout) -> Vec<Option<(u32, f32)>> {
    let mut inputs = vec![None; old.units.len()];
    for (from, to) in terms(old, new, |m| m.inputs) {
        if old.units[from] != 0.0 {
            inputs[from] = Some((to as u32, new.units[to] / old.units[from]));
        }
    }
    inputs
}

/// Old and new places of the adaptation currents that are still there.
pub(super) fn adaptations(old: &Layout, new: &Layout) -> Vec<(usize, usize)> {
    terms(old, new, |m| m.adaptations)
}

/// Old and new places of terms in lists by membrane, of which some membranes have more than others.
fn terms(old: &Layout, new: &Layout, count: impl Fn(&MembraneLayout) -> u8) -> Vec<(usize, usize)> {
    let (old_firsts, new_firsts) = (firsts(old, &count), firsts(new, &count));
    let mut places = Vec::new();
    membranes(old, new, |from, to| {
        let n = count(&old.membranes[from]);
        if n == count(&new.membranes[to]) {
            let own = 0..usize::from(n);
            places.extend(own.map(|k| (old_firsts[from] + k, new_firsts[to] + k)));
        }
    });
    places
}

/// The place of the first term of each membrane.
fn firsts(layout: &Layout, count: impl Fn(&MembraneLayout) -> u8) -> Vec<usize> {
    let mut next = 0;
    let first = |m| {
        let first = next;
        next += usize::from(count(m));
        first
    };
    layout.membranes.iter().map(first).collect()
}
