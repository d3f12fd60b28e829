//! The invariants of calibration (analog §9), by number. 3, 6, 14 and 17 are tested in hal beside
//! the law; 13 orders the keys of stored synapse calibrations, which do not exist here.

use calib::{
    BlockCalibration, CellParameters, CircuitMode, EifCondExpIsfaIsta, IfCondExp,
    NeuronCalibration, Scaling, digital_weight, translate_cell, translate_v_reset, weight_siemens,
    weight_us,
};
use hal::config::{CurrentScaling, NeuronParameter as P, SharedParameter};
use hal::coord::Coordinate;
use hal::law::{self, Formula, Outside, Transformation};
use hal::value::{DacCode, SynapseWeight};
use proptest::prelude::*;

fn parameters() -> impl Strategy<Value = P> {
    (0..P::COUNT).prop_map(|i| P::all().nth(i).unwrap())
}

fn modes() -> impl Strategy<Value = CircuitMode> {
    let leak = prop_oneof![
        Just(CurrentScaling::Slow),
        Just(CurrentScaling::Normal),
        Just(CurrentScaling::Fast)
    ];
    (any::<bool>(), leak).prop_map(|(big_capacitor, leak)| CircuitMode { big_capacitor, leak })
}

fn scalings() -> impl Strategy<Value = Scaling> {
    (1e3..1e5f64, 1.0..20.0f64, 0.0..1.8f64).prop_map(|(speedup, alpha_v, shift_v)| Scaling {
        speedup,
        alpha_v,
        shift_v,
    })
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}

/// The ratio of code to value does not change its sign.
fn rises(parameter: P) -> Option<bool> {
    match parameter {
        P::IGl | P::IPl | P::VSyntci | P::VSyntcx | P::IRadapt => Some(false),
        P::EL | P::ESyni | P::ESynx | P::VT | P::VExp | P::IGladapt | P::IRexp | P::IFire => {
            Some(true)
        }
        _ => None,
    }
}

/// A point of an interval.
fn at((low, high): (f64, f64), position: f64) -> f64 {
    low + (high - low) * position
}

proptest! {
    /// 1. Every finite value has a code; only tau_m = 0, a pole, is an error.
    #[test]
    fn n01_every_value_has_a_code(parameter in parameters(), mode in modes(), x in prop::num::f64::NORMAL) {
        for x in [x, x.signum() * 1e-6, x.signum() * f64::MIN_POSITIVE] {
            prop_assert!(NeuronCalibration::ideal().to_code(parameter, mode, x).is_ok());
        }
        let at_zero = NeuronCalibration::ideal().to_code(parameter, mode, 0.0);
        prop_assert_eq!(at_zero.is_err(), parameter == P::IGl);
    }

    /// 2. Codes fall with time constants, and rise with everything else.
    #[test]
    fn n02_codes_are_monotone(
        parameter in parameters(),
        mode in modes(),
        positions in (0.0..=1.0f64, 0.0..=1.0f64),
    ) {
        let Some(rises) = rises(parameter) else { return Ok(()) };
        let ideal = NeuronCalibration::ideal();
        let domain = ideal.transformation(parameter, mode).domain();
        let code = |x| ideal.to_code(parameter, mode, x).unwrap();
        let (low, high) = (positions.0.min(positions.1), positions.0.max(positions.1));
        let (low, high) = (code(at(domain, low)), code(at(domain, high)));
        let in_order = if rises { low <= high } else { low >= high };
        prop_assert!(in_order);
    }

    /// 4. Every scaling has its inverse, and speedups compose.
    #[test]
    fn n04_scaling_is_invertible(
        scaling in scalings(),
        x in 1e-3..1e3f64,
        cm in 0.01..2.0f64,
        mode in modes(),
    ) {
        let c = law::capacitance_f(&mode.half());
        let s = scaling;
        prop_assert!(close(s.time_to_bio_ms(s.time_to_hw_s(x)), x, 1e-12));
        prop_assert!(close(s.rate_to_bio_hz(s.rate_to_hw_hz(x)), x, 1e-12));
        prop_assert!(close(s.difference_to_bio_mv(s.difference_to_hw_v(x)), x, 1e-12));
        prop_assert!(close(s.conductance_to_bio_ns(s.conductance_to_hw_s(x, cm, c), cm, c), x, 1e-12));
        prop_assert!(close(s.current_to_bio_na(s.current_to_hw_a(x, cm, c), cm, c), x, 1e-12));
        // relative to the size of the shift, where digits are lost
        let mv = s.potential_to_bio_mv(s.potential_to_hw_v(x));
        prop_assert!((mv - x).abs() <= 1e-12 * (x + 1e3 * s.shift_v / s.alpha_v));
        let twice = Scaling { speedup: 2.0 * s.speedup, ..s };
        prop_assert!(close(s.time_to_hw_s(x) / 2.0, twice.time_to_hw_s(x), 1e-12));
    }

    /// 5. A voltage window maps its ends exactly; an empty one is refused.
    #[test]
    fn n05_voltage_window(bio in (-200.0..200.0f64, -200.0..200.0f64), hw in (0.0..0.9f64, 0.91..1.8f64)) {
        match Scaling::from_voltage_window(bio.0, bio.1, hw.0, hw.1) {
            Ok(scaling) => {
                prop_assert!(bio.0 < bio.1 && scaling.alpha_v > 0.0);
                let slack = 1e-12 * (1.0 + scaling.alpha_v);
                prop_assert!((scaling.potential_to_hw_v(bio.0) - hw.0).abs() < slack);
                prop_assert!((scaling.potential_to_hw_v(bio.1) - hw.1).abs() < slack);
            }
            Err(_) => prop_assert!(bio.0 >= bio.1),
        }
    }

    /// 7. AdEx without adaptation and exponential term is LIF.
    #[test]
    fn n07_adex_without_extras_is_lif(v_thresh in -55.0..-41.0f64, tau_m in 6.0..400.0f64) {
        let lif = IfCondExp { v_thresh, tau_m, v_reset: -70.0, ..IfCondExp::default() };
        let adex = EifCondExpIsfaIsta {
            cm: lif.cm, tau_m, tau_refrac: lif.tau_refrac, tau_syn_e: lif.tau_syn_e,
            tau_syn_i: lif.tau_syn_i, v_rest: lif.v_rest, v_reset: lif.v_reset, v_thresh,
            v_spike: -40.0, delta_t: 0.0, a: 0.0, b: 0.0, tau_w: 1e4,
            e_rev_e: lif.e_rev_e, e_rev_i: lif.e_rev_i,
        };
        let translate = |cell| {
            let ideal = NeuronCalibration::ideal();
            translate_cell(&cell, &Scaling::default(), CircuitMode::default(), &ideal).unwrap()
        };
        prop_assert_eq!(
            translate(CellParameters::IfCondExp(lif)),
            translate(CellParameters::EifCondExpIsfaIsta(adex))
        );
    }

    /// 9. The weight scale is proportional to the number of joined circuits.
    #[test]
    fn n09_weights_scale_with_circuits(us in 1e-5..0.1f64, cm in 0.1..1.0f64, n in 1usize..=64) {
        let mode = CircuitMode::default();
        let scaling = Scaling::default();
        let one = weight_siemens(us, cm, 1, mode, &scaling);
        let all = weight_siemens(us, cm, n, mode, &scaling);
        prop_assert!(close(all, n as f64 * one, 1e-12));
        prop_assert!(close(weight_us(all, cm, n, mode, &scaling), us, 1e-12));
    }

    /// 10. Conductance rises with the weight; every level but the parasitic one of weight 0 is its
    /// own nearest; the nearest is at most half a step away.
    #[test]
    fn n10_digital_weights(gmax in 1usize..1024, sum in 1usize..=30, position in 0.0..1.2f64) {
        let gmax = DacCode::try_from(gmax).unwrap();
        let levels: [f64; 16] = std::array::from_fn(|w| {
            law::synapse_s(SynapseWeight::try_from(w).unwrap(), gmax, law::split_divisor(sum))
        });
        prop_assert!(levels.is_sorted_by(|a, b| a < b));
        for weight in SynapseWeight::all().skip(1) {
            prop_assert_eq!(digital_weight(levels[weight.index()], &levels).weight, weight);
        }
        let wanted = position * levels[15];
        let digital = digital_weight(wanted, &levels);
        let real = |w: usize| if w == 0 { 0.0 } else { levels[w] };
        let error = (real(digital.weight.index()) - wanted).abs();
        prop_assert!((0..16).all(|w| error <= (real(w) - wanted).abs()));
        prop_assert!(!digital.clipped || digital.weight == SynapseWeight::MAX);
    }

    /// 11. Clipping takes the value at the nearer end; without it, outside is an error.
    #[test]
    fn n11_outside_the_domain(
        parameter in parameters().prop_filter("constants have no limits", |p| rises(*p).is_some()),
        mode in modes(),
        beyond in 1e-9..1e3f64,
        above in any::<bool>(),
    ) {
        let ideal = NeuronCalibration::ideal();
        let transformation = ideal.transformation(parameter, mode);
        let (low, high) = transformation.domain();
        let end = if above { high } else { low };
        let outside = if above { high + beyond } else { low - beyond };
        prop_assert!(transformation.apply(outside, Outside::Error).is_err());
        prop_assert!(transformation.apply(end, Outside::Error).is_ok());
        prop_assert_eq!(
            transformation.apply(outside, Outside::Clip),
            transformation.apply(end, Outside::Clip)
        );
    }

    /// 12. The reverse domain is spanned by the values at both ends; NaN is no end.
    #[test]
    fn n12_reverse_domain(parameter in parameters(), mode in modes()) {
        let ideal = NeuronCalibration::ideal();
        let transformation = ideal.transformation(parameter, mode);
        let (low, high) = transformation.domain();
        let value = |x| transformation.apply(x, Outside::Error).unwrap();
        let (a, b) = (value(low), value(high));
        prop_assert_eq!(transformation.reverse_domain(), (a.min(b), a.max(b)));
        let formula = || transformation.formula().clone();
        prop_assert!(Transformation::new(formula(), f64::NAN, high).is_err());
        prop_assert!(Transformation::new(formula(), low, f64::NAN).is_err());
        prop_assert!(Transformation::new(Formula::Constant(f64::NAN), 0.0, 1.0).is_err());
    }

    /// 15. V_reset is truncated.
    #[test]
    fn n15_reset_is_truncated(v in 0.0..=1.8f64) {
        let scaling = Scaling { alpha_v: 1.0, shift_v: 0.0, ..Scaling::default() };
        let ideal = BlockCalibration::ideal();
        let (code, clipped) = translate_v_reset(v * 1e3, &scaling, &ideal).unwrap();
        // voltages of codes may stand one rounding error below them
        let code_of = |v: f64| (v * 1023.0 / 1.8 + 1e-9).floor() as usize;
        prop_assert_eq!(code.index(), code_of(v));
        prop_assert_eq!(clipped, None);
    }

    /// 16. Short-term plasticity survives the round trip.
    #[test]
    fn n16_plasticity_round_trip(tau_us in 5.0..10.0f64, lambda in 0.5..1.0f64, n in 0.0..1.0f64) {
        let ideal = BlockCalibration::ideal();
        let there_and_back = |parameter, value| {
            let code = ideal.transformation(parameter).apply(value, Outside::Clip).unwrap();
            ideal.from_code(parameter, law::nearest_code(code)).unwrap()
        };
        let tau = there_and_back(SharedParameter::VDtc, tau_us * 1e-6);
        prop_assert!((tau * 1e6 - tau_us).abs() < 0.5);
        let strength = there_and_back(SharedParameter::VStdf, lambda);
        prop_assert!((strength - lambda).abs() < 0.05);
        let offset = there_and_back(SharedParameter::VFac, lambda * n);
        prop_assert!((offset / strength - n).abs() < 0.05);
    }
}

/// 8. Zero switches off, in both directions.
#[test]
fn n08_zero_switches_off() {
    let ideal = NeuronCalibration::ideal();
    let mode = CircuitMode::default();
    let cell = EifCondExpIsfaIsta { a: 0.0, delta_t: 0.0, ..EifCondExpIsfaIsta::default() };
    let cell = CellParameters::EifCondExpIsfaIsta(cell);
    let codes = translate_cell(&cell, &Scaling::default(), mode, &ideal).unwrap().codes;
    assert_eq!(codes[P::IGladapt.index()], DacCode::default());
    assert_eq!(codes[P::IRexp.index()], DacCode::MAX);
    assert!(codes[P::IFire.index()] > DacCode::default());
    for (parameter, code) in [
        (P::IGladapt, DacCode::default()),
        (P::IFire, DacCode::default()),
        (P::IRexp, DacCode::MAX),
        (P::IRadapt, DacCode::MAX),
    ] {
        assert_eq!(ideal.from_code(parameter, mode, code), Ok(0.0));
    }
}
