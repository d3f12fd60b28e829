//! The balanced random network: 2,083 neurons, 166 excitatory, 41 inhibitory and 200 external
//! inputs each (analog §7.1, mapping §5.2).
//!
//! Brunel's network of 12,500 neurons is divided by `scale`; weights grow by the same factor.
//! Currents become conductances at the resting potential.

use calib::{CircuitMode, IfCondExp, Scaling};
use hal::config::CurrentScaling;
use marocco::NeuronSizeChoice;
use marocco::network::Receptor;

use super::{Drawn, FOUR_AND_AUTO, Recipe};
use crate::model::{CellType, Connector, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

/// The network of the published demo, 847,781 synapses.
pub(super) const DEMO: Recipe = Recipe {
    name: "balanced-demo",
    summary: "Brunel's network of excitatory and inhibitory neurons with Poisson input, as in the \
              published demo (mapping §5.2)",
    parameters: &[G, ETA, SCALE, NETWORK_SEED],
    benchmark: &["eta=0.8", "eta=1.6", "eta=3.2"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: balanced,
};

pub(crate) const G: Parameter = Parameter {
    name: "g",
    default: Value::Real(8.0),
    domain: Domain::Real(0.5, 20.0),
    unit: "",
    meaning: "inhibitory over excitatory conductance",
};

pub(crate) const ETA: Parameter = Parameter {
    name: "eta",
    default: Value::Real(0.8),
    domain: Domain::Real(0.0, 3.2),
    unit: "",
    meaning: "external rate over the rate that reaches the threshold",
};

pub(crate) const SCALE: Parameter = Parameter {
    name: "scale",
    default: Value::Real(6.0),
    domain: Domain::Real(1.0, 250.0),
    unit: "",
    meaning: "12,500 neurons are divided by this",
};

pub(crate) const NETWORK_SEED: Parameter = Parameter {
    name: "network_seed",
    default: Value::Whole(1234),
    domain: Domain::Whole(0, u32::MAX),
    unit: "",
    meaning: "seed of the connections",
};

/// Neurons of the unscaled network.
const NEURONS: f64 = 12_500.0;
/// External inputs of each neuron, whatever the scale.
const EXTERNAL_INPUTS: u32 = 200;
/// Calibrates the charge of a conductance pulse against the current pulse it replaces.
const CHARGE_FACTOR: f64 = 1.2;
/// Effect of one input of the unscaled network on the membrane in mV.
const UNIT_PSP_MV: f64 = 0.1;

/// Draws the network.
pub(crate) fn balanced(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let scale = parameters.real("scale");
    let cell = IfCondExp {
        cm: 1.0,
        tau_m: 10.0,
        tau_refrac: 2.0,
        tau_syn_e: 3.0,
        tau_syn_i: 3.0,
        v_rest: 0.0,
        v_reset: 10.0,
        v_thresh: 20.0,
        e_rev_e: 140.0,
        e_rev_i: -140.0,
    };
    let psp_mv = UNIT_PSP_MV * scale;
    let current_na = CHARGE_FACTOR * psp_mv * cell.cm / cell.tau_syn_e;
    let excitatory_us = current_na / (cell.e_rev_e - cell.v_rest);
    let inhibitory_us = parameters.real("g") * current_na / (cell.v_rest - cell.e_rev_i);
    let threshold_rate_hz = (cell.v_thresh - cell.v_rest) / (psp_mv * cell.tau_m) * 1e3;
    let rate_hz = parameters.real("eta") * threshold_rate_hz / f64::from(EXTERNAL_INPUTS);

    // counts are truncated, not rounded, as in the original
    let neurons = (NEURONS / scale) as usize;
    let n_exc = (neurons as f64 * 0.8) as usize;
    let n_inh = neurons - n_exc;
    let from_exc = Connector::FixedNumberPre { n: (0.1 * n_exc as f64) as u32 };
    let from_inh = Connector::FixedNumberPre { n: (0.1 * n_inh as f64) as u32 };
    let from_ext = Connector::FixedNumberPre { n: EXTERNAL_INPUTS };

    let mut model = Model::default();
    let exc = model.population("exc", n_exc, CellType::IfCondExp(cell))?;
    let inh = model.population("inh", n_inh, CellType::IfCondExp(cell))?;
    let ext = model.population("ext", neurons, CellType::SpikeSourcePoisson { rate_hz })?;
    // one stream for all projections: their order is part of the network's definition
    let mut random = NumpyRandom::new(parameters.whole("network_seed").unwrap_or_default());
    for (label, pre, post, connector, weight_us, receptor) in [
        ("exc->exc", exc, exc, &from_exc, excitatory_us, Receptor::Excitatory),
        ("exc->inh", exc, inh, &from_exc, excitatory_us, Receptor::Excitatory),
        ("inh->exc", inh, exc, &from_inh, inhibitory_us, Receptor::Inhibitory),
        ("inh->inh", inh, inh, &from_inh, inhibitory_us, Receptor::Inhibitory),
        ("ext->exc", ext, exc, &from_ext, excitatory_us, Receptor::Excitatory),
        ("ext->inh", ext, inh, &from_ext, excitatory_us, Receptor::Excitatory),
    ] {
        model.project(label, pre, post, connector, weight_us, receptor, &mut random)?;
    }
    model.record_spikes(exc);
    model.record_spikes(inh);
    Ok(Drawn {
        model,
        scaling: Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).expect("both ranges rise"),
        mode: CircuitMode { big_capacitor: true, leak: CurrentScaling::Normal },
        neuron_size: NeuronSizeChoice::Auto,
    })
}
