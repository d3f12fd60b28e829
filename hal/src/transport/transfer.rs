//! Words of all FPGAs on their way: configuration, playback or trace.

use std::collections::BTreeMap;

use super::message::EndOfWords;
use super::{Packet, PacketType, Streams, TransportError};
use crate::coord::{Coordinate, FpgaOnWafer};

/// Sends words to all FPGAs in turn, and where they end.
pub(super) fn send_words(
    streams: &Streams,
    kind: PacketType,
    by_fpga: &BTreeMap<FpgaOnWafer, Vec<u64>>,
    words_per_packet: usize,
) -> Result<(), TransportError> {
    let mut parts: Vec<_> =
        by_fpga.iter().map(|(fpga, words)| (*fpga, words.chunks(words_per_packet))).collect();
    while !parts.is_empty() {
        for (fpga, chunks) in &mut parts {
            if let Some(chunk) = chunks.next() {
                streams.send(*fpga, Packet::new(kind, chunk))?;
            }
        }
        parts.retain(|(_, chunks)| chunks.len() > 0);
    }
    for fpga in FpgaOnWafer::all() {
        let words = by_fpga.get(&fpga);
        let (is_present, words) = (words.is_some(), words.map_or(0, Vec::len) as u64);
        streams.send(fpga, EndOfWords { kind, is_present, words }.encode())?;
    }
    Ok(())
}

/// Words of one kind that arrive from all FPGAs.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    words: BTreeMap<FpgaOnWafer, Vec<u64>>,
    ends: BTreeMap<FpgaOnWafer, EndOfWords>,
}

impl Gathered {
    /// Takes words.
    pub(super) fn extend(&mut self, fpga: FpgaOnWafer, words: Vec<u64>) {
        self.words.entry(fpga).or_default().extend(words);
    }

    /// Takes the end of an FPGA's words; true if it was the last one.
    pub(super) fn end(
        &mut self,
        fpga: FpgaOnWafer,
        end: EndOfWords,
    ) -> Result<bool, TransportError> {
        let arrived = self.words.get(&fpga).map_or(0, Vec::len) as u64;
        let first = self.ends.values().next().map_or(end.kind, |e| e.kind);
        if arrived != end.words || first != end.kind || self.ends.insert(fpga, end).is_some() {
            return Err(TransportError::Unexpected { fpga, what: "an end of other words" });
        }
        Ok(self.ends.len() == FpgaOnWafer::SIZE)
    }

    /// All words, of the FPGAs that have any part in them.
    pub(super) fn take(&mut self) -> BTreeMap<FpgaOnWafer, Vec<u64>> {
        let mut words = std::mem::take(&mut self.words);
        let present = std::mem::take(&mut self.ends).into_iter().filter(|(_, e)| e.is_present);
        present.map(|(fpga, _)| (fpga, words.remove(&fpga).unwrap_or_default())).collect()
    }
}
