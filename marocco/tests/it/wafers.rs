//! Wafers with defects for the tests.

use hal::coord::DncOnWafer;
use hal::defects::{ComponentKind, Defects, Rates};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// Every component fails with this probability; whole chips and their floating-gate blocks, without
/// which a quarter of a chip is of no use, with a tenth of it. Reticles are missing besides.
pub(crate) fn defective(rate: f64, missing_reticles: usize, seed: u64) -> Defects {
    let mut rates = Rates::NONE;
    for kind in ComponentKind::ALL {
        let rate = match kind {
            ComponentKind::Reticle => 0.0,
            ComponentKind::Hicann | ComponentKind::FgBlock => rate / 10.0,
            _ => rate,
        };
        rates = rates.with(kind, rate).unwrap();
    }
    let mut defects = Defects::random(&rates, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..missing_reticles {
        defects.insert(DncOnWafer::try_from(rng.random_range(0..DncOnWafer::SIZE)).unwrap());
    }
    defects
}
