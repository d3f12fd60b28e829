//! Runs that are long: recorded events handed on as they come, and checkpoints.
//!
//! A checkpoint holds everything that changes during a run. Loaded into an emulator with the same
//! words, the run goes on as if it had never ended: the same bits come out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hal::archive::{self, Archive, ArchiveError};
use hal::coord::FpgaOnWafer;
use hal::wafer::{DncCycles, PulseEvent, Pulses, WaferError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::RunState;
use crate::link::{Recorder, Stimulus};

/// Takes recorded events: by FPGA in order of time.
pub type Sink<'a> = &'a mut dyn FnMut(FpgaOnWafer, PulseEvent);

/// What a run does besides running.
#[derive(Default)]
pub struct LongRun<'a> {
    /// Where recorded events go. They are kept for the trace if there is no sink; with one, memory
    /// does not grow with the length of the run, and the trace stays empty.
    pub sink: Option<Sink<'a>>,
    /// The file that the run is saved to, and the hardware time between two savings. The file is
    /// replaced as a whole.
    pub save: Option<(PathBuf, DncCycles)>,
    /// Where to go on, instead of the start.
    pub from: Option<Checkpoint>,
    /// Whether to keep the state at the end, for [`Emulator::take_end`](crate::Emulator::take_end).
    pub keep_end: bool,
}

impl std::fmt::Debug for LongRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sink, save, from, keep_end } = self;
        let from = from.as_ref().map(Checkpoint::now);
        f.debug_struct("LongRun")
            .field("sink", &sink.is_some())
            .field("save", save)
            .field("from", &from)
            .field("keep_end", keep_end)
            .finish()
    }
}

/// A run between two of its moments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(crate) now: DncCycles,
    /// Of words, stimulus and settings.
    pub(crate) fingerprint: u64,
    pub(crate) state: RunState,
    pub(crate) stimulus: Stimulus,
    pub(crate) recorder: Recorder,
    /// Recorded events, if they were kept.
    pub(crate) trace: Pulses,
    pub(crate) handed_out: BTreeMap<FpgaOnWafer, u64>,
    /// Whether to go on although something has changed.
    #[serde(skip)]
    pub(crate) changed: bool,
    /// Whether the stimulus is what comes on top of what was sent.
    #[serde(skip)]
    pub(crate) adds: bool,
}

impl Archive for Checkpoint {
    const KIND: [u8; 8] = *b"CHECKPNT";
    const VERSION: u32 = 6;
}

impl Checkpoint {
    /// Reads a checkpoint that a run has saved.
    pub fn read(path: &Path) -> Result<Self, ArchiveError> {
        archive::read(path)
    }

    /// The hardware time that the run had reached.
    pub fn now(&self) -> DncCycles {
        self.now
    }

    /// The same moment in a run whose words, stimulus or probes have changed since. What is still there
    /// takes its state along: membranes, events on their way, short-term and long-term plasticity.
    /// Probes and analog outputs begin anew at this moment. Where nothing but the stimulus to come has
    /// changed, the run goes on as if it had never ended.
    #[must_use]
    pub fn after_changes(self) -> Self {
        Self { changed: true, ..self }
    }

    /// As [`after_changes`](Self::after_changes), with a stimulus that comes on top of what has been sent:
    /// nothing of it is sent again. What was on the links is still under way.
    #[must_use]
    pub fn with_more(self) -> Self {
        Self { changed: true, adds: true, ..self }
    }

    /// Events that the sink had taken, by FPGA. The run that goes on from here continues with the
    /// next ones; what a sink has taken after the checkpoint comes again.
    pub fn handed_out(&self) -> &BTreeMap<FpgaOnWafer, u64> {
        &self.handed_out
    }
}

/// A long run cannot start or go on.
#[derive(Debug, Error)]
pub enum LongRunError {
    /// As for every run.
    #[error(transparent)]
    Wafer(#[from] WaferError),
    /// The checkpoint cannot be saved.
    #[error("checkpoint not saved: {0}")]
    Save(#[from] ArchiveError),
    /// The checkpoint is of another run.
    #[error(
        "the checkpoint at {now} belongs to another run; load the same words, stimulus, wafer, \
         effects, step and probes, or go on `after_changes`"
    )]
    Foreign {
        /// Time of the checkpoint.
        now: DncCycles,
    },
}
