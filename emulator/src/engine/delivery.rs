//! The way of events from the buses to the synapses of the chips.
//!
//! The chips are cut into parts, one piece of work for a thread each. A part has a list of legs for
//! every source: one leg for each delay, with its targets in one row behind those of the leg before.
//! So an event reads memory straight on, once, and puts what it will bring into the inboxes of the
//! clusters.

use std::collections::VecDeque;

use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};

use super::chip::Chip;
use super::cluster::Cluster;
use super::network::SourceId;
use crate::silicon::Jitter;

/// An event on its way from a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) source: SourceId,
    /// When it came onto the bus.
    pub(super) time: DncCycles,
}

/// Synapses of a cluster that an event reaches after the same delay, or those of a chip that has to
/// know of events.
#[derive(Debug, Clone, Copy)]
struct Leg {
    /// Position of the cluster in the part.
    cluster: u16,
    /// Cycles.
    delay: u16,
    /// How many synapses. Several may share a target.
    synapses: u32,
    targets: u32,
    /// Number of the chip that has to know of the events, or [`NOBODY`].
    knows: u32,
}

const NOBODY: u32 = u32::MAX;

/// A chip that has to know of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Knows {
    /// Its position in the part.
    pub(super) chip: u16,
    /// Whether the targets are plastic synapses, by their numbers.
    pub(super) taps: bool,
    /// The resource that scales the events, if their driver has short-term plasticity.
    pub(super) resource: Option<u32>,
}

/// A slot of a cluster and what an event adds there, in the unit of the slot; or the number of a tap.
/// Small, because most of what a run does is to move them. The lower half is the slot, the upper one
/// the increment: five bits of exponent and eleven of mantissa, an error of at most 1/4096.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Target(u32);

/// Targets that are moved at once.
pub(super) const BUNDLE: usize = 16;

/// Numbers of slots in a cluster.
pub(super) const SLOTS: u32 = 1 << 16;
/// The smallest increment, a conductance as a rate per step: less than anybody sees.
const SMALLEST: f32 = 1.0 / (1 << 26) as f32;
/// Bits of a mantissa that an increment has not.
const DROPPED_BITS: u32 = 12;
/// The largest one.
const LARGEST: f32 = f32::from_bits(SMALLEST.to_bits() + (0xffff << DROPPED_BITS));

impl Target {
    /// Adds some conductance to a slot below [`SLOTS`].
    pub(super) fn new(slot: u32, increment: f32) -> Self {
        let above = increment.clamp(SMALLEST, LARGEST).to_bits() - SMALLEST.to_bits();
        let rounded = (above + (1 << (DROPPED_BITS - 1))) >> DROPPED_BITS;
        Self(rounded.min(0xffff) << 16 | slot & 0xffff)
    }

    /// Marks an event at a plastic synapse.
    pub(super) fn of_tap(tap: u32) -> Self {
        Self(tap)
    }

    /// The slot.
    #[inline(always)]
    pub(super) fn slot(self) -> u32 {
        self.0 & 0xffff
    }

    /// What is added.
    #[inline(always)]
    pub(super) fn increment(self) -> f32 {
        f32::from_bits(SMALLEST.to_bits() + (self.0 >> 16 << DROPPED_BITS))
    }

    /// The plastic synapse, if it is one.
    fn tap(self) -> u32 {
        self.0
    }

    /// The same in another slot.
    pub(super) fn at(self, slot: u32) -> Self {
        Self(self.0 & 0xffff_0000 | slot & 0xffff)
    }

    /// As much more there.
    #[inline(always)]
    pub(super) fn scaled(self, factor: f32) -> Self {
        Self::new(self.slot(), factor * self.increment())
    }
}

/// The steps of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Number of the first step, of the one behind the last, and of the one behind the last that
    /// matters.
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) last: u64,
    /// When the run is over. It may end within its last step.
    pub(super) over: DncCycles,
    /// Length of a step.
    pub(super) step: DncCycles,
    /// Deviation of arrivals from their delay.
    pub(super) jitter: Option<Jitter>,
}

impl Window {
    /// The step in which an arrival at `time` changes a conductance, at its end. It acts from the end of
    /// the step on that is nearest.
    fn step_of(&self, time: u64) -> u64 {
        ((time + self.step.0 / 2) / self.step.0).saturating_sub(1).max(self.first)
    }

    /// The first time of arrival that belongs to a later step.
    fn end_of(&self, step: u64) -> u64 {
        (step + 2) * self.step.0 - self.step.0 / 2
    }
}

/// The legs to the chips of a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Wiring {
    /// By source: its first leg and its first target; and the ends of the last one.
    starts: Vec<(u32, u32)>,
    legs: Vec<Leg>,
    /// The chips that have to know of events.
    knowing: Vec<Knows>,
    /// A bundle stands behind the last one.
    targets: Vec<Target>,
    /// Events that arrive at synapses, by steps ahead.
    pub(super) arriving: VecDeque<u64>,
    /// Events that arrived at synapses.
    pub(super) synaptic_events: u64,
}

impl Wiring {
    /// Begins the legs of the next source.
    pub(super) fn next_source(&mut self) {
        self.starts.push((self.legs.len() as u32, self.targets.len() as u32));
    }

    /// Adds a leg of the present source to a cluster, after a delay in cycles and with so many synapses.
    /// Those to a cluster come one after the other, by delay.
    pub(super) fn add(
        &mut self,
        (cluster, delay, knows): (u16, u16, Option<Knows>),
        synapses: u32,
        targets: impl Iterator<Item = Target>,
    ) {
        let before = self.targets.len();
        self.targets.extend(targets);
        let targets = (self.targets.len() - before) as u32;
        let number = self.knowing.len() as u32;
        let knows = knows.map_or(NOBODY, |knows| {
            self.knowing.push(knows);
            number
        });
        self.legs.push(Leg { cluster, delay, synapses, targets, knows });
    }

    /// All sources have their legs.
    pub(super) fn end(&mut self) {
        self.next_source();
        self.targets.extend([Target::default(); BUNDLE]);
    }

    /// Longest delay in cycles.
    pub(super) fn longest_delay(&self) -> u64 {
        self.legs.iter().map(|leg| u64::from(leg.delay)).max().unwrap_or(0)
    }

    /// Puts what events bring into the inboxes of the part's clusters, event after event.
    pub(super) fn deliver(
        &mut self,
        chips: &mut [Chip],
        clusters: &mut [Cluster],
        events: &[Event],
        window: &Window,
    ) {
        for &event in events {
            self.send(event, chips, clusters, window);
        }
        let steps = (window.end - window.first) as usize;
        self.synaptic_events += self.arriving.drain(..steps).sum::<u64>();
        self.arriving.extend(std::iter::repeat_n(0, steps));
    }

    #[inline]
    fn send(
        &mut self,
        Event { source, time }: Event,
        chips: &mut [Chip],
        clusters: &mut [Cluster],
        window: &Window,
    ) {
        let (leg, target) = self.starts[source as usize];
        let (end, _) = self.starts[source as usize + 1];
        let time = window.jitter.map_or(time, |jitter| jitter.seen(source, time));
        let mut targets = &self.targets[target as usize..];
        let mut legs = self.legs[leg as usize..end as usize].iter().peekable();
        while let Some(leg) = legs.next() {
            let arrival = time.0 + u64::from(leg.delay);
            let step = window.step_of(arrival);
            let (mut reached, mut synapses) = (leg.targets as usize, u64::from(leg.synapses));
            // legs of a cluster follow each other by delay: those that end in the same step are one
            let end = window.end_of(step);
            let same = |other: &&Leg| {
                (other.cluster, other.knows) == (leg.cluster, NOBODY)
                    && time.0 + u64::from(other.delay) < end
            };
            while leg.knows == NOBODY
                && let Some(next) = legs.next_if(same)
            {
                reached += next.targets as usize;
                synapses += u64::from(next.synapses);
            }
            let from = targets;
            targets = &targets[reached..];
            if step >= window.last {
                continue;
            }
            self.arriving[(step - window.first) as usize] += synapses;
            let cluster = &mut clusters[usize::from(leg.cluster)];
            let Some(knows) = self.knowing.get(leg.knows as usize) else {
                cluster.arrive(step, from, reached);
                continue;
            };
            let chip = &mut chips[usize::from(knows.chip)];
            let resource = knows.resource.map(|r| &mut chip.resources[r as usize]);
            let factor = resource.map(|r| r.event(DncCycles(arrival)) as f32);
            let factor = factor.unwrap_or(1.0);
            if knows.taps {
                from[..reached].iter().for_each(|target| chip.tap(step, target.tap(), factor));
            } else {
                cluster.arrive_scaled(step, &from[..reached], factor);
            }
        }
    }
}
