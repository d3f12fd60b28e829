//! Defects under what a mapping uses: each alone breaks its rules and no others.

use std::collections::BTreeSet;

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, HLineOnHicann, HicannOnWafer, NeuronOnHicann,
    SynapseSwitchOnHicann, SynapticInputOnHicann, SynapticInputOnNeuron, VLineOnHicann,
};
use hal::defects::{Component, ComponentKind, ComponentOnHicann, Defects};
use marocco::map;
use marocco::verify::{Rule, Rules, verify};

use super::hand_made::{HandMade, INPUT_BUS, NEURON_BUS, driver, synapse};
use crate::networks::{balanced, options};
use crate::wafers::defective;

/// Verifies the mapping by hand on a wafer with these defects only.
fn broken_on(defects: &[Component]) -> (BTreeSet<Rule>, Vec<String>) {
    let mut made = HandMade::new();
    for &component in defects {
        assert!(made.rules.defects.insert(component));
    }
    let violations = made.verify().violations;
    let rules = violations.iter().map(|v| v.rule).collect();
    (rules, violations.iter().map(ToString::to_string).collect())
}

/// Demands that a defect breaks exactly these rules.
fn breaks(defect: Component, rules: &[Rule]) {
    let (found, messages) = broken_on(&[defect]);
    assert_eq!(found, rules.iter().copied().collect(), "{defect}: {messages:#?}");
}

fn at(hicann: HicannOnWafer, part: impl Into<ComponentOnHicann>) -> Component {
    Component::OnHicann(hicann, part.into())
}

fn named(name: &str) -> Component {
    name.parse().unwrap()
}

#[test]
fn v03_chips_and_circuits_of_neurons_work() {
    let (chip, reticle) = (NEURON_BUS.hicann, NEURON_BUS.hicann.dnc());
    breaks(Component::Hicann(chip), &[Rule::V03, Rule::V19]);
    breaks(Component::Reticle(reticle), &[Rule::V03, Rule::V19]);
    // the last circuit of the second neuron, and one that synapses act on
    breaks(named("H93.nrn259"), &[Rule::V03]);
    breaks(named("H93.nrn2"), &[Rule::V03, Rule::V27]);
}

#[test]
fn v03_v06_excluded_chips_hold_neither_neurons_nor_inputs() {
    for (hicann, rule) in [(NEURON_BUS.hicann, Rule::V03), (INPUT_BUS.hicann, Rule::V06)] {
        let mut made = HandMade::new();
        made.rules.excluded = vec![hicann];
        let found = made.verify();
        assert!(!found.is_ok() && found.violations.iter().all(|v| v.rule == rule), "{found:#?}");
    }
}

#[test]
fn v06_v08_v09_mergers_generators_and_links_of_inputs_work() {
    for merger in ["H93.mrg0", "H93.dnc0", "H94.mrg7", "H94.dnc7"] {
        breaks(named(merger), &[Rule::V06]);
    }
    for generator in ["H93.bg0", "H94.bg7"] {
        breaks(named(generator), &[Rule::V08]);
    }
    breaks(named("H94.gbit7"), &[Rule::V09]);
    breaks(Component::HighspeedLink(INPUT_BUS.hicann), &[Rule::V09]);
}

#[test]
fn v19_lines_repeaters_and_crossbar_switches_work() {
    breaks(Component::Hicann(INPUT_BUS.hicann), &[Rule::V19]);
    // hl0 of H94 is only passed through
    for part in ["H93.hl62", "H93.hl4", "H94.hl0", "H93.hr62", "H94.hr6", "H94.hr0"] {
        breaks(named(part), &[Rule::V19]);
    }
    let (h, v) = (HLineOnHicann::new::<62>(), VLineOnHicann::new::<0>());
    let switch = CrossbarSwitchOnHicann::between(h, v).unwrap();
    breaks(at(NEURON_BUS.hicann, switch), &[Rule::V19]);
    // the synapse switch needs its line
    breaks(named("H93.vl29"), &[Rule::V19, Rule::V21]);
}

#[test]
fn v21_synapse_switches_and_their_rows_work() {
    let switch = SynapseSwitchOnHicann::between(VLineOnHicann::new::<0>(), driver(17)).unwrap();
    breaks(at(NEURON_BUS.hicann, switch), &[Rule::V21]);
    breaks(at(NEURON_BUS.hicann, switch.row()), &[Rule::V21]);
}

#[test]
fn v22_drivers_and_their_rows_work() {
    // 15 listens without a synapse, 17 has one in row 34
    breaks(named("H93.drv15"), &[Rule::V22]);
    breaks(named("H93.row35"), &[Rule::V22]);
    breaks(named("H93.drv17"), &[Rule::V22, Rule::V27]);
    breaks(named("H93.row34"), &[Rule::V22, Rule::V27]);
    // both synapses lie in the top array
    breaks(named("H93.arr0"), &[Rule::V22, Rule::V27]);
}

#[test]
fn v27_synapses_and_the_inputs_they_act_on_work() {
    let chip = NEURON_BUS.hicann;
    breaks(at(chip, synapse(34, 2)), &[Rule::V27]);
    breaks(at(chip, synapse(62, 1)), &[Rule::V27]);
    let [excitatory, inhibitory] = [0_usize, 1].map(|input| {
        let input = SynapticInputOnNeuron::try_from(input).unwrap();
        at(chip, SynapticInputOnHicann::of(NeuronOnHicann::new::<2>(), input))
    });
    breaks(excitatory, &[Rule::V27]);
    // no synapse of this circuit inhibits
    assert_eq!(broken_on(&[inhibitory]), (BTreeSet::new(), Vec::new()));
}

#[test]
fn violations_name_what_is_defective() {
    for defect in ["H93", "H93.nrn0", "H93.mrg0", "H93.bg0", "H93.hr62", "H93.drv17", "H94.hl0"] {
        let (_, messages) = broken_on(&[named(defect)]);
        let named = |m: &String| m.contains(defect) && m.ends_with("defective");
        assert!(messages.iter().any(named), "{defect}: {messages:#?}");
    }
}

#[test]
fn defects_beside_the_mapping_break_nothing() {
    let used = ["H93", "H94"];
    let unused: Vec<Component> = HicannOnWafer::all()
        .map(Component::Hicann)
        .filter(|chip| !used.contains(&chip.to_string().as_str()))
        .chain(["H93.nrn4", "H93.drv19", "H93.row40", "H93.hl61", "H93.vl1"].map(named))
        .chain(["H93.hr0", "H93.vr0", "H93.mrg1", "H93.dnc1", "H93.bg1", "H94.mrg0"].map(named))
        .chain([at(NEURON_BUS.hicann, synapse(34, 0)), at(NEURON_BUS.hicann, synapse(35, 2))])
        // the link of H93 only records
        .chain([Component::HighspeedLink(NEURON_BUS.hicann), named("H93.gbit1")])
        .collect();
    assert_eq!(broken_on(&unused), (BTreeSet::new(), Vec::new()));
}

/// A mapping around the defects of one wafer keeps every rule there, and on no other wafer.
#[test]
fn a_mapping_fits_the_wafer_it_was_made_for() {
    let network = balanced(300, [60, 15, 30], 13.3, 4);
    let options = options(Some(8));
    let [here, elsewhere] = [1, 2].map(|seed| defective(0.01, 2, seed));
    let calibration = WaferCalibration::ideal();
    let mapped = map(&network, &options, &here, &calibration, &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let check = |rules: &Rules| verify(&network, &mapped.mapping, &words, rules).unwrap();
    let found = check(&options.rules(&here));
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);

    let found = check(&options.rules(&elsewhere));
    for rule in [Rule::V03, Rule::V19, Rule::V22, Rule::V27] {
        assert!(found.breaks(rule), "{rule}");
    }
    // nothing but defects is wrong
    let of_defects =
        [Rule::V03, Rule::V06, Rule::V08, Rule::V09, Rule::V19, Rule::V21, Rule::V22, Rule::V27];
    assert!(found.violations.iter().all(|v| of_defects.contains(&v.rule)), "{found:#?}");

    // kind by kind
    for (kind, rule) in [
        (ComponentKind::Neuron, Rule::V03),
        (ComponentKind::SynapseDriver, Rule::V22),
        (ComponentKind::Synapse, Rule::V27),
        (ComponentKind::VLine, Rule::V19),
    ] {
        let mut some = Defects::default();
        elsewhere.iter().filter(|c| c.kind() == kind).for_each(|c| {
            some.insert(c);
        });
        assert!(check(&options.rules(&some)).breaks(rule), "{rule}");
    }
}
