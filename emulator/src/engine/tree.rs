//! The way of events from their sources onto the L1 buses of a chip, clock by clock: priority
//! encoders and mergers (topology §5, analog §6.4).
//!
//! The constant part of the time that events take is in the delay of the routes. What this adds is
//! waiting: an event passes a free stage in the clock in which it comes. An encoder takes one event
//! per two clocks, the lowest line first; a merger one per clock, or per two clocks if it is slow,
//! alternating between its inputs. A merger waits until all inputs behind it are free. What comes to
//! an occupied input replaces the event there, which is lost; and a circuit that fires again before
//! its encoder has taken its last event loses the new one. Pulses from the FPGA wait in a buffer of
//! their channel until their merger is free (topology §8.3, analog §6.6).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use hal::config::{HicannConfig, MergerMode};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address,
    MergerInput, MergerOnHicann, NeuronBlockOnHicann, NeuronOnHicann, NeuronOnNeuronBlock, Table,
};
use hal::wafer::{DncCycles, DropCause, Flow, Waiting};
use serde::{Deserialize, Serialize};

use crate::flaws::Flaws;

/// Cycles of 4 ns per clock of the chip, which runs at 125 MHz.
const CYCLES_PER_CLOCK: u64 = 2;
/// Clocks that an encoder needs for an event.
const ENCODER_CLOCKS: u64 = 2;
/// Pulses that wait behind a channel of the link, besides the one in front of the merger
/// (topology §8.3).
const RELEASE_BUFFER: usize = 10;
/// Delays up to this many clocks are counted one by one.
const COUNTED_DELAYS: usize = 256;

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A circuit.
    Neuron(NeuronOnHicann),
    /// A background generator.
    Generator(BackgroundGeneratorOnHicann),
    /// The FPGA, by way of the link of this merger.
    Link(DncMergerOnHicann),
}

/// An event on its way through the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Event {
    origin: Origin,
    address: L1Address,
    /// Clock at which it came.
    since: u64,
}

/// An event that has come out onto a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) time: DncCycles,
    pub(crate) merger: DncMergerOnHicann,
    pub(crate) address: L1Address,
    pub(crate) origin: Origin,
}

/// One merger with its two input registers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Node {
    inputs: [Option<Event>; 2],
    /// Which inputs it passes on, if it works.
    passes: [bool; 2],
    /// Clocks per event.
    clocks: u64,
    free_at: u64,
    /// The input that had the last turn.
    last: usize,
    /// Buses that an event behind it reaches.
    reach: u64,
    /// Those who take its events: in front of a bus, and in the next level.
    tapped: Option<DncMergerOnHicann>,
    above: Option<(MergerOnHicann, usize)>,
}

impl Node {
    fn new(mode: MergerMode, slow: bool, works: bool) -> Self {
        // the slow flag acts in merge mode only
        let clocks = if slow && mode == MergerMode::Merge { 2 } else { 1 };
        let passes = [0, 1].map(|input| works && mode.passes(input));
        Self { passes, clocks, ..Self::default() }
    }

    /// The input whose turn it is.
    fn next(&self, clock: u64) -> Option<usize> {
        let waiting = |input: usize| self.inputs[input].is_some();
        let other = 1 - self.last;
        let input = if waiting(other) { other } else { self.last };
        (clock >= self.free_at && waiting(input)).then_some(input)
    }

    /// Has an event of an input pass.
    fn occupy(&mut self, input: usize, clock: u64) {
        (self.last, self.free_at) = (input, clock + self.clocks);
    }

    fn take(&mut self, input: usize, clock: u64) -> Option<Event> {
        self.occupy(input, clock);
        self.inputs[input].take()
    }
}

/// A priority encoder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Encoder {
    /// Lines with an event that waits.
    requests: u64,
    free_at: u64,
}

/// How long events waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delays {
    /// Events by clocks waited; the last entry counts all that waited longer.
    clocks: Vec<u64>,
    total: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { clocks: vec![0; COUNTED_DELAYS + 1], total: 0 }
    }
}

impl Delays {
    fn count(&mut self, clocks: u64) {
        self.clocks[(clocks as usize).min(COUNTED_DELAYS)] += 1;
        self.total += clocks;
    }

    /// Adds what waited elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (mine, theirs) in self.clocks.iter_mut().zip(&other.clocks) {
            *mine += theirs;
        }
    }

    /// What is told about them.
    pub(crate) fn summary(&self) -> Waiting {
        let events: u64 = self.clocks.iter().sum();
        let mut below = 0;
        let enough = self.clocks.iter().position(|n| {
            below += n;
            100 * below >= 99 * events
        });
        let cycles = |clocks: u64| DncCycles(clocks * CYCLES_PER_CLOCK);
        let p99 = cycles(enough.unwrap_or(0) as u64);
        Waiting { events, total: cycles(self.total), p99 }
    }
}

/// The tree of one chip.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// What is still to come, by clock.
    arrivals: VecDeque<Event>,
    /// Events in the encoders, by circuit: when they came.
    requests: Table<NeuronOnHicann, u64>,
    addresses: Table<NeuronOnHicann, L1Address>,
    encoders: Table<NeuronBlockOnHicann, Encoder>,
    mergers: Table<MergerOnHicann, Node>,
    dnc: Table<DncMergerOnHicann, Node>,
    /// Pulses from the link that wait for their merger.
    released: Table<DncMergerOnHicann, VecDeque<Event>>,
    clock: u64,
    /// Whether anything is inside.
    busy: bool,
    /// Who takes the events of neuron blocks and generators.
    behind: Table<NeuronBlockOnHicann, MergerOnHicann>,
    fed: Table<BackgroundGeneratorOnHicann, Option<MergerOnHicann>>,
    flow: Flow,
    pub(crate) delays: Delays,
}

/// The merger of the next level that takes the output of another one, and at which input.
fn next_level(merger: MergerOnHicann) -> Option<(MergerOnHicann, usize)> {
    MergerOnHicann::all().find_map(|next| {
        let input = next.inputs().into_iter().position(|i| i == MergerInput::Merger(merger))?;
        Some((next, input))
    })
}

/// The merger in front of a bus that takes the output of a merger of the tree.
fn tap(merger: MergerOnHicann) -> Option<DncMergerOnHicann> {
    DncMergerOnHicann::all().find(|dnc| dnc.tree_input() == merger)
}

/// The input of a merger in front of a bus that takes the tree's events; the other one is the link.
const TREE: usize = 1;
const LINK: usize = 0;
/// Inputs of the mergers next to the encoders.
const GENERATOR: usize = 0;
const ENCODER: usize = 1;

impl Tree {
    pub(crate) fn new(hicann: HicannOnWafer, config: &HicannConfig, flaws: &Flaws<'_>) -> Self {
        let mut mergers: Table<MergerOnHicann, Node> = Table::from_fn(|m: MergerOnHicann| {
            let settings = config.mergers.tree[m];
            Node::new(settings.mode, settings.slow, flaws.works(m.on(hicann)))
        });
        let dnc = Table::from_fn(|m: DncMergerOnHicann| {
            let settings = config.mergers.dnc[m];
            let node = Node::new(settings.mode, settings.slow, flaws.works(m.on(hicann)));
            Node { reach: 1, ..node }
        });
        // from the root to the encoders
        let all: Vec<MergerOnHicann> = MergerOnHicann::all().collect();
        for &m in all.iter().rev() {
            let takes = |&(next, input): &(MergerOnHicann, usize)| {
                mergers[next].passes[input] && mergers[next].reach > 0
            };
            let tapped = tap(m).filter(|&d| dnc[d].passes[TREE]);
            let above = next_level(m).filter(takes);
            let reach =
                u64::from(tapped.is_some()) + above.map_or(0, |(next, _)| mergers[next].reach);
            let node = &mut mergers[m];
            (node.tapped, node.above, node.reach) = (tapped, above, reach);
        }
        Self {
            arrivals: VecDeque::new(),
            requests: Table::default(),
            addresses: Table::from_fn(|n| config.neurons.circuits[n].address),
            encoders: Table::default(),
            mergers,
            dnc,
            released: Table::default(),
            clock: 0,
            busy: false,
            behind: Table::from_fn(behind),
            fed: Table::from_fn(|generator| {
                let input = MergerInput::Background(generator);
                MergerOnHicann::all().find(|m| m.inputs()[GENERATOR] == input)
            }),
            flow: Flow::default(),
            delays: Delays::default(),
        }
    }

    /// Announces an event. It must not lie before the time run to.
    pub(crate) fn announce(&mut self, time: DncCycles, origin: Origin, address: L1Address) {
        let since = time.0.div_ceil(CYCLES_PER_CLOCK);
        self.arrivals.push_back(Event { origin, address, since });
    }

    /// Runs until a time and hands out what comes onto the buses, in order of time.
    pub(crate) fn run(&mut self, until: DncCycles, mut send: impl FnMut(Sent)) {
        let last = until.0 / CYCLES_PER_CLOCK;
        if !self.busy && self.arrivals.is_empty() {
            self.clock = self.clock.max(last);
            return;
        }
        self.arrivals.make_contiguous().sort_by_key(|e| (e.since, e.origin));
        loop {
            let next = match self.arrivals.front() {
                _ if self.busy => self.clock + 1,
                Some(event) => event.since.max(self.clock + 1),
                None => break,
            };
            if next > last {
                break;
            }
            self.clock = next;
            if !self.busy && self.arrivals.get(1).is_none_or(|second| second.since > next) {
                let alone = self.arrivals.front().copied();
                if alone.is_some_and(|event| self.pass(event, &mut send)) {
                    self.arrivals.pop_front();
                    continue;
                }
            }
            while let Some(event) = self.arrivals.pop_front_if(|e| e.since <= next) {
                self.enter(event);
            }
            self.tick(&mut send);
            self.busy = self.is_busy();
        }
        if !self.busy {
            self.clock = self.clock.max(last);
        }
    }

    fn is_busy(&self) -> bool {
        let waits = |node: &Node| node.inputs.iter().any(Option::is_some);
        self.encoders.values().iter().any(|e| e.requests != 0)
            || self.mergers.values().iter().any(waits)
            || self.dnc.values().iter().any(waits)
    }

    /// Lets an event that is alone pass all stages at once, if they are free; false if one is not.
    fn pass(&mut self, event: Event, send: &mut impl FnMut(Sent)) -> bool {
        let origin = event.origin;
        let clock = self.clock;
        let (start, input) = match origin {
            Origin::Neuron(n) if clock < self.encoders[n.block()].free_at => return false,
            Origin::Neuron(n) => (Some(self.behind[n.block()]), ENCODER),
            Origin::Generator(generator) => (self.fed[generator], GENERATOR),
            Origin::Link(merger) => return self.pass_link(merger, event, send),
        };
        let Some(start) = start else { return false };
        if !self.mergers[start].passes[input] || self.mergers[start].reach == 0 {
            // it reaches nothing
            return true;
        }
        let mut way = Some((start, input));
        while let Some((merger, _)) = way {
            let Node { free_at, tapped, above, .. } = self.mergers[merger];
            if clock < free_at || tapped.is_some_and(|dnc| clock < self.dnc[dnc].free_at) {
                return false;
            }
            way = above;
        }
        if let Origin::Neuron(n) = origin {
            self.encoders[n.block()].free_at = clock + ENCODER_CLOCKS;
        }
        let (mut way, mut reached) = (Some((start, input)), 0_u8);
        while let Some((merger, input)) = way {
            let node = &mut self.mergers[merger];
            node.occupy(input, clock);
            if let Some(dnc) = node.tapped {
                reached |= 1 << dnc.index();
            }
            way = node.above;
        }
        for dnc in DncMergerOnHicann::all().filter(|dnc| reached >> dnc.index() & 1 == 1) {
            self.flow.sent += 1;
            self.dnc[dnc].occupy(TREE, clock);
            self.come_out(dnc, event, send);
        }
        true
    }

    /// The same for a pulse from the link.
    fn pass_link(
        &mut self,
        merger: DncMergerOnHicann,
        event: Event,
        send: &mut impl FnMut(Sent),
    ) -> bool {
        let node = &mut self.dnc[merger];
        if !node.passes[LINK] {
            // it reaches nothing
            return true;
        }
        if self.clock < node.free_at {
            return false;
        }
        node.occupy(LINK, self.clock);
        self.flow.sent += 1;
        self.come_out(merger, event, send);
        true
    }

    /// An event comes out onto a bus.
    fn come_out(
        &mut self,
        merger: DncMergerOnHicann,
        Event { origin, address, since }: Event,
        send: &mut impl FnMut(Sent),
    ) {
        self.flow.delivered += 1;
        self.delays.count(self.clock - since);
        send(Sent { time: DncCycles(self.clock * CYCLES_PER_CLOCK), merger, address, origin });
    }

    /// Takes an event from its source.
    fn enter(&mut self, event: Event) {
        match event.origin {
            Origin::Neuron(neuron) => {
                let node = &self.mergers[self.behind[neuron.block()]];
                let reach = if node.passes[ENCODER] { node.reach } else { 0 };
                if reach == 0 {
                    return;
                }
                self.flow.sent += reach;
                let encoder = &mut self.encoders[neuron.block()];
                let line = 1 << neuron.on_block().index();
                if encoder.requests & line != 0 {
                    self.flow.drop_many(DropCause::EncoderBusy, reach);
                    return;
                }
                encoder.requests |= line;
                self.requests[neuron] = event.since;
            }
            Origin::Generator(generator) => {
                let Some(merger) = self.fed[generator] else { return };
                let node = &mut self.mergers[merger];
                if node.passes[GENERATOR] && node.reach > 0 {
                    self.flow.sent += node.reach;
                    put(node, GENERATOR, event, &mut self.flow);
                }
            }
            Origin::Link(merger) => {
                let node = &mut self.dnc[merger];
                if !node.passes[LINK] {
                    return;
                }
                self.flow.sent += 1;
                let waiting = &mut self.released[merger];
                match &mut node.inputs[LINK] {
                    free @ None => *free = Some(event),
                    Some(_) if waiting.len() < RELEASE_BUFFER => waiting.push_back(event),
                    Some(_) => self.flow.drop_one(DropCause::ReleaseBufferFull),
                }
            }
        }
    }

    /// One clock, from the encoders to the buses.
    fn tick(&mut self, send: &mut impl FnMut(Sent)) {
        let clock = self.clock;
        for (block, encoder) in NeuronBlockOnHicann::all().zip(self.encoders.values_mut()) {
            if encoder.requests == 0 || clock < encoder.free_at {
                continue;
            }
            let line = encoder.requests.trailing_zeros() as usize;
            encoder.requests &= encoder.requests - 1;
            encoder.free_at = clock + ENCODER_CLOCKS;
            let on_block = NeuronOnNeuronBlock::from_index(line).expect("a block has 64 lines");
            let (neuron, merger) = (block.neuron(on_block), self.behind[block]);
            let (address, since) = (self.addresses[neuron], self.requests[neuron]);
            let event = Event { origin: Origin::Neuron(neuron), address, since };
            put(&mut self.mergers[merger], ENCODER, event, &mut self.flow);
        }
        for m in MergerOnHicann::all() {
            let Some(input) = self.mergers[m].next(clock) else { continue };
            let Node { tapped, above, .. } = self.mergers[m];
            let free = tapped.is_none_or(|d| self.dnc[d].inputs[TREE].is_none())
                && above.is_none_or(|(n, i)| self.mergers[n].inputs[i].is_none());
            if !free {
                continue;
            }
            let event = self.mergers[m].take(input, clock);
            if let Some(dnc) = tapped {
                self.dnc[dnc].inputs[TREE] = event;
            }
            if let Some((next, i)) = above {
                self.mergers[next].inputs[i] = event;
            }
        }
        for merger in DncMergerOnHicann::all() {
            let node = &mut self.dnc[merger];
            let Some(input) = node.next(clock) else { continue };
            let Some(event) = node.take(input, clock) else { continue };
            if input == LINK {
                node.inputs[LINK] = self.released[merger].pop_front();
            }
            self.come_out(merger, event, send);
        }
    }

    /// The events so far; those that are still inside are pending.
    pub(crate) fn flow_so_far(&self) -> Flow {
        let mut flow = self.flow.clone();
        let events = |node: &Node| node.inputs.iter().flatten().count() as u64 * node.reach;
        let queued = |(block, encoder): (NeuronBlockOnHicann, &Encoder)| {
            u64::from(encoder.requests.count_ones()) * self.mergers[self.behind[block]].reach
        };
        flow.pending = self.mergers.values().iter().map(events).sum::<u64>()
            + self.dnc.values().iter().map(events).sum::<u64>()
            + self.released.values().iter().map(|queue| queue.len() as u64).sum::<u64>()
            + self.encoders.iter().map(queued).sum::<u64>();
        flow
    }
}

/// The merger that takes the events of a neuron block.
fn behind(block: NeuronBlockOnHicann) -> MergerOnHicann {
    let input = MergerInput::NeuronBlock(block);
    let mut all = MergerOnHicann::all();
    all.find(|m| m.inputs()[ENCODER] == input).expect("every block has a merger")
}

/// Puts an event into an input register; what was there is lost.
fn put(node: &mut Node, input: usize, event: Event, flow: &mut Flow) {
    if node.inputs[input].replace(event).is_some() {
        flow.drop_many(DropCause::MergerOverrun, node.reach);
    }
}
