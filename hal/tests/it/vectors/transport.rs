//! Frames, packets and window moves of the protocols.

use hal::transport::window::{SendRules, SendWindow};
use hal::transport::{
    Datagram, Frame, HicannCommand, HicannPacket, Packet, PacketType, Parameters, Ticks,
};
use serde_json::Value;

use super::{bytes, flag, number, numbers};

fn holds_both_ways(datagram: &Datagram, expected: &Value) {
    let bytes = bytes(&expected["bytes_hex"]);
    assert_eq!(datagram.encode(), bytes);
    assert_eq!(bytes.len() as u64, number(&expected["length"]));
    assert_eq!(Datagram::decode(&bytes).as_ref(), Ok(datagram));
    assert_eq!(Datagram::is_reset(&bytes), *datagram == Datagram::Reset);
}

pub(crate) fn hostarq_data_frame(input: &Value, expected: &Value) {
    let kind = PacketType(number(&input["ptype"]) as u16);
    let packet = Packet::new(kind, numbers(&input["words"]));
    let (ack, sequence) = (number(&input["ack"]) as u32, number(&input["seq"]) as u32);
    holds_both_ways(&Datagram::Frame(Frame { ack, sequence, packet }), expected);
}

pub(crate) fn hostarq_ack_frame(input: &Value, expected: &Value) {
    holds_both_ways(&Datagram::Ack(number(&input["ack"]) as u32), expected);
}

pub(crate) fn hostarq_reset_frame(_: &Value, expected: &Value) {
    holds_both_ways(&Datagram::Reset, expected);
    assert_eq!(u64::from(Datagram::RESET_PORT), number(&expected["udp_port"]));
}

pub(crate) fn hostarq_limits(_: &Value, expected: &Value) {
    let limits = Parameters::FCP.limits;
    assert_eq!(u64::from(limits.words), number(&expected["max_payload_words"]));
    assert_eq!(u64::from(limits.modulus), number(&expected["seq_modulus"]));
    assert_eq!(u64::from(limits.window), number(&expected["window"]));
    let packet = Packet::new(PacketType::DUMMY, vec![0; limits.words as usize]);
    let longest = Datagram::Frame(Frame { ack: 0, sequence: 0, packet }).encode();
    assert_eq!(longest.len() as u64, number(&expected["max_frame_bytes"]));
    // 756 us as the original computes it, and 10,000 times that until it gives up
    assert_eq!(Parameters::FCP.resend_after, 756);
    assert_eq!(Parameters::FCP.dead_after, 7_560_000);
}

pub(crate) fn hostarq_window(input: &Value, expected: &Value) {
    let field = |name: &str| number(&input[name]) as u32;
    let rules = SendRules {
        modulus: field("modulus"),
        in_flight: field("window"),
        resend_after: Parameters::FCP.resend_after,
    };
    let mut window = SendWindow::starting_at(rules, field("low"));
    while window.has_room() {
        window.push(Ticks(0), ());
    }
    window.acknowledge(Ticks(1), field("ack"));
    assert_eq!(u64::from(window.low()), number(&expected["new_low"]), "{input}");
}

pub(crate) fn hicann_arq_packet(input: &Value, expected: &Value) {
    let command = HicannCommand {
        is_write: flag(&input["write"]),
        address: number(&input["addr"]) as u16,
        data: number(&input["data"]) as u32,
    };
    let packet = HicannPacket {
        tag: number(&input["tag"]) as u8,
        ack: number(&input["ack"]) as u8,
        command: flag(&input["seqvalid"]).then_some((number(&input["seq"]) as u8, command)),
    };
    let word = number(&expected["word"]);
    assert_eq!(packet.encode(), word);
    assert_eq!(HicannPacket::decode(word), packet);
}
