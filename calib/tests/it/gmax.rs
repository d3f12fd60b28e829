//! The choice of V_gmax: the requested conductances end up on the 15 weights.

use calib::{GmaxChoice, choose_v_gmax, digital_weight};
use hal::value::DacCode;
use proptest::prelude::*;

/// Mean relative error of each class; a synapse of weight 0 counts 1.
fn errors(classes: &[Vec<(f64, u64)>], choice: &GmaxChoice) -> Vec<f64> {
    let of_class = |(histogram, setting): (&Vec<(f64, u64)>, &calib::GmaxSetting)| {
        let levels = setting.levels_s(choice.v_gmax);
        let n: u64 = histogram.iter().map(|(_, n)| n).sum();
        let sum: f64 = histogram
            .iter()
            .map(|(x, n)| {
                let weight = digital_weight(*x, &levels).weight.index();
                let level = if weight == 0 { 0.0 } else { levels[weight] };
                *n as f64 * (level - x).abs() / x
            })
            .sum();
        sum / n as f64
    };
    classes.iter().zip(&choice.settings).map(of_class).collect()
}

fn chosen(classes: &[Vec<(f64, u64)>]) -> (GmaxChoice, Vec<f64>) {
    let choice = choose_v_gmax(classes).unwrap();
    let errors = errors(classes, &choice);
    (choice, errors)
}

/// A normal distribution around a mean, as a histogram of 41 values.
fn spread(mean: f64, relative: f64) -> Vec<(f64, u64)> {
    let bin = |i: i32| {
        let z = f64::from(i) / 10.0;
        (mean * (1.0 + relative * z), (1e4 * (-z * z / 2.0).exp()) as u64)
    };
    (-20..=20).map(bin).filter(|(x, _)| *x > 0.0).collect()
}

#[test]
fn the_balanced_network_is_met() {
    // 1.7 nS and 8 times that at 8 big capacitors
    let classes = [vec![(296.854e-9, 366)], vec![(8.0 * 296.854e-9, 41)]];
    let (choice, errors) = chosen(&classes);
    assert!(errors.iter().all(|e| *e < 1e-3), "{errors:?} {choice:?}");
    assert!(choice.v_gmax.iter().all(|code| *code >= DacCode::new::<100>()));
}

#[test]
fn the_microcircuit_is_met() {
    // eight populations, two receptors: sixteen classes share four V_gmax
    let us = [3.03139, 3.21473, 3.34374, 3.25535, 3.30689, 3.36596, 3.41609, 3.42977];
    let inhibitory =
        [22.65111, 21.12101, 20.24846, 20.83072, 20.4834, 20.11174, 19.81637, 19.73876];
    let to_s = |ns: &f64| ns * 1e-9 * 1e4 * 8.0 * 0.1642e-12 / 0.25e-9;
    let classes: Vec<_> = us.iter().chain(&inhibitory).map(|ns| vec![(to_s(ns), 1000)]).collect();
    let (choice, errors) = chosen(&classes);
    assert!(errors.iter().all(|e| *e < 5e-3), "{errors:?} {choice:?}");
}

#[test]
fn spread_weights_use_the_whole_range() {
    for (relative, limit) in [(0.1, 0.03), (0.5, 0.08)] {
        let (choice, errors) = chosen(&[spread(300e-9, relative)]);
        assert!(errors[0] < limit, "{relative}: {errors:?} {choice:?}");
    }
}

#[test]
fn nothing_requested_is_no_problem() {
    let (choice, _) = chosen(&[]);
    assert!(choice.settings.is_empty());
    let choice = choose_v_gmax(&[vec![], vec![(0.0, 5)], vec![(1e-7, 0)]]).unwrap();
    assert_eq!(choice.settings.len(), 3);
}

#[test]
fn conductances_out_of_reach_take_the_nearest_setting() {
    let classes = [vec![(1e-3, 1)], vec![(1e-15, 1)], vec![(2e-7, 1)]];
    let (choice, errors) = chosen(&classes);
    assert_eq!(choice.v_gmax[choice.settings[0].select.index()], DacCode::MAX);
    assert!(errors[2] < 1e-3);
    assert!(digital_weight(1e-3, &choice.settings[0].levels_s(choice.v_gmax)).clipped);
}

#[test]
fn bad_conductances_are_named() {
    for bad in [-1e-9, f64::NAN, f64::INFINITY] {
        let error = choose_v_gmax(&[vec![(1e-7, 1)], vec![(bad, 1)]]).unwrap_err();
        assert_eq!(error.class, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Constant weights of up to four classes are met within 0.5 %. Below 16 nS the codes of V_gmax
    /// become too coarse for that.
    #[test]
    fn constant_weights_are_met(exponents in prop::collection::vec(-7.8..-5.0f64, 1..=4)) {
        let classes: Vec<_> =
            exponents.iter().map(|e| vec![(10f64.powf(*e), 100)]).collect();
        let (choice, errors) = chosen(&classes);
        prop_assert!(errors.iter().all(|e| *e < 5e-3), "{errors:?} {choice:?}");
    }

    /// The order of the histogram does not matter, nor do equal entries.
    #[test]
    fn only_the_distribution_matters(mut values in prop::collection::vec(1e-8..1e-6f64, 1..100)) {
        let split: Vec<(f64, u64)> = values.iter().flat_map(|x| [(*x, 1), (*x, 2)]).collect();
        values.reverse();
        let joined: Vec<(f64, u64)> = values.iter().map(|x| (*x, 3)).collect();
        prop_assert_eq!(choose_v_gmax(&[split]), choose_v_gmax(&[joined]));
    }
}
