//! Registers of the test ports of a repeater block (hal-config §2.15).
//!
//! An event takes two bytes: the lower two bits of the time above the address, then the rest of
//! the time. Recorded times come in Gray code.

use super::bus::Refusal;
use crate::config::{TestEvent, TestPort};
use crate::coord::L1Address;
use crate::value::TestTime;

/// First register of the events of each port.
const EVENTS: [u16; 2] = [0x81, 0x87];
/// Registers of the events of one port.
const BYTES: u16 = 6;
/// Bits of the configuration register that let a port play and record, by port.
const PLAY: [u32; 2] = [1 << 0, 1 << 1];
const RECORD: [u32; 2] = [1 << 2, 1 << 3];

/// The two bytes of an event that is played.
fn bytes(event: TestEvent) -> [u32; 2] {
    let time = event.time.index() as u32;
    [(time & 3) << 6 | event.address.index() as u32, time >> 2]
}

/// The event of two bytes; times are plain when played.
fn event(bytes: [u8; 2]) -> TestEvent {
    TestEvent {
        address: L1Address::wrap(usize::from(bytes[0] & 0x3f)),
        time: TestTime::wrap(usize::from(bytes[1]) << 2 | usize::from(bytes[0] >> 6)),
    }
}

/// A ten-bit number from its Gray code; higher bits are ignored.
pub fn gray_to_binary(gray: u16) -> u16 {
    let gray = gray & 0x3ff;
    (0..10).fold(0, |binary, shift| binary ^ gray >> shift)
}

/// The event behind the two bytes that a recording port answers with.
pub fn recorded_event(bytes: [u8; 2]) -> TestEvent {
    let TestEvent { address, time } = event(bytes);
    TestEvent { address, time: TestTime::wrap(gray_to_binary(time.index() as u16).into()) }
}

/// Whether each port has recorded three events, from the status register of a block.
pub const fn ports_full(status: u32) -> [bool; 2] {
    [status & 1 != 0, status & 2 != 0]
}

/// Registers of the events that both ports play.
pub(super) fn registers(ports: &[TestPort; 2]) -> impl Iterator<Item = (u16, u32)> {
    ports.iter().zip(EVENTS).flat_map(|(port, first)| {
        let data = port.events.into_iter().flat_map(bytes);
        (first..).zip(data)
    })
}

/// Bits of both ports in the configuration register of their block.
pub(super) fn start_bits(ports: &[TestPort; 2]) -> u32 {
    ports.iter().enumerate().fold(0, |word, (i, port)| {
        word | if port.play { PLAY[i] } else { 0 } | if port.record { RECORD[i] } else { 0 }
    })
}

/// Takes over the start bits.
pub(super) fn start(ports: &mut [TestPort; 2], word: u32) {
    for (i, port) in ports.iter_mut().enumerate() {
        port.play = word & PLAY[i] != 0;
        port.record = word & RECORD[i] != 0;
    }
}

/// Port, event and byte of an address.
fn place(local: u16) -> Option<(usize, usize, usize)> {
    let port = EVENTS.iter().position(|&first| (first..first + BYTES).contains(&local))?;
    let byte = usize::from(local - EVENTS[port]);
    Some((port, byte / 2, byte % 2))
}

/// Writes one byte of an event; `None` if the address belongs to no event.
pub(super) fn write(ports: &mut [TestPort; 2], local: u16, data: u32) -> Option<()> {
    let (port, i, byte) = place(local)?;
    let written = &mut ports[port].events[i];
    let mut all = bytes(*written);
    all[byte] = data;
    *written = event(all.map(|byte| byte as u8));
    Some(())
}

/// What a port has recorded. No event of the network reaches the registers by themselves, so that
/// it is empty.
pub(super) fn read(local: u16) -> Option<Result<u32, Refusal>> {
    place(local).map(|_| Ok(0))
}
