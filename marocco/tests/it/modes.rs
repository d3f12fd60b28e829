//! Capacitor and leak, per chip.

use std::collections::BTreeSet;

use calib::{CellParameters, CircuitMode, IfCondExp, WaferCalibration};
use hal::codec::encode_wafer;
use hal::config::CurrentScaling::{Fast, Normal, Slow};
use hal::coord::HicannOnWafer;
use hal::defects::Defects;
use marocco::network::{
    Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
};
use marocco::requests::Request;
use marocco::verify::verify;
use marocco::{Capacitor, Choice, MapError, MapOptions, Mapped, ModeChoice, map, report};

use crate::networks::{cell, options};

fn auto(size: Option<usize>) -> MapOptions {
    MapOptions { mode: ModeChoice::default(), ..options(size) }
}

fn population(label: &str, size: usize, tau_m: f64) -> Population {
    let CellParameters::IfCondExp(usual) = cell() else { panic!("another kind of cell") };
    let cell = CellParameters::IfCondExp(IfCondExp { tau_m, ..usual });
    let kind = PopulationKind::Neurons(PerMember::Uniform(cell));
    Population { label: label.to_owned(), size, kind }
}

/// Populations with these membrane time constants in ms; each excites itself by synapses of this
/// weight.
fn network(tau_m: &[f64], weight_us: f32) -> Network {
    let mut network = Network::default();
    for (i, &tau_m) in tau_m.iter().enumerate() {
        let id = network.add_population(population(&format!("p{i}"), 20, tau_m)).unwrap();
        let synapses = (0..20).map(|k| Synapse { pre: k, post: 19 - k, weight_us }).collect();
        let (label, receptor) = (format!("p{i}"), Receptor::Excitatory);
        let projection = Projection { label, receptor, plasticity: None, pairs: None, synapses };
        network.add_projection(id, id, projection).unwrap();
    }
    network
}

fn mapped(network: &Network, options: &MapOptions) -> Mapped {
    let whole = Defects::default();
    let mapped = map(network, options, &whole, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let found = verify(network, &mapped.mapping, &words, &options.rules(&whole)).unwrap();
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
    mapped
}

fn mode(big_capacitor: bool, leak: hal::config::CurrentScaling) -> CircuitMode {
    CircuitMode { big_capacitor, leak }
}

/// Mode of the chips of each population of 20.
fn modes(mapped: &Mapped) -> Vec<CircuitMode> {
    let chips = |members: &[Option<marocco::mapping::LogicalNeuron>]| -> BTreeSet<HicannOnWafer> {
        members.iter().flatten().map(|n| n.hicann).collect()
    };
    let mode = |members| {
        let modes: BTreeSet<CircuitMode> =
            chips(members).into_iter().map(|h| mapped.mapping.mode(h)).collect();
        assert_eq!(modes.len(), 1);
        modes.into_iter().next().unwrap()
    };
    mapped.mapping.placement.neurons.chunks(20).map(mode).collect()
}

#[test]
fn populations_that_differ_get_chips_of_their_own() {
    // analog §1.5: the big capacitor does 5.4 to 482 ms with normal leak, 4.2 to 201 ms with fast
    // and 15 to 2000 ms with slow leak; the small one 1.0 to 40 ms with fast leak
    let network = network(&[20.0, 1500.0, 4.5, 2.0, 20.0], 0.002);
    let mapped = mapped(&network, &auto(None));
    let expected = [
        mode(true, Normal),
        mode(true, Slow),
        mode(true, Fast),
        mode(false, Normal),
        mode(true, Normal),
    ];
    assert_eq!(modes(&mapped), expected);
    assert!(mapped.mapping.parameters.clipped.is_empty());
    let report = report(&network, &mapped.mapping, true);
    assert_eq!(
        (report.capacitor.as_str(), report.leak.as_str()),
        ("big and small", "fast and normal and slow")
    );
    assert_eq!(report.modes.len(), 4);
    let chips: usize = report.modes.iter().map(|m| m.hicanns).sum();
    assert_eq!(chips, mapped.mapping.modes.len());
    for (&hicann, &mode) in &mapped.mapping.modes {
        assert_eq!(mapped.config.hicanns[&hicann].neurons.halves, [mode.half(); 2]);
    }
}

#[test]
fn strong_weights_take_the_small_capacitor_or_small_neurons() {
    // the largest conductance on one column of big capacitors is some 0.2 uS per nF of the model
    let clipped = |mapped: &Mapped| mapped.mapping.clipped_weights.iter().sum::<usize>();
    let strong = network(&[20.0], 1.0);
    let mapped = mapped(&strong, &auto(Some(16)));
    assert_eq!(modes(&mapped), [mode(false, Normal)]);
    assert_eq!(clipped(&mapped), 0);
    let fixed = MapOptions {
        mode: ModeChoice { capacitor: Choice::Fixed(Capacitor::Big), ..ModeChoice::default() },
        ..auto(Some(16))
    };
    assert!(clipped(&self::mapped(&strong, &fixed)) > 0);
    // weak ones leave the preferred mode
    assert_eq!(
        modes(&self::mapped(&network(&[20.0], 0.002), &auto(Some(16)))),
        [CircuitMode::default()]
    );
}

#[test]
fn what_is_fixed_stays_fixed_and_requests_have_modes_of_their_own() {
    let network = network(&[20.0, 20.0], 0.002);
    let leak = Choice::Fixed(Slow);
    let mut options =
        MapOptions { mode: ModeChoice { leak, ..ModeChoice::default() }, ..auto(Some(4)) };
    assert_eq!(modes(&mapped(&network, &options)), [mode(true, Slow); 2]);
    let (second, _) = network.populations().nth(1).unwrap();
    options.requests = vec![Request {
        population: second,
        members: None,
        place: None,
        size: None,
        mode: Some(ModeChoice::from(mode(false, Fast))),
    }];
    assert_eq!(modes(&mapped(&network, &options)), [mode(true, Slow), mode(false, Fast)]);
    // a mode that a cell does not have is refused as before
    options.requests.clear();
    options.mode = ModeChoice::from(mode(true, Normal));
    let (whole, ideal) = (Defects::default(), WaferCalibration::ideal());
    let fast = self::network(&[1.0], 0.002);
    let error = map(&fast, &options, &whole, &ideal, &mut |_| {}).unwrap_err();
    assert!(matches!(error, MapError::Cell { .. }), "{error}");
}
