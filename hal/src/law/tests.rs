//! The law against figures of the original's tests and documents, and against its own inverse.

use proptest::prelude::*;

use super::*;
use crate::config::{CurrentScaling, FloatingGates, NeuronParameter, Neurons, SharedParameter};
use crate::coord::{Coordinate, FgBlockOnHicann, NeuronOnHicann};
use crate::value::{StpCapacitor, SynapseWeight};

fn half(big_capacitor: bool, i_gl: CurrentScaling) -> NeuronHalf {
    NeuronHalf { big_capacitor, i_gl, ..NeuronHalf::default() }
}

fn close(actual: f64, expected: f64, relative: f64) {
    assert!(
        (actual - expected).abs() <= relative * expected.abs(),
        "{actual} is not {expected} within {relative}"
    );
}

#[test]
fn cells_are_linear_through_zero() {
    close(volts(DacCode::MAX), 1.8, 0.0);
    close(amperes(DacCode::MAX), 2.5e-6, 0.0);
    close(volts(1.0), 0.0017595307917888563, 1e-12);
}

#[test]
fn membrane_time_constants_of_the_original() {
    let normal = half(true, CurrentScaling::Normal);
    for (code, tau) in [
        (100.0, 1.6710649544657018e-06),
        (189.0, 9.99346958202991e-07),
        (511.0, 6.495843798047593e-07),
        (900.0, 5.583850835856267e-07),
    ] {
        close(tau_m_s(code, &normal), tau, 1e-12);
    }
}

#[test]
fn codes_beyond_a_fit_take_its_end() {
    for (big, leak, longest) in [
        (false, CurrentScaling::Slow, 7.22e-5),
        (true, CurrentScaling::Normal, 4.82e-5),
        (true, CurrentScaling::Fast, 2.01e-5),
    ] {
        close(tau_m_s(0.0, &half(big, leak)), longest, 1e-12);
    }
    assert_eq!(tau_ref_s(0.0), tau_ref_s(10.0));
    assert_eq!(tau_ref_s(1023.0), tau_ref_s(1022.0));
    assert_eq!(tau_syn_s(0.0), tau_syn_s(226.0));
    assert_eq!(tau_syn_s(1023.0), tau_syn_s(1022.0));
    assert!(tau_m_s(f64::NAN, &NeuronHalf::default()).is_nan());
}

#[test]
fn the_tables_agree_with_the_measured_entries() {
    for (code, tau) in
        [(10.0, 1.73228307659e-06), (102.0, 1.0081555212e-07), (511.0, 2.82404562989e-08)]
    {
        close(tau_ref_s(code), tau, 6e-4);
    }
    for (code, tau) in
        [(226.0, 1.51090529701e-06), (481.0, 2.00124567175e-07), (800.0, 1.33983810398e-07)]
    {
        close(tau_syn_s(code), tau, 6e-4);
    }
}

#[test]
fn special_codes_switch_off() {
    assert_eq!((a_s(0.0), b_a(0.0), tau_w_s(1023.0), delta_t_v(1023.0)), (0.0, 0.0, 0.0, 0.0));
    let mut gates = FloatingGates::default();
    let neuron = NeuronOnHicann::new::<300>();
    let on = circuit(&gates, &Neurons::default(), neuron);
    assert!(on.adaptation.is_some() && on.exponential.is_some());
    gates.set_neuron(neuron, NeuronParameter::IRexp, DacCode::MAX);
    gates.set_neuron(neuron, NeuronParameter::IFire, DacCode::default());
    assert!(circuit(&gates, &Neurons::default(), neuron).adaptation.is_some());
    gates.set_neuron(neuron, NeuronParameter::IGladapt, DacCode::default());
    let off = circuit(&gates, &Neurons::default(), neuron);
    assert!(off.adaptation.is_none() && off.exponential.is_none());
}

#[test]
fn reset_comes_from_the_block_of_the_column_parity() {
    let mut gates = FloatingGates::default();
    gates.set_shared(FgBlockOnHicann::new::<3>(), SharedParameter::VReset, DacCode::MAX);
    let neurons = Neurons::default();
    let reset =
        |n: usize| circuit(&gates, &neurons, NeuronOnHicann::try_from(n).unwrap()).v_reset_v;
    assert_eq!((reset(257), reset(511)), (1.8, 1.8));
    close(reset(256), 300.0 * 1.8 / 1023.0, 1e-12);
    close(reset(1), 300.0 * 1.8 / 1023.0, 1e-12);
}

#[test]
fn conductance_scales_with_gmax_over_divisors() {
    let reference = 500.0 / 2500.0 * 1023.0;
    let at = |w: usize, gmax: f64, sum: usize| {
        synapse_s(SynapseWeight::try_from(w).unwrap(), gmax, split_divisor(sum))
    };
    close(at(0, reference, 22), 93.9406513768e-9, 1e-12);
    close(at(15, reference, 22), 954.7042546333e-9, 1e-12);
    close(at(15, 2.0 * reference, 11), 4.0 * 954.7042546333e-9, 1e-12);
    assert_eq!(at(15, reference, 0), 0.0);
    assert!((1..16).all(|w| at(w, 700.0, 7) > at(w - 1, 700.0, 7)));
}

#[test]
fn route_delays() {
    close(route_delay_s(14), 120.02e-9, 1e-12);
    assert_eq!(route_delay(0), DncCycles(16));
    assert_eq!(route_delay(1), DncCycles(17));
    assert_eq!(route_delay(39), DncCycles(55));
}

#[test]
fn plasticity_without_strength_is_off() {
    let mut gates = FloatingGates::default();
    let block = FgBlockOnHicann::new::<2>();
    assert_eq!(short_term_plasticity(&gates, block), None);
    for (parameter, code) in
        [(SharedParameter::VStdf, 568), (SharedParameter::VFac, 284), (SharedParameter::VDtc, 40)]
    {
        gates.set_shared(block, parameter, DacCode::try_from(code as usize).unwrap());
    }
    let stp = short_term_plasticity(&gates, block).unwrap();
    close(stp.tau_rec_s, 15.384615373379285e-6, 1e-12);
    close(stp.lambda, 1.0, 1e-3);
    assert_eq!((stp.n_dep, stp.n_fac), (0.0, 0.5));
}

#[test]
fn slower_drivers_need_larger_codes_for_a_time() {
    let nominal = shared_transformation(SharedParameter::VDtc);
    let same = recovery_transformation(1.0).unwrap();
    let slow = recovery_transformation(1.25).unwrap();
    for tau_s in [5e-6, 10e-6, 50e-6] {
        let code = nominal.apply(tau_s, Outside::Error).unwrap();
        close(same.apply(tau_s, Outside::Error).unwrap(), code, 1e-12);
        close(slow.apply(1.25 * tau_s, Outside::Error).unwrap(), code, 1e-12);
    }
    assert!(recovery_transformation(0.0).is_err() && recovery_transformation(f64::NAN).is_err());
}

/// Invariant 17.
#[test]
fn utilisation_round_trip() {
    for capacitor in StpCapacitor::all() {
        let u = stp_utilisation(capacitor);
        assert!((0.25..=0.4 + 1e-15).contains(&u));
        assert_eq!(stp_capacitor(u), capacitor);
    }
}

/// Invariant 14.
#[test]
fn divisor_halves_add_up() {
    for sum in 0..=30 {
        let [left, right] = split_divisor(sum);
        assert_eq!(left.index() + right.index(), sum);
    }
    assert_eq!(split_divisor(99), split_divisor(30));
}

fn halves() -> impl Iterator<Item = NeuronHalf> {
    let leaks = [CurrentScaling::Slow, CurrentScaling::Normal, CurrentScaling::Fast];
    [false, true].into_iter().flat_map(move |big| leaks.map(|leak| half(big, leak)))
}

/// Invariant 3: from code to value and back changes a code by 1 at most. Equal neighbours in the
/// measured table of V_syntc all go to the last of them.
#[test]
fn codes_survive_the_round_trip() {
    for (half, parameter) in
        halves().flat_map(|half| NeuronParameter::all().map(move |parameter| (half, parameter)))
    {
        let transformation = neuron_transformation(parameter, &half);
        let (low, high) = transformation.reverse_domain();
        let (from, to) = transformation.domain();
        let codes =
            (0..1024).filter(|code| low < high && low <= *code as f64 && *code as f64 <= high);
        for code in codes {
            let value = transformation.inverse(code as f64, Outside::Error).unwrap();
            assert!(from <= value && value <= to, "{parameter:?} {code}");
            let back = nearest_code(transformation.apply(value, Outside::Error).unwrap());
            let same = transformation.inverse(back.into(), Outside::Error) == Ok(value);
            assert!(same || back.index().abs_diff(code) <= 1, "{parameter:?} {code} -> {back}");
        }
    }
}

proptest! {
    /// Invariant 6: un-clipped, slow is 9 x normal, fast a third; small at tau is big at 5 tau.
    #[test]
    fn leak_modes_are_multiples(tau in 6e-7..4e-6f64) {
        let raw = |big, leak, tau| {
            neuron_transformation(NeuronParameter::IGl, &half(big, leak))
                .apply(tau, Outside::Extrapolate).unwrap()
        };
        for big in [false, true] {
            let normal = raw(big, CurrentScaling::Normal, tau);
            close(raw(big, CurrentScaling::Slow, tau), 9.0 * normal, 1e-12);
            close(raw(big, CurrentScaling::Fast, tau), normal / 3.0, 1e-12);
        }
        let small = raw(false, CurrentScaling::Normal, tau);
        close(small, raw(true, CurrentScaling::Normal, 5.0 * tau), 1e-12);
    }
}
