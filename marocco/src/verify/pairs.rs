//! Long-term plasticity (V24, V26): what is claimed of a projection is near to what it asks for, and
//! the controllers update the rows of its synapses, and no others, by the nominal law of `hal`
//! (analog §5.4).

use calib::PairRule;
use hal::config::{AutomaticUpdate, EvaluationPattern, HicannConfig, SharedParameter};
use hal::coord::{
    Coordinate as _, HicannOnWafer, QuadrantOnHicann, Side, SynapseArrayOnHicann,
    SynapseRowOnArray, Table, Vertical,
};
use hal::law;
use hal::value::SynapseWeight;

use super::{Case, Faults, Rule, per_chip};
use crate::mapping::SynapseFate;

/// Largest logarithm of realised by wanted amplitude: levels are whole numbers.
const AMPLITUDE_TOLERANCE: f64 = 0.2;
/// The same of time constants and amplitudes that are clipped.
const CLIPPED: f64 = std::f64::consts::LN_2 + AMPLITUDE_TOLERANCE;
/// Rounding of a few floating-point operations.
const TOLERANCE: f64 = 1e-7;

/// Rows of an array in use: those of synapses that are to be updated, and others.
#[derive(Clone, Default)]
struct Rows {
    updated: Vec<(SynapseRowOnArray, PairRule)>,
    constant: Vec<SynapseRowOnArray>,
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    for ((_, projection), claimed) in case.network.projections().zip(&case.mapping.pairs) {
        let good = match (&projection.pairs, claimed) {
            (None, None) => true,
            (Some(wanted), Some(claimed)) => is_near(case, wanted, claimed),
            _ => false,
        };
        faults.demand(Rule::V24, good, || {
            let (label, wanted) = (&projection.label, &projection.pairs);
            format!("`{label}` asks for the pair rule {wanted:?}, {claimed:?} is claimed")
        });
    }
    let mut rows: Table<HicannOnWafer, Table<SynapseArrayOnHicann, Rows>> = Table::default();
    for (pairs, fates) in case.mapping.pairs.iter().zip(&case.mapping.synapses) {
        for fate in fates {
            let SynapseFate::Realised { synapse, .. } = fate else { continue };
            let row = synapse.local.row();
            let rows = &mut rows[synapse.hicann][row.array()];
            match pairs {
                Some(rule) if rows.updated.last() != Some(&(row.on_array(), *rule)) => {
                    rows.updated.push((row.on_array(), *rule));
                }
                None if rows.constant.last() != Some(&row.on_array()) => {
                    rows.constant.push(row.on_array());
                }
                _ => {}
            }
        }
    }
    per_chip(case, faults, |hicann, chip, faults| {
        for vertical in Vertical::ALL {
            check_array(hicann, chip, vertical, &rows[hicann], faults);
        }
    });
}

/// Whether the claim is what the law gives for a request, but for rounding and clipping.
fn is_near(case: &Case<'_>, wanted: &PairRule, claimed: &PairRule) -> bool {
    let tau_ms = case.mapping.scaling.time_to_bio_ms(law::CORRELATION_TAU_S);
    let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * b.abs();
    let amplitude = |claimed: f64, wanted: f64| {
        if wanted == 0.0 { claimed == 0.0 } else { (claimed / wanted).ln().abs() <= CLIPPED }
    };
    near(claimed.tau_plus, tau_ms)
        && near(claimed.tau_minus, tau_ms)
        && amplitude(claimed.a_plus, wanted.a_plus)
        && amplitude(claimed.a_minus, wanted.a_minus)
        && claimed.w_max == wanted.w_max
        && (wanted.w_min - TOLERANCE..=wanted.w_min + wanted.w_max / 15.0 + TOLERANCE)
            .contains(&claimed.w_min)
}

fn check_array(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    vertical: Vertical,
    rows: &Table<SynapseArrayOnHicann, Rows>,
    faults: &mut Faults,
) {
    let array = SynapseArrayOnHicann::in_half(vertical);
    let Rows { updated, constant } = &rows[array];
    let Some((first, last)) =
        updated.iter().map(|(row, _)| *row).min().zip(updated.iter().map(|(row, _)| *row).max())
    else {
        return;
    };
    let found = &chip.synapse_controllers[array].plasticity;
    let want = AutomaticUpdate { first_row: first, last_row: last, continuous: true };
    faults.demand(Rule::V26, found.automatic == Some(want), || {
        format!("{hicann}.{array}: {:?} is updated instead of {want:?}", found.automatic)
    });
    if let Some(row) = constant.iter().find(|row| (first..=last).contains(row)) {
        faults.add(Rule::V26, format!("{hicann}.{array}: constant weights of {row} are updated"));
    }
    let off = EvaluationPattern::default();
    let causal = EvaluationPattern { cc: true, aa: true, ..off };
    let acausal = EvaluationPattern { ac: true, ca: true, ..off };
    faults.demand(Rule::V26, found.evaluation == [causal, acausal], || {
        format!("{hicann}.{array}: the controller does not hold causal against acausal pairs")
    });
    for side in Side::ALL {
        let block = QuadrantOnHicann::at(side, vertical).fg_block();
        let code =
            |parameter| f64::from(chip.floating_gates.shared(block, parameter).unwrap_or_default());
        let (threshold, load) = (code(SharedParameter::VThigh), code(SharedParameter::VM));
        let pairs = law::CORRELATION_PAIRS * threshold / load;
        for (row, rule) in updated {
            let table = |amplitude: f64, sign: f64| -> [SynapseWeight; 16] {
                let change = sign * (15.0 * pairs * amplitude).round();
                let floor = (15.0 * rule.w_min / rule.w_max).round();
                std::array::from_fn(|old| {
                    let new = (old as f64 + change).clamp(floor, 15.0);
                    SynapseWeight::from_index(new as usize).unwrap_or_default()
                })
            };
            let exact = |amplitude: f64| {
                let levels = 15.0 * pairs * amplitude;
                (levels - levels.round()).abs() < 1e-6
            };
            let tables = found.lookup.causal == table(rule.a_plus, 1.0)
                && found.lookup.acausal == table(rule.a_minus, -1.0);
            faults.demand(Rule::V26, tables && exact(rule.a_plus) && exact(rule.a_minus), || {
                format!("{hicann}.{array}, {row}, {block}: the weights do not change by {rule:?}")
            });
        }
    }
}
