//! From trace words back to the network's own spikes, in biological time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hal::coord::{FpgaOnWafer, PulseLabel};
use hal::trace::TraceError;
use hal::wafer::TraceWords;
use marocco::mapping::Mapping;
use marocco::network::{Network, PopulationId};
use serde::Serialize;

use crate::spike_file::{self, SpikeFileError, Train};
use crate::stimulus::{edge_label, time_ms};

/// The spikes of one population.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationSpikes {
    /// Label of the population.
    pub label: String,
    /// Spike times in biological ms of each member that is read out, ascending.
    pub trains: Vec<Vec<f64>>,
}

/// What was recorded of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// The populations asked for, in the order of creation.
    pub populations: Vec<PopulationSpikes>,
    /// Length of the run in biological ms.
    pub duration_ms: f64,
    /// Recorded events that are no spikes asked for.
    pub besides: RecordedBesides,
}

/// Recorded events that are no spikes asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RecordedBesides {
    /// Spikes of populations that nobody asked for.
    pub other_populations: u64,
    /// Spikes before biological time 0.
    pub before_start: u64,
    /// Events with an address that no neuron has: the background events that keep the receivers
    /// of a bus locked.
    pub background: u64,
}

impl Recording {
    /// Spikes of all populations.
    pub fn n_spikes(&self) -> usize {
        self.populations.iter().flat_map(|p| &p.trains).map(Vec::len).sum()
    }

    /// The same as a columnar file, see [`crate::spike_file`].
    pub fn to_parquet(&self) -> Result<Vec<u8>, SpikeFileError> {
        let flat: Vec<(Vec<u32>, Vec<f64>)> = self
            .populations
            .iter()
            .map(|p| {
                let trains = p.trains.iter().zip(0u32..);
                trains.flat_map(|(train, neuron)| train.iter().map(move |&t| (neuron, t))).unzip()
            })
            .collect();
        let trains: Vec<Train<'_>> = self
            .populations
            .iter()
            .zip(&flat)
            .map(|(p, (neurons, times_ms))| Train { population: &p.label, neurons, times_ms })
            .collect();
        spike_file::to_bytes(&trains)
    }

    /// Table of all spikes: population, member, time in biological ms; sorted by population,
    /// member and time.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("population,neuron,time_ms\n");
        for population in &self.populations {
            for (neuron, train) in population.trains.iter().enumerate() {
                for time in train {
                    // writing to a string cannot fail
                    let _ = writeln!(text, "{},{neuron},{time:.3}", population.label);
                }
            }
        }
        text
    }
}

/// Who sends under which label at the edge of the wafer: the neurons of a network.
#[derive(Debug, Clone, Default)]
pub struct Senders {
    members: BTreeMap<(FpgaOnWafer, PulseLabel), (PopulationId, usize)>,
}

impl Senders {
    /// The neurons of a mapping.
    pub fn new(network: &Network, mapping: &Mapping) -> Self {
        let offsets = network.member_offsets();
        let mut members = BTreeMap::new();
        for (id, population) in network.populations() {
            if population.is_source() {
                continue;
            }
            for member in 0..population.size {
                let at = mapping.placement.addresses[offsets[id.index()] + member];
                members.extend(at.map(|at| (edge_label(at), (id, member))));
            }
        }
        Self { members }
    }

    /// The neuron that sends under a label; none for the background events that keep buses locked.
    pub fn find(&self, fpga: FpgaOnWafer, label: PulseLabel) -> Option<(PopulationId, usize)> {
        self.members.get(&(fpga, label)).copied()
    }
}

/// Sorts the events of a trace to the neurons that sent them.
pub fn read(
    network: &Network,
    mapping: &Mapping,
    trace: &TraceWords,
    recorded: impl IntoIterator<Item = PopulationId>,
    duration_ms: f64,
) -> Result<Recording, TraceError> {
    let senders = Senders::new(network, mapping);
    let mut populations: BTreeMap<PopulationId, PopulationSpikes> = recorded
        .into_iter()
        .map(|id| {
            let population = network.population(id);
            let trains = vec![Vec::new(); population.size];
            (id, PopulationSpikes { label: population.label.clone(), trains })
        })
        .collect();
    let mut recording = Recording { duration_ms, ..Recording::default() };
    for (&fpga, words) in &trace.by_fpga {
        for event in hal::trace::decode(words)? {
            let time = time_ms(event.time, mapping.scaling.speedup);
            match senders.find(fpga, event.label) {
                None => recording.besides.background += 1,
                Some(_) if time < 0.0 => recording.besides.before_start += 1,
                Some((id, member)) => match populations.get_mut(&id) {
                    None => recording.besides.other_populations += 1,
                    Some(population) => population.trains[member].push(time),
                },
            }
        }
    }
    recording.populations = populations.into_values().collect();
    for train in recording.populations.iter_mut().flat_map(|p| &mut p.trains) {
        train.sort_unstable_by(f64::total_cmp);
    }
    Ok(recording)
}
