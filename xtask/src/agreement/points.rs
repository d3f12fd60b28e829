//! The networks that are compared, and how far they may deviate.

/// A network at one point of its parameters.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) experiment: &'static str,
    pub(super) settings: &'static [&'static str],
    /// Biological time of a full run.
    pub(super) duration_ms: u32,
    /// Of the rate of all neurons.
    pub(super) rate_tolerance: f64,
    /// Of the rate of each population.
    pub(super) population_tolerance: f64,
    /// Mean rate in Hz of networks drawn from the description, without variation of parameters
    /// (peers §1, "variation off"), if known.
    pub(super) described_hz: Option<f64>,
    /// Whether rates of single neurons are held against each other, for which NEST runs twice.
    pub(super) compares_neurons: bool,
    /// Whether the effects of timing are looked at.
    pub(super) with_timing: bool,
    /// Whether a quick run has it.
    pub(super) is_quick: bool,
}

impl Case {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.experiment, self.settings.join(" "))
    }

    pub(super) fn folder(&self) -> String {
        self.name().replace([' ', '='], "-")
    }
}

const fn balanced(
    settings: &'static [&'static str],
    described_hz: f64,
    rate_tolerance: f64,
    is_quick: bool,
) -> Case {
    Case {
        experiment: "balanced-random-network",
        settings,
        duration_ms: 10_000,
        rate_tolerance,
        population_tolerance: rate_tolerance,
        described_hz: Some(described_hz),
        compares_neurons: true,
        with_timing: true,
        is_quick,
    }
}

/// Where little inhibition lets the network go from state to state slowly, it takes longer until the
/// rates of single neurons are known.
const fn slow(settings: &'static [&'static str], described_hz: f64, rate_tolerance: f64) -> Case {
    Case { duration_ms: 30_000, ..balanced(settings, described_hz, rate_tolerance, false) }
}

/// The balanced random network; at g = 4, eta = 0.8 it stands between two states.
pub(super) const BALANCED: [Case; 9] = [
    slow(&["g=4", "eta=0.8"], 11.69, 0.08),
    balanced(&["g=4", "eta=1.6"], 55.0, 0.05, false),
    slow(&["g=4", "eta=2.4"], 91.71, 0.05),
    balanced(&["g=8", "eta=0.8"], 4.266, 0.05, true),
    balanced(&["g=8", "eta=1.6"], 18.45, 0.05, false),
    balanced(&["g=8", "eta=2.4"], 29.95, 0.05, false),
    balanced(&["g=10", "eta=0.8"], 3.674, 0.05, false),
    balanced(&["g=10", "eta=1.6"], 14.84, 0.05, false),
    balanced(&["g=10", "eta=2.4"], 23.83, 0.05, false),
];

const fn cortical(settings: &'static [&'static str]) -> Case {
    Case {
        experiment: "cortical-microcircuit",
        settings,
        duration_ms: 10_000,
        rate_tolerance: 0.05,
        population_tolerance: 0.1,
        described_hz: None,
        compares_neurons: false,
        with_timing: false,
        is_quick: false,
    }
}

/// The cortical microcircuit with neurons that vary, and with equal ones, which fire together.
pub(super) const CORTICAL: [Case; 2] = [cortical(&["variation=on"]), cortical(&["variation=off"])];
