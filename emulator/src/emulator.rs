//! The wafer of [`hal::wafer::Wafer`]: words in, words, samples and counters out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use hal::codec::{DecodeError, WaferState};
use hal::config::WaferConfig;
use hal::coord::{AnalogOnHicann, DncOnWafer, FpgaOnWafer};
use hal::playback::{self, Playback};
use hal::trace;
use hal::wafer::{
    AdcTrace, ConfigurationWords, Counters, DncCycles, PlaybackWords, Progress, Pulses, TraceWords,
    Wafer, WaferError,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::absent;
use crate::background::Generators;
use crate::connectivity::{Connectivity, trace as trace_connectivity};
use crate::effects::{Effect, Effects};
use crate::engine::{Network, Release, Run};
use crate::link;
use crate::readout::{self, Shown};

/// Windows of the engine between two calls of the progress callback.
const WINDOWS_PER_CALL: usize = 64;

/// Longest time step: 1 us of hardware time.
const LONGEST_STEP: DncCycles = DncCycles(250);

/// How the wafer is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The effects that are switched on.
    pub effects: Effects,
    /// Number of threads; `None` or 0 means one per processor. Results do not depend on it.
    pub threads: Option<usize>,
    /// Time step, 1 to 250 cycles; beyond, the nearest of these counts. Events act on its grid.
    pub step: DncCycles,
}

impl Default for Settings {
    /// No effects, all processors, steps of 4 ns.
    fn default() -> Self {
        Self { effects: Effects::NONE, threads: None, step: DncCycles(1) }
    }
}

/// The ideal wafer: nominal circuits, no defects, all 224 drivers of every chip.
#[derive(Debug)]
pub struct Emulator {
    settings: Settings,
    pool: Option<ThreadPool>,
    registers: WaferState,
    config: WaferConfig,
    connectivity: OnceLock<Connectivity>,
    playback: BTreeMap<FpgaOnWafer, Playback>,
    record: Option<Record>,
}

/// What the last run left behind.
#[derive(Debug)]
struct Record {
    trace: Pulses,
    released: Pulses,
    counters: Counters,
    adc: BTreeMap<(DncOnWafer, AnalogOnHicann), AdcTrace>,
}

impl Emulator {
    /// A wafer in reset.
    pub fn new(settings: Settings) -> Self {
        let step = settings.step.clamp(DncCycles(1), LONGEST_STEP);
        // where threads cannot be started, the pool that the process shares serves
        let threads = settings.threads.unwrap_or(0);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().ok();
        Self {
            settings: Settings { step, ..settings },
            pool,
            registers: WaferState::default(),
            config: WaferConfig::default(),
            connectivity: OnceLock::new(),
            playback: BTreeMap::new(),
            record: None,
        }
    }

    /// What the configuration words connect, as the emulator sees it. With the effect
    /// `weight_offset` synapses of weight 0 are included.
    pub fn connectivity(&self) -> &Connectivity {
        self.connectivity.get_or_init(|| {
            let weight_zero = self.settings.effects.contains(Effect::WeightOffset);
            self.install(|| trace_connectivity(&self.config, weight_zero))
        })
    }

    /// The pulses of the last run as they were released at the wafer's edge, by FPGA. Empty before
    /// the first run.
    pub fn released_stimulus(&self) -> Pulses {
        self.record.as_ref().map(|r| r.released.clone()).unwrap_or_default()
    }

    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// The registers after further words, what they mean, and the answers to those words that read;
    /// nothing changes if a word is refused.
    fn registers_after(
        &self,
        words: &ConfigurationWords,
    ) -> Result<(WaferState, WaferConfig, ConfigurationWords), DecodeError> {
        let mut registers = self.registers.clone();
        let answers = registers.answer(words)?;
        let config = registers.config()?;
        Ok((registers, config, answers))
    }

    fn shown(&self) -> Result<Shown, WaferError> {
        readout::shown(&self.config).map_err(|e| WaferError::Configuration(e.into()))
    }
}

impl Wafer for Emulator {
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        self.read(words).map(drop)
    }

    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        let refused = |e: DecodeError| WaferError::Configuration(e.into());
        self.connectivity = OnceLock::new();
        let applied = self.install(|| self.registers_after(words));
        let answers;
        (self.registers, self.config, answers) = applied.map_err(refused)?;
        self.shown()?;
        Ok(answers)
    }

    fn stimulate(&mut self, playback: &PlaybackWords) -> Result<(), WaferError> {
        let decoded = playback.by_fpga.iter().map(|(&fpga, words)| {
            let program = playback::decode(words).map_err(|e| WaferError::Playback(e.into()))?;
            Ok((fpga, program))
        });
        self.playback = decoded.collect::<Result<_, WaferError>>()?;
        Ok(())
    }

    fn run(
        &mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), WaferError> {
        let Some(end) = self.playback.values().map(|p| p.end).max() else {
            return Err(WaferError::NotReady { needed: "load playback words with `stimulate`" });
        };
        absent::check(&self.config).map_err(|e| WaferError::Configuration(e.into()))?;
        let shown = self.shown()?;
        let Settings { effects, step, .. } = self.settings;
        let wiring = self.connectivity();
        let mut network = self.install(|| Network::new(&self.config, wiring, step));
        for &neuron in shown.values() {
            network.add_probe(neuron);
        }
        let pulses =
            link::stimulus(&self.playback, &self.config, effects.contains(Effect::LinkBandwidth));
        let releases: Vec<Release> = pulses
            .iter()
            .filter_map(|p| {
                let source = network.source(p.fate.ok()?)?;
                Some(Release { time: p.time, source })
            })
            .collect();
        let generators = Generators::new(&self.config, &network);
        let mut run = Run::new(network, &releases, generators, step, end);
        let mut stopped = false;
        while !run.is_over() && !stopped {
            self.install(|| run.advance(WINDOWS_PER_CALL));
            stopped = progress(Progress { now: run.now(), end }).is_break() && !run.is_over();
        }

        let reached = run.now();
        let records = |fpga| self.playback.get(&fpga).is_some_and(|p| p.record);
        let bandwidth = effects.contains(Effect::ReadoutBandwidth);
        let (trace, readout) = link::readout(run.departures(), records, reached, bandwidth);
        self.record = Some(Record {
            trace,
            released: link::released(&pulses, reached),
            counters: Counters {
                stimulus: link::stimulus_flow(&pulses, reached),
                readout,
                neuron_spikes: run.neuron_spikes(),
                synaptic_events: run.synaptic_events(),
            },
            adc: shown
                .iter()
                .filter_map(|(&at, &neuron)| {
                    let samples = run.samples(neuron)?.to_vec();
                    Some((at, AdcTrace { samples }))
                })
                .collect(),
        });
        if stopped { Err(WaferError::Stopped { at: reached }) } else { Ok(()) }
    }

    fn read_trace(&self) -> Result<TraceWords, WaferError> {
        let record = self.record.as_ref().ok_or(NOT_RUN)?;
        let none = Vec::new();
        let by_fpga = self
            .playback
            .keys()
            .map(|fpga| (*fpga, trace::encode(record.trace.get(fpga).unwrap_or(&none))))
            .collect();
        Ok(TraceWords { by_fpga })
    }

    fn read_adc(&self, dnc: DncOnWafer, output: AnalogOnHicann) -> Result<AdcTrace, WaferError> {
        let record = self.record.as_ref().ok_or(NOT_RUN)?;
        let trace = record.adc.get(&(dnc, output)).cloned();
        trace.ok_or(WaferError::NothingConnected { dnc, output })
    }

    fn counters(&self) -> Counters {
        self.record.as_ref().map(|r| r.counters.clone()).unwrap_or_default()
    }
}

/// Refusal of what needs a run.
const NOT_RUN: WaferError = WaferError::NotReady { needed: "run an experiment with `run`" };
