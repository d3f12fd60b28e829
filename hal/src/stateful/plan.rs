//! The words of a configuration and the time they take.

use std::collections::BTreeMap;
use std::ops::Add;

use rayon::prelude::*;

use super::StatefulWafer;
use super::change::Start;
use crate::codec::{EncodeError, Stage, Task, encode_stage};
use crate::coord::{FpgaOnWafer, HicannOnWafer};
use crate::wafer::ConfigurationWords;

/// Seconds that a word takes to an FPGA over Gigabit Ethernet: 180 words share a frame, which
/// occupies the line for 1518 bytes including all headers and gaps (hal-config §4.1, §4.3).
const SECONDS_PER_WORD: f64 = 1518.0 * 8.0 / 180.0 / 1e9;
/// Seconds until the answer to a read has come, during which nothing is sent. An own assumption: a
/// round trip through the kernels of both sides.
const SECONDS_PER_READ: f64 = 50e-6;
/// Bit of a word that writes.
const WRITE_BIT: u64 = 1 << 48;

/// What words cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Number of words, reads included.
    pub words: usize,
    /// Number of words that wait for an answer.
    pub reads: usize,
    /// PLL clocks that programming of floating gates takes at worst; all chips are programmed at
    /// the same time.
    pub programming_clocks: u64,
    /// Estimated hardware time in seconds; the FPGAs are served at the same time.
    pub hardware_s: f64,
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            words: self.words + other.words,
            reads: self.reads + other.reads,
            programming_clocks: self.programming_clocks + other.programming_clocks,
            hardware_s: self.hardware_s + other.hardware_s,
        }
    }
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePlan {
    /// The stage.
    pub stage: Stage,
    /// Its words.
    pub words: ConfigurationWords,
    /// What they cost.
    pub cost: Cost,
}

/// The words of a configuration, stage by stage. A stage has arrived everywhere before the next
/// one is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The five stages; some may have no words.
    pub stages: Vec<StagePlan>,
}

impl Plan {
    /// The cost of all stages.
    pub fn cost(&self) -> Cost {
        self.stages.iter().fold(Cost::default(), |sum, stage| sum + stage.cost)
    }
}

pub(super) fn plan(wafer: &StatefulWafer) -> Result<Plan, EncodeError> {
    let start = Start::new(wafer)?;
    let mut by_fpga: BTreeMap<FpgaOnWafer, Vec<(HicannOnWafer, Task<'_>)>> = BTreeMap::new();
    for (hicann, task) in start.tasks(wafer) {
        by_fpga.entry(hicann.fpga()).or_default().push((hicann, task));
    }
    let pll_hz = wafer.settings.pll.hz();
    let stages = Stage::ALL.into_iter().map(|stage| plan_stage(stage, &by_fpga, pll_hz));
    Ok(Plan { stages: stages.collect::<Result<_, _>>()? })
}

fn plan_stage(
    stage: Stage,
    tasks: &BTreeMap<FpgaOnWafer, Vec<(HicannOnWafer, Task<'_>)>>,
    pll_hz: f64,
) -> Result<StagePlan, EncodeError> {
    let encoded: Vec<_> = tasks
        .par_iter()
        .map(|(&fpga, tasks)| {
            let mut words = Vec::new();
            let clocks = encode_stage(stage, tasks, &mut words)?;
            Ok((fpga, words, clocks))
        })
        .collect();
    let mut cost = Cost::default();
    let mut words = ConfigurationWords::default();
    for of_fpga in encoded {
        let (fpga, list, clocks) = of_fpga?;
        if list.is_empty() {
            continue;
        }
        let reads = list.iter().filter(|word| *word & WRITE_BIT == 0).count();
        let seconds = clocks as f64 / pll_hz
            + list.len() as f64 * SECONDS_PER_WORD
            + reads as f64 * SECONDS_PER_READ;
        cost.words += list.len();
        cost.reads += reads;
        cost.programming_clocks = cost.programming_clocks.max(clocks);
        cost.hardware_s = cost.hardware_s.max(seconds);
        words.by_fpga.insert(fpga, list);
    }
    Ok(StagePlan { stage, words, cost })
}
