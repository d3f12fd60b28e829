//! Cells of a measured calibration against the claim (V05): every circuit holds the code that its own
//! calibration has for the claimed value.
//!
//! The claim is what the first circuit of a neuron realises: the value of a whole code. What was asked
//! for lies within a step of it, and within that the other circuits have rounded for themselves.

use calib::{CircuitMode, HicannCalibration};
use hal::config::{HicannConfig, NeuronParameter as P, SharedParameter};
use hal::coord::{HicannOnWafer, NeuronOnHicann};
use hal::law::{CircuitParameters, Outside, Transformation};
use hal::value::DacCode;

use super::{Case, Faults, Rule};

/// The calibration of a chip, to hold its cells against.
pub(super) struct Calibrated<'a> {
    pub(super) calibration: &'a HicannCalibration,
    pub(super) mode: CircuitMode,
    pub(super) hicann: HicannOnWafer,
    pub(super) chip: &'a HicannConfig,
}

/// A code and the transformation that it belongs to.
#[derive(Clone, Copy)]
struct Cell<'a> {
    code: DacCode,
    law: &'a Transformation,
}

impl Cell<'_> {
    /// The code of a value.
    fn code_of(&self, value: f64) -> f64 {
        self.law.apply(value, Outside::Clip).map_or(f64::NAN, |code| code.clamp(0.0, 1023.0))
    }

    /// Whether this is the cell of the first circuit, if that is to realise a value.
    fn realises(&self, value: f64) -> bool {
        (self.code_of(value) - f64::from(self.code)).abs() < 1.0
    }

    /// Whether both cells can stand for the same value. Where the first one is at its end, the value
    /// may lie beyond.
    fn agrees(&self, first: &Self) -> bool {
        let code = f64::from(first.code);
        let (least, most) = first.law.reverse_domain();
        let value = |code: f64| {
            let value = first.law.inverse(code.clamp(0.0, 1023.0), Outside::Clip);
            value.unwrap_or(f64::NAN)
        };
        // entries of a table may be equal: the next value is further away then
        let ends = [-1.0, 1.0].map(|step| {
            let codes = [code + step, code + 2.0 * step, code + 3.0 * step];
            let next = codes.map(value).into_iter().find(|next| *next != value(code));
            self.code_of(next.unwrap_or(value(code)))
        });
        let (mut low, mut high) = (ends[0].min(ends[1]) - 1.0, ends[0].max(ends[1]) + 1.0);
        if code <= least.max(0.0).ceil() {
            low = 0.0;
        }
        if code >= most.min(1023.0).floor() {
            high = 1023.0;
        }
        (low..=high).contains(&f64::from(self.code))
    }
}

impl Calibrated<'_> {
    /// All cells of a circuit that a claimed number depends on. `first` is the neuron's first circuit.
    pub(super) fn check(
        &self,
        case: &Case<'_>,
        [first, circuit]: [NeuronOnHicann; 2],
        expected: &CircuitParameters,
        member: usize,
        faults: &mut Faults,
    ) {
        let of = |circuit, parameter| Cell {
            code: self.chip.floating_gates.neuron(circuit, parameter),
            law: self.calibration.neurons[circuit].transformation(parameter, self.mode),
        };
        let reset = |circuit: NeuronOnHicann| {
            let (block, parameter) = (circuit.shared_fg_block(), SharedParameter::VReset);
            let code = self.chip.floating_gates.shared(block, parameter).unwrap_or_default();
            Cell { code, law: self.calibration.blocks[block].transformation(parameter) }
        };
        let cells = claimed(expected)
            .into_iter()
            .map(|(parameter, value)| {
                (parameter.name(), value, of(first, parameter), of(circuit, parameter))
            })
            .chain([("V_reset", expected.v_reset_v, reset(first), reset(circuit))]);
        for (name, value, first, own) in cells {
            faults.demand(Rule::V05, first.realises(value) && own.agrees(&first), || {
                let (hicann, who) = (self.hicann, case.name(member));
                let (found, wanted) = (own.code, own.code_of(value));
                format!(
                    "{hicann}.{circuit} of {who}: {name} is {found}, its calibration asks for \
                     {wanted:.1}"
                )
            });
        }
    }

    /// The code of a technical parameter.
    pub(super) fn constant(&self, circuit: NeuronOnHicann, parameter: P) -> DacCode {
        // the argument of a constant does not matter
        let code = self.calibration.neurons[circuit].to_code(parameter, self.mode, 0.0);
        code.unwrap_or_else(|_| parameter.default_code())
    }
}

/// The parameters that realise a circuit and their values, SI units of the hardware.
fn claimed(circuit: &CircuitParameters) -> Vec<(P, f64)> {
    let mut claimed = vec![
        (P::IGl, circuit.tau_m_s),
        (P::EL, circuit.e_l_v),
        (P::ESynx, circuit.e_synx_v),
        (P::ESyni, circuit.e_syni_v),
        (P::VT, circuit.v_t_v),
        (P::IPl, circuit.tau_ref_s),
        (P::VSyntcx, circuit.tau_syn_x_s),
        (P::VSyntci, circuit.tau_syn_i_s),
    ];
    if let Some(adaptation) = circuit.adaptation {
        claimed.push((P::IRadapt, adaptation.tau_w_s));
        let parts = [(P::IGladapt, adaptation.a_s), (P::IFire, adaptation.b_a)];
        claimed.extend(parts.into_iter().filter(|(_, value)| *value != 0.0));
    }
    if let Some(exponential) = circuit.exponential {
        claimed.push((P::VExp, exponential.v_exp_v));
        claimed.push((P::IRexp, exponential.delta_t_v));
    }
    claimed
}
