//! Hardware descriptions as TOML.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Spanned;

use super::{
    AdcDescription, AnanasDescription, ChipKind, DescriptionFault, FpgaDescription,
    HardwareDescription, HicannVersion, Macu, ReticleDescription, SetupKind, WaferDescription,
};
use crate::archive::{ArchiveError, write_atomically};
use crate::coord::{Coordinate, HicannOnWafer, WaferNumber};

const VERSION: u32 = 1;

/// The whole file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default, rename = "wafer")]
    wafers: Vec<Spanned<WaferEntry>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaferEntry {
    wafer: WaferNumber,
    setup: SetupKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    macu: Option<Macu>,
    /// The kind of all chips of all FPGAs, if they are alike and none is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    hicanns: Option<ChipKind>,
    #[serde(default, rename = "fpga")]
    fpgas: Vec<Spanned<FpgaDescription>>,
    #[serde(default, rename = "reticle", skip_serializing_if = "Vec::is_empty")]
    reticles: Vec<Spanned<ReticleDescription>>,
    #[serde(default, rename = "hicann", skip_serializing_if = "Vec::is_empty")]
    single_hicanns: Vec<Spanned<HicannEntry>>,
    #[serde(default, rename = "adc", skip_serializing_if = "Vec::is_empty")]
    adcs: Vec<Spanned<AdcDescription>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ananas: Vec<Spanned<AnanasDescription>>,
}

/// A chip on its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HicannEntry {
    hicann: HicannOnWafer,
    version: HicannVersion,
    label: String,
}

/// A text is no hardware description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseDescriptionError {
    /// No TOML, an unknown or missing key, or a value out of range.
    #[error("line {line}: {what}")]
    Syntax {
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The text was written by another version.
    #[error("format version {0}, this program reads version {VERSION}")]
    WrongVersion(u32),
    /// An entry that contradicts others.
    #[error("line {line}: {fault}")]
    Fault {
        /// Line number of the entry, from 1.
        line: usize,
        /// What is wrong with it.
        fault: DescriptionFault,
    },
}

/// A hardware description could not be read or written.
#[derive(Debug, Error)]
pub enum DescriptionError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] ArchiveError),
    /// The file does not hold a hardware description.
    #[error("{path}: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: ParseDescriptionError,
    },
}

impl HardwareDescription {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, DescriptionError> {
        let text = std::fs::read_to_string(path)
            .map_err(|reason| ArchiveError::Io { path: path.to_owned(), reason })?;
        Self::from_text(&text)
            .map_err(|reason| DescriptionError::Parse { path: path.to_owned(), reason })
    }

    /// Writes a file; it is replaced as a whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), DescriptionError> {
        Ok(write_atomically(path, self.to_text().as_bytes())?)
    }

    /// Parses the text of a file.
    pub fn from_text(text: &str) -> Result<Self, ParseDescriptionError> {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        let file: File = toml::from_str(text).map_err(|error| ParseDescriptionError::Syntax {
            line: line(error.span().map_or(0, |span| span.start)),
            what: error.message().replace('\n', ", "),
        })?;
        if *file.version.get_ref() != VERSION {
            return Err(ParseDescriptionError::WrongVersion(file.version.into_inner()));
        }
        let mut hardware = Self::default();
        let fault = |(at, fault)| ParseDescriptionError::Fault { line: line(at), fault };
        for entry in file.wafers {
            let (at, wafer) = (entry.span().start, entry.into_inner());
            let number = wafer.wafer;
            let description = wafer.into_description(at).map_err(fault)?;
            hardware.add_wafer(number, description).map_err(|what| fault((at, what)))?;
        }
        Ok(hardware)
    }

    /// The text of a file. If all 384 chips of a wafer are alike they are written as one entry.
    pub fn to_text(&self) -> String {
        let wafers = self.wafers().map(|(number, wafer)| unplaced(WaferEntry::new(number, wafer)));
        let file = File { version: unplaced(VERSION), wafers: wafers.collect() };
        toml::to_string(&file).expect("keys are strings and all values have a TOML form")
    }
}

/// A value that comes from no text.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// Adds entries one by one; a fault comes with the place of its entry in the text.
fn add_all<T>(
    entries: Vec<Spanned<T>>,
    mut add: impl FnMut(T) -> Result<(), DescriptionFault>,
) -> Result<(), (usize, DescriptionFault)> {
    entries.into_iter().try_for_each(|entry| {
        let at = entry.span().start;
        add(entry.into_inner()).map_err(|fault| (at, fault))
    })
}

impl WaferEntry {
    fn into_description(self, at: usize) -> Result<WaferDescription, (usize, DescriptionFault)> {
        let mut wafer =
            WaferDescription::new(self.setup, self.macu).map_err(|fault| (at, fault))?;
        add_all(self.fpgas, |fpga| wafer.add_fpga(fpga))?;
        add_all(self.reticles, |reticle| wafer.add_reticle(reticle))?;
        if let Some(kind) = self.hicanns {
            let served =
                HicannOnWafer::all().filter(|hicann| wafer.fpgas.contains_key(&hicann.fpga()));
            wafer.hicanns = served.map(|hicann| (hicann, kind.clone())).collect();
        }
        add_all(self.single_hicanns, |HicannEntry { hicann, version, label }| {
            wafer.add_hicann(hicann, ChipKind { version, label })
        })?;
        add_all(self.adcs, |adc| wafer.add_adc(adc))?;
        add_all(self.ananas, |ananas| wafer.add_ananas(ananas))?;
        Ok(wafer)
    }

    fn new(number: WaferNumber, wafer: &WaferDescription) -> Self {
        let mut kinds = wafer.hicanns.values();
        let first = kinds.next();
        let alike = kinds.all(|kind| Some(kind) == first);
        let whole = alike && wafer.hicanns.len() == HicannOnWafer::SIZE;
        let single = wafer.hicanns().filter(|_| !whole).map(|(hicann, kind)| {
            let (version, label) = (kind.version, kind.label.clone());
            unplaced(HicannEntry { hicann, version, label })
        });
        Self {
            wafer: number,
            setup: wafer.setup(),
            macu: wafer.macu(),
            hicanns: first.filter(|_| whole).cloned(),
            fpgas: wafer.fpgas().copied().map(unplaced).collect(),
            reticles: wafer.reticles().copied().map(unplaced).collect(),
            single_hicanns: single.collect(),
            adcs: wafer.adcs().cloned().map(unplaced).collect(),
            ananas: wafer.ananas().copied().map(unplaced).collect(),
        }
    }
}
