//! The verifier: one small mapping by hand that keeps every rule, and for each rule the smallest
//! changes that break it.

mod bits;
mod claim;
mod hand_made;

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use marocco::map;
use marocco::verify::{Rule, Rules, verify};

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
        let mapped = map(&network, &options, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
        let words = encode_wafer(&mapped.config).unwrap();
        let rules = Rules {
            chain_length: options.chain_length,
            bandwidth_utilisation: options.bandwidth_utilisation,
            ..Rules::default()
        };
        let found = verify(&network, &mapped.mapping, &words, &rules).unwrap();
        assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
        let realised = mapped.mapping.realised_weights_us.iter().flatten().filter(|&&w| w > 0.0);
        assert_eq!(found.functional, realised.count());
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
