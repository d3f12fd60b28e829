//! Which member connects to which: PyNN's connectors (frontend §1.8).

use marocco::network::Synapse;
use thiserror::Error;

use crate::random::NumpyRandom;

/// A rule that makes the synapses of a projection.
#[derive(Debug, Clone, PartialEq)]
pub enum Connector {
    /// Every pair of members.
    AllToAll {
        /// Whether a member of a population may connect to the member of the same number.
        allow_self_connections: bool,
    },
    /// Members of equal number.
    OneToOne,
    /// The given synapses, several between a pair being synapses of their own:
    /// presynaptic member, postsynaptic member, weight in uS (instead of the projection's).
    FromList(Vec<(u32, u32, f64)>),
    /// Each pair with the same probability; one real number is drawn per pair, target by target.
    FixedProbability {
        /// The probability, 0..=1.
        p: f64,
    },
    /// For each target, `n` sources with replacement: multapses and autapses occur. One
    /// `randint(0, n_sources, n)` is drawn per target (mapping §5.2).
    FixedNumberPre {
        /// Synapses per target.
        n: u32,
    },
}

/// A connector does not fit the populations.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ConnectError {
    /// One-to-one needs equal sizes.
    #[error("one-to-one needs populations of equal size, these have {pre} and {post} members")]
    SizesDiffer {
        /// Size of the presynaptic population.
        pre: usize,
        /// Size of the postsynaptic population.
        post: usize,
    },
    /// Not a probability.
    #[error("connection probability {p}; probabilities lie in 0..=1")]
    Probability {
        /// The value.
        p: f64,
    },
    /// Sources are to be drawn from nothing.
    #[error("{n} sources per target from an empty population; give it members or take n = 0")]
    NoSources {
        /// Synapses per target.
        n: u32,
    },
}

impl Connector {
    /// The synapses between populations of the given sizes (pre, post), target by target.
    pub(super) fn connect(
        &self,
        [n_pre, n_post]: [usize; 2],
        weight_us: f32,
        random: &mut NumpyRandom,
    ) -> Result<Vec<Synapse>, ConnectError> {
        let synapse = |pre, post| Synapse { pre, post, weight_us };
        let (sources, targets) = (0..n_pre as u32, 0..n_post as u32);
        let pairs = targets.clone().flat_map(|post| sources.clone().map(move |pre| (pre, post)));
        match self {
            Self::AllToAll { allow_self_connections } => Ok(pairs
                .filter(|(pre, post)| *allow_self_connections || pre != post)
                .map(|(pre, post)| synapse(pre, post))
                .collect()),
            Self::OneToOne if n_pre == n_post => Ok(targets.map(|i| synapse(i, i)).collect()),
            Self::OneToOne => Err(ConnectError::SizesDiffer { pre: n_pre, post: n_post }),
            Self::FromList(list) => Ok(list
                .iter()
                .map(|&(pre, post, weight)| Synapse { pre, post, weight_us: weight as f32 })
                .collect()),
            Self::FixedProbability { p } if (0.0..=1.0).contains(p) => Ok(pairs
                .filter(|_| random.unit() < *p)
                .map(|(pre, post)| synapse(pre, post))
                .collect()),
            Self::FixedProbability { p } => Err(ConnectError::Probability { p: *p }),
            Self::FixedNumberPre { n } if n_pre == 0 && *n > 0 => {
                Err(ConnectError::NoSources { n: *n })
            }
            Self::FixedNumberPre { n } => {
                let mut synapses = Vec::with_capacity(n_post * *n as usize);
                for post in targets {
                    for _ in 0..*n {
                        synapses.push(synapse(random.below(n_pre as u32), post));
                    }
                }
                Ok(synapses)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(connector: &Connector, sizes: [usize; 2]) -> Vec<(u32, u32)> {
        let synapses = connector.connect(sizes, 0.5, &mut NumpyRandom::new(7));
        synapses.expect("fits").iter().map(|s| (s.pre, s.post)).collect()
    }

    #[test]
    fn all_to_all_with_and_without_self() {
        let all = Connector::AllToAll { allow_self_connections: true };
        assert_eq!(pairs(&all, [2, 2]), [(0, 0), (1, 0), (0, 1), (1, 1)]);
        let others = Connector::AllToAll { allow_self_connections: false };
        assert_eq!(pairs(&others, [2, 2]), [(1, 0), (0, 1)]);
    }

    #[test]
    fn one_to_one_wants_equal_sizes() {
        assert_eq!(pairs(&Connector::OneToOne, [3, 3]), [(0, 0), (1, 1), (2, 2)]);
        let error = Connector::OneToOne.connect([3, 4], 0.5, &mut NumpyRandom::new(7));
        assert_eq!(error, Err(ConnectError::SizesDiffer { pre: 3, post: 4 }));
    }

    #[test]
    fn lists_keep_multapses_and_weights() {
        let list = Connector::FromList(vec![(0, 1, 0.25), (0, 1, 0.75)]);
        let synapses = list.connect([2, 2], 9.0, &mut NumpyRandom::new(7)).expect("fits");
        assert_eq!(synapses.iter().map(|s| s.weight_us).collect::<Vec<_>>(), [0.25, 0.75]);
    }

    #[test]
    fn probabilities_are_met_and_checked() {
        let n = pairs(&Connector::FixedProbability { p: 0.3 }, [100, 100]).len();
        assert!((2800..3200).contains(&n), "{n}");
        assert_eq!(pairs(&Connector::FixedProbability { p: 0.0 }, [9, 9]).len(), 0);
        assert_eq!(pairs(&Connector::FixedProbability { p: 1.0 }, [9, 9]).len(), 81);
        for p in [-0.1, 1.1, f64::NAN] {
            let connector = Connector::FixedProbability { p };
            assert!(connector.connect([2, 2], 0.5, &mut NumpyRandom::new(7)).is_err());
        }
    }

    #[test]
    fn fixed_number_has_exact_in_degree_and_multapses() {
        let pairs = pairs(&Connector::FixedNumberPre { n: 20 }, [10, 6]);
        for target in 0..6 {
            assert_eq!(pairs.iter().filter(|(_, post)| *post == target).count(), 20);
        }
        let none = Connector::FixedNumberPre { n: 1 };
        let error = none.connect([0, 3], 0.5, &mut NumpyRandom::new(7));
        assert_eq!(error, Err(ConnectError::NoSources { n: 1 }));
    }
}
