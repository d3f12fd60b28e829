//! JTAG over Ethernet: messages that travel in Host-ARQ packets (hal-config §4.5).

use crate::coord::JtagFrequency;

/// The board's clock in hertz from which TCK is divided.
const CLOCK_HZ: u32 = 125_000_000;

/// The message that sets the frequency of TCK.
pub fn set_frequency(frequency: JtagFrequency) -> [u8; 4] {
    let period = 2 * frequency.hertz();
    // one byte: below 244 kHz the divider saturates
    let divider = ((CLOCK_HZ - period) / period).min(255);
    [0x0c, 0x3a, divider as u8, 0x80]
}

/// One TCK cycle: TDI in bit 0, TMS in bit 1 while TCK is low (lower nibble) and high (upper
/// nibble, with TCK in bit 2), and whether TDO is captured (bit 3 of the upper nibble).
pub const fn cycle(tms: bool, tdi: bool, capture_tdo: bool) -> u8 {
    let pins = tdi as u8 | (tms as u8) << 1;
    pins | (pins | 1 << 2 | (capture_tdo as u8) << 3) << 4
}

/// The message that runs a sequence of cycles: nibble count in network order, then the nibbles.
pub fn bulk(cycles: &[u8]) -> Vec<u8> {
    let mut message = vec![0x0c, 0x33];
    message.extend(((2 * cycles.len()) as u16).to_be_bytes());
    message.extend(cycles);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// A message as payload of a JTAG packet: the number of 32-bit words, then the words, two to a
/// 64-bit word with the earlier one in the lower half. The bytes stay in network order.
pub fn to_packet(message: &[u8]) -> Vec<u64> {
    let words = message.chunks(4).map(|chunk| {
        let mut bytes = [0; 4];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u32::from_be_bytes(bytes)
    });
    let mut halves = vec![message.len().div_ceil(4) as u32];
    halves.extend(words);
    halves
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(pair.get(1).copied().unwrap_or(0)) << 32)
        .collect()
}
