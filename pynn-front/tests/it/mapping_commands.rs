//! `bss1 map`, `bss1 network` and `bss1 defects` as a script sees them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use emulator::Instance;
use hal::coord::HicannOnWafer;
use hal::defects::{ComponentKind, Defects};
use marocco::network::Receptor;
use pynn_front::session::{CellModel, NewProjection, Session, Setup, SynapseKind};
use serde_json::Value;

fn bss1(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bss1")).args(arguments).output().unwrap()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The answer of a request that must succeed.
fn json(arguments: &[&str]) -> Value {
    let output = bss1(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message of a request that must be refused as wrong.
fn refused(arguments: &[&str]) -> String {
    let output = bss1(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_network_is_mapped_by_name() {
    let file = path("random10.bss1");
    let out = file.to_str().unwrap();
    let report = json(&[
        "map",
        "random10",
        "--set",
        "n=100",
        "--neuron-size",
        "8",
        "--seed",
        "5",
        "--out",
        out,
    ]);
    assert_eq!(report["neurons"], 100);
    assert_eq!(report["synapses_requested"], 1016);
    assert_eq!(report["synapses_realised"], 1016);
    assert_eq!(report["neuron_sizes"]["8"], 100);
    assert_eq!(report["verified"], true);
    assert!(report["clipped"].as_object().unwrap().is_empty(), "{}", report["clipped"]);
    for key in ["total", "draw", "encode", "verify", "verified"] {
        assert!(report["wall_s"][key].as_f64().unwrap() >= 0.0, "{key}");
    }
    let verified = json(&["verify", out]);
    assert_eq!(verified["functional_synapses"], 1016);
    let other = path("random10-again.bss1");
    let again = other.to_str().unwrap();
    json(&[
        "map",
        "random10",
        "--set",
        "n=100",
        "--neuron-size",
        "8",
        "--seed",
        "5",
        "--threads",
        "1",
        "--out",
        again,
    ]);
    assert!(fs::read(&file).unwrap() == fs::read(&other).unwrap());
}

#[test]
fn cells_and_weights_of_the_benchmark_networks_are_within_reach() {
    for arguments in [
        ["cortical", "scale=0.01"],
        ["cortical-demo", "scale=0.01"],
        ["balanced-demo", "scale=60"],
        ["random30", "n=100"],
        ["fullyVisibleBM", "n=10"],
        ["rbm", "n=10"],
        ["rbmLocalReceptive", "n=8"],
        ["pfeilsNoise", "n=100"],
        ["feedforward", "n=10"],
        ["synfire-chain", "links=1"],
    ] {
        let report = json(&["map", arguments[0], "--set", arguments[1]]);
        assert_eq!(report["synapses_lost"], 0, "{arguments:?}");
        assert_eq!(report["bound_loss_fraction"], 0.0, "{arguments:?}");
        assert!(report["clipped"].as_object().unwrap().is_empty(), "{arguments:?}");
        for (label, error) in report["weight_error"].as_object().unwrap() {
            assert!(error["abs"].as_f64().unwrap() < 0.05, "{arguments:?} {label}: {error}");
        }
    }
}

#[test]
fn t62_no_mapping_loses_less_than_the_bound() {
    for (network, setting, size, column_bound) in [
        ("random30", "n=100", "4", 0.0),
        ("feedforward", "n=30", "4", 0.0),
        ("pfeilsNoise", "n=100", "4", 0.0),
        ("rbmLocalReceptive", "n=10", "4", 0.0),
        ("ising2d", "l=20", "4", 0.0),
        ("cortical", "scale=0.01", "4", 0.0),
        // a neuron of four circuits has 896 synapses (mapping §7.6)
        ("fullyVisibleBM", "n=500", "4", 1.0 - 896.0 / 998.0),
        ("rbm", "n=500", "4", 1.0 - 896.0 / 1000.0),
    ] {
        let base = ["map", network, "--set", setting, "--neuron-size", size];
        let report = json(&[&base[..], &["--effort", "quick"]].concat());
        let share = |key: &str| report[key].as_f64().unwrap();
        let (bound, loss) = (share("bound_loss_fraction"), share("loss_fraction"));
        assert!(bound <= loss, "{network} {setting}: bound {bound}, loss {loss}");
        assert!(bound >= column_bound - 1e-9, "{network} {setting}: bound {bound}");
    }
}

#[test]
fn a_network_is_mapped_around_defects() {
    let base = ["map", "random10", "--set", "n=200", "--effort", "quick"];
    let drawn = ["--defect-rate", "0.05", "--missing-reticles", "3", "--defect-seed", "2"];
    let report = json(&[&base[..], &drawn[..]].concat());
    assert_eq!(report["verified"], true);
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(count("synapses_realised") + count("synapses_lost"), 3952);

    // the same defects from a file, and other ones
    let file = path("five-percent.defects");
    let out = file.to_str().unwrap();
    pynn_front::defects::uniform(0.05, 3, 2).unwrap().write(&file).unwrap();
    let from_file = json(&[&base[..], &["--defects", out]].concat());
    assert_eq!(from_file["drivers_used"], report["drivers_used"]);
    let manufactured = json(&[&base[..], &["--wafer", "30"]].concat());
    assert_eq!(manufactured["verified"], true);
    let whole = json(&[&base[..], &["--wafer", "30", "--defects", "none"]].concat());
    assert_eq!(whole["synapses_lost"], 0);
}

#[test]
fn a_mapping_remembers_its_wafer() {
    let file = path("wafer-30.bss1");
    let out = file.to_str().unwrap();
    let base = ["map", "random10", "--set", "n=100", "--effort", "quick"];
    json(&[&base[..], &["--wafer", "30", "--out", out]].concat());
    for wafer in [&[][..], &["--wafer", "30"], &["--wafer", "ideal"], &["--defects", "none"]] {
        assert_eq!(json(&[&["verify", out], wafer].concat())["verified"], true, "{wafer:?}");
    }
    let output = bss1(&["verify", out, "--wafer", "31"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("defective"), "{message}");
    assert!(message.contains("do not realise the mapping on this wafer"), "{message}");
}

#[test]
fn networks_are_listed() {
    let list = json(&["network", "list"]);
    let names: Vec<&str> =
        list["networks"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["cortical", "cortical-demo", "balanced-demo"]);
    assert!(names.contains(&"full-wafer"));
    assert_eq!(list["networks"][0]["benchmark"].as_array().unwrap().len(), 7);
}

#[test]
fn defects_of_a_manufactured_wafer_are_shown() {
    let shown = json(&["defects", "show", "--wafer", "30"]);
    let expected = Defects::manufactured(30);
    assert_eq!(shown["wafer"], 30);
    let [reticle, driver] = [ComponentKind::Reticle, ComponentKind::SynapseDriver];
    for kind in [reticle, driver, ComponentKind::Synapse] {
        let list = shown["components"][kind.name()].as_array().unwrap();
        assert_eq!(list.len(), expected.counts()[&kind]);
        assert_eq!(shown["counts"][kind.name()], list.len());
    }
    let missing = expected.counts()[&reticle];
    assert!((1..=3).contains(&missing));
    assert_eq!(shown["not_usable"]["hicann"], 8 * missing);
    // of the chips that are there, four drivers at least are dead
    assert!(expected.counts()[&driver] >= 4 * (HicannOnWafer::SIZE - 8 * missing));
}

#[test]
fn defects_are_drawn_into_a_file() {
    let file = path("one-percent.defects");
    let out = file.to_str().unwrap();
    let drawn = json(&[
        "defects",
        "draw",
        "--rate",
        "0.001",
        "--missing-reticles",
        "2",
        "--seed",
        "3",
        "--out",
        out,
    ]);
    let read = Defects::read(&file).unwrap();
    assert_eq!(drawn["counts"]["reticle"], 2);
    assert_eq!(drawn["counts"]["synapse"], read.counts()[&ComponentKind::Synapse]);
    assert_eq!(read, pynn_front::defects::uniform(0.001, 2, 3).unwrap());
}

#[test]
fn wrong_requests_are_refused() {
    assert!(refused(&["map", "cortex"]).contains("known are: cortical,"));
    assert!(refused(&["map", "random10", "--set", "m=3"]).contains("known are: n"));
    assert!(refused(&["map", "random10", "--neuron-size", "7"]).contains("even number"));
    assert!(
        refused(&["map", "random10", "--neuron-size", "big"]).contains("auto or an even number")
    );
    assert!(refused(&["map", "random10", "--effort", "high"]).contains("quick, normal or max"));
    assert!(refused(&["map", "random10", "--wafer", "x"]).contains("is no wafer"));
    assert!(refused(&["map", "random10", "--defects", "no.file"]).contains("no.file"));
    let rate = refused(&["defects", "draw", "--rate", "2", "--out", "never"]);
    assert!(rate.contains("give a number from 0 to 1"), "{rate}");
    let reticles = ["--missing-reticles", "49", "--out", "never"];
    let message = refused(&[&["defects", "draw", "--rate", "0"], &reticles[..]].concat());
    assert!(message.contains("a wafer has 48"), "{message}");
}

/// A small mapping with several wishes, and its file.
fn with_wishes() -> (Value, PathBuf) {
    let requests = path("requests.toml");
    let text = "chain_length = 4\nexclude = [0, 1]\nmax_route_hicanns = 40\n\
                [[request]]\npopulation = \"neurons\"\nmembers = [0, 20]\nchips = [93]\nsize = 8\n\
                leak = \"slow\"\n\
                [[priority]]\npopulation = \"neurons\"\nweight = 5\n";
    fs::write(&requests, text).unwrap();
    let out = path("wishes.bss1");
    let mut arguments = vec!["map", "pfeilsNoise", "--effort", "quick", "--neuron-size", "4"];
    arguments.extend(["--requests", requests.to_str().unwrap(), "--max-synapse-switches", "2"]);
    arguments.extend(["--out", out.to_str().unwrap()]);
    (json(&arguments), out)
}

#[test]
fn requests_are_met_and_found_again() {
    let (report, out) = with_wishes();
    let out = out.to_str().unwrap();
    assert_eq!(report["verified"], true);
    assert_eq!(report["neuron_sizes"]["8"], 20);
    assert_eq!(report["leak"], "normal and slow");
    json(&["verify", out]);

    let chip = json(&["show", out, "--hicann", "93"]);
    assert_eq!(chip["neurons"].as_array().unwrap().len(), 20);
    assert_eq!(chip["leak"], "slow");
    let name = chip["neurons"][7].as_str().unwrap();
    let neuron = json(&["show", out, "--neuron", name]);
    assert_eq!(neuron["hicann"], "H93");
    assert_eq!(neuron["circuits"].as_array().unwrap().len(), 8);
    let bus = json(&["show", out, "--bus", neuron["bus"].as_str().unwrap()]);
    let senders = bus["senders"].as_array().unwrap();
    assert!(senders.iter().any(|s| s["member"] == name && s["address"] == neuron["address"]));
    assert_eq!(bus["heard_on"], bus["chains"].as_array().unwrap().len());
    // from a synapse of the neuron to its driver and back
    let inputs = neuron["inputs"].as_array().unwrap();
    let synapse = inputs.iter().find(|s| s.get("driver").is_some()).unwrap();
    let driver = json(&["show", out, "--driver", synapse["driver"].as_str().unwrap()]);
    let there = driver["synapses"].as_array().unwrap();
    assert!(there.contains(synapse), "{synapse} is not among {there:?}");
    assert_eq!(driver["chain"]["hicann"], "H93");
}

#[test]
fn wishes_that_make_no_sense_are_refused() {
    let noise = ["map", "pfeilsNoise", "--effort", "quick"];
    let with = |more: &[&str]| refused(&[&noise[..], more].concat());
    assert!(with(&["--pin", "nobody=93"]).contains("no population is called `nobody`"));
    assert!(with(&["--pin", "neurons=999"]).contains("chip 999"));
    assert!(with(&["--priority", "neurons=101"]).contains("1 to 100"));
    assert!(with(&["--size", "neurons=7"]).contains("even number"));
    assert!(with(&["--max-route", "0"]).contains("routes of at most 0"));
    assert!(with(&["--max-synapse-switches", "29"]).contains("28"));
    assert!(with(&["--chain-length", "9"]).contains("chain length 9"));
    assert!(with(&["--capacitor", "huge"]).contains("auto, big or small"));
    assert!(with(&["--requests", "/nowhere/at/all"]).contains("/nowhere/at/all"));
    let file = path("bad-requests.toml");
    for (text, message) in [
        ("chain = 3\n", "unknown field"),
        ("[[request]]\npopulation = \"neurons\"\nchips = [1]\nfpgas = [1]\n", "several kinds"),
        ("[[request]]\npopulation = \"neurons\"\nblocks = [\"B1\"]\n", "H93.nb0"),
        ("[[priority]]\nweight = 3\n", "either a projection or a population"),
        ("varied_reset = \"maybe\"\n", "average or refuse"),
    ] {
        fs::write(&file, text).unwrap();
        let found = with(&["--requests", file.to_str().unwrap()]);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn questions_about_what_is_not_there_are_refused() {
    let (_, out) = with_wishes();
    let out = out.to_str().unwrap();
    for (question, message) in [
        (["--neuron", "neurons"], "POPULATION:INDEX"),
        (["--neuron", "nobody:1"], "no population is called `nobody`"),
        (["--neuron", "neurons:99999"], "has members 0 to"),
        (["--hicann", "384"], "chip 384"),
        (["--bus", "H0.dnc3"], "carries nothing"),
        (["--driver", "H0.drv3"], "not in use"),
        (["--driver", "nonsense"], "driver `nonsense`"),
    ] {
        let found = refused(&["show", out, question[0], question[1]]);
        assert!(found.contains(message), "{question:?}: {found}");
    }
}

#[test]
fn networks_come_from_files_and_scripts_too() {
    // what a script would leave behind
    let mut session = Session::new(Setup::on(Instance::Ideal)).unwrap();
    let cell = BTreeMap::from([("tau_refrac".to_owned(), vec![2.0])]);
    let input = session.add_spike_arrays("input", vec![vec![1.0]; 3]).unwrap();
    let cells = session.add_neurons("cells", 4, CellModel::IfCondExp, &cell).unwrap();
    session
        .add_projection(NewProjection {
            label: "wires",
            ends: (input, cells),
            receptor: Receptor::Excitatory,
            pre: &[0, 1, 2, 2],
            post: &[0, 1, 2, 3],
            weights_us: &[0.01],
            kind: SynapseKind::Static,
        })
        .unwrap();
    let file = path("described.bss1");
    session.save_network(&file).unwrap();
    let mapping = path("described-mapping.bss1");
    let [network, out] = [&file, &mapping].map(|p| p.to_str().unwrap());
    let report = json(&["map", network, "--neuron-size", "8", "--out", out]);
    assert_eq!((&report["neurons"], &report["synapses_realised"]), (&4.into(), &4.into()));
    assert_eq!(report["neuron_sizes"]["8"], 4);
    // a mapping has its network with it
    assert_eq!(json(&["map", out, "--neuron-size", "4"])["neuron_sizes"]["4"], 4);
    assert!(refused(&["map", network, "--set", "n=3"]).contains("no parameters"));
    assert!(refused(&["map", "/nowhere/network.bss1"]).contains("/nowhere/network.bss1"));

    // any program that writes the file is good enough for a script
    let python = path("python.sh");
    let script = path("script.py");
    fs::write(&python, "#!/bin/sh\n[ -s \"$1\" ] && cp \"$1\" \"$BSS1_NETWORK_OUT\" || exit 3\n")
        .unwrap();
    fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).unwrap();
    fs::copy(&file, &script).unwrap();
    let map = |python: &Path, script: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bss1"));
        command.args(["map", script.to_str().unwrap(), "--json"]).env("BSS1_PYTHON", python);
        command.output().unwrap()
    };
    let mapped = map(&python, &script);
    assert!(mapped.status.success(), "{}", String::from_utf8_lossy(&mapped.stderr));
    let report: Value = serde_json::from_slice(&mapped.stdout).unwrap();
    assert_eq!(report["synapses_requested"], 4);
    for (python, script, message) in [
        (Path::new("/nowhere/python"), &*script, "BSS1_PYTHON"),
        (&*python, Path::new("/nowhere/script.py"), "before its first run"),
    ] {
        let refused = map(python, script);
        assert_eq!(refused.status.code(), Some(2));
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(text.contains(message), "{text}");
    }
}
