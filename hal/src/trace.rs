//! Trace words: what the FPGA sends back about a run (hal-config §3.4).
//!
//! Each word holds two 32-bit entries, the lower half first. An entry is an event with a 15-bit
//! time stamp, the count of wraps of that stamp since the last count, or nothing.

use thiserror::Error;

use crate::coord::PulseLabel;
use crate::wafer::{DncCycles, PulseEvent};

/// The last word of every trace.
pub const END_OF_TRACE: u64 = 0x4000_E11D_4000_0000;

const NO_EVENT: u32 = 1 << 30;
const OVERFLOW: u32 = 1 << 31;
const FPGA_MSB: u32 = 1 << 29;
/// The two upper bits of the 14-bit label, which name a DNC and are always 0.
const PADDING: u32 = 0b11 << 27;
const STAMP_BITS: u32 = 15;
const STAMP_MASK: u32 = (1 << STAMP_BITS) - 1;
/// Largest count of wraps in one entry.
const MAX_OVERFLOW: u64 = 0x7fff_ffff;

/// Trace words that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TraceError {
    /// The recording was cut off.
    #[error("the trace ends without its end marker; read the trace memory again")]
    Truncated,
    /// Words follow the end marker.
    #[error("word {index} is an end marker, but {words} words were read; read them as two traces")]
    EarlyEnd {
        /// Position of the end marker.
        index: usize,
        /// Number of words.
        words: usize,
    },
    /// An event of a chip that no FPGA has.
    #[error("word {index}: entry {entry:#010x} has non-zero padding (bits 28..27)")]
    Padding {
        /// Position of the word.
        index: usize,
        /// The entry.
        entry: u32,
    },
    /// The counted wraps leave the range of 64-bit times.
    #[error("word {index}: the time of the trace exceeds 64 bits")]
    TimeOverflow {
        /// Position of the word.
        index: usize,
    },
}

/// The trace of one FPGA. The order of the pulses does not matter: they are sorted by time first.
pub fn encode(pulses: &[PulseEvent]) -> Vec<u64> {
    let mut sorted = pulses.to_vec();
    sorted.sort_unstable();
    let mut entries: Vec<u32> = Vec::with_capacity(sorted.len() + 2);
    let mut wraps = 0;
    for PulseEvent { time, label } in sorted {
        let mut missing = (time.0 >> STAMP_BITS) - wraps;
        wraps += missing;
        while missing > 0 {
            // a count is only valid as the second entry of a word
            if entries.len().is_multiple_of(2) {
                entries.push(NO_EVENT);
            }
            let count = missing.min(MAX_OVERFLOW);
            entries.push(OVERFLOW | count as u32);
            missing -= count;
        }
        let stamp = time.0 as u32 & STAMP_MASK;
        // the bit tells that the FPGA's own clock was in the upper half when the event came in
        let msb = if stamp >> (STAMP_BITS - 1) != 0 { FPGA_MSB } else { 0 };
        entries.push(msb | u32::from(label.bits()) << STAMP_BITS | stamp);
    }
    if !entries.len().is_multiple_of(2) {
        entries.push(NO_EVENT);
    }
    let pairs = entries.chunks_exact(2).map(|e| u64::from(e[1]) << 32 | u64::from(e[0]));
    pairs.chain([END_OF_TRACE]).collect()
}

/// The pulses of one FPGA's trace with their full times, sorted.
///
/// An event whose stamp is in the upper half while the FPGA's clock had already wrapped belongs
/// before the last wrap; if there was none, it is a leftover from before the run and is left out.
pub fn decode(words: &[u64]) -> Result<Vec<PulseEvent>, TraceError> {
    match words.iter().position(|&w| w == END_OF_TRACE) {
        None => return Err(TraceError::Truncated),
        Some(index) if index + 1 < words.len() => {
            return Err(TraceError::EarlyEnd { index, words: words.len() });
        }
        Some(_) => {}
    }
    let mut pulses = Vec::with_capacity(2 * words.len());
    let mut wraps: u64 = 0;
    for (index, &word) in words[..words.len() - 1].iter().enumerate() {
        for (position, entry) in [word as u32, (word >> 32) as u32].into_iter().enumerate() {
            if entry & OVERFLOW != 0 {
                // as a first entry it is left-over memory
                if position == 1 {
                    wraps += u64::from(entry & !OVERFLOW);
                    if wraps >> (64 - STAMP_BITS) != 0 {
                        return Err(TraceError::TimeOverflow { index });
                    }
                }
                continue;
            }
            if entry & NO_EVENT != 0 {
                continue;
            }
            if entry & PADDING != 0 {
                return Err(TraceError::Padding { index, entry });
            }
            let stamp = entry & STAMP_MASK;
            let before_wrap = stamp >> (STAMP_BITS - 1) != 0 && entry & FPGA_MSB == 0;
            let Some(period) = wraps.checked_sub(u64::from(before_wrap)) else { continue };
            pulses.push(PulseEvent {
                time: DncCycles(period << STAMP_BITS | u64::from(stamp)),
                label: PulseLabel::from_bits((entry >> STAMP_BITS) as u16 & 0xfff),
            });
        }
    }
    pulses.sort_unstable();
    Ok(pulses)
}
