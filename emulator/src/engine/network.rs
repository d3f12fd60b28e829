//! The tables that the engine runs on, made once from configuration and connectivity.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use fearless_simd::Level;
use hal::config::{GbitDirection, HicannConfig, WaferConfig};
use hal::coord::{
    Coordinate as _, DncMergerOnHicann, HicannOnWafer, NeuronOnHicann, OnWafer, Table,
};
use hal::wafer::DncCycles;
use rayon::prelude::*;

use super::Departure;
use super::arrivals::Arrivals;
use super::build::{Arrival, ChipBuilder, Place};
use super::cells::{Bounds, Cells};
use super::chip::{Chip, Way};
use super::cluster::Cluster;
use super::delivery::{Event, Target, Window, Wiring};
use super::tree::Tree;
use crate::circuits::Membrane;
use crate::connectivity::{BusAddress, Connectivity, FunctionalSynapse, buses};
use crate::effects::{Effect, Effects};
use crate::flaws::Flaws;
use crate::instance::Instance;
use crate::silicon::{self, AdcNoise, Drawn, Jitter, Programming, Silicon};

/// Most steps of a window.
const LONGEST_WINDOW: u64 = 64;

/// Number of a bus address that some synapse listens to.
pub(crate) type SourceId = u32;

/// Everything static and dynamic of a run.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Ascending by HICANN.
    pub(super) chips: Vec<Chip>,
    /// The chips in parts of about equal work.
    pub(super) parts: Vec<Part>,
    sources: BTreeMap<BusAddress, SourceId>,
    /// Steps of a window.
    pub(super) window: u64,
    /// Deviation of arrivals from their delay.
    pub(super) jitter: Option<Jitter>,
}

/// Chips that a thread works on, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) chips: Range<usize>,
    pub(super) clusters: Vec<Cluster>,
    /// The ways of events to them.
    pub(super) wiring: Wiring,
    /// Where they collect what arrives in a window.
    pub(super) arrivals: Arrivals,
    /// What they sent in the last window.
    pub(super) sent: Outbox,
}

/// What chips send.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    /// Onto buses.
    pub(super) events: Vec<Event>,
    /// To FPGAs.
    pub(super) departures: Vec<Departure>,
    /// Threshold crossings of circuits with an enabled output.
    pub(super) neuron_spikes: u64,
}

impl Part {
    /// Hands out events, and runs the chips for a window.
    pub(super) fn advance(
        &mut self,
        chips: &mut [Chip],
        level: Level,
        events: &[Event],
        window: &Window,
    ) {
        let Self { clusters, wiring, arrivals, sent, .. } = self;
        wiring.deliver(chips, clusters, events, window);
        for cluster in clusters {
            cluster.receive(window, arrivals);
            let chips = &mut chips[cluster.chips.clone()];
            cluster.advance(chips, level, window, arrivals);
            for chip in chips {
                chip.send(window, sent);
            }
        }
    }
}

/// Where the pulses for a merger of a chip go.
fn way(
    hicann: HicannOnWafer,
    config: &HicannConfig,
    flaws: &Flaws<'_>,
    merger: DncMergerOnHicann,
) -> Way {
    if !config.mergers.dnc[merger].loopback {
        return Way::Bus;
    }
    let partner = merger.loopback_partner();
    let link = partner.gbit_link();
    let open = config.gbit_links.direction[link] == GbitDirection::ToDnc
        && flaws.works(partner.on(hicann))
        && flaws.works(link.on(hicann));
    if open { Way::Round(link) } else { Way::Nowhere }
}

/// Cuts the chips into parts, and wires each, for windows of some steps.
fn parts(
    builders: &mut [ChipBuilder<'_>],
    groups: &[&[FunctionalSynapse]],
    window: usize,
    step: DncCycles,
) -> Vec<Part> {
    let bounds = Bounds::of(builders.iter().flat_map(ChipBuilder::membranes));
    // results do not depend on the parts; events read memory straight on if there are few
    let work: Vec<usize> = builders.iter().map(ChipBuilder::work).collect();
    let wanted = rayon::current_num_threads();
    let mut rest = builders;
    let mut parts = Vec::new();
    for range in cut(&work, wanted) {
        let (chips, others) = rest.split_at_mut(range.len());
        rest = others;
        parts.push((range, chips));
    }
    let part = |(range, chips): (Range<usize>, &mut [ChipBuilder<'_>])| {
        let membranes: Vec<&[Membrane]> = chips.iter().map(ChipBuilder::membranes).collect();
        let clusters = Cluster::group(&membranes, bounds, window, step);
        let arrivals = Arrivals::new(window, clusters.iter().map(|cluster| cluster.rows));
        let wiring = wire(chips, &clusters, groups);
        Part { chips: range, clusters, wiring, arrivals, sent: Outbox::default() }
    };
    parts.into_par_iter().map(part).collect()
}

/// The legs of all sources to the chips of a part.
fn wire(
    chips: &mut [ChipBuilder<'_>],
    clusters: &[Cluster],
    groups: &[&[FunctionalSynapse]],
) -> Wiring {
    for (i, cluster) in clusters.iter().enumerate() {
        let mut first_membrane = 0;
        for chip in cluster.chips.clone() {
            chips[chip].place = Place { cluster: i as u16, chip: chip as u16, first_membrane };
            first_membrane += chips[chip].membranes().len();
        }
    }
    let mut wiring = Wiring::default();
    let mut reached: Vec<Arrival> = Vec::new();
    for group in groups {
        wiring.next_source();
        reached.clear();
        // synapses are sorted by place, so those of a chip are neighbours
        let first = group.partition_point(|s| s.target.hicann < chips[0].hicann);
        let mut rest = &group[first..];
        for chip in chips.iter_mut() {
            let here = rest.iter().take_while(|s| s.target.hicann == chip.hicann).count();
            let (on_chip, others) = rest.split_at(here);
            rest = others;
            let cluster = &clusters[usize::from(chip.place.cluster)];
            chip.arrivals(on_chip, &cluster.cells, &mut reached);
        }
        reached.sort_by_key(|arrival| (arrival.leg, arrival.slot));
        for same in reached.chunk_by(|a, b| a.leg == b.leg) {
            let leg = same[0].leg;
            let synapses = same.len() as u32;
            // synapses onto the same input of a membrane become one target: conductances add
            let targets = same.chunk_by(|a, b| a.slot == b.slot).filter_map(|same| {
                let slot = same[0].slot?;
                if leg.2.is_some_and(|knows| knows.taps) {
                    return Some(Target::of_tap(slot));
                }
                let increment = same.iter().map(|s| s.increment).sum::<f64>() as f32;
                (increment > 0.0).then(|| Target::new(slot, increment))
            });
            wiring.add(leg, synapses, targets);
        }
    }
    wiring.end();
    wiring
}

/// Cuts a list into runs of about equal sums, at most `parts`.
fn cut(work: &[usize], parts: usize) -> Vec<Range<usize>> {
    let total: usize = work.iter().sum();
    let mut ranges = Vec::new();
    let (mut start, mut done) = (0, 0);
    for (i, w) in work.iter().enumerate() {
        done += w;
        let enough = ranges.len() + 1 < parts && done * parts >= total * (ranges.len() + 1);
        if enough || i + 1 == work.len() {
            ranges.push(start..i + 1);
            start = i + 1;
        }
    }
    ranges
}

/// The wafer that a network is built on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) instance: Instance,
    pub(crate) effects: Effects,
    pub(crate) flaws: Flaws<'a>,
    pub(crate) programming: &'a Programming,
    /// What was kept from the last run.
    pub(crate) drawn: &'a BTreeMap<HicannOnWafer, Arc<Drawn>>,
    /// The circuits that are probed.
    pub(crate) probes: &'a BTreeMap<OnWafer<NeuronOnHicann>, DncCycles>,
}

impl<'a> Made<'a> {
    /// A chip of the wafer.
    pub(crate) fn chip(&self, hicann: HicannOnWafer, config: &'a HicannConfig) -> Silicon<'a> {
        let Self { instance, effects, flaws, programming, drawn, .. } = *self;
        let anew =
            || Arc::new(Drawn::new(hicann, instance, effects, config, programming.of(hicann)));
        let drawn = drawn.get(&hicann).cloned().unwrap_or_else(anew);
        Silicon::new(hicann, instance, effects, config, flaws.record(hicann), drawn)
    }

    /// What lies between a circuit and the samples of the ADC: the voltage that its amplifier adds,
    /// V, and noise.
    pub(crate) fn readout(&self, neuron: OnWafer<NeuronOnHicann>) -> (f64, Option<AdcNoise>) {
        silicon::readout(self.instance, self.effects, neuron)
    }
}

impl Network {
    /// The network of a configuration on a wafer.
    pub(crate) fn new(
        config: &WaferConfig,
        wiring: &Connectivity,
        made: &Made<'_>,
        step: DncCycles,
    ) -> Self {
        let mut driven: BTreeMap<HicannOnWafer, Table<NeuronOnHicann, [bool; 2]>> = BTreeMap::new();
        for s in &wiring.synapses {
            driven.entry(s.target.hicann).or_default()[s.target.local][s.input.index()] = true;
        }
        let nothing = Table::default();
        let mut builders: Vec<ChipBuilder<'_>> = config
            .hicanns
            .par_iter()
            .map(|(&hicann, chip)| {
                let driven = driven.get(&hicann).unwrap_or(&nothing);
                let probed = |n: NeuronOnHicann| made.probes.contains_key(&n.on(hicann));
                ChipBuilder::new(hicann, chip, driven, probed, made.chip(hicann, chip), step)
            })
            .collect();
        let groups: Vec<&[FunctionalSynapse]> =
            wiring.synapses.chunk_by(|a, b| a.source == b.source).collect();
        let numbered = groups.iter().enumerate();
        let sources = numbered.map(|(i, group)| (group[0].source, i as SourceId)).collect();
        let jitters = made.effects.contains(Effect::L1Jitter);
        let jitter = jitters.then(|| Jitter::new(made.instance));
        let shortest = wiring.synapses.iter().map(|s| s.delay).min();
        // nothing that happens in a window acts before its end
        let steps = |d: DncCycles| d.0.saturating_sub(Jitter::largest(jitter)) / step.0;
        let window = shortest.map_or(LONGEST_WINDOW, steps).clamp(1, LONGEST_WINDOW);
        let mut parts = parts(&mut builders, &groups, window as usize, step);
        let finish = |builder: ChipBuilder<'_>| {
            let (hicann, config) = (builder.hicann, builder.config);
            let buses = buses(hicann, config, &made.flaws);
            let waits = made.effects.contains(Effect::Arbitration);
            let tree = waits.then(|| Tree::new(hicann, config, &made.flaws));
            let mut chip = builder.finish(&buses, &sources, tree);
            chip.buses.ways = Table::from_fn(|merger| way(hicann, config, &made.flaws, merger));
            chip
        };
        let chips: Vec<Chip> = builders.into_iter().map(finish).collect();
        // an event is sent in the window in which it enters L1 or in the next one
        let longest = parts.iter().map(|part| part.wiring.longest_delay()).max().unwrap_or(0);
        let latest = (longest + Jitter::largest(jitter)).div_ceil(step.0);
        let ahead = latest + 2 * window + 1;
        for part in &mut parts {
            part.wiring.arriving = vec![0; ahead as usize].into();
            part.clusters.iter_mut().for_each(|cluster| cluster.look_ahead(ahead));
        }
        Self { chips, parts, sources, window, jitter }
    }

    /// The bus addresses by their numbers.
    pub(super) fn buses(&self) -> Vec<BusAddress> {
        let mut buses: Vec<_> = self.sources.iter().map(|(&bus, &id)| (id, bus)).collect();
        buses.sort_unstable_by_key(|&(id, _)| id);
        buses.into_iter().map(|(_, bus)| bus).collect()
    }

    /// The number of a bus address, if any synapse listens to it.
    pub(crate) fn source(&self, bus: BusAddress) -> Option<SourceId> {
        self.sources.get(&bus).copied()
    }

    /// A chip of the network and its membranes.
    fn chip(&mut self, hicann: HicannOnWafer) -> Option<(&mut Chip, &mut Cells)> {
        let place = self.chips.binary_search_by_key(&hicann, |c| c.hicann).ok()?;
        let part = self.parts.iter_mut().find(|part| part.chips.contains(&place))?;
        let in_part = place - part.chips.start;
        let cluster = part.clusters.iter_mut().find(|c| c.chips.contains(&in_part))?;
        Some((&mut self.chips[place], &mut cluster.cells))
    }

    /// Keeps the true voltage of a circuit's membrane every so many steps; false if the circuit is
    /// not simulated.
    pub(crate) fn add_truth(&mut self, neuron: OnWafer<NeuronOnHicann>, every: u64) -> bool {
        self.chip(neuron.hicann)
            .is_some_and(|(chip, cells)| chip.add_truth(cells, neuron.local, every))
    }

    /// Sets up a sampler of a circuit's membrane behind an amplifier that adds `offset_v`; false if
    /// the circuit is not simulated.
    pub(crate) fn add_probe(
        &mut self,
        neuron: OnWafer<NeuronOnHicann>,
        offset_v: f64,
        noise: Option<AdcNoise>,
    ) -> bool {
        self.chip(neuron.hicann)
            .is_some_and(|(chip, cells)| chip.add_probe(cells, neuron.local, offset_v, noise))
    }
}
