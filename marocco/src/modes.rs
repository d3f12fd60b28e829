//! Capacitor and leak of the chips of a population.
//!
//! Both are settings of a whole chip. The big capacitor makes neurons slower and synapses weaker in
//! comparison, the leak scales the currents that set the membrane time constant (analog §1.5). What
//! is left to the mapper is chosen for each population, so that as little as possible clips: cell
//! parameters by the ideal calibration, and weights at the neuron size asked for.

use calib::{CellParameters, CircuitMode, NeuronCalibration};
use hal::coord::Coordinate as _;
use hal::value::{DacCode, GmaxDivisor, SynapseWeight};
use rayon::prelude::*;

use crate::fabric::BLOCK_COLUMNS;
use crate::inputs::InputTable;
use crate::network::{Network, PerMember, Population, PopulationId, PopulationKind, Synapse};
use crate::options::{MapOptions, ModeChoice, NeuronSizeChoice};

/// Columns that are enough for nearly all neurons: more are no reason for another mode.
const WIDE: u8 = 8;

/// What weighs on the choice of modes.
pub(crate) struct Modes<'a> {
    options: &'a MapOptions,
    /// By population, the largest conductance that a row is asked for, uS per nF of its target.
    strongest_us_per_nf: Vec<f64>,
}

impl<'a> Modes<'a> {
    pub(crate) fn new(network: &Network, inputs: &InputTable, options: &'a MapOptions) -> Self {
        let mut strongest_us_per_nf = vec![0.0_f64; network.populations().count()];
        for (id, projection) in network.projections() {
            let (_, post) = network.endpoints(id);
            let PopulationKind::Neurons(cells) = &network.population(post).kind else { continue };
            let per_nf = |s: &Synapse| f64::from(s.weight_us) / cells.get(s.post as usize).cm();
            let strongest = projection.synapses.par_iter().map(per_nf).reduce(|| 0.0, f64::max);
            let strongest = inputs.kinds().row_share(id) * strongest;
            let known = &mut strongest_us_per_nf[post.index()];
            *known = known.max(strongest);
        }
        Self { options, strongest_us_per_nf }
    }

    /// Most columns, 1..=32, at which the strongest synapse of a population stays below the largest
    /// conductance of a synapse; 0 if it does at none.
    fn columns(&self, population: PopulationId, mode: CircuitMode) -> u8 {
        let divisor = [GmaxDivisor::new::<1>(), GmaxDivisor::new::<0>()];
        let strongest = SynapseWeight::all().next_back().expect("weights 0 to 15");
        let largest_s = hal::law::synapse_s(strongest, DacCode::MAX, divisor);
        // one column is two circuits
        let wanted = self.strongest_us_per_nf[population.index()];
        let one = calib::weight_siemens(wanted, 1.0, 2, mode, &self.options.scaling);
        if one > 0.0 {
            (largest_s / one).min(BLOCK_COLUMNS as f64) as u8
        } else {
            BLOCK_COLUMNS as u8
        }
    }

    /// Most columns that a neuron of a population can have without weights that clip; 1 if they
    /// clip at any number.
    pub(crate) fn max_width(&self, population: PopulationId, mode: CircuitMode) -> u8 {
        self.columns(population, mode).max(1)
    }

    /// The mode among those of a choice with which least of a population clips: cells that would
    /// be refused first, then clipped values and weights, then columns without clipped weights.
    /// Among equals the earlier one of [`ModeChoice::modes`].
    pub(crate) fn choose(
        &self,
        id: PopulationId,
        population: &Population,
        choice: ModeChoice,
        size: NeuronSizeChoice,
    ) -> CircuitMode {
        let mut modes = choice.modes();
        let first = modes.next().expect("a choice has a mode");
        let PopulationKind::Neurons(cells) = &population.kind else { return first };
        let cells = match cells {
            PerMember::Uniform(cell) => std::slice::from_ref(cell),
            PerMember::Each(cells) => cells,
        };
        let narrowest = match size {
            NeuronSizeChoice::Auto => 1,
            NeuronSizeChoice::Fixed(size) => size.width(),
        };
        let cost = |mode: CircuitMode| {
            let (refused, clipped) = self.misfits(cells, mode);
            let columns = self.columns(id, mode);
            let weights = usize::from(columns < narrowest);
            (refused, clipped + weights, WIDE.saturating_sub(columns))
        };
        let rest: Vec<CircuitMode> = modes.collect();
        if rest.is_empty() {
            return first;
        }
        rest.into_iter()
            .fold((cost(first), first), |best, mode| {
                let cost = cost(mode);
                if cost < best.0 { (cost, mode) } else { best }
            })
            .1
    }

    /// How many cells are refused in a mode, and how many values of the others are clipped.
    fn misfits(&self, cells: &[CellParameters], mode: CircuitMode) -> (usize, usize) {
        let ideal = NeuronCalibration::ideal();
        let misfits = |cell: &CellParameters| match calib::translate_cell(
            cell,
            &self.options.scaling,
            mode,
            &ideal,
        ) {
            Ok(translation) => (0, translation.clipped.len()),
            Err(_) => (1, 0),
        };
        cells.par_iter().map(misfits).reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }
}
