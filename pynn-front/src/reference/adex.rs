//! Adaptive exponential integrate-and-fire cells: Runge-Kutta-Fehlberg steps as long as their error
//! allows, cell by cell.

use std::ops::Range;

use super::model::Variable;
use super::part::Ring;

/// Largest error of a step, in mV, nA and uS.
const TOLERANCE: f64 = 1e-6;
/// Shortest step, ms.
const SHORTEST: f64 = 1e-6;

/// v (mV), w (nA), excitatory and inhibitory conductance (uS).
type State = [f64; 4];

/// One cell.
#[derive(Debug, Clone, Default)]
struct Cell {
    y: State,
    /// ms left of the refractory period
    hold: f64,
    /// Length of the next step to try, ms.
    try_ms: f64,
    inject: f64,
    inverse_cm: f64,
    leak: f64,
    v_rest: f64,
    v_thresh: f64,
    v_reset: f64,
    /// Where a spike is emitted: `v_spike`, or `v_thresh` if there is no exponential term.
    v_peak: f64,
    delta_t: f64,
    i_offset: f64,
    /// uS
    a: f64,
    b: f64,
    tau_w: f64,
    tau_syn: [f64; 2],
    e_rev: [f64; 2],
    refractory: f64,
}

impl Cell {
    fn derivative(&self, y: &State, held: bool) -> State {
        let [v, w, e, i] = *y;
        let v = if held { self.v_reset } else { v.min(self.v_peak) };
        let upstroke = if self.delta_t == 0.0 {
            0.0
        } else {
            self.leak * self.delta_t * ((v - self.v_thresh) / self.delta_t).exp()
        };
        let current = upstroke - self.leak * (v - self.v_rest) - w
            + e * (self.e_rev[0] - v)
            + i * (self.e_rev[1] - v)
            + self.i_offset
            + self.inject;
        [
            if held { 0.0 } else { current * self.inverse_cm },
            (self.a * (v - self.v_rest) - w) / self.tau_w,
            -e / self.tau_syn[0],
            -i / self.tau_syn[1],
        ]
    }

    /// One step of Fehlberg's method: the result of order five and the largest error.
    fn attempt(&self, h: f64, held: bool) -> (State, f64) {
        const A: [&[f64]; 5] = [
            &[0.25],
            &[3.0 / 32.0, 9.0 / 32.0],
            &[1932.0 / 2197.0, -7200.0 / 2197.0, 7296.0 / 2197.0],
            &[439.0 / 216.0, -8.0, 3680.0 / 513.0, -845.0 / 4104.0],
            &[-8.0 / 27.0, 2.0, -3544.0 / 2565.0, 1859.0 / 4104.0, -11.0 / 40.0],
        ];
        const FIFTH: [f64; 6] =
            [16.0 / 135.0, 0.0, 6656.0 / 12825.0, 28561.0 / 56430.0, -9.0 / 50.0, 2.0 / 55.0];
        const FOURTH: [f64; 6] =
            [25.0 / 216.0, 0.0, 1408.0 / 2565.0, 2197.0 / 4104.0, -1.0 / 5.0, 0.0];
        let mut k =
            [self.derivative(&self.y, held), [0.0; 4], [0.0; 4], [0.0; 4], [0.0; 4], [0.0; 4]];
        for (stage, row) in A.iter().enumerate() {
            let mut y = self.y;
            for (slope, factor) in k.iter().zip(*row) {
                (0..4).for_each(|n| y[n] += h * factor * slope[n]);
            }
            k[stage + 1] = self.derivative(&y, held);
        }
        let (mut y, mut error) = (self.y, 0.0_f64);
        for n in 0..4 {
            let sum = |weights: &[f64; 6]| (0..6).map(|s| weights[s] * k[s][n]).sum::<f64>();
            let fifth = sum(&FIFTH);
            y[n] += h * fifth;
            error = error.max((h * (fifth - sum(&FOURTH))).abs());
        }
        (y, error)
    }

    fn set_parameters(&mut self, of: &dyn Fn(&str) -> f64) {
        self.inverse_cm = 1.0 / of("cm");
        self.leak = of("cm") / of("tau_m");
        self.v_rest = of("v_rest");
        self.v_thresh = of("v_thresh");
        self.v_reset = of("v_reset");
        self.delta_t = of("delta_T");
        self.v_peak = if self.delta_t == 0.0 { of("v_thresh") } else { of("v_spike") };
        self.i_offset = of("i_offset");
        self.a = of("a") * 1e-3;
        self.b = of("b");
        self.tau_w = of("tau_w");
        self.tau_syn = [of("tau_syn_E"), of("tau_syn_I")];
        self.e_rev = [of("e_rev_E"), of("e_rev_I")];
        self.refractory = of("tau_refrac");
    }

    /// Advances by `step` ms; returns whether a spike was emitted.
    fn advance(&mut self, step: f64) -> bool {
        let (mut left, mut fired) = (step, false);
        while left > 1e-12 {
            let held = self.hold > 1e-12;
            let limit = if held { left.min(self.hold) } else { left };
            let h = self.try_ms.min(limit);
            let (y, error) = self.attempt(h, held);
            let fits = error <= TOLERANCE || h <= SHORTEST;
            let better = 0.9 * (TOLERANCE / error.max(1e-30)).powf(0.2);
            if fits || !error.is_finite() {
                // a step that the end of the grid step cut short says nothing about longer ones
                if h >= self.try_ms || better < 1.0 {
                    self.try_ms = (h * better.clamp(0.2, 5.0)).clamp(SHORTEST, step);
                }
            }
            if !fits {
                self.try_ms = (h * better.clamp(0.1, 0.9)).max(SHORTEST);
                continue;
            }
            self.y = y;
            left -= h;
            self.hold = (self.hold - h).max(0.0);
            if !held && self.y[0] >= self.v_peak {
                self.y[0] = self.v_reset;
                self.y[1] += self.b;
                self.hold = self.refractory;
                fired = true;
            }
        }
        fired
    }
}

/// The cells of a block.
#[derive(Debug, Clone)]
pub(super) struct Adex {
    step_ms: f64,
    cells: Vec<Cell>,
}

impl Adex {
    pub(super) fn new(cells: usize, step_ms: f64) -> Self {
        let cell = Cell { try_ms: step_ms, ..Cell::default() };
        Self { step_ms, cells: vec![cell; cells] }
    }

    /// Takes over the parameters of all cells, by their names in PyNN.
    pub(super) fn set_parameters(&mut self, of: &dyn Fn(&str, usize) -> f64) {
        for (index, cell) in self.cells.iter_mut().enumerate() {
            cell.set_parameters(&|name| of(name, index));
        }
    }

    const fn index(variable: Variable) -> Option<usize> {
        match variable {
            Variable::V => Some(0),
            Variable::W => Some(1),
            Variable::GsynExc => Some(2),
            Variable::GsynInh => Some(3),
            Variable::GSfa | Variable::GRelative => None,
        }
    }

    pub(super) fn get(&self, variable: Variable, cell: usize) -> f64 {
        Self::index(variable).map_or(0.0, |index| self.cells[cell].y[index])
    }

    pub(super) fn set(&mut self, variable: Variable, cell: usize, value: f64) {
        if let Some(index) = Self::index(variable) {
            self.cells[cell].y[index] = value;
        }
    }

    pub(super) fn hold(&mut self, cell: usize) -> &mut f64 {
        &mut self.cells[cell].hold
    }

    pub(super) fn inject(&mut self, cell: usize, current: f64) {
        self.cells[cell].inject = current;
    }

    /// Advances all cells through the steps of `window`; at the end of each, the conductances that
    /// `ring` has for cells from `column` on are added. Appends the steps and cells that have fired.
    pub(super) fn advance(
        &mut self,
        window: Range<u64>,
        ring: &mut Ring,
        column: usize,
        fired: &mut Vec<(u64, u16)>,
    ) {
        for now in window {
            let [to_e, to_i] = ring.arrivals(now + 1, column, self.cells.len());
            for (index, cell) in self.cells.iter_mut().enumerate() {
                if cell.advance(self.step_ms) {
                    fired.push((now + 1, index as u16));
                }
                cell.y[2] += std::mem::take(&mut to_e[index]);
                cell.y[3] += std::mem::take(&mut to_i[index]);
            }
        }
    }
}
