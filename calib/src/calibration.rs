//! The calibration of circuits, blocks, chips and a wafer (analog §2.1).
//!
//! A calibration holds what was measured. What was not falls back to the nominal law of
//! [`hal::law`], so an empty calibration is the ideal one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use hal::config::{CurrentScaling, NeuronHalf, NeuronParameter, SharedParameter};
use hal::coord::{
    FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, SynapticInputOnNeuron, Table, WaferNumber,
};
use hal::law::{self, Outside, Transformation, TransformationError};
use hal::value::{DacCode, GmaxSelect, StpCapacitor};
use serde::{Deserialize, Serialize};

/// Capacitor and leak of a circuit: what a transformation of I_gl holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CircuitMode {
    /// The big membrane capacitor instead of the small one.
    pub big_capacitor: bool,
    /// Scaling of the leak current.
    pub leak: CurrentScaling,
}

impl Default for CircuitMode {
    /// Big capacitor, normal leak.
    fn default() -> Self {
        Self { big_capacitor: true, leak: CurrentScaling::Normal }
    }
}

impl CircuitMode {
    /// The settings of a half of a chip in this mode. The adaptation has no modes of its own
    /// (analog §10.8).
    pub fn half(self) -> NeuronHalf {
        NeuronHalf { big_capacitor: self.big_capacitor, i_gl: self.leak, ..NeuronHalf::default() }
    }
}

/// The transformations of one circuit, from SI units of the hardware to codes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NeuronCalibration {
    /// Sorted by parameter and mode; modes for I_gl only.
    measured: Vec<(NeuronParameter, Option<CircuitMode>, Transformation)>,
    /// Logarithms of the gains of the synaptic inputs.
    log_gain: [f64; 2],
}

impl NeuronCalibration {
    /// The nominal law.
    pub const fn ideal() -> Self {
        Self { measured: Vec::new(), log_gain: [0.0; 2] }
    }

    /// What was measured, and the logarithms of the gains.
    pub(crate) const fn from_parts(
        measured: Vec<(NeuronParameter, Option<CircuitMode>, Transformation)>,
        log_gain: [f64; 2],
    ) -> Self {
        Self { measured, log_gain }
    }

    /// Conductance that a synaptic input gets over the nominal one, 1 unless measured. A weight
    /// divided by it acts as the weight does on a nominal circuit.
    pub fn input_gain(&self, input: SynapticInputOnNeuron) -> f64 {
        self.log_gain[input.index()].exp()
    }

    /// Stores a measured gain; what is not above 0 counts as 1.
    pub fn set_input_gain(&mut self, input: SynapticInputOnNeuron, gain: f64) {
        let log = gain.ln();
        self.log_gain[input.index()] = if log.is_finite() { log } else { 0.0 };
    }

    /// The transformation of a parameter: the measured one, or the nominal one.
    pub fn transformation(&self, parameter: NeuronParameter, mode: CircuitMode) -> &Transformation {
        match self.position(parameter, mode) {
            Ok(i) => &self.measured[i].2,
            Err(_) => law::neuron_transformation(parameter, &mode.half()),
        }
    }

    /// Stores a measured transformation; the mode matters for I_gl only.
    pub fn set(&mut self, parameter: NeuronParameter, mode: CircuitMode, measured: Transformation) {
        match self.position(parameter, mode) {
            Ok(i) => self.measured[i].2 = measured,
            Err(i) => self.measured.insert(i, (parameter, variant(parameter, mode), measured)),
        }
    }

    /// What was measured, by parameter and mode; modes for I_gl only.
    pub fn measured(
        &self,
    ) -> impl Iterator<Item = (NeuronParameter, Option<CircuitMode>, &Transformation)> {
        self.measured.iter().map(|(parameter, mode, t)| (*parameter, *mode, t))
    }

    fn position(&self, parameter: NeuronParameter, mode: CircuitMode) -> Result<usize, usize> {
        let key = (parameter, variant(parameter, mode));
        self.measured.binary_search_by(|(p, m, _)| (*p, *m).cmp(&key))
    }

    /// The code for a value in SI units of the hardware. Values outside the domain take its end;
    /// only a pole or NaN is an error (analog §2.3).
    pub fn to_code(
        &self,
        parameter: NeuronParameter,
        mode: CircuitMode,
        value: f64,
    ) -> Result<DacCode, TransformationError> {
        self.transformation(parameter, mode).apply(value, Outside::Clip).map(law::nearest_code)
    }

    /// The value in SI units of the hardware of a code. The codes that switch adaptation (0 and, of
    /// its time constant, 1023) and the exponential term (1023) off give 0 (analog §1.6).
    pub fn from_code(
        &self,
        parameter: NeuronParameter,
        mode: CircuitMode,
        code: DacCode,
    ) -> Result<f64, TransformationError> {
        use NeuronParameter as P;
        let off = match parameter {
            P::IGladapt | P::IFire => code == DacCode::default(),
            P::IRadapt | P::IRexp => code == DacCode::MAX,
            _ => false,
        };
        if off {
            return Ok(0.0);
        }
        self.transformation(parameter, mode).inverse(code.into(), Outside::Clip)
    }
}

/// The leak conductance is the one parameter with a transformation per mode.
fn variant(parameter: NeuronParameter, mode: CircuitMode) -> Option<CircuitMode> {
    (parameter == NeuronParameter::IGl).then_some(mode)
}

/// The transformations of the shared parameters of one floating-gate block.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BlockCalibration {
    /// Sorted by parameter.
    measured: Vec<(SharedParameter, Transformation)>,
    /// Logarithm of what events of drivers use over the nominal share.
    log_utilisation: f64,
}

impl BlockCalibration {
    /// The nominal law.
    pub const fn ideal() -> Self {
        Self { measured: Vec::new(), log_utilisation: 0.0 }
    }

    /// What was measured, without any utilisation.
    pub(crate) const fn from_parts(measured: Vec<(SharedParameter, Transformation)>) -> Self {
        Self { measured, log_utilisation: 0.0 }
    }

    /// Share of its resources that an event of a driver uses with a capacitor: the measured one on
    /// average over drivers, or the nominal one.
    pub fn utilisation(&self, capacitor: StpCapacitor) -> f64 {
        law::stp_utilisation(capacitor) * self.log_utilisation.exp()
    }

    /// Stores the measured utilisation over the nominal one; what is not above 0 counts as 1.
    pub fn set_utilisation(&mut self, factor: f64) {
        let log = factor.ln();
        self.log_utilisation = if log.is_finite() { log } else { 0.0 };
    }

    /// The capacitor with which events use as much as nominal ones do with `nominal`, as nearly as the
    /// eight capacitors allow.
    pub fn capacitor(&self, nominal: StpCapacitor) -> StpCapacitor {
        law::stp_capacitor(law::stp_utilisation(nominal) / self.log_utilisation.exp())
    }

    /// The code of V_dtc with which drivers recover as nominal ones do with `nominal`.
    pub fn recovery_code(&self, nominal: DacCode) -> DacCode {
        let own = self.transformation(SharedParameter::VDtc);
        let seconds = BlockCalibration::ideal().from_code(SharedParameter::VDtc, nominal);
        let code = seconds.and_then(|seconds| own.apply(seconds, Outside::Clip));
        code.map_or(nominal, law::nearest_code)
    }

    /// The transformation of a parameter: the measured one, or the nominal one.
    pub fn transformation(&self, parameter: SharedParameter) -> &Transformation {
        match self.position(parameter) {
            Ok(i) => &self.measured[i].1,
            Err(_) => law::shared_transformation(parameter),
        }
    }

    /// Stores a measured transformation.
    pub fn set(&mut self, parameter: SharedParameter, measured: Transformation) {
        match self.position(parameter) {
            Ok(i) => self.measured[i].1 = measured,
            Err(i) => self.measured.insert(i, (parameter, measured)),
        }
    }

    /// The code of V_gmax with which rows of this block conduct as those of a nominal block do with
    /// `nominal`.
    pub fn gmax_code(&self, select: GmaxSelect, nominal: DacCode) -> DacCode {
        let own = self.transformation(SharedParameter::gmax(select));
        own.apply(law::amperes(nominal), Outside::Clip).map_or(nominal, law::nearest_code)
    }

    /// What rows of this block conduct over what those of a nominal block do with `nominal`, apart from
    /// rounding: 1, or less where the largest code is too small.
    pub fn gmax_reach(&self, select: GmaxSelect, nominal: DacCode) -> f64 {
        let own = self.transformation(SharedParameter::gmax(select));
        let (wanted_a, largest) = (law::amperes(nominal), f64::from(DacCode::MAX));
        match own.apply(wanted_a, Outside::Extrapolate) {
            Ok(code) if code > largest + 0.5 => {
                let reached_a = own.inverse(largest, Outside::Clip);
                reached_a.map_or(1.0, |reached_a| reached_a / wanted_a)
            }
            _ => 1.0,
        }
    }

    /// The value in SI units of the hardware of a code.
    pub fn from_code(
        &self,
        parameter: SharedParameter,
        code: DacCode,
    ) -> Result<f64, TransformationError> {
        self.transformation(parameter).inverse(code.into(), Outside::Clip)
    }

    /// What was measured, by parameter.
    pub fn measured(&self) -> impl Iterator<Item = (SharedParameter, &Transformation)> {
        self.measured.iter().map(|(parameter, t)| (*parameter, t))
    }

    fn position(&self, parameter: SharedParameter) -> Result<usize, usize> {
        self.measured.binary_search_by_key(&parameter, |(p, _)| *p)
    }
}

/// The calibration of one chip.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HicannCalibration {
    /// By circuit.
    pub neurons: Table<NeuronOnHicann, NeuronCalibration>,
    /// By floating-gate block.
    pub blocks: Table<FgBlockOnHicann, BlockCalibration>,
    /// Circuits that cannot be used: they did not pass their measurement.
    pub blacklist: BTreeSet<NeuronOnHicann>,
}

static IDEAL: LazyLock<HicannCalibration> = LazyLock::new(HicannCalibration::default);

/// The calibration of a wafer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WaferCalibration {
    /// The wafer that it was measured on; none of the ideal one.
    pub wafer: Option<WaferNumber>,
    /// The chips that were measured.
    pub hicanns: BTreeMap<HicannOnWafer, HicannCalibration>,
}

impl WaferCalibration {
    /// The nominal law for every chip.
    pub const fn ideal() -> Self {
        Self { wafer: None, hicanns: BTreeMap::new() }
    }

    /// The calibration of a chip; the ideal one if the chip was not measured.
    pub fn hicann(&self, hicann: HicannOnWafer) -> &HicannCalibration {
        self.hicanns.get(&hicann).unwrap_or(&IDEAL)
    }
}
