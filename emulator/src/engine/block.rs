//! Sixteen membranes and their time steps. They do all of some steps before the next sixteen begin,
//! so that their state stays close.
//!
//! Per step the synaptic conductances are replaced by their mean over the step, then the membrane
//! equation is solved exactly: exponential Euler with step-mean conductance. A threshold is crossed
//! where the straight line from the beginning of the step to its end meets it, and refractory periods
//! end within steps, so that spike times do not depend on the grid. Voltages are relative to the leak
//! potential of the membrane and rates are per step, so that a membrane without input stays exactly
//! where it is.

use std::ops::Range;

use fearless_simd::f32x16;
use fearless_simd::prelude::*;
use hal::wafer::DncCycles;

use super::adex::Adex;
use super::arrivals::{Arrivals, Rows};
use super::math::{LANES, Lanes, mean_decay};
use super::saturation;

/// One synaptic input of each of sixteen membranes.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Input {
    /// Mean conductance over the next step as a rate; in units of `limit` if inputs saturate.
    pub(super) g: Lanes,
    /// Its decay per step.
    pub(super) decay: Lanes,
    /// Reversal potential.
    pub(super) e_rev: Lanes,
    /// Largest rate, over the root of saturation.
    pub(super) limit: Lanes,
}

impl Input {
    /// Advances the conductances by a step, at whose end others arrive. Returns what they contribute
    /// in the step: rates, and their drives.
    #[inline(always)]
    fn pass<S: Simd, const SATURATES: bool>(
        &mut self,
        simd: S,
        arrived: &Lanes,
    ) -> (f32x16<S>, f32x16<S>) {
        let load = |lanes: &Lanes| f32x16::load_array_ref(simd, lanes);
        let g = load(&self.g);
        let during = if SATURATES { saturation::saturate(g, load(&self.limit)) } else { g };
        self.g = (g * load(&self.decay) + load(arrived)).into();
        (during, during * load(&self.e_rev))
    }
}

/// State and constants of sixteen membranes.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Block {
    pub(super) v: Lanes,
    /// How many steps after the refractory period the next step ends; negative before.
    pub(super) ready: Lanes,
    pub(super) refractory_steps: Lanes,
    pub(super) threshold: Lanes,
    pub(super) reset: Lanes,
    /// Time constants of the reset per step, negative, and the share of the distance to the reset
    /// potential that is left after a step of it; 0 if a reset takes no time.
    pub(super) pulling: Lanes,
    pub(super) pull: Lanes,
    pub(super) leak: Lanes,
    /// By which currents from outside raise the voltages in the next step.
    pub(super) injected: Lanes,
    /// Their inputs in the list of all.
    pub(super) inputs: Range<usize>,
    pub(super) adex: Adex,
    /// Voltages at the end of each of the last steps, if somebody looks at them.
    pub(super) kept: Option<Vec<Lanes>>,
}

/// Membranes that cross their thresholds in a step.
#[derive(Debug)]
struct Firing {
    mask: u64,
    /// Voltage at the beginning of the step.
    from: Lanes,
    /// Share of the step behind the refractory period.
    free: Lanes,
    /// At the end of the step.
    v: Lanes,
    ready: Lanes,
}

/// A membrane that crossed its lowest threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crossing {
    /// Of the run, at the end of the cycle.
    pub(super) time: DncCycles,
    pub(super) membrane: u32,
    /// Voltage reached at the end of the step, relative to the leak potential.
    pub(super) v: f32,
}

/// Steps that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    /// Number of the first one of the run, and its place in the window.
    pub(super) first: u64,
    pub(super) in_window: usize,
    pub(super) count: usize,
    /// Length of a step.
    pub(super) step: DncCycles,
    /// Where arrivals are.
    pub(super) rows: Rows,
}

impl Steps {
    /// The end of the cycle at a share of the `i`-th step; it lies in the step.
    fn cycle(&self, i: usize, share: f32) -> DncCycles {
        let cycles = self.step.0;
        let within = (share * cycles as f32).ceil() as u64;
        DncCycles((self.first + i as u64) * cycles + within.clamp(1, cycles))
    }
}

impl Block {
    /// Advances the membranes by some steps.
    #[inline(always)]
    pub(super) fn advance<
        S: Simd,
        F,
        const LIMITED: bool,
        const SATURATES: bool,
        const ADEX: bool,
    >(
        &mut self,
        simd: S,
        inputs: &mut [Input],
        inverse_leak_range: f32,
        steps: &Steps,
        (arrivals, mut crossed): (&mut Arrivals, F),
    ) where
        F: FnMut(DncCycles, usize, f32),
    {
        let load = |lanes: &Lanes| f32x16::load_array_ref(simd, lanes);
        let (leak, threshold) = (load(&self.leak), load(&self.threshold));
        let (mut v, mut ready) = (load(&self.v), load(&self.ready));
        let mut injected = load(&self.injected);
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
        for i in 0..steps.count {
            // a membrane that is reset moves towards the reset potential
            let from = if LIMITED {
                let reset = load(&self.reset);
                ready.simd_lt(1.0).select(reset + (v - reset) * load(&self.pull), v)
            } else {
                v
            };
            let free = ready.max(0.0).min(1.0);
            ready += 1.0;
            let mut rate = leak;
            if LIMITED {
                rate *= saturation::leak_share(v, inverse_leak_range);
            }
            let mut drive = injected;
            injected = f32x16::splat(simd, 0.0);
            let (step, mut place) = (steps.in_window + i, self.inputs.start);
            // two sums of each kind, so that additions do not wait for each other
            let nothing = f32x16::splat(simd, 0.0);
            let (mut more_rate, mut more_drive) = (nothing, nothing);
            let mut pairs = inputs.chunks_exact_mut(2);
            for pair in &mut pairs {
                let [first, second] = [0, 1].map(|k| arrivals.take(steps.rows, step, place + k));
                let a = pair[0].pass::<S, SATURATES>(simd, &first);
                let b = pair[1].pass::<S, SATURATES>(simd, &second);
                place += 2;
                (rate, drive) = (rate + a.0, drive + a.1);
                (more_rate, more_drive) = (more_rate + b.0, more_drive + b.1);
            }
            if let [input] = pairs.into_remainder() {
                let arrived = arrivals.take(steps.rows, step, place);
                let a = input.pass::<S, SATURATES>(simd, &arrived);
                (rate, drive) = (rate + a.0, drive + a.1);
            }
            let (rate, mut drive) = (rate + more_rate, drive + more_drive);
            if ADEX {
                drive = self.adex.before(from, drive);
            }
            let mut reached = from + (drive - rate * from) * (free * mean_decay(rate * free));
            if ADEX {
                reached = self.adex.upswing(reached, free);
            }
            let fired = reached.simd_ge(threshold) & free.simd_gt(0.0);
            let mask = fired.to_bitmask();
            v = reached;
            if mask != 0 {
                let [from, free] = [from, free].map(Into::into);
                let mut lanes = Firing { mask, from, free, v: v.into(), ready: ready.into() };
                self.fire(steps, i, &mut lanes, &mut crossed);
                (v, ready) = (load(&lanes.v), load(&lanes.ready));
            }
            if ADEX {
                self.adex.after(v, fired);
            }
            if let Some(kept) = &mut self.kept {
                kept.push(v.into());
            }
        }
        self.injected = injected.into();
        self.v = v.into();
        self.ready = ready.into();
    }

    /// Resets those that crossed their threshold in the `i`-th of some steps.
    #[cold]
    #[inline(never)]
    fn fire<F: FnMut(DncCycles, usize, f32)>(
        &self,
        steps: &Steps,
        i: usize,
        lanes: &mut Firing,
        crossed: &mut F,
    ) {
        for lane in (0..LANES).filter(|lane| lanes.mask >> lane & 1 == 1) {
            let (from, reached) = (lanes.from[lane], lanes.v[lane]);
            let (threshold, reset) = (self.threshold[lane], self.reset[lane]);
            // one that was above its threshold when its refractory period ended fires at once
            let risen = if from < threshold { (threshold - from) / (reached - from) } else { 0.0 };
            let at = 1.0 - lanes.free[lane] * (1.0 - risen);
            let left = 1.0 - at;
            let share = if self.pull[lane] > 0.0 {
                f64::from(self.pulling[lane] * left).exp() as f32
            } else {
                0.0
            };
            lanes.v[lane] = reset + (threshold.max(from) - reset) * share;
            lanes.ready[lane] = 1.0 + left - self.refractory_steps[lane];
            crossed(steps.cycle(i, at), lane, reached);
        }
    }
}
