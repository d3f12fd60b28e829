//! Any circuit of a neuron can fire.

use calib::WaferCalibration;
use hal::check::{SwitchLimits, check_wafer};
use hal::codec::encode_wafer;
use hal::coord::{Coordinate as _, NeuronOnHicann};
use hal::defects::Defects;
use marocco::verify::{Rule, Verification, verify};
use marocco::{MapOptions, Mapped, Network, map, remap};
use proptest::prelude::*;

use crate::networks::{balanced, options};

fn verified(network: &Network, mapped: &Mapped, options: &MapOptions) -> Verification {
    let words = encode_wafer(&mapped.config).unwrap();
    verify(network, &mapped.mapping, &words, &options.rules(&Defects::default())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn words_with_other_firing_circuits_realise_the_claim(
        size in 1_usize..=16,
        picks in prop::collection::vec(0_usize..64, 40),
    ) {
        let (network, options) = (balanced(40, [20, 5, 10], 13.3, 2), options(Some(2 * size)));
        let (ideal, defects) = (WaferCalibration::ideal(), Defects::default());
        let mut mapped = map(&network, &options, &defects, &ideal, &mut |_| {}).unwrap();
        let plain = mapped.config.clone();
        let neurons = mapped.mapping.placement.neurons.clone();
        let placed: Vec<usize> = (0..neurons.len()).filter(|&m| neurons[m].is_some()).collect();
        for (&member, pick) in placed.iter().zip(&picks) {
            let circuits: Vec<NeuronOnHicann> = neurons[member].unwrap().circuits().collect();
            let circuit = circuits[pick % circuits.len()];
            prop_assert!(mapped.let_fire(member, circuit));
            let fires = mapped.mapping.placement.firing_circuit(member).unwrap();
            prop_assert_eq!(fires.local, circuit);
        }
        let found = verified(&network, &mapped, &options);
        prop_assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(5)]);
        let faults = check_wafer(&mapped.config, &SwitchLimits::default());
        prop_assert!(faults.is_empty(), "{faults:?}");

        // the choice survives new weights, and can be taken back
        let again = remap(&network, &mapped, &options, &defects, &ideal).unwrap();
        prop_assert_eq!(&again.config, &mapped.config);
        for &member in &placed {
            prop_assert!(mapped.let_fire(member, neurons[member].unwrap().first_circuit()));
        }
        prop_assert_eq!(&mapped.config, &plain);
        prop_assert!(mapped.mapping.placement.firing.is_empty());
    }
}

#[test]
fn only_own_circuits_fire_and_the_claim_must_say_which() {
    let (network, options) = (balanced(40, [20, 5, 10], 13.3, 2), options(Some(8)));
    let ideal = WaferCalibration::ideal();
    let mut mapped = map(&network, &options, &Defects::default(), &ideal, &mut |_| {}).unwrap();
    let neurons = &mapped.mapping.placement.neurons;
    let member = neurons.iter().position(Option::is_some).unwrap();
    let own: Vec<NeuronOnHicann> = neurons[member].unwrap().circuits().collect();
    let foreign = NeuronOnHicann::all().find(|c| !own.contains(c)).unwrap();
    assert!(!mapped.let_fire(member, foreign));
    assert!(verified(&network, &mapped, &options).is_ok());

    let mut silent = mapped.clone();
    assert!(silent.let_fire(member, own[3]));
    silent.mapping.placement.firing.clear();
    assert!(verified(&network, &silent, &options).breaks(Rule::V12));
    silent.mapping.placement.firing.insert(member, foreign);
    assert!(verified(&network, &silent, &options).breaks(Rule::V02));
}
