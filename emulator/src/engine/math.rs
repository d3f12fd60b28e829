//! Exponentials of sixteen numbers at once, without branches. There are no fused operations, so that
//! every instruction set gives the same bits.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, u32x16};

/// Membranes that are computed together.
pub(super) const LANES: usize = 16;
/// A number of each of them.
pub(super) type Lanes = [f32; LANES];

/// 1.5 * 2^23: adding it rounds a float to an integer, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; products of the first part with small integers are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Beyond this, e^-x is smaller than the spacing of floats at 1 by far.
const LARGEST: f32 = 80.0;
/// Up to here eight terms of the series of `(1 - e^-x) / x` are exact to 1e-8.
const SMALL: f32 = 0.5;

/// `e^r - 1` for `|r| <= ln 2 / 2`, relative error below 1e-7.
#[inline(always)]
fn exp_minus_one_small<S: Simd>(r: f32x16<S>) -> f32x16<S> {
    let tail = r * (r * (1.0 / 5040.0) + 1.0 / 720.0) + 1.0 / 120.0;
    r + r * r * (r * (r * (r * tail + 1.0 / 24.0) + 1.0 / 6.0) + 0.5)
}

/// Splits `x = n ln 2 + r`; returns `(2^n, r)` for `|x| <= 80`.
#[inline(always)]
fn split<S: Simd>(x: f32x16<S>) -> (f32x16<S>, f32x16<S>) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let exponent = (shifted.to_bits() - ROUND.to_bits()) << 23_u32;
    (f32x16::from_bits(exponent + 1.0_f32.to_bits()), r)
}

/// `1 - e^-x` for `x >= 0`, with full relative precision for small `x`.
#[inline(always)]
fn one_minus_exp_neg<S: Simd>(x: f32x16<S>) -> f32x16<S> {
    let (scale, r) = split(-x.min(LARGEST));
    (-scale + 1.0) - scale * exp_minus_one_small(r)
}

/// `(1 - e^-x) / x` for `x > 0`: the mean of `e^-t` for `t` in `0..x`. Time constants are not
/// distorted by steps that are much shorter.
#[inline(always)]
pub(super) fn mean_decay<S: Simd>(x: f32x16<S>) -> f32x16<S> {
    let x2 = x * x;
    let low = (x * (-1.0 / 2.0) + 1.0) + x2 * (x * (-1.0 / 24.0) + 1.0 / 6.0);
    let high = (x * (-1.0 / 720.0) + 1.0 / 120.0) + x2 * (x * (-1.0 / 40_320.0) + 1.0 / 5040.0);
    let series = low + (x2 * x2) * high;
    let large = x.simd_ge(SMALL);
    if large.any_true() { large.select(one_minus_exp_neg(x) / x, series) } else { series }
}

/// `e^x`, held at the values of -80 and 80 beyond.
#[inline(always)]
pub(super) fn exp<S: Simd>(x: f32x16<S>) -> f32x16<S> {
    let (scale, r) = split(x.min(LARGEST).max(-LARGEST));
    scale + scale * exp_minus_one_small(r)
}

/// `ln x` for normal `x > 0`, absolute error below 1e-7 times the larger of 1 and the result.
#[inline(always)]
pub(super) fn ln<S: Simd>(x: f32x16<S>) -> f32x16<S> {
    // x = 2^n m with m in sqrt(1/2)..sqrt(2), then ln m = 2 artanh((m - 1) / (m + 1))
    let shifted = x.to_bits() - SQRT_HALF.to_bits();
    let n: i32x16<S> = shifted.bitcast::<i32x16<S>>() >> 23_u32;
    let m = f32x16::from_bits(x.to_bits() - (n.bitcast::<u32x16<S>>() << 23_u32));
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let tail = q * (q * (q * (q * (1.0 / 9.0) + 1.0 / 7.0) + 1.0 / 5.0) + 1.0 / 3.0);
    let n: f32x16<S> = n.to_float();
    n * LN2_HIGH + (n * LN2_LOW + (s + s * tail) * 2.0)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    /// A function of sixteen equal numbers, the same on every level.
    macro_rules! of {
        ($function:ident, $x:expr) => {{
            let one = |level: Level| -> f32 {
                let all: Lanes =
                    dispatch!(level, simd => $function(f32x16::splat(simd, $x)).into());
                assert!(all.iter().all(|y| y.to_bits() == all[0].to_bits()));
                all[0]
            };
            let fast = one(Level::new());
            assert_eq!(fast.to_bits(), one(Level::baseline()).to_bits(), "{}", $x);
            fast
        }};
    }

    #[test]
    fn ln_is_close() {
        assert_eq!(of!(ln, 1.0), 0.0);
        let mut x = 1e-30_f32;
        while x < 10.0 {
            let exact = f64::from(x).ln();
            let error = (f64::from(of!(ln, x)) - exact).abs() / exact.abs().max(1.0);
            assert!(error < 1e-7, "x {x}: error {error}");
            x *= 1.0021;
        }
    }

    #[test]
    fn mean_decay_keeps_relative_precision() {
        let mut x = 1e-6_f32;
        while x < 200.0 {
            let exact = -(-f64::from(x)).exp_m1() / f64::from(x);
            let error = (f64::from(of!(mean_decay, x)) - exact).abs() / exact;
            assert!(error < 2.5e-7, "x {x}: relative error {error}");
            x *= 1.003;
        }
    }

    #[test]
    fn exp_is_close_and_bounded() {
        let mut x = -80.0_f32;
        while x < 80.0 {
            let exact = f64::from(x).exp();
            let error = (f64::from(of!(exp, x)) - exact).abs() / exact;
            assert!(error < 3e-7, "x {x}: relative error {error}");
            x += 0.0137;
        }
        assert_eq!(of!(exp, 1e9), of!(exp, 80.0));
        assert_eq!(of!(exp, -1e9), of!(exp, -80.0));
    }
}
