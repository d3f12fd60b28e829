//! A second look at a network that has gone on running: the wafer's own time is cheap, that of the
//! emulator is not.
//!
//! The run starts anew, because it does so exactly, and nothing is kept of it but its end. It is saved
//! now and then and goes on from there if it was stopped.

use std::ops::ControlFlow;
use std::path::Path;

use emulator::{Checkpoint, Emulator, LongRun, LongRunError, Settings};
use hal::archive::ArchiveError;
use hal::coord::{Coordinate as _, FpgaOnWafer};
use hal::playback;
use hal::wafer::{DncCycles, PulseEvent, Wafer as _, WaferError};
use marocco::SavedMapping;
use thiserror::Error;

use crate::experiment::Protocol;
use crate::realise::on_threads;
use crate::recording::{PopulationSpikes, Recording, Senders};
use crate::run::{Progress, RunError, RunOptions};
use crate::stimulus::{end_cycle, poisson_trains, pulses, time_ms};

/// Biological ms between two savings, at least.
const SAVE_EVERY_MS: f64 = 100_000.0;

/// There is no second sample.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SecondSampleError {
    /// As for the first one.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run cannot go on from its checkpoint, or not be saved.
    #[error("{0}; remove the file of the checkpoint to start anew")]
    LongRun(#[from] LongRunError),
    /// The checkpoint cannot be read.
    #[error("checkpoint: {0}; remove it to start anew")]
    Checkpoint(#[from] ArchiveError),
}

/// Runs a mapped network again, for its first sample, for `after_ms` more, and then for a second sample
/// of the same length, which is returned; its times begin with it.
pub fn second_sample(
    protocol: &Protocol,
    saved: &SavedMapping,
    options: &RunOptions,
    after_ms: f64,
    checkpoint: &Path,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Recording, SecondSampleError> {
    on_threads(options.threads, |threads| {
        sample(protocol, saved, options, after_ms, checkpoint, threads, observe)
    })?
}

fn sample(
    protocol: &Protocol,
    saved: &SavedMapping,
    options: &RunOptions,
    after_ms: f64,
    checkpoint: &Path,
    threads: usize,
    observe: &mut (dyn FnMut(Progress) + Send),
) -> Result<Recording, SecondSampleError> {
    let SavedMapping { network, mapping, words, .. } = saved;
    let speedup = mapping.scaling.speedup;
    let from_ms = protocol.duration_ms + after_ms;
    let until_ms = from_ms + protocol.duration_ms;
    let trains = poisson_trains(network, until_ms, options.seed);
    let end = end_cycle(until_ms, speedup);
    let input = playback::encode(&pulses(network, mapping, &trains), FpgaOnWafer::all(), end)
        .map_err(RunError::from)?;

    observe(Progress::Configuring);
    let RunOptions { instance, effects, .. } = *options;
    let settings = Settings { instance, effects, threads: Some(threads), ..Settings::default() };
    let mut wafer = Emulator::new(settings);
    wafer.configure(words).map_err(RunError::from)?;
    wafer.stimulate(&input).map_err(RunError::from)?;

    let senders = Senders::new(network, mapping);
    let mut populations: Vec<(marocco::network::PopulationId, PopulationSpikes)> = protocol
        .model
        .recorded()
        .map(|id| {
            let population = network.population(id);
            let trains = vec![Vec::new(); population.size];
            (id, PopulationSpikes { label: population.label.clone(), trains })
        })
        .collect();
    let mut sink = |fpga: FpgaOnWafer, event: PulseEvent| {
        let time = time_ms(event.time, speedup) - from_ms;
        if time < 0.0 {
            return;
        }
        if let Some((id, member)) = senders.find(fpga, event.label)
            && let Some((_, population)) = populations.iter_mut().find(|(own, _)| *own == id)
        {
            population.trains[member].push(time);
        }
    };
    let from = if checkpoint.exists() { Some(Checkpoint::read(checkpoint)?) } else { None };
    // never within the second sample, whose first spikes a run that went on from there would lack
    let pieces = (from_ms / SAVE_EVERY_MS.max(protocol.duration_ms)).floor().max(1.0);
    let every = (from_ms / pieces * 1e-3 / speedup / DncCycles::SECONDS) as u64;
    let how = LongRun {
        sink: Some(&mut sink),
        save: Some((checkpoint.to_owned(), DncCycles(every))),
        from,
        ..LongRun::default()
    };
    wafer.run_long(how, &mut |p| {
        observe(Progress::Emulating(p.now.0 as f64 / p.end.0.max(1) as f64));
        ControlFlow::Continue(())
    })?;
    // it has served
    let _ = std::fs::remove_file(checkpoint);
    let mut recording = Recording {
        populations: populations.into_iter().map(|(_, population)| population).collect(),
        duration_ms: protocol.duration_ms,
        ..Recording::default()
    };
    for train in recording.populations.iter_mut().flat_map(|p| &mut p.trains) {
        train.sort_unstable_by(f64::total_cmp);
    }
    protocol.readout.cut(network, &mut recording);
    Ok(recording)
}

impl From<WaferError> for SecondSampleError {
    fn from(error: WaferError) -> Self {
        Self::Run(error.into())
    }
}
