//! Each rule with a configuration that breaks it and one that just does not.

use hal::check::{ConfigFault, SwitchLimits, check_hicann, check_wafer};
use hal::config::{AnalogSource, HicannConfig, MergerMode, RepeaterMode, WaferConfig};
use hal::coord::*;

use crate::stream::CHIP;

fn faults(config: &HicannConfig) -> Vec<String> {
    let faults = check_hicann(CHIP, config, &SwitchLimits::default());
    faults.iter().map(ToString::to_string).collect()
}

fn wafer_faults(config: &WaferConfig) -> Vec<ConfigFault> {
    check_wafer(config, &SwitchLimits::default())
}

fn circuit(column: u8, vertical: Vertical) -> NeuronOnHicann {
    NeuronOnHicann::at(column, vertical)
}

#[test]
fn the_default_chip_is_in_order() {
    assert!(faults(&HicannConfig::default()).is_empty());
    assert!(wafer_faults(&WaferConfig::default()).is_empty());
}

#[test]
fn switches_per_line() {
    let mut config = HicannConfig::default();
    let hline = HLineOnHicann::new::<48>();
    let vlines: Vec<_> = hline.crossbar_vlines().collect();
    let close = |config: &mut HicannConfig, h, v| {
        config.crossbar.set(CrossbarSwitchOnHicann::between(h, v).unwrap(), true);
    };
    close(&mut config, hline, vlines[0]);
    assert!(faults(&config).is_empty());
    close(&mut config, hline, vlines[5]);
    close(&mut config, HLineOnHicann::new::<49>(), vlines[5]);
    assert_eq!(
        faults(&config),
        [
            "H93.hl48: 2 crossbar switches are closed, at most 1 may be",
            "H93.vl184: 2 crossbar switches are closed, at most 1 may be",
        ]
    );
    let limits =
        SwitchLimits { crossbar_per_hline: 2, crossbar_per_vline: 2, ..Default::default() };
    assert!(check_hicann(CHIP, &config, &limits).is_empty());
}

#[test]
fn synapse_switches_per_row_and_line() {
    let mut config = HicannConfig::default();
    let y = SynapseDriverOnHicann::new::<99>();
    let left = SynapseSwitchRowOnHicann::at(Side::Left, y);
    let right = SynapseSwitchRowOnHicann::at(Side::Right, y);
    let close = |config: &mut HicannConfig, row: SynapseSwitchRowOnHicann, i: usize| {
        let vline = row.vlines().nth(i).unwrap();
        let switch = SynapseSwitchOnHicann::between(vline, row.y()).unwrap();
        config.synapse_switches.set(switch, true);
        vline
    };
    close(&mut config, left, 0);
    let vline = close(&mut config, right, 3);
    assert!(faults(&config).is_empty(), "one on each side is allowed");
    close(&mut config, left, 1);
    let elsewhere = vline.synapse_switches().last().unwrap();
    config.synapse_switches.set(elsewhere, true);
    let per_row = format!("H93.{left}: 2 synapse switches are closed, at most 1 may be");
    let per_line = format!("H93.{vline}: 2 synapse switches are closed, at most 1 may be");
    assert_eq!(faults(&config), [per_row, per_line]);
}

#[test]
fn facing_rows() {
    let east = CHIP.east().unwrap();
    for y in [SynapseDriverOnHicann::new::<10>(), SynapseDriverOnHicann::new::<11>()] {
        let mut config = WaferConfig::default();
        let close = |config: &mut WaferConfig, hicann, side| {
            let row = SynapseSwitchRowOnHicann::at(side, y);
            let switch = SynapseSwitchOnHicann::between(row.vlines().next().unwrap(), y).unwrap();
            config.hicann_mut(hicann).synapse_switches.set(switch, true);
            row.on(hicann)
        };
        let right = close(&mut config, CHIP, Side::Right);
        close(&mut config, east, Side::Right);
        assert!(wafer_faults(&config).is_empty());
        let left = close(&mut config, east, Side::Left);
        let fault = ConfigFault::FacingRows { west: right, east: left };
        assert_eq!(wafer_faults(&config), [fault]);
    }
}

#[test]
fn fire_inputs_of_facing_circuits() {
    let mut config = HicannConfig::default();
    config.neurons.circuits[circuit(7, Vertical::Top)].enable_fire_input = true;
    config.neurons.circuits[circuit(9, Vertical::Top)].enable_fire_input = true;
    assert!(faults(&config).is_empty());
    config.neurons.circuits[circuit(8, Vertical::Top)].enable_fire_input = true;
    let text = "H93: 2 circuits between quad3 and quad4 take a fire input, at most 1 may";
    assert_eq!(faults(&config), [text]);
}

#[test]
fn one_comparator_per_membrane() {
    let mut config = HicannConfig::default();
    let neurons = &mut config.neurons;
    let (left, right) = (circuit(6, Vertical::Top), circuit(8, Vertical::Bottom));
    neurons.circuits[left].activate_firing = true;
    neurons.circuits[right].activate_firing = true;
    neurons.quads[left.quad()].horizontal[0] = true;
    neurons.circuits[circuit(7, Vertical::Top)].enable_fire_input = true;
    assert!(faults(&config).is_empty());
    config.neurons.quads[right.quad()].vertical[0] = true;
    let text = "H93.nrn6 and H93.nrn264 share a membrane and both fire; switch one of them off";
    assert_eq!(faults(&config), [text]);
}

#[test]
fn outputs_need_a_comparator() {
    let mut config = HicannConfig::default();
    let place = circuit(200, Vertical::Bottom);
    config.neurons.circuits[place].enable_spl1_output = true;
    let text = "H93.nrn456 has its output enabled but does not fire; set activate_firing";
    assert_eq!(faults(&config), [text]);
    config.neurons.circuits[place].activate_firing = true;
    assert!(faults(&config).is_empty());
}

#[test]
fn analog_lines_and_codes() {
    let mut config = HicannConfig::default();
    config.neurons.circuits[circuit(0, Vertical::Top)].enable_aout = true;
    config.neurons.circuits[circuit(1, Vertical::Top)].enable_aout = true;
    config.neurons.circuits[circuit(0, Vertical::Bottom)].enable_aout = true;
    assert!(faults(&config).is_empty());
    config.neurons.circuits[circuit(40, Vertical::Top)].enable_aout = true;
    let text = "H93.nrn0 and H93.nrn40 share an analog line; connect one of them";
    assert_eq!(faults(&config), [text]);

    let mut config = HicannConfig::default();
    config.neurons.circuits[circuit(2, Vertical::Top)].enable_current_input = true;
    config.neurons.circuits[circuit(3, Vertical::Top)].enable_current_input = true;
    config.analog.source.values_mut()[1] = Some(AnalogSource::FireLine);
    let found = faults(&config);
    assert!(found[0].starts_with("H93: quad1, Top row: this combination"), "{found:?}");
    assert_eq!(
        found[1..],
        ["H93: the second analog output cannot show the fire line; use the first one"]
    );
}

#[test]
fn analog_outputs_belong_to_the_reticle() {
    let mut config = WaferConfig::default();
    let chips: Vec<_> = CHIP.dnc().hicanns().collect();
    let drive = |config: &mut WaferConfig, hicann, output: usize| {
        config.hicann_mut(hicann).analog.source.values_mut()[output] = Some(AnalogSource::Preout);
    };
    drive(&mut config, chips[0], 0);
    drive(&mut config, chips[1], 1);
    let beyond = HicannOnWafer::all().find(|h| h.dnc() != CHIP.dnc()).unwrap();
    drive(&mut config, beyond, 0);
    assert!(wafer_faults(&config).is_empty());
    drive(&mut config, chips[4], 0);
    let [ConfigFault::SharedAnalogOutput { dnc, output, first, second }] =
        wafer_faults(&config)[..]
    else {
        panic!("one fault")
    };
    assert_eq!((dnc, output.index()), (CHIP.dnc(), 0));
    assert_eq!((first, second), (chips[0], chips[4]));
}

#[test]
fn one_transmitter_per_line() {
    let east = CHIP.east().unwrap();
    let mut config = WaferConfig::default();
    // line 12 of the chip is driven from the west ...
    let line = HLineOnHicann::new::<12>();
    config.hicann_mut(CHIP).repeaters.horizontal[line.repeater()].mode =
        RepeaterMode::Forwarding(Side::Right);
    // ... and goes on to the east
    let next = config.hicann_mut(east).repeaters.horizontal[line.east().repeater()];
    config.hicann_mut(east).repeaters.horizontal[line.east().repeater()].mode =
        RepeaterMode::Forwarding(Side::Right);
    assert!(wafer_faults(&config).is_empty());
    // the sending repeater of the eastern chip at that border sends back
    config.hicann_mut(east).repeaters.horizontal[line.east().repeater()].mode =
        RepeaterMode::OutputBoth;
    let [fault] = &wafer_faults(&config)[..] else { panic!("one fault") };
    let text = format!("H93.hl12 is driven by H93.hr12 and {east}.hr14; let one of them idle");
    assert_eq!(fault.to_string(), text);
    config.hicann_mut(east).repeaters.horizontal[line.east().repeater()] = next;
    assert!(wafer_faults(&config).is_empty());
    // a vertical line with a transmitter of its own is joined to it
    let vline = line.crossbar_vlines().next().unwrap();
    let from_north = vline.repeater().vertical() == Vertical::Top;
    assert!(from_north, "the repeater of line {vline} sits on top");
    let chip = config.hicann_mut(CHIP);
    chip.repeaters.vertical[vline.repeater()].mode = RepeaterMode::Forwarding(Vertical::Bottom);
    assert!(wafer_faults(&config).is_empty());
    let switch = CrossbarSwitchOnHicann::between(line, vline).unwrap();
    config.hicann_mut(CHIP).crossbar.set(switch, true);
    assert!(matches!(wafer_faults(&config)[..], [ConfigFault::DrivenTwice { .. }]));
}

#[test]
fn sending_repeaters_need_paced_mergers() {
    let mut config = HicannConfig::default();
    let sending = SendingRepeaterOnHicann::new::<2>();
    let merger = sending.dnc_merger();
    config.repeaters.horizontal[sending.repeater()].mode = RepeaterMode::Output(Side::Right);
    assert!(faults(&config).is_empty(), "mergers are slow by default");
    let text = "H93.dnc5 feeds a sending repeater too fast; set it to merge mode and slow";
    config.mergers.dnc[merger].slow = false;
    assert_eq!(faults(&config), [text]);
    config.mergers.dnc[merger].mode = MergerMode::LeftOnly;
    assert!(faults(&config).is_empty(), "events of the FPGA are far enough apart");
    config.mergers.dnc[merger].slow = true;
    config.mergers.dnc[merger].mode = MergerMode::RightOnly;
    assert_eq!(faults(&config), [text], "slow acts in merge mode only");
}

#[test]
fn loopback_in_both_directions() {
    let mut config = HicannConfig::default();
    config.mergers.dnc[DncMergerOnHicann::new::<4>()].loopback = true;
    assert!(faults(&config).is_empty());
    config.mergers.dnc[DncMergerOnHicann::new::<5>()].loopback = true;
    let text = "H93: dnc4 and dnc5 are looped back to each other; switch one of both off";
    assert_eq!(faults(&config), [text]);
}

#[test]
fn random_generators_need_a_seed_and_have_no_address() {
    let mut config = HicannConfig::default();
    let generator = &mut config.mergers.background[BackgroundGeneratorOnHicann::new::<3>()];
    generator.enable = true;
    generator.address = L1Address::new::<9>();
    assert_eq!(faults(&config), [""; 0], "a regular one");
    config.mergers.background.values_mut()[3].random = true;
    assert_eq!(
        faults(&config),
        [
            "H93.bg3 is random with seed 0, which never fires; give it another seed",
            "H93.bg3 is random and sends address 0 instead of its own; set that to 0",
        ]
    );
    let generator = &mut config.mergers.background[BackgroundGeneratorOnHicann::new::<3>()];
    (generator.seed, generator.address) = (1, L1Address::BACKGROUND);
    assert_eq!(faults(&config), [""; 0]);
}
