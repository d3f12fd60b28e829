//! Adaptation and exponential onset from the bits of a circuit (analog §1.6, §5.1).

use hal::config::{GbitDirection, HicannConfig, NeuronParameter as P};
use hal::coord::GbitLinkOnHicann;
use hal::law;
use hal::value::DacCode;
use hal::wafer::Pulses;

use crate::support::*;

/// Intervals of a circuit whose leak potential lies above threshold, with further cells set.
fn intervals(cells: &[(P, f64)]) -> Vec<u64> {
    let mut chip = HicannConfig::default();
    let cell = Cell { e_l_v: 1.0, v_t_v: 0.9, ..Cell::default() };
    program(&mut chip, neuron(0), &cell);
    let half = *chip.neurons.half(neuron(0));
    for &(parameter, value) in cells {
        set(&mut chip, neuron(0), parameter, code(parameter, half, value));
    }
    fire(&mut chip, neuron(0), address(63));
    chip.gbit_links.direction[GbitLinkOnHicann::new::<0>()] = GbitDirection::ToDnc;
    let config = wafer([(CHIP, chip)]);
    let times = times(&run(fine(), &config, &Pulses::new(), 100_000), CHIP);
    times.windows(2).map(|w| w[1] - w[0]).collect()
}

#[test]
fn adaptation_per_spike_lengthens_the_intervals() {
    let without = intervals(&[]);
    assert!(without.windows(2).all(|w| w[0].abs_diff(w[1]) <= 1));
    let mut last = without[without.len() - 1];
    for b_a in [1e-9, 5e-9, 2e-8] {
        let adapted = intervals(&[(P::IRadapt, 1e-5), (P::IFire, b_a)]);
        assert!(adapted[0] < adapted[adapted.len() - 1], "b {b_a}: {adapted:?}");
        assert!(adapted[adapted.len() - 1] > last, "b {b_a}: {adapted:?}");
        last = adapted[adapted.len() - 1];
    }
}

#[test]
fn subthreshold_adaptation_lengthens_the_intervals() {
    let without = intervals(&[]);
    // V stays below E_l here, where a positive a drives towards E_l
    let with = intervals(&[(P::IRadapt, 1e-5), (P::IGladapt, 5e-7)]);
    assert!(with[with.len() - 1] < without[without.len() - 1]);
    let off = intervals(&[(P::IGladapt, 5e-7)]);
    assert_eq!(off, without, "code 1023 of I_radapt switches adaptation off");
}

#[test]
fn the_exponential_term_shortens_the_way_to_threshold() {
    let without = intervals(&[]);
    let with = intervals(&[(P::VExp, 0.85), (P::IRexp, 1e-2)]);
    assert!(with[0] < without[0], "{} for {}", with[0], without[0]);
    // far above threshold it does nothing
    let high = intervals(&[(P::VExp, 1.6), (P::IRexp, 1e-2)]);
    assert!(high[0].abs_diff(without[0]) <= 1);
}

#[test]
fn untouched_cells_have_both_and_stay_finite() {
    let mut chip = HicannConfig::default();
    fire(&mut chip, neuron(0), address(63));
    let p = law::circuit(&chip.floating_gates, &chip.neurons, neuron(0));
    assert!(p.adaptation.is_some() && p.exponential.is_some());
    for e_l in [0, 300, 1023] {
        let e_l = DacCode::try_from(e_l as usize).expect("a code");
        set(&mut chip, neuron(0), P::EL, e_l);
        run(fine(), &wafer([(CHIP, chip.clone())]), &Pulses::new(), 10_000);
    }
}
