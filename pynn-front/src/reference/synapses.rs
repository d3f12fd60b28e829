//! Synapses: what users describe, and the laws of those that change.

/// Short-term plasticity of Tsodyks and Markram with PyNN's parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TsodyksMarkram {
    /// Share of the resources that a first spike uses, 0..=1.
    pub u: f64,
    /// Time constant of recovery, ms.
    pub tau_rec: f64,
    /// Time constant of facilitation, ms; 0 for none.
    pub tau_facil: f64,
}

/// Spike-timing dependent plasticity of pairs: all pairs count, those at equal times do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairRule {
    /// Time constants, ms.
    pub tau_plus: f64,
    /// See `tau_plus`.
    pub tau_minus: f64,
    /// Changes as shares of `w_max - w_min`.
    pub a_plus: f64,
    /// See `a_plus`.
    pub a_minus: f64,
    /// Bounds of the weight, uS.
    pub w_min: f64,
    /// See `w_min`.
    pub w_max: f64,
    /// Powers of the distance from the bounds: 0 is additive, 1 multiplicative.
    pub mu_plus: f64,
    /// See `mu_plus`.
    pub mu_minus: f64,
    /// Share of the delay that lies in the dendrite, 0..=1.
    pub dendritic_delay_fraction: f64,
}

/// What the weights of a projection do. One law for all synapses, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub enum Dynamics {
    /// They stay.
    Static,
    /// Short-term plasticity.
    TsodyksMarkram(Vec<TsodyksMarkram>),
    /// Spike-timing dependent plasticity.
    Stdp(Vec<PairRule>),
}

/// The synapses of a projection, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Synapses {
    /// Members of the network that send, counted over all populations.
    pub pre: Vec<u32>,
    /// Members of the network that receive.
    pub post: Vec<u32>,
    /// Conductances, uS.
    pub weight: Vec<f64>,
    /// Delays, ms; rounded to steps.
    pub delay_ms: Vec<f64>,
    /// What the weights do.
    pub dynamics: Dynamics,
}

/// State of a synapse with short-term plasticity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Resources {
    /// Recovered, active, and used shares.
    x: f64,
    y: f64,
    u: f64,
    last_ms: f64,
}

impl Resources {
    pub(super) const FULL: Self = Self { x: 1.0, y: 0.0, u: 0.0, last_ms: 0.0 };

    /// The share of the weight that a spike at this time delivers. Active resources decay with the
    /// synaptic time constant of the target.
    pub(super) fn spike(&mut self, law: &TsodyksMarkram, tau_syn: f64, now_ms: f64) -> f64 {
        let h = now_ms - self.last_ms;
        self.last_ms = now_ms;
        // the two time constants must differ for this form of the solution
        let alike = (tau_syn - law.tau_rec).abs() < 1e-6 * law.tau_rec;
        let tau_syn = if alike { law.tau_rec * (1.0 + 1e-6) } else { tau_syn };
        let facilitated = if law.tau_facil == 0.0 { 0.0 } else { (-h / law.tau_facil).exp() };
        let active = (-h / tau_syn).exp();
        let recovered = -(-h / law.tau_rec).exp_m1();
        let from_active =
            ((1.0 - recovered) * law.tau_rec - law.tau_rec - (active - 1.0) * tau_syn)
                / (tau_syn - law.tau_rec);
        let inactive = 1.0 - self.x - self.y;
        self.u *= facilitated;
        self.x += from_active * self.y + recovered * inactive;
        self.y *= active;
        self.u += law.u * (1.0 - self.u);
        let released = self.u * self.x;
        self.x -= released;
        self.y += released;
        released
    }
}

/// State of a synapse with spike-timing dependent plasticity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Traces {
    plus: f64,
    plus_ms: f64,
    minus: f64,
    minus_ms: f64,
    /// Postsynaptic spikes that were seen.
    seen: usize,
}

/// Spikes closer than this, in ms, are at the same time.
const SAME_MS: f64 = 1e-6;

impl Traces {
    pub(super) const NONE: Self =
        Self { plus: 0.0, plus_ms: 0.0, minus: 0.0, minus_ms: 0.0, seen: 0 };

    /// Lets the weight grow for the postsynaptic spikes that have reached the synapse until `now_ms`;
    /// returns how many of them came at that time.
    pub(super) fn post(
        &mut self,
        rule: &PairRule,
        weight: &mut f64,
        now_ms: f64,
        dendritic_ms: f64,
        history: &[f64],
    ) -> u32 {
        let mut together = 0;
        while let Some(spike) = history.get(self.seen) {
            let arrival = spike + dendritic_ms;
            if arrival > now_ms + SAME_MS {
                break;
            }
            self.seen += 1;
            let plus = self.plus * (-(arrival - self.plus_ms) / rule.tau_plus).exp();
            let range = rule.w_max - rule.w_min;
            let room = ((rule.w_max - *weight) / range).max(0.0).powf(rule.mu_plus);
            *weight = (*weight + rule.a_plus * range * room * plus).min(rule.w_max);
            if arrival > now_ms - SAME_MS {
                together += 1;
            } else {
                self.add_minus(rule, arrival, 1.0);
            }
        }
        together
    }

    fn add_minus(&mut self, rule: &PairRule, at_ms: f64, amount: f64) {
        self.minus = self.minus * (-(at_ms - self.minus_ms) / rule.tau_minus).exp() + amount;
        self.minus_ms = at_ms;
    }

    /// Postsynaptic spikes that came at this time count for later presynaptic ones.
    pub(super) fn later(&mut self, rule: &PairRule, now_ms: f64, spikes: u32) {
        if spikes > 0 {
            self.add_minus(rule, now_ms, f64::from(spikes));
        }
    }

    /// A presynaptic spike reaches the synapse: the weight shrinks for earlier postsynaptic ones.
    pub(super) fn pre(
        &mut self,
        rule: &PairRule,
        weight: &mut f64,
        now_ms: f64,
        dendritic_ms: f64,
        history: &[f64],
    ) {
        let together = self.post(rule, weight, now_ms, dendritic_ms, history);
        self.add_minus(rule, now_ms, 0.0);
        let range = rule.w_max - rule.w_min;
        let room = ((*weight - rule.w_min) / range).max(0.0).powf(rule.mu_minus);
        *weight = (*weight - rule.a_minus * range * room * self.minus).max(rule.w_min);
        self.later(rule, now_ms, together);
        self.plus = self.plus * (-(now_ms - self.plus_ms) / rule.tau_plus).exp() + 1.0;
        self.plus_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depression_follows_the_recovery_of_resources() {
        // with an infinitely short synaptic time constant: the closed form without active resources
        let law = TsodyksMarkram { u: 0.5, tau_rec: 200.0, tau_facil: 0.0 };
        let mut resources = Resources::FULL;
        let mut x = 1.0;
        for spike in 1..6 {
            let released = resources.spike(&law, 1e-9, f64::from(spike) * 40.0);
            assert!((released - 0.5 * x).abs() < 1e-9, "{released} {x}");
            x = 1.0 - (1.0 - x * 0.5) * (-40.0_f64 / 200.0).exp();
        }
    }

    #[test]
    fn facilitation_grows_and_forgets() {
        let law = TsodyksMarkram { u: 0.1, tau_rec: 1e-3, tau_facil: 500.0 };
        let mut resources = Resources::FULL;
        let first = resources.spike(&law, 3.0, 10.0);
        let second = resources.spike(&law, 3.0, 60.0);
        let late = resources.spike(&law, 3.0, 1e5);
        assert!((first - 0.1).abs() < 1e-12);
        let expected = 0.1 + 0.9 * 0.1 * (-50.0_f64 / 500.0).exp();
        assert!((second - expected).abs() < 1e-6, "{second} {expected}");
        assert!((late - 0.1).abs() < 1e-9);
    }

    const RULE: PairRule = PairRule {
        tau_plus: 20.0,
        tau_minus: 30.0,
        a_plus: 0.01,
        a_minus: 0.02,
        w_min: 0.0,
        w_max: 1.0,
        mu_plus: 0.0,
        mu_minus: 0.0,
        dendritic_delay_fraction: 0.0,
    };

    #[test]
    fn pairs_change_the_weight_by_their_distance() {
        let (mut traces, mut weight) = (Traces::NONE, 0.5);
        traces.pre(&RULE, &mut weight, 10.0, 0.0, &[]);
        traces.post(&RULE, &mut weight, 100.0, 0.0, &[15.0]);
        let grown = 0.5 + 0.01 * (-5.0_f64 / 20.0).exp();
        assert!((weight - grown).abs() < 1e-12);
        traces.pre(&RULE, &mut weight, 40.0, 0.0, &[15.0]);
        let shrunk = grown - 0.02 * (-25.0_f64 / 30.0).exp();
        assert!((weight - shrunk).abs() < 1e-12);
    }

    #[test]
    fn equal_times_do_not_pair() {
        let (mut traces, mut weight) = (Traces::NONE, 0.5);
        traces.pre(&RULE, &mut weight, 10.0, 2.0, &[8.0]);
        assert_eq!(weight, 0.5);
        // but the two pair with later and earlier spikes
        traces.pre(&RULE, &mut weight, 20.0, 2.0, &[8.0]);
        assert!((weight - (0.5 - 0.02 * (-10.0_f64 / 30.0).exp())).abs() < 1e-12);
    }

    #[test]
    fn weights_stay_within_their_bounds() {
        let (mut traces, mut weight) = (Traces::NONE, 0.999);
        let history: Vec<f64> = (0..100).map(|k| f64::from(k) * 10.0 + 1.0).collect();
        for k in 0..100 {
            traces.pre(&RULE, &mut weight, f64::from(k) * 10.0, 0.0, &history);
            assert!((0.0..=1.0).contains(&weight));
        }
    }
}
