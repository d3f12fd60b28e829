//! Which circuits fire: measured on the wafer as it was programmed for a mapping.
//!
//! What programming leaves in the cells cannot be known before. Of the joined circuits of a neuron,
//! that one fires with which the neuron responds most like all others ([`calib::procedure`]). On a real
//! wafer this belongs between programming and run, and is repeated after every programming. Here each
//! chip is programmed for itself and measured; the noise of an emulated cell depends on its wafer, its
//! place and how often its row was programmed, so that the run finds the same cells again.

use std::collections::BTreeMap;

use calib::WaferCalibration;
use calib::campaign::CampaignError;
use calib::procedure::{CalibrationError, Candidates, Responses, firing_circuits, responses};
use hal::coord::HicannOnWafer;
use marocco::Mapped;
use rayon::prelude::*;

use crate::calibration::{Bench, CalibratedError};

/// Chooses the firing circuit of each neuron of a mapping, and tells for how many it could.
pub fn trim(
    mapped: &mut Mapped,
    calibration: &WaferCalibration,
    bench: &Bench,
) -> Result<usize, CalibratedError> {
    let mut members: BTreeMap<HicannOnWafer, Vec<usize>> = BTreeMap::new();
    for (member, neuron) in mapped.mapping.placement.neurons.iter().enumerate() {
        if let Some(neuron) = neuron {
            members.entry(neuron.hicann).or_default().push(member);
        }
    }
    let shown: &Mapped = mapped;
    let measured: Vec<(Vec<usize>, Vec<Responses>)> = members
        .into_par_iter()
        .map(|(hicann, members)| chip(shown, calibration, bench, hicann, &members))
        .collect::<Result<_, CalibrationError>>()
        .map_err(CampaignError::from)?;
    let (members, responses): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
    let chosen = firing_circuits(&responses.concat());
    let chosen = members.concat().into_iter().zip(chosen);
    Ok(chosen
        .filter(|&(member, circuit)| circuit.is_some_and(|c| mapped.let_fire(member, c)))
        .count())
}

/// The neurons of one chip and their responses.
fn chip(
    mapped: &Mapped,
    calibration: &WaferCalibration,
    bench: &Bench,
    hicann: HicannOnWafer,
    members: &[usize],
) -> Result<(Vec<usize>, Vec<Responses>), CalibrationError> {
    let (mapping, Some(config)) = (&mapped.mapping, mapped.config.hicanns.get(&hicann)) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let known = |&member: &usize| {
        let neuron = mapping.placement.neurons[member]?;
        let cell = mapping.parameters.cells[member].as_ref()?;
        Some((member, Candidates { circuits: neuron.circuits().collect(), cell }))
    };
    let (members, neurons): (Vec<usize>, Vec<Candidates<'_>>) =
        members.iter().filter_map(known).unzip();
    let mut wafer = bench.connect(hicann)?;
    let found = responses(
        wafer.as_mut(),
        hicann,
        bench.defects(),
        config,
        calibration.hicann(hicann),
        &neurons,
        &mapping.scaling,
    )?;
    Ok((members, found))
}
