//! Circuit modes, floating-gate cells and synaptic strength against the claim (V05).
//!
//! What the cells of every circuit give by the nominal law of `hal` must be the claimed cell, and
//! what V_gmax and divisors of a row give must be the claimed weight. That is exact on the ideal
//! wafer, where all circuits of a neuron hold the same codes. With a measured calibration they are held
//! against that (`calibrated`); where it is not at hand, only modes are compared.

use std::sync::atomic::{AtomicUsize, Ordering};

use calib::{CellParameters, HicannCalibration, TsodyksMarkram};
use hal::config::{HicannConfig, NeuronHalf, NeuronParameter, SharedParameter};
use hal::coord::{
    Coordinate, FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, OnWafer, SynapseOnHicann, Table,
};
use hal::law::{self, CircuitParameters};
use hal::value::{DacCode, GmaxSelect, SynapseWeight};
use rayon::prelude::*;

use super::calibrated::Calibrated;
use super::{Case, Faults, Rule, neurons, per_chip};
use crate::mapping::SynapseFate;

/// Rounding of a few floating-point operations; one step of a cell is more than a thousand times
/// larger.
const TOLERANCE: f64 = 1e-7;
/// The same for weights, which the claim holds in single precision.
const WEIGHT_TOLERANCE: f64 = 1e-6;

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut members: Table<HicannOnWafer, Vec<usize>> = Table::default();
    for (member, neuron) in case.mapping.placement.neurons.iter().enumerate() {
        if let Some(neuron) = neuron.filter(|&n| neurons::is_in_one_block(n)) {
            members[neuron.hicann].push(member);
        }
    }
    per_chip(case, faults, |hicann, chip, faults| {
        check_modes(case, hicann, chip, faults);
        check_shared(case, hicann, chip, faults);
        let calibration = case.rules.measured(hicann);
        if case.rules.calibrated.is_some() && calibration.is_none() {
            return;
        }
        let mode = case.mapping.mode(hicann);
        let calibrated =
            calibration.map(|calibration| Calibrated { calibration, mode, hicann, chip });
        for &member in &members[hicann] {
            check_cell(case, hicann, chip, member, calibrated.as_ref(), faults);
        }
    });
    check_weights(case, faults);
}

fn check_modes(case: &Case<'_>, hicann: HicannOnWafer, chip: &HicannConfig, faults: &mut Faults) {
    let mode = case.mapping.mode(hicann);
    let want =
        NeuronHalf { big_capacitor: mode.big_capacitor, i_gl: mode.leak, ..NeuronHalf::default() };
    for half in chip.neurons.halves {
        faults.demand(Rule::V05, half == want, || {
            format!("{hicann}: a half of the circuits is set to {half:?} instead of {want:?}")
        });
    }
}

/// The parameters that a chip chooses once stand in all of its blocks.
fn check_shared(case: &Case<'_>, hicann: HicannOnWafer, chip: &HicannConfig, faults: &mut Faults) {
    let gates = &chip.floating_gates;
    let first = FgBlockOnHicann::new::<0>();
    if case.rules.calibrated.is_some() {
        // each block has a calibration of its own
        check_calibrated_gmax(case, hicann, chip, faults);
        return;
    }
    let reset = [SharedParameter::VReset];
    for parameter in GmaxSelect::all().map(SharedParameter::gmax).chain(reset) {
        for block in FgBlockOnHicann::all() {
            let (found, want) = (gates.shared(block, parameter), gates.shared(first, parameter));
            faults.demand(Rule::V05, found == want, || {
                format!("{hicann}: {} of {block} differs from that of {first}", parameter.name())
            });
        }
    }
}

/// The V_gmax of all blocks stand for the same value, up to rounding; where the largest code is too
/// small, for a lower one. That of a chip whose synapses do nothing does not matter: it is that of every
/// chip that events only pass.
fn check_calibrated_gmax(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    faults: &mut Faults,
) {
    let Some(calibration) = case.rules.measured(hicann) else { return };
    if !chip.synapses.drivers.values().iter().any(|driver| driver.enable) {
        return;
    }
    for select in GmaxSelect::all() {
        let of = |block| effective_gmax(chip, block, select, Some(calibration));
        let Some((most, most_step)) = largest_gmax(chip, select, calibration) else { continue };
        for block in FgBlockOnHicann::all() {
            let Some((own, step)) = of(block) else { continue };
            let parameter = SharedParameter::gmax(select);
            let at_end = v_gmax_code(chip, block, select) == Some(DacCode::MAX);
            let near = most - own <= 0.5 * (step + most_step) * (1.0 + TOLERANCE);
            faults.demand(Rule::V05, near || at_end, || {
                let name = parameter.name();
                let code = v_gmax_code(chip, block, select).unwrap_or_default();
                format!(
                    "{hicann}: {name} of {block}, {code}, stands for {own:.1}, not for {most:.1}"
                )
            });
        }
    }
}

/// The nominal code that V_gmax of a block stands for by its calibration, and what a code is there.
fn effective_gmax(
    chip: &HicannConfig,
    block: FgBlockOnHicann,
    select: GmaxSelect,
    calibration: Option<&HicannCalibration>,
) -> Option<(f64, f64)> {
    let code = v_gmax_code(chip, block, select)?;
    let Some(calibration) = calibration else { return Some((code.into(), 0.0)) };
    let parameter = SharedParameter::gmax(select);
    let nominal = |code: DacCode| {
        let own_a = calibration.blocks[block].from_code(parameter, code).ok()?;
        Some(own_a / law::amperes(1.0))
    };
    Some((nominal(code)?, nominal(DacCode::new::<1>())?))
}

/// The largest of them of all blocks.
fn largest_gmax(
    chip: &HicannConfig,
    select: GmaxSelect,
    calibration: &HicannCalibration,
) -> Option<(f64, f64)> {
    FgBlockOnHicann::all()
        .filter_map(|block| effective_gmax(chip, block, select, Some(calibration)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

fn v_gmax_code(chip: &HicannConfig, block: FgBlockOnHicann, select: GmaxSelect) -> Option<DacCode> {
    chip.floating_gates.shared(block, SharedParameter::gmax(select))
}

fn check_cell(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    member: usize,
    calibrated: Option<&Calibrated<'_>>,
    faults: &mut Faults,
) {
    let Some(claimed) = &case.mapping.parameters.cells[member] else {
        faults.add(Rule::V05, format!("{} has no realised parameters", case.name(member)));
        return;
    };
    let Some(neuron) = case.mapping.placement.neurons[member] else { return };
    for circuit in neuron.circuits() {
        let expected = expected(case, hicann, claimed);
        check_idle_cells(case, chip, circuit, &expected, member, calibrated, faults);
        if let Some(calibrated) = calibrated {
            let circuits = [neuron.first_circuit(), circuit];
            calibrated.check(case, circuits, &expected, member, faults);
            continue;
        }
        let found = law::circuit(&chip.floating_gates, &chip.neurons, circuit);
        for (name, get) in PARAMETERS {
            let (found, want) = (get(&found), get(&expected));
            let near = (found - want).abs() <= TOLERANCE * want.abs().max(1e-15);
            faults.demand(Rule::V05, near, || {
                let who = case.name(member);
                format!("{hicann}.{circuit} of {who}: {name} is {found:.6e}, claimed {want:.6e}")
            });
        }
    }
}

/// A number of a circuit.
type Get = fn(&CircuitParameters) -> f64;

/// All numbers of a circuit that its cells give; parts that are off count as 0.
const PARAMETERS: [(&str, Get); 14] = [
    ("tau_m/s", |c| c.tau_m_s),
    ("E_l/V", |c| c.e_l_v),
    ("E_synx/V", |c| c.e_synx_v),
    ("E_syni/V", |c| c.e_syni_v),
    ("V_t/V", |c| c.v_t_v),
    ("V_reset/V", |c| c.v_reset_v),
    ("tau_ref/s", |c| c.tau_ref_s),
    ("tau_syn_x/s", |c| c.tau_syn_x_s),
    ("tau_syn_i/s", |c| c.tau_syn_i_s),
    ("a/S", |c| c.adaptation.map_or(0.0, |a| a.a_s)),
    ("b/A", |c| c.adaptation.map_or(0.0, |a| a.b_a)),
    ("tau_w/s", |c| c.adaptation.map_or(0.0, |a| a.tau_w_s)),
    ("V_exp/V", |c| c.exponential.map_or(0.0, |e| e.v_exp_v)),
    ("delta_T/V", |c| c.exponential.map_or(0.0, |e| e.delta_t_v)),
];

/// The circuit that realises a cell (analog §1.4, §1.6).
fn expected(case: &Case<'_>, hicann: HicannOnWafer, cell: &CellParameters) -> CircuitParameters {
    let scaling = &case.mapping.scaling;
    let is_big = case.mapping.mode(hicann).big_capacitor;
    let capacitance_f = if is_big { law::BIG_CAPACITOR_F } else { law::SMALL_CAPACITOR_F };
    let (v, t) = (|mv| scaling.potential_to_hw_v(mv), |ms| scaling.time_to_hw_s(ms));
    match cell {
        CellParameters::IfCondExp(c) => CircuitParameters {
            capacitance_f,
            tau_m_s: t(c.tau_m),
            e_l_v: v(c.v_rest),
            e_synx_v: v(c.e_rev_e),
            e_syni_v: v(c.e_rev_i),
            v_t_v: v(c.v_thresh),
            v_reset_v: v(c.v_reset),
            tau_ref_s: t(c.tau_refrac),
            tau_syn_x_s: t(c.tau_syn_e),
            tau_syn_i_s: t(c.tau_syn_i),
            adaptation: None,
            exponential: None,
        },
        CellParameters::EifCondExpIsfaIsta(c) => {
            // without the exponential term the cell fires where the term would have set in
            let fires_at = if c.delta_t == 0.0 { c.v_thresh.min(c.v_spike) } else { c.v_spike };
            let adapts = c.a != 0.0 || c.b != 0.0;
            CircuitParameters {
                capacitance_f,
                tau_m_s: t(c.tau_m),
                e_l_v: v(c.v_rest),
                e_synx_v: v(c.e_rev_e),
                e_syni_v: v(c.e_rev_i),
                v_t_v: v(fires_at),
                v_reset_v: v(c.v_reset),
                tau_ref_s: t(c.tau_refrac),
                tau_syn_x_s: t(c.tau_syn_e),
                tau_syn_i_s: t(c.tau_syn_i),
                adaptation: adapts.then(|| law::Adaptation {
                    a_s: scaling.conductance_to_hw_s(c.a, c.cm, capacitance_f),
                    b_a: scaling.current_to_hw_a(c.b, c.cm, capacitance_f),
                    tau_w_s: t(c.tau_w),
                }),
                exponential: (c.delta_t != 0.0).then(|| law::Exponential {
                    v_exp_v: v(c.v_thresh),
                    delta_t_v: scaling.difference_to_hw_v(c.delta_t),
                }),
            }
        }
    }
}

/// Cells that no number above depends on: technical ones at their constants (analog §1.5), those of
/// parts that are off at the value that switches them off (analog §1.6).
fn check_idle_cells(
    case: &Case<'_>,
    chip: &HicannConfig,
    circuit: NeuronOnHicann,
    expected: &CircuitParameters,
    member: usize,
    calibrated: Option<&Calibrated<'_>>,
    faults: &mut Faults,
) {
    use NeuronParameter as P;
    let off = DacCode::default();
    let mut idle: Vec<(P, DacCode)> = [
        P::IBexp,
        P::IConvi,
        P::IConvx,
        P::IIntbbi,
        P::IIntbbx,
        P::ISpikeamp,
        P::VSyni,
        P::VSynx,
        P::VConvoffi,
        P::VConvoffx,
    ]
    .map(|parameter| {
        let nominal = || parameter.default_code();
        (parameter, calibrated.map_or_else(nominal, |c| c.constant(circuit, parameter)))
    })
    .to_vec();
    if expected.adaptation.is_none() {
        idle.extend([(P::IGladapt, off), (P::IFire, off), (P::IRadapt, DacCode::MAX)]);
    }
    if expected.exponential.is_none() {
        idle.extend([(P::VExp, DacCode::MAX), (P::IRexp, DacCode::MAX)]);
    }
    for (parameter, want) in idle {
        let found = chip.floating_gates.neuron(circuit, parameter);
        faults.demand(Rule::V05, found == want, || {
            let (who, name) = (case.name(member), parameter.name());
            format!("{circuit} of {who}: {name} is {found} instead of {want}")
        });
    }
}

/// V_gmax, its selection and the divisors of every realised synapse's row.
fn check_weights(case: &Case<'_>, faults: &mut Faults) {
    for ((id, projection), fates) in case.network.projections().zip(&case.mapping.synapses) {
        let (_, post) = case.network.endpoints(id);
        let first = case.offsets[post.index()];
        let claimed = &case.mapping.realised_weights_us[id.index()];
        let plasticity = case.mapping.plasticity[id.index()].as_ref();
        let share = plasticity.map_or(1.0, TsodyksMarkram::row_share);
        let n_short = AtomicUsize::new(0);
        let wrong: Vec<String> = projection
            .synapses
            .par_iter()
            .zip(fates)
            .zip(claimed)
            .enumerate()
            .filter_map(|(i, ((wanted, fate), &want_us))| {
                let SynapseFate::Realised { synapse, weight } = *fate else { return None };
                let chip = case.config.hicanns.get(&synapse.hicann)?;
                let target = first + wanted.post as usize;
                let silent = weight == SynapseWeight::default();
                let row = weight_us(case, chip, synapse, weight, target)?;
                n_short.fetch_add(usize::from(row.is_short), Ordering::Relaxed);
                let found_us = if silent { 0.0 } else { row.us / share };
                let off = (found_us - f64::from(want_us)).abs();
                let good = off <= (WEIGHT_TOLERANCE + row.rounding) * found_us;
                (!good).then(|| {
                    format!(
                        "`{}`, synapse {i} at {synapse}: its row gives {found_us:.6e} uS, claimed \
                         {want_us:.6e}",
                        projection.label
                    )
                })
            })
            .collect();
        for message in wrong {
            faults.add(Rule::V05, message);
        }
        let (n_short, counted) = (n_short.into_inner(), case.mapping.clipped_weights[id.index()]);
        faults.demand(Rule::V05, n_short <= counted, || {
            let label = &projection.label;
            format!("`{label}`: {n_short} weights are short of V_gmax, {counted} are counted")
        });
    }
}

/// What a synapse conducts by the settings of its row.
struct RowWeight {
    /// In units of the network.
    us: f64,
    /// Share of it that the rounding of a calibrated V_gmax may be.
    rounding: f64,
    /// Whether V_gmax of its block is at its end, and stands for less than in other blocks.
    is_short: bool,
}

/// What a synapse of this weight conducts; none if the calibration is not at hand.
fn weight_us(
    case: &Case<'_>,
    chip: &HicannConfig,
    synapse: OnWafer<SynapseOnHicann>,
    weight: SynapseWeight,
    target: usize,
) -> Option<RowWeight> {
    let row = chip.synapses.row(synapse.local.row());
    let block = synapse.local.row().driver().quadrant().fg_block();
    let calibration = case.rules.measured(synapse.hicann);
    if case.rules.calibrated.is_some() && calibration.is_none() {
        return None;
    }
    let select = row.gmax_select;
    let (v_gmax, step) = effective_gmax(chip, block, select, calibration)?;
    let rounding = 0.5 * step / v_gmax;
    // the largest code is too small for a block that conducts so much less than the others
    let is_short = calibration
        .filter(|_| v_gmax_code(chip, block, select) == Some(DacCode::MAX))
        .and_then(|calibration| largest_gmax(chip, select, calibration))
        .is_some_and(|(most, most_step)| most - v_gmax > most_step + step);
    let conductance_s = law::synapse_s(weight, v_gmax, row.gmax_divisor);
    let cm_nf = case.mapping.parameters.cells[target]?.cm();
    let size = case.mapping.placement.neurons[target]?.size();
    let (mode, scaling) = (case.mapping.mode(synapse.hicann), &case.mapping.scaling);
    let us = calib::weight_us(conductance_s, cm_nf, size, mode, scaling);
    Some(RowWeight { us, rounding, is_short })
}
