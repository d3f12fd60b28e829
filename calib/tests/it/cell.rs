//! Cells as users write them: refused, clipped or realised.

use calib::{
    BlockCalibration, CellParameters, CircuitMode, EifCondExpIsfaIsta, IfCondExp,
    NeuronCalibration, Scaling, TranslateError, Translation, realised_cell, translate_cell,
    translate_v_reset,
};
use hal::config::{CurrentScaling, NeuronParameter};
use hal::law::Transformation;
use hal::value::DacCode;
use proptest::prelude::*;

fn lif(change: impl FnOnce(&mut IfCondExp)) -> CellParameters {
    let mut cell = IfCondExp { tau_refrac: 1.0, ..IfCondExp::default() };
    change(&mut cell);
    CellParameters::IfCondExp(cell)
}

fn adex(change: impl FnOnce(&mut EifCondExpIsfaIsta)) -> CellParameters {
    let mut cell =
        EifCondExpIsfaIsta { tau_refrac: 1.0, delta_t: 1.0, ..EifCondExpIsfaIsta::default() };
    change(&mut cell);
    CellParameters::EifCondExpIsfaIsta(cell)
}

fn translate(cell: CellParameters) -> Result<Translation, TranslateError> {
    let ideal = NeuronCalibration::ideal();
    translate_cell(&cell, &Scaling::default(), CircuitMode::default(), &ideal)
}

fn clipped(cell: CellParameters) -> Vec<(&'static str, f64)> {
    translate(cell).unwrap().clipped.iter().map(|c| (c.parameter, c.realised)).collect()
}

#[test]
fn the_names_are_those_of_pynn() {
    let cell =
        serde_json::to_value(CellParameters::EifCondExpIsfaIsta(EifCondExpIsfaIsta::default()))
            .unwrap();
    let cell = &cell["EIF_cond_exp_isfa_ista"];
    assert_eq!((&cell["tau_syn_E"], &cell["delta_T"]), (&5.0.into(), &2.0.into()));
    let cell = adex(|_| ());
    let names: Vec<&str> = cell.values().iter().map(|(name, _)| *name).collect();
    let stored = serde_json::to_value(cell).unwrap()["EIF_cond_exp_isfa_ista"].clone();
    assert!(names.iter().all(|name| stored.get(name).is_some()));
    assert_eq!(names.len(), stored.as_object().unwrap().len());
    let unknown = r#"{"IF_cond_exp": {"tau_n": 3.0}}"#;
    assert!(serde_json::from_str::<CellParameters>(unknown).is_err());
}

#[test]
fn unphysical_values_are_named() {
    for (cell, parameter) in [
        (lif(|c| c.tau_m = 0.0), "tau_m"),
        (lif(|c| c.tau_m = -5.0), "tau_m"),
        (lif(|c| c.tau_syn_e = f64::NAN), "tau_syn_E"),
        (lif(|c| c.tau_refrac = -0.1), "tau_refrac"),
        (lif(|c| c.cm = 0.0), "cm"),
        (lif(|c| c.e_rev_i = f64::INFINITY), "e_rev_I"),
        (lif(|c| c.v_thresh = c.v_reset), "v_thresh"),
        (adex(|c| c.v_spike = -90.0), "v_spike"),
        (adex(|c| (c.delta_t, c.v_thresh) = (0.0, -90.0)), "v_thresh"),
        (adex(|c| c.delta_t = -1.0), "delta_T"),
        (adex(|c| c.tau_w = 0.0), "tau_w"),
    ] {
        let error = cell.validate().unwrap_err();
        assert_eq!(error.parameter, parameter);
        assert!(error.to_string().contains(parameter), "{error}");
        assert_eq!(translate(cell).unwrap_err().to_string(), error.to_string());
    }
    // bursting: the reset lies above the onset of the exponential term
    assert_eq!(adex(|c| (c.v_thresh, c.v_reset) = (-50.0, -46.0)).validate(), Ok(()));
}

#[test]
fn reachable_cells_are_not_clipped() {
    assert_eq!(clipped(lif(|_| ())), []);
    assert_eq!(clipped(adex(|_| ())), []);
}

#[test]
fn values_within_a_factor_of_two_are_clipped() {
    let tau_m = clipped(lif(|c| c.tau_m = 3.0));
    assert_eq!(tau_m.len(), 1);
    assert!(tau_m[0].0 == "tau_m" && (tau_m[0].1 - 5.41).abs() < 0.01, "{tau_m:?}");
    let tau_syn = clipped(lif(|c| c.tau_syn_i = 25.0));
    assert!(tau_syn[0].0 == "tau_syn_I" && (tau_syn[0].1 - 15.1).abs() < 0.01, "{tau_syn:?}");
    // 2.0 V is 0.2 V beyond the cell
    let v_rest = clipped(lif(|c| c.v_rest = 80.0));
    assert!(v_rest[0].0 == "v_rest" && (v_rest[0].1 - 60.0).abs() < 1e-9, "{v_rest:?}");
    // any short refractory time is clipped: PyNN's default of 0.1 ms and 0 as well
    for tau_refrac in [0.1, 0.0] {
        let clipped = clipped(lif(|c| c.tau_refrac = tau_refrac));
        assert!(clipped[0].0 == "tau_refrac" && (clipped[0].1 - 0.1475).abs() < 1e-3);
    }
}

#[test]
fn values_far_out_of_reach_are_refused_with_their_interval() {
    for (cell, name) in [
        (lif(|c| c.tau_m = 2.0), "tau_m"),
        (lif(|c| c.tau_m = 1000.0), "tau_m"),
        (lif(|c| c.tau_syn_e = 0.5), "tau_syn_E"),
        (lif(|c| c.tau_refrac = 40.0), "tau_refrac"),
        (lif(|c| c.e_rev_e = 1000.0), "e_rev_E"),
        (adex(|c| c.a = -1.0), "a"),
        (adex(|c| c.b = 1.0), "b"),
        (adex(|c| c.tau_w = 5000.0), "tau_w"),
    ] {
        let error = translate(cell).unwrap_err();
        let TranslateError::OutOfReach { parameter, value, low, high, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(parameter, name);
        assert!(value < low || value > high);
        assert!(error.to_string().contains(name), "{error}");
    }
    // but what is switched off has no limits
    assert!(translate(adex(|c| (c.a, c.b, c.tau_w) = (0.0, 0.0, 5000.0))).is_ok());
}

#[test]
fn a_slow_circuit_refuses_nothing_that_a_nominal_one_takes() {
    let (mode, scaling) = (CircuitMode::default(), Scaling::default());
    let mut slow = NeuronCalibration::ideal();
    let key = (mode.big_capacitor, mode.leak);
    slow.set(
        NeuronParameter::IGl,
        mode,
        Transformation::nominal(NeuronParameter::IGl, key, 3.0, 1.0).unwrap(),
    );
    let translate = |tau_m| translate_cell(&lif(|c| c.tau_m = tau_m), &scaling, mode, &slow);
    // a nominal circuit does 5.41 ms, this one 16.2 ms
    let clipped = translate(6.0).unwrap().clipped;
    assert!(clipped[0].parameter == "tau_m" && (clipped[0].realised - 16.2).abs() < 0.1);
    assert!(matches!(translate(2.0), Err(TranslateError::OutOfReach { .. })));
}

#[test]
fn slow_and_fast_has_no_law() {
    let mode = CircuitMode { big_capacitor: true, leak: CurrentScaling::SlowAndFast };
    let result =
        translate_cell(&lif(|_| ()), &Scaling::default(), mode, &NeuronCalibration::ideal());
    assert_eq!(result, Err(TranslateError::SlowAndFast));
}

#[test]
fn reset_potentials() {
    let ideal = BlockCalibration::ideal();
    let translate = |mv| translate_v_reset(mv, &Scaling::default(), &ideal);
    assert_eq!(translate(-70.0), Ok((DacCode::new::<284>(), None)));
    let (code, clipped) = translate(80.0).unwrap();
    assert_eq!((code, clipped.unwrap().parameter), (DacCode::MAX, "v_reset"));
    assert!(translate(500.0).is_err());
    // the voltage of a code keeps the code
    for code in (0..1024).map(|code| DacCode::try_from(code as usize).unwrap()) {
        let mv = Scaling::default().potential_to_bio_mv(hal::law::volts(code));
        assert_eq!(translate(mv), Ok((code, None)));
    }
}

fn realise(cell: &CellParameters, scaling: &Scaling, mode: CircuitMode) -> CellParameters {
    let (neuron, block) = (NeuronCalibration::ideal(), BlockCalibration::ideal());
    let codes = translate_cell(cell, scaling, mode, &neuron).unwrap().codes;
    let (v_reset, _) = translate_v_reset(cell.v_reset(), scaling, &block).unwrap();
    realised_cell(cell, &codes, v_reset, mode, scaling, &neuron, &block).unwrap()
}

#[test]
fn parts_that_are_off_keep_the_template() {
    let cell = adex(|c| (c.a, c.b, c.delta_t, c.tau_w) = (0.0, 0.0, 0.0, 777.0));
    let CellParameters::EifCondExpIsfaIsta(realised) =
        realise(&cell, &Scaling::default(), CircuitMode::default())
    else {
        panic!("the model changed")
    };
    assert_eq!((realised.a, realised.b, realised.delta_t), (0.0, 0.0, 0.0));
    assert_eq!((realised.tau_w, realised.v_spike, realised.cm), (777.0, -40.0, 0.281));
    assert!((realised.v_thresh + 50.4).abs() < 0.09);
}

proptest! {
    /// What is realised lies within a step of the cells, and is realised exactly when asked for.
    #[test]
    fn realised_cells_are_near_and_stable(
        v in (-90.0..-60.0f64, -50.0..-30.0f64),
        tau in (8.0..60.0f64, 0.2..15.0f64, 1.4..10.0f64),
        adaptation in (1.0..20.0f64, 0.01..0.08f64, 30.0..300.0f64, 0.2..1.3f64),
    ) {
        let cell = adex(|c| {
            (c.v_rest, c.v_thresh) = v;
            c.v_reset = v.0;
            c.v_spike = -20.0;
            (c.tau_m, c.tau_refrac, c.tau_syn_e) = tau;
            (c.a, c.b, c.tau_w, c.delta_t) = adaptation;
        });
        let (scaling, mode) = (Scaling::default(), CircuitMode::default());
        let once = realise(&cell, &scaling, mode);
        for ((name, wanted), (_, got)) in cell.values().into_iter().zip(once.values()) {
            let near = match name {
                "v_rest" | "v_thresh" | "v_spike" | "e_rev_E" | "e_rev_I" => 0.09,
                "v_reset" => 0.18,
                // a table gives the last entry that is not below
                _ => 0.1 * wanted,
            };
            prop_assert!((wanted - got).abs() <= near, "{name}: {wanted} {got}");
        }
        let twice = realise(&once, &scaling, mode);
        let codes = |cell: &CellParameters| {
            translate_cell(cell, &scaling, mode, &NeuronCalibration::ideal()).unwrap().codes
        };
        let (first, second) = (codes(&once), codes(&twice));
        for p in NeuronParameter::all() {
            // equal neighbours in the table of V_syntc go to the last of them
            let same = matches!(p, NeuronParameter::VSyntcx | NeuronParameter::VSyntci);
            prop_assert!(same || first[p.index()] == second[p.index()], "{p:?}");
        }
    }
}
