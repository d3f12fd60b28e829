//! Neurons: circuits, membranes, firing circuits and their addresses (V01 to V03, V12).

use hal::config::{HicannConfig, Neurons};
use hal::coord::{Coordinate, HicannOnWafer, NeuronOnHicann, Table, Vertical};

use super::{Case, Faults, Rule, per_chip};
use crate::mapping::LogicalNeuron;
use crate::network::PopulationKind;

/// The member whose neuron owns a circuit.
type Owners = Table<NeuronOnHicann, Option<u32>>;

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    check_kinds(case, faults);
    check_claimed(case, faults);
    let mut by_chip: Table<HicannOnWafer, Vec<u32>> = Table::default();
    for (member, neuron) in case.mapping.placement.neurons.iter().enumerate() {
        let Some(neuron) = *neuron else { continue };
        faults.demand(Rule::V19, case.config.hicanns.contains_key(&neuron.hicann), || {
            format!("{} lies on {}, which has no words", case.name(member), neuron.hicann)
        });
        let fits = is_in_one_block(neuron);
        faults.demand(Rule::V02, fits, || {
            let (from, width) = (neuron.column, neuron.width);
            let name = case.name(member);
            format!("{name}: {width} columns from {from} on {} are not in one block", neuron.hicann)
        });
        if fits {
            by_chip[neuron.hicann].push(member as u32);
        }
    }
    per_chip(case, faults, |hicann, chip, faults| {
        let owners = check_disjoint(case, hicann, &by_chip[hicann], faults);
        check_joints(case, hicann, chip, &owners, faults);
        check_membranes(case, hicann, chip, &by_chip[hicann], faults);
        check_firing(case, hicann, chip, &owners, faults);
    });
}

/// Whether a neuron has a possible shape (topology §7.2): blocks of 32 columns are hard limits.
pub(super) fn is_in_one_block(neuron: LogicalNeuron) -> bool {
    let (column, width) = (neuron.column as usize, neuron.width as usize);
    width > 0 && column / 32 == (column + width - 1) / 32
}

fn check_kinds(case: &Case<'_>, faults: &mut Faults) {
    let placement = &case.mapping.placement;
    for ((_, population), first) in case.network.populations().zip(&case.offsets) {
        for member in *first..first + population.size {
            let placed = placement.neurons[member].is_some();
            match population.kind {
                PopulationKind::Neurons(_) => {
                    faults.demand(Rule::V01, placed, || {
                        format!("{} has no circuits", case.name(member))
                    });
                    faults.demand(Rule::V01, placement.addresses[member].is_some(), || {
                        format!("{} has no address", case.name(member))
                    });
                }
                PopulationKind::Sources(_) => faults.demand(Rule::V01, !placed, || {
                    format!("{} is a source but has circuits", case.name(member))
                }),
            }
        }
    }
}

fn check_disjoint(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    members: &[u32],
    faults: &mut Faults,
) -> Owners {
    let mut owners = Owners::default();
    for &member in members {
        for circuit in circuits(case, member) {
            if let Some(other) = owners[circuit].replace(member) {
                let (one, two) = (case.name(other as usize), case.name(member as usize));
                faults
                    .add(Rule::V03, format!("{hicann}.{circuit} belongs to both {one} and {two}"));
            }
        }
    }
    owners
}

/// Circuits are joined in the form of topology §7.2 and not otherwise: both rows of a column,
/// neighbours inside a quad in both rows, quads by the fire input of the top row, which leads away
/// from the firing circuit.
fn check_joints(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    owners: &Owners,
    faults: &mut Faults,
) {
    let at = |column: usize, row| owners[NeuronOnHicann::at(column as u8, row)];
    let same = |a: Option<u32>, b: Option<u32>| a.is_some() && a == b;
    for (quad, switches) in chip.neurons.quads.iter() {
        let first = 2 * quad.index();
        let vertical = [first, first + 1]
            .map(|column| same(at(column, Vertical::Top), at(column, Vertical::Bottom)));
        faults.demand(Rule::V02, switches.vertical == vertical, || {
            let found = switches.vertical;
            format!("{hicann}.{quad}: rows are joined {found:?} instead of {vertical:?}")
        });
        let horizontal = Vertical::ALL.map(|row| same(at(first, row), at(first + 1, row)));
        faults.demand(Rule::V02, switches.horizontal == horizontal, || {
            let found = switches.horizontal;
            format!("{hicann}.{quad}: columns are joined {found:?} instead of {horizontal:?}")
        });
    }
    for (circuit, settings) in chip.neurons.circuits.iter() {
        let (column, row) = (circuit.column(), circuit.vertical());
        // the neighbour in the next quad, which left circuits have on their left
        let facing = if column % 2 == 0 { column.checked_sub(1) } else { Some(column + 1) };
        let facing = facing.filter(|&c| row == Vertical::Top && c < 256);
        let wanted = facing.is_some_and(|facing| {
            let firing = owners[circuit].and_then(|m| case.firing(m));
            same(owners[circuit], at(facing, row))
                && firing.is_some_and(|f| (f.column() / 2 < column / 2) == (facing < column))
                && firing.is_some_and(|f| f.quad() != circuit.quad())
        });
        faults.demand(Rule::V02, settings.enable_fire_input == wanted, || {
            let found = settings.enable_fire_input;
            format!("{hicann}.{circuit}: fire input is {found} instead of {wanted}")
        });
    }
}

/// The circuits of a chip that closed switches short to one membrane: groups of two and more, in
/// the order of their first circuits.
pub fn membranes(neurons: &Neurons) -> Vec<Vec<NeuronOnHicann>> {
    let mut seen: Table<NeuronOnHicann, bool> = Table::default();
    let mut groups = Vec::new();
    for first in NeuronOnHicann::all() {
        let mut group = Vec::new();
        let mut todo = vec![first];
        while let Some(circuit) = todo.pop() {
            if !std::mem::replace(&mut seen[circuit], true) {
                group.push(circuit);
                todo.extend(neurons.joined_to(circuit));
            }
        }
        if group.len() > 1 {
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups
}

/// The membranes are exactly those of the neurons.
fn check_membranes(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    members: &[u32],
    faults: &mut Faults,
) {
    let mut found = membranes(&chip.neurons);
    found.sort_unstable();
    for &member in members {
        let mut wanted: Vec<_> = circuits(case, member).collect();
        wanted.sort_unstable();
        match found.binary_search(&wanted) {
            Ok(place) => {
                found.remove(place);
            }
            Err(_) => faults.add(
                Rule::V02,
                format!("{hicann}: the circuits of {} are no membrane", case.name(member as usize)),
            ),
        }
    }
    for group in found {
        faults.add(Rule::V02, format!("{hicann}: {group:?} are joined to a membrane, unclaimed"));
    }
}

fn check_firing(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    owners: &Owners,
    faults: &mut Faults,
) {
    for (circuit, settings) in chip.neurons.circuits.iter() {
        let fires = owners[circuit].filter(|&member| case.firing(member) == Some(circuit));
        let address = fires.and_then(|m| case.mapping.placement.addresses[m as usize]);
        let (on, sends) = (settings.activate_firing, settings.enable_spl1_output);
        let Some(member) = fires else {
            faults.demand(Rule::V12, !on && !sends, || {
                format!("{hicann}.{circuit} fires or sends, but is no neuron's firing circuit")
            });
            continue;
        };
        faults.demand(Rule::V12, on && sends == address.is_some(), || {
            let name = case.name(member as usize);
            format!("{hicann}.{circuit} of {name}: firing is {on}, sending is {sends}")
        });
        if let Some(want) = address {
            faults.demand(Rule::V12, settings.address == want.address, || {
                let name = case.name(member as usize);
                let (found, want) = (settings.address, want.address);
                format!("{hicann}.{circuit} of {name} sends {found} instead of {want}")
            });
        }
    }
}

impl Case<'_> {
    /// The circuit that fires for a member by the claim.
    fn firing(&self, member: u32) -> Option<NeuronOnHicann> {
        self.mapping.placement.firing_circuit(member as usize).map(|circuit| circuit.local)
    }
}

/// The claimed circuits that fire are circuits of their neurons.
fn check_claimed(case: &Case<'_>, faults: &mut Faults) {
    for (&member, &circuit) in &case.mapping.placement.firing {
        let neuron = case.mapping.placement.neurons.get(member).copied().flatten();
        let own = neuron.is_some_and(|n| n.circuits().any(|c| c == circuit));
        faults.demand(Rule::V02, own, || {
            format!("member {member} is claimed to fire by {circuit}, which is not its own")
        });
    }
}

/// The circuits of a placed neuron.
fn circuits(case: &Case<'_>, member: u32) -> impl Iterator<Item = NeuronOnHicann> {
    case.mapping.placement.neurons[member as usize].into_iter().flat_map(LogicalNeuron::circuits)
}
