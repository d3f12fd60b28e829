//! Pictures of mappings: what they show is what the mapping says, and they are well formed.

use hal::coord::{Coordinate as _, DncOnWafer, HicannOnWafer};
use hal::defects::Defects;
use marocco::network::{Network, Population, PopulationKind};
use marocco::verify::Rules;
use marocco::{Mapping, SavedMapping};
use pynn_front::figure::png;
use pynn_front::picture::{Facts, View, html, summary, svg};
use std::process::{Command, Output};

use crate::networks::{Shape, mapped};

const VIEWS: [View; 6] =
    [View::Wafer, View::Drivers, View::Losses, View::Causes, View::Matrix, View::Delays];

fn small() -> (Network, Mapping) {
    let shape = Shape { neurons: [30, 10], sources: 20, degrees: [8, 4, 6], seed: 3 };
    let network = shape.network();
    let mapping = mapped(&network, Some(8), 1).mapping;
    (network, mapping)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn every_view_is_an_svg() {
    let (network, mapping) = small();
    let facts = Facts::new(&network, &mapping, &Defects::default());
    for view in VIEWS {
        let picture = svg(&facts, view);
        assert!(png(&picture, 0.3).unwrap().starts_with(b"\x89PNG"), "{view:?}");
    }
    let wafer = svg(&facts, View::Wafer);
    assert_eq!(count(&wafer, "data-chip="), 384);
    assert_eq!(count(&wafer, "data-bus="), mapping.routes.len());
    for label in ["exc: 30 neurons", "inh: 10 neurons", "ext: 20 inputs"] {
        assert!(wafer.contains(label), "{label}");
    }
}

#[test]
fn numbers_are_those_of_the_mapping() {
    let (network, mapping) = small();
    let facts = Facts::new(&network, &mapping, &Defects::default());
    let summary = summary(&facts);
    let value = |name: &str| &summary.iter().find(|(n, _)| *n == name).unwrap().1;
    assert_eq!(value("synapses asked for"), "720");
    assert_eq!(value("synapses lost"), "0 (0 %)");
    assert_eq!(*value("L1 buses"), mapping.routes.len().to_string());
    let drivers: usize = mapping.chains.iter().map(|c| c.members.len()).sum();
    assert_eq!(*value("synapse drivers"), drivers.to_string());
}

#[test]
fn losses_are_counted_by_cause_and_population() {
    let (network, mut mapping) = small();
    let lost = marocco::mapping::SynapseFate::Lost(marocco::mapping::LossCause::NoHalfRow);
    mapping.synapses[0][..7].fill(lost);
    let facts = Facts::new(&network, &mapping, &Defects::default());
    assert!(svg(&facts, View::Causes).contains("no half row"));
    assert!(svg(&facts, View::Matrix).contains("7 of 240 lost"));
    assert!(svg(&facts, View::Losses).contains("7 of 720 synapses lost"));
}

#[test]
fn defective_chips_and_lines_are_marked() {
    let (network, mapping) = small();
    let mut defects = Defects::default();
    defects.insert(DncOnWafer::new::<12>());
    defects.insert(hal::coord::HLineOnHicann::new::<5>().on(HicannOnWafer::new::<0>()));
    let facts = Facts::new(&network, &mapping, &defects);
    let wafer = svg(&facts, View::Wafer);
    assert_eq!(count(&wafer, "defective</title>"), 8);
    let whole = svg(&Facts::new(&network, &mapping, &Defects::default()), View::Wafer);
    assert_eq!(count(&whole, "defective</title>"), 0);
    assert_ne!(wafer, whole);
}

#[test]
fn the_page_needs_nothing_else() {
    let (network, mapping) = small();
    let page = html(&Facts::new(&network, &mapping, &Defects::default()));
    // the only address is the name of SVG
    assert_eq!(count(&page, "http"), count(&page, "http://www.w3.org/2000/svg"));
    assert!(!page.contains("{{") && !page.contains("src="));
    let (_, data) = page.split_once("type=\"application/json\">").unwrap();
    let data: serde_json::Value =
        serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["chips"].as_array().unwrap().len(), 384);
    assert_eq!(data["buses"].as_array().unwrap().len(), mapping.routes.len());
    let neurons: u64 = data["chips"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|chip| chip["neurons"].as_array().unwrap())
        .map(|pair| pair[1].as_u64().unwrap())
        .sum();
    assert_eq!(neurons, 40);
}

#[test]
fn labels_cannot_break_a_picture() {
    let mut network = Network::default();
    let kind = PopulationKind::Neurons(marocco::network::PerMember::Uniform(
        calib::CellParameters::IfCondExp(calib::IfCondExp::default()),
    ));
    let label = "</script><b>&\"".to_owned();
    network.add_population(Population { label, size: 3, kind }).unwrap();
    let mapping = mapped(&network, Some(8), 1).mapping;
    let facts = Facts::new(&network, &mapping, &Defects::default());
    for view in VIEWS {
        assert!(png(&svg(&facts, view), 0.2).is_ok(), "{view:?}");
    }
    assert_eq!(count(&html(&facts), "</script>"), 2);
}

#[test]
fn the_program_draws_and_tells() {
    let (network, mapping) = small();
    let words = hal::wafer::ConfigurationWords::default();
    let rules = Rules::default();
    let saved = SavedMapping { network, mapping, words, rules, released: None };
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("pictures.bss1");
    hal::archive::write(&file, &saved).unwrap();
    let bss1 = |arguments: &[&str]| -> Output {
        let show = [&["show", file.to_str().unwrap()], arguments].concat();
        Command::new(env!("CARGO_BIN_EXE_bss1")).args(show).output().unwrap()
    };
    let told = bss1(&[]);
    assert!(String::from_utf8(told.stderr).unwrap().lines().count() < 24);
    for (name, start) in [("p.html", "<!DOCTYPE html>"), ("p.svg", "<svg"), ("p.png", "")] {
        let out = folder.join(name);
        let view = ["--view", "matrix", "--wafer", "30", "--out", out.to_str().unwrap()];
        assert!(bss1(&view).status.success(), "{name}");
        assert!(std::fs::read(&out).unwrap().starts_with(start.as_bytes()), "{name}");
    }
    let wrong = bss1(&["--out", "wafer.gif"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains(".svg, .png or .html"));
    let wrong = bss1(&["--view", "heat", "--out", "p.svg"]);
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("wafer, drivers, losses, causes"));
}
