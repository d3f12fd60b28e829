//! From configuration to circuits: which of the 512 circuits of a chip share a membrane, and what
//! that membrane obeys (topology §7.2, analog §5.1).
//!
//! On a joined membrane capacitances and leaks add; every circuit keeps its synaptic inputs, its
//! adaptation and its exponential term. Terms that are provably identical are evaluated once:
//! conductances with equal time constant and reversal potential add linearly, so do adaptation
//! currents with equal time constant.

use hal::config::HicannConfig;
use hal::coord::{Coordinate, NeuronOnHicann, SynapticInputOnNeuron, Table};
use hal::law::{self, CircuitParameters};

/// A synaptic conductance of a membrane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SynapticInput {
    /// Time constant of its decay.
    pub(crate) tau_s: f64,
    /// Reversal potential.
    pub(crate) e_rev_v: f64,
}

/// An adaptation current: `tau dw/dt = a V - a E_l - w`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AdaptationTerm {
    /// Time constant.
    pub(crate) tau_s: f64,
    /// Conductance a, summed over the circuits.
    pub(crate) a_s: f64,
    /// `a E_l`, summed over the circuits.
    pub(crate) a_e_l_a: f64,
    /// Increment per spike, summed over the circuits.
    pub(crate) b_a: f64,
}

/// An exponential current: `g_l D exp((V - V_exp) / D)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ExponentialTerm {
    /// Slope D.
    pub(crate) slope_v: f64,
    /// Onset V_exp.
    pub(crate) onset_v: f64,
    /// Leak conductance, summed over the circuits.
    pub(crate) leak_s: f64,
}

/// A circuit that compares the membrane with its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparator {
    /// The circuit.
    pub(crate) neuron: NeuronOnHicann,
    /// Its threshold.
    pub(crate) v_t_v: f64,
}

/// One membrane of a chip.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Membrane {
    /// The circuits, ascending.
    pub(crate) circuits: Vec<NeuronOnHicann>,
    /// Sum of the capacitances.
    pub(crate) capacitance_f: f64,
    /// Sum of the leak conductances.
    pub(crate) leak_s: f64,
    /// Mean of the leak potentials, weighted with the conductances.
    pub(crate) e_leak_v: f64,
    /// Voltage at the start of a run: E_l of the first comparator's circuit.
    pub(crate) initial_v: f64,
    /// Distinct synaptic inputs that receive events.
    pub(crate) inputs: Vec<SynapticInput>,
    /// Distinct adaptation currents.
    pub(crate) adaptation: Vec<AdaptationTerm>,
    /// Distinct exponential currents.
    pub(crate) exponential: Vec<ExponentialTerm>,
    /// By threshold, lowest first. All whose threshold is reached fire; the first one resets the
    /// membrane. Empty: the membrane never fires.
    pub(crate) comparators: Vec<Comparator>,
    /// Reset voltage of the first comparator's circuit; 0 if there is none.
    pub(crate) v_reset_v: f64,
    /// Refractory period of the first comparator's circuit; 0 if there is none.
    pub(crate) tau_ref_s: f64,
}

/// Where a circuit's synaptic input ended up: index of the membrane and of its input.
pub(crate) type InputMap = Table<NeuronOnHicann, [Option<(usize, usize)>; 2]>;

/// The membranes of a chip that can matter, in the order of their first circuit: those with a
/// comparator, with an analog output, or with an input for which `driven` is set.
pub(crate) fn membranes(
    chip: &HicannConfig,
    driven: &Table<NeuronOnHicann, [bool; 2]>,
) -> (Vec<Membrane>, InputMap) {
    let mut seen: Table<NeuronOnHicann, bool> = Table::default();
    let mut membranes = Vec::new();
    let mut input_map: InputMap = Table::default();
    for first in NeuronOnHicann::all() {
        if seen[first] {
            continue;
        }
        let circuits = joined(chip, first, &mut seen);
        let matters = circuits.iter().any(|&n| {
            let c = &chip.neurons.circuits[n];
            c.activate_firing || c.enable_aout || driven[n] != [false; 2]
        });
        if matters {
            let index = membranes.len();
            membranes.push(membrane(chip, circuits, driven, |n, side, input| {
                input_map[n][side] = Some((index, input));
            }));
        }
    }
    (membranes, input_map)
}

/// The circuits of a chip that share a membrane: groups of two and more, in the order of their
/// first circuits.
pub fn joined_circuits(chip: &HicannConfig) -> Vec<Vec<NeuronOnHicann>> {
    let mut seen: Table<NeuronOnHicann, bool> = Table::default();
    let groups = NeuronOnHicann::all().map(|first| joined(chip, first, &mut seen));
    groups.filter(|group| group.len() > 1).collect()
}

/// All circuits that closed switches join to `first`, ascending; none if it was seen before.
fn joined(
    chip: &HicannConfig,
    first: NeuronOnHicann,
    seen: &mut Table<NeuronOnHicann, bool>,
) -> Vec<NeuronOnHicann> {
    let mut circuits = Vec::new();
    let mut open = vec![first];
    while let Some(n) = open.pop() {
        if !seen[n] {
            seen[n] = true;
            circuits.push(n);
            open.extend(chip.neurons.joined_to(n));
        }
    }
    circuits.sort_unstable();
    circuits
}

fn membrane(
    chip: &HicannConfig,
    circuits: Vec<NeuronOnHicann>,
    driven: &Table<NeuronOnHicann, [bool; 2]>,
    mut place_input: impl FnMut(NeuronOnHicann, usize, usize),
) -> Membrane {
    let parameters: Vec<CircuitParameters> =
        circuits.iter().map(|&n| law::circuit(&chip.floating_gates, &chip.neurons, n)).collect();
    let leak = |p: &CircuitParameters| p.capacitance_f / p.tau_m_s;
    let leak_s: f64 = parameters.iter().map(leak).sum();
    // relative to the first circuit, so that equal potentials give exactly their value
    let base = parameters[0].e_l_v;
    let shift: f64 = parameters.iter().map(|p| leak(p) * (p.e_l_v - base)).sum();
    let mut m = Membrane {
        capacitance_f: parameters.iter().map(|p| p.capacitance_f).sum(),
        leak_s,
        e_leak_v: base + shift / leak_s,
        initial_v: base,
        inputs: Vec::new(),
        adaptation: Vec::new(),
        exponential: Vec::new(),
        comparators: Vec::new(),
        v_reset_v: 0.0,
        tau_ref_s: 0.0,
        circuits,
    };
    for (i, p) in parameters.iter().enumerate() {
        let n = m.circuits[i];
        let [x, y] = [
            SynapticInput { tau_s: p.tau_syn_x_s, e_rev_v: p.e_synx_v },
            SynapticInput { tau_s: p.tau_syn_i_s, e_rev_v: p.e_syni_v },
        ];
        for (side, input) in [
            (SynapticInputOnNeuron::EXCITATORY.index(), x),
            (SynapticInputOnNeuron::INHIBITORY.index(), y),
        ] {
            if driven[n][side] {
                place_input(n, side, position_or_push(&mut m.inputs, input, |&i| i == input));
            }
        }
        m.add_adaptation(p);
        m.add_exponential(p, leak(p));
        if chip.neurons.circuits[n].activate_firing {
            m.comparators.push(Comparator { neuron: n, v_t_v: p.v_t_v });
        }
    }
    m.comparators.sort_by(|a, b| a.v_t_v.total_cmp(&b.v_t_v).then(a.neuron.cmp(&b.neuron)));
    if let Some(leader) = m.comparators.first()
        && let Some(i) = m.circuits.iter().position(|&n| n == leader.neuron)
    {
        m.initial_v = parameters[i].e_l_v;
        m.v_reset_v = parameters[i].v_reset_v;
        m.tau_ref_s = parameters[i].tau_ref_s;
    }
    m
}

fn position_or_push<T>(terms: &mut Vec<T>, new: T, same: impl Fn(&T) -> bool) -> usize {
    terms.iter().position(same).unwrap_or_else(|| {
        terms.push(new);
        terms.len() - 1
    })
}

impl Membrane {
    fn add_adaptation(&mut self, p: &CircuitParameters) {
        let Some(a) = p.adaptation else { return };
        let new = AdaptationTerm { tau_s: a.tau_w_s, a_s: 0.0, a_e_l_a: 0.0, b_a: 0.0 };
        let i = position_or_push(&mut self.adaptation, new, |t| t.tau_s == a.tau_w_s);
        let term = &mut self.adaptation[i];
        term.a_s += a.a_s;
        term.a_e_l_a += a.a_s * p.e_l_v;
        term.b_a += a.b_a;
    }

    fn add_exponential(&mut self, p: &CircuitParameters, leak_s: f64) {
        let Some(e) = p.exponential else { return };
        let new = ExponentialTerm { slope_v: e.delta_t_v, onset_v: e.v_exp_v, leak_s: 0.0 };
        let same = |t: &ExponentialTerm| t.slope_v == new.slope_v && t.onset_v == new.onset_v;
        let i = position_or_push(&mut self.exponential, new, same);
        self.exponential[i].leak_s += leak_s;
    }

    /// Whether the membrane needs more than leak and synapses.
    pub(crate) fn has_adex(&self) -> bool {
        !self.adaptation.is_empty() || !self.exponential.is_empty()
    }
}
