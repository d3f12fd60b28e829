//! Long-term plasticity: the capacitors of synapses, and the controllers that update weights
//! (analog §5.4). The rule is that of [`hal::law::correlation`].
//!
//! Only rows that a controller goes through by itself have such synapses; all others cost nothing.

use std::collections::BTreeMap;

use hal::config::{AutomaticUpdate, Plasticity as Settings};
use hal::coord::{
    Coordinate as _, SynapseArrayOnHicann, SynapseOnHicann, SynapseRowOnArray, SynapseRowOnHicann,
};
use hal::law::{Capacitors, Correlation};
use hal::value::SynapseWeight;
use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};

use super::cells::Cells;

/// Seconds between two times.
fn passed_s(before: DncCycles, now: DncCycles) -> f64 {
    DncCycles(now.0.saturating_sub(before.0)).hardware_s()
}

/// The last event at a synapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Last {
    Nothing,
    Presynaptic(DncCycles),
    Postsynaptic(DncCycles),
}

/// What changes of a plastic synapse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct SynapseState {
    weight: SynapseWeight,
    causal_v: f64,
    acausal_v: f64,
    last: Last,
}

/// A plastic synapse.
#[derive(Debug, Clone)]
struct Synapse {
    place: SynapseOnHicann,
    law: Correlation,
    state: SynapseState,
}

/// One way of a plastic synapse's events into a membrane; a row with both inputs has two.
#[derive(Debug, Clone)]
pub(super) struct Tap {
    /// Number of the synapse.
    synapse: u32,
    slot: u32,
    /// What an event adds, by weight, in the unit of the slot.
    pub(super) increments: [f32; 16],
}

/// The controller of an array on its way through the rows.
#[derive(Debug, Clone)]
pub(super) struct Controller {
    pub(super) settings: Settings,
    /// The rows in their order.
    pub(super) rows: Vec<SynapseRowOnHicann>,
    pub(super) continuous: bool,
    /// Cycles per row.
    pub(super) cycles: u64,
    /// Rows done since the start of the run.
    done: u64,
}

impl Controller {
    /// Starts with the run.
    pub(super) fn new(
        array: SynapseArrayOnHicann,
        settings: Settings,
        update: AutomaticUpdate,
        cycles: u64,
    ) -> Self {
        let AutomaticUpdate { first_row, last_row, continuous } = update;
        let range = first_row.min(last_row)..=first_row.max(last_row);
        let mut rows: Vec<SynapseRowOnHicann> = SynapseRowOnArray::all()
            .filter(|row| range.contains(row))
            .map(|row| SynapseRowOnHicann::from_array(array, row))
            .collect();
        if first_row > last_row {
            rows.reverse();
        }
        Self { settings, rows, continuous, cycles, done: 0 }
    }

    /// The next row that is done at `now`.
    fn next(&mut self, now: DncCycles) -> Option<SynapseRowOnHicann> {
        let over = !self.continuous && self.done >= self.rows.len() as u64;
        if over || now.0 < (self.done + 1) * self.cycles {
            return None;
        }
        let row = self.rows[(self.done % self.rows.len() as u64) as usize];
        self.done += 1;
        Some(row)
    }
}

/// The plastic synapses of a chip.
#[derive(Debug, Clone, Default)]
pub(super) struct Plasticity {
    pub(super) controllers: Vec<Controller>,
    /// Ascending by place once all are there.
    synapses: Vec<Synapse>,
    taps: Vec<Tap>,
    /// By membrane: its synapses.
    of_membrane: Vec<Vec<u32>>,
}

/// What changes during a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlasticityState {
    synapses: Vec<SynapseState>,
    rows_done: Vec<u64>,
}

impl Plasticity {
    /// For so many membranes.
    pub(super) fn new(controllers: Vec<Controller>, membranes: usize) -> Self {
        let of_membrane = vec![Vec::new(); membranes];
        Self { controllers, of_membrane, ..Self::default() }
    }

    /// Whether a controller goes through a row.
    pub(super) fn covers(&self, row: SynapseRowOnHicann) -> bool {
        self.controllers.iter().any(|controller| controller.rows.contains(&row))
    }

    /// Adds a way into a membrane, and the synapse if it is new; returns the mark of the way.
    pub(super) fn add(
        &mut self,
        (place, weight): (SynapseOnHicann, SynapseWeight),
        law: Correlation,
        membrane: usize,
        slot: u32,
        increments: [f32; 16],
    ) -> u32 {
        let members = &mut self.of_membrane[membrane];
        let known = members.iter().copied().find(|&s| self.synapses[s as usize].place == place);
        let synapse = known.unwrap_or_else(|| {
            let Capacitors { causal_v, acausal_v } = law.clear;
            let state = SynapseState { weight, causal_v, acausal_v, last: Last::Nothing };
            self.synapses.push(Synapse { place, law, state });
            members.push(self.synapses.len() as u32 - 1);
            self.synapses.len() as u32 - 1
        });
        self.taps.push(Tap { synapse, slot, increments });
        self.taps.len() as u32 - 1
    }

    /// Number of ways.
    pub(super) fn taps(&self) -> u32 {
        self.taps.len() as u32
    }

    /// An event, scaled by a factor, arrives at a synapse by one of its ways.
    pub(super) fn presynaptic(&mut self, tap: u32, factor: f32, now: DncCycles, cells: &mut Cells) {
        let Tap { synapse, slot, increments } = &self.taps[tap as usize];
        let Synapse { law, state, .. } = &mut self.synapses[*synapse as usize];
        if let Last::Postsynaptic(before) = state.last {
            let distance_s = passed_s(before, now);
            state.acausal_v = law.after_pair_v(state.acausal_v, distance_s);
        }
        state.last = Last::Presynaptic(now);
        cells.add(*slot, factor * increments[state.weight.index()]);
    }

    /// A membrane fires.
    pub(super) fn postsynaptic(&mut self, membrane: usize, now: DncCycles) {
        for &synapse in &self.of_membrane[membrane] {
            let Synapse { law, state, .. } = &mut self.synapses[synapse as usize];
            if let Last::Presynaptic(before) = state.last {
                let distance_s = passed_s(before, now);
                state.causal_v = law.after_pair_v(state.causal_v, distance_s);
            }
            state.last = Last::Postsynaptic(now);
        }
    }

    /// The controllers finish the rows that are due.
    pub(super) fn update(&mut self, now: DncCycles) {
        for controller in &mut self.controllers {
            while let Some(row) = controller.next(now) {
                let settings = &controller.settings;
                for synapse in self.synapses.iter_mut().filter(|s| s.place.row() == row) {
                    let Synapse { law, state, .. } = synapse;
                    let SynapseState { causal_v, acausal_v, .. } = *state;
                    let capacitors = Capacitors { causal_v, acausal_v };
                    let Some(new) = law.updated(settings, state.weight, capacitors) else {
                        continue;
                    };
                    state.weight = new;
                    if !settings.without_reset {
                        let Capacitors { causal_v, acausal_v } = law.clear;
                        (state.causal_v, state.acausal_v) = (causal_v, acausal_v);
                    }
                }
            }
        }
    }

    /// Weight and capacitors of every plastic synapse.
    pub(super) fn synapses(
        &self,
    ) -> impl Iterator<Item = (SynapseOnHicann, SynapseWeight, Capacitors)> {
        self.synapses.iter().map(|s| {
            let SynapseState { weight, causal_v, acausal_v, .. } = s.state;
            (s.place, weight, Capacitors { causal_v, acausal_v })
        })
    }

    /// The synapses in their order.
    pub(super) fn places(&self) -> impl Iterator<Item = SynapseOnHicann> {
        self.synapses.iter().map(|s| s.place)
    }

    /// Takes over the states of synapses that are still there, and how far the controllers are.
    pub(super) fn carry_over(&mut self, places: &[SynapseOnHicann], saved: &PlasticityState) {
        let saved_states: BTreeMap<SynapseOnHicann, SynapseState> =
            places.iter().copied().zip(saved.synapses.iter().copied()).collect();
        for synapse in &mut self.synapses {
            if let Some(state) = saved_states.get(&synapse.place) {
                // the weight is that of the words, which the last run has written or others since
                synapse.state = SynapseState { weight: synapse.state.weight, ..*state };
            }
        }
        if saved.rows_done.len() == self.controllers.len() {
            for (controller, done) in self.controllers.iter_mut().zip(&saved.rows_done) {
                controller.done = *done;
            }
        }
    }

    pub(super) fn state(&self) -> PlasticityState {
        PlasticityState {
            synapses: self.synapses.iter().map(|s| s.state).collect(),
            rows_done: self.controllers.iter().map(|c| c.done).collect(),
        }
    }

    /// Takes over a state; false if it does not fit.
    pub(super) fn restore(&mut self, state: &PlasticityState) -> bool {
        if state.synapses.len() != self.synapses.len()
            || state.rows_done.len() != self.controllers.len()
        {
            return false;
        }
        for (synapse, saved) in self.synapses.iter_mut().zip(&state.synapses) {
            synapse.state = *saved;
        }
        for (controller, done) in self.controllers.iter_mut().zip(&state.rows_done) {
            controller.done = *done;
        }
        true
    }
}
