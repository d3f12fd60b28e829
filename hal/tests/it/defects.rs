//! Defects: sets, propagation, text form and generators.

use hal::coord::*;
use hal::defects::{
    Component, ComponentKind, ComponentOnHicann, DefectSet, Defects, DefectsError, HicannDefects,
    ParseDefectsError, Rates,
};
use hal::l1::L1Line;
use proptest::prelude::*;
use serde_json::Value;

type Chips = DefectSet<HicannOnWafer>;

fn chips(indices: &Value) -> Chips {
    let chip = |v: &Value| HicannOnWafer::from_index(v.as_u64().unwrap() as usize).unwrap();
    indices.as_array().unwrap().iter().map(chip).collect()
}

pub(crate) fn redman_semantics(input: &Value, expected: &Value) {
    let mut set: Chips =
        if input["start"] == "enable_all" { DefectSet::none() } else { DefectSet::all() };
    let mut error = false;
    for op in input["ops"].as_array().unwrap() {
        let chip = HicannOnWafer::from_index(op[1].as_u64().unwrap() as usize).unwrap();
        match op[0].as_str().unwrap() {
            "disable" => error |= set.disable(chip).is_err(),
            "enable" => error |= set.enable(chip).is_err(),
            "enable_nonthrow" => assert!(!set.remove(chip), "was enabled"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(error, expected["error"].as_bool().unwrap_or(false));
    if expected["available"] == "N-3" {
        assert_eq!(set.usable().count(), HicannOnWafer::SIZE - 3);
    }
    for (index, has) in expected["has"].as_object().into_iter().flatten() {
        let chip: HicannOnWafer = format!("H{index}").parse().unwrap();
        assert_eq!(!set.contains(chip), has.as_bool().unwrap());
    }
}

pub(crate) fn redman_set_ops(input: &Value, expected: &Value) {
    let (a, b) = (chips(&input["a_disabled"]), chips(&input["b_disabled"]));
    let result = match input["op"].as_str().unwrap() {
        "merge" => a.merge(&b),
        "intersection" => a.intersection(&b),
        "difference" => a.difference(&b),
        "symmetric_difference" => a.symmetric_difference(&b),
        other => panic!("{other}"),
    };
    if expected["disabled"].is_array() {
        assert_eq!(result, chips(&expected["disabled"]));
    }
    if expected["enabled"].is_array() {
        assert_eq!(result, DefectSet::all_but(chips(&expected["enabled"]).iter()));
    }
}

#[test]
fn a_conflict_names_the_component() {
    let mut set = DefectSet::none();
    let driver = SynapseDriverOnHicann::new::<99>();
    assert_eq!(set.enable(driver).unwrap_err().to_string(), "drv99 is enabled already");
    set.disable(driver).unwrap();
    assert_eq!(set.disable(driver).unwrap_err().to_string(), "drv99 is disabled already");
}

fn arb_set() -> impl Strategy<Value = DefectSet<FgColumnOnBlock>> {
    // 129 columns: a set that does not fill its last word
    prop::collection::vec(0..129_usize, 0..129).prop_map(|columns| {
        columns.into_iter().map(|c| FgColumnOnBlock::try_from(c).unwrap()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// hal-config §9, invariant 10, for the sets.
    #[test]
    fn hal_invariant_10_sets(a in arb_set(), b in arb_set()) {
        let usable = |set: &DefectSet<FgColumnOnBlock>, c| !set.contains(c);
        let (defective, whole): (Vec<_>, Vec<_>) = FgColumnOnBlock::all().partition(|&c| a.contains(c));
        prop_assert_eq!(&defective, &a.iter().collect::<Vec<_>>());
        prop_assert_eq!(&whole, &a.usable().collect::<Vec<_>>());
        prop_assert_eq!(a.len(), defective.len());
        prop_assert_eq!(&a, &DefectSet::all_but(whole));
        for c in FgColumnOnBlock::all() {
            let (x, y) = (usable(&a, c), usable(&b, c));
            prop_assert_eq!(usable(&a.merge(&b), c), x || y);
            prop_assert_eq!(usable(&a.intersection(&b), c), x && y);
            prop_assert_eq!(usable(&a.difference(&b), c), x && !y);
            prop_assert_eq!(usable(&a.symmetric_difference(&b), c), x != y);
        }
        prop_assert_eq!(a.merge(&b), b.merge(&a));
        prop_assert_eq!(a.symmetric_difference(&b), a.difference(&b).merge(&b.difference(&a)));
        prop_assert_eq!(a.difference(&a), DefectSet::all());
        let json = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(serde_json::from_str::<DefectSet<FgColumnOnBlock>>(&json).unwrap(), a);
    }
}

#[test]
fn a_set_from_a_file_stays_in_range() {
    let error = serde_json::from_str::<DefectSet<AnalogOnHicann>>("[0, 2]").unwrap_err();
    assert!(error.to_string().contains("component 2 does not exist; valid are 0..=1"), "{error}");
}

/// A component anywhere on two neighbouring chips of different reticles, or one of these chips or
/// reticles.
fn arb_component() -> impl Strategy<Value = Component> {
    let hicann =
        prop_oneof![Just(93_usize), Just(96)].prop_map(|h| HicannOnWafer::try_from(h).unwrap());
    (hicann, 0..ComponentKind::ALL.len(), any::<prop::sample::Index>()).prop_map(
        |(hicann, kind, index)| match ComponentKind::ALL[kind] {
            ComponentKind::Reticle => hicann.dnc().into(),
            ComponentKind::Hicann => hicann.into(),
            ComponentKind::HighspeedLink => Component::HighspeedLink(hicann),
            kind => {
                let index = index.index(kind.per_wafer() / HicannOnWafer::SIZE);
                let component = ComponentOnHicann::from_index(kind, index).unwrap();
                Component::OnHicann(hicann, component)
            }
        },
    )
}

fn arb_defects() -> impl Strategy<Value = Defects> {
    let wafer = prop::option::of(any::<u32>().prop_map(WaferNumber));
    let examined = prop::collection::vec(0..384_usize, 0..4);
    (
        wafer,
        "([a-z #.:]*[a-z]\n)?[a-z ]*[a-z]",
        examined,
        prop::collection::vec(arb_component(), 0..40),
    )
        .prop_map(|(wafer, comment, examined, components)| {
            let mut defects = Defects::default();
            (defects.wafer, defects.comment) = (wafer, comment);
            for chip in examined {
                defects.record_mut(HicannOnWafer::try_from(chip).unwrap());
            }
            for component in components {
                defects.insert(component);
            }
            defects
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn names_round_trip(component in arb_component()) {
        prop_assert_eq!(component.to_string().parse::<Component>().unwrap(), component);
    }

    #[test]
    fn text_round_trips(defects in arb_defects()) {
        let text = defects.to_text();
        let again: Defects = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
        prop_assert_eq!(&again, &defects);
        prop_assert_eq!(again.to_text(), text);
    }

    #[test]
    fn a_text_that_is_cut_off_is_refused(defects in arb_defects(), at in any::<prop::sample::Index>()) {
        let text = defects.to_text();
        // without its last line break a text is still complete
        let cut = &text[..at.index(text.len() - 1)];
        prop_assert!(cut.parse::<Defects>().is_err(), "{}", cut);
    }

    /// Adding a defect makes nothing usable, and what is marked is not usable.
    #[test]
    fn defects_only_take_away(defects in arb_defects(), one in arb_component(), other in arb_component()) {
        let mut more = defects.clone();
        prop_assert_eq!(more.insert(one), !defects.is_defective(one));
        prop_assert!(!more.insert(one) && more.is_defective(one) && !more.is_usable(one));
        prop_assert!(defects.is_usable(other) || !more.is_usable(other));
        prop_assert!(more.remove(one) && !more.remove(one));
    }

    #[test]
    fn sets_of_a_wafer(a in arb_defects(), b in arb_defects()) {
        let (merged, intersected) = (a.merge(&b), a.intersection(&b));
        for component in a.iter().chain(b.iter()) {
            let (x, y) = (a.is_defective(component), b.is_defective(component));
            prop_assert_eq!(merged.is_defective(component), x && y);
            prop_assert!(intersected.is_defective(component));
        }
        let both = a.iter().filter(|&c| b.is_defective(c)).count();
        prop_assert_eq!(merged.iter().count(), both);
        prop_assert_eq!(intersected.iter().count(), a.iter().count() + b.iter().count() - both);
        // whoever has information about a chip, the result has it
        for chip in HicannOnWafer::all() {
            let known = a.record(chip).is_some() || b.record(chip).is_some();
            prop_assert_eq!(merged.record(chip).is_some(), known);
            prop_assert_eq!(intersected.record(chip).is_some(), known);
        }
        prop_assert_eq!(a.intersection(&a), a.clone());
        prop_assert_eq!(a.merge(&a), a);
    }

    /// The bulk answer and the single one agree.
    #[test]
    fn propagated_marks_all_that_is_unusable(defects in arb_defects(), probes in prop::collection::vec(arb_component(), 200)) {
        let all = defects.propagated();
        for component in probes {
            prop_assert_eq!(all.is_defective(component), !defects.is_usable(component), "{}", component);
            prop_assert_eq!(all.is_usable(component), defects.is_usable(component), "{}", component);
        }
    }
}

/// hal-config §9, invariant 10, for the records of chips.
#[test]
fn hal_invariant_10_reset_forgets() {
    let chip = HicannOnWafer::new::<3>();
    let mut defects = Defects::default();
    assert!(defects.record(chip).is_none());
    assert!(defects.insert(VLineOnHicann::new::<9>().on(chip)));
    assert!(defects.record(chip).is_some());
    assert!(defects.reset(chip).is_some());
    assert!(defects.record(chip).is_none() && defects == Defects::default());
}

/// Marks one component and returns which of the others cannot be used any more.
fn lost(component: impl Into<Component>, others: &[&str]) -> Vec<bool> {
    let mut defects = Defects::default();
    defects.insert(component);
    others.iter().map(|name| !defects.is_usable(name.parse::<Component>().unwrap())).collect()
}

fn component(name: &str) -> Component {
    name.parse().unwrap()
}

#[test]
fn a_missing_reticle_takes_its_chips_and_all_on_them() {
    let others = ["D8", "H93", "D8.hs3", "H93.hl0", "H93.gbit1", "H96", "H96.hl0"];
    assert_eq!(lost(component("D8"), &others), [true, true, true, true, true, false, false]);
    let others = ["D8", "H93", "D8.hs3", "H93.drv9", "H92.drv9"];
    assert_eq!(lost(component("H93"), &others), [false, true, true, true, false]);
}

#[test]
fn a_lost_link_takes_the_events_only() {
    let others = ["H93", "H93.gbit0", "H93.gbit7", "H93.dnc0", "H92.gbit0"];
    assert_eq!(lost(component("D8.hs3"), &others), [false, true, true, false, false]);
}

#[test]
fn synapses_need_row_driver_array_gates_and_circuit() {
    // the top left circuit and the driver 1 of the top left quadrant
    let synapse = "H0.syn512";
    for needed in ["H0.row2", "H0.drv1", "H0.arr0", "H0.fgb0", "H0.nrn0", synapse] {
        assert_eq!(lost(component(needed), &[synapse]), [true], "{needed}");
    }
    for other in ["H0.row3", "H0.drv0", "H0.arr1", "H0.fgb1", "H0.nrn256", "H0.si0", "H1.row2"] {
        assert_eq!(lost(component(other), &[synapse]), [false], "{other}");
    }
    // one dead row leaves the other row of its driver
    assert_eq!(lost(component("H0.row2"), &["H0.drv1", "H0.row3"]), [false, false]);
}

#[test]
fn circuits_need_both_blocks_of_their_parameters() {
    // circuit 1: own cells in block 0, V_reset of odd columns in block 1
    let others = ["H0.nrn1", "H0.si2", "H0.si3", "H0.nrn0", "H0.nrn128"];
    assert_eq!(lost(component("H0.fgb0"), &others), [true, true, true, true, true]);
    assert_eq!(lost(component("H0.fgb1"), &others), [true, true, true, false, true]);
    assert_eq!(lost(component("H0.nrn1"), &others), [true, true, true, false, false]);
}

#[test]
fn switches_and_repeaters_need_their_lines() {
    let switch =
        CrossbarSwitchOnHicann::between(HLineOnHicann::new::<48>(), VLineOnHicann::new::<39>());
    let switch = format!("H94.{}", switch.unwrap());
    let others = [switch.as_str(), "H94.hr48", "H94.vl39"];
    assert_eq!(lost(component("H94.hl48"), &others), [true, true, false]);
    assert_eq!(lost(component(&switch), &["H94.hl48", "H94.vl39"]), [false, false]);
    let height = SynapseDriverOnHicann::new::<99>();
    let switch = SynapseSwitchOnHicann::between(VLineOnHicann::new::<39>(), height).unwrap();
    for needed in ["H94.vl39".to_owned(), format!("H94.{}", switch.row())] {
        assert_eq!(lost(component(&needed), &[&format!("H94.{switch}")]), [true], "{needed}");
    }
    // the driver may be on another chip: the switches stay
    assert_eq!(lost(component("H94.drv99"), &[&format!("H94.{switch}")]), [false]);
}

#[test]
fn a_border_is_closed_by_each_of_its_parts() {
    let line = L1Line::H(HLineOnHicann::new::<12>()).on(HicannOnWafer::new::<200>());
    let hop = line.hop(Direction::East).unwrap();
    assert!(Defects::default().allows(hop));
    for name in ["H201.hl14", "H201.hr14", "H201", "D26"] {
        let mut defects = Defects::default();
        defects.insert(component(name));
        let stays = name == "D26" && hop.to.hicann.dnc() != DncOnWafer::new::<26>();
        assert_eq!(defects.allows(hop), stays, "{name}");
    }
}

#[test]
fn what_a_file_looks_like() {
    let mut defects = Defects::default();
    defects.wafer = Some(WaferNumber(30));
    defects.comment = "measured on a Monday\n\nsecond look at H93".into();
    for name in ["D12", "D8.hs3", "H7", "H93.drv110", "H93.drv111", "H93.drv112", "H93.drv114"] {
        defects.insert(component(name));
    }
    defects.record_mut(HicannOnWafer::new::<94>());
    let text = "bss1-defects 1\n# measured on a Monday\n#\n# second look at H93\nwafer W30\n\
                examined H93-94\nD12\nH7\nD8.hs3\nH93.drv110-112\nH93.drv114\nend\n";
    assert_eq!(defects.to_text(), text);
    let by_hand = "bss1-defects   1\n# measured on a Monday\n#\n# second look at H93\n\n  \
                   H93.drv110 H93.drv111-112 # three\nH93.drv114\n# more\nexamined H93 H94\n\
                   D8.hs3 H7\r\nwafer W30\nD12\nD12\nend\n\n# remark\n";
    assert_eq!(by_hand.parse::<Defects>().unwrap(), defects);
}

#[test]
fn a_file_that_is_wrong_is_refused_by_line_and_culprit() {
    let refused =
        |body: &str| format!("bss1-defects 1\n{body}").parse::<Defects>().unwrap_err().to_string();
    for (body, wanted) in [
        (
            "D12\nH93.drv224\nend",
            "line 3: SynapseDriverOnHicann 224 does not exist; valid are 0..=223",
        ),
        (
            "H93.drv220-224\nend",
            "line 2: SynapseDriverOnHicann 224 does not exist; valid are 0..=223",
        ),
        ("H93.drive3\nend", "line 2: `drive3` is not a component of a chip; write it like `drv99`"),
        ("H384.drv3\nend", "line 2: HicannOnWafer 384 does not exist; valid are 0..=383"),
        ("D8.drv3\nend", "line 2: `drv3` is not a HighspeedLinkOnDnc; write it like `hs0`"),
        (
            "H93.drv5-3\nend",
            "line 2: the run `H93.drv5-3` does not ascend; write it like `H93.drv110-113`",
        ),
        ("examined D3\nend", "line 2: `D3` is not a chip; write it like `H93`"),
        ("wafer 30\nend", "line 2: `30` is not a WaferNumber; write it like `W30`"),
        ("wafer W30\nwafer W30\nend", "line 3: the wafer is named a second time"),
        ("D12\n", "cut off after line 2; the last line must be `end`"),
        ("end\nD12", "line 3: `D12` stands behind `end`"),
    ] {
        assert_eq!(refused(body), wanted);
    }
    assert_eq!("".parse::<Defects>(), Err(ParseDefectsError::Foreign));
    assert_eq!(
        "bss1-defects 2\nend".parse::<Defects>(),
        Err(ParseDefectsError::WrongVersion("2".into()))
    );
}

#[test]
fn files_are_of_one_wafer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("defects.txt");
    let defects = Defects::manufactured(30);
    defects.write(&path).unwrap();
    assert_eq!(Defects::read_for(&path, WaferNumber(30)).unwrap(), defects);
    let error = Defects::read_for(&path, WaferNumber(31)).unwrap_err();
    assert!(error.to_string().ends_with("describes wafer W30, not wafer W31"), "{error}");
    std::fs::write(&path, "bss1-defects 1\nnonsense\nend\n").unwrap();
    let error = Defects::read(&path).unwrap_err();
    assert!(error.to_string().contains("defects.txt: line 2: `nonsense`"), "{error}");
    assert!(matches!(Defects::read(&folder.path().join("none")), Err(DefectsError::Io(_))));
}

#[test]
fn rates_are_probabilities() {
    for rate in [-0.1, 1.1, f64::NAN] {
        let error = Rates::NONE.with(ComponentKind::SynapseRow, rate).unwrap_err();
        assert!(error.to_string().contains("synapse_row"), "{error}");
    }
    assert!(Rates::NONE.with(ComponentKind::SynapseRow, 1.0).is_ok());
}

#[test]
fn random_defects_follow_rates_and_seed() {
    use ComponentKind::{Hicann, HighspeedLink, Neuron, Reticle, SynapseSwitchRow};
    assert_eq!(Defects::random(&Rates::NONE, 1).iter().count(), 0);
    let rates = [
        (Reticle, 0.1),
        (Hicann, 0.1),
        (HighspeedLink, 0.2),
        (Neuron, 0.5),
        (SynapseSwitchRow, 1.0),
    ]
    .into_iter()
    .fold(Rates::NONE, |rates, (kind, rate)| rates.with(kind, rate).unwrap());
    let defects = Defects::random(&rates, 7);
    assert_eq!(defects, Defects::random(&rates, 7));
    assert_ne!(defects, Defects::random(&rates, 8));
    for kind in [Reticle, Hicann, HighspeedLink, Neuron] {
        let usable_chips = defects.usable_hicanns().count() as f64;
        let of = match kind {
            Neuron => usable_chips * NeuronOnHicann::SIZE as f64,
            _ => kind.per_wafer() as f64,
        };
        let (wanted, found) = (of * rates.of(kind), defects.counts()[&kind] as f64);
        let sigma = (wanted * (1.0 - rates.of(kind))).sqrt();
        assert!((found - wanted).abs() < 4.0 * sigma, "{kind:?}: {found} of {of}");
    }
    for chip in HicannOnWafer::all() {
        // one chip can be drawn alone; missing ones have no record
        let alone = HicannDefects::random(&rates, 7, chip);
        assert_eq!(alone.synapse_switch_rows, DefectSet::all());
        assert_eq!(defects.record(chip), defects.is_usable(chip).then_some(&alone));
    }
    // other kinds do not depend on a rate, and a higher rate adds
    let more = Defects::random(&rates.clone().with(Neuron, 0.6).unwrap(), 7);
    assert!(defects.iter().all(|component| more.is_defective(component)));
    assert_eq!(
        more.iter().filter(|c| c.kind() != Neuron).count(),
        defects.iter().filter(|c| c.kind() != Neuron).count()
    );
}

#[test]
fn manufactured_wafers_have_the_stated_rates() {
    let mut missing = [0; 4];
    for wafer in 0..200 {
        let reticles = DncOnWafer::all().filter(|&dnc| {
            // without drawing the chips
            !Defects::manufactured_reticles(WaferNumber(wafer)).contains(dnc)
        });
        missing[48 - reticles.count()] += 1;
    }
    assert_eq!(missing[0], 0);
    assert!(missing[1..].iter().all(|&n| n > 40), "{missing:?}");

    for wafer in [0, 30, u32::MAX] {
        let defects = Defects::manufactured(wafer);
        assert_eq!(defects.wafer, Some(WaferNumber(wafer)));
        let counts = defects.counts();
        let reticles = counts[&ComponentKind::Reticle];
        assert!((1..=3).contains(&reticles));
        let chips = (48 - reticles) * 8;
        assert_eq!(defects.usable_hicanns().count(), chips);
        for kind in ComponentKind::ALL {
            let per_chip = (kind.per_wafer() / HicannOnWafer::SIZE) as f64;
            let (sure, rate) = match kind {
                ComponentKind::Reticle => continue,
                ComponentKind::SynapseDriver => (4.0, Rates::manufactured().of(kind)),
                _ => (0.0, Rates::manufactured().of(kind)),
            };
            let of = (per_chip - sure) * chips as f64;
            let wanted = sure * chips as f64 + of * rate;
            let sigma = (of * rate * (1.0 - rate)).sqrt();
            let found = counts[&kind] as f64;
            assert!(
                (found - wanted).abs() <= 4.0 * sigma,
                "wafer {wafer}, {kind:?}: {found} for {wanted}"
            );
        }
        for chip in defects.usable_hicanns() {
            for driver in [110, 111, 112, 113_usize] {
                let driver = SynapseDriverOnHicann::try_from(driver).unwrap();
                assert!(!defects.is_usable(driver.on(chip)));
            }
        }
        let chip = defects.usable_hicanns().last().unwrap();
        let alone = HicannDefects::manufactured(WaferNumber(wafer), chip);
        assert_eq!(defects.record(chip), Some(&alone));
    }
}

/// Results of others depend on wafer 30: it must stay what it is.
#[test]
fn wafer_30_stays_the_same() {
    let defects = Defects::manufactured(30);
    let text = defects.to_text();
    assert_eq!(text.parse::<Defects>().unwrap(), defects);
    let missing: Vec<_> =
        defects.iter().take_while(|c| c.kind() == ComponentKind::Reticle).collect();
    assert_eq!(format!("{missing:?}"), "[D39]");
    assert_eq!((text.len(), crc32fast::hash(text.as_bytes())), (3_065_108, 3_469_497_791));
}
