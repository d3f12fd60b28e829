//! The wafer of [`hal::wafer::Wafer`]: words in, words, samples and counters out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use hal::codec::{Access, DecodeError, WaferState};
use hal::config::WaferConfig;
use hal::coord::{AnalogOnHicann, DncOnWafer, FpgaOnWafer, HicannOnWafer};
use hal::defects::Defects;
use hal::playback::{self, Playback};
use hal::trace;
use hal::wafer::{
    AdcTrace, ConfigurationWords, Counters, DncCycles, PlaybackWords, Progress, Pulses, TraceWords,
    Wafer, WaferError,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};

use crate::absent;
use crate::background::Generators;
use crate::connectivity::{Connectivity, trace as trace_connectivity};
use crate::effects::{Effect, Effects};
use crate::engine::{Made, Network, Release, Run};
use crate::flaws::Flaws;
use crate::instance::Instance;
use crate::link;
use crate::readout::{self, Shown};
use crate::silicon::Programming;

/// Windows of the engine between two calls of the progress callback.
const WINDOWS_PER_CALL: usize = 64;

/// Longest time step: 1 us of hardware time.
const LONGEST_STEP: DncCycles = DncCycles(250);

/// Which wafer is emulated, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The wafer.
    pub instance: Instance,
    /// The effects that are switched on. Those of a wafer by default are
    /// [`Instance::default_effects`]. Random ones are drawn on the ideal wafer, too.
    pub effects: Effects,
    /// Number of threads; `None` or 0 means one per processor. Results do not depend on it.
    pub threads: Option<usize>,
    /// Time step, 1 to 250 cycles; beyond, the nearest of these counts. Events act on its grid.
    pub step: DncCycles,
}

impl Settings {
    /// A wafer with the effects that it has by default.
    pub fn of(instance: Instance) -> Self {
        Self { instance, effects: instance.default_effects(), ..Self::default() }
    }
}

impl Default for Settings {
    /// The ideal wafer without effects, all processors, steps of 4 ns.
    fn default() -> Self {
        Self {
            instance: Instance::Ideal,
            effects: Effects::NONE,
            threads: None,
            step: DncCycles(1),
        }
    }
}

/// An emulated wafer.
#[derive(Debug)]
pub struct Emulator {
    settings: Settings,
    pool: Option<ThreadPool>,
    /// What does not work, for any reason.
    defects: Defects,
    registers: WaferState,
    programming: Programming,
    /// Chips that words were sent to and that are not there.
    missing: BTreeSet<HicannOnWafer>,
    config: WaferConfig,
    connectivity: OnceLock<Connectivity>,
    playback: BTreeMap<FpgaOnWafer, Playback>,
    record: Option<Record>,
}

/// Time that events waited in encoders and mergers, beyond the constant delay of their route.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Queueing {
    /// Mean over all events and buses, hardware seconds.
    pub mean_s: f64,
    /// What 99 % of them do not exceed, hardware seconds.
    pub p99_s: f64,
}

/// What the last run left behind.
#[derive(Debug)]
struct Record {
    trace: Pulses,
    released: Pulses,
    queueing: Queueing,
    counters: Counters,
    adc: BTreeMap<(DncOnWafer, AnalogOnHicann), AdcTrace>,
}

impl Emulator {
    /// A wafer in reset.
    pub fn new(settings: Settings) -> Self {
        Self::with_defects(settings, &settings.instance.defects())
    }

    /// A wafer in reset of which exactly this does not work, whatever its number.
    pub fn with_defects(settings: Settings, defects: &Defects) -> Self {
        let step = settings.step.clamp(DncCycles(1), LONGEST_STEP);
        // where threads cannot be started, the pool that the process shares serves
        let threads = settings.threads.unwrap_or(0);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().ok();
        Self {
            settings: Settings { step, ..settings },
            pool,
            defects: defects.propagated(),
            registers: WaferState::default(),
            programming: Programming::default(),
            missing: BTreeSet::new(),
            config: WaferConfig::default(),
            connectivity: OnceLock::new(),
            playback: BTreeMap::new(),
            record: None,
        }
    }

    /// What the configuration words connect, as the emulator sees it. With the effect
    /// `weight_offset` synapses of weight 0 are included, with `dll_locking` buses without a
    /// background generator are not.
    pub fn connectivity(&self) -> &Connectivity {
        self.connectivity.get_or_init(|| {
            let effects = self.settings.effects;
            self.install(|| trace_connectivity(&self.config, &self.flaws(), effects))
        })
    }

    /// The chips that words were sent to and that are not there. Such words are lost, and those
    /// that read have no answer.
    pub fn missing_hicanns(&self) -> &BTreeSet<HicannOnWafer> {
        &self.missing
    }

    /// The words that reach a chip, and the chips that others were meant for.
    fn heard(&self, words: &ConfigurationWords) -> (ConfigurationWords, BTreeSet<HicannOnWafer>) {
        let mut lost = BTreeSet::new();
        let mut heard = words.clone();
        for (fpga, words) in &mut heard.by_fpga {
            words.retain(|&word| {
                // what is no word of a chip is refused later
                let Some((link, _)) = Access::from_word(word) else { return true };
                let hicann = fpga.dnc().hicann(link.hicann());
                let there = !self.defects.is_defective(hicann);
                if !there {
                    lost.insert(hicann);
                }
                there
            });
        }
        (heard, lost)
    }

    fn flaws(&self) -> Flaws<'_> {
        Flaws::new(self.settings.instance, &self.defects)
    }

    /// The pulses of the last run as they were released at the wafer's edge, by FPGA. Empty before
    /// the first run.
    pub fn released_stimulus(&self) -> Pulses {
        self.record.as_ref().map(|r| r.released.clone()).unwrap_or_default()
    }

    /// How long events waited in encoders and mergers during the last run; zero without the effect
    /// `arbitration`.
    pub fn queueing(&self) -> Queueing {
        self.record.as_ref().map(|r| r.queueing).unwrap_or_default()
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
        readout::shown(&self.config, &self.flaws()).map_err(|e| WaferError::Configuration(e.into()))
    }
}

impl Wafer for Emulator {
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        self.read(words).map(drop)
    }

    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        let refused = |e: DecodeError| WaferError::Configuration(e.into());
        self.connectivity = OnceLock::new();
        let (words, lost) = self.heard(words);
        let applied = self.install(|| self.registers_after(&words));
        let answers;
        (self.registers, self.config, answers) = applied.map_err(refused)?;
        self.programming.observe(&words);
        self.missing.extend(lost);
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
        let flaws = self.flaws();
        let Settings { instance, .. } = self.settings;
        let made = Made { instance, effects, flaws, programming: &self.programming };
        let mut network = self.install(|| Network::new(&self.config, wiring, &made, step));
        for &neuron in shown.values() {
            let Some(chip) = self.config.hicanns.get(&neuron.hicann) else { continue };
            let silicon = made.chip(neuron.hicann, chip);
            let offset_v = silicon.readout_offset_v(neuron.local);
            network.add_probe(neuron, offset_v, silicon.adc_noise(neuron.local));
        }
        let bandwidth = effects.contains(Effect::LinkBandwidth);
        let pulses = link::stimulus(&self.playback, &self.config, &flaws, bandwidth);
        let releases: Vec<Release> = pulses
            .iter()
            .filter_map(|p| Some(Release { time: p.time, bus: p.fate.ok()? }))
            .collect();
        let locking = effects.contains(Effect::BackgroundEvents);
        let generators = Generators::new(&self.config, &flaws, locking);
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
        let waiting = run.waiting();
        self.record = Some(Record {
            trace,
            released: link::released(&pulses, reached),
            queueing: Queueing { mean_s: waiting.mean_s(), p99_s: waiting.p99_s() },
            counters: Counters {
                stimulus: link::stimulus_flow(&pulses, reached),
                readout,
                mergers: run.merger_flow(),
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
