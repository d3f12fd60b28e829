//! Words to the FPGA and JTAG messages against the vectors.

use hal::config::{GbitDirection, GbitLinks};
use hal::coord::{Coordinate, FpgaOnWafer, GbitLinkOnHicann, HicannOnDnc, JtagFrequency, Table};
use hal::fpga::{
    FpgaBackgroundGenerator, FpgaCommand, FpgaReset, InvalidFpgaGenerator, PllFrequency,
    adc_samples, dnc_directions,
};
use hal::jtag;
use hal::wafer::AdcTrace;
use serde_json::Value;

/// The vectors of a category, whose number is asserted so that none is skipped.
fn category(name: &str, count: usize) -> Vec<(Value, Value)> {
    let text = include_str!("../data/hal-vectors.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let found: Vec<_> = all["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|v| v["category"] == name)
        .map(|v| (v["input"].clone(), v["expected"].clone()))
        .collect();
    assert_eq!(found.len(), count, "{name}");
    found
}

fn hex(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, b| text + &format!("{b:02x}"))
}

#[test]
fn commands_have_the_words_of_the_vectors() {
    for (input, expected) in category("fpga_config_word", 10) {
        let flag = |name: &str| input[name] == 1;
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
        assert_eq!(command.bits(), hex(&expected["word"]), "{input}");
        assert_eq!(FpgaCommand::from_bits(command.bits()), Some(command));
    }
    assert_eq!(FpgaCommand::from_bits(0), None);
}

#[test]
fn only_the_master_starts_a_common_time() {
    for fpga in FpgaOnWafer::all() {
        let command = FpgaCommand::start_system_time(fpga, true, true);
        let starts = fpga == FpgaOnWafer::MASTER;
        assert_eq!(command.bits() & 1 << 21 != 0, starts, "{fpga}");
    }
}

#[test]
fn resets_have_the_datagrams_of_the_vectors() {
    for (input, expected) in category("fpga_reset_packet", 2) {
        let flag = |name: &str| input[name] == 1;
        let reset = FpgaReset {
            core: flag("core"),
            fpga_dnc: flag("fpgadnc"),
            onboard_memory: flag("ddr2onboard"),
            memory_module: flag("ddr2sodimm"),
            hicann_arq: flag("arq"),
        };
        assert_eq!(hex_bytes(&reset.datagram()), expected["bytes_hex"]);
        assert_eq!(expected["udp_port"], hal::fpga::RESET_PORT);
    }
}

#[test]
fn the_pll_takes_the_steps_of_the_vectors_only() {
    for (input, expected) in category("pll", 7) {
        let mhz = input["mhz"].as_f64().unwrap();
        let pll = PllFrequency::try_from(mhz * 1e6).unwrap();
        let (multiplier, divider) = pll.factors();
        assert_eq!(expected["multiplier"], multiplier);
        assert_eq!(expected["divider"], divider);
        assert_eq!(u64::from(pll.control_word()), hex(&expected["pll_far_ctrl_15bit"]));
    }
    for (input, expected) in category("sthal_pll", 8) {
        let hz = input["hz"].as_f64().unwrap();
        assert_eq!(PllFrequency::try_from(hz).is_ok(), expected["ok"] == true, "{hz}");
    }
}

#[test]
fn the_generator_has_the_word_of_the_vector() {
    for (input, expected) in category("fpga_background_generator", 1) {
        let number = |name: &str| input[name].as_u64().unwrap() as usize;
        let on_dnc = 4 * number("hicann_y") + number("hicann_x");
        let hicann = HicannOnDnc::from_index(on_dnc).unwrap();
        let link = GbitLinkOnHicann::new::<0>();
        let mut generator = FpgaBackgroundGenerator::new(
            hicann,
            link,
            number("rate") as u16,
            number("seed") as u32,
        )
        .unwrap();
        generator.enable = true;
        generator.poisson = true;
        assert_eq!(generator.bits(), hex(&expected["jtag_word63"]));
        let refused = |rate, seed| FpgaBackgroundGenerator::new(hicann, link, rate, seed).err();
        assert_eq!(refused(1, 1), Some(InvalidFpgaGenerator::Rate(1)));
        assert_eq!(refused(2, 0), Some(InvalidFpgaGenerator::Seed(0)));
    }
}

#[test]
fn link_directions_have_the_words_of_the_vectors() {
    for (input, expected) in category("dnc_direction_word", 2) {
        let number = |name: &str| input[name].as_u64().unwrap() as usize;
        let on_dnc = 4 * number("hicann_y") + number("hicann_x");
        let mut links: Table<HicannOnDnc, GbitLinks> = Table::default();
        let directions = &mut links[HicannOnDnc::from_index(on_dnc).unwrap()].direction;
        for (link, name) in GbitLinkOnHicann::all().zip(input["dirs"].as_array().unwrap()) {
            directions[link] = match name.as_str().unwrap() {
                "TO_HICANN" => GbitDirection::ToHicann,
                "TO_DNC" => GbitDirection::ToDnc,
                _ => GbitDirection::Off,
            };
        }
        assert_eq!(dnc_directions(&links), hex(&expected["word"]));
    }
}

#[test]
fn samples_of_the_adc_are_those_of_the_vectors() {
    for (input, expected) in category("adc_unpack", 3) {
        let samples = adc_samples(hex(&input["word"]) as u32);
        assert_eq!(expected["samples"], serde_json::json!(samples));
    }
    for (input, expected) in category("adc_default_calibration", 3) {
        let volts = AdcTrace::volts(input["raw"].as_u64().unwrap() as u16);
        let tolerance = expected["tolerance"].as_f64().unwrap();
        assert!((volts - expected["volt"].as_f64().unwrap()).abs() <= tolerance);
    }
}

#[test]
fn jtag_messages_are_those_of_the_vectors() {
    for (input, expected) in category("jtagbulk_set_frequency", 4) {
        let hertz = 1000 * input["khz"].as_u64().unwrap() as u32;
        let message = jtag::set_frequency(JtagFrequency::try_from(hertz).unwrap());
        assert_eq!(hex_bytes(&message), expected["message_hex"]);
        let words: Vec<u64> = expected["arq_words"].as_array().unwrap().iter().map(hex).collect();
        assert_eq!(jtag::to_packet(&message), words);
    }
    for (input, expected) in category("jtag_nibble_pair", 5) {
        let flag = |name: &str| input[name] == 1 || input[name] == true;
        let byte = jtag::cycle(flag("tms"), flag("tdi"), flag("capture_tdo"));
        assert_eq!(u64::from(byte), hex(&expected["byte"]));
    }
    assert_eq!(jtag::set_frequency(JtagFrequency::MIN)[2], 255, "the divider saturates");
}

#[test]
fn a_bulk_message_counts_its_nibbles_and_is_padded_to_words() {
    let cycles = [jtag::cycle(true, false, false); 3];
    let message = jtag::bulk(&cycles);
    assert_eq!(message, [0x0c, 0x33, 0, 6, 0x62, 0x62, 0x62, 0]);
    assert_eq!(jtag::to_packet(&message), [0x0c33_0006_0000_0002, 0x6262_6200]);
}
