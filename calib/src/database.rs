//! The database of measured calibrations: one file, many sets side by side (analog §2).
//!
//! A set has a name, like `default`, and holds chips of any number of wafers. A chip is written in one
//! transaction: its record, its four blocks and its 512 circuits, or some of these. The file has a
//! version, and every record is an [`Archive`](hal::archive::Archive) with a version and a checksum
//! of its own. Several processes may read and write at the same time; a process that is killed
//! leaves the last committed state.

mod check;
mod csv;
mod exchange;
mod migrate;
mod records;
mod store;

use std::path::PathBuf;

use hal::archive::ArchiveError;
use hal::coord::{HicannOnWafer, NeuronOnHicann, WaferNumber};
use thiserror::Error;

pub use check::Check;
pub use exchange::{ChipExport, Export, ExportError};
pub use records::{ChipRecord, CircuitFault, CircuitRecord, Provenance, Quality};
pub use store::{Database, SCHEMA_VERSION, Snapshot};

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChipKey {
    /// Name of the calibration set.
    pub set: String,
    /// The wafer.
    pub wafer: WaferNumber,
    /// The chip.
    pub hicann: HicannOnWafer,
}

impl ChipKey {
    /// The key of a chip in a set.
    pub fn new(set: &str, wafer: WaferNumber, hicann: HicannOnWafer) -> Self {
        Self { set: set.to_owned(), wafer, hicann }
    }
}

/// What a set knows of a chip. A later program may measure what an earlier one did not: mappings use
/// [`Present`](Self::Present) ones only, others are measured anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Nothing.
    Missing,
    /// The results of earlier procedures than [`PROCEDURE_VERSION`](crate::procedure::PROCEDURE_VERSION).
    Outdated,
    /// The results of the present procedures, or of later ones.
    Present,
}

/// The database did not do what it was asked.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// There is no such file.
    #[error("{path}: no such calibration database; `bss1 calibrate` makes one")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is none of ours.
    #[error("{path}: not a calibration database of bss1")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later program.
    #[error(
        "{path}: schema version {found}, this program reads versions 1 to {newest}; use a newer \
         bss1, or another file"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Last version of this program.
        newest: u32,
    },
    /// Bytes are missing or changed.
    #[error("{path}: damaged ({what}); take a copy from elsewhere, or calibrate into a new file")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A record inside is not readable.
    #[error("record inside the database: {0}")]
    Record(#[from] ArchiveError),
    /// Another process has used the file in a way that excludes others.
    #[error("{path}: in use by another process; try again when it has ended")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The chip is not in the set.
    #[error("{hicann} of wafer {} is not in set `{set}`; calibrate it first", .wafer.0)]
    NoChip {
        /// The set.
        set: String,
        /// The wafer.
        wafer: WaferNumber,
        /// The chip.
        hicann: HicannOnWafer,
    },
    /// The circuit is not in the set.
    #[error("{circuit} of {hicann}, wafer {}, is not in set `{set}`; calibrate it first", .wafer.0)]
    NoCircuit {
        /// The set.
        set: String,
        /// The wafer.
        wafer: WaferNumber,
        /// The chip.
        hicann: HicannOnWafer,
        /// The circuit.
        circuit: NeuronOnHicann,
    },
    /// The name of a set would not be readable.
    #[error("`{name}` is no name of a set; use letters, digits, `-`, `_` and `.`, at most 64")]
    SetName {
        /// The name.
        name: String,
    },
}
