//! Step currents into neurons, as the floating-gate blocks of the wafer can play them (analog §5.7).
//!
//! A chip plays one current: 129 steps of equal length, from the start of the run, into one neuron. It
//! cannot be negative, and it is over after the last step.

use calib::Scaling;
use hal::config::CurrentStimulus;
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, OnWafer};
use hal::law;
use hal::value::{DacCode, PulseLength, StimulusSample};
use hal::wafer::DncCycles;
use marocco::network::{PopulationId, PopulationKind};

use super::Session;
use super::chips::Chips;
use super::error::SessionError;
use super::population::Members;
use crate::stimulus::time_ms;

/// Cycles of 4 ns per clock of the chip, which runs at 125 MHz.
const CYCLES_PER_CLOCK: u64 = 2;

/// A current that changes in steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepCurrent {
    times_ms: Vec<f64>,
    amplitudes_na: Vec<f64>,
}

impl StepCurrent {
    /// The same with its times after `origin_ms`.
    fn after(&self, origin_ms: f64) -> Self {
        let times_ms = self.times_ms.iter().map(|t| t - origin_ms).collect();
        Self { times_ms, amplitudes_na: self.amplitudes_na.clone() }
    }

    /// At a time, nA; nothing before the first step.
    fn at(&self, time_ms: f64) -> f64 {
        let step = self.times_ms.partition_point(|&t| t <= time_ms);
        if step == 0 { 0.0 } else { self.amplitudes_na[step - 1] }
    }
}

/// A current and the circuit that it goes into.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Injected {
    pub(super) circuit: OnWafer<NeuronOnHicann>,
    pub(super) stimulus: CurrentStimulus,
}

impl Session {
    /// Feeds a current into a neuron from the next [`reset`](Self::reset) or first run on: from each of
    /// the ascending times, biological ms, the amplitude of the same place, nA. It replaces the
    /// neuron's present current; empty lists end it.
    pub fn set_current(
        &mut self,
        id: PopulationId,
        member: u32,
        times_ms: &[f64],
        amplitudes_na: &[f64],
    ) -> Result<(), SessionError> {
        let (population, size) = (self.label(id)?, self.state(id)?.size());
        if member as usize >= size {
            return Err(SessionError::NoSuchMember { population, size, member });
        }
        let refuse = |reason: String| {
            let population = population.clone();
            Err(SessionError::Current { population, member, reason })
        };
        if times_ms.len() != amplitudes_na.len() {
            let (times, amplitudes) = (times_ms.len(), amplitudes_na.len());
            return refuse(format!("{times} times and {amplitudes} amplitudes; give as many"));
        }
        let ascend = times_ms.windows(2).all(|w| w[0] < w[1]);
        if !ascend || times_ms.iter().any(|t| !(t.is_finite() && *t >= 0.0)) {
            return refuse("its times must be finite, not negative, and ascend".to_owned());
        }
        if let Some(a) = amplitudes_na.iter().find(|a| !(a.is_finite() && **a >= 0.0)) {
            return refuse(format!(
                "amplitude {a} nA; the wafer has positive currents only, use i_offset or v_rest for \
                 a constant negative one"
            ));
        }
        if amplitudes_na.last().is_some_and(|&a| a != 0.0) {
            return refuse(
                "it does not end; currents of the wafer are over after 129 steps: let the last \
                 amplitude be 0, or use i_offset for a constant current"
                    .to_owned(),
            );
        }
        let state = self.state_mut(id)?;
        if matches!(state.members, Members::Sources(_)) {
            return Err(SessionError::NoMembrane { population });
        }
        state.currents.remove(&member);
        if !times_ms.is_empty() {
            let (times_ms, amplitudes_na) = (times_ms.to_vec(), amplitudes_na.to_vec());
            state.currents.insert(member, StepCurrent { times_ms, amplitudes_na });
        }
        Ok(())
    }

    /// The currents of all neurons on their chips, where the wafer starts at `origin_ms`.
    pub(super) fn injected(
        &self,
        chips: &Chips,
        origin_ms: f64,
    ) -> Result<Vec<Injected>, SessionError> {
        let offsets = self.network.member_offsets();
        let mapping = &chips.mapped.mapping;
        let mut injected: Vec<Injected> = Vec::new();
        for (state, (id, population)) in self.populations.iter().zip(self.network.populations()) {
            let PopulationKind::Neurons(cells) = &population.kind else { continue };
            for (&member, current) in &state.currents {
                let current = current.after(origin_ms);
                if current.times_ms.last().is_none_or(|&end_ms| end_ms <= 0.0) {
                    continue;
                }
                let place = offsets[id.index()] + member as usize;
                let Some(neuron) = mapping.placement.neurons[place] else { continue };
                let refuse = |reason: String| {
                    let population = population.label.clone();
                    Err(SessionError::Current { population, member, reason })
                };
                let hicann: HicannOnWafer = neuron.hicann;
                if injected.iter().any(|other| other.circuit.hicann == hicann) {
                    return refuse(format!(
                        "{hicann} feeds another neuron already, and a chip has one current; use \
                         fewer currents, or larger neurons, which take more chips"
                    ));
                }
                let half = mapping.mode(hicann).half();
                let capacitance_f = neuron.size() as f64 * law::capacitance_f(&half);
                let cm_nf = cells.get(member as usize).cm();
                let codes_per_na = mapping.scaling.current_to_hw_a(1.0, cm_nf, capacitance_f)
                    / law::amperes(DacCode::MAX)
                    * f64::from(DacCode::MAX);
                match stimulus(&current, &mapping.scaling, codes_per_na) {
                    Ok(stimulus) => {
                        let circuit = neuron.first_circuit().on(hicann);
                        injected.push(Injected { circuit, stimulus });
                    }
                    Err(reason) => return refuse(reason),
                }
            }
        }
        Ok(injected)
    }
}

/// The steps of a current, or why it has none.
fn stimulus(
    current: &StepCurrent,
    scaling: &Scaling,
    codes_per_na: f64,
) -> Result<CurrentStimulus, String> {
    let end_ms = current.times_ms.last().copied().unwrap_or(0.0);
    let starts_ms = |stimulus: &CurrentStimulus, step: usize| {
        let clocks = u64::from(stimulus.step_clocks()) * step as u64;
        time_ms(DncCycles(clocks * CYCLES_PER_CLOCK), scaling.speedup)
    };
    let steps = StimulusSample::SIZE;
    // the shortest steps that last until the end
    let fitting = PulseLength::all()
        .map(|pulse_length| CurrentStimulus {
            pulse_length,
            continuous: false,
            ..CurrentStimulus::default()
        })
        .find(|stimulus| starts_ms(stimulus, steps) >= end_ms);
    let Some(mut stimulus) = fitting else {
        let longest_ms = starts_ms(&CurrentStimulus::default(), steps);
        return Err(format!(
            "it ends at {end_ms} ms; currents of the wafer are over at {longest_ms:.1} ms"
        ));
    };
    let most_na = f64::from(DacCode::MAX) / codes_per_na;
    for (step, sample) in StimulusSample::all().enumerate() {
        let middle_ms = f64::midpoint(starts_ms(&stimulus, step), starts_ms(&stimulus, step + 1));
        let wanted_na = current.at(middle_ms);
        if wanted_na > most_na * (1.0 + 1e-9) {
            return Err(format!(
                "amplitude {wanted_na} nA; into a neuron of this size and capacitor the wafer feeds \
                 0 to {most_na:.4} nA"
            ));
        }
        let code = law::nearest_code(wanted_na * codes_per_na);
        stimulus.samples[sample] = code;
    }
    Ok(stimulus)
}
