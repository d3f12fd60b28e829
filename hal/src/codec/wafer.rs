//! Words of whole chips and wafers. Chips are independent; within an FPGA they go through the
//! stages together.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::bus::{Access, Answer, Operation, PassWords, Writer};
use super::chip::Chip;
use super::stage::{Stage, Task};
use super::{DecodeError, EncodeError, Programming, ReadPlace, read_back};
use crate::config::{HicannConfig, WaferConfig};
use crate::coord::{
    Coordinate, FpgaOnWafer, HicannOnWafer, HighspeedLinkOnDnc, SynapseDriverOnHicann,
    SynapseOnHicann, Table,
};
use crate::value::SynapseWeight;
use crate::wafer::ConfigurationWords;

/// Room for the words of a chip that only passes events on; one with synapses takes up to 79,000.
const WORDS_PER_CHIP: usize = 24_000;

/// The words that initialise a chip and put it into a configuration.
pub fn encode_hicann(
    hicann: HicannOnWafer,
    config: &HicannConfig,
) -> Result<Vec<u64>, EncodeError> {
    encode_chips(&[(hicann, config)])
}

/// The words for all chips of a configuration, by FPGA.
pub fn encode_wafer(config: &WaferConfig) -> Result<ConfigurationWords, EncodeError> {
    let mut chips: BTreeMap<FpgaOnWafer, Vec<(HicannOnWafer, &HicannConfig)>> = BTreeMap::new();
    for (&hicann, chip) in &config.hicanns {
        chips.entry(hicann.fpga()).or_default().push((hicann, chip));
    }
    let words: Vec<_> =
        chips.par_iter().map(|(&fpga, chips)| Ok((fpga, encode_chips(chips)?))).collect();
    // collected one by one, so that the first error does not depend on the number of threads
    let by_fpga = words.into_iter().collect::<Result<_, EncodeError>>()?;
    Ok(ConfigurationWords { by_fpga })
}

fn encode_chips(chips: &[(HicannOnWafer, &HicannConfig)]) -> Result<Vec<u64>, EncodeError> {
    let programming = Programming::default();
    let task = |&(h, config)| (h, Task::anew(config, &programming));
    let tasks: Vec<_> = chips.iter().map(task).collect();
    let mut words = Vec::with_capacity(chips.len() * WORDS_PER_CHIP);
    for stage in Stage::ALL {
        encode_stage(stage, &tasks, &mut words)?;
    }
    Ok(words)
}

/// The words of one stage for the chips of an FPGA, and the PLL clocks that their floating-gate
/// controllers take at worst.
pub(crate) fn encode_stage(
    stage: Stage,
    tasks: &[(HicannOnWafer, Task<'_>)],
    words: &mut Vec<u64>,
) -> Result<u64, EncodeError> {
    let clocks = match stage {
        Stage::TimingUncritical => encode_gates(tasks, words),
        _ => 0,
    };
    for &(hicann, task) in tasks {
        let mut writer = Writer::new(hicann, words);
        stage.encode(task, &mut writer).map_err(|reason| EncodeError { hicann, reason })?;
    }
    Ok(clocks)
}

/// Programs the floating gates of all chips at the same time: every chip starts a pass before any
/// of them is waited for. Tells the clocks of all passes.
fn encode_gates(tasks: &[(HicannOnWafer, Task<'_>)], words: &mut Vec<u64>) -> u64 {
    let chips: Vec<(Vec<u64>, Vec<PassWords>)> = tasks
        .iter()
        .map(|&(hicann, task)| {
            let mut of_chip = Vec::new();
            let mut writer = Writer::new(hicann, &mut of_chip);
            task.encode_gates(&mut writer);
            let passes = writer.passes;
            (of_chip, passes)
        })
        .collect();
    let passes = chips.iter().map(|(_, passes)| passes.len()).max().unwrap_or(0);
    let mut clocks = 0;
    for pass in 0..passes {
        let running = || chips.iter().filter_map(|(words, p)| Some((words, p, p.get(pass)?)));
        for (of_chip, passes, now) in running() {
            let first = if pass == 0 { 0 } else { passes[pass - 1].awaited };
            words.extend(&of_chip[first..now.started]);
        }
        for (of_chip, _, now) in running() {
            words.extend(&of_chip[now.started..now.awaited]);
        }
        clocks += running().map(|(.., now)| now.clocks).max().unwrap_or(0);
    }
    for (of_chip, passes) in &chips {
        words.extend(&of_chip[passes.last().map_or(0, |p| p.awaited)..]);
    }
    clocks
}

/// The words that read a chip with this configuration back, and what each answer is about.
pub(crate) fn encode_reads(
    hicann: HicannOnWafer,
    config: &HicannConfig,
    works: impl Fn(SynapseDriverOnHicann) -> bool,
) -> (Vec<u64>, Vec<Option<ReadPlace>>) {
    let mut words = Vec::new();
    let places = read_back::encode(config, works, &mut Writer::new(hicann, &mut words));
    (words, places)
}

/// What initialisation leaves of a configuration: cells of floating gates, weights and decoders
/// survive it.
pub(crate) fn after_init(before: &HicannConfig) -> Result<HicannConfig, EncodeError> {
    let place = HicannOnWafer::new::<0>();
    let mut words = encode_hicann(place, before)?;
    let programming = Programming::default();
    let init = [(place, Task::anew(before, &programming))];
    encode_stage(Stage::Init, &init, &mut words)?;
    let by_fpga = BTreeMap::from([(place.fpga(), words)]);
    let mut chips = decode_wafer(&ConfigurationWords { by_fpga })
        .expect("chips understand the words of this crate")
        .hicanns;
    Ok(chips.remove(&place).expect("initialisation writes to the chip"))
}

/// The registers of all chips that have received words. A chip that has not is in reset.
///
/// Chips come up as [`HicannConfig::default`] says, with every synapse switched off.
#[derive(Debug, Clone, Default)]
pub struct WaferState {
    chips: BTreeMap<FpgaOnWafer, Table<HighspeedLinkOnDnc, Option<Box<Chip>>>>,
}

impl WaferState {
    /// Executes words; they change the state left by earlier ones. If a word is refused, the words
    /// of its FPGA that stand before it have taken effect, and those of other FPGAs may have.
    pub fn apply(&mut self, words: &ConfigurationWords) -> Result<(), DecodeError> {
        self.answer(words).map(|_| ())
    }

    /// Executes words as [`apply`](Self::apply) does and returns the answers to those that read.
    pub fn answer(
        &mut self,
        words: &ConfigurationWords,
    ) -> Result<ConfigurationWords, DecodeError> {
        for &fpga in words.by_fpga.keys() {
            self.chips.entry(fpga).or_default();
        }
        let answers: Vec<_> = self
            .chips
            .par_iter_mut()
            .filter_map(|(fpga, chips)| Some((*fpga, chips, words.by_fpga.get(fpga)?)))
            .map(|(fpga, chips, words)| Ok((fpga, apply_to_fpga(fpga, chips, words)?)))
            .collect();
        Ok(ConfigurationWords { by_fpga: answers.into_iter().collect::<Result<_, _>>()? })
    }

    /// Replaces weights of a chip, as its synapse controllers do by themselves. Nothing happens if
    /// the chip has not received words.
    pub fn set_weights(
        &mut self,
        hicann: HicannOnWafer,
        weights: impl IntoIterator<Item = (SynapseOnHicann, SynapseWeight)>,
    ) {
        let chips = self.chips.get_mut(&hicann.fpga());
        if let Some(chip) = chips.and_then(|chips| chips[hicann.link()].as_mut()) {
            for (synapse, weight) in weights {
                chip.set_weight(synapse, weight);
            }
        }
    }

    /// The configuration of all chips that have received words.
    pub fn config(&self) -> Result<WaferConfig, DecodeError> {
        self.clone().into_config()
    }

    /// The configuration of all chips that have received words.
    pub fn into_config(self) -> Result<WaferConfig, DecodeError> {
        let mut chips = Vec::new();
        for (fpga, mut of_fpga) in self.chips {
            for link in HighspeedLinkOnDnc::all() {
                chips.extend(of_fpga[link].take().map(|chip| (hicann(fpga, link), chip)));
            }
        }
        let configs: Vec<_> = chips
            .into_par_iter()
            .map(|(hicann, chip)| {
                let inconsistent = |what| DecodeError::Inconsistent { hicann, what };
                Ok((hicann, chip.into_config().map_err(inconsistent)?))
            })
            .collect();
        Ok(WaferConfig { hicanns: configs.into_iter().collect::<Result<_, DecodeError>>()? })
    }
}

fn hicann(fpga: FpgaOnWafer, link: HighspeedLinkOnDnc) -> HicannOnWafer {
    fpga.dnc().hicann(link.hicann())
}

/// Executes words and returns the answers.
fn apply_to_fpga(
    fpga: FpgaOnWafer,
    chips: &mut Table<HighspeedLinkOnDnc, Option<Box<Chip>>>,
    words: &[u64],
) -> Result<Vec<u64>, DecodeError> {
    let mut answers = Vec::new();
    for (index, &word) in words.iter().enumerate() {
        let (link, access) =
            Access::from_word(word).ok_or(DecodeError::Reserved { fpga, index, word })?;
        let Access { unit, local, operation } = access;
        let answer = match (&mut chips[link], operation) {
            (Some(chip), _) => chip.apply(access),
            (chip @ None, Operation::Write(_)) => chip.insert(Box::default()).apply(access),
            // a read does not wake a chip
            (None, Operation::Read) => Chip::default().apply(access),
        };
        let data = match operation {
            Operation::Write(data) => data,
            Operation::Read => 0,
        };
        let answer = answer.map_err(|what| DecodeError::Refused {
            hicann: hicann(fpga, link),
            index,
            unit,
            local,
            data,
            what,
        })?;
        answers.extend(
            answer.map(|data| {
                Answer { unit, local: unit.answered_address(local), data }.to_word(link)
            }),
        );
    }
    Ok(answers)
}

/// The configuration that words leave on a fresh wafer.
pub fn decode_wafer(words: &ConfigurationWords) -> Result<WaferConfig, DecodeError> {
    let mut state = WaferState::default();
    state.apply(words)?;
    state.into_config()
}
