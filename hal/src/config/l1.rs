//! Crossbar, synapse switches and repeaters (hal-config §1.7, §1.8).

use serde::{Deserialize, Serialize};

use super::{SramTiming, TestPort};
use crate::coord::{
    Coordinate, CrossbarSwitchOnHicann, HRepeaterOnHicann, Side, SynapseSwitchOnHicann, Table,
    VRepeaterOnHicann, Vertical,
};
use crate::value::RepeaterCapacitor;

/// A set of closed switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SwitchSet {
    words: Vec<u64>,
}

impl SwitchSet {
    fn empty(size: usize) -> Self {
        Self { words: vec![0; size.div_ceil(64)] }
    }

    fn get(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }

    fn set(&mut self, i: usize, closed: bool) {
        let bit = 1 << (i % 64);
        if closed {
            self.words[i / 64] |= bit;
        } else {
            self.words[i / 64] &= !bit;
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(w, &word)| {
            (0..64).filter(move |b| word >> b & 1 != 0).map(move |b| 64 * w + b)
        })
    }
}

macro_rules! switch_matrix {
    ($(#[$doc:meta])* $name:ident, $switch:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name(SwitchSet);

        impl Default for $name {
            /// All open.
            fn default() -> Self {
                Self(SwitchSet::empty(<$switch>::SIZE))
            }
        }

        impl $name {
            /// Whether the switch is closed.
            pub fn is_closed(&self, switch: $switch) -> bool {
                self.0.get(switch.index())
            }

            /// Closes or opens the switch.
            pub fn set(&mut self, switch: $switch, closed: bool) {
                self.0.set(switch.index(), closed);
            }

            /// The closed switches, ascending.
            pub fn closed(&self) -> impl Iterator<Item = $switch> {
                self.0.iter().filter_map(<$switch>::from_index)
            }
        }
    };
}

switch_matrix! {
    /// The 512 switches between horizontal and vertical lines.
    Crossbar, CrossbarSwitchOnHicann
}
switch_matrix! {
    /// The 7168 switches between vertical lines and driver rows.
    SynapseSwitches, SynapseSwitchOnHicann
}

/// What a repeater does. Directions tell where the signal leaves.
///
/// `D` is [`Side`] for horizontal repeaters and [`Vertical`] for vertical ones. Combinations of
/// mode and direction that do not exist on the chip cannot be expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RepeaterMode<D> {
    /// No transmitter.
    #[default]
    Idle,
    /// Passes events on in one direction.
    Forwarding(D),
    /// Emits merger output (sending repeaters) or test data in one direction.
    Output(D),
    /// Emits in both directions.
    OutputBoth,
    /// Forwards in one direction and records into the test port.
    Input(D),
    /// Test data goes to the test input.
    Loopback,
}

impl<D: Copy + PartialEq> RepeaterMode<D> {
    /// Whether merger output or test data leaves in this direction.
    pub fn outputs_to(self, direction: D) -> bool {
        match self {
            Self::Output(d) => d == direction,
            Self::OutputBoth => true,
            Self::Idle | Self::Forwarding(_) | Self::Input(_) | Self::Loopback => false,
        }
    }

    /// The direction in which events from the line are passed on, if any.
    pub fn forwards_to(self) -> Option<D> {
        match self {
            Self::Forwarding(d) | Self::Input(d) => Some(d),
            Self::Idle | Self::Output(_) | Self::OutputBoth | Self::Loopback => None,
        }
    }
}

/// One repeater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repeater<D> {
    /// What it does.
    pub mode: RepeaterMode<D>,
    /// Crosstalk compensation capacitor of the receiver.
    pub ren: RepeaterCapacitor,
    /// Crosstalk compensation capacitor of the line.
    pub len: RepeaterCapacitor,
}

/// All repeaters of a chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeaters {
    /// Of the horizontal lines.
    pub horizontal: Table<HRepeaterOnHicann, Repeater<Side>>,
    /// Of the vertical lines.
    pub vertical: Table<VRepeaterOnHicann, Repeater<Vertical>>,
}

impl Default for Repeaters {
    fn default() -> Self {
        let idle_h = Repeater {
            mode: RepeaterMode::Idle,
            ren: RepeaterCapacitor::default(),
            len: RepeaterCapacitor::default(),
        };
        let idle_v = Repeater {
            mode: RepeaterMode::Idle,
            ren: RepeaterCapacitor::default(),
            len: RepeaterCapacitor::default(),
        };
        Self { horizontal: Table::filled(idle_h), vertical: Table::filled(idle_v) }
    }
}

/// One block of repeaters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeaterBlock {
    /// Releases the delay-locked loops of the receivers, so that they lock to incoming events.
    pub dll_released: bool,
    /// Releases the drivers; without it nothing leaves the block.
    pub driver_released: bool,
    /// Filter capacitor.
    pub filter_capacitor: RepeaterCapacitor,
    /// The two test ports.
    pub test_ports: [TestPort; 2],
    /// Timing of the memory that holds the settings.
    pub timing: SramTiming,
}

impl Default for RepeaterBlock {
    fn default() -> Self {
        Self {
            dll_released: false,
            driver_released: true,
            filter_capacitor: RepeaterCapacitor::default(),
            test_ports: [TestPort::default(); 2],
            timing: SramTiming::DEFAULT,
        }
    }
}
