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
    /// The 512 switches between horizontal and vertical lines (hal-config §1.7, topology §4.3;
    /// words in hal-config §2.3).
    ///
    /// A closed switch joins two wires in both directions. By default one per line may be closed
    /// ([`SwitchLimits`](crate::check::SwitchLimits)); all are open after reset.
    Crossbar, CrossbarSwitchOnHicann
}
switch_matrix! {
    /// The 7168 switches between vertical lines and driver rows (hal-config §1.7, topology §4.4;
    /// words in hal-config §2.4).
    ///
    /// Half of the rows feed a driver of the same chip, the others one of the chip next to them. By
    /// default one per row and side and one per line may be closed; all are open after reset.
    SynapseSwitches, SynapseSwitchOnHicann
}

/// What a repeater does (hal-config §1.8). Directions tell where the signal leaves.
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

/// One repeater (hal-config §1.8, topology §4.5; bits in §2.14).
///
/// It sits at one end of its line and regenerates the events that cross the border of the chip
/// there, in one direction. Those of lines 6, 14, ... 62 can also send the events of a DNC merger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repeater<D> {
    /// What it does; idle after reset.
    pub mode: RepeaterMode<D>,
    /// Crosstalk compensation capacitor of the receiver, 0..=3; 0 after reset, and no other
    /// recommendation is known.
    pub ren: RepeaterCapacitor,
    /// Crosstalk compensation capacitor of the line, 0..=3; 0 after reset.
    pub len: RepeaterCapacitor,
}

/// All repeaters of a chip, one per line (hal-config §1.8).
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

/// One of the six blocks of repeaters: what they have in common (hal-config §1.8, registers in
/// §2.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeaterBlock {
    /// Releases the delay-locked loops of the receivers, so that they lock to incoming
    /// events; held after reset.
    pub dll_released: bool,
    /// Releases the drivers; without it nothing leaves the block. Released after reset.
    pub driver_released: bool,
    /// Filter capacitor, 0..=3; 0 after reset.
    pub filter_capacitor: RepeaterCapacitor,
    /// The two test ports.
    pub test_ports: [TestPort; 2],
    /// Timing of the memory that holds the settings, in chip clocks.
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
