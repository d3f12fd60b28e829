//! The independent verifier: holds a mapping's claim against the configuration words
//! (mapping §3, rules V01 to V33).
//!
//! It decodes the words by itself, walks from every event source to every synapse, and compares
//! what it finds with what the mapping says, in both directions. It never calls the mapper.
//!
//! | rules | where | how |
//! |---|---|---|
//! | V01, V02, V03, V12 | `neurons` | claim; membranes and firing circuits found in the bits |
//! | V04 | `requests` | places and sizes that were asked for |
//! | V06 to V10 | `mergers` | event flow of blocks, generators and links through the tree |
//! | V11, V13 | `addresses` | claim and the rates of the network's sources |
//! | V14 to V18 | `routes` | claim; lines flooded from the sending repeaters in the bits |
//! | V19 | `neurons`, `routes`, `synapses` | coordinates exist by type; a used chip has words |
//! | V20 to V24 | `drivers` | claim; switches and driver settings in the bits |
//! | V24, V26 | `plasticity` | claim against the request; drivers and blocks in the bits |
//! | V24, V26 | `pairs` | the same of long-term plasticity: controllers and blocks |
//! | V25 to V28, V30 | `synapses` | whole-array decode against the claim, both directions |
//! | V29 | `losses` | counts per projection |
//! | V05 | `analog`, `calibrated`, `resets` | cells, modes and weights against those realised; mean V_reset |
//! | V31, V32 | `outputs` | analog outputs and current sources in the bits |
//! | V03, V06, V08, V09, V19, V21, V22, V27 | `defects` | what is in use in the bits works |
//! | rest | `rest` | settings that no claim speaks of keep their defaults |
//!
//! No claim speaks of recordings and currents, so `rest` demands them
//! off besides. V33 (determinism) is a property of the mapper and is tested there.

mod addresses;
mod analog;
mod calibrated;
mod defects;
mod drivers;
mod flood;
mod functional;
mod losses;
mod mergers;
mod neurons;
mod outputs;
mod pairs;
mod plasticity;
mod requests;
mod resets;
mod rest;
mod routes;
mod synapses;

use std::fmt;
use std::sync::Arc;

use calib::{HicannCalibration, WaferCalibration};

use hal::codec::{DecodeError, decode_wafer};
use hal::config::{HicannConfig, WaferConfig};
use hal::coord::{HicannOnWafer, Table, WaferNumber};
use hal::defects::Defects;
use hal::wafer::ConfigurationWords;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::network::Network;

pub use defects::defective_parts;
pub use functional::{FunctionalSynapse, functional_connectivity};
pub use neurons::membranes;
pub use requests::{Requested, RequestedMode, RequestedPlace};

/// A rule of mapping §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Every neuron is placed once and every member that is heard has one address.
    V01,
    /// A neuron has an even number of circuits within one block, joined as claimed.
    V02,
    /// The circuits of different neurons are disjoint and work, on chips that may be used.
    V03,
    /// Neurons have the places, sizes and modes that were asked for, inputs their places.
    V04,
    /// Parameters that circuits share, and the analog cells, give the claimed cells and weights.
    V05,
    /// The assignment of neuron blocks to DNC mergers is monotone and possible, through mergers
    /// that work.
    V06,
    /// The merger settings bring each block's events to its DNC merger and nowhere else.
    V07,
    /// Every used DNC merger gets locking events from exactly one generator, which works.
    V08,
    /// Used DNC mergers merge slowly with the right link direction; unused ones are isolated. The
    /// links of inputs work.
    V09,
    /// No neuron's events arrive at a DNC merger of external inputs.
    V10,
    /// Addresses are usable and unique on their bus.
    V11,
    /// A neuron sends the address it was given, and nothing else sends.
    V12,
    /// The rates of the inputs fit through the links.
    V13,
    /// A route is a legal sequence of lines from its sending repeater.
    V14,
    /// No line carries two buses.
    V15,
    /// Closed crossbar switches are those of the routes, and few enough per line.
    V16,
    /// A route is a tree: no line is reached twice.
    V17,
    /// Repeaters have the modes of the routes and are released.
    V18,
    /// Every used chip is there and configured; it and its used lines, repeaters and crossbar
    /// switches work, in transit too.
    V19,
    /// At most one synapse switch per line, row and driver.
    V20,
    /// Closed synapse switches exist, work, and are those of the chains.
    V21,
    /// A chain is contiguous, not too long, contains its primary and overlaps no other. Its drivers
    /// and their rows work.
    V22,
    /// Driver settings realise exactly the chains.
    V23,
    /// Short-term plasticity is the nearest to what is asked for, and drivers have the claimed one.
    V24,
    /// A used row selects one synaptic input, a half row one driver decoder.
    V25,
    /// A realised synapse lies where its source arrives and its target listens, on a driver with
    /// its short-term plasticity.
    V26,
    /// A hardware synapse realises one synapse at most, and works.
    V27,
    /// The functional synapses are exactly the claimed ones.
    V28,
    /// Realised and lost synapses add up to the requested ones.
    V29,
    /// Realised synapses have the claimed weight, all others are off.
    V30,
    /// At most two membranes of a reticle are shown, each on a line and an output of its own.
    V31,
    /// A chip has one current source at most.
    V32,
    /// Settings that no claim speaks of keep their defaults.
    Rest,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest => f.write_str("rest"),
            rule => write!(f, "{rule:?}"),
        }
    }
}

/// A broken rule: which, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What is wrong, with coordinates.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}

/// What a mapping is held against besides the wiring: limits that are settings, and the wafer. The
/// default are the documented limits, on a wafer without defects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Longest chain of drivers on one bus (topology §7.5): 3.
    pub chain_length: usize,
    /// Closed crossbar switches per line of a chip (topology §4.6): 1.
    pub max_crossbar_switches: usize,
    /// Closed synapse switches per vertical line, and per row and side (topology §4.6): 1.
    pub max_synapse_switches: usize,
    /// Most chips of a route, source and target counted; any number if none.
    pub max_route_hicanns: Option<usize>,
    /// Share of the event links that inputs may use (mapping §1.8): 0.8.
    pub bandwidth_utilisation: f64,
    /// Interval of the locking events in PLL clocks (topology §5.6): 125.
    pub locking_interval: u32,
    /// Chips that may have neither neurons nor inputs; lines may cross them.
    pub excluded: Vec<HicannOnWafer>,
    /// Circuits of every neuron that no request is about; open if none.
    pub neuron_circuits: Option<usize>,
    /// Capacitor and leak of every chip with neurons that no request is about.
    pub mode: RequestedMode,
    /// What was asked for of single neurons (mapping §2.3).
    pub requests: Vec<Requested>,
    /// What of the wafer cannot be used (hal-config §6).
    pub defects: Defects,
    /// The manufactured wafer with whose measured calibration the cells were made. They are held against
    /// that, if it is there, and never against the nominal law.
    pub calibrated: Option<WaferNumber>,
    /// The calibration of the wafer. Files do not hold it.
    #[serde(skip)]
    pub calibration: Option<Arc<WaferCalibration>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            chain_length: 3,
            max_crossbar_switches: 1,
            max_synapse_switches: 1,
            max_route_hicanns: None,
            bandwidth_utilisation: 0.8,
            locking_interval: 125,
            excluded: Vec::new(),
            neuron_circuits: None,
            mode: RequestedMode::default(),
            requests: Vec::new(),
            defects: Defects::default(),
            calibrated: None,
            calibration: None,
        }
    }
}

impl Rules {
    /// The measured calibration of a chip, if it is there.
    fn measured(&self, hicann: HicannOnWafer) -> Option<&HicannCalibration> {
        self.calibration.as_ref()?.hicanns.get(&hicann)
    }
}

/// What the verifier found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Broken rules, by rule.
    pub violations: Vec<Violation>,
    /// Synapses with a weight that an event can reach, found in the bits.
    pub functional: usize,
}

impl Verification {
    /// Whether no rule is broken.
    pub fn is_ok(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether this rule is broken.
    pub fn breaks(&self, rule: Rule) -> bool {
        self.violations.iter().any(|v| v.rule == rule)
    }
}

/// Checks a mapping of `network` against the configuration words it is said to have produced.
pub fn verify(
    network: &Network,
    mapping: &Mapping,
    words: &ConfigurationWords,
    rules: &Rules,
) -> Result<Verification, DecodeError> {
    let config = decode_wafer(words)?;
    Ok(verify_config(network, mapping, &config, rules))
}

/// The same for words that are decoded already.
pub fn verify_config(
    network: &Network,
    mapping: &Mapping,
    config: &WaferConfig,
    rules: &Rules,
) -> Verification {
    let mut faults = Faults::default();
    losses::check_shape(network, mapping, &mut faults);
    if !faults.0.is_empty() {
        // lists of the wrong length: nothing else can be looked up
        return Verification { violations: faults.0, functional: 0 };
    }
    let reset = HicannConfig::default();
    let case = Case {
        network,
        mapping,
        rules,
        config,
        chips: Table::from_fn(|h: HicannOnWafer| config.hicanns.get(&h).unwrap_or(&reset)),
        offsets: network.member_offsets(),
    };
    let carried = flood::flood(&case.chips);

    // the synapses take about as long as all the rest
    let of_synapses = || {
        let mut faults = Faults::default();
        (synapses::check(&case, &carried, &mut faults), faults)
    };
    let of_the_rest = || {
        losses::check(&case, &mut faults);
        neurons::check(&case, &mut faults);
        requests::check(&case, &mut faults);
        addresses::check(&case, &mut faults);
        mergers::check(&case, &mut faults);
        routes::check(&case, &carried, &mut faults);
        drivers::check(&case, &mut faults);
        plasticity::check(&case, &mut faults);
        pairs::check(&case, &mut faults);
        analog::check(&case, &mut faults);
        resets::check(&case, &mut faults);
        outputs::check(&case, &mut faults);
        defects::check(&case, &carried, &mut faults);
        rest::check(&case, &mut faults);
    };
    let ((functional, more), ()) = rayon::join(of_synapses, of_the_rest);
    faults.0.extend(more.0);

    let mut violations = faults.0;
    violations.sort_by_key(|v| v.rule);
    Verification { violations, functional }
}

/// Decoded chips by coordinate; a chip without words is in reset.
type Chips<'a> = Table<HicannOnWafer, &'a HicannConfig>;

/// The claim and the bits to be held against each other.
struct Case<'a> {
    network: &'a Network,
    mapping: &'a Mapping,
    rules: &'a Rules,
    config: &'a WaferConfig,
    chips: Chips<'a>,
    offsets: Vec<usize>,
}

impl Case<'_> {
    /// Name of a member for messages, like `exc[17]`.
    fn name(&self, member: usize) -> String {
        let population = self.offsets.partition_point(|&first| first <= member) - 1;
        let (_, it) =
            self.network.populations().nth(population).expect("offsets end with the last member");
        format!("{}[{}]", it.label, member - self.offsets[population])
    }
}

/// Collects violations.
#[derive(Default)]
struct Faults(Vec<Violation>);

impl Faults {
    fn add(&mut self, rule: Rule, message: impl Into<String>) {
        self.0.push(Violation { rule, message: message.into() });
    }

    /// Adds the violation if a condition fails; the message is only made then.
    fn demand(&mut self, rule: Rule, condition: bool, message: impl FnOnce() -> String) {
        if !condition {
            self.add(rule, message());
        }
    }
}

/// Runs a check on every configured chip; results and violations are in the order of the chips.
fn per_chip<T: Send>(
    case: &Case<'_>,
    faults: &mut Faults,
    check: impl Fn(HicannOnWafer, &HicannConfig, &mut Faults) -> T + Sync,
) -> Vec<T> {
    let chips: Vec<_> = case.config.hicanns.iter().collect();
    let found: Vec<(T, Faults)> = chips
        .into_par_iter()
        .map(|(&hicann, chip)| {
            let mut faults = Faults::default();
            (check(hicann, chip, &mut faults), faults)
        })
        .collect();
    let mut results = Vec::with_capacity(found.len());
    for (result, chip) in found {
        results.push(result);
        faults.0.extend(chip.0);
    }
    results
}
