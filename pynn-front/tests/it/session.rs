//! Sessions: runs continue each other, changes need no new placement, and what the session says about
//! the network is what the network does.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use emulator::{Effect, Instance};
use marocco::network::{PopulationId, ProjectionId, Receptor};
use pynn_front::random::NumpyRandom;
use pynn_front::session::{
    CalibrationSource, CellModel, Columns, NewProjection, Readout, RunEnd, Session, SessionError,
    Setup, Spikes, SynapseKind, go_on,
};

fn columns(values: &[(&str, f64)]) -> Columns {
    values.iter().map(|&(name, value)| (name.to_owned(), vec![value])).collect()
}

fn ideal() -> Setup {
    Setup { threads: Some(2), ..Setup::on(Instance::Ideal) }
}

/// A network with recurrence, Poisson input and both receptors.
struct Balanced {
    session: Session,
    cells: PopulationId,
    noise: PopulationId,
    drive: ProjectionId,
    inner: ProjectionId,
}

fn balanced(setup: Setup) -> Balanced {
    let mut session = Session::new(setup).unwrap();
    let noise = session.add_poisson("noise", 60, &[25.0], &[0.0], &[1e10]).unwrap();
    let parameters = columns(&[("tau_refrac", 2.0), ("tau_m", 10.0), ("e_rev_I", -80.0)]);
    let cells = session.add_neurons("cells", 40, CellModel::IfCondExp, &parameters).unwrap();
    let mut random = NumpyRandom::new(5);
    let mut list = |n_pre: u32, n: u32| -> (Vec<u32>, Vec<u32>) {
        (0..40 * n).map(|i| (random.below(n_pre), i / n)).unzip()
    };
    let mut project = |label, pre: PopulationId, receptor, n_pre, n, weight: f64| {
        let (from, to) = list(n_pre, n);
        session
            .add_projection(NewProjection {
                label,
                ends: (pre, cells),
                receptor,
                pre: &from,
                post: &to,
                weights_us: &[weight],
                kind: SynapseKind::Static,
            })
            .unwrap()
    };
    let drive = project("drive", noise, Receptor::Excitatory, 60, 20, 0.02);
    let inner = project("inner", cells, Receptor::Excitatory, 40, 5, 0.004);
    project("brake", cells, Receptor::Inhibitory, 40, 5, 0.01);
    let all: Vec<u32> = (0..60).collect();
    session.record_spikes(cells, &all[..40]).unwrap();
    session.record_spikes(noise, &all).unwrap();
    Balanced { session, cells, noise, drive, inner }
}

fn run(balanced: &mut Balanced, parts_ms: &[f64]) -> Spikes {
    for &part_ms in parts_ms {
        assert_eq!(balanced.session.run(part_ms, &mut go_on).unwrap(), RunEnd::Done);
    }
    balanced.session.spikes(balanced.cells).unwrap()
}

#[test]
fn runs_continue_without_gap() {
    let whole = run(&mut balanced(ideal()), &[300.0]);
    assert!(whole.times_ms.len() > 200, "{}", whole.times_ms.len());
    let pieces = run(&mut balanced(ideal()), &[100.0, 0.0, 33.3, 66.7, 0.02, 99.98]);
    assert_eq!(whole, pieces);
    let noise = |parts: &[f64]| {
        let mut network = balanced(ideal());
        run(&mut network, parts);
        network.session.spikes(network.noise).unwrap()
    };
    assert_eq!(noise(&[300.0]), noise(&[120.0, 180.0]));
}

#[test]
fn all_effects_continue_too() {
    let setup = || {
        let mut setup = ideal();
        for effect in [Effect::LinkBandwidth, Effect::ReadoutBandwidth, Effect::Arbitration] {
            setup.effects = setup.effects.with(effect.into(), true);
        }
        setup
    };
    let whole = run(&mut balanced(setup()), &[200.0]);
    assert_eq!(whole, run(&mut balanced(setup()), &[77.7, 122.3]));
}

#[test]
fn a_manufactured_wafer_continues_with_all_its_effects() {
    let setup =
        || Setup { calibration: CalibrationSource::None, threads: Some(2), ..Setup::default() };
    let whole = run(&mut balanced(setup()), &[60.0]);
    let mut network = balanced(setup());
    let pieces = run(&mut network, &[25.5, 34.5]);
    assert!(!whole.times_ms.is_empty());
    assert_eq!(whole, pieces);
    let report = network.session.run_report().unwrap();
    assert_eq!((report.wafer.as_str(), report.bio_ms), ("30", 60.0));
    assert!(report.effects["mismatch"] && !report.effects["fg_drift"]);
    let flow = &report.stimulus;
    assert_eq!(flow.sent, flow.delivered + flow.dropped + flow.pending);
    assert!(network.session.mapping_report().unwrap().verified);
}

#[test]
fn reset_repeats_the_run() {
    let mut network = balanced(ideal());
    let first = run(&mut network, &[150.0]);
    network.session.reset();
    assert_eq!(network.session.now_ms(), 0.0);
    assert!(network.session.spikes(network.cells).unwrap().members.is_empty());
    assert_eq!(run(&mut network, &[50.0, 100.0]), first);
}

#[test]
fn changes_use_placement_and_routes_again() {
    let mut network = balanced(ideal());
    let before = run(&mut network, &[100.0]);
    let placed = network.session.saved_mapping().unwrap().mapping;
    assert!(network.session.mapping_report().unwrap().wall_s.placement > 0.0);
    let rate = |spikes: &Spikes| spikes.times_ms.len();
    network.session.set_weights(network.drive, &[0.04]).unwrap();
    assert!(!network.session.is_mapped());
    network.session.reset();
    let stronger = run(&mut network, &[100.0]);
    assert!(rate(&stronger) > rate(&before), "{} {}", rate(&stronger), rate(&before));
    let after = network.session.saved_mapping().unwrap().mapping;
    assert_eq!(network.session.mapping_report().unwrap().wall_s.placement, 0.0);
    assert!(network.session.mapping_report().unwrap().verified);
    assert_eq!(placed.placement, after.placement);
    assert_eq!(placed.routes, after.routes);
    let realised = network.session.realised_synapses(network.drive).unwrap();
    assert!(realised.weights_us.iter().all(|w| (w / 0.04 - 1.0).abs() < 0.1));
    // back: the same spikes as at first
    network.session.set_weights(network.drive, &[0.02]).unwrap();
    network.session.reset();
    assert_eq!(run(&mut network, &[100.0]), before);
    // cells and rates as well
    network.session.set_cells(network.cells, &columns(&[("v_thresh", -53.0)])).unwrap();
    network.session.set_poisson(network.noise, &[0.0], &[0.0], &[1e10]).unwrap();
    network.session.reset();
    assert_eq!(rate(&run(&mut network, &[100.0])), 0);
    network.session.set_poisson(network.noise, &[25.0], &[0.0], &[1e10]).unwrap();
    assert!(rate(&run(&mut network, &[100.0])) > rate(&before));
    assert_eq!(network.session.mapping_report().unwrap().wall_s.placement, 0.0);
}

#[test]
fn weights_change_while_membranes_go_on() {
    let mut session = Session::new(Setup { readout: Readout::Probe, ..ideal() }).unwrap();
    let input = session.add_spike_arrays("input", vec![vec![9.0]]).unwrap();
    let slow = columns(&[("tau_syn_E", 20.0)]);
    let cell = session.add_neurons("cell", 1, CellModel::IfCondExp, &slow).unwrap();
    let project = |session: &mut Session, weight: f64| {
        session
            .add_projection(NewProjection {
                label: "input",
                ends: (input, cell),
                receptor: Receptor::Excitatory,
                pre: &[0],
                post: &[0],
                weights_us: &[weight],
                kind: SynapseKind::Static,
            })
            .unwrap()
    };
    let projection = project(&mut session, 0.005);
    session.record_v(cell, &[0], 0.1).unwrap();
    session.run(10.0, &mut go_on).unwrap();
    session.set_weights(projection, &[0.0025]).unwrap();
    session.run(40.0, &mut go_on).unwrap();
    let trace = session.trace(cell, 0).unwrap().unwrap().clone();
    assert_eq!(trace.potentials_mv.len(), 501);
    // no jump where the weight changed, although the conductance is still on
    let steps = trace.potentials_mv.windows(2).map(|w| (w[1] - w[0]).abs());
    let largest = steps.fold(0.0, f64::max);
    assert!(largest < 0.3, "{largest}");
    let top = trace.potentials_mv.iter().copied().fold(f64::MIN, f64::max);
    assert!(top > -64.0, "{top}");
}

#[test]
fn a_grown_network_is_mapped_anew_and_goes_on() {
    let mut network = balanced(ideal());
    let before = run(&mut network, &[50.0]);
    let firing = columns(&[("v_rest", -40.0), ("tau_refrac", 2.0)]);
    let more = network.session.add_neurons("more", 5, CellModel::IfCondExp, &firing).unwrap();
    network.session.record_spikes(more, &[0]).unwrap();
    assert!(!network.session.is_mapped());
    assert!(network.session.realised_cells(more).is_err());
    let after = run(&mut network, &[50.0]);
    assert!(network.session.mapping_report().unwrap().wall_s.placement > 0.0);
    assert_eq!(network.session.mapping_report().unwrap().neurons, 45);
    assert_eq!(network.session.now_ms(), 100.0);
    assert!(network.session.take_warnings().iter().any(|w| w.contains("grown")));
    // what was recorded stays as it was, and nothing comes twice
    let early = after.times_ms.iter().filter(|&&t| t <= 50.0).count();
    assert!(early == before.times_ms.len() && after.times_ms.len() > early, "{early}");
    let new = network.session.spikes(more).unwrap().times_ms;
    assert!(new.len() >= 2 && new.iter().all(|t| (50.0..=100.0).contains(t)), "{new:?}");
    let report = network.session.run_report().unwrap();
    assert!((report.hardware_s - 1e-5).abs() < 1e-6, "{}", report.hardware_s);
}

#[test]
fn what_is_raised_from_outside_stops_the_mapper() {
    let mut network = balanced(ideal());
    let cancel = network.session.setup().cancel.clone();
    let mut told = 0;
    let mut tell = |_| {
        // as another thread would
        cancel.cancel();
        told += 1;
        ControlFlow::Continue(())
    };
    assert!(matches!(network.session.run(10.0, &mut tell), Err(SessionError::Stopped)));
    assert!(told > 0 && network.session.mapping_report().is_none());
    assert_eq!(network.session.now_ms(), 0.0);
    assert!(!run(&mut network, &[50.0]).times_ms.is_empty());
}

#[test]
fn what_is_lost_is_told_by_pair_and_cause() {
    let mut session = Session::new(ideal()).unwrap();
    let input = session.add_spike_arrays("input", vec![vec![1.0]; 4]).unwrap();
    let cells = session.add_neurons("cells", 4, CellModel::IfCondExp, &BTreeMap::new()).unwrap();
    let weights: Vec<f64> = (0..16).map(|i| if i % 5 == 0 { 1e-7 } else { 0.01 }).collect();
    let (pre, post): (Vec<u32>, Vec<u32>) = (0..16).map(|i| (i / 4, i % 4)).unzip();
    let projection = session
        .add_projection(NewProjection {
            label: "wires",
            ends: (input, cells),
            receptor: Receptor::Excitatory,
            pre: &pre,
            post: &post,
            weights_us: &weights,
            kind: SynapseKind::Static,
        })
        .unwrap();
    session.map(&mut go_on).unwrap();
    let lost = session.lost(projection).unwrap();
    let pairs: Vec<_> = lost.iter().map(|l| (l.pre, l.post, l.cause.name())).collect();
    let zero = "weight_zero";
    assert_eq!(pairs, [(0, 0, zero), (1, 1, zero), (2, 2, zero), (3, 3, zero)]);
    let realised = session.realised_synapses(projection).unwrap();
    assert_eq!(realised.pre.len(), 12);
    assert!(realised.delays_ms.iter().all(|d| (0.1..10.0).contains(d)), "{realised:?}");
    let report = session.mapping_report().unwrap();
    assert_eq!((report.synapses_lost, report.synapses_realised), (4, 12));
    let warnings = session.take_warnings();
    assert!(warnings.iter().any(|w| w.contains("`wires` 4 of 16 (weight_zero 4)")), "{warnings:?}");
    assert!(session.take_warnings().is_empty());
}

#[test]
fn a_stopped_run_keeps_what_it_has_and_goes_on() {
    let whole = run(&mut balanced(ideal()), &[20_000.0]);
    let mut network = balanced(ideal());
    let mut stop = |progress| match progress {
        pynn_front::run::Progress::Emulating(share) if share > 0.0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert_eq!(network.session.run(20_000.0, &mut stop).unwrap(), RunEnd::Stopped);
    let reached = network.session.now_ms();
    assert!(reached > 0.0 && reached < 20_000.0, "{reached}");
    let part = network.session.spikes(network.cells).unwrap();
    assert!(part.times_ms.iter().all(|&t| t <= reached));
    network.session.run(1.0, &mut go_on).unwrap();
    network.session.run(20_000.0 - network.session.now_ms(), &mut go_on).unwrap();
    assert_eq!(network.session.spikes(network.cells).unwrap(), whole);
}

#[test]
fn step_currents_reach_one_neuron() {
    let mut session = Session::new(Setup { readout: Readout::Probe, ..ideal() }).unwrap();
    let cells = session.add_neurons("cells", 3, CellModel::IfCondExp, &BTreeMap::new()).unwrap();
    session.record_v(cells, &[0, 1], 1.0).unwrap();
    session.set_current(cells, 1, &[50.0, 150.0], &[0.2, 0.0]).unwrap();
    session.run(400.0, &mut go_on).unwrap();
    let at = |member, ms: usize| session.trace(cells, member).unwrap().unwrap().potentials_mv[ms];
    for ms in [0, 100, 399] {
        assert!((at(0, ms) - at(0, 0)).abs() < 0.01, "{ms} ms: {}", at(0, ms));
    }
    // 0.2 nA over 1 nF and 20 ms raise the membrane by 4 mV
    let raised = at(1, 148) - at(1, 0);
    assert!((raised - 4.0).abs() < 0.3, "{raised}");
    assert!((at(1, 40) - at(1, 0)).abs() < 0.01 && (at(1, 390) - at(1, 0)).abs() < 0.1);
    let refused = |session: &mut Session, times: &[f64], amplitudes: &[f64]| {
        let error = session
            .set_current(cells, 1, times, amplitudes)
            .and_then(|()| session.run(1.0, &mut go_on));
        error.unwrap_err().to_string()
    };
    assert!(refused(&mut session, &[0.0, 5.0], &[-1.0, 0.0]).contains("positive"));
    assert!(refused(&mut session, &[0.0], &[1.0]).contains("does not end"));
    assert!(refused(&mut session, &[0.0, 5.0], &[1e3, 0.0]).contains("nA"));
    assert!(refused(&mut session, &[0.0, 5e4], &[0.1, 0.0]).contains("over at"));
    session.set_current(cells, 1, &[], &[]).unwrap();
    assert_eq!(session.run(1.0, &mut go_on).unwrap(), RunEnd::Done);
    session.set_current(cells, 0, &[0.0, 5.0], &[0.1, 0.0]).unwrap();
    session.set_current(cells, 2, &[0.0, 5.0], &[0.1, 0.0]).unwrap();
    let error = session.run(1.0, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("a chip has one current"), "{error}");
}

#[test]
fn sources_alone_and_nothing_at_all_run_as_well() {
    let mut session = Session::new(ideal()).unwrap();
    assert_eq!(session.run(5.0, &mut go_on).unwrap(), RunEnd::Done);
    let noise = session.add_poisson("noise", 3, &[100.0], &[20.0], &[50.0]).unwrap();
    session.record_spikes(noise, &[0, 2]).unwrap();
    session.run(95.0, &mut go_on).unwrap();
    let Spikes { members, times_ms } = session.spikes(noise).unwrap();
    assert!(times_ms.len() > 3 && times_ms.iter().all(|t| (20.0..70.0).contains(t)));
    assert!(!members.contains(&1));
}

#[test]
fn the_adc_shows_two_membranes_of_a_reticle() {
    let v = |readout| {
        let mut network = balanced(Setup { readout, ..ideal() });
        network.session.record_v(network.cells, &[3, 17], 0.2).unwrap();
        run(&mut network, &[50.0, 50.0]);
        let trace = |member| {
            let trace = network.session.trace(network.cells, member).unwrap().unwrap();
            trace.potentials_mv.clone()
        };
        [trace(3), trace(17)]
    };
    let (adc, truth) = (v(Readout::Adc), v(Readout::Probe));
    for (seen, is) in adc.iter().zip(&truth) {
        assert_eq!((seen.len(), is.len()), (501, 501));
        let apart = seen.iter().zip(is).filter(|(a, b)| (**a - **b).abs() > 0.2).count();
        // resets happen between samples
        assert!(apart < 40, "{apart}");
    }
    // before the first run neurons are placed where they are seen, afterwards they stay
    let mut network = balanced(ideal());
    network.session.record_v(network.cells, &[1, 2, 3], 0.2).unwrap();
    run(&mut network, &[10.0]);
    for member in 1..=3 {
        assert!(network.session.trace(network.cells, member).unwrap().is_some());
    }
    let all: Vec<u32> = (0..40).collect();
    network.session.record_v(network.cells, &all, 0.2).unwrap();
    let error = network.session.run(1.0, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("`cells`") && error.contains("probe"), "{error}");
}

#[test]
fn mappings_are_saved_and_taken_up_again() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("session-mapping.bss1");
    let mut network = balanced(ideal());
    let first = run(&mut network, &[100.0]);
    network.session.save_mapping(&path).unwrap();
    let mut again = balanced(ideal());
    again.session.load_mapping(&path, &mut go_on).unwrap();
    assert!(again.session.is_mapped());
    assert_eq!(again.session.mapping_report().unwrap().wall_s.placement, 0.0);
    assert_eq!(run(&mut again, &[100.0]), first);
    let mut other = Session::new(ideal()).unwrap();
    other.add_neurons("cells", 3, CellModel::IfCondExp, &BTreeMap::new()).unwrap();
    let error = other.load_mapping(&path, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("session-mapping.bss1") && error.contains("populations"), "{error}");
    let mut foreign =
        balanced(Setup { effects: emulator::Effects::NONE, threads: Some(2), ..Setup::default() });
    let error = foreign.session.load_mapping(&path, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("wafer 30"), "{error}");
    assert!(network.session.load_mapping(folder, &mut go_on).is_err());
}

#[test]
fn constant_currents_move_the_leak_potential() {
    let mut session = Session::new(Setup { readout: Readout::Probe, ..ideal() }).unwrap();
    // 0.25 nA over 1 nF and 20 ms: 5 mV
    let cells =
        session.add_neurons("cells", 2, CellModel::IfCondExp, &columns(&[("i_offset", 0.25)]));
    let cells = cells.unwrap();
    session.record_v(cells, &[0], 1.0).unwrap();
    session.run(20.0, &mut go_on).unwrap();
    let trace = session.trace(cells, 0).unwrap().unwrap();
    assert!((trace.potentials_mv[20] + 60.0).abs() < 0.2, "{}", trace.potentials_mv[20]);
    let realised = session.realised_cells(cells).unwrap();
    assert!((realised["v_rest"][0] + 65.0).abs() < 0.2);
    assert_eq!(realised["i_offset"], [0.25, 0.25]);
}

#[test]
fn errors_name_culprit_limit_and_way_out() {
    let mut network = balanced(ideal());
    let session = &mut network.session;
    let refuses = |session: &mut Session, values: &[(&str, f64)]| {
        let error = session.set_cells(network.cells, &columns(values)).unwrap_err();
        error.to_string()
    };
    let text = refuses(session, &[("tau_n", 1.0)]);
    assert!(text.contains("`cells`") && text.contains("tau_n") && text.contains("tau_m"), "{text}");
    let text = refuses(session, &[("tau_m", -1.0)]);
    assert!(text.contains("tau_m = -1") && text.contains("greater than 0"), "{text}");
    let error = session.set_weights(network.inner, &[1.0, 2.0]).unwrap_err();
    assert!(error.to_string().contains("inner"), "{error}");
    let error = session.run(f64::NAN, &mut go_on).unwrap_err();
    assert!(matches!(error, SessionError::RunTime(_)));
    session.set_cells(network.cells, &columns(&[("tau_m", 1e6)])).unwrap();
    let error = session.run(1.0, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("`cells`") && error.contains("tau_m"), "{error}");
    session.set_cells(network.cells, &columns(&[("tau_m", 10.0)])).unwrap();
    assert_eq!(session.run(1.0, &mut go_on).unwrap(), RunEnd::Done);
    let error = session.set_poisson(network.noise, &[1e6], &[0.0], &[1e9]).unwrap_err();
    assert!(error.to_string().contains("`noise`"), "{error}");
}
