//! What a thread works on: some blocks of cells, and all synapses that reach them.

use fearless_simd::{Level, dispatch};

use super::block::{Block, Event, Window};

/// Which synapse of which projection one is.
pub(super) type Origin = (u32, u32);

/// Most columns of a part for a receptor: those of both have 16 bits.
pub(super) const MOST_COLUMNS: usize = 1 << 15;

/// Conductances on their way: one row per step, excitatory inputs first.
#[derive(Debug)]
pub(super) struct Ring {
    mask: usize,
    width: usize,
    rows: Vec<f64>,
}

impl Ring {
    /// Room for delays of so many steps.
    pub(super) fn new(steps: usize, cells: usize) -> Self {
        let steps = steps.next_power_of_two();
        let width = 2 * cells;
        Self { mask: steps - 1, width, rows: vec![0.0; steps * width] }
    }

    /// Position of a cell's input in a row.
    pub(super) fn column(&self, cell: usize, receptor: usize) -> u16 {
        (receptor * self.width / 2 + cell) as u16
    }

    fn row(&mut self, step: u64) -> &mut [f64] {
        let start = (step as usize & self.mask) * self.width;
        &mut self.rows[start..start + self.width]
    }

    pub(super) fn add(&mut self, step: u64, column: u16, weight: f64) {
        self.row(step)[usize::from(column)] += weight;
    }

    /// Excitatory and inhibitory conductances that arrive at some cells at a step.
    pub(super) fn arrivals(&mut self, step: u64, first: usize, cells: usize) -> [&mut [f64]; 2] {
        let half = self.width / 2;
        let (excitatory, inhibitory) = self.row(step).split_at_mut(half);
        let cells = first..first + cells;
        [&mut excitatory[cells.clone()], &mut inhibitory[cells]]
    }

    /// The last step that has a row, seen from `now`.
    pub(super) fn last(&self, now: u64) -> u64 {
        now + 1 + self.mask as u64
    }

    pub(super) fn clear(&mut self) {
        self.rows.fill(0.0);
    }
}

/// A synapse whose weight stays, on its way into its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Synapse {
    pub(super) delay: u16,
    pub(super) column: u16,
    pub(super) weight: f64,
    pub(super) origin: Origin,
}

/// Synapses of one sender with one delay, and one weight unless they have weights of their own.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Position of the first synapse; the next run's is the end.
    start: u32,
    delay: u32,
    weight: f64,
}

/// Synapses whose weights stay. What is delivered often is read from far away, so that it is written
/// in two bytes per synapse where weights repeat.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// Position of the first run of each sender; one more than senders.
    first: Vec<u32>,
    /// One more than there are.
    runs: Vec<Run>,
    columns: Vec<u16>,
    /// Weights of each synapse, unless those of a run are alike.
    weights: Vec<f64>,
    /// Where they come from; sorted by sender.
    pub(super) origins: Vec<Origin>,
}

impl Fixed {
    /// Synapses whose origins are sorted by sender. Those of one sender are sorted by delay and weight.
    pub(super) fn new(
        origins: &[Origin],
        senders: usize,
        sender: impl Fn(Origin) -> usize,
        synapse: impl Fn(Origin) -> Synapse,
    ) -> Self {
        let mut all: Vec<Synapse> = origins.iter().map(|&origin| synapse(origin)).collect();
        let one_sender = |a: &Synapse, b: &Synapse| sender(a.origin) == sender(b.origin);
        let key = |s: &Synapse| (s.delay, s.weight.to_bits());
        let mut alike = 0;
        for some in all.chunk_by_mut(one_sender) {
            some.sort_unstable_by_key(|s| (key(s), s.origin));
            alike += some.chunk_by(|a, b| key(a) == key(b)).count();
        }
        // a run is as large as two weights
        let by_weight = 4 * alike <= all.len();
        let one_run = |a: &Synapse, b: &Synapse| {
            a.delay == b.delay && (!by_weight || a.weight.to_bits() == b.weight.to_bits())
        };
        let (mut first, mut runs, mut start) = (vec![0; senders + 1], Vec::new(), 0);
        for some in all.chunk_by(one_sender) {
            for run in some.chunk_by(one_run) {
                let Synapse { delay, weight, .. } = run[0];
                runs.push(Run { start, delay: delay.into(), weight });
                start += run.len() as u32;
                first[sender(run[0].origin) + 1] += 1;
            }
        }
        for sender in 0..senders {
            first[sender + 1] += first[sender];
        }
        runs.push(Run { start, delay: 0, weight: 0.0 });
        let weights = if by_weight { Vec::new() } else { all.iter().map(|s| s.weight).collect() };
        let columns = all.iter().map(|s| s.column).collect();
        Self { first, runs, columns, weights, origins: all.iter().map(|s| s.origin).collect() }
    }

    fn deliver(&self, event: &Event, ring: &mut Ring) {
        let sender = event.sender as usize;
        let runs = self.first[sender] as usize..=self.first[sender + 1] as usize;
        for pair in self.runs[runs].windows(2) {
            let Run { start, delay, weight } = pair[0];
            let row = ring.row(event.step + u64::from(delay));
            let some = start as usize..pair[1].start as usize;
            let columns = &self.columns[some.clone()];
            if self.weights.is_empty() {
                for &column in columns {
                    row[usize::from(column)] += weight;
                }
            } else {
                for (&column, weight) in columns.iter().zip(&self.weights[some]) {
                    row[usize::from(column)] += weight;
                }
            }
        }
    }
}

/// Blocks of cells with everything that reaches them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) blocks: Vec<Block>,
    pub(super) ring: Ring,
    pub(super) fixed: Fixed,
}

impl Part {
    pub(super) fn new() -> Self {
        Self { blocks: Vec::new(), ring: Ring::new(1, 0), fixed: Fixed::default() }
    }

    /// Columns of the ring that the blocks have taken so far.
    pub(super) fn columns(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.column + block.columns())
    }

    /// Delivers spikes, then runs the steps of a window; what has fired is in the blocks.
    pub(super) fn advance(&mut self, level: Level, window: &Window<'_>) {
        self.deliver(window.events, window.step_ms);
        for block in &mut self.blocks {
            block.fired.clear();
            dispatch!(level, simd => block.integrate(simd, &mut self.ring, window));
        }
    }

    pub(super) fn deliver(&mut self, events: &[Event], step_ms: f64) {
        if !self.fixed.columns.is_empty() {
            for event in events {
                self.fixed.deliver(event, &mut self.ring);
            }
        }
        for block in &mut self.blocks {
            block.deliver(events, &mut self.ring, step_ms);
        }
    }
}
