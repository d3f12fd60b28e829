//! Exponentials of eight numbers at once, in double precision and without branches. There are no
//! fused operations, so that every instruction set gives the same bits.

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, u64x8};

/// Cells that are computed together.
pub(super) const LANES: usize = 8;
/// Groups of eight whose steps are computed in turn: each has to wait for its own step before.
pub(super) const SIDE_BY_SIDE: usize = 8;
/// Blocks are filled up to a multiple of so many cells.
pub(super) const PADDED: usize = LANES * SIDE_BY_SIDE;
/// A number of each of eight cells.
pub(super) type Lanes = [f64; LANES];

/// 1.5 * 2^52: adding it rounds a number to an integer, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; products of the first part with small integers are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Beyond this, e^-x is as good as zero.
const LARGEST: f64 = 700.0;

/// `e^-x` for `x >= 0`, relative error below 1e-14; that of 700 beyond.
#[inline(always)]
pub(super) fn exp_neg<S: Simd>(x: f64x8<S>) -> f64x8<S> {
    let x = -x.min(LARGEST);
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // the series to the twelfth power, in two halves that run side by side
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (r + 1.0) + r2 * (r * (1.0 / 6.0) + 0.5);
    let middle = (r * (1.0 / 120.0) + 1.0 / 24.0) + r2 * (r * (1.0 / 5040.0) + 1.0 / 720.0);
    let high = (r * (1.0 / 362_880.0) + 1.0 / 40_320.0)
        + r2 * (r * (1.0 / 39_916_800.0) + 1.0 / 3_628_800.0);
    let series = low + r4 * (middle + r4 * high);
    let exponent: u64x8<S> = (shifted.to_bits() - ROUND.to_bits()) << 52_u32;
    series * f64x8::from_bits(exponent + 1.0_f64.to_bits())
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    fn on(level: Level, x: f64) -> f64 {
        let all: Lanes = dispatch!(level, simd => exp_neg(f64x8::splat(simd, x)).into());
        assert!(all.iter().all(|y| y.to_bits() == all[0].to_bits()));
        all[0]
    }

    #[test]
    fn exponentials_are_exact_and_the_same_on_all_levels() {
        for k in 0..20_000 {
            let x = f64::from(k) * 0.003 + 1e-9 * f64::from(k % 7);
            let value = on(Level::new(), x);
            assert!((value / (-x).exp() - 1.0).abs() < 1e-14, "{x}: {value}");
            assert_eq!(value.to_bits(), on(Level::baseline(), x).to_bits());
        }
        assert_eq!(on(Level::new(), 0.0), 1.0);
        assert!(on(Level::new(), 1e9) < 1e-300);
    }
}
