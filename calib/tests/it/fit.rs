//! Fits recover what made the points, among noise and outliers, and refuse what makes no sense.

use calib::fit::{
    PspKnown, available, fit_depression, fit_hinge, fit_intervals, fit_line, fit_psp, hinge,
    median, robust_mean,
};
use hal::config::{CurrentScaling, NeuronParameter};
use hal::law::{Outside, Transformation};
use proptest::prelude::*;

/// Numbers of -0.5..0.5 without visible order.
fn noise(i: usize) -> f64 {
    ((i as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0) - 0.5
}

#[test]
fn medians_and_means() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(robust_mean(&[1.0, 1.2, 0.8, 1.1, 0.9, 50.0]), Some(1.0));
    assert_eq!(robust_mean(&[1.0, f64::NAN]), None);
}

#[test]
fn lines_do_not_follow_an_outlier() {
    let mut points: Vec<(f64, f64)> = (0..20)
        .map(|i| (f64::from(i), 3.0 - 0.5 * f64::from(i) + 0.02 * noise(i as usize)))
        .collect();
    points[7].1 += 5.0;
    let line = fit_line(&points).unwrap();
    assert!((line.offset - 3.0).abs() < 0.03 && (line.slope + 0.5).abs() < 0.003, "{line:?}");
    assert_eq!(fit_line(&points[..1]), None);
    assert_eq!(fit_line(&[(1.0, 2.0), (1.0, 3.0)]), None);
    assert_eq!(fit_line(&[(1.0, 2.0), (2.0, f64::NAN)]), None);
}

#[test]
fn hinges_are_found_where_they_bend() {
    for onset in [0.55, 0.8, 1.05] {
        let points: Vec<(f64, f64)> = (0..9)
            .map(|i| {
                let x = 0.2 + 0.15 * f64::from(i);
                (x, hinge(onset - x, 0.3, 0.0, 0.8) + 0.002 * noise(i as usize))
            })
            .collect();
        let found = fit_hinge(&points).unwrap();
        assert!((found.onset - onset).abs() < 0.03, "{onset}: {found:?}");
    }
    let flat: Vec<(f64, f64)> = (0..9).map(|i| (f64::from(i), 0.5)).collect();
    assert_eq!(fit_hinge(&flat), None);
}

#[test]
fn refractory_times_out_of_intervals() {
    let nominal = [1.1e-6, 0.8e-6, 0.5e-6, 0.3e-6, 0.15e-6, 0.05e-6];
    let points: Vec<(f64, f64, f64)> = nominal
        .iter()
        .enumerate()
        .map(|(i, &t)| (t, 0.3e-6 + 1.3 * t + 5e-9 * noise(i), 5e-9))
        .collect();
    let fit = fit_intervals(&points).unwrap();
    assert!((fit.factor - 1.3).abs() < 0.02 && (fit.rise_s - 0.3e-6).abs() < 1e-8, "{fit:?}");
    assert_eq!(fit_intervals(&points[..2]), None);
}

/// The membrane in tiny steps of the plainest method.
fn trace(tau_syn: f64, tau_m: f64, strength: f64, start: f64, reversal: f64) -> Vec<f64> {
    let (dt, fine) = (1.0 / 96e6, 50);
    let (mut v, mut volts) = (0.7, Vec::new());
    for i in 0..600 {
        volts.push(v + 0.003 * noise(i));
        for k in 0..fine {
            let h = dt / f64::from(fine);
            let t = i as f64 * dt + f64::from(k) * h - start;
            let g = if t < 0.0 { 0.0 } else { strength * (-t / tau_syn).exp() };
            v += h * ((0.7 - v) / tau_m + g * (reversal - v));
        }
    }
    volts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn psps_give_their_time_constants_back(
        tau_syn in 0.15e-6..1.0e-6_f64,
        tau_m in 0.8e-6..3e-6,
        charge in 0.15..0.6_f64,
        excitatory: bool,
    ) {
        let reversal = if excitatory { 1.2 } else { 0.3 };
        let samples = trace(tau_syn, tau_m, charge / tau_syn, 0.52e-6, reversal);
        let known = PspKnown {
            sample_s: 1.0 / 96e6,
            start_s: 0.5e-6,
            reversal_v: reversal,
            tau_m_s: (tau_m * 1.02, 0.05),
            tau_syn_s: 0.4e-6,
            noise_v: 0.0009,
        };
        let psp = fit_psp(&samples, &known).unwrap();
        prop_assert!((psp.tau_syn_s / tau_syn - 1.0).abs() < 0.08, "{psp:?}");
        prop_assert!((psp.strength_hz / (charge / tau_syn) - 1.0).abs() < 0.08, "{psp:?}");
        prop_assert!((psp.rest_v - 0.7).abs() < 1e-3);
    }

    #[test]
    fn a_faster_nominal_law_goes_there_and_back(
        factor in 0.4..2.5,
        exponent in 0.9..1.1,
        part in 0.0..1.0,
        which in 0..3_usize,
    ) {
        let parameter = [NeuronParameter::IGl, NeuronParameter::IPl, NeuronParameter::VSyntcx][which];
        let mode = (true, CurrentScaling::Normal);
        let fast = Transformation::nominal(parameter, mode, factor, exponent).unwrap();
        let (low, high) = fast.domain();
        let time = low * (high / low).powf(part);
        let code = fast.apply(time, Outside::Error).unwrap();
        let back = fast.inverse(code, Outside::Clip).unwrap();
        let again = fast.apply(back, Outside::Clip).unwrap();
        prop_assert!((again / code - 1.0).abs() < 1e-6, "{code} {again}");
        let plain = Transformation::nominal(parameter, mode, 1.0, 1.0).unwrap();
        let law = hal::law::neuron_transformation(parameter, &hal::config::NeuronHalf::default());
        let [a, b] = [&plain, law].map(|t| t.apply(2e-6 * part + 0.6e-6, Outside::Clip).unwrap());
        // the tables of the original take the entry before
        let table = parameter != NeuronParameter::IGl;
        let within = if table { -1e-6..1.0 } else { -1e-6..1e-6 };
        prop_assert!(within.contains(&(a - b)), "{a} {b}");
    }
}

#[test]
fn a_trace_that_does_not_move_is_no_psp() {
    let known = PspKnown {
        sample_s: 1.0 / 96e6,
        start_s: 0.5e-6,
        reversal_v: 1.2,
        tau_m_s: (1e-6, 0.05),
        tau_syn_s: 0.4e-6,
        noise_v: 0.0015,
    };
    let flat: Vec<f64> = (0..600).map(|i| 0.7 + 0.003 * noise(i)).collect();
    assert_eq!(fit_psp(&flat, &known), None);
    assert_eq!(fit_psp(&[], &known), None);
}

proptest! {
    #[test]
    fn depression_is_found_in_trains(u in 0.2..0.5_f64, recovery in 7.0..30.0_f64, unit in 1e3..1e6_f64) {
        let times = [0.0, 6.0, 12.0, 18.0, 36.0];
        let exact: Vec<f64> = available(&times, u, recovery).iter().map(|x| unit * x).collect();
        let found = fit_depression(&times, &exact).unwrap();
        prop_assert!((found.utilisation / u - 1.0).abs() < 1e-3, "{found:?}");
        prop_assert!((found.recovery / recovery - 1.0).abs() < 1e-3, "{found:?}");
        let noisy: Vec<f64> =
            exact.iter().enumerate().map(|(i, x)| x * (1.0 + 0.004 * noise(i))).collect();
        let found = fit_depression(&times, &noisy).unwrap();
        prop_assert!((found.utilisation / u - 1.0).abs() < 0.05, "{found:?}");
        prop_assert!((found.recovery / recovery - 1.0).abs() < 0.08, "{found:?}");
        prop_assert!(found.residual < 0.004);
    }
}

#[test]
fn short_trains_tell_nothing_about_depression() {
    assert_eq!(fit_depression(&[0.0, 6.0, 12.0], &[1.0, 0.8, 0.7]), None);
    assert_eq!(fit_depression(&[0.0, 6.0, 12.0, 18.0], &[f64::NAN; 4]), None);
    assert_eq!(fit_depression(&[], &[]), None);
}

/// A code is that of what it stands for: the verifier relies on it.
#[test]
fn every_time_of_a_code_has_this_code_again() {
    for parameter in [NeuronParameter::IPl, NeuronParameter::VSyntcx] {
        for (factor, exponent) in [(0.7, 1.0), (1.0, 0.97), (1.3, 1.04)] {
            let mode = (true, CurrentScaling::Normal);
            let law = Transformation::nominal(parameter, mode, factor, exponent).unwrap();
            let (low, high) = law.domain();
            for i in 0..20_000 {
                let time = low * (high / low).powf(f64::from(i) / 20_000.0);
                let code = hal::law::nearest_code(law.apply(time, Outside::Clip).unwrap());
                let stands_for = law.inverse(code.into(), Outside::Clip).unwrap();
                for rounded in [1.0 - 1e-12, 1.0, 1.0 + 1e-12] {
                    let again = law.apply(rounded * stands_for, Outside::Clip).unwrap();
                    let again = hal::law::nearest_code(again);
                    assert_eq!(again, code, "{parameter:?}, {factor}: {time}");
                }
            }
        }
    }
}
