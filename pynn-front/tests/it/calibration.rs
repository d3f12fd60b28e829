//! `bss1 calibrate` and `bss1 calibration`: one chip of wafer 30 with all noise, from its measurement
//! to its evaluation, and requests that are wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, WaferNumber};
use hal::defects::Defects;
use serde_json::Value;

const CHIP: &str = "200";

fn bss1(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bss1")).args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = bss1(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = bss1(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    message
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("calibration");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

fn file(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// A database with one chip, measured once.
fn database() -> &'static (String, Value) {
    static DATABASE: OnceLock<(String, Value)> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let path = file("wafer30.db");
        let answer = json(&["calibrate", "--wafer", "30", "--hicanns", CHIP, "--db", &path]);
        (path, answer)
    })
}

#[test]
fn a_chip_is_as_good_as_promised() {
    let (path, answer) = database();
    assert_eq!(answer["hicanns"], serde_json::json!([200]));
    assert!(answer["hardware_s"].as_f64().unwrap() > 60.0);
    let out = file("evaluation");
    let place = ["--wafer", "30", "--hicanns", CHIP, "--db", path, "--out", &out];
    let found = json(&[&["calibration", "evaluate"][..], &place].concat());
    for (name, largest, factor) in [
        ("V_t", 6.0, 2.5),
        ("V_reset", 12.0, 1.3),
        ("E_l", 12.0, 2.5),
        ("E_synx", 7.0, 2.5),
        ("E_syni", 7.0, 2.5),
        ("tau_m", 0.1, 2.5),
        ("tau_ref", 0.1, 2.5),
        ("tau_syn_x", 0.1, 2.5),
        ("tau_syn_i", 0.1, 2.5),
        ("psp", 0.2, 2.5),
    ] {
        let of = |when: &str, key: &str| found["parameters"][name][when][key].as_f64().unwrap();
        let (before, after, mean) =
            (of("before", "std"), of("after", "std"), of("after", "mean_error"));
        let allowed = if name == "V_reset" { 6.0 } else { after / 3.0 };
        assert!(after <= largest && before >= factor * after, "{name}: {before} to {after}");
        assert!(mean.abs() <= allowed, "{name}: {mean} +- {after}");
    }
    // four blocks, and so many targets
    for (name, largest) in [("stp_u", 0.06), ("stp_tau_rec", 0.08)] {
        let of = |when: &str, key: &str| found["parameters"][name][when][key].as_f64().unwrap();
        let after = of("after", "mean_error").hypot(of("after", "std"));
        let before = of("before", "mean_error").hypot(of("before", "std"));
        assert!(after < largest && after < before, "{name}: {before} to {after}");
        assert_eq!(of("after", "n"), 8.0);
    }
    // what was made defective is blacklisted, and at most 3 % of the others
    let defects = Defects::manufactured(WaferNumber(30));
    let hicann = HicannOnWafer::new::<200>();
    let made: Vec<String> = NeuronOnHicann::all()
        .filter(|n| defects.is_defective(n.on(hicann)))
        .map(|n| format!("200,{}", n.index()))
        .collect();
    let listed = fs::read_to_string(folder().join("evaluation/blacklist.csv")).unwrap();
    let listed: Vec<&str> = listed.lines().skip(1).collect();
    assert!(made.iter().all(|circuit| listed.contains(&circuit.as_str())), "{listed:?}");
    assert!(listed.len() <= made.len() + 15, "{listed:?}");
    assert_eq!(found["defective_made"], made.len());
    assert_eq!((&found["defective_missed"], &found["circuits"]), (&0.into(), &512.into()));
    for name in ["histograms.svg", "histograms.png", "report.txt", "evaluation.json"] {
        assert!(folder().join("evaluation").join(name).exists(), "{name}");
    }
}

#[test]
fn what_is_stored_is_used_shown_and_exchanged() {
    let (path, answer) = database();
    let again = json(&["calibrate", "--wafer", "30", "--hicanns", CHIP, "--db", path]);
    assert_eq!(
        (&again["hicanns"], &again["present"]),
        (&serde_json::json!([]), &answer["hicanns"])
    );
    let shown = json(&["calibration", "show", "--db", path]);
    assert_eq!(shown["chips"][0]["hicann"], 200);
    let provenance = &shown["chips"][0]["provenance"];
    assert!(provenance["wafer"].as_str().unwrap().contains("wafer 30"), "{provenance}");
    assert_eq!(
        shown["chips"][0]["blacklisted"].as_object().unwrap().len() as u64,
        answer["blacklisted"].as_u64().unwrap()
    );
    let blocks = shown["chips"][0]["blocks"].as_array().unwrap();
    let recovery = |block: &Value| block["v_dtc_for_10_us"].as_u64().unwrap();
    assert!(blocks.len() == 4 && blocks.iter().any(|block| recovery(block) != 62), "{blocks:?}");
    assert_eq!(json(&["calibration", "check", "--db", path])["circuits"], 512);
    let copy = file("copy.db");
    for form in ["json", "csv"] {
        let out = file(&format!("export.{form}"));
        json(&["calibration", "export", "--db", path, "--format", form, "--out", &out]);
        json(&["calibration", "import", &out, "--db", &copy, "--set", form]);
        let difference =
            json(&["calibration", "diff", "--db", path, "--other-db", &copy, "--other-set", form]);
        assert_eq!(difference["chips"], 1);
        for parameter in ["V_t", "V_dtc"] {
            assert_eq!(difference["codes"][parameter]["largest"], 0.0);
        }
    }
}

#[test]
fn wrong_requests_are_refused() {
    let defects = Defects::manufactured(WaferNumber(30));
    let missing = HicannOnWafer::all().find(|&h| !defects.is_usable(h)).unwrap();
    let number = missing.index().to_string();
    let db = file("wrong.db");
    let message = refused(&["calibrate", "--wafer", "30", "--hicanns", &number, "--db", &db]);
    assert!(message.contains(&format!("H{number}")), "{message}");
    for list in ["384", "5-3", "x", ""] {
        refused(&["calibrate", "--wafer", "30", "--hicanns", list, "--db", &db]);
    }
    refused(&["calibrate", "--wafer", "ideal", "--hicanns", "0", "--db", &db]);
    let nowhere = file("nowhere.db");
    for command in [&["show"][..], &["check"], &["evaluate", "--hicanns", "200"]] {
        let message = refused(&[&["calibration"], command, &["--db", &nowhere]].concat());
        assert!(message.contains("nowhere.db"), "{message}");
    }
    let foreign = file("foreign.db");
    fs::write(&foreign, "words").unwrap();
    let message = refused(&["calibration", "check", "--db", &foreign]);
    assert!(message.contains("foreign.db: not a calibration database"), "{message}");
    let message = refused(&["calibration", "import", &foreign, "--db", &db]);
    assert!(message.contains("foreign.db"), "{message}");
}
