//! Cell types and spike sources with PyNN's names, units and defaults.

/// What the members of a population are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Leaky integrate and fire with conductance synapses.
    IfCondExp,
    /// The same with spike-frequency adaptation and a relative refractory mechanism.
    IfCondExpGsfaGrr,
    /// Adaptive exponential integrate and fire.
    EifCondExpIsfaIsta,
    /// Independent Poisson processes.
    SpikeSourcePoisson,
    /// Given spike times, which [`super::Engine::set_spike_times`] sets.
    SpikeSourceArray,
}

/// Values that a parameter may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Any finite number.
    Finite,
    /// Finite, not negative.
    NotNegative,
    /// Finite, larger than zero.
    Positive,
}

impl Allowed {
    pub(super) fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Finite => true,
                Self::NotNegative => value >= 0.0,
                Self::Positive => value > 0.0,
            }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Finite => "finite",
            Self::NotNegative => "finite and not negative",
            Self::Positive => "finite and positive",
        }
    }
}

/// Name, default, allowed values.
type Row = (&'static str, f64, Allowed);

use Allowed::{Finite, NotNegative, Positive};

/// nF, ms, mV, nA: PyNN's units.
const LIF: [Row; 11] = [
    ("v_rest", -65.0, Finite),
    ("cm", 1.0, Positive),
    ("tau_m", 20.0, Positive),
    ("tau_refrac", 0.1, NotNegative),
    ("tau_syn_E", 5.0, Positive),
    ("tau_syn_I", 5.0, Positive),
    ("e_rev_E", 0.0, Finite),
    ("e_rev_I", -70.0, Finite),
    ("v_thresh", -50.0, Finite),
    ("v_reset", -65.0, Finite),
    ("i_offset", 0.0, Finite),
];

/// Conductances `q` in nS.
const GSFA_GRR: [Row; 17] = [
    ("v_rest", -65.0, Finite),
    ("cm", 1.0, Positive),
    ("tau_m", 20.0, Positive),
    ("tau_refrac", 0.1, NotNegative),
    ("tau_syn_E", 5.0, Positive),
    ("tau_syn_I", 5.0, Positive),
    ("e_rev_E", 0.0, Finite),
    ("e_rev_I", -70.0, Finite),
    ("v_thresh", -50.0, Finite),
    ("v_reset", -65.0, Finite),
    ("i_offset", 0.0, Finite),
    ("tau_sfa", 100.0, Positive),
    ("e_rev_sfa", -75.0, Finite),
    ("q_sfa", 15.0, NotNegative),
    ("tau_rr", 2.0, Positive),
    ("e_rev_rr", -75.0, Finite),
    ("q_rr", 3000.0, NotNegative),
];

/// `a` in nS, `b` in nA.
const ADEX: [Row; 16] = [
    ("cm", 0.281, Positive),
    ("tau_refrac", 0.1, NotNegative),
    ("v_spike", -40.0, Finite),
    ("v_reset", -70.6, Finite),
    ("v_rest", -70.6, Finite),
    ("tau_m", 9.3667, Positive),
    ("i_offset", 0.0, Finite),
    ("a", 4.0, Finite),
    ("b", 0.0805, Finite),
    ("delta_T", 2.0, NotNegative),
    ("tau_w", 144.0, Positive),
    ("v_thresh", -50.4, Finite),
    ("e_rev_E", 0.0, Finite),
    ("tau_syn_E", 5.0, Positive),
    ("e_rev_I", -80.0, Finite),
    ("tau_syn_I", 5.0, Positive),
];

/// Hz, ms, ms.
const POISSON: [Row; 3] =
    [("rate", 1.0, NotNegative), ("start", 0.0, NotNegative), ("duration", 1e10, NotNegative)];

impl Model {
    /// Parameters in the order of their columns.
    pub(super) const fn rows(self) -> &'static [Row] {
        match self {
            Self::IfCondExp => &LIF,
            Self::IfCondExpGsfaGrr => &GSFA_GRR,
            Self::EifCondExpIsfaIsta => &ADEX,
            Self::SpikeSourcePoisson => &POISSON,
            Self::SpikeSourceArray => &[],
        }
    }

    /// State variables in the order of their columns, and their values at first; none for sources.
    pub(super) const fn states(self) -> &'static [(Variable, f64)] {
        use Variable::{GRelative, GSfa, GsynExc, GsynInh, V, W};
        match self {
            Self::IfCondExp => &[(V, -65.0), (GsynExc, 0.0), (GsynInh, 0.0)],
            Self::IfCondExpGsfaGrr => {
                &[(V, -65.0), (GsynExc, 0.0), (GsynInh, 0.0), (GSfa, 0.0), (GRelative, 0.0)]
            }
            Self::EifCondExpIsfaIsta => &[(V, -70.6), (GsynExc, 0.0), (GsynInh, 0.0), (W, 0.0)],
            Self::SpikeSourcePoisson | Self::SpikeSourceArray => &[],
        }
    }

    /// Whether the members are spike sources, which have no inputs.
    pub const fn is_source(self) -> bool {
        matches!(self, Self::SpikeSourcePoisson | Self::SpikeSourceArray)
    }

    /// The model of this name in PyNN.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "IF_cond_exp" => Self::IfCondExp,
            "IF_cond_exp_gsfa_grr" => Self::IfCondExpGsfaGrr,
            "EIF_cond_exp_isfa_ista" => Self::EifCondExpIsfaIsta,
            "SpikeSourcePoisson" => Self::SpikeSourcePoisson,
            "SpikeSourceArray" => Self::SpikeSourceArray,
            _ => return None,
        })
    }
}

/// What changes of a cell, and can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// Membrane potential, mV.
    V,
    /// Excitatory synaptic conductance, uS.
    GsynExc,
    /// Inhibitory synaptic conductance, uS.
    GsynInh,
    /// Adaptation current, nA.
    W,
    /// Conductance of spike-frequency adaptation, uS.
    GSfa,
    /// Conductance of the relative refractory mechanism, uS.
    GRelative,
}

impl Variable {
    /// The variable of this name in PyNN.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "v" => Self::V,
            "gsyn_exc" => Self::GsynExc,
            "gsyn_inh" => Self::GsynInh,
            "w" => Self::W,
            "g_s" => Self::GSfa,
            "g_r" => Self::GRelative,
            _ => return None,
        })
    }
}
