//! Transformations as a measured calibration will use them: invertible or not, stored and loaded.

use calib::{CircuitMode, NeuronCalibration, WaferCalibration};
use hal::config::{CurrentScaling, NeuronParameter};
use hal::coord::{HicannOnWafer, NeuronOnHicann};
use hal::law::{Formula, Outside, Transformation, TransformationError};
use hal::value::DacCode;
use proptest::prelude::*;

fn line(offset: f64) -> Transformation {
    Transformation::new(Formula::Polynomial(vec![offset, 550.0]), 0.0, 1.8).unwrap()
}

#[test]
fn only_unique_inverses_are_given() {
    let parabola = |low, high| {
        Transformation::new(Formula::Polynomial(vec![0.0, 0.0, 1.0]), low, high).unwrap()
    };
    assert_eq!(parabola(0.0, 3.0).inverse(4.0, Outside::Error), Ok(2.0));
    assert_eq!(parabola(-3.0, 0.0).inverse(4.0, Outside::Error), Ok(-2.0));
    assert_eq!(
        parabola(-1.0, 3.0).inverse(4.0, Outside::Clip),
        Err(TransformationError::NotInvertible { low: -1.0, high: 3.0 })
    );
    let constant = Transformation::new(Formula::Constant(5.0), 0.0, 1.0).unwrap();
    assert!(constant.inverse(5.0, Outside::Clip).is_err());
    // a pole inside the domain
    let pole = Transformation::new(Formula::OneOverPolynomial(vec![-1.0, 1.0]), 0.0, 3.0).unwrap();
    assert!(pole.inverse(0.4, Outside::Clip).is_err());
}

#[test]
fn unsorted_tables_are_refused() {
    for data in [vec![], vec![1.0, 3.0, 2.0], vec![3.0, 1.0, 2.0], vec![1.0, f64::NAN]] {
        let lookup = Formula::Lookup { offset: 0, data };
        assert!(Transformation::new(lookup, 0.0, 1.0).is_err());
    }
}

#[test]
fn rising_tables_give_one_less_at_their_first_entry() {
    let lookup = Formula::Lookup { offset: 7, data: vec![1.0, 2.0, 3.0] };
    let lookup = Transformation::new(lookup, 1.0, 3.0).unwrap();
    assert_eq!(lookup.apply(1.0, Outside::Error), Ok(6.0));
    assert_eq!(lookup.apply(1.5, Outside::Error), Ok(7.0));
    assert_eq!(lookup.inverse(8.0, Outside::Error), Ok(2.0));
}

#[test]
fn storing_checks_what_it_loads() {
    let text = serde_json::to_string(&line(3.0)).unwrap();
    assert_eq!(serde_json::from_str::<Transformation>(&text).unwrap(), line(3.0));
    let empty = text.replace("\"high\":1.8", "\"high\":-1.8");
    assert!(serde_json::from_str::<Transformation>(&empty).is_err());
}

#[test]
fn measured_transformations_replace_nominal_ones() {
    let mut calibration = NeuronCalibration::ideal();
    let normal = CircuitMode::default();
    let slow = CircuitMode { leak: CurrentScaling::Slow, ..normal };
    calibration.set(NeuronParameter::EL, normal, line(3.0));
    calibration.set(NeuronParameter::EL, slow, line(7.0));
    calibration.set(NeuronParameter::IGl, slow, line(9.0));
    // the mode matters for the leak conductance only
    assert_eq!(calibration.transformation(NeuronParameter::EL, normal), &line(7.0));
    assert_eq!(calibration.transformation(NeuronParameter::IGl, slow), &line(9.0));
    let ideal = NeuronCalibration::ideal();
    for parameter in [NeuronParameter::IGl, NeuronParameter::VT] {
        assert_eq!(
            calibration.transformation(parameter, normal),
            ideal.transformation(parameter, normal)
        );
    }
    let code = calibration.to_code(NeuronParameter::EL, normal, 1.0).unwrap();
    assert_eq!(code, DacCode::new::<557>());
}

#[test]
fn chips_without_measurement_are_ideal() {
    let (measured, other) = (HicannOnWafer::new::<33>(), HicannOnWafer::new::<34>());
    let neuron = NeuronOnHicann::new::<5>();
    let mode = CircuitMode::default();
    let mut wafer = WaferCalibration::ideal();
    wafer.hicanns.entry(measured).or_default().neurons[neuron].set(
        NeuronParameter::VT,
        mode,
        line(0.0),
    );
    assert_ne!(wafer.hicann(measured).neurons[neuron], NeuronCalibration::ideal());
    assert_eq!(wafer.hicann(other).neurons[neuron], NeuronCalibration::ideal());
    let text = serde_json::to_string(&wafer).unwrap();
    assert_eq!(serde_json::from_str::<WaferCalibration>(&text).unwrap(), wafer);
}

proptest! {
    /// Whatever is invertible is inverted.
    #[test]
    fn inverse_of_apply(a in prop::collection::vec(1e-3..10.0f64, 2..6), x in 0.01..50.0f64) {
        for formula in [
            Formula::Polynomial(a.clone()),
            Formula::NegativePowers(a.clone()),
            Formula::OneOverPolynomial(a.clone()),
            Formula::InverseQuadratic([a[0], a[1], 1.0, -a[0]]),
        ] {
            let transformation = Transformation::new(formula, 0.005, 100.0).unwrap();
            let y = transformation.apply(x, Outside::Error).unwrap();
            let back = transformation.inverse(y, Outside::Error).unwrap();
            let y_again = transformation.apply(back, Outside::Error).unwrap();
            prop_assert!((y_again - y).abs() <= 1e-9 * y.abs(), "{} -> {}", x, back);
        }
    }
}
