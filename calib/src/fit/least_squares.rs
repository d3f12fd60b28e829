//! Least squares for a few parameters: the method of Levenberg and Marquardt.

/// Most steps; good starts need about five.
const MAX_STEPS: usize = 30;
/// Relative gain of a step below which the minimum is reached.
const ENOUGH: f64 = 1e-5;
/// Change of a parameter, relative to its scale, for its derivative.
const DIFFERENCE: f64 = 1e-4;

/// Finds parameters with a small sum of squared residuals near `start`. `residuals` fills its list,
/// always to the same length; `scale` tells the order of magnitude of each parameter. Returns the
/// parameters and the sum, none if there is no finite one.
pub fn minimise<const N: usize>(
    start: [f64; N],
    scale: [f64; N],
    mut residuals: impl FnMut(&[f64; N], &mut Vec<f64>),
) -> Option<([f64; N], f64)> {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let mut columns: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    let mut p = start;
    residuals(&p, &mut here);
    let mut sum = squares(&here);
    let mut damping = 1e-3;
    for _ in 0..MAX_STEPS {
        if !sum.is_finite() {
            return None;
        }
        for (k, column) in columns.iter_mut().enumerate() {
            let mut q = p;
            let step = DIFFERENCE * scale[k];
            q[k] += step;
            residuals(&q, column);
            column.iter_mut().zip(&here).for_each(|(there, here)| *there = (*there - here) / step);
        }
        let mut gain = 0.0;
        // a step that does not help is tried again, shorter
        for _ in 0..8 {
            let Some(step) = damped_step(&columns, &here, damping) else { break };
            let q: [f64; N] = std::array::from_fn(|k| p[k] + step[k]);
            residuals(&q, &mut there);
            let new = squares(&there);
            if new < sum {
                gain = (sum - new) / sum;
                (p, sum) = (q, new);
                std::mem::swap(&mut here, &mut there);
                damping *= 0.2;
                break;
            }
            damping *= 5.0;
        }
        if gain < ENOUGH {
            break;
        }
    }
    (sum.is_finite() && p.iter().all(|x| x.is_finite())).then_some((p, sum))
}

fn squares(list: &[f64]) -> f64 {
    list.iter().map(|r| r * r).sum()
}

/// Solves the damped normal equations by Gaussian elimination.
fn damped_step<const N: usize>(
    columns: &[Vec<f64>; N],
    residuals: &[f64],
    damping: f64,
) -> Option<[f64; N]> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut a = [[0.0; N]; N];
    let mut b = [0.0; N];
    for i in 0..N {
        b[i] = -dot(&columns[i], residuals);
        for j in 0..=i {
            a[i][j] = dot(&columns[i], &columns[j]);
            a[j][i] = a[i][j];
        }
        a[i][i] *= 1.0 + damping;
    }
    for i in 0..N {
        let pivot = (i..N).max_by(|&r, &s| a[r][i].abs().total_cmp(&a[s][i].abs()))?;
        a.swap(i, pivot);
        b.swap(i, pivot);
        if a[i][i].abs() < f64::MIN_POSITIVE {
            return None;
        }
        for row in i + 1..N {
            let factor = a[row][i] / a[i][i];
            for k in i..N {
                a[row][k] -= factor * a[i][k];
            }
            b[row] -= factor * b[i];
        }
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    Some(b)
}
