//! Adaptation and exponential spike onset of a chip's membranes (analog §5.1).
//!
//! One exponential-midpoint step: the terms that are not linear in V are taken at the middle of the
//! step, which a half step estimates. Second order, where the plain scheme would be first.

use crate::circuits::Membrane;

use super::cells::{Cells, SILENT};
use super::math::{exp, one_minus_exp_neg};

/// Rail of the circuit's supply, V. The exponential drives a membrane without comparator up to it.
const SUPPLY_V: f32 = 1.8;

/// Adaptation currents, term-major: entry `term * width + membrane`.
#[derive(Debug, Clone)]
struct Adaptation {
    terms: usize,
    /// Current as a voltage change per step.
    w: Vec<f32>,
    /// Remaining share after half a step and after a step.
    decay_half: Vec<f32>,
    decay: Vec<f32>,
    /// Conductance a as a rate, and the current at the leak potential.
    a: Vec<f32>,
    offset: Vec<f32>,
    /// Increment per spike.
    b: Vec<f32>,
}

/// Exponential currents, term-major.
#[derive(Debug, Clone)]
struct Exponential {
    terms: usize,
    /// `g_l D` as a voltage change per step.
    scale: Vec<f32>,
    onset: Vec<f32>,
    inverse_slope: Vec<f32>,
}

/// The terms of all membranes of a chip.
#[derive(Debug, Clone)]
pub(super) struct Adex {
    adaptation: Adaptation,
    exponential: Exponential,
}

impl Adex {
    /// None if no membrane has such a term.
    pub(super) fn new(membranes: &[Membrane], width: usize, step_s: f64) -> Option<Self> {
        if !membranes.iter().any(Membrane::has_adex) {
            return None;
        }
        let terms = membranes.iter().map(|m| m.adaptation.len()).max().unwrap_or(0);
        let zeros = vec![0.0; terms * width];
        let mut adaptation = Adaptation {
            terms,
            w: zeros.clone(),
            decay_half: zeros.clone(),
            decay: zeros.clone(),
            a: zeros.clone(),
            offset: zeros.clone(),
            b: zeros,
        };
        let terms = membranes.iter().map(|m| m.exponential.len()).max().unwrap_or(0);
        let zeros = vec![0.0; terms * width];
        let mut exponential =
            Exponential { terms, scale: zeros.clone(), onset: zeros.clone(), inverse_slope: zeros };
        for (i, m) in membranes.iter().enumerate() {
            let per_step = step_s / m.capacitance_f;
            for (t, term) in m.adaptation.iter().enumerate() {
                let at = t * width + i;
                adaptation.decay[at] = (-step_s / term.tau_s).exp() as f32;
                adaptation.decay_half[at] = (-0.5 * step_s / term.tau_s).exp() as f32;
                adaptation.a[at] = (term.a_s * per_step) as f32;
                adaptation.offset[at] = ((term.a_s * m.e_leak_v - term.a_e_l_a) * per_step) as f32;
                adaptation.b[at] = (term.b_a * per_step) as f32;
            }
            for (t, term) in m.exponential.iter().enumerate() {
                let at = t * width + i;
                exponential.scale[at] = (term.leak_s * term.slope_v * per_step) as f32;
                exponential.onset[at] = (term.onset_v - m.e_leak_v) as f32;
                exponential.inverse_slope[at] = (1.0 / term.slope_v) as f32;
            }
        }
        Some(Self { adaptation, exponential })
    }

    /// One step of all membranes after their conductances are gathered.
    #[inline(always)]
    pub(super) fn step(&mut self, cells: &mut Cells) -> bool {
        let n = cells.width();
        let mut any = false;
        for i in 0..n {
            let (rate, v0) = (cells.rate[i], cells.v[i]);
            let (threshold, reset) = (cells.threshold[i], cells.reset[i]);
            let ceiling = threshold.min(SUPPLY_V - cells.e_leak[i]);
            let held = cells.hold[i] > 0.0;

            let early = cells.drive[i] + self.exponential.current(i, n, v0.min(ceiling))
                - self.adaptation.now(i, n);
            let half = v0 + (early - rate * v0) * one_minus_exp_neg(0.5 * rate) / rate;
            let middle = if held { reset } else { half.min(ceiling) };

            let late = cells.drive[i] + self.exponential.current(i, n, middle)
                - self.adaptation.at_middle(i, n, v0);
            let free = v0 + (late - rate * v0) * one_minus_exp_neg(rate) / rate;
            self.adaptation.advance(i, n, middle);

            let fired = !held && free >= threshold;
            cells.crossing[i] = if fired { free } else { SILENT };
            cells.v[i] = if held || fired { reset } else { free.min(ceiling) };
            if fired {
                cells.hold[i] = cells.hold_steps[i];
                self.adaptation.jump(i, n);
            } else if held {
                cells.hold[i] -= 1.0;
            }
            any |= fired;
        }
        any
    }
}

impl Adaptation {
    #[inline(always)]
    fn now(&self, i: usize, n: usize) -> f32 {
        (0..self.terms).map(|t| self.w[t * n + i]).sum()
    }

    #[inline(always)]
    fn at_middle(&self, i: usize, n: usize, v: f32) -> f32 {
        let middle = |t: usize| {
            let (at, target) = (t * n + i, self.target(t * n + i, v));
            target + (self.w[at] - target) * self.decay_half[at]
        };
        (0..self.terms).map(middle).sum()
    }

    #[inline(always)]
    fn advance(&mut self, i: usize, n: usize, v: f32) {
        for at in (0..self.terms).map(|t| t * n + i) {
            let target = self.target(at, v);
            self.w[at] = target + (self.w[at] - target) * self.decay[at];
        }
    }

    #[inline(always)]
    fn jump(&mut self, i: usize, n: usize) {
        for at in (0..self.terms).map(|t| t * n + i) {
            self.w[at] += self.b[at];
        }
    }

    #[inline(always)]
    fn target(&self, at: usize, v: f32) -> f32 {
        self.a[at] * v + self.offset[at]
    }
}

impl Exponential {
    #[inline(always)]
    fn current(&self, i: usize, n: usize, v: f32) -> f32 {
        let term = |t: usize| {
            let at = t * n + i;
            self.scale[at] * exp((v - self.onset[at]) * self.inverse_slope[at])
        };
        (0..self.terms).map(term).sum()
    }
}
