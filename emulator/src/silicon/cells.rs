//! What the floating-gate cells of a chip really hold (analog §4.3).

use hal::config::{FloatingGates, NeuronParameter, SharedParameter};
use hal::coord::{
    Coordinate, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock, HicannOnWafer, NeuronOnHicann,
};
use hal::law::Cells;

use super::draw::{Kind, normals};
use super::programming::{ProgrammingOfChip, RowProgramming};
use super::volts_per_code;
use crate::effects::{Effect, Effects};
use crate::instance::Instance;

/// Noise of voltage cells, V: after fine passes, without them, at small codes (analog §4.2).
const VOLTAGE_NOISE_V: [f64; 3] = [0.0046, 0.0077, 0.015];
/// Below this code voltage cells are noisier.
const SMALL_CODE: f64 = 100.0;
/// Noise of current cells after fine passes: share of the code, and at least this many codes.
const CURRENT_NOISE: (f64, f64) = (0.01, 1.0);
/// Without fine passes current cells are so many times noisier.
const COARSE_CURRENT_FACTOR: f64 = 3.0;
/// Drift of voltage and current cells, V on the scale of voltages: mean and spread (analog §4.2).
const DRIFT_V: [(f64, f64); 2] = [(0.0016, 0.0044), (0.0001, 0.0017)];
/// Largest value of a cell in units of codes.
const LARGEST: f64 = 1023.0;

/// Deviations of all cells of a chip from their codes.
#[derive(Debug)]
pub(super) struct GateValues {
    /// By block, row and column, in units of codes; empty if there are none.
    deviations: Vec<f64>,
}

impl GateValues {
    pub(super) fn new(
        hicann: HicannOnWafer,
        instance: Instance,
        effects: Effects,
        gates: &FloatingGates,
        programming: &ProgrammingOfChip,
    ) -> Self {
        let noise = effects.contains(Effect::FgNoise);
        let drift = effects.contains(Effect::FgDrift);
        let mut deviations = Vec::new();
        if !noise && !drift {
            return Self { deviations };
        }
        for block in FgBlockOnHicann::all() {
            for row in FgRowOnBlock::all() {
                let first = deviations.len();
                deviations.resize(first + FgColumnOnBlock::SIZE, 0.0);
                let cells = &gates.blocks[block].cells.values()[index(row, 0)..];
                let programmed = programming.row(block, row);
                let place = (block.index() * FgRowOnBlock::SIZE + row.index()) << 32
                    | programmed.passes as usize;
                let row_of = &mut deviations[first..];
                if noise {
                    let mut normal = normals(instance, Kind::Programming, hicann, place);
                    for (deviation, code) in row_of.iter_mut().zip(cells) {
                        *deviation +=
                            noise_codes(row, programmed, f64::from(*code)) * normal.draw();
                    }
                }
                if drift {
                    let (mean, spread) = DRIFT_V[usize::from(row.is_current())];
                    let mut normal = normals(instance, Kind::Drift, hicann, place);
                    for deviation in row_of {
                        *deviation += (mean + spread * normal.draw()) / volts_per_code();
                    }
                }
            }
        }
        Self { deviations }
    }

    fn value(
        &self,
        block: FgBlockOnHicann,
        row: FgRowOnBlock,
        column: FgColumnOnBlock,
        code: f64,
    ) -> f64 {
        let at = block.index() * index(FgRowOnBlock::new::<23>(), FgColumnOnBlock::SIZE)
            + index(row, column.index());
        let deviation = self.deviations.get(at).copied().unwrap_or(0.0);
        (code + deviation).clamp(0.0, LARGEST)
    }

    /// The cells of a circuit, given their codes.
    pub(super) fn cells(&self, neuron: NeuronOnHicann, programmed: &Cells) -> Cells {
        let mut cells = *programmed;
        let (block, column) = (neuron.fg_block(), FgColumnOnBlock::of_neuron(neuron));
        for parameter in NeuronParameter::all() {
            let cell = &mut cells.neuron[parameter.index()];
            *cell = self.value(block, parameter.row(block.side()), column, *cell);
        }
        let shared = neuron.shared_fg_block();
        if let Some(row) = SharedParameter::VReset.row(shared.side()) {
            cells.v_reset = self.value(shared, row, FgColumnOnBlock::SHARED, cells.v_reset);
        }
        cells
    }

    /// A shared cell in units of codes; 0 if the block lacks it.
    pub(super) fn shared(
        &self,
        gates: &FloatingGates,
        block: FgBlockOnHicann,
        parameter: SharedParameter,
    ) -> f64 {
        let code = gates.shared(block, parameter).unwrap_or_default();
        parameter
            .row(block.side())
            .map_or(0.0, |row| self.value(block, row, FgColumnOnBlock::SHARED, code.into()))
    }
}

/// Position of a cell in its block.
fn index(row: FgRowOnBlock, column: usize) -> usize {
    FgColumnOnBlock::SIZE * row.index() + column
}

/// Standard deviation of the noise of a cell in units of codes.
fn noise_codes(row: FgRowOnBlock, programmed: RowProgramming, code: f64) -> f64 {
    if row.is_current() {
        let (share, least) = CURRENT_NOISE;
        let fine = (share * code).max(least);
        if programmed.fine { fine } else { COARSE_CURRENT_FACTOR * fine }
    } else {
        let [fine, coarse, small] = VOLTAGE_NOISE_V;
        let volts = match (code < SMALL_CODE, programmed.fine) {
            (true, _) => small,
            (false, true) => fine,
            (false, false) => coarse,
        };
        volts / volts_per_code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_published_sizes() {
        let (voltage, current) = (FgRowOnBlock::new::<6>(), FgRowOnBlock::new::<11>());
        let [fine, coarse] = [true, false].map(|fine| RowProgramming { passes: 4, fine });
        let millivolts = |p, code| noise_codes(voltage, p, code) * 1e3 * volts_per_code();
        assert!((millivolts(fine, 500.0) - 4.6).abs() < 1e-9);
        assert!((millivolts(coarse, 500.0) - 7.7).abs() < 1e-9);
        assert!((millivolts(fine, 50.0) - 15.0).abs() < 1e-9);
        assert_eq!(noise_codes(current, fine, 20.0), 1.0);
        assert_eq!(noise_codes(current, fine, 800.0), 8.0);
        assert_eq!(noise_codes(current, coarse, 800.0), 24.0);
    }
}
