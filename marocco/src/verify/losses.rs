//! Counts of realised and lost synapses (V29).

use super::{Case, Faults, Rule};
use crate::mapping::{Mapping, SynapseFate};
use crate::network::Network;

/// The lists of the claim must be as long as the network's, or nothing can be looked up.
pub(super) fn check_shape(network: &Network, mapping: &Mapping, faults: &mut Faults) {
    let members = network.n_members();
    let placement = &mapping.placement;
    for (what, length) in [
        ("places", placement.neurons.len()),
        ("addresses", placement.addresses.len()),
        ("realised cells", mapping.parameters.cells.len()),
    ] {
        faults.demand(Rule::V01, length == members, || {
            format!("{length} {what} are claimed for {members} members of populations")
        });
    }
    let projections = network.projections().count();
    for (what, length) in [
        ("fates", mapping.synapses.len()),
        ("realised weights", mapping.realised_weights_us.len()),
        ("clipped weights", mapping.clipped_weights.len()),
        ("plasticity", mapping.plasticity.len()),
        ("pairs", mapping.pairs.len()),
    ] {
        faults.demand(Rule::V29, length == projections, || {
            format!("lists of {what} for {length} of {projections} projections")
        });
    }
    let lists = mapping.synapses.iter().zip(&mapping.realised_weights_us);
    for ((_, projection), (fates, weights)) in network.projections().zip(lists) {
        let (requested, label) = (projection.synapses.len(), &projection.label);
        faults.demand(Rule::V29, fates.len() == requested, || {
            format!("`{label}` requests {requested} synapses, but {} have a fate", fates.len())
        });
        faults.demand(Rule::V29, weights.len() == requested, || {
            format!("`{label}` requests {requested} synapses, but {} have a weight", weights.len())
        });
    }
}

/// Lost synapses have no realised weight, realised ones have one, and no more is lost than the
/// whole and no less than the proven bound.
pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut lost = 0;
    for ((id, projection), fates) in case.network.projections().zip(&case.mapping.synapses) {
        let weights = &case.mapping.realised_weights_us[id.index()];
        // long-term plasticity may raise a weight of 0
        let may_grow = case.mapping.pairs[id.index()].is_some();
        let mut realised = 0;
        for (i, (fate, &weight_us)) in fates.iter().zip(weights).enumerate() {
            let is_realised = matches!(fate, SynapseFate::Realised { .. });
            realised += usize::from(is_realised);
            let weighs = weight_us > 0.0 || is_realised && may_grow && weight_us == 0.0;
            faults.demand(Rule::V29, is_realised == weighs, || {
                let label = &projection.label;
                format!(
                    "`{label}`, synapse {i}: {fate:?}, but the realised weight is {weight_us} uS"
                )
            });
        }
        lost += fates.len() - realised;
        let clipped = case.mapping.clipped_weights[id.index()];
        faults.demand(Rule::V29, clipped <= realised, || {
            format!("`{}`: {clipped} of {realised} weights clipped", projection.label)
        });
    }
    let requested = case.network.n_synapses();
    let fraction = lost as f64 / requested.max(1) as f64;
    let bound = case.mapping.bound_loss_fraction;
    faults.demand(Rule::V29, fraction >= bound - 1e-12, || {
        format!("{lost} of {requested} synapses are lost, less than the bound of {bound}")
    });
}
