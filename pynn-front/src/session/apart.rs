//! Room for recorded membranes: a reticle shows two at a time, so recorded neurons beyond these are
//! placed on chips of other reticles. The wafer shows 96 membranes in all.

use hal::coord::{AnalogOnHicann, Coordinate as _, DncOnWafer, HicannOnWafer};
use marocco::network::PopulationId;
use marocco::options::{NeuronSize, NeuronSizeChoice};
use marocco::requests::{Place, Request};

use super::chips::Chips;

/// Membranes that a reticle shows at a time.
const PER_RETICLE: usize = AnalogOnHicann::SIZE;

/// A recorded membrane that no output shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unseen {
    pub(super) population: PopulationId,
    pub(super) member: u32,
    /// Number over all populations.
    pub(super) position: usize,
    /// The reticle that has no output left.
    pub(super) reticle: DncOnWafer,
}

/// Chips of their own for membranes that are not seen, on the nearest reticles that show fewer than
/// two; `seen` has the reticle of each membrane that is. None if the wafer has too few of them.
pub(super) fn requests(
    chips: &Chips,
    unseen: &[Unseen],
    seen: &[DncOnWafer],
) -> Option<Vec<Request>> {
    let placement = &chips.mapped.mapping.placement;
    let mut seen = seen.to_vec();
    let mut taken: Vec<HicannOnWafer> = chips.mapped.config.hicanns.keys().copied().collect();
    let mut requests = Vec::with_capacity(unseen.len());
    for Unseen { population, member, position, .. } in unseen {
        let neuron = placement.neurons[*position]?;
        let free = |chip: &HicannOnWafer| {
            let shown = seen.iter().filter(|reticle| **reticle == chip.dnc()).count();
            let outputs = AnalogOnHicann::all().filter(|o| chips.is_usable(o.on(*chip))).count();
            shown < PER_RETICLE.min(outputs) && !taken.contains(chip) && chips.is_usable(*chip)
        };
        let distance = |chip: &HicannOnWafer| {
            let from = neuron.hicann;
            chip.x().abs_diff(from.x()) + chip.y().abs_diff(from.y())
        };
        let chip = HicannOnWafer::all().filter(free).min_by_key(distance)?;
        seen.push(chip.dnc());
        taken.push(chip);
        let member = *member as usize;
        requests.push(Request {
            population: *population,
            members: Some(member..member + 1),
            place: Some(Place::Hicanns(vec![chip])),
            // as the other members, whose weights are those of the same rows
            size: NeuronSize::try_from(neuron.size()).ok().map(NeuronSizeChoice::Fixed),
            mode: None,
        });
    }
    Some(requests)
}
