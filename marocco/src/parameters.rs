//! Cell parameters to floating gates, through the calibration of each circuit.

use std::collections::BTreeMap;

use calib::{
    CellParameters, CircuitMode, Clipped, HicannCalibration, TranslateError, WaferCalibration,
};
use hal::config::{HicannConfig, NeuronParameter, SharedParameter, WaferConfig};
use hal::coord::{Coordinate, FgBlockOnHicann, HicannOnWafer};
use hal::value::{DacCode, GmaxSelect};

use crate::map::Mapped;
use crate::mapping::{LogicalNeuron, ParameterClip, Placement, RealisedParameters};
use crate::network::{Network, PopulationId, PopulationKind};
use crate::options::{MapError, MapOptions, VariedReset};
use crate::plan::Plan;
use crate::pools::mean_v_reset;

/// Writes the parameters of all placed neurons and tells what they have become.
pub(crate) fn translate(
    network: &Network,
    placement: &Placement,
    plan: &Plan,
    options: &MapOptions,
    calibration: &WaferCalibration,
    config: &mut WaferConfig,
) -> Result<RealisedParameters, MapError> {
    let mut realised = RealisedParameters {
        cells: vec![None; network.n_members()],
        clipped: BTreeMap::new(),
        clips: Vec::new(),
    };
    let offsets = network.member_offsets();
    for (id, population) in network.populations() {
        let PopulationKind::Neurons(cells) = &population.kind else { continue };
        let v_reset_mv = mean_v_reset(population).unwrap_or_default();
        let first = offsets[id.index()];
        for member in 0..population.size {
            let Some(neuron) = placement.neurons[first + member] else { continue };
            let cell = cells.get(member);
            if cell.v_reset() != v_reset_mv {
                if options.varied_reset == VariedReset::Refuse {
                    let population = population.label.clone();
                    return Err(MapError::VariedReset { population, member, v_reset_mv });
                }
                let (wanted, mean) = (cell.v_reset(), v_reset_mv);
                let parameter = "v_reset";
                realised.note(
                    id,
                    &Clipped { parameter, wanted, low: mean, high: mean, realised: mean },
                );
            }
            let chip = config.hicann_mut(neuron.hicann);
            let done = write_neuron(
                chip,
                neuron,
                cell,
                v_reset_mv,
                options,
                plan.mode(first + member),
                calibration.hicann(neuron.hicann),
            );
            let (cell, clipped) = done.map_err(|source| MapError::Cell {
                population: population.label.clone(),
                member,
                source,
            })?;
            realised.cells[first + member] = Some(cell);
            for clip in &clipped {
                realised.note(id, clip);
            }
        }
    }
    Ok(realised)
}

fn write_neuron(
    chip: &mut HicannConfig,
    neuron: LogicalNeuron,
    cell: &CellParameters,
    v_reset_mv: f64,
    options: &MapOptions,
    mode: CircuitMode,
    calibration: &HicannCalibration,
) -> Result<(CellParameters, Vec<Clipped>), TranslateError> {
    let scaling = &options.scaling;
    let gates = &mut chip.floating_gates;
    // the first circuit stands for the neuron: up to a step all circuits give the same
    let firing = neuron.first_circuit();
    let mut v_reset_code = DacCode::default();
    let mut clipped = Vec::new();
    for block in FgBlockOnHicann::all() {
        let (code, clip) =
            calib::translate_v_reset(v_reset_mv, scaling, &calibration.blocks[block])?;
        gates.set_shared(block, SharedParameter::VReset, code);
        if block == firing.shared_fg_block() {
            v_reset_code = code;
            clipped.extend(clip);
        }
    }
    let mut codes = [DacCode::default(); NeuronParameter::COUNT];
    for circuit in neuron.circuits() {
        let translation =
            calib::translate_cell(cell, scaling, mode, &calibration.neurons[circuit])?;
        for parameter in NeuronParameter::all() {
            gates.set_neuron(circuit, parameter, translation.codes[parameter.index()]);
        }
        if circuit == firing {
            codes = translation.codes;
            clipped.extend(translation.clipped);
        }
    }
    let realised = calib::realised_cell(
        cell,
        &codes,
        v_reset_code,
        mode,
        scaling,
        &calibration.neurons[firing],
        &calibration.blocks[firing.shared_fg_block()],
    )?;
    Ok((realised, clipped))
}

impl Mapped {
    /// What the cells of the wafer give to each member, as the mean over its circuits: whole codes
    /// are not quite the same values for all of them.
    ///
    /// # Errors
    /// Calibrations that lack a transformation.
    pub fn mean_cells(
        &self,
        calibration: &WaferCalibration,
    ) -> Result<Vec<Option<CellParameters>>, TranslateError> {
        let Self { mapping, config } = self;
        let mean = |(place, claimed): (&Option<LogicalNeuron>, &Option<CellParameters>)| {
            let (Some(neuron), Some(claimed)) = (place, claimed) else { return Ok(None) };
            let Some(chip) = config.hicanns.get(&neuron.hicann) else { return Ok(None) };
            let mode = mapping.mode(neuron.hicann);
            let of_chip = calibration.hicann(neuron.hicann);
            let mut sum = *claimed;
            sum.fields().into_iter().for_each(|(_, value)| *value = 0.0);
            for circuit in neuron.circuits() {
                let mut codes = [DacCode::default(); NeuronParameter::COUNT];
                for parameter in NeuronParameter::all() {
                    codes[parameter.index()] = chip.floating_gates.neuron(circuit, parameter);
                }
                let block = circuit.shared_fg_block();
                let v_reset = chip.floating_gates.shared(block, SharedParameter::VReset);
                let mut own = calib::realised_cell(
                    claimed,
                    &codes,
                    v_reset.unwrap_or_default(),
                    mode,
                    &mapping.scaling,
                    &of_chip.neurons[circuit],
                    &of_chip.blocks[block],
                )?;
                let parts = sum.fields().into_iter().zip(own.fields());
                parts.for_each(|((_, sum), (_, own))| *sum += *own / neuron.size() as f64);
            }
            Ok(Some(sum))
        };
        mapping.placement.neurons.iter().zip(&mapping.parameters.cells).map(mean).collect()
    }
}

impl RealisedParameters {
    /// Counts a clipped value of a member of a population.
    fn note(&mut self, population: PopulationId, clip: &Clipped) {
        let &Clipped { parameter, wanted, low, high, realised } = clip;
        *self.clipped.entry(parameter.to_owned()).or_default() += 1;
        let same = |c: &&mut ParameterClip| c.population == population && c.parameter == parameter;
        if let Some(known) = self.clips.iter_mut().find(same) {
            known.members += 1;
            return;
        }
        let parameter = parameter.to_owned();
        self.clips.push(ParameterClip {
            population,
            parameter,
            members: 1,
            wanted,
            low,
            high,
            realised,
        });
    }
}

/// Sets the four V_gmax of a chip in all blocks, through their calibrations.
pub(crate) fn set_v_gmax(
    config: &mut WaferConfig,
    hicann: HicannOnWafer,
    v_gmax: [DacCode; 4],
    calibration: &HicannCalibration,
) {
    let gates = &mut config.hicann_mut(hicann).floating_gates;
    for block in FgBlockOnHicann::all() {
        for (select, nominal) in GmaxSelect::all().zip(v_gmax) {
            let code = calibration.blocks[block].gmax_code(select, nominal);
            gates.set_shared(block, SharedParameter::gmax(select), code);
        }
    }
}
