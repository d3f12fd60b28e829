//! A mapping as a file.

use hal::archive::Archive;
use hal::wafer::{ConfigurationWords, Pulses};
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::network::Network;

/// A network, its mapping, and the words that realise it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedMapping {
    /// What was asked for.
    pub network: Network,
    /// What was made of it.
    pub mapping: Mapping,
    /// The configuration of the wafer.
    pub words: ConfigurationWords,
    /// The inputs of the run it belongs to, if there was one, as they were released at the edge of
    /// the wafer.
    pub released: Option<Pulses>,
}

impl Archive for SavedMapping {
    const KIND: [u8; 8] = *b"MAPPING ";
    const VERSION: u32 = 1;
}
