//! Test ports of a repeater block (hal-config §1.8, §2.15).
//!
//! A block has two ports. A port plays three events into the repeaters whose mode is an output,
//! and records the first three events of a repeater whose mode is an input.

use serde::{Deserialize, Serialize};

use crate::coord::L1Address;
use crate::value::TestTime;

/// An event that a test port plays or has recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestEvent {
    /// Address on L1.
    pub address: L1Address,
    /// When, counted by the port; ten bits.
    pub time: TestTime,
}

impl Default for TestEvent {
    fn default() -> Self {
        Self { address: L1Address::new::<0>(), time: TestTime::new::<0>() }
    }
}

/// Settings of one test port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestPort {
    /// Plays the events; register bit `start_tdo`.
    pub play: bool,
    /// Records events; register bit `start_tdi`.
    pub record: bool,
    /// What it plays.
    pub events: [TestEvent; 3],
}
