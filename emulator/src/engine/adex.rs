//! Adaptation and exponential spike onset of a chip's membranes (analog §5.1).
//!
//! The membrane equation is split into parts that are solved exactly, one after the other: half a
//! step of adaptation, the linear membrane, the exponential current alone, half a step of
//! adaptation. Second order in the step, and the upswing ends at its true time however steep it is.

use std::ops::Range;

use crate::circuits::Membrane;

use super::cells::SILENT;
use super::math::{exp, ln};

/// Rail of the circuit's supply, V. The exponential cannot drive a membrane beyond it.
const SUPPLY_V: f64 = 1.8;
/// Less than this of e^-(v / D) left in a step counts as nothing.
const SMALLEST: f32 = 1e-30;

/// The terms of all membranes of a chip, term-major: entry `term * width + membrane`.
#[derive(Debug, Clone)]
pub(super) struct Adex {
    adaptation: Adaptation,
    exponential: Exponential,
}

/// Adaptation currents.
#[derive(Debug, Clone)]
struct Adaptation {
    /// Current as a voltage change per step.
    w: Vec<f32>,
    /// Share that remains after half a step.
    decay: Vec<f32>,
    /// Conductance a as a rate, and the current at the leak potential.
    a: Vec<f32>,
    offset: Vec<f32>,
    /// Increment per spike.
    b: Vec<f32>,
}

/// Exponential currents.
#[derive(Debug, Clone)]
struct Exponential {
    /// Leak conductance as a rate.
    rate: Vec<f32>,
    onset: Vec<f32>,
    slope: Vec<f32>,
    inverse_slope: Vec<f32>,
    /// Highest voltage, by membrane.
    ceiling: Vec<f32>,
}

impl Adex {
    /// None if no membrane has such a term.
    pub(super) fn new(membranes: &[Membrane], width: usize, step_s: f64) -> Option<Self> {
        if !membranes.iter().any(Membrane::has_adex) {
            return None;
        }
        Some(Self {
            adaptation: Adaptation::new(membranes, width, step_s),
            exponential: Exponential::new(membranes, width, step_s),
        })
    }

    /// The adaptation currents.
    pub(super) fn currents(&mut self) -> &mut Vec<f32> {
        &mut self.adaptation.w
    }

    /// First half of the adaptation, whose current counts against the drive of the step.
    #[inline(always)]
    pub(super) fn before(&mut self, v: &[f32], drive: &mut [f32]) {
        let n = v.len();
        for start in (0..self.adaptation.w.len()).step_by(n) {
            self.adaptation.relax(start..start + n, v);
            let w = &self.adaptation.w[start..start + n];
            for i in 0..n {
                drive[i] -= w[i];
            }
        }
    }

    /// The exponential current acts on the voltages at the end of the linear step.
    #[inline(always)]
    pub(super) fn upswing(&self, free: &mut [f32]) {
        let (e, n) = (&self.exponential, free.len());
        for start in (0..e.rate.len()).step_by(n) {
            let row = start..start + n;
            let (rate, onset) = (&e.rate[row.clone()], &e.onset[row.clone()]);
            let (slope, inverse_slope) = (&e.slope[row.clone()], &e.inverse_slope[row]);
            let ceiling = &e.ceiling[..n];
            for i in 0..n {
                // e^-(v / D) falls linearly in time; at 0 the voltage would be infinite
                let left = 1.0 - rate[i] * exp((free[i] - onset[i]) * inverse_slope[i]);
                let risen = free[i] - slope[i] * ln(left);
                let reached = if left > SMALLEST { risen } else { ceiling[i] };
                free[i] = if reached < ceiling[i] { reached } else { ceiling[i] };
            }
        }
    }

    /// Second half of the adaptation, and the increments of those that have fired.
    #[inline(always)]
    pub(super) fn after(&mut self, v: &[f32], crossing: &[f32]) {
        let n = v.len();
        for start in (0..self.adaptation.w.len()).step_by(n) {
            self.adaptation.relax(start..start + n, v);
            let b = &self.adaptation.b[start..start + n];
            let w = &mut self.adaptation.w[start..start + n];
            for i in 0..n {
                w[i] += if crossing[i] == SILENT { 0.0 } else { b[i] };
            }
        }
    }
}

impl Adaptation {
    fn new(membranes: &[Membrane], width: usize, step_s: f64) -> Self {
        let terms = membranes.iter().map(|m| m.adaptation.len()).max().unwrap_or(0);
        let zeros = vec![0.0; terms * width];
        let mut all = Self {
            w: zeros.clone(),
            decay: zeros.clone(),
            a: zeros.clone(),
            offset: zeros.clone(),
            b: zeros,
        };
        for (i, m) in membranes.iter().enumerate() {
            let per_step = step_s / m.capacitance_f;
            for (t, term) in m.adaptation.iter().enumerate() {
                let at = t * width + i;
                all.decay[at] = (-0.5 * step_s / term.tau_s).exp() as f32;
                all.a[at] = (term.a_s * per_step) as f32;
                all.offset[at] = ((term.a_s * m.e_leak_v - term.a_e_l_a) * per_step) as f32;
                all.b[at] = (term.b_a * per_step) as f32;
            }
        }
        all
    }

    /// Lets the currents of one term run for half a step towards their value at the voltages.
    #[inline(always)]
    fn relax(&mut self, row: Range<usize>, v: &[f32]) {
        let n = v.len();
        let (decay, a) = (&self.decay[row.clone()][..n], &self.a[row.clone()][..n]);
        let offset = &self.offset[row.clone()][..n];
        let w = &mut self.w[row][..n];
        for i in 0..n {
            let target = a[i] * v[i] + offset[i];
            w[i] = target + (w[i] - target) * decay[i];
        }
    }
}

impl Exponential {
    fn new(membranes: &[Membrane], width: usize, step_s: f64) -> Self {
        let terms = membranes.iter().map(|m| m.exponential.len()).max().unwrap_or(0);
        let zeros = vec![0.0; terms * width];
        let mut all = Self {
            rate: zeros.clone(),
            onset: zeros.clone(),
            slope: zeros.clone(),
            inverse_slope: zeros,
            ceiling: vec![f32::INFINITY; width],
        };
        for (i, m) in membranes.iter().enumerate() {
            all.ceiling[i] = (SUPPLY_V - m.e_leak_v) as f32;
            for (t, term) in m.exponential.iter().enumerate() {
                let at = t * width + i;
                all.rate[at] = (term.leak_s * step_s / m.capacitance_f) as f32;
                all.onset[at] = (term.onset_v - m.e_leak_v) as f32;
                all.slope[at] = term.slope_v as f32;
                all.inverse_slope[at] = (1.0 / term.slope_v) as f32;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hal::coord::NeuronOnHicann;

    use super::*;
    use crate::circuits::{AdaptationTerm, Comparator, ExponentialTerm};
    use crate::engine::cells::Cells;

    const STEP_S: f64 = 4e-9;
    /// Biological milliseconds per step at a speed-up of 10,000.
    const STEP_MS: f64 = 0.04;

    fn rows(text: &str) -> Vec<Vec<&str>> {
        text.lines().skip(1).map(|line| line.split(',').collect()).collect()
    }

    fn number(text: &str) -> f64 {
        text.parse().expect("a number")
    }

    /// Parameters of the reference by pattern.
    fn patterns() -> BTreeMap<&'static str, Vec<f64>> {
        let text = include_str!("../../tests/data/adex_params.csv");
        let parse =
            |row: Vec<&'static str>| (row[0], row[1..].iter().map(|text| number(text)).collect());
        rows(text).into_iter().map(parse).collect()
    }

    /// The membrane of a reference pattern on hardware scale: 10,000 times faster, voltages times
    /// ten around 1.2 V. A constant current is a shift of the leak potential.
    fn membrane(p: &[f64], current_pa: f64) -> Membrane {
        let [c_pf, g_l_ns, e_l_mv, v_th_mv, slope_mv, a_ns, tau_w_ms, b_pa, v_reset_mv] = p[..9]
        else {
            panic!("nine parameters")
        };
        let volts = |mv: f64| 1.2 + 0.01 * mv;
        let (farads, siemens, amperes) = (c_pf * 1e-14, 1e-7, 1e-9);
        let neuron = NeuronOnHicann::new::<0>();
        Membrane {
            circuits: vec![neuron],
            capacitance_f: farads,
            leak_s: g_l_ns * siemens,
            e_leak_v: volts(e_l_mv + current_pa / g_l_ns),
            initial_v: volts(e_l_mv),
            inputs: Vec::new(),
            adaptation: vec![AdaptationTerm {
                tau_s: tau_w_ms * 1e-7,
                a_s: a_ns * siemens,
                a_e_l_a: a_ns * siemens * volts(e_l_mv),
                b_a: b_pa * amperes,
            }],
            exponential: vec![ExponentialTerm {
                slope_v: 0.01 * slope_mv,
                onset_v: volts(v_th_mv),
                leak_s: g_l_ns * siemens,
            }],
            comparators: vec![Comparator { neuron, v_t_v: volts(0.0) }],
            leak_range_v: None,
            v_reset_v: volts(v_reset_mv),
            tau_reset_s: 0.0,
            tau_ref_s: 0.0,
        }
    }

    /// Spike times in biological milliseconds.
    fn spikes(membrane: Membrane, until_ms: f64) -> Vec<f64> {
        let mut cells = Cells::new(&[membrane], STEP_S);
        let steps = (until_ms / STEP_MS) as usize;
        (1..=steps).filter(|_| cells.step(&mut [], 0, &[])).map(|i| i as f64 * STEP_MS).collect()
    }

    #[test]
    fn steady_intervals_agree_with_the_reference_within_a_step() {
        let patterns = patterns();
        let mut compared = 0;
        for row in rows(include_str!("../../tests/data/fI_aeif_cond_exp.csv")) {
            let (current, count, rate) = (number(row[1]), number(row[2]), number(row[5]));
            let times = spikes(membrane(&patterns[row[0]], current), 2000.0);
            let tolerance = 1.0 + 0.01 * count;
            assert!((times.len() as f64 - count).abs() <= tolerance, "{row:?}: {}", times.len());
            let late: Vec<f64> = times.into_iter().filter(|t| *t > 1000.0).collect();
            if late.len() < 5 {
                continue;
            }
            let interval = (late[late.len() - 1] - late[0]) / (late.len() - 1) as f64;
            let tolerance = STEP_MS + 5e-4 * interval;
            assert!((interval - 1e3 / rate).abs() < tolerance, "{row:?}: {interval} ms");
            compared += 1;
        }
        assert!(compared > 50, "{compared}");
    }

    #[test]
    fn spike_times_of_the_regular_patterns_agree_with_the_reference() {
        let patterns = patterns();
        let reference = rows(include_str!("../../tests/data/adex_spikes.csv"));
        for name in ["tonic", "adaptation", "initial_burst", "transient_spiking"] {
            let p = &patterns[name];
            let exact: Vec<f64> =
                reference.iter().filter(|r| r[0] == name).map(|r| number(r[3])).collect();
            let seen = spikes(membrane(p, p[9]), 600.0);
            assert_eq!(seen.len(), exact.len(), "{name}");
            for (i, (a, b)) in seen.iter().zip(&exact).enumerate() {
                // a crossing is found at the end of a step, and that adds up
                let tolerance = 0.02 * (i + 2) as f64;
                assert!((a - b).abs() < tolerance, "{name} spike {i}: {a} for {b}");
            }
        }
    }
}
