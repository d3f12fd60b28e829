//! Currents that floating-gate blocks feed into membranes (analog §5.7).

use hal::config::CurrentStimulus;
use hal::law;
use hal::wafer::DncCycles;

/// Cycles of 4 ns per clock of the chip, which runs at 125 MHz.
const CYCLES_PER_CLOCK: u64 = 2;

/// A current into one membrane. It starts with the run.
#[derive(Debug, Clone)]
pub(super) struct Injection {
    /// Position of the membrane on its chip.
    pub(super) membrane: u32,
    /// By sample, the voltage by which it raises the membrane in a step of the emulation.
    volts: Vec<f32>,
    /// Cycles of a sample.
    cycles: u64,
    continuous: bool,
}

impl Injection {
    /// The stimulus of a block, of which the membrane gets a share.
    pub(super) fn new(
        stimulus: &CurrentStimulus,
        membrane: u32,
        share: f64,
        capacitance_f: f64,
        step: DncCycles,
    ) -> Self {
        let per_ampere = share * step.hardware_s() / capacitance_f;
        let samples = stimulus.samples.values().iter();
        Self {
            membrane,
            volts: samples.map(|&code| (law::amperes(code) * per_ampere) as f32).collect(),
            cycles: u64::from(stimulus.step_clocks()) * CYCLES_PER_CLOCK,
            continuous: stimulus.continuous,
        }
    }

    /// What it adds in the step that begins now.
    pub(super) fn volts(&self, now: DncCycles) -> f32 {
        let sample = (now.0 / self.cycles) as usize;
        let sample = if self.continuous { sample % self.volts.len() } else { sample };
        self.volts.get(sample).copied().unwrap_or(0.0)
    }
}
