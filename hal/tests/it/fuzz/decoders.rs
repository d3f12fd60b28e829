//! Every decoder of the crate as a function of bytes. What it accepts must survive a second way
//! through the encoder.

use std::path::Path;

use hal::archive::{self, Archive};
use hal::codec::{Access, Answer, decode_wafer, encode_hicann};
use hal::config::HicannConfig;
use hal::coord::{FpgaOnWafer, HicannOnWafer, OnWafer, PulseLabel, WaferNumber};
use hal::defects::{Component, Defects};
use hal::description::HardwareDescription;
use hal::l1::{L1Line, L1Repeater};
use hal::stateful::{Settings, StatefulWafer};
use hal::transport::{
    Arq as _, ArqEvent, Datagram, Frame, HicannCommand, HicannPacket, HostArq, Packet, PacketType,
    Parameters, Ticks,
};
use hal::wafer::{ConfigurationWords, DncCycles, PlaybackWords, PulseEvent, TraceWords};
use hal::{playback, trace};

/// A decoder that meets any bytes.
#[derive(Clone, Copy)]
pub(super) struct Decoder {
    pub(super) name: &'static str,
    /// Decodes and tells how it ended; asserts what must hold for accepted inputs.
    pub(super) run: fn(&[u8]) -> String,
    /// Inputs that are accepted.
    pub(super) examples: fn() -> Vec<Vec<u8>>,
}

/// The outcome of accepted inputs.
pub(super) const ACCEPTED: &str = "accepted";

pub(super) const DECODERS: [Decoder; 14] = [
    Decoder { name: "configuration", run: configuration, examples: configuration_examples },
    Decoder { name: "access", run: access, examples: configuration_examples },
    Decoder { name: "playback", run: playback_words, examples: playback_examples },
    Decoder { name: "trace", run: trace_words, examples: trace_examples },
    Decoder { name: "archive", run: archive_file, examples: archive_examples },
    Decoder { name: "archive-payload", run: archive_payload, examples: payload_examples },
    Decoder { name: "stateful-payload", run: stateful_payload, examples: stateful_examples },
    Decoder { name: "defects", run: defects, examples: defects_examples },
    Decoder { name: "description", run: description, examples: description_examples },
    Decoder { name: "coordinates", run: coordinates, examples: coordinate_examples },
    Decoder { name: "datagram", run: datagram, examples: datagram_examples },
    Decoder { name: "hicann-packet", run: hicann_packet, examples: hicann_packet_examples },
    Decoder { name: "host-arq", run: host_arq, examples: host_arq_examples },
    Decoder { name: "fpga-arq", run: fpga_arq, examples: host_arq_examples },
];

fn outcome<T, E: ToString>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| ACCEPTED.to_owned())
}

fn to_words(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

fn to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

const FPGA: FpgaOnWafer = FpgaOnWafer::MASTER;

/// Accepted inputs are parsed again from what the parsed value prints.
fn text<T: PartialEq + std::fmt::Debug, E: ToString>(
    bytes: &[u8],
    parse: impl Fn(&str) -> Result<T, E>,
    print: impl Fn(&T) -> String,
) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "no text".into() };
    let parsed = parse(text);
    if let Ok(value) = &parsed {
        let again = parse(&print(value)).map_err(|error| error.to_string());
        assert_eq!(again.as_ref(), Ok(value));
    }
    outcome(parsed)
}

fn configuration(bytes: &[u8]) -> String {
    let by_fpga = [(FPGA, to_words(bytes))].into();
    outcome(decode_wafer(&ConfigurationWords { by_fpga }))
}

/// Pieces of the words that initialise a chip.
fn configuration_examples() -> Vec<Vec<u8>> {
    let words = encode_hicann(HicannOnWafer::new::<0>(), &HicannConfig::default()).unwrap();
    words.chunks(words.len() / 24).map(|part| to_bytes(&part[..part.len().min(24)])).collect()
}

fn access(bytes: &[u8]) -> String {
    let unknown = to_words(bytes).into_iter().find(|&word| match Access::from_word(word) {
        Some((link, access)) => {
            assert_eq!(Access::from_word(access.to_word(link)), Some((link, access)));
            if let Some((link, answer)) = Answer::from_word(word) {
                assert_eq!(Answer::from_word(answer.to_word(link)), Some((link, answer)));
            }
            false
        }
        None => true,
    });
    unknown.map_or(ACCEPTED, |_| "no access").to_owned()
}

fn playback_words(bytes: &[u8]) -> String {
    outcome(playback::decode(&to_words(bytes)))
}

fn pulses() -> Vec<PulseEvent> {
    let label = |i: u64| PulseLabel::from_bits((37 * i % 4096) as u16);
    (0..60).map(|i| PulseEvent { time: DncCycles(100 + 17 * i * i * i), label: label(i) }).collect()
}

fn playback_examples() -> Vec<Vec<u8>> {
    [&[][..], &pulses()]
        .map(|pulses| playback::encode_fpga(FPGA, pulses, DncCycles(1 << 22), true).unwrap())
        .map(|words| to_bytes(&words))
        .to_vec()
}

fn trace_words(bytes: &[u8]) -> String {
    let decoded = trace::decode(&to_words(bytes));
    if let Ok(pulses) = &decoded {
        // counts of wraps may lie years apart: only what fits is encoded again
        let mut sorted = pulses.clone();
        sorted.sort_unstable();
        if sorted.last().is_none_or(|last| last.time.0 < 1 << 40) {
            let mut again = trace::decode(&trace::encode(pulses)).unwrap();
            again.sort_unstable();
            assert_eq!(again, sorted);
        }
    }
    outcome(decoded)
}

fn trace_examples() -> Vec<Vec<u8>> {
    vec![to_bytes(&trace::encode(&[])), to_bytes(&trace::encode(&pulses()))]
}

fn archive_as<T: Archive>(bytes: &[u8]) -> String {
    outcome(archive::from_bytes::<T>(Path::new("file"), bytes))
}

/// The kind is chosen by the first byte of the kind in the header.
fn archive_file(bytes: &[u8]) -> String {
    match bytes.get(8) {
        Some(b'W') => archive_as::<ConfigurationWords>(bytes),
        Some(b'P') => archive_as::<PlaybackWords>(bytes),
        _ => archive_as::<TraceWords>(bytes),
    }
}

fn archive_examples() -> Vec<Vec<u8>> {
    let by_fpga = [(FPGA, vec![1, 2, u64::MAX]), (FpgaOnWafer::new::<0>(), vec![])];
    vec![
        archive::to_bytes(&ConfigurationWords { by_fpga: by_fpga.clone().into() }).unwrap(),
        archive::to_bytes(&PlaybackWords { by_fpga: by_fpga.clone().into() }).unwrap(),
        archive::to_bytes(&TraceWords { by_fpga: by_fpga.into() }).unwrap(),
    ]
}

/// A payload of which the header says that all is well.
fn with_header<T: Archive>(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    let checksum = crc32fast::hash(payload).to_le_bytes();
    [b"BSS1ARCH", &T::KIND, &T::VERSION.to_le_bytes()[..], &length, &checksum, payload].concat()
}

/// The payload of an archive.
fn payload<T: Archive>(value: &T) -> Vec<u8> {
    archive::to_bytes(value).unwrap().split_off(with_header::<T>(&[]).len())
}

fn archive_payload(payload: &[u8]) -> String {
    archive_as::<ConfigurationWords>(&with_header::<ConfigurationWords>(payload))
}

fn payload_examples() -> Vec<Vec<u8>> {
    let by_fpga = [(FPGA, vec![1, 2, u64::MAX]), (FpgaOnWafer::new::<0>(), vec![])].into();
    vec![payload(&ConfigurationWords { by_fpga })]
}

fn stateful_payload(payload: &[u8]) -> String {
    archive_as::<StatefulWafer>(&with_header::<StatefulWafer>(payload))
}

fn stateful_examples() -> Vec<Vec<u8>> {
    vec![payload(&StatefulWafer::new(Settings::default()))]
}

fn defects(bytes: &[u8]) -> String {
    text(bytes, str::parse::<Defects>, Defects::to_text)
}

fn defects_examples() -> Vec<Vec<u8>> {
    let mut defects = Defects::default();
    defects.wafer = Some(WaferNumber(30));
    "a remark".clone_into(&mut defects.comment);
    for name in ["D12", "D8.hs3", "H7", "H93.drv110", "H93.drv111", "H93.syn114687", "H94.vl255"] {
        defects.insert(name.parse::<Component>().unwrap());
    }
    vec![defects.to_text().into_bytes()]
}

fn description(bytes: &[u8]) -> String {
    text(bytes, HardwareDescription::from_text, HardwareDescription::to_text)
}

fn description_examples() -> Vec<Vec<u8>> {
    let text = "version = 1\n[[wafer]]\nwafer = 30\nsetup = \"bsswafer\"\n\
                macu = { ip = \"192.168.30.251\", version = 2 }\n\
                hicanns = { version = 4, label = \"v4\" }\n\
                [[wafer.fpga]]\nfpga = 12\nip = \"192.168.30.33\"\nhighspeed = false\n\
                [[wafer.reticle]]\nreticle = 0\nto_be_powered = true\n\
                [[wafer.adc]]\nfpga = 12\nanalog = 0\nadc = \"B201\"\nchannel = -1\n\
                trigger = 1\nremote_ip = \"127.0.0.1\"\nremote_port = 44000\n\
                [[wafer.ananas]]\nananas = 1\nip = \"192.168.30.9\"\nbaseport_data = 1\n\
                baseport_reset = 2\n\
                [[wafer]]\nwafer = 4\nsetup = \"jboa\"\nfpga = [{ fpga = 0, ip = \"10.0.0.1\" }]\n\
                hicann = [{ hicann = 144, version = 2, label = \"\" }]\n";
    vec![text.into()]
}

/// Names of places, one per line.
fn coordinates(bytes: &[u8]) -> String {
    let Ok(names) = std::str::from_utf8(bytes) else { return "no text".into() };
    let kind = |name: &str| -> String {
        let parsers: [fn(&str) -> String; 4] = [
            |name| text(name.as_bytes(), str::parse::<Component>, ToString::to_string),
            |name| text(name.as_bytes(), str::parse::<PulseLabel>, ToString::to_string),
            |name| text(name.as_bytes(), str::parse::<OnWafer<L1Line>>, ToString::to_string),
            |name| text(name.as_bytes(), str::parse::<OnWafer<L1Repeater>>, ToString::to_string),
        ];
        let outcomes = parsers.map(|parse| parse(name));
        if outcomes.iter().any(|outcome| outcome == ACCEPTED) {
            return ACCEPTED.to_owned();
        }
        // without the name, which is in most messages
        outcomes[0].replace(name, "")
    };
    names.lines().map(kind).find(|outcome| outcome != ACCEPTED).unwrap_or(ACCEPTED.to_owned())
}

fn coordinate_examples() -> Vec<Vec<u8>> {
    vec![b"H93\nD12.hs7\nH93.drv99\nhs6.gbit5.adr17\nH0.hl62\nH383.vr255".to_vec()]
}

fn datagram(bytes: &[u8]) -> String {
    let decoded = Datagram::decode(bytes);
    if let Ok(datagram) = &decoded {
        assert_eq!(datagram.encode(), bytes);
    }
    outcome(decoded)
}

fn frame(ack: u32, sequence: u32, words: &[u64]) -> Vec<u8> {
    let packet = Packet::new(PacketType::HICANN_CONFIG, words);
    Datagram::Frame(Frame { ack, sequence, packet }).encode()
}

fn datagram_examples() -> Vec<Vec<u8>> {
    vec![Datagram::Reset.encode(), Datagram::Ack(7).encode(), frame(3, 4, &[1, u64::MAX])]
}

fn hicann_packet(bytes: &[u8]) -> String {
    for word in to_words(bytes) {
        let packet = HicannPacket::decode(word);
        assert_eq!(HicannPacket::decode(packet.encode()), packet);
    }
    ACCEPTED.to_owned()
}

fn hicann_packet_examples() -> Vec<Vec<u8>> {
    let command = HicannCommand { is_write: true, address: 0x1234, data: 0x5678_9abc };
    let packet = HicannPacket { tag: 1, ack: 63, command: Some((5, command)) };
    vec![to_bytes(&[packet.encode()])]
}

/// Datagrams behind a byte with their length each; longer ones come later.
fn feed(mut machine: HostArq, mut bytes: &[u8]) -> String {
    let mut now = 0;
    let mut outcome = ACCEPTED.to_owned();
    while let Some((&len, rest)) = bytes.split_first() {
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(len)));
        bytes = rest;
        now += 100 * u64::from(len);
        machine.receive_bytes(Ticks(now), datagram);
        while machine.transmit(Ticks(now)).is_some() {}
        while let Some(event) = machine.event() {
            if let ArqEvent::Failed(error) = event {
                outcome = error.to_string();
            }
        }
    }
    outcome
}

fn host_arq(bytes: &[u8]) -> String {
    feed(HostArq::host(Parameters::FCP, 1, Ticks(0)), bytes)
}

fn fpga_arq(bytes: &[u8]) -> String {
    feed(HostArq::fpga(Parameters::FCP), bytes)
}

fn host_arq_examples() -> Vec<Vec<u8>> {
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
