//! Synapses to rows and columns of the drivers that their bus got.

use hal::coord::{
    Coordinate, RowOnSynapseDriver, SynapseColumnOnHicann, SynapseOnHicann, SynapseRowOnHicann,
};
use hal::defects::{Defects, HicannDefects};

use crate::demand::{RowUse, widths};
use crate::inputs::{Input, InputTable};
use crate::mapping::{LossCause, Placement};
use crate::network::Receptor;
use crate::packing::PackedChip;
use crate::plan::{Plan, Seat};

/// A row in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedRow {
    pub(crate) row: SynapseRowOnHicann,
    pub(crate) row_use: RowUse,
}

/// What a chip realises.
#[derive(Debug, Default)]
pub(crate) struct ChipSynapses {
    pub(crate) rows: Vec<UsedRow>,
    /// Each synapse of the network that ends on this chip, with its place or the cause of its loss.
    pub(crate) fates: Vec<(Input, Result<SynapseOnHicann, LossCause>)>,
}

/// Half rows of a receptor and decoder group of a bus, by column parity.
type HalfRows = [Vec<SynapseRowOnHicann>; 2];
/// Receptors times decoder groups.
const KINDS: usize = 8;

/// Distributes the synapses of a chip.
pub(crate) fn assign(
    plan: &Plan,
    inputs: &InputTable,
    chip: &PackedChip,
    placement: &Placement,
    defects: &Defects,
) -> ChipSynapses {
    let widths = widths(plan, chip.chip);
    let defects = defects.record(chip.hicann);
    let mut result = ChipSynapses::default();
    // by demand and kind
    let mut half_rows: Vec<HalfRows> = vec![HalfRows::default(); KINDS * chip.demands.len()];
    let mut served = vec![false; chip.demands.len()];
    for assigned in &chip.assigned {
        served[assigned.demand] = true;
        let rows = assigned
            .members
            .iter()
            .flat_map(|driver| RowOnSynapseDriver::all().map(|row| driver.row(row)));
        let uses = chip.demands[assigned.demand].rows(&widths, assigned.members.len());
        for (row, row_use) in rows.zip(uses) {
            result.rows.push(UsedRow { row, row_use });
            for (parity, decoder) in row_use.decoder.into_iter().enumerate() {
                let kind = kind(row_use.receptor, decoder.index());
                half_rows[KINDS * assigned.demand + kind][parity].push(row);
            }
        }
    }
    let mut demand_of = vec![usize::MAX; plan.buses.len()];
    for (i, demand) in chip.demands.iter().enumerate() {
        demand_of[demand.bus as usize] = i;
    }
    // places already looked at for the present neuron, by demand and kind
    let mut cursors = vec![0usize; half_rows.len()];
    let mut touched: Vec<usize> = Vec::new();
    let members = &plan.chips[chip.chip].members;
    result.fates.reserve(members.iter().map(|&m| inputs.of(m as usize).len()).sum());
    for (position, &member) in members.iter().enumerate() {
        let Some(neuron) = placement.neurons[member as usize] else { continue };
        let (column, width) = (neuron.column, widths[position]);
        for input in inputs.of(member as usize) {
            let Some(Seat { bus, group }) = plan.seats[input.source as usize] else { continue };
            let demand = demand_of[bus as usize];
            let fate = if served[demand] {
                let slot = KINDS * demand + kind(input.receptor, usize::from(group));
                if cursors[slot] == 0 {
                    touched.push(slot);
                }
                let place = next(&half_rows[slot], column, width, &mut cursors[slot], defects);
                place.ok_or(LossCause::NoHalfRow)
            } else if chip.taps[demand].is_none() {
                Err(LossCause::NoRoute)
            } else {
                Err(LossCause::NoDriver)
            };
            result.fates.push((*input, fate));
        }
        for slot in touched.drain(..) {
            cursors[slot] = 0;
        }
    }
    result
}

const fn kind(receptor: Receptor, group: usize) -> usize {
    4 * receptor.index() + group
}

/// The next working synapse of a neuron in the half rows of one kind: columns first, then rows.
fn next(
    rows: &HalfRows,
    first_column: u8,
    width: u8,
    cursor: &mut usize,
    defects: Option<&HicannDefects>,
) -> Option<SynapseOnHicann> {
    loop {
        let place = nth(rows, first_column, width, *cursor);
        *cursor += 1;
        let synapse = place?;
        if defects.is_none_or(|d| !d.is_defective(synapse)) {
            return Some(synapse);
        }
    }
}

/// The n-th synapse of a neuron in the half rows of one kind.
fn nth(rows: &HalfRows, first_column: u8, width: u8, n: usize) -> Option<SynapseOnHicann> {
    let mut n = n;
    for (parity, rows) in rows.iter().enumerate() {
        let first = first_column as usize + (first_column as usize + parity) % 2;
        let end = first_column as usize + width as usize;
        let n_columns = end.saturating_sub(first).div_ceil(2);
        if n < n_columns * rows.len() {
            let column = SynapseColumnOnHicann::from_index(first + 2 * (n % n_columns))?;
            return Some(rows[n / n_columns].synapse(column));
        }
        n -= n_columns * rows.len();
    }
    None
}
