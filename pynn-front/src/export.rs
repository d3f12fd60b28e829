//! The network that the wafer realises, as plain arrays for other simulators.
//!
//! `network.json` describes the `.npy` files beside it. Members of all populations are numbered in
//! one row, population after population. Connections are those on the wafer, in the order of the
//! request (projection, then creation): conductances of the 4-bit weights, delays of the routes.
//! Networks with short-term plasticity also have `U`, `tau_rec_ms` and `tau_facil_ms` of each
//! connection as the synapse drivers have them; static connections have U = 1 and no times.
//! Cell parameters are those that the 10-bit cells give. Spikes are inputs as they were released
//! at the edge of the wafer. With a [`Variation`] cells, weights and delays vary around these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use calib::{CellParameters, TsodyksMarkram};
use hal::archive::{ArchiveError, write_atomically};
use hal::coord::{Coordinate as _, FpgaOnWafer, OnWafer, PulseLabel, SynapseDriverOnHicann};
use hal::l1::L1Line;
use hal::law::route_delay;
use hal::wafer::DncCycles;
use marocco::SavedMapping;
use marocco::mapping::{Bus, Mapping, Route, SynapseFate};
use npyz::WriterBuilder as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use serde::Serialize;
use thiserror::Error;

use crate::experiment::variation::Spread;
use crate::stimulus::{edge_label, time_ms};

/// A network could not be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] ArchiveError),
    /// A file has no place.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The mapping contradicts itself.
    #[error("{synapse} is claimed to be realised, but no route leads to its driver")]
    NoRoute {
        /// The synapse's driver.
        synapse: OnWafer<SynapseDriverOnHicann>,
    },
}

/// How cells, weights and delays are made to vary.
#[derive(Debug, Clone, Copy)]
pub struct Variation {
    /// By how much.
    pub spread: &'static Spread,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Whether cells vary too; not where the network on the wafer has cells that do.
    pub cells: bool,
}

/// A population in `network.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct PopulationEntry {
    label: String,
    /// Number of its first member.
    first: usize,
    size: usize,
    /// PyNN's cell type; `sources` for spike sources.
    model: String,
    /// File of each parameter, in PyNN's units; one value per member.
    parameters: BTreeMap<&'static str, String>,
}

/// Content of `network.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NetworkEntry {
    format: &'static str,
    speedup: f64,
    populations: Vec<PopulationEntry>,
    synapses_requested: usize,
    synapses_realised: usize,
    /// Files of one value per connection.
    connections: BTreeMap<&'static str, &'static str>,
    receptors: [&'static str; 2],
    /// Files of one value per spike; none if the mapping was saved without a run.
    spikes: Option<BTreeMap<&'static str, &'static str>>,
}

/// Connections on the wafer, one entry each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connections {
    /// Number of the source.
    pub pre: Vec<u32>,
    /// Number of the target.
    pub post: Vec<u32>,
    /// 0 excitatory, 1 inhibitory.
    pub receptor: Vec<u8>,
    /// Conductance in uS, not negative.
    pub weight_us: Vec<f64>,
    /// Delay in biological ms.
    pub delay_ms: Vec<f64>,
    /// Short-term plasticity; `STATIC` where there is none.
    pub plasticity: Vec<TsodyksMarkram>,
}

/// A synapse that uses all of its weight with every event.
pub const STATIC: TsodyksMarkram = TsodyksMarkram { u: 1.0, tau_rec: 0.0, tau_facil: 0.0 };

/// The realised connections of a mapping.
pub fn connections(saved: &SavedMapping) -> Result<Connections, ExportError> {
    let SavedMapping { network, mapping, .. } = saved;
    let delays = Delays::new(mapping);
    let offsets = network.member_offsets();
    let mut list = Connections::default();
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        let fates = &mapping.synapses[id.index()];
        let weights = &mapping.realised_weights_us[id.index()];
        let plasticity = mapping.plasticity[id.index()].unwrap_or(STATIC);
        for ((synapse, fate), &weight) in projection.synapses.iter().zip(fates).zip(weights) {
            let SynapseFate::Realised { synapse: at, .. } = fate else { continue };
            let driver = at.local.row().driver().on(at.hicann);
            let delay = delays.of(driver).ok_or(ExportError::NoRoute { synapse: driver })?;
            list.pre.push(offsets[pre.index()] as u32 + synapse.pre);
            list.post.push(offsets[post.index()] as u32 + synapse.post);
            list.receptor.push(projection.receptor.index() as u8);
            list.weight_us.push(f64::from(weight));
            list.delay_ms.push(delay.hardware_s() * mapping.scaling.speedup * 1e3);
            list.plasticity.push(plasticity);
        }
    }
    Ok(list)
}

/// Delay from source to synapse, by the synapse's driver.
#[derive(Debug)]
pub(crate) struct Delays {
    by_driver: BTreeMap<OnWafer<SynapseDriverOnHicann>, DncCycles>,
}

impl Delays {
    pub(crate) fn new(mapping: &Mapping) -> Self {
        let routes: BTreeMap<Bus, &Route> = mapping.routes.iter().map(|r| (r.bus, r)).collect();
        let mut by_driver = BTreeMap::new();
        for chain in &mapping.chains {
            let line = OnWafer { hicann: chain.vline.hicann, local: L1Line::V(chain.vline.local) };
            let delay = routes.get(&chain.bus).and_then(|route| {
                let end = route.lines.iter().position(|l| l.line == line)?;
                Some(route_delay(route.hicanns_to(end)))
            });
            if let Some(delay) = delay {
                by_driver.extend(chain.members.iter().map(|d| (d.on(chain.hicann), delay)));
            }
        }
        Self { by_driver }
    }

    /// Shortest and longest; none without routes.
    pub(crate) fn range(&self) -> Option<(DncCycles, DncCycles)> {
        let all = || self.by_driver.values().copied();
        all().min().zip(all().max())
    }

    pub(crate) fn of(&self, driver: OnWafer<SynapseDriverOnHicann>) -> Option<DncCycles> {
        self.by_driver.get(&driver).copied()
    }
}

/// Released inputs as (number of the source, biological time in ms), by source and time.
pub fn released_spikes(saved: &SavedMapping) -> Option<(Vec<u32>, Vec<f64>)> {
    let SavedMapping { network, mapping, released, .. } = saved;
    let offsets = network.member_offsets();
    let mut sources: BTreeMap<(FpgaOnWafer, PulseLabel), u32> = BTreeMap::new();
    for ((_, population), offset) in network.populations().zip(offsets) {
        if population.is_source() {
            for member in offset..offset + population.size {
                let address = mapping.placement.addresses[member];
                sources.extend(address.map(|at| (edge_label(at), member as u32)));
            }
        }
    }
    let mut spikes: Vec<(u32, DncCycles)> = Vec::new();
    for (&fpga, events) in released.as_ref()? {
        let of_source =
            events.iter().filter_map(|e| Some((*sources.get(&(fpga, e.label))?, e.time)));
        spikes.extend(of_source);
    }
    spikes.sort_unstable();
    let speedup = mapping.scaling.speedup;
    Some(spikes.into_iter().map(|(source, time)| (source, time_ms(time, speedup))).unzip())
}

/// Writes the realised network into a folder, which is made if it does not exist. Returns the
/// files.
pub fn write(
    saved: &SavedMapping,
    variation: Option<Variation>,
    folder: &Path,
) -> Result<Vec<PathBuf>, ExportError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| ExportError::Folder { path: folder.to_owned(), source })?;
    let mut files = Files { folder, written: Vec::new() };
    let mut list = connections(saved)?;
    if let Some(Variation { spread, seed, .. }) = variation {
        spread.vary_synapses(&mut list.weight_us, &mut list.delay_ms, seed);
    }
    let realised = list.pre.len();
    files.array("pre.npy", list.pre)?;
    files.array("post.npy", list.post)?;
    files.array("receptor.npy", list.receptor)?;
    files.array("weight_uS.npy", list.weight_us)?;
    files.array("delay_ms.npy", list.delay_ms)?;
    let mut arrays = BTreeMap::from([
        ("pre", "pre.npy"),
        ("post", "post.npy"),
        ("receptor", "receptor.npy"),
        ("weight_uS", "weight_uS.npy"),
        ("delay_ms", "delay_ms.npy"),
    ]);
    if saved.mapping.plasticity.iter().any(Option::is_some) {
        let column = |get: fn(&TsodyksMarkram) -> f64| list.plasticity.iter().map(get).collect();
        files.array::<f64>("U.npy", column(|p| p.u))?;
        files.array::<f64>("tau_rec_ms.npy", column(|p| p.tau_rec))?;
        files.array::<f64>("tau_facil_ms.npy", column(|p| p.tau_facil))?;
        arrays.extend([
            ("U", "U.npy"),
            ("tau_rec_ms", "tau_rec_ms.npy"),
            ("tau_facil_ms", "tau_facil_ms.npy"),
        ]);
    }
    let spikes = match released_spikes(saved) {
        None => None,
        Some((sources, times)) => {
            files.array("spike_source.npy", sources)?;
            files.array("spike_time_ms.npy", times)?;
            Some([("source", "spike_source.npy"), ("time_ms", "spike_time_ms.npy")].into())
        }
    };
    let populations = populations(saved, variation, &mut files)?;
    let entry = NetworkEntry {
        format: "bss1-network-1",
        speedup: saved.mapping.scaling.speedup,
        populations,
        synapses_requested: saved.network.n_synapses(),
        synapses_realised: realised,
        connections: arrays,
        receptors: ["excitatory", "inhibitory"],
        spikes,
    };
    let text = serde_json::to_string_pretty(&entry).expect("text and finite numbers only");
    files.bytes("network.json", text.as_bytes())?;
    Ok(files.written)
}

fn populations(
    saved: &SavedMapping,
    variation: Option<Variation>,
    files: &mut Files<'_>,
) -> Result<Vec<PopulationEntry>, ExportError> {
    let offsets = saved.network.member_offsets();
    let mut entries = Vec::new();
    for ((id, population), first) in saved.network.populations().zip(offsets) {
        let realised = &saved.mapping.parameters.cells[first..first + population.size];
        let cells = match variation {
            None | Some(Variation { cells: false, .. }) => realised.to_vec(),
            Some(Variation { spread, seed, cells: true }) => {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(id.index() as u64);
                let mut vary = |cell: &CellParameters| spread.vary_cell(cell, &mut random);
                realised.iter().map(|cell| cell.as_ref().map(&mut vary)).collect()
            }
        };
        let mut columns: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for cell in cells.iter().flatten() {
            for (name, value) in cell.values() {
                columns.entry(name).or_default().push(value);
            }
        }
        let mut parameters = BTreeMap::new();
        for (name, values) in columns {
            let file = format!("population{}.{name}.npy", id.index());
            files.array(&file, values)?;
            parameters.insert(name, file);
        }
        let model = cells.iter().flatten().next().map_or("sources", |cell| cell.model());
        entries.push(PopulationEntry {
            label: population.label.clone(),
            first,
            size: population.size,
            model: model.to_owned(),
            parameters,
        });
    }
    Ok(entries)
}

/// Files written so far.
struct Files<'a> {
    folder: &'a Path,
    written: Vec<PathBuf>,
}

impl Files<'_> {
    fn array<T>(&mut self, name: &str, values: Vec<T>) -> Result<(), ExportError>
    where
        T: npyz::Serialize + npyz::AutoSerialize,
    {
        let mut bytes = Vec::new();
        let written = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&[values.len() as u64])
            .writer(&mut bytes)
            .begin_nd()
            .and_then(|mut writer| {
                writer.extend(values)?;
                writer.finish()
            });
        written.expect("memory takes all bytes");
        self.bytes(name, &bytes)
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.folder.join(name);
        write_atomically(&path, bytes)?;
        self.written.push(path);
        Ok(())
    }
}
