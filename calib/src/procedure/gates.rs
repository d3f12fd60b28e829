//! Cells of a chip while it is measured (analog §1.2).

use hal::config::{CurrentScaling, FloatingGates, NeuronParameter as P, SharedParameter};
use hal::coord::{Coordinate as _, FgBlockOnHicann, NeuronOnHicann};
use hal::law::{self, Outside};
use hal::value::{DacCode, GmaxSelect};

use crate::{BlockPlasticity, CircuitMode, HicannCalibration};

/// The mode that everything is measured in: big capacitor, normal leak.
pub(super) const MODE: CircuitMode =
    CircuitMode { big_capacitor: true, leak: CurrentScaling::Normal };

/// Codes of the cells of a chip, set through a calibration.
#[derive(Debug, Clone)]
pub(super) struct Gates<'a> {
    calibration: &'a HicannCalibration,
    gates: FloatingGates,
}

impl<'a> Gates<'a> {
    /// The base values of the original while it calibrates, with adaptation, exponential term and
    /// both synaptic inputs off. The biases of the inputs are at their end once they are on, as
    /// experiments use them.
    pub(super) fn new(calibration: &'a HicannCalibration) -> Self {
        let mut gates = Self { calibration, gates: FloatingGates::default() };
        for (parameter, code) in [
            (P::IConvi, 0),
            (P::IConvx, 0),
            (P::IGladapt, 0),
            (P::IFire, 0),
            (P::IRadapt, 1023),
            (P::IRexp, 1023),
            (P::VExp, 1023),
            (P::IBexp, 1023),
            (P::VConvoffi, 1023),
            (P::VConvoffx, 1023),
            (P::IGl, 409),
            (P::IPl, 818),
            (P::VSyntci, 807),
            (P::VSyntcx, 807),
        ] {
            gates.code(parameter, code);
        }
        for (parameter, volts) in [(P::EL, 0.8), (P::ESyni, 0.6), (P::ESynx, 1.3), (P::VT, 1.2)] {
            gates.nominal(parameter, volts);
        }
        gates
    }

    /// A code for all circuits.
    pub(super) fn code(&mut self, parameter: P, code: usize) -> &mut Self {
        let code = DacCode::from_index(code).unwrap_or(DacCode::MAX);
        for n in NeuronOnHicann::all() {
            self.gates.set_neuron(n, parameter, code);
        }
        self
    }

    /// A code for each circuit.
    pub(super) fn codes(
        &mut self,
        parameter: P,
        code: impl Fn(NeuronOnHicann) -> DacCode,
    ) -> &mut Self {
        for n in NeuronOnHicann::all() {
            self.gates.set_neuron(n, parameter, code(n));
        }
        self
    }

    /// A value for all circuits by the nominal law, SI units of the hardware.
    pub(super) fn nominal(&mut self, parameter: P, value: f64) -> &mut Self {
        let code = nominal_code(parameter, value);
        self.codes(parameter, |_| code)
    }

    /// A value for some circuits by the nominal law, SI units of the hardware.
    pub(super) fn nominal_of(
        &mut self,
        parameter: P,
        circuits: &[NeuronOnHicann],
        value: f64,
    ) -> &mut Self {
        let code = nominal_code(parameter, value);
        for &n in circuits {
            self.gates.set_neuron(n, parameter, code);
        }
        self
    }

    /// A value for all circuits by their calibrations, SI units of the hardware.
    pub(super) fn calibrated(&mut self, parameter: P, value: f64) -> &mut Self {
        let calibration = self.calibration;
        self.codes(parameter, |n| {
            // only a pole has no code, and there is none in a domain
            calibration.neurons[n].to_code(parameter, MODE, value).unwrap_or_default()
        })
    }

    /// V_convoff of an input as measured, and the input on.
    pub(super) fn input_on(&mut self, side: usize) -> &mut Self {
        let (offset, bias) = [(P::VConvoffx, P::IConvx), (P::VConvoffi, P::IConvi)][side];
        self.calibrated(offset, 0.0).code(bias, 1023)
    }

    /// V_reset of all blocks by the nominal law, V.
    pub(super) fn nominal_reset(&mut self, volts: f64) -> &mut Self {
        let code = law::nearest_code(volts / law::volts(1.0));
        for block in FgBlockOnHicann::all() {
            self.gates.set_shared(block, SharedParameter::VReset, code);
        }
        self
    }

    /// V_reset of all blocks by their calibrations, V.
    pub(super) fn calibrated_reset(&mut self, volts: f64) -> &mut Self {
        for block in FgBlockOnHicann::all() {
            let transformation =
                self.calibration.blocks[block].transformation(SharedParameter::VReset);
            let code = transformation.apply(volts, Outside::Clip).map(law::nearest_code);
            self.gates.set_shared(block, SharedParameter::VReset, code.unwrap_or_default());
        }
        self
    }

    /// All four V_gmax of all blocks.
    pub(super) fn v_gmax(&mut self, code: DacCode) -> &mut Self {
        for block in FgBlockOnHicann::all() {
            for select in GmaxSelect::all() {
                self.gates.set_shared(block, SharedParameter::gmax(select), code);
            }
        }
        self
    }

    /// All four V_gmax of all blocks by their calibrations: as strong as a nominal one with this code.
    pub(super) fn calibrated_gmax(&mut self, code: DacCode) -> &mut Self {
        for block in FgBlockOnHicann::all() {
            for select in GmaxSelect::all() {
                let own = self.calibration.blocks[block].gmax_code(select, code);
                self.gates.set_shared(block, SharedParameter::gmax(select), own);
            }
        }
        self
    }

    /// Short-term plasticity of all blocks at full strength, without offsets, with these recovery cells.
    pub(super) fn plasticity(
        &mut self,
        recovery: impl Fn(FgBlockOnHicann) -> DacCode,
    ) -> &mut Self {
        for block in FgBlockOnHicann::all() {
            let cells = BlockPlasticity { recovery: recovery(block), facilitation: None };
            for (parameter, code) in cells.cells() {
                self.gates.set_shared(block, parameter, code);
            }
        }
        self
    }

    /// The cells.
    pub(super) fn finish(&self) -> FloatingGates {
        self.gates.clone()
    }
}

/// The code of a value by the nominal law.
pub(super) fn nominal_code(parameter: P, value: f64) -> DacCode {
    let transformation = law::neuron_transformation(parameter, &MODE.half());
    // values in the procedures lie in the domains
    transformation.apply(value, Outside::Clip).map(law::nearest_code).unwrap_or_default()
}

/// The value of a code by the nominal law.
pub(super) fn nominal_value(parameter: P, code: usize) -> f64 {
    let transformation = law::neuron_transformation(parameter, &MODE.half());
    transformation.inverse(code as f64, Outside::Clip).unwrap_or(f64::NAN)
}
