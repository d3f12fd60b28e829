//! The run: windows of time in which chips are independent, and the exchange of events between
//! them.
//!
//! A window is as long as the shortest delay, so nothing that happens within it acts before its
//! end. Chips run in parallel; events are exchanged in the order of chip, time and membrane, and
//! each chip adds its conductances in that order. So the result does not depend on the
//! number of threads.

mod adex;
mod build;
mod carry;
mod cells;
mod chip;
mod delivery;
mod injection;
mod math;
mod network;
mod plasticity;
#[cfg(test)]
mod reference;
mod saturation;
mod stp;
mod tree;

use fearless_simd::Level;
use hal::coord::{
    Coordinate as _, DncMergerOnHicann, HicannOnWafer, NeuronOnHicann, OnWafer, PulseLabel,
    SynapseOnHicann,
};
use hal::law::Capacitors;
use hal::value::SynapseWeight;
use hal::wafer::{DncCycles, Flow, Waiting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::background::Generators;
use crate::connectivity::BusAddress;
use crate::silicon::Jitter;
use chip::{Chip, ChipState, Way};
use delivery::{Event, Window};
pub(crate) use network::{Made, Network};
use plasticity::Plasticity;
use tree::{Delays, Origin};

/// Steps of a window if there is no synapse.
const LONGEST_WINDOW: u64 = 64;

/// A pulse that enters L1 from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    pub(crate) time: DncCycles,
    pub(crate) bus: BusAddress,
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
    synaptic_events: u64,
    /// Those under way, and those on the buses, in the order of their coming.
    recent: Vec<(BusAddress, DncCycles)>,
    events: Vec<(BusAddress, DncCycles)>,
    /// Rows of the calendars.
    rows: usize,
    generators: Vec<(u64, u16, Option<DncCycles>)>,
    chips: Vec<ChipState>,
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    network: Network,
    /// Pulses that are not yet released, in order of time.
    releases: &'a [Release],
    generators: Generators,
    step: DncCycles,
    end: DncCycles,
    level: Level,
    /// Steps of a window.
    window: u64,
    /// Rows of the calendars.
    rows: usize,
    /// Longest delay of any synapse, in cycles.
    longest: u64,
    /// The latest events, of which some may still be under way.
    recent: Vec<Event>,
    /// Events that came onto the buses and were not delivered yet.
    events: Vec<Event>,
    /// Steps done, and of the whole run.
    done: u64,
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
        mut network: Network,
        releases: &'a [Release],
        generators: Generators,
        step: DncCycles,
        end: DncCycles,
    ) -> Self {
        let early = Jitter::largest(network.jitter);
        let steps = |d: DncCycles| d.0.saturating_sub(early) / step.0;
        let window = network.shortest.map_or(LONGEST_WINDOW, steps).max(1);
        let last = end.0.div_ceil(step.0);
        let longest = network.parts.iter().map(|(_, wiring)| wiring.longest_delay()).max();
        let rows = Window::rows(window, step, network.jitter);
        for chip in &mut network.chips {
            chip.calendar = vec![Vec::new(); rows];
        }
        Self {
            network,
            releases,
            generators,
            step,
            end,
            level: Level::new(),
            window,
            rows,
            longest: longest.unwrap_or(0),
            recent: Vec::new(),
            events: Vec::new(),
            done: 0,
            last,
            goes_on: false,
            departures: Vec::new(),
            neuron_spikes: 0,
        }
    }

    /// Prepares for another run that goes on from the end.
    pub(crate) fn let_go_on(&mut self) {
        self.goes_on = true;
    }

    /// Time reached.
    pub(crate) fn now(&self) -> DncCycles {
        DncCycles(self.done * self.step.0).min(self.end)
    }

    /// Whether the end is reached.
    pub(crate) fn is_over(&self) -> bool {
        self.done == self.last
    }

    /// Runs up to `windows` windows further.
    pub(crate) fn advance(&mut self, windows: usize) {
        for _ in 0..windows {
            if self.is_over() {
                return;
            }
            let steps = self.window.min(self.last - self.done);
            let until = DncCycles((self.done + steps) * self.step.0);
            self.take_in(until);
            self.integrate(steps);
            self.done += steps;
            let arrived = self.arrived();
            self.recent.append(&mut self.events);
            self.recent.retain(|event| event.time.0 + self.longest > arrived);
            self.exchange();
        }
    }

    /// Delivers the events on the buses and runs all chips.
    fn integrate(&mut self, steps: u64) {
        let window = Window {
            first: self.done,
            end: self.done + steps,
            last: if self.goes_on { u64::MAX } else { self.last },
            step: self.step,
            rows: self.rows,
            row: (self.done % self.rows as u64) as usize,
            jitter: self.network.jitter,
        };
        let (level, events) = (self.level, &self.events);
        let mut rest = self.network.chips.as_mut_slice();
        let mut parts = Vec::with_capacity(self.network.parts.len());
        for (range, wiring) in &mut self.network.parts {
            let (chips, others) = rest.split_at_mut(range.len());
            rest = others;
            parts.push((chips, wiring));
        }
        parts.into_par_iter().for_each(|(chips, wiring)| {
            wiring.deliver(chips, events, &window);
            for chip in chips {
                chip.advance(level, &window);
            }
        });
    }

    /// The nominal arrival, in cycles, up to which events have been delivered.
    fn arrived(&self) -> u64 {
        match self.done {
            0 => 0,
            done => done * self.step.0 + Jitter::largest(self.network.jitter),
        }
    }

    /// Sends the events from outside that come until a time.
    fn take_in(&mut self, until: DncCycles) {
        let due = self.releases.partition_point(|r| r.time <= until);
        let (now, later) = self.releases.split_at(due);
        self.releases = later;
        let network = &mut self.network;
        for &Release { time, bus } in now {
            let BusAddress { hicann, merger, address } = bus;
            match network.way(hicann, merger) {
                Way::Bus => network.enter(time, Origin::Link(merger), &[bus], &mut self.events),
                Way::Round(gbit_link) => {
                    let label = PulseLabel { link: hicann.link(), gbit_link, address };
                    self.departures.push(Departure { time, hicann, label });
                }
                Way::Nowhere => {}
            }
        }
        self.generators.until(until, |place, time| {
            let origin = Origin::Generator(place.generator);
            network.enter(time, origin, &place.buses, &mut self.events);
        });
    }

    /// Sends on what the chips fired in the last window.
    fn exchange(&mut self) {
        let events = &mut self.events;
        for chip in &self.network.chips {
            for (time, output) in chip.fired().filter(|(time, _)| *time <= self.end) {
                self.neuron_spikes += 1;
                if chip.tree.is_none() {
                    events.extend(output.sources.iter().map(|&source| Event { source, time }));
                    let depart = |&label| Departure { time, hicann: chip.hicann, label };
                    self.departures.extend(output.labels.iter().map(depart));
                }
            }
            for sent in &chip.sent {
                let source = chip.buses.source(sent.merger, sent.address);
                events.extend(source.map(|source| Event { source, time: sent.time }));
                if let Origin::Neuron(_) = sent.origin
                    && let Some(label) = chip.buses.label(sent.merger, sent.address)
                {
                    self.departures.push(Departure { time: sent.time, hicann: chip.hicann, label });
                }
            }
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
            rows: self.rows,
            done: self.done,
            neuron_spikes: self.neuron_spikes,
            synaptic_events: self.synaptic_events(),
            recent: on_buses(&self.recent),
            events: on_buses(&self.events),
            generators: self.generators.state(),
            chips: self.network.chips.iter().map(Chip::state).collect(),
        }
    }

    /// Takes over a state of the same run; false if it does not fit.
    pub(crate) fn restore(&mut self, state: RunState) -> bool {
        let chips = self.network.chips.len();
        let known = self.known(&state.recent).len() + self.known(&state.events).len();
        let fits = state.chips.len() == chips
            && state.rows == self.rows
            && known == state.recent.len() + state.events.len();
        let Some(saved) = self.restore_time(state).filter(|_| fits) else { return false };
        self.network.chips.iter_mut().zip(saved).all(|(chip, state)| chip.restore(state))
    }

    /// Takes over what is still there of a state, after the network has changed; false if the run is
    /// over before.
    pub(crate) fn carry_over(&mut self, state: RunState) -> bool {
        let (done, rows) = (state.done, state.rows);
        let Some(saved) = self.restore_time(state) else { return false };
        let mut saved = saved.into_iter().peekable();
        for chip in &mut self.network.chips {
            while saved.next_if(|state| state.hicann() < chip.hicann).is_some() {}
            if let Some(state) = saved.next_if(|state| state.hicann() == chip.hicann) {
                chip.carry_over(state, done, rows);
            }
        }
        let now = DncCycles(done * self.step.0);
        self.network.chips.iter_mut().for_each(|chip| chip.look_from(now));
        true
    }

    /// The events that some synapse listens to.
    fn known(&self, events: &[(BusAddress, DncCycles)]) -> Vec<Event> {
        let event = |&(bus, time): &(BusAddress, DncCycles)| {
            Some(Event { source: self.network.source(bus)?, time })
        };
        events.iter().filter_map(event).collect()
    }

    /// Goes to the time of a state, with the events under way; hands out the rest of it. None if the
    /// run is over before.
    fn restore_time(&mut self, state: RunState) -> Option<Vec<ChipState>> {
        let RunState { step, done, neuron_spikes, synaptic_events, generators, chips, .. } = state;
        if done > self.last || step != self.step {
            return None;
        }
        for (i, (_, wiring)) in self.network.parts.iter_mut().enumerate() {
            wiring.synaptic_events = if i == 0 { synaptic_events } else { 0 };
        }
        (self.done, self.neuron_spikes) = (done, neuron_spikes);
        (self.recent, self.events) = (self.known(&state.recent), self.known(&state.events));
        let arrived = self.arrived();
        for (_, wiring) in &mut self.network.parts {
            for &event in &self.recent {
                wiring.resume(event, arrived);
            }
        }
        let now = DncCycles(done * self.step.0);
        let released = self.releases.partition_point(|r| r.time <= now);
        self.releases = &self.releases[released..];
        self.generators.restore(&generators);
        Some(chips)
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

    /// Events that synapses received so far.
    pub(crate) fn synaptic_events(&self) -> u64 {
        self.network.parts.iter().map(|(_, wiring)| wiring.synaptic_events).sum()
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
    /// Where the pulses for a merger go.
    fn way(&self, hicann: HicannOnWafer, merger: DncMergerOnHicann) -> Way {
        let place = self.chips.binary_search_by_key(&hicann, |c| c.hicann);
        place.map_or(Way::Bus, |place| self.chips[place].buses.ways[merger])
    }

    /// An event that did not come from a circuit enters its chip, on the way to some buses.
    fn enter(
        &mut self,
        time: DncCycles,
        origin: Origin,
        buses: &[BusAddress],
        events: &mut Vec<Event>,
    ) {
        let Some(first) = buses.first() else { return };
        let place = self.chips.binary_search_by_key(&first.hicann, |c| c.hicann);
        if let Ok(place) = place
            && let Some(tree) = &mut self.chips[place].tree
        {
            tree.announce(time, origin, first.address);
            return;
        }
        let sources = buses.iter().filter_map(|&bus| self.source(bus));
        events.extend(sources.map(|source| Event { source, time }));
    }
}
