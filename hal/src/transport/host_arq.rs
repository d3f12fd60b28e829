//! Host-ARQ: the stream of packets between the host and one FPGA (hal-config §4.1).
//!
//! The host opens a stream with a reset frame. The FPGA answers with its limits as the first
//! packet; the host compares them with its own and sends a loopback packet, whose return shows
//! that the line is clear. A flush packet closes the stream.

mod timers;

use std::collections::VecDeque;

use thiserror::Error;

use super::frame::{Datagram, Frame, Packet, PacketType, encode};
use super::window::{ReceiveWindow, SendWindow};
use super::{Arq, Limits, Parameters, Ticks};

/// Why a stream ended before it was closed. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ArqError {
    /// Nobody answered the reset frame.
    #[error("no answer to the reset within {} ms; is the peer there, and not in use?", within / 1000)]
    NoAnswer {
        /// How long was waited.
        within: u64,
    },
    /// The peer is made for other limits.
    #[error(
        "the peer has window {} of {}, {} words, expected {} of {}, {}; use its parameter set",
        theirs.window, theirs.modulus, theirs.words, ours.window, ours.modulus, ours.words
    )]
    Mismatch {
        /// Limits of this end.
        ours: Limits,
        /// Limits of the peer.
        theirs: Limits,
    },
    /// The first packet of the peer has no limits.
    #[error("the peer names {words} limits instead of 4; it speaks another protocol")]
    NoLimits {
        /// Words of the packet.
        words: usize,
    },
    /// The peer went silent.
    #[error("the peer acknowledged nothing for {} ms; it is dead or unreachable", within / 1000)]
    Dead {
        /// How long was waited.
        within: u64,
    },
    /// Not everything arrived before the stream was closed.
    #[error("packets were not acknowledged within {} ms after closing", within / 1000)]
    NotFlushed {
        /// How long was waited.
        within: u64,
    },
}

/// A packet cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The packet does not fit into a frame.
    #[error("a packet of {words} words is too long; split it into packets of {max}")]
    TooLong {
        /// Words of the packet.
        words: usize,
        /// Words that fit.
        max: u32,
    },
    /// The stream was closed, or failed, or has no peer yet.
    #[error("the stream is not open (any more); wait for a peer, or connect anew")]
    NotOpen,
}

/// What the application learns from a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArqEvent {
    /// Packets go through from now on.
    Opened,
    /// The next packet.
    Received(Packet),
    /// The stream was closed, and everything has arrived.
    Closed,
    /// The stream broke; what was not acknowledged may be lost.
    Failed(ArqError),
}

/// Where a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// FPGA: waits for a reset frame.
    Listening,
    /// Host: sends reset frames until the limits of the FPGA arrive.
    Resetting {
        since: Ticks,
        next: Ticks,
    },
    /// Host: waits for its loopback packet.
    Draining {
        since: Ticks,
    },
    /// FPGA: has named its limits.
    Offered,
    Open,
    /// Host: waits for the last acknowledgements.
    Closing {
        since: Ticks,
    },
    /// Still acknowledges, since the last acknowledgement may be lost.
    Closed,
    Failed,
}

/// One end of a stream.
#[derive(Debug)]
pub struct HostArq {
    parameters: Parameters,
    phase: Phase,
    /// The word that the host's loopback packet carries.
    token: u64,
    queue: VecDeque<Packet>,
    send: SendWindow<Packet>,
    receive: ReceiveWindow<Packet>,
    /// When something has to be acknowledged at the latest.
    acknowledge: Option<Ticks>,
    last_sent: Ticks,
    events: VecDeque<ArqEvent>,
}

impl HostArq {
    /// The end of the host; it opens the stream. `token` is any number, best not the same for two
    /// streams in a row.
    pub fn host(parameters: Parameters, token: u64, now: Ticks) -> Self {
        Self { token, ..Self::new(parameters, Phase::Resetting { since: now, next: now }) }
    }

    /// The end of the FPGA; it waits for a host.
    pub fn fpga(parameters: Parameters) -> Self {
        Self::new(parameters, Phase::Listening)
    }

    fn new(parameters: Parameters, phase: Phase) -> Self {
        Self {
            parameters,
            phase,
            token: 0,
            queue: VecDeque::new(),
            send: SendWindow::new(parameters.send_rules()),
            receive: ReceiveWindow::new(parameters.limits.modulus, parameters.limits.window),
            acknowledge: None,
            last_sent: Ticks(0),
            events: VecDeque::new(),
        }
    }

    /// Queues a packet. The host may do so while the stream opens.
    pub fn send(&mut self, packet: Packet) -> Result<(), SendError> {
        let max = self.parameters.limits.words;
        if packet.words.len() > max as usize {
            return Err(SendError::TooLong { words: packet.words.len(), max });
        }
        match self.phase {
            Phase::Resetting { .. } | Phase::Draining { .. } | Phase::Open => {
                self.queue.push_back(packet);
                Ok(())
            }
            _ => Err(SendError::NotOpen),
        }
    }

    /// Closes the stream after everything that is queued.
    pub fn close(&mut self, now: Ticks) {
        match self.phase {
            Phase::Open => {
                self.queue.push_back(Packet::new(PacketType::FLUSH, [0]));
                self.phase = Phase::Closing { since: now };
            }
            Phase::Closing { .. } | Phase::Closed | Phase::Failed => {}
            _ => self.end(Phase::Closed, ArqEvent::Closed),
        }
    }

    /// What happened, in order.
    pub fn event(&mut self) -> Option<ArqEvent> {
        self.events.pop_front()
    }

    /// Packets that are queued or under way.
    pub fn unacknowledged(&self) -> usize {
        self.queue.len() + self.send.len()
    }

    /// Whether a new host may take the place of the one before: there is none, or its stream never
    /// opened, was closed, or broke.
    pub fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Listening | Phase::Offered | Phase::Closed | Phase::Failed)
    }

    /// Whether the stream ended, one way or the other.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Failed)
    }

    /// Takes a datagram. Bytes that are none are dropped, as noise on the line.
    pub fn receive_bytes(&mut self, now: Ticks, bytes: &[u8]) {
        match Datagram::decode(bytes) {
            Ok(Datagram::Reset) if self.phase == Phase::Listening => self.offer(),
            // a repeated reset frame: the answer to the first one is under way
            Ok(Datagram::Reset) | Err(_) => {}
            Ok(Datagram::Ack(ack)) => self.take_ack(now, ack),
            Ok(Datagram::Frame(frame)) => self.take_frame(now, frame),
        }
    }

    /// FPGA: names its limits.
    fn offer(&mut self) {
        let Limits { modulus, window, words } = self.parameters.limits;
        // number of frames, window, words of a packet, length of an empty comment
        let limits = [modulus, window, words, 0].map(u64::from);
        self.queue.push_back(Packet::new(PacketType::CONFIGURATION, limits));
        self.phase = Phase::Offered;
    }

    fn take_ack(&mut self, now: Ticks, ack: u32) {
        self.send.acknowledge(now, ack);
        let is_flushed = self.send.is_empty() && self.queue.is_empty();
        if matches!(self.phase, Phase::Closing { .. }) && is_flushed {
            self.end(Phase::Closed, ArqEvent::Closed);
        }
    }

    fn take_frame(&mut self, now: Ticks, Frame { ack, sequence, packet }: Frame) {
        if packet.words.len() > self.parameters.limits.words as usize {
            return;
        }
        match self.phase {
            Phase::Listening | Phase::Failed => return,
            // whatever else comes is left from before the reset
            Phase::Resetting { .. } if packet.kind != PacketType::CONFIGURATION => return,
            _ => {}
        }
        self.take_ack(now, ack);
        self.receive.accept(sequence, packet);
        // known frames are acknowledged again: the first acknowledgement may be lost
        self.acknowledge.get_or_insert(now.after(self.parameters.acknowledge_after));
        while let Some(packet) = self.receive.pop() {
            self.take_packet(now, packet);
        }
    }

    /// The next packet in order.
    fn take_packet(&mut self, now: Ticks, packet: Packet) {
        match (self.phase, packet.kind) {
            (Phase::Resetting { .. }, _) => self.compare_limits(now, &packet.words),
            (Phase::Draining { .. }, PacketType::LOOPBACK) if packet.words == [self.token] => {
                self.open(now);
            }
            (Phase::Offered, PacketType::LOOPBACK) => {
                self.queue.push_back(packet);
                self.open(now);
            }
            (Phase::Offered, _) => {
                self.open(now);
                self.take_packet(now, packet);
            }
            (Phase::Open, PacketType::FLUSH) => self.end(Phase::Closed, ArqEvent::Closed),
            // signs of life are no data, also while the stream closes
            (Phase::Open | Phase::Closing { .. }, PacketType::LOOPBACK | PacketType::DUMMY) => {}
            (Phase::Open | Phase::Closing { .. }, _) => {
                self.events.push_back(ArqEvent::Received(packet));
            }
            _ => {}
        }
    }

    /// Host: compares the limits of both ends.
    fn compare_limits(&mut self, now: Ticks, words: &[u64]) {
        let &[modulus, window, max_words, _, ..] = words else {
            return self.fail(ArqError::NoLimits { words: words.len() });
        };
        let [modulus, window, max_words] =
            [modulus, window, max_words].map(|w| u32::try_from(w).unwrap_or(u32::MAX));
        let ours = self.parameters.limits;
        let theirs = Limits { modulus, window, words: max_words };
        if theirs != ours {
            return self.fail(ArqError::Mismatch { ours, theirs });
        }
        self.queue.push_front(Packet::new(PacketType::LOOPBACK, [self.token]));
        self.phase = Phase::Draining { since: now };
    }

    fn open(&mut self, now: Ticks) {
        self.phase = Phase::Open;
        self.last_sent = now;
        self.events.push_back(ArqEvent::Opened);
    }

    fn fail(&mut self, error: ArqError) {
        self.end(Phase::Failed, ArqEvent::Failed(error));
    }

    /// Ends the stream; nothing more is sent but acknowledgements.
    fn end(&mut self, phase: Phase, event: ArqEvent) {
        self.phase = phase;
        self.queue.clear();
        self.send.clear();
        self.events.push_back(event);
    }
}

impl Arq for HostArq {
    type Datagram = Vec<u8>;

    fn receive(&mut self, now: Ticks, datagram: &Vec<u8>) {
        self.receive_bytes(now, datagram);
    }

    fn transmit(&mut self, now: Ticks) -> Option<Vec<u8>> {
        self.check_timers(now);
        if let Phase::Resetting { next, .. } = &mut self.phase {
            if now < *next {
                return None;
            }
            *next = now.after(self.parameters.reset_again_after);
            return Some(Datagram::Reset.encode());
        }
        if self.phase == Phase::Failed {
            return None;
        }
        self.fill_window(now);
        let ack = self.receive.acknowledgement();
        if let Some((sequence, packet)) = self.send.transmit(now) {
            self.acknowledge = None;
            self.last_sent = now;
            return Some(encode(ack, sequence, packet));
        }
        self.acknowledge.take_if(|due| *due <= now).map(|_| Datagram::Ack(ack).encode())
    }

    fn deadline(&self) -> Option<Ticks> {
        self.next_timer()
    }
}
