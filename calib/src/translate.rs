//! From a PyNN cell to the codes of a circuit, and back (analog §1.6, §1.8).

mod terms;

use hal::config::{CurrentScaling, NeuronParameter, SharedParameter};
use hal::law::{self, Outside, Transformation, TransformationError};
use hal::value::DacCode;
use thiserror::Error;

use crate::cell::unit;
use crate::{
    BlockCalibration, CellParameters, CircuitMode, InvalidCell, InvalidScaling, NeuronCalibration,
    Scaling,
};
use terms::{Quantity, Units, realised_by};

/// A value beyond a limit by less than this share of it is a rounding error of the caller.
const TOLERANCE: f64 = 1e-9;

/// A value that the circuit does not reach, replaced by the nearest that it does. All numbers are
/// in the parameter's PyNN unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Clipped {
    /// PyNN's name of the parameter.
    pub parameter: &'static str,
    /// The value asked for.
    pub wanted: f64,
    /// The smallest value that the circuit reaches.
    pub low: f64,
    /// The largest value that the circuit reaches.
    pub high: f64,
    /// What the code stands for.
    pub realised: f64,
}

/// The cells of one circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// By [`NeuronParameter::index`].
    pub codes: [DacCode; NeuronParameter::COUNT],
    /// What had to be clipped.
    pub clipped: Vec<Clipped>,
}

/// A cell has no translation.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TranslateError {
    /// The parameters are unphysical.
    #[error(transparent)]
    Cell(#[from] InvalidCell),
    /// The scaling makes no sense.
    #[error(transparent)]
    Scaling(#[from] InvalidScaling),
    /// A value is too far beyond what the circuit reaches to be clipped.
    #[error(
        "{parameter} = {value} {unit} is out of reach: with this speedup, voltage window, \
         capacitor and leak the circuit does {low:.4} to {high:.4} {unit}; choose a value there, \
         or other settings"
    )]
    OutOfReach {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// The value asked for.
        value: f64,
        /// Unit of the three values.
        unit: &'static str,
        /// The smallest value that the circuit reaches.
        low: f64,
        /// The largest value that the circuit reaches.
        high: f64,
    },
    /// Both leak bits are set.
    #[error("the leak cannot be slow and fast at once: no law is known for that; choose one")]
    SlowAndFast,
    /// The calibration of a parameter is not usable.
    #[error("calibration of {parameter}: {source}")]
    Calibration {
        /// Name of the floating-gate parameter.
        parameter: &'static str,
        /// What is wrong.
        source: TransformationError,
    },
}

/// The codes of one circuit for a cell. The technical parameters come from their constants. The
/// reset potential belongs to a block: see [`translate_v_reset`].
///
/// A value that the circuit does not reach is clipped and listed if it lies within a factor of 2 of
/// the limit, or is a refractory time below the shortest; else it is an error. A potential has no
/// natural zero: it may lie beyond its interval by half the width of it, which is a factor of 2 as
/// seen from the middle. The limit is that of the circuit or that of a nominal one, whichever is
/// farther.
pub fn translate_cell(
    cell: &CellParameters,
    scaling: &Scaling,
    mode: CircuitMode,
    calibration: &NeuronCalibration,
) -> Result<Translation, TranslateError> {
    cell.validate()?;
    scaling.validate()?;
    if mode.leak == CurrentScaling::SlowAndFast {
        return Err(TranslateError::SlowAndFast);
    }
    let units = Units::new(scaling, cell.cm(), mode);
    let mut codes = initial_codes(mode, calibration)?;
    let mut clipped = Vec::new();
    for (name, wanted) in cell.values() {
        if let Some((parameter, quantity)) = realised_by(cell, name) {
            let request = Request { name, cell: parameter.name(), quantity, wanted };
            let transformation = calibration.transformation(parameter, mode);
            let nominal = law::neuron_transformation(parameter, &mode.half());
            let (code, clip) =
                request.code(transformation, Some(nominal), units, law::nearest_code)?;
            codes[parameter.index()] = code;
            clipped.extend(clip);
        }
    }
    Ok(Translation { codes, clipped })
}

/// The codes of a circuit before its cell is known: technical parameters at their constants,
/// adaptation and exponential term off.
fn initial_codes(
    mode: CircuitMode,
    calibration: &NeuronCalibration,
) -> Result<[DacCode; NeuronParameter::COUNT], TranslateError> {
    use NeuronParameter as P;
    let mut codes = [DacCode::default(); NeuronParameter::COUNT];
    for parameter in [P::IRadapt, P::VExp, P::IRexp] {
        codes[parameter.index()] = DacCode::MAX;
    }
    for parameter in [
        P::IBexp,
        P::IConvi,
        P::IConvx,
        P::IIntbbi,
        P::IIntbbx,
        P::ISpikeamp,
        P::VSyni,
        P::VSynx,
        P::VConvoffi,
        P::VConvoffx,
    ] {
        // the argument of a constant does not matter
        codes[parameter.index()] = calibration.to_code(parameter, mode, 0.0).map_err(|source| {
            TranslateError::Calibration { parameter: parameter.name(), source }
        })?;
    }
    Ok(codes)
}

/// The code of V_reset of a block, and how it was clipped if it was. It is truncated, not rounded,
/// as in the original (analog §1.8).
pub fn translate_v_reset(
    v_reset_mv: f64,
    scaling: &Scaling,
    calibration: &BlockCalibration,
) -> Result<(DacCode, Option<Clipped>), TranslateError> {
    scaling.validate()?;
    let request = Request {
        name: "v_reset",
        cell: SharedParameter::VReset.name(),
        quantity: Quantity::Potential,
        wanted: v_reset_mv,
    };
    // a potential neither knows a capacitance nor a capacitor
    let units = Units::new(scaling, 1.0, CircuitMode::default());
    // the small addend keeps the voltage of a code on that code
    let truncate = |value: f64| law::nearest_code((value + TOLERANCE).floor());
    request.code(calibration.transformation(SharedParameter::VReset), None, units, truncate)
}

/// One value to be realised by one cell.
struct Request {
    /// PyNN's name of the parameter.
    name: &'static str,
    /// Name of the floating-gate parameter.
    cell: &'static str,
    quantity: Quantity,
    /// In the PyNN unit.
    wanted: f64,
}

impl Request {
    /// The code, and how the value was clipped if it was.
    fn code(
        &self,
        transformation: &Transformation,
        nominal: Option<&Transformation>,
        units: Units<'_>,
        round: impl Fn(f64) -> DacCode,
    ) -> Result<(DacCode, Option<Clipped>), TranslateError> {
        let faulty = |source| TranslateError::Calibration { parameter: self.cell, source };
        let bio = |hw| units.to_bio(self.quantity, hw);
        let wanted = units.to_hw(self.quantity, self.wanted);
        if let Ok(value) = transformation.apply(wanted, Outside::Error)
            && (0.0..=1023.0).contains(&value)
        {
            return Ok((round(value), None));
        }
        let (low, high) = reach(transformation).map_err(faulty)?;
        let slack = TOLERANCE * low.abs().max(high.abs());
        let is_reached = low - slack <= wanted && wanted <= high + slack;
        // no circuit refuses what a nominal one takes: of many thousand some reach half as far
        let taken_by_nominal = || -> Result<bool, TranslateError> {
            let Some(nominal) = nominal else { return Ok(false) };
            let (low, high) = reach(nominal).map_err(faulty)?;
            Ok(self.may_clip(wanted, low, high))
        };
        if !is_reached && !self.may_clip(wanted, low, high) && !taken_by_nominal()? {
            return Err(TranslateError::OutOfReach {
                parameter: self.name,
                value: self.wanted,
                unit: unit(self.name),
                low: bio(low),
                high: bio(high),
            });
        }
        let nearest = transformation.apply(wanted.clamp(low, high), Outside::Clip);
        let code = round(nearest.map_err(faulty)?);
        if is_reached {
            return Ok((code, None));
        }
        let realised = transformation.inverse(code.into(), Outside::Clip).map_err(faulty)?;
        let clipped = Clipped {
            parameter: self.name,
            wanted: self.wanted,
            low: bio(low),
            high: bio(high),
            realised: bio(realised),
        };
        Ok((code, Some(clipped)))
    }

    /// Whether a value outside `low..=high`, all in hardware units, is near enough to be clipped.
    fn may_clip(&self, wanted: f64, low: f64, high: f64) -> bool {
        match self.quantity {
            Quantity::Potential => {
                let margin = (high - low) / 2.0;
                low - margin <= wanted && wanted <= high + margin
            }
            _ if self.name == "tau_refrac" && wanted < low => true,
            _ => low / 2.0 <= wanted && wanted <= high * 2.0,
        }
    }
}

/// The values that the codes 0..=1023 stand for, in SI units of the hardware.
fn reach(transformation: &Transformation) -> Result<(f64, f64), TransformationError> {
    let (low, high) = transformation.reverse_domain();
    let value = |code: f64| transformation.inverse(code.clamp(0.0, 1023.0), Outside::Clip);
    let (a, b) = (value(low)?, value(high)?);
    Ok((a.min(b), a.max(b)))
}

/// What the codes of a circuit give for a cell, in PyNN units. Parameters that no cell realises
/// (`cm`, and those of parts that are switched off) are kept from `template`, the cell that was
/// asked for.
pub fn realised_cell(
    template: &CellParameters,
    codes: &[DacCode; NeuronParameter::COUNT],
    v_reset_code: DacCode,
    mode: CircuitMode,
    scaling: &Scaling,
    neuron: &NeuronCalibration,
    block: &BlockCalibration,
) -> Result<CellParameters, TranslateError> {
    scaling.validate()?;
    let units = Units::new(scaling, template.cm(), mode);
    let mut realised = *template;
    for (name, value) in realised.fields() {
        let (hw, parameter, quantity) = if name == "v_reset" {
            let parameter = SharedParameter::VReset;
            (block.from_code(parameter, v_reset_code), parameter.name(), Quantity::Potential)
        } else if let Some((parameter, quantity)) = realised_by(template, name) {
            let hw = neuron.from_code(parameter, mode, codes[parameter.index()]);
            (hw, parameter.name(), quantity)
        } else {
            continue;
        };
        let hw = hw.map_err(|source| TranslateError::Calibration { parameter, source })?;
        *value = units.to_bio(quantity, hw);
    }
    Ok(realised)
}
