//! The 37 invariants of the wafer, each checked for all of its elements.

mod chip;
mod lines;
mod wafer;

use std::collections::BTreeMap;

/// How often each key occurs, ascending by key.
fn histogram<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<(K, usize)> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
    counts.into_iter().collect()
}

/// Whether the values are exactly `0..size`, each once.
fn is_permutation(values: impl Iterator<Item = usize>, size: usize) -> bool {
    let mut sorted: Vec<usize> = values.collect();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..size)
}

/// The values in ascending order without repetition.
fn distinct<C: Ord>(places: impl Iterator<Item = C>) -> Vec<C> {
    let mut places: Vec<C> = places.collect();
    places.sort_unstable();
    places.dedup();
    places
}
