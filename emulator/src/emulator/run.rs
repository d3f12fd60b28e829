//! A run: from what is configured and loaded to what can be read afterwards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use hal::archive;
use hal::coord::{Coordinate as _, FpgaOnWafer, HicannOnWafer, OnWafer, SynapseOnHicann, Table};
use hal::law::Capacitors;
use hal::value::SynapseWeight;
use hal::wafer::{AdcTrace, Counters, DncCycles, Progress, PulseEvent, Pulses, WaferError};

use super::{Built, Emulator, Record, Settings, TrueState};
use crate::absent;
use crate::background::Generators;
use crate::effects::Effect;
use crate::engine::{Made, Network, Release, Run};
use crate::instance::Instance;
use crate::link::{Pulse, Recorder, Stimulus, Ways};
use crate::long_run::{Checkpoint, LongRun, LongRunError, Sink};
use crate::readout::Shown;
use crate::silicon::{Drawn, scramble};

/// Most chips of which random numbers are kept between runs.
const KEPT_CHIPS: usize = 8;
/// Windows of the engine between two calls of the progress callback.
const WINDOWS_PER_CALL: usize = 64;

impl Emulator {
    /// As [`Wafer::run`](hal::wafer::Wafer::run), with checkpoints and a sink for recorded events.
    pub fn run_long(
        &mut self,
        how: LongRun<'_>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), LongRunError> {
        let LongRun { sink, save, from, keep_end } = how;
        let Some(end) = self.playback.values().map(|p| p.end).max() else {
            let needed = "load playback words with `stimulate`";
            return Err(WaferError::NotReady { needed }.into());
        };
        absent::check(&self.config).map_err(|e| WaferError::Configuration(e.into()))?;
        let shown = self.shown()?;
        self.keep_drawn();
        let built = self.built.take().filter(|built| built.probes == self.probes);
        let Settings { instance, effects, step, .. } = self.settings;
        let flaws = self.flaws();
        let bandwidth = effects.contains(Effect::LinkBandwidth);
        let ways = Ways { config: &self.config, flaws, bandwidth };
        let on_top = from.as_ref().filter(|from| from.adds);
        let before = on_top.map(|from| from.stimulus.clone()).unwrap_or_default();
        let begin = on_top.map_or(DncCycles(0), |from| from.now);
        let mut sent = before.clone();
        let pulses = sent.send(&self.playback, ..DncCycles(u64::MAX), ways);
        // what is sent on top comes after what has been
        let time = |p: &Pulse| DncCycles(p.time.0.max(begin.0 + u64::from(begin.0 > 0)));
        let release = |p: &Pulse| Some(Release { time: time(p), bus: p.fate.ok()? });
        let releases: Vec<Release> = pulses.iter().filter_map(release).collect();
        let locking = effects.contains(Effect::BackgroundEvents);
        let generators = Generators::new(&self.config, &flaws, locking);
        let made = Made {
            instance,
            effects,
            flaws,
            programming: &self.programming,
            drawn: &self.drawn,
            probes: &self.probes,
        };
        let network = built.map_or_else(|| self.network(&made, &shown), |built| built.network);
        let before_run = keep_end.then(|| network.clone());
        let mut run = Run::new(network, &releases, generators, step, end);

        if keep_end {
            run.let_go_on();
        }
        let fingerprint = self.fingerprint();
        let mut recorder = Recorder::default();
        let mut out = Out { sink, trace: Pulses::new(), counts: BTreeMap::new() };
        let mut start = DncCycles(0);
        if let Some(saved) = from {
            let (now, same) = (saved.now, saved.fingerprint == fingerprint);
            let fits = if saved.changed {
                start = now;
                run.carry_over(saved.state)
            } else {
                same && run.restore(saved.state)
            };
            if !fits {
                return Err(LongRunError::Foreign { now });
            }
            (recorder, out.trace, out.counts) = (saved.recorder, saved.trace, saved.handed_out);
        }
        let records = |h: HicannOnWafer| self.playback.get(&h.fpga()).is_some_and(|p| p.record);
        let records = Table::from_fn(records);
        let bandwidth = effects.contains(Effect::ReadoutBandwidth);
        // the network stands: what follows is emulation
        let mut stopped = progress(Progress { now: run.now(), end }).is_break() && !run.is_over();
        let mut saved_at = run.now();
        while !run.is_over() && !stopped {
            self.install(|| run.advance(WINDOWS_PER_CALL));
            recorder.take(run.departures(), &records, bandwidth);
            recorder.hand_out(run.now(), &mut |fpga, event| out.take(fpga, event));
            if let Some((path, every)) = &save
                && run.now().0 >= saved_at.0 + every.0
            {
                saved_at = run.now();
                archive::write(path, &out.checkpoint(fingerprint, &mut run, &recorder))?;
            }
            stopped = progress(Progress { now: run.now(), end }).is_break() && !run.is_over();
        }

        let end = keep_end.then(|| out.checkpoint(fingerprint, &mut run, &recorder));
        self.install(|| run.run_out());
        let end = end.map(|end| {
            // a run that was stopped has sent what it has reached
            let (mut stimulus, pulses) = if stopped {
                let mut sent = before.clone();
                let pulses = sent.send(&self.playback, ..DncCycles(end.now.0 + 1), ways);
                (sent, Cow::Owned(pulses))
            } else {
                (sent, Cow::Borrowed(&pulses))
            };
            stimulus.keep(&pulses, end.now, run.now());
            Checkpoint { stimulus, ..end }
        });
        recorder.take(run.departures(), &records, bandwidth);
        let reached = run.now();
        let readout = recorder.finish(reached, &mut |fpga, event| out.take(fpga, event));
        let adc = shown.iter().filter_map(|(&at, &neuron)| {
            let samples = run.samples(neuron)?.to_vec();
            Some((at, AdcTrace { samples }))
        });
        let truth = self.probes.iter().filter_map(|(&neuron, &every)| {
            let (every, volts) =
                (DncCycles(every.0.div_ceil(step.0).max(1) * step.0), run.truth(neuron)?.to_vec());
            Some((neuron, TrueState { every, from: start, volts }))
        });
        let plastic: Vec<_> = run.plastic().collect();
        self.record = Some(Record {
            end,
            capacitors: plastic.iter().map(|&(synapse, _, c)| (synapse, c)).collect(),
            adc: adc.collect(),
            truth: truth.collect(),
            trace: out.trace,
            released: before.released(&pulses, reached),
            counters: Counters {
                stimulus: before.flow(&pulses, reached),
                readout,
                mergers: run.merger_flow(),
                waiting: run.waiting(),
                neuron_spikes: run.neuron_spikes(),
                synaptic_events: run.synaptic_events(),
            },
        });
        self.take_weights(&plastic);
        // weights that have changed are another network
        self.built = before_run.filter(|_| plastic.is_empty()).map(|network| {
            let probes = self.probes.clone();
            Built { network, probes }
        });
        if stopped { Err(WaferError::Stopped { at: reached }.into()) } else { Ok(()) }
    }

    /// Draws the random numbers of chips anew if something has changed about them. They are not kept
    /// of many chips: only short runs, which follow each other on few, notice the time.
    fn keep_drawn(&mut self) {
        let Settings { instance, effects, .. } = self.settings;
        let mut before = std::mem::take(&mut self.drawn);
        if self.config.hicanns.len() > KEPT_CHIPS {
            return;
        }
        for (&hicann, chip) in &self.config.hicanns {
            let programming = self.programming.of(hicann);
            let kept = before.remove(&hicann).filter(|drawn| drawn.is_for(chip, &programming));
            let anew = || Arc::new(Drawn::new(hicann, instance, effects, chip, programming));
            self.drawn.insert(hicann, kept.unwrap_or_else(anew));
        }
    }

    /// Keeps the weights that the controllers have written.
    fn take_weights(&mut self, plastic: &[(OnWafer<SynapseOnHicann>, SynapseWeight, Capacitors)]) {
        for of_chip in plastic.chunk_by(|(a, ..), (b, ..)| a.hicann == b.hicann) {
            let hicann = of_chip[0].0.hicann;
            let weights = of_chip.iter().map(|&(synapse, weight, _)| (synapse.local, weight));
            self.registers.set_weights(hicann, weights.clone());
            let table = &mut self.config.hicann_mut(hicann).synapses.weights;
            weights.for_each(|(synapse, weight)| table[synapse] = weight);
            self.connectivity = OnceLock::new();
        }
    }

    /// The network of the configuration with everything that looks at membranes.
    fn network(&self, made: &Made<'_>, shown: &Shown) -> Network {
        let step = self.settings.step;
        let wiring = self.connectivity();
        let mut network = self.install(|| Network::new(&self.config, wiring, made, step));
        for &neuron in shown.values() {
            let (offset_v, noise) = made.readout(neuron);
            network.add_probe(neuron, offset_v, noise);
        }
        for (&neuron, every) in &self.probes {
            network.add_truth(neuron, every.0.div_ceil(step.0));
        }
        network
    }

    /// A number that differs between runs that cannot continue each other.
    fn fingerprint(&self) -> u64 {
        let Settings { instance, effects, step, threads: _ } = self.settings;
        let number = match instance {
            Instance::Ideal => u64::MAX,
            Instance::Manufactured(number) => number.0.into(),
        };
        let on = effects.iter().map(|(_, on)| u64::from(on));
        let probes = self.probes.iter().flat_map(|(n, every)| [n.index() as u64, every.0]);
        [self.words_seen, self.playback_seen, number, step.0]
            .into_iter()
            .chain(on)
            .chain(probes)
            .fold(0, |seen, word| scramble(seen ^ word))
    }
}

/// Where recorded events go.
struct Out<'a> {
    sink: Option<Sink<'a>>,
    trace: Pulses,
    counts: BTreeMap<FpgaOnWafer, u64>,
}

impl Out<'_> {
    /// The present moment of a run.
    fn checkpoint(&self, fingerprint: u64, run: &mut Run<'_>, recorder: &Recorder) -> Checkpoint {
        Checkpoint {
            now: run.now(),
            fingerprint,
            state: run.state(),
            stimulus: Stimulus::default(),
            recorder: recorder.clone(),
            trace: self.trace.clone(),
            handed_out: self.counts.clone(),
            changed: false,
            adds: false,
        }
    }

    fn take(&mut self, fpga: FpgaOnWafer, event: PulseEvent) {
        *self.counts.entry(fpga).or_default() += 1;
        match &mut self.sink {
            Some(sink) => sink(fpga, event),
            None => self.trace.entry(fpga).or_default().push(event),
        }
    }
}
