//! Sinks, checkpoints, probes: runs in pieces give the same bits as runs in one.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emulator::{Checkpoint, Effect, Effects, Emulator, Instance, LongRun, LongRunError, Settings};
use hal::config::{AnalogSource, HicannConfig, WaferConfig};
use hal::coord::*;
use hal::wafer::{AdcTrace, Counters, DncCycles, Pulses, TraceWords, Wafer, WaferError};

use crate::determinism::{ring, stimulus};
use crate::support::*;

const END: u64 = 20_000;
const OUTPUT: AnalogOnHicann = AnalogOnHicann::new::<0>();
/// Tells the child process of the test below where to save.
const PATH_VARIABLE: &str = "BSS1_TEST_CHECKPOINT";

/// Five busy chips with every effect, short-term plasticity, an analog output and a probe.
fn loaded(effects: Effects, end: u64) -> Emulator {
    loaded_from(effects, 0, end)
}

/// The same with the stimulus after some time only.
fn loaded_from(effects: Effects, from: u64, end: u64) -> Emulator {
    let mut config: WaferConfig = ring();
    let chip = config.hicann_mut(CHIP);
    chip.neurons.circuits[neuron(0)].enable_aout = true;
    chip.analog.source[OUTPUT] = Some(AnalogSource::MembraneTopEven);
    for block in FgBlockOnHicann::all() {
        let half = hal::value::DacCode::new::<300>();
        chip.floating_gates.set_shared(block, hal::config::SharedParameter::VStdf, half);
    }
    for driver in chip.synapses.drivers.values_mut() {
        driver.stp_enable = true;
    }
    let instance = Instance::Manufactured(WaferNumber(4));
    let settings = Settings { instance, effects, threads: Some(2), ..fine() };
    let mut pulses = stimulus(&config);
    for events in pulses.values_mut() {
        events.retain(|event| event.time.0 > from && event.time.0 <= end);
    }
    let mut emulator = load(settings, &config, &pulses, end).expect("words are accepted");
    emulator.probe(neuron(0).on(CHIP), DncCycles(7));
    emulator
}

/// Everything that can be read after a run.
#[derive(Debug, PartialEq)]
struct Outcome {
    trace: TraceWords,
    counters: Counters,
    adc: AdcTrace,
    truth: Vec<f32>,
}

fn outcome(emulator: &Emulator) -> Outcome {
    Outcome {
        trace: emulator.read_trace().expect("a trace"),
        counters: emulator.counters(),
        adc: emulator.read_adc(CHIP.dnc(), OUTPUT).expect("a membrane"),
        truth: emulator.true_state(neuron(0).on(CHIP)).expect("a probe").volts.clone(),
    }
}

fn whole(effects: Effects, end: u64) -> Outcome {
    let mut emulator = loaded(effects, end);
    emulator.run(&mut |_| ControlFlow::Continue(())).expect("it runs");
    outcome(&emulator)
}

/// A file of its own for each test, in the folder that cargo keeps for tests.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.bss1", std::process::id()))
}

/// Goes on from a file to the end.
fn resumed(effects: Effects, end: u64, path: &Path) -> Outcome {
    let from = Some(Checkpoint::read(path).expect("a checkpoint"));
    let mut emulator = loaded(effects, end);
    let how = LongRun { from, ..LongRun::default() };
    emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it goes on");
    outcome(&emulator)
}

#[test]
fn runs_go_on_from_a_checkpoint_with_the_same_bits() {
    for (name, effects) in [("none", Effects::NONE), ("all", Effects::ALL)] {
        let path = file(name);
        let expected = whole(effects, END);
        assert!(expected.counters.neuron_spikes > 1000, "{:?}", expected.counters);
        let mut emulator = loaded(effects, END);
        let save = Some((path.clone(), DncCycles(3_000)));
        let stopped = emulator.run_long(LongRun { save, ..LongRun::default() }, &mut |p| {
            if p.now.0 > END / 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(LongRunError::Wafer(WaferError::Stopped { .. }))));
        let now = Checkpoint::read(&path).expect("a checkpoint").now();
        assert!((3_000..END).contains(&now.0), "{now}");
        assert!(resumed(effects, END, &path) == expected, "{name}");
        std::fs::remove_file(&path).expect("the file is there");
    }
}

/// Runs in a process of its own, which the next test ends.
#[test]
fn child_that_saves_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH_VARIABLE) else { return };
    let mut emulator = loaded(Effects::ALL, 50 * END);
    let save = Some((PathBuf::from(path), DncCycles(1_000)));
    let how = LongRun { save, ..LongRun::default() };
    emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it runs");
}

#[test]
fn a_killed_process_leaves_a_checkpoint_from_which_the_same_spikes_come() {
    let path = file("killed");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "long_run::child_that_saves_until_it_is_killed"])
        .env(PATH_VARIABLE, &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    let start = Instant::now();
    while Checkpoint::read(&path).is_err() {
        assert!(start.elapsed() < Duration::from_mins(2), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
    let now = Checkpoint::read(&path).expect("the file is whole").now();
    assert!(now.0 < 50 * END, "it was killed before its end");
    // a run of the same length, in which only the time until shortly after the kill is compared
    let until = DncCycles(now.0 + 5_000);
    let stop = |p: hal::wafer::Progress| {
        if p.now >= until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let after = |from| {
        let mut emulator = loaded(Effects::ALL, 50 * END);
        let how = LongRun { from, ..LongRun::default() };
        emulator.run_long(how, &mut { stop }).expect_err("it stops");
        outcome(&emulator)
    };
    let from = Checkpoint::read(&path).expect("a checkpoint");
    assert!(after(Some(from)) == after(None));
    std::fs::remove_file(&path).expect("the file is there");
}

#[test]
fn a_sink_takes_exactly_the_recorded_events() {
    let expected = whole(Effects::ALL, END);
    let mut taken = Pulses::new();
    let mut emulator = loaded(Effects::ALL, END);
    let mut sink = |fpga, event| taken.entry(fpga).or_default().push(event);
    let how = LongRun { sink: Some(&mut sink), ..LongRun::default() };
    emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it runs");
    assert_eq!(emulator.counters(), expected.counters);
    assert!(recorded(&emulator).values().all(Vec::is_empty));
    let empty = Vec::new();
    for (fpga, words) in &expected.trace.by_fpga {
        let events = taken.get(fpga).unwrap_or(&empty);
        assert_eq!(&hal::trace::encode(events), words);
    }
}

#[test]
fn a_sink_continues_where_the_checkpoint_says() {
    let path = file("sink");
    let events = |from: Option<Checkpoint>, save| {
        let mut events = Vec::new();
        let mut emulator = loaded(Effects::NONE, END);
        let mut sink = |_, event| events.push(event);
        let how = LongRun { sink: Some(&mut sink), save, from, ..LongRun::default() };
        emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it runs");
        events
    };
    let all = events(None, Some((path.clone(), DncCycles(9_000))));
    let checkpoint = Checkpoint::read(&path).expect("a checkpoint");
    let before: u64 = checkpoint.handed_out().values().sum();
    let rest = events(Some(checkpoint), None);
    assert!(before > 100 && rest.len() as u64 + before == all.len() as u64);
    assert!(all.ends_with(&rest));
    std::fs::remove_file(&path).expect("the file is there");
}

/// What the second part of a run brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    /// All stimulus, that of the first part again.
    All,
    /// The same, and no synapses on one chip.
    OtherWeights,
    /// The stimulus that is still to come.
    Rest,
}

/// All events of a run in two parts.
fn in_two_parts(effects: Effects, end: u64, cut: u64, second: Second) -> Vec<(u64, PulseLabel)> {
    let mut events = Vec::new();
    let mut from = None;
    let mut kept = 0;
    let mut emulator = loaded(effects, cut);
    for until in [cut, end] {
        let mut part = Vec::new();
        let mut sink = |_, event: hal::wafer::PulseEvent| part.push((event.time.0, event.label));
        let how = LongRun { sink: Some(&mut sink), from, keep_end: true, ..LongRun::default() };
        emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it runs");
        let moment = emulator.take_end().expect("it was kept");
        let handed_out: u64 = moment.handed_out().values().sum();
        // what came after the moment comes again
        part.truncate((handed_out - kept) as usize + if until == end { part.len() } else { 0 });
        kept = handed_out;
        events.append(&mut part);
        from = Some(match second {
            Second::Rest => moment.with_more(),
            Second::All | Second::OtherWeights => moment.after_changes(),
        });
        let config = ring();
        emulator = loaded_from(effects, if second == Second::Rest { cut } else { 0 }, end);
        if second == Second::OtherWeights {
            let mut config = config.clone();
            config.hicann_mut(CHIP).synapses.weights = Table::default();
            let words = hal::codec::encode_wafer(&config).expect("it can be sent");
            emulator.configure(&words).expect("taken");
        }
    }
    events
}

#[test]
fn runs_go_on_with_further_stimulus_as_if_they_had_never_ended() {
    for effects in [Effects::NONE, Effects::ALL] {
        let mut whole = Vec::new();
        let mut emulator = loaded(effects, END);
        let mut sink = |_, event: hal::wafer::PulseEvent| whole.push((event.time.0, event.label));
        let how = LongRun { sink: Some(&mut sink), ..LongRun::default() };
        emulator.run_long(how, &mut |_| ControlFlow::Continue(())).expect("it runs");
        assert!(whole.len() > 1000);
        for cut in [2, 7_778, 15_000] {
            let parts = in_two_parts(effects, END, cut, Second::All);
            assert!(parts == whole, "{} {} events, cut at {cut}", parts.len(), whole.len());
            // where links have room, pulses leave the FPGAs in groups that the cut may change
            let parts = in_two_parts(effects, END, cut, Second::Rest);
            if effects == Effects::NONE {
                assert!(parts == whole, "{} {} events, cut at {cut}", parts.len(), whole.len());
            } else {
                assert!(parts.len().abs_diff(whole.len()) < whole.len() / 10);
            }
        }
    }
}

#[test]
fn runs_go_on_with_other_weights() {
    let same = in_two_parts(Effects::NONE, END, 8_000, Second::All);
    let other = in_two_parts(Effects::NONE, END, 8_000, Second::OtherWeights);
    let before = |events: &[(u64, PulseLabel)]| events.partition_point(|e| e.0 < 8_000);
    assert_eq!(same[..before(&same)], other[..before(&other)]);
    // without the synapses of one chip its neurons soon fall silent
    assert!(other.len() < same.len(), "{} {}", other.len(), same.len());
}

#[test]
fn foreign_and_damaged_checkpoints_are_refused() {
    let path = file("foreign");
    let mut emulator = loaded(Effects::NONE, END);
    let save = Some((path.clone(), DncCycles(5_000)));
    emulator
        .run_long(LongRun { save, ..LongRun::default() }, &mut |_| ControlFlow::Continue(()))
        .expect("it runs");
    let go_on = |emulator: &mut Emulator| {
        let from = Some(Checkpoint::read(&path).expect("a checkpoint"));
        let how = LongRun { from, ..LongRun::default() };
        emulator.run_long(how, &mut |_| ControlFlow::Continue(()))
    };
    let foreign = |r: Result<(), LongRunError>| matches!(r, Err(LongRunError::Foreign { .. }));
    assert!(foreign(go_on(&mut loaded(Effect::L1Jitter.into(), END))), "other effects");
    assert!(foreign(go_on(&mut loaded(Effects::NONE, END + 2))), "another stimulus");
    let mut other = loaded(Effects::NONE, END);
    let config = wafer([(CHIP, HicannConfig::default())]);
    let words = hal::codec::encode_wafer(&config).expect("it can be sent");
    other.configure(&words).expect("taken");
    assert!(foreign(go_on(&mut other)), "other words");
    assert!(go_on(&mut loaded(Effects::NONE, END)).is_ok());
    let mut bytes = std::fs::read(&path).expect("the file is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("it can be written");
    assert!(Checkpoint::read(&path).is_err_and(|e| e.to_string().contains("damaged")));
    std::fs::remove_file(&path).expect("the file is there");
    let nowhere = Some((PathBuf::from("/nowhere/at/all"), DncCycles(1)));
    let refused = loaded(Effects::NONE, END)
        .run_long(LongRun { save: nowhere, ..LongRun::default() }, &mut |_| {
            ControlFlow::Continue(())
        });
    assert!(matches!(refused, Err(LongRunError::Save(_))));
}

#[test]
fn probes_see_the_truth_and_the_adc_what_a_wafer_shows() {
    let seen = whole(Effect::ReadoutOffset.into(), END);
    let ideal = whole(Effects::NONE, END);
    assert_eq!(seen.truth, ideal.truth);
    assert_ne!(seen.adc, ideal.adc);
    // one value per 7 cycles and the one at the start
    assert_eq!(ideal.truth.len() as u64, 1 + END / 7);
    for (i, &v) in ideal.truth.iter().enumerate().step_by(250 / 7) {
        let cycles = 7 * i;
        if cycles % 250 == 0 {
            let sample = AdcTrace::volts(ideal.adc.samples[cycles * 96 / 250]);
            assert!((f64::from(v) - sample).abs() <= 0.5 * 1.8 / 4095.0 + 1e-6);
        }
    }
    assert!(loaded(Effects::NONE, END).true_state(neuron(0).on(CHIP)).is_none(), "no run yet");
}
