//! Calibrations of emulated wafers: the way to the wafer, the user's database, and the calibration
//! of those chips that a mapping uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use calib::WaferCalibration;
use calib::campaign::{self, Campaign, CampaignError, Observe};
use calib::database::{Age, ChipKey, Database, DatabaseError};
use calib::procedure::Settings as Procedure;
use emulator::{Effect, Effects, Emulator, Instance, Settings};
use hal::coord::{Coordinate as _, HicannOnWafer, WaferNumber};
use hal::defects::{Component, Defects};
use hal::wafer::{Wafer, WaferError};
use marocco::network::Network;
use marocco::{MapError, MapOptions};
use thiserror::Error;

/// The calibration set that experiments use.
pub const DEFAULT_SET: &str = "default";
/// Name of the database in the folder of the user's data.
const DATABASE: &str = "calibration.db";
/// Mappings after which the chips that a network uses must not change any more.
const MAX_ROUNDS: usize = 6;

/// Neither `BSS1_HOME` nor `HOME` is set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no folder for the user's data: set BSS1_HOME, or name a database with --db")]
pub struct NoHome;

/// The folder of the user's data: `BSS1_HOME`, or `.bss1` in the home folder.
pub fn home() -> Result<PathBuf, NoHome> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("BSS1_HOME").or_else(|| Some(set("HOME")?.join(".bss1"))).ok_or(NoHome)
}

/// The user's calibration database.
pub fn default_database() -> Result<PathBuf, NoHome> {
    Ok(home()?.join(DATABASE))
}

/// A database that can be written, made if it is not there, with its folder.
pub fn open_or_create(path: &Path) -> Result<Database, DatabaseError> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|reason| DatabaseError::Io { path: path.to_owned(), reason })?;
    }
    Database::open_or_create(path)
}

/// An emulated wafer that chips are measured on.
#[derive(Debug)]
pub struct Bench {
    wafer: WaferNumber,
    effects: Effects,
    defects: Defects,
    identity: String,
}

impl Bench {
    /// A manufactured wafer with these effects.
    pub fn new(wafer: WaferNumber, effects: Effects) -> Self {
        let instance = Instance::Manufactured(wafer);
        let on = effects.iter().filter(|(_, on)| *on).map(|(effect, _)| effect.name());
        let on: Vec<&str> = on.collect();
        let identity = format!("emulated wafer {}: {}", wafer.0, on.join(", "));
        Self { wafer, effects, defects: instance.defects(), identity }
    }

    /// The same wafer, of which exactly this does not work.
    #[must_use]
    pub fn with_defects(self, defects: Defects) -> Self {
        Self { defects, ..self }
    }

    /// What does not work on it.
    pub fn defects(&self) -> &Defects {
        &self.defects
    }

    /// A campaign over some chips of it.
    pub fn campaign<'a>(
        &'a self,
        database: &'a Database,
        set: &'a str,
        hicanns: &'a [HicannOnWafer],
        settings: Procedure,
        threads: usize,
    ) -> Campaign<'a> {
        let Self { wafer, ref identity, ref defects, .. } = *self;
        Campaign { database, set, wafer, identity, hicanns, defects, settings, threads }
    }

    /// The wafer in reset, in the thread that asks: chips are measured side by side.
    pub fn connect(&self, hicann: HicannOnWafer) -> Result<Box<dyn Wafer>, WaferError> {
        // what does not work elsewhere takes long to look through
        let mut near = Defects::default();
        for component in [Component::Hicann(hicann), Component::HighspeedLink(hicann)] {
            if !self.defects.is_usable(component) {
                near.insert(component);
            }
        }
        if let Some(record) = self.defects.record(hicann) {
            near.record_mut(hicann).clone_from(record);
        }
        let instance = Instance::Manufactured(self.wafer);
        let (effects, threads) = (self.effects, Some(1));
        let settings = Settings { instance, effects, threads, ..Settings::default() };
        Ok(Box::new(Emulator::with_defects(settings, &near)))
    }
}

/// The wafer to be calibrated for runs with some effects; none if its circuits are nominal then. What
/// is measured does not depend on the effects of one run.
pub fn bench_for(instance: Instance, effects: Effects) -> Option<Bench> {
    match instance {
        Instance::Manufactured(wafer) if effects.contains(Effect::Mismatch) => {
            Some(Bench::new(wafer, instance.default_effects()))
        }
        _ => None,
    }
}

/// Where the calibration of a run comes from: asked for chips, it measures those that are missing.
pub type Source<'a> =
    dyn FnMut(&[HicannOnWafer]) -> Result<WaferCalibration, CampaignError> + Send + 'a;

/// The calibrations of chips in a database, measured as far as they are missing or come from earlier
/// procedures; `announce` hears which ones before that.
pub fn complete(
    bench: &Bench,
    database: &Database,
    hicanns: &[HicannOnWafer],
    threads: usize,
    announce: &mut dyn FnMut(&[HicannOnWafer]),
    observe: &Observe<'_>,
) -> Result<WaferCalibration, CampaignError> {
    let snapshot = database.snapshot()?;
    let mut missing = Vec::new();
    for &hicann in hicanns {
        if snapshot.age(&ChipKey::new(DEFAULT_SET, bench.wafer, hicann))? != Age::Present {
            missing.push(hicann);
        }
    }
    if missing.is_empty() {
        return Ok(snapshot.wafer(DEFAULT_SET, bench.wafer, hicanns.iter().copied())?);
    }
    drop(snapshot);
    announce(&missing);
    let campaign = bench.campaign(database, DEFAULT_SET, &missing, Procedure::default(), threads);
    campaign::calibrate(&campaign, false, &|hicann| bench.connect(hicann), observe)?;
    Ok(database.snapshot()?.wafer(DEFAULT_SET, bench.wafer, hicanns.iter().copied())?)
}

/// Chips could not be calibrated for a network.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CalibratedError {
    /// The network cannot be mapped.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Chips could not be measured.
    #[error("calibration: {0}")]
    Campaign(#[from] CampaignError),
}

/// Calibrates the chips that a network uses, and adds the circuits that they cannot use to the
/// defects. Blacklisted circuits move neurons to other chips, so this maps until nothing moves.
pub fn calibrate_for(
    network: &Network,
    options: &MapOptions,
    defects: &mut Defects,
    source: &mut Source<'_>,
) -> Result<WaferCalibration, CalibratedError> {
    let mut calibration = WaferCalibration::ideal();
    for _ in 0..MAX_ROUNDS {
        let mapped = marocco::map(network, options, defects, &calibration, &mut |_| {})?;
        let placed = mapped.mapping.placement.neurons.iter().flatten();
        let used: BTreeSet<HicannOnWafer> = placed.map(|neuron| neuron.hicann).collect();
        let known = |h: &HicannOnWafer| calibration.hicanns.contains_key(h);
        if used.iter().all(known) {
            break;
        }
        let known: Vec<HicannOnWafer> = calibration.hicanns.keys().copied().collect();
        let wanted: Vec<HicannOnWafer> =
            used.into_iter().chain(known).collect::<BTreeSet<_>>().into_iter().collect();
        calibration = source(&wanted)?;
        rule_out(&calibration, defects);
    }
    Ok(calibration)
}

/// Adds the circuits that a calibration blacklists to the defects.
pub fn rule_out(calibration: &WaferCalibration, defects: &mut Defects) {
    for (&hicann, chip) in &calibration.hicanns {
        for circuit in &chip.blacklist {
            defects.insert(circuit.on(hicann));
        }
    }
}
