//! Invariants 1 to 5 of hal-config §9, register by register. Whole chips, and the other
//! invariants, are in tests/it/hal_invariants.rs.

mod columns;
mod registers;
mod words;

use crate::coord::Coordinate;

/// A number with 64 random-looking bits, the same for the same input.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 31
}

/// Any coordinate or small number, drawn from a seed.
fn drawn<C: Coordinate>(seed: u64, i: usize) -> C {
    let index = mix(seed ^ mix(i as u64)) as usize % C::SIZE;
    C::from_index(index).expect("below the size")
}

/// Whether the values are exactly `0..size`, each once.
fn is_permutation(values: impl Iterator<Item = usize>, size: usize) -> bool {
    let mut sorted: Vec<usize> = values.collect();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..size)
}
