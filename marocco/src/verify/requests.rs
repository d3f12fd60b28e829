//! What was asked for of single neurons (V04).

use std::ops::Range;

use calib::CircuitMode;
use hal::config::CurrentScaling;
use hal::coord::{HicannOnWafer, NeuronBlockOnHicann, OnWafer};
use serde::{Deserialize, Serialize};

use super::{Case, Faults, Rule};
use crate::mapping::LogicalNeuron;
use crate::network::{PopulationId, PopulationKind};

/// A request about members of a population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// The population.
    pub population: PopulationId,
    /// Which of its members, all if none.
    pub members: Option<Range<usize>>,
    /// Where they have to be.
    pub place: RequestedPlace,
    /// Circuits of each, 2..=64; open if none.
    pub circuits: Option<usize>,
    /// Capacitor and leak of their chips.
    pub mode: RequestedMode,
}

/// Capacitor and leak that chips must have; what is none is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestedMode {
    /// The big capacitor or the small one.
    pub big_capacitor: Option<bool>,
    /// Scaling of the leak current.
    pub leak: Option<CurrentScaling>,
}

impl RequestedMode {
    fn allows(self, mode: CircuitMode) -> bool {
        self.big_capacitor.is_none_or(|big| big == mode.big_capacitor)
            && self.leak.is_none_or(|leak| leak == mode.leak)
    }
}

/// Where neurons have to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestedPlace {
    /// Anywhere.
    Anywhere,
    /// On one of these chips.
    Chips(Vec<HicannOnWafer>),
    /// In one of these blocks.
    Blocks(Vec<OnWafer<NeuronBlockOnHicann>>),
    /// On exactly these circuits, one entry per member, whatever their number.
    Circuits(Vec<LogicalNeuron>),
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let rules = case.rules;
    let n = case.network.n_members();
    let mut sizes: Vec<Option<usize>> = vec![rules.neuron_circuits; n];
    let mut modes = vec![rules.mode; n];
    for request in &rules.requests {
        let Requested { population, members, place, circuits, mode } = request;
        let Some((_, asked)) = case.network.populations().find(|(id, _)| id == population) else {
            faults.add(Rule::V04, "a request is about a population that does not exist");
            continue;
        };
        let range = members.clone().unwrap_or(0..asked.size);
        let of_sources = matches!(asked.kind, PopulationKind::Sources(_));
        if range.end > asked.size || of_sources && !matches!(place, RequestedPlace::Chips(_)) {
            let (label, Range { start, end }) = (&asked.label, range);
            faults.add(Rule::V04, format!("`{label}` has no neurons {start} to {end} to place"));
            continue;
        }
        let first = case.offsets[population.index()];
        for (i, member) in range.enumerate() {
            let member = first + member;
            sizes[member] = *circuits;
            modes[member] = *mode;
            if let (true, RequestedPlace::Chips(chips)) = (of_sources, place) {
                let address = case.mapping.placement.addresses[member];
                let good = address.is_none_or(|at| chips.contains(&at.bus.hicann));
                faults.demand(Rule::V04, good, || {
                    format!("{} does not enter where it was asked to", case.name(member))
                });
                continue;
            }
            // neurons without circuits are reported where neurons are checked
            let Some(neuron) = case.mapping.placement.neurons[member] else { continue };
            let good = match place {
                RequestedPlace::Anywhere => true,
                RequestedPlace::Chips(chips) => chips.contains(&neuron.hicann),
                RequestedPlace::Blocks(blocks) => blocks.iter().any(|b| is_in(neuron, *b)),
                RequestedPlace::Circuits(places) => {
                    sizes[member] = None;
                    places.get(i) == Some(&neuron)
                }
            };
            faults.demand(Rule::V04, good, || {
                let LogicalNeuron { hicann, column, width } = neuron;
                let name = case.name(member);
                format!("{name} has {width} columns from {column} on {hicann}, not as asked for")
            });
        }
    }
    for (member, (neuron, wanted)) in case.mapping.placement.neurons.iter().zip(modes).enumerate() {
        let Some(neuron) = neuron else { continue };
        let mode = case.mapping.mode(neuron.hicann);
        faults.demand(Rule::V04, wanted.allows(mode), || {
            format!("{} is on a chip of {mode:?}, asked for are {wanted:?}", case.name(member))
        });
    }
    for (member, (neuron, size)) in case.mapping.placement.neurons.iter().zip(sizes).enumerate() {
        let (Some(neuron), Some(size)) = (neuron, size) else { continue };
        faults.demand(Rule::V04, neuron.size() == size, || {
            let name = case.name(member);
            format!("{name} has {} circuits, but {size} are asked for", neuron.size())
        });
    }
}

/// Whether the columns of a neuron lie in a block.
fn is_in(neuron: LogicalNeuron, block: OnWafer<NeuronBlockOnHicann>) -> bool {
    let (first, last) =
        (usize::from(neuron.column), neuron.column as usize + neuron.width as usize);
    let columns = 32 * block.local.index()..=32 * (block.local.index() + 1);
    neuron.hicann == block.hicann && columns.contains(&first) && columns.contains(&last)
}
