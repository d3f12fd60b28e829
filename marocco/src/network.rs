//! The network to be mapped: a directed multigraph of populations and projections, in biological
//! units and PyNN's terms.

use calib::{CellParameters, PairError, PairRule, PlasticityError, TsodyksMarkram};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A population of the network; numbered in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PopulationId(u32);

impl PopulationId {
    /// Position in the order of creation.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A projection of the network; numbered in the order of creation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ProjectionId(u32);

impl ProjectionId {
    /// Position in the order of creation.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One value for all members of a population, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PerMember<T> {
    /// The same for all.
    Uniform(T),
    /// In the order of the members.
    Each(Vec<T>),
}

impl<T> PerMember<T> {
    /// The value of a member. Lists are as long as the population, which [`Network`] checks.
    pub fn get(&self, member: usize) -> &T {
        match self {
            Self::Uniform(value) => value,
            Self::Each(values) => &values[member],
        }
    }
}

/// What the members of a population are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PopulationKind {
    /// Neurons, realised by circuits.
    Neurons(PerMember<CellParameters>),
    /// Spike sources outside the wafer, with their mean rates in biological Hz.
    Sources(PerMember<f64>),
}

/// A population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Name for reports and errors.
    pub label: String,
    /// Number of members.
    pub size: usize,
    /// Neurons or sources.
    pub kind: PopulationKind,
}

impl Population {
    /// Whether the members are spike sources.
    pub fn is_source(&self) -> bool {
        matches!(self.kind, PopulationKind::Sources(_))
    }
}

/// Which synaptic input a projection acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receptor {
    /// Left input, synx.
    Excitatory,
    /// Right input, syni.
    Inhibitory,
}

impl Receptor {
    /// Both, excitatory first.
    pub const ALL: [Self; 2] = [Self::Excitatory, Self::Inhibitory];

    /// 0 for excitatory, 1 for inhibitory: the number of the synaptic input.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// One synapse. Several between the same pair are synapses of their own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Synapse {
    /// Member of the presynaptic population.
    pub pre: u32,
    /// Member of the postsynaptic population.
    pub post: u32,
    /// Conductance in uS, not negative for either receptor.
    pub weight_us: f32,
}

/// A projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Name for reports and errors.
    pub label: String,
    /// Synaptic input of the targets.
    pub receptor: Receptor,
    /// Short-term plasticity of all its synapses; static ones if none.
    pub plasticity: Option<TsodyksMarkram>,
    /// Long-term plasticity of all its synapses; constant weights if none.
    pub pairs: Option<PairRule>,
    /// The synapses in the order of their creation.
    pub synapses: Vec<Synapse>,
}

/// A network that makes no sense.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NetworkError {
    /// A list has the wrong length.
    #[error("population `{population}` has {size} members but {values} values; give one or {size}")]
    WrongLength {
        /// Label of the population.
        population: String,
        /// Its size.
        size: usize,
        /// Length of the list.
        values: usize,
    },
    /// The parameters of a cell are unphysical.
    #[error("population `{population}`: {source}")]
    Cell {
        /// Label of the population.
        population: String,
        /// What is wrong.
        source: calib::InvalidCell,
    },
    /// A rate is negative or not a number.
    #[error("population `{population}`: rate {rate_hz} Hz; rates are finite and not negative")]
    Rate {
        /// Label of the population.
        population: String,
        /// The rate in Hz.
        rate_hz: f64,
    },
    /// A synapse ends at a member that does not exist.
    #[error(
        "projection `{projection}`, synapse {index}: member {member} of `{population}`, \
         which has {size}"
    )]
    NoSuchMember {
        /// Label of the projection.
        projection: String,
        /// Position of the synapse in its list.
        index: usize,
        /// Label of the population.
        population: String,
        /// The member asked for.
        member: u32,
        /// Size of the population.
        size: usize,
    },
    /// A weight is negative or not a number.
    #[error(
        "projection `{projection}`, synapse {index}: weight {weight_us} uS; conductances are \
         finite and not negative, also for inhibitory synapses"
    )]
    Weight {
        /// Label of the projection.
        projection: String,
        /// Position of the synapse in its list.
        index: usize,
        /// The weight in uS.
        weight_us: f32,
    },
    /// The short-term plasticity is unphysical.
    #[error("projection `{projection}`: {source}")]
    Plasticity {
        /// Label of the projection.
        projection: String,
        /// What is wrong.
        source: PlasticityError,
    },
    /// The long-term plasticity is unphysical.
    #[error("projection `{projection}`: {source}")]
    Pairs {
        /// Label of the projection.
        projection: String,
        /// What is wrong.
        source: PairError,
    },
    /// Both kinds of plasticity at once.
    #[error(
        "projection `{projection}` asks for short-term and for long-term plasticity; choose one"
    )]
    TwoPlasticities {
        /// Label of the projection.
        projection: String,
    },
    /// Spike sources have no cell parameters.
    #[error("population `{population}` consists of spike sources, which have no cell parameters")]
    NoCells {
        /// Label of the population.
        population: String,
    },
    /// Neurons have no rate of their own.
    #[error("population `{population}` consists of neurons, whose rates follow from their inputs")]
    NoRates {
        /// Label of the population.
        population: String,
    },
    /// Spike sources have no inputs.
    #[error("projection `{projection}` ends at `{population}`, whose members are spike sources")]
    TargetIsSource {
        /// Label of the projection.
        projection: String,
        /// Label of the population.
        population: String,
    },
}

/// Populations and projections. Only physical networks can be built.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Network {
    graph: DiGraph<Population, Projection>,
}

impl Network {
    /// Adds a population.
    pub fn add_population(&mut self, population: Population) -> Result<PopulationId, NetworkError> {
        check_population(&population)?;
        Ok(PopulationId(self.graph.add_node(population).index() as u32))
    }

    /// Adds a projection.
    pub fn add_projection(
        &mut self,
        pre: PopulationId,
        post: PopulationId,
        projection: Projection,
    ) -> Result<ProjectionId, NetworkError> {
        let (from, to) = (self.population(pre), self.population(post));
        if to.is_source() {
            return Err(NetworkError::TargetIsSource {
                projection: projection.label,
                population: to.label.clone(),
            });
        }
        for (index, synapse) in projection.synapses.iter().enumerate() {
            for (member, population) in [(synapse.pre, from), (synapse.post, to)] {
                if member as usize >= population.size {
                    return Err(NetworkError::NoSuchMember {
                        projection: projection.label,
                        index,
                        population: population.label.clone(),
                        member,
                        size: population.size,
                    });
                }
            }
            check_weight(&projection.label, index, synapse.weight_us)?;
        }
        check_plasticity(&projection.label, projection.plasticity)?;
        check_pairs(&projection)?;
        let edge = self.graph.add_edge(node(pre), node(post), projection);
        Ok(ProjectionId(edge.index() as u32))
    }

    /// A population.
    pub fn population(&self, id: PopulationId) -> &Population {
        &self.graph[node(id)]
    }

    /// A projection.
    pub fn projection(&self, id: ProjectionId) -> &Projection {
        &self.graph[edge(id)]
    }

    /// Pre- and postsynaptic population of a projection.
    pub fn endpoints(&self, id: ProjectionId) -> (PopulationId, PopulationId) {
        let (pre, post) = self.graph.edge_endpoints(edge(id)).expect("ids are issued by this type");
        (PopulationId(pre.index() as u32), PopulationId(post.index() as u32))
    }

    /// All populations in the order of creation.
    pub fn populations(&self) -> impl Iterator<Item = (PopulationId, &Population)> {
        self.graph.node_weights().enumerate().map(|(i, p)| (PopulationId(i as u32), p))
    }

    /// All projections in the order of creation.
    pub fn projections(&self) -> impl Iterator<Item = (ProjectionId, &Projection)> {
        self.graph.edge_weights().enumerate().map(|(i, p)| (ProjectionId(i as u32), p))
    }

    /// Projections that start at a population, in the order of creation.
    pub fn outgoing(&self, id: PopulationId) -> Vec<ProjectionId> {
        let mut ids: Vec<_> =
            self.graph.edges(node(id)).map(|e| ProjectionId(e.id().index() as u32)).collect();
        ids.sort_unstable();
        ids
    }

    /// Replaces the weights of a projection, in the order of its synapses, in uS.
    pub fn set_weights(
        &mut self,
        id: ProjectionId,
        weights_us: &[f32],
    ) -> Result<(), NetworkError> {
        let projection = &self.graph[edge(id)];
        if weights_us.len() != projection.synapses.len() {
            return Err(NetworkError::WrongLength {
                population: projection.label.clone(),
                size: projection.synapses.len(),
                values: weights_us.len(),
            });
        }
        for (index, &weight_us) in weights_us.iter().enumerate() {
            check_weight(&projection.label, index, weight_us)?;
        }
        for (synapse, &weight_us) in self.graph[edge(id)].synapses.iter_mut().zip(weights_us) {
            synapse.weight_us = weight_us;
        }
        Ok(())
    }

    /// Replaces the short-term plasticity of a projection; static synapses if none.
    pub fn set_plasticity(
        &mut self,
        id: ProjectionId,
        plasticity: Option<TsodyksMarkram>,
    ) -> Result<(), NetworkError> {
        let projection = &mut self.graph[edge(id)];
        check_plasticity(&projection.label, plasticity)?;
        projection.plasticity = plasticity;
        Ok(())
    }

    /// Replaces the cell parameters of a population of neurons.
    pub fn set_cells(
        &mut self,
        id: PopulationId,
        cells: PerMember<CellParameters>,
    ) -> Result<(), NetworkError> {
        let Population { label, size, kind } = self.population(id).clone();
        if matches!(kind, PopulationKind::Sources(_)) {
            return Err(NetworkError::NoCells { population: label });
        }
        let changed = Population { label, size, kind: PopulationKind::Neurons(cells) };
        check_population(&changed)?;
        self.graph[node(id)] = changed;
        Ok(())
    }

    /// Replaces the mean rates of a population of spike sources, in biological Hz.
    pub fn set_rates(
        &mut self,
        id: PopulationId,
        rates_hz: PerMember<f64>,
    ) -> Result<(), NetworkError> {
        let Population { label, size, kind } = self.population(id);
        let (label, size) = (label.clone(), *size);
        if matches!(kind, PopulationKind::Neurons(_)) {
            return Err(NetworkError::NoRates { population: label });
        }
        let changed = Population { label, size, kind: PopulationKind::Sources(rates_hz) };
        check_population(&changed)?;
        self.graph[node(id)] = changed;
        Ok(())
    }

    /// Number of synapses asked for.
    pub fn n_synapses(&self) -> usize {
        self.graph.edge_weights().map(|p| p.synapses.len()).sum()
    }

    /// Number of members of all populations.
    pub fn n_members(&self) -> usize {
        self.graph.node_weights().map(|p| p.size).sum()
    }

    /// Position of the first member of each population when all members stand in one row; one
    /// entry more than populations.
    pub fn member_offsets(&self) -> Vec<usize> {
        let mut offsets = vec![0];
        for population in self.graph.node_weights() {
            offsets.push(offsets[offsets.len() - 1] + population.size);
        }
        offsets
    }
}

fn node(id: PopulationId) -> NodeIndex {
    NodeIndex::new(id.index())
}

fn edge(id: ProjectionId) -> EdgeIndex {
    EdgeIndex::new(id.index())
}

fn check_weight(projection: &str, index: usize, weight_us: f32) -> Result<(), NetworkError> {
    if weight_us.is_finite() && weight_us >= 0.0 {
        return Ok(());
    }
    Err(NetworkError::Weight { projection: projection.to_owned(), index, weight_us })
}

fn check_plasticity(
    projection: &str,
    plasticity: Option<TsodyksMarkram>,
) -> Result<(), NetworkError> {
    plasticity
        .map_or(Ok(()), |plasticity| plasticity.validate())
        .map_err(|source| NetworkError::Plasticity { projection: projection.to_owned(), source })
}

fn check_pairs(projection: &Projection) -> Result<(), NetworkError> {
    let Some(pairs) = projection.pairs else { return Ok(()) };
    let label = || projection.label.clone();
    if projection.plasticity.is_some() {
        return Err(NetworkError::TwoPlasticities { projection: label() });
    }
    pairs.validate().map_err(|source| NetworkError::Pairs { projection: label(), source })
}

fn check_population(population: &Population) -> Result<(), NetworkError> {
    let label = || population.label.clone();
    let wrong_length =
        |values| NetworkError::WrongLength { population: label(), size: population.size, values };
    match &population.kind {
        PopulationKind::Neurons(cells) => {
            let cells = match cells {
                PerMember::Uniform(cell) => std::slice::from_ref(cell),
                PerMember::Each(cells) if cells.len() == population.size => cells,
                PerMember::Each(cells) => return Err(wrong_length(cells.len())),
            };
            cells.iter().try_for_each(|cell| {
                cell.validate().map_err(|source| NetworkError::Cell { population: label(), source })
            })
        }
        PopulationKind::Sources(rates) => {
            let rates = match rates {
                PerMember::Uniform(rate) => std::slice::from_ref(rate),
                PerMember::Each(rates) if rates.len() == population.size => rates,
                PerMember::Each(rates) => return Err(wrong_length(rates.len())),
            };
            match rates.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
                Some(&rate_hz) => Err(NetworkError::Rate { population: label(), rate_hz }),
                None => Ok(()),
            }
        }
    }
}
