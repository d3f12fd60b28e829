//! Synapses to rows and columns of the drivers that their bus got.

use std::borrow::Cow;

use hal::coord::{
    Coordinate, RowOnSynapseDriver, SynapseColumnOnHicann, SynapseDriverOnHicann, SynapseOnHicann,
    SynapseRowOnHicann,
};
use hal::defects::{Defects, HicannDefects};

use crate::demand::{RowUse, widths};
use crate::inputs::{Input, InputTable};
use crate::kinds::Kind;
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
    /// Kind of plasticity of each driver, chain by chain.
    pub(crate) drivers: Vec<(SynapseDriverOnHicann, Kind)>,
    /// Each synapse of the network that ends on this chip, with its place or the cause of its loss.
    pub(crate) fates: Vec<(Input, Result<SynapseOnHicann, LossCause>)>,
}

/// Half rows of a kind, receptor and decoder group of a bus, by column parity.
type HalfRows = [Vec<SynapseRowOnHicann>; 2];
/// Receptors times decoder groups.
const CHANNELS: usize = 8;

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
    // where the channels of each demand begin: those of one kind after the other
    let mut first = Vec::with_capacity(chip.demands.len());
    let mut end = 0;
    for demand in &chip.demands {
        first.push(end);
        end += CHANNELS * demand.n_kinds();
    }
    let mut half_rows: Vec<HalfRows> = vec![HalfRows::default(); end];
    let mut gates: Vec<Option<usize>> = vec![None; chip.demands.len()];
    for assigned in &chip.assigned {
        let demand = &chip.demands[assigned.demand];
        let gate = chip.gate(assigned);
        gates[assigned.demand] = Some(gate);
        let uses = demand.uses(&widths, assigned.members.len(), inputs.kinds(), gate);
        for (&driver, driver_use) in assigned.members.iter().zip(uses) {
            result.drivers.push((driver, driver_use.kind));
            let place = demand.place_of(driver_use.kind).unwrap_or_default();
            for (row, row_use) in RowOnSynapseDriver::all().zip(driver_use.rows) {
                let row = driver.row(row);
                result.rows.push(UsedRow { row, row_use });
                for (parity, decoder) in row_use.decoder.into_iter().enumerate() {
                    let channel = channel(place, row_use.receptor, decoder.index());
                    half_rows[first[assigned.demand] + channel][parity].push(row);
                }
            }
        }
    }
    let mut demand_of = vec![usize::MAX; plan.buses.len()];
    for (i, demand) in chip.demands.iter().enumerate() {
        demand_of[demand.bus as usize] = i;
    }
    // places already looked at for the present neuron, by channel
    let mut cursors = vec![0usize; half_rows.len()];
    let mut touched: Vec<usize> = Vec::new();
    let members = &plan.chips[chip.chip].members;
    result.fates.reserve(members.iter().map(|&m| inputs.of(m as usize).len()).sum());
    for (position, &member) in members.iter().enumerate() {
        let Some(neuron) = placement.neurons[member as usize] else { continue };
        let (column, width) = (neuron.column, widths[position]);
        for input in &*by_priority(inputs, member as usize) {
            let Some(Seat { bus, group }) = plan.seats[input.source as usize] else { continue };
            let demand = demand_of[bus as usize];
            let fate = match gates[demand] {
                Some(gate) if !inputs.kinds().serves(gate, input.kind) => {
                    Err(LossCause::NoPlasticity)
                }
                Some(_) => {
                    let place = chip.demands[demand].place_of(input.kind).unwrap_or_default();
                    let channel = channel(place, input.receptor, usize::from(group));
                    let slot = first[demand] + channel;
                    if cursors[slot] == 0 {
                        touched.push(slot);
                    }
                    let place = next(&half_rows[slot], column, width, &mut cursors[slot], defects);
                    place.ok_or(LossCause::NoHalfRow)
                }
                None if chip.taps[demand].is_none() => Err(LossCause::NoRoute),
                None => Err(LossCause::NoDriver),
            };
            result.fates.push((*input, fate));
        }
        for slot in touched.drain(..) {
            cursors[slot] = 0;
        }
    }
    result
}

/// The synapses of a member, the most valuable ones first.
fn by_priority(inputs: &InputTable, member: usize) -> Cow<'_, [Input]> {
    let inputs_of = inputs.of(member);
    if !inputs.has_priorities() {
        return Cow::Borrowed(inputs_of);
    }
    let mut sorted = inputs_of.to_vec();
    sorted.sort_by_key(|input| std::cmp::Reverse(input.priority));
    Cow::Owned(sorted)
}

/// Number of a receptor and group of the kind at a place among those of a demand.
const fn channel(place: usize, receptor: Receptor, group: usize) -> usize {
    CHANNELS * place + 4 * receptor.index() + group
}

/// The next working synapse of a neuron in the half rows of one channel: columns first, then rows.
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

/// The n-th synapse of a neuron in the half rows of one channel.
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
