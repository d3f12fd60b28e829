//! What a run reports, with the key names that scripts rely on (contract §4).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use emulator::{Effects, Instance};
use hal::wafer::{ConfigurationWords, Counters, Flow, Waiting};
use marocco::MappingReport;
use serde::Serialize;

use crate::parameter::Value;
use crate::recording::{RecordedBesides, Recording};
use crate::statistics::{MeanStd, Window, cv_isi, rate_hz, synchrony};

/// Bytes per second from the host to the wafer: one Gigabit Ethernet link.
const HOST_LINK_BYTES_PER_S: f64 = 125e6;
/// Seconds that a row of floating gates takes to be programmed; 0.19 to 0.35 s were measured
/// (analog §4.1).
const FLOATING_GATE_ROW_S: f64 = 0.27;
/// Row programmings of a chip: all 24 rows to zero, then each to its values. All blocks of all
/// chips are programmed at once (analog §4.1).
const FLOATING_GATE_ROWS: f64 = 48.0;
/// Power of the wafer module apart from events, in watts; unverified (analog §8).
const STATIC_POWER_W: f64 = 1e3;
/// Energy of a synaptic event in joules; unverified (analog §8).
const EVENT_ENERGY_J: f64 = 1e-9;

/// Seconds that configuring a real wafer would take: the words over the host's link, and the
/// floating gates row by row. An estimate; verification by reading back is not counted.
pub fn configuration_hardware_s(words: &ConfigurationWords) -> f64 {
    8.0 * words.len() as f64 / HOST_LINK_BYTES_PER_S + FLOATING_GATE_ROWS * FLOATING_GATE_ROW_S
}

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
    /// Joules of the wafer during the run.
    pub wafer: f64,
    /// The same per synaptic event; none without events.
    pub per_synaptic_event: Option<f64>,
    /// What the estimate rests on.
    pub assumption: String,
}

impl EnergyEstimate {
    /// Static power for the time of the run, and a little for each event (analog §8).
    pub fn new(hardware_s: f64, synaptic_events: u64) -> Self {
        let events = synaptic_events as f64;
        let wafer = STATIC_POWER_W * hardware_s + EVENT_ENERGY_J * events;
        Self {
            wafer,
            per_synaptic_event: (synaptic_events > 0).then(|| wafer / events),
            assumption: format!(
                "{STATIC_POWER_W} W static and {EVENT_ENERGY_J:e} J per synaptic event; unverified"
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
    /// See [`configuration_hardware_s`].
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
            configuration_hardware_s: configuration_hardware_s(facts.words),
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
        }
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
    /// The part of the run that the statistics look at.
    pub statistics_window: Window,
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
            statistics_window: window,
            parameters,
            files,
        }
    }
}
