//! The mapper as a whole.

use calib::{CellParameters, WaferCalibration};
use hal::defects::{ComponentKind, Defects, Rates};
use marocco::mapping::{StageTimes, SynapseFate};
use marocco::network::{Network, PerMember, PopulationKind, Projection, Receptor, Synapse};
use marocco::{Effort, MapError, MapOptions, Mapped, VariedReset, map, report};
use proptest::prelude::*;

use crate::networks::{balanced, cell, neurons, options, sources};

fn mapped(network: &Network, size: Option<usize>) -> Mapped {
    map(network, &options(size), &Defects::default(), &WaferCalibration::ideal(), &mut |_| {})
        .unwrap()
}

#[test]
fn the_balanced_network_loses_nothing_at_automatic_size() {
    // 1,666 + 417 neurons, 166 + 41 recurrent and 200 external inputs each (mapping §5.2)
    let network = balanced(2083, [166, 41, 200], 13.3, 1);
    let mapped = mapped(&network, None);
    let report = report(&network, &mapped.mapping, true);
    assert_eq!(report.synapses_requested, 2083 * 407);
    assert!(report.loss_fraction <= 0.002, "{} of the synapses lost", report.loss_fraction);
    for (label, error) in &report.weight_error {
        assert!(error.mean.abs() < 0.03 && error.abs < 0.1, "{label}: {error:?}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let network = balanced(400, [40, 10, 50], 13.3, 2);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut mapped = pool.install(|| mapped(&network, Some(8)));
        mapped.mapping.times = StageTimes::default();
        (format!("{:?}", mapped.mapping), mapped.config)
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(3));
}

#[test]
fn one_neuron_alone_is_a_network() {
    let mut network = Network::default();
    let population = network.add_population(neurons("one", 1)).unwrap();
    let autapse = Synapse { pre: 0, post: 0, weight_us: 0.002 };
    let projection = Projection {
        label: "self".into(),
        receptor: Receptor::Excitatory,
        plasticity: None,
        pairs: None,
        synapses: vec![autapse; 3],
    };
    network.add_projection(population, population, projection).unwrap();
    let mapped = mapped(&network, Some(4));
    assert!(mapped.mapping.synapses[0].iter().all(|f| matches!(f, SynapseFate::Realised { .. })));
}

#[test]
fn the_empty_network_maps_to_an_empty_wafer() {
    let mapped = mapped(&Network::default(), None);
    assert!(mapped.config.hicanns.is_empty());
    assert_eq!(report(&Network::default(), &mapped.mapping, true).loss_fraction, 0.0);
}

#[test]
fn inputs_beyond_a_link_are_refused_with_the_limit() {
    let mut network = balanced(40, [4, 1, 0], 0.0, 3);
    let fast = network.add_population(sources("fast", 2, 2000.0)).unwrap();
    let (exc, _) = network.populations().next().unwrap();
    let projection = Projection {
        label: "drive".into(),
        receptor: Receptor::Excitatory,
        plasticity: None,
        pairs: None,
        synapses: vec![Synapse { pre: 1, post: 0, weight_us: 0.001 }],
    };
    network.add_projection(fast, exc, projection).unwrap();
    let error =
        map(&network, &options(None), &Defects::default(), &WaferCalibration::ideal(), &mut |_| {})
            .unwrap_err();
    assert!(matches!(error, MapError::SourceTooFast { member: 1, .. }));
    let text = error.to_string();
    assert!(
        text.contains("`fast`") && text.contains("2000.0 Hz") && text.contains("lower"),
        "{text}"
    );
}

#[test]
fn networks_beyond_the_wafer_are_refused_with_the_numbers() {
    let network = balanced(20_000, [1, 1, 0], 0.0, 4);
    let error = map(
        &network,
        &options(Some(16)),
        &Defects::default(),
        &WaferCalibration::ideal(),
        &mut |_| {},
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("625 chips") && text.contains("384"), "{text}");
}

/// Two neurons whose reset potentials differ by 5 mV.
fn two_resets() -> Network {
    let mut network = Network::default();
    let CellParameters::IfCondExp(one) = cell() else { unreachable!() };
    let other = CellParameters::IfCondExp(calib::IfCondExp { v_reset: 5.0, ..one });
    let mut population = neurons("mixed", 2);
    population.kind = PopulationKind::Neurons(PerMember::Each(vec![cell(), other]));
    network.add_population(population).unwrap();
    network
}

#[test]
fn several_resets_of_a_population_are_averaged_and_counted() {
    let mapped = mapped(&two_resets(), None);
    assert_eq!(mapped.mapping.parameters.clipped.get("v_reset"), Some(&2));
    let resets: Vec<f64> =
        mapped.mapping.parameters.cells.iter().flatten().map(CellParameters::v_reset).collect();
    assert!(resets.iter().all(|v| (v - 7.5).abs() < 0.5), "{resets:?}");
}

#[test]
fn several_resets_of_a_population_are_refused_on_request() {
    let options = MapOptions { varied_reset: VariedReset::Refuse, ..options(None) };
    let calibration = WaferCalibration::ideal();
    let error =
        map(&two_resets(), &options, &Defects::default(), &calibration, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("`mixed`"), "{error}");
}

#[test]
fn faster_inputs_take_more_chips_and_no_fpga_is_overloaded() {
    // eta 3.2: 53.3 Hz per source, 26 sources per chip and 187 per FPGA (mapping §7.1)
    let network = balanced(2083, [166, 41, 200], 53.3, 5);
    let mapped = mapped(&network, None);
    let report = report(&network, &mapped.mapping, true);
    assert!(report.loss_fraction <= 0.005, "{} of the synapses lost", report.loss_fraction);
    let mut per_fpga = std::collections::BTreeMap::new();
    let offsets = network.member_offsets();
    for address in mapped.mapping.placement.addresses[offsets[2]..].iter().flatten() {
        *per_fpga.entry(address.bus.hicann.fpga()).or_insert(0) += 1;
    }
    assert!(per_fpga.values().all(|&n| n <= 187), "{per_fpga:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_synapse_is_realised_or_lost(
        n in 5usize..120,
        degrees in [0usize..30, 0usize..10, 0usize..30],
        size in (1usize..17).prop_map(|w| 2 * w),
        seed in 0u64..1000,
    ) {
        let network = balanced(n, degrees, 10.0, seed);
        let mapped = mapped(&network, Some(size));
        let report = report(&network, &mapped.mapping, true);
        prop_assert_eq!(
            report.synapses_realised + report.loss_by_cause.values().sum::<usize>(),
            report.synapses_requested
        );
        prop_assert!(report.bound_loss_fraction <= report.loss_fraction);
        // no hardware synapse is used twice
        let mut used: Vec<_> = mapped
            .mapping
            .synapses
            .iter()
            .flatten()
            .filter_map(|f| match f {
                SynapseFate::Realised { synapse, .. } => Some(*synapse),
                SynapseFate::Lost(_) => None,
            })
            .collect();
        let n_used = used.len();
        used.sort_unstable();
        used.dedup();
        prop_assert_eq!(used.len(), n_used);
    }
}

#[test]
fn defects_take_room_but_more_chips_give_it_back() {
    // at 5 % a run of 16 healthy columns is rare: four on a chip instead of sixteen
    let rates = [ComponentKind::Neuron, ComponentKind::SynapseDriver]
        .into_iter()
        .fold(Rates::NONE, |rates, kind| rates.with(kind, 0.05).unwrap());
    let network = balanced(100, [20, 5, 10], 10.0, 9);
    let options = options(Some(32));
    let defects = Defects::random(&rates, 3);
    let mapped =
        map(&network, &options, &defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    assert!(mapped.mapping.placement.neurons[..100].iter().all(Option::is_some));
    let chips: std::collections::BTreeSet<_> =
        mapped.mapping.placement.neurons.iter().flatten().map(|n| n.hicann).collect();
    assert!(chips.len() > 100 / 16, "{}", chips.len());
}

#[test]
fn a_raised_flag_ends_it_at_any_stage() {
    let network = balanced(200, [20, 5, 25], 13.3, 2);
    let mut stages = Vec::new();
    loop {
        let options = MapOptions { effort: Effort::Max, ..options(Some(8)) };
        let (mut seen, mut hear) = (0, stages.clone());
        let result = map(
            &network,
            &options,
            &Defects::default(),
            &WaferCalibration::ideal(),
            &mut |stage| {
                // one stage further each time
                if seen == hear.len() {
                    hear.push(stage);
                    options.cancel.cancel();
                }
                seen += 1;
            },
        );
        if seen == stages.len() {
            // nobody raised it: the flag of other options is another one
            assert!(result.is_ok() && stages.len() >= 4, "{stages:?}");
            break;
        }
        assert!(matches!(result, Err(MapError::Cancelled(_))), "{hear:?}");
        stages = hear;
    }
}
