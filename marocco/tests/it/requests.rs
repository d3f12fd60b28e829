//! Wishes about single populations (T10, T11 of mapping §10).

use std::collections::BTreeSet;

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronBlockOnHicann};
use hal::defects::Defects;
use marocco::mapping::LogicalNeuron;
use marocco::network::{Network, PopulationId};
use marocco::requests::{Place, Request, RequestProblem};
use marocco::verify::verify;
use marocco::{MapError, MapOptions, Mapping, NeuronSize, NeuronSizeChoice, map};
use proptest::prelude::*;

use crate::networks::{balanced, neurons, options, sources};

fn chip(number: usize) -> HicannOnWafer {
    HicannOnWafer::from_index(number).unwrap()
}

fn alone(size: usize) -> (Network, PopulationId) {
    let mut network = Network::default();
    let population = network.add_population(neurons("pop", size)).unwrap();
    (network, population)
}

fn request(population: PopulationId, place: Place) -> Request {
    Request { population, members: None, place: Some(place), size: None, mode: None }
}

fn mapped(network: &Network, options: &MapOptions) -> Result<Mapping, MapError> {
    let defects = Defects::default();
    let mapped = map(network, options, &defects, &WaferCalibration::ideal(), &mut |_| {})?;
    let words = encode_wafer(&mapped.config).unwrap();
    let verdict = verify(network, &mapped.mapping, &words, &options.rules(&defects)).unwrap();
    assert!(verdict.is_ok(), "{:#?}", &verdict.violations[..verdict.violations.len().min(5)]);
    Ok(mapped.mapping)
}

fn problem(result: Result<Mapping, MapError>) -> RequestProblem {
    match result {
        Err(MapError::Request { population, problem }) => {
            assert!(["pop", "ext", "exc"].contains(&population.as_str()));
            problem
        }
        other => panic!("{other:?} is no refused request"),
    }
}

#[test]
fn t10_chips_and_blocks_take_what_fits() {
    for (place, fits) in [
        (Place::Hicanns(vec![chip(93)]), 128),
        (Place::Blocks(vec![NeuronBlockOnHicann::from_index(5).unwrap().on(chip(93))]), 16),
    ] {
        for size in [1, 2, 10, 100, 999] {
            let (network, population) = alone(size);
            let mut options = options(Some(4));
            options.requests = vec![request(population, place.clone())];
            let result = mapped(&network, &options);
            if size > fits {
                assert!(matches!(result, Err(MapError::NoRoom { .. })), "{size}: {result:?}");
                continue;
            }
            let mapping = result.unwrap();
            let chips: BTreeSet<HicannOnWafer> =
                mapping.placement.neurons.iter().flatten().map(|n| n.hicann).collect();
            assert_eq!(chips, BTreeSet::from([chip(93)]));
            if let Place::Blocks(_) = place {
                let blocks = mapping.placement.neurons.iter().flatten().map(|n| n.column / 32);
                assert!(blocks.into_iter().all(|block| block == 5));
            }
        }
    }
}

#[test]
fn t10_circuits_are_taken_as_given() {
    let (network, population) = alone(2);
    let places = vec![
        LogicalNeuron { hicann: chip(200), column: 40, width: 3 },
        LogicalNeuron { hicann: chip(93), column: 7, width: 2 },
    ];
    let mut options = options(Some(4));
    options.requests = vec![request(population, Place::Circuits(places.clone()))];
    let mapping = mapped(&network, &options).unwrap();
    let found: Vec<LogicalNeuron> = mapping.placement.neurons.iter().flatten().copied().collect();
    assert_eq!(found, places);

    options.requests = vec![request(population, Place::Circuits(places[..1].to_vec()))];
    assert_eq!(
        problem(mapped(&network, &options)),
        RequestProblem::Circuits { given: 1, members: 2 }
    );
    // over the border of a block, and onto each other
    for columns in [[(30, 4), (40, 2)], [(40, 4), (42, 2)]] {
        let places =
            columns.map(|(column, width)| LogicalNeuron { hicann: chip(9), column, width });
        options.requests = vec![request(population, Place::Circuits(places.to_vec()))];
        assert!(matches!(problem(mapped(&network, &options)), RequestProblem::Columns { .. }));
    }
}

#[test]
fn t11_parts_of_a_population_go_where_they_are_asked() {
    for parts in 1..=5 {
        let (network, population) = alone(5);
        let mut options = options(Some(4));
        let border = |i: usize| i * 5 / parts;
        options.requests = (0..parts)
            .map(|i| Request {
                members: Some(border(i)..border(i + 1)),
                ..request(population, Place::Hicanns(vec![chip(100 + 30 * i)]))
            })
            .collect();
        let mapping = mapped(&network, &options).unwrap();
        for i in 0..parts {
            for member in border(i)..border(i + 1) {
                assert_eq!(mapping.placement.neurons[member].unwrap().hicann, chip(100 + 30 * i));
            }
        }
    }
}

#[test]
fn t11_sizes_differ_between_requests() {
    let (network, population) = alone(30);
    let fixed = |size: usize| Some(NeuronSizeChoice::Fixed(NeuronSize::try_from(size).unwrap()));
    let mut options = options(Some(4));
    options.requests = [(0..10, fixed(2)), (10..20, fixed(6))]
        .map(|(members, size)| Request {
            population,
            members: Some(members),
            place: None,
            size,
            mode: None,
        })
        .to_vec();
    let mapping = mapped(&network, &options).unwrap();
    let sizes: Vec<usize> =
        mapping.placement.neurons.iter().flatten().copied().map(LogicalNeuron::size).collect();
    assert!(sizes[..10].iter().all(|&s| s == 2), "{sizes:?}");
    assert!(sizes[10..20].iter().all(|&s| s == 6), "{sizes:?}");
    assert!(sizes[20..].iter().all(|&s| s == 4), "{sizes:?}");
}

#[test]
fn impossible_requests_are_refused_by_name() {
    let (network, population) = alone(5);
    let on = |h: usize| Place::Hicanns(vec![chip(h)]);
    let part = |members, place| Request { members: Some(members), ..request(population, place) };
    let refused = |requests: Vec<Request>, excluded: Vec<HicannOnWafer>| {
        let options = MapOptions { requests, excluded, ..options(Some(4)) };
        problem(mapped(&network, &options))
    };
    assert_eq!(
        refused(vec![part(3..6, on(5))], Vec::new()),
        RequestProblem::Members { from: 3, to: 6, size: 5 }
    );
    assert_eq!(
        refused(vec![part(0..3, on(5)), part(2..4, on(6))], Vec::new()),
        RequestProblem::Twice(2)
    );
    assert_eq!(
        refused(vec![part(0..2, on(5)), part(2..4, on(5))], Vec::new()),
        RequestProblem::SharedChip(chip(5))
    );
    assert_eq!(refused(vec![part(0..2, on(5))], vec![chip(5)]), RequestProblem::Chip(chip(5)));
    assert_eq!(
        refused(vec![part(0..2, Place::Blocks(Vec::new()))], Vec::new()),
        RequestProblem::NoPlace
    );
    let mut network = network;
    let ext = network.add_population(sources("ext", 3, 10.0)).unwrap();
    let requests = vec![request(ext, on(5))];
    let options = MapOptions { requests, ..options(Some(4)) };
    assert_eq!(problem(mapped(&network, &options)), RequestProblem::Sources);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn networks_with_requests_map_and_keep_them(
        n in 20usize..150,
        chips in proptest::collection::btree_set(0usize..384, 1..6),
        seed in 0u64..1000,
    ) {
        let network = balanced(n, [10, 3, 10], 10.0, seed);
        let (exc, _) = network.populations().next().unwrap();
        let chips: Vec<HicannOnWafer> = chips.into_iter().map(chip).collect();
        let mut options = options(None);
        options.requests = vec![request(exc, Place::Hicanns(chips.clone()))];
        let mapping = mapped(&network, &options).unwrap();
        let n_exc = n * 4 / 5;
        for neuron in mapping.placement.neurons[..n_exc].iter().flatten() {
            prop_assert!(chips.contains(&neuron.hicann));
        }
        for neuron in mapping.placement.neurons[n_exc..].iter().flatten() {
            prop_assert!(!chips.contains(&neuron.hicann));
        }
    }
}
