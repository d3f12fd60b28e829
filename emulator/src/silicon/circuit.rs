//! One circuit as it was made: the law with the deviations of its own.

use hal::config::{NeuronHalf, NeuronParameter as P};
use hal::coord::{HicannOnWafer, NeuronOnHicann, Table};
use hal::law::{self, Cells, CircuitParameters};

use super::Fault;
use super::draw::{Kind, Normals, normals};
use crate::instance::Instance;

/// Spreads of V_t, E_l, E_synx, E_syni, V_exp and of the circuit's part of V_reset, V
/// (contract §2; analog §3.5; that of V_exp as of E_l).
const V_T_V: f64 = 0.0145;
const E_L_V: f64 = 0.020;
const E_SYNX_V: f64 = 0.0245;
const E_SYNI_V: f64 = 0.020;
const V_EXP_V: f64 = 0.020;
const V_RESET_V: f64 = 0.008;
/// Relative spreads of time constants (contract §2), of adaptation and slope, and of synaptic
/// inputs (assumptions).
const TIME: f64 = 0.25;
const ADAPTATION: f64 = 0.20;
const INPUT: f64 = 0.10;
/// V_convoff below which a synaptic input conducts all the time, V: mean and spread. The original
/// accepts codes from 100 to 900 (analog §3.2); the size is an assumption.
const ONSET_V: (f64, f64) = (0.88, 0.13);
/// Standing conductance per volt below the onset, S/V: far below, the rest potential shifts by
/// more than 150 mV at weak leak (analog §5.1).
const STANDING_S_PER_V: f64 = 0.6e-6;

/// Distance from its potential at which the linear law of a leak reaches its largest current, V. An
/// assumption.
pub(super) const LEAK_RANGE_V: f64 = 0.6;
/// The largest conductance of an input is its bias over this voltage, V. An assumption that changes
/// the balanced network as little at low rates and as much at high ones as was published: see the
/// README.
const INPUT_RANGE_V: f64 = 0.32;
/// Bias below which an input counts as having this one, A: one code.
const SMALLEST_BIAS_A: f64 = 2.5e-9;

/// Deviations of a circuit, standard normal unless said otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Deviation {
    v_t: f64,
    e_l: f64,
    e_syn: [f64; 2],
    v_exp: f64,
    v_reset: f64,
    tau_m: f64,
    tau_ref: f64,
    tau_syn: [f64; 2],
    tau_w: f64,
    a: f64,
    b: f64,
    slope: f64,
    input: [f64; 2],
    onset: [f64; 2],
}

/// The deviations of all circuits of a chip.
pub(super) fn deviations(
    instance: Instance,
    hicann: HicannOnWafer,
) -> Table<NeuronOnHicann, Deviation> {
    Table::from_fn(|neuron: NeuronOnHicann| {
        Deviation::new(&mut normals(instance, Kind::Circuits, hicann, neuron.index()))
    })
}

impl Deviation {
    fn new(n: &mut Normals) -> Self {
        Self {
            v_t: n.draw(),
            e_l: n.draw(),
            e_syn: [n.draw(), n.draw()],
            v_exp: n.draw(),
            v_reset: n.draw(),
            tau_m: n.draw(),
            tau_ref: n.draw(),
            tau_syn: [n.draw(), n.draw()],
            tau_w: n.draw(),
            a: n.draw(),
            b: n.draw(),
            slope: n.draw(),
            input: [n.draw(), n.draw()],
            onset: [n.draw(), n.draw()],
        }
    }
}

/// Factor with mean 1 and a relative spread that never reaches 0: log-normal.
pub(super) fn factor(spread: f64, normal: f64) -> f64 {
    let variance = (1.0 + spread * spread).ln();
    (variance.sqrt() * normal - 0.5 * variance).exp()
}

/// One circuit with everything that the emulator knows about it. Pairs are by synaptic input.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    /// What obeys the law, with deviations.
    pub(crate) law: CircuitParameters,
    /// Whether a synaptic input works: its bias I_conv is not 0 (analog §1.6).
    pub(crate) input_on: [bool; 2],
    /// Factor of the conductances of an input.
    pub(crate) input_factor: [f64; 2],
    /// Conductance that an input has all the time, S.
    pub(crate) standing_s: [f64; 2],
    /// Largest conductance of an input, S; infinite if it does not saturate.
    pub(crate) limit_s: [f64; 2],
    /// Time constant of the way to the reset potential, s; 0 if it is there at once.
    pub(crate) tau_reset_s: f64,
    /// Currents of the biases I_conv, A.
    bias_a: [f64; 2],
    /// V_convoff of the inputs, V.
    offset_v: [f64; 2],
    /// What it does instead of working, if it is defective.
    pub(crate) fault: Option<Fault>,
}

impl Circuit {
    /// The nominal circuit behind cells; `programmed` are their codes.
    ///
    /// What is switched off stays off whatever noise the cells have: that is decided by the codes
    /// (analog §1.6).
    pub(super) fn new(programmed: &Cells, cells: &Cells, half: NeuronHalf) -> Self {
        let nominal = law::circuit_from_cells(programmed, &half);
        let code = |p: P| programmed.neuron[p.index()];
        let mut cells = *cells;
        for off in [P::IGladapt, P::IFire, P::IRadapt, P::IRexp] {
            // a value that noise has carried to the end of the range is not off
            let (code, cell) = (code(off), &mut cells.neuron[off.index()]);
            *cell = if code == 0.0 || code >= LAST { code } else { cell.clamp(1.0, LAST - 1.0) };
        }
        let mut law = law::circuit_from_cells(&cells, &half);
        law.adaptation = law.adaptation.filter(|_| nominal.adaptation.is_some());
        law.exponential = law.exponential.filter(|_| nominal.exponential.is_some());
        let offset = |p: P| law::volts(cells.neuron[p.index()]);
        Self {
            law,
            input_on: [code(P::IConvx) > 0.0, code(P::IConvi) > 0.0],
            input_factor: [1.0; 2],
            standing_s: [0.0; 2],
            limit_s: [f64::INFINITY; 2],
            tau_reset_s: 0.0,
            bias_a: [P::IConvx, P::IConvi].map(|p| law::amperes(cells.neuron[p.index()])),
            offset_v: [offset(P::VConvoffx), offset(P::VConvoffi)],
            fault: None,
        }
    }

    /// Lets the inputs saturate (analog §5.1).
    pub(super) fn limit_inputs(&mut self) {
        self.limit_s = self.bias_a.map(|a| a.max(SMALLEST_BIAS_A) / INPUT_RANGE_V);
    }

    /// Adds the deviations of the circuit, and that of the V_reset of its block in V.
    pub(super) fn deviate(&mut self, d: &Deviation, reset_v: f64) {
        let p = &mut self.law;
        p.v_t_v += V_T_V * d.v_t;
        p.e_l_v += E_L_V * d.e_l;
        p.e_synx_v += E_SYNX_V * d.e_syn[0];
        p.e_syni_v += E_SYNI_V * d.e_syn[1];
        p.v_reset_v += V_RESET_V * d.v_reset + reset_v;
        p.tau_m_s *= factor(TIME, d.tau_m);
        p.tau_ref_s *= factor(TIME, d.tau_ref);
        p.tau_syn_x_s *= factor(TIME, d.tau_syn[0]);
        p.tau_syn_i_s *= factor(TIME, d.tau_syn[1]);
        if let Some(adaptation) = &mut p.adaptation {
            adaptation.tau_w_s *= factor(TIME, d.tau_w);
            adaptation.a_s *= factor(ADAPTATION, d.a);
            adaptation.b_a *= factor(ADAPTATION, d.b);
        }
        if let Some(exponential) = &mut p.exponential {
            exponential.v_exp_v += V_EXP_V * d.v_exp;
            exponential.delta_t_v *= factor(ADAPTATION, d.slope);
        }
        for side in [0, 1] {
            self.input_factor[side] = factor(INPUT, d.input[side]);
            let onset_v = ONSET_V.0 + ONSET_V.1 * d.onset[side];
            let below_v = (onset_v - self.offset_v[side]).max(0.0);
            let on = f64::from(u8::from(self.input_on[side]));
            self.standing_s[side] = on * STANDING_S_PER_V * below_v;
        }
    }
}

/// The last code.
const LAST: f64 = 1023.0;
