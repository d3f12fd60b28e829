//! Short-term plasticity from the network through words to membranes.

use std::ops::ControlFlow;

use calib::{IfCondExp, TsodyksMarkram};
use emulator::{Emulator, Settings};
use hal::coord::{Coordinate as _, FpgaOnWafer};
use hal::defects::Defects;
use hal::playback;
use hal::wafer::{DncCycles, Wafer as _};
use marocco::network::{Receptor, Synapse};
use marocco::{MapOptions, SavedMapping};
use pynn_front::export;
use pynn_front::model::{CellType, Model};
use pynn_front::realise::{Realised, realise};
use pynn_front::stimulus::{cycle_of, pulses};

/// Biological ms of the spikes of each source.
const SPIKES_MS: [f64; 4] = [50.0, 150.0, 250.0, 350.0];

/// Efficacy per weight of each spike by the published model, in the units of PyNN: u times x, with
/// one of the time constants 0.
fn efficacies(p: TsodyksMarkram) -> Vec<f64> {
    let (mut x, mut u) = (1.0, p.u);
    let mut last: Option<f64> = None;
    SPIKES_MS
        .iter()
        .map(|&t| {
            if let Some(last) = last {
                // what the last event used recovers, and the rise of u decays
                let left = |tau: f64| if tau > 0.0 { ((last - t) / tau).exp() } else { 0.0 };
                x = 1.0 - (1.0 - x * (1.0 - u)) * left(p.tau_rec);
                u = p.u + u * (1.0 - p.u) * left(p.tau_facil);
            }
            last = Some(t);
            u * x
        })
        .collect()
}

fn plastic() -> [Option<TsodyksMarkram>; 3] {
    [
        Some(TsodyksMarkram { u: 0.4, tau_rec: 300.0, tau_facil: 0.0 }),
        Some(TsodyksMarkram { u: 0.25, tau_rec: 0.0, tau_facil: 300.0 }),
        None,
    ]
}

/// Three sources, each of which drives a neuron of its own that never fires.
fn model() -> Model {
    let cell = IfCondExp { tau_refrac: 1.0, v_thresh: -45.0, ..IfCondExp::default() };
    let mut model = Model::default();
    for (i, plasticity) in plastic().into_iter().enumerate() {
        let source = CellType::SpikeSourcePoisson { rate_hz: 10.0 };
        let from = model.population(&format!("source {i}"), 1, source).unwrap();
        let to = model.population(&format!("neuron {i}"), 1, CellType::IfCondExp(cell)).unwrap();
        let synapse = Synapse { pre: 0, post: 0, weight_us: 0.002 };
        let label = format!("synapse {i}");
        let id = model.project_list(&label, from, to, Receptor::Excitatory, vec![synapse]).unwrap();
        if let Some(plasticity) = plasticity {
            model.set_plasticity(id, plasticity).unwrap();
        }
    }
    model
}

fn realised(model: &Model) -> Realised {
    let options = MapOptions::new(calib::Scaling::default(), calib::CircuitMode::default());
    let realised = realise(model.network(), &options, &Defects::default(), &mut |_| {}).unwrap();
    assert!(realised.verification.is_ok(), "{:#?}", realised.verification.violations);
    assert_eq!(realised.verification.functional, 3);
    realised
}

#[test]
fn pairs_of_spikes_have_the_ratio_that_was_asked_for() {
    let model = model();
    let network = model.network();
    let Realised { mapping, words, .. } = realised(&model);
    let silent = || vec![Vec::new()];
    let train = || vec![SPIKES_MS.to_vec()];
    let trains: Vec<_> = (0..6).map(|i| if i % 2 == 0 { train() } else { silent() }).collect();
    let speedup = mapping.scaling.speedup;
    let end = DncCycles(cycle_of(450.0, speedup).0.next_multiple_of(2));
    let input =
        playback::encode(&pulses(network, &mapping, &trains), FpgaOnWafer::all(), end).unwrap();

    let mut wafer = Emulator::new(Settings::default());
    wafer.configure(&words).unwrap();
    wafer.stimulate(&input).unwrap();
    let circuit = |member: usize| mapping.placement.firing_circuit(member).unwrap();
    for i in 0..3 {
        wafer.probe(circuit(2 * i + 1), DncCycles(1));
    }
    wafer.run(&mut |_| ControlFlow::Continue(())).unwrap();

    for (i, asked) in plastic().into_iter().enumerate() {
        let seen = wafer.true_state(circuit(2 * i + 1)).unwrap();
        let volts = &seen.volts;
        let peaks: Vec<f64> = SPIKES_MS
            .iter()
            .map(|&t| {
                let at = |ms: f64| (cycle_of(ms, speedup).0 / seen.every.0) as usize;
                let rest = f64::from(volts[at(t)]);
                let peak = volts[at(t)..at(t + 90.0)].iter().copied().fold(f32::MIN, f32::max);
                f64::from(peak) - rest
            })
            .collect();
        let expected = efficacies(asked.unwrap_or(export::STATIC));
        for (k, peak) in peaks.iter().enumerate() {
            // small PSPs are proportional to the conductance
            let (found, want) = (peak / peaks[0], expected[k] / expected[0]);
            assert!((found / want - 1.0).abs() < 0.02, "synapse {i}, spike {k}: {found}, {want}");
        }
    }
}

#[test]
fn exported_connections_have_their_plasticity() {
    let model = model();
    let Realised { mapping, words, rules, .. } = realised(&model);
    let network = model.into_network();
    let saved = SavedMapping { network, mapping, words, rules, released: None };
    let list = export::connections(&saved).unwrap();
    for (i, (found, asked)) in list.plasticity.iter().zip(plastic()).enumerate() {
        let asked = asked.unwrap_or(export::STATIC);
        let near = |a: f64, b: f64| (a - b).abs() <= 0.03 * b;
        assert!(near(found.u, asked.u), "{i}: {found:?}");
        assert!(near(found.tau_rec, asked.tau_rec), "{i}: {found:?}");
        assert!(near(found.tau_facil, asked.tau_facil), "{i}: {found:?}");
        assert!(near(list.weight_us[i], 0.002), "{i}: {}", list.weight_us[i]);
    }
    let folder = std::env::temp_dir().join(format!("bss1-plasticity-{}", std::process::id()));
    let files = export::write(&saved, None, &folder).unwrap();
    for name in ["U.npy", "tau_rec_ms.npy", "tau_facil_ms.npy"] {
        assert!(files.contains(&folder.join(name)), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
