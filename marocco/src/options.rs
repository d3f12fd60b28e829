//! What a caller can ask of the mapper, and how it says no.

use std::str::FromStr;

use calib::{CircuitMode, Scaling};
use hal::config::CurrentScaling;
use hal::coord::HicannOnWafer;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cancel::{Cancel, Cancelled};
use crate::network::{PopulationId, ProjectionId};
use crate::requests::{Request, RequestProblem};

/// Number of circuits of a neuron: even, 2..=64 (mapping §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub struct NeuronSize(u8);

/// A neuron cannot have this many circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("neuron size {0}: a neuron has an even number of circuits, 2 to 64")]
pub struct InvalidNeuronSize(pub usize);

impl TryFrom<usize> for NeuronSize {
    type Error = InvalidNeuronSize;
    fn try_from(circuits: usize) -> Result<Self, InvalidNeuronSize> {
        match circuits {
            2..=64 if circuits.is_multiple_of(2) => Ok(Self(circuits as u8)),
            _ => Err(InvalidNeuronSize(circuits)),
        }
    }
}

impl From<NeuronSize> for usize {
    fn from(size: NeuronSize) -> Self {
        size.0 as usize
    }
}

impl NeuronSize {
    /// Sizes tried by [`NeuronSizeChoice::Auto`], small first.
    pub const AUTOMATIC: [Self; 10] = [
        Self(4),
        Self(6),
        Self(8),
        Self(10),
        Self(12),
        Self(16),
        Self(20),
        Self(24),
        Self(32),
        Self(64),
    ];

    /// Number of circuits.
    pub const fn circuits(self) -> usize {
        self.0 as usize
    }

    /// Number of columns, half the circuits.
    pub const fn width(self) -> u8 {
        self.0 / 2
    }
}

/// Usable addresses of a bus (topology §6).
pub const ADDRESSES_PER_BUS: usize = 59;

/// How many circuits a neuron gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NeuronSizeChoice {
    /// The smallest number of chips among those that lose the least.
    #[default]
    Auto,
    /// All neurons have this size.
    Fixed(NeuronSize),
}

/// Something that is given, or left to the mapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Choice<T> {
    /// The mapper chooses.
    #[default]
    Auto,
    /// Exactly this.
    Fixed(T),
}

impl<T: Copy + PartialEq> Choice<T> {
    /// Whether this value is possible.
    fn allows(self, value: T) -> bool {
        match self {
            Self::Auto => true,
            Self::Fixed(fixed) => fixed == value,
        }
    }

    /// The value, if it is given.
    pub fn fixed(self) -> Option<T> {
        match self {
            Self::Auto => None,
            Self::Fixed(fixed) => Some(fixed),
        }
    }
}

/// Membrane capacitor of the circuits of a chip (analog §1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacitor {
    /// 2.165 pF.
    Big,
    /// 0.164 pF.
    Small,
}

/// Capacitor and leak mode of the chips of a population. What is left open is chosen for each
/// population, so that no parameter and no weight clips if any choice avoids it; among equal choices
/// the big capacitor and the normal leak come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModeChoice {
    /// The capacitor.
    pub capacitor: Choice<Capacitor>,
    /// The scaling of the leak.
    pub leak: Choice<CurrentScaling>,
}

impl From<CircuitMode> for ModeChoice {
    fn from(mode: CircuitMode) -> Self {
        let capacitor = if mode.big_capacitor { Capacitor::Big } else { Capacitor::Small };
        Self { capacitor: Choice::Fixed(capacitor), leak: Choice::Fixed(mode.leak) }
    }
}

impl ModeChoice {
    /// The modes that are possible, the preferred ones first; one at least.
    pub fn modes(self) -> impl Iterator<Item = CircuitMode> {
        use CurrentScaling::{Fast, Normal, Slow, SlowAndFast};
        // both leak bits at once have no known law: they are for those who ask for them
        let leaks = match self.leak {
            Choice::Fixed(SlowAndFast) => vec![SlowAndFast],
            _ => vec![Normal, Fast, Slow],
        };
        [Capacitor::Big, Capacitor::Small]
            .into_iter()
            .filter(move |&capacitor| self.capacitor.allows(capacitor))
            .flat_map(move |capacitor| {
                let leaks = leaks.clone().into_iter().filter(move |&leak| self.leak.allows(leak));
                leaks.map(move |leak| CircuitMode {
                    big_capacitor: capacitor == Capacitor::Big,
                    leak,
                })
            })
    }
}

/// How much time the search for a mapping without loss may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// The first good structure, no search.
    Quick,
    /// Structure and membership searched for some seconds.
    #[default]
    Normal,
    /// Searched until nothing is lost, or for minutes.
    Max,
}

impl FromStr for Effort {
    type Err = InvalidEffort;
    fn from_str(name: &str) -> Result<Self, InvalidEffort> {
        match name {
            "quick" => Ok(Self::Quick),
            "normal" => Ok(Self::Normal),
            "max" => Ok(Self::Max),
            _ => Err(InvalidEffort(name.to_owned())),
        }
    }
}

/// The neurons of a chip share V_reset (analog §1.8). A population whose neurons ask for different
/// ones can get their mean, or be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum VariedReset {
    /// All get the mean; those that asked for another value are counted as clipped.
    #[default]
    Average,
    /// An error.
    Refuse,
}

/// What a synapse is worth when not all can be realised: those that are worth most are lost last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// Which synapses.
    pub of: Prioritised,
    /// How many ordinary synapses one of them is worth, 1..=100.
    pub weight: u8,
}

/// Synapses with a priority of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prioritised {
    /// Those of a projection.
    Projection(ProjectionId),
    /// Those that start at a population.
    Population(PopulationId),
}

/// Largest weight of a priority.
pub const MAX_PRIORITY: u8 = 100;
/// Most synapse switches of a vertical line (topology §4.6): fourteen drivers on each side.
pub const MAX_SYNAPSE_SWITCHES: usize = 28;

/// No effort has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("effort `{0}`: quick, normal or max")]
pub struct InvalidEffort(pub String);

/// Options of [`crate::map()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapOptions {
    /// How long to search.
    pub effort: Effort,
    /// What to do with populations whose neurons have different V_reset.
    pub varied_reset: VariedReset,
    /// Wishes about single populations.
    pub requests: Vec<Request>,
    /// Chips that are not to be used.
    pub excluded: Vec<HicannOnWafer>,
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
    /// Longest chain of synapse drivers on one bus, 1..=8; 3 keeps the signal clean (topology
    /// §7.5).
    pub chain_length: usize,
    /// What is lost last; 1 where nothing is said, the largest where several apply.
    pub priorities: Vec<Priority>,
    /// Most closed crossbar switches per line of a chip, at least 1 (topology §4.6).
    pub max_crossbar_switches: usize,
    /// Most closed synapse switches per vertical line of a chip, 1..=28 (topology §4.6).
    pub max_synapse_switches: usize,
    /// Most chips of a route, source and target counted; any number if none. Targets that are
    /// farther away lose their synapses.
    pub max_route_hicanns: Option<usize>,
    /// Share of the event links that inputs may use, above 0 and at most 1 (mapping §1.8).
    pub bandwidth_utilisation: f64,
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of the chips.
    pub mode: ModeChoice,
    /// Seed of the search for driver positions.
    pub seed: u64,
    /// Stops the mapper from another thread.
    #[serde(skip)]
    pub cancel: Cancel,
}

impl MapOptions {
    /// The defaults of the original tool: chains of 3, 80 % of the links (mapping §2.18), and
    /// automatic neuron sizes.
    pub fn new(scaling: Scaling, mode: impl Into<ModeChoice>) -> Self {
        Self {
            effort: Effort::Normal,
            varied_reset: VariedReset::Average,
            requests: Vec::new(),
            excluded: Vec::new(),
            neuron_size: NeuronSizeChoice::Auto,
            chain_length: 3,
            priorities: Vec::new(),
            max_crossbar_switches: 1,
            max_synapse_switches: 1,
            max_route_hicanns: None,
            bandwidth_utilisation: 0.8,
            scaling,
            mode: mode.into(),
            seed: 0,
            cancel: Cancel::default(),
        }
    }
}

/// Events per second that fit through the link from the FPGA to a chip: one per 56 ns (topology
/// §8.2).
pub const HICANN_INPUT_HZ: f64 = 17.8e6;
/// Events per second that an FPGA can send to its eight chips (topology §8.2).
pub const FPGA_INPUT_HZ: f64 = 125e6;

/// A network that cannot be mapped as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// [`MapOptions::cancel`] was raised.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The option has no meaning.
    #[error("chain length {0}: a bus drives chains of 1 to {max} synapse drivers", max = crate::demand::MAX_CHAIN)]
    ChainLength(usize),
    /// The option has no meaning.
    #[error("priority {0}: a synapse is worth 1 to {max} ordinary ones", max = MAX_PRIORITY)]
    Priority(u8),
    /// The option has no meaning.
    #[error(
        "{crossbar} crossbar and {synapse} synapse switches per line: at least 1 of each, and at \
         most {max} synapse switches",
        max = MAX_SYNAPSE_SWITCHES
    )]
    SwitchLimits {
        /// Crossbar switches per line.
        crossbar: usize,
        /// Synapse switches per vertical line.
        synapse: usize,
    },
    /// The option has no meaning.
    #[error("routes of at most 0 chips reach nothing; allow 1 at least")]
    RouteLength,
    /// The option has no meaning.
    #[error("bandwidth utilisation {0}: a share of the links above 0 and up to 1")]
    BandwidthUtilisation(f64),
    /// The wafer has too few chips.
    #[error(
        "the network needs {neuron_chips} chips for its neurons and {input_chips} for its inputs, \
         but {usable} can send; use smaller neurons, fewer neurons or lower input rates"
    )]
    TooManyChips {
        /// Chips with neurons.
        neuron_chips: usize,
        /// Chips with inputs.
        input_chips: usize,
        /// Chips that work and are not excluded.
        usable: usize,
    },
    /// The circuits of the chips do not suffice.
    #[error(
        "the neurons of `{population}` do not fit onto the working circuits of their chips; \
         use smaller neurons or exclude fewer chips"
    )]
    NoRoom {
        /// Label of the first population concerned.
        population: String,
    },
    /// A request cannot be met.
    #[error("population `{population}`: {problem}")]
    Request {
        /// Label of the population.
        population: String,
        /// What is wrong.
        problem: RequestProblem,
    },
    /// Synapse drivers cannot do the short-term plasticity of a projection.
    #[error("projection `{projection}`: {source}")]
    Plasticity {
        /// Label of the projection.
        projection: String,
        /// What is wrong.
        source: calib::PlasticityError,
    },
    /// Synapses cannot do the long-term plasticity of a projection.
    #[error("projection `{projection}`: {source}")]
    Pairs {
        /// Label of the projection.
        projection: String,
        /// What is wrong.
        source: calib::PairError,
    },
    /// More kinds of plasticity than can be numbered.
    #[error("more than 65535 kinds of plasticity; let projections share some")]
    TooManyKinds,
    /// A mapping of another network.
    #[error(
        "the network has {members} neurons and sources, but the mapping is of a network with \
         {mapped} or with other ones of them being sources; map it anew"
    )]
    OtherNetwork {
        /// Members of the network.
        members: usize,
        /// Members that were mapped.
        mapped: usize,
    },
    /// One source is faster than its link.
    #[error(
        "source {member} of `{population}` fires at {rate_hz:.1} Hz, {hardware_hz:.3e} events/s on \
         the wafer, but the link of a chip carries {limit_hz:.3e}, which are {:.0} Hz; lower its \
         rate or the speedup", .limit_hz * .rate_hz / .hardware_hz
    )]
    SourceTooFast {
        /// Label of the population.
        population: String,
        /// Which member.
        member: usize,
        /// Biological rate.
        rate_hz: f64,
        /// Rate on the wafer.
        hardware_hz: f64,
        /// Limit on the wafer.
        limit_hz: f64,
    },
    /// The inputs together are faster than the FPGAs of the chips in use.
    #[error(
        "{unplaced} of {inputs} input buses find no chip whose FPGA has bandwidth left \
         ({limit_hz:.3e} events/s each); lower the input rates"
    )]
    InputBandwidth {
        /// Buses without a chip.
        unplaced: usize,
        /// All input buses.
        inputs: usize,
        /// Limit per FPGA.
        limit_hz: f64,
    },
    /// Cells that share a chip want different values of a shared parameter.
    #[error(
        "population `{population}`, neuron {member}: its v_reset is not the {v_reset_mv} mV of the \
         population's mean, which all neurons of a chip share; give the population one v_reset or \
         let it be averaged"
    )]
    VariedReset {
        /// Label of the population.
        population: String,
        /// Which member.
        member: usize,
        /// Mean of the population.
        v_reset_mv: f64,
    },
    /// A cell parameter is far outside of what the circuits reach.
    #[error("population `{population}`, neuron {member}: {source}")]
    Cell {
        /// Label of the population.
        population: String,
        /// Which member.
        member: usize,
        /// What is wrong.
        source: calib::TranslateError,
    },
}
