//! Which members may share a chip or a bus.
//!
//! Populations stay together: a pool is one population, so that its buses are of one kind and its
//! chips have one V_reset. Small populations would waste chips of their own, so neighbours that
//! agree in everything a chip shares form one pool.

use calib::CircuitMode;

use crate::inputs::{InputTable, ReceptorSet};
use crate::modes::Modes;
use crate::network::{Network, Population, PopulationKind};
use crate::options::{MapOptions, NeuronSizeChoice};
use crate::requests::{Granted, Pinned};

/// Members that may share chips, in the order in which they fill them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pool {
    pub(crate) members: Vec<u32>,
    pub(crate) kind: PoolKind,
    /// Capacitor and leak of its chips.
    pub(crate) mode: CircuitMode,
    /// Most columns that a neuron can have without weights that clip, 1..=32: the conductance that
    /// a weight stands for grows with the capacitance of its target.
    pub(crate) max_width: u8,
    /// Where the members must be.
    pub(crate) pinned: Option<Pinned>,
}

/// What the members of a pool are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PoolKind {
    /// Neurons, of this size.
    Neurons(NeuronSizeChoice),
    /// Spike sources outside the wafer.
    Inputs,
}

/// Populations up to this size share pools: less than half of a decoder group.
const SMALL: usize = 7;

/// How readily populations share a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Only small ones.
    Small,
    /// All that agree.
    All,
}

/// The pools of a network, in the order of the populations, requests after the rest of their
/// population. Sources that nobody listens to are in none. Members come in the order of their
/// population, or by their position in an order of all members; those of requests always in the
/// order of their population.
pub(crate) fn pools(
    network: &Network,
    inputs: &InputTable,
    options: &MapOptions,
    requests: &[Granted],
    sharing: Sharing,
    order: Option<&[u32]>,
) -> Vec<Pool> {
    let offsets = network.member_offsets();
    let mut requested: Vec<Option<usize>> = vec![None; network.n_members()];
    for (i, request) in requests.iter().enumerate() {
        request.members.iter().for_each(|&m| requested[m as usize] = Some(i));
    }
    let modes = Modes::new(network, inputs, options);
    let mut pools: Vec<(Key, Pool)> = Vec::new();
    for (id, population) in network.populations() {
        let first = offsets[id.index()];
        let members = first..first + population.size;
        let mode = modes.choose(id, population, options.mode, options.neuron_size);
        let key = Key { mode, ..Key::of(population, inputs, members.clone(), options, sharing) };
        let is_source = population.is_source();
        let of_population = members.clone();
        let members = members
            .filter(|&m| !is_source || !inputs.receptors(m).is_empty())
            .filter(|&m| requested[m].is_none())
            .map(|m| m as u32);
        let max_width = modes.max_width(id, mode);
        let shared = key.shared.then(|| pools.iter_mut().rev().find(|(k, _)| *k == key)).flatten();
        if let Some((_, pool)) = shared {
            pool.members.extend(members);
            pool.max_width = pool.max_width.min(max_width);
        } else {
            let members = members.collect();
            pools.push((key, Pool { members, kind: key.kind, mode, max_width, pinned: None }));
        }
        for request in requests {
            let ours =
                request.members.first().is_some_and(|&m| of_population.contains(&(m as usize)));
            if ours {
                let members = request.members.iter().copied();
                let members: Vec<u32> = members
                    .filter(|&m| !is_source || !inputs.receptors(m as usize).is_empty())
                    .collect();
                let size = request.size.unwrap_or(options.neuron_size);
                let choice = request.mode.unwrap_or(options.mode);
                let mode = modes.choose(id, population, choice, size);
                let pool = Pool {
                    members,
                    kind: if is_source { PoolKind::Inputs } else { PoolKind::Neurons(size) },
                    mode,
                    max_width: modes.max_width(id, mode),
                    pinned: request.pinned.clone(),
                };
                pools.push((Key { shared: false, ..key }, pool));
            }
        }
    }
    let mut pools: Vec<Pool> =
        pools.into_iter().map(|(_, pool)| pool).filter(|p| !p.members.is_empty()).collect();
    if let Some(position) = order {
        let asked = |pool: &Pool| requested[pool.members[0] as usize].is_some();
        for pool in pools.iter_mut().filter(|pool| !asked(pool)) {
            pool.members.sort_unstable_by_key(|&m| position[m as usize]);
        }
    }
    pools
}

/// What populations of one pool have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    kind: PoolKind,
    receptors: ReceptorSet,
    /// Gates of short-term plasticity that their synapses want: a bus gets drivers of one quadrant
    /// of a chip, which has one.
    gates: u64,
    /// Gates of long-term plasticity that the synapses onto them want. A source whose weights are
    /// constant here and plastic there needs arrays of two kinds, and a bus gets one of a chip.
    onto: u64,
    /// Capacitor and leak of neurons.
    mode: CircuitMode,
    /// Mean reset potential of neurons, mV: circuits of a chip share it (analog §1.8).
    v_reset_mv: f64,
    /// Whether other populations may join.
    shared: bool,
}

impl Key {
    fn of(
        population: &Population,
        inputs: &InputTable,
        members: std::ops::Range<usize>,
        options: &MapOptions,
        sharing: Sharing,
    ) -> Self {
        let gates = members.clone().fold(0, |all, m| all | inputs.gates(m));
        let onto = members.clone().fold(0, |all, m| all | inputs.gates_onto(m));
        let receptors =
            members.fold(ReceptorSet::default(), |all, m| all.union(inputs.receptors(m)));
        let shared = sharing == Sharing::All || population.size <= SMALL;
        let receptors = if sharing == Sharing::All { ReceptorSet::default() } else { receptors };
        match &population.kind {
            PopulationKind::Neurons(_) => Self {
                kind: PoolKind::Neurons(options.neuron_size),
                receptors,
                gates,
                onto,
                mode: CircuitMode::default(),
                v_reset_mv: mean_v_reset(population).unwrap_or(0.0),
                shared,
            },
            PopulationKind::Sources(_) => Self {
                kind: PoolKind::Inputs,
                receptors,
                gates,
                onto,
                mode: CircuitMode::default(),
                v_reset_mv: 0.0,
                shared,
            },
        }
    }
}

/// Mean reset potential of a population of neurons in mV; none for sources and empty populations.
pub(crate) fn mean_v_reset(population: &Population) -> Option<f64> {
    let PopulationKind::Neurons(cells) = &population.kind else { return None };
    let sum: f64 = (0..population.size).map(|i| cells.get(i).v_reset()).sum();
    // equal values have exactly their own mean
    let first = (population.size > 0).then(|| cells.get(0).v_reset())?;
    let equal = (0..population.size).all(|i| cells.get(i).v_reset() == first);
    Some(if equal { first } else { sum / population.size as f64 })
}
