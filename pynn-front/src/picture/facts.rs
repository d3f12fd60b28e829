//! What the pictures show, gathered once from network, mapping and defects.

use std::collections::{BTreeMap, BTreeSet};

use hal::coord::{Coordinate as _, HicannOnWafer, SynapseDriverOnHicann, Table};
use hal::defects::Defects;
use hal::wafer::DncCycles;
use marocco::mapping::{Bus, Mapping, Route, SynapseFate};
use marocco::network::Network;

use crate::export::Delays;

/// Most groups that are told apart; of more populations neighbours are taken together.
const MAX_GROUPS: usize = 24;

/// One population, or several neighbouring ones.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) label: String,
    pub(super) is_source: bool,
    pub(super) members: usize,
}

/// What happens on a chip.
#[derive(Debug, Clone, Default)]
pub(super) struct Chip {
    /// Neurons by group.
    pub(super) neurons: BTreeMap<usize, usize>,
    /// External inputs by group.
    pub(super) inputs: BTreeMap<usize, usize>,
    /// Drivers in chains.
    pub(super) drivers: usize,
    /// Drivers that work.
    pub(super) usable_drivers: usize,
    /// Whether the chip works.
    pub(super) usable: bool,
    /// Synapses asked for at its neurons.
    pub(super) requested: usize,
    /// Of them lost.
    pub(super) lost: usize,
    /// Buses with drivers here, as positions in [`Facts::buses`].
    pub(super) hears: BTreeSet<usize>,
}

impl Chip {
    pub(super) fn n_neurons(&self) -> usize {
        self.neurons.values().sum()
    }

    pub(super) fn n_inputs(&self) -> usize {
        self.inputs.values().sum()
    }

    /// Share of the synapses asked for that is lost.
    pub(super) fn loss(&self) -> f64 {
        self.lost as f64 / self.requested.max(1) as f64
    }

    /// The group with the most neurons, else with the most inputs.
    pub(super) fn main_group(&self) -> Option<usize> {
        let largest = |of: &BTreeMap<usize, usize>| {
            of.iter().max_by_key(|(group, n)| (**n, std::cmp::Reverse(**group))).map(|(g, _)| *g)
        };
        largest(&self.neurons).or_else(|| largest(&self.inputs))
    }
}

/// A bus and its route.
#[derive(Debug, Clone)]
pub(super) struct BusFacts {
    pub(super) bus: Bus,
    /// Group with the most members on the bus.
    pub(super) group: Option<usize>,
    pub(super) members: usize,
    pub(super) route: Route,
}

/// Synapses of a pair of groups.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pair {
    pub(super) requested: usize,
    pub(super) lost: usize,
}

/// What the pictures of a mapping show.
#[derive(Debug)]
pub struct Facts {
    pub(super) groups: Vec<Group>,
    pub(super) chips: Table<HicannOnWafer, Chip>,
    pub(super) buses: Vec<BusFacts>,
    /// By presynaptic and postsynaptic group.
    pub(super) pairs: Vec<Vec<Pair>>,
    pub(super) causes: BTreeMap<&'static str, usize>,
    /// Realised synapses by delay.
    pub(super) delays: BTreeMap<DncCycles, usize>,
    pub(super) speedup: f64,
    pub(super) drivers: usize,
    pub(super) bound_loss_fraction: f64,
    pub(super) ideal_l1_loss_fraction: f64,
    pub(super) defects: Defects,
}

impl Facts {
    /// Gathers everything; time linear in synapses.
    pub fn new(network: &Network, mapping: &Mapping, defects: &Defects) -> Self {
        let (groups, group_of) = groups(network);
        let mut facts = Self {
            pairs: vec![vec![Pair::default(); groups.len()]; groups.len()],
            groups,
            chips: chips(defects),
            buses: Vec::new(),
            causes: BTreeMap::new(),
            delays: BTreeMap::new(),
            speedup: mapping.scaling.speedup,
            drivers: mapping.chains.iter().map(|c| c.members.len()).sum(),
            bound_loss_fraction: mapping.bound_loss_fraction,
            ideal_l1_loss_fraction: mapping.ideal_l1_loss_fraction,
            defects: defects.clone(),
        };
        facts.place(network, mapping, &group_of);
        facts.count(network, mapping, &group_of);
        facts
    }

    /// Members, buses and drivers on chips.
    fn place(&mut self, network: &Network, mapping: &Mapping, group_of: &[usize]) {
        let mut senders: BTreeMap<Bus, BTreeMap<usize, usize>> = BTreeMap::new();
        let offsets = network.member_offsets();
        for ((id, population), first) in network.populations().zip(offsets) {
            let group = group_of[id.index()];
            for member in first..first + population.size {
                if let Some(neuron) = mapping.placement.neurons[member] {
                    *self.chips[neuron.hicann].neurons.entry(group).or_default() += 1;
                }
                let Some(address) = mapping.placement.addresses[member] else { continue };
                *senders.entry(address.bus).or_default().entry(group).or_default() += 1;
                if population.is_source() {
                    *self.chips[address.bus.hicann].inputs.entry(group).or_default() += 1;
                }
            }
        }
        let mut number = BTreeMap::new();
        for (i, route) in mapping.routes.iter().enumerate() {
            let members = senders.get(&route.bus).cloned().unwrap_or_default();
            let group = members.iter().max_by_key(|(_, n)| **n).map(|(group, _)| *group);
            number.insert(route.bus, i);
            self.buses.push(BusFacts {
                bus: route.bus,
                group,
                members: members.values().sum(),
                route: route.clone(),
            });
        }
        for chain in &mapping.chains {
            let chip = &mut self.chips[chain.hicann];
            chip.drivers += chain.members.len();
            chip.hears.extend(number.get(&chain.bus));
        }
    }

    /// Fates and delays of the synapses.
    fn count(&mut self, network: &Network, mapping: &Mapping, group_of: &[usize]) {
        let delays = Delays::new(mapping);
        let offsets = network.member_offsets();
        for (id, projection) in network.projections() {
            let (pre, post) = network.endpoints(id);
            let pair = &mut self.pairs[group_of[pre.index()]][group_of[post.index()]];
            let fates = &mapping.synapses[id.index()];
            pair.requested += fates.len();
            for (synapse, fate) in projection.synapses.iter().zip(fates) {
                let target = offsets[post.index()] + synapse.post as usize;
                let place = mapping.placement.neurons[target];
                let mut chip = place.map(|neuron| &mut self.chips[neuron.hicann]);
                if let Some(chip) = &mut chip {
                    chip.requested += 1;
                }
                match fate {
                    SynapseFate::Lost(cause) => {
                        pair.lost += 1;
                        *self.causes.entry(cause.name()).or_default() += 1;
                        if let Some(chip) = chip {
                            chip.lost += 1;
                        }
                    }
                    SynapseFate::Realised { synapse, .. } => {
                        let driver = synapse.local.row().driver().on(synapse.hicann);
                        if let Some(delay) = delays.of(driver) {
                            *self.delays.entry(delay).or_default() += 1;
                        }
                    }
                }
            }
        }
    }

    /// Name of a group; none for buses without members.
    pub(super) fn group_label(&self, group: Option<usize>) -> String {
        group.map_or_else(String::new, |group| self.groups[group].label.clone())
    }

    pub(super) fn requested(&self) -> usize {
        self.pairs.iter().flatten().map(|p| p.requested).sum()
    }

    pub(super) fn lost(&self) -> usize {
        self.pairs.iter().flatten().map(|p| p.lost).sum()
    }

    /// Delay in biological ms.
    pub(super) fn delay_ms(&self, delay: DncCycles) -> f64 {
        delay.hardware_s() * self.speedup * 1e3
    }
}

fn chips(defects: &Defects) -> Table<HicannOnWafer, Chip> {
    Table::from_fn(|hicann: HicannOnWafer| {
        let works = |driver: &SynapseDriverOnHicann| defects.is_usable(driver.on(hicann));
        Chip {
            usable: defects.is_usable(hicann),
            usable_drivers: SynapseDriverOnHicann::all().filter(works).count(),
            ..Chip::default()
        }
    })
}

/// Groups, and the group of each population. Sources and neurons never share one.
fn groups(network: &Network) -> (Vec<Group>, Vec<usize>) {
    let n = network.populations().count();
    let per_group = network.n_members().div_ceil(MAX_GROUPS - 1).max(1);
    let mut groups: Vec<Group> = Vec::new();
    let group_of = network
        .populations()
        .map(|(_, population)| {
            let joins = groups.last().is_some_and(|group| {
                n > MAX_GROUPS
                    && group.is_source == population.is_source()
                    && group.members + population.size <= per_group
            });
            match groups.last_mut() {
                Some(group) if joins => {
                    let first = group.label.split(" \u{2026} ").next().unwrap_or_default();
                    group.label = format!("{first} \u{2026} {}", population.label);
                    group.members += population.size;
                }
                _ => groups.push(Group {
                    label: population.label.clone(),
                    is_source: population.is_source(),
                    members: population.size,
                }),
            }
            groups.len() - 1
        })
        .collect();
    (groups, group_of)
}
