//! Rules of joined circuits (hal-config §5.8; topology §7.2).

use petgraph::unionfind::UnionFind;

use super::ConfigFault;
use crate::config::Neurons;
use crate::coord::{Coordinate, HicannOnWafer, NeuronOnHicann, QuadOnHicann, Vertical};

pub(super) fn check(hicann: HicannOnWafer, neurons: &Neurons, faults: &mut Vec<ConfigFault>) {
    fire_inputs(hicann, neurons, faults);
    firing(hicann, neurons, faults);
    let silent =
        neurons.circuits.iter().filter(|(_, c)| c.enable_spl1_output && !c.activate_firing);
    faults.extend(silent.map(|(place, _)| ConfigFault::SilentOutput { circuit: place.on(hicann) }));
}

/// Between two quads at most one of the four facing circuits takes the other's fire signal.
fn fire_inputs(hicann: HicannOnWafer, neurons: &Neurons, faults: &mut Vec<ConfigFault>) {
    for (left, right) in QuadOnHicann::all().zip(QuadOnHicann::all().skip(1)) {
        let column = 2 * right.index() as u8;
        let facing = Vertical::ALL
            .into_iter()
            .flat_map(|y| [NeuronOnHicann::at(column - 1, y), NeuronOnHicann::at(column, y)]);
        let count = facing.filter(|n| neurons.circuits[*n].enable_fire_input).count();
        if count > 1 {
            faults.push(ConfigFault::FireInputs { hicann, left, right, count });
        }
    }
}

/// At most one circuit of a membrane fires.
fn firing(hicann: HicannOnWafer, neurons: &Neurons, faults: &mut Vec<ConfigFault>) {
    let mut membranes = UnionFind::<u16>::new(NeuronOnHicann::SIZE);
    for circuit in NeuronOnHicann::all() {
        for other in neurons.joined_to(circuit) {
            membranes.union(circuit.index() as u16, other.index() as u16);
        }
    }
    let mut first_of = [None; NeuronOnHicann::SIZE];
    for (circuit, _) in neurons.circuits.iter().filter(|(_, c)| c.activate_firing) {
        let membrane = &mut first_of[usize::from(membranes.find(circuit.index() as u16))];
        match *membrane {
            None => *membrane = Some(circuit),
            Some(first) => faults.push(ConfigFault::TwoFiring {
                first: Coordinate::on(first, hicann),
                second: circuit.on(hicann),
            }),
        }
    }
}
