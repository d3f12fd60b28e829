//! Time passes: blocks of cells run side by side for as long as no spike can reach another one.

use std::ops::ControlFlow;

use fearless_simd::Level;
use rayon::prelude::*;

use super::block::{Event, Window};
use super::sources::Poisson;
use super::{Engine, Model, Population, ReferenceError, blocks_mut};

/// Most steps of a window. Sources send for so many steps at once, and what asks for the end of a run is
/// heard after them.
pub(super) const LONGEST_WINDOW: u64 = 64;

/// Cells times steps that are worth a thread of their own.
const GRAIN: usize = 4096;

/// The step at whose end a spike at this time is sent: times between steps wait for the next.
pub(super) fn step_of(time_ms: f64, step_ms: f64) -> u64 {
    (time_ms / step_ms - 1e-6).ceil().max(0.0) as u64
}

impl Engine {
    /// Runs until a time in ms, rounded to steps. `observe` is told the time now and then and may
    /// end the run; what has been done stays. Returns the time.
    pub fn run(
        &mut self,
        until_ms: f64,
        observe: &mut (dyn FnMut(f64) -> ControlFlow<()> + Send),
    ) -> Result<f64, ReferenceError> {
        let steps = (until_ms / self.settings.step_ms).round();
        if !steps.is_finite() || steps < self.now as f64 {
            return Err(ReferenceError::Past { until_ms, now_ms: self.now_ms() });
        }
        self.refresh()?;
        if self.sent.is_none() {
            for population in &mut self.populations {
                population.restart(self.settings.seed);
            }
        }
        for block in blocks_mut(&mut self.parts) {
            for piece in &mut block.pieces {
                piece.start(&block.membranes, self.now);
            }
        }
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => new_pool(self.threads())?,
        };
        pool.install(|| self.run_here(steps as u64, observe));
        self.pool = Some(pool);
        Ok(self.now_ms())
    }

    fn run_here(&mut self, until: u64, observe: &mut dyn FnMut(f64) -> ControlFlow<()>) {
        let shortest = u64::from(self.delays.0).min(LONGEST_WINDOW);
        // whole windows
        let longest = LONGEST_WINDOW - LONGEST_WINDOW % shortest;
        let level = Level::new();
        while self.now < until || self.sent.is_none() {
            let stop = until.min(self.now + longest);
            let sent = self.send_sources(stop);
            // what is sent now is as if sent before
            let (before, mut sent) = sent.split_at(sent.partition_point(|e| e.step <= self.now));
            self.events.extend(before);
            loop {
                let end = stop.min(self.now + shortest);
                let (now, later) = sent.split_at(sent.partition_point(|e| e.step <= end));
                self.run_window(end, now, level);
                sent = later;
                if end == stop {
                    break;
                }
            }
            if observe(self.now_ms()).is_break() {
                break;
            }
        }
    }

    /// Threads that share the work.
    pub(super) fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.settings.threads.filter(|&n| n > 0).unwrap_or_else(all)
    }

    /// Runs all parts until the end of a window, and collects what is sent in it.
    fn run_window(&mut self, end: u64, sources: &[Event], level: Level) {
        let step_ms = self.settings.step_ms;
        let currents: Vec<Vec<f64>> = self
            .currents
            .iter_mut()
            .map(|source| {
                let steps = self.now..end;
                let values: Vec<f64> =
                    steps.map(|s| source.current(s as f64 * step_ms, step_ms)).collect();
                if let Some(recorded) = &mut source.recorded {
                    recorded.extend(&values);
                }
                values
            })
            .collect();
        let (events, currents) = (&self.events, &currents);
        let window = Window { first: self.now, end, step_ms, events, currents };
        let steps = (end - self.now) as usize;
        if self.population_of.len() * steps < GRAIN {
            self.parts.iter_mut().for_each(|part| part.advance(level, &window));
        } else {
            self.parts.par_iter_mut().for_each(|part| part.advance(level, &window));
        }
        let mut sent = sources.to_vec();
        self.blocks().for_each(|block| sent.extend(&block.fired));
        self.events = by_step(&sent, self.now, end, |event| event.step);
        for event in &self.events {
            let population =
                &mut self.populations[self.population_of[event.sender as usize] as usize];
            if !population.model.is_source() {
                let member = (event.sender as usize - population.first) as u32;
                population.keep(member, event.step as f64 * step_ms);
            }
        }
        self.now = end;
    }

    /// The spikes of sources until the end of a step, in order.
    fn send_sources(&mut self, end: u64) -> Vec<Event> {
        let step_ms = self.settings.step_ms;
        let (now, end_ms) = (self.now, end as f64 * step_ms);
        let mut sent: Vec<(Event, f64)> = Vec::new();
        for population in &mut self.populations {
            let first = population.first as u32;
            let mut send = |step, member: usize, time| {
                sent.push((Event { step, sender: first + member as u32 }, time));
            };
            for (member, due_ms) in population.due_ms.iter_mut().enumerate() {
                while *due_ms <= end_ms {
                    send(step_of(*due_ms, step_ms).max(now), member, *due_ms);
                    *due_ms = population.poisson[member].after(*due_ms);
                }
            }
            for (member, next) in population.next.iter_mut().enumerate() {
                let times = &population.times_ms[member];
                while let Some(&time) = times.get(*next) {
                    let step = step_of(time, step_ms);
                    if step > end {
                        break;
                    }
                    send(step.max(now), member, time);
                    *next += 1;
                }
            }
        }
        let sent = by_step(&sent, self.now, end, |(event, _)| event.step);
        for (event, time) in &sent {
            let population =
                &mut self.populations[self.population_of[event.sender as usize] as usize];
            let member = (event.sender as usize - population.first) as u32;
            population.keep(member, time.min(event.step as f64 * step_ms));
        }
        self.sent = Some(end);
        sent.into_iter().map(|(event, _)| event).collect()
    }
}

/// Sorts what happens in the steps `first..=last` by step, keeping the order within each.
fn by_step<T: Copy>(list: &[T], first: u64, last: u64, step: impl Fn(&T) -> u64) -> Vec<T> {
    let place = |one: &T| (step(one) - first) as usize;
    let mut next = vec![0; (last - first) as usize + 2];
    for one in list {
        next[place(one) + 1] += 1;
    }
    for step in 1..next.len() {
        next[step] += next[step - 1];
    }
    let mut sorted = list.to_vec();
    for one in list {
        let position = &mut next[place(one)];
        sorted[*position] = *one;
        *position += 1;
    }
    sorted
}

impl Population {
    /// Sources begin at time 0, with the same random numbers each time.
    fn restart(&mut self, seed: u64) {
        self.next.fill(0);
        if self.model == Model::SpikeSourcePoisson {
            let first = self.first;
            let process = |member| Poisson::new(seed, (first + member) as u64);
            self.poisson = (0..self.size).map(process).collect();
            self.due_ms.fill(f64::INFINITY);
            self.set_rates(0.0);
        }
    }

    fn keep(&mut self, member: u32, time_ms: f64) {
        if self.recorded[member as usize] {
            self.spikes.push((member, time_ms));
        }
    }
}

fn new_pool(threads: usize) -> Result<rayon::ThreadPool, ReferenceError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|_| ReferenceError::Threads { threads })
}
