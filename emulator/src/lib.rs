#![doc = include_str!("../README.md")]

mod absent;
mod background;
mod circuits;
mod connectivity;
mod effects;
mod emulator;
mod engine;
mod link;
mod readout;

pub use absent::NotEmulated;
pub use circuits::joined_circuits;
pub use connectivity::{BusAddress, Connectivity, FunctionalSynapse, NeuronOutput, connectivity};
pub use effects::{Effect, Effects, UnknownEffect};
pub use emulator::{Emulator, Settings};
pub use readout::OutputConflict;
