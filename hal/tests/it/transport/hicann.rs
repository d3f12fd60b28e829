//! HICANN-ARQ between two machines in one process.

use hal::transport::{Faults, HicannArq, HicannCommand, HicannPacket, Pair};
use proptest::prelude::*;

fn command(n: u32) -> HicannCommand {
    HicannCommand { is_write: n % 2 == 0, address: n as u16, data: !n }
}

fn pair(faults: Faults) -> Pair<HicannArq> {
    Pair::new(HicannArq::new(1), HicannArq::new(1), faults)
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_swapped(seed: u64, to_chip in 0..600_u32, to_fpga in 0..600_u32) {
        // 16 of 64 numbers under way: a packet may be overtaken by two
        let faults = Faults { overtaken: 2, held_for: 10, ..Faults::all(0.1, seed) };
        let mut pair = pair(faults);
        (0..to_chip).for_each(|n| pair.left.send(command(n)).unwrap());
        (0..to_fpga).for_each(|n| pair.right.send(command(n)).unwrap());
        while pair.step() {}
        prop_assert_eq!(pair.left.is_flushed(), Ok(true));
        prop_assert_eq!(pair.right.is_flushed(), Ok(true));
        let arrived: Vec<_> = std::iter::from_fn(|| pair.right.deliver()).collect();
        prop_assert_eq!(arrived, (0..to_chip).map(command).collect::<Vec<_>>());
        let arrived: Vec<_> = std::iter::from_fn(|| pair.left.deliver()).collect();
        prop_assert_eq!(arrived, (0..to_fpga).map(command).collect::<Vec<_>>());
    }

    #[test]
    fn packets_survive_their_word(
        tag in 0..4_u8, ack in 0..64_u8, sequence in 0..64_u8,
        is_write: bool, address: u16, data: u32, is_pure: bool,
    ) {
        let command = (!is_pure).then_some((sequence, HicannCommand { is_write, address, data }));
        let packet = HicannPacket { tag, ack, command };
        prop_assert_eq!(HicannPacket::decode(packet.encode()), packet);
    }

    #[test]
    fn every_word_is_a_packet(word: u64) {
        let packet = HicannPacket::decode(word);
        prop_assert_eq!(HicannPacket::decode(packet.encode()), packet);
    }
}

#[test]
fn sixteen_commands_are_under_way_at_most() {
    use hal::transport::{Arq as _, Ticks};
    let mut fpga = HicannArq::new(0);
    (0..20).for_each(|n| fpga.send(command(n)).unwrap());
    let sent: Vec<u64> = std::iter::from_fn(|| fpga.transmit(Ticks(0))).collect();
    assert_eq!(sent.len(), 16);
    let first = HicannPacket { tag: 0, ack: 63, command: Some((0, command(0))) };
    assert_eq!(HicannPacket::decode(sent[0]), first);
    // packets of the other tag do not concern this stream
    let other = HicannPacket { tag: 1, ack: 15, command: None };
    fpga.receive(Ticks(1), &other.encode());
    assert_eq!(fpga.transmit(Ticks(1)), None);
    fpga.receive(Ticks(1), &HicannPacket { tag: 0, ..other }.encode());
    assert_eq!(std::iter::from_fn(|| fpga.transmit(Ticks(1))).count(), 4);
}

#[test]
fn a_dead_chip_is_an_error_in_time() {
    let mut pair = pair(Faults { loss: 1.0, ..Faults::NONE });
    pair.left.send(command(0)).unwrap();
    while pair.step() {}
    let dead = pair.left.is_flushed().unwrap_err();
    assert_eq!((dead.tag, dead.within), (1, HicannArq::DEAD_AFTER));
    assert!(pair.now.0 <= HicannArq::DEAD_AFTER + HicannArq::RESEND_AFTER, "{:?}", pair.now);
    assert_eq!(pair.left.send(command(1)), Err(dead));
}
