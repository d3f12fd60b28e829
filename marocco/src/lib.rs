#![doc = include_str!("../README.md")]

pub mod cancel;
pub mod network;
pub mod options;

mod inputs;
mod kinds;

mod balance;
mod demand;
mod fabric;
mod loss;
mod modes;
mod order;
mod pools;
pub mod requests;
mod search;
mod structure;

mod plan;

mod sites;

mod routing;

mod drivers;
mod packing;
mod synapses;

mod parameters;
mod realise;
mod weights;

pub mod bound;
mod configure;
mod map;
pub mod mapping;
pub mod query;
pub mod report;
mod reuse;
pub mod saved;
pub mod verify;

pub use cancel::{Cancel, Cancelled};
pub use map::{Mapped, Stage, map};
pub use mapping::Mapping;
pub use network::Network;
pub use options::{
    Capacitor, Choice, Effort, MapError, MapOptions, ModeChoice, NeuronSize, NeuronSizeChoice,
    VariedReset,
};
pub use report::{MappingReport, report};
pub use reuse::remap;
pub use saved::SavedMapping;
