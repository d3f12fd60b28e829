//! Files: the only place that knows bincode.
//!
//! An archive is a header (magic, kind, version, payload length, checksum) and a bincode payload.
//! Files are written to a neighbour and renamed, so that a killed process leaves the old file
//! whole. Anything that is not exactly such a file is refused by name.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

const MAGIC: [u8; 8] = *b"BSS1ARCH";
/// Magic, kind, version, payload length, checksum.
const HEADER_LEN: usize = 8 + 8 + 4 + 8 + 4;

/// A type that can be kept in a file.
pub trait Archive: Serialize + DeserializeOwned {
    /// Eight characters that tell what the file holds.
    const KIND: [u8; 8];
    /// Raised with every change of the type's layout.
    const VERSION: u32;
}

/// A file could not be read or written.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The operating system refused.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is none of ours.
    #[error("{path}: not a bss1 file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{path}: holds `{found}`, expected `{expected}`")]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The file was written by another version.
    #[error("{path}: format version {found}, this program reads version {expected}; write it anew")]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Version of this program.
        expected: u32,
    },
    /// Bytes are missing, added or changed.
    #[error("{path}: damaged ({what}); write it anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let path = path.to_owned();
    |reason| ArchiveError::Io { path, reason }
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard()
}

/// The bytes of an archive.
pub fn to_bytes<T: Archive>(value: &T) -> Result<Vec<u8>, String> {
    let payload = bincode::serde::encode_to_vec(value, config()).map_err(|e| e.to_string())?;
    let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
    bytes.extend(MAGIC);
    bytes.extend(T::KIND);
    bytes.extend(T::VERSION.to_le_bytes());
    bytes.extend((payload.len() as u64).to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(payload);
    Ok(bytes)
}

/// Writes an archive; the file is replaced as a whole or not at all.
pub fn write<T: Archive>(path: &Path, value: &T) -> Result<(), ArchiveError> {
    let bytes =
        to_bytes(value).map_err(|what| ArchiveError::Damaged { path: path.to_owned(), what })?;
    write_atomically(path, &bytes)
}

/// Replaces a file as a whole or not at all.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut file = std::fs::File::create(&part).map_err(io(path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| std::fs::rename(&part, path)).map_err(|reason| {
        // the part is useless now; the first error is the one to report
        let _ = std::fs::remove_file(&part);
        ArchiveError::Io { path: path.to_owned(), reason }
    })
}

/// Reads an archive.
pub fn read<T: Archive>(path: &Path) -> Result<T, ArchiveError> {
    let bytes = std::fs::read(path).map_err(io(path))?;
    from_bytes(path, &bytes)
}

/// Reads an archive from memory; `path` names it in errors.
pub fn from_bytes<T: Archive>(path: &Path, bytes: &[u8]) -> Result<T, ArchiveError> {
    let path = path.to_owned();
    if bytes.len() < HEADER_LEN || bytes[..8] != MAGIC {
        return Err(ArchiveError::Foreign { path });
    }
    let field = |from: usize, len: usize| &bytes[from..from + len];
    if field(8, 8) != T::KIND {
        let text = |b: &[u8]| String::from_utf8_lossy(b).trim_end().to_owned();
        let (found, expected) = (text(field(8, 8)), text(&T::KIND));
        return Err(ArchiveError::WrongKind { path, found, expected });
    }
    let u32_at = |from| u32::from_le_bytes(field(from, 4).try_into().expect("four bytes"));
    let version = u32_at(16);
    if version != T::VERSION {
        return Err(ArchiveError::WrongVersion { path, found: version, expected: T::VERSION });
    }
    let length = u64::from_le_bytes(field(20, 8).try_into().expect("eight bytes"));
    let payload = &bytes[HEADER_LEN..];
    let damaged = |what: String| ArchiveError::Damaged { path: path.clone(), what };
    if payload.len() as u64 != length {
        return Err(damaged(format!("{} bytes instead of {length}", payload.len())));
    }
    if crc32fast::hash(payload) != u32_at(28) {
        return Err(damaged("checksum differs".to_owned()));
    }
    let (value, consumed) =
        bincode::serde::decode_from_slice(payload, config()).map_err(|e| damaged(e.to_string()))?;
    if consumed != payload.len() {
        return Err(damaged(format!("{} bytes too many", payload.len() - consumed)));
    }
    Ok(value)
}

impl Archive for crate::wafer::ConfigurationWords {
    const KIND: [u8; 8] = *b"WORDS   ";
    const VERSION: u32 = 1;
}

impl Archive for crate::wafer::PlaybackWords {
    const KIND: [u8; 8] = *b"PLAYBACK";
    const VERSION: u32 = 1;
}

impl Archive for crate::wafer::TraceWords {
    const KIND: [u8; 8] = *b"TRACE   ";
    const VERSION: u32 = 1;
}
