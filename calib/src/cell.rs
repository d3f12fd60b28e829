//! The neuron models of the wafer with PyNN's names, units and defaults.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A leaky integrate-and-fire neuron with exponentially decaying conductances: PyNN's
/// `IF_cond_exp`. The wafer has no constant current, so `i_offset` is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IfCondExp {
    /// Membrane capacitance, nF.
    pub cm: f64,
    /// Membrane time constant, ms.
    pub tau_m: f64,
    /// Refractory time, ms.
    pub tau_refrac: f64,
    /// Excitatory synaptic time constant, ms.
    #[serde(rename = "tau_syn_E")]
    pub tau_syn_e: f64,
    /// Inhibitory synaptic time constant, ms.
    #[serde(rename = "tau_syn_I")]
    pub tau_syn_i: f64,
    /// Resting potential, mV.
    pub v_rest: f64,
    /// Reset potential, mV.
    pub v_reset: f64,
    /// Spike threshold, mV.
    pub v_thresh: f64,
    /// Excitatory reversal potential, mV.
    #[serde(rename = "e_rev_E")]
    pub e_rev_e: f64,
    /// Inhibitory reversal potential, mV.
    #[serde(rename = "e_rev_I")]
    pub e_rev_i: f64,
}

impl Default for IfCondExp {
    /// PyNN's defaults.
    fn default() -> Self {
        Self {
            cm: 1.0,
            tau_m: 20.0,
            tau_refrac: 0.1,
            tau_syn_e: 5.0,
            tau_syn_i: 5.0,
            v_rest: -65.0,
            v_reset: -65.0,
            v_thresh: -50.0,
            e_rev_e: 0.0,
            e_rev_i: -70.0,
        }
    }
}

/// An adaptive exponential integrate-and-fire neuron with exponentially decaying conductances:
/// PyNN's `EIF_cond_exp_isfa_ista`, without `i_offset`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EifCondExpIsfaIsta {
    /// Membrane capacitance, nF.
    pub cm: f64,
    /// Membrane time constant, ms.
    pub tau_m: f64,
    /// Refractory time, ms.
    pub tau_refrac: f64,
    /// Excitatory synaptic time constant, ms.
    #[serde(rename = "tau_syn_E")]
    pub tau_syn_e: f64,
    /// Inhibitory synaptic time constant, ms.
    #[serde(rename = "tau_syn_I")]
    pub tau_syn_i: f64,
    /// Resting potential, mV.
    pub v_rest: f64,
    /// Reset potential, mV.
    pub v_reset: f64,
    /// Onset of the exponential term, mV.
    pub v_thresh: f64,
    /// Potential at which a spike is emitted, mV.
    pub v_spike: f64,
    /// Slope of the exponential term, mV; 0 switches it off.
    #[serde(rename = "delta_T")]
    pub delta_t: f64,
    /// Sub-threshold adaptation, nS; 0 switches it off.
    pub a: f64,
    /// Adaptation per spike, nA; 0 switches it off.
    pub b: f64,
    /// Adaptation time constant, ms.
    pub tau_w: f64,
    /// Excitatory reversal potential, mV.
    #[serde(rename = "e_rev_E")]
    pub e_rev_e: f64,
    /// Inhibitory reversal potential, mV.
    #[serde(rename = "e_rev_I")]
    pub e_rev_i: f64,
}

impl Default for EifCondExpIsfaIsta {
    /// PyNN's defaults.
    fn default() -> Self {
        Self {
            cm: 0.281,
            tau_m: 9.3667,
            tau_refrac: 0.1,
            tau_syn_e: 5.0,
            tau_syn_i: 5.0,
            v_rest: -70.6,
            v_reset: -70.6,
            v_thresh: -50.4,
            v_spike: -40.0,
            delta_t: 2.0,
            a: 4.0,
            b: 0.0805,
            tau_w: 144.0,
            e_rev_e: 0.0,
            e_rev_i: -80.0,
        }
    }
}

impl EifCondExpIsfaIsta {
    /// Whether the comparator stands at `v_thresh` rather than at `v_spike`: without the
    /// exponential term nothing carries the membrane from the one to the other (analog §1.6).
    pub(crate) fn fires_at_v_thresh(&self) -> bool {
        self.delta_t == 0.0 && self.v_thresh < self.v_spike
    }
}

/// The parameters of one neuron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum CellParameters {
    /// Leaky integrate-and-fire.
    #[serde(rename = "IF_cond_exp")]
    IfCondExp(IfCondExp),
    /// Adaptive exponential integrate-and-fire.
    #[serde(rename = "EIF_cond_exp_isfa_ista")]
    EifCondExpIsfaIsta(EifCondExpIsfaIsta),
}

/// A parameter has a value that no neuron can have.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{parameter} = {value} {unit}: it {rule}")]
pub struct InvalidCell {
    /// PyNN's name.
    pub parameter: &'static str,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it breaks.
    pub rule: String,
}

/// Unit of a parameter of a cell, by its name in PyNN.
pub fn unit(parameter: &str) -> &'static str {
    match parameter {
        "cm" => "nF",
        "a" => "nS",
        "b" => "nA",
        _ if parameter.starts_with("tau_") => "ms",
        _ => "mV",
    }
}

impl CellParameters {
    /// PyNN's name of the model.
    pub const fn model(&self) -> &'static str {
        match self {
            Self::IfCondExp(_) => "IF_cond_exp",
            Self::EifCondExpIsfaIsta(_) => "EIF_cond_exp_isfa_ista",
        }
    }

    /// Membrane capacitance, nF.
    pub const fn cm(&self) -> f64 {
        match self {
            Self::IfCondExp(cell) => cell.cm,
            Self::EifCondExpIsfaIsta(cell) => cell.cm,
        }
    }

    /// Reset potential, mV.
    pub const fn v_reset(&self) -> f64 {
        match self {
            Self::IfCondExp(cell) => cell.v_reset,
            Self::EifCondExpIsfaIsta(cell) => cell.v_reset,
        }
    }

    /// Membrane time constant, ms.
    pub const fn tau_m(&self) -> f64 {
        match self {
            Self::IfCondExp(cell) => cell.tau_m,
            Self::EifCondExpIsfaIsta(cell) => cell.tau_m,
        }
    }

    /// Raises the resting potential, mV.
    pub const fn shift_v_rest(&mut self, by_mv: f64) {
        match self {
            Self::IfCondExp(cell) => cell.v_rest += by_mv,
            Self::EifCondExpIsfaIsta(cell) => cell.v_rest += by_mv,
        }
    }

    /// All potentials that the wafer has to reach, mV.
    pub fn potentials_mv(&self) -> Vec<f64> {
        let potential = |name: &str| unit(name) == "mV" && name != "delta_T";
        self.values().into_iter().filter(|(name, _)| potential(name)).map(|(_, v)| v).collect()
    }

    /// Sets a parameter by PyNN's name; false if there is none of this name.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let found = self.fields().into_iter().find(|(known, _)| *known == name);
        found.map(|(_, place)| *place = value).is_some()
    }

    /// PyNN's names and the values of all parameters.
    pub fn values(&self) -> Vec<(&'static str, f64)> {
        let mut copy = *self;
        copy.fields().into_iter().map(|(name, value)| (name, *value)).collect()
    }

    /// PyNN's names and places of all parameters.
    pub fn fields(&mut self) -> Vec<(&'static str, &mut f64)> {
        match self {
            Self::IfCondExp(c) => vec![
                ("cm", &mut c.cm),
                ("tau_m", &mut c.tau_m),
                ("tau_refrac", &mut c.tau_refrac),
                ("tau_syn_E", &mut c.tau_syn_e),
                ("tau_syn_I", &mut c.tau_syn_i),
                ("v_rest", &mut c.v_rest),
                ("v_reset", &mut c.v_reset),
                ("v_thresh", &mut c.v_thresh),
                ("e_rev_E", &mut c.e_rev_e),
                ("e_rev_I", &mut c.e_rev_i),
            ],
            Self::EifCondExpIsfaIsta(c) => vec![
                ("cm", &mut c.cm),
                ("tau_m", &mut c.tau_m),
                ("tau_refrac", &mut c.tau_refrac),
                ("tau_syn_E", &mut c.tau_syn_e),
                ("tau_syn_I", &mut c.tau_syn_i),
                ("v_rest", &mut c.v_rest),
                ("v_reset", &mut c.v_reset),
                ("v_thresh", &mut c.v_thresh),
                ("v_spike", &mut c.v_spike),
                ("delta_T", &mut c.delta_t),
                ("a", &mut c.a),
                ("b", &mut c.b),
                ("tau_w", &mut c.tau_w),
                ("e_rev_E", &mut c.e_rev_e),
                ("e_rev_I", &mut c.e_rev_i),
            ],
        }
    }

    /// Whether a neuron can have these parameters at all, on the wafer or elsewhere.
    pub fn validate(&self) -> Result<(), InvalidCell> {
        let invalid = |parameter, value, rule: String| {
            Err(InvalidCell { parameter, value, unit: unit(parameter), rule })
        };
        for (name, value) in self.values() {
            if !value.is_finite() {
                return invalid(name, value, "must be a finite number".into());
            }
            let positive = matches!(name, "cm" | "tau_m" | "tau_syn_E" | "tau_syn_I" | "tau_w");
            if positive && value <= 0.0 {
                return invalid(name, value, "must be greater than 0".into());
            }
            if matches!(name, "tau_refrac" | "delta_T") && value < 0.0 {
                return invalid(name, value, "must not be negative".into());
            }
        }
        // with an exponential term the reset may lie above its onset, but not above the spike
        let (name, fires_at) = match self {
            Self::IfCondExp(c) => ("v_thresh", c.v_thresh),
            Self::EifCondExpIsfaIsta(c) if c.fires_at_v_thresh() => ("v_thresh", c.v_thresh),
            Self::EifCondExpIsfaIsta(c) => ("v_spike", c.v_spike),
        };
        if fires_at <= self.v_reset() {
            let rule = format!("must lie above v_reset = {} mV", self.v_reset());
            return invalid(name, fires_at, rule);
        }
        Ok(())
    }
}
