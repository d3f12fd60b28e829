//! One chip during a run: what drives and watches its membranes, and what becomes of their spikes.

use std::collections::BTreeMap;
use std::ops::Range;

use hal::coord::{
    DncMergerOnHicann, GbitLinkOnHicann, HicannOnWafer, HighspeedLinkOnDnc, L1Address,
    NeuronOnHicann, PulseLabel, SynapseDriverOnHicann, Table,
};
use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};

use super::Departure;
use super::block::Crossing;
use super::carry::{self, Layout};
use super::cells::{Cells, CellsState};
use super::delivery::{Event, Target, Window};
use super::injection::Injection;
use super::network::{Outbox, SourceId};
use super::outputs::{Output, Outputs};
use super::plasticity::{Plasticity, PlasticityState};
use super::stp::Resource;
use super::tree::{Origin, Sent, Tree};
use crate::readout::Sampler;
use crate::silicon::AdcNoise;

/// Where the pulses for a merger go (topology §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Way {
    /// Onto its bus.
    #[default]
    Bus,
    /// Round to its partner, and back to the FPGA by this link.
    Round(GbitLinkOnHicann),
    /// Round to its partner, whose link is closed.
    Nowhere,
}

/// What becomes of events that the mergers put onto the buses of a chip.
#[derive(Debug, Clone, Default)]
pub(super) struct Buses {
    /// By bus and address, if somebody listens.
    pub(super) sources: Table<DncMergerOnHicann, Table<L1Address, Option<SourceId>>>,
    /// Whether the events of a bus go to the FPGA as well.
    pub(super) recorded: Table<DncMergerOnHicann, bool>,
    /// Where pulses for a merger go.
    pub(super) ways: Table<DncMergerOnHicann, Way>,
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

/// An event on its way to a plastic synapse.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Tapping {
    tap: u32,
    /// Scales the weight.
    factor: f32,
}

/// What changes on a chip during a run, between two windows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChipState {
    layout: Layout,
    cells: CellsState,
    /// What is on its way: step at whose end it arrives, and target by the number of its input.
    pub(super) inbox: Vec<(u64, Target)>,
    tapping: BTreeMap<u64, Vec<Tapping>>,
    tree: Option<Tree>,
    plasticity: Option<PlasticityState>,
    /// Inactive share and time of the last event.
    resources: Vec<(f64, DncCycles)>,
    samplers: Vec<Sampler>,
    truths: Vec<Vec<f32>>,
}

impl ChipState {
    /// The chip.
    pub(super) fn hicann(&self) -> HicannOnWafer {
        self.layout.hicann
    }
}

/// State and tables of one chip.
#[derive(Debug, Clone)]
pub(super) struct Chip {
    pub(super) hicann: HicannOnWafer,
    /// Its membranes among those of its cluster.
    pub(super) membranes: Range<usize>,
    /// Circuits by membrane.
    circuits: Vec<Vec<NeuronOnHicann>>,
    outputs: Outputs,
    pub(super) resources: Vec<Resource>,
    /// Driver and address of each of them.
    pub(super) resource_places: Vec<(SynapseDriverOnHicann, L1Address)>,
    pub(super) injections: Vec<Injection>,
    /// Synapses whose weights change during the run.
    pub(super) plasticity: Option<Plasticity>,
    /// The way of events onto the buses, if they may wait there.
    pub(super) tree: Option<Tree>,
    pub(super) buses: Buses,
    /// Of the last window, in order of time: what the tree put onto the buses.
    pub(super) sent: Vec<Sent>,
    /// Events on their way to plastic synapses, by the step at whose end they arrive.
    tapping: BTreeMap<u64, Vec<Tapping>>,
    /// Of the last window, in order of time.
    pub(super) crossings: Vec<Crossing>,
    probes: Vec<Probe>,
    truths: Vec<Truth>,
}

impl Chip {
    pub(super) fn new(
        hicann: HicannOnWafer,
        membranes: Range<usize>,
        circuits: Vec<Vec<NeuronOnHicann>>,
        outputs: Outputs,
    ) -> Self {
        Self {
            hicann,
            membranes,
            circuits,
            outputs,
            resources: Vec::new(),
            resource_places: Vec::new(),
            injections: Vec::new(),
            plasticity: None,
            tree: None,
            buses: Buses { link: Some(hicann.link()), ..Buses::default() },
            sent: Vec::new(),
            tapping: BTreeMap::new(),
            crossings: Vec::new(),
            probes: Vec::new(),
            truths: Vec::new(),
        }
    }

    /// An event, scaled by a factor, arrives at a plastic synapse.
    pub(super) fn tap(&mut self, step: u64, tap: u32, factor: f32) {
        self.tapping.entry(step).or_default().push(Tapping { tap, factor });
    }

    /// Sets up a sampler; false if the circuit is not simulated.
    pub(super) fn add_probe(
        &mut self,
        cells: &mut Cells,
        neuron: NeuronOnHicann,
        offset_v: f64,
        noise: Option<AdcNoise>,
    ) -> bool {
        let Some(membrane) = self.membrane(neuron) else { return false };
        let sampler = Sampler::new(f64::from(cells.voltage(membrane)), offset_v, noise);
        cells.keep(membrane);
        self.probes.push(Probe { neuron, membrane, sampler });
        true
    }

    /// Keeps the true voltage of a circuit's membrane every so many steps, the first one at the
    /// start; false if the circuit is not simulated.
    pub(super) fn add_truth(
        &mut self,
        cells: &mut Cells,
        neuron: NeuronOnHicann,
        every: u64,
    ) -> bool {
        let Some(membrane) = self.membrane(neuron) else { return false };
        let volts = vec![cells.voltage(membrane)];
        cells.keep(membrane);
        self.truths.push(Truth { neuron, membrane, every: every.max(1), volts });
        true
    }

    /// The membrane of a circuit in the cluster.
    fn membrane(&self, neuron: NeuronOnHicann) -> Option<usize> {
        let on_chip = self.circuits.iter().position(|c| c.contains(&neuron))?;
        Some(self.membranes.start + on_chip)
    }

    /// The true voltages of a circuit's membrane.
    pub(super) fn truth(&self, neuron: NeuronOnHicann) -> Option<&[f32]> {
        self.truths.iter().find(|t| t.neuron == neuron).map(|t| t.volts.as_slice())
    }

    /// What has changed since the start, and what is on its way.
    pub(super) fn state(&self, cells: &Cells, inbox: Vec<(u64, Target)>) -> ChipState {
        ChipState {
            layout: self.layout(cells),
            cells: cells.state(self.membranes.clone()),
            inbox,
            tapping: self.tapping.clone(),
            tree: self.tree.clone(),
            plasticity: self.plasticity.as_ref().map(Plasticity::state),
            resources: self.resources.iter().map(|r| (r.inactive, r.last)).collect(),
            samplers: self.probes.iter().map(|p| p.sampler.clone()).collect(),
            truths: self.truths.iter().map(|t| t.volts.clone()).collect(),
        }
    }

    /// Takes over a state of the same chip; false if it does not fit.
    pub(super) fn restore(&mut self, cells: &mut Cells, state: ChipState) -> bool {
        let taps = self.plasticity.as_ref().map_or(0, Plasticity::taps);
        let known = |tap: u32| tap < taps;
        let plasticity = match (&mut self.plasticity, &state.plasticity) {
            (Some(plasticity), Some(state)) => plasticity.restore(state),
            (mine, saved) => mine.is_some() == saved.is_some(),
        };
        let fits = state.tapping.values().flatten().all(|tapping| known(tapping.tap))
            && plasticity
            && self.tree.is_some() == state.tree.is_some()
            && self.resources.len() == state.resources.len()
            && self.probes.len() == state.samplers.len()
            && self.truths.len() == state.truths.len()
            && cells.restore(self.membranes.clone(), &state.cells);
        if !fits {
            return false;
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
        (self.tapping, self.tree) = (state.tapping, state.tree);
        true
    }

    /// What the entries of a state stand for.
    fn layout(&self, cells: &Cells) -> Layout {
        Layout {
            hicann: self.hicann,
            membranes: cells.layout(self.membranes.start, &self.circuits),
            units: cells.units_of(self.membranes.clone()),
            plastic: self.plasticity.iter().flat_map(Plasticity::places).collect(),
            resources: self.resource_places.clone(),
        }
    }

    /// Takes over what is still there of a state; hands out what was on its way.
    pub(super) fn carry_over(
        &mut self,
        cells: &mut Cells,
        mut state: ChipState,
    ) -> Vec<(u64, Target)> {
        let layout = self.layout(cells);
        if self.tree.is_some() && state.tree.is_some() {
            self.tree = state.tree.take();
        }
        for (place, saved) in state.layout.resources.iter().zip(&state.resources) {
            if let Some(i) = self.resource_places.iter().position(|p| p == place) {
                (self.resources[i].inactive, self.resources[i].last) = *saved;
            }
        }
        if let (Some(plasticity), Some(saved)) = (&mut self.plasticity, &state.plasticity) {
            plasticity.carry_over(&state.layout.plastic, saved);
        }
        let same = layout == state.layout;
        let own = self.membranes.clone();
        if !(same && cells.restore(own.clone(), &state.cells)) {
            cells.carry_over(own, &state.layout, &layout, &state.cells);
        }
        if same {
            self.tapping = state.tapping;
            return state.inbox;
        }
        let inputs = carry::inputs(&state.layout, &layout);
        let moved = |(step, target): (u64, Target)| {
            let &(input, ratio) = inputs.get(target.slot() as usize)?.as_ref()?;
            Some((step, Target::new(input, ratio * target.increment())))
        };
        state.inbox.into_iter().filter_map(moved).collect()
    }

    /// Lets samplers and probes begin now.
    pub(super) fn look_from(&mut self, cells: &Cells, now: DncCycles) {
        for probe in &mut self.probes {
            let volts = f64::from(cells.voltage(probe.membrane));
            probe.sampler.begin(now, volts);
        }
        for truth in &mut self.truths {
            truth.volts = vec![cells.voltage(truth.membrane)];
        }
    }

    /// Samples of a circuit's membrane.
    pub(super) fn samples(&self, neuron: NeuronOnHicann) -> Option<&[u16]> {
        self.probes.iter().find(|p| p.neuron == neuron).map(|p| p.sampler.samples())
    }

    /// Sends what has fired through the tree, if there is one, and lets this run until a time.
    pub(super) fn arbitrate(&mut self, until: DncCycles) {
        let Some(tree) = &mut self.tree else { return };
        for (time, output) in fired(&self.crossings, &self.outputs) {
            tree.announce(time, Origin::Neuron(output.neuron), output.address);
        }
        self.sent.clear();
        tree.run(until, |sent| self.sent.push(sent));
    }

    /// Sends what has fired in the last window, or what the tree has put onto the buses.
    pub(super) fn send(&self, window: &Window, to: &mut Outbox) {
        for (time, output) in
            fired(&self.crossings, &self.outputs).filter(|(time, _)| *time <= window.over)
        {
            to.neuron_spikes += 1;
            if self.tree.is_none() {
                let sources = self.outputs.sources(output);
                to.events.extend(sources.iter().map(|&source| Event { source, time }));
                let depart = |&label| Departure { time, hicann: self.hicann, label };
                to.departures.extend(self.outputs.labels(output).iter().map(depart));
            }
        }
        for sent in &self.sent {
            let source = self.buses.source(sent.merger, sent.address);
            to.events.extend(source.map(|source| Event { source, time: sent.time }));
            if let Origin::Neuron(_) = sent.origin
                && let Some(label) = self.buses.label(sent.merger, sent.address)
            {
                to.departures.push(Departure { time: sent.time, hicann: self.hicann, label });
            }
        }
    }

    /// Whether something happens to its membranes between the steps of a window.
    pub(super) fn acts_in_steps(&self) -> bool {
        self.plasticity.is_some() || !self.injections.is_empty()
    }

    /// Currents from outside flow in a step.
    pub(super) fn inject(&self, cells: &mut Cells, step: u64, window: &Window) {
        for injection in &self.injections {
            let volts = injection.volts(DncCycles(step * window.step.0));
            cells.inject(self.membranes.start + injection.membrane as usize, volts);
        }
    }

    /// Plastic synapses see what happened in a step.
    pub(super) fn learn(&mut self, cells: &mut Cells, step: u64, window: &Window) {
        let Some(plasticity) = &mut self.plasticity else { return };
        let time = DncCycles((step + 1) * window.step.0);
        let before = self.crossings.partition_point(|c| c.time.0 <= step * window.step.0);
        for crossing in &self.crossings[before..] {
            plasticity.postsynaptic(crossing.membrane as usize, time);
        }
        plasticity.update(time);
        for now in self.tapping.remove(&step).into_iter().flatten() {
            plasticity.presynaptic(now.tap, now.factor, time, cells);
        }
    }

    /// All who look at membranes see what happened in some steps.
    pub(super) fn look(&mut self, cells: &Cells, steps: Range<u64>, window: &Window) {
        for probe in &mut self.probes {
            for (step, v) in steps.clone().zip(cells.kept(probe.membrane)) {
                let time = DncCycles((step + 1) * window.step.0);
                probe.sampler.advance(time, f64::from(v));
            }
        }
        for truth in &mut self.truths {
            let kept = steps.clone().zip(cells.kept(truth.membrane));
            let asked = kept.filter(|(step, _)| (step + 1) % truth.every == 0);
            truth.volts.extend(asked.map(|(_, v)| v));
        }
    }
}

/// The outputs of membranes that have crossed their thresholds, in order of time.
fn fired<'a>(
    crossings: &'a [Crossing],
    outputs: &'a Outputs,
) -> impl Iterator<Item = (DncCycles, &'a Output)> {
    crossings.iter().flat_map(|crossing| {
        let fired = outputs.fired(crossing.membrane as usize, crossing.v);
        fired.map(|output| (crossing.time, output))
    })
}
