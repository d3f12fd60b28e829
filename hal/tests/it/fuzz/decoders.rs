//! The decoders of the crate, each with inputs that it accepts, and what must hold for accepted
//! inputs: whatever was decoded is encoded and decoded again.

mod files;
mod frames;
mod words;

use hal::coord::FpgaOnWafer;

/// A decoder that meets any bytes.
#[derive(Clone, Copy)]
pub(super) struct Decoder {
    pub(super) name: &'static str,
    /// Decodes and tells how it ended, in findings with semicolons between them: features of what
    /// was accepted, or the error and how far the decoder came. Asserts what must hold for
    /// accepted inputs.
    pub(super) run: fn(&[u8]) -> String,
    /// Inputs that are accepted.
    pub(super) examples: fn() -> Vec<Vec<u8>>,
}

/// What outcomes of accepted inputs begin with.
const ACCEPTED: &str = "accepted";

/// Whether an outcome is that of an accepted input.
pub(super) fn is_accepted(outcome: &str) -> bool {
    outcome.starts_with(ACCEPTED)
}

macro_rules! decoders {
    ($($name:literal: $module:ident::$run:ident from $examples:ident),* $(,)?) => {
        [$(Decoder { name: $name, run: $module::$run, examples: $module::$examples }),*]
    };
}

pub(super) const DECODERS: [Decoder; 16] = decoders! {
    "configuration": words::configuration from configuration_examples,
    "access": words::access from configuration_examples,
    "playback": words::playback_words from playback_examples,
    "trace": words::trace_words from trace_examples,
    "single-words": words::single_words from single_word_examples,
    "archive": files::archive_file from archive_examples,
    "archive-payload": files::archive_payload from payload_examples,
    "stateful-payload": files::stateful_payload from stateful_examples,
    "defects": files::defects from defects_examples,
    "description": files::description from description_examples,
    "coordinates": files::coordinates from coordinate_examples,
    "datagram": frames::datagram from datagram_examples,
    "hicann-packet": frames::hicann_packet from hicann_packet_examples,
    "hicann-arq": frames::hicann_arq from hicann_arq_examples,
    "host-arq": frames::host_arq from host_arq_examples,
    "fpga-arq": frames::fpga_arq from host_arq_examples,
};

const FPGA: FpgaOnWafer = FpgaOnWafer::MASTER;

/// The findings about what was accepted, or the error.
fn outcome<T, E: ToString>(result: Result<T, E>, shape: impl Fn(&T) -> String) -> String {
    result.map_or_else(|e| e.to_string(), |value| format!("{ACCEPTED}; {}", shape(&value)))
}

/// A number, coarsely: outcomes that differ in it a little are the same.
fn size(n: usize) -> &'static str {
    match n {
        0 => "no",
        1 => "one",
        2..=3 => "few",
        4..=15 => "some",
        16..=255 => "many",
        _ => "heaps",
    }
}

fn to_words(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

fn to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
