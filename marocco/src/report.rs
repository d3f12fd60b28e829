//! The mapping in numbers, with the key names that scripts rely on.

use std::collections::{BTreeMap, BTreeSet};

use calib::{CircuitMode, PairRule, TsodyksMarkram};
use hal::config::CurrentScaling;
use serde::{Deserialize, Serialize};

use crate::mapping::{LossCause, Mapping, SynapseFate};
use crate::network::Network;

/// One projection's synapses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionLoss {
    /// Label of the projection.
    pub label: String,
    /// Synapses asked for.
    pub requested: usize,
    /// Synapses on the wafer.
    pub realised: usize,
}

/// Deviation of the weights of a projection from the request, over its realised synapses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightError {
    /// Mean realised over mean requested weight, minus one.
    pub mean: f64,
    /// Mean of the absolute relative errors.
    pub abs: f64,
    /// Weights above the largest digital weight.
    pub clipped: usize,
    /// Weights that became zero; they count as lost.
    pub zero: usize,
}

/// Wall seconds of the stages.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct WallSeconds {
    /// Neurons and sizes.
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
    /// All of them.
    pub total: f64,
}

/// Chips of one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeUse {
    /// `big` or `small`.
    pub capacitor: String,
    /// `slow`, `normal` or `fast`.
    pub leak: String,
    /// Number of chips with neurons.
    pub hicanns: usize,
}

/// The report of a mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingReport {
    /// Neurons of the network.
    pub neurons: usize,
    /// Spike sources of the network.
    pub sources: usize,
    /// Synapses asked for, each of a multapse counted.
    pub synapses_requested: usize,
    /// Synapses on the wafer.
    pub synapses_realised: usize,
    /// The difference.
    pub synapses_lost: usize,
    /// Lost over requested; 0 for a network without synapses.
    pub loss_fraction: f64,
    /// Lost synapses by cause.
    pub loss_by_cause: BTreeMap<String, usize>,
    /// In the order of the projections.
    pub loss_by_projection: Vec<ProjectionLoss>,
    /// No mapping with these neuron sizes loses less.
    pub bound_loss_fraction: f64,
    /// Loss in the model without L1 and switch limits.
    pub ideal_l1_loss_fraction: f64,
    /// By label of the projection.
    pub weight_error: BTreeMap<String, WeightError>,
    /// Short-term plasticity as the synapse drivers have it, by label of the projections that ask
    /// for it.
    pub plasticity: BTreeMap<String, TsodyksMarkram>,
    /// Long-term plasticity as the controllers have it, by label of the projections that ask for it.
    pub pairs: BTreeMap<String, PairRule>,
    /// Values clipped, by PyNN parameter name.
    pub clipped: BTreeMap<String, usize>,
    /// Chips with neurons or inputs.
    pub hicanns_used: usize,
    /// Buses on L1.
    pub l1_buses: usize,
    /// Synapse drivers in chains.
    pub drivers_used: usize,
    /// Number of neurons by circuits per neuron.
    pub neuron_sizes: BTreeMap<usize, usize>,
    /// `big` or `small`, or `big and small` if chips differ.
    pub capacitor: String,
    /// `slow`, `normal` or `fast`, or several of these.
    pub leak: String,
    /// Chips with neurons by capacitor and leak.
    pub modes: Vec<ModeUse>,
    /// Wall time of the stages in seconds.
    pub wall_s: WallSeconds,
    /// Whether the verifier found the configuration words to realise exactly this mapping.
    pub verified: bool,
    /// Peak memory of the process so far in bytes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
}

/// Summarises a mapping; `verified` is the verdict of [`crate::verify`].
pub fn report(network: &Network, mapping: &Mapping, verified: bool) -> MappingReport {
    let mut loss_by_cause = BTreeMap::new();
    let mut loss_by_projection = Vec::new();
    let mut weight_error = BTreeMap::new();
    let mut plasticity = BTreeMap::new();
    let mut pairs = BTreeMap::new();
    for (id, projection) in network.projections() {
        let fates = &mapping.synapses[id.index()];
        for fate in fates {
            if let SynapseFate::Lost(cause) = fate {
                *loss_by_cause.entry(cause.name().to_owned()).or_insert(0) += 1;
            }
        }
        let realised = fates.iter().filter(|f| matches!(f, SynapseFate::Realised { .. })).count();
        loss_by_projection.push(ProjectionLoss {
            label: projection.label.clone(),
            requested: fates.len(),
            realised,
        });
        weight_error.insert(projection.label.clone(), error_of(network, mapping, id));
        let realised = mapping.plasticity[id.index()];
        plasticity.extend(realised.map(|p| (projection.label.clone(), p)));
        let realised = mapping.pairs[id.index()];
        pairs.extend(realised.map(|p| (projection.label.clone(), p)));
    }
    let synapses_requested = network.n_synapses();
    let synapses_realised: usize = loss_by_projection.iter().map(|p| p.realised).sum();
    let synapses_lost = synapses_requested - synapses_realised;
    let mut neuron_sizes = BTreeMap::new();
    for neuron in mapping.placement.neurons.iter().flatten() {
        *neuron_sizes.entry(neuron.size()).or_insert(0) += 1;
    }
    let chips: BTreeSet<_> =
        mapping.placement.addresses.iter().flatten().map(|a| a.bus.hicann).collect();
    let count = |source: bool| {
        network.populations().filter(|(_, p)| p.is_source() == source).map(|(_, p)| p.size).sum()
    };
    let times = mapping.times;
    MappingReport {
        neurons: count(false),
        sources: count(true),
        synapses_requested,
        synapses_realised,
        synapses_lost,
        loss_fraction: synapses_lost as f64 / synapses_requested.max(1) as f64,
        loss_by_cause,
        loss_by_projection,
        bound_loss_fraction: mapping.bound_loss_fraction,
        ideal_l1_loss_fraction: mapping.ideal_l1_loss_fraction,
        weight_error,
        plasticity,
        pairs,
        clipped: mapping.parameters.clipped.clone(),
        hicanns_used: chips.len(),
        l1_buses: mapping.routes.len(),
        drivers_used: mapping.chains.iter().map(|c| c.members.len()).sum(),
        neuron_sizes,
        capacitor: names(mapping, |mode| capacitor_name(mode.big_capacitor)),
        leak: names(mapping, |mode| leak_name(mode.leak)),
        modes: modes(mapping),
        wall_s: WallSeconds {
            placement: times.placement,
            merger: times.merger,
            input: times.input,
            l1: times.l1,
            synapses: times.synapses,
            parameters: times.parameters,
            total: times.placement
                + times.merger
                + times.input
                + times.l1
                + times.synapses
                + times.parameters,
        },
        verified,
        peak_rss_bytes: peak_rss_bytes(),
    }
}

/// What the modes of the chips with neurons are called, each name once; that of the default if
/// there is no neuron.
fn names(mapping: &Mapping, name: fn(CircuitMode) -> &'static str) -> String {
    let names: BTreeSet<&str> = mapping.modes.values().map(|&mode| name(mode)).collect();
    if names.is_empty() {
        return name(CircuitMode::default()).to_owned();
    }
    names.into_iter().collect::<Vec<_>>().join(" and ")
}

fn modes(mapping: &Mapping) -> Vec<ModeUse> {
    let mut counts: BTreeMap<CircuitMode, usize> = BTreeMap::new();
    for &mode in mapping.modes.values() {
        *counts.entry(mode).or_default() += 1;
    }
    let named = |(mode, hicanns): (CircuitMode, usize)| ModeUse {
        capacitor: capacitor_name(mode.big_capacitor).to_owned(),
        leak: leak_name(mode.leak).to_owned(),
        hicanns,
    };
    counts.into_iter().map(named).collect()
}

const fn capacitor_name(is_big: bool) -> &'static str {
    if is_big { "big" } else { "small" }
}

const fn leak_name(leak: CurrentScaling) -> &'static str {
    match leak {
        CurrentScaling::Slow => "slow",
        CurrentScaling::Normal => "normal",
        CurrentScaling::Fast => "fast",
        CurrentScaling::SlowAndFast => "slow and fast",
    }
}

fn error_of(network: &Network, mapping: &Mapping, id: crate::network::ProjectionId) -> WeightError {
    let (mut requested, mut realised, mut abs, mut n, mut zero) = (0.0, 0.0, 0.0, 0usize, 0);
    let weights = &mapping.realised_weights_us[id.index()];
    let fates = &mapping.synapses[id.index()];
    for ((synapse, fate), &weight) in network.projection(id).synapses.iter().zip(fates).zip(weights)
    {
        match fate {
            SynapseFate::Lost(LossCause::WeightZero) => zero += 1,
            SynapseFate::Lost(_) => {}
            SynapseFate::Realised { .. } => {
                let (want, have) = (f64::from(synapse.weight_us), f64::from(weight));
                requested += want;
                realised += have;
                abs += (have - want).abs() / want;
                n += 1;
            }
        }
    }
    let relative = |x: f64, of: f64| if of == 0.0 { 0.0 } else { x / of };
    WeightError {
        mean: relative(realised - requested, requested),
        abs: relative(abs, n as f64),
        clipped: mapping.clipped_weights[id.index()],
        zero,
    }
}

/// Peak resident memory of this process in bytes, from the kernel's status file; 0 where there is
/// none.
pub fn peak_rss_bytes() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|kib| kib.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}
