//! How many neurons and inputs a chip gets, and how large the neurons are.
//!
//! Thin chips make many buses, and every bus that a chip listens to costs it at least one of its
//! 224 synapse drivers; dense chips make few buses that need long chains (mapping §7). Which wins
//! depends on the network, so the candidates are evaluated in the ideal-L1 model.

use hal::coord::SynapseDriverOnHicann;
use rayon::prelude::*;

use crate::demand::{chip_demand, ideal_realised};
use crate::inputs::InputTable;
use crate::network::Network;
use crate::options::{ADDRESSES_PER_BUS, MapError, MapOptions, NeuronSize, NeuronSizeChoice};
use crate::plan::{BusKind, Density, Plan};
use crate::sites::MAX_BUSES;

/// Numbers of members per bus worth trying: full decoder groups of 15 (mapping §7.2), and all.
const FILLINGS: [usize; 4] = [ADDRESSES_PER_BUS, 45, 30, 15];

/// Share of the drivers that the choice counts on; the rest is slack for the switches, which let a
/// bus into one driver in eight only (lossless-mapping, "What mattered" 5).
const PLANNED_DRIVERS: usize = SynapseDriverOnHicann::SIZE * 9 / 10;

/// The plan that loses least in the ideal-L1 model; of equal ones that with the fewest chips.
pub(crate) fn choose(
    network: &Network,
    inputs: &InputTable,
    options: &MapOptions,
) -> Result<Plan, MapError> {
    let mut best: Option<(u64, usize, Plan)> = None;
    let mut too_many = None;
    for density in candidates(options.neuron_size) {
        let plan = Plan::new(network, inputs, density, options)?;
        if plan.buses.len() > MAX_BUSES {
            too_many.get_or_insert_with(|| too_many_buses(&plan));
            continue;
        }
        let lost = ideal_lost(&plan, inputs, options, PLANNED_DRIVERS);
        if best.as_ref().is_none_or(|(l, n, _)| (lost, plan.buses.len()) < (*l, *n)) {
            best = Some((lost, plan.buses.len(), plan));
        }
    }
    match (best, too_many) {
        (Some((_, _, plan)), _) => Ok(plan),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(Plan::empty(network)),
    }
}

fn candidates(choice: NeuronSizeChoice) -> Vec<Density> {
    let sizes = match choice {
        NeuronSizeChoice::Auto => NeuronSize::AUTOMATIC.to_vec(),
        NeuronSizeChoice::Fixed(size) => vec![size],
    };
    let mut candidates = Vec::new();
    for size in sizes {
        let fit = size.neurons_per_hicann();
        let mut neurons = vec![fit];
        neurons.extend(FILLINGS.into_iter().filter(|&n| n < fit));
        for neurons in neurons {
            candidates.extend(FILLINGS.map(|inputs| Density { size, neurons, inputs }));
        }
    }
    candidates
}

fn too_many_buses(plan: &Plan) -> MapError {
    MapError::TooManyBuses {
        buses: plan.buses.len(),
        neuron_chips: plan.neuron_chips(),
        input_chips: plan.buses.len() - plan.neuron_chips(),
        neuron_size: plan.size.circuits(),
        limit: MAX_BUSES,
    }
}

/// Synapses lost in the ideal-L1 model when each chip may use `drivers` drivers.
pub(crate) fn ideal_lost(
    plan: &Plan,
    inputs: &InputTable,
    options: &MapOptions,
    drivers: usize,
) -> u64 {
    (0..plan.buses.len())
        .into_par_iter()
        .filter(|&chip| plan.buses[chip].kind == BusKind::Neurons)
        .map(|chip| {
            let demands = chip_demand(plan, inputs, chip, options.chain_length);
            let wanted: u64 = demands.iter().map(|d| u64::from(d.wanted)).sum();
            wanted - ideal_realised(&demands, drivers, options.chain_length)
        })
        .sum()
}
