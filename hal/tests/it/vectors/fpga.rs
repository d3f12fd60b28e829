//! Words to the FPGA and JTAG messages.

use hal::config::{GbitDirection, GbitLinks};
use hal::coord::{Coordinate, GbitLinkOnHicann, HicannOnDnc, JtagFrequency, Table};
use hal::fpga::{
    FpgaBackgroundGenerator, FpgaCommand, FpgaReset, PllFrequency, RESET_PORT, dnc_directions,
};
use hal::jtag;
use serde_json::Value;

use super::{bytes, flag, index, number, numbers};

pub(crate) fn fpga_config_word(input: &Value, expected: &Value) {
    let flag = |name: &str| flag(&input[name]);
    let command = if flag("start_pb") {
        FpgaCommand::StartPlayback
    } else if flag("stop_trace") {
        FpgaCommand::StopTrace
    } else if flag("start_read") {
        FpgaCommand::StartTraceRead
    } else {
        FpgaCommand::SystemTime {
            enable: flag("enable"),
            listen_global: flag("listen"),
            experiment: flag("expstart"),
        }
    };
    assert_eq!(command.bits(), number(&expected["word"]), "{input}");
    assert_eq!(FpgaCommand::from_bits(command.bits()), Some(command));
}

pub(crate) fn fpga_reset_packet(input: &Value, expected: &Value) {
    let flag = |name: &str| flag(&input[name]);
    let reset = FpgaReset {
        core: flag("core"),
        fpga_dnc: flag("fpgadnc"),
        onboard_memory: flag("ddr2onboard"),
        memory_module: flag("ddr2sodimm"),
        hicann_arq: flag("arq"),
    };
    assert_eq!(reset.datagram().to_vec(), bytes(&expected["bytes_hex"]));
    assert_eq!(u64::from(RESET_PORT), number(&expected["udp_port"]));
}

pub(crate) fn pll(input: &Value, expected: &Value) {
    let pll = PllFrequency::try_from(input["mhz"].as_f64().unwrap() * 1e6).unwrap();
    let (multiplier, divider) = pll.factors();
    assert_eq!(u64::from(multiplier), number(&expected["multiplier"]));
    assert_eq!(u64::from(divider), number(&expected["divider"]));
    assert_eq!(u64::from(pll.control_word()), number(&expected["pll_far_ctrl_15bit"]));
}

pub(crate) fn sthal_pll(input: &Value, expected: &Value) {
    let hz = input["hz"].as_f64().unwrap();
    assert_eq!(PllFrequency::try_from(hz).is_ok(), flag(&expected["ok"]), "{hz}");
}

/// The chip of an input, which names its column and row on the reticle.
fn on_dnc(input: &Value) -> HicannOnDnc {
    let index = 4 * index(&input["hicann_y"]) + index(&input["hicann_x"]);
    HicannOnDnc::from_index(index).unwrap()
}

pub(crate) fn fpga_background_generator(input: &Value, expected: &Value) {
    let (rate, seed) = (number(&input["rate"]) as u16, number(&input["seed"]) as u32);
    let link = GbitLinkOnHicann::new::<0>();
    let mut generator = FpgaBackgroundGenerator::new(on_dnc(input), link, rate, seed).unwrap();
    generator.enable = true;
    generator.poisson = true;
    assert_eq!(generator.bits(), number(&expected["jtag_word63"]));
}

pub(crate) fn dnc_direction_word(input: &Value, expected: &Value) {
    let mut links: Table<HicannOnDnc, GbitLinks> = Table::default();
    let directions = &mut links[on_dnc(input)].direction;
    for (link, name) in GbitLinkOnHicann::all().zip(input["dirs"].as_array().unwrap()) {
        directions[link] = match name.as_str().unwrap() {
            "TO_HICANN" => GbitDirection::ToHicann,
            "TO_DNC" => GbitDirection::ToDnc,
            _ => GbitDirection::Off,
        };
    }
    assert_eq!(dnc_directions(&links), number(&expected["word"]));
}

pub(crate) fn jtagbulk_set_frequency(input: &Value, expected: &Value) {
    let hertz = 1000 * number(&input["khz"]) as u32;
    let message = jtag::set_frequency(JtagFrequency::try_from(hertz).unwrap());
    assert_eq!(message.to_vec(), bytes(&expected["message_hex"]));
    assert_eq!(jtag::to_packet(&message), numbers(&expected["arq_words"]));
}

pub(crate) fn jtag_nibble_pair(input: &Value, expected: &Value) {
    let flag = |name: &str| flag(&input[name]);
    let byte = jtag::cycle(flag("tms"), flag("tdi"), flag("capture_tdo"));
    assert_eq!(u64::from(byte), number(&expected["byte"]));
}
