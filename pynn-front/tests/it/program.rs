//! The program `bss1` as a script sees it: exit status, JSON, files, a fresh process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

fn bss1(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bss1")).args(arguments).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A small run, made once.
fn small_run() -> &'static Path {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| {
        let out = folder("small-run");
        let _ = fs::remove_dir_all(&out);
        let settings =
            ["--set", "scale=100", "--set", "simulation_time=200", "--set", "neuron_size=8"];
        let mut arguments = vec!["experiment", "run", "balanced-random-network", "--json"];
        arguments.extend(settings);
        arguments.extend(["--threads", "2", "--seed", "3", "--out", out.to_str().unwrap()]);
        let output = bss1(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(out.join("stdout.json"), &output.stdout).unwrap();
        out
    })
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn file(name: &str) -> String {
    small_run().join(name).display().to_string()
}

/// Status and message of a request that must fail.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = bss1(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_report_has_the_agreed_keys() {
    let report = json(&fs::read(small_run().join("report.json")).unwrap());
    assert_eq!(report, json(&fs::read(small_run().join("stdout.json")).unwrap()));
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let has = |value: &Value, wanted: &[&str]| {
        let found = keys(value);
        for key in wanted {
            assert!(found.iter().any(|k| k == key), "{key} is missing in {found:?}");
        }
    };
    has(&report, &["mapping_report", "run_report", "rates_hz", "cv_isi", "parameters", "files"]);
    has(
        &report["mapping_report"],
        &[
            "neurons",
            "sources",
            "synapses_requested",
            "synapses_realised",
            "synapses_lost",
            "loss_fraction",
            "loss_by_cause",
            "loss_by_projection",
            "bound_loss_fraction",
            "ideal_l1_loss_fraction",
            "weight_error",
            "clipped",
            "hicanns_used",
            "l1_buses",
            "drivers_used",
            "neuron_sizes",
            "capacitor",
            "leak",
            "wall_s",
            "verified",
            "peak_rss_bytes",
        ],
    );
    has(
        &report["mapping_report"]["wall_s"],
        &["placement", "merger", "input", "l1", "synapses", "parameters", "total"],
    );
    has(&report["mapping_report"]["loss_by_projection"][0], &["label", "requested", "realised"]);
    has(&report["mapping_report"]["weight_error"]["exc->exc"], &["mean", "abs", "clipped", "zero"]);
    let run = &report["run_report"];
    has(
        run,
        &[
            "bio_ms",
            "hardware_s",
            "configuration_hardware_s",
            "wall_s",
            "real_time_factor",
            "spikes",
            "synaptic_events",
            "energy_estimate_j",
            "effects",
            "wafer",
            "seed",
            "threads",
            "version",
        ],
    );
    has(&run["wall_s"], &["build", "emulate", "read"]);
    has(&run["spikes"], &["emitted", "recorded", "dropped_by_cause"]);
    has(&run["energy_estimate_j"], &["wafer", "per_synaptic_event"]);
    has(&report["rates_hz"]["exc"], &["mean", "std"]);
    assert_eq!(run["wafer"], "ideal");
    assert_eq!((&run["seed"], &run["threads"]), (&3.into(), &2.into()));
    assert_eq!(report["parameters"]["neuron_size"], 8);
    assert_eq!(report["mapping_report"]["neuron_sizes"]["8"], 125);
    for path in report["files"].as_array().unwrap() {
        assert!(Path::new(path.as_str().unwrap()).is_file(), "{path}");
    }
}

#[test]
fn a_fresh_process_gives_the_same_trace_from_words_alone() {
    let out = folder("emulated");
    let output = bss1(&[
        "emulate",
        &file("words.bss1"),
        &file("input.bss1"),
        "--threads",
        "1",
        "--json",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let same = fs::read(out.join("trace.bss1")).unwrap() == fs::read(file("trace.bss1")).unwrap();
    assert!(same);
    let report = json(&fs::read(file("report.json")).unwrap());
    let answer = json(&output.stdout);
    assert_eq!(answer["counters"]["neuron_spikes"], report["run_report"]["spikes"]["emitted"]);
    let events = fs::read_to_string(out.join("spikes.csv")).unwrap();
    assert_eq!(
        events.lines().count() as u64 - 1,
        answer["counters"]["readout"]["delivered"].as_u64().unwrap()
    );
}

#[test]
fn equal_seeds_give_equal_files() {
    let out = folder("again");
    let output = bss1(&[
        "experiment",
        "run",
        "balanced-random-network",
        "--set",
        "scale=100",
        "--set",
        "simulation_time=200",
        "--set",
        "neuron_size=8",
        "--threads",
        "1",
        "--seed",
        "3",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    for name in
        ["mapping.bss1", "words.bss1", "input.bss1", "trace.bss1", "spikes.csv", "raster.svg"]
    {
        assert!(fs::read(out.join(name)).unwrap() == fs::read(file(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_mapping_verifies_and_a_broken_one_does_not() {
    let output = bss1(&["verify", &file("mapping.bss1"), "--json"]);
    assert!(output.status.success());
    let answer = json(&output.stdout);
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["functional_synapses"], answer["mapping_report"]["synapses_realised"]);

    let mut saved: marocco::SavedMapping =
        hal::archive::read(&small_run().join("mapping.bss1")).unwrap();
    let fates = saved.mapping.synapses.iter_mut().flatten();
    let lost = marocco::mapping::SynapseFate::Lost(marocco::mapping::LossCause::NoDriver);
    *fates.into_iter().next().unwrap() = lost;
    let broken = folder("broken.bss1");
    hal::archive::write(&broken, &saved).unwrap();
    let (status, message) = refused(&["verify", broken.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(message.contains("do not realise the mapping"), "{message}");
}

#[test]
fn the_wafer_of_a_run_is_drawn_again() {
    let svg = folder("wafer.svg");
    assert!(
        bss1(&["show", &file("mapping.bss1"), "--out", svg.to_str().unwrap()]).status.success()
    );
    assert!(fs::read(&svg).unwrap() == fs::read(file("wafer.svg")).unwrap());
}

#[test]
fn the_realised_network_is_exported() {
    let out = folder("network");
    let output = bss1(&["export-network", &file("mapping.bss1"), "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let network = json(&fs::read(out.join("network.json")).unwrap());
    let realised = network["synapses_realised"].as_u64().unwrap();
    let column = |name: &str| -> npyz::NpyFile<fs::File> {
        npyz::NpyFile::new(fs::File::open(out.join(name)).unwrap()).unwrap()
    };
    for name in network["connections"].as_object().unwrap().values() {
        assert_eq!(column(name.as_str().unwrap()).shape(), [realised]);
    }
    let weights: Vec<f64> = column("weight_uS.npy").into_vec().unwrap();
    assert!(weights.iter().all(|w| *w > 0.0));
    let populations = network["populations"].as_array().unwrap();
    assert_eq!(populations[0]["model"], "IF_cond_exp");
    assert_eq!(populations[2]["model"], "sources");
    let v_thresh = populations[0]["parameters"]["v_thresh"].as_str().unwrap();
    let v_thresh: Vec<f64> = column(v_thresh).into_vec().unwrap();
    assert_eq!(v_thresh.len(), 100);
    // a step of a 10-bit cell is 0.58 mV here
    assert!(v_thresh.iter().all(|v| (v - 20.0).abs() < 0.6), "{}", v_thresh[0]);
    let times: Vec<f64> = column("spike_time_ms.npy").into_vec().unwrap();
    assert!(!times.is_empty() && times.iter().all(|t| (0.0..=200.0).contains(t)));
}

#[test]
fn experiments_are_listed() {
    let output = bss1(&["experiment", "list", "--json"]);
    let list = json(&output.stdout);
    assert_eq!(list["experiments"][0]["name"], "balanced-random-network");
    let parameters = list["experiments"][0]["parameters"].as_array().unwrap();
    assert_eq!((&parameters[0]["name"], &parameters[0]["default"]), (&"g".into(), &8.0.into()));
    assert_eq!(parameters[3]["default"], "auto");
}

#[test]
fn wrong_requests_have_status_2_and_say_how_to_mend_them() {
    let out = folder("never").display().to_string();
    let run = |arguments: &[&str]| {
        let mut all = vec!["experiment", "run"];
        all.extend(arguments);
        all.extend(["--out", &out]);
        refused(&all)
    };
    let foreign = folder("foreign.bss1");
    fs::write(&foreign, "not ours").unwrap();
    let foreign = foreign.display().to_string();
    for ((status, message), part) in [
        (run(&["brunel"]), "known are: balanced-random-network"),
        (
            run(&["balanced-random-network", "--set", "gg=1"]),
            "unknown parameter `gg`; known are: g,",
        ),
        (run(&["balanced-random-network", "--set", "g=99"]), "g takes 0.5..=20"),
        (
            run(&["balanced-random-network", "--wafer", "W30"]),
            "`W30` is no wafer; write `ideal` or a number",
        ),
        (
            run(&["balanced-random-network", "--effect", "jitter=on"]),
            "unknown effect `jitter`; effects are",
        ),
        (run(&["balanced-random-network", "--effect", "timing"]), "write NAME=on or NAME=off"),
        (run(&["balanced-random-network", "--effect", "timing=1"]), "neither on nor off"),
        (run(&["balanced-random-network", "--threads", "0"]), "0 is not in 1..=1024"),
        (
            run(&["balanced-random-network", "--set", "scale=1", "--set", "neuron_size=64"]),
            "use smaller neurons",
        ),
        (refused(&["verify", "missing.bss1"]), "missing.bss1"),
        (refused(&["verify", &foreign]), "not a bss1 file"),
        (refused(&["verify", &file("words.bss1")]), "holds `WORDS`, expected `MAPPING`"),
        (
            refused(&["emulate", &file("input.bss1"), &file("words.bss1"), "--out", &out]),
            "expected `WORDS`",
        ),
        (refused(&["simulate"]), "unrecognized subcommand"),
        (refused(&["calibrate"]), "--hicanns <HICANNS>"),
    ] {
        assert_eq!(status, 2, "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn failures_are_json_too_if_asked() {
    let output = bss1(&["verify", "missing.bss1", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let answer = json(&output.stdout);
    assert_eq!(answer["exit_status"], 2);
    assert!(answer["error"].as_str().unwrap().contains("missing.bss1"));
}

#[test]
fn damaged_files_are_refused() {
    let mut bytes = fs::read(file("mapping.bss1")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = folder("damaged.bss1");
    fs::write(&damaged, &bytes).unwrap();
    let (status, message) = refused(&["verify", damaged.to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(message.contains("damaged (checksum differs)"), "{message}");
    fs::write(&damaged, &bytes[..middle]).unwrap();
    let (status, message) = refused(&["verify", damaged.to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(message.contains("damaged"), "{message}");
}
