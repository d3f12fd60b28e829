//! The numeric vectors of the analog dossier. Entries that depend on the two measured tables hold
//! to 2 codes (I_pl: 1) and 0.06 %, for the tables are interpolated.

mod hardware;

use std::collections::BTreeMap;
use std::path::Path;

use calib::{
    AdcCalibration, BlockCalibration, CellParameters, CircuitMode, EifCondExpIsfaIsta, IfCondExp,
    NeuronCalibration, Scaling, digital_weight, fit, realised_cell, translate_cell,
    translate_v_reset, weight_siemens, weight_us,
};
use hal::config::{CurrentScaling, NeuronParameter, SharedParameter};
use hal::law::{self, Formula, Outside, Transformation};
use hal::value::{DacCode, GmaxDivisor, SynapseWeight};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct File {
    groups: BTreeMap<String, Vec<Vector>>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    #[serde(rename = "in")]
    input: Value,
    expect: Value,
    tol: f64,
}

/// Groups that other crates test, by the file that does, which names them.
const ELSEWHERE: [(&str, &[&str]); 6] = [
    ("emulator/src/background.rs", &["bg_lfsr", "bg_random", "bg_random_mean", "bg_regular"]),
    ("emulator/src/engine/stp.rs", &["stp_dynamics"]),
    ("emulator/src/engine/cells.rs", &["coba_epsp"]),
    ("emulator/src/engine/tree/tests.rs", &["priority_encoder"]),
    ("emulator/tests/it/membrane.rs", &["lif_constant_rate"]),
    (
        "pynn-front/tests/it/analog_vectors.rs",
        &["brunel_weight", "brunel_rate", "pd_indegree", "pd_weight_inference"],
    ),
];

/// Groups about what this project does differently on purpose.
const DIFFERENT: [(&str, &[&str]); 6] = [
    (
        "an FPGA takes 25 of its clocks to the chip, not 62; pulses that cannot be sent in time are refused",
        &["playback_schedule"],
    ),
    ("membranes are solved exactly instead of in steps of Heun's method", &["heun_leak_step"]),
    (
        "a buffer per link releases pulses in order and counts late ones; none is lost by wrapping times",
        &["dnc_release"],
    ),
    ("neurons use all circuits that work, not the fixed number of the guidebook", &["fan_in"]),
    (
        "energy is estimated from 1000 W and from events, with both parts shown",
        &["energy_per_event"],
    ),
    (
        "choice among stored settings by the largest weight: `choose_v_gmax` replaces it",
        &["synapse_best_config_ess", "synapse_best_config_custom"],
    ),
];

fn file() -> File {
    serde_json::from_str(include_str!("../data/analog-vectors.json")).unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(id: &str, actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{id}: {actual} instead of {expected}");
}

fn mode(input: &Value) -> CircuitMode {
    let leak = match input["mode"].as_str().unwrap() {
        "slow" => CurrentScaling::Slow,
        "normal" => CurrentScaling::Normal,
        "fast" => CurrentScaling::Fast,
        other => panic!("mode {other}"),
    };
    CircuitMode { big_capacitor: input["bigcap"].as_bool().unwrap(), leak }
}

fn scaling(input: &Value) -> Scaling {
    let or = |key: &str, default: f64| input.get(key).map_or(default, |v| v.as_f64().unwrap());
    let default = Scaling::default();
    Scaling {
        speedup: or("speedup", default.speedup),
        alpha_v: or("alpha_v", default.alpha_v),
        shift_v: or("shift_v", default.shift_v),
    }
}

fn capacitance_f(input: &Value) -> f64 {
    let big = input["bigcap"].as_bool().unwrap();
    if big { law::BIG_CAPACITOR_F } else { law::SMALL_CAPACITOR_F }
}

fn code_tolerance(parameter: NeuronParameter) -> usize {
    match parameter {
        NeuronParameter::IPl => 1,
        NeuronParameter::VSyntcx | NeuronParameter::VSyntci => 2,
        _ => 0,
    }
}

/// Runs a check on each vector of a group.
fn each(group: &str, check: impl Fn(&Vector)) {
    let file = file();
    let vectors = &file.groups[group];
    assert!(!vectors.is_empty());
    vectors.iter().for_each(check);
}

/// Each vector of the group gives a value to a parameter and expects its code.
fn codes(group: &str, parameter: NeuronParameter, key: &str) {
    each(group, |v| {
        let code = NeuronCalibration::ideal()
            .to_code(parameter, CircuitMode::default(), number(&v.input, key))
            .unwrap();
        let off = code.index().abs_diff(v.expect.as_u64().unwrap() as usize);
        assert!(off <= code_tolerance(parameter), "{}: {code}", v.id);
    });
}

#[test]
fn every_group_is_tested_or_listed() {
    let source = concat!(include_str!("vectors.rs"), include_str!("vectors/hardware.rs"));
    let tested = |group: &str| {
        ["each(\"", "codes(\""].iter().any(|call| source.contains(&format!("{call}{group}\"")))
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (file, groups) in ELSEWHERE {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for group in groups {
            assert!(text.contains(group), "{file} does not name {group}");
        }
    }
    let listed = |lists: &[(&str, &[&str])], group: &str| {
        lists.iter().any(|(_, groups)| groups.contains(&group))
    };
    let [mut here, mut elsewhere, mut different] = [0; 3];
    for (group, vectors) in &file().groups {
        let places = [tested(group), listed(&ELSEWHERE, group), listed(&DIFFERENT, group)];
        assert_eq!(places.iter().filter(|there| **there).count(), 1, "{group}");
        let counts = [&mut here, &mut elsewhere, &mut different];
        let (count, _) = counts.into_iter().zip(places).find(|(_, there)| *there).unwrap();
        *count += vectors.len();
    }
    assert_eq!((here, elsewhere, different), (267, 41, 32));
    assert_eq!(here + elsewhere + different, 340);
}

#[test]
fn raw_values_of_adcs() {
    let volts = |adc: &AdcCalibration, v: &Vector, key| {
        let raw = v.input[key].as_u64().unwrap() as u16;
        close(&v.id, adc.volts(raw), number(&v.expect, "V"), v.tol);
    };
    each("adc_default", |v| volts(&AdcCalibration::NOMINAL, v, "raw12"));
    each("adc_ess", |v| volts(&AdcCalibration::SIMULATED_16_BIT, v, "raw16"));
    each("adc_quadratic", |v| {
        let coefficients = numbers(&v.input["coeff"]).try_into().unwrap();
        volts(&AdcCalibration { volts: coefficients }, v, "raw");
    });
}

#[test]
fn curves_of_fits() {
    each("psp_double_exp", |v| {
        let [t, height, tau_1, tau_2, start, offset] =
            ["t", "height", "tau_1", "tau_2", "start", "offset"].map(|key| number(&v.input, key));
        let volts = fit::double_exponential(t, height, tau_1, tau_2, start, offset).abs();
        close(&v.id, volts, number(&v.expect, "v"), v.tol);
    });
    each("v_syntc_softplus", |v| {
        let [x, a, b, c, offset] = ["x", "a", "b", "c", "offset"].map(|key| number(&v.input, key));
        close(&v.id, fit::softplus(x, a, b, c, offset), number(&v.expect, "log_tau"), v.tol);
    });
    each("v_convoff_hinge", |v| {
        let [x, a, b, c] = ["x", "a", "b", "c"].map(|key| number(&v.input, key));
        close(&v.id, fit::hinge(x, a, b, c), number(&v.expect, "y"), v.tol);
    });
}

#[test]
fn cells_of_floating_gates() {
    codes("fg_volt_to_dac", NeuronParameter::EL, "volt");
    each("fg_amp_to_dac", |v| {
        let current = BlockCalibration::ideal();
        let current = current.transformation(SharedParameter::VGmax0);
        let code = current.apply(number(&v.input, "nA") * 1e-9, Outside::Clip).unwrap();
        assert_eq!(law::nearest_code(code).index() as u64, v.expect.as_u64().unwrap(), "{}", v.id);
    });
    each("fg_dac_to_units", |v| {
        let code = number(&v.input, "dac");
        close(&v.id, law::volts(code), number(&v.expect, "volt"), v.tol);
        close(&v.id, law::amperes(code) * 1e9, number(&v.expect, "nA"), v.tol);
    });
}

#[test]
fn parameters_to_codes() {
    codes("E_synx", NeuronParameter::ESynx, "V");
    codes("E_l", NeuronParameter::EL, "V");
    codes("V_t", NeuronParameter::VT, "V");
    codes("I_gladapt", NeuronParameter::IGladapt, "S");
    codes("I_radapt", NeuronParameter::IRadapt, "tau_w_s");
    codes("I_rexp", NeuronParameter::IRexp, "V");
    codes("I_fire", NeuronParameter::IFire, "A");
    codes("I_pl", NeuronParameter::IPl, "tau_ref_s");
    codes("V_syntc", NeuronParameter::VSyntcx, "tau_syn_s");
}

#[test]
fn leak_in_all_modes() {
    each("I_gl", |v| {
        let tau = number(&v.input, "tau_m_s");
        let code = NeuronCalibration::ideal().to_code(NeuronParameter::IGl, mode(&v.input), tau);
        if tau == 0.0 {
            // the original silently took 409 here
            assert!(code.is_err(), "{}", v.id);
        } else {
            assert_eq!(code.unwrap().index() as u64, v.expect.as_u64().unwrap(), "{}", v.id);
        }
    });
}

#[test]
fn scaling_of_all_quantities() {
    each("scale_voltage", |v| {
        let hw = scaling(&v.input).potential_to_hw_v(number(&v.input, "mV"));
        close(&v.id, hw, number(&v.expect, "V"), v.tol);
    });
    each("scale_delta_T", |v| {
        let hw = scaling(&v.input).difference_to_hw_v(number(&v.input, "mV"));
        close(&v.id, hw, number(&v.expect, "V"), v.tol);
    });
    each("scale_tau", |v| {
        let hw = scaling(&v.input).time_to_hw_s(number(&v.input, "ms"));
        close(&v.id, hw, number(&v.expect, "s"), v.tol);
    });
    each("scale_conductance", |v| {
        let (ns, cm) = (number(&v.input, "nS"), number(&v.input, "cm_nF"));
        let hw = scaling(&v.input).conductance_to_hw_s(ns, cm, capacitance_f(&v.input));
        close(&v.id, hw, number(&v.expect, "S"), v.tol);
    });
    each("scale_current", |v| {
        let (na, cm) = (number(&v.input, "nA"), number(&v.input, "cm_nF"));
        let hw = scaling(&v.input).current_to_hw_a(na, cm, capacitance_f(&v.input));
        close(&v.id, hw, number(&v.expect, "A"), v.tol);
    });
    each("bio_time", |v| {
        let ms = scaling(&v.input).time_to_bio_ms(number(&v.input, "wall_s"));
        close(&v.id, ms * 1e-3, number(&v.expect, "bio_s"), v.tol);
    });
    each("bandwidth_bio", |v| {
        let hz = scaling(&v.input).rate_to_bio_hz(number(&v.input, "hw_events_per_s"));
        close(&v.id, hz, number(&v.expect, "bio_events_per_s"), v.tol);
    });
    each("voltage_window", |v| {
        let input = |key| number(&v.input, key);
        let scaling = Scaling::from_voltage_window(
            input("min_bio_mV"),
            input("max_bio_mV"),
            input("min_hw_V"),
            input("max_hw_V"),
        )
        .unwrap();
        close(&v.id, scaling.alpha_v, number(&v.expect, "alpha_v"), v.tol);
        close(&v.id, scaling.shift_v, number(&v.expect, "shift_v"), v.tol);
    });
}

/// The vectors leave out what does not matter to them.
fn cell(input: &Value) -> CellParameters {
    let mut cell = match input["model"].as_str().unwrap() {
        "AdEx" => serde_json::to_value(EifCondExpIsfaIsta::default()),
        _ => serde_json::to_value(IfCondExp::default()),
    }
    .unwrap();
    for (name, value) in input["bio"].as_object().unwrap() {
        cell[name] = value.clone();
    }
    cell["v_reset"] = json!(-200.0);
    match input["model"].as_str().unwrap() {
        "AdEx" => CellParameters::EifCondExpIsfaIsta(serde_json::from_value(cell).unwrap()),
        _ => CellParameters::IfCondExp(serde_json::from_value(cell).unwrap()),
    }
}

#[test]
fn cells_to_23_codes() {
    each("apply_neuron", |v| {
        let ideal = NeuronCalibration::ideal();
        let translation =
            translate_cell(&cell(&v.input), &scaling(&v.input), mode(&v.input), &ideal).unwrap();
        assert_eq!(translation.clipped, [], "{}", v.id);
        assert_eq!(v.expect.as_object().unwrap().len(), NeuronParameter::COUNT);
        for parameter in NeuronParameter::all() {
            let expected = v.expect[parameter.name()].as_u64().unwrap() as usize;
            let code = translation.codes[parameter.index()];
            let off = code.index().abs_diff(expected);
            assert!(off <= code_tolerance(parameter), "{} {parameter:?}: {code}", v.id);
        }
    });
}

#[test]
fn codes_to_cells() {
    each("reverse_neuron", |v| {
        let half = || mode(&v.input).half();
        if let Some(code) = v.input.get("I_gl") {
            let expected = number(&v.expect, "tau_m_s");
            close(&v.id, law::tau_m_s(code.as_f64().unwrap(), &half()), expected, v.tol);
        } else if let Some(code) = v.input.get("I_pl") {
            let expected = number(&v.expect, "tau_ref_s");
            close(&v.id, law::tau_ref_s(code.as_f64().unwrap()), expected, 6e-4 * expected);
        } else if let Some(code) = v.input.get("V_syntcx") {
            let expected = number(&v.expect, "tau_syn_s");
            close(&v.id, law::tau_syn_s(code.as_f64().unwrap()), expected, 6e-4 * expected);
        } else {
            let mut codes = [DacCode::default(); NeuronParameter::COUNT];
            for parameter in NeuronParameter::all() {
                if let Some(code) = v.input["dac"].get(parameter.name()) {
                    codes[parameter.index()] =
                        DacCode::try_from(code.as_u64().unwrap() as u32).unwrap();
                }
            }
            let template = CellParameters::EifCondExpIsfaIsta(EifCondExpIsfaIsta {
                cm: number(&v.input, "cm_bio_nF"),
                ..EifCondExpIsfaIsta::default()
            });
            let cell = realised_cell(
                &template,
                &codes,
                DacCode::default(),
                mode(&v.input),
                &scaling(&v.input),
                &NeuronCalibration::ideal(),
                &BlockCalibration::ideal(),
            )
            .unwrap();
            let expected = v.expect.as_object().unwrap();
            for (name, value) in
                cell.values().iter().filter(|(n, _)| !matches!(*n, "cm" | "v_reset"))
            {
                close(
                    &format!("{} {name}", v.id),
                    *value,
                    expected[*name].as_f64().unwrap(),
                    v.tol,
                );
            }
        }
    });
}

#[test]
fn shared_parameters() {
    each("shared_V_reset", |v| {
        let one_to_one = Scaling { alpha_v: 1.0, shift_v: 0.0, ..Scaling::default() };
        let mv = number(&v.input, "V") * 1e3;
        let (code, clipped) =
            translate_v_reset(mv, &one_to_one, &BlockCalibration::ideal()).unwrap();
        assert_eq!(code.index() as u64, v.expect.as_u64().unwrap(), "{}", v.id);
        assert_eq!(clipped, None);
    });
    let ideal = BlockCalibration::ideal();
    let code = |parameter, value| {
        let code = ideal.transformation(parameter).apply(value, Outside::Clip).unwrap();
        law::nearest_code(code).index() as u64
    };
    each("shared_STP", |v| {
        let lambda = number(&v.input, "lambda");
        for (name, parameter, value) in [
            ("V_dtc", SharedParameter::VDtc, number(&v.input, "tau_rec_us") * 1e-6),
            ("V_stdf", SharedParameter::VStdf, lambda),
            ("V_dep", SharedParameter::VDep, lambda * number(&v.input, "N_dep")),
            ("V_fac", SharedParameter::VFac, lambda * number(&v.input, "N_fac")),
        ] {
            assert_eq!(code(parameter, value), v.expect[name].as_u64().unwrap(), "{} {name}", v.id);
        }
    });
    each("shared_STP_reverse", |v| {
        let code = DacCode::try_from(v.input["V_dtc"].as_u64().unwrap() as u32).unwrap();
        let tau = ideal.from_code(SharedParameter::VDtc, code).unwrap();
        close(&v.id, tau * 1e6, number(&v.expect, "tau_rec_us"), v.tol);
    });
}

#[test]
fn utilisation() {
    each("stp_utilisation", |v| {
        let capacitor = (v.input["cap"].as_u64().unwrap() as u32).try_into().unwrap();
        close(&v.id, law::stp_utilisation(capacitor), number(&v.expect, "U"), v.tol);
    });
    each("stp_utilisation_inverse", |v| {
        let capacitor = law::stp_capacitor(number(&v.input, "U"));
        assert_eq!(capacitor.index() as u64, v.expect.as_u64().unwrap(), "{}", v.id);
    });
}

/// Conductances in nS at a V_gmax in nA, with the same divisor in both halves as in the original.
fn levels_ns(gmax_na: f64, divisor: u64) -> [f64; 16] {
    let code = gmax_na / 2500.0 * 1023.0;
    let divisor = GmaxDivisor::try_from(divisor as u32).unwrap();
    let weights = std::array::from_fn(|w| SynapseWeight::try_from(w).unwrap());
    weights.map(|weight| law::synapse_s(weight, code, [divisor; 2]) * 1e9)
}

#[test]
fn synapses() {
    each("synapse_analog", |v| {
        let level = levels_ns(500.0, 11)[v.input["digital"].as_u64().unwrap() as usize];
        close(&v.id, level, number(&v.expect, "nS_hw"), v.tol);
    });
    each("synapse_ess_table", |v| {
        let select = v.input["sel_vgmax"].as_u64().unwrap() as usize;
        let gmax_na = [500.0, 550.0, 650.0, 200.0][select];
        let levels = levels_ns(gmax_na, v.input["gmax_div"].as_u64().unwrap());
        if v.input.get("max_bio_weight_for_cm_nF").is_some() {
            let (cm, mode) = (number(&v.input, "max_bio_weight_for_cm_nF"), CircuitMode::default());
            let us = weight_us(levels[15] * 1e-9, cm, 1, mode, &Scaling::default());
            close(&v.id, us, number(&v.expect, "uS"), v.tol);
        } else {
            close(&v.id, levels[0], number(&v.expect, "min_nS_hw"), v.tol);
            close(&v.id, levels[15], number(&v.expect, "max_nS_hw"), v.tol);
        }
    });
    each("synapse_digital", |v| {
        // the original drew between `low` and the next; here the nearest, and 0 stands for 0 S
        let ns = number(&v.input, "nS_hw");
        let levels = levels_ns(500.0, 11);
        let expected = match v.expect["low"].as_u64().unwrap() {
            0 => u64::from(ns > levels[1] / 2.0),
            low => low + u64::from(number(&v.expect, "p_up") > 0.5),
        };
        let digital = digital_weight(ns, &levels);
        assert_eq!(digital.weight.index() as u64, expected, "{}", v.id);
        assert_eq!(digital.clipped, ns > 1000.0, "{}", v.id);
    });
    each("weight_bio_to_hw", |v| {
        let mode = CircuitMode {
            big_capacitor: v.input["bigcap"].as_bool().unwrap(),
            leak: CurrentScaling::Normal,
        };
        let (us, cm) = (number(&v.input, "w_uS"), number(&v.input, "cm_bio_nF"));
        let circuits = v.input["n_denmem"].as_u64().unwrap() as usize;
        let siemens = weight_siemens(us, cm, circuits, mode, &scaling(&v.input));
        close(&v.id, siemens * 1e9, number(&v.expect, "nS_hw"), v.tol);
    });
    each("gmax_div_split", |v| {
        let split = law::split_divisor(v.input["gmax_div"].as_u64().unwrap() as usize);
        assert_eq!(json!(split.map(GmaxDivisor::index)), v.expect, "{}", v.id);
    });
}

fn apply(formula: Formula, x: f64) -> f64 {
    // the domain of polynomials in the original
    let transformation = Transformation::new(formula, 0.0, f64::MAX).unwrap();
    transformation.apply(x, Outside::Clip).unwrap()
}

#[test]
fn transformations() {
    each("trafo_poly", |v| {
        let (low, high) = match v.input.get("domain") {
            Some(domain) => (numbers(domain)[0], numbers(domain)[1]),
            None => (0.0, f64::MAX),
        };
        let formula = Formula::Polynomial(numbers(&v.input["coeff"]));
        let outside = match v.input.get("outside").and_then(Value::as_str) {
            Some("throw") => Outside::Error,
            Some("ignore") => Outside::Extrapolate,
            _ => Outside::Clip,
        };
        let result =
            Transformation::new(formula, low, high).unwrap().apply(number(&v.input, "x"), outside);
        match v.expect.as_f64() {
            Some(y) => close(&v.id, result.unwrap(), y, v.tol),
            None => assert!(result.is_err(), "{}", v.id),
        }
    });
    each("trafo_neg_powers", |v| {
        let formula = Formula::NegativePowers(numbers(&v.input["coeff"]));
        let transformation = Transformation::new(formula, 0.0, f64::MAX).unwrap();
        let result = transformation.apply(number(&v.input, "x"), Outside::Clip);
        match v.expect.as_f64() {
            Some(y) => close(&v.id, result.unwrap(), y, v.tol),
            None => assert!(result.is_err(), "{}", v.id),
        }
    });
    each("trafo_one_over", |v| {
        let formula = Formula::OneOverPolynomial(numbers(&v.input["coeff"]));
        close(&v.id, apply(formula, number(&v.input, "x")), v.expect.as_f64().unwrap(), v.tol);
    });
    each("i_pl_one_over", |v| {
        let formula =
            Formula::OneOverPolynomial(vec![number(&v.input, "b"), number(&v.input, "a")]);
        let code = apply(formula, number(&v.input, "tau_s"));
        close(&v.id, code, number(&v.expect, "dac"), v.tol);
    });
    each("trafo_inv_quadratic", |v| {
        let m = numbers(&v.input["m"]).try_into().unwrap();
        let y = apply(Formula::InverseQuadratic(m), number(&v.input, "x"));
        close(&v.id, y, v.expect.as_f64().unwrap(), v.tol);
    });
    each("trafo_power", |v| {
        let base = Box::new(match v.input["inner"].as_str().unwrap() {
            "1/(5+x)" => Formula::OneOverPolynomial(vec![5.0, 1.0]),
            "constant 5" => Formula::Constant(5.0),
            other => panic!("{other}"),
        });
        let formula = Formula::Power { base, exponent: number(&v.input, "power") };
        close(&v.id, apply(formula, number(&v.input, "x")), v.expect.as_f64().unwrap(), v.tol);
    });
    each("trafo_sum", |v| {
        let terms = v.input["terms"].as_array().unwrap().iter();
        let terms = terms.map(|term| match term.as_str().unwrap() {
            "1+5/x" => Formula::NegativePowers(vec![1.0, 5.0]),
            "constant 7" => Formula::Constant(7.0),
            "inv_quadratic [-2,4,1,2]" => Formula::InverseQuadratic([-2.0, 4.0, 1.0, 2.0]),
            other => panic!("{other}"),
        });
        let y = apply(Formula::Sum(terms.collect()), number(&v.input, "x"));
        close(&v.id, y, v.expect.as_f64().unwrap(), v.tol);
    });
}

#[test]
fn lookups() {
    let lookup = |v: &Vector, data: Vec<f64>| {
        let offset = v.input["offset"].as_u64().unwrap() as u16;
        let code = apply(Formula::Lookup { offset, data }, number(&v.input, "x"));
        assert_eq!(code, v.expect.as_f64().unwrap(), "{}", v.id);
    };
    each("trafo_lookup_rising", |v| {
        lookup(v, (0..20).map(|i| (f64::from(i) / 20.0).exp()).collect());
    });
    each("trafo_lookup_falling", |v| {
        lookup(v, (0..45).map(|i| 1.0 / (f64::from(i) + 1.0)).collect());
    });
}
