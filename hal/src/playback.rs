//! Playback words: the stimulus of a run as the FPGA plays it back (hal-config §3.3).
//!
//! A program is a list of 32-bit entries, two in a word, the lower half first. Pulses travel in
//! groups that start at an FPGA time; each pulse carries the 15-bit time stamp at which the chip
//! releases it. The program begins with an FPGA configuration at time 0 and ends with the one that
//! marks the end of the experiment.

mod decode;
mod encode;

use thiserror::Error;

use crate::coord::{FpgaOnWafer, PulseLabel};
use crate::wafer::{DncCycles, FPGA_HICANN_DELAY};

pub use decode::decode;
pub use encode::{encode, encode_fpga};

/// Most pulses of one group.
pub const MAX_GROUP: usize = 184;
/// Least distance in FPGA cycles between the end of a group and the start of the next one.
pub const GROUP_DISTANCE: u64 = 6;
/// How late a pulse may leave the FPGA, in FPGA cycles. Later ones could no longer be told from
/// early ones by their 15-bit time stamp.
pub const MAX_LATENESS: u64 = 1 << 12;
/// Longest run. More than an hour of hardware time.
pub const MAX_RUNTIME: DncCycles = DncCycles(1 << 40);

/// Bits of the FPGA time in a group header.
const FPGA_TIME_BITS: u32 = 14;
const FPGA_TIME_MASK: u64 = (1 << FPGA_TIME_BITS) - 1;
/// Bits of the release time in a pulse.
const RELEASE_BITS: u32 = 15;
const RELEASE_MASK: u64 = (1 << RELEASE_BITS) - 1;
/// Position of label and count in an entry.
const UPPER_FIELD: u32 = 18;
/// Header bit of a group that carries a configuration instead of pulses.
const IS_CONFIG: u32 = 1 << 16;
/// Largest number of periods of 2^14 FPGA cycles that one wait entry skips.
const MAX_WAIT: u64 = 0x3fff;
/// A wait entry itself takes a few cycles: from this position on it ends in the next period.
const WAIT_CROSSES: u64 = 0x3ffb;
/// Upper half of an FPGA configuration, and the bit in it that ends the experiment.
const FPGA_CONFIG: u32 = 1 << 31;
const END_OF_EXPERIMENT: u32 = 1 << 30;
/// Bits of the lower half of an FPGA configuration.
const STOP_TRACE: u32 = 1;
const START_TRACE_READ: u32 = 1 << 1;
const BLOCK_TRACE: u32 = 1 << 2;

/// The period from which a wait entry counts if the last thing was sent at `last`.
const fn period_of_wait(last: u64) -> u64 {
    (last >> FPGA_TIME_BITS) + (last & FPGA_TIME_MASK > WAIT_CROSSES) as u64
}

/// One pulse of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaybackPulse {
    /// When it leaves the FPGA, in FPGA cycles of 8 ns.
    pub fpga_send_time: u64,
    /// When the chip releases it if its link uses time stamps.
    pub release: DncCycles,
    /// Chip, link and address.
    pub label: PulseLabel,
}

/// The program of one FPGA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playback {
    /// In sending order.
    pub pulses: Vec<PlaybackPulse>,
    /// End of the experiment, even.
    pub end: DncCycles,
    /// Whether events of the chips are recorded.
    pub record: bool,
}

/// A stimulus cannot be played back, or words are no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PlaybackError {
    /// The list of pulses is not sorted.
    #[error("{fpga}: pulse {index} is earlier than the one before it; sort the pulses by time")]
    Unsorted {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Position of the pulse.
        index: usize,
    },
    /// The FPGA needs time to send a pulse.
    #[error(
        "{fpga}: a pulse at {time} cannot be sent in time; \
         the earliest possible release is {FPGA_HICANN_DELAY}"
    )]
    TooEarly {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Its release time.
        time: DncCycles,
    },
    /// The FPGA sends one pulse per 8 ns at most.
    #[error(
        "{fpga}: the pulse at {time} would be sent {late} x 8 ns late; an FPGA sends one pulse \
         per 8 ns: spread the input over more reticles or lower its rate"
    )]
    TooDense {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Its release time.
        time: DncCycles,
        /// Lateness in FPGA cycles.
        late: u64,
    },
    /// A pulse lies behind the end of the run.
    #[error("{fpga}: the run of {runtime} ends before the pulse at {time} is sent; run longer")]
    RuntimeTooShort {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Length of the run.
        runtime: DncCycles,
        /// Release time of the last pulse.
        time: DncCycles,
    },
    /// The run is longer than a program can express.
    #[error("a run of {runtime} is too long; split it into runs of at most {MAX_RUNTIME}")]
    RuntimeTooLong {
        /// Length of the run.
        runtime: DncCycles,
    },
    /// The words stop in the middle.
    #[error("the program ends after {words} words without its end marker")]
    Truncated {
        /// Number of words.
        words: usize,
    },
    /// Words follow the end marker.
    #[error("word {index} follows the end marker; one program per FPGA")]
    AfterEnd {
        /// Position of the word.
        index: usize,
    },
    /// An entry that no program contains.
    #[error("word {index}: {entry:#010x} is {what}")]
    Malformed {
        /// Position of the word.
        index: usize,
        /// The entry.
        entry: u32,
        /// What is wrong with it.
        what: &'static str,
    },
}
