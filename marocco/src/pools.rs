//! Which members may share a chip or a bus.
//!
//! Populations stay together: a pool is one population, so that its buses are of one kind and its
//! chips have one V_reset. Small populations would waste chips of their own, so neighbours that
//! agree in everything a chip shares form one pool.

use hal::coord::Coordinate as _;
use hal::value::{DacCode, GmaxDivisor, SynapseWeight};
use rayon::prelude::*;

use crate::fabric::BLOCK_COLUMNS;
use crate::inputs::{InputTable, ReceptorSet};
use crate::network::{Network, Population, PopulationKind, Synapse};
use crate::options::{MapOptions, NeuronSizeChoice};
use crate::requests::{Granted, Pinned};

/// Members that may share chips, in the order in which they fill them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pool {
    pub(crate) members: Vec<u32>,
    pub(crate) kind: PoolKind,
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
/// population. Sources that nobody listens to are in none.
pub(crate) fn pools(
    network: &Network,
    inputs: &InputTable,
    options: &MapOptions,
    requests: &[Granted],
    sharing: Sharing,
) -> Vec<Pool> {
    let offsets = network.member_offsets();
    let mut requested: Vec<Option<usize>> = vec![None; network.n_members()];
    for (i, request) in requests.iter().enumerate() {
        request.members.iter().for_each(|&m| requested[m as usize] = Some(i));
    }
    let widths = max_widths(network, inputs, options);
    let mut pools: Vec<(Key, Pool)> = Vec::new();
    for (id, population) in network.populations() {
        let first = offsets[id.index()];
        let members = first..first + population.size;
        let key = Key::of(population, inputs, members.clone(), options, sharing);
        let is_source = population.is_source();
        let of_population = members.clone();
        let members = members
            .filter(|&m| !is_source || !inputs.receptors(m).is_empty())
            .filter(|&m| requested[m].is_none())
            .map(|m| m as u32);
        let max_width = widths[id.index()];
        let shared = key.shared.then(|| pools.iter_mut().rev().find(|(k, _)| *k == key)).flatten();
        if let Some((_, pool)) = shared {
            pool.members.extend(members);
            pool.max_width = pool.max_width.min(max_width);
        } else {
            let members = members.collect();
            pools.push((key, Pool { members, kind: key.kind, max_width, pinned: None }));
        }
        for request in requests {
            let ours =
                request.members.first().is_some_and(|&m| of_population.contains(&(m as usize)));
            if ours {
                let kind = PoolKind::Neurons(request.size.unwrap_or(options.neuron_size));
                let members = request.members.clone();
                let pool = Pool { members, kind, max_width, pinned: request.pinned.clone() };
                pools.push((Key { shared: false, ..key }, pool));
            }
        }
    }
    pools.into_iter().map(|(_, pool)| pool).filter(|pool| !pool.members.is_empty()).collect()
}

/// By population, the most columns at which its strongest synapse stays below the largest
/// conductance of a synapse.
fn max_widths(network: &Network, inputs: &InputTable, options: &MapOptions) -> Vec<u8> {
    let divisor = [GmaxDivisor::new::<1>(), GmaxDivisor::new::<0>()];
    let strongest = SynapseWeight::all().next_back().expect("weights 0 to 15");
    let largest_s = hal::law::synapse_s(strongest, DacCode::MAX, divisor);
    let mut widths = vec![BLOCK_COLUMNS as u8; network.populations().count()];
    for (id, projection) in network.projections() {
        let (_, post) = network.endpoints(id);
        let PopulationKind::Neurons(cells) = &network.population(post).kind else { continue };
        let per_nf = |s: &Synapse| f64::from(s.weight_us) / cells.get(s.post as usize).cm();
        let strongest = projection.synapses.par_iter().map(per_nf).reduce(|| 0.0, f64::max);
        let strongest = inputs.kinds().row_share(id) * strongest;
        // one column is two circuits
        let one = calib::weight_siemens(strongest, 1.0, 2, options.mode, &options.scaling);
        let fits = if one > 0.0 { largest_s / one } else { f64::INFINITY };
        let width = &mut widths[post.index()];
        *width = (*width).min(fits.clamp(1.0, BLOCK_COLUMNS as f64) as u8);
    }
    widths
}

/// What populations of one pool have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    kind: PoolKind,
    receptors: ReceptorSet,
    /// Gates of short-term plasticity that their synapses want: a bus gets drivers of one quadrant
    /// of a chip, which has one.
    gates: u64,
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
        let receptors =
            members.fold(ReceptorSet::default(), |all, m| all.union(inputs.receptors(m)));
        let shared = sharing == Sharing::All || population.size <= SMALL;
        let receptors = if sharing == Sharing::All { ReceptorSet::default() } else { receptors };
        match &population.kind {
            PopulationKind::Neurons(_) => Self {
                kind: PoolKind::Neurons(options.neuron_size),
                receptors,
                gates,
                v_reset_mv: mean_v_reset(population).unwrap_or(0.0),
                shared,
            },
            PopulationKind::Sources(_) => {
                Self { kind: PoolKind::Inputs, receptors, gates, v_reset_mv: 0.0, shared }
            }
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
