//! The pipeline as a whole, on a small network: what goes in, what comes out, what is the same.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use calib::IfCondExp;
use emulator::{Effect, Effects, connectivity};
use hal::coord::OnWafer;
use hal::law::route_delay_s;
use marocco::SavedMapping;
use marocco::mapping::SynapseFate;
use marocco::network::Receptor;
use pynn_front::experiment::{Experiment, Protocol};
use pynn_front::export::{connections, released_spikes};
use pynn_front::model::{CellType, Connector, Model};
use pynn_front::random::NumpyRandom;
use pynn_front::run::{Outcome, Progress, RunOptions, run};
use pynn_front::statistics::{Window, rate_hz};
use pynn_front::stimulus::poisson_trains;

fn protocol_with(settings: &[&str]) -> Protocol {
    let experiment = Experiment::find("balanced-random-network").unwrap();
    let mut parameters = experiment.defaults();
    for setting in ["scale=60", "simulation_time=500", "neuron_size=8"].iter().chain(settings) {
        parameters.set(setting).unwrap();
    }
    experiment.build(&parameters).unwrap()
}

fn protocol() -> Protocol {
    protocol_with(&[])
}

fn outcome(options: &RunOptions) -> Outcome {
    run(&protocol(), options, &mut |_| {}).unwrap()
}

fn usual() -> &'static Outcome {
    static OUTCOME: OnceLock<Outcome> = OnceLock::new();
    OUTCOME.get_or_init(|| outcome(&RunOptions { threads: Some(2), ..RunOptions::default() }))
}

fn saved() -> SavedMapping {
    let outcome = usual();
    SavedMapping {
        network: protocol().model.network().clone(),
        mapping: outcome.mapping.clone(),
        words: outcome.words.clone(),
        rules: outcome.rules.clone(),
        released: outcome.released.clone(),
    }
}

#[test]
fn the_words_realise_the_mapping_and_nothing_is_unaccounted_for() {
    let Outcome { verification, mapping_report: map, run_report: run, .. } = usual();
    assert!(verification.is_ok(), "{}", verification.violations[0]);
    assert!(map.verified);
    assert_eq!(map.synapses_requested, map.synapses_realised + map.synapses_lost);
    assert_eq!(map.loss_by_cause.values().sum::<usize>(), map.synapses_lost);
    assert!(map.loss_fraction < 0.002, "{}", map.loss_fraction);
    assert_eq!(verification.functional, map.synapses_realised);
    for flow in [&run.stimulus, &run.readout] {
        assert_eq!(flow.sent, flow.delivered + flow.dropped + flow.pending);
    }
    assert!(run.spikes.emitted > 0 && run.synaptic_events > 0);
    for (projection, error) in &map.weight_error {
        assert!(error.mean.abs() < 0.03 && error.abs < 0.1, "{projection}: {error:?}");
    }
}

#[test]
fn all_spikes_of_the_wafer_come_back() {
    let Outcome { run_report: run, recording, .. } = usual();
    assert_eq!(run.spikes.recorded, run.spikes.emitted - run.readout.pending);
    assert_eq!(run.recorded_besides.other_populations, 0);
    let times = recording.populations.iter().flat_map(|p| &p.trains);
    assert!(times.clone().all(|t| t.is_sorted()));
    assert!(times.flatten().all(|t| (0.0..=500.0).contains(t)));
}

#[test]
fn sources_reach_the_wafer_at_their_times() {
    let protocol = protocol();
    let trains = poisson_trains(protocol.model.network(), protocol.duration_ms, 0);
    let (sources, times) = released_spikes(&saved()).unwrap();
    let drawn: Vec<(u32, f64)> = trains
        .iter()
        .flatten()
        .enumerate()
        .flat_map(|(member, train)| train.iter().map(move |t| (member as u32, *t)))
        .collect();
    assert_eq!(sources.len(), drawn.len());
    for ((source, time), (drawn_source, drawn_time)) in sources.iter().zip(times).zip(drawn) {
        assert_eq!(*source, drawn_source);
        // half a cycle of 4 ns is 0.02 ms of biological time
        assert!((time - drawn_time).abs() < 0.0201, "{time} {drawn_time}");
    }
}

#[test]
fn the_seed_decides_and_the_threads_do_not() {
    let one = outcome(&RunOptions { threads: Some(1), ..RunOptions::default() });
    let two = usual();
    assert!(one.words == two.words);
    assert!(one.input == two.input);
    assert!(one.trace == two.trace);
    assert!(one.mapping.synapses == two.mapping.synapses);
    let other = outcome(&RunOptions { seed: 1, ..RunOptions::default() });
    assert!(other.input != two.input);
}

#[test]
fn exported_delays_and_targets_are_those_that_the_wafer_has() {
    let saved = saved();
    let config = hal::codec::decode_wafer(&saved.words).unwrap();
    let wafer: BTreeMap<_, _> = connectivity(&config)
        .synapses
        .iter()
        .map(|s| {
            (s.synapse, (s.target, s.delay.hardware_s() * saved.mapping.scaling.speedup * 1e3))
        })
        .collect();
    let list = connections(&saved).unwrap();
    let offsets = saved.network.member_offsets();
    let places: Vec<(usize, OnWafer<_>)> = saved
        .network
        .projections()
        .flat_map(|(id, projection)| {
            let (_, post) = saved.network.endpoints(id);
            let first = offsets[post.index()];
            let fates = &saved.mapping.synapses[id.index()];
            projection.synapses.iter().zip(fates).filter_map(move |(synapse, fate)| match fate {
                SynapseFate::Realised { synapse: at, .. } => {
                    Some((first + synapse.post as usize, *at))
                }
                SynapseFate::Lost(_) => None,
            })
        })
        .collect();
    assert_eq!(list.pre.len(), places.len());
    for (i, (post, place)) in places.into_iter().enumerate() {
        let (target, delay) = wafer[&place];
        assert_eq!(list.delay_ms[i], delay);
        assert_eq!(list.post[i] as usize, post);
        let neuron = saved.mapping.placement.neurons[post].unwrap();
        assert_eq!(neuron.hicann, target.hicann);
        assert!(neuron.circuits().any(|c| c == target.local));
    }
    // at least the delay of a chip's own bus, in ms
    let shortest = list.delay_ms.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(shortest >= route_delay_s(1) * 1e7 - 0.021, "{shortest}");
}

#[test]
fn stages_come_in_order() {
    let mut seen: Vec<Progress> = Vec::new();
    run(&protocol(), &RunOptions::default(), &mut |p| seen.push(p)).unwrap();
    assert!(matches!(seen[0], Progress::Mapping(_)));
    assert_eq!(seen[seen.len() - 1], Progress::Reading);
    let share = |p: &Progress| match p {
        Progress::Emulating(share) => Some(*share),
        _ => None,
    };
    let shares: Vec<f64> = seen.iter().filter_map(share).collect();
    assert!(shares.is_sorted() && shares.ends_with(&[1.0]));
}

#[test]
fn effects_are_reported_and_act() {
    // so many events that the links of several chips are used to the full
    let mut protocol = protocol();
    protocol.model = Model::default();
    let source = CellType::SpikeSourcePoisson { rate_hz: 200.0 };
    let sources = protocol.model.population("sources", 40, source).unwrap();
    let cell = IfCondExp { v_rest: 0.0, v_reset: 10.0, v_thresh: 20.0, ..IfCondExp::default() };
    let cell = CellType::IfCondExp(IfCondExp { e_rev_e: 140.0, e_rev_i: -140.0, ..cell });
    let cells = protocol.model.population("cells", 10, cell).unwrap();
    let all = Connector::AllToAll { allow_self_connections: true };
    let random = &mut NumpyRandom::new(0);
    let excitatory = Receptor::Excitatory;
    protocol.model.project("all", sources, cells, &all, 0.002, excitatory, random).unwrap();
    let with = |effects| {
        run(&protocol, &RunOptions { effects, ..RunOptions::default() }, &mut |_| {}).unwrap()
    };
    let (without, with) = (with(Effects::NONE), with(Effect::LinkBandwidth.into()));
    assert!(without.run_report.stimulus.sent > 500);
    assert!(!without.run_report.effects["link_bandwidth"]);
    assert!(with.run_report.effects["link_bandwidth"]);
    // some pulses come too close to each other for the link of a chip and are released later
    assert!(with.input == without.input);
    assert!(with.released != without.released);
    let flow = &with.run_report.stimulus;
    assert_eq!(flow.sent, flow.delivered + flow.dropped + flow.pending);
}

#[test]
fn without_inputs_nothing_fires() {
    let quiet = run(&protocol_with(&["eta=0"]), &RunOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(quiet.run_report.spikes.emitted, 0);
    assert_eq!(quiet.run_report.stimulus.sent, 0);
    let window = Window::settled(500.0);
    assert!(rate_hz(&usual().recording.populations[0].trains, window).mean > 1.0);
}
