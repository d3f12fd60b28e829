//! What no mapping can beat, and what none can beat that follows a simple plan.

use std::collections::BinaryHeap;

use hal::coord::{SynapseDriverOnHicann, SynapseRowOnHicann};
use rayon::prelude::*;

use crate::inputs::{Input, InputTable};
use crate::kinds::Kinds;
use crate::mapping::Placement;
use crate::network::{Network, PopulationKind, Receptor};
use crate::options::NeuronSize;

/// Synapse rows above and below a column of circuits.
const ROWS: usize = SynapseRowOnHicann::SIZE;
/// Addresses of a decoder group; the sixteenth cannot be used (topology §6).
const GROUP: usize = 15;

/// Share of the synapses that exceed the columns of their neurons: the column bound of mapping
/// §7.6.
///
/// Proof: a synapse of a neuron lies in one of the neuron's columns (topology §7.3), each column
/// has 448 synapses, and each realises at most one synapse of the network. A neuron of width w
/// with K synapses therefore loses at least K - 448 w of them, whatever is placed or routed.
pub(crate) fn column_bound(inputs: &InputTable, placement: &Placement) -> f64 {
    beyond_columns(inputs, |member| placement.neurons[member].map_or(0, |n| n.width))
}

/// The column bound of a network whose neurons all have this size: a share of its synapses, 0..=1
/// (mapping §7.6).
pub fn column_bound_at(network: &Network, size: NeuronSize) -> f64 {
    beyond_columns(&InputTable::new(network, Kinds::none(network)), |_| size.width())
}

fn beyond_columns(inputs: &InputTable, width: impl Fn(usize) -> u8) -> f64 {
    let lost = |m| inputs.of(m).len().saturating_sub(ROWS * usize::from(width(m)));
    let lost: usize = (0..inputs.members()).map(lost).sum();
    lost as f64 / inputs.len().max(1) as f64
}

/// The ideal-L1 model of mapping §7.2: every bus reaches every chip, any free driver takes any bus,
/// and members are dealt out in the order of the populations, so that nothing is optimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdealL1 {
    /// Circuits of each neuron; an odd number of columns counts as the mean of both parities.
    pub neuron_size: NeuronSize,
    /// Most neurons on a chip, and on its one bus; at least 1.
    pub neurons_per_chip: usize,
    /// Most inputs on a bus; at least 1.
    pub inputs_per_bus: usize,
    /// Longest chain of drivers on one bus (topology §7.5).
    pub chain_length: usize,
}

/// The bus of a member and its decoder group, 0..4.
#[derive(Debug, Clone, Copy)]
struct Seat {
    bus: usize,
    group: usize,
}

impl IdealL1 {
    /// Share of the synapses of a network that the model loses, 0..=1.
    pub fn loss_fraction(&self, network: &Network) -> f64 {
        let inputs = InputTable::new(network, Kinds::none(network));
        let (mut neurons, mut sources) = (Vec::new(), Vec::new());
        for ((_, population), first) in network.populations().zip(network.member_offsets()) {
            let members = first..first + population.size;
            match population.kind {
                PopulationKind::Neurons(_) => neurons.extend(members),
                PopulationKind::Sources(_) => sources.extend(members),
            }
        }
        let chips = dealt(&neurons, self.neurons_per_chip);
        let mut seats = vec![Seat { bus: 0, group: 0 }; network.n_members()];
        for (bus, members) in chips.iter().chain(&dealt(&sources, self.inputs_per_bus)).enumerate()
        {
            // groups of one receptor where that is possible
            let mut order = members.clone();
            order.sort_by_key(|&m| inputs.receptors(m).acts_on(Receptor::Inhibitory));
            for (position, member) in order.into_iter().enumerate() {
                seats[member] = Seat { bus, group: (position / GROUP).min(3) };
            }
        }
        let buses = chips.len() + sources.len().div_ceil(self.inputs_per_bus.max(1));
        let realised: u64 =
            chips.par_iter().map(|members| self.realised(members, &inputs, &seats, buses)).sum();
        // halves of synapses
        1.0 - realised as f64 / 2.0 / inputs.len().max(1) as f64
    }

    /// Twice the number of synapses that the drivers of a chip give to its neurons.
    fn realised(
        &self,
        members: &[usize],
        inputs: &InputTable,
        seats: &[Seat],
        buses: usize,
    ) -> u64 {
        // synapses by bus, neuron, receptor and group
        let mut counts = vec![[[0u32; 4]; 2]; buses * members.len()];
        for (place, &member) in members.iter().enumerate() {
            for &Input { source, receptor, .. } in inputs.of(member) {
                let Seat { bus, group } = seats[source as usize];
                counts[bus * members.len() + place][receptor.index()][group] += 1;
            }
        }
        let by_bus = counts.chunks_exact(members.len());
        let gains: Vec<Vec<u32>> = by_bus.map(|bus| self.driver_gains(bus)).collect();
        // drivers go one by one to the bus that gains most
        let mut waiting: BinaryHeap<(u32, usize, usize)> =
            gains.iter().enumerate().filter_map(|(bus, g)| Some((*g.first()?, bus, 0))).collect();
        let mut realised = 0;
        for _ in 0..SynapseDriverOnHicann::SIZE {
            let Some((gain, bus, drivers)) = waiting.pop() else { break };
            realised += u64::from(gain);
            if let Some(&next) = gains[bus].get(drivers + 1) {
                waiting.push((next, bus, drivers + 1));
            }
        }
        realised
    }

    /// Twice the synapses that each further driver of a bus realises, for the neurons of a chip.
    fn driver_gains(&self, neurons: &[[[u32; 4]; 2]]) -> Vec<u32> {
        let [excitatory, inhibitory] =
            Receptor::ALL.map(|receptor| self.rows(neurons, receptor.index()));
        let best = |drivers: usize| {
            let rows = 2 * drivers;
            (0..=rows).map(|r| excitatory[r] + inhibitory[rows - r]).max().unwrap_or(0)
        };
        (1..=self.chain_length).map(|drivers| best(drivers) - best(drivers - 1)).collect()
    }

    /// Twice the synapses of one receptor that 0.. rows realise: half rows go to the group that
    /// gains most, and give a neuron half as many synapses as it has columns.
    fn rows(&self, neurons: &[[[u32; 4]; 2]], receptor: usize) -> Vec<u32> {
        let width = u32::from(self.neuron_size.width());
        let halves = 4 * self.chain_length;
        let mut gains = Vec::with_capacity(4 * halves);
        for group in 0..4 {
            let mut last = 0;
            for half in 1..=halves as u32 {
                let served = |n: &[[u32; 4]; 2]| (2 * n[receptor][group]).min(half * width);
                let sum = neurons.iter().map(served).sum();
                gains.push(sum - last);
                last = sum;
            }
        }
        gains.sort_unstable_by(|a, b| b.cmp(a));
        let mut sum = 0;
        let pairs = gains[..halves].chunks_exact(2);
        std::iter::once(0)
            .chain(pairs.map(|pair| {
                sum += pair[0] + pair[1];
                sum
            }))
            .collect()
    }
}

/// Deals members out to as few lists as hold them, all equally long but for one.
fn dealt(members: &[usize], most: usize) -> Vec<Vec<usize>> {
    let lists = members.len().div_ceil(most.max(1));
    let mut dealt = vec![Vec::new(); lists];
    for (i, &member) in members.iter().enumerate() {
        dealt[i * lists / members.len()].push(member);
    }
    dealt
}
