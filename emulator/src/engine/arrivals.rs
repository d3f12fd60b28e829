//! What arrives at the membranes of some chips in each step of a window.

use super::math::{LANES, Lanes};

/// One input of each of sixteen membranes.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Aligned(Lanes);

const NOTHING: Aligned = Aligned([0.0; LANES]);

/// Rows of inputs, one for each step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rows {
    /// Inputs of sixteen membranes per step.
    width: usize,
}

impl Rows {
    /// That of chips with some slots.
    pub(super) fn new(slots: u32) -> Self {
        // one more than needed: rows at multiples of 4 KiB would share few lines of the cache
        Self { width: slots as usize / LANES + 1 }
    }

    /// The place of slot 0 in a step of the window.
    pub(super) fn start(self, step: usize) -> u32 {
        (step * self.width * LANES) as u32
    }
}

/// Conductance by step and slot. The clusters of a part use the same memory one after the other, so that it
/// stays in the cache; each takes everything out again.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    lanes: Vec<Aligned>,
}

impl Arrivals {
    /// For windows of so many steps, and rows of any of these kinds.
    pub(super) fn new(steps: usize, rows: impl Iterator<Item = Rows>) -> Self {
        let width = rows.map(|rows| rows.width).max().unwrap_or(0);
        Self { lanes: vec![NOTHING; steps * width] }
    }

    /// Adds to what arrives at a place.
    #[inline(always)]
    pub(super) fn add(&mut self, place: u32, increment: f32) {
        self.lanes[place as usize / LANES].0[place as usize % LANES] += increment;
    }

    /// Takes what arrives at some inputs in a step.
    #[inline(always)]
    pub(super) fn take(&mut self, rows: Rows, step: usize, input: usize) -> Lanes {
        std::mem::replace(&mut self.lanes[step * rows.width + input], NOTHING).0
    }
}
