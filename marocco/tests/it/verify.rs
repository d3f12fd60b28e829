//! The verifier: one small mapping by hand that keeps every rule, and for each rule the smallest
//! changes that break it.

mod bits;
mod claim;
mod defects;
mod hand_made;

use calib::{CellParameters, EifCondExpIsfaIsta, WaferCalibration};
use hal::codec::encode_wafer;
use hal::defects::Defects;
use marocco::network::{Network, PerMember, Population, PopulationKind};
use marocco::verify::{Rule, Rules, verify};
use marocco::{Mapping, map};

use crate::networks::{balanced, options};
use hand_made::HandMade;

#[test]
fn the_hand_made_mapping_keeps_every_rule() {
    let made = HandMade::new();
    let found = made.verify();
    assert!(found.is_ok(), "{:#?}", found.violations);
    assert_eq!(found.functional, 2);
}

#[test]
fn what_the_mapper_makes_keeps_every_rule() {
    for (network, size) in [
        (balanced(200, [40, 10, 20], 13.3, 1), Some(4)),
        (balanced(300, [60, 15, 30], 13.3, 2), Some(8)),
        (balanced(150, [30, 10, 60], 40.0, 3), None),
    ] {
        let options = options(size);
        let mapped =
            map(&network, &options, &Defects::default(), &WaferCalibration::ideal(), &mut |_| {})
                .unwrap();
        let words = encode_wafer(&mapped.config).unwrap();
        let rules = options.rules(&Defects::default());
        let found = verify(&network, &mapped.mapping, &words, &rules).unwrap();
        assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
        let realised = mapped.mapping.realised_weights_us.iter().flatten().filter(|&&w| w > 0.0);
        assert_eq!(found.functional, realised.count());
    }
}

#[test]
fn cells_with_adaptation_keep_every_rule() {
    let full = EifCondExpIsfaIsta { tau_m: 15.0, ..EifCondExpIsfaIsta::default() };
    let cells = [
        full,
        EifCondExpIsfaIsta { a: 0.0, ..full },
        EifCondExpIsfaIsta { a: 0.0, b: 0.0, ..full },
        EifCondExpIsfaIsta { delta_t: 0.0, ..full },
        EifCondExpIsfaIsta { a: 0.0, b: 0.0, delta_t: 0.0, ..full },
    ];
    let cells = cells.map(CellParameters::EifCondExpIsfaIsta).to_vec();
    let mut network = Network::default();
    let kind = PopulationKind::Neurons(PerMember::Each(cells));
    let population = Population { label: "adaptive".to_owned(), size: 5, kind };
    network.add_population(population).unwrap();
    let options = options(Some(4));
    let mut mapped =
        map(&network, &options, &Defects::default(), &WaferCalibration::ideal(), &mut |_| {})
            .unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let check = |mapping: &Mapping| verify(&network, mapping, &words, &Rules::default()).unwrap();
    let found = check(&mapped.mapping);
    assert!(found.is_ok(), "{:#?}", found.violations);
    // every parameter that a cell realises is held against the bits
    for (member, names) in [
        (0, &["a", "b", "tau_w", "delta_T", "v_thresh", "v_spike", "tau_m", "v_reset"][..]),
        (1, &["b", "tau_w", "e_rev_E"][..]),
        (3, &["a", "v_thresh"][..]),
        (4, &["v_thresh", "tau_syn_I"][..]),
    ] {
        for name in names {
            let kept = mapped.mapping.parameters.cells[member];
            let Some(CellParameters::EifCondExpIsfaIsta(cell)) =
                &mut mapped.mapping.parameters.cells[member]
            else {
                panic!("member {member} has no cell of its kind");
            };
            let value = match *name {
                "a" => &mut cell.a,
                "b" => &mut cell.b,
                "tau_w" => &mut cell.tau_w,
                "delta_T" => &mut cell.delta_t,
                "v_thresh" => &mut cell.v_thresh,
                "v_spike" => &mut cell.v_spike,
                "tau_m" => &mut cell.tau_m,
                "v_reset" => &mut cell.v_reset,
                "e_rev_E" => &mut cell.e_rev_e,
                _ => &mut cell.tau_syn_i,
            };
            *value = if *value == 0.0 { 1.0 } else { *value * 1.001 };
            assert!(check(&mapped.mapping).breaks(Rule::V05), "{name} of member {member}");
            mapped.mapping.parameters.cells[member] = kept;
        }
    }
}

#[test]
fn violations_name_their_place() {
    let mut made = HandMade::new();
    made.chip(93).repeaters.horizontal[hal::coord::HRepeaterOnHicann::new::<62>()].mode =
        hal::config::RepeaterMode::Idle;
    let found = made.verify();
    let shown: Vec<String> = found.violations.iter().map(ToString::to_string).collect();
    assert!(shown.contains(&"V14: H93.hl62 does not carry H93.dnc0".to_owned()), "{shown:#?}");
    assert!(
        shown.iter().any(|s| s.starts_with("V28: `rec`, synapse 0 at H93.row34.col2: events of")),
        "{shown:#?}"
    );
    assert!(found.breaks(Rule::V18));
}

/// Applies a change and demands that the verifier reports the rule.
fn breaks(rule: Rule, change: impl FnOnce(&mut HandMade)) {
    let mut made = HandMade::new();
    change(&mut made);
    let found = made.verify();
    assert!(found.breaks(rule), "{rule} is not among {:#?}", found.violations);
}
