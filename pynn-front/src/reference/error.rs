//! Requests that make no sense, and the checks that find them.

use thiserror::Error;

use super::model::{Allowed, Model};
use super::sources::Waveform;

/// A request that makes no sense.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The time step is not a positive number.
    #[error("time step {0} ms; steps are finite and positive")]
    Step(f64),
    /// A population of none or too many members.
    #[error("population of {0} members; populations have 1 to 2^31 members in all")]
    Size(usize),
    /// A number that stands for nothing.
    #[error("{what} {index}, where {known} are known")]
    Absent {
        /// What it was to stand for.
        what: &'static str,
        /// The number.
        index: usize,
        /// How many there are.
        known: usize,
    },
    /// The model has no such parameter or state variable.
    #[error("{model:?} has no `{name}`")]
    Unknown {
        /// The model.
        model: Model,
        /// The name.
        name: String,
    },
    /// A parameter that no cell can have.
    #[error("`{name}` = {value}; it has to be {allowed}")]
    Value {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
        /// What would do.
        allowed: &'static str,
    },
    /// The reset potential is not below the potential at which spikes are emitted.
    #[error("v_reset = {v_reset} mV is not below {peak} = {v_peak} mV; the cell would never rest")]
    Reset {
        /// mV
        v_reset: f64,
        /// Name of the other parameter.
        peak: &'static str,
        /// mV
        v_peak: f64,
    },
    /// A list has the wrong length.
    #[error("{values} values of `{name}` for {wanted}; give one or {wanted}")]
    Length {
        /// What is listed.
        name: String,
        /// Its length.
        values: usize,
        /// The right length.
        wanted: usize,
    },
    /// Spike times are not finite, negative or not ascending.
    #[error(
        "spike times of member {member}: {time_ms} ms at position {position}; spike times are \
             not negative and ascend"
    )]
    SpikeTimes {
        /// Position in the population.
        member: usize,
        /// Position in the list.
        position: usize,
        /// The time.
        time_ms: f64,
    },
    /// A synapse between members that do not exist, or onto a source.
    #[error("synapse {index} ends at member {member}, which is {what}")]
    NoSuchMember {
        /// Position in the projection.
        index: usize,
        /// The member.
        member: u32,
        /// What is wrong about it.
        what: &'static str,
    },
    /// A receptor other than 0 and 1.
    #[error("receptor {0}; 0 is excitatory, 1 inhibitory")]
    Receptor(usize),
    /// A weight that no conductance can have.
    #[error("synapse {index}: weight {weight} uS; conductances are finite and not negative")]
    Weight {
        /// Position in the projection.
        index: usize,
        /// uS
        weight: f64,
    },
    /// A delay that the engine cannot hold.
    #[error(
        "synapse {index}: delay {delay_ms} ms; delays are between {step_ms} and {longest_ms} ms"
    )]
    Delay {
        /// Position in the projection.
        index: usize,
        /// ms
        delay_ms: f64,
        /// Shortest, ms.
        step_ms: f64,
        /// Longest, ms.
        longest_ms: f64,
    },
    /// A current that makes no sense.
    #[error("current source: {0}")]
    Current(&'static str),
    /// A time that cannot be run to.
    #[error("run until {until_ms} ms at {now_ms} ms")]
    Past {
        /// The time asked for.
        until_ms: f64,
        /// The time.
        now_ms: f64,
    },
    /// The operating system gives no threads.
    #[error("{threads} threads are not to be had; ask for fewer")]
    Threads {
        /// How many were asked for.
        threads: usize,
    },
}

pub(super) fn check_length(
    name: &str,
    values: &[f64],
    wanted: usize,
) -> Result<(), ReferenceError> {
    if values.len() == wanted || values.len() == 1 {
        return Ok(());
    }
    Err(ReferenceError::Length { name: name.to_owned(), values: values.len(), wanted })
}

pub(super) fn check_laws(laws: usize, wanted: usize) -> Result<(), ReferenceError> {
    if laws == 1 || laws == wanted {
        return Ok(());
    }
    Err(ReferenceError::Length { name: "plasticity".to_owned(), values: laws, wanted })
}

pub(super) fn check_weights(weights: &[f64]) -> Result<(), ReferenceError> {
    match weights.iter().position(|&w| !Allowed::NotNegative.holds(w)) {
        None => Ok(()),
        Some(index) => Err(ReferenceError::Weight { index, weight: weights[index] }),
    }
}

pub(super) fn check_waveform(waveform: &Waveform) -> Result<(), ReferenceError> {
    let wrong = |what| Err(ReferenceError::Current(what));
    match waveform {
        Waveform::Steps { times_ms, amplitudes } => {
            if times_ms.len() != amplitudes.len() {
                return wrong("as many times as amplitudes are needed");
            }
            if !times_ms.is_sorted() || times_ms.iter().chain(amplitudes).any(|x| x.is_nan()) {
                return wrong("times have to ascend, and no value may be NaN");
            }
        }
        Waveform::Sine { amplitude, offset, frequency, phase, .. } => {
            if [amplitude, offset, frequency, phase].iter().any(|x| !x.is_finite()) {
                return wrong("amplitude, offset, frequency and phase have to be finite");
            }
        }
        Waveform::Noise { mean, stdev, every_ms, .. } => {
            if !mean.is_finite() || !Allowed::NotNegative.holds(*stdev) {
                return wrong("mean and stdev have to be finite, stdev not negative");
            }
            if !Allowed::Positive.holds(*every_ms) {
                return wrong("dt has to be positive");
            }
        }
    }
    Ok(())
}
