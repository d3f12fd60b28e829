//! Weights and decoders of a chip's synapses, into the configuration and the mapping.

use std::collections::BTreeSet;

use calib::{CircuitMode, HicannCalibration, PairError};
use hal::config::WaferConfig;
use hal::coord::{Coordinate, HicannOnWafer, L1Address};
use hal::value::SynapseWeight;

use crate::inputs::Input;
use crate::kinds::Kinds;
use crate::mapping::{LossCause, Mapping, SynapseFate};
use crate::network::{Network, PopulationKind, Synapse};
use crate::options::{MapError, MapOptions};
use crate::plan::Plan;
use crate::synapses::ChipSynapses;
use crate::weights::{self, ChipWeights, Wanted};
use crate::{configure, parameters};

/// Biological weights to conductances on the wafer: they scale with the summed capacitance of the
/// target's circuits (analog §1.4), and a row of plastic synapses conducts a part of them.
pub(crate) struct Conductances<'a> {
    network: &'a Network,
    offsets: Vec<usize>,
    plan: &'a Plan,
    kinds: &'a Kinds,
    scaling: calib::Scaling,
}

impl<'a> Conductances<'a> {
    pub(crate) fn new(
        network: &'a Network,
        plan: &'a Plan,
        kinds: &'a Kinds,
        options: &MapOptions,
    ) -> Self {
        let offsets = network.member_offsets();
        Self { network, offsets, plan, kinds, scaling: options.scaling }
    }

    fn synapse(&self, input: &Input) -> Synapse {
        self.network.projection(input.projection).synapses[input.index as usize]
    }

    fn cm_nf(&self, input: &Input) -> f64 {
        let (_, post) = self.network.endpoints(input.projection);
        match &self.network.population(post).kind {
            PopulationKind::Neurons(cells) => cells.get(self.synapse(input).post as usize).cm(),
            PopulationKind::Sources(_) => unreachable!("no projection ends at sources"),
        }
    }

    /// Circuits of a synapse's target, and their mode.
    fn target(&self, input: &Input) -> (usize, CircuitMode) {
        let (_, post) = self.network.endpoints(input.projection);
        let member = self.offsets[post.index()] + self.synapse(input).post as usize;
        (2 * usize::from(self.plan.width(member)), self.plan.mode(member))
    }

    /// What a synapse asks for, in siemens on the wafer.
    fn wanted_s(&self, input: &Input) -> f64 {
        let share = self.kinds.row_share(input.projection);
        self.siemens(input, share * f64::from(self.synapse(input).weight_us))
    }

    /// The largest weight of a synapse that a controller updates, in siemens on the wafer.
    fn largest_s(&self, input: &Input) -> Option<f64> {
        self.kinds.w_max_us(input.kind).map(|w_max_us| self.siemens(input, w_max_us))
    }

    fn siemens(&self, input: &Input, weight_us: f64) -> f64 {
        let (circuits, mode) = self.target(input);
        calib::weight_siemens(weight_us, self.cm_nf(input), circuits, mode, &self.scaling)
    }

    /// The largest weight of a synapse is too far from what its row does.
    fn out_of_reach(&self, input: &Input, found_s: f64) -> MapError {
        let projection = self.network.projection(input.projection).label.clone();
        let value = self.kinds.w_max_us(input.kind).unwrap_or_default();
        let found_us = self.weight_us(input, found_s);
        let (parameter, low, high) = ("w_max", found_us / 2.0, found_us * 2.0);
        let source = PairError::OutOfReach { parameter, value, low, high };
        MapError::Pairs { projection, source }
    }

    /// What a conductance on the wafer means to a synapse's target, in uS.
    fn weight_us(&self, input: &Input, siemens: f64) -> f64 {
        let (circuits, mode) = self.target(input);
        let row_us = calib::weight_us(siemens, self.cm_nf(input), circuits, mode, &self.scaling);
        row_us / self.kinds.row_share(input.projection)
    }
}

/// The weights of a chip's synapses that found a place.
pub(crate) struct WeightedChip {
    /// Positions among the chip's fates.
    placed: Vec<usize>,
    weights: ChipWeights,
}

impl WeightedChip {
    /// Chooses the weights of a chip.
    ///
    /// # Errors
    /// Largest weights of plastic synapses that rows miss by more than a factor of 2.
    pub(crate) fn new(
        chip: &ChipSynapses,
        conductances: &Conductances<'_>,
    ) -> Result<Self, MapError> {
        let mut placed = Vec::new();
        let mut wanted = Vec::new();
        for (i, (input, fate)) in chip.fates.iter().enumerate() {
            if let Ok(synapse) = *fate {
                placed.push(i);
                wanted.push(Wanted {
                    synapse,
                    conductance_s: conductances.wanted_s(input),
                    largest_s: conductances.largest_s(input),
                });
            }
        }
        let weights = weights::choose(&chip.rows, &wanted);
        for (&i, wanted) in placed.iter().zip(&wanted) {
            let Some(asked_s) = wanted.largest_s else { continue };
            let setting = weights.rows[&wanted.synapse.row()];
            let found_s = setting.levels_s(weights.v_gmax)[15];
            if !(0.5..=2.0).contains(&(found_s / asked_s)) {
                return Err(conductances.out_of_reach(&chip.fates[i].0, found_s));
            }
        }
        Ok(Self { placed, weights })
    }

    /// Writes rows, weights and decoders, and the fate of every synapse of the chip. A synapse
    /// whose weight became zero is lost, and its place stays switched off, unless a controller may
    /// raise it.
    pub(crate) fn write(
        self,
        hicann: HicannOnWafer,
        chip: &ChipSynapses,
        conductances: &Conductances<'_>,
        calibration: &HicannCalibration,
        mapping: &mut Mapping,
        config: &mut WaferConfig,
    ) {
        parameters::set_v_gmax(config, hicann, self.weights.v_gmax, calibration);
        let hicann_config = config.hicann_mut(hicann);
        for (input, fate) in &chip.fates {
            if let Err(cause) = *fate {
                *slot(&mut mapping.synapses, input) = SynapseFate::Lost(cause);
            }
        }
        let mut realised_rows = BTreeSet::new();
        for (&i, &(weight, siemens, clipped)) in self.placed.iter().zip(&self.weights.weights) {
            let (input, fate) = &chip.fates[i];
            let Ok(synapse) = *fate else { continue };
            let (row, v_gmax) = (synapse.row(), self.weights.v_gmax);
            let select = self.weights.rows[&row].select;
            let block = &calibration.blocks[row.driver().quadrant().fg_block()];
            let reach = block.gmax_reach(select, v_gmax[select.index()]);
            let clipped = clipped || reach < 1.0;
            mapping.clipped_weights[input.projection.index()] += usize::from(clipped);
            let fate = slot(&mut mapping.synapses, input);
            if weight == SynapseWeight::default() && conductances.largest_s(input).is_none() {
                *fate = SynapseFate::Lost(LossCause::WeightZero);
                continue;
            }
            *fate = SynapseFate::Realised { synapse: synapse.on(hicann), weight };
            // the offset of weight 0 is an imperfection
            let silent = weight == SynapseWeight::default();
            *slot(&mut mapping.realised_weights_us, input) =
                if silent { 0.0 } else { conductances.weight_us(input, reach * siemens) as f32 };
            realised_rows.insert(synapse.row());
            hicann_config.synapses.weights[synapse] = weight;
            hicann_config.synapses.decoders[synapse] = address(mapping, input).synapse_decoder();
        }
        // rows of a chain that no synapse needs stay disconnected
        for used in chip.rows.iter().filter(|used| realised_rows.contains(&used.row)) {
            configure::row(hicann_config, *used, self.weights.rows[&used.row]);
        }
    }
}

fn slot<'a, T>(lists: &'a mut [Vec<T>], input: &Input) -> &'a mut T {
    &mut lists[input.projection.index()][input.index as usize]
}

fn address(mapping: &Mapping, input: &Input) -> L1Address {
    let address = mapping.placement.addresses[input.source as usize];
    address.expect("a source with a realised synapse has an address").address
}
