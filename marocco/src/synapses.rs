//! Synapses to rows and columns of the drivers that their bus got.

use std::collections::BTreeMap;

use hal::coord::{
    Coordinate, RowOnSynapseDriver, SynapseColumnOnHicann, SynapseOnHicann, SynapseRowOnHicann,
};

use crate::demand::{BusDemand, RowUse};
use crate::drivers::Assigned;
use crate::inputs::{Input, InputTable};
use crate::mapping::LossCause;
use crate::plan::{Plan, addresses};

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

/// The rows of one bus that serve one receptor and decoder group, by column parity.
type HalfRows = BTreeMap<(usize, usize), [Vec<SynapseRowOnHicann>; 2]>;

/// Distributes the synapses of a chip. `columns[i]` are the first column and the width of the
/// neuron at position i of the chip's bus.
pub(crate) fn assign(
    plan: &Plan,
    inputs: &InputTable,
    chip: usize,
    demands: &[BusDemand],
    drivers: &[Assigned],
    columns: &[(u8, u8)],
) -> ChipSynapses {
    let group: Vec<usize> = addresses().map(|a| a.driver_decoder().index()).collect();
    let mut result = ChipSynapses::default();
    let mut half_rows: BTreeMap<u32, HalfRows> = BTreeMap::new();
    for assigned in drivers {
        let demand = &demands[assigned.demand];
        let rows = assigned
            .members
            .iter()
            .flat_map(|driver| RowOnSynapseDriver::all().map(|row| driver.row(row)));
        let uses = demand.rows(plan.size.width(), assigned.members.len());
        let by_group = half_rows.entry(demand.bus).or_default();
        for (row, row_use) in rows.zip(uses) {
            result.rows.push(UsedRow { row, row_use });
            for (parity, decoder) in row_use.decoder.into_iter().enumerate() {
                let key = (row_use.receptor.index(), decoder.index());
                by_group.entry(key).or_default()[parity].push(row);
            }
        }
    }
    for (position, &member) in plan.buses[chip].members.iter().enumerate() {
        let (column, width) = columns[position];
        // synapses already given to this neuron, by bus, receptor and group
        let mut next: BTreeMap<(u32, usize, usize), usize> = BTreeMap::new();
        for input in inputs.of(member as usize) {
            let Some(seat) = plan.seat[input.source as usize] else { continue };
            let fate = match half_rows.get(&seat.bus) {
                None => Err(LossCause::NoDriver),
                Some(by_group) => {
                    let key = (input.receptor.index(), group[seat.position as usize]);
                    let n = next.entry((seat.bus, key.0, key.1)).or_default();
                    let place = by_group.get(&key).and_then(|rows| nth(rows, column, width, *n));
                    *n += 1;
                    place.ok_or(LossCause::NoHalfRow)
                }
            };
            result.fates.push((*input, fate));
        }
    }
    result
}

/// The n-th synapse of a neuron in the half rows of one group: columns first, then rows.
fn nth(
    rows: &[Vec<SynapseRowOnHicann>; 2],
    first_column: u8,
    width: u8,
    n: usize,
) -> Option<SynapseOnHicann> {
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
