//! Neurons to circuits, members to addresses.

use hal::coord::{DncMergerOnHicann, HicannOnWafer, L1Address};

use crate::mapping::{Bus, BusAddress, LogicalNeuron, Placement};
use crate::plan::{BusKind, Plan, addresses};

/// The merger that collects all neuron blocks of a chip, or takes the inputs of a chip: the only
/// one that every block reaches (topology §5.1).
pub(crate) const MERGER: DncMergerOnHicann = DncMergerOnHicann::new::<3>();

/// Gives the members of each bus their circuits and addresses on the chip of the bus.
pub(crate) fn place(plan: &Plan, sites: &[HicannOnWafer]) -> Placement {
    let mut placement =
        Placement { neurons: vec![None; plan.seat.len()], addresses: vec![None; plan.seat.len()] };
    let addresses: Vec<L1Address> = addresses().collect();
    let width = plan.size.width();
    let per_block = 32 / usize::from(width);
    for (bus, &hicann) in plan.buses.iter().zip(sites) {
        for (position, &member) in bus.members.iter().enumerate() {
            let member = member as usize;
            let address = addresses[position];
            placement.addresses[member] =
                Some(BusAddress { bus: Bus { hicann, merger: MERGER }, address });
            if bus.kind == BusKind::Neurons {
                let column = 32 * (position / per_block) + position % per_block * width as usize;
                placement.neurons[member] =
                    Some(LogicalNeuron { hicann, column: column as u8, width });
            }
        }
    }
    placement
}
