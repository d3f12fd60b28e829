//! Exponentials for loops over membranes: branch-free, so that the compiler makes vector code of
//! them, and without fused operations, so that every instruction set gives the same bits.

/// 1.5 * 2^23: adding it rounds a float to an integer, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; products of the first part with small integers are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Beyond this, e^-x is smaller than the spacing of floats at 1 by far.
const LARGEST: f32 = 80.0;

/// `e^r - 1` for `|r| <= ln 2 / 2`, relative error below 1e-7.
#[inline(always)]
fn exp_minus_one_small(r: f32) -> f32 {
    let tail = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * tail)))
}

/// Splits `x = n ln 2 + r`; returns `(2^n, r)` for `|x| <= 80`.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_shl(23);
    (f32::from_bits(1.0_f32.to_bits().wrapping_add(exponent)), r)
}

/// `1 - e^-x` for `x >= 0`, with full relative precision for small `x`: time constants are not
/// distorted by steps that are much shorter.
#[inline(always)]
pub(super) fn one_minus_exp_neg(x: f32) -> f32 {
    let (scale, r) = split(-if x > LARGEST { LARGEST } else { x });
    (1.0 - scale) - scale * exp_minus_one_small(r)
}

/// `e^x`, held at the values of -80 and 80 beyond.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = if x > LARGEST { LARGEST } else { x };
    let (scale, r) = split(if x < -LARGEST { -LARGEST } else { x });
    scale + scale * exp_minus_one_small(r)
}

/// `ln x` for normal `x > 0`, absolute error below 1e-7 times the larger of 1 and the result.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    // x = 2^n m with m in sqrt(1/2)..sqrt(2), then ln m = 2 artanh((m - 1) / (m + 1))
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF.to_bits());
    let n = (shifted as i32) >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((n as u32) << 23));
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let tail = q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0))));
    let n = n as f32;
    n * LN2_HIGH + (n * LN2_LOW + 2.0 * (s + s * tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_close() {
        assert_eq!(ln(1.0), 0.0);
        let mut x = 1e-30_f32;
        while x < 10.0 {
            let exact = f64::from(x).ln();
            let error = (f64::from(ln(x)) - exact).abs() / exact.abs().max(1.0);
            assert!(error < 1e-7, "x {x}: error {error}");
            x *= 1.0021;
        }
    }

    #[test]
    fn one_minus_exp_neg_keeps_relative_precision() {
        assert_eq!(one_minus_exp_neg(0.0), 0.0);
        let mut x = 1e-6_f32;
        while x < 200.0 {
            let exact = -(-f64::from(x)).exp_m1();
            let error = (f64::from(one_minus_exp_neg(x)) - exact).abs() / exact;
            assert!(error < 2.5e-7, "x {x}: relative error {error}");
            x *= 1.003;
        }
    }

    #[test]
    fn exp_is_close_and_bounded() {
        let mut x = -80.0_f32;
        while x < 80.0 {
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "x {x}: relative error {error}");
            x += 0.0137;
        }
        assert_eq!(exp(1e9), exp(80.0));
        assert_eq!(exp(-1e9), exp(-80.0));
    }
}
