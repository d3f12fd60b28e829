//! Amplifiers give no more current than their bias: what saturates, and how (analog §5.1).
//!
//! The shape is an assumption, since no source gives one: slope 1 at rest, and flat at the limit,
//! which is reached at 1.5 times the limit of the linear law. Between, `x - 4/27 x^3`. It needs no
//! division, stays within 0.12 of the hyperbolic tangent, and is 0.6 % below the linear law at a fifth
//! of the limit.

/// Coefficient of the cube.
const CUBE: f32 = 4.0 / 27.0;
/// Where the limit is reached.
const FLAT: f32 = 1.5;

/// Share of the linear law that is left at `x` times the limit, |x| <= 1.5.
#[inline(always)]
fn share(x: f32) -> f32 {
    1.0 - CUBE * x * x
}

/// The rate of a synaptic input whose linear law gives `x` times its limit.
#[inline(always)]
pub(super) fn saturate(x: f32, limit: f32) -> f32 {
    let x = if x < FLAT { x } else { FLAT };
    limit * x * share(x)
}

/// Lowers the leak rates at voltages far from the leak potential; `v` is relative to it, and
/// `inverse_range` is one over the voltage at which the linear law reaches the limit.
#[inline(always)]
pub(super) fn leak(rate: &mut [f32], v: &[f32], inverse_range: f32) {
    let v = &v[..rate.len()];
    for i in 0..rate.len() {
        let x = (v[i] * inverse_range).abs();
        // beyond, the current stays as it is
        let left = if x < FLAT { share(x) } else { 1.0 / x };
        rate[i] *= left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturation_is_linear_at_rest_monotone_and_bounded() {
        let limit = 0.02_f32;
        let through = |rate: f32| saturate(rate / limit, limit);
        assert!((through(1e-5) / 1e-5 - 1.0).abs() < 1e-4);
        assert!((through(0.2 * limit) / (0.2 * limit) - 0.994).abs() < 1e-3);
        let mut before = 0.0;
        for i in 0..4000 {
            let x = i as f32 * 1e-3;
            let y = through(x * limit) / limit;
            assert!(y >= before && y <= 1.0 + 1e-6 && (y - x.tanh()).abs() < 0.12, "{x}: {y}");
            before = y;
        }
        assert!((before - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_leak_current_is_bounded() {
        let range = 0.5;
        let current = |v: f32| {
            let mut rate = [1.0];
            leak(&mut rate, &[v], 1.0 / range);
            rate[0] * v
        };
        assert!((current(0.01) / 0.01 - 1.0).abs() < 1e-3);
        for v in [0.7, 0.75, 0.76, 1.5] {
            assert!((current(v) - range).abs() < 0.01 && current(-v) == -current(v), "{v}");
        }
    }
}
