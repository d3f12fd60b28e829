//! Adaptation and exponential spike onset of a chip's membranes (analog §5.1).
//!
//! The membrane equation is split into parts that are solved exactly, one after the other: half a
//! step of adaptation, the linear membrane, the exponential current alone, half a step of
//! adaptation. Second order in the step, and the upswing ends at its true time however steep it is.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::circuits::Membrane;

use super::math::{LANES, Lanes, exp, ln};

/// Rail of the circuit's supply, V. The exponential cannot drive a membrane beyond it.
const SUPPLY_V: f64 = 1.8;
/// Less than this of e^-(v / D) left in a step counts as nothing.
const SMALLEST: f32 = 1e-30;

/// The terms of sixteen membranes that are computed together; most have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Adex {
    pub(super) adaptation: Vec<Adaptation>,
    exponential: Vec<Exponential>,
}

/// An adaptation current of each of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Adaptation {
    /// Current as a voltage change per step.
    pub(super) w: Lanes,
    /// Share that remains after half a step.
    decay: Lanes,
    /// Conductance a as a rate, and the current at the leak potential.
    a: Lanes,
    offset: Lanes,
    /// Increment per spike.
    b: Lanes,
}

/// An exponential current of each of them.
#[derive(Debug, Clone)]
struct Exponential {
    /// Leak conductance as a rate.
    rate: Lanes,
    onset: Lanes,
    slope: Lanes,
    inverse_slope: Lanes,
    /// Highest voltage.
    ceiling: Lanes,
}

impl Default for Exponential {
    /// No current.
    fn default() -> Self {
        let zero = [0.0; LANES];
        let ceiling = [f32::INFINITY; LANES];
        Self { rate: zero, onset: zero, slope: zero, inverse_slope: zero, ceiling }
    }
}

impl Adex {
    pub(super) fn new(membranes: &[&Membrane], step_s: f64) -> Self {
        let most =
            |terms: fn(&Membrane) -> usize| membranes.iter().map(|m| terms(m)).max().unwrap_or(0);
        let mut all = Self {
            adaptation: vec![Adaptation::default(); most(|m| m.adaptation.len())],
            exponential: vec![Exponential::default(); most(|m| m.exponential.len())],
        };
        for (i, m) in membranes.iter().enumerate() {
            let per_step = step_s / m.capacitance_f;
            for (lanes, term) in all.adaptation.iter_mut().zip(&m.adaptation) {
                lanes.decay[i] = (-0.5 * step_s / term.tau_s).exp() as f32;
                lanes.a[i] = (term.a_s * per_step) as f32;
                lanes.offset[i] = ((term.a_s * m.e_leak_v - term.a_e_l_a) * per_step) as f32;
                lanes.b[i] = (term.b_a * per_step) as f32;
            }
            for (lanes, term) in all.exponential.iter_mut().zip(&m.exponential) {
                lanes.ceiling[i] = (SUPPLY_V - m.e_leak_v) as f32;
                lanes.rate[i] = (term.leak_s * per_step) as f32;
                lanes.onset[i] = (term.onset_v - m.e_leak_v) as f32;
                lanes.slope[i] = term.slope_v as f32;
                lanes.inverse_slope[i] = (1.0 / term.slope_v) as f32;
            }
        }
        all
    }

    /// Whether none of the membranes has any of them.
    pub(super) fn is_none(&self) -> bool {
        self.adaptation.is_empty() && self.exponential.is_empty()
    }

    /// First half of the adaptation, whose current counts against the drive of the step.
    #[inline(always)]
    pub(super) fn before<S: Simd>(&mut self, v: f32x16<S>, mut drive: f32x16<S>) -> f32x16<S> {
        for term in &mut self.adaptation {
            drive -= term.relax(v);
        }
        drive
    }

    /// The exponential current acts on the voltages at the end of the linear step, for the share of
    /// the step in which the membranes are free.
    #[inline(always)]
    pub(super) fn upswing<S: Simd>(&self, mut v: f32x16<S>, free: f32x16<S>) -> f32x16<S> {
        for e in &self.exponential {
            let [rate, onset, slope, inverse_slope, ceiling] =
                [e.rate, e.onset, e.slope, e.inverse_slope, e.ceiling]
                    .map(|lanes| f32x16::simd_from(v.simd, lanes));
            // e^-(v / D) falls linearly in time; at 0 the voltage would be infinite
            let left = -(free * rate * exp((v - onset) * inverse_slope)) + 1.0;
            let risen = v - slope * ln(left);
            let reached = left.simd_gt(SMALLEST).select(risen, ceiling);
            v = reached.simd_lt(ceiling).select(reached, ceiling);
        }
        v
    }

    /// Second half of the adaptation, and the increments of those that have fired.
    #[inline(always)]
    pub(super) fn after<S: Simd>(&mut self, v: f32x16<S>, fired: mask32x16<S>) {
        for term in &mut self.adaptation {
            let b = fired.select(f32x16::simd_from(v.simd, term.b), f32x16::splat(v.simd, 0.0));
            term.w = (term.relax(v) + b).into();
        }
    }
}

impl Adaptation {
    /// Lets the currents run for half a step towards their value at the voltages.
    #[inline(always)]
    fn relax<S: Simd>(&mut self, v: f32x16<S>) -> f32x16<S> {
        let [w, decay, a, offset] =
            [self.w, self.decay, self.a, self.offset].map(|lanes| f32x16::simd_from(v.simd, lanes));
        let target = a * v + offset;
        let w = target + (w - target) * decay;
        self.w = w.into();
        w
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
            held: false,
            tau_ref_s: 0.0,
        }
    }

    /// Spike times in biological milliseconds.
    fn spikes(membrane: Membrane, until_ms: f64) -> Vec<f64> {
        let mut cells = Cells::of(&[membrane], STEP_S);
        let steps = (until_ms / STEP_MS) as usize;
        (1..=steps).filter(|_| cells.step_once()).map(|i| i as f64 * STEP_MS).collect()
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
