//! Time passes: blocks of cells run side by side for as long as no spike can reach another one.

use std::ops::ControlFlow;

use fearless_simd::Level;
use rayon::prelude::*;

use super::block::{Event, Window};
use super::sources::Poisson;
use super::{Engine, Model, Population, ReferenceError};

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
        for block in &mut self.blocks {
            for piece in &mut block.pieces {
                piece.start(&block.membranes, self.now);
            }
        }
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => new_pool(self.settings.threads)?,
        };
        pool.install(|| self.run_here(steps as u64, observe));
        self.pool = Some(pool);
        Ok(self.now_ms())
    }

    fn run_here(&mut self, until: u64, observe: &mut dyn FnMut(f64) -> ControlFlow<()>) {
        let shortest = u64::from(self.delays().0).min(LONGEST_WINDOW);
        // whole windows
        let longest = LONGEST_WINDOW - LONGEST_WINDOW % shortest;
        let level = Level::new();
        while self.now < until || self.sent.is_none() {
            let stop = until.min(self.now + longest);
            let sent = self.send_sources(stop);
            let mut sent = sent.as_slice();
            loop {
                let end = stop.min(self.now + shortest);
                let now = sent.partition_point(|event| event.step <= end);
                self.events.extend(&sent[..now]);
                sent = &sent[now..];
                self.run_window(end, level);
                if end == stop {
                    break;
                }
            }
            if observe(self.now_ms()).is_break() {
                break;
            }
        }
    }

    /// Runs all blocks until the end of a window, and collects what they send.
    fn run_window(&mut self, end: u64, level: Level) {
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
        let cells: usize = self.blocks.iter().map(|b| b.cells).sum();
        let work = cells * steps / self.blocks.len().max(1);
        let least = GRAIN.div_ceil(work.max(1));
        if least >= self.blocks.len() {
            self.blocks.iter_mut().for_each(|block| block.advance(level, &window));
        } else {
            let blocks = self.blocks.par_iter_mut().with_min_len(least);
            blocks.for_each(|block| block.advance(level, &window));
        }
        self.events.clear();
        for block in &self.blocks {
            let population = &mut self.populations[block.population];
            for event in &block.fired {
                let member = (event.sender as usize - population.first) as u32;
                population.keep(member, event.step as f64 * step_ms);
            }
            self.events.extend(&block.fired);
        }
        self.events.sort_unstable();
        self.now = end;
    }

    /// The spikes of sources until the end of a step, in order.
    fn send_sources(&mut self, end: u64) -> Vec<Event> {
        let step_ms = self.settings.step_ms;
        let end_ms = end as f64 * step_ms;
        let mut sent: Vec<Event> = Vec::new();
        for population in &mut self.populations {
            let mut spikes: Vec<(u64, u32, f64)> = Vec::new();
            for (member, process) in population.poisson.iter_mut().enumerate() {
                while let Some(time) = process.pop(end_ms) {
                    spikes.push((step_of(time, step_ms), member as u32, time));
                }
            }
            for (member, next) in population.next.iter_mut().enumerate() {
                let times = &population.times_ms[member];
                while let Some(&time) = times.get(*next) {
                    let step = step_of(time, step_ms);
                    if step > end {
                        break;
                    }
                    spikes.push((step, member as u32, time));
                    *next += 1;
                }
            }
            spikes.sort_unstable_by_key(|(step, member, _)| (*step, *member));
            for (step, member, time) in spikes {
                population.keep(member, time.min(step as f64 * step_ms));
                sent.push(Event { step, sender: population.first as u32 + member });
            }
        }
        sent.sort_unstable();
        self.sent = Some(end);
        sent
    }
}

impl Population {
    /// Sources begin at time 0, with the same random numbers each time.
    fn restart(&mut self, seed: u64) {
        self.next.fill(0);
        if self.model == Model::SpikeSourcePoisson {
            let first = self.first;
            let process = |member| Poisson::new(seed, (first + member) as u64);
            self.poisson = (0..self.size).map(process).collect();
            self.set_rates(0.0);
        }
    }

    fn keep(&mut self, member: u32, time_ms: f64) {
        if self.recorded[member as usize] {
            self.spikes.push((member, time_ms));
        }
    }
}

fn new_pool(threads: Option<usize>) -> Result<rayon::ThreadPool, ReferenceError> {
    let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.filter(|&n| n > 0).unwrap_or_else(all);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|_| ReferenceError::Threads { threads })
}
