//! Questions about a mapping, in both directions: neuron, circuits, chip, bus, driver, synapse.
//!
//! ```
//! use calib::{CellParameters, CircuitMode, IfCondExp, Scaling, WaferCalibration};
//! use hal::defects::Defects;
//! use marocco::network::{Network, PerMember, Population, PopulationKind};
//! use marocco::network::{Projection, Receptor, Synapse};
//! use marocco::query::{Atlas, Member, SynapseId};
//! use marocco::{MapOptions, map};
//!
//! # let cell = CellParameters::IfCondExp(IfCondExp { tau_refrac: 1.0, ..IfCondExp::default() });
//! # let kind = PopulationKind::Neurons(PerMember::Uniform(cell));
//! # let mut network = Network::default();
//! # let pair = Population { label: "pair".into(), size: 2, kind };
//! # let pair = network.add_population(pair).unwrap();
//! # let projection = Projection {
//! #     label: "first to second".into(),
//! #     receptor: Receptor::Excitatory,
//! #     plasticity: None,
//! #     pairs: None,
//! #     synapses: vec![Synapse { pre: 0, post: 1, weight_us: 0.002 }],
//! # };
//! # let projection = network.add_projection(pair, pair, projection).unwrap();
//! # let options = MapOptions::new(Scaling::default(), CircuitMode::default());
//! # let whole = Defects::default();
//! # let ideal = WaferCalibration::ideal();
//! let mapping = map(&network, &options, &whole, &ideal, &mut |_| {}).unwrap().mapping;
//! let atlas = Atlas::new(&network, &mapping);
//!
//! // from a neuron to its circuits, and back
//! let first = Member { population: pair, index: 0 };
//! let neuron = atlas.neuron(first).unwrap();
//! let circuit = neuron.circuits().next().unwrap().on(neuron.hicann);
//! # use hal::coord::Coordinate as _;
//! assert_eq!(atlas.neuron_at(circuit), Some(first));
//! assert_eq!(atlas.neurons_on(neuron.hicann).len(), 2);
//!
//! // over its bus to the drivers that listen, and to a synapse
//! let bus = atlas.address(first).unwrap().bus;
//! let chain = atlas.chains_of(bus).next().unwrap();
//! let synapse = atlas.synapses_on(chain.primary.on(chain.hicann)).next().unwrap();
//! assert_eq!(synapse, SynapseId { projection, index: 0 });
//!
//! // and from the synapse's place back to both ends
//! let place = atlas.place(synapse).unwrap();
//! assert_eq!(atlas.synapse_at(place), Some(synapse));
//! let [pre, post] = atlas.ends(synapse);
//! assert_eq!((pre, post.index), (first, 1));
//! ```

use std::collections::BTreeMap;

use hal::coord::{
    Coordinate as _, HicannOnWafer, NeuronOnHicann, OnWafer, SynapseDriverOnHicann, SynapseOnHicann,
};
use hal::l1::L1Line;

use crate::mapping::{Bus, BusAddress, DriverChain, LogicalNeuron, Mapping, Route, SynapseFate};
use crate::network::{Network, PopulationId, ProjectionId};

/// A neuron or source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Its population.
    pub population: PopulationId,
    /// Its position there.
    pub index: usize,
}

/// A synapse of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SynapseId {
    /// Its projection.
    pub projection: ProjectionId,
    /// Its position there.
    pub index: usize,
}

/// A mapping with everything found by everything. Takes time linear in its synapses, but for a
/// sort, to build; what is asked for takes time in proportion to the answer, unless said otherwise.
#[derive(Debug)]
pub struct Atlas<'a> {
    network: &'a Network,
    mapping: &'a Mapping,
    offsets: Vec<usize>,
    /// By chip, with first column.
    neurons: BTreeMap<HicannOnWafer, Vec<(LogicalNeuron, u32)>>,
    /// Sorted.
    senders: Vec<(BusAddress, u32)>,
    lines: BTreeMap<OnWafer<L1Line>, Bus>,
    /// Position of the chain of each driver.
    chains: BTreeMap<OnWafer<SynapseDriverOnHicann>, usize>,
    /// Sorted by place.
    synapses: Vec<(OnWafer<SynapseOnHicann>, SynapseId)>,
}

impl<'a> Atlas<'a> {
    /// The atlas of a mapping of this network.
    pub fn new(network: &'a Network, mapping: &'a Mapping) -> Self {
        let mut neurons: BTreeMap<HicannOnWafer, Vec<(LogicalNeuron, u32)>> = BTreeMap::new();
        for (member, neuron) in mapping.placement.neurons.iter().enumerate() {
            if let Some(neuron) = neuron {
                neurons.entry(neuron.hicann).or_default().push((*neuron, member as u32));
            }
        }
        for chip in neurons.values_mut() {
            chip.sort_unstable();
        }
        let addresses = mapping.placement.addresses.iter().zip(0..);
        let mut senders: Vec<(BusAddress, u32)> =
            addresses.filter_map(|(address, member)| Some(((*address)?, member))).collect();
        senders.sort_unstable();
        let lines = mapping.routes.iter().flat_map(|r| r.lines.iter().map(|l| (l.line, r.bus)));
        let chains = mapping.chains.iter().enumerate().flat_map(|(i, chain)| {
            chain.members.iter().map(move |driver| (driver.on(chain.hicann), i))
        });
        let mut synapses = Vec::new();
        for ((projection, _), fates) in network.projections().zip(&mapping.synapses) {
            for (index, fate) in fates.iter().enumerate() {
                if let SynapseFate::Realised { synapse, .. } = fate {
                    synapses.push((*synapse, SynapseId { projection, index }));
                }
            }
        }
        synapses.sort_unstable();
        Self {
            network,
            mapping,
            offsets: network.member_offsets(),
            neurons,
            senders,
            lines: lines.collect(),
            chains: chains.collect(),
            synapses,
        }
    }

    fn number(&self, member: Member) -> usize {
        self.offsets[member.population.index()] + member.index
    }

    fn member(&self, number: u32) -> Member {
        let number = number as usize;
        let place = self.offsets.partition_point(|&first| first <= number) - 1;
        let (population, _) =
            self.network.populations().nth(place).expect("members belong to populations");
        Member { population, index: number - self.offsets[place] }
    }

    /// The circuits of a neuron; none for sources.
    pub fn neuron(&self, member: Member) -> Option<LogicalNeuron> {
        self.mapping.placement.neurons[self.number(member)]
    }

    /// The circuit of a neuron that fires; none for sources.
    pub fn firing_circuit(&self, member: Member) -> Option<OnWafer<NeuronOnHicann>> {
        self.mapping.placement.firing_circuit(self.number(member))
    }

    /// The neuron that a circuit belongs to.
    pub fn neuron_at(&self, circuit: OnWafer<NeuronOnHicann>) -> Option<Member> {
        let column = circuit.local.column();
        let chip = self.neurons.get(&circuit.hicann)?;
        let after = chip.partition_point(|(n, _)| usize::from(n.column) <= column);
        let (neuron, member) = chip[after.checked_sub(1)?];
        let end = usize::from(neuron.column) + usize::from(neuron.width);
        (column < end).then(|| self.member(member))
    }

    /// The neurons of a chip, by column.
    pub fn neurons_on(&self, hicann: HicannOnWafer) -> Vec<Member> {
        let chip = self.neurons.get(&hicann).map_or(&[][..], Vec::as_slice);
        chip.iter().map(|&(_, member)| self.member(member)).collect()
    }

    /// The bus and address of a member; none for sources that nobody listens to.
    pub fn address(&self, member: Member) -> Option<BusAddress> {
        self.mapping.placement.addresses[self.number(member)]
    }

    /// Who has an address.
    pub fn sender(&self, address: BusAddress) -> Option<Member> {
        let place = self.senders.binary_search_by_key(&address, |s| s.0).ok()?;
        Some(self.member(self.senders[place].1))
    }

    /// The members of a bus, by address.
    pub fn senders(&self, bus: Bus) -> impl Iterator<Item = (BusAddress, Member)> {
        let first = self.senders.partition_point(|(a, _)| a.bus < bus);
        let of_bus = self.senders[first..].iter().take_while(move |(a, _)| a.bus == bus);
        of_bus.map(|&(address, member)| (address, self.member(member)))
    }

    /// The buses that start at a chip.
    pub fn buses_from(&self, hicann: HicannOnWafer) -> impl Iterator<Item = Bus> {
        let from = self.mapping.routes.iter().map(|r| r.bus);
        from.filter(move |bus| bus.hicann == hicann)
    }

    /// The lines of a bus.
    pub fn route(&self, bus: Bus) -> Option<&'a Route> {
        let place = self.mapping.routes.binary_search_by_key(&bus, |r| r.bus).ok()?;
        Some(&self.mapping.routes[place])
    }

    /// The bus on a line.
    pub fn bus_on(&self, line: OnWafer<L1Line>) -> Option<Bus> {
        self.lines.get(&line).copied()
    }

    /// The driver chains of a bus, by chip. Looks at all chains.
    pub fn chains_of(&self, bus: Bus) -> impl Iterator<Item = &'a DriverChain> {
        self.mapping.chains.iter().filter(move |chain| chain.bus == bus)
    }

    /// The driver chains of a chip, by primary.
    pub fn chains_on(&self, hicann: HicannOnWafer) -> impl Iterator<Item = &'a DriverChain> {
        let first = self.mapping.chains.partition_point(|c| c.hicann < hicann);
        self.mapping.chains[first..].iter().take_while(move |c| c.hicann == hicann)
    }

    /// The chain of a driver.
    pub fn chain_at(&self, driver: OnWafer<SynapseDriverOnHicann>) -> Option<&'a DriverChain> {
        self.chains.get(&driver).map(|&place| &self.mapping.chains[place])
    }

    /// The synapses on the two rows of a driver, by row and column.
    pub fn synapses_on(
        &self,
        driver: OnWafer<SynapseDriverOnHicann>,
    ) -> impl Iterator<Item = SynapseId> {
        let of = |synapse: &OnWafer<SynapseOnHicann>| {
            (synapse.hicann, synapse.local.row().driver().index())
        };
        let wanted = (driver.hicann, driver.local.index());
        let first = self.synapses.partition_point(|(place, _)| of(place) < wanted);
        let here = self.synapses[first..].iter().take_while(move |(place, _)| of(place) == wanted);
        here.map(|&(_, id)| id)
    }

    /// The synapse of the network that a hardware synapse realises.
    pub fn synapse_at(&self, place: OnWafer<SynapseOnHicann>) -> Option<SynapseId> {
        let found = self.synapses.binary_search_by_key(&place, |s| s.0).ok()?;
        Some(self.synapses[found].1)
    }

    /// What became of a synapse.
    pub fn fate(&self, id: SynapseId) -> SynapseFate {
        self.mapping.synapses[id.projection.index()][id.index]
    }

    /// The hardware synapse that realises a synapse; none if it is lost.
    pub fn place(&self, id: SynapseId) -> Option<OnWafer<SynapseOnHicann>> {
        match self.fate(id) {
            SynapseFate::Realised { synapse, .. } => Some(synapse),
            SynapseFate::Lost(_) => None,
        }
    }

    /// Source and target of a synapse.
    pub fn ends(&self, id: SynapseId) -> [Member; 2] {
        let synapse = &self.network.projection(id.projection).synapses[id.index];
        let (pre, post) = self.network.endpoints(id.projection);
        [
            Member { population: pre, index: synapse.pre as usize },
            Member { population: post, index: synapse.post as usize },
        ]
    }

    /// The synapses onto a neuron, lost ones too. Looks at all synapses of the projections onto its
    /// population.
    pub fn inputs(&self, member: Member) -> impl Iterator<Item = SynapseId> {
        self.synapses_where(move |pre_post| pre_post[1] == member)
    }

    /// The synapses from a member, lost ones too. Looks at all synapses of the projections from its
    /// population.
    pub fn outputs(&self, member: Member) -> impl Iterator<Item = SynapseId> {
        self.synapses_where(move |pre_post| pre_post[0] == member)
    }

    fn synapses_where(
        &self,
        is_wanted: impl Fn([Member; 2]) -> bool,
    ) -> impl Iterator<Item = SynapseId> {
        let ids = self.network.projections().flat_map(|(projection, it)| {
            (0..it.synapses.len()).map(move |index| SynapseId { projection, index })
        });
        ids.filter(move |&id| is_wanted(self.ends(id)))
    }
}
