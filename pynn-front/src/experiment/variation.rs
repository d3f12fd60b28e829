//! Parameters that vary from neuron to neuron as they do on a calibrated wafer (analog §7.3): for
//! networks that are asked for, and for networks that go to another simulator.

use calib::{CellParameters, IfCondExp};
use marocco::network::{PerMember, PopulationKind};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::model::{Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};

pub(super) const VARIATION: Parameter = Parameter {
    name: "variation",
    default: Value::Auto,
    domain: Domain::AutoOr(&["off", "on"]),
    unit: "",
    meaning: "whether the cells that are asked for vary from neuron to neuron as they did on the published \
              wafer; auto is on if the simulator beside it varies (--peer-variation on)",
};

/// Decides whether cells vary that are left open.
pub fn choose_variation(parameters: &mut Parameters, peer_varies: bool) {
    if parameters.values().get(VARIATION.name) == Some(&Value::Auto) {
        parameters.put(VARIATION.name, Value::Word(if peer_varies { "on" } else { "off" }));
    }
}

/// A parameter is drawn again until it lies within its bounds, at most this often; then it keeps
/// its mean (analog §7.3).
const MAX_DRAWS: usize = 200;

/// Standard deviation and open bounds of a normal distribution around the population's value; in
/// mV or ms.
#[derive(Debug, Clone, Copy)]
struct Normal {
    std: f64,
    above: f64,
    below: f64,
}

const fn free(std: f64) -> Normal {
    Normal { std, above: f64::NEG_INFINITY, below: f64::INFINITY }
}

const fn above(std: f64, above: f64) -> Normal {
    Normal { std, above, below: f64::INFINITY }
}

const fn below(std: f64, below: f64) -> Normal {
    Normal { std, above: f64::NEG_INFINITY, below }
}

/// How much each parameter of `IF_cond_exp` varies; `cm` does not, it is contained in `tau_m`.
#[derive(Debug)]
pub struct Spread {
    e_rev_e: Normal,
    e_rev_i: Normal,
    v_rest: Normal,
    v_thresh: Normal,
    v_reset: Normal,
    tau_m: Normal,
    tau_refrac: Normal,
    tau_syn_e: Normal,
    tau_syn_i: Normal,
    /// Of a weight, over its mean; not negative. Weights vary where another simulator takes the place of
    /// the wafer: those of the wafer are 4-bit numbers.
    weight: f64,
}

/// Standard deviation of delays in another simulator, ms (analog §7.3).
const DELAY_STD_MS: f64 = 0.1;
/// Shortest delay there, ms.
const SHORTEST_DELAY_MS: f64 = 0.1;

impl Spread {
    /// The balanced random network (analog §7.3).
    pub const BALANCED: Self = Self {
        e_rev_e: free(14.0),
        e_rev_i: free(1.96),
        v_rest: free(1.96),
        v_thresh: free(1.12),
        v_reset: below(4.2, 18.0),
        tau_m: above(2.0, 0.0),
        tau_refrac: above(1.0, 0.0),
        tau_syn_e: above(0.4, 0.0),
        tau_syn_i: above(0.2, 0.0),
        weight: 0.5,
    };

    /// The cortical microcircuit (analog §7.3).
    pub const CORTICAL: Self = Self {
        e_rev_e: free(11.1),
        e_rev_i: free(1.6),
        v_rest: free(2.0),
        v_thresh: free(1.1),
        v_reset: below(1.6, -45.0),
        tau_m: above(8.0, 3.0),
        tau_refrac: above(1.5, 0.0),
        tau_syn_e: Normal { std: 0.6, above: 1.8, below: 4.0 },
        tau_syn_i: Normal { std: 0.4, above: 1.9, below: 6.0 },
        weight: 0.1,
    };

    /// Gives each neuron of type `IF_cond_exp` parameters of its own. Equal seeds give equal
    /// neurons.
    pub fn vary(&self, model: &mut Model, seed: u32) -> Result<(), ModelError> {
        let neurons: Vec<_> = model
            .network()
            .populations()
            .filter_map(|(id, population)| match &population.kind {
                PopulationKind::Neurons(PerMember::Uniform(CellParameters::IfCondExp(mean))) => {
                    Some((id, population.size, *mean))
                }
                _ => None,
            })
            .collect();
        for (id, size, mean) in neurons {
            let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));
            random.set_stream(id.index() as u64);
            let cells = (0..size).map(|_| self.cell(&mean, &mut random)).collect();
            model.set_cells(id, cells)?;
        }
        Ok(())
    }

    /// Weights in uS and delays in ms that vary around those given.
    pub fn vary_synapses(&self, weights_us: &mut [f64], delays_ms: &mut [f64], seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX);
        let mut deviate = || -> f64 { StandardNormal.sample(&mut random) };
        for weight in weights_us {
            *weight = (*weight * (1.0 + self.weight * deviate())).max(0.0);
        }
        for delay in delays_ms {
            *delay = (*delay + DELAY_STD_MS * deviate()).max(SHORTEST_DELAY_MS);
        }
    }

    /// A cell that varies around one; other models than `IF_cond_exp` stay as they are.
    pub fn vary_cell(&self, mean: &CellParameters, random: &mut ChaCha8Rng) -> CellParameters {
        if let CellParameters::IfCondExp(mean) = mean { self.cell(mean, random) } else { *mean }
    }

    fn cell(&self, mean: &IfCondExp, random: &mut ChaCha8Rng) -> CellParameters {
        let mut draw = |mean: f64, Normal { std, above, below }: Normal| {
            (0..MAX_DRAWS)
                .map(|_| {
                    let deviate: f64 = StandardNormal.sample(random);
                    mean + std * deviate
                })
                .find(|value| *value > above && *value < below)
                .unwrap_or(mean)
        };
        let mut cell = IfCondExp {
            tau_m: draw(mean.tau_m, self.tau_m),
            tau_refrac: draw(mean.tau_refrac, self.tau_refrac),
            tau_syn_e: draw(mean.tau_syn_e, self.tau_syn_e),
            tau_syn_i: draw(mean.tau_syn_i, self.tau_syn_i),
            v_rest: draw(mean.v_rest, self.v_rest),
            v_reset: draw(mean.v_reset, self.v_reset),
            ..*mean
        };
        // the published bounds let one balanced cell in some thousands be reset above its threshold
        let thresholds = Normal { above: self.v_thresh.above.max(cell.v_reset), ..self.v_thresh };
        cell.v_thresh = draw(mean.v_thresh, thresholds);
        cell.e_rev_e = draw(mean.e_rev_e, self.e_rev_e);
        cell.e_rev_i = draw(mean.e_rev_i, self.e_rev_i);
        CellParameters::IfCondExp(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn cells_are_reset_below_their_thresholds() {
        for name in ["balanced-random-network", "cortical-microcircuit"] {
            let experiment = Experiment::find(name).unwrap();
            let mut parameters = experiment.defaults();
            parameters.set("variation=off").unwrap();
            let protocol = experiment.build(&parameters).unwrap();
            let (_, population) = protocol.model.network().populations().next().unwrap();
            let PopulationKind::Neurons(PerMember::Uniform(CellParameters::IfCondExp(mean))) =
                &population.kind
            else {
                panic!("{name}: cells are not alike");
            };
            let mut random = ChaCha8Rng::seed_from_u64(1);
            for _ in 0..100_000 {
                let CellParameters::IfCondExp(cell) = experiment.spread.cell(mean, &mut random)
                else {
                    panic!("{name}: another model");
                };
                assert!(cell.v_reset < cell.v_thresh, "{name}: {cell:?}");
            }
        }
    }

    #[test]
    fn cells_vary_on_the_wafer_where_they_do_beside_it() {
        let microcircuit = Experiment::find("cortical-microcircuit").unwrap();
        for (setting, peer_varies, on) in [
            ("variation=auto", true, true),
            ("variation=auto", false, false),
            ("variation=off", true, false),
            ("variation=on", false, true),
        ] {
            let mut parameters = microcircuit.defaults();
            parameters.set(setting).unwrap();
            choose_variation(&mut parameters, peer_varies);
            assert_eq!(parameters.is("variation", "on"), on, "{setting}");
        }
    }
}
