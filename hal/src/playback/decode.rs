//! Playback words to pulses with their full times: what the FPGA does with a program.

use super::{
    BLOCK_TRACE, END_OF_EXPERIMENT, FPGA_CONFIG, FPGA_TIME_BITS, FPGA_TIME_MASK, IS_CONFIG,
    MAX_GROUP, Playback, PlaybackError, PlaybackPulse, RELEASE_BITS, RELEASE_MASK, UPPER_FIELD,
    period_of_wait,
};
use crate::coord::PulseLabel;
use crate::wafer::{DncCycles, FPGA_HICANN_DELAY};

/// The program of one FPGA.
///
/// The release time is the one with the pulse's 15-bit stamp that lies nearest to the earliest
/// release possible for its send time.
pub fn decode(words: &[u64]) -> Result<Playback, PlaybackError> {
    let mut clock = Clock::default();
    let mut pulses = Vec::with_capacity(2 * words.len());
    let mut record = true;
    let mut index = 0;
    let truncated = PlaybackError::Truncated { words: words.len() };
    while let Some(&word) = words.get(index) {
        let (header, second) = (word as u32, (word >> 32) as u32);
        let malformed = |entry, what| Err(PlaybackError::Malformed { index, entry, what });
        if header & 1 != 0 {
            if header & !(1 | 0x3fff << 2) != 0 || second != 0 {
                return malformed(header, "no wait: bits beside 0 and 15..2 are set");
            }
            clock.wait(u64::from(header >> 2));
            index += 1;
            continue;
        }
        let count = (header >> UPPER_FIELD) as usize;
        let stamp = u64::from(header >> 1) & FPGA_TIME_MASK;
        let config = header & IS_CONFIG != 0;
        if header & 0b10 << 16 != 0 || header & 1 << 15 != 0 {
            return malformed(header, "no group header: bits 17 and 15 must be 0");
        }
        if count == 0 || count > MAX_GROUP || config && count != 1 {
            return malformed(header, "a group of impossible length");
        }
        let start = clock.advance(stamp);
        if config {
            if second != 0 {
                return malformed(second, "no padding of a configuration");
            }
            let payload = *words.get(index + 1).ok_or(truncated)?;
            let (low, high) = (payload as u32, (payload >> 32) as u32);
            if high & FPGA_CONFIG == 0 {
                return malformed(high, "a chip configuration; send those as configuration words");
            }
            index += 2;
            if high & END_OF_EXPERIMENT == 0 {
                record = low & BLOCK_TRACE == 0;
                continue;
            }
            if index < words.len() {
                return Err(PlaybackError::AfterEnd { index });
            }
            return Ok(Playback { pulses, end: DncCycles(2 * start), record });
        }
        for i in 0..count {
            let at = index + i.div_ceil(2);
            let word = *words.get(at).ok_or(truncated)?;
            let entry = if i % 2 == 0 { (word >> 32) as u32 } else { word as u32 };
            if entry & (1 | 0b11 << 16 | 0b11 << 30) != 0 {
                let what = "no pulse: bits 31..30, 17..16 and 0 must be 0";
                return Err(PlaybackError::Malformed { index: at, entry, what });
            }
            let fpga_send_time = start + i as u64;
            pulses.push(PlaybackPulse {
                fpga_send_time,
                release: release(fpga_send_time, u64::from(entry >> 1) & RELEASE_MASK),
                label: PulseLabel::from_bits((entry >> UPPER_FIELD) as u16),
            });
        }
        clock.last = start + count as u64 - 1;
        index += 1 + count / 2;
    }
    Err(truncated)
}

/// The FPGA's notion of time while it reads 14-bit times.
#[derive(Default)]
struct Clock {
    /// Time of the last thing sent.
    last: u64,
    /// Period reached by waiting since then.
    waited: Option<u64>,
}

impl Clock {
    fn wait(&mut self, skipped: u64) {
        let reached = self.waited.unwrap_or(period_of_wait(self.last));
        self.waited = Some(reached.saturating_add(skipped).min(u64::MAX >> 16));
    }

    /// The next time with this 14-bit stamp.
    fn advance(&mut self, stamp: u64) -> u64 {
        let period = match self.waited.take() {
            Some(period) => period,
            None => (self.last >> FPGA_TIME_BITS) + u64::from(stamp < self.last & FPGA_TIME_MASK),
        };
        self.last = period << FPGA_TIME_BITS | stamp;
        self.last
    }
}

/// The time with this stamp nearest to the earliest possible release.
fn release(fpga_send_time: u64, stamp: u64) -> DncCycles {
    const HALF: u64 = 1 << (RELEASE_BITS - 1);
    let earliest = 2 * fpga_send_time + FPGA_HICANN_DELAY.0;
    let low = earliest.saturating_sub(HALF);
    DncCycles(low + (stamp.wrapping_sub(low) & RELEASE_MASK))
}
