//! The synapses of a network sorted by target: what every later stage reads.

use crate::kinds::{Kind, Kinds, STATIC};
use crate::network::{Network, PopulationKind, ProjectionId, Receptor};

/// One synapse as its target sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    /// The presynaptic member, counted over all populations.
    pub(crate) source: u32,
    /// Its projection.
    pub(crate) projection: ProjectionId,
    /// Its position in the projection.
    pub(crate) index: u32,
    /// Its synaptic input.
    pub(crate) receptor: Receptor,
    /// Its kind of plasticity.
    pub(crate) kind: Kind,
    /// How many ordinary synapses it is worth.
    pub(crate) priority: u8,
}

/// Which synaptic inputs a source acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct ReceptorSet(u8);

impl ReceptorSet {
    pub(crate) const fn insert(&mut self, receptor: Receptor) {
        self.0 |= 1 << receptor.index();
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn acts_on(self, receptor: Receptor) -> bool {
        self.0 >> receptor.index() & 1 == 1
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Position of a receptor of the set among its members.
    pub(crate) const fn position(self, receptor: Receptor) -> usize {
        (self.0 & ((1 << receptor.index()) - 1)).count_ones() as usize
    }
}

/// For each member of the network its synapses, in order of projection and creation.
#[derive(Debug)]
pub(crate) struct InputTable {
    offsets: Vec<usize>,
    inputs: Vec<Input>,
    receptors: Vec<ReceptorSet>,
    /// By member, one bit for each gate that its synapses want.
    gates: Vec<u64>,
    /// By member, one bit for each gate of long-term plasticity that synapses onto it want.
    onto: Vec<u64>,
    kinds: Kinds,
    /// Whether some synapses are worth more than others.
    has_priorities: bool,
}

impl InputTable {
    pub(crate) fn new(network: &Network, kinds: Kinds) -> Self {
        let members = network.member_offsets();
        let n_members = network.n_members();
        let mut offsets = vec![0usize; n_members + 1];
        for (id, projection) in network.projections() {
            let post = members[network.endpoints(id).1.index()];
            for synapse in &projection.synapses {
                offsets[post + synapse.post as usize + 1] += 1;
            }
        }
        for i in 0..n_members {
            offsets[i + 1] += offsets[i];
        }
        let mut next = offsets.clone();
        let empty = Input {
            source: 0,
            projection: ProjectionId::default(),
            index: 0,
            receptor: Receptor::Excitatory,
            kind: STATIC,
            priority: 1,
        };
        let mut inputs = vec![empty; network.n_synapses()];
        let mut receptors = vec![ReceptorSet::default(); n_members];
        let mut gates = vec![0; n_members];
        let mut onto = vec![0; n_members];
        for (id, projection) in network.projections() {
            let (pre, post) = network.endpoints(id);
            let (pre, post) = (members[pre.index()], members[post.index()]);
            let gate = kinds.gate_bit(kinds.of(id));
            let updated = if kinds.w_max_us(kinds.of(id)).is_some() { gate } else { 0 };
            for (index, synapse) in projection.synapses.iter().enumerate() {
                let source = pre + synapse.pre as usize;
                let slot = &mut next[post + synapse.post as usize];
                inputs[*slot] = Input {
                    source: source as u32,
                    projection: id,
                    index: index as u32,
                    receptor: projection.receptor,
                    kind: kinds.of(id),
                    priority: 1,
                };
                *slot += 1;
                receptors[source].insert(projection.receptor);
                gates[source] |= gate;
                onto[post + synapse.post as usize] |= updated;
            }
        }
        Self { offsets, inputs, receptors, gates, onto, kinds, has_priorities: false }
    }

    /// Gives the synapses of each projection a priority.
    pub(crate) fn set_priorities(&mut self, by_projection: &[u8]) {
        self.has_priorities = by_projection.iter().any(|&p| p != 1);
        for input in &mut self.inputs {
            input.priority = by_projection[input.projection.index()];
        }
    }

    /// Whether some synapses are worth more than others.
    pub(crate) fn has_priorities(&self) -> bool {
        self.has_priorities
    }

    /// The synapses of a member.
    pub(crate) fn of(&self, member: usize) -> &[Input] {
        &self.inputs[self.offsets[member]..self.offsets[member + 1]]
    }

    /// The gates that the synapses of a member want, one bit each; 0 if they are static.
    pub(crate) fn gates(&self, member: usize) -> u64 {
        self.gates[member]
    }

    /// The gates of long-term plasticity that the synapses onto a member want, one bit each.
    pub(crate) fn gates_onto(&self, member: usize) -> u64 {
        self.onto[member]
    }

    /// The kinds of plasticity.
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The synaptic inputs that a member acts on; none if nobody listens to it.
    pub(crate) fn receptors(&self, member: usize) -> ReceptorSet {
        self.receptors[member]
    }

    /// Number of members.
    pub(crate) fn members(&self) -> usize {
        self.receptors.len()
    }

    /// Number of all synapses.
    pub(crate) fn len(&self) -> usize {
        self.inputs.len()
    }
}

/// The members that need circuits or addresses, in the order of the populations.
pub(crate) fn sources_with_rates(network: &Network) -> Vec<(usize, f64)> {
    let offsets = network.member_offsets();
    let mut sources = Vec::new();
    for (id, population) in network.populations() {
        if let PopulationKind::Sources(rates) = &population.kind {
            let first = offsets[id.index()];
            sources.extend((0..population.size).map(|i| (first + i, *rates.get(i))));
        }
    }
    sources
}
