//! The membranes of one chip as arrays, and one time step of all of them.
//!
//! Per step the synaptic conductances are replaced by their mean over the step, then the membrane
//! equation is solved exactly: exponential Euler with step-mean conductance. Voltages are relative
//! to the leak potential of the membrane and rates are per step, so that a membrane without input
//! stays exactly where it is.

use crate::circuits::Membrane;

use super::adex::Adex;
use super::math::one_minus_exp_neg;

/// Rows are padded to this many membranes, so that loops have no remainder.
const LANES: usize = 16;

/// State and constants, one entry per membrane.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// Number of membranes, padded.
    width: usize,
    /// Number of synaptic inputs of the membrane that has most.
    inputs: usize,
    /// Absolute leak potential, V.
    pub(super) e_leak: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// Steps left of the refractory period.
    pub(super) hold: Vec<f32>,
    pub(super) hold_steps: Vec<f32>,
    pub(super) threshold: Vec<f32>,
    pub(super) reset: Vec<f32>,
    leak_rate: Vec<f32>,
    /// By input, then membrane: conductance as a rate, its decay per step, its mean over a step,
    /// and the reversal potential.
    g: Vec<f32>,
    decay: Vec<f32>,
    mean: Vec<f32>,
    e_rev: Vec<f32>,
    /// Of this step: total rate, driving voltage times rate, voltage at the crossing.
    pub(super) rate: Vec<f32>,
    pub(super) drive: Vec<f32>,
    pub(super) crossing: Vec<f32>,
    adex: Option<Adex>,
}

/// Value of `crossing` of a membrane that has not fired.
pub(super) const SILENT: f32 = f32::NEG_INFINITY;

impl Cells {
    pub(super) fn new(membranes: &[Membrane], step_s: f64) -> Self {
        let width = membranes.len().next_multiple_of(LANES);
        let inputs = membranes.iter().map(|m| m.inputs.len()).max().unwrap_or(0);
        let mut cells = Self {
            width,
            inputs,
            e_leak: vec![0.0; width],
            v: vec![0.0; width],
            hold: vec![0.0; width],
            hold_steps: vec![0.0; width],
            threshold: vec![f32::INFINITY; width],
            reset: vec![0.0; width],
            leak_rate: vec![1.0; width],
            g: vec![0.0; inputs * width],
            decay: vec![0.0; inputs * width],
            mean: vec![0.0; inputs * width],
            e_rev: vec![0.0; inputs * width],
            rate: vec![0.0; width],
            drive: vec![0.0; width],
            crossing: vec![SILENT; width],
            adex: Adex::new(membranes, width, step_s),
        };
        for (i, m) in membranes.iter().enumerate() {
            cells.set(i, m, step_s);
        }
        cells
    }

    fn set(&mut self, i: usize, m: &Membrane, step_s: f64) {
        self.e_leak[i] = m.e_leak_v as f32;
        self.v[i] = (m.initial_v - m.e_leak_v) as f32;
        self.leak_rate[i] = (m.leak_s * step_s / m.capacitance_f) as f32;
        if let Some(leader) = m.comparators.first() {
            self.threshold[i] = (leader.v_t_v - m.e_leak_v) as f32;
            self.reset[i] = (m.v_reset_v - m.e_leak_v) as f32;
            self.hold_steps[i] = (m.tau_ref_s / step_s).round() as f32;
        }
        for (k, input) in m.inputs.iter().enumerate() {
            let at = k * self.width + i;
            let ratio = step_s / input.tau_s;
            self.decay[at] = (-ratio).exp() as f32;
            self.mean[at] = (-(-ratio).exp_m1() / ratio) as f32;
            self.e_rev[at] = (input.e_rev_v - m.e_leak_v) as f32;
        }
    }

    /// Entries of one step of arriving conductance: by input, then membrane.
    pub(super) fn slots(&self) -> usize {
        self.inputs * self.width
    }

    /// Where conductance for an input of a membrane arrives.
    pub(super) fn slot(&self, membrane: usize, input: usize) -> usize {
        input * self.width + membrane
    }

    /// Advances every membrane by one step. Conductance in `arriving` acts from the end of the step
    /// on and is taken out. Returns whether any membrane fired; see `crossing`.
    #[inline(always)]
    pub(super) fn step(&mut self, arriving: &mut [f32]) -> bool {
        self.gather(arriving);
        match &self.adex {
            None => self.step_leaky(),
            Some(_) => self.step_adaptive(),
        }
    }

    /// Sums the conductances into `rate` and `drive` and lets them decay.
    #[inline(always)]
    fn gather(&mut self, arriving: &mut [f32]) {
        let n = self.width;
        let (rate, drive) = (&mut self.rate[..n], &mut self.drive[..n]);
        rate.copy_from_slice(&self.leak_rate[..n]);
        drive.fill(0.0);
        for k in 0..self.inputs {
            let row = k * n..(k + 1) * n;
            let g = &mut self.g[row.clone()][..n];
            let decay = &self.decay[row.clone()][..n];
            let mean = &self.mean[row.clone()][..n];
            let e_rev = &self.e_rev[row.clone()][..n];
            let arriving = &mut arriving[row][..n];
            for i in 0..n {
                let during = g[i] * mean[i];
                rate[i] += during;
                drive[i] += during * e_rev[i];
                g[i] = g[i] * decay[i] + arriving[i];
                arriving[i] = 0.0;
            }
        }
    }

    #[inline(always)]
    fn step_leaky(&mut self) -> bool {
        let n = self.width;
        let (v, hold, crossing) = (&mut self.v[..n], &mut self.hold[..n], &mut self.crossing[..n]);
        let (rate, drive) = (&self.rate[..n], &self.drive[..n]);
        let (threshold, reset) = (&self.threshold[..n], &self.reset[..n]);
        let hold_steps = &self.hold_steps[..n];
        let mut any = 0_u32;
        for i in 0..n {
            let gain = one_minus_exp_neg(rate[i]) / rate[i];
            let free = v[i] + (drive[i] - rate[i] * v[i]) * gain;
            let held = hold[i] > 0.0;
            let fired = !held && free >= threshold[i];
            crossing[i] = if fired { free } else { SILENT };
            v[i] = if held || fired { reset[i] } else { free };
            let left = if held { hold[i] - 1.0 } else { hold[i] };
            hold[i] = if fired { hold_steps[i] } else { left };
            any |= u32::from(fired);
        }
        any != 0
    }

    #[inline(always)]
    fn step_adaptive(&mut self) -> bool {
        let Some(mut adex) = self.adex.take() else { return false };
        let any = adex.step(self);
        self.adex = Some(adex);
        any
    }

    /// Absolute voltage of a membrane, V.
    pub(super) fn voltage(&self, membrane: usize) -> f32 {
        self.v[membrane] + self.e_leak[membrane]
    }

    /// Number of membranes with padding.
    pub(super) fn width(&self) -> usize {
        self.width
    }
}
