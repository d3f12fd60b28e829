//! The membranes of one chip as arrays, and one time step of all of them.
//!
//! Per step the synaptic conductances are replaced by their mean over the step, then the membrane
//! equation is solved exactly: exponential Euler with step-mean conductance. Voltages are relative
//! to the leak potential of the membrane and rates are per step, so that a membrane without input
//! stays exactly where it is.

use crate::circuits::Membrane;

use super::adex::Adex;
use super::math::one_minus_exp_neg;
use super::saturation;

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
    e_leak: Vec<f32>,
    v: Vec<f32>,
    /// Steps left of the refractory period.
    hold: Vec<f32>,
    hold_steps: Vec<f32>,
    threshold: Vec<f32>,
    reset: Vec<f32>,
    leak_rate: Vec<f32>,
    /// By input, then membrane: conductance as a rate, its decay per step, its mean over a step,
    /// and the reversal potential.
    g: Vec<f32>,
    decay: Vec<f32>,
    mean: Vec<f32>,
    e_rev: Vec<f32>,
    /// By input, then membrane, if inputs saturate: largest rate. Then `mean` gives shares of it.
    limit: Vec<f32>,
    /// One over the voltage at which the leak's linear law reaches its limit, if it saturates.
    inverse_leak_range: Option<f32>,
    /// Share of the distance to the reset potential that is left after a step of reset; empty if a
    /// reset takes no time.
    pull: Vec<f32>,
    /// Of this step: total rate, driving voltage times rate, voltage at the crossing.
    rate: Vec<f32>,
    drive: Vec<f32>,
    pub(super) crossing: Vec<f32>,
    adex: Option<Adex>,
    no_currents: Vec<f32>,
}

/// Last bit of a mask of rows.
const LAST_ROW_BIT: usize = 63;

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
            limit: Vec::new(),
            inverse_leak_range: None,
            pull: Vec::new(),
            rate: vec![0.0; width],
            drive: vec![0.0; width],
            crossing: vec![SILENT; width],
            adex: Adex::new(membranes, width, step_s),
            no_currents: Vec::new(),
        };
        if membranes.iter().flat_map(|m| &m.inputs).any(|input| input.limit_s.is_finite()) {
            cells.limit = vec![1.0; inputs * width];
        }
        if membranes.iter().any(|m| m.tau_reset_s > 0.0) {
            cells.pull = vec![0.0; width];
        }
        for (i, m) in membranes.iter().enumerate() {
            cells.set(i, m, step_s);
        }
        let range_v = membranes.iter().find_map(|m| m.leak_range_v);
        cells.inverse_leak_range = range_v.map(|v| (1.0 / v) as f32);
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
            if m.tau_reset_s > 0.0 {
                self.pull[i] = (-step_s / m.tau_reset_s).exp() as f32;
            }
        }
        for (k, input) in m.inputs.iter().enumerate() {
            let at = k * self.width + i;
            let ratio = step_s / input.tau_s;
            self.decay[at] = (-ratio).exp() as f32;
            self.mean[at] = (-(-ratio).exp_m1() / ratio) as f32;
            self.e_rev[at] = (input.e_rev_v - m.e_leak_v) as f32;
            if input.limit_s.is_finite() {
                let limit = input.limit_s / m.capacitance_f * step_s;
                self.limit[at] = limit as f32;
                self.mean[at] = (f64::from(self.mean[at]) / limit) as f32;
            }
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

    /// The bit of a mask of rows that stands for the row of a slot. The last one stands for all rows
    /// beyond as well.
    pub(super) fn row_bit(&self, slot: usize) -> u64 {
        1 << (slot / self.width.max(1)).min(LAST_ROW_BIT)
    }

    /// Advances every membrane by one step. Conductance in `arriving` acts from the end of the step
    /// on and is taken out; rows whose bit is not in `touched` hold none. `injected` lists membranes and voltages by which currents from outside
    /// raise them in this step. Returns whether any membrane fired; see `crossing`.
    #[inline(always)]
    pub(super) fn step(
        &mut self,
        arriving: &mut [f32],
        touched: u64,
        injected: &[(u32, f32)],
    ) -> bool {
        self.gather(arriving, touched);
        for &(membrane, volts) in injected {
            self.drive[membrane as usize] += volts;
        }
        if let Some(adex) = &mut self.adex {
            adex.before(&self.v, &mut self.drive);
        }
        free_voltage(&mut self.crossing, &self.v, &self.rate, &self.drive);
        if let Some(adex) = &self.adex {
            adex.upswing(&mut self.crossing);
        }
        macro_rules! compare {
            ($takes_time:literal) => {
                compare::<$takes_time>(
                    &mut self.crossing,
                    &mut self.v,
                    &mut self.hold,
                    &self.threshold,
                    &self.reset,
                    &self.hold_steps,
                    &self.pull,
                )
            };
        }
        let any = if self.pull.is_empty() { compare!(false) } else { compare!(true) };
        if let Some(adex) = &mut self.adex {
            adex.after(&self.v, &self.crossing);
        }
        any
    }

    /// Sums the conductances into `rate` and `drive` and lets them decay.
    #[inline(always)]
    fn gather(&mut self, arriving: &mut [f32], touched: u64) {
        let n = self.width;
        self.rate.copy_from_slice(&self.leak_rate);
        if let Some(inverse_range) = self.inverse_leak_range {
            saturation::leak(&mut self.rate, &self.v, inverse_range);
        }
        self.drive.fill(0.0);
        let saturates = !self.limit.is_empty();
        for k in 0..self.inputs {
            let row = k * n..(k + 1) * n;
            let (rate, drive) = (&mut self.rate, &mut self.drive);
            let (g, decay) = (&mut self.g[row.clone()], &self.decay[row.clone()]);
            let (mean, e_rev) = (&self.mean[row.clone()], &self.e_rev[row.clone()]);
            let limit = if saturates { &self.limit[row.clone()] } else { &[][..] };
            let arriving = &mut arriving[row];
            macro_rules! add {
                ($saturates:literal, $touched:literal) => {
                    add_input::<$saturates, $touched>(
                        rate, drive, g, arriving, decay, mean, e_rev, limit,
                    )
                };
            }
            // each arm has a loop of its own
            match (saturates, touched >> k.min(LAST_ROW_BIT) & 1 == 1) {
                (false, false) => add!(false, false),
                (false, true) => add!(false, true),
                (true, false) => add!(true, false),
                (true, true) => add!(true, true),
            }
        }
    }

    /// What changes during a run: voltages, refractory periods, conductances, adaptation currents.
    pub(super) fn state(&mut self) -> [&mut Vec<f32>; 4] {
        // a chip without adaptation keeps its unused list empty
        let currents = self.adex.as_mut().map_or(&mut self.no_currents, Adex::currents);
        [&mut self.v, &mut self.hold, &mut self.g, currents]
    }

    /// Absolute voltage of a membrane, V.
    pub(super) fn voltage(&self, membrane: usize) -> f32 {
        self.v[membrane] + self.e_leak[membrane]
    }
}

/// Adds one synaptic input of every membrane to total rate and drive, up to `limit` if it saturates.
/// Then the input decays and takes up what has arrived, if it was touched.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one slice per array")]
fn add_input<const SATURATES: bool, const TOUCHED: bool>(
    rate: &mut [f32],
    drive: &mut [f32],
    g: &mut [f32],
    arriving: &mut [f32],
    decay: &[f32],
    mean: &[f32],
    e_rev: &[f32],
    limit: &[f32],
) {
    let n = rate.len();
    let (drive, g, arriving) = (&mut drive[..n], &mut g[..n], &mut arriving[..n]);
    let (decay, mean, e_rev) = (&decay[..n], &mean[..n], &e_rev[..n]);
    // equal lengths, so that the loop has no checks
    let limit = if SATURATES { &limit[..n] } else { mean };
    for i in 0..n {
        let linear = g[i] * mean[i];
        let during = if SATURATES { saturation::saturate(linear, limit[i]) } else { linear };
        rate[i] += during;
        drive[i] += during * e_rev[i];
        let decayed = g[i] * decay[i];
        if TOUCHED {
            g[i] = decayed + arriving[i];
            arriving[i] = 0.0;
        } else {
            g[i] = decayed;
        }
    }
}

/// Voltage at the end of the step without threshold and reset.
#[inline(always)]
fn free_voltage(free: &mut [f32], v: &[f32], rate: &[f32], drive: &[f32]) {
    let n = free.len();
    let (v, rate, drive) = (&v[..n], &rate[..n], &drive[..n]);
    for i in 0..n {
        let gain = one_minus_exp_neg(rate[i]) / rate[i];
        free[i] = v[i] + (drive[i] - rate[i] * v[i]) * gain;
    }
}

/// Threshold, reset and refractory period: a membrane that is reset moves towards the reset potential
/// and is held there. Leaves the voltage of those that fire in `crossing`, which comes with the free
/// voltages, and tells whether there are any.
#[inline(always)]
fn compare<const TAKES_TIME: bool>(
    crossing: &mut [f32],
    v: &mut [f32],
    hold: &mut [f32],
    threshold: &[f32],
    reset: &[f32],
    hold_steps: &[f32],
    pull: &[f32],
) -> bool {
    let n = crossing.len();
    let (v, hold) = (&mut v[..n], &mut hold[..n]);
    let (threshold, reset, hold_steps) = (&threshold[..n], &reset[..n], &hold_steps[..n]);
    // equal lengths, so that the loop has no checks
    let pull = if TAKES_TIME { &pull[..n] } else { reset };
    let mut any = 0_u32;
    for i in 0..n {
        let (free, at_reset, left, before) = (crossing[i], reset[i], hold[i], v[i]);
        let held = left > 0.0;
        // one condition per choice: nested ones would keep the compiler from vector code
        let limit = if held { f32::INFINITY } else { threshold[i] };
        let from = if held { before } else { free };
        let left_over = if TAKES_TIME { (from - at_reset) * pull[i] } else { 0.0 };
        let pulled = at_reset + left_over;
        let settled = if held { pulled } else { free };
        let fired = free >= limit;
        crossing[i] = if fired { free } else { SILENT };
        v[i] = if fired { pulled } else { settled };
        hold[i] = if fired { hold_steps[i] } else { (left - 1.0).max(0.0) };
        any |= u32::from(fired);
    }
    any != 0
}

#[cfg(test)]
mod tests {
    use hal::coord::NeuronOnHicann;

    use super::*;
    use crate::circuits::{Comparator, SynapticInput};

    const STEP_S: f64 = 4e-9;
    const BIG_CAPACITOR_F: f64 = 2.16456e-12;

    fn membrane(circuits: f64, inputs: Vec<SynapticInput>) -> Membrane {
        Membrane {
            circuits: vec![NeuronOnHicann::new::<0>()],
            capacitance_f: circuits * BIG_CAPACITOR_F,
            leak_s: circuits * BIG_CAPACITOR_F / 1e-6,
            e_leak_v: 0.7,
            initial_v: 0.7,
            inputs,
            adaptation: Vec::new(),
            exponential: Vec::new(),
            comparators: Vec::new(),
            leak_range_v: None,
            v_reset_v: 0.0,
            tau_reset_s: 0.0,
            tau_ref_s: 0.0,
        }
    }

    const EXCITATORY: SynapticInput =
        SynapticInput { tau_s: 2e-7, e_rev_v: 1.2, limit_s: f64::INFINITY, own: None };

    /// Highest voltage and its time after conductance `g_s` arrives at time 0.
    fn peak(circuits: f64, g_s: f64) -> (f64, f64) {
        let mut cells = Cells::new(&[membrane(circuits, vec![EXCITATORY])], STEP_S);
        let mut arriving = vec![0.0; cells.slots()];
        let rate = g_s / (circuits * BIG_CAPACITOR_F) * STEP_S;
        arriving[cells.slot(0, 0)] = rate as f32;
        cells.step(&mut arriving, u64::MAX, &[]);
        let trace = (1..1000).map(|i| {
            cells.step(&mut arriving, u64::MAX, &[]);
            (f64::from(cells.voltage(0)), f64::from(i) * STEP_S)
        });
        trace.max_by(|a, b| a.0.total_cmp(&b.0)).expect("a thousand steps")
    }

    #[test]
    fn epsps_have_the_published_peaks() {
        // vectors coba_epsp-001 to -003
        for (g_s, v) in [
            (2e-8, 0.700617395309102),
            (1.74e-7, 0.7053404162637191),
            (9.55e-7, 0.7284707084596443),
        ] {
            let (top, time) = peak(1.0, g_s);
            assert!((top - v).abs() < 2e-3 * (v - 0.7), "{g_s}: {top} for {v}");
            assert!((time - 4e-7).abs() <= 2e-8, "{g_s}: {time}");
        }
    }

    #[test]
    fn joining_circuits_scales_as_capacitance_does() {
        let (reference, _) = peak(1.0, 9.55e-7);
        for circuits in [2.0, 4.0, 8.0] {
            let (joined, _) = peak(circuits, circuits * 9.55e-7);
            assert!((joined - reference).abs() < 1e-6, "{circuits}: {joined}");
        }
        let ratio = (peak(2.0, 2e-8).0 - 0.7) / (peak(1.0, 2e-8).0 - 0.7);
        assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn a_membrane_without_input_does_not_move() {
        let mut m = membrane(1.0, vec![EXCITATORY]);
        m.comparators = vec![Comparator { neuron: NeuronOnHicann::new::<0>(), v_t_v: 0.71 }];
        let mut cells = Cells::new(&[m], STEP_S);
        let mut arriving = vec![0.0; cells.slots()];
        for _ in 0..10_000 {
            assert!(!cells.step(&mut arriving, u64::MAX, &[]));
        }
        assert_eq!(cells.v[0], 0.0);
        assert!((f64::from(cells.e_leak[0]) - 0.7).abs() < 1e-7);
    }
}
