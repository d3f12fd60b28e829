//! Conductances to V_gmax, row settings and four-bit weights.
//!
//! A row has one V_gmax and one pair of divisors, a chip four V_gmax. Rows of a chip are grouped by
//! receptor and by their largest conductance into at most four classes, and `calib` chooses the
//! settings of each class so that the conductances lie between digital weight 1 and 15. Rows whose
//! weights a controller updates are classes of their own, whose weight 15 is the largest one asked
//! for.

use std::collections::BTreeMap;

use calib::{GmaxSetting, choose_v_gmax, digital_weight};
use hal::coord::{Coordinate as _, SynapseOnHicann, SynapseRowOnHicann};
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
    let mut largest: [BTreeMap<SynapseRowOnHicann, f64>; 2] = Default::default();
    for w in wanted {
        let of_rows = &mut largest[usize::from(w.largest_s.is_some())];
        let max = of_rows.entry(w.synapse.row()).or_default();
        *max = max.max(w.largest_s.unwrap_or(w.conductance_s));
    }
    let class = classes(rows, &largest);
    let n_classes = class.values().copied().max().map_or(0, |c| c + 1);
    let mut histograms: Vec<BTreeMap<u64, u64>> = vec![BTreeMap::new(); n_classes];
    let shares = shares();
    for w in wanted {
        // bit patterns of positive floats sort like the floats
        let histogram = &mut histograms[class[&w.synapse.row()]];
        match w.largest_s {
            None => *histogram.entry(w.conductance_s.to_bits()).or_default() += 1,
            Some(largest) => {
                for share in &shares[1..] {
                    *histogram.entry((largest * share).to_bits()).or_default() += 1;
                }
            }
        }
    }
    let histograms: Vec<Vec<(f64, u64)>> = histograms
        .into_iter()
        .map(|h| h.into_iter().map(|(bits, n)| (f64::from_bits(bits), n)).collect())
        .collect();
    let choice = choose_v_gmax(&histograms).expect("networks hold finite positive weights");
    let levels: Vec<[f64; 16]> =
        choice.settings.iter().map(|setting| setting.levels_s(choice.v_gmax)).collect();
    let weights = wanted
        .iter()
        .map(|w| {
            let levels = &levels[class[&w.synapse.row()]];
            let chosen = digital_weight(w.conductance_s, levels);
            (chosen.weight, levels[chosen.weight.index()], chosen.clipped)
        })
        .collect();
    let rows = class.into_iter().map(|(row, c)| (row, choice.settings[c])).collect();
    ChipWeights { v_gmax: choice.v_gmax, rows, weights }
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
    largest: &[BTreeMap<SynapseRowOnHicann, f64>; 2],
) -> BTreeMap<SynapseRowOnHicann, usize> {
    let mut class = BTreeMap::new();
    let mut n_classes = 0;
    let lists = Receptor::ALL.into_iter().flat_map(|r| largest.iter().map(move |l| (r, l)));
    for (receptor, largest) in lists {
        let mut of_receptor: Vec<(SynapseRowOnHicann, f64)> = rows
            .iter()
            .filter(|r| r.row_use.receptor == receptor)
            .filter_map(|r| largest.get(&r.row).map(|&max| (r.row, max)))
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
