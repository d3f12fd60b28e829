//! Short-term plasticity: T46 of mapping §10, what drivers reach, what a quadrant shares, and how
//! the verifier takes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use calib::{HicannCalibration, PlasticityError, TsodyksMarkram, WaferCalibration};
use hal::codec::encode_wafer;
use hal::config::{SharedParameter, StpMode};
use hal::coord::{Coordinate, FgBlockOnHicann, HicannOnWafer, SynapseDriverOnHicann, WaferNumber};
use hal::defects::Defects;
use hal::law;
use hal::value::{DacCode, StpCapacitor};
use marocco::mapping::{LossCause, SynapseFate};
use marocco::network::{Network, NetworkError, Projection, Receptor, Synapse};
use marocco::verify::{Rule, Rules, verify};
use marocco::{MapError, MapOptions, Mapped, map, remap, report};

use crate::networks::{neurons, options, sources};

fn depression(u: f64, tau_rec: f64) -> TsodyksMarkram {
    TsodyksMarkram { u, tau_rec, tau_facil: 0.0 }
}

fn facilitation(u: f64, tau_facil: f64) -> TsodyksMarkram {
    TsodyksMarkram { u, tau_rec: 0.0, tau_facil }
}

/// For each plasticity a population of `n` sources, each of which has a synapse to each of `targets`
/// neurons.
fn network(n: usize, targets: usize, plasticity: &[Option<TsodyksMarkram>]) -> Network {
    let mut network = Network::default();
    let to = network.add_population(neurons("targets", targets)).unwrap();
    for (i, &plasticity) in plasticity.iter().enumerate() {
        let label = format!("sources {i}");
        let from = network.add_population(sources(&label, n, 1.0)).unwrap();
        let synapses = (0..n * targets)
            .map(|k| Synapse { pre: (k % n) as u32, post: (k / n) as u32, weight_us: 0.002 })
            .collect();
        let receptor = Receptor::Excitatory;
        let projection = Projection { label, receptor, plasticity, pairs: None, synapses };
        network.add_projection(from, to, projection).unwrap();
    }
    network
}

fn mapped(network: &Network, options: &MapOptions) -> Mapped {
    let whole = Defects::default();
    let mapped = map(network, options, &whole, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    demand_verified(network, &mapped, options);
    mapped
}

fn demand_verified(network: &Network, mapped: &Mapped, options: &MapOptions) {
    let words = encode_wafer(&mapped.config).unwrap();
    let rules = options.rules(&Defects::default());
    let found = verify(network, &mapped.mapping, &words, &rules).unwrap();
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
}

fn lost(mapped: &Mapped) -> Vec<LossCause> {
    let fates = mapped.mapping.synapses.iter().flatten();
    fates
        .filter_map(|f| if let SynapseFate::Lost(cause) = f { Some(*cause) } else { None })
        .collect()
}

#[test]
fn t46_three_modes_take_three_drivers() {
    for receptor_size in [4, 8] {
        let wanted = [Some(depression(0.3, 100.0)), Some(facilitation(0.3, 100.0)), None];
        let network = network(1, 1, &wanted);
        let mapped = mapped(&network, &options(Some(receptor_size)));
        assert_eq!(lost(&mapped), []);
        let mut drivers = Vec::new();
        for (projection, fates) in mapped.mapping.synapses.iter().enumerate() {
            let SynapseFate::Realised { synapse, .. } = fates[0] else { panic!("lost") };
            let chip = &mapped.config.hicanns[&synapse.hicann];
            let driver = synapse.local.row().driver();
            drivers.push(driver);
            let found = &chip.synapses.drivers[driver];
            let mode = found.stp_enable.then_some(found.stp_mode);
            let want = [Some(StpMode::Depression), Some(StpMode::Facilitation), None];
            assert_eq!(mode, want[projection]);
            // the address is decoded by this one synapse of the driver's rows
            let address = mapped.mapping.placement.addresses[1 + projection].unwrap().address;
            let decoding = chip.synapses.decoders.iter().filter(|(s, decoder)| {
                s.row().driver() == driver && **decoder == address.synapse_decoder()
            });
            assert_eq!(decoding.count(), 1);
        }
        assert_eq!(drivers.iter().collect::<BTreeSet<_>>().len(), 3);
        let enabled =
            mapped.config.hicanns.values().flat_map(|chip| chip.synapses.drivers.values());
        assert_eq!(enabled.filter(|driver| driver.enable).count(), 3);
    }
}

#[test]
fn t46_depression_and_facilitation_at_once_are_refused() {
    let both = Some(TsodyksMarkram { u: 0.3, tau_rec: 100.0, tau_facil: 50.0 });
    for (wanted, message) in [
        (both, "not both"),
        (Some(depression(0.95, 100.0)), "U = 0.95"),
        (Some(facilitation(0.3, 1e5)), "tau_facil = 100000"),
    ] {
        let network = network(1, 1, &[wanted]);
        let (whole, ideal) = (Defects::default(), WaferCalibration::ideal());
        let error = map(&network, &options(None), &whole, &ideal, &mut |_| {}).unwrap_err();
        assert!(
            matches!(&error, MapError::Plasticity { projection, .. } if projection == "sources 0")
        );
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn unphysical_plasticity_is_no_network() {
    let mut network = network(1, 1, &[]);
    let (post, _) = network.populations().next().unwrap();
    let projection = Projection {
        label: "odd".into(),
        receptor: Receptor::Excitatory,
        plasticity: Some(depression(0.3, f64::NAN)),
        pairs: None,
        synapses: Vec::new(),
    };
    let error = network.add_projection(post, post, projection).unwrap_err();
    let NetworkError::Plasticity { projection, source } = error else { panic!("{error}") };
    assert_eq!(projection, "odd");
    assert!(matches!(source, PlasticityError::Time { parameter: "tau_rec", .. }));
}

#[test]
fn drivers_do_the_nearest_and_the_report_tells_what() {
    let wanted = [Some(depression(0.28, 333.0)), Some(facilitation(0.5, 100.0)), None];
    let network = network(10, 5, &wanted);
    let mapped = mapped(&network, &options(None));
    let report = report(&network, &mapped.mapping, true);
    assert_eq!(report.synapses_lost, 0);
    assert_eq!(report.clipped["U"], 50);
    assert_eq!(report.plasticity.len(), 2);
    let near = &report.plasticity["sources 0"];
    assert!((near.u - 0.28).abs() < 0.011 && (near.tau_rec - 333.0).abs() < 10.0, "{near:?}");
    let clipped = &report.plasticity["sources 1"];
    assert!((clipped.u - 0.4).abs() < 1e-9 && clipped.tau_rec == 0.0, "{clipped:?}");
    // weights keep their meaning: the row conducts U, or 1 - U, of them
    for weights in &mapped.mapping.realised_weights_us {
        assert!(weights.iter().all(|w| (w / 0.002 - 1.0).abs() < 0.04), "{weights:?}");
    }
}

#[test]
fn neither_time_constant_makes_static_synapses_of_u_times_the_weight() {
    let wanted = Some(TsodyksMarkram { u: 0.5, tau_rec: 0.0, tau_facil: 0.0 });
    let network = network(4, 4, &[wanted, None]);
    let mapped = mapped(&network, &options(Some(4)));
    assert_eq!(lost(&mapped), []);
    let drivers = mapped.config.hicanns.values().flat_map(|chip| chip.synapses.drivers.values());
    assert!(drivers.into_iter().all(|driver| !driver.stp_enable));
    let conductance = |projection: usize| {
        let SynapseFate::Realised { synapse, weight } = mapped.mapping.synapses[projection][0]
        else {
            panic!("lost")
        };
        let chip = &mapped.config.hicanns[&synapse.hicann];
        let row = chip.synapses.row(synapse.local.row());
        let block = synapse.local.row().driver().quadrant().fg_block();
        let gmax = SharedParameter::gmax(row.gmax_select);
        let v_gmax = chip.floating_gates.shared(block, gmax).unwrap();
        law::synapse_s(weight, v_gmax, row.gmax_divisor)
    };
    assert!((conductance(0) / conductance(1) - 0.5).abs() < 0.02);
}

#[test]
fn one_bus_serves_several_kinds_with_drivers_of_each() {
    // the same sources depress, facilitate and do neither; one chain has them all
    let mut network = network(6, 3, &[None]);
    let mut populations = network.populations().map(|(id, _)| id);
    let (to, from) = (populations.next().unwrap(), populations.next().unwrap());
    drop(populations);
    for plasticity in [
        Some(depression(0.25, 200.0)),
        Some(facilitation(0.4, 200.0)),
        Some(depression(0.4, 200.0)),
    ] {
        let synapses = (0..18).map(|k| Synapse { pre: k % 6, post: k / 6, weight_us: 0.002 });
        let (label, receptor) = (format!("{plasticity:?}"), Receptor::Inhibitory);
        let synapses = synapses.collect();
        let projection = Projection { label, receptor, plasticity, pairs: None, synapses };
        network.add_projection(from, to, projection).unwrap();
    }
    let four = MapOptions { chain_length: 4, ..options(Some(16)) };
    let all = mapped(&network, &four);
    assert_eq!(lost(&all), []);
    assert_eq!(all.mapping.chains.len(), 1);
    // a chain of three has no room for the fourth kind
    let three = mapped(&network, &options(Some(16)));
    assert_eq!(lost(&three), [LossCause::NoHalfRow; 18]);
}

#[test]
fn a_quadrant_has_one_recovery() {
    // sixty sources of one population on a bus, with two recoveries: drivers of one quadrant
    let mut network = network(12, 4, &[Some(depression(0.3, 100.0))]);
    let mut populations = network.populations().map(|(id, _)| id);
    let (to, from) = (populations.next().unwrap(), populations.next().unwrap());
    drop(populations);
    let synapses = (0..20).map(|k| Synapse { pre: k % 12, post: k / 5, weight_us: 0.002 });
    let projection = Projection {
        label: "slow".into(),
        receptor: Receptor::Excitatory,
        plasticity: Some(depression(0.3, 500.0)),
        pairs: None,
        synapses: synapses.collect(),
    };
    network.add_projection(from, to, projection).unwrap();
    let made = mapped(&network, &options(Some(8)));
    assert_eq!(lost(&made), [LossCause::NoPlasticity; 20]);
    assert_eq!(report(&network, &made.mapping, true).loss_by_cause["no_plasticity"], 20);

    // populations of their own have buses of their own, and a side has two quadrants
    let apart = [100.0, 500.0].map(|tau| Some(depression(0.3, tau)));
    let network = self::network(12, 4, &apart);
    assert_eq!(lost(&mapped(&network, &options(Some(8)))), []);
}

#[test]
fn new_plasticity_on_an_old_placement() {
    let options = options(Some(8));
    let before = network(12, 4, &[Some(depression(0.3, 100.0)), None]);
    let made = mapped(&before, &options);
    for wanted in [[Some(depression(0.4, 300.0)), None], [None, Some(facilitation(0.3, 70.0))]] {
        let network = network(12, 4, &wanted);
        let (whole, ideal) = (Defects::default(), WaferCalibration::ideal());
        let again = remap(&network, &made, &options, &whole, &ideal).unwrap();
        demand_verified(&network, &again, &options);
        assert_eq!(lost(&again), []);
        assert_eq!(again.mapping.placement, made.mapping.placement);
    }
}

#[test]
fn v24_v26_plasticity_is_held_against_the_bits() {
    let network =
        network(4, 4, &[Some(depression(0.3, 100.0)), Some(facilitation(0.3, 300.0)), None]);
    let options = options(Some(8));
    let made = mapped(&network, &options);
    let rules = options.rules(&Defects::default());
    let breaks = |rule: Rule, change: &dyn Fn(&mut Mapped)| {
        let mut changed = made.clone();
        change(&mut changed);
        let words = encode_wafer(&changed.config).unwrap();
        let found = verify(&network, &changed.mapping, &words, &rules).unwrap();
        assert!(found.breaks(rule), "{rule} is not among {:#?}", found.violations);
    };
    let place = |projection: usize| {
        let SynapseFate::Realised { synapse, .. } = made.mapping.synapses[projection][0] else {
            panic!("lost")
        };
        (synapse.hicann, synapse.local.row().driver())
    };
    for projection in 0..3 {
        let (hicann, driver) = place(projection);
        for rule in [Rule::V24, Rule::V26] {
            breaks(rule, &|m| {
                let driver = &mut m.config.hicann_mut(hicann).synapses.drivers[driver];
                driver.stp_enable ^= true;
            });
        }
        breaks(Rule::V24, &|m| {
            let driver = &mut m.config.hicann_mut(hicann).synapses.drivers[driver];
            driver.stp_capacitor = StpCapacitor::new::<7>();
        });
        breaks(Rule::V24, &|m| {
            let driver = &mut m.config.hicann_mut(hicann).synapses.drivers[driver];
            driver.stp_mode = match driver.stp_mode {
                StpMode::Depression => StpMode::Facilitation,
                StpMode::Facilitation => StpMode::Depression,
            };
        });
    }
    // cells of the block, by one code
    for (projection, parameter) in [
        (0, SharedParameter::VStdf),
        (0, SharedParameter::VDtc),
        (0, SharedParameter::VDep),
        (1, SharedParameter::VStdf),
        (1, SharedParameter::VDtc),
        (1, SharedParameter::VFac),
    ] {
        let (hicann, driver) = place(projection);
        breaks(Rule::V26, &|m| {
            let gates = &mut m.config.hicann_mut(hicann).floating_gates;
            let block = driver.quadrant().fg_block();
            let code = gates.shared(block, parameter).unwrap();
            let flipped = DacCode::try_from(u32::from(code) as usize ^ 1).unwrap();
            gates.set_shared(block, parameter, flipped);
        });
    }
    // an idle driver, an idle block
    let (hicann, _) = place(0);
    let busy: BTreeSet<SynapseDriverOnHicann> =
        made.mapping.chains.iter().flat_map(|c| c.members.clone()).collect();
    let idle = SynapseDriverOnHicann::all().find(|d| !busy.contains(d)).unwrap();
    breaks(Rule::V24, &|m| m.config.hicann_mut(hicann).synapses.drivers[idle].stp_enable = true);
    let quiet = FgBlockOnHicann::all()
        .find(|&block| busy.iter().all(|d| d.quadrant().fg_block() != block))
        .unwrap();
    breaks(Rule::Rest, &|m| {
        let gates = &mut m.config.hicann_mut(hicann).floating_gates;
        gates.set_shared(quiet, SharedParameter::VDtc, DacCode::new::<9>());
    });
    // the claim against the request
    breaks(Rule::V24, &|m| m.mapping.plasticity[0] = None);
    breaks(Rule::V24, &|m| m.mapping.plasticity[2] = Some(depression(0.3, 100.0)));
    breaks(Rule::V24, &|m| m.mapping.plasticity[0].as_mut().unwrap().u += 0.02);
    breaks(Rule::V26, &|m| m.mapping.plasticity[0].as_mut().unwrap().tau_rec *= 1.001);
    breaks(Rule::V05, &|m| m.mapping.plasticity[1].as_mut().unwrap().u += 0.001);
    breaks(Rule::V24, &|m| m.mapping.plasticity[1] = Some(depression(0.3, 300.0)));
    let chain = made.mapping.chains.iter().position(|c| c.plasticity[0].is_some()).unwrap();
    breaks(Rule::V24, &|m| m.mapping.chains[chain].plasticity[0] = None);
    breaks(Rule::V24, &|m| m.mapping.chains[chain].plasticity.clear());
}

/// A wafer whose blocks differ from nominal ones all in the same way.
fn measured(change: impl Fn(&mut calib::BlockCalibration)) -> WaferCalibration {
    let mut chip = HicannCalibration::default();
    FgBlockOnHicann::all().for_each(|block| change(&mut chip.blocks[block]));
    let hicanns = HicannOnWafer::all().map(|hicann| (hicann, chip.clone())).collect();
    WaferCalibration { wafer: Some(WaferNumber(30)), hicanns }
}

/// Maps onto a measured wafer; the verifier knows it, too.
fn mapped_on(network: &Network, measured: &WaferCalibration) -> Mapped {
    let options = options(Some(4));
    let whole = Defects::default();
    let mapped = map(network, &options, &whole, measured, &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let mut rules = options.rules(&whole);
    rules.calibrated = measured.wafer;
    for calibration in [None, Some(Arc::new(measured.clone()))] {
        rules.calibration = calibration;
        let found = verify(network, &mapped.mapping, &words, &rules).unwrap();
        assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
    }
    // the nominal law does not hold here
    let found = verify(network, &mapped.mapping, &words, &options.rules(&whole)).unwrap();
    assert!(!found.is_ok());
    mapped
}

#[test]
fn measured_blocks_get_settings_of_their_own() {
    let slow = measured(|block| {
        block.set_utilisation(1.2);
        block.set(SharedParameter::VDtc, law::recovery_transformation(1.25).unwrap());
    });
    let network = network(1, 1, &[Some(depression(0.40, 100.0)), Some(depression(0.25, 100.0))]);
    let mapped = mapped_on(&network, &slow);
    for (projection, wanted) in [0.40 / 1.2, 0.25].into_iter().enumerate() {
        let SynapseFate::Realised { synapse, .. } = mapped.mapping.synapses[projection][0] else {
            panic!("lost")
        };
        let chip = &mapped.config.hicanns[&synapse.hicann];
        let driver = synapse.local.row().driver();
        let capacitor = chip.synapses.drivers[driver].stp_capacitor;
        assert_eq!(capacitor, law::stp_capacitor(wanted));
        // 8 us of nominal drivers are 10 us of these
        let block = driver.quadrant().fg_block();
        let stp = law::short_term_plasticity(&chip.floating_gates, block).unwrap();
        assert!((stp.tau_rec_s / 8e-6 - 1.0).abs() < 0.01, "{}", stp.tau_rec_s);
    }
    // the smallest capacitor uses 0.30, not 0.25
    assert_eq!(mapped.mapping.parameters.clipped["U"], 1);
}

#[test]
fn weights_beyond_the_largest_v_gmax_are_counted() {
    let wanted = network(1, 1, &[None]);
    let nominal = map(
        &wanted,
        &options(Some(4)),
        &Defects::default(),
        &WaferCalibration::ideal(),
        &mut |_| {},
    )
    .unwrap();
    let weight_us = |mapped: &Mapped| mapped.mapping.realised_weights_us[0][0];
    // rows that conduct a hundredth of nominal ones, whatever is programmed
    let weak = measured(|block| {
        for select in hal::value::GmaxSelect::all() {
            let slope = 100.0 / law::amperes(1.0);
            let formula = law::Formula::Polynomial(vec![0.0, slope]);
            let line = law::Transformation::new(formula, 0.0, law::FULL_SCALE_A).unwrap();
            block.set(SharedParameter::gmax(select), line);
        }
    });
    let mapped = mapped_on(&wanted, &weak);
    assert_eq!(mapped.mapping.clipped_weights, [1]);
    assert_eq!(report(&wanted, &mapped.mapping, true).weight_error["sources 0"].clipped, 1);
    assert!(weight_us(&mapped) < 0.5 * weight_us(&nominal));
}

#[test]
fn chips_without_synapses_may_have_any_v_gmax() {
    let wanted = network(1, 1, &[None]);
    let blocks = std::cell::Cell::new(0);
    let uneven = measured(|block| {
        blocks.set(blocks.get() + 1);
        let speed = 1.0 - 0.05 * f64::from(blocks.get());
        for select in hal::value::GmaxSelect::all() {
            let formula = law::Formula::Polynomial(vec![0.0, 1.0 / law::amperes(1.0) / speed]);
            let line = law::Transformation::new(formula, 0.0, law::FULL_SCALE_A).unwrap();
            block.set(SharedParameter::gmax(select), line);
        }
    });
    let mut mapped = mapped_on(&wanted, &uneven);
    let SynapseFate::Realised { synapse, .. } = mapped.mapping.synapses[0][0] else {
        panic!("lost")
    };
    let rules = Rules {
        calibrated: uneven.wafer,
        calibration: Some(Arc::new(uneven)),
        ..options(Some(4)).rules(&Defects::default())
    };
    // one that is not in use, and one with a driver that is on
    let other = HicannOnWafer::all().find(|h| !mapped.config.hicanns.contains_key(h)).unwrap();
    for (hicann, matters) in [(other, false), (synapse.hicann, true)] {
        let gates = &mut mapped.config.hicann_mut(hicann).floating_gates;
        for block in FgBlockOnHicann::all() {
            for select in hal::value::GmaxSelect::all() {
                gates.set_shared(block, SharedParameter::gmax(select), DacCode::new::<1000>());
            }
        }
        let words = encode_wafer(&mapped.config).unwrap();
        let found = verify(&wanted, &mapped.mapping, &words, &rules).unwrap().violations;
        assert_eq!(found.iter().any(|v| v.message.contains("V_gmax")), matters, "{found:#?}");
    }
}
