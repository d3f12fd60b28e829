//! Words of whole chips and wafers. Chips are independent; within an FPGA they go through the
//! stages together.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::bus::{Access, Operation, Writer};
use super::chip::Chip;
use super::stage::Stage;
use super::{DecodeError, EncodeError};
use crate::config::{HicannConfig, WaferConfig};
use crate::coord::{Coordinate, FpgaOnWafer, HicannOnWafer, HighspeedLinkOnDnc, Table};
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
    let mut words = Vec::with_capacity(chips.len() * WORDS_PER_CHIP);
    for stage in Stage::ALL {
        for &(hicann, config) in chips {
            let mut writer = Writer::new(hicann, &mut words);
            stage.encode(config, &mut writer).map_err(|reason| EncodeError { hicann, reason })?;
        }
    }
    Ok(words)
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
        for &fpga in words.by_fpga.keys() {
            self.chips.entry(fpga).or_default();
        }
        let done: Vec<_> = self
            .chips
            .par_iter_mut()
            .map(|(&fpga, chips)| {
                let words = words.by_fpga.get(&fpga).map_or(&[][..], Vec::as_slice);
                apply_to_fpga(fpga, chips, words)
            })
            .collect();
        done.into_iter().collect()
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

fn apply_to_fpga(
    fpga: FpgaOnWafer,
    chips: &mut Table<HighspeedLinkOnDnc, Option<Box<Chip>>>,
    words: &[u64],
) -> Result<(), DecodeError> {
    for (index, &word) in words.iter().enumerate() {
        let (link, access) =
            Access::from_word(word).ok_or(DecodeError::Reserved { fpga, index, word })?;
        let Access { unit, local, operation: Operation::Write(data) } = access else { continue };
        chips[link].get_or_insert_default().apply(access).map_err(|what| DecodeError::Refused {
            hicann: hicann(fpga, link),
            index,
            unit,
            local,
            data,
            what,
        })?;
    }
    Ok(())
}

/// The configuration that words leave on a fresh wafer.
pub fn decode_wafer(words: &ConfigurationWords) -> Result<WaferConfig, DecodeError> {
    let mut state = WaferState::default();
    state.apply(words)?;
    state.into_config()
}
