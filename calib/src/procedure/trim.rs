//! Which circuit of a neuron fires: chosen after programming.
//!
//! Programming leaves 4.6 mV of noise in every cell, more than calibration can know beforehand, and the
//! rate of a neuron near its threshold changes much with a millivolt. But of the joined circuits of
//! a neuron any one can fire, and their thresholds differ by this noise. So each neuron is driven as a
//! network drives it, through its excitatory inputs with the V_gmax of the network, each circuit as much
//! as its synapses in the network do, to a potential a little above its threshold. Its circuits fire in turns, and their intervals are compared with that of
//! a nominal neuron. This sees errors of leak potential, conductances and synaptic times as well.
//!
//! Calibration makes the mean of many circuits right. So the middle of all responses counts as
//! nominal, which takes errors of the drive out, and each neuron gets the circuit next to it.
//!
//! Only registers are written that are quick to write; floating gates stay as they are.

use hal::config::{FloatingGates, HicannConfig, Neurons, SharedParameter};
use hal::coord::{
    Coordinate as _, FgBlockOnHicann, HicannOnWafer, L1Address, NeuronOnHicann,
    SynapseColumnOnHicann, SynapseRowOnHicann, Table,
};
use hal::defects::Defects;
use hal::law;
use hal::value::{GmaxSelect, SynapseWeight};
use hal::wafer::Wafer;

use super::CalibrationError;
use super::rig::Rig;
use super::stimulus::{COLLECTING, Rotation, Stimulus, side_of_row};
use super::trace;
use crate::fit::median;
use crate::{CellParameters, CircuitMode, HicannCalibration, IfCondExp, Scaling, digital_weight};

/// How far above the threshold the drive would take the membrane, as a share of the way from reset
/// to threshold. The less, the less do errors of reset potentials matter.
const ABOVE: f64 = 0.15;
/// Weight of a circuit that gets as much as the mean of its neuron, at most: others get up to three times
/// that.
const MIDDLE_WEIGHT: usize = 5;
/// Time between events in a half, s: what the link of a chip does for two halves, with room, and
/// up to which the conductance is steady.
const EVERY_S: (f64, f64) = (0.128e-6, 0.16e-6);
/// Intervals that a recording has room for, and time before, s.
const INTERVALS: f64 = 16.0;
const SETTLE_S: f64 = 3e-6;
/// Rounds in which weights are scaled until they drive as far as wanted.
const SCALING_ROUNDS: usize = 3;
/// Longest interval that is looked at, s.
const LONGEST_S: f64 = 20e-6;
/// Events of neurons per second that leave a chip beside those that lock receivers.
const EVENTS_HZ: f64 = 9e6;

/// What the circuits of a neuron did: the logarithm of the interval between spikes over the nominal
/// one, infinite of those that did not fire.
pub type Responses = Vec<(NeuronOnHicann, f64)>;

/// The circuit of each neuron that should fire, out of the responses of all neurons of a network; none
/// where none has fired.
pub fn firing_circuits(responses: &[Responses]) -> Vec<Option<NeuronOnHicann>> {
    let all: Vec<f64> = responses.iter().flatten().map(|(_, response)| *response).collect();
    let middle = median(&all).filter(|middle| middle.is_finite());
    let Some(middle) = middle else { return vec![None; responses.len()] };
    let off = |&(_, response): &(NeuronOnHicann, f64)| (response - middle).abs();
    responses
        .iter()
        .map(|of_neuron| {
            let fired = of_neuron.iter().filter(|(_, response)| response.is_finite());
            fired.min_by(|a, b| off(a).total_cmp(&off(b))).map(|r| r.0)
        })
        .collect()
}

/// A neuron whose firing circuit is to be chosen.
#[derive(Debug, Clone)]
pub struct Candidates<'a> {
    /// Its circuits.
    pub circuits: Vec<NeuronOnHicann>,
    /// What it should be.
    pub cell: &'a CellParameters,
}

/// A neuron as it should be, by the law of the hardware.
#[derive(Debug, Clone, Copy)]
struct Nominal {
    /// Conductance of the leak of a circuit, S.
    leak_s: f64,
    capacitance_f: f64,
    e_l_v: f64,
    e_synx_v: f64,
    v_t_v: f64,
    v_reset_v: f64,
    tau_ref_s: f64,
    tau_syn_s: f64,
}

impl Nominal {
    fn new(cell: &IfCondExp, scaling: &Scaling, mode: CircuitMode) -> Self {
        let volts = |mv| scaling.potential_to_hw_v(mv);
        let seconds = |ms| scaling.time_to_hw_s(ms);
        let capacitance_f = law::capacitance_f(&mode.half());
        Self {
            leak_s: capacitance_f / seconds(cell.tau_m),
            capacitance_f,
            e_l_v: volts(cell.v_rest),
            e_synx_v: volts(cell.e_rev_e),
            v_t_v: volts(cell.v_thresh),
            v_reset_v: volts(cell.v_reset),
            tau_ref_s: seconds(cell.tau_refrac),
            tau_syn_s: seconds(cell.tau_syn_e),
        }
    }

    /// Conductance of a circuit's excitatory input that drives the membrane as far as wanted, S.
    fn wanted_s(&self) -> f64 {
        let aim_v = self.v_t_v + ABOVE * (self.v_t_v - self.v_reset_v);
        (self.leak_s * (aim_v - self.e_l_v) / (self.e_synx_v - aim_v)).max(0.0)
    }

    /// Interval between spikes with a steady conductance of each circuit, s; none if it does not
    /// fire.
    fn interval_s(&self, drive_s: f64) -> Option<f64> {
        let total_s = self.leak_s + drive_s;
        let end_v = (self.leak_s * self.e_l_v + drive_s * self.e_synx_v) / total_s;
        let rise = ((end_v - self.v_reset_v) / (end_v - self.v_t_v)).ln();
        let interval = self.tau_ref_s + self.capacitance_f / total_s * rise;
        (end_v > self.v_t_v && interval < LONGEST_S).then_some(interval)
    }
}

/// Rows, weights and times of the drive.
#[derive(Debug, Clone, Copy)]
struct Drive {
    /// Code of a nominal V_gmax.
    v_gmax: f64,
    divisor_sum: usize,
    every_s: f64,
}

impl Drive {
    /// The drive that suits a neuron in the middle of all: with large weights, whose steps are fine.
    fn new(v_gmax: f64, middle: &Nominal) -> Self {
        let wanted_s = middle.wanted_s();
        let mut best = (f64::INFINITY, Self { v_gmax, divisor_sum: 30, every_s: EVERY_S.0 });
        for divisor_sum in 1..=30 {
            for weight in SynapseWeight::all().skip(1).take(MIDDLE_WEIGHT) {
                let drive = Self { divisor_sum, ..best.1 };
                let every_s = drive.level_s(weight) * middle.tau_syn_s / wanted_s;
                let off = (EVERY_S.0 / every_s).max(every_s / EVERY_S.1).max(1.0);
                let cost = off - 1e-3 * weight.index() as f64;
                if cost < best.0 {
                    let every_s = every_s.clamp(EVERY_S.0, 1e-6);
                    best = (cost, Self { every_s, ..drive });
                }
            }
        }
        best.1
    }

    fn level_s(&self, weight: SynapseWeight) -> f64 {
        law::synapse_s(weight, self.v_gmax, law::split_divisor(self.divisor_sum))
    }

    /// Mean conductance of a circuit that hears all events, S.
    fn conductance_s(&self, weight: SynapseWeight, nominal: &Nominal) -> f64 {
        self.level_s(weight) * nominal.tau_syn_s / self.every_s
    }

    /// Weights of the synapses of each circuit and side that drive a neuron as far as wanted, and its mean
    /// conductance with them, S. `loads` tells what they should be like, with a mean of 1, and `shares`
    /// which part of the events arrives.
    fn weights(
        &self,
        nominal: &Nominal,
        loads: &[[f64; 2]],
        shares: &[[f64; 2]],
    ) -> (Vec<[SynapseWeight; 2]>, f64) {
        let mut levels_s = [0.0; 16];
        for (level, weight) in levels_s.iter_mut().zip(SynapseWeight::all()) {
            *level = self.conductance_s(weight, nominal);
        }
        let with = |scale_s: f64| {
            let nearest = |load: f64| digital_weight(scale_s * load, &levels_s).weight;
            let weights: Vec<[SynapseWeight; 2]> =
                loads.iter().map(|sides| sides.map(nearest)).collect();
            let heard = weights.iter().zip(shares).flat_map(|(w, s)| w.iter().zip(s));
            let sum: f64 = heard.map(|(w, share)| share * levels_s[w.index()]).sum();
            (weights, sum / loads.len() as f64)
        };
        let wanted_s = nominal.wanted_s();
        let mut scale_s = wanted_s;
        for _ in 0..SCALING_ROUNDS {
            let (_, drive_s) = with(scale_s);
            if drive_s > 0.0 {
                scale_s *= wanted_s / drive_s;
            }
        }
        with(scale_s)
    }
}

/// What the excitatory rows of a configuration can conduct to each circuit from each side of the chip, S.
fn loads(
    config: &HicannConfig,
    calibration: &HicannCalibration,
) -> Table<NeuronOnHicann, [f64; 2]> {
    let mut loads: Table<NeuronOnHicann, [f64; 2]> = Table::default();
    for row in SynapseRowOnHicann::all() {
        let settings = config.synapses.row(row);
        if !config.synapses.drivers[row.driver()].enable || !settings.synaptic_input[0] {
            continue;
        }
        let block = row.driver().quadrant().fg_block();
        let v_gmax = nominal_gmax(config, calibration, block, settings.gmax_select);
        for column in SynapseColumnOnHicann::all() {
            let synapse = row.synapse(column);
            let weight = config.synapses.weights[synapse];
            if weight.index() > 0 {
                loads[synapse.neuron()][side_of_row(row).index()] +=
                    law::synapse_s(weight, v_gmax, settings.gmax_divisor);
            }
        }
    }
    loads
}

/// The loads of a neuron's circuits relative to their mean, by sides that are driven; all alike if it has
/// no synapses.
fn relative(loads: &[[f64; 2]], shares: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mean = loads.iter().flatten().sum::<f64>() / (2 * loads.len()) as f64;
    if mean <= 0.0 {
        return vec![[1.0; 2]; loads.len()];
    }
    let of = |(load, share): (&[f64; 2], &[f64; 2])| {
        if share.iter().all(|s| *s > 0.0) {
            load.map(|l| l / mean)
        } else {
            [0.5 * (load[0] + load[1]) / mean; 2]
        }
    };
    loads.iter().zip(shares).map(of).collect()
}

/// A neuron while its circuits are tried.
#[derive(Debug, Clone)]
struct Trial {
    neuron: usize,
    circuits: Vec<NeuronOnHicann>,
    interval_s: f64,
    responses: Responses,
}

/// The responses of the circuits of each neuron; none of cells with adaptation or exponential term,
/// which this does not know, and of a chip whose buses or mergers do not serve.
///
/// `wafer` holds the chip in reset or as programmed with `config`, whose floating gates and joined
/// circuits are used; all else of it is set anew for the measurement.
pub fn responses(
    wafer: &mut dyn Wafer,
    hicann: HicannOnWafer,
    defects: &Defects,
    config: &HicannConfig,
    calibration: &HicannCalibration,
    neurons: &[Candidates<'_>],
    scaling: &Scaling,
) -> Result<Vec<Responses>, CalibrationError> {
    let mut found = vec![Responses::new(); neurons.len()];
    // both halves of a chip are in one mode
    let half = config.neurons.half(NeuronOnHicann::new::<0>());
    let mode = CircuitMode { big_capacitor: half.big_capacitor, leak: half.i_gl };
    let nominal: Vec<Option<Nominal>> = neurons
        .iter()
        .map(|n| match n.cell {
            CellParameters::IfCondExp(cell) => Some(Nominal::new(cell, scaling, mode)),
            CellParameters::EifCondExpIsfaIsta(_) => None,
        })
        .collect();
    let mut driven: Vec<&Nominal> = nominal.iter().flatten().collect();
    driven.sort_by(|a, b| a.wanted_s().total_cmp(&b.wanted_s()));
    let Some(middle) = driven.get(driven.len() / 2) else { return Ok(found) };
    let (select, v_gmax) = excitatory_gmax(config, calibration);
    let drive = Drive::new(v_gmax, middle);

    let mut rig = Rig::new(wafer, hicann, defects)?;
    let stimulus = Stimulus::new(&mut rig, SynapseWeight::default());
    let divisor = law::split_divisor(drive.divisor_sum);
    let Some(rotation) = Rotation::new(&mut rig, &stimulus, select, divisor) else {
        return Ok(found);
    };
    take_over(rig.chip(), &config.floating_gates, &config.neurons);

    let loads = loads(config, calibration);
    let mut weights: Table<NeuronOnHicann, [SynapseWeight; 2]> = Table::default();
    let mut trials = Vec::new();
    for (i, (candidates, nominal)) in neurons.iter().zip(&nominal).enumerate() {
        let Some(nominal) = nominal else { continue };
        let circuits = &candidates.circuits;
        let mut drive_s = 0.0;
        if nominal.wanted_s() > 0.0 {
            let own: Vec<[f64; 2]> = circuits.iter().map(|&c| loads[c]).collect();
            let shares: Vec<[f64; 2]> = circuits.iter().map(|&c| rotation.share(c)).collect();
            let (chosen, s) = drive.weights(nominal, &relative(&own, &shares), &shares);
            drive_s = s;
            for (&circuit, sides) in circuits.iter().zip(chosen) {
                weights[circuit] = sides;
            }
        }
        if let Some(interval_s) = nominal.interval_s(drive_s) {
            let circuits = circuits.clone();
            trials.push(Trial { neuron: i, circuits, interval_s, responses: Responses::new() });
        }
    }
    rotation.set_weights(rig.chip(), |n| weights[n]);
    let mut rest = trials.as_mut_slice();
    while !rest.is_empty() {
        let (group, others) = rest.split_at_mut(group_size(rest));
        try_circuits(&mut rig, &rotation, drive.every_s, group)?;
        rest = others;
    }
    for trial in trials {
        found[trial.neuron] = trial.responses;
    }
    Ok(found)
}

/// The V_gmax that most excitatory rows of a chip use, and the code of a nominal one that it stands for.
fn excitatory_gmax(config: &HicannConfig, calibration: &HicannCalibration) -> (GmaxSelect, f64) {
    let mut users = [0; GmaxSelect::SIZE];
    for row in SynapseRowOnHicann::all() {
        let settings = config.synapses.row(row);
        let enabled = config.synapses.drivers[row.driver()].enable;
        users[settings.gmax_select.index()] += usize::from(enabled && settings.synaptic_input[0]);
    }
    let most = GmaxSelect::all().max_by_key(|s| (users[s.index()], std::cmp::Reverse(s.index())));
    let select = most.unwrap_or_default();
    let blocks = FgBlockOnHicann::all();
    let codes: Vec<f64> =
        blocks.map(|block| nominal_gmax(config, calibration, block, select)).collect();
    (select, codes.iter().sum::<f64>() / codes.len() as f64)
}

/// The code of a nominal V_gmax that a block's stands for.
fn nominal_gmax(
    config: &HicannConfig,
    calibration: &HicannCalibration,
    block: FgBlockOnHicann,
    select: GmaxSelect,
) -> f64 {
    let parameter = SharedParameter::gmax(select);
    let code = config.floating_gates.shared(block, parameter).unwrap_or_default();
    let amperes = calibration.blocks[block].from_code(parameter, code);
    amperes.map_or(f64::from(code), |a| a / law::amperes(1.0))
}

/// Cells and membranes of a configuration, with nothing that fires.
fn take_over(chip: &mut HicannConfig, gates: &FloatingGates, neurons: &Neurons) {
    chip.floating_gates = gates.clone();
    chip.neurons = neurons.clone();
    for circuit in chip.neurons.circuits.values_mut() {
        (circuit.activate_firing, circuit.enable_spl1_output) = (false, false);
    }
}

/// Addresses of neurons: none that a row answers to.
fn addresses() -> impl Iterator<Item = L1Address> {
    L1Address::all().skip(16).filter(|a| a.is_usable())
}

/// How many neurons can be recorded together.
fn group_size(trials: &[Trial]) -> usize {
    let mut hz = 0.0;
    let fits = |t: &&Trial| {
        hz += 1.0 / t.interval_s;
        hz <= EVENTS_HZ
    };
    trials.iter().take_while(fits).count().clamp(1, addresses().count())
}

/// Lets the circuits of some neurons fire, one after the other.
fn try_circuits(
    rig: &mut Rig<'_>,
    rotation: &Rotation,
    every_s: f64,
    trials: &mut [Trial],
) -> Result<(), CalibrationError> {
    let longest = trials.iter().map(|t| t.interval_s).fold(0.0, f64::max);
    let end_s = SETTLE_S + INTERVALS * longest;
    let pulses = rotation.pulses(every_s, end_s);
    let turns = trials.iter().map(|t| t.circuits.len()).max().unwrap_or(0);
    for turn in 0..turns {
        let firing: Vec<(usize, NeuronOnHicann, L1Address)> = trials
            .iter()
            .enumerate()
            .zip(addresses())
            .filter_map(|((i, t), address)| Some((i, *t.circuits.get(turn)?, address)))
            .collect();
        for &(_, circuit, address) in &firing {
            let circuit = &mut rig.chip().neurons.circuits[circuit];
            (circuit.activate_firing, circuit.enable_spl1_output) = (true, true);
            circuit.address = address;
        }
        let events = rig.record(&pulses, end_s)?;
        for &(i, circuit, address) in &firing {
            let own = events.iter().filter(|e| {
                (e.label.gbit_link, e.label.address) == (COLLECTING.gbit_link(), address)
            });
            let times: Vec<f64> =
                own.map(|e| e.time.hardware_s()).filter(|t| *t > SETTLE_S).collect();
            let trial = &mut trials[i];
            let interval_s = trace::interval(&times).unwrap_or(f64::INFINITY);
            trial.responses.push((circuit, (interval_s / trial.interval_s).ln()));
            let settings = &mut rig.chip().neurons.circuits[circuit];
            (settings.activate_firing, settings.enable_spl1_output) = (false, false);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The neurons of the balanced random network.
    const CELL: IfCondExp = IfCondExp {
        cm: 1.0,
        tau_m: 10.0,
        tau_refrac: 2.0,
        tau_syn_e: 3.0,
        tau_syn_i: 3.0,
        v_rest: 0.0,
        v_reset: 10.0,
        v_thresh: 20.0,
        e_rev_e: 140.0,
        e_rev_i: -140.0,
    };

    fn nominal() -> Nominal {
        let scaling = Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).expect("valid");
        Nominal::new(&CELL, &scaling, CircuitMode::default())
    }

    #[test]
    fn the_circuit_next_to_the_middle_of_all_fires() {
        let at = |circuit: usize, response| {
            (NeuronOnHicann::from_index(circuit).expect("in range"), response)
        };
        let responses = [
            vec![at(0, 0.3), at(1, 0.12), at(2, -0.5)],
            vec![],
            vec![at(7, 0.1), at(8, 0.0)],
            vec![at(9, -2.0), at(10, f64::INFINITY)],
        ];
        let chosen: Vec<_> =
            firing_circuits(&responses).into_iter().map(|c| c.map(NeuronOnHicann::index)).collect();
        assert_eq!(chosen, [Some(1), None, Some(7), Some(9)]);
        assert_eq!(firing_circuits(&[vec![], vec![]]), [None, None]);
    }

    #[test]
    fn a_steady_drive_gives_the_interval_of_an_integrated_membrane() {
        let nominal = nominal();
        let drive_s = nominal.wanted_s();
        let (dt, mut v, mut t) = (1e-11, nominal.v_reset_v, nominal.tau_ref_s);
        while v < nominal.v_t_v {
            let leak = nominal.leak_s * (nominal.e_l_v - v);
            let input = drive_s * (nominal.e_synx_v - v);
            v += dt * (leak + input) / nominal.capacitance_f;
            t += dt;
        }
        let interval = nominal.interval_s(drive_s).expect("it fires");
        assert!((interval / t - 1.0).abs() < 1e-3, "{interval} {t}");
        assert_eq!(nominal.interval_s(0.7 * drive_s), None);
    }

    #[test]
    fn loads_are_relative_to_their_mean_on_sides_that_are_driven() {
        let loads = [[1.0, 3.0], [0.0, 4.0]];
        assert_eq!(relative(&loads, &[[0.5, 0.5]; 2]), [[0.5, 1.5], [0.0, 2.0]]);
        assert_eq!(relative(&loads, &[[1.0, 0.0]; 2]), [[1.0, 1.0]; 2]);
        assert_eq!(relative(&[[0.0; 2]; 2], &[[0.5, 0.5]; 2]), [[1.0; 2]; 2]);
    }

    #[test]
    fn drives_reach_what_is_wanted_within_what_links_carry() {
        let nominal = nominal();
        for code in [20, 104, 400, 1023] {
            let drive = Drive::new(f64::from(code), &nominal);
            // circuits with few and many synapses, some of which do not work
            let loads: Vec<[f64; 2]> =
                (0..10).map(|i| [0.4 + 0.12 * f64::from(i), 1.6 - 0.12 * f64::from(i)]).collect();
            let shares = vec![[0.5, 0.45]; loads.len()];
            let (weights, drive_s) = drive.weights(&nominal, &loads, &shares);
            let share = drive_s / nominal.wanted_s();
            assert!((0.9..1.1).contains(&share), "{code}: {drive:?} {share}");
            assert!(weights[0][1] > weights[0][0] && weights[9][1] < weights[9][0], "{weights:?}");
            assert!(drive.every_s >= EVERY_S.0, "{code}: {drive:?}");
        }
    }
}
