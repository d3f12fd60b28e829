//! Spike times of sources on a saved mapping: it is read back and run with others, without being
//! mapped again (T54 of mapping §10).

use std::ops::ControlFlow;
use std::path::Path;

use calib::{CircuitMode, IfCondExp, Scaling};
use emulator::{Emulator, Settings};
use hal::archive;
use hal::coord::{Coordinate as _, FpgaOnWafer};
use hal::defects::Defects;
use hal::playback;
use hal::wafer::{DncCycles, Wafer as _};
use marocco::network::Receptor;
use marocco::{MapOptions, SavedMapping};
use pynn_front::export::released_spikes;
use pynn_front::model::{CellType, Connector, Model};
use pynn_front::random::NumpyRandom;
use pynn_front::realise::{Realised, realise};
use pynn_front::stimulus::{SpikeTrains, cycle_of, pulses};

/// Runs the words of a mapping with these spikes; gives them back as released at the wafer's edge.
fn released(saved: &SavedMapping, trains: &SpikeTrains) -> Vec<(u32, f64)> {
    let SavedMapping { network, mapping, words, .. } = saved;
    let end = DncCycles(cycle_of(400.0, mapping.scaling.speedup).0.next_multiple_of(2));
    let sent = pulses(network, mapping, trains);
    let input = playback::encode(&sent, FpgaOnWafer::all(), end).unwrap();
    let mut wafer = Emulator::new(Settings::default());
    wafer.configure(words).unwrap();
    wafer.stimulate(&input).unwrap();
    wafer.run(&mut |_| ControlFlow::Continue(())).unwrap();
    let run = SavedMapping { released: Some(wafer.released_stimulus()), ..saved.clone() };
    let (sources, times) = released_spikes(&run).unwrap();
    sources.into_iter().zip(times).collect()
}

/// What trains ask for, source by source; the first population has `n` sources.
fn asked(trains: &SpikeTrains) -> Vec<(u32, f64)> {
    let sources = trains[0].iter().zip(0..);
    sources.flat_map(|(train, source)| train.iter().map(move |&t| (source, t))).collect()
}

fn demand_equal(found: &[(u32, f64)], asked: &[(u32, f64)]) {
    assert_eq!(found.len(), asked.len());
    for (found, asked) in found.iter().zip(asked) {
        assert_eq!(found.0, asked.0);
        // half a cycle of 4 ns is 0.02 ms
        assert!((found.1 - asked.1).abs() < 0.0201, "{found:?} {asked:?}");
    }
}

#[test]
fn t54_edited_spike_times_reach_the_wafer_of_a_saved_mapping() {
    let mut random = NumpyRandom::new(3);
    let mut model = Model::default();
    let source = CellType::SpikeSourcePoisson { rate_hz: 20.0 };
    let cell = CellType::IfCondExp(IfCondExp { tau_refrac: 1.0, ..IfCondExp::default() });
    let sources = model.population("sources", 6, source).unwrap();
    let cells = model.population("cells", 4, cell).unwrap();
    let all = Connector::AllToAll { allow_self_connections: true };
    let excitatory = Receptor::Excitatory;
    model.project("drive", sources, cells, &all, 0.002, excitatory, &mut random).unwrap();
    let network = model.into_network();
    let options = MapOptions::new(Scaling::default(), CircuitMode::default());
    let realised = realise(&network, &options, &Defects::default(), &mut |_| {}).unwrap();
    let Realised { mapping, words, rules, .. } = realised;
    let saved = SavedMapping { network, mapping, words, rules, released: None };
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("t54.bss1");
    archive::write(&file, &saved).unwrap();
    let back: SavedMapping = archive::read(&file).unwrap();

    // set, add, extend, clear
    let mut trains: SpikeTrains = vec![vec![Vec::new(); 6], vec![Vec::new(); 4]];
    assert_eq!(released(&back, &trains), []);
    trains[0][0] = vec![10.0, 20.0, 300.0];
    trains[0][3] = vec![15.5];
    demand_equal(&released(&back, &trains), &asked(&trains));
    trains[0][3].push(200.0);
    trains[0][5].extend([5.0, 6.0, 7.0, 8.0]);
    trains[0][0].clear();
    demand_equal(&released(&back, &trains), &asked(&trains));
}
