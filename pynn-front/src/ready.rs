//! A network that is ready to run: mapped, calibrated, verified; kept for runs with other weights and
//! inputs.

use calib::WaferCalibration;
use emulator::Instance;
use hal::defects::Defects;
use marocco::requests::Request;
use marocco::{MapOptions, Mapped, NeuronSize, NeuronSizeChoice};

use crate::calibration::{Bench, Source, calibrate_for};
use crate::experiment::{Protocol, Readout};
use crate::realise::{Realised, realise_again, realise_calibrated};
use crate::run::{Progress, RunError, RunOptions};

/// A network on the chips, with everything that a mapping with other weights needs.
#[derive(Debug)]
pub struct Ready {
    /// Mapping, configuration and words.
    pub realised: Realised,
    /// What the mapper was asked for.
    wishes: MapOptions,
    /// Those of the wafer, and circuits that calibration rules out.
    defects: Defects,
    calibration: WaferCalibration,
}

impl Ready {
    /// Maps a network from the beginning. Chips that it uses are calibrated if there is a source of
    /// calibrations; on a manufactured wafer the circuits that fire are chosen by measurement.
    pub fn new(
        protocol: &Protocol,
        options: &RunOptions,
        source: Option<&mut Source<'_>>,
        observe: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Self, RunError> {
        let network = protocol.model.network();
        let mut wishes = MapOptions::new(protocol.scaling, protocol.mode);
        wishes.neuron_size = protocol.neuron_size;
        wishes.seed = options.seed;
        wishes.requests = requests(protocol);
        let mut defects =
            if options.ignore_defects { Defects::default() } else { options.instance.defects() };
        let calibration = match source {
            Some(source) => calibrate_for(network, &wishes, &mut defects, source)?,
            None => WaferCalibration::ideal(),
        };
        let bench = match options.instance {
            Instance::Manufactured(wafer) => Some(Bench::new(wafer, options.effects)),
            Instance::Ideal => None,
        };
        let bench = bench.as_ref().filter(|_| !options.untrimmed);
        let realised =
            realise_calibrated(network, &wishes, &defects, &calibration, bench, observe)?;
        Ok(Self { realised, wishes, defects, calibration })
    }

    /// The same for a network that differs in weights, cells and rates only: placement, routes,
    /// drivers and the circuits that fire stay.
    pub fn again(
        &self,
        protocol: &Protocol,
        observe: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Self, RunError> {
        let Self { realised, wishes, defects, calibration } = self;
        let before = Mapped { mapping: realised.mapping.clone(), config: realised.config.clone() };
        let network = protocol.model.network();
        let realised = realise_again(network, &before, wishes, defects, calibration, observe)?;
        let (wishes, defects) = (wishes.clone(), defects.clone());
        Ok(Self { realised, wishes, defects, calibration: calibration.clone() })
    }
}

/// Circuits of a neuron that is read out alone, if the protocol leaves it open. It could have all 64 of
/// its half of the chip, but then few synapses with much weight share an input, which saturates: it would
/// fire less than its fellows.
const CIRCUITS_ALONE: usize = 12;

/// Each neuron that is read out alone gets a chip of its own: neurons of a request share no chip with
/// others.
fn requests(protocol: &Protocol) -> Vec<Request> {
    let Readout::Isolated(chosen) = &protocol.readout else { return Vec::new() };
    let size = match protocol.neuron_size {
        NeuronSizeChoice::Auto => NeuronSize::try_from(CIRCUITS_ALONE).ok(),
        NeuronSizeChoice::Fixed(size) => Some(size),
    };
    let size = size.map(NeuronSizeChoice::Fixed);
    let alone = |&(population, members): &(_, usize)| {
        (0..members).map(move |member| Request {
            population,
            members: Some(member..member + 1),
            place: None,
            size,
            mode: None,
        })
    };
    chosen.iter().flat_map(alone).collect()
}
