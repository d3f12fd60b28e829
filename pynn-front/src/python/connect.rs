//! Connectivity that Python draws too slowly.
#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use numpy::{IntoPyArray as _, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

/// A column of members that belongs to Python.
type Column<'py> = Bound<'py, PyArray1<u32>>;

/// Draws `n` pairs of integers below `pre` and `post` from random words, as numpy's legacy
/// `randint` draws them in turn: masked rejection, one word per trial (frontend §1.11). Returns
/// the pairs and the number of words used, or None if there are too few words.
#[pyfunction]
pub(super) fn random_pairs<'py>(
    py: Python<'py>,
    words: PyReadonlyArray1<'py, u32>,
    pre: u32,
    post: u32,
    n: usize,
) -> Option<(Column<'py>, Column<'py>, usize)> {
    let words = words.as_array();
    let mut words = words.iter().copied().enumerate();
    let mut used = 0;
    let mut below = |limit: u32| {
        let Some(largest) = limit.checked_sub(1).filter(|&l| l > 0) else { return Some(0) };
        let mask = u32::MAX >> largest.leading_zeros();
        loop {
            let (index, word) = words.next()?;
            used = index + 1;
            if word & mask <= largest {
                return Some(word & mask);
            }
        }
    };
    let mut pairs = (Vec::with_capacity(n), Vec::with_capacity(n));
    for _ in 0..n {
        pairs.0.push(below(pre)?);
        pairs.1.push(below(post)?);
    }
    Some((pairs.0.into_pyarray(py), pairs.1.into_pyarray(py), used))
}
