//! Reads chips back and compares them with their configuration (hal-config §5.5).
//!
//! Everything that can be read is read: switches, repeaters, mergers, generators, drivers, weights,
//! decoders, controllers, analog outputs, current stimuli. What should come back is found by asking
//! the same questions of a model of the chip, so that peculiarities of single registers need no
//! rules here.
//!
//! ```
//! use hal::codec::{WaferState, encode_wafer};
//! use hal::config::WaferConfig;
//! use hal::coord::{HicannOnWafer, SynapseOnHicann};
//! use hal::defects::Defects;
//! use hal::value::SynapseWeight;
//! let chip = HicannOnWafer::new::<93>();
//! let mut config = WaferConfig::default();
//! config.hicann_mut(chip);
//! let mut wafer = WaferState::default();
//! wafer.apply(&encode_wafer(&config).unwrap()).unwrap();
//! config.hicann_mut(chip).synapses.weights[SynapseOnHicann::new::<0>()] = SynapseWeight::MAX;
//! let ask = |words: &_| wafer.answer(words);
//! let mismatches = hal::verify::verify(&config, &Defects::default(), ask).unwrap();
//! assert_eq!(mismatches[0].to_string(), "H93: weights of row0 from col0: 0x0 instead of 0xf0000000");
//! ```

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::codec::{
    Answer, DecodeError, EncodeError, ReadPlace, WaferState, encode_reads, encode_wafer,
};
use crate::config::WaferConfig;
use crate::coord::{Coordinate, FpgaOnWafer, HicannOnWafer, SynapseDriverOnHicann};
use crate::defects::Defects;
use crate::wafer::{ConfigurationWords, Wafer, WaferError};

/// A register that does not hold what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// What was read.
    pub place: ReadPlace,
    /// What the configuration says.
    pub expected: u32,
    /// What the chip says.
    pub found: u32,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hicann, place, expected, found } = self;
        match place {
            ReadPlace::Register { unit, local } => write!(f, "{hicann}: {unit:?} {local:#x}")?,
            ReadPlace::Weights { row, column } => {
                write!(f, "{hicann}: weights of {row} from col{column}")?;
            }
            ReadPlace::Decoders { row, column } => {
                write!(f, "{hicann}: decoders of {row} from col{column}")?;
            }
        }
        write!(f, ": {found:#x} instead of {expected:#x}")
    }
}

/// Chips could not be compared with their configuration.
#[derive(Debug, Error)]
pub enum VerifyError<E> {
    /// The configuration cannot be on a chip.
    #[error(transparent)]
    Configuration(#[from] EncodeError),
    /// The model refused the configuration or a read.
    #[error(transparent)]
    Model(#[from] DecodeError),
    /// The wafer did not answer.
    #[error("the wafer did not answer: {0}")]
    Wafer(E),
    /// Answers are missing, or there are too many.
    #[error("{fpga} gave {found} answers to {expected} reads")]
    Count {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Number of reads.
        expected: usize,
        /// Number of answers.
        found: usize,
    },
    /// An answer from somewhere else.
    #[error("{fpga}, answer {index}: {word:#018x} comes from another register than was asked")]
    Misplaced {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Position among the answers.
        index: usize,
        /// The answer.
        word: u64,
    },
}

/// What is asked of an FPGA, and what each answer is about.
#[derive(Default)]
struct Questions {
    words: Vec<u64>,
    places: Vec<(HicannOnWafer, Option<ReadPlace>)>,
}

fn questions(config: &WaferConfig, defects: &Defects) -> BTreeMap<FpgaOnWafer, Questions> {
    let mut by_fpga: BTreeMap<FpgaOnWafer, Questions> = BTreeMap::new();
    for (&hicann, chip) in &config.hicanns {
        let works = |driver: SynapseDriverOnHicann| defects.is_usable(driver.on(hicann));
        let (words, places) = encode_reads(hicann, chip, works);
        let questions = by_fpga.entry(hicann.fpga()).or_default();
        questions.words.extend(words);
        questions.places.extend(places.into_iter().map(|place| (hicann, place)));
    }
    by_fpga
}

/// Reads the weights of all chips of a configuration, which controllers may have updated, into it.
/// Drivers that are marked as defective are left out.
pub fn read_weights(
    wafer: &mut dyn Wafer,
    config: &mut WaferConfig,
    defects: &Defects,
) -> Result<(), VerifyError<WaferError>> {
    let questions = questions(config, defects);
    let by_fpga = questions.iter().map(|(&fpga, q)| (fpga, q.words.clone())).collect();
    let found = wafer.read(&ConfigurationWords { by_fpga }).map_err(VerifyError::Wafer)?;
    for (fpga, Questions { places, .. }) in questions {
        let found = found.by_fpga.get(&fpga).map_or(&[][..], Vec::as_slice);
        if found.len() != places.len() {
            let (expected, found) = (places.len(), found.len());
            return Err(VerifyError::Count { fpga, expected, found });
        }
        for (index, ((hicann, place), &word)) in places.into_iter().zip(found).enumerate() {
            let answer = Answer::from_word(word);
            let (_, answer) = answer.ok_or(VerifyError::Misplaced { fpga, index, word })?;
            let weights = place.into_iter().flat_map(|place| place.weights(answer.data));
            let table = &mut config.hicann_mut(hicann).synapses.weights;
            weights.for_each(|(synapse, weight)| table[synapse] = weight);
        }
    }
    Ok(())
}

/// Compares all chips of a configuration with what a wafer answers, near or far. Drivers that are
/// marked as defective are left out, together with their rows.
pub fn verify_wafer(
    wafer: &mut dyn Wafer,
    config: &WaferConfig,
    defects: &Defects,
) -> Result<Vec<Mismatch>, VerifyError<WaferError>> {
    verify(config, defects, |words| wafer.read(words))
}

/// Compares all chips of a configuration with what `ask` answers to the words that read them.
/// Drivers that are marked as defective are left out, together with their rows.
pub fn verify<E>(
    config: &WaferConfig,
    defects: &Defects,
    ask: impl FnOnce(&ConfigurationWords) -> Result<ConfigurationWords, E>,
) -> Result<Vec<Mismatch>, VerifyError<E>> {
    let questions = questions(config, defects);
    let by_fpga = questions.iter().map(|(&fpga, q)| (fpga, q.words.clone())).collect();
    let words = ConfigurationWords { by_fpga };
    let found = ask(&words).map_err(VerifyError::Wafer)?;
    let mut model = WaferState::default();
    model.apply(&encode_wafer(config)?)?;
    let expected = model.answer(&words)?;
    let mut mismatches = Vec::new();
    for (&fpga, Questions { places, .. }) in &questions {
        let answers =
            |all: &ConfigurationWords| all.by_fpga.get(&fpga).cloned().unwrap_or_default();
        let (found, expected) = (answers(&found), answers(&expected));
        if found.len() != places.len() {
            let (expected, found) = (places.len(), found.len());
            return Err(VerifyError::Count { fpga, expected, found });
        }
        for (index, (&(hicann, place), (word, wanted))) in
            places.iter().zip(found.into_iter().zip(expected)).enumerate()
        {
            let misplaced = VerifyError::Misplaced { fpga, index, word };
            let (Some((link, found)), Some((from, expected))) =
                (Answer::from_word(word), Answer::from_word(wanted))
            else {
                return Err(misplaced);
            };
            if (link, found.unit, found.local) != (from, expected.unit, expected.local) {
                return Err(misplaced);
            }
            if let Some(place) = place.filter(|_| found.data != expected.data) {
                let (expected, found) = (expected.data, found.data);
                mismatches.push(Mismatch { hicann, place, expected, found });
            }
        }
    }
    Ok(mismatches)
}
