//! What travels between host, FPGA and chip, and the machines that take it.

use hal::transport::{
    Arq as _, ArqEvent, Datagram, Frame, HicannArq, HicannCommand, HicannPacket, HostArq, Packet,
    PacketType, Parameters, Ticks,
};

use super::{ACCEPTED, outcome, size, to_bytes, to_words};

pub(super) fn datagram(bytes: &[u8]) -> String {
    let decoded = Datagram::decode(bytes);
    if let Ok(datagram) = &decoded {
        assert_eq!(datagram.encode(), bytes);
    }
    outcome(decoded, |datagram| match datagram {
        Datagram::Frame(frame) => format!("{} words", size(frame.packet.words.len())),
        other => format!("{other:?}"),
    })
}

fn frame(ack: u32, sequence: u32, words: &[u64]) -> Vec<u8> {
    let packet = Packet::new(PacketType::HICANN_CONFIG, words);
    Datagram::Frame(Frame { ack, sequence, packet }).encode()
}

pub(super) fn datagram_examples() -> Vec<Vec<u8>> {
    vec![Datagram::Reset.encode(), Datagram::Ack(7).encode(), frame(3, 4, &[1, u64::MAX])]
}

pub(super) fn hicann_packet(bytes: &[u8]) -> String {
    for word in to_words(bytes) {
        let packet = HicannPacket::decode(word);
        assert_eq!(HicannPacket::decode(packet.encode()), packet);
    }
    ACCEPTED.to_owned()
}

pub(super) fn hicann_packet_examples() -> Vec<Vec<u8>> {
    let command = HicannCommand { is_write: true, address: 0x1234, data: 0x5678_9abc };
    let packet = HicannPacket { tag: 1, ack: 63, command: Some((5, command)) };
    vec![to_bytes(&[packet.encode()])]
}

/// Packets for one end of a stream, which has sent some commands itself.
pub(super) fn hicann_arq(bytes: &[u8]) -> String {
    let mut machine = HicannArq::new(1);
    for address in 0..20 {
        machine.send(HicannCommand { address, ..HicannCommand::default() }).unwrap();
    }
    let mut received = 0;
    for (now, word) in (1..).zip(to_words(bytes)) {
        machine.receive(Ticks(7 * now), &word);
        while machine.transmit(Ticks(7 * now)).is_some() {}
        received += std::iter::from_fn(|| machine.deliver()).count();
    }
    format!("{ACCEPTED}; {} received", size(received))
}

pub(super) fn hicann_arq_examples() -> Vec<Vec<u8>> {
    let command = HicannCommand { is_write: false, address: 7, data: 8 };
    let packet = |sequence| HicannPacket { tag: 1, ack: 63, command: Some((sequence, command)) };
    vec![to_bytes(&[0, 2, 1, 1].map(|sequence| packet(sequence).encode()))]
}

/// Datagrams behind a byte with their length each; longer ones come later.
fn feed(mut machine: HostArq, mut bytes: &[u8]) -> String {
    let mut now = 0;
    let mut outcome = ACCEPTED.to_owned();
    let mut received = 0;
    while let Some((&len, rest)) = bytes.split_first() {
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(len)));
        bytes = rest;
        now += 100 * u64::from(len);
        machine.receive_bytes(Ticks(now), datagram);
        while machine.transmit(Ticks(now)).is_some() {}
        while let Some(event) = machine.event() {
            match event {
                ArqEvent::Failed(error) => outcome = error.to_string(),
                ArqEvent::Received(_) => received += 1,
                ArqEvent::Opened | ArqEvent::Closed => {}
            }
        }
    }
    outcome + "; received " + size(received)
}

pub(super) fn host_arq(bytes: &[u8]) -> String {
    feed(HostArq::host(Parameters::FCP, 1, Ticks(0)), bytes)
}

pub(super) fn fpga_arq(bytes: &[u8]) -> String {
    feed(HostArq::fpga(Parameters::FCP), bytes)
}

pub(super) fn host_arq_examples() -> Vec<Vec<u8>> {
    let datagrams = [
        Datagram::Reset.encode(),
        frame(0, 0, &[1]),
        frame(1, 1, &[]),
        Datagram::Ack(1).encode(),
        frame(1, 255, &[7, 8]),
    ];
    let framed = datagrams.iter().flat_map(|d| [&[d.len() as u8], d.as_slice()].concat());
    vec![framed.collect()]
}
