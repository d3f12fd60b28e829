//! Whatever is asked for on whatever wafer: a verified mapping that accounts for every synapse, or
//! an error that says what is in the way.

use calib::{CellParameters, IfCondExp, TsodyksMarkram, WaferCalibration};
use hal::codec::encode_wafer;
use hal::config::CurrentScaling;
use hal::coord::{Coordinate, HicannOnWafer};
use hal::defects::Defects;
use marocco::mapping::{StageTimes, SynapseFate};
use marocco::network::{
    Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
};
use marocco::options::{Prioritised, Priority};
use marocco::requests::{Place, Request};
use marocco::verify::verify;
use marocco::{Choice, Effort, MapError, MapOptions, Mapped, ModeChoice, map};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;

use crate::networks::{cell, options, sources};
use crate::wafers::defective;

/// A network to be drawn: populations of neurons with their V_reset and tau_m, sources with their rate, and
/// projections from anywhere to neurons.
#[derive(Debug, Clone)]
struct Wish {
    neurons: Vec<(usize, f64, f64)>,
    sources: Vec<(usize, f64)>,
    projections: Vec<Link>,
    /// Weight of the first projection.
    priority: u8,
    /// Number of chips where the first population of sources enters; anywhere if 0.
    input_chips: usize,
    seed: u64,
}

/// A projection: endpoints, in-degree of each target, whether its sources are neighbours of the
/// target instead of any, and its short-term plasticity.
#[derive(Debug, Clone)]
struct Link {
    pre: usize,
    post: usize,
    degree: usize,
    receptor: Receptor,
    local: bool,
    plasticity: Option<TsodyksMarkram>,
}

impl Wish {
    fn network(&self) -> Network {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut network = Network::default();
        let mut all = Vec::new();
        for (i, &(size, v_reset, tau_m)) in self.neurons.iter().enumerate() {
            let CellParameters::IfCondExp(usual) = cell() else { panic!("another kind of cell") };
            let cell = CellParameters::IfCondExp(IfCondExp { v_reset, tau_m, ..usual });
            let kind = PopulationKind::Neurons(PerMember::Uniform(cell));
            let population = Population { label: format!("neurons {i}"), size, kind };
            all.push((network.add_population(population).unwrap(), size));
        }
        for (i, &(size, rate_hz)) in self.sources.iter().enumerate() {
            let population = sources(&format!("sources {i}"), size, rate_hz);
            all.push((network.add_population(population).unwrap(), size));
        }
        for (i, link) in self.projections.iter().enumerate() {
            let (pre, n_pre) = all[link.pre % all.len()];
            let (post, n_post) = all[link.post % self.neurons.len()];
            let mut synapses = Vec::new();
            for target in 0..n_post {
                for k in 0..link.degree {
                    let near = target * n_pre / n_post + k;
                    let source = if link.local { near } else { rng.random_range(0..n_pre) };
                    let weight_us = rng.random_range(0.001..0.01);
                    let (pre, post) = ((source % n_pre) as u32, target as u32);
                    synapses.push(Synapse { pre, post, weight_us });
                }
            }
            let (label, receptor) = (format!("projection {i}"), link.receptor);
            let plasticity = link.plasticity;
            network
                .add_projection(
                    pre,
                    post,
                    Projection { label, receptor, plasticity, pairs: None, synapses },
                )
                .unwrap();
        }
        network
    }
}

impl Wish {
    /// The options with what is asked of single populations and projections.
    fn options(&self, network: &Network, options: MapOptions) -> MapOptions {
        let projection = network.projections().next().map(|(id, _)| id);
        let of = projection.map(Prioritised::Projection);
        let priorities = of.map(|of| Priority { of, weight: self.priority }).into_iter().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let chip = |_| HicannOnWafer::try_from(rng.random_range(0..HicannOnWafer::SIZE)).unwrap();
        let chips: Vec<HicannOnWafer> = (0..self.input_chips).map(chip).collect();
        let sources = network.populations().find(|(_, p)| p.is_source() && !chips.is_empty());
        let requests = sources
            .map(|(population, _)| Request {
                population,
                members: None,
                place: Some(Place::Hicanns(chips.clone())),
                size: None,
                mode: None,
            })
            .into_iter()
            .collect();
        MapOptions { priorities, requests, ..options }
    }
}

fn wishes() -> impl Strategy<Value = Wish> {
    let tau_m = prop_oneof![4 => Just(10.0), 1 => Just(700.0), 1 => Just(3.0)];
    let v_reset = prop_oneof![Just(10.0), Just(5.0)];
    let neurons = proptest::collection::vec((1_usize..250, v_reset, tau_m), 1..4);
    let sources = proptest::collection::vec((1_usize..150, 0.0..300.0), 0..3);
    let link = (any::<(usize, usize)>(), 0_usize..60, any::<(bool, bool)>(), plasticity())
        .prop_map(|((pre, post), degree, (excites, local), plasticity)| {
            let receptor = if excites { Receptor::Excitatory } else { Receptor::Inhibitory };
            Link { pre, post, degree, receptor, local, plasticity }
        });
    let projections = proptest::collection::vec(link, 0..8);
    let priority = prop_oneof![3 => Just(1_u8), 1 => 2..=100_u8];
    let input_chips = prop_oneof![3 => Just(0), 1 => 1_usize..6];
    (neurons, sources, projections, priority, input_chips, any::<u64>()).prop_map(
        |(neurons, sources, projections, priority, input_chips, seed)| Wish {
            neurons,
            sources,
            projections,
            priority,
            input_chips,
            seed,
        },
    )
}

/// Mostly none; else one that drivers reach at least nearly, rarely one that they do not.
fn plasticity() -> impl Strategy<Value = Option<TsodyksMarkram>> {
    let u = prop_oneof![6 => 0.2..0.5_f64, 1 => Just(1.0)];
    let tau = || prop_oneof![4 => Just(100.0), 2 => Just(400.0), 1 => 2.0..15_000.0_f64];
    let one = (u, tau(), 0_u8..20).prop_map(|(u, tau, which)| {
        let (tau_rec, tau_facil) = match which {
            0 => (tau, tau),
            1 => (0.0, 0.0),
            2..10 => (tau, 0.0),
            _ => (0.0, tau),
        };
        TsodyksMarkram { u, tau_rec, tau_facil }
    });
    prop_oneof![2 => Just(None), 1 => one.prop_map(Some)]
}

fn settings() -> impl Strategy<Value = MapOptions> {
    let size = prop_oneof![2 => Just(None), 3 => (1_usize..=32).prop_map(|n| Some(2 * n))];
    let effort = prop_oneof![3 => Just(Effort::Quick), 1 => Just(Effort::Normal)];
    let excluded = prop_oneof![4 => Just(0.0), 2 => Just(0.3), 1 => Just(0.97)];
    let limits =
        (1_usize..=8, switches(), prop_oneof![5 => Just(None), 1 => (1_usize..40).prop_map(Some)]);
    (size, effort, limits, 0.05..=1.0, excluded, modes(), any::<u64>()).prop_map(
        |(size, effort, limits, bandwidth_utilisation, excluded, mode, seed)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let excluded = HicannOnWafer::all().filter(|_| rng.random_bool(excluded)).collect();
            let usual = options(size);
            let (chain_length, [max_crossbar_switches, max_synapse_switches], max_route) = limits;
            MapOptions {
                effort,
                chain_length,
                max_crossbar_switches,
                max_synapse_switches,
                max_route_hicanns: max_route,
                bandwidth_utilisation,
                excluded,
                mode,
                seed,
                ..usual
            }
        },
    )
}

/// Limits of crossbar and synapse switches.
fn switches() -> impl Strategy<Value = [usize; 2]> {
    prop_oneof![3 => Just([1, 1]), 1 => [1_usize..5, 1_usize..29]]
}

/// Mostly the mapper's choice; a fixed leak suits some populations only.
fn modes() -> impl Strategy<Value = ModeChoice> {
    let leak = prop_oneof![
        4 => Just(Choice::Auto),
        1 => Just(Choice::Fixed(CurrentScaling::Normal)),
        1 => Just(Choice::Fixed(CurrentScaling::Slow)),
    ];
    leak.prop_map(|leak| ModeChoice { leak, ..ModeChoice::default() })
}

fn wafers() -> impl Strategy<Value = (f64, usize, u64)> {
    let rate = prop_oneof![Just(0.0), 0.0..0.03, 0.0..0.1];
    let missing = prop_oneof![4 => Just(0_usize), 3 => 1_usize..6, 1 => Just(60)];
    (rate, missing, any::<u64>())
}

/// Maps on this number of threads; times are not part of the result.
fn mapped(
    threads: usize,
    network: &Network,
    options: &MapOptions,
    defects: &Defects,
) -> Result<Mapped, MapError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let calibration = WaferCalibration::ideal();
    let mut mapped = pool.install(|| map(network, options, defects, &calibration, &mut |_| {}))?;
    mapped.mapping.times = StageTimes::default();
    Ok(mapped)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32,
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_request_ends_in_a_verified_mapping_or_an_error(
        wish in wishes(),
        options in settings(),
        (rate, missing_reticles, seed) in wafers(),
    ) {
        let network = wish.network();
        let options = wish.options(&network, options);
        let defects = defective(rate, missing_reticles, seed);
        let made = match mapped(2, &network, &options, &defects) {
            Ok(made) => made,
            Err(error) => {
                let again = mapped(1, &network, &options, &defects).unwrap_err();
                prop_assert_eq!(error.to_string(), again.to_string());
                return Ok(());
            }
        };
        let words = encode_wafer(&made.config).unwrap();
        let found = verify(&network, &made.mapping, &words, &options.rules(&defects)).unwrap();
        prop_assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);

        let fates = made.mapping.synapses.iter().flatten();
        let lost = fates.filter(|f| matches!(f, SynapseFate::Lost(_))).count();
        prop_assert_eq!(found.functional + lost, network.n_synapses());
        let loss = lost as f64 / network.n_synapses().max(1) as f64;
        prop_assert!(made.mapping.bound_loss_fraction <= loss + 1e-12);

        let again = mapped(1, &network, &options, &defects).unwrap();
        prop_assert!(again.config == made.config, "words depend on the number of threads");
        prop_assert_eq!(format!("{:?}", again.mapping), format!("{:?}", made.mapping));
    }
}
