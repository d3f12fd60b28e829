//! How many synapses of a bus a chip can realise with a given number of synapse drivers.
//!
//! A driver has two rows, a row one synaptic input, and each half of a row (even or odd columns)
//! one decoder group of the bus's addresses. A half row gives a neuron one synapse per column of
//! that parity (mapping §2.9). The demand of a bus is therefore a table: synapses realised with
//! 0, 1, 2, ... drivers, each with the best use of their half rows. A driver serves one kind of
//! short-term plasticity, so a bus with several kinds shares its drivers out among them.

use hal::coord::{DriverDecoder, Parity};

use crate::inputs::InputTable;
use crate::kinds::{Kind, Kinds};
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
    /// Its synapses, in the order in which the kinds first appear.
    kinds: Vec<KindDemand>,
    /// What drivers realise, by gate of their quadrant, in ordinary synapses.
    realised: Vec<DriverTable>,
    /// All synapses of the bus on this chip.
    pub(crate) wanted: u32,
    /// What they are worth together, in ordinary synapses.
    pub(crate) worth: u32,
}

/// Synapses realised with 0..=chain drivers.
pub(crate) type DriverTable = [u32; MAX_CHAIN + 1];

/// The synapses of one kind.
#[derive(Debug, Clone)]
struct KindDemand {
    kind: Kind,
    /// Number by neuron of the chip, receptor and decoder group.
    counts: Vec<u16>,
    /// What they are worth; empty if all are worth 1.
    worth: Vec<u32>,
}

/// The use of one driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DriverUse {
    pub(crate) kind: Kind,
    pub(crate) rows: [RowUse; 2],
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
                kinds: Vec::new(),
                realised: Vec::new(),
                wanted: 0,
                worth: 0,
            });
            let at = position * 8 + input.receptor.index() * 4 + usize::from(group);
            let of_kind = demand.of_kind(input.kind, members.len());
            of_kind.counts[at] += 1;
            if inputs.has_priorities() {
                of_kind.worth.resize(of_kind.counts.len(), 0);
                of_kind.worth[at] += u32::from(input.priority);
            }
            demand.wanted += 1;
            demand.worth += u32::from(input.priority);
        }
    }
    let mut demands: Vec<BusDemand> = demands.into_iter().flatten().collect();
    for demand in &mut demands {
        demand.evaluate(&widths, chain_length, inputs.kinds());
    }
    demands
}

/// Columns of the neurons of a chip, in the order of its members.
pub(crate) fn widths(plan: &Plan, chip: usize) -> Vec<u8> {
    plan.chips[chip].members.iter().map(|&member| plan.width(member as usize)).collect()
}

impl BusDemand {
    fn of_kind(&mut self, kind: Kind, members: usize) -> &mut KindDemand {
        let place = self.place_of(kind).unwrap_or_else(|| {
            self.kinds.push(KindDemand { kind, counts: vec![0; members * 8], worth: Vec::new() });
            self.kinds.len() - 1
        });
        &mut self.kinds[place]
    }

    /// Position of a kind among those of the bus.
    pub(crate) fn place_of(&self, kind: Kind) -> Option<usize> {
        self.kinds.iter().position(|k| k.kind == kind)
    }

    /// Number of kinds.
    pub(crate) fn n_kinds(&self) -> usize {
        self.kinds.len()
    }

    fn evaluate(&mut self, widths: &[u8], chain_length: usize, kinds: &Kinds) {
        let tables: Vec<DriverTable> =
            self.kinds.iter().map(|k| k.table(widths, chain_length, OddColumn::Lost)).collect();
        let served = |gate| {
            let kinds =
                self.kinds.iter().zip(&tables).filter(move |(k, _)| kinds.serves(gate, k.kind));
            share(kinds.map(|(_, table)| table), chain_length).0
        };
        self.realised = kinds.gates().map(served).collect();
    }

    /// Synapses realised with 0..=chain drivers of a quadrant with this gate.
    pub(crate) fn realised(&self, gate: usize) -> &DriverTable {
        &self.realised[gate]
    }

    /// The most synapses that 0..=chain drivers realise, whatever their gate.
    fn at_best(&self, widths: &[u8], chain_length: usize) -> DriverTable {
        let table = |k: &KindDemand| k.table(widths, chain_length, OddColumn::Used);
        let tables: Vec<DriverTable> = self.kinds.iter().map(table).collect();
        share(tables.iter(), chain_length).0
    }

    /// The best use of `drivers` drivers of a quadrant with this gate, kind by kind, excitatory rows
    /// first.
    pub(crate) fn uses(
        &self,
        widths: &[u8],
        drivers: usize,
        kinds: &Kinds,
        gate: usize,
    ) -> Vec<DriverUse> {
        let served: Vec<&KindDemand> =
            self.kinds.iter().filter(|k| kinds.serves(gate, k.kind)).collect();
        let tables: Vec<DriverTable> =
            served.iter().map(|k| k.table(widths, drivers, OddColumn::Lost)).collect();
        let (_, mut shares) = share(tables.iter(), drivers);
        // what nobody gains from goes to the first kind
        let idle = drivers - shares.iter().sum::<usize>();
        if let Some(first) = shares.first_mut() {
            *first += idle;
        }
        let uses = served.iter().zip(shares).flat_map(|(k, n)| k.uses(widths, n));
        uses.collect()
    }
}

/// The best division of 0..=`drivers` drivers among kinds with these tables: what it realises, and
/// how many of all drivers each kind gets; no more than it gains from.
fn share<'a>(
    tables: impl Iterator<Item = &'a DriverTable>,
    drivers: usize,
) -> (DriverTable, Vec<usize>) {
    let mut best: DriverTable = [0; MAX_CHAIN + 1];
    let mut choices: Vec<[u8; MAX_CHAIN + 1]> = Vec::new();
    for table in tables {
        let mut choice = [0; MAX_CHAIN + 1];
        for n in (0..=drivers).rev() {
            let with = |d: usize| best[n - d] + table[d];
            let most = (0..=n).map(with).max().unwrap_or(0);
            choice[n] = (0..=n).find(|&d| with(d) == most).unwrap_or(0) as u8;
            best[n] = most;
        }
        choices.push(choice);
    }
    let mut left = drivers;
    let mut shares: Vec<usize> = choices
        .iter()
        .rev()
        .map(|choice| {
            let here = usize::from(choice[left]);
            left -= here;
            here
        })
        .collect();
    shares.reverse();
    (best, shares)
}

impl KindDemand {
    fn table(&self, widths: &[u8], chain_length: usize, odd: OddColumn) -> DriverTable {
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
    fn uses(&self, widths: &[u8], drivers: usize) -> Vec<DriverUse> {
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
        let pairs = uses.chunks_exact(2);
        pairs.map(|rows| DriverUse { kind: self.kind, rows: [rows[0], rows[1]] }).collect()
    }

    fn half_rows(&self, widths: &[u8], chain_length: usize, odd: OddColumn) -> [HalfRows; 2] {
        let n_halves = 4 * chain_length;
        Receptor::ALL.map(|receptor| {
            // synapses realised by group and number of half rows
            let mut single = [[0u32; MAX_HALVES + 1]; 4];
            for ((i, neuron), &width) in self.counts.chunks_exact(8).enumerate().zip(widths) {
                for (group, realised) in single.iter_mut().enumerate() {
                    let at = receptor.index() * 4 + group;
                    let wanted = u32::from(neuron[at]);
                    if wanted == 0 {
                        continue;
                    }
                    // no bound is about worth: there every synapse counts
                    let worth = match odd {
                        OddColumn::Lost => self.worth.get(8 * i + at).copied().unwrap_or(wanted),
                        OddColumn::Used => wanted,
                    };
                    for (halves, sum) in realised[..=n_halves].iter_mut().enumerate() {
                        let served = wanted.min(capacity(halves, width, odd));
                        *sum += if worth == wanted { served } else { worth * served / wanted };
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
        let realised = demand.at_best(widths, chain_length);
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
        let realised = vec![std::array::from_fn(|d| d.min(drivers) as u32)];
        let (wanted, worth) = (drivers as u32, drivers as u32);
        Self { bus, kinds: Vec::new(), realised, wanted, worth }
    }
}
