//! What a chip tells about itself over JTAG (hal-config §1.11, §4.5).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fpga::HICANN_JTAG_ID;

/// Status of a chip, read over JTAG; nothing in it can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HicannStatus {
    /// Counts packets with a wrong checksum.
    pub crc_errors: u8,
    /// The status register.
    pub status: u8,
    /// What the chip calls itself.
    pub jtag_id: u64,
}

/// Something else than a HICANN answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the JTAG id is {found:#x} instead of {:#x}; check the power of the reticle and the order of \
     the chips in the chain",
    HICANN_JTAG_ID
)]
pub struct UnknownChip {
    /// The id that was read.
    pub found: u64,
}

impl HicannStatus {
    /// Whether a HICANN answered.
    pub const fn check(&self) -> Result<(), UnknownChip> {
        if self.jtag_id == HICANN_JTAG_ID as u64 {
            Ok(())
        } else {
            Err(UnknownChip { found: self.jtag_id })
        }
    }
}
