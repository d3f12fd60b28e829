//! Bus, switches, repeaters and lines.

use hal::check::{ConfigFault, SwitchLimits, check_hicann};
use hal::codec::{Access, Operation, Unit};
use hal::config::{HicannConfig, Repeater, RepeaterMode};
use hal::coord::*;
use hal::value::RepeaterCapacitor;
use serde_json::Value;

use super::{coord, flag, index, number, numbers};
use crate::stream::{CHIP, Stream};

pub(crate) fn unit(name: &Value) -> Unit {
    use Side::{Left, Right};
    use Vertical::{Bottom, Top};
    let name = name.as_str().unwrap();
    let corner = |corner: &str| match corner {
        "top_left" => (Top, Left, 0),
        "top_right" => (Top, Right, 1),
        "bottom_left" => (Bottom, Left, 2),
        "bottom_right" => (Bottom, Right, 3),
        _ => panic!("{corner}"),
    };
    let block = |i: usize| Unit::Repeater(RepeaterBlockOnHicann::from_index(i).unwrap());
    match name.split_once('_') {
        None => Unit::Spl1,
        Some(("crossbar", side)) => Unit::Crossbar(if side == "left" { Left } else { Right }),
        Some(("synapse", half)) => {
            let array = if half == "top" { Top } else { Bottom };
            Unit::Synapse(SynapseArrayOnHicann::in_half(array))
        }
        Some(("repeater", "center_left")) => block(2),
        Some(("repeater", "center_right")) => block(3),
        Some(("repeater", at)) => {
            block(if corner(at).2 < 2 { corner(at).2 } else { corner(at).2 + 2 })
        }
        Some(("fg", at)) => Unit::FloatingGate(FgBlockOnHicann::from_index(corner(at).2).unwrap()),
        Some(("synswitch", at)) => Unit::SynapseSwitch(corner(at).0, corner(at).1),
        Some(("neuron", "control")) => Unit::NeuronControl,
        Some(("neuron", "builder")) => Unit::NeuronBuilder,
        _ => panic!("{name}"),
    }
}

fn side(value: &Value) -> Side {
    if value == "left" { Side::Left } else { Side::Right }
}

pub(crate) fn ocp_base(input: &Value, expected: &Value) {
    let unit = unit(&input["unit"]);
    assert_eq!(u64::from(unit.tag()), number(&expected["tag"]));
    assert_eq!(u64::from(unit.start()), number(&expected["start"]));
    assert_eq!(u64::from(unit.max_local()), number(&expected["max_local"]));
}

pub(crate) fn hicannconfig_word(input: &Value, expected: &Value) {
    let (unit, local) = Unit::at(number(&input["tag"]) as u8, number(&input["addr"]) as u16);
    let operation = if flag(&input["write"]) {
        Operation::Write(number(&input["data"]) as u32)
    } else {
        Operation::Read
    };
    let access = Access { unit, local, operation };
    let word = number(&expected["word"]);
    let link = coord(&input["hs"]);
    assert_eq!(access.to_word(link), word);
    assert_eq!(Access::from_word(word), Some((link, access)));
}

/// Checks the final content of a register given by unit and address.
fn register(stream: &Stream, expected: &Value) {
    let (unit, local) = (unit(&expected["unit"]), number(&expected["local_addr"]) as u16);
    if !expected["ocp_addr"].is_null() {
        assert_eq!(u64::from(unit.start() + local), number(&expected["ocp_addr"]));
    }
    assert_eq!(u64::from(stream.last(unit, local)), number(&expected["data"]));
}

pub(crate) fn crossbar_row(input: &Value, expected: &Value) {
    let hline: HLineOnHicann = coord(&input["hline"]);
    let vlines: Vec<_> = hline.crossbar_vlines().collect();
    let of_side = &vlines[4 * side(&input["side"]).index()..][..4];
    let mut config = HicannConfig::default();
    for (vline, closed) in of_side.iter().zip(numbers(&input["switches"])) {
        let switch = CrossbarSwitchOnHicann::between(hline, *vline).unwrap();
        config.crossbar.set(switch, closed != 0);
    }
    register(&Stream::of(&config), expected);
}

pub(crate) fn crossbar_index(input: &Value, expected: &Value) {
    let switch = CrossbarSwitchOnHicann::between(coord(&input["hline"]), coord(&input["vline"]));
    assert_eq!(switch.is_some(), flag(&expected["exists"]));
    if let Some(switch) = switch {
        let on_row = switch.index() % 8;
        assert_eq!(on_row / 4, side(&expected["side"]).index());
        assert_eq!(on_row % 4, index(&expected["index_on_side"]));
    }
}

pub(crate) fn crossbar_lines(input: &Value, expected: &Value) {
    let hline: HLineOnHicann = coord(&input["hline"]);
    let vlines: Vec<u64> = hline.crossbar_vlines().map(|v| v.index() as u64).collect();
    assert_eq!(vlines, numbers(&expected["vlines"]));
}

pub(crate) fn synapse_switch_index(input: &Value, expected: &Value) {
    let switch = SynapseSwitchOnHicann::between(coord(&input["vline"]), coord(&input["line"]));
    assert_eq!(switch.is_some(), flag(&expected["exists"]));
    if let Some(switch) = switch {
        assert_eq!(switch.row().side(), side(&expected["side"]));
        assert_eq!(switch.index() % 32, index(&expected["storage_index"]));
        assert_eq!(switch.index() % 16, index(&expected["index_on_side"]));
    }
}

pub(crate) fn synapse_switch_lines(input: &Value, expected: &Value) {
    let row = SynapseSwitchRowOnHicann::at(side(&input["side"]), coord(&input["line"]));
    let vlines: Vec<u64> = row.vlines().map(|v| v.index() as u64).collect();
    assert_eq!(vlines, numbers(&expected["vlines"]));
}

pub(crate) fn synapse_switch_row(input: &Value, expected: &Value) {
    let row = SynapseSwitchRowOnHicann::at(side(&input["side"]), coord(&input["line"]));
    let vlines: Vec<_> = row.vlines().collect();
    let mut config = HicannConfig::default();
    for on in numbers(&input["switches_on"]) {
        let switch = SynapseSwitchOnHicann::between(vlines[on as usize], row.y()).unwrap();
        config.synapse_switches.set(switch, true);
    }
    register(&Stream::of(&config), expected);
}

pub(crate) fn vline_to_switch_row(input: &Value, expected: &Value) {
    let vline: VLineOnHicann = coord(&input["vline"]);
    let half = if input["side_vertical"] == "top" { Vertical::Top } else { Vertical::Bottom };
    let mut rows = vline.synapse_switches().map(|s| s.row().y()).filter(|y| y.vertical() == half);
    assert_eq!(rows.nth(index(&input["index"])), Some(coord(&expected["line"])));
}

/// A chip with one repeater set, and what its stream holds for it: the one byte that differs from
/// that of an idle chip.
fn only_byte(config: &HicannConfig) -> (Unit, u16, u32) {
    let idle = Stream::of(&HicannConfig::default());
    let set = Stream::of(config);
    let mut differing = set.writes.iter().zip(&idle.writes).filter(|(a, b)| a != b);
    let (&write, _) = differing.next().expect("one write differs");
    assert!(differing.next().is_none(), "only one write differs");
    write
}

pub(crate) fn repeater_address(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    if input["hline"].is_null() {
        let line: VLineOnHicann = coord(&input["vline"]);
        config.repeaters.vertical[line.repeater()].mode = RepeaterMode::Loopback;
    } else {
        let line: HLineOnHicann = coord(&input["hline"]);
        config.repeaters.horizontal[line.repeater()].mode = RepeaterMode::Loopback;
    }
    let (at, local, _) = only_byte(&config);
    assert_eq!(at, unit(&expected["unit"]));
    assert_eq!(u64::from(local), number(&expected["local_addr"]));
    assert_eq!(u64::from(at.start() + local), number(&expected["ocp_addr"]));
}

/// The repeater of a vector, if its mode and directions can be expressed at all.
fn repeater<D: Copy>(input: &Value, directions: &[(&str, D)]) -> Option<Repeater<D>> {
    let given: Vec<D> = input["directions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| directions.iter().find(|(n, _)| name == n).unwrap().1)
        .collect();
    let mode = match (input["mode"].as_str().unwrap(), &given[..]) {
        ("IDLE", []) => RepeaterMode::Idle,
        ("FORWARDING", [d]) => RepeaterMode::Forwarding(*d),
        ("OUTPUT", [d]) => RepeaterMode::Output(*d),
        ("OUTPUT", [_, _]) => RepeaterMode::OutputBoth,
        ("INPUT", [d]) => RepeaterMode::Input(*d),
        ("LOOPBACK", []) => RepeaterMode::Loopback,
        _ => return None,
    };
    let capacitor = |v: &Value| RepeaterCapacitor::try_from(index(v)).unwrap();
    Some(Repeater { mode, ren: capacitor(&input["ren"]), len: capacitor(&input["len"]) })
}

pub(crate) fn repeater_byte(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    let expressed = if input["orientation"] == "horizontal" {
        let line: HLineOnHicann = coord(&input["line"]);
        repeater(input, &[("left", Side::Left), ("right", Side::Right)])
            .map(|r| config.repeaters.horizontal[line.repeater()] = r)
    } else {
        let line: VLineOnHicann = coord(&input["line"]);
        repeater(input, &[("top", Vertical::Top), ("bottom", Vertical::Bottom)])
            .map(|r| config.repeaters.vertical[line.repeater()] = r)
    };
    assert_eq!(expressed.is_none(), !expected["error"].is_null());
    if expressed.is_some() {
        assert_eq!(u64::from(only_byte(&config).2), number(&expected["data"]));
    }
}

pub(crate) fn repeater_block_config(input: &Value, expected: &Value) {
    let block = RepeaterBlockOnHicann::new::<4>();
    let local = number(&expected["local_addr"]) as u16;
    let data = number(&expected["data"]) as u32;
    let mut config = HicannConfig::default();
    let settings = &mut config.repeater_blocks[block];
    settings.dll_released = flag(&input["dllresetb"]);
    if !input["fext"].is_null() {
        settings.filter_capacitor = coord(&input["fext"]);
    }
    for (i, port) in settings.test_ports.iter_mut().enumerate() {
        port.record = flag(&input[format!("tdi{i}")]);
        port.play = flag(&input[format!("tdo{i}")]);
    }
    let writes = Stream::of(&config).all(Unit::Repeater(block), local);
    assert_eq!(*writes.last().unwrap(), data);
    let held = &writes[..writes.len() - 1];
    assert!(held.iter().all(|w| w & 0x10 == 0), "the loops are held in reset until locking");
}

pub(crate) fn repeater_test_port(input: &Value, expected: &Value) {
    let port = if input["hline"].is_null() {
        Some(coord::<VLineOnHicann>(&input["vline"]).repeater().test_port())
    } else {
        coord::<HLineOnHicann>(&input["hline"]).repeater().test_port()
    };
    let wanted = (!expected["test_port"].is_null()).then(|| coord(&expected["test_port"]));
    assert_eq!(port, wanted);
}

pub(crate) fn sthal_check_testports(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for h in list(&input["hrepeaters_output"]) {
        config.repeaters.horizontal[coord(&h)].mode = RepeaterMode::Output(Side::Left);
    }
    for v in list(&input["vrepeater_enums_output"]) {
        config.repeaters.vertical[coord(&v)].mode = RepeaterMode::Output(Vertical::Top);
    }
    let faults = check_hicann(CHIP, &config, &SwitchLimits::default());
    let clash = faults.iter().any(|f| matches!(f, ConfigFault::TestPort { .. }));
    assert_eq!(clash, !flag(&expected["ok"]));
}

pub(crate) fn dnc_merger_to_hline(input: &Value, expected: &Value) {
    let merger: DncMergerOnHicann = coord(&input["dnc_merger"]);
    assert_eq!(merger.sending_repeater(), coord(&expected["sending_repeater"]));
    assert_eq!(merger.hline(), coord(&expected["hline"]));
}

pub(crate) fn hline_west(input: &Value, expected: &Value) {
    let line: HLineOnHicann = coord(&input["hline"]);
    assert_eq!(line.west(), coord(&expected["west"]));
}

pub(crate) fn vline_south(input: &Value, expected: &Value) {
    let line: VLineOnHicann = coord(&input["vline"]);
    assert_eq!(line.south(), coord(&expected["south"]));
}

pub(crate) fn hicann_to_highspeed_link(input: &Value, expected: &Value) {
    let hicann: HicannOnDnc = coord(&input["hicann_on_dnc_enum"]);
    assert_eq!(hicann.link(), coord(&expected["highspeed_link"]));
}

pub(crate) fn link_lut(_: &Value, expected: &Value) {
    let to: Vec<u64> = HicannOnDnc::all().map(|h| h.link().index() as u64).collect();
    let from: Vec<u64> = HighspeedLinkOnDnc::all().map(|l| l.hicann().index() as u64).collect();
    let lut = numbers(&expected["lut"]);
    assert!(lut == to || lut == from);
}

pub(crate) fn redman_counts(_: &Value, expected: &Value) {
    assert_eq!(HicannOnWafer::SIZE, index(&expected["hicanns_per_wafer"]));
    assert_eq!(NeuronOnHicann::SIZE, index(&expected["neurons"]));
    assert_eq!(SynapseOnHicann::SIZE, index(&expected["synapses"]));
    assert_eq!(HighspeedLinkOnDnc::SIZE, index(&expected["hslinks_per_fpga"]));
}
