//! A mapping as a file, and what it is held against.

use hal::archive::Archive;
use hal::defects::Defects;
use hal::wafer::{ConfigurationWords, Pulses};
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::network::Network;
use crate::options::MapOptions;
use crate::verify::Rules;

/// A network, its mapping, and the words that realise it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedMapping {
    /// What was asked for.
    pub network: Network,
    /// What was made of it.
    pub mapping: Mapping,
    /// The configuration of the wafer.
    pub words: ConfigurationWords,
    /// What it was verified against: limits and the defects of its wafer.
    pub rules: Rules,
    /// The inputs of the run it belongs to, if there was one, as they were released at the edge of
    /// the wafer.
    pub released: Option<Pulses>,
}

impl Archive for SavedMapping {
    const KIND: [u8; 8] = *b"MAPPING ";
    const VERSION: u32 = 2;
}

impl MapOptions {
    /// What a mapping with these options onto a wafer with these defects has to keep.
    pub fn rules(&self, defects: &Defects) -> Rules {
        Rules {
            chain_length: self.chain_length,
            bandwidth_utilisation: self.bandwidth_utilisation,
            excluded: self.excluded.clone(),
            defects: defects.clone(),
            ..Rules::default()
        }
    }
}
