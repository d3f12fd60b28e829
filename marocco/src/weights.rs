//! Conductances to V_gmax, row settings and four-bit weights.
//!
//! A row has one V_gmax and one pair of divisors, a chip four V_gmax. Rows of a chip are grouped by
//! receptor and by their largest conductance into at most four classes, and `calib` chooses the
//! settings of each class so that the conductances lie between digital weight 1 and 15. Rows whose
//! weights a controller updates are classes of their own, whose weight 15 is the largest one asked
//! for.

use std::collections::BTreeMap;

use calib::{GmaxSetting, choose_v_gmax, digital_weight};
use hal::coord::{Coordinate as _, SynapseOnHicann, SynapseRowOnHicann, Table};
use hal::law;
use hal::value::{DacCode, SynapseWeight};

use crate::network::Receptor;
use crate::synapses::UsedRow;

/// Ratio between the largest conductances of two rows above which a class of rows is split.
const SPLIT_RATIO: f64 = 1.25;

/// A synapse that has its place and wants a conductance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) synapse: SynapseOnHicann,
    /// Siemens on the wafer.
    pub(crate) conductance_s: f64,
    /// Of a synapse that a controller updates: what its largest weight shall conduct.
    pub(crate) largest_s: Option<f64>,
}

/// The weights of a chip.
#[derive(Debug)]
pub(crate) struct ChipWeights {
    /// V_gmax0..3 of all four blocks.
    pub(crate) v_gmax: [DacCode; 4],
    /// Setting of each used row.
    pub(crate) rows: BTreeMap<SynapseRowOnHicann, GmaxSetting>,
    /// In the order of the wanted synapses: weight, the conductance it stands for in siemens, and
    /// whether the request was larger than weight 15.
    pub(crate) weights: Vec<(SynapseWeight, f64, bool)>,
}

/// Chooses settings and weights for the synapses of a chip.
pub(crate) fn choose(rows: &[UsedRow], wanted: &[Wanted]) -> ChipWeights {
    // rows that controllers update apart from the others
    let mut largest: [Table<SynapseRowOnHicann, Option<f64>>; 2] = Default::default();
    for w in wanted {
        let max = &mut largest[usize::from(w.largest_s.is_some())][w.synapse.row()];
        let wish = w.largest_s.unwrap_or(w.conductance_s);
        *max = Some(max.map_or(wish, |max| max.max(wish)));
    }
    let class = classes(rows, &largest);
    let n_classes = class.values().copied().max().map_or(0, |c| c + 1);
    let mut class_of: Table<SynapseRowOnHicann, usize> = Table::default();
    for (&row, &class) in &class {
        class_of[row] = class;
    }
    let mut asked: Vec<Vec<f64>> = vec![Vec::new(); n_classes];
    let shares = shares();
    for w in wanted {
        let asked = &mut asked[class_of[w.synapse.row()]];
        match w.largest_s {
            None => asked.push(w.conductance_s),
            Some(largest) => asked.extend(shares[1..].iter().map(|share| largest * share)),
        }
    }
    let histograms: Vec<Vec<(f64, u64)>> = asked.into_iter().map(histogram).collect();
    let choice = choose_v_gmax(&histograms).expect("networks hold finite positive weights");
    let levels: Vec<[f64; 16]> =
        choice.settings.iter().map(|setting| setting.levels_s(choice.v_gmax)).collect();
    let weights = wanted
        .iter()
        .map(|w| {
            let levels = &levels[class_of[w.synapse.row()]];
            let chosen = digital_weight(w.conductance_s, levels);
            (chosen.weight, levels[chosen.weight.index()], chosen.clipped)
        })
        .collect();
    let rows = class.into_iter().map(|(row, c)| (row, choice.settings[c])).collect();
    ChipWeights { v_gmax: choice.v_gmax, rows, weights }
}

/// Equal values together, ascending, and how many of each there are.
fn histogram(mut values: Vec<f64>) -> Vec<(f64, u64)> {
    values.sort_unstable_by(f64::total_cmp);
    let equal = values.chunk_by(|a, b| a.to_bits() == b.to_bits());
    equal.map(|same| (same[0], same.len() as u64)).collect()
}

/// What weights conduct as shares of the largest one; the same for all settings of a row.
fn shares() -> [f64; 16] {
    let divisor = law::split_divisor(1);
    let conductance = |weight| law::synapse_s(weight, DacCode::MAX, divisor);
    let mut shares = [0.0; 16];
    for (share, weight) in shares.iter_mut().zip(SynapseWeight::all()) {
        *share = conductance(weight) / conductance(SynapseWeight::MAX);
    }
    shares
}

/// The class of each row that has synapses: at most two per receptor and list of rows.
fn classes(
    rows: &[UsedRow],
    largest: &[Table<SynapseRowOnHicann, Option<f64>>; 2],
) -> BTreeMap<SynapseRowOnHicann, usize> {
    let mut class = BTreeMap::new();
    let mut n_classes = 0;
    let lists = Receptor::ALL.into_iter().flat_map(|r| largest.iter().map(move |l| (r, l)));
    for (receptor, largest) in lists {
        let mut of_receptor: Vec<(SynapseRowOnHicann, f64)> = rows
            .iter()
            .filter(|r| r.row_use.receptor == receptor)
            .filter_map(|r| largest[r.row].map(|max| (r.row, max)))
            .collect();
        of_receptor.sort_by(|a, b| a.1.total_cmp(&b.1));
        // rows below the widest gap form a class of their own
        let gap = of_receptor
            .windows(2)
            .enumerate()
            .map(|(i, w)| (w[1].1 / w[0].1, i + 1))
            .filter(|&(ratio, _)| ratio > SPLIT_RATIO)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(0, |(_, i)| i);
        for part in [&of_receptor[..gap], &of_receptor[gap..]] {
            if !part.is_empty() {
                class.extend(part.iter().map(|&(row, _)| (row, n_classes)));
                n_classes += 1;
            }
        }
    }
    class
}
