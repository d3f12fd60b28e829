//! Postsynaptic potentials: the double exponential of the original, and a fit of the membrane's
//! equation, which holds for large ones as well (analog §3.2, §5.1).

use super::minimise;

/// A postsynaptic potential of this height above `offset` that begins at `start`, with the two time
/// constants in any order (analog §3.2). All times have one unit.
pub fn double_exponential(
    t: f64,
    height: f64,
    tau_1: f64,
    tau_2: f64,
    start: f64,
    offset: f64,
) -> f64 {
    let since = t - start;
    if since < 0.0 {
        return offset;
    }
    let ratio = tau_2 / tau_1;
    if (ratio - 1.0).abs() < 1e-9 {
        let x = since / tau_1;
        return offset + height * (1.0 - x).exp() * x;
    }
    let norm = ratio.powf(-1.0 / (ratio - 1.0)) - ratio.powf(-ratio / (ratio - 1.0));
    offset + height / norm * ((-since / tau_2).exp() - (-since / tau_1).exp())
}

/// What is known before a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PspKnown {
    /// Seconds between samples.
    pub sample_s: f64,
    /// When the event arrives, about, s after the first sample.
    pub start_s: f64,
    /// Reversal potential of the input, V.
    pub reversal_v: f64,
    /// Membrane time constant, s, and how well it is known, as a share.
    pub tau_m_s: (f64, f64),
    /// Synaptic time constant, about, s.
    pub tau_syn_s: f64,
    /// Noise of a sample, V.
    pub noise_v: f64,
}

/// A fitted postsynaptic potential.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Psp {
    /// Synaptic time constant, s.
    pub tau_syn_s: f64,
    /// Membrane time constant, s.
    pub tau_m_s: f64,
    /// Conductance of the event over the capacitance, 1/s.
    pub strength_hz: f64,
    /// Voltage before the event, V.
    pub rest_v: f64,
    /// Largest distance from rest, V; below 0 if it is hyperpolarising.
    pub height_v: f64,
    /// Mean square of the residuals over that of the noise.
    pub chi2: f64,
}

/// Fits the membrane's equation with one exponential conductance to samples in V. None if the trace
/// does not move or the fit fails.
pub fn fit_psp(samples: &[f64], known: &PspKnown) -> Option<Psp> {
    let before = (known.start_s / known.sample_s) as usize;
    let calm = samples.get(..before).filter(|calm| calm.len() >= 4)?;
    let rest_v = calm.iter().sum::<f64>() / calm.len() as f64;
    let extreme =
        |best: f64, v: &f64| if (v - rest_v).abs() > f64::abs(best) { v - rest_v } else { best };
    let top = samples.iter().fold(0.0, extreme);
    let drive_v = known.reversal_v - rest_v;
    if top.abs() < 6.0 * known.noise_v || top * drive_v <= 0.0 {
        return None;
    }
    // the charge of the event, as if the membrane kept it
    let strength = (top / drive_v).clamp(0.01, 0.9) / known.tau_syn_s;
    let start = [
        known.tau_syn_s.ln(),
        (1.5 * strength).ln(),
        known.start_s / known.sample_s,
        rest_v,
        known.tau_m_s.0.ln(),
    ];
    let mut model = Vec::with_capacity(samples.len());
    let fit = minimise(start, [1.0, 1.0, 10.0, 0.1, 1.0], |p, residuals| {
        membrane(p, known, samples.len(), &mut model);
        residuals.clear();
        residuals.extend(model.iter().zip(samples).map(|(m, v)| (m - v) / known.noise_v));
        residuals.push((p[4] - known.tau_m_s.0.ln()) / known.tau_m_s.1);
    });
    let (p, sum) = fit?;
    membrane(&p, known, samples.len(), &mut model);
    let height_v = model
        .iter()
        .map(|v| v - p[3])
        .fold(0.0, |best: f64, v| if v.abs() > best.abs() { v } else { best });
    Some(Psp {
        tau_syn_s: p[0].exp(),
        tau_m_s: p[4].exp(),
        strength_hz: p[1].exp(),
        rest_v: p[3],
        height_v,
        chi2: sum / (samples.len() - 4) as f64,
    })
}

/// The membrane at each sample, by the trapezoid rule. Parameters: logarithms of synaptic time
/// constant and strength, arrival in samples, rest, logarithm of the membrane time constant.
fn membrane(p: &[f64; 5], known: &PspKnown, samples: usize, volts: &mut Vec<f64>) {
    let [tau_syn, strength, start, rest_v, tau_m] = *p;
    let dt = known.sample_s;
    let (leak, decay) = (dt / tau_m.exp(), (-dt / tau_syn.exp()).exp());
    // rates per sample, as means over the interval between two
    let mean = (1.0 - decay) * tau_syn.exp() / dt;
    let drive_v = known.reversal_v - rest_v;
    let (mut v, mut g) = (0.0, 0.0);
    let arrival = start.clamp(0.0, samples as f64);
    let first = arrival as usize;
    volts.clear();
    for i in 0..samples {
        volts.push(rest_v + v);
        let mut during = g * mean;
        g *= decay;
        if i == first {
            let rest_of_step = 1.0 - arrival.fract();
            let left = (-dt * rest_of_step / tau_syn.exp()).exp();
            let rate = strength.exp() * dt;
            during = rate * (1.0 - left) * tau_syn.exp() / dt;
            g = rate * left;
        }
        let total = leak + during;
        v = (v * (1.0 - total / 2.0) + during * drive_v) / (1.0 + total / 2.0);
    }
}
