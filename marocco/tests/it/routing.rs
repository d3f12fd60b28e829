//! Routes around defects, from the network to the verified configuration.

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::coord::{Coordinate, HicannOnWafer, Side, VLineOnHicann};
use hal::defects::{ComponentKind, Defects, Rates};
use marocco::mapping::DriverChain;
use marocco::network::Network;
use marocco::verify::{Rules, verify};
use marocco::{Mapped, map};

use crate::networks::{balanced, options};

fn verified(network: &Network, defects: &Defects) -> Mapped {
    let mapped =
        map(network, &options(Some(4)), defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let found = verify(network, &mapped.mapping, &words, &Rules::default()).unwrap();
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
    mapped
}

/// Chains that take their bus from a line of the neighbouring chip.
fn injected(mapped: &Mapped) -> Vec<&DriverChain> {
    mapped.mapping.chains.iter().filter(|c| c.vline.hicann != c.hicann).collect()
}

#[test]
fn chips_without_vertical_lines_are_served_by_their_neighbours() {
    let network = balanced(900, [20, 5, 10], 13.3, 4);
    let whole = verified(&network, &Defects::default());
    assert!(injected(&whole).is_empty());
    // chips of the middle, no two of them next to each other
    let deaf: Vec<HicannOnWafer> = HicannOnWafer::all()
        .filter(|h| (12..24).contains(&h.x()) && (5..11).contains(&h.y()))
        .filter(|h| h.x() % 4 == 1)
        .collect();
    let mut defects = Defects::default();
    for &hicann in &deaf {
        for vline in VLineOnHicann::all() {
            defects.insert(vline.on(hicann));
        }
    }
    let mapped = verified(&network, &defects);
    let injected = injected(&mapped);
    assert!(!injected.is_empty());
    for chain in injected {
        let DriverChain { hicann, vline, primary, .. } = chain;
        let east = vline.hicann.x() > hicann.x();
        let (side, facing) =
            if east { (Side::Right, Side::Left) } else { (Side::Left, Side::Right) };
        assert_eq!((primary.side(), vline.local.side()), (side, facing));
    }
    let own = mapped.mapping.chains.iter().filter(|c| c.vline.hicann == c.hicann);
    assert!(own.clone().all(|chain| !deaf.contains(&chain.hicann)) && own.count() > 0);
}

#[test]
fn routes_avoid_broken_lines_repeaters_and_switches() {
    use ComponentKind::{CrossbarSwitch, HLine, HRepeater, SynapseSwitch, VLine, VRepeater};
    let kinds = [CrossbarSwitch, HLine, HRepeater, SynapseSwitch, VLine, VRepeater];
    let rates = kinds.into_iter().fold(Rates::NONE, |r, kind| r.with(kind, 0.05).unwrap());
    let defects = Defects::random(&rates, 5);
    let mapped = verified(&balanced(600, [30, 8, 20], 13.3, 5), &defects);
    for line in mapped.mapping.routes.iter().flat_map(|route| &route.lines) {
        assert!(defects.is_usable(line.line), "{} is broken", line.line);
    }
}
