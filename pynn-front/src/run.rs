//! A run from end to end: network, mapping, words, wafer, spikes.
//!
//! [`run`] is the function to read first: each line is a stage, and what passes between the lines
//! is all that passes between the layers.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Instant;

use emulator::{Effects, Instance, Settings};
use hal::codec::{DecodeError, EncodeError};
use hal::config::WaferConfig;
use hal::coord::{Coordinate as _, FpgaOnWafer};
use hal::playback::{self, PlaybackError};
use hal::trace::TraceError;
use hal::wafer::{
    ConfigurationWords, Counters, PlaybackWords, Pulses, TraceWords, Wafer, WaferError,
};
use marocco::mapping::Mapping;
use marocco::verify::{Rules, Verification};
use marocco::{MapError, MappingReport, Stage, report};
use thiserror::Error;

use crate::accounting::CpuEnergy;
use crate::calibration::{CalibratedError, Source};
use crate::experiment::Protocol;
use crate::ready::Ready;
use crate::realise::{Realised, on_threads};
use crate::recording::{self, Recording};
use crate::report::{RunFacts, RunReport, RunSeconds};
use crate::stimulus::{end_cycle, poisson_trains, pulses};
use crate::wafer::AnyWafer;

/// What a user chooses besides the experiment itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// The wafer; the ideal one by default.
    pub instance: Instance,
    /// Effects of the wafer that are switched on; none by default, as on the ideal wafer.
    pub effects: Effects,
    /// Map as if nothing of the wafer were broken.
    pub ignore_defects: bool,
    /// Do not choose the circuits that fire on the programmed wafer: neurons differ as the
    /// calibration leaves them.
    pub untrimmed: bool,
    /// Seed of mapping and stimulus.
    pub seed: u64,
    /// Number of threads; results do not depend on it. All processors by default.
    pub threads: Option<usize>,
    /// The server whose wafer is used, with the effects of the server; none for a wafer that is
    /// emulated here.
    pub remote: Option<SocketAddr>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Chips are measured that no database knows: how many are done, and of how many.
    Calibrating {
        /// Chips that are measured.
        done: usize,
        /// All chips to be measured.
        chips: usize,
    },
    /// The mapper works on a stage.
    Mapping(Stage),
    /// The circuits that fire are chosen on the programmed wafer.
    Trimming,
    /// The configuration is turned into words.
    Encoding,
    /// The verifier holds words and mapping against each other.
    Verifying,
    /// The wafer takes in configuration and stimulus.
    Configuring,
    /// The wafer runs: share of the run, 0..=1.
    Emulating(f64),
    /// Trace words become spikes.
    Reading,
}

/// A run that did not come to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The network cannot be mapped.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The chips cannot be calibrated.
    #[error(transparent)]
    Calibration(#[from] CalibratedError),
    /// The mapper made a configuration that words cannot express.
    #[error("configuration not encoded: {0}")]
    Encode(#[from] EncodeError),
    /// The words of the configuration make no sense to the verifier.
    #[error("configuration words not understood: {0}")]
    Decode(#[from] DecodeError),
    /// The stimulus cannot be played back.
    #[error("stimulus not possible: {0}")]
    Playback(#[from] PlaybackError),
    /// The wafer refused.
    #[error(transparent)]
    Wafer(#[from] WaferError),
    /// The trace makes no sense.
    #[error("trace not understood: {0}")]
    Trace(#[from] TraceError),
    /// The operating system gives no threads.
    #[error("{threads} threads are not to be had: {reason}; ask for fewer")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        reason: String,
    },
}

/// Everything that a run leaves behind.
#[derive(Debug)]
pub struct Outcome {
    /// What was placed where, what was lost and why.
    pub mapping: Mapping,
    /// The configuration of the chips.
    pub config: WaferConfig,
    /// What it was verified against: limits and the defects of the wafer.
    pub rules: Rules,
    /// Whether the words realise exactly this mapping.
    pub verification: Verification,
    /// The configuration as it was sent.
    pub words: ConfigurationWords,
    /// The stimulus as it was sent.
    pub input: PlaybackWords,
    /// The stimulus as it was released at the edge of the wafer; a remote wafer does not tell.
    pub released: Option<Pulses>,
    /// What came back.
    pub trace: TraceWords,
    /// What it means.
    pub recording: Recording,
    /// The mapping in numbers.
    pub mapping_report: MappingReport,
    /// The run in numbers.
    pub run_report: RunReport,
}

/// Maps the network, configures a wafer, runs it and reads the spikes.
///
/// Equal protocol, effects and seed give equal words and spikes, whatever the number of threads.
pub fn run(
    protocol: &Protocol,
    options: &RunOptions,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RunError> {
    on_threads(options.threads, |threads| run_here(protocol, options, None, threads, observe))?
}

/// As [`run`], with the calibration of the chips that the network uses, from a source that measures
/// those that are missing. Circuits that it blacklists are not used.
pub fn run_calibrated(
    protocol: &Protocol,
    options: &RunOptions,
    source: &mut Source<'_>,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RunError> {
    let source = Some(source);
    on_threads(options.threads, |threads| run_here(protocol, options, source, threads, observe))?
}

/// Runs a network that is ready, for example one that [`Ready::again`] gave other weights.
pub fn run_ready(
    protocol: &Protocol,
    ready: Ready,
    options: &RunOptions,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RunError> {
    on_threads(options.threads, |threads| perform(protocol, ready, options, threads, observe))?
}

fn run_here(
    protocol: &Protocol,
    options: &RunOptions,
    source: Option<&mut Source<'_>>,
    threads: usize,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RunError> {
    // place and route; from here on only words
    let ready = Ready::new(protocol, options, source, observe)?;
    perform(protocol, ready, options, threads, observe)
}

fn perform(
    protocol: &Protocol,
    ready: Ready,
    options: &RunOptions,
    threads: usize,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RunError> {
    let network = protocol.model.network();
    let Realised { mapping, config, words, rules, verification, encode_s, .. } = ready.realised;
    let mut wall_s = RunSeconds { build: encode_s, ..RunSeconds::default() };

    // stimulus
    let clock = Instant::now();
    let trains = poisson_trains(network, protocol.duration_ms, options.seed);
    let end = end_cycle(protocol.duration_ms, protocol.scaling.speedup);
    let fpgas = FpgaOnWafer::all();
    let input = playback::encode(&pulses(network, &mapping, &trains), fpgas, end)?;

    // wafer
    observe(Progress::Configuring);
    let RunOptions { instance, effects, .. } = *options;
    let settings = Settings { instance, effects, threads: Some(threads), ..Settings::default() };
    let mut any = AnyWafer::new(settings, options.remote)?;
    let wafer = any.wafer();
    wafer.configure(&words)?;
    wafer.stimulate(&input)?;
    wall_s.build += clock.elapsed().as_secs_f64();
    let (seconds, cpu_energy_j) = emulate(wafer, observe)?;
    wall_s.build += seconds.build;
    wall_s.emulate = seconds.emulate;

    // spikes
    observe(Progress::Reading);
    let clock = Instant::now();
    let trace = wafer.read_trace()?;
    let recorded = protocol.model.recorded();
    let mut recording = recording::read(network, &mapping, &trace, recorded, protocol.duration_ms)?;
    protocol.readout.cut(network, &mut recording);
    wall_s.read = clock.elapsed().as_secs_f64();

    let counters: &Counters = &wafer.counters();
    let run_report = RunReport::new(&RunFacts {
        hardware_s: end.hardware_s(),
        words: &words,
        wall_s,
        counters,
        cpu_energy_j,
        bio_ms: protocol.duration_ms,
        recorded: recording.n_spikes() as u64,
        besides: recording.besides,
        instance: options.instance,
        effects: options.effects,
        remote: options.remote,
        seed: options.seed,
        threads,
    });
    Ok(Outcome {
        mapping_report: report(network, &mapping, verification.is_ok()),
        released: any.released_stimulus(),
        mapping,
        config,
        rules,
        verification,
        words,
        input,
        trace,
        recording,
        run_report,
    })
}

/// Runs a wafer that is configured and has its stimulus. What it does before it first tells of its
/// progress is building: it finds out what its words connect. Returns wall seconds, and the joules of the
/// processor during the emulation if it has counters of them.
pub fn emulate(
    wafer: &mut dyn Wafer,
    observe: &mut dyn FnMut(Progress),
) -> Result<(RunSeconds, Option<f64>), WaferError> {
    let clock = Instant::now();
    let mut build = None;
    let mut energy = None;
    wafer.run(&mut |p| {
        build.get_or_insert_with(|| {
            energy = CpuEnergy::start();
            clock.elapsed().as_secs_f64()
        });
        observe(Progress::Emulating(p.now.0 as f64 / p.end.0.max(1) as f64));
        ControlFlow::Continue(())
    })?;
    let (build, total) = (build.unwrap_or_default(), clock.elapsed().as_secs_f64());
    let cpu_energy_j = energy.and_then(|e| e.joules());
    Ok((RunSeconds { build, emulate: total - build, ..RunSeconds::default() }, cpu_energy_j))
}
