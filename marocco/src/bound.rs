//! What no mapping can beat.

use crate::inputs::InputTable;
use crate::mapping::Placement;

/// Synapse rows above and below a column of circuits.
const ROWS: usize = 448;

/// Share of the synapses that exceed the columns of their neurons: the column bound of mapping
/// §7.6.
///
/// Proof: a synapse of a neuron lies in one of the neuron's columns (topology §7.3), each column
/// has 448 synapses, and each realises at most one synapse of the network. A neuron of width w
/// with K synapses therefore loses at least K - 448 w of them, whatever is placed or routed.
pub(crate) fn column_bound(inputs: &InputTable, placement: &Placement) -> f64 {
    let lost: usize = placement
        .neurons
        .iter()
        .enumerate()
        .filter_map(|(member, neuron)| {
            let columns = usize::from((*neuron)?.width);
            Some(inputs.of(member).len().saturating_sub(ROWS * columns))
        })
        .sum();
    lost as f64 / inputs.len().max(1) as f64
}
