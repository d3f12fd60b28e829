//! The realised network in another simulator: exported, run by the scripts that come with the program,
//! and its spikes read back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;
use hal::archive::{ArchiveError, write_atomically};
use marocco::SavedMapping;
use npyz::NpyFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::accounting::CpuEnergy;
use crate::described::PYTHON;
use crate::export::{self, ExportError, Variation};
use crate::recording::{PopulationSpikes, Recording};
use crate::report::Recorded;
use crate::statistics::Window;

/// What the scripts have in common, as it lies in `pynn-front/python`.
const COMMON: (&str, &str) = ("exported_network.py", include_str!("../python/exported_network.py"));

/// A simulator for networks of point neurons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// NEST, Python module `nest`.
    Nest,
    /// Brian2 with C++ code of its own making, Python module `brian2`.
    Brian2,
}

impl Peer {
    /// Its name, which is that of its Python module too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nest => "nest",
            Self::Brian2 => "brian2",
        }
    }

    /// Name and text of its script.
    const fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::Nest => ("nest_reference.py", include_str!("../python/nest_reference.py")),
            Self::Brian2 => ("brian2_reference.py", include_str!("../python/brian2_reference.py")),
        }
    }
}

/// What to simulate, and how.
#[derive(Debug)]
pub struct PeerRequest<'a> {
    /// The simulator.
    pub peer: Peer,
    /// The Python that has it; none: what `BSS1_PYTHON` names, or `python3`.
    pub python: Option<&'a Path>,
    /// Biological time in ms.
    pub duration_ms: f64,
    /// Populations of which spikes are wanted, and of how many neurons.
    pub recorded: &'a [Recorded],
    /// Cells, weights and delays that vary; none: those of the wafer.
    pub variation: Option<Variation>,
    /// Threads of NEST; Brian2 has one.
    pub threads: usize,
    /// Step in ms.
    pub resolution_ms: f64,
}

/// Wall time of a simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerTimes {
    /// Name and version.
    pub simulator: String,
    /// Seconds for building the network.
    pub build_s: f64,
    /// Seconds for simulating it.
    pub simulate_s: f64,
    /// Threads.
    pub threads: usize,
    /// Step in ms.
    pub resolution_ms: f64,
    /// Joules of the processor packages while it built and simulated the network; none where they do not
    /// tell.
    #[serde(default)]
    pub cpu_energy_j: Option<f64>,
    /// Whether it was simulated earlier, and is used again.
    #[serde(default)]
    pub again: bool,
}

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerRun {
    /// Spikes.
    pub recording: Recording,
    /// Times.
    pub times: PeerTimes,
}

/// A network was not simulated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] ArchiveError),
    /// Python does not start.
    #[error("{python} does not start: {reason}; set BSS1_PYTHON to a Python that has {module}")]
    Python {
        /// The interpreter.
        python: String,
        /// The module that is needed.
        module: &'static str,
        /// Why not.
        reason: std::io::Error,
    },
    /// The simulator is not installed.
    #[error(
        "{python} has no module `{module}`; install it there, or set BSS1_PYTHON to one that has it"
    )]
    Missing {
        /// The interpreter.
        python: String,
        /// The module.
        module: &'static str,
    },
    /// The simulator is installed, but not whole.
    #[error(
        "{python} cannot import {module}: {message}; mend its installation there (Brian2 2.9 needs numpy \
         2.3 or older)"
    )]
    Broken {
        /// The interpreter.
        python: String,
        /// The module.
        module: &'static str,
        /// The last line of Python's complaint.
        message: String,
    },
    /// The simulator failed.
    #[error("{module} ended with {status}: {message}")]
    Failed {
        /// The module.
        module: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last words.
        message: String,
    },
    /// What it wrote cannot be read.
    #[error("{path}: {reason}")]
    Answer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The Python that has a simulator: the one given, what `BSS1_PYTHON` names, or `python3`.
pub fn interpreter(peer: Peer, python: Option<&Path>) -> Result<String, PeerError> {
    let module = peer.name();
    let python = match python {
        Some(path) => path.display().to_string(),
        None => std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned()),
    };
    let failed = |reason| PeerError::Python { python: python.clone(), module, reason };
    let probe = format!("import {module}");
    let found = Command::new(&python).args(["-c", &probe]).output().map_err(failed)?;
    if found.status.success() {
        return Ok(python);
    }
    let message = last_line(&found.stderr);
    if message.contains(&format!("No module named '{module}'")) {
        return Err(PeerError::Missing { python, module });
    }
    Err(PeerError::Broken { python, module, message })
}

/// The last line that a program has written.
fn last_line(written: &[u8]) -> String {
    String::from_utf8_lossy(written).lines().last().unwrap_or("no message").to_owned()
}

/// Runs a realised network in another simulator. The arrays that this needs are put into a folder
/// `network` below `folder` and removed in the end; what comes of it stays in a folder `simulated`, and is
/// taken from there if the same simulation of the same network is asked for again.
pub fn simulate(
    saved: &SavedMapping,
    request: &PeerRequest<'_>,
    folder: &Path,
) -> Result<PeerRun, PeerError> {
    let module = request.peer.name();
    let python = interpreter(request.peer, request.python)?;
    let failed = |reason| PeerError::Python { python: python.clone(), module, reason };
    let network = folder.join("network");
    let mut files = export::write(saved, request.variation, &network)?;
    let (script, _) = request.peer.script();
    for (name, text) in [COMMON, request.peer.script()] {
        files.push(network.join(name));
        write_atomically(&network.join(name), text.as_bytes())?;
    }
    let simulated = folder.join("simulated");
    let (report, spikes) = (simulated.join("report.json"), simulated.join("spikes"));
    // written last: what was interrupted has none
    let seal = simulated.join("asked.txt");
    let asked = asked(request, &files)?;
    if std::fs::read_to_string(&seal).is_ok_and(|found| found == asked) {
        let _ = std::fs::remove_dir_all(&network);
        let times = PeerTimes { again: true, ..times(&report)? };
        return Ok(PeerRun { recording: recording(saved, request, &spikes)?, times });
    }
    let _ = std::fs::remove_dir_all(&simulated);
    let unwritten = |reason: std::io::Error| answer(&simulated, &reason);
    std::fs::create_dir_all(&simulated).map_err(unwritten)?;
    let mut command = Command::new(&python);
    command
        .arg(network.join(script))
        .arg(&network)
        .arg(format!("--duration={}", request.duration_ms))
        .arg(format!("--discard={}", Window::settled(request.duration_ms).from_ms))
        .arg("--out")
        .arg(&report)
        .arg("--spikes")
        .arg(&spikes)
        .arg(format!("--resolution={}", request.resolution_ms));
    if request.peer == Peer::Nest {
        command.arg(format!("--threads={}", request.threads));
    }
    let energy = CpuEnergy::start();
    let output = command.output().map_err(failed)?;
    let cpu_energy_j = energy.and_then(|energy| energy.joules());
    if !output.status.success() {
        let message = last_line(&output.stderr);
        return Err(PeerError::Failed { module, status: output.status, message });
    }
    let times = PeerTimes { cpu_energy_j, ..times(&report)? };
    let recording = recording(saved, request, &spikes)?;
    write_atomically(&seal, asked.as_bytes())?;
    // they have served; what cannot be removed does no harm
    let _ = std::fs::remove_dir_all(&network);
    Ok(PeerRun { recording, times })
}

/// What a simulation depends on: its settings, and the checksums of the files that it reads.
fn asked(request: &PeerRequest<'_>, files: &[PathBuf]) -> Result<String, PeerError> {
    let PeerRequest { peer, duration_ms, threads, resolution_ms, .. } = request;
    let mut text =
        format!("{} {duration_ms} ms, {threads} threads, {resolution_ms} ms steps\n", peer.name());
    for file in files {
        let bytes = std::fs::read(file).map_err(|e| answer(file, &e))?;
        let name = file.file_name().unwrap_or_default().display();
        let sum = crc32fast::hash(&bytes);
        // writing to a string cannot fail
        let _ = writeln!(text, "{name} {} {sum:08x}", bytes.len());
    }
    Ok(text)
}

fn answer(path: &Path, reason: &dyn std::fmt::Display) -> PeerError {
    PeerError::Answer { path: path.to_owned(), reason: reason.to_string() }
}

fn times(path: &Path) -> Result<PeerTimes, PeerError> {
    let text = std::fs::read_to_string(path).map_err(|e| answer(path, &e))?;
    let report: Value = serde_json::from_str(&text).map_err(|e| answer(path, &e))?;
    let number = |value: &Value| value.as_f64().ok_or_else(|| answer(path, &"a time is missing"));
    Ok(PeerTimes {
        simulator: report["simulator"].as_str().unwrap_or("unknown simulator").to_owned(),
        build_s: number(&report["wall_s"]["build"])?,
        simulate_s: number(&report["wall_s"]["simulate"])?,
        threads: number(&report["threads"])? as usize,
        resolution_ms: number(&report["resolution_ms"])?,
        cpu_energy_j: None,
        again: false,
    })
}

fn recording(
    saved: &SavedMapping,
    request: &PeerRequest<'_>,
    folder: &Path,
) -> Result<Recording, PeerError> {
    let members: Vec<u32> = array(&folder.join("spike_member.npy"))?;
    let times_ms: Vec<f64> = array(&folder.join("spike_time_ms.npy"))?;
    let mut trains: Vec<Vec<f64>> = vec![Vec::new(); saved.network.n_members()];
    for (member, time) in members.into_iter().zip(times_ms) {
        // spikes of the settling at time 0 are moved before it by the simulator's own offset
        if let Some(train) = trains.get_mut(member as usize).filter(|_| time >= 0.0) {
            train.push(time);
        }
    }
    let offsets = saved.network.member_offsets();
    let mut populations = Vec::new();
    for ((_, population), first) in saved.network.populations().zip(offsets) {
        if let Some(wanted) = request.recorded.iter().find(|r| r.population == population.label) {
            let n = wanted.neurons.min(population.size);
            let trains = trains[first..first + n].to_vec();
            populations.push(PopulationSpikes { label: population.label.clone(), trains });
        }
    }
    Ok(Recording { populations, duration_ms: request.duration_ms, ..Recording::default() })
}

fn array<T: npyz::Deserialize>(path: &Path) -> Result<Vec<T>, PeerError> {
    let bytes = std::fs::read(path).map_err(|e| answer(path, &e))?;
    let file = NpyFile::new(bytes.as_slice()).map_err(|e| answer(path, &e))?;
    file.into_vec().map_err(|e| answer(path, &e))
}
