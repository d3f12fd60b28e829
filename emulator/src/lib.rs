#![doc = include_str!("../README.md")]

mod absent;
mod background;
mod circuits;
mod connectivity;
mod effects;
mod emulator;
mod engine;
mod flaws;
mod instance;
mod link;
mod long_run;
mod readout;
mod silicon;

pub use absent::NotEmulated;
pub use circuits::joined_circuits;
pub use connectivity::{BusAddress, Connectivity, FunctionalSynapse, NeuronOutput, connectivity};
pub use effects::{Effect, EffectGroup, Effects, UnknownEffect};
pub use emulator::{Emulator, Settings, TrueState};
pub use instance::{Instance, UnknownInstance};
pub use long_run::{Checkpoint, LongRun, LongRunError, Sink};
pub use readout::OutputConflict;
