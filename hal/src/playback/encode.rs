//! Pulses to playback words: the assembly algorithm of the original (hal-config §3.3).

use std::collections::BTreeSet;

use super::{
    BLOCK_TRACE, END_OF_EXPERIMENT, FPGA_CONFIG, FPGA_TIME_BITS, FPGA_TIME_MASK, GROUP_DISTANCE,
    IS_CONFIG, MAX_GROUP, MAX_LATENESS, MAX_RUNTIME, MAX_WAIT, PlaybackError, RELEASE_MASK,
    START_TRACE_READ, STOP_TRACE, UPPER_FIELD, period_of_wait,
};
use crate::coord::FpgaOnWafer;
use crate::wafer::{DncCycles, FPGA_HICANN_DELAY, PlaybackWords, PulseEvent, Pulses};

/// The programs of all FPGAs named by `fpgas` or by a list of pulses; an FPGA without pulses gets
/// the end marker. The events of the chips are recorded.
pub fn encode(
    pulses: &Pulses,
    fpgas: impl IntoIterator<Item = FpgaOnWafer>,
    runtime: DncCycles,
) -> Result<PlaybackWords, PlaybackError> {
    let used: BTreeSet<FpgaOnWafer> = fpgas.into_iter().chain(pulses.keys().copied()).collect();
    let mut words = PlaybackWords::default();
    for fpga in used {
        let of_fpga = pulses.get(&fpga).map_or(&[][..], Vec::as_slice);
        words.by_fpga.insert(fpga, encode_fpga(fpga, of_fpga, runtime, true)?);
    }
    Ok(words)
}

/// The program of one FPGA. `fpga` names it in errors; `record` lets it record events.
pub fn encode_fpga(
    fpga: FpgaOnWafer,
    pulses: &[PulseEvent],
    runtime: DncCycles,
    record: bool,
) -> Result<Vec<u64>, PlaybackError> {
    if runtime > MAX_RUNTIME {
        return Err(PlaybackError::RuntimeTooLong { runtime });
    }
    let too_short = |time| PlaybackError::RuntimeTooShort { fpga, runtime, time };
    let mut program =
        Program { entries: Vec::with_capacity(8 + 2 * pulses.len()), ..Default::default() };
    program.config(0, if record { 0 } else { BLOCK_TRACE }, FPGA_CONFIG);

    let mut previous = DncCycles(0);
    for (index, &pulse) in pulses.iter().enumerate() {
        let time = pulse.time;
        if time < previous {
            return Err(PlaybackError::Unsorted { fpga, index });
        }
        if time < FPGA_HICANN_DELAY {
            return Err(PlaybackError::TooEarly { fpga, time });
        }
        if time > runtime {
            return Err(too_short(time));
        }
        previous = time;
        let nominal = (time.0 - FPGA_HICANN_DELAY.0) / 2;
        let late = program.pulse(nominal, pulse).saturating_sub(nominal);
        if late > MAX_LATENESS {
            return Err(PlaybackError::TooDense { fpga, time, late });
        }
    }

    let end = runtime.0.div_ceil(2);
    if end < program.last {
        return Err(too_short(previous));
    }
    program.wait_until(end);
    program.config(end, STOP_TRACE | START_TRACE_READ, FPGA_CONFIG | END_OF_EXPERIMENT);
    Ok(program.into_words())
}

/// A program under construction.
#[derive(Default)]
struct Program {
    entries: Vec<u32>,
    /// FPGA time of the last thing sent.
    last: u64,
    /// Header of the open group and number of its pulses.
    group: Option<(usize, usize)>,
}

impl Program {
    /// Adds a pulse that should leave at `nominal`; returns when it does.
    fn pulse(&mut self, nominal: u64, pulse: PulseEvent) -> u64 {
        let entry = u32::from(pulse.label.bits()) << UPPER_FIELD
            | ((pulse.time.0 & RELEASE_MASK) << 1) as u32;
        match self.group {
            Some((header, count)) if nominal < self.last + GROUP_DISTANCE && count < MAX_GROUP => {
                // groups fill whole words: every second pulse takes the place of the padding
                if count % 2 == 1 {
                    self.entries.extend([entry, 0]);
                } else if let Some(padding) = self.entries.last_mut() {
                    *padding = entry;
                }
                self.entries[header] += 1 << UPPER_FIELD;
                self.group = Some((header, count + 1));
                self.last += 1;
            }
            _ => {
                self.wait_until(nominal);
                let time = nominal.max(self.last + GROUP_DISTANCE);
                self.group = Some((self.entries.len(), 1));
                self.entries.extend([1 << UPPER_FIELD | header_time(time), entry]);
                self.last = time;
            }
        }
        self.last
    }

    /// Skips periods of the 14-bit FPGA time if `time` could not be told otherwise.
    fn wait_until(&mut self, time: u64) {
        let far = time.saturating_sub(self.last) > 0x2000;
        if !far || self.last >> FPGA_TIME_BITS >= time >> FPGA_TIME_BITS {
            return;
        }
        let mut skip = (time >> FPGA_TIME_BITS).saturating_sub(period_of_wait(self.last));
        loop {
            let now = skip.min(MAX_WAIT);
            self.entries.extend([1 | (now as u32) << 2, 0]);
            skip -= now;
            if skip == 0 {
                return;
            }
        }
    }

    /// Adds an FPGA configuration.
    fn config(&mut self, time: u64, low: u32, high: u32) {
        self.entries.extend([1 << UPPER_FIELD | IS_CONFIG | header_time(time), 0, low, high]);
        self.group = None;
    }

    fn into_words(self) -> Vec<u64> {
        // headers, groups, waits and configurations all take an even number of entries
        self.entries.chunks_exact(2).map(|e| u64::from(e[1]) << 32 | u64::from(e[0])).collect()
    }
}

fn header_time(time: u64) -> u32 {
    ((time & FPGA_TIME_MASK) << 1) as u32
}
