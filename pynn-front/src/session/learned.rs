//! Weights that long-term plasticity has changed: read from the wafer after each run, and put back
//! when chips are configured anew.

use std::collections::BTreeMap;

use calib::weight_us;
use hal::config::{SharedParameter, WaferConfig};
use hal::coord::{OnWafer, SynapseOnHicann};
use hal::defects::Defects;
use hal::law;
use hal::value::SynapseWeight;
use hal::verify::read_weights;
use hal::wafer::Wafer;
use marocco::Mapped;
use marocco::mapping::SynapseFate;
use marocco::network::{Network, PopulationKind, ProjectionId};

use super::error::SessionError;

/// By projection whose weights hold: digital weights in the order of the request.
pub(super) type Learned = BTreeMap<ProjectionId, Vec<SynapseWeight>>;

/// The projections with long-term plasticity.
fn plastic(network: &Network) -> impl Iterator<Item = ProjectionId> {
    network.projections().filter(|(_, p)| p.pairs.is_some()).map(|(id, _)| id)
}

/// Whether a network has long-term plasticity.
pub(super) fn learns(network: &Network) -> bool {
    plastic(network).next().is_some()
}

/// Reads the weights of plastic projections from the chips that hold them; of drivers that do not
/// work there is nothing to read.
pub(super) fn read(
    wafer: &mut dyn Wafer,
    network: &Network,
    mapped: &Mapped,
    defects: &Defects,
) -> Result<Learned, SessionError> {
    let mut now = WaferConfig::default();
    let places = |id: ProjectionId| mapped.mapping.synapses[id.index()].iter().map(place);
    for at in plastic(network).flat_map(places).flatten() {
        if !now.hicanns.contains_key(&at.hicann)
            && let Some(chip) = mapped.config.hicanns.get(&at.hicann)
        {
            now.hicanns.insert(at.hicann, chip.clone());
        }
    }
    read_weights(wafer, &mut now, defects).map_err(|error| SessionError::Weights(error.into()))?;
    let weight = |at: OnWafer<SynapseOnHicann>| now.hicanns[&at.hicann].synapses.weights[at.local];
    let learned =
        |id| (id, places(id).map(|at| at.map_or_else(Default::default, weight)).collect());
    Ok(plastic(network).map(learned).collect())
}

/// Puts weights in the place of those that were asked for.
pub(super) fn write(learned: &Learned, mapped: &Mapped, config: &mut WaferConfig) {
    for (id, weights) in learned {
        for (fate, &weight) in mapped.mapping.synapses[id.index()].iter().zip(weights) {
            if let Some(at) = place(fate) {
                config.hicann_mut(at.hicann).synapses.weights[at.local] = weight;
            }
        }
    }
}

/// What the weights of a projection conduct in uS, in the order of the request; NaN where lost.
pub(super) fn conductances_us(
    id: ProjectionId,
    weights: &[SynapseWeight],
    network: &Network,
    mapped: &Mapped,
) -> Vec<f64> {
    let Mapped { mapping, config } = mapped;
    let (_, post) = network.endpoints(id);
    let first = network.member_offsets()[post.index()];
    let PopulationKind::Neurons(cells) = &network.population(post).kind else { return Vec::new() };
    let of = |fate: &SynapseFate, post: u32, weight: SynapseWeight| -> Option<f64> {
        let at = place(fate)?;
        // the offset of weight 0 is an imperfection
        if weight == SynapseWeight::default() {
            return Some(0.0);
        }
        let chip = config.hicanns.get(&at.hicann)?;
        let row = chip.synapses.row(at.local.row());
        let block = at.local.row().driver().quadrant().fg_block();
        let v_gmax = chip.floating_gates.shared(block, SharedParameter::gmax(row.gmax_select))?;
        let siemens = law::synapse_s(weight, v_gmax, row.gmax_divisor);
        let size = mapping.placement.neurons[first + post as usize]?.size();
        let cm_nf = cells.get(post as usize).cm();
        Some(weight_us(siemens, cm_nf, size, mapping.mode(at.hicann), &mapping.scaling))
    };
    let synapses = network.projection(id).synapses.iter();
    let fates = mapping.synapses[id.index()].iter().zip(synapses).zip(weights);
    fates.map(|((fate, s), &weight)| of(fate, s.post, weight).unwrap_or(f64::NAN)).collect()
}

fn place(fate: &SynapseFate) -> Option<OnWafer<SynapseOnHicann>> {
    match fate {
        SynapseFate::Realised { synapse, .. } => Some(*synapse),
        SynapseFate::Lost(_) => None,
    }
}
