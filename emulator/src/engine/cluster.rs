//! Neighbouring chips for which what arrives is collected together.
//!
//! Few lists with long entries are faster than many with short ones. But the memory in which a window's
//! arrivals are added up must stay in the cache.

use std::ops::Range;

use super::arrivals::{Arrivals, Rows};
use super::delivery::{SLOTS, Target, Window};
use super::math::LANES;

/// Memory for the arrivals of a window, bytes: a part of the second-level cache of a core.
const CACHE_BYTES: usize = 1 << 19;

/// Some chips and what is on its way to them.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Positions of the chips in their part.
    pub(super) chips: Range<usize>,
    pub(super) rows: Rows,
    /// By chip: its slots in a row of arrivals.
    slots: Vec<Range<u32>>,
    /// What arrives in each step, in the order in which it was sent: a ring by number of the step,
    /// whose length is a power of two.
    inbox: Vec<Vec<Target>>,
}

impl Cluster {
    /// Groups chips with so many slots each, for windows of some steps.
    pub(super) fn group(slots: &[u32], steps: usize) -> Vec<Self> {
        let mut clusters: Vec<Self> = Vec::new();
        for (chip, &own) in slots.iter().enumerate() {
            let fits = |cluster: &Self| {
                let slots = cluster.end() + own;
                slots <= SLOTS && slots as usize * size_of::<f32>() * steps <= CACHE_BYTES
            };
            if !clusters.last().is_some_and(fits) {
                clusters.push(Self {
                    chips: chip..chip,
                    rows: Rows::default(),
                    slots: Vec::new(),
                    inbox: Vec::new(),
                });
            }
            if let Some(cluster) = clusters.last_mut() {
                let start = cluster.end();
                cluster.chips.end = chip + 1;
                cluster.slots.push(start..start + own);
                cluster.rows = Rows::new(start + own);
            }
        }
        clusters
    }

    fn end(&self) -> u32 {
        self.slots.last().map_or(0, |slots| slots.end)
    }

    /// The first slot of a chip, given by its position in the part.
    pub(super) fn first_slot(&self, chip: usize) -> u32 {
        self.slots[chip - self.chips.start].start
    }

    /// The first row of lanes of a chip.
    pub(super) fn first_input(&self, chip: usize) -> usize {
        self.first_slot(chip) as usize / LANES
    }

    /// Makes room for what arrives less than so many steps ahead.
    pub(super) fn look_ahead(&mut self, steps: u64) {
        self.inbox = vec![Vec::new(); steps.next_power_of_two() as usize];
    }

    fn place(&self, step: u64) -> usize {
        step as usize & (self.inbox.len() - 1)
    }

    /// An event arrives at targets in a step.
    #[inline(always)]
    pub(super) fn arrive(&mut self, step: u64, targets: &[Target], factor: Option<f32>) {
        let place = self.place(step);
        let inbox = &mut self.inbox[place];
        match factor {
            None => inbox.extend_from_slice(targets),
            Some(factor) => inbox.extend(targets.iter().map(|t| t.scaled(factor))),
        }
    }

    /// Collects what arrives in a window.
    pub(super) fn receive(&mut self, window: &Window, arrivals: &mut Arrivals) {
        for step in window.first..window.end {
            let place = self.place(step);
            let start = self.rows.start((step - window.first) as usize);
            let now = self.inbox[place].drain(..);
            now.for_each(|t| arrivals.add(start + t.slot(), t.increment()));
        }
    }

    /// What is on its way to a chip after `done` steps: number of the step, and target by slot of the
    /// chip.
    pub(super) fn waiting(&self, chip: usize, done: u64) -> Vec<(u64, Target)> {
        let slots = &self.slots[chip - self.chips.start];
        let in_step = |step: u64| {
            let own = self.inbox[self.place(step)].iter().filter(|t| slots.contains(&t.slot()));
            own.map(move |t| (step, t.at(t.slot() - slots.start)))
        };
        (done..done + self.inbox.len() as u64).flat_map(in_step).collect()
    }

    /// Takes over what was on its way to a chip after `done` steps; false if it does not fit.
    pub(super) fn fill(&mut self, chip: usize, waiting: &[(u64, Target)], done: u64) -> bool {
        let slots = self.slots[chip - self.chips.start].clone();
        for &(step, target) in waiting {
            let ahead = step.checked_sub(done);
            if ahead.is_none_or(|ahead| ahead >= self.inbox.len() as u64)
                || target.slot() >= slots.end - slots.start
            {
                return false;
            }
            self.arrive(step, &[target.at(slots.start + target.slot())], None);
        }
        true
    }
}
