//! Long-term plasticity from the network through words to weights that are read back.

use std::collections::BTreeMap;

use calib::PairRule;
use emulator::Instance;
use hal::coord::Coordinate as _;
use hal::law;
use hal::value::{DacCode, SynapseWeight};
use marocco::network::{PopulationId, ProjectionId, Receptor};
use pynn_front::session::{CellModel, Columns, NewProjection, Session, Setup, SynapseKind, go_on};

const RULE: PairRule = PairRule {
    tau_plus: 20.0,
    tau_minus: 20.0,
    a_plus: 0.05,
    a_minus: 0.05,
    w_min: 0.0,
    w_max: 0.006,
};
/// A weight in the middle.
const START_US: f64 = 0.0029;

/// The digital weight nearest to a conductance, by the law of a row whose largest is `w_max`.
fn level(weight_us: f64) -> i32 {
    let of = |w| law::synapse_s(w, DacCode::MAX, law::split_divisor(1));
    let us = |w| of(w) / of(SynapseWeight::MAX) * RULE.w_max;
    let distance = |w: &SynapseWeight| if w.index() == 0 { weight_us } else { us(*w) - weight_us };
    let nearest =
        SynapseWeight::all().min_by(|a, b| distance(a).abs().total_cmp(&distance(b).abs()));
    nearest.unwrap().index() as i32
}

/// Cells that a teacher lets fire, and one plastic synapse onto each from a source of its own.
struct Lesson {
    session: Session,
    plastic: ProjectionId,
    /// Constant synapses onto the same cells from sources of their own.
    constant: ProjectionId,
    cells: PopulationId,
}

/// The sources of the plastic synapses send at `lead_ms` before the teacher does.
fn lesson(leads_ms: &[f64], pairs: usize, weight_us: f64, rule: PairRule) -> Lesson {
    let n = leads_ms.len() as u32;
    let mut session =
        Session::new(Setup { threads: Some(2), ..Setup::on(Instance::Ideal) }).unwrap();
    let taught: Vec<f64> = (0..pairs).map(|i| 50.0 + 100.0 * i as f64).collect();
    let pre = leads_ms.iter().map(|lead| taught.iter().map(|t| t - lead).collect()).collect();
    let pre = session.add_spike_arrays("pre", pre).unwrap();
    let teacher = session.add_spike_arrays("teacher", vec![taught; n as usize]).unwrap();
    let cell: Columns = [("tau_refrac", 1.0), ("tau_syn_E", 2.0), ("cm", 0.2), ("tau_m", 10.0)]
        .map(|(name, value)| (name.to_owned(), vec![value]))
        .into();
    let cells = session.add_neurons("cells", n as usize, CellModel::IfCondExp, &cell).unwrap();
    let each: Vec<u32> = (0..n).collect();
    let mut project = |label, from, weight: f64, kind| {
        let new = NewProjection {
            label,
            ends: (from, cells),
            receptor: Receptor::Excitatory,
            pre: &each,
            post: &each,
            weights_us: &[weight],
            kind,
        };
        session.add_projection(new).unwrap()
    };
    let constant = project("teach", teacher, 0.3, SynapseKind::Static);
    let plastic = project("plastic", pre, weight_us, SynapseKind::Pairs(rule));
    session.record_spikes(cells, &each).unwrap();
    Lesson { session, plastic, constant, cells }
}

impl Lesson {
    fn run(&mut self, ms: f64) {
        self.session.run(ms, &mut go_on).unwrap();
    }

    /// Weights by member, in levels.
    fn levels(&self) -> Vec<i32> {
        let realised = self.session.realised_synapses(self.plastic).unwrap();
        realised.weights_us.iter().map(|&w| level(w)).collect()
    }
}

#[test]
fn pairs_of_either_order_move_weights_to_their_side() {
    let leads = [5.0, -5.0, 25.0, -25.0, 5.0];
    let mut lesson = lesson(&leads, 6, START_US, RULE);
    lesson.session.map(&mut go_on).unwrap();
    assert_eq!(lesson.levels(), [5; 5]);
    lesson.run(700.0);
    assert!(lesson.session.spikes(lesson.cells).unwrap().times_ms.len() >= 6 * leads.len());
    let change: Vec<i32> = lesson.levels().iter().map(|level| level - 5).collect();
    for (lead, &change) in leads.iter().zip(&change) {
        assert!(f64::from(change) * lead > 0.0, "{leads:?}: {change}");
    }
    // nearer pairs count more
    assert!(change[0] > change[2] && change[1] < change[3], "{change:?}");
    assert_eq!(change[0], change[4]);
    // the other synapses of the chips keep theirs
    let constant = lesson.session.realised_synapses(lesson.constant).unwrap().weights_us;
    assert!(constant.iter().all(|w| (w / 0.3 - 1.0).abs() < 0.05), "{constant:?}");
}

#[test]
fn weights_stay_within_their_bounds_and_may_start_at_zero() {
    let rule = PairRule { a_plus: 0.2, a_minus: 0.2, w_min: 0.002, ..RULE };
    let mut bounded = lesson(&[4.0, -4.0], 15, 0.004, rule);
    bounded.run(1600.0);
    assert_eq!(bounded.levels(), [15, 5]);
    let mut silent = lesson(&[5.0, -5.0], 8, 0.0, RULE);
    silent.run(900.0);
    let levels = silent.levels();
    assert!(levels[0] >= 2 && levels[1] == 0, "{levels:?}");
    assert_eq!(silent.session.mapping_report().unwrap().synapses_lost, 0);
}

#[test]
fn what_was_learned_lasts_until_it_is_set_or_reset() {
    let whole = {
        let mut lesson = lesson(&[5.0, -5.0, 9.0], 10, START_US, RULE);
        lesson.run(1100.0);
        lesson.levels()
    };
    assert!(whole[0] > 5 && whole[1] < 5, "{whole:?}");
    let mut parts = lesson(&[5.0, -5.0, 9.0], 10, START_US, RULE);
    for _ in 0..11 {
        parts.run(100.0);
    }
    assert_eq!(parts.levels(), whole);
    // other cells mean other words, but not other weights
    let longer = BTreeMap::from([("tau_refrac".to_owned(), vec![1.5])]);
    parts.session.set_cells(parts.cells, &longer).unwrap();
    parts.run(50.0);
    assert_eq!(parts.levels(), whole);
    let shorter = BTreeMap::from([("tau_refrac".to_owned(), vec![1.0])]);
    parts.session.set_cells(parts.cells, &shorter).unwrap();
    parts.session.reset();
    parts.run(0.0);
    assert_eq!(parts.levels(), [5; 3]);
    parts.run(1100.0);
    assert_eq!(parts.levels(), whole);
    parts.session.set_weights(parts.plastic, &[0.0011]).unwrap();
    parts.run(10.0);
    assert_eq!(parts.levels(), [1; 3]);
}

#[test]
fn a_crowd_of_plastic_and_constant_synapses_is_mapped_without_loss() {
    let mut session =
        Session::new(Setup { threads: Some(2), ..Setup::on(Instance::Ideal) }).unwrap();
    let sources = session.add_poisson("sources", 60, &[10.0], &[0.0], &[1e10]).unwrap();
    let cells = session.add_neurons("exc", 80, CellModel::IfCondExp, &Columns::default()).unwrap();
    let brakes = session.add_neurons("inh", 20, CellModel::IfCondExp, &Columns::default()).unwrap();
    let mut add = |label, ends, receptor, n_pre: u32, n_post: u32, kind| {
        // every third source to every target
        let (pre, post): (Vec<u32>, Vec<u32>) = (0..n_post)
            .flat_map(|post| {
                (0..n_pre).filter(move |i| (i + post) % 3 == 0).map(move |i| (i, post))
            })
            .unzip();
        let weights_us = &[0.003];
        let new = NewProjection { label, ends, receptor, pre: &pre, post: &post, weights_us, kind };
        session.add_projection(new).unwrap()
    };
    let (e, i) = (Receptor::Excitatory, Receptor::Inhibitory);
    add("in", (sources, cells), e, 60, 80, SynapseKind::Static);
    add("recurrent", (cells, cells), e, 80, 80, SynapseKind::Pairs(RULE));
    add("up", (cells, brakes), e, 80, 20, SynapseKind::Static);
    add("down", (brakes, cells), i, 20, 80, SynapseKind::Static);
    session.map(&mut go_on).unwrap();
    let report = session.mapping_report().unwrap();
    assert_eq!((report.synapses_lost, report.verified), (0, true), "{:?}", report.loss_by_cause);
    assert!((report.pairs["recurrent"].a_plus - 0.05).abs() < 0.005);
    session.run(50.0, &mut go_on).unwrap();
}
