//! A network as a file: what a PyNN script describes, for those who map it elsewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use calib::Scaling;
use hal::archive::{self, Archive, ArchiveError};
use marocco::network::Network;
use marocco::{ModeChoice, NeuronSizeChoice};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The variable that makes a script write its network to a file at its first run, and end.
pub const NETWORK_OUT: &str = "BSS1_NETWORK_OUT";
/// The variable that names the Python interpreter; `python3` if it is not set.
pub const PYTHON: &str = "BSS1_PYTHON";

/// A network with what the mapper needs to know besides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Described {
    /// The network.
    pub network: Network,
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of the chips.
    pub mode: ModeChoice,
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
}

impl Archive for Described {
    const KIND: [u8; 8] = *b"NETWORK ";
    const VERSION: u32 = 2;
}

/// A script gave no network.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// Its file cannot be read or written.
    #[error(transparent)]
    File(#[from] ArchiveError),
    /// Python does not start.
    #[error(
        "{python} does not start: {reason}; set BSS1_PYTHON to a Python that has pynn_brainscales1"
    )]
    Python {
        /// The interpreter.
        python: String,
        /// Why not.
        reason: std::io::Error,
    },
    /// The script ended otherwise than with its first run.
    #[error(
        "{script} ended with {status} before its first run on the emulator; its messages stand \
         above"
    )]
    NoRun {
        /// The script.
        script: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
    },
}

/// The network that a PyNN script describes until its first run. The script runs in a process of its
/// own, with what it prints; it needs the Python package `pynn_brainscales1`.
pub fn of_script(script: &Path) -> Result<Described, ScriptError> {
    let path = std::env::temp_dir().join(format!("bss1-network-{}.bss1", std::process::id()));
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    // what the script prints is no answer of this program
    let ran = Command::new(&python)
        .arg(script)
        .env(NETWORK_OUT, &path)
        .stdout(std::io::stderr())
        .status();
    let status = ran.map_err(|reason| ScriptError::Python { python, reason })?;
    if !path.exists() {
        return Err(ScriptError::NoRun { script: script.to_owned(), status });
    }
    let described = archive::read(&path);
    // the file has served; if it cannot be removed, the system will do it
    let _ = std::fs::remove_file(&path);
    Ok(described?)
}
