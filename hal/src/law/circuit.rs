//! Everything nominal about one circuit, from its cells (analog §1.2, §1.6, §5.1).

use super::{
    a_s, b_a, capacitance_f, delta_t_v, e_synx_v, tau_m_s, tau_ref_s, tau_syn_s, tau_w_s, volts,
};
use crate::config::{FloatingGates, NeuronHalf, NeuronParameter, Neurons, SharedParameter};
use crate::coord::NeuronOnHicann;

/// The cells that determine a circuit, in units of codes. A cell is analog: its value may lie
/// between two codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cells {
    /// By [`NeuronParameter::index`].
    pub neuron: [f64; NeuronParameter::COUNT],
    /// V_reset of the block that serves the circuit.
    pub v_reset: f64,
}

impl Cells {
    /// The programmed codes of a circuit.
    pub fn programmed(gates: &FloatingGates, neuron: NeuronOnHicann) -> Self {
        let mut cells = [0.0; NeuronParameter::COUNT];
        for parameter in NeuronParameter::all() {
            cells[parameter.index()] = gates.neuron(neuron, parameter).into();
        }
        let block = neuron.shared_fg_block();
        let v_reset = gates.shared(block, SharedParameter::VReset).unwrap_or_default();
        Self { neuron: cells, v_reset: v_reset.into() }
    }
}

/// One circuit in SI units of the hardware.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CircuitParameters {
    /// Membrane capacitance, F.
    pub capacitance_f: f64,
    /// Membrane time constant, s.
    pub tau_m_s: f64,
    /// Leak reversal potential, V.
    pub e_l_v: f64,
    /// Excitatory reversal potential, V.
    pub e_synx_v: f64,
    /// Inhibitory reversal potential, V.
    pub e_syni_v: f64,
    /// Spike threshold, V.
    pub v_t_v: f64,
    /// Reset potential, V.
    pub v_reset_v: f64,
    /// Refractory time, s.
    pub tau_ref_s: f64,
    /// Excitatory synaptic time constant, s.
    pub tau_syn_x_s: f64,
    /// Inhibitory synaptic time constant, s.
    pub tau_syn_i_s: f64,
    /// Adaptation, if it is on.
    pub adaptation: Option<Adaptation>,
    /// The exponential term, if it is on.
    pub exponential: Option<Exponential>,
}

/// Adaptation of one circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation {
    /// Sub-threshold conductance, S.
    pub a_s: f64,
    /// Current added by each spike, A.
    pub b_a: f64,
    /// Time constant, s.
    pub tau_w_s: f64,
}

/// Exponential term of one circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponential {
    /// Onset, V.
    pub v_exp_v: f64,
    /// Slope, V.
    pub delta_t_v: f64,
}

/// The nominal circuit behind the programmed cells.
pub fn circuit(
    gates: &FloatingGates,
    neurons: &Neurons,
    neuron: NeuronOnHicann,
) -> CircuitParameters {
    circuit_from_cells(&Cells::programmed(gates, neuron), neurons.half(neuron))
}

/// The nominal circuit behind given cells.
///
/// Adaptation is off if I_gladapt and I_fire are 0 or I_radapt is 1023, the exponential term if
/// I_rexp is 1023: exactly. Whoever adds noise to cells decides that from the programmed codes.
pub fn circuit_from_cells(cells: &Cells, half: &NeuronHalf) -> CircuitParameters {
    use NeuronParameter as P;
    let cell = |parameter: P| cells.neuron[parameter.index()];
    let adaptation = Adaptation {
        a_s: a_s(cell(P::IGladapt)),
        b_a: b_a(cell(P::IFire)),
        tau_w_s: tau_w_s(cell(P::IRadapt)),
    };
    let exponential =
        Exponential { v_exp_v: volts(cell(P::VExp)), delta_t_v: delta_t_v(cell(P::IRexp)) };
    CircuitParameters {
        capacitance_f: capacitance_f(half),
        tau_m_s: tau_m_s(cell(P::IGl), half),
        e_l_v: volts(cell(P::EL)),
        e_synx_v: e_synx_v(cell(P::ESynx)),
        e_syni_v: volts(cell(P::ESyni)),
        v_t_v: volts(cell(P::VT)),
        v_reset_v: volts(cells.v_reset),
        tau_ref_s: tau_ref_s(cell(P::IPl)),
        tau_syn_x_s: tau_syn_s(cell(P::VSyntcx)),
        tau_syn_i_s: tau_syn_s(cell(P::VSyntci)),
        adaptation: Some(adaptation).filter(|a| (a.a_s != 0.0 || a.b_a != 0.0) && a.tau_w_s > 0.0),
        exponential: Some(exponential).filter(|e| e.delta_t_v > 0.0),
    }
}
