//! What a run reports, with the key names that scripts rely on (contract §4).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use emulator::{Effects, Instance};
use hal::wafer::{ConfigurationWords, Counters, Flow, Waiting};
use marocco::MappingReport;
use serde::{Deserialize, Serialize};

use crate::accounting::{Accounting, Configuring, MODULE_POWER_W};
use crate::parameter::Value;
use crate::recording::{PopulationSpikes, RecordedBesides, Recording};
use crate::statistics::{MeanStd, Window, common_cv, cv_isi, rate_hz, synchrony};

/// Wall seconds of the parts of a run that are not mapping.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct RunSeconds {
    /// Encoding and loading the words, drawing and loading the stimulus.
    pub build: f64,
    /// Emulation.
    pub emulate: f64,
    /// Reading the trace and sorting it to neurons.
    pub read: f64,
}

/// Spikes of the neurons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpikeCounts {
    /// Fired by circuits.
    pub emitted: u64,
    /// Recorded, of the populations asked for.
    pub recorded: u64,
    /// Lost on the way to the host, by cause.
    pub dropped_by_cause: BTreeMap<String, u64>,
}

/// Events through a stage; `sent = delivered + dropped + pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowReport {
    /// Entered the stage.
    pub sent: u64,
    /// Left it.
    pub delivered: u64,
    /// Lost in it.
    pub dropped: u64,
    /// Inside at the end of the run.
    pub pending: u64,
    /// Lost, by cause.
    pub dropped_by_cause: BTreeMap<String, u64>,
}

impl From<&Flow> for FlowReport {
    fn from(flow: &Flow) -> Self {
        Self {
            sent: flow.sent,
            delivered: flow.delivered,
            dropped: flow.dropped_total(),
            pending: flow.pending,
            dropped_by_cause: flow.dropped.iter().map(|(c, &n)| (c.name().to_owned(), n)).collect(),
        }
    }
}

/// Time that events waited in priority encoders and mergers, in hardware nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QueueingReport {
    /// Mean over all events and buses.
    pub mean_ns: f64,
    /// What 99 % of them do not exceed.
    pub p99_ns: f64,
}

impl From<Waiting> for QueueingReport {
    fn from(waiting: Waiting) -> Self {
        Self { mean_ns: 1e9 * waiting.mean_s(), p99_ns: 1e9 * waiting.p99_s() }
    }
}

/// Energy that the wafer would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnergyEstimate {
    /// Joules of the wafer module during the run.
    pub wafer: f64,
    /// The same per synaptic event; none without events.
    pub per_synaptic_event: Option<f64>,
    /// What the estimate rests on.
    pub assumption: String,
}

impl EnergyEstimate {
    /// The power of the module for the time of the run (analog §8).
    pub fn new(hardware_s: f64, synaptic_events: u64) -> Self {
        let wafer = MODULE_POWER_W * hardware_s;
        Self {
            wafer,
            per_synaptic_event: (synaptic_events > 0).then(|| wafer / synaptic_events as f64),
            assumption: format!(
                "{MODULE_POWER_W} W of the whole module, the rated maximum of its supply; unverified"
            ),
        }
    }
}

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Biological time in ms.
    pub bio_ms: f64,
    /// Time that the wafer emulates, in seconds.
    pub hardware_s: f64,
    /// First set-up, in seconds: see [`Configuring`].
    pub configuration_hardware_s: f64,
    /// Wall time.
    pub wall_s: RunSeconds,
    /// Wall time of the emulation over biological time.
    pub real_time_factor: f64,
    /// Spikes of neurons.
    pub spikes: SpikeCounts,
    /// Events that arrived at a synapse.
    pub synaptic_events: u64,
    /// From the host to the wafer.
    pub stimulus: FlowReport,
    /// From the wafer to the host.
    pub readout: FlowReport,
    /// Through the merger trees of the chips onto L1, if the effect `arbitration` is on.
    pub mergers: FlowReport,
    /// How long events waited there.
    pub queueing: QueueingReport,
    /// Recorded events that are no spikes asked for.
    pub recorded_besides: RecordedBesides,
    /// Energy.
    pub energy_estimate_j: EnergyEstimate,
    /// Which effects were switched on; empty if a server chose them.
    pub effects: BTreeMap<String, bool>,
    /// Which wafer: `ideal`, a number, or `remote` and the address of its server.
    pub wafer: String,
    /// Seed of mapping and stimulus.
    pub seed: u64,
    /// Threads used.
    pub threads: usize,
    /// Version of this program.
    pub version: String,
    /// Peak memory of the process in bytes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
    /// Joules of the processor during the emulation, by its own counters; none where there are none.
    pub cpu_energy_j: Option<f64>,
}

/// Everything that a run is measured by.
#[derive(Debug)]
pub struct RunFacts<'a> {
    /// Length of the run on the wafer in seconds.
    pub hardware_s: f64,
    /// The configuration.
    pub words: &'a ConfigurationWords,
    /// Wall time.
    pub wall_s: RunSeconds,
    /// The wafer's counters.
    pub counters: &'a Counters,
    /// Joules of the processor during the emulation, where its counters can be read.
    pub cpu_energy_j: Option<f64>,
    /// Biological time in ms.
    pub bio_ms: f64,
    /// Spikes recorded, of the populations asked for.
    pub recorded: u64,
    /// Recorded events that are no spikes asked for.
    pub besides: RecordedBesides,
    /// Which wafer it was, if there was no server.
    pub instance: Instance,
    /// Which effects were switched on.
    pub effects: Effects,
    /// The server of the wafer, if there was one.
    pub remote: Option<SocketAddr>,
    /// Seed of mapping and stimulus.
    pub seed: u64,
    /// Threads used.
    pub threads: usize,
}

impl RunReport {
    /// Summarises a run.
    pub fn new(facts: &RunFacts<'_>) -> Self {
        let RunFacts { counters, bio_ms, recorded, besides, .. } = *facts;
        let readout = FlowReport::from(&counters.readout);
        Self {
            bio_ms,
            hardware_s: facts.hardware_s,
            configuration_hardware_s: Configuring::first(facts.words).hardware_s,
            wall_s: facts.wall_s,
            real_time_factor: facts.wall_s.emulate / (bio_ms * 1e-3),
            spikes: SpikeCounts {
                emitted: counters.neuron_spikes,
                recorded,
                dropped_by_cause: [&readout, &FlowReport::from(&counters.mergers)]
                    .into_iter()
                    .flat_map(|flow| flow.dropped_by_cause.clone())
                    .collect(),
            },
            synaptic_events: counters.synaptic_events,
            stimulus: FlowReport::from(&counters.stimulus),
            readout,
            mergers: FlowReport::from(&counters.mergers),
            queueing: QueueingReport::from(counters.waiting),
            recorded_besides: besides,
            energy_estimate_j: EnergyEstimate::new(facts.hardware_s, counters.synaptic_events),
            effects: match facts.remote {
                None => facts.effects.iter().map(|(e, on)| (e.name().to_owned(), on)).collect(),
                Some(_) => BTreeMap::new(),
            },
            wafer: facts
                .remote
                .map_or_else(|| facts.instance.to_string(), |at| format!("remote {at}")),
            seed: facts.seed,
            threads: facts.threads,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            peak_rss_bytes: marocco::report::peak_rss_bytes(),
            cpu_energy_j: facts.cpu_energy_j,
        }
    }
}

/// A population that was read out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its label.
    pub population: String,
    /// Neurons that were read out, from the first one on.
    pub neurons: usize,
}

impl Recorded {
    /// What a recording holds.
    pub fn of(recording: &Recording) -> Vec<Self> {
        let entry =
            |p: &PopulationSpikes| Self { population: p.label.clone(), neurons: p.trains.len() };
        recording.populations.iter().map(entry).collect()
    }
}

/// Content of `report.json` of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentReport {
    /// Name of the experiment.
    pub experiment: String,
    /// What became of the network on the wafer.
    pub mapping_report: MappingReport,
    /// What became of the run.
    pub run_report: RunReport,
    /// Rate in biological Hz by population, within the window.
    pub rates_hz: BTreeMap<String, MeanStd>,
    /// Mean CV of the inter-spike intervals by population, over neurons with at least ten spikes
    /// within the window; none if there are no such neurons.
    pub cv_isi: BTreeMap<String, Option<f64>>,
    /// Fano factor of the population's spike count in bins of 3 ms, by population.
    pub synchrony: BTreeMap<String, Option<f64>>,
    /// Synchrony as the published heat maps have it, of all recorded neurons: see [`common_cv`].
    pub common_cv: Option<f64>,
    /// Recorded populations in their order, and how many of their neurons were read out.
    pub recorded: Vec<Recorded>,
    /// The part of the run that the statistics look at.
    pub statistics_window: Window,
    /// Times and energy.
    pub accounting: Accounting,
    /// Values of the experiment's parameters.
    pub parameters: BTreeMap<&'static str, Value>,
    /// Absolute paths of the files of the folder.
    pub files: Vec<String>,
}

impl ExperimentReport {
    /// Adds statistics of the recording to the reports of mapping and run.
    pub fn new(
        experiment: &str,
        parameters: BTreeMap<&'static str, Value>,
        mapping_report: MappingReport,
        run_report: RunReport,
        recording: &Recording,
        accounting: Accounting,
        files: Vec<String>,
    ) -> Self {
        let window = Window::settled(recording.duration_ms);
        let by_label = recording.populations.iter().map(|p| (p.label.clone(), &p.trains));
        Self {
            experiment: experiment.to_owned(),
            mapping_report,
            run_report,
            rates_hz: by_label.clone().map(|(label, t)| (label, rate_hz(t, window))).collect(),
            cv_isi: by_label.clone().map(|(label, t)| (label, cv_isi(t, window))).collect(),
            synchrony: by_label.map(|(label, t)| (label, synchrony(t, window))).collect(),
            common_cv: common_cv(
                recording.populations.iter().flat_map(|p| &p.trains),
                recording.duration_ms,
            ),
            recorded: Recorded::of(recording),
            statistics_window: window,
            accounting,
            parameters,
            files,
        }
    }
}
