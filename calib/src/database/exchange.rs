//! Chips of a database as JSON and CSV, out and in again.

use hal::coord::{HicannOnWafer, NeuronOnHicann, Table, WaferNumber};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::csv;
use super::{ChipKey, ChipRecord, CircuitRecord, Database, DatabaseError, Snapshot};

/// Version of the text forms.
const TEXT_VERSION: u32 = 1;

/// Some chips of a wafer in text form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Says what the text is.
    pub bss1_calibration: u32,
    /// The wafer.
    pub wafer: WaferNumber,
    /// The chips.
    pub chips: Vec<ChipExport>,
}

/// One chip in text form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipExport {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// What belongs to it as a whole.
    pub chip: ChipRecord,
    /// Its circuits.
    pub circuits: Table<NeuronOnHicann, CircuitRecord>,
}

/// A text is no export.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The text is not understood.
    #[error("not an exported calibration: {what}")]
    Text {
        /// What is wrong.
        what: String,
    },
    /// The text has another version.
    #[error("exported calibration of version {found}; this program reads {TEXT_VERSION}")]
    Version {
        /// The version.
        found: u32,
    },
    /// A line of a table makes no sense.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A chip occurs without some of its lines.
    #[error("{hicann}: {what} is missing in the table")]
    Incomplete {
        /// The chip.
        hicann: HicannOnWafer,
        /// What is missing.
        what: String,
    },
}

impl Export {
    /// Chips of a wafer in a set.
    pub fn read(
        snapshot: &Snapshot,
        set: &str,
        wafer: WaferNumber,
        hicanns: &[HicannOnWafer],
    ) -> Result<Self, DatabaseError> {
        let chip = |&hicann: &HicannOnWafer| {
            let key = ChipKey::new(set, wafer, hicann);
            Ok(ChipExport {
                hicann,
                chip: snapshot.chip(&key)?,
                circuits: snapshot.circuits(&key)?,
            })
        };
        let chips = hicanns.iter().map(chip).collect::<Result<_, DatabaseError>>()?;
        Ok(Self { bss1_calibration: TEXT_VERSION, wafer, chips })
    }

    /// Writes all chips into a set, each in a transaction.
    pub fn write(&self, database: &Database, set: &str) -> Result<(), DatabaseError> {
        for ChipExport { hicann, chip, circuits } in &self.chips {
            database.put_chip(&ChipKey::new(set, self.wafer, *hicann), chip, circuits)?;
        }
        Ok(())
    }

    /// As JSON.
    pub fn to_json(&self) -> Result<String, ExportError> {
        serde_json::to_string(self).map_err(|e| text(&e))
    }

    /// From JSON.
    pub fn from_json(json: &str) -> Result<Self, ExportError> {
        let head: serde_json::Value = serde_json::from_str(json).map_err(|e| text(&e))?;
        let version = head.get("bss1_calibration").and_then(serde_json::Value::as_u64);
        match version {
            None => {
                let what = "there is no key `bss1_calibration`".to_owned();
                Err(ExportError::Text { what })
            }
            Some(version) if version != u64::from(TEXT_VERSION) => {
                Err(ExportError::Version { found: version as u32 })
            }
            Some(_) => serde_json::from_value(head).map_err(|e| text(&e)),
        }
    }

    /// As a table with one line per value: wafer, chip, what it is part of, its number there, name,
    /// value as JSON.
    pub fn to_csv(&self) -> Result<String, ExportError> {
        csv::write(self)
    }

    /// From such a table.
    pub fn from_csv(table: &str) -> Result<Self, ExportError> {
        let (wafer, chips) = csv::read(table)?;
        Ok(Self { bss1_calibration: TEXT_VERSION, wafer, chips })
    }
}

pub(super) fn text(error: &serde_json::Error) -> ExportError {
    ExportError::Text { what: error.to_string() }
}
