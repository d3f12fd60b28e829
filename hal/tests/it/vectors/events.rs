//! Pulses, playback, trace, mergers and background generators.

use hal::codec::{Unit, encode_hicann};
use hal::config::{
    BackgroundGenerator, DncMerger, GbitDirection, HicannConfig, Merger, MergerMode,
};
use hal::coord::*;
use hal::wafer::{DncCycles, PulseEvent};
use hal::{playback, trace};
use serde_json::Value;

use super::{coord, flag, number, numbers};
use crate::stream::{CHIP, Stream};

pub(crate) fn pulse_label(input: &Value, expected: &Value) {
    let on_dnc: HicannOnDnc = coord(&input["hicann_on_dnc_enum"]);
    let label = PulseLabel {
        link: on_dnc.link(),
        gbit_link: coord(&input["channel"]),
        address: coord(&input["neuron"]),
    };
    assert_eq!(u64::from(label.bits()), number(&expected["label"]));
    assert_eq!(PulseLabel::from_bits(label.bits()), label);
    if !expected["chip_field"].is_null() {
        assert_eq!(on_dnc.link(), coord(&expected["chip_field"]));
    }
}

pub(crate) fn l1_address_split(input: &Value, expected: &Value) {
    let address: L1Address = coord(&input["l1_address"]);
    assert_eq!(address.driver_decoder(), coord(&expected["driver_decoder"]));
    assert_eq!(address.synapse_decoder(), coord(&expected["synapse_decoder"]));
}

fn pulse(event: &Value) -> PulseEvent {
    PulseEvent {
        time: DncCycles(number(&event["time_dnc"])),
        label: PulseLabel::from_bits(number(&event["label"]) as u16),
    }
}

pub(crate) fn playback_program(input: &Value, expected: &Value) {
    assert_eq!(number(&input["fpga_hicann_delay"]), 25);
    let pulses: Vec<_> = input["events"].as_array().unwrap().iter().map(pulse).collect();
    let runtime = DncCycles(number(&input["runtime_dnc"]));
    let record = flag(&input["enable_trace"]);
    let words = playback::encode_fpga(CHIP.fpga(), &pulses, runtime, record).unwrap();
    assert_eq!(words, numbers(&expected["words"]));
    let decoded = playback::decode(&words).unwrap();
    assert_eq!((decoded.end, decoded.record), (runtime, record));
    let released: Vec<_> =
        decoded.pulses.iter().map(|p| PulseEvent { time: p.release, label: p.label }).collect();
    assert_eq!(released, pulses);
}

pub(crate) fn trace_decode(input: &Value, expected: &Value) {
    assert!(flag(&expected["end_of_trace"]));
    let wanted: Vec<_> = expected["events"].as_array().unwrap().iter().map(pulse).collect();
    assert_eq!(trace::decode(&numbers(&input["words"])).unwrap(), wanted);
    assert_eq!(trace::decode(&trace::encode(&wanted)).unwrap(), wanted);
}

fn mode(code: u64) -> MergerMode {
    [MergerMode::RightOnly, MergerMode::LeftOnly, MergerMode::Merge][code as usize]
}

pub(crate) fn merger_tree(input: &Value, expected: &Value) {
    let slow = input["slow_index"].as_array().map(|_| numbers(&input["slow_index"]));
    let mut config = HicannConfig::default();
    for (place, code) in MergerOnHicann::all().zip(numbers(&input["config_raw_order"])) {
        let slow = slow.as_ref().is_some_and(|s| s.contains(&(place.index() as u64)));
        config.mergers.tree[place] = Merger { mode: mode(code), slow };
    }
    let stream = Stream::of(&config);
    for (register, name) in [(0, "enable(reg0)"), (1, "select(reg1)"), (2, "slow(reg2)")] {
        let found = stream.last(Unit::NeuronControl, register);
        assert_eq!(u64::from(found), number(&expected[name]), "{name}");
    }
}

pub(crate) fn dnc_merger_line(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    for place in DncMergerOnHicann::all() {
        let i = place.index();
        config.mergers.dnc[place] = DncMerger {
            mode: mode(number(&input["config"][i])),
            slow: flag(&input["slow"][i]),
            loopback: flag(&input["loopback"][i]),
        };
    }
    if !expected["error"].is_null() {
        let error = encode_hicann(CHIP, &config).unwrap_err();
        assert_eq!(
            error.to_string(),
            "H93: dnc0 and dnc1 are looped back to each other; switch one of both off"
        );
        return;
    }
    let stream = Stream::of(&config);
    for (register, name) in [(15, "reg15_slow_enable"), (3, "reg3_select_loopback")] {
        let found = stream.last(Unit::NeuronControl, register);
        assert_eq!(u64::from(found), number(&expected[name]), "{name}");
    }
}

pub(crate) fn gbit_link(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    config.gbit_links.timestamp_enable = flag(&input["timestamp_enable"]);
    for link in GbitLinkOnHicann::all() {
        config.gbit_links.direction[link] = match input["dirs"][link.index()].as_str().unwrap() {
            "OFF" => GbitDirection::Off,
            "TO_DNC" => GbitDirection::ToDnc,
            _ => GbitDirection::ToHicann,
        };
    }
    let found = Stream::of(&config).last(Unit::Spl1, 0);
    assert_eq!(u64::from(found), number(&expected["data"]));
}

pub(crate) fn phase(input: &Value, expected: &Value) {
    let bits = number(&input["phase_bits"]);
    let mut config = HicannConfig::default();
    config.mergers.phase = Table::from_fn(|m: DncMergerOnHicann| bits >> m.index() & 1 != 0);
    let word = Stream::of(&config).last(Unit::NeuronControl, 5);
    assert_eq!(u64::from(word), number(&expected["reg5"]));
}

pub(crate) fn background_generators(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    if let Some(list) = input["generators"].as_array() {
        for (place, given) in BackgroundGeneratorOnHicann::all().zip(list) {
            config.mergers.background[place] = BackgroundGenerator {
                enable: flag(&given["enable"]),
                random: flag(&given["random"]),
                period: number(&given["period"]) as u16,
                seed: number(&given["seed"]) as u16,
                address: coord(&given["address"]),
            };
        }
    }
    let registers = [4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19];
    let stream = Stream::of(&config);
    let writes = stream
        .writes
        .iter()
        .filter(|(unit, local, _)| *unit == Unit::NeuronControl && registers.contains(local))
        // those of the initialisation come first
        .skip(registers.len())
        .map(|&(_, local, data)| (u64::from(local), u64::from(data)));
    let wanted = expected["writes"].as_array().unwrap().iter();
    let wanted = wanted.map(|w| (number(&w["reg"]), number(&w["data"])));
    assert!(writes.eq(wanted));
}

pub(crate) fn background_period(input: &Value, expected: &Value) {
    let clocks = number(&input["isi"]) as u32;
    let period = if input["mode"] == "regular" {
        BackgroundGenerator::regular_period(clocks)
    } else {
        BackgroundGenerator::random_period(clocks)
    };
    assert_eq!(period.is_err(), !expected["error"].is_null());
    if let Ok(period) = period {
        assert_eq!(u64::from(period), number(&expected["period"]));
    }
}
