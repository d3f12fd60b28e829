//! One chip on the bench: programming, the analog multiplexer, runs, and what they cost.

use std::ops::ControlFlow;

use hal::codec::Programming;
use hal::config::{FloatingGates, GbitDirection, HicannConfig};
use hal::coord::{
    AnalogOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address, MergerInput,
    MergerOnHicann, NeuronBlockOnHicann, NeuronOnHicann, OnWafer, Table,
};
use hal::defects::{Component, Defects};
use hal::playback;
use hal::stateful::{Checks, Differential, Settings, StatefulWafer, Subsystems, Writing};
use hal::trace;
use hal::wafer::{AdcTrace, DncCycles, PulseEvent, Pulses, Wafer};

use super::CalibrationError;

/// Seconds between two samples of the ADC.
pub(super) const SAMPLE_S: f64 = 1.0 / AdcTrace::SAMPLE_RATE_HZ;

/// What measuring has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Programmings of the floating gates of the chip.
    pub programmings: u32,
    /// Runs of the wafer.
    pub runs: u32,
    /// Hardware time of all this, s: programming at worst, words, runs.
    pub hardware_s: f64,
}

/// A chip, and the way to it.
pub(super) struct Rig<'a> {
    wafer: &'a mut dyn Wafer,
    state: StatefulWafer,
    pub(super) hicann: HicannOnWafer,
    pub(super) defects: &'a Defects,
    pub(super) cost: Cost,
    /// Outputs that work.
    outputs: Vec<AnalogOnHicann>,
    shown: Vec<NeuronOnHicann>,
    stimulus: Option<(Vec<PulseEvent>, DncCycles)>,
}

/// Times of the spikes of circuits, s, ascending.
pub(super) type Spikes = Vec<(NeuronOnHicann, Vec<f64>)>;

impl<'a> Rig<'a> {
    /// A wafer in reset, of which only this chip is used. `defects` tells which lines, drivers and
    /// synapses not to use; what it says about circuits is not looked at.
    pub(super) fn new(
        wafer: &'a mut dyn Wafer,
        hicann: HicannOnWafer,
        defects: &'a Defects,
    ) -> Result<Self, CalibrationError> {
        let usable = |output: &AnalogOnHicann| defects.is_usable(output.on(hicann));
        let outputs: Vec<AnalogOnHicann> = AnalogOnHicann::all().filter(usable).collect();
        if !defects.is_usable(hicann) || outputs.is_empty() {
            return Err(CalibrationError::NoChip { hicann });
        }
        let settings = Settings {
            // all circuits of a chip are joined for the readout shift
            checks: Checks::Skip,
            differential: Differential::Minimal,
            programming: Programming::default(),
            ..Settings::default()
        };
        let mut state = StatefulWafer::new(settings);
        state.allocate(hicann)?;
        Ok(Self {
            wafer,
            state,
            hicann,
            defects,
            cost: Cost::default(),
            outputs,
            shown: Vec::new(),
            stimulus: None,
        })
    }

    /// Whether a component of the chip can be used.
    pub(super) fn works<C>(&self, component: C) -> bool
    where
        C: Coordinate,
        OnWafer<C>: Into<Component>,
    {
        self.defects.is_usable(component.on(self.hicann))
    }

    /// The configuration of the chip, which takes effect with the next run.
    pub(super) fn chip(&mut self) -> &mut HicannConfig {
        self.state.hicann_mut(self.hicann).expect("the chip was allocated")
    }

    /// Programs all floating gates anew, so that all have other noise than before, also if their
    /// values are the same.
    pub(super) fn program(&mut self, gates: FloatingGates) -> Result<(), CalibrationError> {
        self.chip().floating_gates = gates;
        let force = Subsystems { floating_gates: Writing::Force, ..Subsystems::default() };
        self.state.settings.differential = Differential::Sthal(force);
        self.configure()?;
        self.state.settings.differential = Differential::Minimal;
        self.cost.programmings += 1;
        Ok(())
    }

    fn configure(&mut self) -> Result<(), CalibrationError> {
        let plan = self.state.configure(self.wafer)?;
        self.cost.hardware_s += plan.cost().hardware_s;
        Ok(())
    }

    fn run(&mut self, pulses: &[PulseEvent], seconds: f64) -> Result<(), CalibrationError> {
        self.configure()?;
        let cycles = (seconds / DncCycles::SECONDS).ceil() as u64;
        let end = DncCycles(cycles.next_multiple_of(2));
        let same = |(loaded, until): &(Vec<PulseEvent>, DncCycles)| {
            loaded.as_slice() == pulses && *until == end
        };
        if !self.stimulus.as_ref().is_some_and(same) {
            let fpga = self.hicann.fpga();
            let all = Pulses::from([(fpga, pulses.to_vec())]);
            self.wafer.stimulate(&playback::encode(&all, [fpga], end)?)?;
            self.stimulus = Some((pulses.to_vec(), end));
        }
        self.wafer.run(&mut |_| ControlFlow::Continue(()))?;
        self.cost.runs += 1;
        self.cost.hardware_s += end.hardware_s();
        Ok(())
    }

    /// Reads the membranes of circuits one after the other, as many at a time as outputs work, and
    /// hands the samples in V to `look`. With `firing`, the comparators of those that are read are
    /// on, else none is.
    pub(super) fn read_out(
        &mut self,
        circuits: &[NeuronOnHicann],
        firing: bool,
        pulses: &[PulseEvent],
        seconds: f64,
        mut look: impl FnMut(NeuronOnHicann, &[f64]),
    ) -> Result<(), CalibrationError> {
        let mut volts = Vec::new();
        for shown in self.turns(circuits) {
            self.show(&shown, firing);
            self.run(pulses, seconds)?;
            for (&circuit, output) in shown.iter().zip(self.outputs.clone()) {
                let samples = self.wafer.read_adc(self.hicann.dnc(), output)?.samples;
                volts.clear();
                volts.extend(samples.into_iter().map(AdcTrace::volts));
                look(circuit, &volts);
            }
        }
        self.show(&[], false);
        Ok(())
    }

    /// Circuits that are read together: one of the upper row and one of the lower row at a time if
    /// both outputs work.
    fn turns(&self, circuits: &[NeuronOnHicann]) -> Vec<Vec<NeuronOnHicann>> {
        if self.outputs.len() < 2 {
            return circuits.iter().map(|&circuit| vec![circuit]).collect();
        }
        let (top, bottom): (Vec<NeuronOnHicann>, Vec<NeuronOnHicann>) =
            circuits.iter().partition(|circuit| circuit.index() < NeuronOnHicann::SIZE / 2);
        (0..top.len().max(bottom.len()))
            .map(|i| top.get(i).into_iter().chain(bottom.get(i)).copied().collect())
            .collect()
    }

    /// Connects circuits to the outputs, and nothing else.
    fn show(&mut self, circuits: &[NeuronOnHicann], firing: bool) {
        let (before, outputs) = (std::mem::take(&mut self.shown), self.outputs.clone());
        let chip = self.chip();
        for circuit in before {
            chip.neurons.circuits[circuit].enable_aout = false;
            chip.neurons.circuits[circuit].activate_firing = false;
        }
        chip.analog.source = Table::default();
        for (&circuit, output) in circuits.iter().zip(outputs) {
            chip.show_membrane(circuit, output);
            chip.neurons.circuits[circuit].activate_firing = firing;
        }
        self.shown = circuits.to_vec();
    }

    /// Records the spikes of circuits, `per_block` of each neuron block at a time, and hands them
    /// over. Tells the circuits whose events cannot leave the chip.
    pub(super) fn record_spikes(
        &mut self,
        per_block: usize,
        seconds: f64,
        mut look: impl FnMut(Spikes),
    ) -> Result<Vec<NeuronOnHicann>, CalibrationError> {
        let (reachable, silent): (Vec<NeuronOnHicann>, Vec<NeuronOnHicann>) =
            NeuronOnHicann::all().partition(|&n| self.reaches_fpga(n));
        let addresses: Vec<L1Address> = L1Address::all().filter(|a| a.is_usable()).collect();
        self.chip().gbit_links.direction = Table::filled(GbitDirection::ToDnc);
        let turns = (NeuronOnHicann::SIZE / 8).div_ceil(per_block);
        for turn in 0..turns {
            let here: Vec<NeuronOnHicann> = reachable
                .iter()
                .copied()
                .filter(|n| n.on_block().index() / per_block == turn)
                .collect();
            let chip = self.chip();
            let address = |n: NeuronOnHicann| addresses[n.on_block().index() % per_block];
            for &n in &here {
                let circuit = &mut chip.neurons.circuits[n];
                (circuit.activate_firing, circuit.enable_spl1_output) = (true, true);
                circuit.address = address(n);
            }
            self.run(&[], seconds)?;
            let words = self.wafer.read_trace()?;
            let words = words.by_fpga.get(&self.hicann.fpga()).map_or(&[][..], Vec::as_slice);
            let events = trace::decode(words)?;
            let of = |n: NeuronOnHicann| {
                let link = merger_of(n).gbit_link();
                let is_its =
                    |e: &&PulseEvent| (e.label.gbit_link, e.label.address) == (link, address(n));
                let times = events.iter().filter(is_its).map(|e| e.time.hardware_s());
                (n, times.collect())
            };
            look(here.iter().map(|&n| of(n)).collect());
            let chip = self.chip();
            for &n in &here {
                let circuit = &mut chip.neurons.circuits[n];
                (circuit.activate_firing, circuit.enable_spl1_output) = (false, false);
            }
        }
        self.chip().gbit_links.direction = Table::default();
        Ok(silent)
    }

    /// Runs the wafer with some pulses and tells the events that come back.
    pub(super) fn record(
        &mut self,
        pulses: &[PulseEvent],
        seconds: f64,
    ) -> Result<Vec<PulseEvent>, CalibrationError> {
        self.run(pulses, seconds)?;
        let words = self.wafer.read_trace()?;
        let words = words.by_fpga.get(&self.hicann.fpga()).map_or(&[][..], Vec::as_slice);
        Ok(trace::decode(words)?)
    }

    /// Whether the events of all circuits can leave the chip through one merger.
    pub(super) fn collects(&self, merger: DncMergerOnHicann) -> bool {
        let all_work = MergerOnHicann::all().all(|m| self.works(m));
        let last = merger.tree_input();
        let leads = |block| leads_to(last, block);
        all_work
            && NeuronBlockOnHicann::all().all(leads)
            && self.works(merger)
            && self.works(merger.gbit_link())
    }

    /// Whether everything between a circuit and the FPGA works: mergers as after reset, link.
    fn reaches_fpga(&self, neuron: NeuronOnHicann) -> bool {
        let (block, merger) = (neuron.block(), merger_of(neuron));
        let link = merger.gbit_link();
        let mut tree = Some(merger.tree_input());
        // from the end of the tree back to its start
        while let Some(at) = tree {
            if !self.works(at) {
                return false;
            }
            tree = at.inputs().into_iter().find_map(|input| match input {
                MergerInput::Merger(next) if leads_to(next, block) => Some(next),
                _ => None,
            });
        }
        self.works(link) && self.works(merger)
    }
}

/// The merger that the events of a circuit arrive at: after reset, block i at merger i.
fn merger_of(neuron: NeuronOnHicann) -> DncMergerOnHicann {
    DncMergerOnHicann::from_index(neuron.block().index()).expect("as many mergers as blocks")
}

/// Whether the events of a neuron block can come through a merger of the tree.
fn leads_to(merger: MergerOnHicann, block: NeuronBlockOnHicann) -> bool {
    merger.inputs().into_iter().any(|input| match input {
        MergerInput::Merger(next) => leads_to(next, block),
        MergerInput::NeuronBlock(found) => found == block,
        MergerInput::Background(_) => false,
    })
}
