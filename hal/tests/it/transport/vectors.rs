//! Published frames, packets and window moves.

use hal::transport::window::{SendRules, SendWindow};
use hal::transport::{
    Datagram, Frame, HicannCommand, HicannPacket, Packet, PacketType, Parameters, Ticks,
};
use serde_json::Value;

fn file(category: &str) -> Vec<(Value, Value)> {
    let file: Value = serde_json::from_str(include_str!("../../data/hal-vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let of_category = vectors.iter().filter(|v| v["category"] == category);
    of_category.map(|v| (v["input"].clone(), v["expected"].clone())).collect()
}

fn number(value: &Value) -> u64 {
    match value {
        Value::String(text) => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap(),
        _ => value.as_u64().unwrap(),
    }
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.chunks(2).map(byte).collect()
}

fn holds_both_ways(datagram: &Datagram, expected: &Value) {
    let bytes = bytes(&expected["bytes_hex"]);
    assert_eq!(datagram.encode(), bytes);
    assert_eq!(bytes.len() as u64, number(&expected["length"]));
    assert_eq!(Datagram::decode(&bytes).as_ref(), Ok(datagram));
    assert_eq!(Datagram::is_reset(&bytes), *datagram == Datagram::Reset);
}

#[test]
fn hostarq_data_frame() {
    let vectors = file("hostarq_data_frame");
    assert_eq!(vectors.len(), 4);
    for (input, expected) in vectors {
        let kind = PacketType(number(&input["ptype"]) as u16);
        let packet = Packet::new(kind, numbers(&input["words"]));
        let (ack, sequence) = (number(&input["ack"]) as u32, number(&input["seq"]) as u32);
        holds_both_ways(&Datagram::Frame(Frame { ack, sequence, packet }), &expected);
    }
}

#[test]
fn hostarq_ack_frame_and_reset_frame() {
    for (input, expected) in file("hostarq_ack_frame") {
        holds_both_ways(&Datagram::Ack(number(&input["ack"]) as u32), &expected);
    }
    for (_, expected) in file("hostarq_reset_frame") {
        holds_both_ways(&Datagram::Reset, &expected);
        assert_eq!(u64::from(Datagram::RESET_PORT), number(&expected["udp_port"]));
    }
}

#[test]
fn hostarq_limits() {
    for (_, expected) in file("hostarq_limits") {
        let limits = Parameters::FCP.limits;
        assert_eq!(u64::from(limits.words), number(&expected["max_payload_words"]));
        assert_eq!(u64::from(limits.modulus), number(&expected["seq_modulus"]));
        assert_eq!(u64::from(limits.window), number(&expected["window"]));
        let packet = Packet::new(PacketType::DUMMY, vec![0; limits.words as usize]);
        let longest = Datagram::Frame(Frame { ack: 0, sequence: 0, packet }).encode();
        assert_eq!(longest.len() as u64, number(&expected["max_frame_bytes"]));
    }
    // 756 us as the original computes it, and 10,000 times that until it gives up
    assert_eq!(Parameters::FCP.resend_after, 756);
    assert_eq!(Parameters::FCP.dead_after, 7_560_000);
}

#[test]
fn hostarq_window() {
    let vectors = file("hostarq_window");
    assert_eq!(vectors.len(), 5);
    for (input, expected) in vectors {
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
}

#[test]
fn hicann_arq_packet() {
    let vectors = file("hicann_arq_packet");
    assert_eq!(vectors.len(), 2);
    for (input, expected) in vectors {
        let command = HicannCommand {
            is_write: number(&input["write"]) != 0,
            address: number(&input["addr"]) as u16,
            data: number(&input["data"]) as u32,
        };
        let is_valid = number(&input["seqvalid"]) != 0;
        let packet = HicannPacket {
            tag: number(&input["tag"]) as u8,
            ack: number(&input["ack"]) as u8,
            command: is_valid.then_some((number(&input["seq"]) as u8, command)),
        };
        let word = number(&expected["word"]);
        assert_eq!(packet.encode(), word);
        assert_eq!(HicannPacket::decode(word), packet);
    }
}
