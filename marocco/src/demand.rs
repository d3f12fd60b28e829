//! How many synapses of a bus a chip can realise with a given number of synapse drivers.
//!
//! A driver has two rows, a row one synaptic input, and each half of a row (even or odd columns)
//! one decoder group of the bus's addresses. A half row gives a neuron one synapse per column of
//! that parity (mapping §2.9). The demand of a bus is therefore a table: synapses realised with
//! 0, 1, 2, ... drivers, each with the best use of their half rows.

use hal::coord::{DriverDecoder, Parity};

use crate::inputs::InputTable;
use crate::network::Receptor;
use crate::plan::{Plan, Seat};

/// Longest chain of drivers that options may ask for.
pub(crate) const MAX_CHAIN: usize = 8;
/// Rows of the longest chain.
const MAX_ROWS: usize = 2 * MAX_CHAIN;
/// Half rows of the longest chain.
const MAX_HALVES: usize = 2 * MAX_ROWS;

/// Synapses between one bus and the neurons of one chip.
#[derive(Debug, Clone)]
pub(crate) struct BusDemand {
    /// The source.
    pub(crate) bus: u32,
    /// Number of synapses by neuron of the chip, receptor and decoder group.
    counts: Vec<u16>,
    /// Synapses realised with 0..=chain drivers.
    pub(crate) realised: [u32; MAX_CHAIN + 1],
    /// All synapses of the bus on this chip.
    pub(crate) wanted: u32,
}

/// The use of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowUse {
    pub(crate) receptor: Receptor,
    /// Decoder of the even and odd columns.
    pub(crate) decoder: [DriverDecoder; 2],
}

/// Best use of half rows for the synapses of one receptor.
struct HalfRows {
    /// Synapses realised with 0.. half rows.
    realised: [u32; MAX_HALVES + 1],
    /// Half rows that go to each decoder group, by number of half rows.
    split: [[u8; 4]; MAX_HALVES + 1],
}

/// Synapses that `halves` half rows of one group give to a neuron of `width` columns, split as
/// evenly as possible over the parities: a value that holds for either parity of the first column.
const fn capacity(halves: usize, width: u8, odd: OddColumn) -> u32 {
    let places = halves * width as usize;
    match odd {
        OddColumn::Lost => (places / 2) as u32,
        OddColumn::Used => places.div_ceil(2) as u32,
    }
}

/// Whether an odd number of half rows on an odd number of columns serves the column that is left
/// over: that depends on where the neuron starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OddColumn {
    /// Counted on for nobody: what drivers are given away by.
    Lost,
    /// Served for everybody: what no assignment exceeds.
    Used,
}

/// The demands of all buses on a chip, in order of the buses.
pub(crate) fn chip_demand(
    plan: &Plan,
    inputs: &InputTable,
    chip: usize,
    chain_length: usize,
) -> Vec<BusDemand> {
    let members = &plan.chips[chip].members;
    let widths = widths(plan, chip);
    let mut demands: Vec<Option<BusDemand>> = vec![None; plan.buses.len()];
    for (position, &member) in members.iter().enumerate() {
        for input in inputs.of(member as usize) {
            let Some(Seat { bus, group }) = plan.seats[input.source as usize] else { continue };
            let demand = demands[bus as usize].get_or_insert_with(|| BusDemand {
                bus,
                counts: vec![0; members.len() * 8],
                realised: [0; MAX_CHAIN + 1],
                wanted: 0,
            });
            let at = position * 8 + input.receptor.index() * 4 + usize::from(group);
            demand.counts[at] += 1;
            demand.wanted += 1;
        }
    }
    let mut demands: Vec<BusDemand> = demands.into_iter().flatten().collect();
    for demand in &mut demands {
        demand.evaluate(&widths, chain_length);
    }
    demands
}

/// Columns of the neurons of a chip, in the order of its members.
pub(crate) fn widths(plan: &Plan, chip: usize) -> Vec<u8> {
    plan.chips[chip].members.iter().map(|&member| plan.width(member as usize)).collect()
}

impl BusDemand {
    fn evaluate(&mut self, widths: &[u8], chain_length: usize) {
        self.realised = self.table(widths, chain_length, OddColumn::Lost);
    }

    /// Synapses realised with 0..=chain drivers.
    fn table(&self, widths: &[u8], chain_length: usize, odd: OddColumn) -> [u32; MAX_CHAIN + 1] {
        let [exc, inh] = self.half_rows(widths, chain_length, odd);
        let mut table = [0; MAX_CHAIN + 1];
        for drivers in 1..=chain_length {
            let rows = 2 * drivers;
            table[drivers] = (0..=rows)
                .map(|r| exc.realised[2 * r] + inh.realised[2 * (rows - r)])
                .max()
                .unwrap_or(0);
        }
        table
    }

    /// The best use of the rows of `drivers` drivers, excitatory rows first.
    pub(crate) fn rows(&self, widths: &[u8], drivers: usize) -> Vec<RowUse> {
        let halves = self.half_rows(widths, drivers, OddColumn::Lost);
        let rows = 2 * drivers;
        let best = |exc: usize| halves[0].realised[2 * exc] + halves[1].realised[2 * (rows - exc)];
        let most = (0..=rows).map(best).max().unwrap_or(0);
        let excitatory = (0..=rows).find(|&r| best(r) == most).unwrap_or(0);
        let mut uses = Vec::with_capacity(rows);
        for (receptor, n_rows) in Receptor::ALL.into_iter().zip([excitatory, rows - excitatory]) {
            let split = halves[receptor.index()].split[2 * n_rows];
            uses.extend(pair_halves(split, n_rows).map(|decoder| RowUse { receptor, decoder }));
        }
        uses
    }

    fn half_rows(&self, widths: &[u8], chain_length: usize, odd: OddColumn) -> [HalfRows; 2] {
        let n_halves = 4 * chain_length;
        Receptor::ALL.map(|receptor| {
            // synapses realised by group and number of half rows
            let mut single = [[0u32; MAX_HALVES + 1]; 4];
            for (neuron, &width) in self.counts.chunks_exact(8).zip(widths) {
                for (group, realised) in single.iter_mut().enumerate() {
                    let wanted = u32::from(neuron[receptor.index() * 4 + group]);
                    if wanted > 0 {
                        for (halves, sum) in realised[..=n_halves].iter_mut().enumerate() {
                            *sum += wanted.min(capacity(halves, width, odd));
                        }
                    }
                }
            }
            best_split(&single, n_halves)
        })
    }
}

/// Exact best split of half rows over the four decoder groups, for every number of half rows.
fn best_split(single: &[[u32; MAX_HALVES + 1]; 4], n_halves: usize) -> HalfRows {
    let mut best =
        HalfRows { realised: single[0], split: std::array::from_fn(|h| [h as u8, 0, 0, 0]) };
    for (group, realised) in single.iter().enumerate().skip(1) {
        if realised[n_halves] == 0 {
            continue;
        }
        for total in (1..=n_halves).rev() {
            for here in 1..=total {
                let sum = best.realised[total - here] + realised[here];
                if sum > best.realised[total] {
                    best.realised[total] = sum;
                    best.split[total] = best.split[total - here];
                    best.split[total][group] = here as u8;
                }
            }
        }
    }
    best
}

/// Pairs the half rows of the groups to rows: each group gets even and odd halves as equally as
/// possible, so that [`capacity`] holds.
fn pair_halves(split: [u8; 4], rows: usize) -> impl Iterator<Item = [DriverDecoder; 2]> {
    let mut sides: [Vec<DriverDecoder>; 2] = [Vec::new(), Vec::new()];
    let mut favoured = Parity::Even;
    for (group, &halves) in split.iter().enumerate() {
        let decoder = DriverDecoder::try_from(group).expect("four groups");
        let mut even = halves as usize / 2;
        if halves % 2 == 1 {
            even += usize::from(favoured == Parity::Even);
            favoured = if favoured == Parity::Even { Parity::Odd } else { Parity::Even };
        }
        sides[0].extend(std::iter::repeat_n(decoder, even));
        sides[1].extend(std::iter::repeat_n(decoder, halves as usize - even));
    }
    let [even, odd] = sides;
    debug_assert!(even.len() == rows && odd.len() == rows);
    even.into_iter().zip(odd).map(|(e, o)| [e, o])
}

/// Synapses that a chip realises if any free driver could take any bus: the best division of the
/// drivers, by dynamic programming over the buses (the ideal-L1 model of mapping §7.2, which
/// divides them greedily). No assignment realises more.
pub(crate) fn ideal_realised(
    demands: &[BusDemand],
    widths: &[u8],
    drivers: usize,
    chain_length: usize,
) -> u64 {
    // the most that the buses so far realise with at most n drivers
    let mut best = vec![0u64; drivers + 1];
    for demand in demands {
        let realised = demand.table(widths, chain_length, OddColumn::Used);
        for n in (0..=drivers).rev() {
            let with = |d: usize| best[n - d] + u64::from(realised[d]);
            best[n] = (0..=chain_length.min(n)).map(with).max().unwrap_or(0);
        }
    }
    best[drivers]
}

#[cfg(test)]
impl BusDemand {
    /// A bus to which each of so many drivers is worth a synapse.
    pub(crate) fn of_drivers(bus: u32, drivers: usize) -> Self {
        let realised = std::array::from_fn(|d| d.min(drivers) as u32);
        Self { bus, counts: Vec::new(), realised, wanted: drivers as u32 }
    }
}
