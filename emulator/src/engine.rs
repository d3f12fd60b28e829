//! The run: windows of time in which chips are independent, and the exchange of events between
//! them.
//!
//! A window is as long as the shortest delay, so nothing that happens within it acts before its
//! end. Chips run in parallel; events are exchanged in the order of chip, time and membrane, and
//! each chip adds its conductances in that order. So the result does not depend on the
//! number of threads.

mod adex;
mod arrivals;
mod block;
mod build;
mod carry;
mod cells;
mod chip;
mod cluster;
mod delivery;
mod injection;
mod math;
mod network;
mod outputs;
mod plasticity;
#[cfg(test)]
mod reference;
mod saturation;
mod stp;
mod tree;

use fearless_simd::Level;
use hal::coord::{
    Coordinate as _, GbitLinkOnHicann, HicannOnWafer, NeuronOnHicann, OnWafer, PulseLabel,
    SynapseOnHicann,
};
use hal::law::Capacitors;
use hal::value::SynapseWeight;
use hal::wafer::{DncCycles, Flow, Waiting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::background::Generators;
use crate::connectivity::BusAddress;
use chip::{Chip, ChipState, Way};
use cluster::Cluster;
use delivery::{Event, Window};
pub(crate) use network::{Made, Network};
use network::{Part, SourceId};
use plasticity::Plasticity;
use tree::{Delays, Origin};

/// A pulse that enters L1 from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    pub(crate) time: DncCycles,
    pub(crate) bus: BusAddress,
}

/// Where it goes.
#[derive(Debug, Clone, Copy)]
enum Entrance {
    /// Onto its bus at once, where somebody listens.
    Source(SourceId),
    /// Into the tree of a chip, given by its position.
    Tree(usize),
    /// Back to the FPGA by this link.
    Round(GbitLinkOnHicann),
    /// Nobody sees it.
    Nowhere,
}

/// An event that a chip sends to its FPGA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Departure {
    pub(crate) time: DncCycles,
    pub(crate) hicann: HicannOnWafer,
    pub(crate) label: PulseLabel,
}

/// What changes during a run, between two windows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunState {
    step: DncCycles,
    done: u64,
    neuron_spikes: u64,
    /// Events that arrived at synapses, and those that will, by steps ahead.
    synaptic_events: u64,
    arriving: Vec<u64>,
    /// Those on the buses, in the order of their coming.
    events: Vec<(BusAddress, DncCycles)>,
    generators: Vec<(u64, u16, Option<DncCycles>)>,
    chips: Vec<ChipState>,
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    network: Network,
    /// Pulses from outside in order of time, where each goes, and how many are released.
    releases: &'a [Release],
    entrances: Vec<Entrance>,
    released: usize,
    generators: Generators,
    step: DncCycles,
    end: DncCycles,
    level: Level,
    /// Events that came onto the buses and were not delivered yet.
    events: Vec<Event>,
    /// Steps done, where to stop, and steps of the whole run. The end may lie within the last one.
    done: u64,
    stop: u64,
    last: u64,
    /// Whether another run goes on from the end: then arrivals behind it count.
    goes_on: bool,
    /// Events for the FPGAs that were not taken out yet.
    departures: Vec<Departure>,
    neuron_spikes: u64,
}

impl<'a> Run<'a> {
    /// Starts at time 0; `releases` are in order of time.
    pub(crate) fn new(
        network: Network,
        releases: &'a [Release],
        generators: Generators,
        step: DncCycles,
        end: DncCycles,
    ) -> Self {
        let last = end.0.div_ceil(step.0);
        Self {
            entrances: releases.iter().map(|release| network.entrance(release.bus)).collect(),
            network,
            releases,
            released: 0,
            generators,
            step,
            end,
            level: Level::new(),
            events: Vec::new(),
            done: 0,
            stop: last,
            last,
            goes_on: false,
            departures: Vec::new(),
            neuron_spikes: 0,
        }
    }

    /// Prepares for another run that goes on from the end: this one is over before a step that it
    /// ends within, which belongs to both.
    pub(crate) fn let_go_on(&mut self) {
        (self.goes_on, self.stop) = (true, self.end.0 / self.step.0);
    }

    /// Runs the step that the end lies within, if there is one and everything before is done.
    pub(crate) fn run_out(&mut self) {
        if self.is_over() {
            self.stop = self.last;
            self.advance(1);
        }
    }

    /// Time reached.
    pub(crate) fn now(&self) -> DncCycles {
        DncCycles(self.done * self.step.0).min(self.end)
    }

    /// Whether the end is reached.
    pub(crate) fn is_over(&self) -> bool {
        self.done >= self.stop
    }

    /// Runs up to `windows` windows further.
    pub(crate) fn advance(&mut self, windows: usize) {
        for _ in 0..windows {
            if self.is_over() {
                return;
            }
            let steps = self.network.window.min(self.stop - self.done);
            let until = DncCycles((self.done + steps) * self.step.0);
            self.take_in(until);
            self.integrate(steps);
            self.done += steps;
            self.events.clear();
            self.exchange();
        }
    }

    /// Delivers the events on the buses and runs all chips.
    fn integrate(&mut self, steps: u64) {
        let window = Window {
            first: self.done,
            end: self.done + steps,
            last: if self.goes_on { u64::MAX } else { self.last },
            over: self.end,
            step: self.step,
            jitter: self.network.jitter,
        };
        let (level, events) = (self.level, &self.events);
        let mut rest = self.network.chips.as_mut_slice();
        let mut parts = Vec::with_capacity(self.network.parts.len());
        for part in &mut self.network.parts {
            let (chips, others) = rest.split_at_mut(part.chips.len());
            rest = others;
            parts.push((chips, part));
        }
        parts.into_par_iter().for_each(|(chips, part)| {
            part.advance(chips, level, events, &window);
        });
    }

    /// Sends the events from outside that come until a time.
    fn take_in(&mut self, until: DncCycles) {
        while let Some(&Release { time, bus }) = self.releases.get(self.released)
            && time <= until
        {
            match self.entrances[self.released] {
                Entrance::Source(source) => self.events.push(Event { source, time }),
                Entrance::Tree(chip) => {
                    self.network.announce(chip, time, Origin::Link(bus.merger), bus);
                }
                Entrance::Round(gbit_link) => {
                    let hicann = bus.hicann;
                    let label = PulseLabel { link: hicann.link(), gbit_link, address: bus.address };
                    self.departures.push(Departure { time, hicann, label });
                }
                Entrance::Nowhere => {}
            }
            self.released += 1;
        }
        let network = &mut self.network;
        self.generators.until(until, |place, time| {
            // the tree of the chip leads to all its buses
            for &bus in &place.buses {
                match network.onto(bus) {
                    Entrance::Source(source) => self.events.push(Event { source, time }),
                    Entrance::Tree(chip) => {
                        network.announce(chip, time, Origin::Generator(place.generator), bus);
                        break;
                    }
                    Entrance::Round(_) | Entrance::Nowhere => {}
                }
            }
        });
    }

    /// Takes over what the parts sent in the last window.
    fn exchange(&mut self) {
        for part in &mut self.network.parts {
            self.events.append(&mut part.sent.events);
            self.departures.append(&mut part.sent.departures);
            self.neuron_spikes += std::mem::take(&mut part.sent.neuron_spikes);
        }
    }

    /// Events that left the chips and were not taken out yet.
    pub(crate) fn departures(&mut self) -> &mut Vec<Departure> {
        &mut self.departures
    }

    /// What has changed since the start.
    pub(crate) fn state(&mut self) -> RunState {
        let buses = self.network.buses();
        let on_buses = |events: &[Event]| {
            events.iter().map(|event| (buses[event.source as usize], event.time)).collect()
        };
        RunState {
            step: self.step,
            done: self.done,
            neuron_spikes: self.neuron_spikes,
            synaptic_events: self.synaptic_events(),
            arriving: self.arriving(),
            events: on_buses(&self.events),
            generators: self.generators.state(),
            chips: self.network.states(self.done),
        }
    }

    /// Takes over a state of the same run; false if it does not fit.
    pub(crate) fn restore(&mut self, state: RunState) -> bool {
        let known = self.known(&state.events).len();
        let fits = state.chips.len() == self.network.chips.len()
            && state.arriving.len() == self.arriving().len()
            && known == state.events.len();
        let Some(saved) = self.restore_time(state).filter(|_| fits) else { return false };
        let done = self.done;
        let mut saved = saved.into_iter();
        self.network.all_chips(|chip, cluster| {
            let Some(mut state) = saved.next() else { return false };
            let sent = std::mem::take(&mut state.inbox);
            chip.restore(&mut cluster.cells, state) && cluster.fill(chip, &sent, done)
        })
    }

    /// Takes over what is still there of a state, after the network has changed; false if the run is
    /// over before.
    pub(crate) fn carry_over(&mut self, state: RunState) -> bool {
        let Some(saved) = self.restore_time(state) else { return false };
        let done = self.done;
        let now = DncCycles(done * self.step.0);
        let mut saved = saved.into_iter().peekable();
        self.network.all_chips(|chip, cluster| {
            while saved.next_if(|state| state.hicann() < chip.hicann).is_some() {}
            let state = saved.next_if(|state| state.hicann() == chip.hicann);
            let sent = state.map(|state| chip.carry_over(&mut cluster.cells, state));
            chip.look_from(&cluster.cells, now);
            cluster.fill(chip, &sent.unwrap_or_default(), done)
        })
    }

    /// The events that some synapse listens to.
    fn known(&self, events: &[(BusAddress, DncCycles)]) -> Vec<Event> {
        let event = |&(bus, time): &(BusAddress, DncCycles)| {
            Some(Event { source: self.network.source(bus)?, time })
        };
        events.iter().filter_map(event).collect()
    }

    /// Goes to the time of a state, with the events on the buses; hands out the rest of it. None if
    /// the run is over before.
    fn restore_time(&mut self, state: RunState) -> Option<Vec<ChipState>> {
        let RunState { step, done, neuron_spikes, synaptic_events, .. } = state;
        if done > self.last || step != self.step {
            return None;
        }
        for (i, part) in self.network.parts.iter_mut().enumerate() {
            let wiring = &mut part.wiring;
            wiring.synaptic_events = if i == 0 { synaptic_events } else { 0 };
            let mut saved = if i == 0 { state.arriving.clone() } else { Vec::new() };
            saved.resize(saved.len().max(wiring.arriving.len()), 0);
            wiring.arriving = saved.into();
        }
        (self.done, self.neuron_spikes) = (done, neuron_spikes);
        self.events = self.known(&state.events);
        let now = DncCycles(done * self.step.0);
        self.released = self.releases.partition_point(|r| r.time <= now);
        self.generators.restore(&state.generators);
        Some(state.chips)
    }

    /// The true voltages of a circuit's membrane, if they were kept.
    pub(crate) fn truth(&self, neuron: OnWafer<NeuronOnHicann>) -> Option<&[f32]> {
        let chips = &self.network.chips;
        let place = chips.binary_search_by_key(&neuron.hicann, |c| c.hicann).ok()?;
        chips[place].truth(neuron.local)
    }

    /// Threshold crossings of circuits with an enabled output so far.
    pub(crate) fn neuron_spikes(&self) -> u64 {
        self.neuron_spikes
    }

    /// Events through the merger trees so far; none if nothing waits there.
    pub(crate) fn merger_flow(&self) -> Flow {
        let mut flow = Flow::default();
        for tree in self.network.chips.iter().filter_map(|c| c.tree.as_ref()) {
            flow.add(&tree.flow_so_far());
        }
        flow
    }

    /// How long events waited in the merger trees.
    pub(crate) fn waiting(&self) -> Waiting {
        let mut delays = Delays::default();
        for tree in self.network.chips.iter().filter_map(|c| c.tree.as_ref()) {
            delays.add(&tree.delays);
        }
        delays.summary()
    }

    /// Events that synapses will receive, by steps ahead.
    fn arriving(&self) -> Vec<u64> {
        let parts = &self.network.parts;
        let steps = parts.iter().map(|part| part.wiring.arriving.len()).max().unwrap_or(0);
        let in_step = |ahead| parts.iter().map(|part| part.wiring.arriving[ahead]).sum();
        (0..steps).map(in_step).collect()
    }

    /// Events that synapses received so far.
    pub(crate) fn synaptic_events(&self) -> u64 {
        self.network.parts.iter().map(|part| part.wiring.synaptic_events).sum()
    }

    /// Weights and capacitors of the plastic synapses, by chip.
    pub(crate) fn plastic(
        &self,
    ) -> impl Iterator<Item = (OnWafer<SynapseOnHicann>, SynapseWeight, Capacitors)> {
        self.network.chips.iter().flat_map(|chip| {
            let synapses = chip.plasticity.iter().flat_map(Plasticity::synapses);
            synapses.map(|(synapse, weight, c)| (synapse.on(chip.hicann), weight, c))
        })
    }

    /// Samples of a circuit's membrane, if it has a sampler.
    pub(crate) fn samples(&self, neuron: OnWafer<NeuronOnHicann>) -> Option<&[u16]> {
        let chips = &self.network.chips;
        let place = chips.binary_search_by_key(&neuron.hicann, |c| c.hicann).ok()?;
        chips[place].samples(neuron.local)
    }
}

impl Network {
    /// The states of all chips after so many steps.
    fn states(&self, done: u64) -> Vec<ChipState> {
        let of_part = |part: &Part| {
            let chips = &self.chips[part.chips.clone()];
            let of_cluster = |cluster: &Cluster| {
                let state = |chip: usize| {
                    let chip = &chips[chip];
                    chip.state(&cluster.cells, cluster.waiting(chip, done))
                };
                cluster.chips.clone().map(state).collect::<Vec<_>>()
            };
            part.clusters.iter().flat_map(of_cluster).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).collect()
    }

    /// Does something with every chip and its cluster, as long as that succeeds.
    fn all_chips(&mut self, mut with: impl FnMut(&mut Chip, &mut Cluster) -> bool) -> bool {
        let chips = &mut self.chips;
        self.parts.iter_mut().all(|part| {
            let chips = &mut chips[part.chips.clone()];
            part.clusters.iter_mut().all(|cluster| {
                let mut positions = cluster.chips.clone();
                positions.all(|i| with(&mut chips[i], cluster))
            })
        })
    }

    /// Where a pulse from outside for a bus goes.
    fn entrance(&self, bus: BusAddress) -> Entrance {
        let place = self.chips.binary_search_by_key(&bus.hicann, |c| c.hicann);
        match place.map_or(Way::Bus, |place| self.chips[place].buses.ways[bus.merger]) {
            Way::Bus => self.onto(bus),
            Way::Round(gbit_link) => Entrance::Round(gbit_link),
            Way::Nowhere => Entrance::Nowhere,
        }
    }

    /// Where an event goes on its way to a bus.
    fn onto(&self, bus: BusAddress) -> Entrance {
        match self.chips.binary_search_by_key(&bus.hicann, |c| c.hicann) {
            Ok(place) if self.chips[place].tree.is_some() => Entrance::Tree(place),
            _ => self.source(bus).map_or(Entrance::Nowhere, Entrance::Source),
        }
    }

    /// An event enters the tree of a chip.
    fn announce(&mut self, chip: usize, time: DncCycles, origin: Origin, bus: BusAddress) {
        if let Some(tree) = &mut self.chips[chip].tree {
            tree.announce(time, origin, bus.address);
        }
    }
}
