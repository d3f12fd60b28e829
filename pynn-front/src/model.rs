//! A network in PyNN's terms: populations of cells, projections made by connectors, recording.
//!
//! ```
//! use marocco::network::Receptor;
//! use pynn_front::model::{CellType, Connector, Model};
//! use pynn_front::random::NumpyRandom;
//!
//! let mut random = NumpyRandom::new(1);
//! let mut model = Model::default();
//! let noise = model.population("noise", 20, CellType::SpikeSourcePoisson { rate_hz: 10.0 })?;
//! let cells = model.population("cells", 5, CellType::IfCondExp(calib::IfCondExp::default()))?;
//! let drive = Connector::FixedNumberPre { n: 8 };
//! model.project("drive", noise, cells, &drive, 0.002, Receptor::Excitatory, &mut random)?;
//! model.record_spikes(cells);
//! assert_eq!(model.network().n_synapses(), 40);
//! # Ok::<(), pynn_front::model::ModelError>(())
//! ```

mod connector;

use std::collections::BTreeSet;

use calib::{CellParameters, EifCondExpIsfaIsta, IfCondExp, TsodyksMarkram};
use marocco::network::{
    Network, NetworkError, PerMember, Population, PopulationId, PopulationKind, Projection,
    ProjectionId, Receptor, Synapse,
};
use thiserror::Error;

use crate::random::NumpyRandom;

pub use connector::{ConnectError, Connector};

/// What the members of a population are, all alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellType {
    /// Leaky integrate and fire with conductance synapses.
    IfCondExp(IfCondExp),
    /// Adaptive exponential integrate and fire with conductance synapses.
    EifCondExpIsfaIsta(EifCondExpIsfaIsta),
    /// Independent Poisson processes outside the wafer.
    SpikeSourcePoisson {
        /// Mean rate of each member in biological Hz.
        rate_hz: f64,
    },
}

/// A part of a network could not be added.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The population or projection is unphysical.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The connector does not fit its populations.
    #[error("projection `{projection}`: {source}")]
    Connect {
        /// Label of the projection.
        projection: String,
        /// What does not fit.
        source: ConnectError,
    },
}

/// A network and what of it is to be recorded.
#[derive(Debug, Clone, Default)]
pub struct Model {
    network: Network,
    recorded: BTreeSet<PopulationId>,
}

impl Model {
    /// Adds a population of `size` equal cells.
    pub fn population(
        &mut self,
        label: &str,
        size: usize,
        cell: CellType,
    ) -> Result<PopulationId, ModelError> {
        let kind = match cell {
            CellType::IfCondExp(cell) => {
                PopulationKind::Neurons(PerMember::Uniform(CellParameters::IfCondExp(cell)))
            }
            CellType::EifCondExpIsfaIsta(cell) => PopulationKind::Neurons(PerMember::Uniform(
                CellParameters::EifCondExpIsfaIsta(cell),
            )),
            CellType::SpikeSourcePoisson { rate_hz } => {
                PopulationKind::Sources(PerMember::Uniform(rate_hz))
            }
        };
        Ok(self.network.add_population(Population { label: label.to_owned(), size, kind })?)
    }

    /// Adds a projection whose synapses all have the conductance `weight_us` in uS, which is not
    /// negative for either receptor.
    #[expect(clippy::too_many_arguments, reason = "the arguments of PyNN's Projection")]
    pub fn project(
        &mut self,
        label: &str,
        pre: PopulationId,
        post: PopulationId,
        connector: &Connector,
        weight_us: f64,
        receptor: Receptor,
        random: &mut NumpyRandom,
    ) -> Result<ProjectionId, ModelError> {
        let sizes = [pre, post].map(|id| self.network.population(id).size);
        let synapses = connector
            .connect(sizes, weight_us as f32, random)
            .map_err(|source| ModelError::Connect { projection: label.to_owned(), source })?;
        let projection = Projection {
            label: label.to_owned(),
            receptor,
            plasticity: None,
            pairs: None,
            synapses,
        };
        Ok(self.network.add_projection(pre, post, projection)?)
    }

    /// Adds a projection of the given synapses.
    pub fn project_list(
        &mut self,
        label: &str,
        pre: PopulationId,
        post: PopulationId,
        receptor: Receptor,
        synapses: Vec<Synapse>,
    ) -> Result<ProjectionId, ModelError> {
        let projection = Projection {
            label: label.to_owned(),
            receptor,
            plasticity: None,
            pairs: None,
            synapses,
        };
        Ok(self.network.add_projection(pre, post, projection)?)
    }

    /// Gives all synapses of a projection short-term plasticity.
    pub fn set_plasticity(
        &mut self,
        projection: ProjectionId,
        plasticity: TsodyksMarkram,
    ) -> Result<(), ModelError> {
        Ok(self.network.set_plasticity(projection, Some(plasticity))?)
    }

    /// Gives each neuron of a population parameters of its own, in the order of its members.
    pub fn set_cells(
        &mut self,
        population: PopulationId,
        cells: Vec<CellParameters>,
    ) -> Result<(), ModelError> {
        Ok(self.network.set_cells(population, PerMember::Each(cells))?)
    }

    /// Asks for the spikes of a population.
    pub fn record_spikes(&mut self, population: PopulationId) {
        self.recorded.insert(population);
    }

    /// Populations whose spikes were asked for, in the order of creation.
    pub fn recorded(&self) -> impl Iterator<Item = PopulationId> {
        self.recorded.iter().copied()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network alone.
    pub fn into_network(self) -> Network {
        self.network
    }
}
