//! Mergers, event links and background generators (hal-config §1.9; topology §5).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::coord::{
    BackgroundGeneratorOnHicann, DncMergerOnHicann, GbitLinkOnHicann, L1Address, MergerOnHicann,
    Table,
};

/// Which inputs a merger passes on (hal-config §1.9, topology §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MergerMode {
    /// Right input only; register value 0.
    RightOnly,
    /// Left input only; register value 1.
    LeftOnly,
    /// Both; register value 2.
    #[default]
    Merge,
}

impl MergerMode {
    /// Whether the left (0) or right (1) input is passed on.
    pub const fn passes(self, input: usize) -> bool {
        match self {
            Self::RightOnly => input == 1,
            Self::LeftOnly => input == 0,
            Self::Merge => true,
        }
    }
}

/// One merger of the tree (hal-config §1.9, topology §5.1; registers in §2.16).
///
/// A merger takes one event per clock from its two inputs, in turn if both have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Merger {
    /// Which inputs it passes on.
    pub mode: MergerMode,
    /// At most one event per two clocks; acts in merge mode only. Off after reset.
    pub slow: bool,
}

/// One DNC merger: left input the event link, right input the tree (hal-config §1.9; registers in
/// §2.16). Its events go to a sending repeater, and to the FPGA if the link points there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DncMerger {
    /// Which inputs it passes on.
    pub mode: MergerMode,
    /// At most one event per two clocks, which a sending repeater needs; on after reset, as in the
    /// original's stateful layer.
    pub slow: bool,
    /// Sends incoming events to the partner channel, one direction per pair of mergers; off after
    /// reset.
    pub loopback: bool,
}

impl Default for DncMerger {
    fn default() -> Self {
        Self { mode: MergerMode::Merge, slow: true, loopback: false }
    }
}

/// One background generator (hal-config §1.9, topology §5.6; registers in §2.16).
///
/// It feeds the merger of level 0 with the same number. The receivers of L1 lock to its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundGenerator {
    /// Switches it on; off after reset.
    pub enable: bool,
    /// Pseudo-random instead of regular intervals. Random generators always send address 0.
    pub random: bool,
    /// Regular: interval minus one in PLL clocks. Random: threshold of the shift register. 100
    /// after reset; from intervals by [`regular_period`](Self::regular_period) and
    /// [`random_period`](Self::random_period).
    pub period: u16,
    /// Start value of the shift register; 0 never fires in random mode.
    pub seed: u16,
    /// Address of the events, 0..=63; 0 after reset, which no neuron uses.
    pub address: L1Address,
}

impl Default for BackgroundGenerator {
    fn default() -> Self {
        Self { enable: false, random: false, period: 100, seed: 0, address: L1Address::BACKGROUND }
    }
}

/// A background generator cannot fire at this interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an interval of {clocks} clocks is out of reach; the generator makes {min}..={max}")]
pub struct IntervalOutOfRange {
    /// The interval in PLL clocks.
    pub clocks: u32,
    /// Shortest interval of the mode.
    pub min: u32,
    /// Longest interval of the mode.
    pub max: u32,
}

impl BackgroundGenerator {
    /// The period for regular events every `clocks` PLL clocks, 2..=65536 (topology §5.6).
    pub const fn regular_period(clocks: u32) -> Result<u16, IntervalOutOfRange> {
        let (min, max) = (2, 65_536);
        if clocks < min || clocks > max {
            return Err(IntervalOutOfRange { clocks, min, max });
        }
        Ok((clocks - 1) as u16)
    }

    /// The period for random events every `clocks` PLL clocks on average, 4..=32768
    /// (topology §5.6).
    pub const fn random_period(clocks: u32) -> Result<u16, IntervalOutOfRange> {
        let (min, max) = (4, 32_768);
        if clocks < min || clocks > max {
            return Err(IntervalOutOfRange { clocks, min, max });
        }
        // trunc(65535 (1 - 2 / clocks)) without rounding
        Ok((65_535 * (clocks - 2) / clocks) as u16)
    }
}

/// Everything between the event sources of a chip and its sending repeaters (hal-config §1.9,
/// topology §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergerTree {
    /// The fifteen mergers of the tree.
    pub tree: Table<MergerOnHicann, Merger>,
    /// The eight mergers in front of the sending repeaters.
    pub dnc: Table<DncMergerOnHicann, DncMerger>,
    /// The eight background generators.
    pub background: Table<BackgroundGeneratorOnHicann, BackgroundGenerator>,
    /// Sampling edge of the outputs to the sending repeaters. The original always writes 0.
    pub phase: Table<DncMergerOnHicann, bool>,
}

impl Default for MergerTree {
    /// One-to-one: neuron block i and generator i arrive at DNC merger i (topology §5.2).
    fn default() -> Self {
        use MergerMode::{LeftOnly, Merge, RightOnly};
        let tree = Table::from_fn(|m: MergerOnHicann| Merger {
            mode: match m.index() {
                0..8 => Merge,
                8 | 9 | 10 | 12 => RightOnly,
                _ => LeftOnly,
            },
            slow: false,
        });
        Self { tree, dnc: Table::default(), background: Table::default(), phase: Table::default() }
    }
}

/// Direction of an event link (hal-config §1.9, topology §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum GbitDirection {
    /// Closed.
    #[default]
    Off,
    /// Events of the chip go to the FPGA.
    ToDnc,
    /// Events of the FPGA come to the chip.
    ToHicann,
}

/// The eight event links between a chip and its FPGA (hal-config §1.9, register in §2.17). A link
/// either records or injects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GbitLinks {
    /// Direction by link.
    pub direction: Table<GbitLinkOnHicann, GbitDirection>,
    /// Release incoming events at their time stamp instead of at once; off after reset.
    pub timestamp_enable: bool,
}
