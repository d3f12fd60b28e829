//! The file: redb with records of [`hal::archive`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use hal::archive::{self, Archive};
use hal::config::NeuronParameter;
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, Table, WaferNumber};
use hal::law::Transformation;
use redb::{
    Builder, ConcurrencyMode, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    TableDefinition, WriteTransaction,
};

use super::{Age, ChipKey, ChipRecord, CircuitRecord, DatabaseError, migrate};
use crate::procedure::PROCEDURE_VERSION;
use crate::{CircuitMode, HicannCalibration, WaferCalibration};

/// Version of the tables and records of a file.
pub const SCHEMA_VERSION: u32 = 3;

/// Set, wafer and chip.
type ChipId<'a> = (&'a str, u32, u16);
/// Set, wafer, chip and circuit.
type CircuitId<'a> = (&'a str, u32, u16, u16);

pub(super) const META: TableDefinition<'_, &str, u32> = TableDefinition::new("bss1 calibration");
pub(super) const CHIPS: TableDefinition<'_, ChipId<'_>, &[u8]> = TableDefinition::new("chips");
pub(super) const CIRCUITS: TableDefinition<'_, CircuitId<'_>, &[u8]> =
    TableDefinition::new("circuits");
/// The entry of [`META`] with the version.
pub(super) const VERSION: &str = "schema version";
/// A key in [`CHIPS`] and the bytes of its record.
pub(super) type RawChip = ((String, u32, u16), Vec<u8>);
/// A key in [`CIRCUITS`] and the bytes of its record.
pub(super) type RawCircuit = ((String, u32, u16, u16), Vec<u8>);
/// First bytes of a file of redb.
const MAGIC: &[u8] = b"redb";
/// Memory for pages of the file.
const CACHE_BYTES: usize = 64 << 20;

/// A database that can be read and written.
#[derive(Debug)]
pub struct Database {
    pub(super) path: PathBuf,
    pub(super) redb: redb::Database,
}

/// One state of the database, which later writers do not change.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) transaction: ReadTransaction,
}

impl Database {
    /// Opens a database. Files of earlier schema versions are brought to the present one.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let here = || path.to_owned();
        let head = match std::fs::File::open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(DatabaseError::Missing { path: here() });
            }
            opened => opened.and_then(|mut file| first_bytes(&mut file)),
        };
        if head.map_err(|reason| DatabaseError::Io { path: here(), reason })? != MAGIC {
            return Err(DatabaseError::Foreign { path: here() });
        }
        let redb = guarded(path, || builder().open(path).map_err(|e| explain(path, e.into())))?;
        let database = Self { path: here(), redb };
        let found = guarded(path, || database.version())?;
        match found {
            SCHEMA_VERSION => {}
            1 | 2 => migrate::to_present(&database, found)?,
            _ => {
                let newest = SCHEMA_VERSION;
                return Err(DatabaseError::Version { path: here(), found, newest });
            }
        }
        Ok(database)
    }

    /// Opens a database and makes it if it is not there. It appears under its name as a whole.
    pub fn open_or_create(path: &Path) -> Result<Self, DatabaseError> {
        match Self::open(path) {
            Err(DatabaseError::Missing { .. }) => {}
            opened => return opened,
        }
        let io = |reason| DatabaseError::Io { path: path.to_owned(), reason };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let made = Self::make(&part, SCHEMA_VERSION);
        // somebody else may have made it meanwhile: theirs stays
        let named = made.and_then(|()| match std::fs::hard_link(&part, path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked.map_err(io),
        });
        let removed = std::fs::remove_file(&part);
        named?;
        removed.map_err(io)?;
        Self::open(path)
    }

    /// Makes an empty file of a version.
    pub(super) fn make(path: &Path, version: u32) -> Result<(), DatabaseError> {
        let redb = builder().create(path).map_err(|e| explain(path, e.into()))?;
        let database = Self { path: path.to_owned(), redb };
        database.write(|transaction| {
            transaction.open_table(CHIPS)?;
            transaction.open_table(CIRCUITS)?;
            transaction.open_table(META)?.insert(VERSION, version)?;
            Ok(())
        })
    }

    fn version(&self) -> Result<u32, DatabaseError> {
        let explain = |e: redb::Error| match e {
            redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. } => {
                DatabaseError::Foreign { path: self.path.clone() }
            }
            other => explain(&self.path, other),
        };
        let read = || -> Result<Option<u32>, redb::Error> {
            let table = self.redb.begin_read()?.open_table(META)?;
            Ok(table.get(VERSION)?.map(|version| version.value()))
        };
        let version = read().map_err(explain)?;
        version.ok_or_else(|| DatabaseError::Foreign { path: self.path.clone() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is committed now.
    pub fn snapshot(&self) -> Result<Snapshot, DatabaseError> {
        let begun = self.redb.begin_read().map_err(|e| explain(&self.path, e.into()));
        Ok(Snapshot { path: self.path.clone(), transaction: begun? })
    }

    /// One transaction; nothing has changed if it fails.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, DatabaseError> {
        let whole = || {
            let transaction = self.redb.begin_write()?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        whole().map_err(|e| explain(&self.path, e))
    }

    /// Writes a chip and all its circuits in one transaction, instead of what was there.
    pub fn put_chip(
        &self,
        key: &ChipKey,
        chip: &ChipRecord,
        circuits: &Table<NeuronOnHicann, CircuitRecord>,
    ) -> Result<(), DatabaseError> {
        let all: Vec<(NeuronOnHicann, &CircuitRecord)> = circuits.iter().collect();
        self.put(key, Some(chip), &all)
    }

    /// Replaces the records of some circuits of a chip that is there, in one transaction.
    pub fn put_circuits(
        &self,
        key: &ChipKey,
        circuits: &[(NeuronOnHicann, CircuitRecord)],
    ) -> Result<(), DatabaseError> {
        // a circuit without its chip would not be found again
        self.snapshot()?.chip(key)?;
        let some: Vec<(NeuronOnHicann, &CircuitRecord)> =
            circuits.iter().map(|(n, record)| (*n, record)).collect();
        self.put(key, None, &some)
    }

    fn put(
        &self,
        key: &ChipKey,
        chip: Option<&ChipRecord>,
        circuits: &[(NeuronOnHicann, &CircuitRecord)],
    ) -> Result<(), DatabaseError> {
        let (set, wafer, hicann) = id(key)?;
        let bytes = |what: Result<Vec<u8>, String>| {
            what.map_err(|what| DatabaseError::Damaged { path: self.path.clone(), what })
        };
        let chip = chip.map(|chip| bytes(archive::to_bytes(chip))).transpose()?;
        let circuits = circuits
            .iter()
            .map(|(n, record)| Ok((n.index() as u16, bytes(archive::to_bytes(*record))?)));
        let circuits = circuits.collect::<Result<Vec<_>, DatabaseError>>()?;
        self.write(|transaction| {
            if let Some(chip) = &chip {
                let mut table = transaction.open_table(CHIPS)?;
                table.insert((set, wafer, hicann), chip.as_slice())?;
            }
            let mut table = transaction.open_table(CIRCUITS)?;
            for (circuit, record) in &circuits {
                table.insert((set, wafer, hicann, *circuit), record.as_slice())?;
            }
            Ok(())
        })
    }

    /// Removes a chip from a set; tells whether it was there.
    pub fn remove_chip(&self, key: &ChipKey) -> Result<bool, DatabaseError> {
        let (set, wafer, hicann) = id(key)?;
        self.write(|transaction| {
            let there = transaction.open_table(CHIPS)?.remove((set, wafer, hicann))?.is_some();
            let mut circuits = transaction.open_table(CIRCUITS)?;
            for circuit in NeuronOnHicann::all() {
                circuits.remove((set, wafer, hicann, circuit.index() as u16))?;
            }
            Ok(there)
        })
    }
}

impl Snapshot {
    /// The keys of all chips, ascending.
    pub fn chips(&self) -> Result<Vec<ChipKey>, DatabaseError> {
        let read = || -> Result<Vec<ChipKey>, redb::Error> {
            let mut keys = Vec::new();
            for entry in self.transaction.open_table(CHIPS)?.iter()? {
                let (key, _) = entry?;
                let (set, wafer, hicann) = key.value();
                if let Some(hicann) = HicannOnWafer::from_index(usize::from(hicann)) {
                    keys.push(ChipKey::new(set, WaferNumber(wafer), hicann));
                }
            }
            Ok(keys)
        };
        self.guard(|| read().map_err(|e| explain(&self.path, e)))
    }

    /// The record of a chip.
    pub fn chip(&self, key: &ChipKey) -> Result<ChipRecord, DatabaseError> {
        let id = id(key)?;
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.transaction.open_table(CHIPS)?;
            Ok(table.get(id)?.map(|bytes| bytes.value().to_vec()))
        };
        let bytes = self.guard(|| read().map_err(|e| explain(&self.path, e)))?;
        let missing =
            || DatabaseError::NoChip { set: key.set.clone(), wafer: key.wafer, hicann: key.hicann };
        self.decode(&bytes.ok_or_else(missing)?)
    }

    /// Whether a chip is there, and whether the present procedures have measured it.
    pub fn age(&self, key: &ChipKey) -> Result<Age, DatabaseError> {
        match self.chip(key) {
            Ok(chip) if chip.provenance.procedure < PROCEDURE_VERSION => Ok(Age::Outdated),
            Ok(_) => Ok(Age::Present),
            Err(DatabaseError::NoChip { .. }) => Ok(Age::Missing),
            Err(error) => Err(error),
        }
    }

    /// The record of a circuit.
    pub fn circuit(
        &self,
        key: &ChipKey,
        circuit: NeuronOnHicann,
    ) -> Result<CircuitRecord, DatabaseError> {
        let (set, wafer, hicann) = id(key)?;
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.transaction.open_table(CIRCUITS)?;
            let found = table.get((set, wafer, hicann, circuit.index() as u16))?;
            Ok(found.map(|bytes| bytes.value().to_vec()))
        };
        let bytes = self.guard(|| read().map_err(|e| explain(&self.path, e)))?;
        let missing = || DatabaseError::NoCircuit {
            set: key.set.clone(),
            wafer: key.wafer,
            hicann: key.hicann,
            circuit,
        };
        self.decode(&bytes.ok_or_else(missing)?)
    }

    /// The records of all circuits of a chip.
    pub fn circuits(
        &self,
        key: &ChipKey,
    ) -> Result<Table<NeuronOnHicann, CircuitRecord>, DatabaseError> {
        let mut circuits: Table<NeuronOnHicann, CircuitRecord> = Table::default();
        for (circuit, record) in circuits.iter_mut() {
            *record = self.circuit(key, circuit)?;
        }
        Ok(circuits)
    }

    /// What was measured of one parameter of the circuits of a chip; the mode matters for I_gl only.
    pub fn parameter(
        &self,
        key: &ChipKey,
        parameter: NeuronParameter,
        mode: CircuitMode,
    ) -> Result<Vec<(NeuronOnHicann, Transformation)>, DatabaseError> {
        let circuits = self.circuits(key)?;
        let found = circuits.iter().filter_map(|(circuit, record)| {
            let mut measured = record.calibration.measured();
            let (.., t) = measured
                .find(|&(p, m, _)| p == parameter && m.is_none_or(|measured| measured == mode))?;
            Some((circuit, t.clone()))
        });
        Ok(found.collect())
    }

    /// The calibration of a chip; none if the set lacks it.
    pub fn hicann(&self, key: &ChipKey) -> Result<Option<HicannCalibration>, DatabaseError> {
        match self.chip(key) {
            Ok(chip) => Ok(Some(HicannCalibration::from_records(&chip, &self.circuits(key)?))),
            Err(DatabaseError::NoChip { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The calibration of a wafer, of those of the chips that the set has.
    pub fn wafer(
        &self,
        set: &str,
        wafer: WaferNumber,
        hicanns: impl IntoIterator<Item = HicannOnWafer>,
    ) -> Result<WaferCalibration, DatabaseError> {
        let mut calibration = WaferCalibration { wafer: Some(wafer), ..WaferCalibration::ideal() };
        for hicann in hicanns {
            if let Some(found) = self.hicann(&ChipKey::new(set, wafer, hicann))? {
                calibration.hicanns.insert(hicann, found);
            }
        }
        Ok(calibration)
    }

    /// All records of circuits as they are stored.
    pub(super) fn raw_circuits(&self) -> Result<Vec<RawCircuit>, DatabaseError> {
        let read = || -> Result<_, redb::Error> {
            let mut all = Vec::new();
            for entry in self.transaction.open_table(CIRCUITS)?.iter()? {
                let (key, bytes) = entry?;
                let (set, wafer, hicann, circuit) = key.value();
                all.push(((set.to_owned(), wafer, hicann, circuit), bytes.value().to_vec()));
            }
            Ok(all)
        };
        self.guard(|| read().map_err(|e| explain(&self.path, e)))
    }

    /// All records of chips as they are stored.
    pub(super) fn raw_chips(&self) -> Result<Vec<RawChip>, DatabaseError> {
        let read = || -> Result<Vec<_>, redb::Error> {
            let mut all = Vec::new();
            for entry in self.transaction.open_table(CHIPS)?.iter()? {
                let (key, bytes) = entry?;
                let (set, wafer, hicann) = key.value();
                all.push(((set.to_owned(), wafer, hicann), bytes.value().to_vec()));
            }
            Ok(all)
        };
        self.guard(|| read().map_err(|e| explain(&self.path, e)))
    }

    pub(super) fn decode<T: Archive>(&self, bytes: &[u8]) -> Result<T, DatabaseError> {
        Ok(archive::from_bytes(&self.path, bytes)?)
    }

    pub(super) fn guard<T>(
        &self,
        work: impl FnOnce() -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        guarded(&self.path, work)
    }
}

fn first_bytes(file: &mut std::fs::File) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut head = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// All processes may read and write, one transaction at a time.
fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// redb may panic on files that were changed behind its back; that is damage, too.
pub(super) fn guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(DatabaseError::Damaged {
            path: path.to_owned(),
            what: "its pages make no sense".to_owned(),
        })
    })
}

/// The key as it is stored.
pub(super) fn id(key: &ChipKey) -> Result<ChipId<'_>, DatabaseError> {
    let readable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.set.is_empty() || key.set.len() > 64 || !key.set.chars().all(readable) {
        return Err(DatabaseError::SetName { name: key.set.clone() });
    }
    Ok((&key.set, key.wafer.0, key.hicann.index() as u16))
}

/// What an error of redb says about the file.
pub(super) fn explain(path: &Path, error: redb::Error) -> DatabaseError {
    let path = path.to_owned();
    match error {
        redb::Error::Io(reason) => DatabaseError::Io { path, reason },
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            DatabaseError::InUse { path }
        }
        other => DatabaseError::Damaged { path, what: other.to_string() },
    }
}
