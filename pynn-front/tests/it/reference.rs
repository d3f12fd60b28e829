//! The reference engine against exact solutions, NEST's synapses, and itself.

use std::ops::ControlFlow;

use pynn_front::reference::{
    Dynamics, Engine, Model, PairRule, PopulationId, ReferenceError, Settings, Synapses,
    TsodyksMarkram, Variable, Waveform,
};

fn engine(step_ms: f64) -> Engine {
    Engine::new(Settings { step_ms, seed: 5, threads: Some(2) }).unwrap()
}

fn run(engine: &mut Engine, until_ms: f64) {
    let time = engine.run(until_ms, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!((time - until_ms).abs() < 1e-9);
}

fn set(engine: &mut Engine, id: PopulationId, values: &[(&str, f64)]) {
    for (name, value) in values {
        engine.set_parameter(id, name, &[*value]).unwrap();
    }
}

fn synapses(pairs: &[(u32, u32)], weight: f64, delay_ms: f64) -> Synapses {
    let (pre, post) = pairs.iter().copied().unzip();
    let (weight, delay_ms) = (vec![weight], vec![delay_ms]);
    Synapses { pre, post, weight, delay_ms, dynamics: Dynamics::Static }
}

#[test]
fn a_leak_above_threshold_fires_at_the_exact_period() {
    let mut engine = engine(0.01);
    let cells = engine.add_population(Model::IfCondExp, 3).unwrap();
    let (rest, reset, threshold, tau) = (-40.0, -70.0, -50.0, 10.0);
    set(&mut engine, cells, &[("v_rest", rest), ("v_reset", reset), ("v_thresh", threshold)]);
    set(&mut engine, cells, &[("tau_m", tau), ("tau_refrac", 2.505)]);
    engine.initialize(cells, Variable::V, &[reset]).unwrap();
    engine.record_spikes(cells, &[1]).unwrap();
    run(&mut engine, 1000.0);
    let (members, times) = engine.spikes(cells).unwrap();
    assert!(members.iter().all(|&m| m == 1));
    let period = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
    let exact = 2.505 + tau * f64::ln((rest - reset) / (rest - threshold));
    // spikes are on the grid, the end of the refractory period is not
    assert!((period - exact).abs() < 0.01, "{period} {exact}");
}

#[test]
fn psps_have_the_exact_peaks() {
    // peaks of the exact solution (anchors: DOP853, relative tolerance 1e-11)
    for (weight, receptor, peak) in [
        (1.7142857142857142e-3, 0, 0.4289421),
        (1.7142857142857142e-3, 1, -0.4289421),
        (13.714285714285714e-3, 1, -3.3854111),
        (17.142857142857142e-3, 1, -4.2155041),
    ] {
        let mut engine = engine(0.01);
        let source = engine.add_population(Model::SpikeSourceArray, 1).unwrap();
        let cell = engine.add_population(Model::IfCondExp, 1).unwrap();
        set(&mut engine, cell, &[("v_rest", 0.0), ("v_thresh", 20.0), ("v_reset", 10.0)]);
        set(&mut engine, cell, &[("tau_m", 10.0), ("cm", 1.0), ("tau_syn_E", 3.0)]);
        set(&mut engine, cell, &[("tau_syn_I", 3.0), ("e_rev_E", 140.0), ("e_rev_I", -140.0)]);
        engine.initialize(cell, Variable::V, &[0.0]).unwrap();
        engine.set_spike_times(source, vec![vec![2.0]]).unwrap();
        engine.connect(receptor, synapses(&[(0, 1)], weight, 1.0)).unwrap();
        engine.record(cell, Variable::V, &[0], 1).unwrap();
        run(&mut engine, 30.0);
        let signal = engine.signal(cell, Variable::V);
        assert_eq!(signal.samples.len(), 3001);
        let top =
            signal.samples.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
        assert!((top / peak - 1.0).abs() < 1e-4, "{top} {peak}");
        assert!(signal.samples[..301].iter().all(|v| *v == 0.0));
        assert!(signal.samples[302] != 0.0);
    }
}

#[test]
fn adex_patterns_have_the_exact_spike_times() {
    let parameters = include_str!("../data/reference/adex_params.csv");
    let spikes = include_str!("../data/reference/adex_spikes.csv");
    for line in parameters.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let pattern = fields[0];
        let of = |column: usize| fields[column].parse::<f64>().unwrap();
        let mut engine = engine(0.1);
        let cell = engine.add_population(Model::EifCondExpIsfaIsta, 1).unwrap();
        set(&mut engine, cell, &[("cm", of(1) * 1e-3), ("tau_m", of(1) / of(2))]);
        set(&mut engine, cell, &[("v_rest", of(3)), ("v_thresh", of(4)), ("delta_T", of(5))]);
        set(&mut engine, cell, &[("a", of(6)), ("tau_w", of(7)), ("b", of(8) * 1e-3)]);
        set(&mut engine, cell, &[("v_reset", of(9)), ("i_offset", of(10) * 1e-3)]);
        set(&mut engine, cell, &[("v_spike", of(11)), ("tau_refrac", of(12))]);
        engine.initialize(cell, Variable::V, &[of(13)]).unwrap();
        engine.record_spikes(cell, &[0]).unwrap();
        let rows = spikes.lines().filter(|l| l.split(',').next() == Some(pattern));
        let exact: Vec<f64> = rows.map(|l| l.split(',').nth(2).unwrap().parse().unwrap()).collect();
        // chaotic patterns part after a while
        let compared = if pattern.starts_with("irregular") { 5 } else { 10 };
        let exact = &exact[..exact.len().min(compared)];
        run(&mut engine, (exact[exact.len() - 1] + 1.0).ceil());
        let (_, times) = engine.spikes(cell).unwrap();
        assert_eq!(times.len(), exact.len(), "{pattern}");
        for (time, exact) in times.iter().zip(exact) {
            assert!((time - exact).abs() < 0.25, "{pattern}: {time} {exact}");
        }
    }
}

#[test]
fn short_term_plasticity_is_that_of_nest() {
    let mut cases: Vec<(String, Vec<[f64; 6]>)> = Vec::new();
    for line in include_str!("../data/reference/stp_spikes.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let key = format!("{}{}", fields[0], fields[4]);
        let numbers: Vec<f64> = fields[1..].iter().map(|f| f.parse().unwrap()).collect();
        if cases.last().is_none_or(|(last, _)| *last != key) {
            cases.push((key, Vec::new()));
        }
        let row = [numbers[0], numbers[1], numbers[2], numbers[5], numbers[6], 0.0];
        cases.last_mut().unwrap().1.push(row);
    }
    assert!(cases.len() >= 10);
    for (key, rows) in cases {
        let mut engine = engine(0.1);
        let source = engine.add_population(Model::SpikeSourceArray, 1).unwrap();
        let cell = engine.add_population(Model::IfCondExp, 1).unwrap();
        set(&mut engine, cell, &[("tau_syn_E", 3.0)]);
        let [u, tau_rec, tau_facil, ..] = rows[0];
        let times: Vec<f64> = rows.iter().map(|row| row[3]).collect();
        engine.set_spike_times(source, vec![times.clone()]).unwrap();
        let law = TsodyksMarkram { u, tau_rec, tau_facil };
        let mut one = synapses(&[(0, 1)], 1e-3, 0.1);
        one.dynamics = Dynamics::TsodyksMarkram(vec![law]);
        engine.connect(0, one).unwrap();
        engine.record(cell, Variable::GsynExc, &[0], 1).unwrap();
        run(&mut engine, times[times.len() - 1] + 1.0);
        let g = engine.signal(cell, Variable::GsynExc).samples;
        for row in rows {
            let arrival = (row[3] / 0.1).round() as usize + 1;
            let share = (g[arrival] - g[arrival - 1] * f64::exp(-0.1 / 3.0)) / 1e-3;
            assert!((share / row[4] - 1.0).abs() < 2e-3, "{key}: {share} {row:?}");
        }
    }
}

#[test]
fn pairs_of_spikes_change_weights_with_dendritic_delays() {
    for (fraction, post_ms, expected) in [
        // the postsynaptic spike at 12.0 reaches the synapse at 12.0 or 13.0, the other at 11 or 10
        (0.0, 12.0, 0.1 * 0.02 * f64::exp(-1.0 / 20.0)),
        (1.0, 12.0, 0.1 * 0.02 * f64::exp(-3.0 / 20.0)),
    ] {
        let mut engine = engine(0.1);
        let sources = engine.add_population(Model::SpikeSourceArray, 2).unwrap();
        let cell = engine.add_population(Model::IfCondExp, 1).unwrap();
        set(&mut engine, cell, &[("tau_syn_E", 0.5), ("cm", 0.1), ("tau_refrac", 40.0)]);
        engine.set_spike_times(sources, vec![vec![10.0], vec![post_ms - 0.4]]).unwrap();
        let rule = PairRule {
            tau_plus: 20.0,
            tau_minus: 20.0,
            a_plus: 0.1,
            a_minus: 0.1,
            w_min: 0.0,
            w_max: 0.02,
            mu_plus: 0.0,
            mu_minus: 0.0,
            dendritic_delay_fraction: fraction,
        };
        let mut plastic = synapses(&[(0, 2)], 1e-6, 1.0);
        plastic.dynamics = Dynamics::Stdp(vec![rule]);
        let plastic = engine.connect(0, plastic).unwrap();
        engine.connect(0, synapses(&[(1, 2)], 5.0, 0.1)).unwrap();
        engine.record_spikes(cell, &[0]).unwrap();
        run(&mut engine, 30.0);
        let (_, times) = engine.spikes(cell).unwrap();
        let later = times[0] - post_ms;
        assert!(later.abs() < 0.25, "{times:?}");
        let grown = engine.weights(plastic)[0] - 1e-6;
        let expected = expected * f64::exp(-later / 20.0);
        assert!((grown / expected - 1.0).abs() < 0.15, "{fraction}: {grown} {expected}");
        engine.reset();
        assert_eq!(engine.weights(plastic), [1e-6]);
    }
}

/// A network with all kinds of cells and synapses; its recorded spikes and voltages after a run in
/// parts.
fn mixed(threads: usize, parts: &[f64]) -> (Vec<(u32, f64)>, Vec<f64>) {
    let settings = Settings { step_ms: 0.1, seed: 9, threads: Some(threads) };
    let mut engine = Engine::new(settings).unwrap();
    let noise = engine.add_population(Model::SpikeSourcePoisson, 200).unwrap();
    set(&mut engine, noise, &[("rate", 80.0)]);
    let lif = engine.add_population(Model::IfCondExp, 1100).unwrap();
    let adex = engine.add_population(Model::EifCondExpIsfaIsta, 40).unwrap();
    let gsfa = engine.add_population(Model::IfCondExpGsfaGrr, 30).unwrap();
    let pairs = |n: u32, pre: u32, from: u32, to: u32| -> Vec<(u32, u32)> {
        let pair =
            |k: u32| (k.wrapping_mul(2_654_435_761) % pre, from + k.wrapping_mul(40_503) % to);
        (0..n).map(pair).collect()
    };
    let delays = (0..30_000).map(|k| 0.3 + f64::from(k % 40) * 0.1).collect();
    let all = Synapses { delay_ms: delays, ..synapses(&pairs(30_000, 200, 200, 1170), 0.01, 1.0) };
    engine.connect(0, all).unwrap();
    let mut inhibition = synapses(&pairs(9_000, 1370, 200, 1170), 0.003, 0.7);
    inhibition.dynamics =
        Dynamics::TsodyksMarkram(vec![TsodyksMarkram { u: 0.4, tau_rec: 90.0, tau_facil: 20.0 }]);
    engine.connect(1, inhibition).unwrap();
    let wave =
        Waveform::Noise { mean: 0.3, stdev: 0.2, every_ms: 0.5, start_ms: 3.0, stop_ms: 60.0 };
    let current = engine.add_current(wave).unwrap();
    engine.inject(current, &[205, 1310, 1345]).unwrap();
    let mut recorded = Vec::new();
    for (id, size) in [(lif, 1100), (adex, 40), (gsfa, 30)] {
        engine.record_spikes(id, &(0..size).collect::<Vec<_>>()).unwrap();
        engine.record(id, Variable::V, &[3, 17, 29], 5).unwrap();
    }
    let mut time = 0.0;
    for part in parts {
        time += part;
        run(&mut engine, time);
    }
    let mut voltages = Vec::new();
    for id in [lif, adex, gsfa] {
        let (members, times) = engine.spikes(id).unwrap();
        recorded.extend(members.into_iter().zip(times));
        voltages.extend(engine.signal(id, Variable::V).samples);
    }
    (recorded, voltages)
}

#[test]
fn threads_and_pauses_change_nothing() {
    let (spikes, voltages) = mixed(1, &[80.0]);
    assert!(spikes.len() > 1000, "{}", spikes.len());
    assert!(voltages.iter().all(|v| v.is_finite()));
    for (threads, parts) in
        [(3, &[80.0][..]), (1, &[0.3, 33.3, 46.4]), (2, &[0.1, 39.9, 0.4, 39.6])]
    {
        let other = mixed(threads, parts);
        assert!(spikes == other.0, "{threads} threads, {parts:?}");
        assert!(voltages == other.1, "{threads} threads, {parts:?}");
    }
}

#[test]
fn a_reset_repeats_the_run() {
    let mut engine = engine(0.1);
    let noise = engine.add_population(Model::SpikeSourcePoisson, 50).unwrap();
    let cells = engine.add_population(Model::IfCondExp, 10).unwrap();
    set(&mut engine, noise, &[("rate", 100.0), ("start", 5.0), ("duration", 50.0)]);
    let pairs: Vec<(u32, u32)> = (0..500).map(|k| (k % 50, 50 + k / 50)).collect();
    engine.connect(0, synapses(&pairs, 0.02, 1.3)).unwrap();
    engine.record_spikes(cells, &(0..10).collect::<Vec<_>>()).unwrap();
    engine.record_spikes(noise, &[7]).unwrap();
    run(&mut engine, 80.0);
    let first = (engine.spikes(cells).unwrap(), engine.spikes(noise).unwrap());
    assert!(first.0.0.len() > 10);
    assert!(first.1.1.iter().all(|t| (5.0..55.0).contains(t)), "{:?}", first.1.1);
    engine.reset();
    assert_eq!(engine.now_ms(), 0.0);
    run(&mut engine, 80.0);
    assert_eq!(first, (engine.spikes(cells).unwrap(), engine.spikes(noise).unwrap()));
}

#[test]
fn a_network_may_grow_between_runs() {
    let grow = |late: bool| {
        let mut engine = engine(0.1);
        let source = engine.add_population(Model::SpikeSourceArray, 1).unwrap();
        engine.set_spike_times(source, vec![vec![9.9, 20.0]]).unwrap();
        let cell = engine.add_population(Model::IfCondExp, 2).unwrap();
        engine.connect(0, synapses(&[(0, 1)], 0.01, 3.0)).unwrap();
        engine.record(cell, Variable::V, &[0, 1], 1).unwrap();
        if !late {
            engine.connect(0, synapses(&[(0, 2)], 0.02, 0.1)).unwrap();
        }
        run(&mut engine, 10.0);
        if late {
            let more = engine.add_population(Model::IfCondExp, 1).unwrap();
            engine.record_spikes(more, &[0]).unwrap();
            engine.connect(0, synapses(&[(0, 2)], 0.02, 0.1)).unwrap();
        }
        run(&mut engine, 30.0);
        engine.signal(cell, Variable::V)
    };
    let (early, late) = (grow(false), grow(true));
    let column = |signal: &pynn_front::reference::Signal, member: usize| -> Vec<f64> {
        signal.samples.iter().skip(member).step_by(2).copied().collect()
    };
    // what was on its way to the first cell arrives
    assert_eq!(column(&early, 0), column(&late, 0));
    // a new synapse does not deliver what was sent before
    assert!(column(&late, 1)[..200].iter().all(|v| *v == -65.0));
    assert!(column(&late, 1)[210] > -65.0);
}

#[test]
fn currents_act_from_their_time_on() {
    let mut engine = engine(0.1);
    let cells = engine.add_population(Model::IfCondExp, 2).unwrap();
    set(&mut engine, cells, &[("cm", 0.2), ("tau_m", 10.0)]);
    let steps = Waveform::Steps { times_ms: vec![20.0, 120.0], amplitudes: vec![0.1, 0.0] };
    let current = engine.add_current(steps).unwrap();
    engine.inject(current, &[0]).unwrap();
    engine.record(cells, Variable::V, &[0, 1], 1).unwrap();
    engine.record_current(current);
    run(&mut engine, 200.0);
    let v = engine.signal(cells, Variable::V).samples;
    let at = |ms: f64, member: usize| v[2 * (ms * 10.0).round() as usize + member];
    assert_eq!(at(20.0, 0), -65.0);
    assert!(at(20.1, 0) > -65.0);
    assert!((at(119.0, 0) - (-65.0 + 0.1 * 10.0 / 0.2)).abs() < 1e-3);
    assert!((at(200.0, 0) - -65.0).abs() < 1e-2);
    assert!((0..2000).all(|k| v[2 * k + 1] == -65.0));
    let recorded = engine.recorded_current(current);
    assert_eq!((recorded[199], recorded[200], recorded[1200]), (0.0, 0.1, 0.0));
}

#[test]
fn an_observer_ends_a_run_and_data_stay() {
    let mut engine = engine(0.1);
    let cells = engine.add_population(Model::IfCondExp, 1).unwrap();
    engine.record(cells, Variable::V, &[0], 1).unwrap();
    let mut stop = |now: f64| {
        if now >= 10.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let time = engine.run(1e6, &mut stop).unwrap();
    assert!((10.0..20.0).contains(&time), "{time}");
    let n = engine.signal(cells, Variable::V).samples.len();
    assert_eq!(n, (time / 0.1).round() as usize + 1);
    run(&mut engine, time + 5.0);
}

#[test]
fn nonsense_is_refused_by_name() {
    let mut engine = engine(0.1);
    let source = engine.add_population(Model::SpikeSourceArray, 2).unwrap();
    let cells = engine.add_population(Model::IfCondExp, 2).unwrap();
    let say = |error: ReferenceError| error.to_string();
    let weight = |w: f64| synapses(&[(0, 2)], w, 1.0);
    let delay = |d: f64| synapses(&[(0, 2)], 0.1, d);
    let errors = [
        (say(Engine::new(Settings { step_ms: 0.0, seed: 0, threads: None }).unwrap_err()), "step"),
        (say(engine.add_population(Model::IfCondExp, 0).unwrap_err()), "0 members"),
        (say(engine.set_parameter(cells, "tau_x", &[1.0]).unwrap_err()), "`tau_x`"),
        (say(engine.set_parameter(cells, "tau_m", &[0.0]).unwrap_err()), "`tau_m` = 0"),
        (say(engine.set_parameter(cells, "cm", &[f64::NAN]).unwrap_err()), "`cm` = NaN"),
        (say(engine.set_parameter(cells, "cm", &[1.0; 3]).unwrap_err()), "3 values"),
        (say(engine.set_spike_times(cells, vec![vec![]]).unwrap_err()), "spike_times"),
        (say(engine.set_spike_times(source, vec![vec![2.0, 1.0]]).unwrap_err()), "1 ms"),
        (say(engine.set_spike_times(source, vec![vec![-1.0]]).unwrap_err()), "-1 ms"),
        (say(engine.initialize(cells, Variable::W, &[0.0]).unwrap_err()), "`W`"),
        (say(engine.record(cells, Variable::W, &[0], 1).unwrap_err()), "`W`"),
        (say(engine.record_spikes(cells, &[2]).unwrap_err()), "member 2"),
        (say(engine.connect(0, weight(-1.0)).unwrap_err()), "weight -1"),
        (say(engine.connect(0, delay(0.0)).unwrap_err()), "delay 0"),
        (say(engine.connect(0, delay(f64::NAN)).unwrap_err()), "delay NaN"),
        (say(engine.connect(2, weight(1.0)).unwrap_err()), "receptor 2"),
        (say(engine.connect(0, synapses(&[(0, 1)], 1.0, 1.0)).unwrap_err()), "spike source"),
        (say(engine.connect(0, synapses(&[(0, 9)], 1.0, 1.0)).unwrap_err()), "member 9"),
        (say(engine.connect(0, synapses(&[(9, 2)], 1.0, 1.0)).unwrap_err()), "member 9"),
        (say(engine.run(-1.0, &mut |_| ControlFlow::Continue(())).unwrap_err()), "-1 ms"),
        (say(engine.run(f64::NAN, &mut |_| ControlFlow::Continue(())).unwrap_err()), "NaN ms"),
    ];
    for (message, part) in errors {
        assert!(message.contains(part), "{message} lacks {part}");
    }
    set(&mut engine, cells, &[("v_reset", -40.0)]);
    let refused = engine.run(1.0, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(say(refused).contains("v_thresh"));
    set(&mut engine, cells, &[("v_reset", -60.0)]);
    run(&mut engine, 1.0);
}
