//! The runs of a session: one continuous time of an emulated wafer, part by part.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use emulator::{Checkpoint, Emulator, LongRun, LongRunError, Settings};
use hal::coord::{
    AnalogOnHicann, Coordinate as _, DncOnWafer, FpgaOnWafer, NeuronOnHicann, OnWafer,
};
use hal::playback;
use hal::stateful::{Checks, Differential, Settings as Writing, StatefulWafer};
use hal::wafer::{AdcTrace, DncCycles, PulseEvent, Pulses, Wafer as _, WaferError};
use marocco::network::PopulationId;

use super::apart::Unseen;
use super::chips::Chips;
use super::currents::Injected;
use super::error::SessionError;
use super::setup::Readout;
use super::{RunEnd, Session, Watch, feed, learned, listening};
use crate::realise::on_threads;
use crate::recording::RecordedBesides;
use crate::report::{RunFacts, RunReport, RunSeconds};
use crate::run::Progress;
use crate::stimulus::{cycle_of, end_cycle, pulses, time_ms};

/// Least wall time between two calls of the watch, s.
const WATCH_S: f64 = 0.02;

/// A wafer that the network is on.
#[derive(Debug)]
pub(super) struct Running {
    emulator: Emulator,
    /// What it was told.
    told: StatefulWafer,
    /// Biological time at which the wafer started, ms: 0, or when the network has grown.
    origin_ms: f64,
    /// What entered it until now.
    released: Pulses,
    /// Where the next part goes on; none at the start.
    from: Option<Checkpoint>,
    /// Events handed out for good, by FPGA.
    kept: BTreeMap<FpgaOnWafer, u64>,
    besides: RecordedBesides,
    wall_s: RunSeconds,
    /// Where each recorded membrane is seen.
    shown: Vec<Shown>,
    injected: Vec<Injected>,
    /// Whether mapping, membranes and currents are those that the wafer was told of.
    is_told: bool,
}

/// A membrane and where it is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    population: PopulationId,
    member: u32,
    pub(super) circuit: OnWafer<NeuronOnHicann>,
    /// The output of its reticle, if the ADC looks at it.
    output: Option<AnalogOnHicann>,
}

impl Running {
    fn new(emulator: Emulator, origin_ms: f64) -> Self {
        let writing = Writing {
            // the verifier has seen to the rules
            checks: Checks::Skip,
            differential: Differential::Minimal,
            ..Writing::default()
        };
        Self {
            emulator,
            told: StatefulWafer::new(writing),
            origin_ms,
            released: Pulses::new(),
            from: None,
            kept: BTreeMap::new(),
            besides: RecordedBesides::default(),
            wall_s: RunSeconds::default(),
            shown: Vec::new(),
            injected: Vec::new(),
            is_told: false,
        }
    }

    /// The mapping is another one.
    pub(super) const fn forget_mapping(&mut self) {
        self.is_told = false;
    }

    /// What entered the wafer since it started.
    pub(super) const fn released(&self) -> &Pulses {
        &self.released
    }

    /// Back to time 0.
    pub(super) fn rewind(&mut self) {
        self.origin_ms = 0.0;
        self.released.clear();
        self.from = None;
        self.kept.clear();
        self.besides = RecordedBesides::default();
        self.wall_s = RunSeconds::default();
    }
}

impl Session {
    /// Runs for some biological ms, from where the last run ended; maps before if that is needed.
    ///
    /// Weights, cells and inputs that were changed since the last run hold from its end on. The
    /// membranes go on, even where their cells were programmed anew.
    pub fn run(&mut self, duration_ms: f64, watch: Watch<'_>) -> Result<RunEnd, SessionError> {
        if !(duration_ms.is_finite() && duration_ms >= 0.0) {
            return Err(SessionError::RunTime(duration_ms));
        }
        let cancel = self.setup.cancel.clone();
        cancel.rearm();
        let watch = &mut listening(&cancel, watch);
        self.bring_up_to_date(watch)?;
        let threads = self.setup.threads;
        on_threads(threads, |threads| self.run_here(duration_ms, threads, watch))?
    }

    /// Runs part by part, so that no part takes more than a moment to prepare.
    fn run_here(
        &mut self,
        duration_ms: f64,
        threads: usize,
        watch: Watch<'_>,
    ) -> Result<RunEnd, SessionError> {
        let _ = watch(Progress::Configuring);
        self.tell(threads)?;
        let (from_ms, end_ms) = (self.now_ms, self.now_ms + duration_ms);
        let parts = feed::parts(&self.populations, from_ms, end_ms);
        for part in 1..=parts {
            let part_ms = duration_ms * f64::from(part) / f64::from(parts);
            let until_ms = if part == parts { end_ms } else { from_ms + part_ms };
            let watch = &mut |progress: Progress| {
                let whole = |share: f64| (f64::from(part - 1) + share) / f64::from(parts);
                watch(match progress {
                    Progress::Emulating(share) => Progress::Emulating(whole(share)),
                    other => other,
                })
            };
            if self.run_part(until_ms, threads, watch)? == RunEnd::Stopped {
                self.note_dropped();
                return Ok(RunEnd::Stopped);
            }
        }
        self.note_dropped();
        Ok(RunEnd::Done)
    }

    /// Tells the wafer of the configuration with outputs and currents, where they are not those that it
    /// was told of, and of the probes.
    fn tell(&mut self, threads: usize) -> Result<(), SessionError> {
        let clock = Instant::now();
        let Some(chips) = &self.chips else { return Err(SessionError::NotMapped) };
        let (shown, unseen) = self.look(chips);
        if let Some(first) = unseen.first() {
            let population = self.network.population(first.population).label.clone();
            let (member, reticle) = (first.member, first.reticle);
            return Err(SessionError::TooManyMembranes { population, member, reticle });
        }
        let origin_ms = self.running.as_ref().map_or(self.now_ms, |running| running.origin_ms);
        let injected = self.injected(chips, origin_ms)?;
        let running = self.running.get_or_insert_with(|| {
            let (instance, effects) = (self.setup.wafer, self.setup.effects);
            let settings =
                Settings { instance, effects, threads: Some(threads), ..Settings::default() };
            Running::new(Emulator::with_defects(settings, &self.defects), origin_ms)
        });
        if !running.is_told || running.shown != shown || running.injected != injected {
            let mut config = chips.mapped.config.clone();
            learned::write(&self.learned, &chips.mapped, &mut config);
            if learned::learns(&self.network) {
                // what is on the wafer is not what it was told
                running.told.forget();
            }
            for seen in &shown {
                if let Some(output) = seen.output {
                    let chip = config.hicann_mut(seen.circuit.hicann);
                    chip.show_membrane(seen.circuit.local, output);
                }
            }
            for current in &injected {
                let chip = config.hicann_mut(current.circuit.hicann);
                chip.stimulate(current.circuit.local, current.stimulus.clone());
            }
            running.is_told = false;
            running.told.disconnect();
            running.told.replace(config).expect("no chip of this wafer is called defective");
            running.told.configure(&mut running.emulator)?;
            (running.shown, running.injected, running.is_told) = (shown, injected, true);
        }
        running.emulator.forget_probes();
        for seen in running.shown.iter().filter(|seen| seen.output.is_none()) {
            let trace = &self.populations[seen.population.index()].traces[&seen.member];
            running.emulator.probe(seen.circuit, trace.probe_every(chips.speedup()));
        }
        running.wall_s.build += clock.elapsed().as_secs_f64();
        Ok(())
    }

    fn run_part(
        &mut self,
        until_ms: f64,
        threads: usize,
        watch: Watch<'_>,
    ) -> Result<RunEnd, SessionError> {
        let clock = Instant::now();
        let (Some(chips), Some(running)) = (&self.chips, &mut self.running) else {
            return Err(SessionError::NotMapped);
        };
        let (speedup, origin_ms) = (chips.speedup(), running.origin_ms);
        let end = end_cycle(until_ms - origin_ms, speedup);
        let drawn = feed::draw(&mut self.populations, origin_ms, self.now_ms, until_ms, watch);
        let Some(trains) = drawn else { return Ok(RunEnd::Stopped) };
        let pulses = pulses(&self.network, &chips.mapped.mapping, &trains);
        drop(trains);
        let input = playback::encode(&pulses, FpgaOnWafer::all(), end)?;
        drop(pulses);
        running.emulator.stimulate(&input)?;
        running.wall_s.build += clock.elapsed().as_secs_f64();

        // the part itself
        let start = running.from.as_ref().map_or(DncCycles(0), Checkpoint::now);
        let clock = Instant::now();
        let mut events: Vec<(FpgaOnWafer, PulseEvent)> = Vec::new();
        let mut sink = |fpga, event| events.push((fpga, event));
        let how = LongRun {
            sink: Some(&mut sink),
            from: running.from.clone().map(Checkpoint::with_more),
            keep_end: true,
            ..LongRun::default()
        };
        let (mut built_s, mut told_s) = (None, 0.0);
        let ran = running.emulator.run_long(how, &mut |p| {
            let now_s = clock.elapsed().as_secs_f64();
            built_s.get_or_insert(now_s);
            if now_s - told_s < WATCH_S && p.now < p.end {
                return ControlFlow::Continue(());
            }
            told_s = now_s;
            let (done, all) = (p.now.0.saturating_sub(start.0), p.end.0.saturating_sub(start.0));
            watch(Progress::Emulating(done as f64 / all.max(1) as f64))
        });
        let (built_s, total_s) = (built_s.unwrap_or_default(), clock.elapsed().as_secs_f64());
        running.wall_s.build += built_s;
        running.wall_s.emulate += total_s - built_s;
        let run_end = match ran {
            Ok(()) => RunEnd::Done,
            Err(LongRunError::Wafer(WaferError::Stopped { .. })) => RunEnd::Stopped,
            Err(LongRunError::Wafer(error)) => return Err(error.into()),
            Err(error) => return Err(WaferError::Configuration(error.into()).into()),
        };
        let clock = Instant::now();
        running.from = running.emulator.take_end();
        for (fpga, mut events) in running.emulator.released_stimulus() {
            running.released.entry(fpga).or_default().append(&mut events);
        }
        let reached = match (run_end, &running.from) {
            (RunEnd::Stopped, Some(moment)) => Some(moment.now()),
            _ => None,
        };
        feed::hand_over(&mut self.populations, |time_ms| match reached {
            Some(reached) => cycle_of((time_ms - origin_ms).max(0.0), speedup) <= reached,
            None => time_ms < until_ms,
        });
        let reached_ms = reached.map(|reached| origin_ms + time_ms(reached, speedup));
        self.now_ms = reached_ms.map_or(until_ms, |ms| ms.clamp(self.now_ms, until_ms));
        if learned::learns(&self.network) {
            let wafer = &mut running.emulator;
            self.learned = learned::read(wafer, &self.network, &chips.mapped, &self.defects)?;
        }
        self.take_events(&events);
        self.take_membranes(start);
        self.report(end, clock, threads);
        Ok(run_end)
    }

    /// Sorts the events of a part to the neurons that sent them.
    fn take_events(&mut self, events: &[(FpgaOnWafer, PulseEvent)]) {
        let (Some(chips), Some(running)) = (&self.chips, &mut self.running) else { return };
        for state in &mut self.populations {
            state.latest.clear();
        }
        let handed_out = running.from.as_ref().map(|end| end.handed_out().clone());
        let handed_out = handed_out.unwrap_or_default();
        for &(fpga, event) in events {
            // what comes after the moment that was kept comes again in the next part
            let kept = running.kept.entry(fpga).or_default();
            let for_good = *kept < handed_out.get(&fpga).copied().unwrap_or(0);
            *kept += u64::from(for_good);
            let time = running.origin_ms + time_ms(event.time, chips.speedup());
            let count = u64::from(for_good);
            match chips.senders.find(fpga, event.label) {
                None => running.besides.background += count,
                Some(_) if time < running.origin_ms => running.besides.before_start += count,
                Some((id, member)) => {
                    let state = &mut self.populations[id.index()];
                    if !state.records_spikes[member] {
                        running.besides.other_populations += count;
                    } else if for_good {
                        state.spikes.push((member as u32, time));
                    } else {
                        state.latest.push((member as u32, time));
                    }
                }
            }
        }
    }

    /// Reads the recorded membranes of a part that began at `start`.
    fn take_membranes(&mut self, start: DncCycles) {
        let (Some(chips), Some(running)) = (&self.chips, &self.running) else { return };
        let scaling = chips.mapped.mapping.scaling;
        let speedup = scaling.speedup;
        let cycles_ms = DncCycles::SECONDS * speedup * 1e3;
        let bio_ms = |cycle| running.origin_ms + time_ms(cycle, speedup);
        for seen in &running.shown {
            let state = &mut self.populations[seen.population.index()];
            let Some(trace) = state.traces.get_mut(&seen.member) else { continue };
            let (times_ms, volts): (Vec<f64>, Vec<f64>) = match seen.output {
                None => {
                    let Some(truth) = running.emulator.true_state(seen.circuit) else { continue };
                    let every = truth.every.0;
                    let next = truth.from.0 / every + 1;
                    let later = (next..).map(|i| i * every);
                    std::iter::once(truth.from.0)
                        .chain(later)
                        .zip(&truth.volts)
                        .map(|(cycle, &v)| (bio_ms(DncCycles(cycle)), f64::from(v)))
                        .unzip()
                }
                Some(output) => {
                    let dnc = seen.circuit.hicann.dnc();
                    let Ok(adc) = running.emulator.read_adc(dnc, output) else { continue };
                    let first_ms = bio_ms(start);
                    let every_ms = cycles_ms / (DncCycles::SECONDS * AdcTrace::SAMPLE_RATE_HZ);
                    let samples = adc.samples.iter().enumerate();
                    samples
                        .map(|(i, &raw)| (first_ms + i as f64 * every_ms, AdcTrace::volts(raw)))
                        .unzip()
                }
            };
            let seen_mv: Vec<f64> =
                volts.into_iter().map(|v| scaling.potential_to_bio_mv(v)).collect();
            trace.add(&times_ms, &seen_mv, self.now_ms);
        }
    }

    /// Where the membranes that are to be recorded are seen, and those that are not.
    pub(super) fn look(&self, chips: &Chips) -> (Vec<Shown>, Vec<Unseen>) {
        let offsets = self.network.member_offsets();
        let neurons = &chips.mapped.mapping.placement.neurons;
        let mut taken: BTreeMap<DncOnWafer, Vec<Shown>> = BTreeMap::new();
        let (mut shown, mut unseen) = (Vec::new(), Vec::new());
        for (state, (id, _)) in self.populations.iter().zip(self.network.populations()) {
            for &member in state.traces.keys() {
                let position = offsets[id.index()] + member as usize;
                let Some(neuron) = neurons[position] else { continue };
                let circuit = neuron.first_circuit().on(neuron.hicann);
                let mut seen = Shown { population: id, member, circuit, output: None };
                if self.setup.readout == Readout::Adc {
                    let reticle = neuron.hicann.dnc();
                    let others = taken.entry(reticle).or_default();
                    let free = |output: &AnalogOnHicann| {
                        others.iter().all(|o| o.output != Some(*output))
                            && chips.is_usable(output.on(neuron.hicann))
                    };
                    let output = AnalogOnHicann::all().find(free);
                    // two membranes of a chip need lines of their own: one per row and parity
                    let line =
                        |at: OnWafer<NeuronOnHicann>| (at.hicann, at.local.shared_fg_block());
                    let mut circuits = neuron.circuits().map(|c| c.on(neuron.hicann));
                    let own = circuits
                        .find(|&c| others.iter().all(|other| line(other.circuit) != line(c)));
                    let (Some(output), Some(circuit)) = (output, own) else {
                        unseen.push(Unseen { population: id, member, position, reticle });
                        continue;
                    };
                    (seen.output, seen.circuit) = (Some(output), circuit);
                    others.push(seen);
                }
                shown.push(seen);
            }
        }
        (shown, unseen)
    }

    /// Sums up all parts since time 0.
    fn report(&mut self, end: DncCycles, reading: Instant, threads: usize) {
        let (Some(chips), Some(running)) = (&self.chips, &mut self.running) else { return };
        let now = running.from.as_ref().map_or(end, Checkpoint::now);
        let recorded =
            self.populations.iter().map(|p| p.spikes.len() + p.latest.len()).sum::<usize>();
        running.wall_s.read += reading.elapsed().as_secs_f64();
        let counters = running.emulator.counters();
        self.run_report = Some(RunReport::new(&RunFacts {
            hardware_s: now.hardware_s() + running.origin_ms * 1e-3 / chips.speedup(),
            words: &chips.words,
            wall_s: running.wall_s,
            counters: &counters,
            cpu_energy_j: None,
            bio_ms: self.now_ms,
            recorded: recorded as u64,
            besides: running.besides,
            instance: self.setup.wafer,
            effects: self.setup.effects,
            remote: None,
            seed: self.setup.seed,
            threads,
        }));
    }

    /// Says what the links have lost.
    fn note_dropped(&mut self) {
        let Some(stimulus) = self.run_report.as_ref().map(|report| &report.stimulus) else {
            return;
        };
        if stimulus.dropped > 0 {
            let causes: Vec<String> =
                stimulus.dropped_by_cause.iter().map(|(cause, n)| format!("{cause} {n}")).collect();
            self.notes.add(format!(
                "the links to the wafer lost {} of {} spikes of sources ({}); lower the rates, or \
                 spread the sources over more of them",
                stimulus.dropped,
                stimulus.sent,
                causes.join(", ")
            ));
        }
    }
}
