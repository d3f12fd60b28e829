//! Configurations written by hand: what the verifier and the emulator find in the bits, each for
//! itself, is what the dossier's tables say. The language is explained in `tests/data/hand`.

mod parse;

use std::collections::BTreeSet;
use std::path::Path;

use hal::codec::{decode_wafer, encode_wafer};
use hal::config::WaferConfig;
use hal::coord::{HicannOnWafer, NeuronOnHicann};
use hal::defects::Defects;
use marocco::verify::defective_parts;

use parse::{Reached, Script};

/// The membranes of a wafer that join two circuits or more.
type Membranes = Vec<(HicannOnWafer, Vec<NeuronOnHicann>)>;

fn scripts() -> Vec<(String, Script)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hand");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let script = parse::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, script)
        })
        .collect()
}

/// What the chips know: the configuration after a trip through the register words.
fn through_words(script: &Script) -> WaferConfig {
    let words = encode_wafer(&script.config).unwrap();
    let decoded = decode_wafer(&words).unwrap();
    assert_eq!(decoded, script.config);
    decoded
}

fn found_by_verifier(config: &WaferConfig) -> Vec<Reached> {
    marocco::verify::functional_connectivity(config)
        .into_iter()
        .map(|s| Reached {
            hicann: s.source.bus.hicann,
            merger: s.source.bus.merger,
            address: s.source.address,
            target: s.target,
            input: s.input,
            weight: s.weight,
        })
        .collect()
}

fn found_by_emulator(config: &WaferConfig) -> Vec<Reached> {
    emulator::connectivity(config)
        .synapses
        .into_iter()
        .map(|s| Reached {
            hicann: s.source.hicann,
            merger: s.source.merger,
            address: s.source.address,
            target: s.target,
            input: s.input,
            weight: s.weight,
        })
        .collect()
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

#[test]
fn there_are_enough_configurations() {
    let scripts = scripts();
    assert!(scripts.len() >= 22, "{} files", scripts.len());
    let silent = scripts.iter().filter(|(_, s)| s.reached.is_empty()).count();
    assert!(silent >= 8, "only {silent} files in which nothing is reached");
}

#[test]
fn the_verifier_finds_what_the_dossier_says() {
    for (name, script) in scripts() {
        let found = sorted(found_by_verifier(&through_words(&script)));
        assert_eq!(found, sorted(script.reached), "{name}");
    }
}

#[test]
fn the_emulator_finds_what_the_dossier_says() {
    for (name, script) in scripts() {
        let found = sorted(found_by_emulator(&through_words(&script)));
        assert_eq!(found, sorted(script.reached), "{name}");
    }
}

#[test]
fn the_verifier_refuses_defective_components_in_use() {
    let mut tried = 0;
    for (name, script) in scripts() {
        let config = through_words(&script);
        for (component, rules) in &script.defects {
            let mut defects = Defects::default();
            defects.insert(*component);
            let found: BTreeSet<String> = defective_parts(&config, &defects)
                .into_iter()
                .map(|violation| violation.rule.to_string())
                .collect();
            assert_eq!(found, rules.iter().cloned().collect(), "{name}: {component}");
            tried += 1;
        }
        assert!(defective_parts(&config, &Defects::default()).is_empty(), "{name}");
    }
    assert!(tried >= 30, "{tried} defects");
}

#[test]
fn both_join_the_circuits_that_share_a_membrane() {
    for (name, script) in scripts() {
        let config = through_words(&script);
        let expected = sorted(script.membranes);
        let by_verifier: Membranes = config
            .hicanns
            .iter()
            .flat_map(|(&h, c)| {
                marocco::verify::membranes(&c.neurons).into_iter().map(move |m| (h, m))
            })
            .collect();
        assert_eq!(sorted(by_verifier), expected, "verifier, {name}");
        let by_emulator: Membranes = config
            .hicanns
            .iter()
            .flat_map(|(&h, c)| emulator::joined_circuits(c).into_iter().map(move |m| (h, m)))
            .collect();
        assert_eq!(sorted(by_emulator), expected, "emulator, {name}");
    }
}

#[test]
fn mistakes_in_a_file_are_reported_with_their_line() {
    for (text, message) in [
        ("H3 release\nH3 frobnicate 1\n", "line 2"),
        ("H999 release\n", "line 1"),
        ("H3 crossbar v0 h0\n", "no crossbar switch"),
        ("H3 synapse-switch v0 row5\n", "no synapse switch"),
        ("H3 hrepeater 6 forward up\n", "line 1"),
        ("H3 release\n", "no expectation"),
        ("defect H3.nothing V19\nexpect nothing\n", "line 1"),
        ("H3 synapse row 2 col 0-3 decoder 8-9 weight 1\nexpect nothing\n", "ranges"),
    ] {
        let error = parse::parse(text).unwrap_err();
        assert!(error.contains(message), "{text:?} gives {error}");
    }
}
