//! A mapping as a file, and what it is held against.

use hal::archive::Archive;
use hal::coord::{Coordinate as _, HicannOnWafer};
use hal::defects::Defects;
use hal::wafer::{ConfigurationWords, Pulses};
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::network::Network;
use crate::options::{Capacitor, MapOptions, ModeChoice, NeuronSizeChoice};
use crate::requests::{Place, Request};
use crate::verify::{Requested, RequestedMode, RequestedPlace, Rules};

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
    const VERSION: u32 = 9;
}

impl MapOptions {
    /// What a mapping with these options onto a wafer with these defects has to keep.
    pub fn rules(&self, defects: &Defects) -> Rules {
        Rules {
            chain_length: self.chain_length,
            max_crossbar_switches: self.max_crossbar_switches,
            max_synapse_switches: self.max_synapse_switches,
            max_route_hicanns: self.max_route_hicanns,
            bandwidth_utilisation: self.bandwidth_utilisation,
            excluded: self.excluded.clone(),
            neuron_circuits: circuits(self.neuron_size),
            mode: mode(self.mode),
            requests: self.requests.iter().map(|r| requested(r, self)).collect(),
            defects: defects.clone(),
            ..Rules::default()
        }
    }
}

/// Circuits per neuron, if they are given.
fn circuits(size: NeuronSizeChoice) -> Option<usize> {
    match size {
        NeuronSizeChoice::Auto => None,
        NeuronSizeChoice::Fixed(size) => Some(size.circuits()),
    }
}

/// A choice of modes in the verifier's terms.
fn mode(choice: ModeChoice) -> RequestedMode {
    let big_capacitor = choice.capacitor.fixed().map(|c| c == Capacitor::Big);
    RequestedMode { big_capacitor, leak: choice.leak.fixed() }
}

/// A request in the verifier's terms.
fn requested(request: &Request, options: &MapOptions) -> Requested {
    let place = match &request.place {
        None => RequestedPlace::Anywhere,
        Some(Place::Hicanns(hicanns)) => RequestedPlace::Chips(hicanns.clone()),
        Some(Place::Fpgas(fpgas)) => RequestedPlace::Chips(
            HicannOnWafer::all().filter(|h| fpgas.contains(&h.fpga())).collect(),
        ),
        Some(Place::Blocks(blocks)) => RequestedPlace::Blocks(blocks.clone()),
        Some(Place::Circuits(places)) => RequestedPlace::Circuits(places.clone()),
    };
    Requested {
        population: request.population,
        members: request.members.clone(),
        place,
        circuits: circuits(request.size.unwrap_or(options.neuron_size)),
        mode: mode(request.mode.unwrap_or(options.mode)),
    }
}
