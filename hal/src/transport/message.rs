//! What host and server tell each other besides the words of the wafer. These packet types are
//! ours; a real wafer has other means (JTAG, the boards of the analog readout).
//!
//! | type | direction | words |
//! |---|---|---|
//! | 0xb551 end of words | both, on every stream | type of the words; 1 if the FPGA has any part in it, else 0; number of words |
//! | 0xb552 request | to the wafer, stream of the master FPGA | [`Request`] |
//! | 0xb553 reply | to the host, stream of the master FPGA | [`Reply`] |
//! | 0xb554 samples | to the host, stream of the master FPGA | four 16-bit ADC samples, the first one lowest |

use std::collections::BTreeMap;

use super::{Packet, PacketType};
use crate::coord::{AnalogOnHicann, Coordinate, DncOnWafer};
use crate::wafer::{Counters, DncCycles, DropCause, Flow, Progress, WaferError, Waiting};

pub(super) const END_OF_WORDS: PacketType = PacketType(0xb551);
pub(super) const REQUEST: PacketType = PacketType(0xb552);
pub(super) const REPLY: PacketType = PacketType(0xb553);
pub(super) const SAMPLES: PacketType = PacketType(0xb554);

/// Longest text that travels, in bytes.
const MAX_TEXT: usize = 1024;

/// The end of words of one kind on a stream. The server configures or loads the wafer when all
/// streams have come to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndOfWords {
    pub(super) kind: PacketType,
    /// Whether the FPGA has an entry at all, maybe an empty one.
    pub(super) is_present: bool,
    pub(super) words: u64,
}

impl EndOfWords {
    pub(super) fn encode(self) -> Packet {
        let words = [u64::from(self.kind.0), u64::from(self.is_present), self.words];
        Packet::new(END_OF_WORDS, words)
    }

    pub(super) fn decode(words: &[u64]) -> Option<Self> {
        let &[kind, is_present, words] = words else { return None };
        let kind = PacketType(u16::try_from(kind).ok()?);
        Some(Self { kind, is_present: is_present != 0, words })
    }
}

/// What the host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Ends the run before its time.
    Stop,
    ReadAdc(DncOnWafer, AnalogOnHicann),
}

impl Request {
    pub(super) fn encode(self) -> Packet {
        let words = match self {
            Self::Stop => vec![1],
            Self::ReadAdc(dnc, output) => vec![2, dnc.index() as u64, output.index() as u64],
        };
        Packet::new(REQUEST, words)
    }

    pub(super) fn decode(words: &[u64]) -> Option<Self> {
        match *words {
            [1] => Some(Self::Stop),
            [2, dnc, output] => Some(Self::ReadAdc(coordinate(dnc)?, coordinate(output)?)),
            _ => None,
        }
    }
}

/// What the server answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// Configured, loaded, or run to the end.
    Done,
    /// The run goes on.
    Progress(Progress),
    /// After a run, before the reply that ends it.
    Counters(Counters),
    /// So many samples were sent.
    Samples(u64),
    Refused(Refusal),
}

impl Reply {
    pub(super) fn encode(&self) -> Packet {
        let words = match self {
            Self::Done => vec![0],
            Self::Progress(Progress { now, end }) => vec![1, now.0, end.0],
            Self::Counters(c) => {
                let flows = [&c.stimulus, &c.readout, &c.mergers].map(flow_words).concat();
                let Waiting { events, total, p99 } = c.waiting;
                let totals = [events, total.0, p99.0, c.neuron_spikes, c.synaptic_events];
                [&[2][..], &flows, &totals].concat()
            }
            Self::Samples(n) => vec![3, *n],
            Self::Refused(refusal) => [vec![4], refusal.words()].concat(),
        };
        Packet::new(REPLY, words)
    }

    pub(super) fn decode(words: &[u64]) -> Option<Self> {
        match *words {
            [0] => Some(Self::Done),
            [1, now, end] => {
                let (now, end) = (DncCycles(now), DncCycles(end));
                Some(Self::Progress(Progress { now, end }))
            }
            [2, ref flows @ .., events, total, p99, neuron_spikes, synaptic_events]
                if flows.len() == 3 * FLOW_WORDS =>
            {
                let part = |i| flow(&flows[i * FLOW_WORDS..(i + 1) * FLOW_WORDS]);
                let (stimulus, readout, mergers) = (part(0), part(1), part(2));
                let waiting = Waiting { events, total: DncCycles(total), p99: DncCycles(p99) };
                Some(Self::Counters(Counters {
                    stimulus,
                    readout,
                    mergers,
                    waiting,
                    neuron_spikes,
                    synaptic_events,
                }))
            }
            [3, n] => Some(Self::Samples(n)),
            [4, ref refusal @ ..] => Refusal::from_words(refusal).map(Self::Refused),
            _ => None,
        }
    }
}

/// A [`WaferError`] on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Configuration(String),
    Playback(String),
    NothingConnected(DncOnWafer, AnalogOnHicann),
    Stopped(DncCycles),
    Other(String),
}

impl From<&WaferError> for Refusal {
    fn from(error: &WaferError) -> Self {
        match error {
            WaferError::Configuration(source) => Self::Configuration(source.to_string()),
            WaferError::Playback(source) => Self::Playback(source.to_string()),
            WaferError::NothingConnected { dnc, output } => Self::NothingConnected(*dnc, *output),
            WaferError::Stopped { at } => Self::Stopped(*at),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Refusal> for WaferError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Configuration(text) => Self::Configuration(text.into()),
            Refusal::Playback(text) => Self::Playback(text.into()),
            Refusal::NothingConnected(dnc, output) => Self::NothingConnected { dnc, output },
            Refusal::Stopped(at) => Self::Stopped { at },
            Refusal::Other(text) => Self::Remote(text),
        }
    }
}

impl Refusal {
    fn words(&self) -> Vec<u64> {
        match self {
            Self::Configuration(text) => [vec![0], text_words(text)].concat(),
            Self::Playback(text) => [vec![1], text_words(text)].concat(),
            Self::NothingConnected(dnc, output) => {
                vec![2, dnc.index() as u64, output.index() as u64]
            }
            Self::Stopped(at) => vec![3, at.0],
            Self::Other(text) => [vec![4], text_words(text)].concat(),
        }
    }

    fn from_words(words: &[u64]) -> Option<Self> {
        match *words {
            [0, ref words @ ..] => text(words).map(Self::Configuration),
            [1, ref words @ ..] => text(words).map(Self::Playback),
            [2, dnc, output] => Some(Self::NothingConnected(coordinate(dnc)?, coordinate(output)?)),
            [3, at] => Some(Self::Stopped(DncCycles(at))),
            [4, ref words @ ..] => text(words).map(Self::Other),
            _ => None,
        }
    }
}

fn coordinate<C: Coordinate>(word: u64) -> Option<C> {
    C::from_index(usize::try_from(word).ok()?)
}

/// Causes in the order in which their counts travel.
const CAUSES: [DropCause; 6] = DropCause::ALL;
/// Sent, delivered, pending, and a count per cause.
const FLOW_WORDS: usize = 3 + CAUSES.len();

fn flow_words(flow: &Flow) -> Vec<u64> {
    let dropped = CAUSES.iter().map(|cause| flow.dropped.get(cause).copied().unwrap_or(0));
    [flow.sent, flow.delivered, flow.pending].into_iter().chain(dropped).collect()
}

/// The flow of exactly [`FLOW_WORDS`] words.
fn flow(words: &[u64]) -> Flow {
    let counts = CAUSES.into_iter().zip(words[3..].iter().copied());
    let dropped: BTreeMap<_, _> = counts.filter(|(_, n)| *n > 0).collect();
    Flow { sent: words[0], delivered: words[1], pending: words[2], dropped }
}

/// The length and the bytes of a text, cut at [`MAX_TEXT`].
fn text_words(text: &str) -> Vec<u64> {
    let bytes = &text.as_bytes()[..text.floor_char_boundary(MAX_TEXT)];
    std::iter::once(bytes.len() as u64).chain(pack(bytes, |b| u64::from(*b), 8)).collect()
}

fn text(words: &[u64]) -> Option<String> {
    let (len, words) = words.split_first()?;
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let bytes = bytes.get(..usize::try_from(*len).ok()?)?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// ADC samples as words.
pub(super) fn sample_words(samples: &[u16]) -> Vec<u64> {
    pack(samples, |s| u64::from(*s), 16).collect()
}

/// ADC samples of words; the last ones are padding.
pub(super) fn samples(words: &[u64]) -> impl Iterator<Item = u16> {
    words.iter().flat_map(|w| [0, 16, 32, 48].map(|shift| (w >> shift) as u16))
}

/// Fields of `bits` bits in words, the first one lowest.
fn pack<T>(fields: &[T], value: fn(&T) -> u64, bits: usize) -> impl Iterator<Item = u64> {
    fields
        .chunks(64 / bits)
        .map(move |chunk| chunk.iter().rev().fold(0, |word, field| word << bits | value(field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(error: &WaferError) -> String {
        let packet = Reply::Refused(error.into()).encode();
        let Some(Reply::Refused(refusal)) = Reply::decode(&packet.words) else {
            panic!("{packet:?} is no refusal")
        };
        WaferError::from(refusal).to_string()
    }

    #[test]
    fn refusals_keep_their_message() {
        let (dnc, output) = (DncOnWafer::new::<3>(), AnalogOnHicann::new::<1>());
        for error in [
            WaferError::Configuration("H93, word 7: no".into()),
            WaferError::Playback(String::new().into()),
            WaferError::NotReady { needed: "run an experiment with `run`" },
            WaferError::NothingConnected { dnc, output },
            WaferError::Stopped { at: DncCycles(1 << 40) },
        ] {
            assert_eq!(through(&error), error.to_string());
        }
        let long = through(&WaferError::Configuration("\u{b5}".repeat(MAX_TEXT).into()));
        assert_eq!(long.chars().filter(|c| *c == '\u{b5}').count(), MAX_TEXT / 2);
    }

    #[test]
    fn replies_and_samples_survive_their_words() {
        let mut counters =
            Counters { neuron_spikes: 5, synaptic_events: 1 << 50, ..Counters::default() };
        counters.stimulus.drop_one(DropCause::StimulusLinkClosed);
        counters.readout = Flow { sent: 9, delivered: 8, pending: 1, ..Flow::default() };
        let words = Reply::Counters(counters.clone()).encode().words;
        assert!(matches!(Reply::decode(&words), Some(Reply::Counters(c)) if c == counters));
        assert!(Reply::decode(&words[..words.len() - 1]).is_none());
        let read: Vec<u16> = (0..11).map(|i| i * 400).collect();
        let words = sample_words(&read);
        assert_eq!(words.len(), 3);
        assert_eq!(samples(&words).take(read.len()).collect::<Vec<_>>(), read);
    }

    proptest::proptest! {
        #[test]
        fn decoding_never_panics(words in proptest::collection::vec(0..6_u64, 0..20)) {
            let _ = (EndOfWords::decode(&words), Request::decode(&words), Reply::decode(&words));
        }
    }
}
