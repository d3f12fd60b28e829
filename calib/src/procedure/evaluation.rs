//! The evaluation of a calibrated chip: every quantity anew, at targets that no fit has used, with
//! and without calibration (analog §3.4).

use std::collections::BTreeMap;

use hal::config::{CurrentScaling, NeuronParameter as P};
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, Table};
use hal::defects::Defects;
use hal::law;
use hal::value::{DacCode, StpCapacitor, SynapseWeight};
use hal::wafer::Wafer;

use super::gates::Gates;
use super::measure::{self, PerCircuit, input};
use super::resets::Watched;
use super::rig::Rig;
use super::stimulus::{DIVISOR_SUM, Stimulus};
use super::{CalibrationError, Cost, inputs, plasticity, potentials, times};
use crate::database::CircuitRecord;
use crate::fit::robust_mean;
use crate::{CircuitMode, HicannCalibration, digital_weight};

/// A quantity of a circuit that is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Threshold.
    VT,
    /// Reset potential.
    VReset,
    /// Leak potential.
    EL,
    /// Excitatory reversal potential.
    ESynx,
    /// Inhibitory reversal potential.
    ESyni,
    /// Membrane time constant.
    TauM,
    /// Refractory time.
    TauRef,
    /// Excitatory synaptic time constant.
    TauSynX,
    /// Inhibitory synaptic time constant.
    TauSynI,
    /// Height of a synaptic potential.
    Psp,
    /// Share of the resources that an event uses at drivers with short-term plasticity, by block.
    StpU,
    /// Time constant of their recovery, by block.
    StpTauRec,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::VT,
        Self::VReset,
        Self::EL,
        Self::ESynx,
        Self::ESyni,
        Self::TauM,
        Self::TauRef,
        Self::TauSynX,
        Self::TauSynI,
        Self::Psp,
        Self::StpU,
        Self::StpTauRec,
    ];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VT => "V_t",
            Self::VReset => "V_reset",
            Self::EL => "E_l",
            Self::ESynx => "E_synx",
            Self::ESyni => "E_syni",
            Self::TauM => "tau_m",
            Self::TauRef => "tau_ref",
            Self::TauSynX => "tau_syn_x",
            Self::TauSynI => "tau_syn_i",
            Self::Psp => "psp",
            Self::StpU => "stp_u",
            Self::StpTauRec => "stp_tau_rec",
        }
    }

    /// Whether errors are voltages, in mV of the hardware; else they are relative.
    pub const fn is_voltage(self) -> bool {
        matches!(self, Self::VT | Self::VReset | Self::EL | Self::ESynx | Self::ESyni)
    }

    /// Standard deviations over the circuits of one chip that were published for HICANN v2, before
    /// and after calibration, mV (analog §3.5).
    pub const fn published(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::VT => Some(("14.4-14.9", "4.1-5.5")),
            Self::VReset => Some(("14-20", "12.0")),
            Self::EL => Some(("-", "12.1")),
            Self::ESynx => Some(("23-26", "6.3")),
            Self::ESyni => Some(("-", "6.0")),
            _ => None,
        }
    }
}

/// Errors of circuits, of short-term plasticity those of blocks, by quantity: number of the target, error in mV or relative.
pub type Errors = BTreeMap<Quantity, Vec<(u8, f32)>>;

/// The evaluation of a chip.
#[derive(Debug, Clone, Default)]
pub struct ChipEvaluation {
    /// Without calibration of the quantity.
    pub before: Errors,
    /// With calibration.
    pub after: Errors,
    /// What it cost.
    pub cost: Cost,
}

/// Targets: pairs of threshold and reset; the others in V and s.
const FIRING_V: [(f64, f64); 3] = [(0.75, 0.53), (0.95, 0.72), (1.05, 0.83)];
const E_L_V: [f64; 3] = [0.65, 0.7, 0.85];
const E_SYN_V: [[f64; 3]; 2] = [[0.9, 1.05, 1.15], [0.45, 0.55, 0.7]];
const TAU_REF_S: [f64; 4] = [0.12e-6, 0.2e-6, 0.33e-6, 0.5e-6];
const TAU_SYN_S: [f64; 3] = [0.25e-6, 0.4e-6, 0.6e-6];
const TAU_M: [(bool, CurrentScaling, f64); 5] = [
    (true, CurrentScaling::Normal, 1.0e-6),
    (true, CurrentScaling::Normal, 2.2e-6),
    (true, CurrentScaling::Slow, 5.0e-6),
    (false, CurrentScaling::Normal, 0.5e-6),
    (true, CurrentScaling::Fast, 0.8e-6),
];
/// Cells of the recovery, 25 and 8 us, each with a capacitor.
const STP: [(DacCode, StpCapacitor); 2] = [
    (DacCode::new::<24>(), StpCapacitor::new::<5>()),
    (DacCode::new::<78>(), StpCapacitor::new::<2>()),
];
/// How often heights with calibration are measured: the noise of V_gmax moves those of many circuits at
/// once.
const HEIGHTS: usize = 3;
/// A short refractory time that others are compared with, s, and how often.
const REFERENCE_S: f64 = 0.06e-6;
const REFERENCES: usize = 4;

/// Evaluates a chip of a wafer in reset with the records of its circuits; circuits with faults are
/// left out. `observe` hears of each quantity before it is measured, and may stop.
pub fn evaluate_chip(
    wafer: &mut dyn Wafer,
    hicann: HicannOnWafer,
    defects: &Defects,
    calibration: &HicannCalibration,
    circuits: &Table<NeuronOnHicann, CircuitRecord>,
    observe: &mut dyn FnMut(Quantity) -> bool,
) -> Result<ChipEvaluation, CalibrationError> {
    let mut rig = Rig::new(wafer, hicann, defects)?;
    let stimulus = Stimulus::new(&mut rig, inputs::WEIGHT);
    let mut bench = Bench {
        rig,
        stimulus,
        calibration,
        nominal: HicannCalibration::default(),
        shift_v: Table::from_fn(|n| circuits[n].readout_shift_v),
        reset_v: Table::from_fn(|n| circuits[n].reset_shift_v),
        good: NeuronOnHicann::all().filter(|&n| circuits[n].faults.is_empty()).collect(),
        found: ChipEvaluation::default(),
    };
    let mut next =
        |quantity| if observe(quantity) { Ok(()) } else { Err(CalibrationError::Stopped) };
    next(Quantity::VT)?;
    bench.firing()?;
    next(Quantity::EL)?;
    bench.leak()?;
    next(Quantity::ESynx)?;
    bench.reversal(0)?;
    next(Quantity::ESyni)?;
    bench.reversal(1)?;
    next(Quantity::TauRef)?;
    bench.refractory()?;
    next(Quantity::TauM)?;
    bench.membrane()?;
    next(Quantity::TauSynX)?;
    bench.inputs()?;
    next(Quantity::StpU)?;
    bench.plasticity()?;
    bench.found.cost = bench.rig.cost;
    Ok(bench.found)
}

/// Whether a value is set through the calibration.
#[derive(Clone, Copy, PartialEq)]
enum When {
    Before,
    After,
}

const BOTH: [When; 2] = [When::Before, When::After];

/// A chip under evaluation.
struct Bench<'a> {
    rig: Rig<'a>,
    stimulus: Stimulus,
    calibration: &'a HicannCalibration,
    nominal: HicannCalibration,
    shift_v: PerCircuit<f64>,
    reset_v: PerCircuit<f64>,
    good: Vec<NeuronOnHicann>,
    found: ChipEvaluation,
}

impl Bench<'_> {
    fn take(
        &mut self,
        when: When,
        quantity: Quantity,
        target: usize,
        error: impl Fn(NeuronOnHicann) -> Option<f64>,
    ) {
        let errors = match when {
            When::Before => &mut self.found.before,
            When::After => &mut self.found.after,
        };
        let list = errors.entry(quantity).or_default();
        let found = self.good.iter().filter_map(|&n| Some((target as u8, error(n)? as f32)));
        list.extend(found);
    }

    fn firing(&mut self) -> Result<(), CalibrationError> {
        for when in BOTH {
            for (i, (v_t, v_reset)) in FIRING_V.into_iter().enumerate() {
                let mut gates = potentials::firing_gates(self.calibration, v_t);
                match when {
                    When::Before => gates.nominal(P::VT, v_t).nominal_reset(v_reset),
                    When::After => gates.calibrated(P::VT, v_t).calibrated_reset(v_reset),
                };
                let found = measure::firing(&mut self.rig, gates.finish(), &self.shift_v)?;
                let mv = |f: fn(&super::trace::Firing) -> f64, target: f64| {
                    move |v: Option<super::trace::Firing>| Some(1e3 * (f(&v?) - target))
                };
                let (threshold, reset) = (mv(|f| f.threshold_v, v_t), mv(|f| f.reset_v, v_reset));
                self.take(when, Quantity::VT, i, |n| threshold(found[n]));
                self.take(when, Quantity::VReset, i, |n| reset(found[n]));
            }
        }
        Ok(())
    }

    fn leak(&mut self) -> Result<(), CalibrationError> {
        for when in BOTH {
            for (i, v) in E_L_V.into_iter().enumerate() {
                let mut gates = Gates::new(self.calibration);
                // with both inputs on, as in experiments
                gates.input_on(0).input_on(1);
                set(&mut gates, when, P::EL, v);
                let found = measure::rest(&mut self.rig, gates.finish(), &self.shift_v)?;
                self.take(when, Quantity::EL, i, |n| Some(1e3 * (found[n] - v)));
            }
        }
        Ok(())
    }

    fn reversal(&mut self, side: usize) -> Result<(), CalibrationError> {
        let quantity = [Quantity::ESynx, Quantity::ESyni][side];
        for when in BOTH {
            for (i, v) in E_SYN_V[side].into_iter().enumerate() {
                let mut gates = potentials::reversal_gates(self.calibration, side, v);
                set(&mut gates, when, potentials::E_SYN[side], v);
                let (rig, gates) = (&mut self.rig, gates.finish());
                let found = measure::reversal(rig, &self.stimulus, side, gates, &self.shift_v)?;
                self.take(when, quantity, i, |n| Some(1e3 * (found[n] - v)));
            }
        }
        Ok(())
    }

    fn refractory(&mut self) -> Result<(), CalibrationError> {
        // the time from reset to threshold
        let mut rises: PerCircuit<Vec<f64>> = Table::default();
        for turn in 0..REFERENCES {
            let mut gates = times::steep_gates(self.calibration);
            gates.calibrated(P::IPl, REFERENCE_S);
            let found = self.steep_intervals(turn, gates, REFERENCE_S)?;
            for (n, interval) in found.iter() {
                rises[n].extend(interval.map(|s| s - REFERENCE_S));
            }
        }
        for when in BOTH {
            for (i, tau) in TAU_REF_S.into_iter().enumerate() {
                let mut gates = times::steep_gates(self.calibration);
                set(&mut gates, when, P::IPl, tau);
                let found = self.steep_intervals(REFERENCES + i, gates, tau)?;
                self.take(when, Quantity::TauRef, i, |n| {
                    let rise = rises[n].iter().sum::<f64>() / rises[n].len() as f64;
                    Some((found[n]? - rise) / tau - 1.0).filter(|e| e.is_finite())
                });
            }
        }
        Ok(())
    }

    /// Intervals of circuits with a refractory time, as with the reset that was asked for.
    fn steep_intervals(
        &mut self,
        turn: usize,
        mut gates: Gates<'_>,
        tau_ref_s: f64,
    ) -> Result<PerCircuit<Option<f64>>, CalibrationError> {
        let watched = Watched::new(turn);
        watched.hold(&mut gates);
        let (rig, expected_s) = (&mut self.rig, times::steep_interval_s(tau_ref_s));
        let found = measure::intervals(rig, gates.finish(), expected_s)?;
        let above_v = watched.above_v(rig, times::steep_reset(), &self.shift_v, &self.reset_v)?;
        Ok(Table::from_fn(|n: NeuronOnHicann| {
            let gain_s = times::steep_gain_s(above_v[n.shared_fg_block()]);
            found[n].filter(|_| watched.leaves(n)).map(|s| s + gain_s)
        }))
    }

    fn membrane(&mut self) -> Result<(), CalibrationError> {
        let halves = self.rig.chip().neurons.halves;
        let reset_v = self.reset_v.clone();
        for when in BOTH {
            for (i, (big_capacitor, leak, tau)) in TAU_M.into_iter().enumerate() {
                let mode = CircuitMode { big_capacitor, leak };
                let calibration = self.calibration;
                let mut gates = times::gentle_gates(calibration);
                gates.codes(P::IGl, |n| match when {
                    When::Before => times::code_in(mode, tau),
                    When::After => {
                        calibration.neurons[n].to_code(P::IGl, mode, tau).unwrap_or_default()
                    }
                });
                self.rig.chip().neurons.halves = [mode.half(); 2];
                let watched = Watched::new(i);
                watched.hold(&mut gates);
                let (rig, expected_s) = (&mut self.rig, times::gentle_interval_s(tau));
                let found = measure::intervals(rig, gates.finish(), expected_s)?;
                let above_v =
                    watched.above_v(rig, times::gentle_reset(tau), &self.shift_v, &reset_v)?;
                self.take(when, Quantity::TauM, i, |n| {
                    let interval_s = found[n].filter(|_| watched.leaves(n))?;
                    let reset_v = reset_v[n] + above_v[n.shared_fg_block()];
                    Some(times::gentle_tau_m_s(interval_s, reset_v) / tau - 1.0)
                });
            }
        }
        self.rig.chip().neurons.halves = halves;
        Ok(())
    }

    fn inputs(&mut self) -> Result<(), CalibrationError> {
        for when in [When::Before].into_iter().chain([When::After; HEIGHTS]) {
            for (i, tau) in TAU_SYN_S.into_iter().enumerate() {
                let (mut gates, v_gmax) = inputs::gates(self.calibration, tau);
                for parameter in inputs::V_SYNTC_OF {
                    set(&mut gates, when, parameter, tau);
                }
                let levels = levels_s(v_gmax);
                if when == When::After {
                    self.set_weights(|calibration, n, side| {
                        let gain = calibration.neurons[n].input_gain(input(side));
                        digital_weight(levels[inputs::WEIGHT.index()] / gain, &levels).weight
                    });
                }
                let expected = inputs::expected(tau);
                let (rig, gates) = (&mut self.rig, gates.finish());
                let found = measure::potentials(rig, &self.stimulus, gates, &expected)?;
                for (side, quantity) in
                    [Quantity::TauSynX, Quantity::TauSynI].into_iter().enumerate()
                {
                    self.take(when, quantity, i, |n| Some(found[n][side]?.tau_syn_s / tau - 1.0));
                }
                if when == When::After {
                    self.take_heights(when, i, tau, v_gmax, &found);
                }
            }
        }
        // heights without any calibration
        self.set_weights(|_, _, _| inputs::WEIGHT);
        for (i, tau) in TAU_SYN_S.into_iter().enumerate() {
            let nominal = self.nominal.clone();
            let (gates, v_gmax) = inputs::nominal_gates(&nominal, tau);
            let mut expected = inputs::expected(tau);
            expected.tau_m_s.1 = 0.4;
            let (rig, gates) = (&mut self.rig, gates.finish());
            let found = measure::potentials(rig, &self.stimulus, gates, &expected)?;
            self.take_heights(When::Before, i, tau, v_gmax, &found);
        }
        Ok(())
    }

    fn plasticity(&mut self) -> Result<(), CalibrationError> {
        let calibration = self.calibration;
        let circuits = plasticity::listeners(|n| self.good.contains(n));
        for when in BOTH {
            for (i, (code, capacitor)) in STP.into_iter().enumerate() {
                let (rig, stimulus) = (&mut self.rig, &self.stimulus);
                let found =
                    plasticity::depression(rig, stimulus, calibration, &circuits, |block| {
                        let own = &calibration.blocks[block];
                        match when {
                            When::Before => (code, capacitor),
                            When::After => (own.recovery_code(code), own.capacitor(capacitor)),
                        }
                    })?;
                let errors = match when {
                    When::Before => &mut self.found.before,
                    When::After => &mut self.found.after,
                };
                let targets = [law::stp_utilisation(capacitor), plasticity::recovery_s(code)];
                for trains in found.values() {
                    let means = [
                        robust_mean(&trains.iter().map(|t| t.utilisation).collect::<Vec<_>>()),
                        robust_mean(&trains.iter().map(|t| t.recovery).collect::<Vec<_>>()),
                    ];
                    let quantities = [Quantity::StpU, Quantity::StpTauRec];
                    for ((quantity, mean), target) in quantities.into_iter().zip(means).zip(targets)
                    {
                        let error = mean.map(|mean| (i as u8, (mean / target - 1.0) as f32));
                        errors.entry(quantity).or_default().extend(error);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_heights(
        &mut self,
        when: When,
        i: usize,
        tau: f64,
        v_gmax: DacCode,
        found: &PerCircuit<[Option<crate::fit::Psp>; 2]>,
    ) {
        let synapses = self.stimulus.synapses.clone();
        // synapses that do not work are known and not an error of the calibration
        let counts: BTreeMap<(u32, usize), f64> = synapses
            .values()
            .iter()
            .flat_map(|counts| [(counts[0], 0), (counts[1], 1)])
            .map(|key| {
                let strength = inputs::strength_hz(v_gmax, inputs::WEIGHT, key.0);
                (key, inputs::nominal_height_v(strength, tau, key.1))
            })
            .collect();
        for side in [0, 1] {
            self.take(when, Quantity::Psp, 2 * i + side, |n| {
                let target = counts.get(&(synapses[n][side], side)).filter(|v| **v != 0.0)?;
                Some(found[n][side]?.height_v / target - 1.0)
            });
        }
    }

    fn set_weights(
        &mut self,
        weight: impl Fn(&HicannCalibration, NeuronOnHicann, usize) -> SynapseWeight,
    ) {
        let calibration = self.calibration;
        self.stimulus.set_weights(self.rig.chip(), |n, side| weight(calibration, n, side));
    }
}

fn set(gates: &mut Gates<'_>, when: When, parameter: P, value: f64) {
    match when {
        When::Before => gates.nominal(parameter, value),
        When::After => gates.calibrated(parameter, value),
    };
}

/// Conductance of each weight, S.
fn levels_s(v_gmax: DacCode) -> [f64; 16] {
    let mut levels = [0.0; 16];
    for (level, weight) in levels.iter_mut().zip(SynapseWeight::all()) {
        *level = law::synapse_s(weight, v_gmax, law::split_divisor(DIVISOR_SUM));
    }
    levels
}
