//! Wafers of which not everything works: what the mapper makes of them, and what arrives.

use calib::{IfCondExp, Scaling, WaferCalibration};
use emulator::{Effects, Instance};
use marocco::network::Receptor;
use marocco::{Effort, MapOptions, NeuronSizeChoice, SavedMapping, map, report};
use pynn_front::defects::uniform;
use pynn_front::experiment::{Protocol, Readout};
use pynn_front::export::{connections, released_spikes};
use pynn_front::model::{CellType, Connector, Model};
use pynn_front::networks::Recipe;
use pynn_front::random::NumpyRandom;
use pynn_front::run::{Outcome, RunOptions, run};

/// Thin buses on many chips need the fewest drivers, but a wafer with defects cannot broadcast as
/// many of them.
#[test]
fn a_defective_wafer_gets_no_more_buses_than_it_can_broadcast() {
    let recipe = Recipe::find("cortical").unwrap();
    let drawn = recipe.draw(&recipe.defaults()).unwrap();
    let network = drawn.model.network();
    let options =
        MapOptions { effort: Effort::Quick, ..MapOptions::new(drawn.scaling, drawn.mode) };
    let defects = uniform(0.01, 0, 2).unwrap();
    let mapped = map(network, &options, &defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    let report = report(network, &mapped.mapping, true);
    assert_eq!(report.loss_by_cause.get("no_route"), None, "{:?}", report.loss_by_cause);
    assert!(report.loss_fraction < 0.01, "{}", report.loss_fraction);
}

const DURATION_MS: f64 = 1000.0;

/// Sources that excite cells to which nothing else listens, so that all synaptic events are those
/// of the stimulus.
fn driven_cells() -> Protocol {
    let mut model = Model::default();
    let source = CellType::SpikeSourcePoisson { rate_hz: 20.0 };
    let sources = model.population("sources", 400, source).unwrap();
    let cell = IfCondExp { v_rest: 0.0, v_reset: 10.0, v_thresh: 20.0, ..IfCondExp::default() };
    let cell = IfCondExp { tau_refrac: 1.0, e_rev_e: 140.0, e_rev_i: -140.0, ..cell };
    let cells = model.population("cells", 600, CellType::IfCondExp(cell)).unwrap();
    let forty = Connector::FixedNumberPre { n: 40 };
    let random = &mut NumpyRandom::new(0);
    model.project("drive", sources, cells, &forty, 0.001, Receptor::Excitatory, random).unwrap();
    model.record_spikes(cells);
    Protocol {
        model,
        duration_ms: DURATION_MS,
        scaling: Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).unwrap(),
        mode: calib::CircuitMode::default(),
        neuron_size: NeuronSizeChoice::Auto,
        readout: Readout::All,
        second_after_ms: None,
    }
}

/// Events that the mapping promises for the stimulus as it was released, those aside that may
/// still be on their way at the end.
fn promised(protocol: &Protocol, outcome: &Outcome) -> (u64, u64) {
    let saved = SavedMapping {
        network: protocol.model.network().clone(),
        mapping: outcome.mapping.clone(),
        words: outcome.words.clone(),
        rules: outcome.rules.clone(),
        released: outcome.released.clone(),
    };
    let (sources, times) = released_spikes(&saved).unwrap();
    let connections = connections(&saved).unwrap();
    let longest_ms = connections.delay_ms.iter().copied().fold(0.0, f64::max);
    let mut targets = vec![0u64; protocol.model.network().n_members()];
    for &pre in &connections.pre {
        targets[pre as usize] += 1;
    }
    let (mut sure, mut late) = (0, 0);
    for (source, time) in sources.iter().zip(times) {
        let events = if time + longest_ms < DURATION_MS - 0.1 { &mut sure } else { &mut late };
        *events += targets[*source as usize];
    }
    (sure, late)
}

#[test]
fn on_wafer_30_all_events_arrive_if_its_defects_are_respected_and_fewer_if_not() {
    let protocol = driven_cells();
    let on_30 = |ignore_defects| {
        let instance: Instance = "30".parse().unwrap();
        let effects = Effects::NONE;
        let options = RunOptions { instance, effects, ignore_defects, ..RunOptions::default() };
        run(&protocol, &options, &mut |_| {}).unwrap()
    };
    let respected = on_30(false);
    assert!(respected.mapping_report.verified);
    assert!(respected.mapping_report.loss_fraction < 0.001);
    let (sure, late) = promised(&protocol, &respected);
    let arrived = respected.run_report.synaptic_events;
    assert!(sure > 400_000, "{sure}");
    assert!((sure..=sure + late).contains(&arrived), "{arrived} of {sure} and {late}");

    let ignored = on_30(true);
    let (sure, _) = promised(&protocol, &ignored);
    let arrived = ignored.run_report.synaptic_events;
    assert!((arrived as f64) < 0.98 * sure as f64, "{arrived} of {sure}");
}
