//! Datagrams of Host-ARQ, byte by byte (hal-config §4.1).
//!
//! A frame is `ACK u32 | SEQ u32 | PTYPE u16 | LEN u16 | LEN x u64`, all big endian. A pure
//! acknowledgement is its first four bytes alone, and so is the reset frame, whose value is none
//! of the sequence numbers.

use std::fmt;

use thiserror::Error;

/// Bytes of a frame before its words.
const HEADER_LEN: usize = 12;
/// Value of the reset frame.
const RESET: u32 = 0xabab_abab;

/// What the words of a packet are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketType(pub u16);

impl PacketType {
    /// The end of the stream.
    pub const FLUSH: Self = Self(0x8000);
    /// The FPGA sends it back.
    pub const LOOPBACK: Self = Self(0x8001);
    /// The limits of the FPGA, its first packet after a reset.
    pub const CONFIGURATION: Self = Self(0x8002);
    /// To be ignored.
    pub const DUMMY: Self = Self(0x8003);
    /// Numbers that the FPGA counts ([`FpgaStatistic`](crate::fpga::FpgaStatistic)).
    pub const FPGA_STATISTICS: Self = Self(0x8004);
    /// Measurement of the line.
    pub const PERFORMANCE: Self = Self(0x8006);
    /// State of the protocol.
    pub const ARQ_STATUS: Self = Self(0x0002);
    /// Debugging of the FPGA.
    pub const FPGA_DEBUG: Self = Self(0x0db0);
    /// JTAG commands.
    pub const JTAG_BULK: Self = Self(0x06a4);
    /// Trace words (hal-config §3.4).
    pub const FPGA_TRACE: Self = Self(0x0ca5);
    /// Playback words (hal-config §3.3).
    pub const FPGA_PLAYBACK: Self = Self(0x0c5a);
    /// Configuration of the FPGA itself (hal-config §3.5).
    pub const FPGA_CONFIG: Self = Self(0x0c1b);
    /// HICANNCONFIG words (hal-config §4.3).
    pub const HICANN_CONFIG: Self = Self(0x2a1b);
}

impl fmt::Debug for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketType({:#06x})", self.0)
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// Words of one kind: what applications exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What the words are.
    pub kind: PacketType,
    /// The words.
    pub words: Vec<u64>,
}

impl Packet {
    /// A packet of these words.
    pub fn new(kind: PacketType, words: impl Into<Vec<u64>>) -> Self {
        Self { kind, words: words.into() }
    }
}

/// A packet under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The last sequence number that arrived in order at the sender of the frame.
    pub ack: u32,
    /// The sequence number of the frame.
    pub sequence: u32,
    /// What it carries; at most 65,535 words.
    pub packet: Packet,
}

/// Anything that travels on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datagram {
    /// Asks the FPGA to begin anew. Real FPGAs take it on a port of its own,
    /// [`RESET_PORT`](Self::RESET_PORT); our endpoints, which share one address, on the data port.
    Reset,
    /// A pure acknowledgement.
    Ack(u32),
    /// A packet.
    Frame(Frame),
}

/// Bytes that are no datagram of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Neither four bytes nor a header.
    #[error("{bytes} bytes are no frame; a frame has 4, or 12 and 8 per word")]
    Length {
        /// Number of bytes.
        bytes: usize,
    },
    /// The header tells another length.
    #[error("the header tells {words} words, but {bytes} bytes follow it")]
    Words {
        /// Words by the header.
        words: usize,
        /// Bytes behind the header.
        bytes: usize,
    },
}

impl Datagram {
    /// UDP port of an FPGA.
    pub const DATA_PORT: u16 = 1234;
    /// UDP port of an FPGA for the reset frame.
    pub const RESET_PORT: u16 = 0xaffe;

    /// Whether these bytes are the reset frame.
    pub fn is_reset(bytes: &[u8]) -> bool {
        bytes == RESET.to_be_bytes()
    }

    /// The bytes of the datagram.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Reset => RESET.to_be_bytes().to_vec(),
            Self::Ack(ack) => ack.to_be_bytes().to_vec(),
            Self::Frame(Frame { ack, sequence, packet }) => encode(*ack, *sequence, packet),
        }
    }

    /// The datagram in these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let length = FrameError::Length { bytes: bytes.len() };
        let (ack, rest) = split_u32(bytes).ok_or(length)?;
        if rest.is_empty() {
            return Ok(if ack == RESET { Self::Reset } else { Self::Ack(ack) });
        }
        let (sequence, rest) = split_u32(rest).ok_or(length)?;
        let (kind_and_len, payload) = split_u32(rest).ok_or(length)?;
        let (words, tail) = payload.as_chunks::<8>();
        let announced = (kind_and_len & 0xffff) as usize;
        if words.len() != announced || !tail.is_empty() {
            return Err(FrameError::Words { words: announced, bytes: payload.len() });
        }
        let words: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let packet = Packet::new(PacketType((kind_and_len >> 16) as u16), words);
        Ok(Self::Frame(Frame { ack, sequence, packet }))
    }
}

/// The bytes of a frame. Words beyond 65,535 do not fit and are left out.
pub(super) fn encode(ack: u32, sequence: u32, packet: &Packet) -> Vec<u8> {
    let len = packet.words.len().min(usize::from(u16::MAX));
    let mut bytes = Vec::with_capacity(HEADER_LEN + 8 * len);
    bytes.extend(ack.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(packet.kind.0.to_be_bytes());
    bytes.extend((len as u16).to_be_bytes());
    bytes.extend(packet.words[..len].iter().flat_map(|word| word.to_be_bytes()));
    bytes
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*first), rest))
}
