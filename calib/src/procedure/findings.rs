//! What is found about a chip while it is measured, and how it is judged (analog §3.2).

use hal::config::{NeuronParameter as P, SharedParameter};
use hal::coord::{FgBlockOnHicann, NeuronOnHicann, Table};
use hal::law::{Formula, Transformation};

use super::gates::MODE;
use super::measure::PerCircuit;
use crate::HicannCalibration;
use crate::database::{CircuitFault, CircuitRecord, Quality};
use crate::fit::{Line, fit_line};

/// A line from voltage to code must not differ from the nominal one by more than this: slope as a
/// share, offset in codes.
const SLOPE: f64 = 1.0;
const SLOPE_E_L: f64 = 1.5;
const OFFSET: f64 = 1000.0;
/// Points scatter around a line by the noise of programming; more than this is no line, V.
const SCATTER_V: f64 = 0.05;

/// The calibration of a chip in the making.
#[derive(Debug, Clone)]
pub(super) struct Findings {
    pub(super) calibration: HicannCalibration,
    /// What the output amplifiers add, V.
    pub(super) shift_v: PerCircuit<f64>,
    /// Reset potential of a circuit minus that of its block, V.
    pub(super) reset_v: PerCircuit<f64>,
    pub(super) quality: PerCircuit<Vec<Quality>>,
    pub(super) block_quality: Table<FgBlockOnHicann, Vec<Quality>>,
    pub(super) faults: PerCircuit<Vec<CircuitFault>>,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self {
            calibration: HicannCalibration::default(),
            shift_v: Table::default(),
            reset_v: Table::default(),
            quality: Table::default(),
            block_quality: Table::default(),
            faults: Table::default(),
        }
    }

    /// Records of all circuits.
    pub(super) fn circuits(&self) -> PerCircuit<CircuitRecord> {
        Table::from_fn(|n| CircuitRecord {
            calibration: self.calibration.neurons[n].clone(),
            readout_shift_v: self.shift_v[n],
            reset_shift_v: self.reset_v[n],
            quality: self.quality[n].clone(),
            faults: self.faults[n].clone(),
        })
    }

    /// Notes that a circuit cannot be used.
    pub(super) fn fault(&mut self, n: NeuronOnHicann, parameter: &str, reason: String) {
        let parameter = parameter.to_owned();
        self.faults[n].push(CircuitFault { parameter, reason });
    }

    pub(super) fn note(
        &mut self,
        n: NeuronOnHicann,
        parameter: &str,
        points: usize,
        residual: f64,
    ) {
        let points = points as u32;
        self.quality[n].push(Quality { parameter: parameter.to_owned(), points, residual });
    }

    /// Fits a voltage of each circuit to pairs of code and measured voltage, V.
    pub(super) fn fit_voltages(
        &mut self,
        parameter: P,
        points: &PerCircuit<Vec<(f64, f64)>>,
        expected: usize,
    ) {
        for (n, points) in points.iter() {
            let name = parameter.name();
            if points.len() < expected.div_ceil(2) + 1 {
                let found = points.len();
                self.fault(n, name, format!("measured {found} of {expected} times"));
                continue;
            }
            let slope = if parameter == P::EL { SLOPE_E_L } else { SLOPE };
            match fit_line(points)
                .ok_or("no line".to_owned())
                .and_then(|l| code_of_volts(&l, slope))
            {
                Ok((transformation, residual)) => {
                    self.calibration.neurons[n].set(parameter, MODE, transformation);
                    self.note(n, name, points.len(), residual);
                }
                Err(reason) => self.fault(n, name, reason),
            }
        }
    }

    /// Fits V_reset of a block to pairs of code and mean voltage, V.
    pub(super) fn fit_reset(&mut self, block: FgBlockOnHicann, points: &[(f64, f64)]) -> bool {
        let line = fit_line(points);
        let Some(Ok((transformation, residual))) = line.map(|l| code_of_volts(&l, SLOPE)) else {
            return false;
        };
        self.calibration.blocks[block].set(SharedParameter::VReset, transformation);
        let (parameter, points) = (SharedParameter::VReset.name().to_owned(), points.len() as u32);
        self.block_quality[block].push(Quality { parameter, points, residual });
        true
    }
}

/// Turns a line from codes to volts round, if it is plausible; with the scatter of its points, V.
fn code_of_volts(line: &Line, slope_limit: f64) -> Result<(Transformation, f64), String> {
    let (slope, offset) = (1.0 / line.slope, -line.offset / line.slope);
    let share = slope * hal::law::volts(1.0) - 1.0;
    if share.is_nan() || share.abs() > slope_limit || slope <= 0.0 {
        return Err(format!("slope differs from the nominal one by {:.0} %", 100.0 * share));
    }
    if offset.is_nan() || offset.abs() > OFFSET {
        return Err(format!("offset of {offset:.0} codes"));
    }
    if line.residual.is_nan() || line.residual > SCATTER_V {
        return Err(format!("scatter of {:.1} mV", 1e3 * line.residual));
    }
    let formula = Formula::Polynomial(vec![offset, slope]);
    let made = Transformation::new(formula, 0.0, hal::law::FULL_SCALE_V);
    made.map(|t| (t, line.residual)).map_err(|e| e.to_string())
}
