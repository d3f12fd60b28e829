//! Old placements with new weights and parameters.

use calib::{CellParameters, WaferCalibration};
use hal::codec::encode_wafer;
use hal::defects::{Defects, Rates};
use marocco::mapping::StageTimes;
use marocco::network::{Network, PerMember, PopulationKind};
use marocco::verify::verify;
use marocco::{MapError, Mapped, map, remap, report};

use crate::networks::{balanced, options};

fn timeless(mut mapped: Mapped) -> Mapped {
    mapped.mapping.times = StageTimes::default();
    mapped
}

#[test]
fn the_same_network_gives_the_same_words() {
    let ideal = WaferCalibration::ideal();
    for (defects, size) in [
        (Defects::default(), None),
        (Defects::default(), Some(4)),
        (Defects::manufactured(30), None),
        (Defects::random(&Rates::manufactured(), 7), Some(8)),
    ] {
        let network = balanced(300, [60, 15, 30], 13.3, 2);
        let options = options(size);
        let before = timeless(map(&network, &options, &defects, &ideal, &mut |_| {}).unwrap());
        let after = timeless(remap(&network, &before, &options, &defects, &ideal).unwrap());
        assert_eq!(after.config, before.config);
        assert_eq!(format!("{:?}", after.mapping), format!("{:?}", before.mapping));
    }
}

#[test]
fn new_weights_and_cells_keep_place_and_routes() {
    let ideal = WaferCalibration::ideal();
    let defects = Defects::default();
    let options = options(None);
    let mut network = balanced(300, [60, 15, 30], 13.3, 2);
    let before = map(&network, &options, &defects, &ideal, &mut |_| {}).unwrap();

    let ids: Vec<_> = network.projections().map(|(id, p)| (id, p.synapses.len())).collect();
    for &(id, n) in &ids {
        let weights: Vec<f32> = (0..n)
            .map(|i| network.projection(id).synapses[i].weight_us * (0.5 + (i % 7) as f32 / 14.0))
            .collect();
        network.set_weights(id, &weights).unwrap();
    }
    let after = remap(&network, &before, &options, &defects, &ideal).unwrap();
    assert_eq!(after.mapping.placement, before.mapping.placement);
    assert_eq!(after.mapping.routes, before.mapping.routes);
    assert_eq!(after.mapping.chains, before.mapping.chains);
    assert_eq!(after.mapping.times.placement, 0.0);
    let words = encode_wafer(&after.config).unwrap();
    let verdict = verify(&network, &after.mapping, &words, &options.rules(&defects)).unwrap();
    assert!(verdict.is_ok(), "{:#?}", &verdict.violations[..verdict.violations.len().min(5)]);
    let report = report(&network, &after.mapping, true);
    assert_eq!(report.synapses_lost, 0);
    assert!(report.weight_error.values().all(|e| e.abs < 0.1), "{:?}", report.weight_error);
}

#[test]
fn other_populations_are_refused() {
    let ideal = WaferCalibration::ideal();
    let defects = Defects::default();
    let network = balanced(50, [5, 2, 5], 13.3, 2);
    let before = map(&network, &options(None), &defects, &ideal, &mut |_| {}).unwrap();
    let other = balanced(60, [5, 2, 5], 13.3, 2);
    let error = remap(&other, &before, &options(None), &defects, &ideal).unwrap_err();
    assert!(matches!(error, MapError::OtherNetwork { members: 120, mapped: 100 }), "{error}");
    let error = remap(&Network::default(), &before, &options(None), &defects, &ideal).unwrap_err();
    assert!(error.to_string().contains("map it anew"), "{error}");
}

#[test]
fn other_cells_change_the_floating_gates_alone() {
    let ideal = WaferCalibration::ideal();
    let defects = Defects::default();
    let options = options(Some(4));
    let cells = |tau_m: f64| {
        let CellParameters::IfCondExp(cell) = crate::networks::cell() else { unreachable!() };
        PopulationKind::Neurons(PerMember::Uniform(CellParameters::IfCondExp(calib::IfCondExp {
            tau_m,
            ..cell
        })))
    };
    let network = |tau_m| {
        let mut network = Network::default();
        let mut population = crate::networks::neurons("pop", 9);
        population.kind = cells(tau_m);
        network.add_population(population).unwrap();
        network
    };
    let before = map(&network(10.0), &options, &defects, &ideal, &mut |_| {}).unwrap();
    let after = remap(&network(14.0), &before, &options, &defects, &ideal).unwrap();
    let Some(CellParameters::IfCondExp(cell)) = after.mapping.parameters.cells[0] else { panic!() };
    assert!((cell.tau_m - 14.0).abs() < 0.5, "{}", cell.tau_m);
    for (hicann, chip) in &after.config.hicanns {
        let mut old = before.config.hicanns[hicann].clone();
        assert_ne!(old.floating_gates, chip.floating_gates);
        old.floating_gates = chip.floating_gates.clone();
        assert_eq!(&old, chip);
    }
}
