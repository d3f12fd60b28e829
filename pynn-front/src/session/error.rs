//! Why a session refuses, and which kind of error that is to PyNN (contract §5).

use std::path::PathBuf;

use calib::InvalidScaling;
use hal::archive::ArchiveError;
use hal::coord::DncOnWafer;
use hal::defects::DefectsError;
use hal::playback::PlaybackError;
use hal::stateful::ConfigureError;
use hal::wafer::WaferError;
use marocco::MapError;
use marocco::network::NetworkError;
use thiserror::Error;

use super::setup::InvalidChoice;
use crate::calibration::{CalibratedError, NoHome};
use crate::run::RunError;
use crate::spike_file::SpikeFileError;

/// What an error is about, for those who translate it into exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A value of a parameter that cannot be (`InvalidParameterValueError`).
    Parameter,
    /// A parameter that does not exist (`NonExistentParameterError`).
    UnknownParameter,
    /// A list of the wrong length (`InvalidDimensionsError`).
    Dimensions,
    /// Synapses that cannot be (`ConnectionError`).
    Connection,
    /// A weight that cannot be (`InvalidWeightError`).
    Weight,
    /// A recording that cannot be (`RecordingError`).
    Recording,
    /// Another wrong value (`ValueError`).
    Value,
    /// A call at the wrong time (`RuntimeError`).
    State,
    /// A file (`OSError`).
    File,
    /// Something else went wrong (`RuntimeError`).
    Other,
}

/// A request that a session refuses.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A keyword of the setup.
    #[error(transparent)]
    Setup(#[from] InvalidChoice),
    /// Voltage window or speedup.
    #[error(transparent)]
    Scaling(#[from] InvalidScaling),
    /// No place for the default database.
    #[error(transparent)]
    Home(#[from] NoHome),
    /// The file of defects.
    #[error(transparent)]
    Defects(#[from] DefectsError),
    /// The network makes no sense.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The cells of a mapping mean nothing by the calibration of their chips.
    #[error(transparent)]
    Cells(#[from] calib::TranslateError),
    /// The weights after a run cannot be read.
    #[error("reading weights: {0}")]
    Weights(Box<dyn std::error::Error + Send + Sync>),
    /// No member of this number.
    #[error("population `{population}` has {size} members; there is no member {member}")]
    NoSuchMember {
        /// Label of the population.
        population: String,
        /// Its size.
        size: usize,
        /// The member.
        member: u32,
    },
    /// A population without members.
    #[error("population `{population}` has no members; it needs one at least")]
    Empty {
        /// Label of the population.
        population: String,
    },
    /// A number that stands for nothing in this session.
    #[error("there is no {what} {index} in this session; it may be of an earlier one")]
    Unknown {
        /// Population or projection.
        what: &'static str,
        /// The number.
        index: usize,
    },
    /// A parameter that a cell type lacks.
    #[error("population `{population}`: {model} has no parameter `{parameter}`; it has {known}")]
    UnknownParameter {
        /// Label of the population.
        population: String,
        /// PyNN's name of the cell type.
        model: &'static str,
        /// The parameter asked for.
        parameter: String,
        /// Those that there are.
        known: String,
    },
    /// A list is too short or too long.
    #[error("{what}: {given} values for {expected}; give one, or one for each")]
    Length {
        /// What the list is for.
        what: String,
        /// Entries expected.
        expected: usize,
        /// Entries given.
        given: usize,
    },
    /// A parameter of a population that cannot be.
    #[error("population `{population}`, member {member}: {parameter} = {value}; {rule}")]
    Parameter {
        /// Label of the population.
        population: String,
        /// The member.
        member: usize,
        /// PyNN's name.
        parameter: &'static str,
        /// The value.
        value: f64,
        /// What it breaks.
        rule: String,
    },
    /// The members are of another kind.
    #[error("population `{population}` consists of {are}, not of {wanted}")]
    OtherKind {
        /// Label of the population.
        population: String,
        /// What they are.
        are: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// Membranes of sources.
    #[error("population `{population}` consists of spike sources, which have no membrane")]
    NoMembrane {
        /// Label of the population.
        population: String,
    },
    /// More membranes than analog outputs.
    #[error(
        "recording v of member {member} of `{population}`: reticle {reticle} shows two membranes \
         already, and a wafer 96 in all; ask for recordings before the first run, so that neurons \
         are placed for them, record fewer at once, or set readout=\"probe\", which shows what no \
         wafer does"
    )]
    TooManyMembranes {
        /// Label of the population.
        population: String,
        /// The member that found no output.
        member: u32,
        /// Its reticle.
        reticle: DncOnWafer,
    },
    /// A current that the wafer cannot feed.
    #[error("current into member {member} of `{population}`: {reason}")]
    Current {
        /// Label of the population.
        population: String,
        /// The member.
        member: u32,
        /// Which limit, and the way out.
        reason: String,
    },
    /// A sampling interval that cannot be.
    #[error("sampling interval {0} ms; it must be a positive number")]
    Interval(f64),
    /// A run time that cannot be.
    #[error("run of {0} ms; run times are finite and not negative")]
    RunTime(f64),
    /// Synapses are lost and that is not allowed.
    #[error("{0}")]
    Loss(String),
    /// Something is clipped and that is not allowed.
    #[error("{0}")]
    Clip(String),
    /// Nothing is mapped yet.
    #[error("nothing is mapped yet; call `run` or `map_only` first")]
    NotMapped,
    /// The progress callback ended the mapping.
    #[error("stopped before the run began")]
    Stopped,
    /// Mapping and threads.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The network cannot be mapped.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The chips cannot be calibrated.
    #[error(transparent)]
    Calibration(#[from] CalibratedError),
    /// The wafer did not take the configuration.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The stimulus cannot be played back.
    #[error("stimulus not possible: {0}")]
    Playback(#[from] PlaybackError),
    /// The wafer refused.
    #[error(transparent)]
    Wafer(#[from] WaferError),
    /// A file of a mapping.
    #[error(transparent)]
    File(#[from] ArchiveError),
    /// A file of spikes.
    #[error(transparent)]
    Spikes(#[from] SpikeFileError),
    /// A file holds the mapping of something else.
    #[error("{path}: {reason}")]
    OtherMapping {
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

impl SessionError {
    /// Which kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Setup(_)
            | Self::Scaling(_)
            | Self::Unknown { .. }
            | Self::Empty { .. }
            | Self::RunTime(_)
            | Self::Interval(_)
            | Self::Playback(_) => ErrorKind::Value,
            Self::Network(error) => of_network(error),
            Self::Map(error)
            | Self::Run(RunError::Map(error))
            | Self::Calibration(CalibratedError::Map(error)) => of_mapping(error),
            Self::NoSuchMember { .. } | Self::Length { .. } => ErrorKind::Dimensions,
            Self::UnknownParameter { .. } => ErrorKind::UnknownParameter,
            Self::Parameter { .. }
            | Self::OtherKind { .. }
            | Self::Current { .. }
            | Self::Clip(_) => ErrorKind::Parameter,
            Self::NoMembrane { .. } | Self::TooManyMembranes { .. } => ErrorKind::Recording,
            Self::Loss(_) => ErrorKind::Connection,
            Self::NotMapped | Self::Stopped => ErrorKind::State,
            Self::Home(_)
            | Self::Defects(_)
            | Self::File(_)
            | Self::Spikes(_)
            | Self::OtherMapping { .. } => ErrorKind::File,
            Self::Calibration(_)
            | Self::Run(_)
            | Self::Configure(_)
            | Self::Wafer(_)
            | Self::Cells(_)
            | Self::Weights(_) => ErrorKind::Other,
        }
    }
}

fn of_network(error: &NetworkError) -> ErrorKind {
    match error {
        NetworkError::WrongLength { .. } => ErrorKind::Dimensions,
        NetworkError::Weight { .. } => ErrorKind::Weight,
        NetworkError::NoSuchMember { .. } | NetworkError::TargetIsSource { .. } => {
            ErrorKind::Connection
        }
        NetworkError::Cell { .. }
        | NetworkError::Rate { .. }
        | NetworkError::Plasticity { .. }
        | NetworkError::Pairs { .. }
        | NetworkError::TwoPlasticities { .. }
        | NetworkError::NoCells { .. }
        | NetworkError::NoRates { .. } => ErrorKind::Parameter,
    }
}

fn of_mapping(error: &MapError) -> ErrorKind {
    match error {
        MapError::Cell { .. }
        | MapError::VariedReset { .. }
        | MapError::SourceTooFast { .. }
        | MapError::Plasticity { .. }
        | MapError::Pairs { .. } => ErrorKind::Parameter,
        _ => ErrorKind::Value,
    }
}
