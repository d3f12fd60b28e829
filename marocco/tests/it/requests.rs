//! Wishes about single populations (T10, T11 of mapping §10).

use std::collections::BTreeSet;

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronBlockOnHicann};
use hal::defects::{ComponentKind, Defects, Rates};
use marocco::mapping::{LogicalNeuron, LossCause, SynapseFate};
use marocco::network::{Network, PopulationId};
use marocco::options::{Prioritised, Priority};
use marocco::requests::{Place, Request, RequestProblem};
use marocco::verify::verify;
use marocco::{Effort, MapError, MapOptions, Mapping, NeuronSize, NeuronSizeChoice, map};
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
    let block = NeuronBlockOnHicann::from_index(5).unwrap().on(chip(5));
    let requests = vec![request(ext, Place::Blocks(vec![block]))];
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

fn source_request(network: &Network, place: Place) -> Vec<Request> {
    let (ext, _) = network.populations().find(|(_, p)| p.is_source()).unwrap();
    vec![request(ext, place)]
}

/// Chips where the inputs of a mapping enter.
fn input_chips(mapping: &Mapping) -> BTreeSet<HicannOnWafer> {
    let placement = &mapping.placement;
    let members = placement.neurons.iter().zip(&placement.addresses);
    members
        .filter(|(neuron, _)| neuron.is_none())
        .filter_map(|(_, a)| Some(a.as_ref()?.bus.hicann))
        .collect()
}

#[test]
fn inputs_enter_where_they_are_asked_to() {
    let network = balanced(150, [10, 3, 10], 10.0, 1);
    let asked: Vec<HicannOnWafer> = [7, 200, 300, 201].map(chip).to_vec();
    let mut options = options(Some(4));
    options.requests = source_request(&network, Place::Hicanns(asked.clone()));
    let found = input_chips(&mapped(&network, &options).unwrap());
    assert_eq!(found, asked.iter().copied().take(found.len()).collect());
    assert!(found.len() >= 3);

    let fpga = chip(100).fpga();
    options.requests = source_request(&network, Place::Fpgas(vec![fpga]));
    let found = input_chips(&mapped(&network, &options).unwrap());
    assert!(found.len() >= 3 && found.iter().all(|h| h.fpga() == fpga));

    // with neurons beside them
    let (exc, _) = network.populations().next().unwrap();
    let beside: Vec<HicannOnWafer> =
        HicannOnWafer::all().filter(|h| h.fpga() == fpga).take(2).collect();
    options.requests.push(request(exc, Place::Hicanns(beside.clone())));
    let found = input_chips(&mapped(&network, &options).unwrap());
    assert!(found.iter().all(|h| h.fpga() == fpga && !beside.contains(h)));
}

#[test]
fn inputs_that_do_not_fit_are_refused_by_name() {
    let network = balanced(150, [10, 3, 10], 10.0, 1);
    let mut options = options(Some(4));
    options.requests = source_request(&network, Place::Hicanns(vec![chip(7)]));
    let found = problem(mapped(&network, &options));
    assert!(matches!(found, RequestProblem::Inputs { seated: 1, .. }), "{found:?}");
    // five buses of 12 MHz are more than an FPGA carries
    let fast = balanced(150, [10, 3, 10], 100.0, 1);
    options.requests = source_request(&fast, Place::Fpgas(vec![chip(100).fpga()]));
    let found = problem(mapped(&fast, &options));
    assert!(matches!(found, RequestProblem::Inputs { .. }), "{found:?}");
    options.excluded = vec![chip(7)];
    options.requests = source_request(&network, Place::Hicanns(vec![chip(7)]));
    assert_eq!(problem(mapped(&network, &options)), RequestProblem::Chip(chip(7)));
    options.requests = source_request(&network, Place::Hicanns(Vec::new()));
    assert_eq!(problem(mapped(&network, &options)), RequestProblem::NoPlace);
    let size = Some(NeuronSizeChoice::Auto);
    options.requests[0] = Request { size, ..options.requests[0].clone() };
    assert_eq!(problem(mapped(&network, &options)), RequestProblem::Sources);
}

/// Lost synapses by projection.
fn lost(mapping: &Mapping) -> Vec<usize> {
    let is_lost = |f: &&SynapseFate| matches!(f, SynapseFate::Lost(_));
    mapping.synapses.iter().map(|fates| fates.iter().filter(is_lost).count()).collect()
}

#[test]
fn what_has_priority_is_lost_last() {
    // most synapse drivers are broken: buses compete for the rest
    let network = balanced(1200, [60, 20, 60], 1.0, 1);
    let rates = Rates::NONE.with(ComponentKind::SynapseDriver, 0.75).unwrap();
    let defects = Defects::random(&rates, 1);
    let mut options = MapOptions { effort: Effort::Quick, ..options(Some(8)) };
    let lost = |options: &MapOptions| {
        let ideal = WaferCalibration::ideal();
        lost(&map(&network, options, &defects, &ideal, &mut |_| {}).unwrap().mapping)
    };
    let before = lost(&options);
    let from_ext: Vec<usize> = (0..before.len())
        .filter(|&i| network.projections().nth(i).unwrap().1.label.starts_with("ext"))
        .collect();
    assert!(from_ext.iter().all(|&i| before[i] > 500), "{before:?}");
    let (source, _) = network.populations().find(|(_, p)| p.is_source()).unwrap();
    let of = Prioritised::Population(source);
    options.priorities = vec![Priority { of, weight: 50 }];
    let by_population = lost(&options);
    for &i in &from_ext {
        assert!(2 * by_population[i] < before[i], "{by_population:?}, before {before:?}");
    }
    // one projection alone
    let (id, _) = network.projections().nth(from_ext[0]).unwrap();
    options.priorities = vec![Priority { of: Prioritised::Projection(id), weight: 50 }];
    let by_projection = lost(&options);
    assert!(2 * by_projection[from_ext[0]] < before[from_ext[0]], "{by_projection:?}");
    options.priorities[0].weight = 101;
    assert!(matches!(mapped(&network, &options), Err(MapError::Priority(101))));
}

#[test]
fn limits_of_switches_and_routes_are_kept() {
    let network = balanced(600, [30, 10, 20], 10.0, 1);
    let mut options = MapOptions { effort: Effort::Quick, ..options(Some(8)) };
    options.max_synapse_switches = 2;
    options.max_crossbar_switches = 2;
    // the verifier holds the mapping against the same limits
    assert_eq!(lost(&mapped(&network, &options).unwrap()).iter().sum::<usize>(), 0);

    let longest = |mapping: &Mapping| {
        let routes = mapping.routes.iter();
        routes.flat_map(|r| (0..r.lines.len()).map(|i| r.hicanns_to(i))).max().unwrap()
    };
    let free = mapped(&network, &options).unwrap();
    assert!(longest(&free) > 3);
    options.max_route_hicanns = Some(3);
    let short = mapped(&network, &options).unwrap();
    assert!(longest(&short) <= 3);
    let causes = short.synapses.iter().flatten().filter_map(|f| match f {
        SynapseFate::Lost(cause) => Some(*cause),
        SynapseFate::Realised { .. } => None,
    });
    let no_route = causes.filter(|&c| c == LossCause::NoRoute).count();
    assert!(no_route > 0 && no_route < network.n_synapses());

    options.max_route_hicanns = Some(0);
    assert!(matches!(mapped(&network, &options), Err(MapError::RouteLength)));
    options.max_route_hicanns = None;
    for (crossbar, synapse) in [(0, 1), (1, 0), (1, 29)] {
        options.max_crossbar_switches = crossbar;
        options.max_synapse_switches = synapse;
        assert!(matches!(mapped(&network, &options), Err(MapError::SwitchLimits { .. })));
    }
}
