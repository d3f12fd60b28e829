//! Amplifiers give no more current than their bias: what saturates, and how (analog §5.1).
//!
//! The shape is an assumption, since no source gives one: slope 1 at rest, and flat at the limit,
//! which is reached at 1.5 times the limit of the linear law. Between, `x - 4/27 x^3`. It needs no
//! division, stays within 0.12 of the hyperbolic tangent, and is 0.6 % below the linear law at a fifth
//! of the limit.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

/// Coefficient of the cube.
const CUBE: f32 = 4.0 / 27.0;
/// Where the limit is reached.
const FLAT: f32 = 1.5;
/// Square root of the coefficient: in units of one over this, the law is `y - y^3`.
pub(super) const ROOT: f64 = 0.384_900_179_459_750_5;
/// Where the limit is reached in these units.
const FLAT_ROOT: f32 = FLAT * ROOT as f32;

/// The rate of a synaptic input whose linear law gives `y / ROOT` times its limit; `limit` is the limit
/// over [`ROOT`].
#[inline(always)]
pub(super) fn saturate<S: Simd>(y: f32x16<S>, limit: f32x16<S>) -> f32x16<S> {
    let y = y.min(FLAT_ROOT);
    (limit * y) * (-(y * y) + 1.0)
}

/// Share of the leak's linear law that is left at a voltage, which is relative to the leak potential;
/// `inverse_range` is one over the voltage at which the linear law reaches the limit.
#[inline(always)]
pub(super) fn leak_share<S: Simd>(v: f32x16<S>, inverse_range: f32) -> f32x16<S> {
    let x = (v * inverse_range).abs();
    let share = -(x * x * CUBE) + 1.0;
    let flat = x.simd_ge(FLAT);
    // beyond, the current stays as it is
    if flat.any_true() { flat.select(f32x16::splat(v.simd, 1.0) / x, share) } else { share }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::engine::math::Lanes;

    #[test]
    fn saturation_is_linear_at_rest_monotone_and_bounded() {
        let limit = 0.02_f32;
        let root = ROOT as f32;
        let through = |rate: f32| -> f32 {
            let lanes: Lanes = dispatch!(Level::new(), simd => {
                let [y, l] = [rate / limit * root, limit / root].map(|x| f32x16::splat(simd, x));
                saturate(y, l).into()
            });
            lanes[3]
        };
        assert!((through(1e-5) / 1e-5 - 1.0).abs() < 1e-4);
        assert!((through(0.2 * limit) / (0.2 * limit) - 0.994).abs() < 1e-3);
        let mut before = 0.0;
        for i in 0..4000 {
            let x = i as f32 * 1e-3;
            let y = through(x * limit) / limit;
            assert!(
                y >= before - 1e-6 && y <= 1.0 + 1e-6 && (y - x.tanh()).abs() < 0.12,
                "{x}: {y}"
            );
            before = y;
        }
        assert!((before - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_leak_current_is_bounded() {
        let range = 0.5;
        let current = |v: f32| -> f32 {
            let lanes: Lanes = dispatch!(Level::new(), simd => {
                leak_share(f32x16::splat(simd, v), 1.0 / range).into()
            });
            lanes[5] * v
        };
        assert!((current(0.01) / 0.01 - 1.0).abs() < 1e-3);
        for v in [0.7, 0.75, 0.76, 1.5] {
            assert!((current(v) - range).abs() < 0.01 && current(-v) == -current(v), "{v}");
        }
    }
}
