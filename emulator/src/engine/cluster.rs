//! Chips that are computed together: their membranes do all steps of a window, then what they see and
//! send is dealt with chip by chip. Within a window shorter than every delay, chips do not need each
//! other.
//!
//! Large windows are cheap, for an event is read once in each, and so are many membranes in common
//! blocks of sixteen. But the memory in which a window's arrivals are added up must stay in the cache.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch};
use hal::wafer::DncCycles;

use super::arrivals::{Arrivals, Rows};
use super::block::{Crossing, Steps};
use super::cells::{Bounds, Cells};
use super::chip::Chip;
use super::delivery::{BUNDLE, SLOTS, Target, Window};
use super::math::LANES;
use crate::circuits::Membrane;

/// Memory for the arrivals of a window, bytes: a part of the second-level cache of a core.
const CACHE_BYTES: usize = 1 << 19;
/// Steps between two times at which faint conductances are forgotten. It costs as much as a step.
const TIDY_STEPS: u64 = 64;

/// Some chips and what is on its way to them.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Positions of the chips in their part.
    pub(super) chips: Range<usize>,
    /// Their membranes, chip after chip.
    pub(super) cells: Cells,
    /// By membrane: its chip, among those of the cluster.
    chip_of: Vec<u16>,
    pub(super) rows: Rows,
    /// Of the last steps.
    crossings: Vec<Crossing>,
    /// What arrives in each step, in the order in which it was sent: a ring by number of the step,
    /// whose length is a power of two.
    inbox: Vec<Inbox>,
}

/// What arrives in a step.
#[derive(Debug, Clone, Default)]
struct Inbox {
    /// Longer than what is in it.
    targets: Vec<Target>,
    len: usize,
}

impl Inbox {
    /// Takes the first `count` of some targets. Whole bundles are moved, because most lists are short: so
    /// behind the last target there must be as many as a bundle has.
    #[inline(always)]
    fn extend(&mut self, targets: &[Target], count: usize) {
        let end = self.len + count.next_multiple_of(BUNDLE);
        if end > self.targets.len() {
            self.targets.resize(2 * end, Target::default());
        }
        let (to, _) = self.targets[self.len..end].as_chunks_mut::<BUNDLE>();
        let (from, _) = targets.as_chunks::<BUNDLE>();
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        self.len += count;
    }

    fn push(&mut self, target: Target) {
        self.targets.resize(self.targets.len().max(self.len + 1), Target::default());
        self.targets[self.len] = target;
        self.len += 1;
    }

    fn waiting(&self) -> &[Target] {
        &self.targets[..self.len]
    }
}

impl Cluster {
    /// Groups chips with these membranes, for windows of some steps. `bounds` as in [`Cells::new`].
    pub(super) fn group(
        chips: &[&[Membrane]],
        bounds: Bounds,
        steps: usize,
        step: DncCycles,
    ) -> Vec<Self> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let (mut membranes, mut inputs) = (0, 0);
        for (chip, own) in chips.iter().enumerate() {
            membranes += own.len();
            inputs = own.iter().map(|m| m.inputs.len()).fold(inputs, usize::max);
            let slots = membranes.next_multiple_of(LANES) * inputs;
            let fits = slots <= SLOTS as usize && slots * size_of::<f32>() * steps <= CACHE_BYTES;
            if let Some(range) = ranges.last_mut().filter(|_| fits) {
                range.end = chip + 1;
            } else {
                ranges.push(chip..chip + 1);
                membranes = own.len();
                inputs = own.iter().map(|m| m.inputs.len()).max().unwrap_or(0);
            }
        }
        let cluster = |range: Range<usize>| {
            let membranes: Vec<&Membrane> =
                chips[range.clone()].iter().copied().flatten().collect();
            let cells = Cells::new(&membranes, bounds, step.hardware_s());
            let own = (0..).zip(&chips[range.clone()]);
            Self {
                chips: range,
                rows: Rows::new(cells.slots()),
                cells,
                chip_of: own.flat_map(|(i, m)| std::iter::repeat_n(i, m.len())).collect(),
                crossings: Vec::new(),
                inbox: Vec::new(),
            }
        };
        ranges.into_iter().map(cluster).collect()
    }

    /// Makes room for what arrives less than so many steps ahead.
    pub(super) fn look_ahead(&mut self, steps: u64) {
        self.inbox = vec![Inbox::default(); steps.next_power_of_two() as usize];
    }

    fn place(&self, step: u64) -> usize {
        step as usize & (self.inbox.len() - 1)
    }

    /// An event arrives in a step at the first `count` of some targets, behind which there is a bundle of
    /// others.
    #[inline(always)]
    pub(super) fn arrive(&mut self, step: u64, targets: &[Target], count: usize) {
        let place = self.place(step);
        self.inbox[place].extend(targets, count);
    }

    /// The same, scaled by a factor.
    pub(super) fn arrive_scaled(&mut self, step: u64, targets: &[Target], factor: f32) {
        let place = self.place(step);
        for target in targets {
            self.inbox[place].push(target.scaled(factor));
        }
    }

    /// Collects what arrives in a window.
    pub(super) fn receive(&mut self, window: &Window, arrivals: &mut Arrivals) {
        for step in window.first..window.end {
            let place = self.place(step);
            let start = self.rows.start((step - window.first) as usize);
            let inbox = &mut self.inbox[place];
            for target in inbox.waiting() {
                arrivals.add(start + target.slot(), target.increment());
            }
            inbox.len = 0;
        }
    }

    /// Runs the chips for a window. What arrives is taken from its places.
    pub(super) fn advance(
        &mut self,
        chips: &mut [Chip],
        level: Level,
        window: &Window,
        arrivals: &mut Arrivals,
    ) {
        for chip in chips.iter_mut() {
            chip.crossings.clear();
        }
        if window.first / TIDY_STEPS != window.end / TIDY_STEPS {
            self.cells.tidy();
        }
        dispatch!(level, simd => self.integrate(simd, chips, window, arrivals));
        for chip in chips {
            chip.arbitrate(DncCycles(window.end * window.step.0));
        }
    }

    #[inline(always)]
    fn integrate<S: Simd>(
        &mut self,
        simd: S,
        chips: &mut [Chip],
        window: &Window,
        arrivals: &mut Arrivals,
    ) {
        if !chips.iter().any(Chip::acts_in_steps) {
            self.run(simd, chips, window, window.first..window.end, arrivals);
            return;
        }
        for step in window.first..window.end {
            for chip in chips.iter() {
                chip.inject(&mut self.cells, step, window);
            }
            self.run(simd, chips, window, step..step + 1, arrivals);
            for chip in chips.iter_mut() {
                chip.learn(&mut self.cells, step, window);
            }
        }
    }

    /// Runs the membranes for some steps; who fires is told to the chips, and who looks at them sees it.
    #[inline(always)]
    fn run<S: Simd>(
        &mut self,
        simd: S,
        chips: &mut [Chip],
        window: &Window,
        range: Range<u64>,
        arrivals: &mut Arrivals,
    ) {
        let steps = Steps {
            first: range.start,
            in_window: (range.start - window.first) as usize,
            count: (range.end - range.start) as usize,
            step: window.step,
            rows: self.rows,
        };
        self.cells.advance(simd, &steps, arrivals, &mut self.crossings);
        for crossing in self.crossings.drain(..) {
            let chip = &mut chips[usize::from(self.chip_of[crossing.membrane as usize])];
            let membrane = crossing.membrane - chip.membranes.start as u32;
            chip.crossings.push(Crossing { membrane, ..crossing });
        }
        for chip in chips {
            chip.look(&self.cells, range.clone(), window);
        }
    }

    /// What is on its way to a chip after `done` steps: number of the step, and target by the number of its
    /// input on the chip.
    pub(super) fn waiting(&self, chip: &Chip, done: u64) -> Vec<(u64, Target)> {
        let mut inputs = vec![None; self.cells.slots() as usize];
        for (input, slot) in (0..).zip(self.cells.slots_of(chip.membranes.clone())) {
            inputs[slot as usize] = Some(input);
        }
        let in_step = |step: u64| {
            let here = self.inbox[self.place(step)].waiting().iter();
            let own = here.filter_map(|t| Some(t.at(inputs[t.slot() as usize]?)));
            own.map(move |target| (step, target))
        };
        (done..done + self.inbox.len() as u64).flat_map(in_step).collect()
    }

    /// Takes over what was on its way to a chip after `done` steps; false if it does not fit.
    pub(super) fn fill(&mut self, chip: &Chip, waiting: &[(u64, Target)], done: u64) -> bool {
        let slots: Vec<u32> = self.cells.slots_of(chip.membranes.clone()).collect();
        for &(step, target) in waiting {
            let ahead = step.checked_sub(done).filter(|&ahead| ahead < self.inbox.len() as u64);
            let (Some(_), Some(&slot)) = (ahead, slots.get(target.slot() as usize)) else {
                return false;
            };
            let place = self.place(step);
            self.inbox[place].push(target.at(slot));
        }
        true
    }
}
