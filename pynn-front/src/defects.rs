//! Defects for tests of the mapper: every kind fails at the same rate.

use hal::coord::{Coordinate as _, DncOnWafer};
use hal::defects::{ComponentKind, Defects, RateError, Rates};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use thiserror::Error;

/// What fails one by one: circuits, synapses, drivers, lines, repeaters, switches and mergers.
const KINDS: [ComponentKind; 11] = [
    ComponentKind::Neuron,
    ComponentKind::Synapse,
    ComponentKind::SynapseDriver,
    ComponentKind::HLine,
    ComponentKind::VLine,
    ComponentKind::HRepeater,
    ComponentKind::VRepeater,
    ComponentKind::CrossbarSwitch,
    ComponentKind::SynapseSwitch,
    ComponentKind::Merger,
    ComponentKind::DncMerger,
];

/// Defects that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DrawError {
    /// The rate is no probability.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// More reticles than there are.
    #[error("{0} missing reticles; a wafer has {all}", all = DncOnWafer::SIZE)]
    Reticles(usize),
}

/// A wafer whose components fail independently with probability `rate`, and that lacks some
/// reticles.
pub fn uniform(rate: f64, missing_reticles: usize, seed: u64) -> Result<Defects, DrawError> {
    if missing_reticles > DncOnWafer::SIZE {
        return Err(DrawError::Reticles(missing_reticles));
    }
    let mut rates = Rates::NONE;
    for kind in KINDS {
        rates = rates.with(kind, rate)?;
    }
    let mut defects = Defects::random(&rates, seed);
    defects.comment = format!(
        "each component with probability {rate}, {missing_reticles} reticles missing, seed {seed}"
    );
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut reticles: Vec<DncOnWafer> = DncOnWafer::all().collect();
    for i in 0..missing_reticles {
        let other = random.random_range(i..reticles.len());
        reticles.swap(i, other);
        defects.insert(reticles[i]);
    }
    Ok(defects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_met_and_reticles_missing() {
        let defects = uniform(0.05, 3, 1).unwrap();
        assert_eq!(defects.counts()[&ComponentKind::Reticle], 3);
        for kind in KINDS {
            let share = defects.counts()[&kind] as f64 / kind.per_wafer() as f64;
            // the rarest kind, eight on a chip, varies by 0.4 % (standard deviation)
            assert!((share - 0.05).abs() < 0.015, "{}: {share}", kind.name());
        }
        assert_eq!(defects.counts()[&ComponentKind::SynapseRow], 0);
        assert_eq!(defects, uniform(0.05, 3, 1).unwrap());
        assert_ne!(defects, uniform(0.05, 3, 2).unwrap());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(uniform(1.5, 0, 1), Err(DrawError::Rate(_))));
        let error = uniform(0.1, 49, 1).unwrap_err();
        assert_eq!(error.to_string(), "49 missing reticles; a wafer has 48");
    }
}
