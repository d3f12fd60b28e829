//! What the registers of a chip take and the emulator leaves out. It is refused, not ignored.

use hal::config::{HicannConfig, TestPort, WaferConfig};
use hal::coord::HicannOnWafer;
use thiserror::Error;

/// A chip is asked for something that is not emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{hicann}: {what} cannot be emulated; switch it off")]
pub struct NotEmulated {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// What is asked for.
    pub what: &'static str,
}

/// Whether all chips can be emulated.
pub(crate) fn check(config: &WaferConfig) -> Result<(), NotEmulated> {
    let first = config.hicanns.iter().find_map(|(&hicann, chip)| Some((hicann, asked(chip)?)));
    first.map_or(Ok(()), |(hicann, what)| Err(NotEmulated { hicann, what }))
}

fn asked(chip: &HicannConfig) -> Option<&'static str> {
    let blocks = chip.repeater_blocks.values();
    let plays = |port: &TestPort| port.play;
    if blocks.iter().any(|block| block.test_ports.iter().any(plays)) {
        return Some("a test port that plays events");
    }
    None
}
