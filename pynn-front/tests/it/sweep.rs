//! Sweeps on one mapping, second samples, and runs side by side, as the program does them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use marocco::SavedMapping;
use pynn_front::experiment::Experiment;
use pynn_front::experiment::sweep::Sweep;
use serde_json::Value;

fn sweep(settings: &[&str]) -> Result<Sweep, String> {
    let experiment = Experiment::find("balanced-random-network").unwrap();
    let settings: Vec<String> = settings.iter().map(|&s| s.to_owned()).collect();
    Sweep::new(experiment, &settings).map_err(|e| e.to_string())
}

/// Runs the program in a fresh folder, and returns the folder and the answer.
fn run(name: &str, arguments: &[&str]) -> (PathBuf, Value) {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&out);
    let output = Command::new(env!("CARGO_BIN_EXE_bss1"))
        .args(arguments)
        .args(["--json", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (out, serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn lists_are_every_combination() {
    let both = sweep(&["g=8,1", "eta=1.6,0.8", "simulation_time=500"]).unwrap();
    let names: Vec<String> = both.points.iter().map(|p| both.name(p)).collect();
    assert_eq!(names, ["g1-eta0.8", "g8-eta0.8", "g1-eta1.6", "g8-eta1.6"]);
    // the links are laid out for the largest rates, and 30 neurons isolated where g is small
    let mapped = both.mapped().unwrap();
    assert_eq!(mapped.values()["eta"].to_string(), "1.6");
    assert_eq!(mapped.values()["readout"].to_string(), "isolated");
    let readouts: Vec<String> =
        both.points.iter().map(|p| p.values()["readout"].to_string()).collect();
    assert_eq!(readouts, ["isolated", "all", "isolated", "all"]);
    assert!(both.points.iter().all(|p| p.values()["simulation_time"].to_string() == "500"));
}

#[test]
fn single_points_read_all_unless_told_otherwise() {
    let one = sweep(&["g=1"]).unwrap();
    assert_eq!(one.points.len(), 1);
    assert_eq!(one.points[0].values()["readout"].to_string(), "auto");
    assert_eq!(sweep(&["g=1,1"]).unwrap().points.len(), 1);
}

#[test]
fn lists_of_what_shapes_the_mapping_are_refused() {
    let message = sweep(&["scale=6,60"]).unwrap_err();
    assert_eq!(
        message,
        "scale takes one value; lists leave the mapping as it is and are for g, eta"
    );
    assert!(sweep(&["g=1,x"]).unwrap_err().contains("g=x is not possible"));
    assert!(sweep(&["gg=1,2"]).unwrap_err().contains("unknown parameter `gg`"));
}

#[test]
fn a_sweep_changes_weights_and_inputs_only() {
    let (out, report) = run(
        "sweep",
        &[
            "experiment",
            "run",
            "balanced-random-network",
            "--set",
            "scale=100",
            "--set",
            "g=4,8",
            "--set",
            "eta=0.8,1.6",
            "--set",
            "simulation_time=200",
        ],
    );
    let points = report["points"].as_array().unwrap();
    let neurons: Vec<u64> =
        points.iter().map(|p| p["wafer"]["neurons"].as_u64().unwrap()).collect();
    assert_eq!(neurons, [30, 125, 30, 125]);
    let mappings: Vec<SavedMapping> = ["g4-eta0.8", "g8-eta0.8"]
        .iter()
        .map(|point| hal::archive::read(&out.join(point).join("mapping.bss1")).unwrap())
        .collect();
    let [four, eight] = mappings.as_slice() else { panic!("two points") };
    assert_eq!(four.mapping.placement, eight.mapping.placement);
    assert_eq!(four.mapping.routes, eight.mapping.routes);
    assert_ne!(four.words, eight.words);
    // isolated neurons have chips of their own
    let neurons = &four.mapping.placement.neurons;
    let chip = |member: usize| neurons[member].map(|n| n.hicann).unwrap();
    let alone = |member: usize| (0..125).filter(|&other| chip(other) == chip(member)).count() == 1;
    assert!((0..24).chain(100..106).all(alone) && !alone(50));
    // new weights need less than a new wafer
    let again = &points[1]["accounting"]["again"];
    let first = &points[1]["accounting"]["first"];
    assert!(again["words"].as_u64().unwrap() > 0);
    assert!(again["words"].as_u64().unwrap() < first["words"].as_u64().unwrap());
    assert!(again["hardware_s"].as_f64().unwrap() < 0.5 * first["hardware_s"].as_f64().unwrap());
    for file in report["files"].as_array().unwrap() {
        assert!(Path::new(file.as_str().unwrap()).is_file(), "{file}");
    }
}

#[test]
fn weights_of_the_microcircuit_are_swept_with_their_second_samples() {
    let settings = ["scale=0.01", "w_exc_factor=0.1,0.5", "simulation_time=100"];
    let settings = settings.into_iter().chain(["second_sample_after_s=0.1"]);
    let arguments: Vec<&str> = ["experiment", "run", "cortical-microcircuit"]
        .into_iter()
        .chain(settings.flat_map(|setting| ["--set", setting]))
        .collect();
    let (out, report) = run("microcircuit-sweep", &arguments);
    let points = report["points"].as_array().unwrap();
    let rates: Vec<f64> = points.iter().map(|p| p["wafer"]["rate_hz"].as_f64().unwrap()).collect();
    assert!(rates[1] > rates[0], "{rates:?}");
    for point in ["w_exc_factor0.1", "w_exc_factor0.5"] {
        assert!(out.join(point).join("second/report.json").is_file(), "{point}");
    }
}

/// Lines of spikes within a time, which is counted from its start.
fn spikes(folder: &Path, from_ms: f64, to_ms: f64) -> Vec<String> {
    let text = fs::read_to_string(folder.join("spikes.csv")).unwrap();
    let cut = |line: &str| {
        let (who, time) = line.rsplit_once(',')?;
        let time: f64 = time.parse().ok()?;
        (from_ms..to_ms).contains(&time).then(|| format!("{who},{:.3}", time - from_ms))
    };
    text.lines().filter_map(cut).collect()
}

#[test]
fn a_second_sample_is_what_a_longer_run_ends_with() {
    let circuit = ["experiment", "run", "cortical-microcircuit", "--set", "scale=0.01", "--set"];
    let with =
        |more: &[&'static str]| circuit.iter().copied().chain(more.iter().copied()).collect();
    let more = ["simulation_time=300", "--set", "second_sample_after_s=0.2"];
    let arguments: Vec<&str> = with(&more);
    let (two, report) = run("two-samples", &arguments);
    let arguments: Vec<&str> = with(&["simulation_time=800"]);
    let (long, _) = run("long-run", &arguments);
    assert_eq!(report["second_sample"]["after_s"], 0.2);
    let first = spikes(&two, 0.0, 300.0);
    assert!(first.len() > 50 && first == spikes(&long, 0.0, 300.0));
    assert_eq!(spikes(&two.join("second"), 0.0, 300.0), spikes(&long, 500.0, 800.0));
    assert!(two.join("second/compare/compare.json").is_file());
    assert!(!two.join("second/checkpoint.bss1").exists());
}

#[test]
fn runs_with_other_seeds_tell_how_large_distances_are() {
    let small = |name: &str, seed: &str| {
        let arguments = [
            "experiment",
            "run",
            "balanced-random-network",
            "--set",
            "scale=100",
            "--set",
            "simulation_time=200",
            "--seed",
            seed,
        ];
        run(name, &arguments).0.display().to_string()
    };
    let [a, b, c] = ["1", "2", "3"].map(|seed| small(&format!("seed-{seed}"), seed));
    let (out, compared) = run("seeds", &["compare", &a, &b, "--seed-run", &c]);
    let rate = &compared["populations"]["exc"]["distances"]["rate"];
    assert!(rate["between_seeds"]["mean"].as_f64().unwrap() > 0.0);
    assert!(rate["by_chance"].as_f64().unwrap() > 0.0);
    assert_eq!(compared["populations"]["exc"]["identical"], false);
    assert!(out.join("irregularity.svg").is_file());
}

#[test]
fn a_simulator_that_cannot_be_imported_is_told_before_the_run() {
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-simulator");
    fs::create_dir_all(&modules).unwrap();
    let ask = || {
        let output = Command::new(env!("CARGO_BIN_EXE_bss1"))
            .args(["experiment", "run", "balanced-random-network", "--set", "scale=200"])
            .args(["--peer", "brian2", "--python", "python3", "--out"])
            .arg(modules.join("out"))
            .env("PYTHONPATH", &modules)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    fs::write(modules.join("brian2.py"), "raise AttributeError('no such array')").unwrap();
    let message = ask();
    assert!(message.contains("cannot import brian2: AttributeError: no such array"), "{message}");
    fs::write(modules.join("brian2.py"), "raise ModuleNotFoundError(\"No module named 'brian2'\")")
        .unwrap();
    assert!(ask().contains("has no module `brian2`"));
    assert!(!modules.join("out").exists(), "nothing was run");
}

#[test]
fn a_simulator_that_is_not_there_is_named() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-simulator");
    let output = Command::new(env!("CARGO_BIN_EXE_bss1"))
        .args(["experiment", "run", "balanced-random-network", "--set", "scale=200", "--set"])
        .args(["simulation_time=10", "--peer", "nest", "--python", "no-such-python", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("no-such-python does not start"), "{message}");
}
