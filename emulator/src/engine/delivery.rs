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
use super::plasticity::TAP;
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
pub(super) struct Leg {
    /// Position of the cluster in the part.
    pub(super) cluster: u16,
    /// Cycles.
    pub(super) delay: u16,
    /// How many synapses. Several may share a target.
    pub(super) synapses: u32,
    pub(super) targets: u32,
    pub(super) knows: Option<Knows>,
}

/// A chip that has to know of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Knows {
    /// Its position in the part.
    pub(super) chip: u16,
    /// Whether some of its synapses are plastic.
    pub(super) taps: bool,
    /// The resource that scales the events, if their driver has short-term plasticity.
    pub(super) resource: Option<u32>,
}

/// A slot, or a place, and what an event adds there, in the unit of the slot. In one number, so that
/// many are moved at once: the increment is the upper half.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Target(u64);

impl Target {
    /// Adds some conductance to a slot.
    pub(super) fn new(slot: u32, increment: f32) -> Self {
        Self(u64::from(increment.to_bits()) << 32 | u64::from(slot))
    }

    /// Slot or place.
    #[inline(always)]
    pub(super) fn slot(self) -> u32 {
        self.0 as u32
    }

    /// What is added.
    #[inline(always)]
    pub(super) fn increment(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }

    /// The same so many slots further.
    #[inline(always)]
    pub(super) fn moved(self, slots: u32) -> Self {
        Self(self.0 + u64::from(slots))
    }

    /// As much more there.
    #[inline(always)]
    pub(super) fn scaled(self, factor: f32) -> Self {
        Self::new(self.slot(), factor * self.increment())
    }
}

/// When something arrives: windows ahead, and step of that window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Number of the step in the run.
    pub(super) number: u64,
    pub(super) ahead: usize,
    pub(super) step: usize,
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
    /// Steps of every window but perhaps the last.
    pub(super) steps: u64,
    /// Length of a step.
    pub(super) step: DncCycles,
    /// Deviation of arrivals from their delay.
    pub(super) jitter: Option<Jitter>,
}

impl Window {
    /// Whether it has all its steps.
    pub(super) fn is_whole(&self) -> bool {
        self.end - self.first == self.steps
    }

    /// The step in which an arrival at `time` changes a conductance, at its end; none behind the run.
    /// Conductance that arrives at time t acts from the end of the step that ends at t on.
    fn moment(&self, time: u64) -> Option<Moment> {
        let step = if self.step.0 == 1 { time } else { time.div_ceil(self.step.0) };
        let step = step.saturating_sub(1).max(self.first);
        if step >= self.last {
            return None;
        }
        Some(Moment::new(step, self.first, self.steps))
    }
}

impl Moment {
    /// That of a step, in windows of some steps of which one begins with step `first`.
    pub(super) fn new(number: u64, first: u64, steps: u64) -> Self {
        let (mut ahead, mut step) = (0, number - first);
        // few times, which is faster than to divide
        while step >= steps {
            (ahead, step) = (ahead + 1, step - steps);
        }
        Self { number, ahead, step: step as usize }
    }
}

/// The legs to the chips of a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Wiring {
    /// By source: its first leg and its first target; and the ends of the last one.
    starts: Vec<(u32, u32)>,
    legs: Vec<Leg>,
    targets: Vec<Target>,
    /// Events that will arrive at synapses, by windows ahead.
    pub(super) arriving: VecDeque<u64>,
    /// Events that arrived at synapses.
    pub(super) synaptic_events: u64,
}

impl Wiring {
    /// Begins the legs of the next source.
    pub(super) fn next_source(&mut self) {
        self.starts.push((self.legs.len() as u32, self.targets.len() as u32));
    }

    /// Adds a leg of the present source.
    pub(super) fn add(&mut self, leg: Leg, targets: impl Iterator<Item = Target>) {
        let before = self.targets.len();
        self.targets.extend(targets);
        let targets = (self.targets.len() - before) as u32;
        self.legs.push(Leg { targets, ..leg });
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
        let now = self.arriving.pop_front().unwrap_or(0);
        self.arriving.push_back(0);
        self.synaptic_events += now;
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
        for leg in &self.legs[leg as usize..end as usize] {
            let (these, others) = targets.split_at(leg.targets as usize);
            targets = others;
            let arrival = time.0 + u64::from(leg.delay);
            let Some(when) = window.moment(arrival) else { continue };
            self.arriving[when.ahead] += u64::from(leg.synapses);
            let cluster = &mut clusters[usize::from(leg.cluster)];
            let Some(knows) = leg.knows else {
                cluster.arrive(when, these, None);
                continue;
            };
            let chip = &mut chips[usize::from(knows.chip)];
            let resource = knows.resource.map(|r| &mut chip.resources[r as usize]);
            let factor = resource.map(|r| r.event(DncCycles(arrival)) as f32);
            if !knows.taps {
                cluster.arrive(when, these, factor);
                continue;
            }
            for target in these {
                if target.slot() & TAP == 0 {
                    cluster.arrive(when, &[*target], factor);
                } else {
                    chip.tap(when, target.slot(), factor.unwrap_or(1.0));
                }
            }
        }
    }
}
