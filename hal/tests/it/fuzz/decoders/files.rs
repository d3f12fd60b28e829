//! Files: archives, saved wafers, defects, hardware descriptions, names of places.

use std::path::Path;

use hal::archive::{self, Archive};
use hal::coord::{FpgaOnWafer, OnWafer, PulseLabel, WaferNumber};
use hal::defects::{Component, Defects};
use hal::description::HardwareDescription;
use hal::l1::{L1Line, L1Repeater};
use hal::stateful::{Settings, StatefulWafer};
use hal::wafer::{ConfigurationWords, PlaybackWords, TraceWords};

use super::{ACCEPTED, FPGA, is_accepted, outcome, size};

/// Accepted inputs are parsed again from what the parsed value prints.
fn text<T: PartialEq + std::fmt::Debug, E: ToString>(
    bytes: &[u8],
    parse: impl Fn(&str) -> Result<T, E>,
    print: impl Fn(&T) -> String,
    shape: impl Fn(&T) -> String,
) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "no text".into() };
    let parsed = parse(text);
    if let Ok(value) = &parsed {
        let again = parse(&print(value)).map_err(|error| error.to_string());
        assert_eq!(again.as_ref(), Ok(value));
    }
    outcome(parsed, shape)
}

fn archive_as<T: Archive>(bytes: &[u8], shape: impl Fn(&T) -> String) -> String {
    outcome(archive::from_bytes::<T>(Path::new("file"), bytes), shape)
}

/// How many FPGAs words are for, and how many words.
macro_rules! shape {
    () => {
        |words| format!("{} FPGAs; {} words", size(words.by_fpga.len()), size(words.len()))
    };
}

/// The kind is chosen by the first byte of the kind in the header.
pub(super) fn archive_file(bytes: &[u8]) -> String {
    match bytes.get(8) {
        Some(b'W') => archive_as::<ConfigurationWords>(bytes, shape!()),
        Some(b'P') => archive_as::<PlaybackWords>(bytes, shape!()),
        _ => archive_as::<TraceWords>(bytes, shape!()),
    }
}

pub(super) fn archive_examples() -> Vec<Vec<u8>> {
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

pub(super) fn archive_payload(payload: &[u8]) -> String {
    archive_as::<ConfigurationWords>(&with_header::<ConfigurationWords>(payload), shape!())
}

pub(super) fn payload_examples() -> Vec<Vec<u8>> {
    let by_fpga = [(FPGA, vec![1, 2, u64::MAX]), (FpgaOnWafer::new::<0>(), vec![])].into();
    vec![payload(&ConfigurationWords { by_fpga })]
}

pub(super) fn stateful_payload(payload: &[u8]) -> String {
    archive_as::<StatefulWafer>(&with_header::<StatefulWafer>(payload), |wafer| {
        format!("{} chips; {:?}", size(wafer.config().hicanns.len()), wafer.settings.checks)
    })
}

pub(super) fn stateful_examples() -> Vec<Vec<u8>> {
    vec![payload(&StatefulWafer::new(Settings::default()))]
}

/// The kinds of the components that are marked.
pub(super) fn defects(bytes: &[u8]) -> String {
    text(bytes, str::parse::<Defects>, Defects::to_text, |defects| {
        let counts = defects.counts().into_iter();
        counts.map(|(kind, n)| format!("{} {kind:?}", size(n))).collect::<Vec<_>>().join("; ")
    })
}

pub(super) fn defects_examples() -> Vec<Vec<u8>> {
    let mut defects = Defects::default();
    defects.wafer = Some(WaferNumber(30));
    "a remark".clone_into(&mut defects.comment);
    for name in ["D12", "D8.hs3", "H7", "H93.drv110", "H93.drv111", "H93.syn114687", "H94.vl255"] {
        defects.insert(name.parse::<Component>().unwrap());
    }
    vec![defects.to_text().into_bytes()]
}

pub(super) fn description(bytes: &[u8]) -> String {
    text(bytes, HardwareDescription::from_text, HardwareDescription::to_text, |hardware| {
        let module = |(_, wafer): (_, &hal::description::WaferDescription)| {
            let chips = wafer.hicanns().count();
            format!("{:?}; {} chips", wafer.setup(), size(chips))
        };
        hardware.wafers().map(module).collect::<Vec<_>>().join("; ")
    })
}

pub(super) fn description_examples() -> Vec<Vec<u8>> {
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
pub(super) fn coordinates(bytes: &[u8]) -> String {
    let Ok(names) = std::str::from_utf8(bytes) else { return "no text".into() };
    let kind = |name: &str| -> String {
        let parsers: [fn(&str) -> String; 4] = [
            |name| {
                text(name.as_bytes(), str::parse::<Component>, ToString::to_string, |_| {
                    String::new()
                })
            },
            |name| {
                text(name.as_bytes(), str::parse::<PulseLabel>, ToString::to_string, |_| {
                    String::new()
                })
            },
            |name| {
                text(name.as_bytes(), str::parse::<OnWafer<L1Line>>, ToString::to_string, |_| {
                    String::new()
                })
            },
            |name| {
                text(
                    name.as_bytes(),
                    str::parse::<OnWafer<L1Repeater>>,
                    ToString::to_string,
                    |_| String::new(),
                )
            },
        ];
        let outcomes = parsers.map(|parse| parse(name));
        if outcomes.iter().any(|outcome| is_accepted(outcome)) {
            return ACCEPTED.to_owned();
        }
        // without the name, which is in most messages
        outcomes[0].replace(name, "")
    };
    names.lines().map(kind).find(|outcome| !is_accepted(outcome)).unwrap_or(ACCEPTED.to_owned())
}

pub(super) fn coordinate_examples() -> Vec<Vec<u8>> {
    vec![b"H93\nD12.hs7\nH93.drv99\nhs6.gbit5.adr17\nH0.hl62\nH383.vr255".to_vec()]
}
