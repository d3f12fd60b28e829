//! HICANN-ARQ: commands between an FPGA and one chip (hal-config §4.4).
//!
//! A packet is one 64-bit word. The two tags of a chip are independent streams, each with an
//! instance of its own at both ends; order is kept within a tag only.

use std::collections::VecDeque;

use thiserror::Error;

use super::window::{ReceiveWindow, SendRules, SendWindow};
use super::{Arq, Ticks};

const TAG_SHIFT: u32 = 62;
const SEQUENCE_VALID: u64 = 1 << 61;
const SEQUENCE_SHIFT: u32 = 55;
const ACK_SHIFT: u32 = 49;
const WRITE: u64 = 1 << 48;
const ADDRESS_SHIFT: u32 = 32;
/// Sequence number and acknowledgement have six bits.
const SEQUENCE_MASK: u64 = 0x3f;

/// A register access on its way to a chip, or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HicannCommand {
    /// Whether the register is written.
    pub is_write: bool,
    /// Address on the bus of the chip (hal-config §2.1).
    pub address: u16,
    /// The data.
    pub data: u32,
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HicannPacket {
    /// The stream, 0..=3; chips have 0 and 1.
    pub tag: u8,
    /// The last sequence number that arrived in order at the sender of the packet, 0..=63.
    pub ack: u8,
    /// Sequence number, 0..=63, and command; none in a pure acknowledgement.
    pub command: Option<(u8, HicannCommand)>,
}

impl HicannPacket {
    /// The word of the packet. Tag and numbers that are too large are cut.
    pub fn encode(self) -> u64 {
        let frame =
            u64::from(self.tag) << TAG_SHIFT | (u64::from(self.ack) & SEQUENCE_MASK) << ACK_SHIFT;
        let Some((sequence, HicannCommand { is_write, address, data })) = self.command else {
            return frame;
        };
        frame
            | SEQUENCE_VALID
            | (u64::from(sequence) & SEQUENCE_MASK) << SEQUENCE_SHIFT
            | if is_write { WRITE } else { 0 }
            | u64::from(address) << ADDRESS_SHIFT
            | u64::from(data)
    }

    /// The packet of a word. Every word is one; what follows an invalid sequence number means
    /// nothing.
    pub fn decode(word: u64) -> Self {
        let number = |shift: u32| (word >> shift & SEQUENCE_MASK) as u8;
        let command = HicannCommand {
            is_write: word & WRITE != 0,
            address: (word >> ADDRESS_SHIFT) as u16,
            data: word as u32,
        };
        Self {
            tag: (word >> TAG_SHIFT) as u8,
            ack: number(ACK_SHIFT),
            command: (word & SEQUENCE_VALID != 0).then_some((number(SEQUENCE_SHIFT), command)),
        }
    }
}

/// The other end acknowledged nothing for [`HicannArq::DEAD_AFTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("tag {tag}: nothing was acknowledged for {within} ticks; reset the link to the chip")]
pub struct HicannArqDead {
    /// The stream.
    pub tag: u8,
    /// How long was waited, in ticks.
    pub within: u64,
}

/// One end of the stream of a tag. Time counts in ticks of the end's own clock.
#[derive(Debug)]
pub struct HicannArq {
    tag: u8,
    queue: VecDeque<HicannCommand>,
    send: SendWindow<HicannCommand>,
    receive: ReceiveWindow<HicannCommand>,
    delivered: VecDeque<HicannCommand>,
    acknowledge: bool,
    dead: Option<HicannArqDead>,
}

impl HicannArq {
    /// Number of sequence numbers.
    pub const MODULUS: u32 = 64;
    /// Window, and most commands under way.
    pub const WINDOW: u32 = 16;
    /// Ticks until a command is sent again.
    pub const RESEND_AFTER: u64 = 32;
    /// Ticks without any acknowledgement after which the other end counts as dead: 1000
    /// transmissions. The limit is ours; the original ends after 20 s of host time.
    pub const DEAD_AFTER: u64 = 1000 * Self::RESEND_AFTER;

    /// An end in reset; tags above 3 are cut.
    pub fn new(tag: u8) -> Self {
        let rules = SendRules {
            modulus: Self::MODULUS,
            in_flight: Self::WINDOW,
            resend_after: Self::RESEND_AFTER,
        };
        Self {
            tag: tag & 0b11,
            queue: VecDeque::new(),
            send: SendWindow::new(rules),
            receive: ReceiveWindow::new(Self::MODULUS, Self::WINDOW),
            delivered: VecDeque::new(),
            acknowledge: false,
            dead: None,
        }
    }

    /// Queues a command.
    pub fn send(&mut self, command: HicannCommand) -> Result<(), HicannArqDead> {
        if let Some(dead) = self.dead {
            return Err(dead);
        }
        self.queue.push_back(command);
        Ok(())
    }

    /// The next command that arrived, in order.
    pub fn deliver(&mut self) -> Option<HicannCommand> {
        self.delivered.pop_front()
    }

    /// Whether everything that was sent has arrived, or why it cannot.
    pub fn is_flushed(&self) -> Result<bool, HicannArqDead> {
        self.dead.map_or(Ok(self.queue.is_empty() && self.send.is_empty()), Err)
    }
}

impl Arq for HicannArq {
    type Datagram = u64;

    fn receive(&mut self, now: Ticks, datagram: &u64) {
        let HicannPacket { tag, ack, command } = HicannPacket::decode(*datagram);
        if tag != self.tag {
            return;
        }
        self.send.acknowledge(now, u32::from(ack));
        let Some((sequence, command)) = command else { return };
        self.receive.accept(u32::from(sequence), command);
        self.acknowledge = true;
        self.delivered.extend(std::iter::from_fn(|| self.receive.pop()));
    }

    fn transmit(&mut self, now: Ticks) -> Option<u64> {
        if self.dead.is_none() && self.send.stalled(now) >= Self::DEAD_AFTER {
            self.dead = Some(HicannArqDead { tag: self.tag, within: Self::DEAD_AFTER });
            self.queue.clear();
            self.send.clear();
        }
        while self.send.has_room() {
            let Some(command) = self.queue.pop_front() else { break };
            self.send.push(now, command);
        }
        let command = self.send.transmit(now).map(|(sequence, c)| (sequence as u8, *c));
        if command.is_none() && !self.acknowledge {
            return None;
        }
        // the receive timeout is 0: acknowledged at once, with a command if there is one
        self.acknowledge = false;
        let ack = self.receive.acknowledgement() as u8;
        Some(HicannPacket { tag: self.tag, ack, command }.encode())
    }

    fn deadline(&self) -> Option<Ticks> {
        self.send.deadline()
    }
}
