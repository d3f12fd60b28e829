//! Networks looked at from outside: each source fires alone, and exactly the targets that it is
//! connected to answer. Excited ones fire, inhibited ones pause.

use std::collections::BTreeSet;

use emulator::Instance;
use marocco::network::{PopulationId, ProjectionId, Receptor};
use marocco::{Effort, NeuronSize, NeuronSizeChoice};
use pynn_front::random::NumpyRandom;
use pynn_front::session::{CellModel, Columns, NewProjection, Session, Setup, SynapseKind, go_on};

const NETWORKS: u32 = 200;
const SIZES: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Biological time between two sources, ms, and the first one.
const APART_MS: f64 = 60.0;
const FIRST_MS: f64 = 100.0;

type Pairs = BTreeSet<(u32, u32)>;

fn columns(v_rest: f64) -> Columns {
    let values = [
        ("tau_m", 10.0),
        ("tau_refrac", 2.0),
        ("tau_syn_E", 3.0),
        ("tau_syn_I", 6.0),
        ("e_rev_I", -90.0),
        ("v_rest", v_rest),
    ];
    values.iter().map(|&(name, value)| (name.to_owned(), vec![value])).collect()
}

/// Random pairs: each source to each target with a probability of a third, and at least one.
fn pairs(random: &mut NumpyRandom, sources: u32, targets: u32) -> Pairs {
    let all = (0..sources).flat_map(|s| (0..targets).map(move |t| (s, t)));
    let mut pairs: Pairs = all.filter(|_| random.unit() < 1.0 / 3.0).collect();
    pairs.insert((random.below(sources), random.below(targets)));
    pairs
}

fn project(
    session: &mut Session,
    label: &str,
    ends: (PopulationId, PopulationId),
    receptor: Receptor,
    pairs: &Pairs,
) -> ProjectionId {
    let (pre, post): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    let (weights_us, kind) = (&[0.3][..], SynapseKind::Static);
    session
        .add_projection(NewProjection {
            label,
            ends,
            receptor,
            pre: &pre,
            post: &post,
            weights_us,
            kind,
        })
        .unwrap()
}

/// What the mapping says is there.
fn claimed(session: &Session, projection: ProjectionId, asked: &Pairs) -> Pairs {
    let lost = session.lost(projection).unwrap();
    let lost: Pairs = lost.iter().map(|l| (l.pre, l.post)).collect();
    let realised = session.realised_synapses(projection).unwrap();
    let realised: Pairs = realised.pre.into_iter().zip(realised.post).collect();
    assert_eq!(&realised | &lost, *asked);
    realised
}

/// Spikes of each member.
fn trains(session: &Session, population: PopulationId, size: u32) -> Vec<Vec<f64>> {
    let spikes = session.spikes(population).unwrap();
    let mut trains = vec![Vec::new(); size as usize];
    for (member, time) in spikes.members.into_iter().zip(spikes.times_ms) {
        trains[member as usize].push(time);
    }
    trains
}

#[test]
fn exactly_the_connected_targets_answer() {
    let mut seen = 0;
    for seed in 0..NETWORKS {
        let mut random = NumpyRandom::new(seed);
        let (sources, targets) = (2 + random.below(5), 3 + random.below(12));
        let size = NeuronSize::try_from(SIZES[random.below(6) as usize]).unwrap();
        let mut session = Session::new(Setup {
            neuron_size: NeuronSizeChoice::Fixed(size),
            effort: Effort::Quick,
            threads: Some(1),
            seed: u64::from(seed),
            ..Setup::on(Instance::Ideal)
        })
        .unwrap();
        let time = |source: u32| FIRST_MS + APART_MS * f64::from(source);
        let times = (0..sources).map(|source| vec![time(source)]).collect();
        let input = session.add_spike_arrays("input", times).unwrap();
        let quiet = columns(-65.0);
        let quiet = session.add_neurons("quiet", targets as usize, CellModel::IfCondExp, &quiet);
        let quiet = quiet.unwrap();
        let busy = columns(-40.0);
        let busy = session.add_neurons("busy", targets as usize, CellModel::IfCondExp, &busy);
        let busy = busy.unwrap();
        let excite = pairs(&mut random, sources, targets);
        let inhibit = pairs(&mut random, sources, targets);
        let excites =
            project(&mut session, "excites", (input, quiet), Receptor::Excitatory, &excite);
        let inhibits =
            project(&mut session, "inhibits", (input, busy), Receptor::Inhibitory, &inhibit);
        let all: Vec<u32> = (0..targets).collect();
        session.record_spikes(quiet, &all).unwrap();
        session.record_spikes(busy, &all).unwrap();
        session.run(time(sources), &mut go_on).unwrap();

        let excite = claimed(&session, excites, &excite);
        let inhibit = claimed(&session, inhibits, &inhibit);
        let report = session.mapping_report().unwrap();
        assert!(report.verified);
        assert_eq!(report.synapses_realised, excite.len() + inhibit.len());
        let window = |source: u32| time(source)..time(source) + 30.0;
        for (target, train) in trains(&session, quiet, targets).iter().enumerate() {
            for source in 0..sources {
                let answers = train.iter().any(|t| window(source).contains(t));
                let connected = excite.contains(&(source, target as u32));
                assert_eq!(answers, connected, "network {seed}: {source} to {target}");
            }
        }
        for (target, train) in trains(&session, busy, targets).iter().enumerate() {
            // regular until the first source fires
            let before = train.partition_point(|&t| t < FIRST_MS);
            let usual_ms = train[before - 1] - train[before - 2];
            for source in 0..sources {
                // a spike that was about to come may come before the event arrives
                let meanwhile = time(source) + 3.0;
                let next = train.partition_point(|&t| t <= meanwhile);
                let gap_ms = train.get(next).map_or(f64::INFINITY, |t| t - train[next - 1]);
                let pauses = gap_ms > 1.3 * usual_ms;
                let connected = inhibit.contains(&(source, target as u32));
                assert_eq!(pauses, connected, "network {seed}: {source} to {target}, {gap_ms} ms");
            }
        }
        seen += excite.len() + inhibit.len();
    }
    assert!(seen > 4000, "{seen}");
}
