//! Long-term plasticity: pairs of events load capacitors, controllers update weights
//! (analog §5.4).

use emulator::Emulator;
use hal::codec;
use hal::config::{AutomaticUpdate, EvaluationPattern, GbitDirection, MergerMode, SharedParameter};
use hal::coord::*;
use hal::law::{self, Capacitors};
use hal::value::DacCode;
use hal::wafer::{DncCycles, Wafer};

use crate::support::*;

const LINK: GbitLinkOnHicann = GbitLinkOnHicann::new::<0>();
/// The address of the plastic synapse, and that of one that makes the circuit fire.
const PRE: usize = 37;
const KICK: usize = 39;
/// Weight of the plastic synapse.
const WEIGHT: usize = 6;

/// How the controller is set up.
#[derive(Debug, Clone, Copy)]
enum Updates {
    None,
    Once,
    Continuous,
}

/// A circuit with a weak plastic synapse, and a strong one of another driver.
struct Setup {
    config: hal::config::WaferConfig,
    synapse: OnWafer<SynapseOnHicann>,
    /// Cycles between two updates.
    period: u64,
}

fn setup(updates: Updates) -> Setup {
    let (mut chip, driver) = input_chip();
    let target = neuron(0);
    program(&mut chip, target, &Cell { v_t_v: 0.72, tau_ref_s: 5e-8, ..Cell::default() });
    fire(&mut chip, target, address(63));
    // its events are recorded by another link
    chip.gbit_links.direction[GbitLinkOnHicann::new::<1>()] = GbitDirection::ToDnc;
    for m in [8, 9] {
        let merger = MergerOnHicann::from_index(m).expect("a merger of the tree");
        chip.mergers.tree[merger].mode = MergerMode::Merge;
    }
    let plastic = synapse(driver, 0, 0);
    set_synapse(&mut chip, plastic, PRE % 16, WEIGHT);
    // the lower row excites as well
    chip.synapses.drivers[driver].rows[1].synaptic_input = [true, false];
    set_synapse(&mut chip, synapse(driver, 1, 0), KICK % 16, 15);
    for block in FgBlockOnHicann::all() {
        for (parameter, code) in [
            (SharedParameter::VM, 512),
            (SharedParameter::VTlow, 300),
            (SharedParameter::VThigh, 320),
            (SharedParameter::VClra, 100),
            (SharedParameter::VClrc, 100),
            // one event of the plastic synapse moves little, one of the other synapse is enough
            (SharedParameter::VGmax0, 4),
            (SharedParameter::VGmax1, 1000),
        ] {
            let code = DacCode::from_index(code).expect("ten bits");
            chip.floating_gates.set_shared(block, parameter, code);
        }
    }
    chip.synapses.drivers[driver].rows[1].gmax_select = hal::value::GmaxSelect::new::<1>();
    let row = plastic.row();
    let controller = &mut chip.synapse_controllers[row.array()];
    let range = row.on_array();
    let automatic = |continuous| AutomaticUpdate { first_row: range, last_row: range, continuous };
    controller.plasticity.automatic = match updates {
        Updates::None => None,
        Updates::Once => Some(automatic(false)),
        Updates::Continuous => Some(automatic(true)),
    };
    let off = EvaluationPattern::default();
    controller.plasticity.evaluation = [
        EvaluationPattern { cc: true, aa: true, ..off },
        EvaluationPattern { ac: true, ca: true, ..off },
    ];
    let period = 2 * u64::from(codec::row_update_clocks(controller));
    Setup { config: wafer([(CHIP, chip)]), synapse: plastic.on(CHIP), period }
}

/// Runs with events at these times at both synapses; the times of the spikes in cycles.
fn run_with(setup: &Setup, pre: &[u64], kicks: &[u64], end: u64) -> (Emulator, Vec<u64>) {
    let at = |a: usize| move |&time: &u64| pulse(CHIP, LINK, address(a), time);
    let input = pulses(pre.iter().map(at(PRE)).chain(kicks.iter().map(at(KICK))));
    let emulator = run(fine(), &setup.config, &input, end);
    let spikes = times(&emulator, CHIP);
    (emulator, spikes)
}

fn delay(emulator: &Emulator) -> u64 {
    emulator.connectivity().synapses[0].delay.0
}

fn weight_of(emulator: &Emulator, synapse: OnWafer<SynapseOnHicann>) -> usize {
    let all = &emulator.connectivity().synapses;
    all.iter().find(|s| s.synapse == synapse).expect("it is connected").weight.index()
}

/// What the rule makes of presynaptic arrivals and spikes, in cycles.
fn expected(setup: &Setup, pre: &[u64], spikes: &[u64]) -> Capacitors {
    let gates = &setup.config.hicanns[&CHIP].floating_gates;
    let law = law::correlation(gates, neuron(0).shared_fg_block());
    // spikes first: what arrives at the same time has not caused them
    let mut events: Vec<(u64, bool)> = spikes.iter().map(|&t| (t, false)).collect();
    events.extend(pre.iter().map(|&t| (t, true)));
    events.sort_unstable();
    let mut seen = law.clear;
    for pair in events.windows(2) {
        let [(before, first_is_pre), (now, second_is_pre)] = [pair[0], pair[1]];
        let distance_s = DncCycles(now - before).hardware_s();
        match (first_is_pre, second_is_pre) {
            (true, false) => seen.causal_v += law.step_v * (-distance_s / law.tau_s).exp(),
            (false, true) => seen.acausal_v += law.step_v * (-distance_s / law.tau_s).exp(),
            _ => {}
        }
    }
    seen
}

#[test]
fn neighbouring_events_load_the_capacitors_by_their_distance() {
    let setup = setup(Updates::Once);
    // after the only update; pairs of both orders at many distances, and events without a partner
    let start = setup.period + 500;
    let kicks: Vec<u64> = (0..12).map(|i| start + 2500 * i).collect();
    let pre: Vec<u64> = (0..12)
        .map(|i| {
            (start + 2500 * i)
                .saturating_add_signed([-300, 400, -40, 90][i as usize % 4] * (1 + i as i64 % 3))
        })
        .chain([start + 2500 * 11 + 2000, start + 2500 * 11 + 2100])
        .collect();
    let (emulator, spikes) = run_with(&setup, &pre, &kicks, start + 40_000);
    assert!(spikes.len() >= kicks.len(), "{spikes:?}");
    let arrivals: Vec<u64> = pre.iter().map(|t| t + delay(&emulator)).collect();
    let seen = emulator.correlation(setup.synapse).expect("a plastic synapse");
    let rule = expected(&setup, &arrivals, &spikes);
    assert!((seen.causal_v - rule.causal_v).abs() < 1e-9, "{seen:?} for {rule:?}");
    assert!((seen.acausal_v - rule.acausal_v).abs() < 1e-9, "{seen:?} for {rule:?}");
    assert!(rule.causal_v > 0.2 && rule.acausal_v > 0.2, "{rule:?}");
}

#[test]
fn causal_pairs_strengthen_and_acausal_ones_weaken() {
    let setup = setup(Updates::Continuous);
    let pairs = 4;
    // one pair per 20 updates, in the middle between two
    let kicks: Vec<u64> = (1..=pairs).map(|i| setup.period * 20 * i + 150).collect();
    for (shift, change) in [(-60_i64, 1_i64), (120, -1)] {
        let pre: Vec<u64> = kicks.iter().map(|t| t.saturating_add_signed(shift)).collect();
        let (emulator, spikes) = run_with(&setup, &pre, &kicks, setup.period * 20 * (pairs + 1));
        assert_eq!(spikes.len() as u64, pairs);
        let weight = weight_of(&emulator, setup.synapse) as i64;
        assert_eq!(weight, WEIGHT as i64 + change * pairs as i64, "shift {shift}");
        // the controller has cleared them since
        let seen = emulator.correlation(setup.synapse).expect("a plastic synapse");
        assert_eq!(seen.causal_v, law::volts(DacCode::new::<100>()));
    }
}

#[test]
fn events_bring_the_present_weight() {
    // the same stimulus again, on the weights that the first run has left
    let setup = setup(Updates::Continuous);
    let kick = setup.period * 20 + 150;
    let mut emulator = load(
        fine(),
        &setup.config,
        &pulses([
            pulse(CHIP, LINK, address(PRE), kick - 60),
            pulse(CHIP, LINK, address(KICK), kick),
        ]),
        setup.period * 30,
    )
    .expect("it loads");
    emulator.probe(neuron(0).on(CHIP), DncCycles(1));
    let mut peak = || {
        emulator.run(&mut |_| std::ops::ControlFlow::Continue(())).expect("it runs");
        let volts = &emulator.true_state(neuron(0).on(CHIP)).expect("a probe").volts;
        let before_kick = &volts[..kick as usize];
        f64::from(before_kick.iter().copied().fold(0.0, f32::max) - before_kick[0])
    };
    let (first, second) = (peak(), peak());
    let conductance = |w| {
        law::synapse_s(weight(w), DacCode::new::<4>(), [hal::value::GmaxDivisor::new::<11>(); 2])
    };
    let ratio = conductance(WEIGHT + 1) / conductance(WEIGHT);
    assert!((second / first / ratio - 1.0).abs() < 0.01, "{first} {second} for {ratio}");
    assert_eq!(weight_of(&emulator, setup.synapse), WEIGHT + 2);
}

#[test]
fn without_updates_nothing_changes() {
    let setup = setup(Updates::None);
    let kicks: Vec<u64> = (1..8).map(|i| 1000 * i).collect();
    let pre: Vec<u64> = kicks.iter().map(|t| t - 60).collect();
    let (emulator, spikes) = run_with(&setup, &pre, &kicks, 10_000);
    assert_eq!(spikes.len(), kicks.len());
    assert_eq!(weight_of(&emulator, setup.synapse), WEIGHT);
    assert!(emulator.correlation(setup.synapse).is_none());
    // with updates of other rows neither
    let mut other = setup;
    let chip = other.config.hicann_mut(CHIP);
    let row = SynapseRowOnArray::new::<3>();
    let array = other.synapse.local.row().array();
    assert_ne!(row, other.synapse.local.row().on_array());
    chip.synapse_controllers[array].plasticity.automatic =
        Some(AutomaticUpdate { first_row: row, last_row: row, continuous: true });
    let (emulator, same) = run_with(&other, &pre, &kicks, 10_000);
    assert_eq!(same, spikes);
    assert_eq!(weight_of(&emulator, other.synapse), WEIGHT);
}
