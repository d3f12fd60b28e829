//! The wafer of [`hal::wafer::Wafer`]: words in, words, samples and counters out.

mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use hal::codec::{Access, DecodeError, WaferState};
use hal::config::WaferConfig;
use hal::coord::{
    AnalogOnHicann, DncOnWafer, FpgaOnWafer, HicannOnWafer, NeuronOnHicann, OnWafer,
    SynapseOnHicann,
};
use hal::defects::Defects;
use hal::law::Capacitors;
use hal::playback::{self, Playback};
use hal::trace;
use hal::wafer::{
    AdcTrace, ConfigurationWords, Counters, DncCycles, PlaybackWords, Progress, Pulses, TraceWords,
    Wafer, WaferError,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};

use crate::connectivity::{Connectivity, trace as trace_connectivity};
use crate::effects::Effects;
use crate::engine::Network;
use crate::flaws::Flaws;
use crate::instance::Instance;
use crate::long_run::{Checkpoint, LongRun, LongRunError};
use crate::readout::{self, Shown};
use crate::silicon::{Drawn, Programming, scramble};

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
    /// The ideal wafer without effects, all processors, steps of 16 ns.
    fn default() -> Self {
        Self {
            instance: Instance::Ideal,
            effects: Effects::NONE,
            threads: None,
            step: DncCycles(4),
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
    /// Random numbers of the chips of the last run, if they were few.
    drawn: BTreeMap<HicannOnWafer, Arc<Drawn>>,
    /// Chips that words were sent to and that are not there.
    missing: BTreeSet<HicannOnWafer>,
    config: WaferConfig,
    connectivity: OnceLock<Connectivity>,
    built: Option<Built>,
    playback: BTreeMap<FpgaOnWafer, Playback>,
    /// Of all words since reset, and of the stimulus.
    words_seen: u64,
    playback_seen: u64,
    probes: BTreeMap<OnWafer<NeuronOnHicann>, DncCycles>,
    record: Option<Record>,
}

/// The true voltage of a membrane during a run: what a probe sees and no wafer shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueState {
    /// Hardware time between two values.
    pub every: DncCycles,
    /// Hardware time of the first value: the start of the run, or where it went on after changes.
    pub from: DncCycles,
    /// Volts: the first value, and then one at every multiple of the interval.
    pub volts: Vec<f32>,
}

/// The network of the present words before any run, for runs that go on.
#[derive(Debug)]
struct Built {
    network: Network,
    /// The probes that it has.
    probes: BTreeMap<OnWafer<NeuronOnHicann>, DncCycles>,
}

/// What the last run left behind.
#[derive(Debug)]
struct Record {
    trace: Pulses,
    released: Pulses,
    counters: Counters,
    adc: BTreeMap<(DncOnWafer, AnalogOnHicann), AdcTrace>,
    truth: BTreeMap<OnWafer<NeuronOnHicann>, TrueState>,
    capacitors: BTreeMap<OnWafer<SynapseOnHicann>, Capacitors>,
    end: Option<Checkpoint>,
}

impl Emulator {
    /// A wafer in reset.
    pub fn new(settings: Settings) -> Self {
        Self::with_defects(settings, &settings.instance.defects())
    }

    /// A wafer in reset of which exactly this does not work, whatever its number.
    pub fn with_defects(settings: Settings, defects: &Defects) -> Self {
        let step = settings.step.clamp(DncCycles(1), LONGEST_STEP);
        // where threads cannot be started, the pool that the process shares serves; a pool of this
        // size that the caller works in serves without the wait for another thread
        let threads = settings.threads.unwrap_or(0);
        let serves =
            rayon::current_thread_index().is_some() && rayon::current_num_threads() == threads;
        let build = || ThreadPoolBuilder::new().num_threads(threads).build().ok();
        let pool = if serves { None } else { build() };
        Self {
            settings: Settings { step, ..settings },
            pool,
            defects: defects.propagated(),
            registers: WaferState::default(),
            programming: Programming::default(),
            drawn: BTreeMap::new(),
            missing: BTreeSet::new(),
            config: WaferConfig::default(),
            connectivity: OnceLock::new(),
            built: None,
            playback: BTreeMap::new(),
            words_seen: 0,
            playback_seen: 0,
            probes: BTreeMap::new(),
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

    /// The state at the end of the last run, if it was kept: another run can go on from there.
    pub fn take_end(&mut self) -> Option<Checkpoint> {
        self.record.as_mut()?.end.take()
    }

    /// Shows the true voltages of no circuit any more.
    pub fn forget_probes(&mut self) {
        self.probes.clear();
    }

    /// Keeps, in the runs to come, the true voltage of a circuit's membrane at these intervals, to
    /// the next multiple of the time step. No wafer can do this: it is a look into the model, and
    /// knows no offset, noise or limit of the number of outputs.
    pub fn probe(&mut self, neuron: OnWafer<NeuronOnHicann>, every: DncCycles) {
        self.probes.insert(neuron, every);
    }

    /// The voltages of a synapse's correlation capacitors at the end of the last run; none if no
    /// controller updates its row by itself, or if nothing depends on it. The weights that the
    /// controllers have written are read like all others.
    pub fn correlation(&self, synapse: OnWafer<SynapseOnHicann>) -> Option<Capacitors> {
        self.record.as_ref()?.capacitors.get(&synapse).copied()
    }

    /// What a probe saw during the last run; none if there was no probe, or if the membrane is not
    /// emulated because nothing depends on it.
    pub fn true_state(&self, neuron: OnWafer<NeuronOnHicann>) -> Option<&TrueState> {
        self.record.as_ref()?.truth.get(&neuron)
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
        self.built = None;
        let (words, lost) = self.heard(words);
        let applied = self.install(|| self.registers_after(&words));
        let answers;
        (self.registers, self.config, answers) = applied.map_err(refused)?;
        self.programming.observe(&words);
        self.words_seen = seen(self.words_seen, &words.by_fpga);
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
        self.playback_seen = seen(0, &playback.by_fpga);
        Ok(())
    }

    fn run(
        &mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), WaferError> {
        self.run_long(LongRun::default(), progress).map_err(|error| match error {
            LongRunError::Wafer(error) => error,
            // neither a file nor a checkpoint was asked for
            other => WaferError::Configuration(other.into()),
        })
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

/// A number for words on top of others.
fn seen(before: u64, words: &BTreeMap<FpgaOnWafer, Vec<u64>>) -> u64 {
    words.iter().fold(before, |before, (fpga, words)| {
        let start = scramble(before ^ fpga.index() as u64);
        words.iter().fold(start, |seen, word| scramble(seen ^ word))
    })
}

/// Refusal of what needs a run.
const NOT_RUN: WaferError = WaferError::NotReady { needed: "run an experiment with `run`" };
