//! From configuration to circuits: which of the 512 circuits of a chip share a membrane, and what
//! that membrane obeys (topology §7.2, analog §5.1).
//!
//! On a joined membrane capacitances and leaks add; every circuit keeps its synaptic inputs, its
//! adaptation and its exponential term. Terms that are provably identical are evaluated once:
//! conductances with equal time constant and reversal potential add linearly, so do adaptation
//! currents with equal time constant.

use hal::config::HicannConfig;
use hal::coord::{Coordinate, NeuronOnHicann, SynapticInputOnNeuron, Table};
use hal::law::CircuitParameters;

use crate::silicon::{Circuit, Fault, Silicon};

/// Shortest interval of a circuit that fires wildly, s; an assumption.
const WILD_INTERVAL_S: f64 = 100e-9;

/// A synaptic conductance of a membrane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SynapticInput {
    /// Time constant of its decay.
    pub(crate) tau_s: f64,
    /// Reversal potential.
    pub(crate) e_rev_v: f64,
    /// Largest conductance; infinite if it does not saturate.
    pub(crate) limit_s: f64,
    /// The circuit, if it saturates: then it is not the same as an equal one of another circuit.
    pub(crate) own: Option<NeuronOnHicann>,
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
    /// Sum of the leak conductances, and of the conductances that synaptic inputs have all the time.
    pub(crate) leak_s: f64,
    /// Mean of their potentials, weighted with the conductances.
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
    /// Distance from the leak potential at which the linear law of the leak reaches its largest
    /// current; none if it does not saturate.
    pub(crate) leak_range_v: Option<f64>,
    /// Time constant of the way to the reset potential; 0 if it is there at once.
    pub(crate) tau_reset_s: f64,
    /// Reset voltage of the first comparator's circuit; 0 if there is none.
    pub(crate) v_reset_v: f64,
    /// Whether one of the circuits is held in reset: then the membrane stays at its reset voltage.
    pub(crate) held: bool,
    /// Refractory period of the first comparator's circuit; 0 if there is none.
    pub(crate) tau_ref_s: f64,
}

/// Where a circuit's synaptic input ended up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InputPlace {
    /// Position of the membrane.
    pub(crate) membrane: usize,
    /// Position among the inputs of the membrane.
    pub(crate) input: usize,
    /// Factor of the conductances that arrive.
    pub(crate) factor: f64,
}

/// The places of the synaptic inputs that receive events.
pub(crate) type InputMap = Table<NeuronOnHicann, [Option<InputPlace>; 2]>;

/// The membranes of a chip that can matter, in the order of their first circuit: those with a
/// comparator or an analog output, or that are `probed`. Of their inputs those count for which
/// `driven` is set.
pub(crate) fn membranes(
    chip: &HicannConfig,
    driven: &Table<NeuronOnHicann, [bool; 2]>,
    probed: impl Fn(NeuronOnHicann) -> bool,
    silicon: &Silicon<'_>,
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
            c.activate_firing || c.enable_aout || probed(n)
        });
        if matters {
            let index = membranes.len();
            membranes.push(membrane(chip, circuits, driven, silicon, |n, side, input, factor| {
                input_map[n][side] = Some(InputPlace { membrane: index, input, factor });
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
    silicon: &Silicon<'_>,
    mut place_input: impl FnMut(NeuronOnHicann, usize, usize, f64),
) -> Membrane {
    let made: Vec<Circuit> = circuits.iter().map(|&n| silicon.circuit(n)).collect();
    let leak = |p: &CircuitParameters| p.capacitance_f / p.tau_m_s;
    let standing = |c: &Circuit| c.standing_s[0] + c.standing_s[1];
    let leak_s: f64 = made.iter().map(|c| leak(&c.law) + standing(c)).sum();
    // relative to the first circuit, so that equal potentials give exactly their value
    let base = made[0].law.e_l_v;
    let pull = |c: &Circuit| {
        let [x, i] = [c.law.e_synx_v - base, c.law.e_syni_v - base];
        leak(&c.law) * (c.law.e_l_v - base) + c.standing_s[0] * x + c.standing_s[1] * i
    };
    let shift: f64 = made.iter().map(pull).sum();
    let mut m = Membrane {
        capacitance_f: made.iter().map(|c| c.law.capacitance_f).sum(),
        leak_s,
        e_leak_v: base + shift / leak_s,
        initial_v: base,
        inputs: Vec::new(),
        adaptation: Vec::new(),
        exponential: Vec::new(),
        comparators: Vec::new(),
        leak_range_v: silicon.leak_range_v(),
        tau_reset_s: 0.0,
        v_reset_v: 0.0,
        held: false,
        tau_ref_s: 0.0,
        circuits,
    };
    for (i, circuit) in made.iter().enumerate() {
        let (n, p) = (m.circuits[i], &circuit.law);
        let input = |side: usize, tau_s, e_rev_v| {
            let limit_s = circuit.limit_s[side];
            SynapticInput { tau_s, e_rev_v, limit_s, own: limit_s.is_finite().then_some(n) }
        };
        let [x, y] = [input(0, p.tau_syn_x_s, p.e_synx_v), input(1, p.tau_syn_i_s, p.e_syni_v)];
        for (side, input) in [
            (SynapticInputOnNeuron::EXCITATORY.index(), x),
            (SynapticInputOnNeuron::INHIBITORY.index(), y),
        ] {
            if driven[n][side] && circuit.input_on[side] {
                let place = position_or_push(&mut m.inputs, input, |&i| i == input);
                place_input(n, side, place, circuit.input_factor[side]);
            }
        }
        m.add_adaptation(p);
        m.add_exponential(p, leak(p));
        if chip.neurons.circuits[n].activate_firing && circuit.fault != Some(Fault::Silent) {
            let wild = circuit.fault == Some(Fault::Wild);
            let v_t_v = if wild { f64::NEG_INFINITY } else { p.v_t_v };
            m.comparators.push(Comparator { neuron: n, v_t_v });
        }
    }
    m.comparators.sort_by(|a, b| a.v_t_v.total_cmp(&b.v_t_v).then(a.neuron.cmp(&b.neuron)));
    if let Some(leader) = m.comparators.first()
        && let Some(i) = m.circuits.iter().position(|&n| n == leader.neuron)
    {
        let p = &made[i].law;
        m.initial_v = p.e_l_v;
        m.v_reset_v = p.v_reset_v;
        m.tau_reset_s = made[i].tau_reset_s;
        let wild = made[i].fault == Some(Fault::Wild);
        m.tau_ref_s = if wild { p.tau_ref_s.max(WILD_INTERVAL_S) } else { p.tau_ref_s };
    }
    if let Some(i) = m.circuits.iter().position(|&n| chip.neurons.half(n).held_in_reset) {
        m.held = true;
        m.v_reset_v = made[i].law.v_reset_v;
        m.initial_v = m.v_reset_v;
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
}
