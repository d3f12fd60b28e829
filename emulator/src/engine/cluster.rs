//! Neighbouring chips for which what arrives is collected together.
//!
//! Few lists with long entries are faster than many with short ones. But the memory in which a window's
//! arrivals are added up must stay in the cache.

use std::collections::VecDeque;
use std::ops::Range;

use super::arrivals::{Arrivals, Rows};
use super::delivery::{Moment, Target, Window};
use super::math::LANES;

/// Memory for the arrivals of a window, bytes: a part of the second-level cache of a core.
const CACHE_BYTES: usize = 1 << 19;

/// More steps than any delay has; a damaged state may tell anything.
const FURTHEST_STEPS: u64 = 1 << 16;

/// Some chips and what is on its way to them.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Positions of the chips in their part.
    pub(super) chips: Range<usize>,
    pub(super) rows: Rows,
    /// By chip: its slots in a row of arrivals.
    slots: Vec<Range<u32>>,
    /// By windows ahead: what arrives there, in the order in which it was sent.
    inbox: VecDeque<Vec<Target>>,
}

impl Cluster {
    /// Groups chips with so many slots each, for windows of some steps.
    pub(super) fn group(slots: &[u32], steps: usize) -> Vec<Self> {
        let mut clusters: Vec<Self> = Vec::new();
        for (chip, &own) in slots.iter().enumerate() {
            let fits = |cluster: &Self| {
                let row = (cluster.end() + own) as usize * size_of::<f32>();
                row * steps <= CACHE_BYTES
            };
            if !clusters.last().is_some_and(fits) {
                clusters.push(Self {
                    chips: chip..chip,
                    rows: Rows::default(),
                    slots: Vec::new(),
                    inbox: VecDeque::new(),
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

    /// Makes room for what arrives up to so many windows ahead.
    pub(super) fn look_ahead(&mut self, windows: usize) {
        self.inbox = vec![Vec::new(); windows].into();
    }

    /// An event arrives at targets.
    #[inline(always)]
    pub(super) fn arrive(&mut self, when: Moment, targets: &[Target], factor: Option<f32>) {
        let start = self.rows.start(when.step);
        let inbox = &mut self.inbox[when.ahead];
        match factor {
            None => inbox.extend(targets.iter().map(|t| t.moved(start))),
            Some(factor) => inbox.extend(targets.iter().map(|t| t.moved(start).scaled(factor))),
        }
    }

    /// Collects what arrives in a window.
    pub(super) fn receive(&mut self, window: &Window, arrivals: &mut Arrivals) {
        let Some(mut now) = self.inbox.pop_front() else { return };
        if window.is_whole() {
            now.drain(..).for_each(|t| arrivals.add(t.slot(), t.increment()));
            self.inbox.push_back(now);
            return;
        }
        // the run ends here; what comes later waits for another one that goes on, whose windows begin
        // where this one ends
        self.inbox.push_front(now);
        for (step, target) in self.take_all(window) {
            if step < window.end {
                arrivals.add(
                    self.rows.start((step - window.first) as usize) + target.slot(),
                    target.increment(),
                );
            } else {
                self.arrive(Moment::new(step, window.end, window.steps), &[target], None);
            }
        }
    }

    /// Takes out everything: number of the step, and target by slot.
    fn take_all(&mut self, window: &Window) -> Vec<(u64, Target)> {
        let rows = self.rows;
        let mut all = Vec::new();
        for (ahead, sent) in self.inbox.iter_mut().enumerate() {
            let first = window.first + ahead as u64 * window.steps;
            all.extend(sent.drain(..).map(|target| {
                let (step, slot) = rows.split(target.slot());
                (first + u64::from(step), Target::new(slot, target.increment()))
            }));
        }
        all
    }

    /// What is on its way to a chip after `done` steps: number of the step, and target by slot of the
    /// chip.
    pub(super) fn waiting(&self, chip: usize, done: u64, steps: u64) -> Vec<(u64, Target)> {
        let slots = &self.slots[chip - self.chips.start];
        let of_window = |(ahead, sent)| {
            let first = done + ahead as u64 * steps;
            let sent: &Vec<Target> = sent;
            sent.iter().filter_map(move |target| {
                let (step, slot) = self.rows.split(target.slot());
                let own = Target::new(slot.checked_sub(slots.start)?, target.increment());
                slots.contains(&slot).then_some((first + u64::from(step), own))
            })
        };
        self.inbox.iter().enumerate().flat_map(of_window).collect()
    }

    /// Takes over what was on its way to a chip after `done` steps; false if it does not fit.
    pub(super) fn fill(
        &mut self,
        chip: usize,
        waiting: &[(u64, Target)],
        done: u64,
        steps: u64,
    ) -> bool {
        let slots = self.slots[chip - self.chips.start].clone();
        for &(step, target) in waiting {
            let ahead = step.checked_sub(done).filter(|&ahead| ahead <= FURTHEST_STEPS);
            if ahead.is_none() || target.slot() >= slots.end - slots.start {
                return false;
            }
            let when = Moment::new(step, done, steps);
            if when.ahead >= self.inbox.len() {
                self.inbox.resize_with(when.ahead + 1, Vec::new);
            }
            self.arrive(when, &[target.moved(slots.start)], None);
        }
        true
    }
}
