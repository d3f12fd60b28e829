//! The result of mapping: what was placed where, what was realised, what was lost and why.
//!
//! A [`Mapping`] is a claim. The verifier holds it against the configuration words, which it
//! decodes by itself.

use std::collections::BTreeMap;
use std::fmt;

use calib::{CellParameters, CircuitMode, DriverPlasticity, PairRule, Scaling, TsodyksMarkram};
use hal::coord::{
    Coordinate as _, DncMergerOnHicann, HicannOnWafer, L1Address, NeuronOnHicann, OnWafer,
    SynapseDriverOnHicann, SynapseOnHicann, VLineOnHicann, Vertical,
};
use hal::l1::L1Line;
use hal::value::SynapseWeight;
use serde::{Deserialize, Serialize};

use crate::network::PopulationId;

/// A bus: the events that one DNC merger puts onto L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bus {
    /// The chip that sends.
    pub hicann: HicannOnWafer,
    /// The merger, and with it the sending repeater.
    pub merger: DncMergerOnHicann,
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hicann, self.merger)
    }
}

/// An address on a bus: how a neuron or source is known on the wafer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BusAddress {
    /// The bus.
    pub bus: Bus,
    /// The address.
    pub address: L1Address,
}

/// The circuits of one neuron: neighbouring columns of both rows within one neuron block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogicalNeuron {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// First column, 0..=255.
    pub column: u8,
    /// Number of columns, 1..=32.
    pub width: u8,
}

impl LogicalNeuron {
    /// Number of circuits, even, 2..=64.
    pub fn size(self) -> usize {
        2 * self.width as usize
    }

    /// The first circuit: top left. It fires unless the [`Placement`] names another one.
    pub fn first_circuit(self) -> NeuronOnHicann {
        NeuronOnHicann::at(self.column, Vertical::Top)
    }

    /// All circuits, top row first.
    pub fn circuits(self) -> impl Iterator<Item = NeuronOnHicann> {
        Vertical::ALL.into_iter().flat_map(move |vertical| {
            (0..self.width).map(move |i| NeuronOnHicann::at(self.column + i, vertical))
        })
    }
}

/// Where the members of the populations are. Lists run over all members of all populations, see
/// [`crate::network::Network::member_offsets`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Placement {
    /// The circuits of each neuron; none for sources.
    pub neurons: Vec<Option<LogicalNeuron>>,
    /// The address of each member; none for sources that nobody listens to.
    pub addresses: Vec<Option<BusAddress>>,
    /// The circuits that fire, by member, where this is not the first one of the neuron.
    pub firing: BTreeMap<usize, NeuronOnHicann>,
}

impl Placement {
    /// The circuit that fires for a member; none for sources.
    pub fn firing_circuit(&self, member: usize) -> Option<OnWafer<NeuronOnHicann>> {
        let neuron = (*self.neurons.get(member)?)?;
        let circuit = self.firing.get(&member).copied();
        Some(circuit.unwrap_or(neuron.first_circuit()).on(neuron.hicann))
    }
}

/// One line of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteLine {
    /// The line.
    pub line: OnWafer<L1Line>,
    /// Position of the line it is fed from; none for lines fed by the sending repeater.
    pub parent: Option<u32>,
}

/// The lines that carry one bus: a tree whose parents come before their children.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The bus.
    pub bus: Bus,
    /// The lines.
    pub lines: Vec<RouteLine>,
}

impl Route {
    /// Number of chips from the source to a line of the route, both counted.
    pub fn hicanns_to(&self, line: usize) -> usize {
        let mut hicanns = 1;
        let mut here = line;
        while let Some(parent) = self.lines[here].parent {
            let parent = parent as usize;
            hicanns += usize::from(self.lines[parent].line.hicann != self.lines[here].line.hicann);
            here = parent;
        }
        // the first line may already lie on the western neighbour
        hicanns + usize::from(self.lines[here].line.hicann != self.bus.hicann)
    }
}

/// Neighbouring drivers of one quadrant that listen to one bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverChain {
    /// The chip of the drivers.
    pub hicann: HicannOnWafer,
    /// The bus.
    pub bus: Bus,
    /// The line whose synapse switch is closed.
    pub vline: OnWafer<VLineOnHicann>,
    /// The driver at that switch.
    pub primary: SynapseDriverOnHicann,
    /// All drivers from north to south, the primary among them.
    pub members: Vec<SynapseDriverOnHicann>,
    /// Short-term plasticity of each of them; none for static ones.
    pub plasticity: Vec<Option<DriverPlasticity>>,
}

/// Why a synapse is not on the wafer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossCause {
    /// The bus does not reach the target's chip.
    NoRoute,
    /// The bus got no synapse driver on the target's chip.
    NoDriver,
    /// The drivers of the bus on the target's chip have no half row left for the synapse.
    NoHalfRow,
    /// The quadrant of the bus's drivers has the plasticity of other synapses.
    NoPlasticity,
    /// The weight lies nearer to zero than to the smallest digital weight.
    WeightZero,
}

impl LossCause {
    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoDriver => "no_driver",
            Self::NoHalfRow => "no_half_row",
            Self::NoPlasticity => "no_plasticity",
            Self::WeightZero => "weight_zero",
        }
    }
}

/// What became of a synapse of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SynapseFate {
    /// It is on the wafer.
    Realised {
        /// The hardware synapse.
        synapse: OnWafer<SynapseOnHicann>,
        /// Its digital weight, 1..=15; also 0 where long-term plasticity may raise it.
        weight: SynapseWeight,
    },
    /// It is not.
    Lost(LossCause),
}

/// What the wafer's cells give, in biological units: nominal, before mismatch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealisedParameters {
    /// The cell of each member; none for sources.
    pub cells: Vec<Option<CellParameters>>,
    /// Values that had to be clipped, by PyNN parameter name.
    pub clipped: BTreeMap<String, usize>,
    /// The same by population and parameter, with an example of each.
    pub clips: Vec<ParameterClip>,
}

/// A parameter of a population that circuits do not reach. Numbers are in the parameter's PyNN unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterClip {
    /// The population.
    pub population: PopulationId,
    /// PyNN's name of the parameter.
    pub parameter: String,
    /// Members concerned.
    pub members: usize,
    /// What the first of them asks for.
    pub wanted: f64,
    /// The smallest value that its circuit reaches.
    pub low: f64,
    /// The largest value that its circuit reaches.
    pub high: f64,
    /// What it gets.
    pub realised: f64,
}

/// Seconds that the stages took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StageTimes {
    /// Choice of sizes and densities, neurons to circuits.
    pub placement: f64,
    /// Merger trees.
    pub merger: f64,
    /// External inputs.
    pub input: f64,
    /// L1 routing.
    pub l1: f64,
    /// Drivers and synapses.
    pub synapses: f64,
    /// Parameters and weights.
    pub parameters: f64,
}

/// A mapped network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mapping {
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of each chip with neurons.
    pub modes: BTreeMap<HicannOnWafer, CircuitMode>,
    /// Neurons and addresses.
    pub placement: Placement,
    /// L1 routes, one per bus, sorted by bus.
    pub routes: Vec<Route>,
    /// Driver chains, sorted by chip and primary.
    pub chains: Vec<DriverChain>,
    /// Fate of each synapse, by projection.
    pub synapses: Vec<Vec<SynapseFate>>,
    /// Conductance in uS that each synapse's weight stands for, by projection; 0 where lost.
    pub realised_weights_us: Vec<Vec<f32>>,
    /// Short-term plasticity as the drivers have it, by projection; none where none is asked for.
    pub plasticity: Vec<Option<TsodyksMarkram>>,
    /// Long-term plasticity as the controllers have it, by projection; none where none is asked for.
    pub pairs: Vec<Option<PairRule>>,
    /// Weights that were larger than the largest digital weight, by projection.
    pub clipped_weights: Vec<usize>,
    /// Cell parameters as the wafer has them.
    pub parameters: RealisedParameters,
    /// Share of the synapses lost in the model without L1 and switch limits (mapping §7.2).
    pub ideal_l1_loss_fraction: f64,
    /// Share of the synapses that no mapping with these neuron sizes can realise (mapping §7.6).
    pub bound_loss_fraction: f64,
    /// Wall time of the stages; not part of the result's identity.
    pub times: StageTimes,
}

impl Mapping {
    /// Capacitor and leak mode of a chip; the default of chips without neurons.
    pub fn mode(&self, hicann: HicannOnWafer) -> CircuitMode {
        self.modes.get(&hicann).copied().unwrap_or_default()
    }
}
