//! One chip during a run. Within a window shorter than every delay, chips do not need each other.

use fearless_simd::{Level, dispatch};
use hal::coord::{
    DncMergerOnHicann, HicannOnWafer, HighspeedLinkOnDnc, L1Address, NeuronOnHicann, PulseLabel,
    Table,
};
use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};

use super::cells::{Cells, SILENT};
use super::injection::Injection;
use super::network::SourceId;
use super::stp::Resource;
use super::tree::{Origin, Sent, Tree};
use crate::readout::Sampler;
use crate::silicon::{AdcNoise, Jitter};

/// The synapses of a chip that one event reaches after the same delay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axon {
    pub(super) delay: DncCycles,
    /// Synapses behind it. Several may share a target.
    pub(super) synapses: u32,
    /// Rows of inputs that its targets stand in, as a mask.
    pub(super) rows: u64,
    /// The resource that scales the events, if their driver has short-term plasticity.
    pub(super) resource: Option<u32>,
    /// First and one past the last of its targets.
    pub(super) start: u32,
    pub(super) end: u32,
}

/// An input of a membrane and what one event adds to its conductance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) slot: u32,
    /// Conductance over capacitance, per step.
    pub(super) increment: f32,
}

/// What happens when a comparator fires.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Its circuit, and the address that this sends.
    pub(super) neuron: NeuronOnHicann,
    pub(super) address: L1Address,
    /// Threshold relative to the leak potential of the membrane, V.
    pub(super) threshold: f32,
    /// Whether the circuit puts an event onto L1.
    pub(super) sends: bool,
    /// Bus addresses of its events that somebody listens to.
    pub(super) sources: Vec<SourceId>,
    /// Labels under which the FPGA receives its events.
    pub(super) labels: Vec<PulseLabel>,
}

/// An event on its way to an axon.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Incoming {
    pub(super) time: DncCycles,
    pub(super) axon: u32,
}

/// A membrane that crossed its lowest threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crossing {
    pub(super) time: DncCycles,
    pub(super) membrane: u32,
    /// Voltage reached, relative to the leak potential.
    pub(super) v: f32,
}

/// What becomes of events that the mergers put onto the buses of a chip.
#[derive(Debug, Clone, Default)]
pub(super) struct Buses {
    /// By bus and address, if somebody listens.
    pub(super) sources: Table<DncMergerOnHicann, Table<L1Address, Option<SourceId>>>,
    /// Whether the events of a bus go to the FPGA as well.
    pub(super) recorded: Table<DncMergerOnHicann, bool>,
    link: Option<HighspeedLinkOnDnc>,
}

impl Buses {
    /// The source that synapses know an address on a bus by.
    pub(super) fn source(&self, bus: DncMergerOnHicann, address: L1Address) -> Option<SourceId> {
        self.sources[bus][address]
    }

    /// The label under which the FPGA receives an address of a bus.
    pub(super) fn label(&self, bus: DncMergerOnHicann, address: L1Address) -> Option<PulseLabel> {
        let link = self.link.filter(|_| self.recorded[bus])?;
        Some(PulseLabel { link, gbit_link: bus.gbit_link(), address })
    }
}

/// Samples of one membrane.
#[derive(Debug, Clone)]
struct Probe {
    neuron: NeuronOnHicann,
    membrane: usize,
    sampler: Sampler,
}

/// The true voltage of one membrane at every so many steps.
#[derive(Debug, Clone)]
struct Truth {
    neuron: NeuronOnHicann,
    membrane: usize,
    every: u64,
    volts: Vec<f32>,
}

/// What changes on a chip during a run, between two windows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ChipState {
    cells: [Vec<f32>; 4],
    ring: Vec<f32>,
    inbox: Vec<Incoming>,
    tree: Option<Tree>,
    /// Inactive share and time of the last event.
    resources: Vec<(f64, DncCycles)>,
    samplers: Vec<Sampler>,
    truths: Vec<Vec<f32>>,
    synaptic_events: u64,
}

/// State and tables of one chip.
#[derive(Debug, Clone)]
pub(super) struct Chip {
    pub(super) hicann: HicannOnWafer,
    step: DncCycles,
    cells: Cells,
    /// Circuits by membrane.
    circuits: Vec<Vec<NeuronOnHicann>>,
    /// By membrane, then comparator.
    pub(super) outputs: Vec<Vec<Output>>,
    pub(super) axons: Vec<Axon>,
    pub(super) targets: Vec<Target>,
    pub(super) resources: Vec<Resource>,
    pub(super) injections: Vec<Injection>,
    /// Of the present step: membranes and voltages by which currents from outside raise them.
    injected: Vec<(u32, f32)>,
    /// The way of events onto the buses, if they may wait there.
    pub(super) tree: Option<Tree>,
    pub(super) buses: Buses,
    /// Of the last window, in order of time: what the tree put onto the buses.
    pub(super) sent: Vec<Sent>,
    jitter: Option<Jitter>,
    /// Conductance on its way: one row of slots for each of the next steps, used in a circle.
    ring: Vec<f32>,
    rows: u64,
    /// By row of the ring: the rows of inputs that hold anything, as a mask.
    touched: Vec<u64>,
    /// Number of steps of the run.
    last: u64,
    pub(super) inbox: Vec<Incoming>,
    /// Of the last window, in order of time.
    pub(super) crossings: Vec<Crossing>,
    probes: Vec<Probe>,
    truths: Vec<Truth>,
    pub(super) synaptic_events: u64,
}

impl Chip {
    pub(super) fn new(
        hicann: HicannOnWafer,
        cells: Cells,
        circuits: Vec<Vec<NeuronOnHicann>>,
        outputs: Vec<Vec<Output>>,
        step: DncCycles,
    ) -> Self {
        Self {
            hicann,
            step,
            cells,
            circuits,
            outputs,
            axons: Vec::new(),
            targets: Vec::new(),
            resources: Vec::new(),
            injections: Vec::new(),
            injected: Vec::new(),
            tree: None,
            buses: Buses { link: Some(hicann.link()), ..Buses::default() },
            sent: Vec::new(),
            jitter: None,
            ring: Vec::new(),
            rows: 0,
            touched: Vec::new(),
            last: 0,
            inbox: Vec::new(),
            crossings: Vec::new(),
            probes: Vec::new(),
            truths: Vec::new(),
            synaptic_events: 0,
        }
    }

    /// Makes room for conductance of events that come up to `window` steps early, in a run of
    /// `last` steps.
    pub(super) fn prepare(&mut self, window: u64, last: u64, jitter: Option<Jitter>) {
        (self.last, self.jitter) = (last, jitter);
        let late = jitter.map_or(0, |_| Jitter::LARGEST_CYCLES);
        let longest = self.axons.iter().map(|a| a.delay.0).max().unwrap_or(0) + late;
        self.rows = window + longest.div_ceil(self.step.0) + 1;
        self.ring = vec![0.0; self.rows as usize * self.cells.slots()];
        self.touched = vec![0; self.rows as usize];
    }

    /// Sets up a sampler; false if the circuit is not simulated.
    pub(super) fn add_probe(
        &mut self,
        neuron: NeuronOnHicann,
        offset_v: f64,
        noise: Option<AdcNoise>,
    ) -> bool {
        let Some(membrane) = self.circuits.iter().position(|c| c.contains(&neuron)) else {
            return false;
        };
        let sampler = Sampler::new(f64::from(self.cells.voltage(membrane)), offset_v, noise);
        self.probes.push(Probe { neuron, membrane, sampler });
        true
    }

    /// Keeps the true voltage of a circuit's membrane every so many steps, the first one at the
    /// start; false if the circuit is not simulated.
    pub(super) fn add_truth(&mut self, neuron: NeuronOnHicann, every: u64) -> bool {
        let Some(membrane) = self.circuits.iter().position(|c| c.contains(&neuron)) else {
            return false;
        };
        let volts = vec![self.cells.voltage(membrane)];
        self.truths.push(Truth { neuron, membrane, every: every.max(1), volts });
        true
    }

    /// The true voltages of a circuit's membrane.
    pub(super) fn truth(&self, neuron: NeuronOnHicann) -> Option<&[f32]> {
        self.truths.iter().find(|t| t.neuron == neuron).map(|t| t.volts.as_slice())
    }

    /// What has changed since the start.
    pub(super) fn state(&mut self) -> ChipState {
        ChipState {
            cells: self.cells.state().map(|list| list.clone()),
            ring: self.ring.clone(),
            inbox: self.inbox.clone(),
            tree: self.tree.clone(),
            resources: self.resources.iter().map(|r| (r.inactive, r.last)).collect(),
            samplers: self.probes.iter().map(|p| p.sampler.clone()).collect(),
            truths: self.truths.iter().map(|t| t.volts.clone()).collect(),
            synaptic_events: self.synaptic_events,
        }
    }

    /// Takes over a state of the same chip; false if it does not fit.
    pub(super) fn restore(&mut self, state: ChipState) -> bool {
        let fits = self.cells.state().iter().zip(&state.cells).all(|(a, b)| a.len() == b.len())
            && self.ring.len() == state.ring.len()
            && self.tree.is_some() == state.tree.is_some()
            && self.resources.len() == state.resources.len()
            && self.probes.len() == state.samplers.len()
            && self.truths.len() == state.truths.len()
            && state.inbox.iter().all(|e| (e.axon as usize) < self.axons.len());
        if !fits {
            return false;
        }
        for (list, saved) in self.cells.state().into_iter().zip(state.cells) {
            *list = saved;
        }
        for (resource, (inactive, last)) in self.resources.iter_mut().zip(state.resources) {
            (resource.inactive, resource.last) = (inactive, last);
        }
        for (probe, sampler) in self.probes.iter_mut().zip(state.samplers) {
            probe.sampler = sampler;
        }
        for (truth, volts) in self.truths.iter_mut().zip(state.truths) {
            truth.volts = volts;
        }
        (self.ring, self.inbox, self.tree) = (state.ring, state.inbox, state.tree);
        // which rows hold something is not saved: any may
        self.touched.fill(u64::MAX);
        self.synaptic_events = state.synaptic_events;
        true
    }

    /// Samples of a circuit's membrane.
    pub(super) fn samples(&self, neuron: NeuronOnHicann) -> Option<&[u16]> {
        self.probes.iter().find(|p| p.neuron == neuron).map(|p| p.sampler.samples())
    }

    /// Takes in what has arrived and runs `steps` steps from number `first` on.
    pub(super) fn advance(&mut self, level: Level, first: u64, steps: u64) {
        self.deliver(first);
        self.crossings.clear();
        dispatch!(level, _simd => self.integrate(first, steps));
        if self.tree.is_some() {
            self.arbitrate(DncCycles((first + steps) * self.step.0));
        }
    }

    /// Sends what has fired through the tree, and lets this run until a time.
    fn arbitrate(&mut self, until: DncCycles) {
        let Some(mut tree) = self.tree.take() else { return };
        for (time, output) in self.fired() {
            tree.announce(time, Origin::Neuron(output.neuron), output.address);
        }
        self.sent.clear();
        tree.run(until, |sent| self.sent.push(sent));
        self.tree = Some(tree);
    }

    /// The comparators that have fired in the last window and send, in order of time.
    pub(super) fn fired(&self) -> impl Iterator<Item = (DncCycles, &Output)> {
        self.crossings.iter().flat_map(|crossing| {
            let outputs = self.outputs[crossing.membrane as usize].iter();
            let fired = outputs.filter(|o| o.sends && crossing.v >= o.threshold);
            fired.map(|output| (crossing.time, output))
        })
    }

    /// Adds the conductance of all incoming events to the ring, in the order of the inbox. `first`
    /// is the first step that is still to come.
    fn deliver(&mut self, first: u64) {
        let slots = self.cells.slots();
        for event in self.inbox.drain(..) {
            let axon = &self.axons[event.axon as usize];
            // conductance that arrives at time t acts from the end of the step that ends at t on
            let arrival = event.time.0 + axon.delay.0;
            let arrival = self.jitter.map_or(arrival, |jitter| {
                jitter.arrival(arrival, event.time, self.hicann, event.axon)
            });
            let step = arrival.div_ceil(self.step.0).saturating_sub(1).max(first);
            if step >= self.last {
                continue;
            }
            self.synaptic_events += u64::from(axon.synapses);
            let place = (step % self.rows) as usize;
            self.touched[place] |= axon.rows;
            let row = &mut self.ring[place * slots..(place + 1) * slots];
            let targets = &self.targets[axon.start as usize..axon.end as usize];
            if let Some(resource) = axon.resource {
                let factor = self.resources[resource as usize].event(DncCycles(arrival)) as f32;
                for target in targets {
                    row[target.slot as usize] += factor * target.increment;
                }
            } else {
                for target in targets {
                    row[target.slot as usize] += target.increment;
                }
            }
        }
    }

    #[inline(always)]
    fn integrate(&mut self, first: u64, steps: u64) {
        let slots = self.cells.slots();
        for step in first..first + steps {
            let place = (step % self.rows) as usize;
            if !self.injections.is_empty() {
                let now = DncCycles(step * self.step.0);
                self.injected.clear();
                self.injected.extend(self.injections.iter().map(|i| (i.membrane, i.volts(now))));
            }
            let arriving = &mut self.ring[place * slots..(place + 1) * slots];
            let touched = std::mem::take(&mut self.touched[place]);
            let fired = self.cells.step(arriving, touched, &self.injected);
            let time = DncCycles((step + 1) * self.step.0);
            if fired {
                self.collect(time);
            }
            for probe in &mut self.probes {
                probe.sampler.advance(time, f64::from(self.cells.voltage(probe.membrane)));
            }
            for truth in self.truths.iter_mut().filter(|t| (step + 1) % t.every == 0) {
                truth.volts.push(self.cells.voltage(truth.membrane));
            }
        }
    }

    fn collect(&mut self, time: DncCycles) {
        for (i, &v) in self.cells.crossing.iter().enumerate() {
            if v != SILENT {
                self.crossings.push(Crossing { time, membrane: i as u32, v });
            }
        }
    }
}
