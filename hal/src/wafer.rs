//! What a wafer is to software: words go in, words, samples and counters come out.
//!
//! [`Wafer`] is implemented by the emulator and is meant for real wafers as well. Configuration
//! travels as HICANNCONFIG words, and so do the answers of registers that are read; stimulation and
//! recording travel as playback and trace words. No object of this crate crosses the border.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::coord::{AnalogOnHicann, DncOnWafer, FpgaOnWafer, PulseLabel};

/// A time in cycles of the DNC clock: 4 ns of hardware time (hal-config §0.2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct DncCycles(pub u64);

impl DncCycles {
    /// Hardware seconds per cycle.
    pub const SECONDS: f64 = 4e-9;

    /// The time in hardware seconds.
    pub fn hardware_s(self) -> f64 {
        self.0 as f64 * Self::SECONDS
    }
}

impl fmt::Display for DncCycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x 4 ns", self.0)
    }
}

/// Experiment time that the FPGA needs to send a pulse before its release: 25 cycles of 8 ns.
/// No pulse can be released earlier (hal-config §3.3).
pub const FPGA_HICANN_DELAY: DncCycles = DncCycles(50);

/// An event at the edge of the wafer: one pulse that goes in or comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PulseEvent {
    /// When it is released to, or was sent by, the chip.
    pub time: DncCycles,
    /// Chip, link and address.
    pub label: PulseLabel,
}

/// Pulses by FPGA, each list sorted by time.
pub type Pulses = BTreeMap<FpgaOnWafer, Vec<PulseEvent>>;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub struct $name {
            /// The words of each FPGA in their order.
            pub by_fpga: BTreeMap<FpgaOnWafer, Vec<u64>>,
        }

        impl $name {
            /// Number of words of all FPGAs.
            pub fn len(&self) -> usize {
                self.by_fpga.values().map(Vec::len).sum()
            }

            /// Whether there are no words.
            pub fn is_empty(&self) -> bool {
                self.by_fpga.values().all(Vec::is_empty)
            }
        }
    };
}

words! {
    /// HICANNCONFIG words (hal-config §4.3), in sending order.
    ConfigurationWords
}
words! {
    /// Playback words (hal-config §3.3): pulses, and the end of the experiment.
    PlaybackWords
}
words! {
    /// Trace words (hal-config §3.4): recorded pulses and the end marker.
    TraceWords
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Hardware time emulated so far.
    pub now: DncCycles,
    /// Hardware time of the whole run.
    pub end: DncCycles,
}

/// Why events were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropCause {
    /// The buffer of the link from the FPGA to the chip was full.
    StimulusLinkFull,
    /// The link of the chip does not point towards the chip, or its merger does not pass it on.
    StimulusLinkClosed,
    /// The buffer of the link from the chip to the FPGA was full.
    ReadoutLinkFull,
    /// The circuit fired again before the priority encoder had taken its last event.
    EncoderBusy,
    /// A merger had not taken the last event from this input.
    MergerOverrun,
    /// The buffer behind the chip's link, where pulses wait for their merger, was full.
    ReleaseBufferFull,
}

impl DropCause {
    /// All causes.
    pub const ALL: [Self; 6] = [
        Self::StimulusLinkFull,
        Self::StimulusLinkClosed,
        Self::ReadoutLinkFull,
        Self::EncoderBusy,
        Self::MergerOverrun,
        Self::ReleaseBufferFull,
    ];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StimulusLinkFull => "stimulus_link_full",
            Self::StimulusLinkClosed => "stimulus_link_closed",
            Self::ReadoutLinkFull => "readout_link_full",
            Self::EncoderBusy => "encoder_busy",
            Self::MergerOverrun => "merger_overrun",
            Self::ReleaseBufferFull => "release_buffer_full",
        }
    }
}

/// Events through one stage. `sent = delivered + dropped + pending` always holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// Entered the stage.
    pub sent: u64,
    /// Left the stage.
    pub delivered: u64,
    /// Lost in the stage, by cause.
    pub dropped: BTreeMap<DropCause, u64>,
    /// Still inside when the run ended.
    pub pending: u64,
}

impl Flow {
    /// Counts a lost event.
    pub fn drop_one(&mut self, cause: DropCause) {
        self.drop_many(cause, 1);
    }

    /// Counts lost events.
    pub fn drop_many(&mut self, cause: DropCause, events: u64) {
        *self.dropped.entry(cause).or_default() += events;
    }

    /// Adds the counts of another part of the stage.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.pending += other.pending;
        for (&cause, &events) in &other.dropped {
            self.drop_many(cause, events);
        }
    }

    /// Lost for any cause.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Whether no event is unaccounted for.
    pub fn is_conserved(&self) -> bool {
        self.sent == self.delivered + self.dropped_total() + self.pending
    }
}

/// How long events waited in encoders and mergers, beyond the constant delay of their route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waiting {
    /// Events, each once per bus.
    pub events: u64,
    /// Sum of what they waited.
    pub total: DncCycles,
    /// What 99 % of them do not exceed.
    pub p99: DncCycles,
}

impl Waiting {
    /// Mean in hardware seconds; 0 without events.
    pub fn mean_s(&self) -> f64 {
        self.total.hardware_s() / self.events.max(1) as f64
    }

    /// What 99 % of the events do not exceed, in hardware seconds; 0 without events.
    pub fn p99_s(&self) -> f64 {
        self.p99.hardware_s()
    }
}

/// Diagnostic counters of a run. For reports, never for mapping or calibration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Pulses from playback to the L1 network.
    pub stimulus: Flow,
    /// Events from the chips to the trace.
    pub readout: Flow,
    /// Events through the merger trees of the chips to L1: those of circuits, of background
    /// generators and of the stimulus, each once per bus. Empty if nothing can delay them there.
    pub mergers: Flow,
    /// How long those waited.
    pub waiting: Waiting,
    /// Threshold crossings of circuits with an enabled output.
    pub neuron_spikes: u64,
    /// Events that arrived at a synapse with a matching address.
    pub synaptic_events: u64,
}

/// Samples of one analog output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdcTrace {
    /// Raw 12-bit samples, the first one at the start of the run.
    pub samples: Vec<u16>,
}

impl AdcTrace {
    /// Samples per hardware second.
    pub const SAMPLE_RATE_HZ: f64 = 96e6;

    /// Voltage of a raw sample by the default calibration: 0 is 1.8 V, 4095 is 0 V.
    pub fn volts(raw: u16) -> f64 {
        1.8 * (1.0 - f64::from(raw) / 4095.0)
    }
}

/// A wafer did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WaferError {
    /// The configuration words make no sense.
    #[error("configuration refused: {0}")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The playback words make no sense.
    #[error("playback refused: {0}")]
    Playback(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A call came before the call it needs.
    #[error("{needed} first")]
    NotReady {
        /// What has to be done before.
        needed: &'static str,
    },
    /// Nothing is connected to this analog output.
    #[error("analog output {output} of reticle {dnc} shows no membrane; connect one circuit to it")]
    NothingConnected {
        /// The reticle.
        dnc: DncOnWafer,
        /// The output.
        output: AnalogOnHicann,
    },
    /// The wafer cannot be reached (any more).
    #[error("no connection to the wafer: {0}")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What a wafer at the other end of a line says, if it is nothing of the above.
    #[error("{0}")]
    Remote(String),
    /// The progress callback asked to stop. What was recorded so far can be read.
    #[error("stopped at {at}")]
    Stopped {
        /// Hardware time reached.
        at: DncCycles,
    },
}

/// A wafer that can be configured, stimulated, run and read.
pub trait Wafer {
    /// Sends configuration words. Words of later calls change the state left by earlier ones.
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError>;

    /// Sends configuration words like [`configure`](Self::configure) and returns the answers to
    /// those that read, in their order, with an entry for every FPGA that was sent words
    /// (hal-config §4.3). [`crate::verify`] makes use of it.
    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError>;

    /// Loads the playback memories. The latest end marker is the length of the run.
    fn stimulate(&mut self, playback: &PlaybackWords) -> Result<(), WaferError>;

    /// Starts the experiment and waits until it has ended. `progress` is called now and then and
    /// may stop the run.
    fn run(
        &mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), WaferError>;

    /// Reads the trace memories of the last run.
    fn read_trace(&self) -> Result<TraceWords, WaferError>;

    /// Reads what the ADC sampled on an analog output of a reticle during the last run.
    fn read_adc(&self, dnc: DncOnWafer, output: AnalogOnHicann) -> Result<AdcTrace, WaferError>;

    /// Counters of the last run.
    fn counters(&self) -> Counters;
}
